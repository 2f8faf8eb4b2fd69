package standardise

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

//go:embed opencc/TSCharacters.txt
var tsCharacters string

//go:embed opencc/TSPhrases.txt
var tsPhrases string

// hanTables holds the traditional → simplified tables in the form they are
// read: an array for the common block, a map for the rest, phrases by their
// first character, longest first.
type hanTables struct {
	common  [0x9fff - 0x4e00 + 1]uint16
	rare    map[rune]rune
	phrases map[rune][][2]string
}

var hanTable = sync.OnceValue(func() *hanTables {
	t := &hanTables{rare: map[rune]rune{}, phrases: map[rune][][2]string{}}
	for line := range strings.Lines(tsCharacters) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		to, _, _ = strings.Cut(to, " ") // the first is the usual one
		f, _ := utf8.DecodeRuneInString(from)
		r, _ := utf8.DecodeRuneInString(to)
		if f >= 0x4e00 && f <= 0x9fff && r <= 0xffff {
			t.common[f-0x4e00] = uint16(r)
		} else {
			t.rare[f] = r
		}
	}
	for line := range strings.Lines(tsPhrases) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		to, _, _ = strings.Cut(to, " ")
		f, _ := utf8.DecodeRuneInString(from)
		t.phrases[f] = append(t.phrases[f], [2]string{from, to})
	}
	t.dropUnstable()
	return t
})

// dropUnstable removes the few phrases whose simplified form would be changed
// again, so that simplifying twice equals once.
func (t *hanTables) dropUnstable() {
	for changed := true; changed; {
		changed = false
		for f, list := range t.phrases {
			kept := list[:0:0]
			for _, p := range list {
				if t.convert(p[1]) == p[1] {
					kept = append(kept, p)
				}
			}
			if len(kept) != len(list) {
				t.phrases[f], changed = kept, true
			}
		}
	}
}

func (t *hanTables) char(r rune) rune {
	for range 3 { // a few characters are mapped twice
		to := rune(0)
		if r >= 0x4e00 && r <= 0x9fff {
			to = rune(t.common[r-0x4e00])
		} else if isHan(r) {
			to = t.rare[r]
		}
		if to == 0 || to == r {
			return r
		}
		r = to
	}
	return r
}

func (t *hanTables) convert(s string) string {
	var b strings.Builder
	b.Grow(len(s))
next:
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if isHan(r) {
			best := [2]string{}
			for _, p := range t.phrases[r] {
				if len(p[0]) > len(best[0]) && strings.HasPrefix(s[i:], p[0]) {
					best = p
				}
			}
			if best[0] != "" {
				b.WriteString(best[1])
				i += len(best[0])
				continue next
			}
			r = t.char(r)
		}
		b.WriteRune(r)
		i += n
	}
	return b.String()
}

func simplify(s string) string {
	if !HasHan(s) {
		return s
	}
	return hanTable().convert(s)
}

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
		if !contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func firstPinyin(r rune) string {
	raw, ok := pinyin.PinyinDict[int(r)]
	if !ok {
		return ""
	}
	one, _, _ := strings.Cut(raw, ",")
	return plain(one)
}

func contains(xs []string, x string) bool {
	for _, y := range xs {
		if x == y {
			return true
		}
	}
	return false
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
	var b strings.Builder
	for _, r := range s {
		switch p := ""; {
		case r == ' ':
		case isHan(r):
			if p = firstPinyin(r); p != "" {
				b.WriteString(p)
			} else {
				b.WriteRune(r)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// digitsOf turns Chinese numerals into digits: digit by digit (八八五 → 885)
// or by place (三百二十一 → 321, 十二 → 12). Only runs of two or more numerals,
// or one before a counter such as 号 or 室, are taken as numbers.
func digitsOf(s string) string {
	if !strings.ContainsAny(s, "零一二三四五六七八九十百千两") {
		return s
	}
	rs := []rune(s)
	var b strings.Builder
	for i := 0; i < len(rs); {
		j := i
		for j < len(rs) && numeral(rs[j]) >= 0 {
			j++
		}
		if j > i && j < len(rs) && strings.ContainsRune("号楼栋幢座单室层弄巷", rs[j]) {
			b.WriteString(number(rs[i:j]))
			i = j
			continue
		}
		if j == i {
			j++
		}
		b.WriteString(string(rs[i:j]))
		i = j
	}
	return b.String()
}

func numeral(r rune) int {
	switch r {
	case '零':
		return 0
	case '一':
		return 1
	case '二', '两':
		return 2
	case '三':
		return 3
	case '四':
		return 4
	case '五':
		return 5
	case '六':
		return 6
	case '七':
		return 7
	case '八':
		return 8
	case '九':
		return 9
	case '十':
		return 10
	case '百':
		return 100
	case '千':
		return 1000
	}
	return -1
}

func number(rs []rune) string {
	placed := false
	for _, r := range rs {
		placed = placed || numeral(r) >= 10
	}
	var b strings.Builder
	if !placed || len(rs) > 8 {
		for _, r := range rs {
			b.WriteByte(byte('0' + numeral(r)%10))
		}
		return b.String()
	}
	total, digit := 0, 0
	for _, r := range rs {
		n := numeral(r)
		if n < 10 {
			digit = n
			continue
		}
		total += max(digit, 1) * n
		digit = 0
	}
	return strconv.Itoa(total + digit)
}
