package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"touchstone/internal/auth"
)

const (
	// refusalSpan is how long equal refusals of one actor are told of together.
	refusalSpan = time.Minute
	// maxRefusals bounds how many kinds of them are counted at once; past it no
	// more kinds are kept until some are told of.
	maxRefusals = 1000
)

// notLet is an actor who was not let do what an address does.
type notLet struct {
	who, role, address, why string
}

// counted is how often that was, since the row that told of the first.
type counted struct {
	notLet
	since time.Time
	more  int
}

// refusals keeps a flood of refused requests from filling the audit trail: the
// first is told of at once, its like within a minute by one row with their number.
type refusals struct {
	mu sync.Mutex
	of map[notLet]*counted
}

// take counts a refusal, and says whether it is to be told of now.
func (l *refusals) take(r notLet, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.of[r]; c != nil {
		c.more++
		return false
	}
	if len(l.of) >= maxRefusals {
		return false
	}
	if l.of == nil {
		l.of = map[notLet]*counted{}
	}
	l.of[r] = &counted{notLet: r, since: now}
	return true
}

// due takes out what has been counted for its time, in a fixed order.
func (l *refusals) due(now time.Time) (list []counted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, c := range l.of {
		if now.Sub(c.since) < refusalSpan && !now.Before(c.since) {
			continue
		}
		delete(l.of, r)
		if c.more > 0 {
			list = append(list, *c)
		}
	}
	slices.SortFunc(list, func(a, b counted) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.who, b.who), cmp.Compare(a.address, b.address))
	})
	return list
}

// keepRefusal writes into the audit trail that somebody who is known was refused.
func (s *server) keepRefusal(r *http.Request, address, why string) {
	by := auth.From(r.Context())
	one := notLet{by.ID, string(by.Role), address, why}
	if s.refused.take(one, s.opts.Env.Clock.Now()) {
		s.tellRefusal(r.Context(), one, why)
	}
}

// tellRefusals writes how often what was told of before has happened since.
func (s *server) tellRefusals(ctx context.Context) {
	for _, c := range s.refused.due(s.opts.Env.Clock.Now()) {
		ctx := auth.With(ctx, auth.Actor{ID: c.who, Role: auth.Role(c.role)})
		s.tellRefusal(ctx, c.notLet, c.why+", "+strconv.Itoa(c.more)+" more within a minute of the first")
	}
}

func (s *server) tellRefusal(ctx context.Context, r notLet, detail string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), overviewBound)
	defer cancel()
	if err := s.data.Refused(ctx, r.who, r.address, detail); err != nil {
		s.opts.Log.ErrorContext(ctx, "a refused request is not in the audit trail", "who", r.who, "address", r.address, "err", err)
	}
}
