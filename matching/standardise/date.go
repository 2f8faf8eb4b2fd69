package standardise

import "strings"

// Date reads a date in the common forms: 1978-06-05, 19780605, 1978年6月5日,
// 5/6/1978, 1978-13-06. The result is YYYY-MM-DD, or "" with a note. Where day
// and month cannot be told apart it reads day first; where only the other
// order is possible it swaps and says so.
func Date(s string) (date, note string) {
	s = strings.TrimSpace(cut(s))
	if s == "" {
		return "", ""
	}
	if !isASCII(s) {
		s = letters(s)
	}
	if i := strings.IndexAny(s, "T"); i >= 8 {
		s = s[:i]
	}
	parts := numbersIn(s)
	if len(parts) > 3 { // a time follows
		parts = parts[:3]
	}
	var y, m, d int
	switch {
	case len(parts) == 1 && len(parts[0]) == 8:
		y, m, d = atoi(parts[0][:4]), atoi(parts[0][4:6]), atoi(parts[0][6:])
	case len(parts) == 3 && len(parts[0]) == 4 && len(parts[1]) <= 2 && len(parts[2]) <= 2:
		y, m, d = atoi(parts[0]), atoi(parts[1]), atoi(parts[2])
	case len(parts) == 3 && len(parts[2]) == 4 && len(parts[0]) <= 2 && len(parts[1]) <= 2:
		d, m, y = atoi(parts[0]), atoi(parts[1]), atoi(parts[2])
	default:
		return "", "not a date"
	}
	if m > 12 && d <= 12 {
		m, d, note = d, m, "day and month swapped"
	}
	if y < 1000 || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return "", "not a date"
	}
	return string([]byte{
		byte('0' + y/1000), byte('0' + y/100%10), byte('0' + y/10%10), byte('0' + y%10), '-',
		byte('0' + m/10), byte('0' + m%10), '-', byte('0' + d/10), byte('0' + d%10),
	}), note
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

// numbersIn lists the runs of ASCII digits, shortened to eight.
func numbersIn(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		if j > i {
			out = append(out, s[i:min(j, i+9)])
			i = j
			continue
		}
		i++
	}
	return out
}
