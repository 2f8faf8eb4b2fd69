package config

import (
	"fmt"
	"strings"
)

// maxName bounds the work of the edit distance: no key of ours is as long.
const maxName = 64

// nearest gives the name that name was most likely meant to be, "" when none
// is near. Of equally near ones the first wins.
func nearest(name string, names []string) string {
	if len(name) > maxName*4 {
		return ""
	}
	best, bestD := "", 1<<30
	a := []rune(fold(name))
	for _, n := range names {
		b := []rune(fold(n))
		if len(a) > maxName || len(b) > maxName {
			continue
		}
		d := distance(a, b)
		limit := max(1, max(len(a), len(b))/3)
		if d <= limit && d < max(len(a), len(b)) && d < bestD {
			best, bestD = n, d
		}
	}
	return best
}

func fold(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ToLower(s), "-", "_"), " ", "_")
}

// distance is the optimal string alignment distance (Damerau's restricted edit
// distance): insert, delete, replace, swap of neighbours.
func distance(a, b []rune) int {
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return prev[len(b)]
}

// hint ends a message about a wrong name: the nearest right one, or all of them.
func hint(name string, names []string) string {
	if n := nearest(name, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	if len(names) == 0 {
		return ""
	}
	more := ""
	if n := len(names) - maxNamed; n > 0 {
		names, more = names[:maxNamed], fmt.Sprintf(" and %d more", n)
	}
	return "; known here: " + strings.Join(names, ", ") + more
}

// maxNamed bounds the names that a hint lists.
const maxNamed = 50
