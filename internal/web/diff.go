package web

import "unicode"

// span is a piece of a text: the same on both sides, or not.
type span struct {
	Text string
	Same bool
}

// maxMarked bounds the texts whose differences are marked, in characters: the
// table below grows with the product of both.
const maxMarked = 300

// marked gives a with what b does not have marked: what is outside a longest
// common subsequence, case aside. Only one text leaves nothing to compare.
func marked(a, b string) []span {
	x, y := []rune(a), []rune(b)
	if a == "" || b == "" || a == b {
		return []span{{a, true}}
	}
	if len(x) > maxMarked || len(y) > maxMarked {
		return []span{{a, false}}
	}
	// long[i][j] is the length of the longest common subsequence of x[i:], y[j:].
	long := make([][]int, len(x)+1)
	for i := range long {
		long[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if sameRune(x[i], y[j]) {
				long[i][j] = long[i+1][j+1] + 1
			} else {
				long[i][j] = max(long[i+1][j], long[i][j+1])
			}
		}
	}
	var out []span
	add := func(r rune, same bool) {
		if n := len(out); n > 0 && out[n-1].Same == same {
			out[n-1].Text += string(r)
			return
		}
		out = append(out, span{string(r), same})
	}
	i, j := 0, 0
	for i < len(x) {
		switch {
		case j < len(y) && sameRune(x[i], y[j]):
			add(x[i], true)
			i, j = i+1, j+1
		case j < len(y) && long[i][j+1] >= long[i+1][j]:
			j++
		default:
			add(x[i], false)
			i++
		}
	}
	return out
}

func sameRune(a, b rune) bool { return unicode.ToLower(a) == unicode.ToLower(b) }
