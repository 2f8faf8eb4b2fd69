package values

import (
	"slices"
	"strings"
	"unicode"

	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// maxRunes bounds what of a value its key is made of: no value of a field people
// type is longer, and a text that is has no spellings.
const maxRunes = 1024

// tokens gives the words of a value: lower case, without punctuation and control
// characters, accents, width and Chinese variants folded.
func tokens(s string) []string {
	words := strings.FieldsFunc(compare.Prefix(s, maxRunes), unicode.IsSpace)
	out := words[:0]
	for _, w := range words {
		if w = folded(strings.Map(wordRune, w)); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// wordRune drops punctuation (what POSIX calls so, and Unicode), control and
// format characters.
func wordRune(r rune) rune {
	switch {
	case r < 0x80:
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	case unicode.IsPunct(r), unicode.In(r, unicode.Cc, unicode.Cf), r >= 0xff00 && r <= 0xff5e && unicode.IsSymbol(r), r == unicode.ReplacementChar:
		return -1
	}
	return r
}

// foldPiece is how much is folded at once: standardise.Fold cuts at 256.
const foldPiece = 128

// folded is standardise.Fold of one word of any length.
func folded(w string) string {
	if len(w) <= foldPiece {
		return strings.ReplaceAll(standardise.Fold(w), " ", "")
	}
	var b strings.Builder
	for rs := []rune(w); len(rs) > 0; {
		n := min(foldPiece, len(rs))
		b.WriteString(strings.ReplaceAll(standardise.Fold(string(rs[:n])), " ", ""))
		rs = rs[n:]
	}
	return b.String()
}

// FingerprintKey is OpenRefine's fingerprint: the words, folded, each once and in
// order. "" for a value without letters or digits.
func FingerprintKey(s string) string {
	words := tokens(s)
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

// NGramKey is OpenRefine's n-gram fingerprint: the n-grams of the folded text
// without white space, each once and in order. A text shorter than n is its own
// key. Folding comes first here and last there, so that "gödel" and "godel"
// have one key whatever the order of their n-grams.
func NGramKey(s string, n int) string {
	text := []rune(strings.Join(tokens(s), ""))
	if n = max(n, 1); len(text) <= n {
		return string(text)
	}
	grams := make([]string, 0, len(text)-n+1)
	for i := 0; i+n <= len(text); i++ {
		grams = append(grams, string(text[i:i+n]))
	}
	slices.Sort(grams)
	return strings.Join(slices.Compact(grams), "")
}

// PhoneticKey is how a value sounds: of each Latin word its Cologne code, of each
// Chinese one its reading in pinyin without tones, numbers and other scripts as
// they are; each once and in order.
func PhoneticKey(s string) string {
	var sounds []string
	for _, w := range tokens(s) {
		for _, part := range scripts(w) {
			switch first := part[0]; {
			case first >= 'a' && first <= 'z':
				code := Cologne(part)
				if code == "" { // only an h
					code = part
				}
				sounds = append(sounds, code)
			case standardise.HasHan(part):
				sounds = append(sounds, standardise.Roman(part))
			default:
				sounds = append(sounds, "="+part) // no code looks like a number
			}
		}
	}
	slices.Sort(sounds)
	return strings.Join(slices.Compact(sounds), " ")
}

// scripts cuts a folded word where Latin, Chinese and the rest meet.
func scripts(w string) (parts []string) {
	kind := func(r rune) int {
		switch {
		case r >= 'a' && r <= 'z':
			return 1
		case unicode.Is(unicode.Han, r):
			return 2
		}
		return 3
	}
	from, last := 0, 0
	for i, r := range w {
		k := kind(r)
		if i > 0 && k != last {
			parts, from = append(parts, w[from:i]), i
		}
		last = k
	}
	if w != "" {
		parts = append(parts, w[from:])
	}
	return parts
}
