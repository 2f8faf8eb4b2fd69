package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"touchstone/internal/record"
)

// Read reads single objects. One that does not exist is absent from the answer.
func (c *Client) Read(ctx context.Context, entity string, ids []string) ([]record.Raw, error) {
	s, err := c.stream(entity)
	if err != nil {
		return nil, err
	}
	if !s.read.given() {
		return nil, fmt.Errorf("read %s: the stream has no read", entity)
	}
	var out []record.Raw
	for _, id := range ids {
		r, found, err := c.readOne(ctx, s, id)
		if err != nil {
			return nil, fmt.Errorf("read %s %s: %w", entity, id, err)
		}
		if found {
			out = append(out, r)
		}
	}
	return out, nil
}

func (c *Client) readOne(ctx context.Context, s *stream, id string) (r record.Raw, found bool, err error) {
	u, err := c.address(s.read, map[string]any{"id": id})
	if err != nil {
		return r, false, err
	}
	a, m, err := c.ask(ctx, s, call{method: http.MethodGet, url: u, route: s.read.route})
	if err != nil {
		return r, false, err
	}
	switch m.class {
	case "":
	case "gone":
		return r, false, nil
	default:
		return r, false, c.readError(m, a, nil)
	}
	v, err := s.pickOne(s.read, a)
	if err != nil {
		return r, false, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return r, false, fmt.Errorf("record: the answer gives %s, want an object", nameOf(v))
	}
	r, err = c.raw(s, object, "read of "+id)
	if err != nil {
		return r, false, err
	}
	if r.Version == "" {
		r.Version = a.etag()
	}
	if r.ID == "" {
		r.ID = id
	}
	return r, true, nil
}

// pickOne gives the object in an answer: what the selector says, else the body.
func (s *stream) pickOne(r request, a answer) (any, error) {
	if !r.pick.given() {
		return a.body, nil
	}
	v, err := r.pick.Run(a.vars())
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return v, nil
}

// FindByKey finds objects by our key. Where the objects show the key, those
// that show another one are left out: a filter that a system ignores must not
// look like a match.
func (c *Client) FindByKey(ctx context.Context, entity, key string) ([]record.Raw, error) {
	s, err := c.stream(entity)
	if err != nil {
		return nil, err
	}
	if !s.find.given() {
		return nil, fmt.Errorf("find %s: the stream has no find_by_key", entity)
	}
	vars := map[string]any{"key": key}
	found, err := c.find(ctx, s, vars, key)
	if err != nil {
		return nil, fmt.Errorf("find %s by key: %w", entity, err)
	}
	return found, nil
}

func (c *Client) find(ctx context.Context, s *stream, vars map[string]any, key string) ([]record.Raw, error) {
	u, err := c.address(s.find, vars)
	if err != nil {
		return nil, err
	}
	q := call{method: s.find.method, url: u, safe: true, route: s.find.route}
	if q.method == http.MethodPost {
		if q.body, err = s.find.body.object(vars); err != nil {
			return nil, fmt.Errorf("body: %w", err)
		}
	}
	a, m, err := c.ask(ctx, s, q)
	if err != nil {
		return nil, err
	}
	switch m.class {
	case "":
	case "gone":
		return nil, nil
	default:
		return nil, c.readError(m, a, vars)
	}
	list, err := recordsOf(s.find, s.FindByKey.Records.Text, a)
	if err != nil {
		return nil, err
	}
	var out []record.Raw
	for i, e := range list {
		if shown, ok := at(e, s.keyField()); ok && shown != key {
			c.note("stream %s: find_by_key gives objects with another key; they are left out here", s.Name)
			continue
		}
		r, err := c.raw(s, e, fmt.Sprintf("found by key, record %d", i+1))
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// at gives the text at a dotted path; ok is false when there is none.
func at(v any, path string) (string, bool) {
	if path == "" {
		return "", false
	}
	for step := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[step]
	}
	switch v := v.(type) {
	case string:
		return v, true
	case fmt.Stringer: // a number with its own digits
		return v.String(), true
	}
	return "", false
}
