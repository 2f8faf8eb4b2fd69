package schema

import "strings"

// nearest gives the name that differs least from a misspelt one, the first in
// order among equals; "" when none differs by at most a third of its letters.
func nearest(wrong string, names []string) string {
	best, bestCost := "", len(wrong)/3+1
	for _, name := range names {
		if cost := distance(strings.ToLower(wrong), strings.ToLower(name)); cost < bestCost {
			best, bestCost = name, cost
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes; names are short and ASCII, so
// longer ones are not compared.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
