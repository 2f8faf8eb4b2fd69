package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"touchstone/connectors"
	"touchstone/internal/outbox"
	"touchstone/internal/pipeline"
	"touchstone/internal/schedule"
	"touchstone/internal/store"
)

const (
	// grace is how long pages and writes that are under way may take after the
	// daemon was asked to stop. What is cut then goes on at the next start.
	grace = 7 * time.Second
	// step bounds every sleep: a clock that was set, or a machine that slept, is
	// noticed that late.
	step = 30 * time.Second
	// probeBound is how long the one question to a system that failed may take.
	probeBound = 30 * time.Second
)

// Run works until ctx ends: every source on its own schedule, one resolver,
// every target on its own. Parts speak to each other only through the store; a
// signal just saves waiting. When ctx ends nothing new begins, and what is under
// way has a few seconds to end.
func (a *App) Run(ctx context.Context) error {
	if err := a.Start(ctx); err != nil {
		return unlessAsked(ctx, err)
	}
	a.stopping.Store(false)
	work, cut := context.WithCancel(store.Patient(context.WithoutCancel(ctx)))
	defer cut()
	landed, resolved := a.landed, newSignal()
	g, asked := errgroup.WithContext(store.Patient(ctx))
	for _, s := range a.order {
		g.Go(func() error { return a.runSource(asked, work, s, landed) })
	}
	g.Go(func() error { return a.runResolver(asked, landed, resolved) })
	g.Go(func() error { return a.runBulk(asked) })
	g.Go(func() error { return a.runTrials(asked) })
	g.Go(func() error { return a.runValueCounts(asked) })
	g.Go(func() error { return a.runTargets(asked, work, resolved, landed) })

	ended, end := context.WithCancel(work)
	var cutter sync.WaitGroup
	cutter.Go(func() {
		<-asked.Done()
		a.stopping.Store(true)
		if !errors.Is(context.Cause(asked), store.ErrLeaseLost) {
			_ = a.opts.Env.Clock.Sleep(ended, grace) // ends early when all parts have
		}
		cut()
	})
	err := g.Wait()
	end()
	cutter.Wait()
	return unlessAsked(ctx, err)
}

// unlessAsked drops what only says that work ended because it was asked to.
func unlessAsked(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) && !errors.Is(err, store.ErrLeaseLost) {
		return nil
	}
	return err
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

// stopped says that an error only tells that the daemon was asked to stop.
func stopped(asked context.Context, err error) bool {
	return asked.Err() != nil || errors.Is(err, pipeline.ErrStopped)
}

func (a *App) runSource(asked, work context.Context, s *system, landed signal) error {
	name, clock := s.source.Name, a.opts.Env.Clock
	timer, err := a.timer(work, s)
	if err != nil {
		return err
	}
	b := schedule.NewBreaker("source " + s.uid)
	s.ask.looping.Store(true)
	defer s.ask.looping.Store(false)
	for {
		if err := a.turn(asked, s, timer, b); err != nil {
			return nil
		}
		s.ask.stop.Store(false)
		started := clock.Now()
		a.life.source(name, func(p *Part) { p.Running, p.Done, p.State = true, 0, b.State(started) })
		turn, span := a.tracePull(work, s)
		err := a.probe(turn, s, b)
		var counts store.Counts
		if err == nil {
			counts, err = a.pull(turn, s, func(_, _ string, n int) {
				a.life.source(name, func(p *Part) { p.Done = n })
				landed.ring()
			})
		}
		endPull(span, counts, err)
		landed.ring()
		ended := clock.Now()
		a.life.source(name, func(p *Part) { p.Running = false })
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case asked.Err() == nil && errors.Is(err, pipeline.ErrStopped): // a person stopped this pull
			err = nil
		case stopped(asked, err):
			return nil
		case err != nil:
			a.failed(turn, "source", name, b, err, time.Duration(s.source.Every), pauseAsked(err))
		default:
			a.worked(turn, "source", name, b)
			a.life.metrics.succeeded(name, started, ended)
		}
		timer.Done(started, ended)
		a.life.source(name, func(p *Part) {
			p.State, p.Failures, p.Problem = b.State(ended), b.Failures(), ""
			if err != nil {
				p.Problem = err.Error()
			}
		})
	}
}

// timer goes on from the source's last good run: the oldest, when it has
// several entities or events.
func (a *App) timer(ctx context.Context, s *system) (*schedule.Timer, error) {
	plan, err := s.source.Plan(s.uid)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.source.Name, err)
	}
	good, err := a.Store.Successes(ctx)
	if err != nil {
		return nil, err
	}
	last, _ := lastSuccess(s, good)
	return schedule.NewTimer(plan, last, a.opts.Env.Clock.Now()), nil
}

// turn waits until the source is due: by its plan, or after a failure when its
// pause is over.
func (a *App) turn(asked context.Context, s *system, timer *schedule.Timer, b *schedule.Breaker) error {
	for {
		now := a.opts.Env.Clock.Now()
		wait, next := timer.Wait(now), timer.Next()
		if b.Failures() > 0 {
			wait, next = b.Wait(now), b.Until()
		}
		if wait <= 0 {
			return asked.Err()
		}
		a.life.source(s.source.Name, func(p *Part) { p.Next = next })
		if now, err := a.rest(asked, s, min(wait, step)); err != nil || now {
			return err
		}
	}
}

// probe asks a system that failed one cheap question before the work goes on.
func (a *App) probe(ctx context.Context, s *system, b *schedule.Breaker) error {
	c, ok := s.puller.(connectors.Checker)
	if !ok || b.State(a.opts.Env.Clock.Now()) != schedule.HalfOpen {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeBound)
	defer cancel()
	if err := c.Check(ctx); err != nil {
		return fmt.Errorf("source %s: %w", s.source.Name, err)
	}
	return nil
}

// pauseAsked is how long a system asked to be left alone.
func pauseAsked(err error) time.Duration {
	var l *connectors.RateLimited
	if errors.As(err, &l) {
		return l.After
	}
	return 0
}

// runResolver ends at once when asked: a round that is cut is rolled back.
func (a *App) runResolver(asked context.Context, landed, resolved signal) error {
	b := schedule.NewBreaker("resolver")
	for {
		before := map[string]int{}
		turn, told, end := a.traceResolve(asked, func(stage, entity string, n int) {
			a.life.metrics.resolvedRecords(stage, entity, n-before[stage+entity])
			before[stage+entity] = n
		})
		err := a.Resolve(turn, told)
		end(err)
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case asked.Err() != nil:
			return nil
		case err != nil:
			a.failed(turn, "resolver", "resolver", b, err, 0, 0)
		default:
			a.worked(turn, "resolver", "resolver", b)
		}
		a.life.stuck.Store(err != nil)
		resolved.ring()
		pause := step
		if w := b.Wait(a.opts.Env.Clock.Now()); w > 0 {
			if err := a.sleep(asked, w); err != nil {
				return nil
			}
			continue
		}
		if err := a.wait(asked, landed, pause); err != nil {
			return nil
		}
	}
}

// sleep waits in steps, so that a clock that was set does not stall it.
func (a *App) sleep(ctx context.Context, d time.Duration) error {
	until := a.opts.Env.Clock.Now().Add(d)
	for left := d; left > 0; left = min(until.Sub(a.opts.Env.Clock.Now()), left-step) {
		if err := a.opts.Env.Clock.Sleep(ctx, min(left, step)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (a *App) runTargets(asked, work context.Context, resolved, landed signal) error {
	g, asked := errgroup.WithContext(asked)
	wake := make([]signal, len(a.targets))
	for i, t := range a.targets {
		wake[i] = t.ask
		g.Go(func() error { return a.runTarget(asked, work, t, wake[i], landed) })
	}
	g.Go(func() error {
		for {
			if err := a.wait(asked, resolved, time.Minute); err != nil {
				return nil
			}
			for _, w := range wake {
				w.ring()
			}
		}
	})
	return g.Wait()
}

func (a *App) runTarget(asked, work context.Context, t *target, wake, landed signal) error {
	const pause = 10 * time.Second
	name, clock := t.config.Name, a.opts.Env.Clock
	b := schedule.NewBreaker("target " + name)
	held := ""
	for {
		if asked.Err() != nil {
			return nil
		}
		a.life.target(name, func(p *Part) { p.Running, p.State = true, b.State(clock.Now()) })
		push, span := a.tracePush(work, t)
		err := a.probe(push, t.system, b)
		r, derr := a.deliverIf(push, t, err)
		err = errors.Join(err, derr)
		endPush(span, r, err)
		a.life.metrics.delivered(name, r)
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case asked.Err() != nil:
			return nil
		case err != nil:
			a.failed(push, "target", name, b, err, pause, pauseAsked(err))
		default:
			a.worked(push, "target", name, b)
		}
		if r.Held != "" && held == "" {
			a.Log.Warn("a target waits for a person", "target", name, "why", r.Held)
		}
		held = r.Held
		if r.Sent > 0 || r.Replanned > 0 {
			landed.ring() // what was read back waits for the resolver
		}
		a.life.target(name, func(p *Part) {
			p.Running, p.Done, p.Held, p.State, p.Failures, p.Next, p.Problem = false, r.Sent, held, b.State(clock.Now()), b.Failures(), b.Until(), ""
			if err != nil {
				p.Problem = err.Error()
			}
		})
		if err != nil {
			if a.sleep(asked, b.Wait(clock.Now())) != nil {
				return nil
			}
			continue
		}
		if a.wait(asked, wake, a.untilDue(work, t, held, pause)) != nil {
			return nil
		}
	}
}

func (a *App) deliverIf(ctx context.Context, t *target, before error) (r outbox.Report, err error) {
	if before != nil {
		return r, nil
	}
	return a.deliver(ctx, t)
}

// untilDue is the pause, or less when a write is due before; what waits for a
// person is never due.
func (a *App) untilDue(ctx context.Context, t *target, held string, pause time.Duration) time.Duration {
	if held != "" {
		return pause
	}
	due, err := a.Store.NextDue(ctx, t.config.Name)
	if err != nil || due.IsZero() {
		return pause
	}
	return min(pause, max(due.Sub(a.opts.Env.Clock.Now()), time.Second))
}
