package file

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// cellFormat is what a number format makes of a number.
type cellFormat struct {
	date, clock bool
	zeros       int // a format of zeros alone: so many digits, as text
}

// formats reads the number format of each cell style.
func (w *workbook) formats() ([]cellFormat, error) {
	custom := map[string]string{}
	var list []cellFormat
	inside := false
	err := w.elements(w.styles, func(e xml.StartElement) error {
		switch e.Name.Local {
		case "numFmt":
			custom[attr(e, "numFmtId")] = attr(e, "formatCode")
		case "cellXfs":
			inside = true
		case "cellStyles", "dxfs":
			inside = false
		case "xf":
			if !inside {
				return nil
			}
			id := attr(e, "numFmtId")
			if code, ok := custom[id]; ok {
				list = append(list, formatOf(code))
			} else {
				list = append(list, builtinFormat(id))
			}
			if len(list) > 1<<16 {
				return fmt.Errorf("part %s: more than %d cell styles", w.styles, 1<<16)
			}
		}
		return nil
	})
	return list, err
}

// builtinFormat knows the formats that have a number and no code, those of the
// East Asian languages included (ECMA-376, 18.8.30).
func builtinFormat(id string) cellFormat {
	n, err := strconv.Atoi(id)
	switch {
	case err != nil:
		return cellFormat{}
	case n == 22:
		return cellFormat{date: true, clock: true}
	case n >= 18 && n <= 21, n == 45, n == 47, n >= 32 && n <= 35, n == 55, n == 56:
		return cellFormat{clock: true}
	case n >= 14 && n <= 17, n >= 27 && n <= 36, n >= 50 && n <= 58:
		return cellFormat{date: true}
	}
	return cellFormat{}
}

// formatOf reads a format code: years, months and days make a date, hours and
// seconds a time of day. What is quoted, escaped or in brackets is text; hours in
// brackets are a length of time and stay a number.
func formatOf(code string) cellFormat {
	var plain strings.Builder
	for i := 0; i < len(code); i++ {
		switch code[i] {
		case '"':
			for i++; i < len(code) && code[i] != '"'; i++ {
			}
		case '\\', '_', '*':
			i++
		case '[':
			from := i + 1
			for ; i < len(code) && code[i] != ']'; i++ {
			}
			switch strings.ToLower(code[from:min(i, len(code))]) {
			case "h", "hh", "m", "mm", "s", "ss":
				return cellFormat{}
			}
		case ';': // the other sections are for negative numbers and texts
			i = len(code)
		default:
			plain.WriteByte(code[i])
		}
	}
	s := strings.ToLower(plain.String())
	if strings.Trim(s, "0") == "" && len(s) > 1 {
		return cellFormat{zeros: len(s)}
	}
	if strings.Contains(s, "general") || strings.Contains(s, "e+") || strings.Contains(s, "e-") || strings.ContainsAny(s, "#?@") {
		return cellFormat{}
	}
	s = strings.ReplaceAll(strings.ReplaceAll(s, "am/pm", "h"), "a/p", "h")
	f := cellFormat{clock: strings.ContainsAny(s, "hs"), date: strings.ContainsAny(s, "yde")}
	if !f.clock && strings.Contains(s, "m") {
		f.date = true
	}
	return f
}

// cell is one cell's value: JSON of a number or of true and false as it stands,
// or a text. The zero cell is empty.
type cell struct {
	text  string
	plain bool // a number, true or false
}

func (c cell) empty() bool { return c.text == "" }

// numberCell gives a number as people see it: a date where the format says so,
// digits with zeros before them where the format does, else every digit and no
// exponent.
func (w *workbook) numberCell(text string, f cellFormat) cell {
	text = strings.TrimSpace(text)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return cell{text: text}
	}
	if (f.date || f.clock) && v >= 0 && v < 2958466 {
		return cell{text: w.dateText(v, f)}
	}
	digits := plainNumber(text, v)
	if f.zeros > 0 && !strings.ContainsAny(digits, "-.") {
		return cell{text: strings.Repeat("0", max(f.zeros-len(digits), 0)) + digits}
	}
	return cell{text: digits, plain: true}
}

// plainNumber keeps a whole number as it is written; of others it takes the
// shortest digits that are the same number: a table writes 1.1 as
// 1.1000000000000001.
func plainNumber(text string, v float64) string {
	whole := strings.TrimPrefix(text, "-")
	if strings.Trim(whole, "0123456789") == "" && whole != "" && (whole == "0" || whole[0] != '0') {
		return text
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// dateText counts days from the workbook's first one. The calendar of 1900 has
// a 29 February that never was.
func (w *workbook) dateText(v float64, f cellFormat) string {
	days := math.Floor(v)
	ms := int64(math.Round((v - days) * 86400e3))
	if ms >= 86400e3 {
		days, ms = days+1, 0
	}
	first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	switch {
	case w.date1904:
		first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	case days == 60:
		return "1900-02-29"
	case days < 60:
		first = first.AddDate(0, 0, 1)
	}
	t := first.AddDate(0, 0, int(days)).Add(time.Duration(ms) * time.Millisecond)
	clock := "15:04:05"
	if ms%1000 != 0 {
		clock = "15:04:05.000"
	}
	switch {
	case !f.date && days == 0:
		return t.Format(clock)
	case f.clock:
		return t.Format("2006-01-02T" + clock)
	}
	return t.Format(time.DateOnly)
}

// columnOf reads the letters of a reference such as AB12, counted from 0; -1 for
// what is none.
func columnOf(ref string) int {
	n := 0
	for i := 0; i < len(ref); i++ {
		switch c := ref[i] &^ 0x20; {
		case c >= 'A' && c <= 'Z':
			if n = n*26 + int(c-'A') + 1; n > lastColumn {
				return -1
			}
		default:
			return n - 1
		}
	}
	return n - 1
}

func columnLetters(n int) string {
	s := ""
	for n++; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}

func rowOf(ref string) int {
	n, err := strconv.Atoi(strings.TrimLeft(ref, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"))
	if err != nil {
		return 0
	}
	return n
}
