package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"touchstone/internal/store"
)

// Run is the daemon: every source on its own schedule, one resolver, every
// target on its own, until ctx ends. Parts speak to each other only through
// the store; a signal just saves waiting.
func (a *App) Run(ctx context.Context) error {
	if err := a.Start(ctx); err != nil {
		return err
	}
	landed, resolved := newSignal(), newSignal()
	g, ctx := errgroup.WithContext(ctx)
	for _, s := range a.order {
		g.Go(func() error { return a.runSource(ctx, s, landed) })
	}
	g.Go(func() error { return a.runResolver(ctx, landed, resolved) })
	g.Go(func() error { return a.runTargets(ctx, resolved, landed) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// signal wakes one waiter; more signals than waiting are one.
type signal chan struct{}

func newSignal() signal { return make(chan struct{}, 1) }

func (s signal) ring() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// wait ends with the signal, after d, or with ctx.
func (a *App) wait(ctx context.Context, s signal, d time.Duration) error {
	timed, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- a.opts.Env.Clock.Sleep(timed, d) }()
	select {
	case <-s:
		cancel()
		<-done
		return ctx.Err()
	case <-done:
		return ctx.Err()
	}
}

// longestPause bounds the waiting after failures in a row.
const longestPause = 15 * time.Minute

func (a *App) runSource(ctx context.Context, s *system, landed signal) error {
	failures := 0
	for {
		_, err := a.pull(ctx, s, func(string, string, int) { landed.ring() })
		landed.ring()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause := time.Duration(s.source.Every)
		if err != nil {
			failures++
			pause = min(max(pause, time.Second)<<min(failures, 10), max(longestPause, pause))
			if failures == 1 || errors.Is(err, store.ErrAmbiguous) {
				a.Log.Error("source failed", "source", s.source.Name, "err", err)
			}
		} else {
			failures = 0
		}
		if err := a.opts.Env.Clock.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (a *App) runResolver(ctx context.Context, landed, resolved signal) error {
	for {
		if err := a.Resolve(ctx, func(string, string, int) {}); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a.Log.Error("resolving failed", "err", err)
		}
		resolved.ring()
		if err := a.wait(ctx, landed, 30*time.Second); err != nil {
			return err
		}
	}
}

func (a *App) runTargets(ctx context.Context, resolved, landed signal) error {
	g, ctx := errgroup.WithContext(ctx)
	wake := make([]signal, len(a.targets))
	for i, t := range a.targets {
		wake[i] = newSignal()
		g.Go(func() error { return a.runTarget(ctx, t, wake[i], landed) })
	}
	g.Go(func() error {
		for {
			if err := a.wait(ctx, resolved, time.Minute); err != nil {
				return err
			}
			for _, w := range wake {
				w.ring()
			}
		}
	})
	return g.Wait()
}

func (a *App) runTarget(ctx context.Context, t *target, wake, landed signal) error {
	failures := 0
	for {
		r, err := a.deliver(ctx, t)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause := 10 * time.Second
		if err != nil {
			failures++
			if failures == 1 {
				a.Log.Error("target failed", "target", t.config.Name, "err", err)
			}
			pause = min(pause<<min(failures, 8), longestPause)
		} else {
			failures = 0
		}
		if r.Sent > 0 || r.Replanned > 0 {
			landed.ring() // what was read back waits for the resolver
		}
		if err == nil && r.Held == "" { // after a failure, or for a person, waiting is right
			if due, err := a.Store.NextDue(ctx, t.config.Name); err == nil && !due.IsZero() {
				pause = min(pause, max(due.Sub(a.opts.Env.Clock.Now()), time.Second))
			}
		}
		if err := a.wait(ctx, wake, pause); err != nil {
			return err
		}
	}
}

// Healthy asks the store; a daemon that cannot reach its store is not healthy.
func (a *App) Healthy(ctx context.Context) error {
	if _, err := a.Store.Sources(ctx); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}
