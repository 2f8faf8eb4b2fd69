package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strings"

	"touchstone/connectors"
	"touchstone/internal/httpx"
	"touchstone/internal/record"
)

// Push sends the changes one after the other, each exactly once, and answers
// for each. After an answer that speaks for all (credentials, rate) the rest is
// not sent and may be tried later.
func (c *Client) Push(ctx context.Context, batch []record.Change) ([]connectors.Result, error) {
	results := make([]connectors.Result, len(batch))
	var stop *connectors.Result
	for i, change := range batch {
		if stop == nil && ctx.Err() != nil {
			stop = &connectors.Result{Outcome: connectors.Retry, Err: ctx.Err()}
		}
		if stop != nil {
			results[i] = connectors.Result{Outcome: connectors.Retry, RetryAfter: stop.RetryAfter, Err: stop.Err}
			if !errors.Is(stop.Err, connectors.ErrNotSent) {
				results[i].Err = fmt.Errorf("%w: %w", connectors.ErrNotSent, stop.Err)
			}
		} else {
			results[i] = c.pushOne(ctx, change)
		}
		results[i].Row = change.Row
		if err := results[i].Err; stop == nil && err != nil && (errors.Is(err, connectors.ErrAuth) || errors.Is(err, connectors.ErrNotSent) || limited(err)) {
			stop = &results[i]
		}
	}
	return results, nil
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
	r, w, err := s.writeFor(change.Op)
	if err != nil {
		return rejected("%w", err)
	}
	body, err := bodyOf(change, w.ExternalKey)
	if err != nil {
		return rejected("%s %s: %w", change.Op, change.Entity, err)
	}
	u, err := c.address(r, map[string]any{"id": change.ExternalID, "key": change.Key})
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
	a, err := c.send(ctx, r.method, u, header, body)
	if err != nil {
		var he *httpx.Error
		if errors.As(err, &he) && he.NotSent {
			return connectors.Result{Outcome: connectors.Retry, Err: fmt.Errorf("%w: %w", connectors.ErrNotSent, err)}
		}
		return connectors.Result{Outcome: connectors.Unknown, Err: err}
	}
	res := c.outcome(s, r, change, a)
	if res.Err != nil {
		res.Err = fmt.Errorf("%s %s: %w", change.Op, change.Entity, res.Err)
	}
	return res
}

func (s *stream) writeFor(op record.Op) (request, Write, error) {
	r, w := s.update, s.Update
	switch op {
	case record.Create:
		r, w = s.create, s.Create
	case record.Upsert:
		r, w = s.upsert, s.Upsert
	case record.Update:
	default:
		return r, w, fmt.Errorf("stream %s: unknown operation %q", s.Name, op)
	}
	if !r.given() {
		return r, w, fmt.Errorf("stream %s has no %s", s.Name, op)
	}
	return r, w, nil
}

// outcome reads the answer to a write.
func (c *Client) outcome(s *stream, r request, change record.Change, a answer) connectors.Result {
	m, err := c.meaningOf(s, a)
	if err != nil {
		return connectors.Result{Outcome: connectors.Unknown, Err: err}
	}
	said := map[string]any{"fields": change.Fields, "key": change.Key}
	why := errors.New(c.describe(a, said))
	switch m.class {
	case "":
		return c.applied(s, r, change, a)
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
	return res
}

// bodyOf nests dotted field paths: "address.city" is the member city of the
// object address. The same change gives the same bytes.
func bodyOf(change record.Change, externalKey string) ([]byte, error) {
	root := nest{}
	paths := make([]string, 0, len(change.Fields))
	for p := range change.Fields {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	for _, p := range paths {
		if err := put(root, p, change.Fields[p]); err != nil {
			return nil, err
		}
	}
	if externalKey != "" && change.Key != "" {
		if err := put(root, externalKey, change.Key); err != nil {
			return nil, err
		}
	}
	return encode(root)
}

// nest is an object that bodyOf made, as against one that is a field's value:
// that one belongs to the caller and is not written to.
type nest map[string]any

func put(root nest, path string, value any) error {
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		child, there := root[step]
		object, ok := child.(nest)
		if there && !ok {
			return fmt.Errorf("field %s and one above it are both given", path)
		}
		if !there {
			object = nest{}
			root[step] = object
		}
		root = object
	}
	last := steps[len(steps)-1]
	if _, there := root[last]; there || last == "" {
		return fmt.Errorf("field %s is given twice or has an empty name", path)
	}
	root[last] = value
	return nil
}
