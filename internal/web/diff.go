package web

import (
	"unicode"

	"touchstone/matching/standardise"
)

// span is a piece of a text: the same on both sides; the same but for its script
// or width (躍 and 跃, Ａ and A); or neither.
type span struct {
	Text   string
	Same   bool
	Script bool
	Plain  bool // there is nothing to set it beside
}

// maxMarked bounds the texts whose differences are marked, in characters: the
// table below grows with the product of both.
const maxMarked = 300

// marked gives a with what b does not have marked: what is outside a longest
// common subsequence, case aside. Only one text leaves nothing to compare.
func marked(a, b string) []span {
	x, y := []rune(a), []rune(b)
	if a == "" || b == "" || a == b {
		return []span{{Text: a, Same: true}}
	}
	if len(x) > maxMarked || len(y) > maxMarked {
		return []span{{Text: a}}
	}
	foldX, foldY := folded(x), folded(y)
	long := common(foldX, foldY)
	var out []span
	add := func(r rune, same, script bool) {
		if n := len(out); n > 0 && out[n-1].Same == same && out[n-1].Script == script {
			out[n-1].Text += string(r)
			return
		}
		out = append(out, span{Text: string(r), Same: same, Script: script})
	}
	i, j := 0, 0
	for i < len(x) {
		switch {
		case j < len(y) && foldX[i] == foldY[j]:
			script := unicode.ToLower(x[i]) != unicode.ToLower(y[j])
			add(x[i], !script, script)
			i, j = i+1, j+1
		case j < len(y) && long[i][j+1] >= long[i+1][j]:
			j++
		default:
			add(x[i], false, false)
			i++
		}
	}
	return out
}

// common is the table of longest common subsequences: of x[i:] and y[j:] at i, j.
func common(x, y []string) [][]int {
	long := make([][]int, len(x)+1)
	for i := range long {
		long[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				long[i][j] = long[i+1][j+1] + 1
			} else {
				long[i][j] = max(long[i+1][j], long[i][j+1])
			}
		}
	}
	return long
}

// folded gives each character in the form in which scripts, widths and cases
// are the same.
func folded(text []rune) []string {
	out := make([]string, len(text))
	for i, r := range text {
		out[i] = string(unicode.ToLower(r))
		if r >= 0x80 && !unicode.IsPunct(r) && !unicode.IsSpace(r) {
			if f := standardise.Fold(string(r)); f != "" {
				out[i] = f
			}
		}
	}
	return out
}

// entry is one of several values of a field, seen beside those of the other
// side.
type entry struct {
	Text  string
	Spans []span
	Same  bool // the other side has it too
}

// maxPaired bounds the entries of a field that look for their like.
const maxPaired = 40

// entries sets the values of one side beside those of the other: what both have
// is the same, the others are marked against the one they are most like.
func entries(own, other []string) []entry {
	out := make([]entry, len(own))
	taken := make([]bool, len(other))
	for i, text := range own {
		out[i] = entry{Text: text, Spans: []span{{Text: text, Plain: len(other) == 0}}}
		for j, o := range other {
			if o == text && !taken[j] {
				taken[j], out[i].Same, out[i].Spans[0].Same = true, true, true
				break
			}
		}
	}
	if len(own) > maxPaired || len(other) > maxPaired {
		return out
	}
	for i := range out {
		if out[i].Same {
			continue
		}
		best, most := "", 0
		for j, o := range other {
			if taken[j] || len(o) > maxMarked || len(out[i].Text) > maxMarked {
				continue
			}
			if n := common(folded([]rune(out[i].Text)), folded([]rune(o)))[0][0]; n > most {
				best, most = o, n
			}
		}
		if 2*most >= len([]rune(out[i].Text)) || len(own) == 1 && len(other) == 1 {
			if best == "" && len(other) == 1 {
				best = other[0]
			}
			out[i].Spans = marked(out[i].Text, best)
		}
	}
	return out
}
