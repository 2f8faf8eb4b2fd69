package httpx

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"touchstone/internal/env"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const canary = "canary-Zk3hJ9"

// testClock is real time whose sleeps are noted and take no time.
type testClock struct {
	mu    sync.Mutex
	slept []time.Duration
	now   time.Time
}

func (c *testClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *testClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.slept = append(c.slept, d)
		c.now = c.now.Add(d)
	}
	return ctx.Err()
}

func (c *testClock) total() (sum time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.slept {
		sum += d
	}
	return sum
}

func newTestClient(t *testing.T, cfg Config) (*Client, *testClock, *bytes.Buffer) {
	t.Helper()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(tr.CloseIdleConnections)
	clock := &testClock{now: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}
	var lines bytes.Buffer
	cfg.Log = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c, err := New(env.Env{Clock: clock, Rand: func(p []byte) { clear(p) }, HTTP: tr}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c, clock, &lines
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestOnlyReadsAreRetriedAndOnlyWhenItMayHelp(t *testing.T) {
	tests := []struct {
		method string
		status int // 0: the connection is cut
		want   int
	}{
		{"GET", 502, 3},
		{"GET", 503, 3},
		{"GET", 504, 3},
		{"HEAD", 503, 3},
		{"GET", 0, 3},
		{"GET", 500, 1},
		{"GET", 429, 1},
		{"GET", 404, 1},
		{"GET", 200, 1},
		{"POST", 502, 1},
		{"POST", 503, 1},
		{"POST", 500, 1},
		{"POST", 0, 1},
		{"PUT", 503, 1},
		{"PATCH", 504, 1},
		{"DELETE", 503, 1},
		{"DELETE", 0, 1},
	}
	for _, tt := range tests {
		var n atomic.Int32
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			n.Add(1)
			if tt.status == 0 {
				conn, _, _ := w.(http.Hijacker).Hijack()
				conn.Close()
				return
			}
			w.WriteHeader(tt.status)
		})
		c, clock, _ := newTestClient(t, Config{})
		a, err := c.Do(t.Context(), Request{Method: tt.method, URL: s.URL, Body: nil})
		if int(n.Load()) != tt.want || clock.total() > 4*time.Second {
			t.Errorf("%s answered %d was sent %d times (waited %v), want %d", tt.method, tt.status, n.Load(), clock.total(), tt.want)
		}
		if tt.status == 0 && err == nil || tt.status != 0 && (err != nil || a.Status != tt.status) {
			t.Errorf("%s answered %d: %v, %v", tt.method, tt.status, a, err)
		}
	}
}

// net/http by itself sends a request with an Idempotency-Key again when a kept
// connection breaks; a write must not even then go twice.
func TestWriteOnABrokenKeptConnectionIsSentOnce(t *testing.T) {
	var posts atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "POST" {
			posts.Add(1)
			_, _ = io.Copy(io.Discard, r.Body)
			conn, _, _ := w.(http.Hijacker).Hijack()
			conn.Close()
		}
	})
	for _, body := range [][]byte{[]byte(`{"a":1}`), nil} {
		posts.Store(0)
		c, _, _ := newTestClient(t, Config{})
		if _, err := c.Do(t.Context(), Request{Method: "GET", URL: s.URL}); err != nil {
			t.Fatal(err)
		}
		_, err := c.Do(t.Context(), Request{Method: "POST", URL: s.URL, Body: body, Header: http.Header{"Idempotency-Key": {"k1"}}})
		var he *Error
		if !errors.As(err, &he) || he.NotSent || posts.Load() != 1 {
			t.Errorf("POST with body %q: sent %d times, error %v; want once and an error that does not say unsent", body, posts.Load(), err)
		}
	}
}

func TestRetryAfterIsReadAndCapped(t *testing.T) {
	date := "Mon, 05 Jan 2026 08:00:00 GMT"
	tests := []struct {
		after, date string
		want        time.Duration
	}{
		{"", date, 0},
		{"7", date, 7 * time.Second},
		{" 7 ", date, 7 * time.Second},
		{"0", date, 0},
		{"-5", date, 0},
		{"99999999999", date, MaxRetryAfter},
		{"99999999999999999999999", date, MaxRetryAfter},
		{"soon", date, 0},
		{"1.5", date, 0},
		{"Mon, 05 Jan 2026 08:00:30 GMT", date, 30 * time.Second},
		{"Mon, 05 Jan 2026 07:00:00 GMT", date, 0},
		{"Tue, 05 Jan 2038 08:00:00 GMT", date, MaxRetryAfter},
		{"Sat, 05 Jan 2019 08:00:30 GMT", "Sat, 05 Jan 2019 08:00:00 GMT", 30 * time.Second}, // the server's clock is seven years slow
		{"Mon, 05 Jan 2026 08:00:20 GMT", "nonsense", 20 * time.Second},
	}
	for _, tt := range tests {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Date"] = []string{tt.date}
			if tt.after != "" {
				w.Header().Set("Retry-After", tt.after)
			}
			w.WriteHeader(429)
		})
		c, _, _ := newTestClient(t, Config{})
		a, err := c.Do(t.Context(), Request{Method: "GET", URL: s.URL})
		if err != nil || a.Status != 429 || a.RetryAfter != tt.want {
			t.Errorf("Retry-After %q at %q: %+v, %v; want %v", tt.after, tt.date, a, err, tt.want)
		}
	}
}

func TestALongWaitIsTheCallersToKeep(t *testing.T) {
	var n atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(503)
	})
	c, clock, _ := newTestClient(t, Config{})
	a, err := c.Do(t.Context(), Request{Method: "GET", URL: s.URL})
	if err != nil || a.RetryAfter != time.Minute || n.Load() != 1 || clock.total() != 0 {
		t.Errorf("503 with a minute's wait: %+v, %v, sent %d, waited %v; want the answer at once", a, err, n.Load(), clock.total())
	}
}

func TestRedirectsStayOnTheHost(t *testing.T) {
	var stolen atomic.Int32
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { stolen.Add(1) })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL+"/?token="+canary, http.StatusFound)
		case "/scheme":
			http.Redirect(w, r, "https://"+r.Host+"/ok", http.StatusFound)
		case "/bad":
			w.Header().Set("Location", "http://[::1/"+canary)
			w.WriteHeader(302)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/ok":
			_, _ = io.WriteString(w, r.Header.Get("X-Api-Key"))
		}
	})
	tests := []struct{ method, path, want string }{
		{"GET", "/near", "200 " + canary},
		{"GET", "/away", "redirects to another host or scheme"},
		{"GET", "/scheme", "redirects to another host or scheme"},
		{"GET", "/loop", "redirects too often"},
		{"GET", "/bad", "the connection failed or the answer is not HTTP"},
		{"POST", "/near", "302 "},
		{"POST", "/away", "302 "},
	}
	for _, tt := range tests {
		c, _, _ := newTestClient(t, Config{})
		a, err := c.Do(t.Context(), Request{Method: tt.method, URL: s.URL + tt.path, Header: http.Header{"X-Api-Key": {canary}, "Authorization": {"Bearer " + canary}}})
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprintf("%d %s", a.Status, a.Body)
		} else if strings.Contains(got, canary) {
			t.Errorf("%s %s: the error %q holds the secret", tt.method, tt.path, got)
		}
		if !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s %s: %s, want %s", tt.method, tt.path, got, tt.want)
		}
	}
	if n := stolen.Load(); n != 0 {
		t.Errorf("the other host saw %d requests, want none", n)
	}
}

func TestOriginIsHeld(t *testing.T) {
	c, _, _ := newTestClient(t, Config{Origin: "https://api.example.com"})
	for _, u := range []string{"http://api.example.com/x", "https://api.example.com:444/x", "https://evil.example.org/x?k=" + canary, "file:///etc/passwd", "::", "https://api.example.com@evil.example.org/"} {
		_, err := c.Do(t.Context(), Request{Method: "GET", URL: u})
		var he *Error
		if !errors.As(err, &he) || !he.NotSent || strings.Contains(err.Error(), canary) {
			t.Errorf("GET %s: %v, want a refusal", u, err)
		}
	}
}

func zip(t *testing.T, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	_, _ = z.Write(b)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestBodiesAreWholeAndBounded(t *testing.T) {
	bomb := zip(t, make([]byte, 16<<20))
	small := zip(t, []byte("hello"))
	tests := []struct {
		name   string
		answer func(w http.ResponseWriter)
		want   string
		is     error
	}{
		{"plain", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "hello") }, "hello", nil},
		{"gzip", func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); _, _ = w.Write(small) }, "hello", nil},
		{"empty gzip", func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip") }, "", nil},
		{"gzip bomb", func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); _, _ = w.Write(bomb) }, "more than 1048576 bytes", ErrTooLarge},
		{"too long", func(w http.ResponseWriter) { _, _ = w.Write(make([]byte, 1<<20+1)) }, "more than 1048576 bytes", ErrTooLarge},
		{"just fits", func(w http.ResponseWriter) { _, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20)) }, strings.Repeat("x", 1<<20), nil},
		{"cut", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, canary)
		}, "cut short", ErrCut},
		{"cut chunks", func(w http.ResponseWriter) {
			conn, rw, _ := w.(http.Hijacker).Hijack()
			_, _ = rw.WriteString("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
			_ = rw.Flush()
			conn.Close()
		}, "cut short", ErrCut},
		{"cut gzip", func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(small[:len(small)-6])
		}, "cut short", ErrCut},
		{"not gzip", func(w http.ResponseWriter) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, strings.Repeat(canary, 20))
		}, "not the gzip it says", ErrCut},
		{"other encoding", func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "br"); _, _ = io.WriteString(w, "x") }, "encoding that was not asked for", nil},
		{"not HTTP", func(w http.ResponseWriter) {
			conn, rw, _ := w.(http.Hijacker).Hijack()
			_, _ = rw.WriteString(canary + "\r\n\r\n")
			_ = rw.Flush()
			conn.Close()
		}, "not HTTP", nil},
		{"huge headers", func(w http.ResponseWriter) {
			for i := range 70 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("h", 1000))
			}
		}, "bytes of headers, want at most", nil},
	}
	for _, tt := range tests {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) { tt.answer(w) })
		c, _, _ := newTestClient(t, Config{MaxBody: 1 << 20})
		a, err := c.Do(t.Context(), Request{Method: "GET", URL: s.URL})
		got := fmt.Sprint(err)
		if err == nil {
			got = string(a.Body)
		}
		if !strings.Contains(got, tt.want) || tt.is != nil && !errors.Is(err, tt.is) || strings.Contains(got, canary) {
			t.Errorf("%s: %.80q, want %.80q (%v)", tt.name, got, tt.want, tt.is)
		}
	}
}

func TestTimeoutBoundsTheWholeRequest(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.WriteHeader(200)
			_, _ = io.WriteString(w, "half")
			w.(http.Flusher).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	for _, path := range []string{"/head", "/body"} {
		c, _, _ := newTestClient(t, Config{Timeout: 60 * time.Millisecond})
		start := time.Now()
		_, err := c.Do(t.Context(), Request{Method: "POST", URL: s.URL + path, Body: []byte("{}")})
		var he *Error
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &he) || he.NotSent || time.Since(start) > 2*time.Second {
			t.Errorf("%s: %v after %v, want a sent request that timed out", path, err, time.Since(start))
		}
	}
}

func TestUnsentIsKnown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + l.Addr().String()
	l.Close()
	for _, u := range []string{dead, "http://no-such-host.invalid/"} {
		c, _, _ := newTestClient(t, Config{})
		_, err = c.Do(t.Context(), Request{Method: "POST", URL: u + "/?key=" + canary, Body: []byte(canary)})
		var he *Error
		if !errors.As(err, &he) || !he.NotSent || strings.Contains(err.Error(), canary) {
			t.Errorf("POST %s: %v, want an error that says nothing was sent", u, err)
		}
	}
}

func TestLimitPacesRequests(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	c, clock, _ := newTestClient(t, Config{Limit: Limit{Requests: 5, Per: time.Second}})
	for range 15 {
		if _, err := c.Do(t.Context(), Request{Method: "GET", URL: s.URL}); err != nil {
			t.Fatal(err)
		}
	}
	if got := clock.total(); got < 1900*time.Millisecond || got > 2100*time.Millisecond {
		t.Errorf("15 requests at 5 a second waited %v, want 2s after the first five", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Do(ctx, Request{Method: "GET", URL: s.URL}); !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped wait for the limit: %v, want context canceled", err)
	}
}

func TestConcurrencyIsBounded(t *testing.T) {
	var now, most atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		now.Add(-1)
	})
	c, _, _ := newTestClient(t, Config{Limit: Limit{Concurrency: 3}})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Do(t.Context(), Request{Method: "POST", URL: s.URL, Body: []byte("x")}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if m := most.Load(); m > 3 || m < 2 {
		t.Errorf("%d requests at once, want at most 3", m)
	}
}

func TestSecretsStayOutOfTheLog(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", canary)
		w.WriteHeader(503)
		_, _ = io.WriteString(w, canary)
	})
	c, _, log := newTestClient(t, Config{})
	u := strings.Replace(s.URL, "://", "://user:"+canary+"@", 1) + "/path?key=" + canary
	_, _ = c.Do(t.Context(), Request{Method: "GET", URL: u, Header: http.Header{"Authorization": {canary}}})
	_, _ = c.Do(t.Context(), Request{Method: "POST", URL: u, Body: []byte(canary)})
	if text := log.String(); strings.Contains(text, canary) || !strings.Contains(text, "/path") || !strings.Contains(text, "status=503") {
		t.Errorf("the log is %q, want the path and the status and no secret", text)
	}
}

func TestAnUntrustedCertificateIsNotRetried(t *testing.T) {
	var n atomic.Int32
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n.Add(1) }))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	for _, method := range []string{"GET", "POST"} {
		c, clock, _ := newTestClient(t, Config{})
		_, err := c.Do(t.Context(), Request{Method: method, URL: s.URL, Header: http.Header{"Authorization": {canary}}})
		var he *Error
		if !errors.As(err, &he) || !he.NotSent || !strings.HasSuffix(err.Error(), "certificate is not trusted") || clock.total() > 0 || n.Load() > 0 {
			t.Errorf("%s: %v after waiting %v, %d requests; want it refused at once", method, err, clock.total(), n.Load())
		}
	}
}
