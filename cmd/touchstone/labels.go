package main

import (
	"errors"
	"io/fs"
	"path/filepath"

	"touchstone/internal/dedupe"
	"touchstone/matching/label"
)

// readKnown reads labels of the rows of a table; "" for none.
func readKnown(t *dedupe.Table, path, id string) ([]dedupe.Known, error) {
	if path == "" {
		return nil, nil
	}
	pairs, err := readPairs(path)
	if err != nil {
		return nil, err
	}
	return t.Known(pairs, id, filepath.Base(path))
}

// readPairs reads a file of labels.
func readPairs(path string) ([]label.Pair, error) {
	f, err := openFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usageError{hinted{err, "touchstone label writes one"}}
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	pairs, err := label.ReadPairs(f, filepath.Base(path))
	if err != nil {
		return nil, usageError{err}
	}
	return pairs, nil
}
