package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"touchstone/internal/auth"
	"touchstone/internal/store"
)

// keptCounts are the live counts of those who reach some customers alone, by what
// they reach: all who reach the same share them.
type keptCounts struct {
	mu sync.Mutex
	of map[string]*shown[countsWithin]
}

// countsWithin are counts of what is reached, and which of them are of a part.
type countsWithin struct {
	n       map[string]int
	atLeast []string
}

// mostKeptCounts bounds how many such counts are kept: past it all begin anew.
const mostKeptCounts = 200

func (k *keptCounts) get(key string) *shown[countsWithin] {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of[key] == nil {
		if k.of == nil || len(k.of) >= mostKeptCounts {
			k.of = map[string]*shown[countsWithin]{}
		}
		k.of[key] = &shown[countsWithin]{}
	}
	return k.of[key]
}

// liveWithin counts what waits for who reaches some customers alone, and says which
// sources are read.
func (a *App) liveWithin(ctx context.Context) (map[string]int, []string, error) {
	_, w, err := a.seesWithin(ctx)
	if err != nil {
		return nil, nil, err
	}
	// A scope that becomes whole is another reach, and so is one that is configured anew.
	key := fmt.Sprintf("%q %v", slices.Sorted(slices.Values(auth.From(ctx).Scopes)), w.Reach)
	c, _, err := a.life.within.get(key).get(ctx, a, func(ctx context.Context) (countsWithin, error) { return a.countWithin(ctx, w) })
	if err != nil {
		return nil, nil, err
	}
	out := maps.Clone(c.n)
	sources, _ := a.life.parts(a.Config)
	for _, p := range sources {
		if p.Running {
			out["runs"]++
		}
	}
	return out, c.atLeast, nil
}

func (a *App) countWithin(ctx context.Context, w store.Within) (c countsWithin, err error) {
	c.n = map[string]int{}
	note := func(name string, n int, more bool) {
		if c.n[name] += n; more && !slices.Contains(c.atLeast, name) {
			c.atLeast = append(c.atLeast, name)
		}
	}
	pairs, more, err := a.Store.QueueLength(ctx, w.Reach)
	if err != nil {
		return c, err
	}
	note("review", pairs, more)
	rows, more, err := a.Store.QuarantineLength(ctx, w)
	if err != nil {
		return c, err
	}
	note("quarantine", rows, more)
	for _, t := range a.targets {
		stuck, more, err := a.Store.StuckCounts(ctx, t.config.Name, w.Reach)
		if err != nil {
			return c, err
		}
		note("conflicts", stuck[store.Conflicted], more)
	}
	return c, nil
}
