package main

import (
	"path/filepath"
	"slices"
	"strconv"
)

type result struct{ precision, recall, f1, b3 float64 }

// truthOf gives each id its true cluster; pairs are closed transitively.
func truthOf(truth [][]string, ids map[string]string) map[string]string {
	out := map[string]string{}
	if truth[0][0] == "id" {
		for _, r := range truth[1:] {
			out[r[0]] = r[1]
		}
		return out
	}
	parent := map[string]string{}
	find := func(x string) string {
		for parent[x] != "" && parent[x] != x {
			x = parent[x]
		}
		return x
	}
	for _, r := range truth[1:] {
		parent[find(r[0])] = find(r[1])
	}
	for id := range ids {
		out[id] = find(id)
	}
	return out
}

func scored(truth [][]string, clusters map[string]string) result {
	of := truthOf(truth, clusters)
	size, found, both := map[string]int{}, map[string]int{}, map[[2]string]int{}
	for id, c := range clusters {
		size[of[id]]++
		found[c]++
		both[[2]string{of[id], c}]++
	}
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	all, got, hit, p, r := 0.0, 0.0, 0.0, 0.0, 0.0
	for _, n := range size {
		all += pairs(n)
	}
	for _, n := range found {
		got += pairs(n)
	}
	for k, n := range both {
		hit += pairs(n)
		p += float64(n*n) / float64(found[k[1]])
		r += float64(n*n) / float64(size[k[0]])
	}
	p, r = p/float64(len(clusters)), r/float64(len(clusters))
	return result{hit / max(got, 1), hit / max(all, 1), 2 * hit / max(got+all, 1), 2 * p * r / (p + r)}
}

func hardMerged(dir string, truth [][]string, clusters map[string]string) string {
	notes, err := readTable(filepath.Join(dir, "notes.csv"))
	if err != nil || !slices.Contains(notes[0], "hard") {
		return "–"
	}
	of, mixed, seen := truthOf(truth, clusters), map[string]bool{}, map[string]string{}
	for id, c := range clusters {
		if t, ok := seen[c]; ok && t != of[id] {
			mixed[c] = true
		}
		seen[c] = of[id]
	}
	at, n, bad := slices.Index(notes[0], "hard"), 0, 0
	for _, r := range notes[1:] {
		if r[at] == "" || r[at] == "jrsr" {
			continue
		}
		n++
		if mixed[clusters[r[0]]] {
			bad++
		}
	}
	return strconv.FormatFloat(float64(bad)/float64(max(n, 1)), 'f', 4, 64)
}
