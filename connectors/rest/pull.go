package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"touchstone/connectors"
	"touchstone/internal/record"
)

// Pull reads one page of a stream. The high-water mark moves on only when a
// pass ends; records equal to it come again in the next pass. Whatever goes
// wrong with a page, the cursor before it stays good.
func (c *Client) Pull(ctx context.Context, name string, at []byte) (connectors.Page, error) {
	s, err := c.stream(name)
	if err != nil {
		return connectors.Page{}, err
	}
	cur, err := readCursor(at)
	if err != nil {
		return connectors.Page{}, fmt.Errorf("pull %s: %w", name, err)
	}
	if !s.list.given() {
		return connectors.Page{}, fmt.Errorf("pull %s: the stream has no list", name)
	}
	page, err := c.page(ctx, s, cur)
	if err != nil {
		return connectors.Page{}, fmt.Errorf("pull %s: page %d: %w", name, cur.Pages+1, err)
	}
	return page, nil
}

func (c *Client) page(ctx context.Context, s *stream, cur cursor) (connectors.Page, error) {
	if c.opts.MaxPages > 0 && cur.Pages >= c.opts.MaxPages {
		return connectors.Page{}, fmt.Errorf("the pass has had %d pages (max_pages) and does not end", cur.Pages)
	}
	from, err := s.from(cur.Mark)
	if err != nil {
		return connectors.Page{}, err
	}
	a, err := c.ask(ctx, s, from, cur.Token)
	if err != nil {
		return connectors.Page{}, err
	}
	m, err := c.meaningOf(s, a)
	if err != nil {
		return connectors.Page{}, err
	}
	if m.class != "" {
		return connectors.Page{}, c.readError(m, a, nil)
	}
	list, err := recordsOf(s.list, s.List.Records.Text, a)
	if err != nil {
		return connectors.Page{}, err
	}
	records, high, err := c.records(s, list, cur, from, latest(a))
	if err != nil {
		return connectors.Page{}, err
	}
	return c.turn(s, cur, a, records, high, len(list))
}

// turn makes the page with the cursor that comes after it.
func (c *Client) turn(s *stream, cur cursor, a answer, records []record.Raw, high string, got int) (connectors.Page, error) {
	token, more, err := s.nextToken(a, cur, got)
	if err != nil {
		return connectors.Page{}, err
	}
	next := cursor{Mark: cur.Mark, High: high, Token: &token, Pages: cur.Pages + 1}
	if !more {
		next = cursor{Mark: greater(cur.Mark, high)}
	} else {
		var again bool
		if next.Loop, again = cur.Loop.next(token); again || cur.Token != nil && *cur.Token == token {
			return connectors.Page{}, errors.New("the page token came before in this pass: it would never end")
		}
	}
	b, err := next.bytes()
	if err != nil {
		return connectors.Page{}, err
	}
	return connectors.Page{Records: records, Cursor: b, More: more, Snapshot: s.List.Complete}, nil
}

// from is the value of cursor in a pass's requests.
func (s *stream) from(mark string) (string, error) {
	if mark == "" {
		return s.List.Start, nil
	}
	step := duration(s.Incremental.Lookback)
	if !s.Incremental.Inclusive {
		step = max(step, time.Second) // else what shares the mark's time and comes late would be lost
	}
	return back(mark, step)
}

// ask sends the request for a page.
func (c *Client) ask(ctx context.Context, s *stream, from string, token *string) (answer, error) {
	u, err := c.address(s.list, map[string]any{"cursor": from})
	if err != nil {
		return answer{}, err
	}
	header := http.Header{}
	p := s.Paginator
	if token == nil && (p.Type == "page" || p.Type == "offset") {
		first := strconv.Itoa(p.First)
		if p.Type == "offset" {
			first = "0"
		}
		token = &first
	}
	switch {
	case token == nil:
	case p.Type == "link":
		link, err := url.Parse(*token)
		if err != nil {
			return answer{}, errors.New("the link to the next page is not an address")
		}
		u = u.ResolveReference(link)
	case p.Inject.Header != "":
		header.Set(p.Inject.Header, *token)
	default:
		q := u.Query()
		q.Set(p.Inject.Query, *token)
		u.RawQuery = q.Encode()
	}
	return c.send(ctx, http.MethodGet, u, header, nil)
}

// nextToken finds what asks for the next page; more is false on the last one.
// An empty page is the end only where pages are counted: there nothing else says it.
func (s *stream) nextToken(a answer, cur cursor, got int) (token string, more bool, err error) {
	switch s.Paginator.Type {
	case "cursor", "link":
		v, err := s.token.Run(a.vars())
		if err != nil {
			return "", false, fmt.Errorf("paginator.token: %w", err)
		}
		token, _ = v.(string)
		return token, token != "", nil
	case "page", "offset":
		n := 0
		if s.Paginator.Type == "page" {
			n = s.Paginator.First
		}
		if cur.Token != nil {
			if n, err = strconv.Atoi(*cur.Token); err != nil {
				return "", false, errors.New("the cursor is not one of this connector")
			}
		}
		if s.Paginator.Type == "page" {
			return strconv.Itoa(n + 1), got > 0, nil
		}
		return strconv.Itoa(n + got), got > 0, nil
	}
	return "", false, nil
}

// recordsOf picks the list of records out of an answer.
func recordsOf(r request, selector string, a answer) ([]any, error) {
	v, err := r.pick.Run(a.vars())
	if err != nil {
		return nil, fmt.Errorf("records: %w", err)
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("records: %s gives %s, want a list of objects", selector, nameOf(v))
	}
	for i, e := range list {
		if _, ok := e.(map[string]any); !ok {
			return nil, fmt.Errorf("records: entry %d of %s is %s, want an object", i+1, selector, nameOf(e))
		}
	}
	return list, nil
}

func nameOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "a text"
	case bool:
		return "true or false"
	}
	return "a number"
}

// latest is the latest time a cursor value may have: a day past the server's
// own clock, the zero time if it does not tell it.
func latest(a answer) time.Time {
	t, err := http.ParseTime(a.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t.Add(24 * time.Hour)
}

// records makes a page's records, and finds the greatest cursor value. Records
// older than what was asked for are left out, exact repetitions too. A value
// later than last does not raise the mark: one record dated 2099 would hide
// every change until then.
func (c *Client) records(s *stream, list []any, cur cursor, from string, last time.Time) ([]record.Raw, string, error) {
	high := cur.High
	out := make([]record.Raw, 0, len(list))
	seen := make(map[string]bool, len(list))
	for i, e := range list {
		raw, err := c.raw(s, e, fmt.Sprintf("page %d, record %d", cur.Pages+1, i+1))
		if err != nil {
			return nil, "", err
		}
		if key := string(raw.Data); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		mark, err := s.markOf(e)
		if err != nil {
			return nil, "", fmt.Errorf("record %d: incremental.cursor: %w", i+1, err)
		}
		// A record without a mark (never changed yet) is always kept.
		if mark != "" && cur.Mark != "" && compareMarks(mark, from) < 0 {
			c.note("stream %s: the system gives records older than the cursor asked for; they are left out here", s.Name)
			continue
		}
		out = append(out, raw)
		if t, _, ok := markTime(mark); ok && !last.IsZero() && t.After(last) {
			c.note("stream %s: a record is dated in the future; it does not move the cursor", s.Name)
			continue
		}
		high = greater(high, mark)
	}
	return out, high, nil
}

func (s *stream) markOf(rec any) (string, error) {
	if !s.mark.given() {
		return "", nil
	}
	v, err := s.mark.Run(map[string]any{"record": rec})
	if err != nil {
		return "", err
	}
	mark, _ := v.(string)
	return mark, nil
}

func greater(a, b string) string {
	if a == "" || b != "" && compareMarks(b, a) > 0 {
		return b
	}
	return a
}

// raw makes one record. What is wrong with it alone becomes its Problem, so
// that one bad record does not hold up the rest.
func (c *Client) raw(s *stream, rec any, place string) (record.Raw, error) {
	data, err := encode(rec)
	if err != nil {
		return record.Raw{}, fmt.Errorf("%s: %w", place, err)
	}
	r := record.Raw{Entity: s.Name, Data: data, Place: place}
	vars := map[string]any{"record": rec}
	problem := func(what string, err error) { r.Problem = fmt.Sprintf("%s: %v", what, err) }
	text := func(p program, what string) string {
		if !p.given() {
			return ""
		}
		v, err := p.Run(vars)
		if err != nil {
			problem(what, err)
		}
		t, _ := v.(string)
		return t
	}
	r.ID = text(s.id, "id")
	r.Version = unquoteTag(text(s.version, "version"))
	if stamp := text(s.stamp, "stamp"); stamp != "" {
		var ok bool
		if r.Stamp, ok = stampTime(stamp); !ok {
			c.note("stream %s: a stamp is not a time that can be read; such records count as without one", s.Name)
		}
	}
	if s.deleted.given() {
		v, err := s.deleted.Run(vars)
		if err != nil {
			problem("deleted", err)
		}
		r.Deleted = v == true
	}
	if s.id.given() && strings.TrimSpace(r.ID) == "" && r.Problem == "" {
		problem("id", errors.New("the record has none"))
	}
	if r.Problem != "" {
		return unreadable(r), nil
	}
	return r, nil
}

func unreadable(r record.Raw) record.Raw {
	text := []rune(string(r.Data))
	if len(text) > 2000 {
		text = text[:2000]
	}
	data, _ := json.Marshal(map[string]string{"unreadable": string(text)}) // a text always encodes
	return record.Raw{Entity: r.Entity, ID: r.ID, Data: data, Place: r.Place, Problem: r.Problem}
}

// stampTime reads a time, or seconds or milliseconds since 1970.
func stampTime(s string) (time.Time, bool) {
	if t, _, ok := markTime(s); ok {
		return t.UTC(), true
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || n <= 0 || n > 1e14:
		return time.Time{}, false
	case n >= 1e12:
		return time.UnixMilli(n).UTC(), true
	}
	return time.Unix(n, 0).UTC(), true
}
