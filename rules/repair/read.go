package repair

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/width"

	"touchstone/matching/standardise"
)

func isNumber(s string) bool {
	return s != "" && len(s) < 64 && (s[0] == '-' || s[0] >= '0' && s[0] <= '9') && json.Valid([]byte(s))
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// readNumber gives the one number that a text says, as JSON writes it: without
// marks of thousands, currency or unit. "" where there is none, or more than one.
func readNumber(s string) string {
	s = width.Fold.String(s)
	from := strings.IndexFunc(s, isDigit)
	if from < 0 {
		return ""
	}
	to := from
	for i, r := range s[from:] {
		if !isDigit(r) && !strings.ContainsRune(".,' \u00a0\u202f", r) {
			break
		}
		to = from + i + len(string(r))
	}
	if strings.ContainsFunc(s[to:], isDigit) {
		return ""
	}
	sign := ""
	if before := strings.TrimSpace(s[:from]); strings.HasSuffix(before, "-") || strings.HasSuffix(before, "−") {
		sign = "-"
	}
	n := plainNumber(strings.TrimRight(s[from:to], ".,' \u00a0\u202f"))
	unit := strings.TrimSpace(s[to:])
	for _, u := range []struct {
		sign  string
		zeros int
	}{{"万", 4}, {"萬", 4}, {"亿", 8}, {"億", 8}} {
		if strings.HasPrefix(unit, u.sign) {
			n = shift(n, u.zeros)
		}
	}
	if n = sign + n; !isNumber(n) {
		return ""
	}
	return n
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// plainNumber takes the marks of thousands out. The last mark parts the decimals
// where it stands once and does not stand before three digits, or where another
// mark parts the thousands.
func plainNumber(s string) string {
	last := strings.LastIndexAny(s, ".,")
	if last < 0 {
		return leading(standardise.Digits(s))
	}
	mark, whole, rest := s[last], s[:last], s[last+1:]
	decimal := strings.Count(s, string(mark)) == 1 && (len(rest) != 3 || strings.ContainsAny(whole, ".,' \u00a0\u202f") || mark == '.' && strings.Trim(whole, "0") == "")
	if !decimal {
		return leading(standardise.Digits(s))
	}
	return leading(standardise.Digits(whole)) + "." + standardise.Digits(rest)
}

func leading(s string) string {
	if s = strings.TrimLeft(s, "0"); s == "" {
		return "0"
	}
	return s
}

// shift multiplies by a power of ten.
func shift(n string, zeros int) string {
	whole, rest, _ := strings.Cut(n, ".")
	for range zeros {
		if rest != "" {
			whole, rest = whole+rest[:1], rest[1:]
		} else {
			whole += "0"
		}
	}
	if rest != "" {
		return leading(whole) + "." + rest
	}
	return leading(whole)
}

// reading is a day with the order its parts were read in.
type reading struct{ order, day string }

// readDate gives the days that a text can mean, each once, the most usual order
// first. A year has four digits; a bare number from 20000 to 60000 is the day
// count of a spreadsheet (1 is 1900-01-01, as ECMA-376 part 1, 18.17.4.1 counts).
func readDate(s string) (out []reading) {
	parts := strings.FieldsFunc(width.Fold.String(s), func(r rune) bool { return !unicode.IsDigit(r) })
	if len(parts) == 1 {
		if n, err := strconv.Atoi(parts[0]); err == nil && n >= 20000 && n <= 60000 {
			day := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n)
			return []reading{{"serial", day.Format(time.DateOnly)}}
		}
		if len(parts[0]) != 8 {
			return nil
		}
		p := parts[0] // 31122024 or 20241231, each of which may be what was meant
		out = append(out, orders([]string{p[:4], p[4:6], p[6:]})...)
		out = append(out, orders([]string{p[:2], p[2:4], p[4:]})...)
	} else if len(parts) >= 3 {
		out = orders(parts[:3])
	}
	var once []reading
	for _, r := range out {
		if !slices.ContainsFunc(once, func(x reading) bool { return x.day == r.day }) {
			once = append(once, r)
		}
	}
	return once
}

func orders(p []string) (out []reading) {
	for _, o := range []struct {
		name    string
		y, m, d int
	}{{"ymd", 0, 1, 2}, {"dmy", 2, 1, 0}, {"mdy", 2, 0, 1}, {"ydm", 0, 2, 1}} {
		if len(p[o.y]) != 4 || len(p[o.m]) > 2 || len(p[o.d]) > 2 {
			continue
		}
		month, day := "0"+p[o.m], "0"+p[o.d]
		text := p[o.y] + "-" + month[len(month)-2:] + "-" + day[len(day)-2:]
		if isDate(text) {
			out = append(out, reading{o.name, text})
		}
	}
	return out
}
