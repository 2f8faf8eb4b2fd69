package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"touchstone/connectors"
	"touchstone/internal/httpx"
	"touchstone/internal/record"
)

// Push sends the changes in their order, each exactly once, alone or in batches
// of the same operation where the stream has one, and answers for each. After an
// answer that speaks for all (credentials, rate) the rest is not sent and may be
// tried later.
func (c *Client) Push(ctx context.Context, batch []record.Change) ([]connectors.Result, error) {
	results := make([]connectors.Result, 0, len(batch))
	var stop *connectors.Result
	for len(results) < len(batch) {
		rest := batch[len(results):]
		n := c.together(rest)
		switch {
		case stop == nil && ctx.Err() != nil:
			stop = &connectors.Result{Outcome: connectors.Retry, Err: ctx.Err()}
			fallthrough
		case stop != nil:
			results = append(results, notSent(rest[:1], *stop)...)
			continue
		}
		got := c.pushSome(ctx, rest[:n])
		results = append(results, got...)
		stop = stopper(got)
	}
	for i := range results {
		results[i].Row = batch[i].Row
	}
	return results, nil
}

// pushSome sends changes that go together.
func (c *Client) pushSome(ctx context.Context, changes []record.Change) []connectors.Result {
	if s, err := c.stream(changes[0].Entity); err == nil {
		if w, err := s.writeFor(changes[0].Op); err == nil && w.batch.given() && (len(changes) > 1 || !w.given()) {
			return c.pushBatch(ctx, s, w, changes)
		}
	}
	return []connectors.Result{c.pushOne(ctx, changes[0])}
}

// stopper finds the result that speaks for everything that follows.
func stopper(results []connectors.Result) *connectors.Result {
	for i, r := range results {
		if r.Err != nil && (errors.Is(r.Err, connectors.ErrAuth) || errors.Is(r.Err, connectors.ErrNotSent) || limited(r.Err)) {
			return &results[i]
		}
	}
	return nil
}

// notSent answers for changes that are held back after stop.
func notSent(changes []record.Change, stop connectors.Result) []connectors.Result {
	out := make([]connectors.Result, len(changes))
	for i := range changes {
		out[i] = connectors.Result{Outcome: connectors.Retry, RetryAfter: stop.RetryAfter, Err: stop.Err}
		if !errors.Is(stop.Err, connectors.ErrNotSent) {
			out[i].Err = fmt.Errorf("%w: %w", connectors.ErrNotSent, stop.Err)
		}
	}
	return out
}

func limited(err error) bool {
	var l *connectors.RateLimited
	return errors.As(err, &l)
}

func rejected(format string, args ...any) connectors.Result {
	return connectors.Result{Outcome: connectors.Rejected, Err: fmt.Errorf("%w: %w", connectors.ErrRejected, fmt.Errorf(format, args...))}
}

func (c *Client) pushOne(ctx context.Context, change record.Change) connectors.Result {
	s, err := c.stream(change.Entity)
	if err != nil {
		return rejected("%w", err)
	}
	w, err := s.writeFor(change.Op)
	if err != nil {
		return rejected("%w", err)
	}
	vars := map[string]any{"id": change.ExternalID, "key": change.Key}
	body, err := w.bodyOf(change, vars)
	if err != nil {
		return rejected("%s %s: %w", change.Op, change.Entity, err)
	}
	u, err := c.address(w.request, vars)
	if err != nil {
		return rejected("%s %s: %w", change.Op, change.Entity, err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	if s.Precondition == "etag" && change.Precondition != "" {
		header.Set("If-Match", quoteTag(change.Precondition))
	}
	if s.Idempotency != "" && change.Idempotency != "" {
		header.Set(s.Idempotency, change.Idempotency)
	}
	a, token, err := c.send(ctx, call{method: w.method, url: u, header: header, body: body, route: w.route})
	if err != nil {
		return unsent(err)
	}
	res := c.outcome(ctx, s, w, change, a, token)
	if res.Err != nil {
		res.Err = fmt.Errorf("%s %s: %w", change.Op, change.Entity, res.Err)
	}
	return res
}

// unsent is the result of a write without an answer.
func unsent(err error) connectors.Result {
	var (
		he *httpx.Error
		ae *authError
		be *bodyError
		l  *connectors.RateLimited
	)
	switch {
	case errors.As(err, &be):
		return rejected("%w", err)
	case errors.As(err, &ae):
		if errors.As(err, &l) {
			return connectors.Result{Outcome: connectors.Retry, RetryAfter: l.After, Err: fmt.Errorf("%w: %w", connectors.ErrNotSent, err)}
		}
		return connectors.Result{Outcome: connectors.Retry, Err: fmt.Errorf("%w: %w", connectors.ErrNotSent, err)}
	case errors.As(err, &he) && he.NotSent:
		return connectors.Result{Outcome: connectors.Retry, RetryAfter: he.After, Err: fmt.Errorf("%w: %w", connectors.ErrNotSent, waitOf(err))}
	}
	return connectors.Result{Outcome: connectors.Unknown, Err: err}
}

func (s *stream) writeFor(op record.Op) (write, error) {
	w := s.update
	switch op {
	case record.Create:
		w = s.create
	case record.Upsert:
		w = s.upsert
	case record.Update:
	default:
		return w, fmt.Errorf("stream %s: unknown operation %q", s.Name, op)
	}
	if !w.given() && !w.batch.given() {
		return w, fmt.Errorf("stream %s has no %s", s.Name, op)
	}
	return w, nil
}

// outcome reads the answer to the write of one change.
func (c *Client) outcome(ctx context.Context, s *stream, w write, change record.Change, a answer, token string) connectors.Result {
	m, err := c.meaningOf(s, a)
	if err != nil {
		return connectors.Result{Outcome: connectors.Unknown, Err: err}
	}
	if m.class == "" {
		return c.applied(s, w.request, change, a)
	}
	if c.stale(m, a) && c.auth.renew(ctx, token) == nil {
		// The write was refused and surely not applied. It is not sent again
		// here: the outbox does, with the new token.
		return connectors.Result{Outcome: connectors.Retry, Err: fmt.Errorf("%w: %w", connectors.ErrNotSent, connectors.ErrRenewed)}
	}
	return c.refused(m, a, change)
}

// refused is what became of a change that was not applied.
func (c *Client) refused(m meaning, a answer, change record.Change) connectors.Result {
	said := map[string]any{"fields": change.Fields, "key": change.Key}
	why := errors.New(c.describe(a, said))
	switch m.class {
	case "exists":
		if m.id == "" {
			return connectors.Result{Outcome: connectors.Conflict, Err: fmt.Errorf("%w: %w, and the answer does not name the object that is there", connectors.ErrConflict, why)}
		}
		return connectors.Result{Outcome: connectors.Exists, ExternalID: m.id, Err: why}
	case "conflict":
		return connectors.Result{Outcome: connectors.Conflict, Version: a.etag(), Err: fmt.Errorf("%w: %w", connectors.ErrConflict, why)}
	case "gone":
		return connectors.Result{Outcome: connectors.Rejected, Err: fmt.Errorf("%w: %w: %w", connectors.ErrRejected, record.ErrNotFound, why)}
	case "auth":
		return connectors.Result{Outcome: connectors.Retry, Err: fmt.Errorf("%w: %w", connectors.ErrAuth, why)}
	case "rate_limited":
		return connectors.Result{Outcome: connectors.Retry, RetryAfter: a.RetryAfter, Err: &connectors.RateLimited{After: a.RetryAfter, Err: why}}
	case "retry":
		return connectors.Result{Outcome: connectors.Retry, RetryAfter: a.RetryAfter, Err: why}
	case "unknown":
		return connectors.Result{Outcome: connectors.Unknown, RetryAfter: a.RetryAfter, Err: why}
	}
	return connectors.Result{Outcome: connectors.Rejected, Err: fmt.Errorf("%w: %w", connectors.ErrRejected, why)}
}

// applied reads the id and the version out of a successful answer. An answer
// without them is still a success; a read-back finds them.
func (c *Client) applied(s *stream, r request, change record.Change, a answer) connectors.Result {
	res := connectors.Result{Outcome: connectors.Applied, ExternalID: change.ExternalID, Version: a.etag()}
	v, err := s.pickOne(r, a)
	object, ok := v.(map[string]any)
	if err != nil || !ok {
		return res
	}
	s.identify(&res, object)
	return res
}

func (s *stream) identify(res *connectors.Result, object map[string]any) {
	vars := map[string]any{"record": object}
	if id, err := s.id.Run(vars); err == nil && id != nil && id != "" {
		res.ExternalID, _ = id.(string)
	}
	if s.version.given() {
		if version, err := s.version.Run(vars); err == nil && version != nil {
			text, _ := version.(string)
			res.Version = unquoteTag(text)
		}
	}
}
