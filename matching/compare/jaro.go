// Package compare holds the string comparisons: one file per family, on
// prepared runes, without allocation for texts of up to 256 runes. Longer texts
// are cut to that.
package compare

import "slices"

// Max is the longest text compared, in runes.
const Max = 256

func capped(a []rune) []rune {
	if len(a) > Max {
		return a[:Max]
	}
	return a
}

// Jaro is Jaro's similarity, 0 to 1: matching window max/2−1 (Jaro 1989;
// Winkler 1990). Two empty texts are alike.
func Jaro(a, b []rune) float64 {
	a, b = capped(a), capped(b)
	if len(a) == 0 && len(b) == 0 {
		return 1
	}
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	if len(a) > len(b) || len(a) == len(b) && slices.Compare(a, b) > 0 { // one order, so that it is symmetric
		a, b = b, a
	}
	window := max(len(b)/2-1, 0)
	var usedA, usedB [Max]bool
	m := 0
	for i, r := range a {
		for j := max(0, i-window); j < min(len(b), i+window+1); j++ {
			if !usedB[j] && b[j] == r {
				usedA[i], usedB[j] = true, true
				m++
				break
			}
		}
	}
	if m == 0 {
		return 0
	}
	out, j := 0, 0
	for i := range a {
		if !usedA[i] {
			continue
		}
		for !usedB[j] {
			j++
		}
		if a[i] != b[j] {
			out++
		}
		j++
	}
	return jaroOf(m, out, len(a), len(b))
}

// JaroWinkler raises Jaro by a tenth of the rest for each of up to four equal
// first runes, where Jaro is above 0.7 (Winkler 1990).
func JaroWinkler(a, b []rune) float64 {
	p := 0
	for p < min(4, len(a), len(b)) && a[p] == b[p] {
		p++
	}
	return winkler(Jaro(a, b), p)
}
