package compare

// OSA is the optimal string alignment distance: insertions, deletions,
// substitutions and swaps of neighbours, no part edited twice. It stops at
// limit+1 once the distance is known to pass limit.
func OSA(a, b []rune, limit int) int { return edit(capped(a), capped(b), limit, true) }

// Levenshtein is the distance without swaps, with the same limit.
func Levenshtein(a, b []rune, limit int) int { return edit(capped(a), capped(b), limit, false) }

// edit fills the table row by row within a band of limit around the diagonal.
func edit(a, b []rune, limit int, swaps bool) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] { // a common end never costs
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > limit {
		return limit + 1
	}
	if len(a) == 0 {
		return len(b)
	}
	var rows [3][Max + 1]uint16
	far := uint16(limit + 1)
	if limit >= Max {
		far = Max + 1
	}
	old, prev, cur := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		prev[j] = min(uint16(j), far)
	}
	for i := 1; i <= len(a); i++ {
		lo, hi := max(1, i-limit), min(len(b), i+limit)
		cur[lo-1] = far
		if lo == 1 {
			cur[0] = min(uint16(i), far)
		}
		best := cur[lo-1]
		for j := lo; j <= hi; j++ {
			d := prev[j-1]
			if a[i-1] != b[j-1] {
				d++
			}
			if j < i+limit { // beyond, the cell above is outside the band
				d = min(d, prev[j]+1)
			}
			d = min(d, cur[j-1]+1)
			if swaps && i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, old[j-2]+1)
			}
			cur[j] = min(d, far)
			best = min(best, cur[j])
		}
		if hi < len(b) {
			cur[hi+1] = far
		}
		if best >= far && !swaps {
			return limit + 1
		}
		old, prev, cur = prev, cur, old
	}
	return min(int(prev[len(b)]), limit+1)
}
