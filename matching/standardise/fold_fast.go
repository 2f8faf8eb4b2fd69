package standardise

import (
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// What comes into appendFolded and what may come out of it, in bytes: so short
// that none of the cuts of foldAny applies.
const (
	fastIn  = 160
	fastOut = 256
)

// manner is what becomes of what is neither letter nor digit.
type manner int

const (
	words   manner = iota // as Fold: single spaces, '&' and '#' tokens
	joined                // nothing, but round brackets stay: a Chinese company
	numbers               // a space, but spaces themselves vanish between other than numbers: a Chinese address
)

// What ASCII becomes: a letter or digit itself in lower case, or one of these.
const (
	asGap   = 0
	asNone  = 1 // apostrophes
	asToken = 2 // '&', '#'
)

const foldedASCII = "" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\x00\x00\x00\x02\x00\x00\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00" +
	"0123456789\x00\x00\x00\x00\x00\x00" +
	"\x00abcdefghijklmnopqrstuvwxyz\x00\x00\x00\x00\x00" +
	"\x01abcdefghijklmnopqrstuvwxyz\x00\x00\x00\x00\x00"

// latinEnd is the first rune after the scripts whose folded letters are kept in
// a table: Latin, Greek, Cyrillic.
const latinEnd = 0x530

// notSimple marks a rune of the table that foldAny must read, for it combines
// with its neighbours.
const notSimple = "\xff"

// foldedLatin gives the letters of 0x80 to latinEnd.
var foldedLatin = sync.OnceValue(func() *[latinEnd - 0x80]string {
	t := new([latinEnd - 0x80]string)
	for i := range t {
		r := rune(i + 0x80)
		if r >= 0x300 && r < 0x370 || !norm.NFC.IsNormalString(string(r)) || !norm.NFC.IsNormalString("a"+string(r)) {
			t[i] = notSimple
			continue
		}
		var b strings.Builder
		foldRune(&b, r, 0)
		t[i] = b.String()
	}
	return t
})

// appendFolded folds common text in one pass: ASCII, European letters, the
// common Chinese characters, full width forms, Korean syllables and
// punctuation. ok is false for anything else and for long text: those go
// through foldAny's stages, with the same result for the manner words.
func appendFolded(b []byte, s string, how manner) (folded []byte, ok bool) {
	if len(s) > fastIn {
		return b, false
	}
	gap := false
	for i := 0; i < len(s); {
		c := s[i]
		n := 1
		if c >= 0x80 {
			r, size := utf8.DecodeRuneInString(s[i:])
			n = size
			switch {
			case r >= 0x4e00 && r <= 0x9fff:
				if gap {
					b, gap = closeGap(b, how), false
				}
				var took int
				b, took = hanTable().appendSimplified(b, s[i:], r)
				if len(b) > fastOut-32 {
					return b, false
				}
				i += took
				continue
			case r < latinEnd:
				f := foldedLatin()[r-0x80]
				if f == notSimple {
					return b, false
				}
				b, gap = appendLetters(b, f, gap, how)
				i += n
				if len(b) > fastOut-16 {
					return b, false
				}
				continue
			case r >= 0xff01 && r <= 0xff5e:
				c = byte(r - 0xfee0)
			case r == '‘' || r == '’':
				c = '\''
			case r >= 0x2010 && r <= 0x2027, r >= 0x3000 && r <= 0x3003, r >= 0x3008 && r <= 0x3011, r >= 0x3014 && r <= 0x301b:
				c = '-'
				if r == 0x3000 {
					c = ' '
				}
			case r >= 0xac00 && r <= 0xd7a3:
				if gap {
					b, gap = closeGap(b, how), false
				}
				b = append(b, s[i:i+n]...)
				i += n
				if len(b) > fastOut-8 {
					return b, false
				}
				continue
			default:
				return b, false
			}
		}
		i += n
		if len(b) > fastOut-8 {
			return b, false
		}
		switch f := foldedASCII[c]; f {
		case asNone:
		case asGap:
			switch {
			case how == joined:
				if c == '(' || c == ')' {
					b = append(b, c)
				}
			case how == words || c != ' ':
				gap = true
			case i < len(s) && isDigit(s[i]) && len(b) > 0 && isDigit(b[len(b)-1]): // "3 12": two numbers
				gap = true
			}
		case asToken:
			if how != words {
				gap = how == numbers
				continue
			}
			if len(b) > 0 {
				b = append(b, ' ')
			}
			b = append(b, c)
			gap = true
		default:
			if gap {
				b, gap = closeGap(b, how), false
			}
			b = append(b, f)
		}
	}
	return b, true
}

// closeGap writes the space before a word.
func closeGap(b []byte, how manner) []byte {
	if len(b) > 0 && how != joined {
		b = append(b, ' ')
	}
	return b
}

// appendLetters takes what a rune was folded to.
func appendLetters(b []byte, f string, gap bool, how manner) ([]byte, bool) {
	for _, r := range f {
		switch {
		case apostrophe(r):
		case isWord(r):
			if gap {
				b = closeGap(b, how)
				gap = false
			}
			b = utf8.AppendRune(b, r)
		default:
			gap = true
		}
	}
	return b, gap
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// Digits leaves out all of a text but the digits 0 to 9.
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// foldedIn folds in a manner of its own: by the quick way, or by way of
// foldAny's stages.
func foldedIn(buf []byte, s string, how manner) []byte {
	if b, ok := appendFolded(buf, s, how); ok {
		return b
	}
	s = strings.TrimSpace(cut(s))
	s = cut(simplify(letters(s)))
	b := buf[:0]
	gap := false
	for i, r := range s {
		switch {
		case apostrophe(r):
		case isWord(r):
			if gap {
				b, gap = closeGap(b, how), false
			}
			b = utf8.AppendRune(b, r)
		case how == joined:
			if r == '(' || r == ')' {
				b = append(b, byte(r))
			}
		case r != ' ' || i+1 < len(s) && isDigit(s[i+1]) && len(b) > 0 && isDigit(b[len(b)-1]):
			gap = true
		}
	}
	return b
}
