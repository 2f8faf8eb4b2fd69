package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"touchstone/config"
	"touchstone/connectors/all"
	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
	"touchstone/internal/store/pgtest"
	"touchstone/internal/store/storetest"
)

// TestMain lets the heap grow: the tests open hundreds of stores, and reading
// the migrations takes large buffers each time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	debug.SetMemoryLimit(4 << 30) // some tests hold values of ten million bytes: with 2 GiB half of the CPU time was the collector's
	os.Exit(pgtest.Main(m))
}

// onBoth runs a scenario on a SQLite file and on PostgreSQL.
func onBoth(t *testing.T, scenario func(t *testing.T, dsn string)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		scenario(t, "")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		scenario(t, storetest.Postgres(t))
	})
}

// clock is virtual: it moves a millisecond when it is read, and sleeping only
// moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	c.now = c.now.Add(max(d, 0))
	c.mu.Unlock()
	return ctx.Err()
}

// world is one installation with the systems around it.
type world struct {
	*testing.T
	dir     string // data folder
	dsn     string // "" for SQLite in the data folder
	yaml    string
	clock   *clock
	env     env.Env
	systems map[string]*simulated
	app     *App
	log     *bytes.Buffer
	opts    Options // Batch, Cap, Names and Bulk
}

// simulated is one simulated system, judged by its own log.
type simulated struct {
	t   *testing.T
	sys *simulator.System
	url string
	// before answers a request in the system's place and says so; nil for never.
	before func(http.ResponseWriter, *http.Request) bool
}

func newWorld(t *testing.T, dsn string) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), dsn: dsn, systems: map[string]*simulated{}, log: &bytes.Buffer{}}
	w.clock = &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	random := rand.NewChaCha8([32]byte{5})
	var mu sync.Mutex
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	w.env = env.Env{Clock: w.clock, HTTP: transport, Rand: func(p []byte) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = random.Read(p)
	}}
	return w
}

// start opens a simulated system that holds the given companies.
func (w *world) start(p simulator.Profile, companies ...string) *simulated {
	w.Helper()
	seed := simulator.Seed{"companies": {}}
	for _, c := range companies {
		seed["companies"] = append(seed["companies"], json.RawMessage(c))
	}
	return w.startSeeded(p, seed)
}

// startSeeded opens a simulated system.
func (w *world) startSeeded(p simulator.Profile, seed simulator.Seed) *simulated {
	w.Helper()
	if p.Clock == nil {
		p.Clock = w.clock
	}
	sys, err := simulator.Open(w.TempDir(), p, seed)
	if err != nil {
		w.Fatal(err)
	}
	s := &simulated{t: w.T, sys: sys}
	handler := sys.Handler()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if s.before == nil || strings.HasPrefix(r.URL.Path, "/_admin") || !s.before(rw, r) {
			handler.ServeHTTP(rw, r)
		}
	}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.Start()
	w.Cleanup(func() {
		srv.Close()
		if err := sys.Close(); err != nil {
			w.Errorf("close %s: %v", p.Name, err)
		}
	})
	s.url = srv.URL
	w.systems[p.Name] = s
	return s
}

// open reads the configuration and opens the installation, as a process does
// that starts.
func (w *world) open() {
	w.Helper()
	cfg, err := w.parse()
	if err != nil {
		w.Fatalf("configuration: %v", err)
	}
	w.emptyStore(cfg)
	if w.app, err = Open(w.Context(), cfg, Options{
		Dir: filepath.Join(w.dir, "data"), Store: w.dsn, Env: w.env, Batch: w.opts.Batch, Cap: w.opts.Cap, Names: w.opts.Names, Bulk: w.opts.Bulk,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}); err != nil {
		w.Fatalf("open: %v", err)
	}
	a := w.app
	w.Cleanup(func() {
		if w.app == a {
			w.close()
		}
	})
	if err := a.Start(w.Context()); err != nil {
		w.Fatalf("start: %v", err)
	}
}

// emptyStore puts a store into the data folder where there is none yet: that is quicker
// than making one.
func (w *world) emptyStore(cfg *config.Config) {
	w.Helper()
	if w.dsn != "" || !cfg.Store.Postgres.IsZero() || filepath.IsAbs(cfg.Store.Path) {
		return
	}
	path := filepath.Join(w.dir, "data", cfg.Store.Path)
	if _, err := os.Stat(path); err == nil {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.Fatal(err)
	}
	storetest.SQLite(w, path)
}

func (w *world) parse() (*config.Config, error) {
	file := filepath.Join(w.dir, "touchstone.yaml")
	return config.Parse(file, []byte(w.yaml), config.Options{Connectors: all.Checks(all.Deps{Env: w.env, Log: slog.New(slog.DiscardHandler), Dir: w.dir})})
}

func (w *world) close() {
	w.Helper()
	if err := w.app.Close(); err != nil {
		w.Errorf("close: %v", err)
	}
	w.app = nil
}

// restart closes the installation and opens it with another configuration, or
// the same one for "".
func (w *world) restart(yaml string) {
	w.Helper()
	if yaml != "" {
		w.yaml = yaml
	}
	w.close()
	w.open()
}

// pass runs one pass and checks that its counts add up.
func (w *world) pass() Summary {
	w.Helper()
	s, err := w.app.Pass(w.Context(), nil)
	if err != nil {
		w.Fatalf("pass: %v\n%s", err, w.log)
	}
	if s.Pulled != s.Stored+s.Unchanged+s.Echo+s.Quarantined+s.Filtered {
		w.Errorf("counts do not add up: pulled %d, stored %d + unchanged %d + echo %d + quarantined %d + filtered %d",
			s.Pulled, s.Stored, s.Unchanged, s.Echo, s.Quarantined, s.Filtered)
	}
	return s
}

// clean is a pass without any problem.
func (w *world) clean() Summary {
	w.Helper()
	s := w.pass()
	if len(s.Problems) > 0 {
		w.Fatalf("pass: problems %q, want none\n%s", s.Problems, w.log)
	}
	return s
}

// later lets virtual time go by in passes of ten minutes each.
func (w *world) later(d time.Duration) {
	w.Helper()
	for ; d > 0; d -= 10 * time.Minute {
		w.sleep(10 * time.Minute)
		w.pass()
	}
}

// sleep moves the clock.
func (w *world) sleep(d time.Duration) {
	w.Helper()
	if err := w.clock.Sleep(w.Context(), d); err != nil {
		w.Fatal(err)
	}
}

// plan pulls and resolves, and delivers nothing.
func (w *world) plan() {
	w.Helper()
	if err := w.app.PullAll(w.Context()); err != nil {
		w.Fatalf("pull: %v", err)
	}
	if err := w.app.Resolve(w.Context(), func(string, string, int) {}); err != nil {
		w.Fatalf("resolve: %v", err)
	}
}

// end is what must hold after every scenario: with nothing new from outside
// nothing is written, and what is derived equals its recomputation.
func (w *world) end() {
	w.Helper()
	w.later(10 * time.Minute)
	before := w.written()
	w.later(10 * time.Minute)
	if after := w.written(); after != before {
		w.Errorf("%d writes came without anything new from outside", after-before)
	}
	w.verify()
}

func (w *world) written() (n int) {
	for _, s := range w.systems {
		n += len(s.applied("api"))
	}
	return n
}

func (w *world) verify() {
	w.Helper()
	v, err := w.app.Verify(w.Context(), nil)
	if err != nil {
		w.Fatalf("verify: %v", err)
	}
	if v.Rows == 0 || len(v.Differences) > 0 {
		w.Errorf("verify compared %d rows, differences %+v; want some rows, no difference", v.Rows, v.Differences)
	}
}

// golden gives the golden record of a source record: "crm/company/c1".
func (w *world) golden(ref string) Shown {
	w.Helper()
	g, err := w.app.Golden(w.Context(), ref)
	if err != nil {
		w.Fatalf("golden record of %s: %v", ref, err)
	}
	return g
}

// value is a golden field as text: a list gives its first entry.
func (w *world) value(ref, field string) string {
	w.Helper()
	return firstValue(w.golden(ref).Fields[field])
}

func firstValue(v record.Value) string {
	if v.Kind == record.List {
		if len(v.Points) == 0 {
			return ""
		}
		return v.Points[0].Value
	}
	return v.Text
}

func (w *world) wantValue(ref, field, want string) {
	w.Helper()
	if got := w.value(ref, field); got != want {
		g := w.golden(ref)
		w.Errorf("golden %s of %s = %q (%+v), want %q", field, ref, got, g.Provenance[field], want)
	}
}

// members lists the references behind the golden record of ref, joined.
func (w *world) members(ref string) string {
	w.Helper()
	var list []string
	for _, m := range w.golden(ref).Members {
		list = append(list, m.Ref)
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// rec is a source record's landing number.
func (w *world) rec(ref string) int64 {
	w.Helper()
	r, err := record.ParseRef(ref)
	if err != nil {
		w.Fatal(err)
	}
	r.Source = w.app.SourceUID(r.Source)
	n, err := w.app.Store.Rec(w.Context(), r)
	if err != nil {
		w.Fatalf("%s: %v", ref, err)
	}
	return n
}

func (w *world) rule(kind, a, b string) string {
	w.Helper()
	id, err := w.app.Store.Rule(w.Context(), store.Ruling{Kind: kind, A: w.rec(a), B: w.rec(b), Who: "steward", Why: "looked at both"})
	if err != nil {
		w.Fatal(err)
	}
	return id
}

// rows lists a target's outbox rows in a state.
func (w *world) rows(target, state string) []store.Row {
	w.Helper()
	list, err := w.app.Store.Rows(w.Context(), target, state, 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	return list
}

// states counts a target's outbox rows by state, as text.
func (w *world) states(target string) string {
	w.Helper()
	var parts []string
	for _, s := range []string{
		store.Pending, store.Inflight, store.Unknown, store.Delivered, store.Rejected,
		store.Conflicted, store.Dead, store.Superseded,
	} {
		if n := len(w.rows(target, s)); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", s, n))
		}
	}
	return strings.Join(parts, ", ")
}

// applied lists what really happened there, by api (us) or human.
func (s *simulated) applied(actor string) (out []simulator.Applied) {
	s.t.Helper()
	list, err := s.sys.Applied()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, a := range list {
		if a.Actor == actor {
			out = append(out, a)
		}
	}
	return out
}

// changes lists what our writes really changed, one text a field, in order.
func (s *simulated) changes() []string {
	s.t.Helper()
	var out []string
	for _, a := range s.applied("api") {
		var fields []string
		for p, c := range a.Fields {
			if p != "external_id" {
				fields = append(fields, fmt.Sprintf("%s %s: %v → %v", a.ID, p, c.Old, c.New))
			}
		}
		slices.Sort(fields)
		out = append(out, fields...)
	}
	return out
}

// created counts the objects that we made.
func (s *simulated) created() (n int) {
	for _, a := range s.applied("api") {
		if a.Created {
			n++
		}
	}
	return n
}

// edit is a person's change: fields of an object, or a new object for id "".
func (s *simulated) edit(id string, fields map[string]any) string {
	s.t.Helper()
	return s.admin(http.MethodPost, "edit", map[string]any{"object": "companies", "id": id, "fields": fields})
}

// remove is a person's deletion.
func (s *simulated) remove(id string) {
	s.t.Helper()
	s.admin(http.MethodPost, "edit", map[string]any{"object": "companies", "id": id, "delete": true})
}

func (s *simulated) admin(method, what string, body any) string {
	s.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/_admin/"+what, bytes.NewReader(b))
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s, %v", method, what, res.StatusCode, text, err)
	}
	var o struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(text, &o) // only edits answer with an object
	return o.ID
}

// faults replaces the system's faults.
func (s *simulated) faults(list ...simulator.Fault) {
	s.t.Helper()
	if err := s.sys.SetFaults(list); err != nil {
		s.t.Fatal(err)
	}
}

// objects gives the live companies by id.
func (s *simulated) objects() map[string]map[string]any {
	s.t.Helper()
	b, err := s.sys.State()
	if err != nil {
		s.t.Fatal(err)
	}
	var state struct {
		Companies struct {
			Items []map[string]any `json:"items"`
		} `json:"companies"`
	}
	if err := json.Unmarshal(b, &state); err != nil {
		s.t.Fatal(err)
	}
	out := map[string]map[string]any{}
	for _, o := range state.Companies.Items {
		if o["deleted"] != true {
			out[o["id"].(string)] = o
		}
	}
	return out
}

// want checks one field of an object; nil is null or missing.
func (s *simulated) want(id, field string, want any) {
	s.t.Helper()
	if got := s.objects()[id][field]; got != want {
		s.t.Errorf("%s %s = %v, want %v", id, field, got, want)
	}
}

// class is what a system of the tests promises, in its profile and in the
// configuration alike.
type class struct {
	idempotency, unique, etag, search bool
}

// profile is a system with the CRM's fields and this class's promises.
func (c class) profile(name string) simulator.Profile {
	p := simulator.CRM()
	p.Name, p.Token = name, "token-of-"+name
	p.IdempotencyKeys, p.UniqueExternalID, p.ETag = c.idempotency, c.unique, c.etag
	return p
}

// everything is a system that promises all.
var everything = class{idempotency: true, unique: true, etag: true, search: true}

// source is the configuration of a system whose objects have the CRM's fields.
func (c class) source(name, url string) string {
	var more string
	if c.search || c.unique {
		more += "\n        find_by_key: {path: /companies, query: {external_id: '{{ key }}'}, records: 'body.items'}"
	}
	if c.etag {
		more += "\n        precondition: etag"
	}
	if c.idempotency {
		more += "\n        idempotency: Idempotency-Key"
	}
	return strings.NewReplacer("NAME", name, "URL", url, "MORE", more, "UNIQUE", fmt.Sprint(c.unique), "SEARCH", fmt.Sprint(c.search)).Replace(`
  NAME:
    type: rest
    base_url: "URL"
    auth: {type: bearer, token: token-of-NAME}
    message: 'body.error.message'
    streams:
      company:
        list: {path: /companies, query: {limit: "100", updated_since: "{{ cursor }}"}, records: 'body.items'}
        paginator: {type: cursor, token: 'body.next_cursor', inject: {query: cursor}}
        incremental: {cursor: 'record.updated_at', inclusive: true}
        id: 'record.id'
        version: 'record.etag'
        stamp: 'record.updated_at'
        deleted: 'record.deleted'
        read: {path: '/companies/{{ id }}', record: 'body'}
        create: {method: POST, path: /companies, external_key: external_id, record: 'body'}
        update: {method: PATCH, path: '/companies/{{ id }}', record: 'body'}
        upsert: {method: PUT, path: '/companies/by-external-id/{{ key }}', record: 'body'}
        class: {key_life: 24h, unique_key: UNIQUE, searchable: SEARCH, max_request_life: 60s}
        success: 'body.error == nil'MORE
    error_handler:
      - {status: 409, when: 'body.error.code == "duplicate"', class: exists, id: 'body.error.existing_id'}
      - {status: 412, class: conflict}
      - {status: 422, class: rejected}
    entities:
      company:
        map:
          name: 'record.name'
          phone: 'record.phone'
          email: 'record.email'
          website: 'record.website'
          address: {line: 'record.street', city: 'record.city', region: 'record.region', postcode: 'record.postcode', country: 'record.country'}
          industry: 'record.industry'
          employees: 'record.employees'
        volatile: [/etag, /updated_at]`)
}

const survive = `
entities:
  company:
    survive: {phones: [most_recent], emails: [most_recent], website: [most_recent], industry: [most_recent], name: [source_rank]}
`

// contact is a target that owns a company's contact data.
func contact(name, system, policy string) string {
	return fmt.Sprintf(`
  %s:
    system: %s
    entity: company
    policy: %s
    owns: [phone, email, website]
    map: {name: 'golden.name', phone: 'golden.phones[0].value', email: 'golden.emails[0].value', website: 'golden.website'}
    brake: 100%%
    approve: auto`, name, system, policy)
}

// two is a world of a crm and a desk that promise everything, the desk being
// written to.
func two(t *testing.T, dsn string, crm, desk []string) (w *world, c, d *simulated) {
	t.Helper()
	w = newWorld(t, dsn)
	c = w.start(everything.profile("crm"), crm...)
	d = w.start(everything.profile("desk"), desk...)
	w.yaml = "sources:" + everything.source("crm", c.url) + everything.source("desk", d.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
	return w, c, d
}

// acme is a company with whatever else it says.
func acme(id, updated, more string) string {
	return fmt.Sprintf(`{"id":%q,"updated_at":"2026-01-0%sT00:00:00Z","name":"Acme Tools Ltd","street":"12 Mill Lane","city":"Leeds","postcode":"LS1 4AP","country":"GB","website":"acmetools.example"%s}`, id, updated, more)
}
