package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"touchstone/internal/store"
)

// Verification is the outcome of a rebuild.
type Verification struct {
	Rows        int                `json:"rows"` // derived rows compared
	Differences []store.Difference `json:"differences"`
}

// scratch opens an empty store in a folder of its own; done closes and removes it.
func (a *App) scratch(ctx context.Context, prefix string) (db *store.DB, done func() error, err error) {
	dir, err := os.MkdirTemp(a.opts.Dir, prefix)
	if err != nil {
		return nil, nil, err
	}
	db, err = store.Open(ctx, filepath.Join(dir, "scratch.db"), a.vault, a.opts.Env)
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return db, func() error { return errors.Join(db.Close(), os.RemoveAll(dir)) }, nil
}

// twin is the same installation on another store. It plans no writes.
func (a *App) twin(on *store.DB) *App {
	twin := *a
	twin.Store, twin.entities, twin.rebuilding = on, nil, true
	for _, e := range a.entities {
		t := &entity{name: e.name, asked: e.asked, brake: e.brake, shape: e.shape, derivers: e.derivers}
		t.model.Store(e.model.Load())
		t.match.Store(e.match.Load())
		t.since.Store(e.since.Load())
		if e.resolver != nil {
			t.resolver = a.apart(e, on)
		}
		twin.entities = append(twin.entities, t)
	}
	return &twin
}

// mostDifferences is how many are listed for each table.
const mostDifferences = 20

// Verify computes everything derived anew from the facts, beside the store,
// and compares byte for byte. Nothing in the store changes, no outbox row is
// written. Records that still wait would differ: resolve first.
func (a *App) Verify(ctx context.Context, progress Progress) (v Verification, err error) {
	if progress == nil {
		progress = func(string, string, int) {}
	}
	left, err := filepath.Glob(filepath.Join(a.opts.Dir, "rebuild-*")) // of one that was killed
	if err != nil {
		return v, fmt.Errorf("rebuild: %w", err)
	}
	for _, old := range left {
		if err := os.RemoveAll(old); err != nil {
			return v, fmt.Errorf("rebuild: %w", err)
		}
	}
	scratch, done, err := a.scratch(ctx, "rebuild-")
	if err != nil {
		return v, fmt.Errorf("rebuild: %w", err)
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := a.Store.CopyFacts(ctx, scratch); err != nil {
		return v, fmt.Errorf("rebuild: %w", err)
	}
	twin := a.twin(scratch)
	if err := twin.Resolve(ctx, progress); err != nil {
		return v, fmt.Errorf("rebuild: %w", err)
	}
	v.Differences, v.Rows, err = a.Store.CompareDerived(ctx, scratch, mostDifferences)
	if v.Differences == nil {
		v.Differences = []store.Difference{}
	}
	return v, err
}
