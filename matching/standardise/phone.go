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
	digits, ext := phoneDigits(cut(s))
	n := len(digits)
	if digits != "" && digits[0] == '+' {
		n--
	}
	if n < 5 || n > 17 {
		return "", "", "not a phone number"
	}
	if strings.HasPrefix(digits, "00") && n > 9 {
		digits = "+" + digits[2:]
	}
	if num, ok := fastPhone(digits, region); ok {
		return num, ext, ""
	}
	p, err := phonenumbers.Parse(digits, region)
	if err == nil && phonenumbers.IsPossibleNumber(p) {
		num := phonenumbers.Format(p, phonenumbers.E164)
		if phonenumbers.IsValidNumber(p) || readsBack(num) {
			return num, ext, ""
		}
	}
	if digits[0] == '+' {
		digits = digits[1:]
	}
	bare := strings.TrimLeft(digits, "0")
	if bare == "" {
		return "", "", "not a phone number"
	}
	if region == "" {
		return bare, ext, ""
	}
	return bare, ext, "not a possible phone number"
}

// readsBack says whether a number that no plan knows is at least read as
// itself: a prefix cut from it once must not be cut again.
func readsBack(num string) bool {
	p, err := phonenumbers.Parse(num, "")
	return err == nil && phonenumbers.Format(p, phonenumbers.E164) == num
}

// phoneDigits keeps the digits (any width) and a leading plus, and cuts the
// extension: "ext. 4", "x844", "转12", "#3". An "(0)" after a country code goes.
func phoneDigits(s string) (digits, ext string) {
	var b, e strings.Builder
	inExt := false
	s = strings.ReplaceAll(s, "(0)", "")
	for _, r := range s {
		if r >= 0xff01 && r <= 0xff5e {
			r -= 0xfee0
		}
		switch {
		case r >= '0' && r <= '9':
			if inExt {
				e.WriteRune(r)
			} else {
				b.WriteRune(r)
			}
		case r == '+' && b.Len() == 0:
			b.WriteByte('+')
		case b.Len() >= 5 && (r == 'x' || r == 'X' || r == 'e' || r == 'E' || r == '#' || r == '转' || r == '轉' || r == '分' || r == ';'):
			inExt = true
		case b.Len() >= 5 && (r == ',' || r == '/' || r == '、'): // a second number follows
			return b.String(), e.String()
		}
	}
	return b.String(), e.String()
}

// fastPhone reads the plain forms of China and North America; the library
// costs microseconds and these are most of what comes.
func fastPhone(d, region string) (string, bool) {
	switch {
	case strings.HasPrefix(d, "+86"):
		return fastCN(d[3:])
	case strings.HasPrefix(d, "+1") && len(d) == 12:
		return d, d[2] >= '2'
	case d[0] == '+':
		return "", false
	case region == "CN":
		if strings.HasPrefix(d, "86") && len(d) >= 12 {
			return fastCN(d[2:])
		}
		return fastCN(d)
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

// fastCN takes the national number: mobile 1[3-9] and nine digits, or area code
// (with or without its 0) and subscriber.
func fastCN(d string) (string, bool) {
	d = strings.TrimLeft(d, "0")
	switch {
	case len(d) == 11 && d[0] == '1' && d[1] >= '3',
		len(d) >= 9 && len(d) <= 11:
		return "+86" + d, true
	}
	return "", false
}
