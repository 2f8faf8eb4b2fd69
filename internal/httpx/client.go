// Package httpx is the only HTTP client of connectors. It bounds everything:
// time, body, headers, redirects, rate, concurrency. Reads are retried twice at
// most and shortly; writes are never sent twice.
package httpx

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"touchstone/internal/env"
	"touchstone/internal/trace"
)

// Defaults and hard bounds.
const (
	DefaultTimeout = 30 * time.Second
	DefaultMaxBody = 16 << 20
	MaxRetryAfter  = 15 * time.Minute // a longer wish of the server is cut to this

	maxRetries   = 2
	maxRetryWait = 2 * time.Second
	maxRedirects = 5
	maxHeaders   = 64 << 10
)

// Config bounds a client. A zero value means the default.
type Config struct {
	// Origin, if set, is the scheme and host (https://api.example.com) that all
	// requests must go to; any other is refused before a byte is sent.
	Origin string
	// Timeout bounds one request with its retries and its body, but not its
	// wait for the limit.
	Timeout time.Duration
	// MaxBody bounds an answer's body after it is inflated.
	MaxBody int64
	Limit   Limit
	Limits  []Limit // further ones; a request keeps all that it falls under
	Log     *slog.Logger
}

// Limit is how often and how much at once the other side wants to be asked.
// Zero means no limit.
type Limit struct {
	Requests    int // weight in any span of Per
	Per         time.Duration
	Concurrency int
	// Method and Path say which requests the limit is for; empty is all. Path is
	// compared with the whole path; * stands for any run of characters.
	Method, Path string
	Weight       int // what one request costs of Requests; 0 is 1
	// Remaining and Reset name headers of answers: how much is left, and when the
	// limit opens again (seconds from now, seconds or milliseconds since 1970, or
	// a date). With nothing left no request goes before.
	Remaining, Reset string
}

// Client sends requests. It is safe for concurrent use.
type Client struct {
	cfg    Config
	origin *url.URL
	env    env.Env
	http   *http.Client
	gates  gates
}

// Request is one request. Header and Body are sent as they are on every attempt.
type Request struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
	// Safe says that the request changes nothing although its method is one of
	// writes (a search by POST): it may be sent again like a read.
	Safe bool
	// Route is the address's path as it was declared, before anything was filled
	// in, for traces; "" shows none.
	Route string
}

func (r Request) isRead() bool { return r.Safe || isRead(r.Method) }

// Answer is what the server said, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // inflated and whole: a cut body is an error
	// RetryAfter is how long the server asked to wait, at most MaxRetryAfter; 0
	// if it did not say.
	RetryAfter time.Duration
}

// New returns a client on e's transport and clock.
func New(e env.Env, cfg Config) (*Client, error) {
	cfg.Timeout = cmp.Or(cfg.Timeout, DefaultTimeout)
	cfg.MaxBody = cmp.Or(cfg.MaxBody, DefaultMaxBody)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{cfg: cfg, env: e, gates: newGates(e.Clock, append([]Limit{cfg.Limit}, cfg.Limits...))}
	if cfg.Origin != "" {
		u, err := url.Parse(cfg.Origin)
		if err != nil || u.Host == "" {
			return nil, errors.New("origin of the HTTP client: want scheme://host")
		}
		c.origin = u
	}
	c.http = &http.Client{Transport: shared{e.HTTP}, CheckRedirect: checkRedirect}
	return c, nil
}

// Clock is the clock that the client waits by.
func (c *Client) Clock() env.Clock { return c.env.Clock }

// Do sends a request and reads the whole answer. Every status is an answer, not
// an error: 429 too. Every error is an *Error.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	u, err := c.address(r)
	if err != nil {
		return nil, err
	}
	op := r.Method + " " + shown(u)
	ctx, span := traced(ctx, r, u)
	answer, err := c.gated(ctx, r, u, op)
	endTrace(span, answer, err)
	return answer, err
}

// gated sends a request when the limits let it.
func (c *Client) gated(ctx context.Context, r Request, u *url.URL, op string) (*Answer, error) {
	limits := c.gates.of(r.Method, u.Path)
	asked := c.env.Clock.Now()
	leave, err := limits.enter(ctx)
	if err != nil {
		return nil, waitError(op, err)
	}
	defer leave()

	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var sent sentinel
	req, err := newRequest(httptrace.WithClientTrace(ctx, sent.trace()), r, u)
	if err != nil {
		return nil, &Error{Op: op, Reason: "the request cannot be made", NotSent: true}
	}
	start := c.env.Clock.Now()
	if waited := start.Sub(asked); waited >= time.Millisecond {
		trace.From(ctx).Set(trace.Int("touchstone.waited_ms", waited.Milliseconds()))
	}
	answer, err := c.send(ctx, req, r, op, limits, &sent)
	end := c.env.Clock.Now()
	took := end.Sub(start)
	if err != nil {
		c.cfg.Log.DebugContext(ctx, "http request failed", "request", op, "took", took, "err", err)
		return nil, err
	}
	for _, g := range limits {
		g.learn(answer.Header, end)
	}
	c.cfg.Log.DebugContext(ctx, "http request", "request", op, "status", answer.Status, "bytes", len(answer.Body), "took", took)
	return answer, nil
}

func (c *Client) address(r Request) (*url.URL, error) {
	u, err := url.Parse(r.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, &Error{Op: r.Method, Reason: "the address is not http://… or https://…", NotSent: true}
	}
	if c.origin != nil && !sameOrigin(u, c.origin) {
		return nil, &Error{Op: r.Method + " " + shown(u), Reason: "the address is not on " + c.origin.Host, NotSent: true, cause: ErrOtherHost}
	}
	return u, nil
}

// newRequest makes the request so that net/http cannot send a write again by
// itself: without GetBody it may not rewind, whatever headers say.
func newRequest(ctx context.Context, r Request, u *url.URL) (*retryablehttp.Request, error) {
	hr, err := http.NewRequestWithContext(ctx, r.Method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	for k, v := range r.Header {
		hr.Header[http.CanonicalHeaderKey(k)] = v
	}
	trace.Inject(ctx, hr.Header)
	hr.Header.Set("Accept-Encoding", "gzip") // inflated by us, under MaxBody
	req, err := retryablehttp.FromRequest(hr)
	if err != nil {
		return nil, err
	}
	if r.Body != nil || !isRead(r.Method) {
		if err := req.SetBody(retryablehttp.ReaderFunc(func() (io.Reader, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil })); err != nil {
			return nil, err
		}
		req.ContentLength = int64(len(r.Body))
	}
	req.GetBody = nil
	return req, nil
}

func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }

func (c *Client) send(ctx context.Context, req *retryablehttp.Request, r Request, op string, limits gates, sent *sentinel) (*Answer, error) {
	retries := &retryPolicy{env: c.env, gates: limits, read: r.isRead()}
	rc := retryablehttp.Client{
		HTTPClient: c.http, RetryMax: maxRetries, CheckRetry: retries.check,
		Backoff: func(_, _ time.Duration, attempt int, resp *http.Response) time.Duration {
			return retries.wait(ctx, attempt, resp)
		},
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
	}
	resp, err := rc.Do(req)
	if retries.done > 0 {
		trace.From(ctx).Set(trace.Int("http.request.resend_count", retries.done))
	}
	if resp != nil {
		defer func() { _ = resp.Body.Close() }() // read whole or given up: there is no more to learn
	}
	if err != nil {
		return nil, newError(ctx, op, err, sent)
	}
	if size := headerSize(resp.Header); size > maxHeaders {
		return nil, &Error{Op: op, Reason: fmt.Sprintf("the answer has %d bytes of headers, want at most %d", size, maxHeaders)}
	}
	body, err := readBody(resp, r.Method, c.cfg.MaxBody)
	if err != nil {
		return nil, newError(ctx, op, err, sent)
	}
	return &Answer{Status: resp.StatusCode, Header: resp.Header, Body: body, RetryAfter: retryAfter(resp.Header, c.env.Clock.Now())}, nil
}

// shared hides the transport's CloseIdleConnections: a request that fails here
// must not close the connections of every other client.
type shared struct{ http.RoundTripper }

// sentinel notes whether a connection was ever had: before that, nothing can
// have been sent.
type sentinel struct{ asked, got atomic.Bool }

func (s *sentinel) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { s.asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { s.got.Store(true) },
	}
}

func (s *sentinel) nothing() bool { return s.asked.Load() && !s.got.Load() }

func headerSize(h http.Header) (n int) {
	for k, vs := range h {
		for _, v := range vs {
			n += len(k) + len(v) + 4
		}
	}
	return n
}
