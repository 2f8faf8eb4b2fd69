package text

import (
	"encoding/hex"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// minHex is the shortest run of hexadecimal digits that is looked at: eight
// bytes. Random ones are text by chance once in a million.
const minHex = 16

// hexRuns finds runs of hexadecimal digits in a sentence that are a text when
// they are read as bytes. Digits alone are a number, and a value that is nothing
// but hexadecimal digits is a key, whatever it spells.
func hexRuns(s string) (out []Finding) {
	for i := 0; i < len(s); {
		if !isWord(s[i]) {
			i++
			continue
		}
		from := i
		letters, all := false, true
		for ; i < len(s) && isWord(s[i]); i++ {
			c := s[i]
			_, digit := hexDigit(c)
			all = all && digit
			letters = letters || c > '9'
		}
		run := s[from:i]
		if !all || !letters || len(run) < minHex || len(run)%2 != 0 || !between(s[:from], s[i:]) {
			continue
		}
		b, err := hex.DecodeString(run)
		if err == nil && speaks(b) {
			out = append(out, Finding{Kind: Hex, From: from, To: i, What: fmt.Sprintf("hexadecimal digits that spell %q", b)})
		}
	}
	return out
}

// isWord says whether a byte belongs to a run of ASCII letters, digits and what
// joins them in keys.
func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '-'
}

func hexDigit(c byte) (byte, bool) {
	return c, c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// between says whether words stand before or behind: at least four letters near by.
func between(before, after string) bool {
	n := 0
	for range 32 {
		r, size := utf8.DecodeLastRuneInString(before)
		if size == 0 || r == '\n' {
			break
		}
		if unicode.IsLetter(r) {
			n++
		}
		before = before[:len(before)-size]
	}
	for range 32 {
		r, size := utf8.DecodeRuneInString(after)
		if size == 0 || r == '\n' {
			break
		}
		if unicode.IsLetter(r) {
			n++
		}
		after = after[size:]
	}
	return n >= 4
}

// speaks says whether bytes are text of letters and digits: nine of ten
// characters, and two of five letters.
func speaks(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	all, words, letters := 0, 0, 0
	for _, r := range string(b) {
		all++
		switch {
		case unicode.IsLetter(r):
			words++
			letters++
		case unicode.IsDigit(r), r == ' ':
			words++
		case !unicode.IsPrint(r):
			return false
		}
	}
	return words*10 >= all*9 && letters*5 >= all*2
}
