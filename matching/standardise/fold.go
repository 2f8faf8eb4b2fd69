// Package standardise brings single values to the form in which they are
// compared: one file per kind of value. It never fails: what cannot be read
// comes back empty or as it was, with a note. Standardising a standardised
// value changes nothing.
package standardise

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"touchstone/matching/compare"
)

// maxRunes bounds every text before it is worked on, so that no value can make
// a comparison slow.
const maxRunes = 256

// Fold gives text in compared form: compatibility forms and widths folded,
// lower case, accents stripped, Chinese simplified, punctuation turned into
// single spaces. '&' and '#' stay as tokens of their own; apostrophes vanish.
func Fold(s string) string {
	if isFolded(s) {
		return s
	}
	var buf [fastOut]byte
	if b, ok := appendFolded(buf[:0], s, words); ok {
		return string(b)
	}
	return foldAny(s)
}

// foldAny folds whatever there is, stage by stage: what appendFolded leaves.
func foldAny(s string) string {
	s = strings.TrimSpace(cut(s))
	if s == "" {
		return ""
	}
	return shortened(spaced(simplify(letters(s))))
}

// isFolded says whether s is ASCII that folding would leave as it is. It may
// miss some.
func isFolded(s string) bool {
	if len(s) > maxRunes {
		return false
	}
	gap := true
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			gap = false
		case c == ' ' && !gap:
			gap = true
		default:
			return false
		}
	}
	return !gap || s == ""
}

func cut(s string) string { return compare.Prefix(s, maxRunes) }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func isHan(r rune) bool {
	return r >= 0x4e00 && r <= 0x9fff || r >= 0x3400 && r <= 0x4dbf || r >= 0x20000 && r <= 0x323af
}

// HasHan says whether s holds a Chinese character.
func HasHan(s string) bool {
	for i := 0; i < len(s); {
		if s[i] < 0xe3 { // no Chinese character begins lower
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if isHan(r) {
			return true
		}
		i += n
	}
	return false
}

// letters folds rune by rune; only rare runes pay for a decomposition.
func letters(s string) string {
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		foldRune(&b, r, 0)
	}
	out := b.String()
	if !norm.NFC.IsNormalString(out) { // Korean letters taken from compatibility forms
		out = norm.NFC.String(out)
	}
	return cut(out)
}

// shortened cuts what folding made longer ("a&b" becomes "a & b").
func shortened(s string) string { return strings.TrimRight(cut(s), " ") }

func foldRune(b *strings.Builder, r rune, depth int) {
	switch {
	case r < 0x80:
		b.WriteByte(lowerASCII(byte(r)))
		return
	case r >= 0x4e00 && r <= 0x9fff, r >= 0xac00 && r <= 0xd7a3:
		b.WriteRune(r)
		return
	case r >= 0xff01 && r <= 0xff5e: // full width
		b.WriteByte(lowerASCII(byte(r - 0xfee0)))
		return
	case unicode.Is(unicode.Mn, r) || r == unicode.ReplacementChar:
		return
	}
	if s, ok := foldSpecial(r); ok {
		b.WriteString(s)
		return
	}
	l := unicode.ToLower(r)
	d := norm.NFKD.String(string(l))
	if depth < 3 && d != string(r) {
		for _, x := range d {
			foldRune(b, x, depth+1)
		}
		return
	}
	b.WriteRune(l)
}

func lowerASCII(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// foldSpecial gives the letters that Unicode does not decompose.
func foldSpecial(r rune) (string, bool) {
	switch r {
	case 'ß', 'ẞ':
		return "ss", true
	case 'ø', 'Ø':
		return "o", true
	case 'æ', 'Æ':
		return "ae", true
	case 'œ', 'Œ':
		return "oe", true
	case 'đ', 'Đ', 'ð', 'Ð':
		return "d", true
	case 'ł', 'Ł':
		return "l", true
	case 'þ', 'Þ':
		return "th", true
	case 'ı', 'İ':
		return "i", true
	case 'ς':
		return "σ", true
	case '〇':
		return "零", true
	}
	return "", false
}

// spaced keeps letters, digits, '&' and '#', drops apostrophes and turns
// everything else into single spaces.
func spaced(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s {
		switch {
		case apostrophe(r):
		case r == '&' || r == '#':
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteRune(r)
			gap = true
		case isWord(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	return b.String()
}

// apostrophe: "O'Brien" is one word.
func apostrophe(r rune) bool { return r == '\'' || r == '’' || r == '`' || r == '‘' }

func isWord(r rune) bool {
	if r < 0x80 {
		return r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r)
}

// squash drops the spaces.
func squash(s string) string {
	if strings.IndexByte(s, ' ') < 0 {
		return s
	}
	return strings.ReplaceAll(s, " ", "")
}
