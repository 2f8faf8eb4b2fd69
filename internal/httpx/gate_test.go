package httpx

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// In no span of per does more weight go through than the limit allows, whenever
// requests come and however many are taken back.
func TestAWindowNeverLetsMoreThrough(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 40).Draw(t, "most")
		per := time.Duration(rapid.IntRange(10, 5000).Draw(t, "per")) * time.Millisecond
		w := &window{most: most, per: per}
		now := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
		type one struct {
			at     time.Time
			weight int
		}
		var sent []one
		for range rapid.IntRange(1, 150).Draw(t, "n") {
			now = now.Add(time.Duration(rapid.IntRange(0, int(per)/most).Draw(t, "gap")))
			weight := rapid.IntRange(1, most).Draw(t, "weight")
			at := w.reserve(now, weight)
			if at.Before(now) {
				t.Fatalf("a request of %v may go at %v, before it came", now, at)
			}
			if rapid.IntRange(0, 9).Draw(t, "cancel") == 0 {
				w.cancel(at, weight)
				continue
			}
			sent = append(sent, one{at, weight})
		}
		for i := range sent {
			sum := 0
			for _, s := range sent[i:] {
				if s.at.Sub(sent[i].at) >= per {
					break
				}
				sum += s.weight
			}
			if sum > most {
				t.Fatalf("%d go within %v from %v, want at most %d", sum, per, sent[i].at, most)
			}
		}
		if len(w.sent) > windowEntries+1 {
			t.Fatalf("the window remembers %d entries", len(w.sent))
		}
	})
}

func TestAWindowUsesWhatIsAllowed(t *testing.T) {
	w := &window{most: 100_000, per: 24 * time.Hour}
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	for i := range 100_000 {
		if at := w.reserve(start.Add(time.Duration(i)*time.Millisecond), 1); at.Sub(start) > 2*time.Minute {
			t.Fatalf("request %d of a day's 100,000 waits until %v", i, at)
		}
	}
	if at := w.reserve(start.Add(3*time.Minute), 1); at.Sub(start) < 24*time.Hour {
		t.Errorf("request 100,001 goes at %v, want a day later", at)
	}
	if len(w.sent) > windowEntries {
		t.Errorf("the window remembers %d entries, want at most %d", len(w.sent), windowEntries)
	}
}

func TestRequestsKeepEveryLimitTheyFallUnder(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	limits := []Limit{
		{Requests: 4, Per: time.Second, Path: "*/search"},
		{Requests: 10, Per: 10 * time.Second, Method: "post", Weight: 5},
		{Requests: 1000, Per: time.Second},
	}
	for _, tt := range []struct {
		method, path string
		n            int
		want         time.Duration
	}{
		{"GET", "/a/search", 9, 2 * time.Second},
		{"GET", "/a/searches", 9, 0},
		{"POST", "/a", 4, 10 * time.Second},
		{"POST", "/a/search", 2, 0},
	} {
		c, clock, _ := newTestClient(t, Config{Limits: limits})
		for range tt.n {
			if _, err := c.Do(t.Context(), Request{Method: tt.method, URL: s.URL + tt.path}); err != nil {
				t.Fatal(err)
			}
		}
		if got := clock.total(); got != tt.want {
			t.Errorf("%d %s %s waited %v, want %v", tt.n, tt.method, tt.path, got, tt.want)
		}
	}
}

func TestADaysBudgetThatIsUsedUpIsAnErrorAtOnce(t *testing.T) {
	var n atomic.Int32
	s := serve(t, func(w http.ResponseWriter, r *http.Request) { n.Add(1) })
	c, clock, _ := newTestClient(t, Config{Limits: []Limit{{Requests: 3, Per: 24 * time.Hour}}})
	var err error
	for range 5 {
		_, err = c.Do(t.Context(), Request{Method: "GET", URL: s.URL})
	}
	var e *Error
	if !errors.As(err, &e) || !e.NotSent || e.After != MaxRetryAfter || n.Load() != 3 || clock.total() != 0 {
		t.Errorf("after %d requests: %v, waited %v; want three, then not sent with a wait of %v", n.Load(), err, clock.total(), MaxRetryAfter)
	}
}

func TestHeadersCloseALimit(t *testing.T) {
	tests := []struct {
		name, left, reset string
		want              time.Duration
	}{
		{"seconds", "0", "7", 7 * time.Second},
		{"since 1970", "0", "1767600009", 9 * time.Second},
		{"milliseconds", "0", "1767600005500", 5500 * time.Millisecond},
		{"a date", "0", "Mon, 05 Jan 2026 08:00:30 GMT", 30 * time.Second},
		{"without a reset", "0", "", 3 * time.Second},
		{"nonsense", "0", "soon", 3 * time.Second},
		{"enough left", "1", "7", 0},
		{"no number", "many", "7", 0},
		{"less than the weight", "0.5", "2", 2 * time.Second},
	}
	for _, tt := range tests {
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Left", tt.left)
			w.Header().Set("X-Reset", tt.reset)
		})
		c, clock, _ := newTestClient(t, Config{Limits: []Limit{{Per: 3 * time.Second, Remaining: "X-Left", Reset: "X-Reset"}}})
		for range 2 {
			if _, err := c.Do(t.Context(), Request{Method: "GET", URL: s.URL}); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if got := clock.total(); got != tt.want {
			t.Errorf("%s: the second request waited %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestPathsAreMatched(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"/a", "/a", true},
		{"/a", "/a/b", false},
		{"/a/*", "/a/b/c", true},
		{"/a/*", "/a", false},
		{"*/search", "/x/y/search", true},
		{"*/search", "/x/searches", false},
		{"/a/*/c", "/a/b/b/c", true},
		{"/a/*/c*", "/a/c", false},
		{"*", "/", true},
		{"/a*a", "/a", false},
	} {
		if got := glob(tt.pattern, tt.path); got != tt.want {
			t.Errorf("glob(%q, %q) = %v, want %v", tt.pattern, tt.path, got, tt.want)
		}
	}
}

func TestASearchByPostIsRetriedLikeARead(t *testing.T) {
	for _, safe := range []bool{true, false} {
		var n atomic.Int32
		s := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				w.WriteHeader(502)
			}
		})
		c, _, _ := newTestClient(t, Config{})
		a, err := c.Do(t.Context(), Request{Method: "POST", URL: s.URL, Body: []byte(`{}`), Safe: safe})
		want, times := 200, int32(2)
		if !safe {
			want, times = 502, 1
		}
		if err != nil || a.Status != want || n.Load() != times {
			t.Errorf("safe %v: %v, %v after %d requests, want %d after %d", safe, a, err, n.Load(), want, times)
		}
	}
}
