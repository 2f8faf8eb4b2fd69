package app

import (
	"context"
	"sync/atomic"
	"time"
)

// asked is what people want of a source's part of the daemon.
type asked struct {
	wake    signal      // pulled out of its pause; nil where no daemon runs
	now     atomic.Bool // pull at once
	stop    atomic.Bool // end the pull between two pages
	looping atomic.Bool // a daemon works on it
}

// stoppingOf says, before each page, whether a source's pull is to end here.
func (a *App) stoppingOf(s *system) func() bool {
	return func() bool { return a.stopping.Load() || s.ask.stop.Load() }
}

// rest sleeps until a source is due or is asked for; it says whether it was
// asked for.
func (a *App) rest(ctx context.Context, s *system, d time.Duration) (asked bool, err error) {
	if err := a.wait(ctx, s.ask.wake, d); err != nil {
		return false, err
	}
	return s.ask.now.Swap(false), nil
}

// runNow pulls a source at once, whatever its schedule says. It is done by the
// daemon; a source that is being pulled is left alone.
func (a *App) runNow(name string) error {
	s := a.systems[name]
	switch {
	case s == nil:
		return unclear("there is no source %q", name)
	case !s.ask.looping.Load():
		return unclear("no daemon runs here: touchstone run --once pulls every source")
	}
	s.ask.stop.Store(false)
	s.ask.now.Store(true)
	s.ask.wake.ring()
	return nil
}

// stopRun ends a source's pull between two pages. It goes on from there at its
// next time.
func (a *App) stopRun(name string) error {
	s := a.systems[name]
	if s == nil {
		return unclear("there is no source %q", name)
	}
	sources, _ := a.life.parts(a.Config)
	if !sources[name].Running {
		return unclear("source %s is not being pulled now", name)
	}
	s.ask.stop.Store(true)
	return nil
}
