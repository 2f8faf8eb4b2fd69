package simulator

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// handClock is a clock that a test moves.
type handClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *handClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *handClock) Sleep(ctx context.Context, d time.Duration) error {
	c.add(d)
	return ctx.Err()
}

// vendorRig is a vendor's system mounted under a folder, as the program mounts
// it, with the client's side.
type vendorRig struct {
	t     *testing.T
	sys   *System
	srv   *httptest.Server
	dir   string
	clock *handClock
	auth  string // the Authorization header
}

func openVendor(t *testing.T, p Profile, seed Seed) *vendorRig {
	t.Helper()
	return openVendorIn(t, t.TempDir(), p, seed)
}

func openVendorIn(t *testing.T, dir string, p Profile, seed Seed) *vendorRig {
	t.Helper()
	clock := &handClock{at: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)}
	p.Clock = clock
	sys, err := Open(dir, p, seed)
	if err != nil {
		t.Fatalf("Open %s: %v", p.Name, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/"+p.Name+"/", http.StripPrefix("/"+p.Name, sys.Handler()))
	srv := httptest.NewServer(mux)
	t.Cleanup(func() {
		srv.Close()
		if err := sys.Close(); err != nil {
			t.Errorf("Close %s: %v", p.Name, err)
		}
	})
	return &vendorRig{t, sys, srv, dir, clock, "Bearer " + p.Token}
}

// do sends one request; a path that begins with http is an address as it came.
func (g *vendorRig) do(method, path, body string) reply {
	g.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = g.srv.URL + "/" + g.sys.profile.Name + path
	}
	req, err := http.NewRequestWithContext(g.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if g.auth != "" {
		req.Header.Set("Authorization", g.auth)
	}
	resp, err := g.srv.Client().Do(req)
	if err != nil {
		return reply{err: err}
	}
	b, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	out := reply{status: resp.StatusCode, header: resp.Header, raw: string(b), err: err}
	if m, err := decodeObject(b); err == nil {
		out.body = m
	}
	return out
}

// must sends a request and wants its status.
func (g *vendorRig) must(status int, method, path, body string) reply {
	g.t.Helper()
	r := g.do(method, path, body)
	if r.err != nil || r.status != status {
		g.t.Fatalf("%s %s %s: got %d %v, want %d: %s", method, path, body, r.status, r.err, status, r.raw)
	}
	return r
}

func (g *vendorRig) faults(list ...Fault) {
	g.t.Helper()
	if err := g.sys.SetFaults(list); err != nil {
		g.t.Fatal(err)
	}
}

func (g *vendorRig) settings(st Settings) {
	g.t.Helper()
	if err := g.sys.SetSettings(st); err != nil {
		g.t.Fatal(err)
	}
}

func (g *vendorRig) applied() []Applied {
	g.t.Helper()
	list, err := g.sys.Applied()
	if err != nil {
		g.t.Fatal(err)
	}
	return list
}

// at walks into an answer: names for members, numbers for places in lists.
func (r reply) at(path string) any {
	var v any = r.body
	for part := range strings.SplitSeq(path, "/") {
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			var i int
			if err := json.Unmarshal([]byte(part), &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

// str is at for a text or a number.
func (r reply) str(path string) string { return scalar(r.at(path)) }

func (r reply) len(path string) int {
	list, _ := r.at(path).([]any)
	return len(list)
}

func hsSeed() Seed {
	return Seed{
		"companies": raws(`{"id":"701001","updated_at":"2025-11-01T10:00:00Z","properties":{"name":"Analytical Engines Ltd","domain":"engines.example"},"associations":{"contacts":["501001"]}}`),
		"contacts": raws(
			`{"id":"501001","updated_at":"2025-11-01T10:00:00Z","properties":{"email":"ada@example.com","firstname":"Ada","lastname":"Lovelace","phone":"020 7946 0001"},"associations":{"companies":["701001"]}}`,
			`{"id":"501002","updated_at":"2025-11-02T10:00:00.123Z","properties":{"email":"li@example.cn","lastname":"李"}}`),
		"tickets": raws(`{"id":"901001","updated_at":"2025-11-03T10:00:00Z","properties":{"subject":"Help"},"associations":{"contacts":["501001"],"companies":["701001"]}}`),
	}
}

func zdSeed() Seed {
	return Seed{
		"organizations": raws(
			`{"id":"3601001","updated_at":"2025-11-01T10:00:00Z","name":"Analytical Engines Ltd","external_id":"g-1","domain_names":["engines.example"]}`,
			`{"id":"3601002","updated_at":"2025-11-01T10:00:00Z","name":"上海美跃包装材料有限公司"}`),
		"users": raws(
			`{"id":"2601001","updated_at":"2025-11-01T10:00:00Z","name":"Ada Lovelace","email":"ada@example.com","organization_id":3601001}`,
			`{"id":"2601002","updated_at":"2025-11-01T10:00:00Z","name":"李雷","email":"lilei@example.cn","external_id":"G-2"}`),
		"tickets": raws(`{"id":"71001","updated_at":"2025-11-03T10:00:00Z","subject":"Help","description":"Help!","requester_id":2601001,"organization_id":3601001,"assignee_id":2601002,"priority":"normal","tags":["inquiry"],"custom_fields":[{"id":1,"value":"x"}]}`),
	}
}

func leiSeed() Seed {
	return Seed{leiRecords: raws(
		`{"id":"`+LEI(1)+`","updated_at":"2025-11-01T10:00:00Z","name":"Analytical Engines Ltd","line":"1 St James's Square","city":"London","region":"GB-LND","postcode":"SW1Y 4LB","country":"GB","registered_as":"01234567","registered_at":"RA000585"}`,
		`{"id":"`+LEI(2)+`","updated_at":"2025-11-01T10:00:00Z","name":"上海美跃包装材料有限公司","language":"zh","line":"南京西路1号","city":"上海","region":"CN-SH","postcode":"200040","country":"CN","registered_as":"91310000MA1K00000X","registered_at":"RA000172","legal_form":"ECAK"}`,
		`{"id":"`+LEI(3)+`","updated_at":"2025-11-01T10:00:00Z","name":"Motor Engines GmbH","line":"Hauptstr. 1","city":"Köln","country":"DE","registered_as":"HRB 1","registered_at":"RA000242"}`,
	)}
}
