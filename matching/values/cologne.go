package values

import (
	"strings"

	"touchstone/matching/standardise"
)

// Cologne is the Cologne phonetic code (Hans Joachim Postel, "Die Kölner
// Phonetik", IBM-Nachrichten 19, 1969, 925–931): digits by the table of letters
// and their neighbours, repeated ones once, zeros only in front. It was made for
// German and serves Latin names of other languages well. Letters other than a to
// z are left out after folding; "" when none is left.
func Cologne(s string) string {
	var letters []byte
	for _, r := range strings.ToLower(s) {
		if r >= 'a' && r <= 'z' {
			letters = append(letters, byte(r))
			continue
		}
		for _, f := range standardise.Fold(string(r)) {
			if f >= 'a' && f <= 'z' {
				letters = append(letters, byte(f))
			}
		}
	}
	code := make([]byte, 0, len(letters))
	last := byte(0)
	for i := range letters {
		for _, d := range []byte(cologneDigit(letters, i)) {
			if d != last && (d != '0' || last == 0) {
				code = append(code, d)
			}
			last = d
		}
	}
	return string(code)
}

// cologneDigit is the code of one letter among its neighbours; "" for an h.
func cologneDigit(w []byte, i int) string {
	var before, after byte
	if i > 0 {
		before = w[i-1]
	}
	if i+1 < len(w) {
		after = w[i+1]
	}
	in := func(c byte, set string) bool { return c != 0 && strings.IndexByte(set, c) >= 0 }
	switch c := w[i]; c {
	case 'a', 'e', 'i', 'j', 'o', 'u', 'y':
		return "0"
	case 'b':
		return "1"
	case 'p':
		if after == 'h' {
			return "3"
		}
		return "1"
	case 'd', 't':
		if in(after, "csz") {
			return "8"
		}
		return "2"
	case 'f', 'v', 'w':
		return "3"
	case 'g', 'k', 'q':
		return "4"
	case 'c':
		hard := "ahkoqux"
		if i == 0 {
			hard = "ahkloqrux"
		}
		if in(after, hard) && !in(before, "sz") {
			return "4"
		}
		return "8"
	case 'x':
		if in(before, "ckq") {
			return "8"
		}
		return "48"
	case 'l':
		return "5"
	case 'm', 'n':
		return "6"
	case 'r':
		return "7"
	case 's', 'z':
		return "8"
	}
	return "" // h
}
