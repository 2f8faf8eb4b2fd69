package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestWriteFaults(t *testing.T) {
	weak := CRM()
	weak.UniqueExternalID, weak.IdempotencyKeys = false, false
	const post = `{"name":"F","external_id":"g-9"}`
	tests := []struct {
		name    string
		p       Profile
		f       Fault
		lost    bool // no whole answer comes back
		status  int
		code    string
		applied int
		marked  string
	}{
		{"apply then timeout", CRM(), Fault{Kind: ApplyThenTimeout, DelayMS: 5}, true, 0, "", 1, "apply_then_timeout"},
		{"apply then 500", CRM(), Fault{Kind: ApplyThen500}, false, 500, "internal", 1, "apply_then_500"},
		{"429", CRM(), Fault{Kind: TooMany}, false, 429, "rate_limited", 0, ""},
		{"503", CRM(), Fault{Kind: Unavailable}, false, 503, "unavailable", 0, ""},
		{"cut body", CRM(), Fault{Kind: CutBody}, true, 201, "", 1, ""},
		{"slow", CRM(), Fault{Kind: Slow, DelayMS: 5}, false, 201, "", 1, ""},
		{"error body", CRM(), Fault{Kind: ErrorBody}, false, 200, "internal", 0, ""},
		{"duplicate, keys honoured", CRM(), Fault{Kind: Duplicate}, false, 201, "", 1, "duplicate_delivery"},
		{"duplicate, nothing honoured", weak, Fault{Kind: Duplicate}, false, 201, "", 2, "duplicate_delivery"},
		{"zombie", CRM(), Fault{Kind: Zombie}, true, 0, "", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.f.Next = 1
			tt.p.Faults = []Fault{tt.f}
			g := open(t, tt.p, smallSeed())
			r := g.do("POST", "/companies", post, "Idempotency-Key", "k1")
			if (r.err != nil) != tt.lost || r.status != tt.status || r.code() != tt.code {
				t.Errorf("answer %d %q err %v, want %d %q lost %v", r.status, r.code(), r.err, tt.status, tt.code, tt.lost)
			}
			list := g.applied()
			if len(list) != tt.applied {
				t.Fatalf("%d applied, want %d", len(list), tt.applied)
			}
			if len(list) > 0 && list[0].Fault != tt.marked {
				t.Errorf("the log marks %q, want %q", list[0].Fault, tt.marked)
			}
			if got := g.sys.Stats().Faults[string(tt.f.Kind)]; got != 1 {
				t.Errorf("stats count %d, want 1", got)
			}
			g.want(g.do("PATCH", "/companies/c1001", `{"phone":"1"}`), 200, "") // the fault is over
		})
	}
}

func TestZombieLandsAfterOtherWrites(t *testing.T) {
	p := CRM()
	p.Faults = []Fault{{Kind: Zombie, Next: 1, Writes: 2}}
	g := open(t, p, smallSeed())
	if r := g.do("PATCH", "/companies/c1001", `{"phone":"old"}`); r.err == nil {
		t.Fatalf("a zombie was answered: %s", r.raw)
	}
	g.want(g.do("PATCH", "/companies/c1001", `{"phone":"new"}`), 200, "")
	if r := g.do("GET", "/companies/c1001", ""); r.body["phone"] != "new" {
		t.Errorf("phone %v before the zombie lands, want new", r.body["phone"])
	}
	g.want(g.do("PATCH", "/companies/c1002", `{"phone":"2"}`), 200, "")
	if r := g.do("GET", "/companies/c1001", ""); r.body["phone"] != "old" {
		t.Errorf("phone %v after the zombie landed, want old", r.body["phone"])
	}
	if last := g.applied()[2]; last.Fault != "zombie" || last.Fields["phone"].Old != "new" {
		t.Errorf("last entry %+v, want the zombie over the newer value", last)
	}
	// With If-Match the late write does no harm.
	if err := g.sys.SetFaults([]Fault{{Kind: Zombie, Next: 1, Writes: 9}}); err != nil {
		t.Fatal(err)
	}
	g.do("PATCH", "/companies/c1002", `{"phone":"3"}`, "If-Match", "v2")
	g.want(g.do("PATCH", "/companies/c1002", `{"phone":"4"}`, "If-Match", "v2"), 200, "")
	r := g.do("POST", "/_admin/flush", "")
	if r.body["landed"] != json.Number("1") || len(g.applied()) != 4 {
		t.Errorf("flush: %s, %d applied; want 1 landed and refused, 4 applied", r.raw, len(g.applied()))
	}
}

func TestRetryAfterForms(t *testing.T) {
	p := CRM()
	p.Faults = []Fault{
		{Kind: TooMany, Next: 1},
		{Kind: TooMany, Next: 1, RetryAfter: "7"},
		{Kind: TooMany, Next: 1, RetryAfter: "-1"},
		{Kind: Unavailable, Next: 1, RetryAfter: "date:90"},
	}
	g := open(t, p, smallSeed())
	for _, want := range []string{"", "7", "-1"} {
		r := g.do("GET", "/companies", "")
		if got := r.header.Get("Retry-After"); r.status != 429 || got != want {
			t.Errorf("%d Retry-After %q, want 429 %q", r.status, got, want)
		}
	}
	r := g.do("GET", "/companies", "")
	at, err := http.ParseTime(r.header.Get("Retry-After"))
	date, err2 := http.ParseTime(r.header.Get("Date"))
	if wait := at.Sub(date); r.status != 503 || err != nil || err2 != nil || wait < 88*time.Second || wait > 92*time.Second {
		t.Errorf("%d Retry-After %q at Date %q, want 503 and 90 s", r.status, r.header.Get("Retry-After"), r.header.Get("Date"))
	}
	g.want(g.do("GET", "/companies", ""), 200, "")
}

func TestListFaults(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	if err := g.sys.SetFaults([]Fault{{Kind: DieAtPage, Page: 3, Next: 1}}); err != nil {
		t.Fatal(err)
	}
	cursor, statuses := "", []int{}
	for range 5 {
		r := g.do("GET", "/companies?limit=1&cursor="+cursor, "")
		statuses = append(statuses, r.status)
		if next, ok := r.body["next_cursor"].(string); ok {
			cursor = next
		}
	}
	if want := []int{200, 200, 500, 200, 200}; !slices.Equal(statuses, want) {
		t.Errorf("statuses %v, want %v: page 3 dies once, the same cursor goes on", statuses, want)
	}
	if err := g.sys.SetFaults([]Fault{{Kind: Endless, Every: 1}}); err != nil {
		t.Fatal(err)
	}
	seen, cursor := map[string]bool{}, ""
	for i := range 10 {
		r := g.do("GET", "/companies?limit=2&cursor="+cursor, "")
		next, ok := r.body["next_cursor"].(string)
		if !ok {
			t.Fatalf("page %d ends an endless list", i+1)
		}
		seen[next], cursor = true, next
	}
	if len(seen) != 1 {
		t.Errorf("%d cursors in an endless list, want the same for ever", len(seen))
	}
	if err := g.sys.SetFaults([]Fault{{Kind: CutBody, Every: 2, On: "read", Object: "companies"}}); err != nil {
		t.Fatal(err)
	}
	var cut []bool
	for range 4 {
		cut = append(cut, g.do("GET", "/companies", "").err != nil)
		g.want(g.do("GET", "/contacts", ""), 200, "")
		g.want(g.do("PATCH", "/companies/c1001", `{"phone":"9"}`), 200, "")
	}
	if want := []bool{false, true, false, true}; !slices.Equal(cut, want) {
		t.Errorf("cut %v, want every second read of companies", cut)
	}
}

func TestFaultsAreChecked(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	for _, body := range []string{
		`[{"kind":"fire","next":1}]`, `[{"kind":"slow"}]`, `[{"kind":"slow","next":1,"every":1}]`, `[{"kind":"slow","next":-1}]`,
		`[{"kind":"zombie","next":1,"on":"read"}]`, `[{"kind":"endless","next":1,"on":"write"}]`, `[{"kind":"die_at_page","next":1}]`,
		`[{"kind":"slow","next":1,"delay_ms":-4}]`, `[{"kind":"slow","next":1,"on":"both"}]`,
	} {
		g.want(g.do("PUT", "/_admin/faults", body), 422, "bad_fault")
	}
	g.want(g.do("PUT", "/_admin/faults", `[{"kin":"slow"}]`), 400, "bad_request")
	if r := g.do("PUT", "/_admin/faults", `[{"kind":"slow","every":3}]`); r.status != 200 || len(g.sys.Faults()) != 1 {
		t.Errorf("setting a fault: %d, %v", r.status, g.sys.Faults())
	}
	if r := g.do("GET", "/_admin/faults", ""); r.raw != `[{"kind":"slow","every":3}]` {
		t.Errorf("faults shown as %s", r.raw)
	}
}

func TestAdminStandsForPeopleAndJudge(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	g.want(g.do("POST", "/_admin/edit", `{"object":"companies","id":"c1001","fields":{"phone":"by hand"}}`), 200, "")
	g.want(g.do("POST", "/_admin/edit", `{"object":"companies","fields":{"name":"By Hand"}}`), 201, "")
	g.want(g.do("POST", "/_admin/edit", `{"object":"companies","id":"c1002","delete":true}`), 200, "")
	g.want(g.do("POST", "/_admin/edit", `{"object":"companies","id":"c1002","fields":{"name":"x"}}`), 404, "not_found")
	g.want(g.do("POST", "/_admin/edit", `{"object":"companies","id":"c1001"}`), 200, "") // changes nothing
	g.want(g.do("PATCH", "/companies/c1001", `{"phone":"1"}`, "If-Match", "v1"), 412, "precondition_failed")
	log := g.do("GET", "/_admin/applied", "")
	lines := strings.Split(strings.TrimSpace(log.raw), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines in the shown log, want 4: %s", len(lines), log.raw)
	}
	for i, line := range lines {
		var e Applied
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Actor != "human" || e.N != i+1 {
			t.Errorf("line %d: %s (%v), want entry %d by a human", i+1, line, err, i+1)
		}
	}
	st := g.sys.Stats()
	if st.Applied != 4 || st.Objects["companies"] != 4 || st.Deleted["companies"] != 1 || st.Served["PATCH 412"] != 1 {
		t.Errorf("stats %+v, want 4 applied, 4 live, 1 deleted, one 412", st)
	}
	g.want(g.do("POST", "/_admin/reset", ""), 200, "")
	fresh := open(t, CRM(), smallSeed())
	if g.state() != fresh.state() {
		t.Errorf("after a reset the state is\n%s\nwant the seed's\n%s", g.state(), fresh.state())
	}
	if list, err := ReadApplied(g.dir); err != nil || len(list) != 0 {
		t.Errorf("after a reset the log holds %d entries, %v", len(list), err)
	}
}

func TestAdminAnswersLoopbackOnly(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	tests := []struct {
		from, host string
		want       int
	}{
		{"127.0.0.1:4000", "127.0.0.1:9001", 200},
		{"[::1]:4000", "localhost:9001", 200},
		{"192.0.2.1:4000", "127.0.0.1:9001", 403},
		{"127.0.0.1:4000", "evil.example.com", 403},
		{"nonsense", "localhost", 403},
	}
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/_admin/stats", nil)
		r.RemoteAddr, r.Host = tt.from, tt.host
		w := httptest.NewRecorder()
		g.sys.Handler().ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("from %s to host %s: %d, want %d", tt.from, tt.host, w.Code, tt.want)
		}
	}
}

func TestConcurrentWritesLoseNothing(t *testing.T) {
	g := open(t, CRM(), smallSeed())
	const workers, each = 8, 12
	var wg sync.WaitGroup
	codes := make([][]int, workers)
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				r := g.do("POST", "/companies", fmt.Sprintf(`{"name":"n","external_id":"k-%d"}`, (w*each+i)/2))
				codes[w] = append(codes[w], r.status)
				g.do("GET", "/companies?limit=5", "")
			}
		})
	}
	wg.Wait()
	count := map[int]int{}
	for _, list := range codes {
		for _, c := range list {
			count[c]++
		}
	}
	if count[201] != workers*each/2 || count[409] != workers*each/2 {
		t.Errorf("answers %v, want %d created and as many refused", count, workers*each/2)
	}
	list := g.applied()
	ids := map[string]bool{}
	for i, e := range list {
		if e.N != i+1 {
			t.Errorf("entry %d has n %d", i+1, e.N)
		}
		ids[e.ID] = true
	}
	if len(ids) != workers*each/2 {
		t.Errorf("%d ids in %d entries, want %d", len(ids), len(list), workers*each/2)
	}
	before := g.state()
	g.reopen()
	if got := g.state(); got != before {
		t.Errorf("state after reopening differs:\n%s\nwant\n%s", got, before)
	}
}

func TestSameWritesGiveSameState(t *testing.T) {
	run := func() (string, string) {
		g := open(t, CRM(), smallSeed())
		for i := range 10 {
			g.do("PUT", fmt.Sprintf("/companies/by-external-id/k%d", i%4), fmt.Sprintf(`{"name":"n%d"}`, i))
		}
		r := g.do("GET", "/_admin/applied", "")
		return g.state(), r.raw
	}
	state1, log1 := run()
	state2, log2 := run()
	if state1 != state2 || log1 != log2 || strings.Count(log1, "\n") != 10 {
		t.Errorf("two runs of the same writes differ or are short:\n%s\n%s", log1, log2)
	}
}

func TestAbortedRequestsLeaveNoHalfAnswer(t *testing.T) {
	p := CRM()
	p.Faults = []Fault{{Kind: CutBody, Every: 1, On: "read"}}
	g := open(t, p, smallSeed())
	r := g.do("GET", "/companies", "")
	if !errors.Is(r.err, io.ErrUnexpectedEOF) {
		t.Errorf("cut body gives %v, want %v", r.err, io.ErrUnexpectedEOF)
	}
	if r.body != nil {
		t.Errorf("the half body parses: %s", r.raw)
	}
}
