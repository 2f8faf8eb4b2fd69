package standardise

import "strings"

// Date reads a date in the common forms: 1978-06-05, 19780605, 1978年6月5日,
// 一九七八年六月五日, 5/6/1978, 1978-13-06, 5 June 1978, 5.6.78. The result is
// YYYY-MM-DD, or "" with a note. Where day and month cannot be told apart it
// reads day first; where only the other order is possible it swaps and says so.
func Date(s string) (date, note string) {
	s = strings.TrimSpace(cut(s))
	if s == "" {
		return "", ""
	}
	if isoDate(s) {
		y, m, d := atoi(s[:4]), atoi(s[5:7]), atoi(s[8:])
		if y >= 1000 && m >= 1 && m <= 12 && d >= 1 && d <= daysIn(y, m) {
			return s, ""
		}
	}
	if i := strings.IndexByte(s, 'T'); i >= 8 && i+1 < len(s) && isDigit(s[i-1]) && isDigit(s[i+1]) { // the time of day
		s = s[:i]
	}
	p := dateParts{}
	if !isASCII(s) {
		if s = chineseDate(letters(s)); s == "" {
			return "", "lunar date"
		}
		if rest, ok := strings.CutPrefix(s, "民国"); ok { // counted from 1912
			p.years, s = 1911, rest
		}
	}
	p.read(s)
	y, m, d, note, ok := p.order()
	if !ok {
		return "", "not a date"
	}
	if m > 12 && d <= 12 {
		m, d, note = d, m, "day and month swapped"
	}
	if y < 1000 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return "", "not a date"
	}
	return dateText(y, m, d), note
}

func isoDate(s string) bool {
	return len(s) == 10 && s[4] == '-' && s[7] == '-' && digitsOnly(s[:4]) && digitsOnly(s[5:7]) && digitsOnly(s[8:])
}

func dateText(y, m, d int) string {
	return string([]byte{
		byte('0' + y/1000), byte('0' + y/100%10), byte('0' + y/10%10), byte('0' + y%10), '-',
		byte('0' + m/10), byte('0' + m%10), '-', byte('0' + d/10), byte('0' + d%10),
	})
}

// dateParts are the runs of digits of a text, and a month that was named.
type dateParts struct {
	num   [4]string
	n     int
	month int
	named int  // how many numbers stood before the month's name
	marks bool // all that stands between the numbers is one of - / .
	years int  // to be added to the year
}

func (p *dateParts) read(s string) {
	p.marks = true
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && isDigit(s[j]) {
			j++
		}
		if j > i {
			if p.n < len(p.num) {
				p.num[p.n] = s[i:min(j, i+9)]
				p.n++
			}
			i = j
			continue
		}
		for j < len(s) && (s[j] >= 'a' && s[j] <= 'z' || s[j] >= 'A' && s[j] <= 'Z') {
			j++
		}
		if j > i {
			if m := monthNamed(s[i:j]); m > 0 && p.month == 0 && p.n < 3 {
				p.month, p.named = m, p.n
			}
			p.marks = p.marks && p.n >= 3
			i = j
			continue
		}
		if c := s[i]; c != '-' && c != '/' && c != '.' {
			p.marks = p.marks && p.n >= 3
		}
		i++
	}
}

// order tells year, month and day.
func (p *dateParts) order() (y, m, d int, note string, ok bool) {
	a, b, c := p.num[0], p.num[1], p.num[2]
	switch {
	case p.month > 0 && p.n >= 2 && len(a) <= 2 && len(b) == 4: // 5 June 1978, June 5, 1978
		return atoi(b), p.month, atoi(a), "", true
	case p.month > 0 && p.n >= 2 && len(a) == 4 && len(b) <= 2:
		return atoi(a), p.month, atoi(b), "", true
	case p.month > 0 && p.named == 1 && p.n == 2 && len(a) <= 2 && len(b) == 2: // 05-JUN-78, as Oracle writes it
		return century(atoi(b)), p.month, atoi(a), "year of two digits", true
	case p.n == 1 && len(a) == 8:
		return atoi(a[:4]), atoi(a[4:6]), atoi(a[6:]), "", true
	case p.n < 3 || len(b) > 2:
		return 0, 0, 0, "", false
	case p.years > 0 && len(a) <= 3 && len(c) <= 2:
		return atoi(a) + p.years, atoi(b), atoi(c), "", true
	case len(a) == 4 && len(c) <= 2:
		return atoi(a), atoi(b), atoi(c), "", true
	case len(a) <= 2 && len(c) == 4:
		return atoi(c), atoi(b), atoi(a), "", true
	case p.marks && len(a) <= 2 && len(c) == 2 && p.n == 3:
		return century(atoi(c)), atoi(b), atoi(a), "year of two digits", true
	}
	return 0, 0, 0, "", false
}

// century reads a year of two digits as spreadsheets do: 00 to 29 are of this
// century.
func century(y int) int {
	if y < 30 {
		return 2000 + y
	}
	return 1900 + y
}

// monthNamed knows the months in English, German, French, Spanish, Portuguese and
// Italian by their first three letters; 0 for another word. The text has no accents.
func monthNamed(s string) int {
	if len(s) < 3 || len(s) > 10 {
		return 0
	}
	if len(s) > 3 && hasPrefixFold(s, "jui") {
		if lowerASCII(s[3]) == 'l' {
			return 7
		}
		return 6
	}
	if strings.EqualFold(s, "mardi") || strings.EqualFold(s, "martes") || strings.EqualFold(s, "martedi") { // Tuesday
		return 0
	}
	switch string([]byte{lowerASCII(s[0]), lowerASCII(s[1]), lowerASCII(s[2])}) {
	case "jan", "ene", "gen":
		return 1
	case "feb", "fev":
		return 2
	case "mar":
		return 3
	case "apr", "avr", "abr":
		return 4
	case "may", "mai", "mag":
		return 5
	case "jun", "giu":
		return 6
	case "jul", "lug":
		return 7
	case "aug", "aou", "ago":
		return 8
	case "sep", "set":
		return 9
	case "oct", "okt", "ott", "out":
		return 10
	case "nov":
		return 11
	case "dec", "dez", "dic":
		return 12
	}
	return 0
}

// chineseDate writes Chinese numerals in digits; "" for a date of the lunar
// calendar, which has no fixed place in ours.
func chineseDate(s string) string {
	if !HasHan(s) {
		return s
	}
	s = simplify(s)
	for _, w := range [...]string{"农历", "阴历", "腊月", "正月", "初"} {
		if strings.Contains(s, w) {
			return ""
		}
	}
	rs := []rune(s)
	var b strings.Builder
	for i := 0; i < len(rs); {
		j := i
		for j < len(rs) && numeral(rs[j]) >= 0 {
			j++
		}
		if j > i {
			b.WriteString(number(rs[i:j]))
			i = j
			continue
		}
		b.WriteRune(rs[i])
		i++
	}
	return b.String()
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}
