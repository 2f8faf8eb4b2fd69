package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	goleak.VerifyTestMain(m)
}

func raws(list ...string) []json.RawMessage {
	out := make([]json.RawMessage, 0, len(list))
	for _, s := range list {
		out = append(out, json.RawMessage(s))
	}
	return out
}

func smallSeed() Seed {
	return Seed{"companies": raws(
		`{"id":"c1001","updated_at":"2025-11-01T10:00:00Z","name":"Ada Ltd","phone":"020 7946 0001","employees":12}`,
		`{"id":"c1002","updated_at":"2025-11-01T11:00:00Z","name":"上海美跃包装材料有限公司","external_id":"g-2"}`,
		`{"id":"c1003","updated_at":"2025-11-01T11:00:00Z","name":"Equal Stamp GmbH","employees":1e10000000}`,
		`{"id":"c1004","updated_at":"2025-11-02T09:30:00.123456Z","name":{"wrong":"type"}}`,
	)}
}

// rig is one system behind a real server, with a client for it.
type rig struct {
	t   *testing.T
	sys *System
	srv *httptest.Server
	dir string
}

func open(t *testing.T, p Profile, seed Seed) *rig {
	t.Helper()
	dir := t.TempDir()
	sys, err := Open(dir, p, seed)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	srv := httptest.NewServer(sys.Handler())
	t.Cleanup(func() {
		srv.Close()
		if err := sys.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &rig{t, sys, srv, dir}
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
	err    error
}

func (r reply) code() string {
	e, _ := r.body["error"].(map[string]any)
	return text(e["code"])
}

func (g *rig) do(method, path, body string, headers ...string) reply {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.srv.URL+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+g.sys.profile.Token)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := g.srv.Client().Do(req)
	if err != nil {
		return reply{err: err}
	}
	b, err := io.ReadAll(resp.Body)
	if err2 := resp.Body.Close(); err2 != nil {
		g.t.Errorf("close body: %v", err2)
	}
	out := reply{status: resp.StatusCode, header: resp.Header, raw: string(b), err: err}
	if m, err := decodeObject(b); err == nil {
		out.body = m
	}
	return out
}

func (g *rig) want(r reply, status int, code string) {
	g.t.Helper()
	if r.err != nil || r.status != status || r.code() != code {
		g.t.Fatalf("got %d code %q err %v, want %d code %q: %s", r.status, r.code(), r.err, status, code, r.raw)
	}
}

func (g *rig) state() string {
	g.t.Helper()
	b, err := g.sys.State()
	if err != nil {
		g.t.Fatal(err)
	}
	return string(b)
}

func (g *rig) applied() []Applied {
	g.t.Helper()
	list, err := g.sys.Applied()
	if err != nil {
		g.t.Fatal(err)
	}
	return list
}

// ids walks the whole list.
func (g *rig) ids(query string) []string {
	g.t.Helper()
	var out []string
	cursor := ""
	for range 100 {
		path := "/companies?" + query
		if cursor != "" {
			path += "&cursor=" + cursor
		}
		r := g.do("GET", path, "")
		g.want(r, 200, "")
		for _, it := range r.body["items"].([]any) {
			out = append(out, text(it.(map[string]any)["id"]))
		}
		next, more := r.body["next_cursor"].(string)
		if !more {
			return out
		}
		cursor = next
	}
	g.t.Fatal("list did not end in 100 pages")
	return nil
}

func TestListsComeInOrderOfStampAndID(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	tests := []struct{ query, want string }{
		{"limit=1", "c1001 c1002 c1003 c1004"},
		{"limit=2", "c1001 c1002 c1003 c1004"},
		{"limit=3", "c1001 c1002 c1003 c1004"},
		{"", "c1001 c1002 c1003 c1004"},
		{"limit=1&updated_since=2025-11-01T11:00:00.000000Z", "c1002 c1003 c1004"}, // inclusive
		{"updated_since=2025-11-01T11:00:00.000001Z", "c1004"},
		{"updated_since=2025-11-02T09:30:00.123456Z", "c1004"},
		{"updated_since=2026-01-01T00:00:00Z", ""},
		{"updated_since=", "c1001 c1002 c1003 c1004"},
		{"external_id=g-2", "c1002"},
		{"external_id=none", ""},
		{"external_id=", ""},
	}
	for _, tt := range tests {
		if got := strings.Join(g.ids(tt.query), " "); got != tt.want {
			t.Errorf("list ?%s = %q, want %q", tt.query, got, tt.want)
		}
	}
	for _, q := range []string{"limit=0", "limit=x", "cursor=!!", "updated_since=yesterday"} {
		if r := g.do("GET", "/companies?"+q, ""); r.status != 400 {
			t.Errorf("list ?%s = %d, want 400", q, r.status)
		}
	}
	g.do("PATCH", "/companies/c1001", `{"name":"Ada Limited"}`)
	if got := strings.Join(g.ids("limit=2"), " "); got != "c1002 c1003 c1004 c1001" {
		t.Errorf("after an update the list is %q, want the updated object last", got)
	}
}

func TestPageSizeCapsWhateverWasAsked(t *testing.T) {
	p := CRM()
	p.PageSize = 2
	g := open(t, p, smallSeed())
	r := g.do("GET", "/companies?limit=1000", "")
	if n := len(r.body["items"].([]any)); n != 2 || r.body["next_cursor"] == nil {
		t.Errorf("page of %d items, next %v; want 2 and a cursor", n, r.body["next_cursor"])
	}
}

func TestObjectCarriesEtagAndExactNumbers(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	r := g.do("GET", "/companies/c1003", "")
	g.want(r, 200, "")
	if r.header.Get("ETag") != `"v1"` || r.body["etag"] != "v1" {
		t.Errorf("etag header %q, field %v, want v1 in both", r.header.Get("ETag"), r.body["etag"])
	}
	if r.body["employees"] != json.Number("1e10000000") {
		t.Errorf("employees = %v, want the seed's digits untouched", r.body["employees"])
	}
	g.want(g.do("GET", "/companies/c9", ""), 404, "not_found")
	g.want(g.do("GET", "/planets", ""), 404, "not_found")
	g.want(g.do("GET", "/planets/1", ""), 404, "not_found")
	g.want(g.do("POST", "/planets", "{}"), 404, "not_found")
}

func TestTokenIsAsked(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	for _, h := range []string{"", "Bearer", "Bearer wrong", "Basic demo-crm", "demo-crm"} {
		g.want(g.do("GET", "/companies", "", "Authorization", h), 401, "unauthorized")
		g.want(g.do("POST", "/companies", `{"name":"x"}`, "Authorization", h), 401, "unauthorized")
	}
	if n := len(g.applied()); n != 0 {
		t.Errorf("%d writes applied without a token", n)
	}
}

func TestCreateUpdateDelete(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	r := g.do("POST", "/companies", `{"name":"New Co","external_id":"g-9","employees":7}`)
	g.want(r, 201, "")
	if r.body["id"] != "c1005" || r.header.Get("ETag") != `"v1"` || r.body["updated_at"] != "2026-01-05T08:00:00.001000Z" {
		t.Errorf("created id %v etag %q at %v, want c1005 \"v1\" 1 ms after the start", r.body["id"], r.header.Get("ETag"), r.body["updated_at"])
	}
	dup := g.do("POST", "/companies", `{"name":"Again","external_id":"g-9"}`)
	g.want(dup, 409, "duplicate")
	if e := dup.body["error"].(map[string]any); e["existing_id"] != "c1005" {
		t.Errorf("existing_id = %v, want c1005", e["existing_id"])
	}
	r = g.do("PATCH", "/companies/c1005", `{"phone":"1","employees":null}`, "If-Match", `"v1"`)
	g.want(r, 200, "")
	if r.body["name"] != "New Co" || r.body["phone"] != "1" || r.body["employees"] != nil || r.body["etag"] != "v2" {
		t.Errorf("after the patch: %s, want the name kept, phone 1, employees cleared, etag v2", r.raw)
	}
	g.want(g.do("PATCH", "/companies/c1005", `{"phone":"2"}`, "If-Match", `"v1"`), 412, "precondition_failed")
	g.want(g.do("DELETE", "/companies/c1005", "", "If-Match", `v1`), 412, "precondition_failed")
	g.want(g.do("PATCH", "/companies/c1005", `{"phone":"1"}`, "If-Match", `*`), 200, "") // changes nothing
	g.want(g.do("PATCH", "/companies/c404", `{}`), 404, "not_found")
	r = g.do("DELETE", "/companies/c1005", "", "If-Match", `"v2"`)
	g.want(r, 200, "")
	if r.body["deleted"] != true {
		t.Errorf("deleted = %v, want true", r.body["deleted"])
	}
	g.want(g.do("GET", "/companies/c1005", ""), 404, "not_found")
	g.want(g.do("DELETE", "/companies/c1005", ""), 404, "not_found")
	if got := g.ids("updated_since=2026-01-05T08:00:00Z"); len(got) != 1 || got[0] != "c1005" {
		t.Errorf("tombstones listed: %v, want c1005", got)
	}
	g.want(g.do("POST", "/companies", `{"name":"Reborn","external_id":"g-9"}`), 201, "") // unique among the living
	var log []string
	for _, e := range g.applied() {
		log = append(log, fmt.Sprintf("%d %s %s %s %s %s", e.N, e.Method, e.ID, e.ExternalID, e.Actor, strings.Join(e.paths(), "+")))
	}
	want := "1 POST c1005 g-9 api employees+external_id+name; 2 PATCH c1005 g-9 api employees+phone; 3 PATCH c1005 g-9 api ; 4 DELETE c1005 g-9 api ; 5 POST c1006 g-9 api external_id+name"
	if got := strings.Join(log, "; "); got != want {
		t.Errorf("applied log\n%s\nwant\n%s", got, want)
	}
}

func TestUpsertByExternalID(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	g.want(g.do("PUT", "/companies/by-external-id/g%2F1", `{"name":"Slash Co"}`), 201, "")
	r := g.do("PUT", "/companies/by-external-id/g%2F1", `{"phone":"5"}`)
	g.want(r, 200, "")
	if r.body["name"] != "Slash Co" || r.body["phone"] != "5" || r.body["external_id"] != "g/1" {
		t.Errorf("after the second upsert: %s", r.raw)
	}
	g.want(g.do("PUT", "/companies/by-external-id/g-2", `{"name":"x"}`, "If-Match", "v7"), 412, "precondition_failed")
	g.want(g.do("PUT", "/companies/by-external-id/g-3", `{"name":"x","external_id":"other"}`), 422, "external_id_mismatch")
	g.want(g.do("PUT", "/companies/by-external-id/g-3", `{"phone":"1"}`), 422, "required")
	g.want(g.do("PATCH", "/companies/c1001", `{"external_id":"g-2"}`), 409, "duplicate")
	if got := g.ids("external_id=g/1"); len(got) != 1 || got[0] != "c1005" {
		t.Errorf("found by key: %v, want c1005", got)
	}
}

func TestRefusedWritesNameTheField(t *testing.T) {
	g := open(t, Desk(), Seed{"companies": raws(`{"id":"o1001","updated_at":"2025-11-01T10:00:00Z","title":"A"}`)})
	tests := []struct{ body, code, field string }{
		{`{"colour":"red"}`, "unknown_field", "colour"},
		{`{"address":{"planet":"Mars"}}`, "unknown_field", "address.planet"},
		{`{"id":"o7"}`, "unknown_field", "id"},
		{`{"title":5}`, "wrong_type", "title"},
		{`{"headcount":"many"}`, "wrong_type", "headcount"},
		{`{"address":"here"}`, "wrong_type", "address"},
		{`{"tel":["1"]}`, "wrong_type", "tel"},
	}
	for _, tt := range tests {
		r := g.do("PATCH", "/companies/o1001", tt.body)
		e, _ := r.body["error"].(map[string]any)
		if r.status != 422 || r.code() != tt.code || e["field"] != tt.field {
			t.Errorf("PATCH %s = %d %s field %v, want 422 %s field %s", tt.body, r.status, r.code(), e["field"], tt.code, tt.field)
		}
	}
	for _, body := range []string{"", "null", "[]", `{"title":`, `{"title":"x"} {}`} {
		g.want(g.do("PATCH", "/companies/o1001", body), 400, "bad_request")
	}
	g.want(g.do("POST", "/companies", strings.Repeat("x", maxBody+1)), 413, "bad_request")
	if n := len(g.applied()); n != 0 {
		t.Errorf("%d refused writes were applied", n)
	}
}

func TestNestedObjectsMergeAndNullClears(t *testing.T) {
	g := open(t, Desk(), Seed{"companies": raws(`{"id":"o1001","updated_at":"2025-11-01T10:00:00Z","title":"A","address":{"line":"1 High St","city":"Bath"}}`)})
	steps := []struct{ body, want string }{
		{`{"address":{"city":"York"}}`, `{"city":"York","line":"1 High St"}`},
		{`{"address":{"line":null,"zip":"Y1"}}`, `{"city":"York","line":null,"zip":"Y1"}`},
		{`{"address":null}`, `null`},
		{`{"address":{"city":"Hull"}}`, `{"city":"Hull"}`},
	}
	for _, st := range steps {
		r := g.do("PATCH", "/companies/o1001", st.body)
		g.want(r, 200, "")
		if got, _ := json.Marshal(r.body["address"]); string(got) != st.want {
			t.Errorf("after %s the address is %s, want %s", st.body, got, st.want)
		}
	}
}

func TestTargetNormalises(t *testing.T) {
	g := open(t, Desk(), nil)
	r := g.do("POST", "/companies", `{"title":"  Trim Me ","tel":"+86 (21) 6888-0102"}`)
	g.want(r, 201, "")
	if r.body["title"] != "Trim Me" || r.body["tel"] != "00862168880102" {
		t.Errorf("title %q tel %q, want trimmed and 00862168880102", r.body["title"], r.body["tel"])
	}
	if got := g.applied()[0].Fields["tel"].New; got != "00862168880102" {
		t.Errorf("the log says tel %v, want what was stored", got)
	}
}

func TestIdempotencyKeyAppliesOnce(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	first := g.do("POST", "/companies", `{"name":"Once"}`, "Idempotency-Key", "k1")
	g.want(first, 201, "")
	g.want(g.do("PATCH", "/companies/"+text(first.body["id"]), `{"name":"Later"}`), 200, "")
	check := func(when string) {
		t.Helper()
		again := g.do("POST", "/companies", `{"name":"Once"}`, "Idempotency-Key", "k1")
		if again.status != 201 || again.raw != first.raw || again.header.Get("Idempotent-Replay") != "true" || again.header.Get("ETag") != first.header.Get("ETag") {
			t.Errorf("%s: replay is %d %s (replay header %q), want the first answer %s", when, again.status, again.raw, again.header.Get("Idempotent-Replay"), first.raw)
		}
		if n := len(g.applied()); n != 2 {
			t.Errorf("%s: %d writes applied, want 2", when, n)
		}
		g.want(g.do("POST", "/companies", `{"name":"Other"}`, "Idempotency-Key", "k1"), 422, "idempotency_key_reused")
		g.want(g.do("PATCH", "/companies/c1001", `{"name":"Once"}`, "Idempotency-Key", "k1"), 422, "idempotency_key_reused")
	}
	check("at once")
	g.reopen()
	check("after reopening")
	g.want(g.do("POST", "/companies", `{"nam":"x"}`, "Idempotency-Key", "k2"), 422, "unknown_field")
	g.want(g.do("POST", "/companies", `{"name":"x"}`, "Idempotency-Key", "k2"), 201, "") // a refusal uses no key up
}

// reopen stands for a kill: the old system is not closed before the new one reads.
func (g *rig) reopen() {
	g.t.Helper()
	sys, err := Open(g.dir, g.sys.profile, g.sys.seed)
	if err != nil {
		g.t.Fatalf("reopen: %v", err)
	}
	old := g.sys
	g.srv.Close()
	if err := old.Close(); err != nil {
		g.t.Fatal(err)
	}
	g.sys, g.srv = sys, httptest.NewServer(sys.Handler())
	g.t.Cleanup(func() {
		g.srv.Close()
		if err := sys.Close(); err != nil {
			g.t.Errorf("Close: %v", err)
		}
	})
}

func TestSwitchesOff(t *testing.T) {
	p := CRM()
	p.ETag, p.UniqueExternalID, p.IdempotencyKeys = false, false, false
	g := open(t, p, smallSeed())
	for range 2 {
		r := g.do("POST", "/companies", `{"name":"Twice","external_id":"g-9"}`, "Idempotency-Key", "k1")
		g.want(r, 201, "")
		if r.header.Get("ETag") != "" || r.body["etag"] != nil {
			t.Errorf("etag %q %v shown by a system without etags", r.header.Get("ETag"), r.body["etag"])
		}
	}
	if got := strings.Join(g.ids("external_id=g-9"), " "); got != "c1005 c1006" {
		t.Errorf("objects with the key: %q, want two", got)
	}
	g.want(g.do("PATCH", "/companies/c1005", `{"name":"x"}`, "If-Match", "v77"), 200, "")
}

func TestReopenDropsATornLastLine(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	for i := range 5 {
		g.want(g.do("PUT", fmt.Sprintf("/companies/by-external-id/k%d", i%3), fmt.Sprintf(`{"name":"n%d"}`, i)), []int{201, 201, 201, 200, 200}[i], "")
	}
	before := g.state()
	path := filepath.Join(g.dir, logName)
	whole, err := os.ReadFile(path) //nolint:gosec // the test's own folder
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	last := lines[len(lines)-2]
	for _, torn := range []string{"{", `{"n":6,"at":"2026`, strings.TrimSuffix(string(last), "\n"), "\x00\x00\x00\n"} {
		if err := os.WriteFile(path, append(bytes.Clone(whole), torn...), 0o600); err != nil { //nolint:gosec // the test's own folder
			t.Fatal(err)
		}
		list, err := ReadApplied(g.dir)
		if err != nil || len(list) != 5 {
			t.Errorf("torn %q: ReadApplied gives %d entries, %v; want 5", torn, len(list), err)
		}
		g.reopen()
		if got := g.state(); got != before {
			t.Errorf("torn %q: state after reopening\n%s\nwant\n%s", torn, got, before)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, whole) { //nolint:gosec // the test's own folder
			t.Errorf("torn %q: the log was not cut back to its good lines", torn)
		}
	}
	damaged := bytes.Replace(whole, []byte(`"n":2`), []byte(`"n":!`), 1)
	if err := os.WriteFile(path, damaged, 0o600); err != nil { //nolint:gosec // the test's own folder
		t.Fatal(err)
	}
	if _, err := Open(g.dir, CRM(), smallSeed()); err == nil || !strings.Contains(err.Error(), "line 2 is damaged") {
		t.Errorf("a damaged line in the middle: %v, want an error naming line 2", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	sys, err := Open(dir, CRM(), smallSeed())
	if err != nil {
		t.Fatal(err)
	}
	if err := sys.Close(); err != nil {
		t.Fatal(err)
	}
	crm := func(change func(*Profile)) Profile { p := CRM(); change(&p); return p }
	tests := []struct {
		name string
		p    Profile
		seed Seed
		want string
	}{
		{"another seed", CRM(), nil, "another seed"},
		{"another system", crm(func(p *Profile) { p.Name = "x" }), smallSeed(), "another seed or another name"},
		{"no name", Profile{}, nil, "a name and at least one object"},
		{"bad fault", crm(func(p *Profile) { p.Faults = []Fault{{Kind: "fire", Next: 1}} }), nil, `fault "fire": unknown kind`},
		{"object twice", crm(func(p *Profile) { p.Objects = append(p.Objects, p.Objects[0]) }), nil, "there twice"},
		{"seed without id", CRM(), Seed{"companies": raws(`{"name":"x"}`)}, "no id"},
		{"seed id twice", CRM(), Seed{"companies": append(smallSeed()["companies"], smallSeed()["companies"]...)}, `id "c1001" is there twice`},
		{"seed without stamp", CRM(), Seed{"companies": raws(`{"id":"c1"}`)}, "c1: updated_at"},
		{"seed of nothing", CRM(), Seed{"planets": nil}, `no object "planets"`},
		{"seed not an object", CRM(), Seed{"companies": raws(`[]`)}, "not a JSON object"},
	}
	for _, tt := range tests {
		if _, err := Open(dir, tt.p, tt.seed); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Open = %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

func TestClosedSystemRefusesWrites(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	if err := g.sys.Close(); err != nil {
		t.Fatal(err)
	}
	g.want(g.do("POST", "/companies", `{"name":"x"}`), 500, "storage")
	g.want(g.do("GET", "/companies/c1001", ""), 200, "")
	if _, err := g.sys.Applied(); !errors.Is(err, errClosed) {
		t.Errorf("Applied after Close: %v, want %v", err, errClosed)
	}
	if err := g.sys.Reset(); !errors.Is(err, errClosed) {
		t.Errorf("Reset after Close: %v, want %v", err, errClosed)
	}
}
