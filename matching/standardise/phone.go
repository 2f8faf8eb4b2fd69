package standardise

import (
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Phone reads a telephone number: "+" and digits when the country is known,
// bare digits without leading zeros when it is not, "" when it is no number.
// region is the ISO 3166 code to read national numbers by, "" for unknown. A
// note says what is odd.
func Phone(s, region string) (number, ext, note string) {
	var buf, extBuf [40]byte
	b, e := phoneDigits(buf[:0], extBuf[:0], cut(s))
	n := len(b)
	if n > 0 && b[0] == '+' {
		n--
	}
	if n < 5 || n > 17 {
		return "", "", "not a phone number"
	}
	if b[0] == '0' && b[1] == '0' && n > 9 {
		b[1] = '+'
		b = b[1:]
	}
	ext = string(e)
	digits := string(b)
	if region == "" && northAmerican(digits, s) {
		return "+" + digits, ext, ""
	}
	if mexicanMobile(digits) {
		digits = "+52" + digits[4:]
	}
	if num, ok := fastPhone(digits, region); ok {
		return num, ext, ""
	}
	if region == "" && digits[0] != '+' { // no library can tell
		if bare := strings.TrimLeft(digits, "0"); bare != "" {
			return bare, ext, ""
		}
		return "", "", "not a phone number"
	}
	if num, ok := planPhone(digits, region); ok {
		return num, ext, ""
	}
	if num, ok := libraryPhone(digits, region); ok {
		return num, ext, ""
	}
	bare := strings.TrimLeft(strings.TrimPrefix(digits, "+"), "0")
	if bare == "" {
		return "", "", "not a phone number"
	}
	if region == "" {
		return bare, ext, ""
	}
	return bare, ext, "not a possible phone number"
}

// northAmerican: "1-415-555-2671". Eleven digits that begin with 1 could be a
// Chinese mobile too, but nobody parts the 1 of that from the rest.
func northAmerican(digits, s string) bool {
	if len(digits) != 11 || digits[0] != '1' || digits[1] < '2' || digits[4] < '2' {
		return false
	}
	i := strings.IndexByte(s, '1')
	return i >= 0 && i+1 < len(s) && strings.IndexByte("-. (/", s[i+1]) >= 0
}

// mexicanMobile: until 2019 a 1 stood between the country code and a mobile
// number when calling from abroad.
func mexicanMobile(digits string) bool {
	return len(digits) == 14 && strings.HasPrefix(digits, "+521")
}

// libraryPhone asks the library, which knows all plans, for the E.164 form.
func libraryPhone(digits, region string) (string, bool) {
	p, err := phonenumbers.Parse(digits, region)
	if err != nil || !phonenumbers.IsPossibleNumber(p) {
		return "", false
	}
	num := phonenumbers.Format(p, phonenumbers.E164)
	return num, phonenumbers.IsValidNumber(p) || readsBack(num)
}

// readsBack says whether a number that no plan knows is at least read as
// itself: a prefix cut from it once must not be cut again.
func readsBack(num string) bool {
	p, err := phonenumbers.Parse(num, "")
	return err == nil && phonenumbers.Format(p, phonenumbers.E164) == num
}

// maxExtension is how many digits an extension may have.
const maxExtension = 12

// phoneDigits keeps the digits (any width) and a leading plus, and cuts the
// extension: "ext. 4", "x844", "转12", "#3", "DW 5". An "(0)" after a country code goes.
func phoneDigits(b, e []byte, s string) (digits, ext []byte) {
	inExt := false
	for i, r := range s {
		if r >= 0xff01 && r <= 0xff5e {
			r -= 0xfee0
		}
		switch {
		case r >= '0' && r <= '9':
			if inExt {
				if len(e) < maxExtension {
					e = append(e, byte(r))
				}
				continue
			}
			if r == '0' && i > 0 && i+1 < len(s) && s[i-1] == '(' && s[i+1] == ')' {
				continue
			}
			b = append(b, byte(r))
		case r == '+' && len(b) == 0:
			b = append(b, '+')
		case r == '+' || len(b) < 5:
		case r == 'x' || r == 'X' || r == 'e' || r == 'E' || r == '#' || r == '转' || r == '轉' || r == '分',
			(r == 'd' || r == 'D') && i+1 < len(s) && lowerASCII(s[i+1]) == 'w': // "DW 12", as Germans and Austrians write
			inExt = true
		case r == ';' && i+1 < len(s) && lowerASCII(s[i+1]) == 'e': // ";ext=12" of RFC 3966
			inExt = true
		case r == ',' || r == ';' || r == '/' || r == '、' || r == '或' || r == '\n' || r == '|': // a second number follows
			return b, e
		}
	}
	return b, e
}

// fastPhone reads the plain forms of China and North America; the library
// costs microseconds and these are most of what comes.
func fastPhone(d, region string) (string, bool) {
	switch {
	case strings.HasPrefix(d, "+86"):
		return fastCN(d, 3)
	case strings.HasPrefix(d, "+1") && len(d) == 12:
		return d, d[2] >= '2'
	case d[0] == '+':
		return "", false
	case region == "CN":
		if strings.HasPrefix(d, "86") && len(d) >= 12 {
			return fastCN(d, 2)
		}
		return fastCN(d, 0)
	case region == "US" || region == "CA":
		if len(d) == 11 && d[0] == '1' && d[1] >= '2' {
			return "+" + d, true
		}
		if len(d) == 10 && d[0] >= '2' {
			return "+1" + d, true
		}
	case region == "" && len(d) == 11 && d[0] == '1' && d[1] >= '3': // nobody else's mobile has this shape
		return "+86" + d, true
	case region == "" && len(d) == 13 && strings.HasPrefix(d, "861") && d[3] >= '3':
		return "+" + d, true
	}
	return "", false
}

// fastCN takes the national number behind d's first from bytes: mobile 1[3-9]
// and nine digits, or area code (with or without its 0) and subscriber.
func fastCN(d string, from int) (string, bool) {
	n := strings.TrimLeft(d[from:], "0")
	if len(n) < 9 || len(n) > 11 {
		return "", false
	}
	if from == 3 && len(n)+from == len(d) {
		return d, true
	}
	return "+86" + n, true
}

// plan is how a country's numbers are written: its calling code, the lengths of
// a number without the trunk prefix 0, and whether there is that prefix. Only
// countries whose rules hold no exception for these lengths stand here; the rest
// is the library's.
type plan struct {
	region, code string
	least, most  int
	trunk        bool
}

var plans = [...]plan{
	{"GB", "44", 10, 10, true},
	{"DE", "49", 5, 11, true},
	{"FR", "33", 9, 9, true},
	{"NL", "31", 9, 9, true},
	{"BE", "32", 8, 9, true},
	{"CH", "41", 9, 9, true},
	{"ES", "34", 9, 9, false},
	{"PL", "48", 9, 9, false},
	{"DK", "45", 8, 8, false},
	{"NO", "47", 8, 8, false},
	{"PT", "351", 9, 9, false},
	{"SG", "65", 8, 8, false},
	{"HK", "852", 8, 8, false},
}

// planPhone reads the numbers of plans: in full, or with the trunk prefix in
// their own country. It answers as the library does.
func planPhone(d, region string) (string, bool) {
	for i := range plans {
		p := &plans[i]
		switch {
		case d[0] == '+':
			n, ok := strings.CutPrefix(d[1:], p.code)
			if ok && len(n) >= p.least && len(n) <= p.most && n[0] >= '1' {
				return d, true
			}
		case region == p.region && p.trunk:
			if d[0] == '0' && len(d)-1 >= p.least && len(d)-1 <= p.most && d[1] >= '1' {
				return "+" + p.code + d[1:], true
			}
			return "", false
		}
	}
	return "", false
}
