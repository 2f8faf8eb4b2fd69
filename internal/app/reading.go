package app

import (
	"context"
	"path/filepath"
	"syscall"
	"time"

	"touchstone/internal/store"
)

// reading is what the watcher saw of the store at one moment.
type reading struct {
	at      time.Time
	numbers store.Numbers
	held    map[string]string    // target → why it waits for a person, "" when it does not
	success map[string]time.Time // source → the older of its entities' last good runs; zero for never
	first   map[string]time.Time // source → when it was first pulled, well or not
	pending map[string]time.Time // target → since when its oldest pending write waits
	free    int64                // bytes left where the data is; -1 when that is not known
	err     error
}

// read looks at the store. It is the only reading for figures and alerts, and
// bounded in how often it comes: counting pairs to review takes a while in a
// large store.
func (a *App) read(ctx context.Context) (r reading) {
	r = reading{at: a.opts.Env.Clock.Now(), held: map[string]string{}, success: map[string]time.Time{}, first: map[string]time.Time{}, free: a.free()}
	if r.numbers, r.err = a.Store.Numbers(ctx); r.err != nil {
		return r
	}
	for _, t := range a.targets {
		if r.held[t.config.Name], r.err = t.deliverer.Held(ctx); r.err != nil {
			return r
		}
	}
	if r.pending, r.err = a.Store.OldestPending(ctx); r.err != nil {
		return r
	}
	good, err := a.Store.Successes(ctx)
	if err != nil {
		r.err = err
		return r
	}
	first, err := a.Store.FirstRuns(ctx)
	if err != nil {
		r.err = err
		return r
	}
	for _, s := range a.order {
		r.success[s.source.Name], r.first[s.source.Name] = lastSuccess(s, good), first[s.uid]
	}
	return r
}

// lastSuccess is when all of a source's entities had been pulled to their end.
func lastSuccess(s *system, good []store.Success) (at time.Time) {
	for i, in := range s.intakes {
		var ended time.Time
		for _, g := range good {
			if g.Source == s.uid && g.Entity == in.Deriver.Entity {
				ended = g.Ended
			}
		}
		if i == 0 || ended.Before(at) {
			at = ended
		}
	}
	return at
}

// dataDir is where the store's bytes are, as far as this machine knows.
func (a *App) dataDir() string {
	if a.Store.Engine() == "sqlite" {
		return filepath.Dir(a.dsn())
	}
	return a.opts.Dir
}

func (a *App) free() int64 { return freeBytes(a.dataDir()) }

func freeBytes(dir string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return -1
	}
	return int64(s.Bavail) * int64(s.Bsize) //nolint:unconvert // other systems have other types
}
