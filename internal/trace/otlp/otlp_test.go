package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"touchstone/internal/env"
	"touchstone/internal/trace"
	"touchstone/internal/trace/tracetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted is what an exporter told of.
type counted struct {
	mu      sync.Mutex
	sent    int
	dropped map[string]int
	log     bytes.Buffer
}

func (c *counted) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log.Write(p)
}

func (c *counted) get() (sent int, dropped map[string]int, log string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for k, v := range c.dropped {
		out[k] = v
	}
	return c.sent, out, c.log.String()
}

func open(t *testing.T, url string, change func(*Options)) (*Exporter, *counted) {
	t.Helper()
	c := &counted{dropped: map[string]int{}}
	o := Options{
		Endpoint: url + "/v1/traces", Share: 1, Env: env.Real(), Log: slog.New(slog.NewTextHandler(c, nil)), Version: "test",
		Sent:    func(n int) { c.mu.Lock(); c.sent += n; c.mu.Unlock() },
		Dropped: func(why string, n int) { c.mu.Lock(); c.dropped[why] += n; c.mu.Unlock() },
		every:   10 * time.Millisecond, bound: 300 * time.Millisecond,
	}
	own := http.DefaultTransport.(*http.Transport).Clone()
	o.Env.HTTP = own
	if change != nil {
		change(&o)
	}
	x, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close(); own.CloseIdleConnections() })
	return x, c
}

func TestSpansArriveAsATree(t *testing.T) {
	r := tracetest.New(t)
	x, c := open(t, r.URL, func(o *Options) { o.Headers = map[string]string{"Authorization": "Bearer canary"} })
	ctx, pass := x.Tracer().Start(t.Context(), "pass")
	pull, span := x.Tracer().Start(ctx, "pull", trace.Text("touchstone.source", "crm"))
	for i := range 3 {
		page, p := trace.Detail(pull, "page", trace.Int("n", i))
		_, call := trace.Call(page, "http GET", trace.Text("server.address", "api.example.com"))
		call.End(nil)
		p.End(nil)
	}
	span.End(fmt.Errorf("source crm: secret-of-a-customer: %w", context.DeadlineExceeded))
	_, idle := x.Tracer().Start(ctx, "resolve")
	idle.Forget()
	pass.End(nil)
	x.Close()
	want := []string{"pass", "pass/pull", "pass/pull/page", "pass/pull/page/http GET"}
	if diff := cmp.Diff(want, r.Paths()); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
	for _, s := range r.Spans() {
		if s.Error != (s.Name == "pull") || s.Name == "pull" && s.Attrs["error.type"] != "timeout" {
			t.Errorf("span %s: error %v %v, want one in pull alone, a timeout", s.Name, s.Error, s.Attrs)
		}
		if s.Name == "pass" && (s.Attrs["touchstone.count.page"] != "3" || s.Attrs["touchstone.count.http GET"] != "3" || s.Attrs["touchstone.seconds.page"] == "") {
			t.Errorf("the sums of the pass: %v, want 3 pages and 3 calls", s.Attrs)
		}
		if s.Name == "http GET" && s.Kind != "CLIENT" {
			t.Errorf("a call is of kind %s, want CLIENT", s.Kind)
		}
	}
	if all := r.Bytes(); strings.Contains(all, "secret-of-a-customer") || !strings.Contains(all, "Bearer canary") || !strings.Contains(all, "touchstone") {
		t.Error("an error's text was sent, or the configured header was not")
	}
	if sent, dropped, _ := c.get(); sent != 8 || len(dropped) > 0 {
		t.Errorf("sent %d, dropped %v; want 8 and none", sent, dropped)
	}
}

func TestDetailsAreThinnedAndStillSummed(t *testing.T) {
	for _, tt := range []struct {
		share float64
		want  int
	}{{0, 100}, {0.1, 110}, {1, 200}} {
		r := tracetest.New(t)
		x, _ := open(t, r.URL, func(o *Options) { o.Share = tt.share })
		ctx, pass := x.Tracer().Start(t.Context(), "pass")
		for range 200 {
			page, p := trace.Detail(ctx, "page")
			_, land := trace.Start(page, "land")
			land.End(nil)
			p.End(nil)
		}
		pass.End(nil)
		x.Close()
		counts := map[string]int{}
		var sums string
		for _, s := range r.Spans() {
			counts[s.Name]++
			if s.Name == "pass" {
				sums = s.Attrs["touchstone.count.page"] + " " + s.Attrs["touchstone.count.land"]
			}
		}
		if counts["page"] != tt.want || counts["land"] != tt.want || sums != "200 200" {
			t.Errorf("share %g: %v, sums %s; want %d pages with their landing, and sums of 200", tt.share, counts, sums, tt.want)
		}
	}
}

// TestReceiverInTrouble: work goes on at full speed, and what is lost is counted.
func TestReceiverInTrouble(t *testing.T) {
	hang := func(w http.ResponseWriter, q *http.Request) bool {
		select {
		case <-q.Context().Done():
		case <-time.After(5 * time.Second):
		}
		return true
	}
	status := func(code int, kind, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request) bool
		down   bool
		why    []string // any of them
		most   int      // dropped; of 300
		least  int
	}{
		{name: "down", down: true, why: []string{Unsent, Full}, least: 300, most: 300},
		{name: "hangs", answer: hang, why: []string{Unsent, Full}, least: 300, most: 300},
		{name: "500", answer: status(500, "text/plain", "no"), why: []string{Refused, Full}, least: 300, most: 300},
		{name: "413", answer: status(413, "text/plain", "too large"), why: []string{Refused, Full}, least: 300, most: 300},
		{name: "401", answer: status(401, "application/json", "{}"), why: []string{Refused, Full}, least: 300, most: 300},
		{name: "HTML", answer: status(200, "text/html; charset=utf-8", "<h1>Sign in</h1>"), why: []string{Refused, Full}, least: 300, most: 300},
		{name: "503", answer: status(503, "text/plain", "busy"), why: []string{Refused, Unsent, Full}, least: 300, most: 300},
		{name: "partial", answer: status(200, "application/x-protobuf", "\x0a\x04\x08\x01\x12\x00"), why: []string{Refused, Full}, least: 1, most: 299},
		{name: "huge answer", answer: status(200, "text/plain", strings.Repeat("x", 1<<20)), why: []string{Unsent, Full}, least: 300, most: 300},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := tracetest.New(t)
			r.Answer = tt.answer
			url := r.URL
			if tt.down {
				srv := httptest.NewServer(http.NotFoundHandler())
				url = srv.URL
				srv.Close()
			}
			x, c := open(t, url, func(o *Options) { o.queue = 100 })
			began := time.Now()
			for range 300 {
				_, s := x.Tracer().Start(t.Context(), "work")
				s.End(nil)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("300 spans took %s: the work waits for the receiver", took)
			}
			began = time.Now()
			x.Close()
			if took := time.Since(began); took > time.Second {
				t.Errorf("closing took %s, want 300ms and a little", took)
			}
			sent, dropped, log := c.get()
			n := 0
			for why, k := range dropped {
				n += k
				if !slices.Contains(tt.why, why) {
					t.Errorf("dropped as %s, want one of %v", why, tt.why)
				}
			}
			if n < tt.least || n > tt.most || sent+n != 300 {
				t.Errorf("sent %d, dropped %v; want %d to %d dropped, and 300 in all", sent, dropped, tt.least, tt.most)
			}
			if lines := strings.Count(log, "spans were left out"); lines < 1 || lines > 2 {
				t.Errorf("%d lines in the log for one minute and the end, want 1 or 2:\n%s", lines, log)
			}
		})
	}
}

func TestCallersTraceIsJoined(t *testing.T) {
	const caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"
	for _, tt := range []struct {
		name, header string
		share        float64
		trace, from  string // of the span; "" for no span
	}{
		{"sampled", caller + "1", 0, "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"},
		{"not sampled", caller + "0", 1, "", ""},
		{"nonsense", "00-zz-1-01", 0, "", ""},
		{"none", "", 0, "", ""},
	} {
		r := tracetest.New(t)
		x, _ := open(t, r.URL, func(o *Options) { o.Share = tt.share })
		q := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/customers/canary-id", nil)
		q.Header.Set("traceparent", tt.header)
		q.Header.Set("tracestate", "vendor=canary-state")
		ctx, span := x.Tracer().Serve(q, "GET /customers/{id}")
		h := http.Header{}
		trace.Inject(ctx, h)
		span.End(nil)
		x.Close()
		spans := r.Spans()
		if len(h) > 0 {
			t.Errorf("%s: %v is sent on unasked", tt.name, h)
		}
		if tt.trace == "" {
			if len(spans) > 0 {
				t.Errorf("%s: %+v, want no span", tt.name, spans)
			}
			continue
		}
		if len(spans) != 1 || spans[0].Trace != tt.trace || spans[0].Parent != tt.from || spans[0].Kind != "SERVER" {
			t.Errorf("%s: %+v, want one in trace %s below %s", tt.name, spans, tt.trace, tt.from)
		}
		if strings.Contains(r.Bytes(), "canary") {
			t.Errorf("%s: what the caller wrote was passed on", tt.name)
		}
	}
}

// TestCallersCannotFillTheQueue: asking to be traced works a bounded number of
// times a second.
func TestCallersCannotFillTheQueue(t *testing.T) {
	r := tracetest.New(t)
	x, _ := open(t, r.URL, func(o *Options) { o.Share = 0 })
	for range 10 * askedAtOnce {
		q := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		q.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		_, span := x.Tracer().Serve(q, "GET /")
		span.End(nil)
	}
	x.Close()
	if n := len(r.Spans()); n < askedAtOnce || n > askedAtOnce+5*askedPerSecond {
		t.Errorf("%d of %d requests were traced, want about %d", n, 10*askedAtOnce, askedAtOnce)
	}
}

func TestPropagateWhereConfigured(t *testing.T) {
	r := tracetest.New(t)
	x, _ := open(t, r.URL, func(o *Options) { o.Propagate = true })
	ctx, span := x.Tracer().Start(t.Context(), "pass")
	h := http.Header{}
	trace.Inject(ctx, h)
	span.End(nil)
	if got := h.Get("traceparent"); !strings.HasPrefix(got, "00-"+span.ID()+"-") || !strings.HasSuffix(got, "-01") {
		t.Errorf("traceparent %q, want one of trace %s", got, span.ID())
	}
}

// TestALongNameIsCutBetweenLetters: protobuf takes no half of one, and would lose
// the batch.
func TestALongNameIsCutBetweenLetters(t *testing.T) {
	r := tracetest.New(t)
	x, _ := open(t, r.URL, nil)
	_, span := x.Tracer().Start(t.Context(), "pull", trace.Text("touchstone.source", "x"+strings.Repeat("客户", 30)))
	span.End(nil)
	x.Close()
	want := "x" + strings.Repeat("客户", 19) + "客"
	if got := r.Spans(); len(got) != 1 || got[0].Attrs["touchstone.source"] != want {
		t.Errorf("spans %v, want one of %q", got, want)
	}
}

// TestNothingIsPrinted: the library says what it has to say to our log.
func TestNothingIsPrinted(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, errs := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	x, c := open(t, "http://127.0.0.1:1", nil)
	ctx, s := x.Tracer().Start(t.Context(), "work")
	for i := range 200 {
		s.Set(trace.Int(fmt.Sprintf("n%d", i), i))
	}
	trace.From(ctx).End(errors.New("x"))
	s.End(nil) // ended twice
	x.Close()
	x.Close()
	_, late := x.Tracer().Start(t.Context(), "late")
	late.End(nil)
	os.Stdout, os.Stderr = out, errs
	_ = write.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(read); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 0 {
		t.Errorf("printed: %s", b.String())
	}
	if _, dropped, _ := c.get(); dropped[Unsent] != 1 {
		t.Errorf("dropped %v, want the span that was never taken", dropped)
	}
}

func TestOffCostsNothing(t *testing.T) {
	var none *trace.Tracer
	if n := testing.AllocsPerRun(100, func() {
		ctx, root := none.Start(t.Context(), "pass")
		ctx, s := trace.Detail(ctx, "page")
		_, call := trace.Call(ctx, "http GET")
		call.End(nil)
		s.Set()
		s.EndOf(1, nil)
		root.End(nil)
	}); n > 0 {
		t.Errorf("%g allocations with tracing off, want none", n)
	}
}

func BenchmarkOff(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	for b.Loop() {
		c, s := trace.Detail(ctx, "page", trace.Text("a", "b"))
		_, call := trace.Call(c, "http GET")
		call.End(nil)
		s.End(nil)
	}
}

func BenchmarkOn(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}))
	defer srv.Close()
	for _, share := range []float64{0.1, 1} {
		b.Run(fmt.Sprintf("share %g", share), func(b *testing.B) {
			x, err := Open(Options{Endpoint: srv.URL, Share: share, Env: env.Real(), Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				b.Fatal(err)
			}
			defer x.Close()
			ctx, root := x.Tracer().Start(b.Context(), "pass")
			for b.Loop() {
				c, s := trace.Detail(ctx, "page", trace.Text("a", "b"))
				_, call := trace.Call(c, "http GET")
				call.End(nil)
				s.End(nil)
			}
			root.End(nil)
		})
	}
}
