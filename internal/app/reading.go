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
	refused int                  // changes of customers that did not balance lately
	rules   []heldRule           // entity types whose rules have changed and that wait for a person
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
	a.life.numbers.set(r.numbers, r.at, a.opts.Env.Clock.Now().Sub(r.at))
	for _, t := range a.targets {
		if r.held[t.config.Name], r.err = t.deliverer.Held(ctx); r.err != nil {
			return r
		}
	}
	if r.pending, r.err = a.Store.OldestPending(ctx); r.err != nil {
		return r
	}
	if r.refused, r.err = a.Store.Refusals(ctx, r.at.Add(-refusalsTold)); r.err != nil {
		return r
	}
	if r.rules, r.err = a.rulesWaiting(ctx); r.err != nil {
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
		_, r.success[s.source.Name] = lastSuccess(s, good)
		r.first[s.source.Name] = first[s.uid]
	}
	return r
}

// lastSuccess is the oldest last good run of a source's entities and events, by
// when it began and when it ended; zero when one of them never had any.
func lastSuccess(s *system, good []store.Success) (started, ended time.Time) {
	for i, stream := range s.streams() {
		var last store.Success
		for _, g := range good {
			if g.Source == s.uid && g.Entity == stream {
				last = g
			}
		}
		if i == 0 || last.Started.Before(started) {
			started = last.Started
		}
		if i == 0 || last.Ended.Before(ended) {
			ended = last.Ended
		}
	}
	return started, ended
}

// streams are the names under which a source's runs are kept.
func (s *system) streams() (names []string) {
	for _, in := range s.intakes {
		names = append(names, in.Deriver.Entity)
	}
	for _, in := range s.events {
		names = append(names, store.EventStream(in.Kind))
	}
	return names
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
