package standardise

import (
	"strings"
)

// ID is a registration number: its scheme, normalised value, and whether its
// check digit (where the scheme has one) is right.
type ID struct {
	Scheme, Value string
	Checked       bool // the scheme has a check and it holds
	Wrong         bool // the scheme has a check and it does not hold
}

// NoteCheckDigit is what Identifier says of a number whose check digit does not fit.
const NoteCheckDigit = "check digit wrong"

// Identifier reads one. The scheme is folded; a missing one is told by the
// shape where that is safe (统一社会信用代码, LEI, 身份证). Empty Value: nothing
// there.
func Identifier(scheme, value string) (ID, string) {
	v := idValue(value)
	if v == "" {
		return ID{}, ""
	}
	id := ID{Value: v}
	if scheme != "" {
		id.Scheme = schemeName(squash(Fold(scheme)))
	}
	if id.Scheme == "" {
		id.Scheme = schemeByShape(v)
	}
	switch {
	case (id.Scheme == "cnreg" || id.Scheme == "cntax") && len(v) == 18: // since 2015 the one code stands for these numbers
		id.Scheme = "uscc"
	case id.Scheme == "cnid" && len(v) == 15:
		id.Value = laterCardNumber(v)
	}
	if id.Scheme == "crn" && len(v) < 8 && len(v) >= 5 && digitsOnly(v) { // the leading zeros get lost in spreadsheets
		id.Value = "00000000"[:8-len(v)] + v
	}
	ok, known := checkID(id.Scheme, id.Value)
	id.Checked, id.Wrong = known && ok, known && !ok
	switch {
	case id.Wrong:
		return id, NoteCheckDigit
	case id.Scheme == "duns" && len(v) != 9, id.Scheme == "ein" && len(v) != 9:
		return id, "not nine digits"
	case id.Scheme == "crn" && len(id.Value) != 8:
		return id, "not eight characters"
	}
	return id, ""
}

func schemeByShape(v string) string {
	switch {
	case len(v) == 18 && cnidOK(v): // with a date in it: a code of a unit hardly ever looks so, one card in 31 passes the code's check
		return "cnid"
	case len(v) == 18 && usccShape(v) && (usccOK(v) || usual(v[0])):
		return "uscc"
	case len(v) == 20 && leiOK(v):
		return "lei"
	}
	return "reg"
}

func schemeName(s string) string {
	switch s {
	case "统一社会信用代码", "社会信用代码", "usci", "uscc", "creditcode", "统一信用代码", "unifiedsocialcreditcode":
		return "uscc"
	case "dunsnumber", "duns", "邓白氏", "dunsno", "dandb":
		return "duns"
	case "vat", "vatid", "ustidnr", "vatnumber", "tva", "btw", "ustid", "vatno", "vatregno", "umsatzsteuerid", "partitaiva", "piva", "uid":
		return "vat"
	case "registrationno", "regno", "registrationnumber":
		return "reg"
	case "siren", "sirennumber", "numerosiren":
		return "siren"
	case "siret", "siretnumber", "numerosiret":
		return "siret"
	case "abn", "australianbusinessnumber":
		return "abn"
	case "acn", "australiancompanynumber":
		return "acn"
	case "crn", "companieshouse", "companieshousenumber", "ukcompanynumber":
		return "crn"
	case "ein", "fein", "employeridentificationnumber":
		return "ein"
	case "cnid", "身份证", "身份证号", "身份证号码", "居民身份证", "公民身份号码", "residentid":
		return "cnid"
	case "工商注册号", "营业执照号", "营业执照注册号":
		return "cnreg"
	case "税号", "纳税人识别号", "国税号", "taxpayeridentificationnumber":
		return "cntax"
	case "legalentityidentifier":
		return "lei"
	}
	return s
}

// idValue keeps letters and digits, upper case, widths folded.
func idValue(s string) string {
	plain := len(s) <= maxRunes
	for i := 0; i < len(s) && plain; i++ {
		plain = isDigit(s[i]) || s[i] >= 'A' && s[i] <= 'Z'
	}
	if plain {
		return s
	}
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
		return len(v) >= 15 && len(v) <= 34 && mod97(v[4:], v[:4]) == 1, true
	case "vat":
		return vatOK(v)
	case "siren":
		return len(v) == 9 && luhn(v), true
	case "siret":
		// La Poste's offices count otherwise: the sum of their digits is a multiple of 5.
		return len(v) == 14 && (luhn(v) || strings.HasPrefix(v, "356000000") && digitsOnly(v) && weighted(v, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)%5 == 0), true
	case "abn":
		return abnOK(v), true
	case "acn":
		return len(v) == 9 && digitsOnly(v) && (10-weighted(v, 8, 7, 6, 5, 4, 3, 2, 1)%10)%10 == int(v[8]-'0'), true
	case "cnid":
		if len(v) == 15 && digitsOnly(v) { // of the first generation, without a check
			return false, false
		}
		return cnidOK(v), true
	case "cnreg":
		if len(v) != 15 {
			return false, false
		}
		return digitsOnly(v) && mod1110(v), true
	}
	return false, false
}

// laterCardNumber writes a number of the first generation of identity cards, with
// a year of two digits and no check, as the second has it: GB 11643-1999, clause
// 4. Another text stays.
func laterCardNumber(v string) string {
	if !digitsOnly(v) {
		return v
	}
	head := v[:6] + "19" + v[6:]
	if later := head + string(cardCheck(head)); cnidOK(later) {
		return later
	}
	return v
}

// cardCheck is the last character of a card's number: ISO 7064 MOD 11-2.
func cardCheck(first17 string) byte {
	return "10X98765432"[weighted(first17, 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)%11]
}

const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

func usccShape(v string) bool {
	for i := range len(v) {
		if strings.IndexByte(usccAlphabet, v[i]) < 0 {
			return false
		}
	}
	return v[0] >= '1' && v[0] <= '9' || v[0] == 'A' || v[0] == 'N' || v[0] == 'Y'
}

// usual begins the codes of institutions, associations, companies, farmers'
// collectives and others; those of law firms (3) or trade unions (8) are told
// by their check digit alone, for much else begins like them.
func usual(first byte) bool {
	return first == '1' || first == '5' || first == '9' || first == 'N' || first == 'Y'
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
func leiOK(v string) bool { return mod97(v, "") == 1 }

// cnidOK checks a number of the Chinese identity card: GB 11643-1999, the day of
// birth within it and ISO 7064 MOD 11-2.
func cnidOK(v string) bool {
	if len(v) != 18 || !digitsOnly(v[:17]) || v[17] != 'X' && !isDigit(v[17]) || v[0] == '0' || v[0] > '9' {
		return false
	}
	y, m, d := atoi(v[6:10]), atoi(v[10:12]), atoi(v[12:14])
	if y < 1850 || y > 2199 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return false
	}
	return cardCheck(v[:17]) == v[17]
}

// abnOK: one off the first digit, the weighted sum is a multiple of 89.
func abnOK(v string) bool {
	return len(v) == 11 && digitsOnly(v) && v[0] > '0' && (weighted(v, 10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19)-10)%89 == 0
}

// mod97 reads letters as 10 to 35 (ISO 7064), two texts one after the other; -1
// for anything else.
func mod97(v, w string) int {
	m := 0
	for i := range len(v) + len(w) {
		var c byte
		if i < len(v) {
			c = v[i]
		} else {
			c = w[i-len(v)]
		}
		switch {
		case isDigit(c):
			m = (m*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			m = (m*100 + int(c-'A') + 10) % 97
		default:
			return -1
		}
	}
	return m
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

// weighted sums the first digits, each times its weight.
func weighted(s string, weights ...int) int {
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return sum
}

// luhn is the check of ISO 7812: every second digit from the right but one
// doubled.
func luhn(s string) bool { return digitsOnly(s) && luhnSum(s)%10 == 0 }

func luhnSum(s string) int {
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum
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
