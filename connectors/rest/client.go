// Package rest is the declarative connector for JSON interfaces over HTTP: what
// a vendor needs stands in the configuration, so a new one needs no Go.
package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/internal/httpx"
	"touchstone/internal/record"
)

// Client speaks to one system. It is safe for concurrent use and keeps no state
// but its notes.
type Client struct {
	name    string
	opts    Options
	base    *url.URL
	http    *httpx.Client
	header  http.Header
	auth    *authority
	streams map[string]*stream
	rules   []rule
	message program

	mu    sync.Mutex
	notes []string
	anew  map[string]bool // streams whose pass was begun anew and is not over
}

// Parts are what a client is given to work with.
type Parts struct {
	HTTP   *httpx.Client     // made with Options.HTTP
	Token  *httpx.Client     // made with Options.TokenHTTP, where that is needed
	Keeper connectors.Keeper // where a rotating refresh token is kept; needed for that grant only
	Was    []string          // former names of the source: what is kept may stand under one
}

var (
	_ connectors.Puller    = (*Client)(nil)
	_ connectors.Pusher    = (*Client)(nil)
	_ connectors.Reader    = (*Client)(nil)
	_ connectors.KeyFinder = (*Client)(nil)
	_ connectors.Classed   = (*Client)(nil)
	_ connectors.Checker   = (*Client)(nil)
	_ connectors.Keyed     = (*Client)(nil)
)

// Open returns a connector for one source. It checks the options and does not
// connect. The client should be made with opts.HTTP().
func Open(name string, opts Options, client *httpx.Client) (*Client, error) {
	return OpenWith(name, opts, Parts{HTTP: client})
}

// OpenWith is Open for systems that need more than one client.
func OpenWith(name string, opts Options, parts Parts) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(opts.BaseURL, "/"))
	if err != nil || base.Host == "" {
		return nil, errors.New("open " + name + ": base_url is not an address")
	}
	c := &Client{name: name, opts: opts, base: base, http: parts.HTTP, streams: map[string]*stream{}, anew: map[string]bool{}}
	var problems config.Problems
	for _, s := range opts.Streams {
		compiled, p := compileStream(s)
		problems = append(problems, p...)
		if opts.Auth.Type == "query" {
			compiled.list.secretParam, compiled.gone.secretParam = opts.Auth.Query, opts.Auth.Query
		}
		c.streams[s.Name] = compiled
	}
	for _, r := range opts.Errors {
		compiled, p := compileRule(r)
		problems = append(problems, p...)
		c.rules = append(c.rules, compiled)
	}
	message, p := compileExpr(opts.Message, answerVars(), textKind)
	if p != nil {
		problems = append(problems, *p)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("open %s: %w", name, problems)
	}
	c.message, c.header = message, commonHeader(opts)
	if c.auth, problems = newAuthority(c, parts); len(problems) > 0 {
		return nil, fmt.Errorf("open %s: %w", name, problems)
	}
	return c, nil
}

func commonHeader(opts Options) http.Header {
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {"touchstone"}}
	for _, n := range opts.Headers {
		h.Set(n.Name, n.Value)
	}
	return h
}

// Notes tells once each what an admin should know about the system's ways: a
// filter that it ignores, a stamp that cannot be read.
func (c *Client) Notes() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.notes)
}

func (c *Client) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

func (c *Client) stream(name string) (*stream, error) {
	s, ok := c.streams[name]
	if !ok {
		return nil, fmt.Errorf("source %s has no stream %q", c.name, name)
	}
	return s, nil
}

// Writes says whether the configuration declares an operation of an entity.
func (c *Client) Writes(entity string, op record.Op) bool {
	s, ok := c.streams[entity]
	if !ok {
		return false
	}
	_, err := s.writeFor(op)
	return err == nil
}

// Class says what the system promises for an entity's writes.
func (c *Client) Class(entity string) connectors.Class {
	s, ok := c.streams[entity]
	if !ok {
		return connectors.Class{}
	}
	return connectors.Class{
		IdempotencyKey: s.Idempotency != "",
		KeyLife:        duration(s.Class.KeyLife),
		UniqueKey:      s.Class.UniqueKey,
		Conditional:    s.Precondition == "etag",
		Searchable:     s.Class.Searchable && s.find.given(),
		Queued:         s.create.batch.job.given() || s.upsert.batch.job.given(),
		MaxRequestLife: duration(s.Class.MaxRequestLife),
	}
}

// KeyField is where an entity's objects carry our key: what create, or else
// upsert, declares as external_key.
func (c *Client) KeyField(entity string) string {
	s, ok := c.streams[entity]
	if !ok {
		return ""
	}
	return s.keyField()
}

func (s *stream) keyField() string { return cmp.Or(s.Create.ExternalKey, s.Upsert.ExternalKey) }

// Check reads the first page of the first stream that has a list.
func (c *Client) Check(ctx context.Context) error {
	for _, s := range c.opts.Streams {
		if s.List.Path == "" {
			continue
		}
		if _, err := c.Pull(ctx, s.Name, nil); err != nil {
			return fmt.Errorf("check %s: %w", c.name, err)
		}
		return nil
	}
	return fmt.Errorf("check %s: no stream has a list to try", c.name)
}

// address fills a request's path and query in. A value that would change the
// path's shape is refused.
func (c *Client) address(r request, vars map[string]any) (*url.URL, error) {
	var bad bool
	path, err := r.path.RenderWith(vars, func(s string) string {
		bad = bad || s == "" || s == "." || s == ".."
		return url.PathEscape(s)
	})
	if err != nil {
		return nil, fmt.Errorf("path: %w", err)
	}
	if bad {
		return nil, errors.New("path: a part that is filled in is empty or a dot")
	}
	u := *c.base
	u.RawPath = u.EscapedPath() + path
	if u.Path, err = url.PathUnescape(u.RawPath); err != nil {
		return nil, errors.New("path: is not well escaped")
	}
	q := url.Values{}
	for _, p := range r.query {
		v, err := p.value.Render(vars)
		if err != nil {
			return nil, fmt.Errorf("query %s: %w", p.name, err)
		}
		if v != "" {
			q.Set(p.name, v)
		}
	}
	u.RawQuery = q.Encode()
	return &u, nil
}

// answer is a parsed answer of the system.
type answer struct {
	*httpx.Answer
	body   any
	isJSON bool // body is what the server sent, or it sent none
}

func (a answer) vars() map[string]any {
	header := make(map[string]any, len(a.Header))
	for k, v := range a.Header {
		header[strings.ToLower(k)] = strings.Join(v, ", ")
	}
	return map[string]any{"body": a.body, "status": int64(a.Status), "header": header}
}

func (a answer) etag() string { return unquoteTag(a.Header.Get("ETag")) }

// call is one request before it is signed.
type call struct {
	method string
	url    *url.URL
	header http.Header
	body   nest   // nil: none
	safe   bool   // a read, whatever its method
	route  string // the form of the path, for traces
}

// send signs a request and sends it. The token that it was signed with comes
// back, for the case that it is refused.
func (c *Client) send(ctx context.Context, q call) (out answer, token string, err error) {
	h := c.header.Clone()
	for k, v := range q.header {
		h[k] = v
	}
	u, body := *q.url, q.body
	if token, err = c.auth.sign(ctx, h, &u, &body); err != nil {
		return answer{}, "", err
	}
	r := httpx.Request{Method: q.method, URL: u.String(), Header: h, Safe: q.safe, Route: q.route}
	if body != nil {
		h.Set("Content-Type", "application/json")
		if r.Body, err = encode(body); err != nil {
			return answer{}, token, &bodyError{err}
		}
	}
	a, err := c.http.Do(ctx, r)
	if err != nil {
		return answer{}, token, err
	}
	out, err = read(a)
	return out, token, err
}

// bodyError is a body that cannot be written: the values are at fault.
type bodyError struct{ error }

func (e *bodyError) Unwrap() error { return e.error }

func read(a *httpx.Answer) (answer, error) {
	out := answer{Answer: a, isJSON: true}
	if len(a.Body) > 0 {
		var err error
		out.body, err = decode(a.Body)
		out.isJSON = err == nil
	}
	return out, nil
}

// ask sends a read. A refused token that can be renewed is, once, and the read
// is sent again.
func (c *Client) ask(ctx context.Context, s *stream, q call) (answer, meaning, error) {
	for again := false; ; again = true {
		a, token, err := c.send(ctx, q)
		if err != nil {
			return a, meaning{}, waitOf(err)
		}
		m, err := c.meaningOf(s, a)
		if err != nil || again || !c.stale(m, a) {
			return a, m, err
		}
		if err := c.auth.renew(ctx, token); err != nil {
			return a, m, err
		}
	}
}

// stale says that an answer may only mean that the token is too old.
func (c *Client) stale(m meaning, a answer) bool {
	return c.auth.renews() && m.class == "auth" && (a.Status == http.StatusUnauthorized || m.rule)
}

// waitOf makes a limit of ours that is used up look like one of the system.
func waitOf(err error) error {
	var he *httpx.Error
	if errors.As(err, &he) && he.After > 0 {
		return &connectors.RateLimited{After: he.After, Err: err}
	}
	return err
}

// decode reads one JSON value with exact numbers.
func decode(b []byte) (any, error) {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, errors.New("is not JSON")
	}
	if d.More() {
		return nil, errors.New("has more than one JSON value")
	}
	return v, nil
}

// encode writes a value as JSON: members sorted, numbers as they came, nothing
// escaped for HTML, so that equal values give equal bytes.
func encode(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, errors.New("a value cannot be written as JSON")
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

// unquoteTag and quoteTag turn an entity tag (RFC 9110, 8.8.3) into the version
// we keep and back. A weak tag keeps its mark.
func unquoteTag(tag string) string {
	if len(tag) >= 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		return tag[1 : len(tag)-1]
	}
	return tag
}

func quoteTag(version string) string {
	if strings.HasPrefix(version, "W/") || strings.HasPrefix(version, `"`) || version == "*" {
		return version
	}
	return `"` + version + `"`
}
