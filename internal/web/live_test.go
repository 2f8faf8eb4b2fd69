package web

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"touchstone/internal/auth"
	"touchstone/internal/env"
)

// ticking is a clock that moves by what is slept.
type ticking struct {
	mu  sync.Mutex
	now time.Time
}

func (c *ticking) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *ticking) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// counting gives other counts at the third and at every later look.
type counting struct {
	fake
	looks *atomic.Int64
	err   error
}

func (c counting) Live(context.Context) (map[string]int, []string, error) {
	if c.looks.Add(1) > 2 {
		return map[string]int{"review": 40, "quarantine": 1234}, nil, c.err
	}
	return map[string]int{"review": 41, "quarantine": 1234}, nil, c.err
}

func TestLiveCountsAreStreamedWhenTheyChange(t *testing.T) {
	c := counting{looks: new(atomic.Int64)}
	h := New(c, Options{Env: env.Env{Clock: &ticking{now: testNow}, Rand: func(p []byte) { copy(p, "0123456789") }}})
	w := get(t, h, "/live")
	body := w.Body.String()
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	want := "retry: 1000\nevent: counts\ndata: {\"quarantine\":\"1\u202f234\",\"review\":\"41\"}\n\n: still here\n\nretry: 1000\nevent: counts\ndata: {\"quarantine\":\"1\u202f234\",\"review\":\"40\"}\n\n: still here\n\n"
	if !strings.HasPrefix(body, want) {
		t.Errorf("the stream is\n%q\nwant\n%q", body, want)
	}
	if n := c.looks.Load(); n != int64(liveLife/liveEvery) {
		t.Errorf("%d looks in the life of a stream, want %d", n, liveLife/liveEvery)
	}
}

func TestAStreamEndsWithItsServerAndOnErrors(t *testing.T) {
	ended := make(chan struct{})
	close(ended)
	for name, o := range map[string]struct {
		err    error
		ending <-chan struct{}
		looks  int64
	}{"the server ends": {nil, ended, 1}, "the store is gone": {errors.New("x"), nil, 1}} {
		c := counting{looks: new(atomic.Int64), err: o.err}
		get(t, New(c, Options{Env: env.Env{Clock: &ticking{now: testNow}, Rand: func(p []byte) { copy(p, "0123456789") }}, Ending: o.ending}), "/live")
		if c.looks.Load() != o.looks {
			t.Errorf("%s: %d looks, want %d", name, c.looks.Load(), o.looks)
		}
	}
}

// TestStreamsAreBoundedAndLeaveNothing opens more streams than there may be at
// once, and leaves them in the middle.
func TestStreamsAreBoundedAndLeaveNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := newServer(counting{looks: new(atomic.Int64)}, Options{Env: env.Real()})
	ctx, cancel := context.WithCancel(t.Context())
	var open sync.WaitGroup
	var refused atomic.Int64
	for range liveClients + 5 {
		open.Go(func() {
			w := httptest.NewRecorder()
			s.live(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/live", nil))
			if w.Code == http.StatusServiceUnavailable {
				refused.Add(1)
			}
		})
	}
	for s.streams.Load() < liveClients || refused.Load() < 5 {
		if err := env.Real().Clock.Sleep(t.Context(), time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	open.Wait()
	if refused.Load() != 5 || s.streams.Load() != 0 {
		t.Errorf("%d of %d were refused, %d are left; want 5 and none", refused.Load(), liveClients+5, s.streams.Load())
	}
}

func TestNobodyStreamsWithoutSigningIn(t *testing.T) {
	w := get(t, newHandler(newOffice(), withToken), "/live")
	if w.Code != http.StatusSeeOther || strings.Contains(w.Body.String(), "review") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestDecisionsOnPlansReachTheirPlace(t *testing.T) {
	tests := []struct {
		path, want string
		form       url.Values
		code       int
	}{
		{"/plans/crm/approve", "confirm that &lt;40&gt; writes are meant", url.Values{"why": {"kept <b>"}, "upto": {"99"}}, 422},
		{"/plans/crm/approve", "approved {Target:crm Op:update Field:phone Upto:99 Brake:true} {Who:page:local Why:seen}", url.Values{"why": {"seen"}, "upto": {"99"}, "op": {"update"}, "field": {"phone"}, "brake": {"1"}}, 303},
		{"/plans/crm/refuse", "say why", nil, 422},
		{"/plans/crm/refuse", "refused {Target:crm Op: Field:phone Upto:0 Brake:false} {Who:page:local Why:no}", url.Values{"why": {"no"}, "field": {"phone"}}, 303},
		{"/plans/crm/stop", "stopped crm {Who:page:local Why:}", nil, 303},
		{"/plans/crm/go", "going crm {Who:page:local Why:}", nil, 303},
		{"/plans/crm/rows/row1/unrefuse", "unrefused row1 {Who:page:local Why:}", nil, 303},
		{"/sources/crm/run", "run crm {Who:page:local Why:}", nil, 303},
		{"/sources/crm/stop", "stop crm {Who:page:local Why:}", nil, 303},
		{"/alerts", "note {Rule:disk_low Subject: Silent:24h0m0s Clear:false} {Who:page:local Why:ordered}", url.Values{"rule": {"disk_low"}, "silent": {"1d"}, "why": {"ordered"}}, 303},
		{"/alerts", "form could not be read", url.Values{"rule": {"disk_low"}, "silent": {"9y"}}, 400},
	}
	for _, tt := range tests {
		f := newOffice()
		w := post(t, newHandler(f, nil), tt.path, tt.form)
		got := w.Body.String() + f.seen.text()
		if w.Code != tt.code || !strings.Contains(got, tt.want) {
			t.Errorf("POST %s %v: %d, want %d and %q in\n%s", tt.path, tt.form, w.Code, tt.code, tt.want, got)
		}
		if tt.code == 422 && tt.form.Has("why") && !strings.Contains(got, "kept &lt;b&gt;") {
			t.Errorf("POST %s forgets what was typed", tt.path)
		}
	}
}

func TestOnlyWhoMayDecidesOnPlans(t *testing.T) {
	s := newServer(newOffice(), Options{Env: env.Env{Clock: stopped{}, Rand: func(p []byte) { copy(p, "0123456789") }}})
	m := s.routesOf()
	for _, path := range []string{"/plans/crm/approve", "/plans/crm/refuse", "/plans/crm/stop", "/plans/crm/go", "/plans/crm/rows/x/unrefuse", "/sources/crm/run", "/sources/crm/stop", "/alerts"} {
		for _, role := range auth.Roles() {
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader("why=x&brake=1"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			m.mux.ServeHTTP(w, r.WithContext(auth.With(r.Context(), auth.Actor{ID: "amy", Role: role})))
			if may := role == auth.Admin; (w.Code == http.StatusSeeOther) != may {
				t.Errorf("%s at %s: %d", role, path, w.Code)
			}
		}
	}
}
