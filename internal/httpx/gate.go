package httpx

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"touchstone/internal/env"
)

// maxGateWait is the longest a request waits for a limit by itself. A longer
// wait (a day's budget that is used up) is an error that says how long.
const maxGateWait = time.Minute

// gate lets the requests that it is for through at one limit's pace.
type gate struct {
	clock  env.Clock
	limit  Limit
	window *window       // nil: no limit
	places chan struct{} // nil: no limit

	mu   sync.Mutex
	held time.Time // nothing goes before
}

func newGate(clock env.Clock, l Limit) *gate {
	g := &gate{clock: clock, limit: l}
	if l.Requests > 0 {
		per := l.Per
		if per <= 0 {
			per = time.Second
		}
		g.window = &window{most: l.Requests, per: per}
	}
	if l.Concurrency > 0 {
		g.places = make(chan struct{}, l.Concurrency)
	}
	return g
}

// fits says whether a request falls under the limit.
func (g *gate) fits(method, path string) bool {
	return (g.limit.Method == "" || strings.EqualFold(g.limit.Method, method)) && (g.limit.Path == "" || glob(g.limit.Path, path))
}

// glob matches a path with a pattern whose * stand for any run of characters.
func glob(pattern, path string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == path
	}
	rest, ok := strings.CutPrefix(path, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, p)
		if i < 0 {
			return false
		}
		rest = rest[i+len(p):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// gates are all limits of a client.
type gates []*gate

func newGates(clock env.Clock, limits []Limit) gates {
	gs := make(gates, len(limits))
	for i, l := range limits {
		gs[i] = newGate(clock, l)
	}
	return gs
}

func (gs gates) of(method, path string) (out gates) {
	for _, g := range gs {
		if g.fits(method, path) {
			out = append(out, g)
		}
	}
	return out
}

// enter waits for a place in each limit and then for its turn, or until ctx
// ends. Places are taken in the order of the limits: nobody waits in a circle.
func (gs gates) enter(ctx context.Context) (leave func(), err error) {
	var taken []*gate
	leave = func() {
		for _, g := range taken {
			<-g.places
		}
	}
	for _, g := range gs {
		if g.places == nil {
			continue
		}
		select {
		case g.places <- struct{}{}:
			taken = append(taken, g)
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		}
	}
	if err := gs.turn(ctx); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// errWait says that a limit would take longer than a request waits.
type errWait struct{ after time.Duration }

func (e *errWait) Error() string { return "the request limit is used up" }

// turn waits until every limit lets one more request go.
func (gs gates) turn(ctx context.Context) error {
	for _, g := range gs {
		now := g.clock.Now()
		at := g.reserve(now)
		if wait := at.Sub(now); wait > maxGateWait {
			g.cancel(at)
			return &errWait{after: wait}
		} else if err := g.clock.Sleep(ctx, wait); err != nil {
			g.cancel(at)
			return err
		}
	}
	return ctx.Err()
}

func (g *gate) weight() int { return max(1, g.limit.Weight) }

// reserve gives the time at which one more request may go.
func (g *gate) reserve(now time.Time) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held.After(now) {
		now = g.held
	}
	if g.window == nil {
		return now
	}
	return g.window.reserve(now, g.weight())
}

func (g *gate) cancel(at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.window != nil {
		g.window.cancel(at, g.weight())
	}
}

// learn reads what an answer says about what is left. With nothing left the
// limit is closed until its reset.
func (g *gate) learn(h http.Header, now time.Time) {
	if g.limit.Remaining == "" {
		return
	}
	left, err := strconv.ParseFloat(strings.TrimSpace(h.Get(g.limit.Remaining)), 64)
	if err != nil || left >= float64(g.weight()) {
		return
	}
	until := now.Add(max(g.limit.Per, time.Second))
	if reset, ok := resetTime(h.Get(g.limit.Reset), now); ok {
		until = reset
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if until.After(g.held) && until.Sub(now) <= 25*time.Hour {
		g.held = until
	}
}

// resetTime reads when a limit opens again: seconds from now, seconds or
// milliseconds since 1970, or a date.
func resetTime(s string, now time.Time) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if t, err := http.ParseTime(s); err == nil {
		return t, true
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || f < 0 || f > 1e14:
		return time.Time{}, false
	case f >= 1e11:
		return time.UnixMilli(int64(f)), true
	case f >= 1e9:
		return time.Unix(int64(f), 0), true
	}
	return now.Add(time.Duration(f * float64(time.Second))), true
}

// window lets at most so much weight through in any span of per: unlike a token
// bucket it never lets two spans' worth through around a boundary. It joins
// what was sent closely together, so it remembers about a thousand entries
// however large the limit is.
type window struct {
	most int
	per  time.Duration
	sent []stamp // in order of time
	sum  int
}

type stamp struct {
	at     time.Time
	weight int
}

const windowEntries = 1024

// reserve gives the time, from now on, at which so much weight may go, and
// counts it as sent then.
func (w *window) reserve(now time.Time, weight int) time.Time {
	weight = min(weight, w.most)
	if n := len(w.sent); n > 0 && w.sent[n-1].at.After(now) {
		now = w.sent[n-1].at // one after the other
	}
	w.forget(now)
	for w.sum+weight > w.most {
		now = w.sent[0].at.Add(w.per)
		w.forget(now)
	}
	w.sum += weight
	if n := len(w.sent); n > 0 && now.Sub(w.sent[n-1].at) < w.per/windowEntries {
		now = maxTime(now, w.sent[n-1].at)
		w.sent[n-1] = stamp{now, w.sent[n-1].weight + weight}
	} else {
		w.sent = append(w.sent, stamp{now, weight})
	}
	return now
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (w *window) forget(now time.Time) {
	n := 0
	for n < len(w.sent) && !w.sent[n].at.Add(w.per).After(now) {
		w.sum -= w.sent[n].weight
		n++
	}
	w.sent = append(w.sent[:0], w.sent[n:]...)
}

// cancel takes back what was reserved and not sent.
func (w *window) cancel(at time.Time, weight int) {
	weight = min(weight, w.most)
	for i := len(w.sent) - 1; i >= 0; i-- {
		if s := &w.sent[i]; !s.at.Before(at) && s.weight >= weight {
			s.weight -= weight
			w.sum -= weight
			return
		}
	}
}

// waitError is an error of a gate as callers see it.
func waitError(op string, err error) *Error {
	var w *errWait
	if errors.As(err, &w) {
		return &Error{Op: op, Reason: "the limit of requests is used up for " + w.after.Round(time.Second).String(), NotSent: true, After: min(w.after, MaxRetryAfter)}
	}
	return &Error{Op: op, Reason: "waiting for the request limit", NotSent: true, cause: err}
}
