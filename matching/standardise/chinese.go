package standardise

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed opencc/TSCharacters.txt
var tsCharacters string

//go:embed opencc/TSPhrases.txt
var tsPhrases string

// commonHan is how many characters the common block has.
const commonHan = 0x9fff - 0x4e00 + 1

// hanTables holds the traditional → simplified tables in the form they are
// read: an array for the common block, a map for the rest, phrases by their
// first character.
type hanTables struct {
	common  [commonHan]uint16
	rare    map[rune]rune
	phrases map[rune][][2]string
	quick   [commonHan]quickHan
	listed  [][][2]string // the phrases, by number
}

// quickHan is what there is to know of a common character: what it becomes, and
// the number of its phrases in listed, 0 for none.
type quickHan struct{ to, phrases uint16 }

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
	t.hasten()
	return t
})

// hasten fills the tables that appendSimplified reads.
func (t *hanTables) hasten() {
	t.listed = make([][][2]string, 1)
	for i := range t.quick {
		r := rune(i + 0x4e00)
		t.quick[i].to = uint16(r)
		if to := t.char(r); to <= 0xffff {
			t.quick[i].to = uint16(to)
		}
		if list := t.phrases[r]; len(list) > 0 {
			t.quick[i].phrases = uint16(len(t.listed))
			t.listed = append(t.listed, list)
		}
	}
}

// appendSimplified appends what s begins with, which is the common character r
// or a phrase, and says how many bytes of s that was.
func (t *hanTables) appendSimplified(b []byte, s string, r rune) ([]byte, int) {
	q := t.quick[r-0x4e00]
	if q.phrases != 0 {
		if p := longestPhrase(t.listed[q.phrases], s); p[0] != "" {
			return append(b, p[1]...), len(p[0])
		}
	}
	if q.to == uint16(r) {
		return append(b, s[:3]...), 3
	}
	return utf8.AppendRune(b, rune(q.to)), 3
}

// longestPhrase is the longest that s begins with; empty for none.
func longestPhrase(list [][2]string, s string) (best [2]string) {
	for _, p := range list {
		if len(p[0]) > len(best[0]) && strings.HasPrefix(s, p[0]) {
			best = p
		}
	}
	return best
}

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
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if isHan(r) {
			if p := longestPhrase(t.phrases[r], s[i:]); p[0] != "" {
				b.WriteString(p[1])
				i += len(p[0])
				continue
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
