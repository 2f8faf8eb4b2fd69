package httpx

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"touchstone/internal/env"
)

// gate lets requests through at the limit's pace.
type gate struct {
	clock  env.Clock
	bucket *rate.Limiter // nil: no limit
	places chan struct{} // nil: no limit
}

func newGate(clock env.Clock, l Limit) *gate {
	g := &gate{clock: clock}
	if l.Requests > 0 {
		per := l.Per
		if per <= 0 {
			per = time.Second
		}
		g.bucket = rate.NewLimiter(rate.Limit(float64(l.Requests)/per.Seconds()), l.Requests)
	}
	if l.Concurrency > 0 {
		g.places = make(chan struct{}, l.Concurrency)
	}
	return g
}

// enter waits for a place and a token, or until ctx ends.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	leave = func() {}
	if g.places != nil {
		select {
		case g.places <- struct{}{}:
			leave = func() { <-g.places }
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if err := g.token(ctx); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

func (g *gate) token(ctx context.Context) error {
	if g.bucket == nil {
		return ctx.Err()
	}
	now := g.clock.Now()
	r := g.bucket.ReserveN(now, 1)
	if err := g.clock.Sleep(ctx, r.DelayFrom(now)); err != nil {
		r.CancelAt(g.clock.Now())
		return err
	}
	return nil
}
