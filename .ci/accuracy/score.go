package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"touchstone/matching/eval"
	"touchstone/matching/label"
)

// readTruth reads a truth, or what the program wrote.
func readTruth(path string) (label.Truth, error) {
	f, err := os.Open(path) //nolint:gosec // the folder is the caller's choice
	if err != nil {
		return label.Truth{}, err
	}
	defer func() { _ = f.Close() }() // only read from
	return label.ReadTruth(f, filepath.Base(path))
}

// customer is the true cluster of a record; one that a list of true pairs does
// not name is a customer of its own.
func customer(truth label.Truth, id string) string {
	if c, named := truth.Cluster[id]; named || !truth.Open {
		return c
	}
	return id
}

func scored(truth, found label.Truth) (eval.Score, error) {
	t, p, err := truth.Beside(found)
	return eval.Of(t, p), err
}

func hardMerged(dir string, truth, found label.Truth) string {
	notes, err := readTable(filepath.Join(dir, "notes.csv"))
	if err != nil || !slices.Contains(notes[0], "hard") {
		return "–"
	}
	mixed, seen := map[string]bool{}, map[string]string{}
	for _, id := range found.IDs {
		c, is := found.Cluster[id], customer(truth, id)
		if was, ok := seen[c]; ok && was != is {
			mixed[c] = true
		}
		seen[c] = is
	}
	at, n, bad := slices.Index(notes[0], "hard"), 0, 0
	for _, r := range notes[1:] {
		if r[at] == "" || r[at] == "jrsr" {
			continue
		}
		n++
		if mixed[found.Cluster[r[0]]] {
			bad++
		}
	}
	return strconv.FormatFloat(float64(bad)/float64(max(n, 1)), 'f', 4, 64)
}
