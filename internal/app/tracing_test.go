package app

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/env"
	"touchstone/internal/store"
	"touchstone/internal/trace/tracetest"
	"touchstone/internal/web"
)

// tracedWorld is a company in two systems, whose passes are traced.
func tracedWorld(t *testing.T, dsn, more string) (w *world, crm *simulated, r *tracetest.Receiver) {
	t.Helper()
	r = tracetest.New(t)
	w, crm, _ = two(t, dsn, []string{acme("canary-ext-1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("canary-ext-2", "1", `,"phone":"0113 999"`)})
	w.yaml = "trace: {endpoint: \"" + r.URL + "\", sample: 100%, headers: {X-Api-Key: canary-header}" + more + "}\n" + w.yaml
	return w, crm, r
}

// canaries are parts of what the records and the configuration hold that no span
// may: ids, names, numbers, places, tokens.
var canaries = regexp.MustCompile(`canary-ext|Acme|acmetools|Mill Lane|113[ +%]*496|0113|LS1 4AP|Leeds|token-of|updated_|since=`)

func TestPassIsTraced(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, r := tracedWorld(t, dsn, "")
		w.open()
		w.clean()
		id := ""
		w.close()
		want := []string{
			"pass",
			"pass/pull",
			"pass/pull/stream",
			"pass/pull/stream/page",
			"pass/pull/stream/page/fetch",
			"pass/pull/stream/page/fetch/http GET",
			"pass/pull/stream/page/land",
			"pass/push",
			"pass/push/send",
			"pass/push/send/http PATCH",
			"pass/push/send/write",
			"pass/push/send/write/http GET",
			"pass/resolve",
			"pass/resolve/entity",
			"pass/resolve/entity/link",
			"pass/resolve/entity/link/golden",
			"pass/resolve/entity/link/golden/plan",
			"pass/resolve/entity/publish",
			"pass/resolve/entity/scan",
		}
		if diff := cmp.Diff(want, r.Paths()); diff != "" {
			t.Errorf("spans (-want +got):\n%s", diff)
		}
		for _, s := range r.Spans() {
			if id == "" {
				id = s.Trace
			}
			if s.Trace != id {
				t.Errorf("span %s belongs to trace %s, want all in one, %s", s.Name, s.Trace, id)
			}
			if s.Error {
				t.Errorf("span %s says that something went wrong: %v", s.Name, s.Attrs)
			}
			for k, v := range s.Attrs {
				if canaries.MatchString(v) || canaries.MatchString(k) || strings.Contains(v, "?") {
					t.Errorf("span %s holds %s=%s", s.Name, k, v)
				}
			}
			switch s.Name {
			case "pull":
				if s.Attrs["touchstone.source"] == "" || s.Attrs["touchstone.stored"] != "1" {
					t.Errorf("a pull says %v, want its source and 1 stored", s.Attrs)
				}
			case "http PATCH":
				if s.Attrs["url.template"] != "/companies/{id}" || s.Attrs["server.address"] != "127.0.0.1" || s.Attrs["http.response.status_code"] != "200" {
					t.Errorf("a call says %v, want its template, host and status", s.Attrs)
				}
			case "write":
				if s.Attrs["touchstone.outcome"] != "applied" || s.Attrs["touchstone.verified"] != "true" {
					t.Errorf("a write says %v, want applied and verified", s.Attrs)
				}
			}
		}
		if all := r.Bytes(); canaries.MatchString(all) {
			t.Errorf("a value was sent: %q", canaries.FindString(all))
		} else if !strings.Contains(all, "canary-header") {
			t.Error("the configured header was not sent")
		}
		if !strings.Contains(w.log.String(), "trace_id="+id) {
			t.Errorf("no line of the log carries the trace %s:\n%s", id, w.log)
		}
	})
}

// TestBulkAndJobsAreTraced resolves everything at once, and makes a backup.
func TestBulkAndJobsAreTraced(t *testing.T) {
	t.Parallel()
	w, _, r := tracedWorld(t, "", "")
	w.opts.Bulk = 2
	w.open()
	w.clean()
	if _, err := w.app.Backup(t.Context(), filepath.Join(w.dir, "canary-ext-backup.db"), false); err != nil {
		t.Fatal(err)
	}
	w.close()
	for _, want := range []string{
		"backup", "pass/resolve/entity/bulk publish", "pass/resolve/entity/bulk lists", "pass/resolve/entity/bulk weigh",
		"pass/resolve/entity/bulk link", "pass/resolve/entity/bulk link/link/golden", "pass/resolve/entity/bulk count",
	} {
		if !slices.Contains(r.Paths(), want) {
			t.Errorf("no span %s in %q", want, r.Paths())
		}
	}
	if all := r.Bytes(); canaries.MatchString(all) {
		t.Errorf("a value was sent: %q", canaries.FindString(all))
	}
}

func TestFailureIsMarkedInItsTrace(t *testing.T) {
	t.Parallel()
	w, crm, r := tracedWorld(t, "", "")
	var seen atomic.Value
	crm.before = func(rw http.ResponseWriter, q *http.Request) bool {
		seen.Store(q.Header.Get("Traceparent"))
		rw.WriteHeader(http.StatusInternalServerError)
		return true
	}
	w.open()
	if s, err := w.app.Pass(t.Context(), nil); err != nil || len(s.Problems) == 0 {
		t.Fatalf("a pass with a failing source: %+v, %v", s, err)
	}
	w.close()
	var failed []string
	id := ""
	for _, s := range r.Spans() {
		if s.Error {
			failed = append(failed, s.Name)
			id = s.Trace
		}
	}
	slices.Sort(failed)
	if want := []string{"fetch", "http GET", "page", "pull", "stream"}; !slices.Equal(slices.Compact(failed), want) {
		t.Errorf("failed: %v, want %v", failed, want)
	}
	if !regexp.MustCompile(`msg="source failed".*trace_id=` + id).MatchString(w.log.String()) {
		t.Errorf("the log does not tell the trace of the failure:\n%s", w.log)
	}
	if seen.Load() != "" {
		t.Errorf("the system was told the trace: %v", seen.Load())
	}
}

func TestSystemsAreToldTheTraceWhereConfigured(t *testing.T) {
	t.Parallel()
	w, crm, r := tracedWorld(t, "", ", propagate: true")
	var seen atomic.Value
	crm.before = func(_ http.ResponseWriter, q *http.Request) bool {
		seen.Store(q.Header.Get("Traceparent"))
		return false
	}
	w.open()
	w.clean()
	w.close()
	spans := r.Spans()
	if len(spans) == 0 || !strings.HasPrefix(seen.Load().(string), "00-"+spans[0].Trace+"-") {
		t.Errorf("the system was told %q, want the trace of the pass", seen.Load())
	}
}

// TestDaemonIsTraced: each turn is a trace of its own, turns without work are
// none, another configuration goes on with another receiver, and a receiver that
// hangs delays neither the work nor the end.
func TestDaemonIsTraced(t *testing.T) {
	t.Parallel()
	w, crm, first := tracedWorld(t, "", "")
	r := w.run()
	r.untilDelivered("desk", 1)
	second := tracetest.New(t)
	second.Answer = func(_ http.ResponseWriter, q *http.Request) bool {
		select {
		case <-q.Context().Done():
		case <-time.After(20 * time.Second):
		}
		return true
	}
	if got := r.reload(strings.Replace(r.yaml, first.URL, second.URL, 1)); !got.Taken {
		t.Fatalf("another receiver: %+v, want it taken", got)
	}
	for _, want := range []string{"pull", "pull/stream/page/land", "resolve/entity/link", "push/send/write"} {
		if !slices.Contains(first.Paths(), want) {
			t.Errorf("no span %s in %v", want, first.Paths())
		}
	}
	turns := 0
	for _, s := range first.Spans() {
		if s.Name == "resolve" && s.Parent == "" && s.Attrs["touchstone.count.link"] == "" && !slices.ContainsFunc(first.Spans(), func(x tracetest.Span) bool { return x.Parent == s.ID }) {
			turns++
		}
	}
	if turns > 0 {
		t.Errorf("%d turns of the resolver without work were sent", turns)
	}
	crm.edit("canary-ext-1", map[string]any{"phone": "+44 113 496 0002"})
	r.untilDelivered("desk", 2)
	r.until("the second receiver is asked", func() bool { return second.Requests() > 0 })
	text := scrape(t, r.app.Metrics())
	for _, want := range []string{"touchstone_trace_spans_sent_total ", "touchstone_http_requests_total"} {
		if !strings.Contains(text, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	began := time.Now()
	r.stop()
	err := <-r.ended
	close(r.ended)
	if err != nil {
		t.Error(err)
	}
	r.app.life.stopTracing()
	if took := time.Since(began); took > 9*time.Second {
		t.Errorf("the end took %s while the receiver hangs", took)
	}
	if text := scrape(t, r.app.Metrics()); !strings.Contains(text, `touchstone_trace_spans_dropped_total{reason="not_sent"}`) {
		t.Errorf("what the receiver did not take is not counted:\n%s", text)
	}
	if !strings.Contains(r.out.String(), "spans were left out") {
		t.Error("the log does not tell of what was left out")
	}
}

// TestRequestsAreTraced asks pages and the API: the pattern of an address and the
// number of the request are there, never what was asked for.
func TestRequestsAreTraced(t *testing.T) {
	t.Parallel()
	w, _, r := tracedWorld(t, "", "")
	w.open()
	w.clean()
	h := web.New(w.app, web.Options{Env: env.Real(), Log: w.app.Log, ShowValues: true, Tracer: w.app.Tracer(), Health: w.app.Healthy, LookUp: w.app, Reconcile: "canary-ext-secret-path"})
	rows, err := w.app.Store.GoldenList(t.Context(), store.GoldenFilter{Entity: "company", Limit: 1})
	if err != nil || len(rows) != 1 {
		t.Fatalf("golden records: %v, %v", rows, err)
	}
	ask := func(method, target, parent string) int {
		q := httptest.NewRequestWithContext(t.Context(), method, target, http.NoBody)
		q.Host = "127.0.0.1:8480"
		if parent != "" {
			q.Header.Set("traceparent", parent)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, q)
		return rec.Code
	}
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, x := range []struct {
		method, target string
		code           int
	}{
		{"GET", "/customers/" + rows[0].ID + "?q=Acme", 200},
		{"HEAD", "/customers/" + rows[0].ID, 200},
		{"GET", "/canary-ext-nowhere", 404},
		{"GET", "/healthz", 200},
		{"GET", "/reconcile/canary-ext-secret-path", 200},
		{"BREW", "/", 405},
	} {
		if code := ask(x.method, x.target, parent); code != x.code {
			t.Errorf("%s %s: %d, want %d", x.method, x.target, code, x.code)
		}
	}
	before := len(r.Spans())
	w.close()
	got := map[string]string{}
	for _, s := range r.Spans()[min(before, len(r.Spans())):] {
		if s.Kind != "SERVER" {
			continue
		}
		got[s.Name] = s.Attrs["http.response.status_code"]
		if s.Parent != "b7ad6b7169203331" || s.Attrs["touchstone.request"] == "" {
			t.Errorf("request %s: parent %s, %v; want the caller's span and a number", s.Name, s.Parent, s.Attrs)
		}
	}
	want := map[string]string{"GET /customers/{id}": "200", "HEAD /customers/{id}": "200", "GET /": "404", "GET /reconcile/": "200", "_OTHER /": "405"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if all := r.Bytes(); canaries.MatchString(all) || strings.Contains(all, rows[0].ID) {
		t.Errorf("something that was asked for was sent: %q", canaries.FindString(all))
	}
}
