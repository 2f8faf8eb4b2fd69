package rest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/internal/env"
	"touchstone/internal/httpx"
	"touchstone/internal/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "canary-Zk3hJ9-token"

// company is a stream as the generic CRM speaks it; tests change lines of it.
const company = `
base_url: URL
auth: {type: bearer, token: "${env:CRM_TOKEN}"}
requester: {timeout: 1s, max_body: 1MiB, limit: {concurrency: 4}}
message: 'body.error.message'
streams:
  company:
    list: {path: /companies, query: {limit: "100", updated_since: "{{ cursor }}"}, records: 'body.items', start: ""}
    paginator: {type: cursor, token: 'body.next_cursor', inject: {query: cursor}}
    incremental: {cursor: 'record.updated_at', lookback: 0s, inclusive: true}
    id: 'record.id'
    version: 'record.etag'
    stamp: 'record.updated_at'
    deleted: 'record.deleted'
    read: {path: '/companies/{{ id }}', record: 'body'}
    find_by_key: {path: /companies, query: {external_id: '{{ key }}'}, records: 'body.items'}
    create: {method: POST, path: /companies, external_key: external_id, record: 'body'}
    update: {method: PATCH, path: '/companies/{{ id }}', record: 'body'}
    upsert: {method: PUT, path: '/companies/by-external-id/{{ key }}', record: 'body'}
    precondition: etag
    idempotency: Idempotency-Key
    class: {key_life: 24h, unique_key: true, searchable: true, max_request_life: 60s}
    success: 'body.error == nil'
error_handler:
  - {status: 409, when: 'body.error.code == "duplicate"', class: exists, id: 'body.error.existing_id'}
  - {status: 412, class: conflict}
  - {status: 422, class: rejected}
`

// options decodes a source's block as the daemon does.
func options(t testing.TB, block, url string) (Options, error) {
	t.Helper()
	var b strings.Builder
	b.WriteString("sources:\n  crm:\n    type: rest\n    entities: {company: {map: {name: 'record.name'}}}\n")
	for line := range strings.Lines(strings.ReplaceAll(strings.TrimPrefix(block, "\n"), "URL", url)) {
		b.WriteString("    " + line)
	}
	cfg, err := config.Parse("test.yaml", []byte(b.String()), config.Options{Env: func(string) (string, bool) { return secret, true }})
	if err != nil {
		t.Fatalf("the file around the block: %v", err)
	}
	return Decode(cfg.Sources[0].Options)
}

type seen struct {
	Method, URL, Body string
	Header            http.Header
}

// system is a server with a log of what it was asked.
type system struct {
	*httptest.Server
	mu  sync.Mutex
	log []seen
}

func serve(t testing.TB, answer http.HandlerFunc) *system {
	t.Helper()
	s := &system{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		s.log = append(s.log, seen{r.Method, r.URL.String(), string(body), r.Header.Clone()})
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *system) asked() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.log...)
}

func (s *system) count(method string) (n int) {
	for _, l := range s.asked() {
		if l.Method == method {
			n++
		}
	}
	return n
}

func open(t testing.TB, block, url string) *Client {
	t.Helper()
	o, err := options(t, block, url)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	return openIn(t, o, env.Real(), nil)
}

// openIn opens a client in a given world.
func openIn(t testing.TB, o Options, world env.Env, keeper connectors.Keeper) *Client {
	t.Helper()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(tr.CloseIdleConnections)
	world.HTTP = tr
	parts := Parts{Keeper: keeper}
	made := func(cfg httpx.Config) *httpx.Client {
		cfg.Log = slog.New(slog.DiscardHandler)
		h, err := httpx.New(world, cfg)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	parts.HTTP = made(o.HTTP())
	if cfg, needed := o.TokenHTTP(); needed {
		parts.Token = made(cfg)
	}
	c, err := OpenWith("crm", o, parts)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return c
}

// fastClock is a clock whose sleeps take no time.
type fastClock struct {
	mu  sync.Mutex
	now time.Time
}

func newFastClock() *fastClock {
	return &fastClock{now: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)}
}

func (c *fastClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *fastClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(max(d, 0))
	return ctx.Err()
}

// openFast opens a client on a clock whose sleeps take no time.
func openFast(t testing.TB, block, url string, keeper connectors.Keeper) (*Client, *fastClock) {
	t.Helper()
	o, err := options(t, block, url)
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	world, clock := env.Real(), newFastClock()
	world.Clock = clock
	return openIn(t, o, world, keeper), clock
}

// edited changes lines of a block, each of which has to be there.
func edited(t testing.TB, block string, oldNew ...string) string {
	t.Helper()
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(block, oldNew[i]) {
			t.Fatalf("%q is not in the block", oldNew[i])
		}
		block = strings.Replace(block, oldNew[i], oldNew[i+1], 1)
	}
	return block
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// pages answers a list by the token asked for: "" first.
func pages(byToken map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, ok := byToken[r.URL.Query().Get("cursor")]
		if !ok {
			reply(w, 500, `{"error":{"message":"no such page"}}`)
			return
		}
		reply(w, 200, body)
	}
}

func item(id, stamp string) string {
	return fmt.Sprintf(`{"id":%q,"name":"N%s","updated_at":%q,"etag":"v1"}`, id, id, stamp)
}

func list(next string, items ...string) string {
	if next != "null" {
		next = `"` + next + `"`
	}
	return fmt.Sprintf(`{"items":[%s],"next_cursor":%s}`, strings.Join(items, ","), next)
}

// pass pulls until the pass ends or fails.
func pass(t testing.TB, c *Client, cursor []byte) (ids []string, last []byte, n int, err error) {
	t.Helper()
	for n = 1; n <= 1000; n++ {
		p, err := c.Pull(t.Context(), "company", cursor)
		if err != nil {
			return ids, cursor, n, err
		}
		for _, r := range p.Records {
			ids = append(ids, r.ID)
		}
		cursor = p.Cursor
		if !p.More {
			return ids, cursor, n, nil
		}
	}
	t.Fatal("the pass did not end within 1000 pages")
	return nil, nil, 0, nil
}

func push(t testing.TB, c *Client, changes ...record.Change) []connectors.Result {
	t.Helper()
	results, err := c.Push(t.Context(), changes)
	if err != nil || len(results) != len(changes) {
		t.Fatalf("Push of %d gave %d results, %v", len(changes), len(results), err)
	}
	for i, r := range results {
		if r.Row != changes[i].Row || r.Outcome != connectors.Applied && r.Err == nil {
			t.Errorf("result %d is %+v, want row %s and a reason unless applied", i, r, changes[i].Row)
		}
		if r.Err != nil && strings.Contains(r.Err.Error(), secret) {
			t.Errorf("result %d: the error holds the secret: %v", i, r.Err)
		}
	}
	return results
}

func create() record.Change {
	return record.Change{Row: "r1", Entity: "company", Op: record.Create, Key: "g-1", Idempotency: "i-1", Fields: map[string]any{"name": "Secret Customer Ltd", "address.city": "上海", "address.line": nil, "employees": 12}}
}

func update() record.Change {
	return record.Change{Row: "r2", Entity: "company", Op: record.Update, ExternalID: "c 1/x", Key: "g-1", Idempotency: "i-2", Precondition: "v7", Fields: map[string]any{"phone": "+4420"}}
}
