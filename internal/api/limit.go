package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
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

// plainBody refuses a body that is packed: it would be taken for JSON that is not
// whole.
func (x *api) plainBody(c huma.Context, next func(huma.Context)) {
	if coding := c.Header("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		_ = huma.WriteErr(x.huma, c, http.StatusUnsupportedMediaType, "bodies are taken as they are, without Content-Encoding") // a client that went away is its own affair
		return
	}
	next(c)
}

// once refuses a query in which a parameter stands twice, or a number or a yes or
// no is empty: two readers could take it for two things.
func (x *api) once(c huma.Context, next func(huma.Context)) {
	u := c.URL()
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		_ = huma.WriteErr(x.huma, c, http.StatusUnprocessableEntity, "the query is not well escaped") // a client that went away is its own affair
		return
	}
	var faults []error
	for _, p := range c.Operation().Parameters {
		values := query[p.Name]
		if p.In != "query" || len(values) == 0 || p.Schema.Type == huma.TypeArray {
			continue
		}
		if len(values) > 1 {
			faults = append(faults, &huma.ErrorDetail{Location: "query." + p.Name, Message: "stands more than once"})
		} else if values[0] == "" && (p.Schema.Type != huma.TypeString || len(p.Schema.Enum) > 0 && !slices.Contains(p.Schema.Enum, any(""))) {
			faults = append(faults, &huma.ErrorDetail{Location: "query." + p.Name, Message: "is empty; leave it out"})
		}
	}
	if len(faults) > 0 {
		_ = huma.WriteErr(x.huma, c, http.StatusUnprocessableEntity, "the query cannot be taken as it is", faults...)
		return
	}
	next(c)
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
