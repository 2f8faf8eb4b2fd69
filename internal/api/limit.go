package api

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/time/rate"

	"touchstone/internal/auth"
)

const (
	// perSecond and burst bound the requests of one account or token.
	perSecond = 50
	burst     = 200
	// maxActors bounds how many are remembered; past it all start anew together.
	maxActors = 1000
)

// limits counts requests by who asks.
type limits struct {
	mu sync.Mutex
	of map[string]*rate.Limiter
}

func newLimits() *limits { return &limits{of: map[string]*rate.Limiter{}} }

func (l *limits) actor(id string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.of) >= maxActors && l.of[id] == nil {
		clear(l.of)
	}
	if l.of[id] == nil {
		l.of[id] = rate.NewLimiter(perSecond, burst)
	}
	return l.of[id]
}

// limited refuses who asks too quickly, and says when to come back.
func (x *api) limited(c huma.Context, next func(huma.Context)) {
	l, now := x.limits.actor(auth.From(c.Context()).ID), x.opts.Env.Clock.Now()
	left := l.TokensAt(now)
	c.SetHeader("RateLimit-Policy", `"actor";q=`+strconv.Itoa(burst)+`;w=`+strconv.Itoa(burst/perSecond))
	c.SetHeader("RateLimit", `"actor";r=`+strconv.Itoa(max(0, int(left)-1)))
	if !l.AllowN(now, 1) {
		c.SetHeader("Retry-After", "1")
		_ = huma.WriteErr(x.huma, c, http.StatusTooManyRequests, "more than "+strconv.Itoa(perSecond)+" requests a second; wait a second") // a client that went away is its own affair
		return
	}
	next(c)
}
