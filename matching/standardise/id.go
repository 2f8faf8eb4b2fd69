package standardise

import "strings"

// ID is a registration number: its scheme, normalised value, and whether its
// check digit (where the scheme has one) is right.
type ID struct {
	Scheme, Value string
	Checked       bool // the scheme has a check and it holds
	Wrong         bool // the scheme has a check and it does not hold
}

// Identifier reads one. The scheme is folded; a missing one is told by the
// shape where that is safe (统一社会信用代码, LEI). Empty Value: nothing there.
func Identifier(scheme, value string) (ID, string) {
	v := idValue(value)
	if v == "" {
		return ID{}, ""
	}
	id := ID{Scheme: schemeName(squash(Fold(scheme))), Value: v}
	if id.Scheme == "" {
		switch {
		case len(v) == 18 && usccShape(v):
			id.Scheme = "uscc"
		case len(v) == 20 && leiOK(v):
			id.Scheme = "lei"
		default:
			id.Scheme = "reg"
		}
	}
	ok, known := checkID(id.Scheme, v)
	id.Checked, id.Wrong = known && ok, known && !ok
	switch {
	case id.Wrong:
		return id, "check digit wrong"
	case id.Scheme == "duns" && len(v) != 9:
		return id, "not nine digits"
	}
	return id, ""
}

func schemeName(s string) string {
	switch s {
	case "统一社会信用代码", "社会信用代码", "usci", "uscc", "creditcode", "统一信用代码":
		return "uscc"
	case "dunsnumber", "duns", "邓白氏":
		return "duns"
	case "vat", "vatid", "ustidnr", "vatnumber", "tva", "btw":
		return "vat"
	case "registrationno", "regno", "registrationnumber":
		return "reg"
	}
	return s
}

// idValue keeps letters and digits, upper case, widths folded.
func idValue(s string) string {
	s = cut(s)
	if !isASCII(s) {
		s = letters(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z':
			b.WriteByte(byte(r) - 'a' + 'A')
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteByte(byte(r))
		case isHan(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

func checkID(scheme, v string) (ok, known bool) {
	switch scheme {
	case "uscc":
		return len(v) == 18 && usccShape(v) && usccOK(v), true
	case "lei":
		return len(v) == 20 && leiOK(v), true
	case "iban":
		return len(v) >= 15 && len(v) <= 34 && mod97(v[4:]+v[:4]) == 1, true
	case "vat":
		return vatOK(v)
	}
	return false, false
}

const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

func usccShape(v string) bool {
	for i := range len(v) {
		if strings.IndexByte(usccAlphabet, v[i]) < 0 {
			return false
		}
	}
	return v[0] == '1' || v[0] == '5' || v[0] == '9' || v[0] == 'Y' || v[0] == 'N'
}

// usccOK checks the 18th character: GB 32100-2015, weights 3^i mod 31.
func usccOK(v string) bool {
	sum, w := 0, 1
	for i := range 17 {
		sum += strings.IndexByte(usccAlphabet, v[i]) * w
		w = w * 3 % 31
	}
	return usccAlphabet[(31-sum%31)%31] == v[17]
}

// leiOK is ISO 17442: ISO 7064 MOD 97-10 over the whole.
func leiOK(v string) bool { return mod97(v) == 1 }

// mod97 reads letters as 10 to 35 (ISO 7064); -1 for anything else.
func mod97(v string) int {
	m := 0
	for i := range len(v) {
		switch c := v[i]; {
		case c >= '0' && c <= '9':
			m = (m*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			m = (m*100 + int(c-'A') + 10) % 97
		default:
			return -1
		}
	}
	return m
}

// vatOK checks the shape for the EU's prefixes, and the digits where the rule
// is simple and published: Germany (ISO 7064 MOD 11,10) and France (key).
func vatOK(v string) (ok, known bool) {
	if len(v) < 4 {
		return false, false
	}
	body := v[2:]
	switch v[:2] {
	case "DE":
		return len(body) == 9 && digitsOnly(body) && mod1110(body), true
	case "FR":
		if len(body) != 11 || !digitsOnly(body) {
			return false, false
		}
		return (12+3*(atoi(body[2:])%97))%97 == atoi(body[:2]), true
	}
	return false, false
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func atoi(s string) int {
	n := 0
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n
}

func mod1110(s string) bool {
	p := 10
	for i := range len(s) - 1 {
		sum := (int(s[i]-'0') + p) % 10
		if sum == 0 {
			sum = 10
		}
		p = 2 * sum % 11
	}
	return (11-p)%10 == int(s[len(s)-1]-'0')
}
