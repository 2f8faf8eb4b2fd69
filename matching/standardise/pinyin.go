package standardise

import (
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// Pinyin gives every reading of one character without tones, the usual one
// first; nil when it has none.
func Pinyin(r rune) []string {
	raw, ok := pinyin.PinyinDict[int(r)]
	if !ok {
		return nil
	}
	var out []string
	for raw != "" {
		var one string
		one, raw, _ = strings.Cut(raw, ",")
		p := plain(one)
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// pinyinTable holds the usual reading of each common character, by number.
type pinyinTable struct {
	of   [commonHan]uint16 // index into text; 0 is none
	poly [commonHan]bool   // there are further readings to think of
	text []string
}

var pinyins = sync.OnceValue(func() *pinyinTable {
	t := &pinyinTable{text: []string{""}}
	known := map[string]uint16{"": 0}
	for i := range t.of {
		raw := pinyin.PinyinDict[i+0x4e00]
		one, _, _ := strings.Cut(raw, ",")
		one = plain(one)
		n, ok := known[one]
		if !ok {
			n = uint16(len(t.text))
			known[one] = n
			t.text = append(t.text, one)
		}
		t.of[i] = n
		t.poly[i] = strings.IndexByte(one, 'v') >= 0 || len(otherReadings()[rune(i+0x4e00)]) > 0
	}
	return t
})

// firstPinyin is the usual reading of one character, "" when it has none.
func firstPinyin(r rune) string {
	if r >= 0x4e00 && r <= 0x9fff {
		t := pinyins()
		return t.text[t.of[r-0x4e00]]
	}
	raw, ok := pinyin.PinyinDict[int(r)]
	if !ok {
		return ""
	}
	one, _, _ := strings.Cut(raw, ",")
	return plain(one)
}

// oneReading says whether no character of s has another reading than its usual
// one.
func oneReading(s string) bool {
	t := pinyins()
	for _, r := range s {
		if r >= 0x4e00 && r <= 0x9fff && t.poly[r-0x4e00] || isHan(r) && r < 0x4e00 || r >= 0x20000 {
			return false
		}
	}
	return true
}

// plain strips the tone marks; ü becomes v, as people type it.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		switch r {
		case 'ā', 'á', 'ǎ', 'à':
			b.WriteByte('a')
		case 'ē', 'é', 'ě', 'è', 'ê', 'ế', 'ề':
			b.WriteByte('e')
		case 'ī', 'í', 'ǐ', 'ì':
			b.WriteByte('i')
		case 'ō', 'ó', 'ǒ', 'ò':
			b.WriteByte('o')
		case 'ū', 'ú', 'ǔ', 'ù':
			b.WriteByte('u')
		case 'ü', 'ǖ', 'ǘ', 'ǚ', 'ǜ':
			b.WriteByte('v')
		case 'ń', 'ň', 'ǹ':
			b.WriteByte('n')
		case 'ḿ':
			b.WriteByte('m')
		}
	}
	return b.String()
}

// Roman writes Chinese characters by their usual reading and drops spaces;
// other text passes.
func Roman(s string) string {
	if !HasHan(s) {
		return squash(s)
	}
	var buf [96]byte
	b := buf[:0]
	for i, r := range s {
		switch {
		case r == ' ':
		case isHan(r):
			if p := firstPinyin(r); p != "" {
				b = append(b, p...)
				continue
			}
			b = utf8.AppendRune(b, r)
		case r < 0x80:
			b = append(b, s[i])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}
