package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"touchstone/config"
	"touchstone/internal/env"
	"touchstone/internal/schedule"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// life is what outlives a reload: counters, locks, and what is known of each
// part while it runs.
type life struct {
	metrics *metrics
	locks   []*os.File
	gate    *gate

	mu      sync.Mutex
	sources map[string]*Part
	targets map[string]*Part
	trail   trailLife
	levels  levelLife
	tracing tracing
	file    os.FileInfo     // of the store, where it is a file
	stuck   atomic.Bool     // the resolver fails
	full    map[string]bool // parts that failed for want of room

	numbers  shown[store.Numbers]
	overview shown[web.Overview]
	within   keptCounts
	owners   ownerCounts
}

// Part is how one source or target is doing right now. Only the running daemon
// knows.
type Part struct {
	State    string    `json:"state"` // closed (works), open (left alone for a while), half_open (is asked again)
	Running  bool      `json:"running"`
	Done     int       `json:"done"` // records of the pass that runs, or writes of the last delivery
	Next     time.Time `json:"next,omitzero"`
	Failures int       `json:"failures,omitempty"` // in a row
	Problem  string    `json:"problem,omitempty"`
	Held     string    `json:"held,omitempty"`
}

func newLife(e env.Env) *life {
	return &life{metrics: newMetrics(e.Clock), gate: newGate(e), sources: map[string]*Part{}, targets: map[string]*Part{}, full: map[string]bool{}}
}

func (l *life) source(name string, change func(*Part)) { l.change(l.sources, name, change) }
func (l *life) target(name string, change func(*Part)) { l.change(l.targets, name, change) }

func (l *life) change(parts map[string]*Part, name string, change func(*Part)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if parts[name] == nil {
		parts[name] = &Part{State: schedule.Closed}
	}
	change(parts[name])
}

// parts gives copies, and forgets what is no longer configured.
func (l *life) parts(cfg *config.Config) (sources, targets map[string]Part) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sources, targets = map[string]Part{}, map[string]Part{}
	for _, s := range cfg.Sources {
		if p := l.sources[s.Name]; p != nil {
			sources[s.Name] = *p
		}
	}
	for _, t := range cfg.Targets {
		if p := l.targets[t.Name]; p != nil {
			targets[t.Name] = *p
		}
	}
	return sources, targets
}

// failed notes a failure of a part and tells the log once for each incident.
func (a *App) failed(ctx context.Context, kind, name string, b *schedule.Breaker, err error, every, asked time.Duration) {
	now := a.opts.Env.Clock.Now()
	a.life.noRoom(kind+" "+name, store.NoRoom(err))
	again, first := "it is tried again with growing pauses", false
	switch {
	case store.Lost(err):
		first = b.Away(now, asked)
		again = "the database was away, and it is tried again soon"
	case kind == "resolver" && store.NoRoom(err): // it asks no outside system
		first = b.Away(now, asked)
		again = "it is tried again soon"
	default:
		first = b.Failed(now, every, asked)
	}
	if first {
		a.Log.ErrorContext(ctx, kind+" failed; "+again, kind, name, "next", b.Until().Format(time.RFC3339), "err", err)
	} else {
		a.Log.DebugContext(ctx, kind+" failed again", kind, name, "failures", b.Failures(), "err", err)
	}
}

// worked notes a success, and tells the log of the end of an incident.
func (a *App) worked(ctx context.Context, kind, name string, b *schedule.Breaker) {
	a.life.noRoom(kind+" "+name, false)
	if n := b.Worked(); n > 0 {
		a.Log.InfoContext(ctx, kind+" works again", kind, name, "failures", n)
	}
}

// retire gives back what belongs to this configuration alone.
func (a *App) retire() error {
	if a.retired.Swap(true) {
		return nil
	}
	var err error
	for _, s := range a.order {
		if c, ok := s.puller.(io.Closer); ok {
			err = errors.Join(err, c.Close())
		}
	}
	return err
}

// next wires another configuration onto the same store. Looking changes
// nothing: it only finds problems.
func (a *App) next(ctx context.Context, cfg *config.Config, look bool) (*App, error) {
	n := &App{Config: cfg, Store: a.Store, Log: a.Log, opts: a.opts, vault: a.vault, lock: a.lock, systems: map[string]*system{}, unmapped: &failures{}, eventTally: &tally{}, life: a.life, stopping: new(atomic.Bool), retired: new(atomic.Bool), looking: a.looking, landed: newSignal()}
	n.opts.Shared = look
	if err := n.wire(ctx); err != nil {
		return nil, errors.Join(err, n.retire())
	}
	if look {
		return nil, n.retire()
	}
	a.life.forgetRoom()
	if err := n.startTracing(); err != nil {
		return nil, errors.Join(err, n.retire())
	}
	return n, nil
}

// sameStore refuses what cannot change while the daemon runs.
func (a *App) sameStore(cfg *config.Config) error {
	if a.opts.Store == "" && (cfg.Store.Path != a.Config.Store.Path || !cfg.Store.Postgres.Equal(a.Config.Store.Postgres)) {
		return fmt.Errorf("store: another store cannot be taken while the daemon runs; restart it")
	}
	if cfg.Server.Listen != a.Config.Server.Listen {
		return fmt.Errorf("server: another address cannot be taken while the daemon runs; restart it")
	}
	return nil
}
