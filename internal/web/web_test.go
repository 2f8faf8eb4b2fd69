package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"touchstone/internal/env"
)

var testNow = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

type stopped struct{ env.Clock }

func (stopped) Now() time.Time { return testNow }

// Sleep ends at once: what waits for time to pass has waited in vain.
func (stopped) Sleep(context.Context, time.Duration) error { return context.Canceled }

type fake struct {
	Source
	o   Overview
	err error
}

func (f fake) Overview(context.Context) (Overview, error) { return f.o, f.err }

func (f fake) Seen(context.Context, string, string, []string) error { return nil }

func (f fake) Refused(context.Context, string, string, string) error { return nil }

// busy is an overview in which everything happens.
func busy() Overview {
	return Overview{
		Sources: []SourceRow{
			{Name: "crm", Type: "rest", State: StateOK, LastRun: testNow.Add(-3 * time.Minute), Pulled: 12345, Stored: 12000, Unchanged: 300, Echo: 15, Quarantined: 25, Filtered: 5, Week: []int{3, 9, 4, 0, 7, 8, 12}},
			{Name: "desk", Type: "rest", State: StateFailing, Problem: "get companies: 503", LastRun: testNow.Add(-30 * time.Hour), Pulled: 329, Stored: 329, Week: []int{0, 0}},
			{Name: "registry", Type: "file", State: StateNew},
		},
		Targets: []TargetRow{
			{Name: "crm", System: "crm", Entity: "company", State: StateOK, LastRun: testNow.Add(-20 * time.Second), Planned: 120, Delivered: 110, Verified: 108, Open: 7, Failed: 3},
			{Name: "crm_people", System: "crm", Entity: "person", State: StateWaiting, Planned: 40, Open: 40},
		},
		Queues: []Queue{
			{Kind: QueueReview, Count: 41, Oldest: testNow.Add(-50 * time.Hour), Href: "/review"},
			{Kind: QueueQuarantine, Count: 25, Oldest: testNow.Add(-time.Hour)},
			{Kind: QueueUnknown},
			{Kind: QueueConflict},
			{Kind: "homemade", Count: 1},
		},
		Members: 1100, Golden: 776,
		Last: []Golden{
			{
				ID: "abcd2345efgh6789", Entity: "company", Name: "<script>alert(1)</script> 上海美跃", Members: 3, Sources: []string{"crm", "desk"}, Changed: testNow.Add(-10 * 24 * time.Hour),
				Fields: []Field{{"name", "SECRET-VALUE & Co", "crm c1001"}, {"phones", "+862168880102", "desk o1002"}},
			},
			{ID: "zzzz2345efgh6789", Entity: "person", Members: 1, Sources: []string{"register"}},
		},
	}
}

func newHandler(s Source, change func(*Options)) http.Handler {
	o := Options{Env: env.Env{Clock: stopped{}, Rand: func(p []byte) { copy(p, "0123456789") }}, ShowValues: true}
	if change != nil {
		change(&o)
	}
	return New(s, o)
}

func get(t *testing.T, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	r.Host = "127.0.0.1:8480"
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOverviewSaysWhatMatters(t *testing.T) {
	h := newHandler(fake{o: busy()}, nil)
	w := get(t, h, "/")
	if w.Code != 200 {
		t.Fatalf("overview: %d %s", w.Code, w.Body)
	}
	body := w.Body.String()
	for _, want := range []string{
		"2 systems need attention, 41 pairs wait for review, 25 records are in quarantine, nothing is lost.",
		"12\u202f345", "12\u202f674", // one source, and the total
		"✓ adds up", "3 min ago", "1 d ago", "never", "just now", "2025-12-26",
		`title="2026-01-05 08:57:00 UTC"`, "get companies: 503", "failing, tries again",
		`<a href="/review">41</a>`, "Oldest: 2 d ago.", "homemade", `<polyline points="3.0,13.5 `, "324", // merged = 1100 − 776
		"&lt;script&gt;alert(1)&lt;/script&gt; 上海美跃", "SECRET-VALUE &amp; Co", "desk o1002",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the overview lacks %q", want)
		}
	}
	if strings.Contains(body, "homemade.hint") {
		t.Error("a queue without words shows a message key")
	}
	if strings.Contains(strings.Replace(body, `<script src="/assets/`, "", 1), "<script") || strings.Contains(body, " style=") || strings.Contains(body, "<style") || strings.Contains(body, "onclick") {
		t.Error("the overview carries inline script or style")
	}
}

func TestCountsThatDoNotAddUpAreShown(t *testing.T) {
	o := busy()
	o.Sources[1].Stored -= 2    // two are missing
	o.Sources[0].Unchanged += 2 // and two too many elsewhere do not hide it
	o.Targets[0].Open--
	body := get(t, newHandler(fake{o: o}, nil), "/").Body.String()
	for _, want := range []string{"5 records are unaccounted for", "≠ 5 unexplained", "≠ 2 unexplained", "≠ 1 unexplained"} {
		if !strings.Contains(body, want) {
			t.Errorf("the overview lacks %q", want)
		}
	}
}

func TestValuesStayHidden(t *testing.T) {
	w := get(t, newHandler(fake{o: busy()}, func(o *Options) { o.ShowValues = false }), "/")
	body := w.Body.String()
	for _, secret := range []string{"SECRET-VALUE", "上海美跃", "862168880102", "desk o1002"} {
		if strings.Contains(body, secret) {
			t.Errorf("%q is shown though values are off", secret)
		}
	}
	if !strings.Contains(body, "abcd2345efgh6789") || !strings.Contains(body, "is not shown here") {
		t.Error("the list of golden records or its note is gone")
	}
}

func TestEmptyStatesSayWhatToDo(t *testing.T) {
	body := get(t, newHandler(fake{}, nil), "/").Body.String()
	for _, want := range []string{"No source is configured yet.", "Add a source to touchstone.yaml", "nothing is written back", "Nothing waits.", "the first run makes them"} {
		if !strings.Contains(body, want) {
			t.Errorf("the empty overview lacks %q", want)
		}
	}
}

func TestLanguageFollowsReader(t *testing.T) {
	h := newHandler(fake{o: busy()}, nil)
	tests := []struct{ target, accept, cookie, lang, text string }{
		{"/", "", "", "en", "Golden records"},
		{"/", "fr, de;q=0.5", "", "en", "Golden records"},
		{"/", "zh-CN,zh;q=0.9,en;q=0.8", "", "zh-Hans", "黄金记录"},
		{"/", "zh", "", "zh-Hans", "黄金记录"},
		{"/", "zh-TW", "", "zh-Hant", "黃金記錄"},
		{"/", "zh-HK,en", "", "zh-Hant", "黃金記錄"},
		{"/", "en-GB,zh-CN;q=0.5", "", "en", "Golden records"},
		{"/", ";;;q=x", "", "en", "Golden records"},
		{"/?lang=zh-Hant", "en", "", "zh-Hant", "黃金記錄"},
		{"/?lang=xx", "zh-CN", "", "zh-Hans", "黄金记录"},
		{"/", "en", "touchstone_lang=zh-Hans", "zh-Hans", "黄金记录"},
		{"/", "en", "touchstone_lang=%3Cscript", "en", "Golden records"},
		{"/?lang=en", "zh", "touchstone_lang=zh-Hans", "en", "Golden records"},
	}
	for _, tt := range tests {
		w := get(t, h, tt.target, "Accept-Language", tt.accept, "Cookie", tt.cookie)
		if got := w.Header().Get("Content-Language"); got != tt.lang || !strings.Contains(w.Body.String(), tt.text) || !strings.Contains(w.Body.String(), `<html lang="`+tt.lang+`"`) {
			t.Errorf("GET %s Accept-Language %q cookie %q: language %q, want %q with %q", tt.target, tt.accept, tt.cookie, got, tt.lang, tt.text)
		}
	}
	if c := get(t, h, "/?lang=zh-Hans").Result().Cookies(); len(c) != 1 || c[0].Value != "zh-Hans" || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("choosing a language sets %v, want one HttpOnly, SameSite=Lax cookie", c)
	}
}

func TestThemeFollowsReader(t *testing.T) {
	h := newHandler(fake{o: busy()}, nil)
	tests := []struct{ target, cookie, want string }{
		{"/", "", `<html lang="en">`},
		{"/?theme=dark", "", `<html lang="en" data-theme="dark">`},
		{"/", "touchstone_theme=light", `<html lang="en" data-theme="light">`},
		{"/?theme=auto", "touchstone_theme=light", `<html lang="en">`},
		{"/?theme=pink", "", `<html lang="en">`},
	}
	for _, tt := range tests {
		if body := get(t, h, tt.target, "Cookie", tt.cookie).Body.String(); !strings.Contains(body, tt.want) {
			t.Errorf("GET %s cookie %q lacks %s: %.80s", tt.target, tt.cookie, tt.want, body)
		}
	}
}

func TestOnlyOurHostIsServed(t *testing.T) {
	h := newHandler(fake{}, func(o *Options) { o.Hosts = []string{"touchstone.example.com"} })
	tests := []struct {
		host string
		want int
	}{
		{"127.0.0.1:8480", 200},
		{"127.0.0.1", 200},
		{"localhost:1", 200},
		{"[::1]:8480", 200},
		{"[::1]", 200},
		{"LOCALHOST", 200},
		{"touchstone.example.com", 200},
		{"touchstone.example.com:443", 200},
		{"evil.example.com", 421},
		{"127.0.0.1.evil.example.com", 421},
		{"192.0.2.1", 421},
		{"", 421},
	}
	for _, tt := range tests {
		for _, path := range []string{"/", "/healthz", "/assets/touchstone.css"} {
			if w := get(t, h, path, "Host", tt.host); w.Code != tt.want {
				t.Errorf("host %q path %s: %d, want %d", tt.host, path, w.Code, tt.want)
			}
		}
	}
}

func TestEveryAnswerCarriesSecurityHeaders(t *testing.T) {
	h := newHandler(fake{err: errors.New("x")}, nil)
	for _, path := range []string{"/", "/nowhere", "/healthz", "/assets/touchstone.css"} {
		head := get(t, h, path).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if !strings.HasPrefix(head.Get(name), want) {
				t.Errorf("%s: %s is %q, want %q", path, name, head.Get(name), want)
			}
		}
		if strings.Contains(head.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: the policy allows inline code", path)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.Host = "127.0.0.1"
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("a cross-site POST: %d, want 403", w.Code)
	}
}

func TestFailureTellsReaderANumberAndTheLogTheRest(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(fake{err: errors.New("disk on fire")}, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	w := get(t, h, "/", "Accept-Language", "zh-CN")
	body := w.Body.String()
	id := env.Env{Rand: func(p []byte) { copy(p, "0123456789") }}.ID()
	if w.Code != 500 || !strings.Contains(body, "页面无法生成") || !strings.Contains(body, id) || strings.Contains(body, "disk") {
		t.Errorf("failed page %d: %s", w.Code, body)
	}
	if !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "disk on fire") {
		t.Errorf("the log lacks the number or the cause: %s", log.String())
	}
}

func TestHealth(t *testing.T) {
	tests := []struct {
		health func(context.Context) error
		code   int
		body   string
	}{
		{nil, 200, `{"status":"ok"}`},
		{func(context.Context) error { return nil }, 200, `{"status":"ok"}`},
		{func(context.Context) error { return errors.New("no disk") }, 503, `{"status":"unhealthy"}`},
	}
	for i, tt := range tests {
		w := get(t, newHandler(fake{}, func(o *Options) { o.Health = tt.health }), "/healthz")
		if w.Code != tt.code || strings.TrimSpace(w.Body.String()) != tt.body {
			t.Errorf("case %d: %d %s, want %d %s", i, w.Code, w.Body, tt.code, tt.body)
		}
	}
}

// TestReady: 503 with the reasons while the work is not done, and an answer in
// time also where nobody answers us.
func TestReady(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ready func(context.Context) []string
		code  int
		body  string
	}{
		{"nobody to ask", nil, 200, `{"status":"ready"}`},
		{"at work", func(context.Context) []string { return nil }, 200, `{"status":"ready"}`},
		{"not at work", func(context.Context) []string { return []string{"the daemon is starting", "the store does not answer"} }, 503, `{"status":"not ready","reasons":["the daemon is starting","the store does not answer"]}`},
		{"no answer", func(ctx context.Context) []string {
			end, bounded := ctx.Deadline()
			if !bounded || time.Until(end) > 2*overviewBound {
				return []string{"not bounded"}
			}
			return []string{"bounded"}
		}, 503, `{"status":"not ready","reasons":["bounded"]}`},
	} {
		w := get(t, newHandler(fake{}, func(o *Options) { o.Ready = tt.ready }), "/readyz")
		if w.Code != tt.code || strings.TrimSpace(w.Body.String()) != tt.body || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s, want %d %s", tt.name, w.Code, w.Body, tt.code, tt.body)
		}
	}
}

func TestAssets(t *testing.T) {
	h := newHandler(fake{}, nil)
	w := get(t, h, newServer(fake{}, Options{}).css.address)
	if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/css") || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("stylesheet: %d %v", w.Code, w.Header())
	}
	if w := get(t, h, "/assets/mark.svg"); w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("mark: %d %v", w.Code, w.Header())
	}
	for _, path := range []string{"/assets/", "/assets/none.css", "/assets/..%2Ftemplates%2Flayout.html", "/templates/layout.html", "/overview.html"} {
		if w := get(t, h, path); w.Code != 404 {
			t.Errorf("GET %s: %d, want 404", path, w.Code)
		}
	}
}

// TestPagesAreWellFormed parses each page and asks that every heading, label
// and image is there for those who do not see.
func TestPagesAreWellFormed(t *testing.T) {
	for _, lang := range languages() {
		body := get(t, newHandler(fake{o: busy()}, nil), "/?lang="+lang.Code).Body.String()
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		ids, refs, h1 := map[string]bool{}, []string{}, 0
		for n := range doc.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			attr := map[string]string{}
			for _, a := range n.Attr {
				attr[a.Key] = a.Val
			}
			if id := attr["id"]; id != "" {
				if ids[id] {
					t.Errorf("%s: id %q twice", lang.Code, id)
				}
				ids[id] = true
			}
			if ref := attr["aria-labelledby"]; ref != "" {
				refs = append(refs, ref)
			}
			if _, has := attr["alt"]; n.Data == "img" && !has {
				t.Errorf("%s: an image without alt", lang.Code)
			}
			if n.Data == "th" && attr["scope"] == "" {
				t.Errorf("%s: a header cell without scope", lang.Code)
			}
			if n.Data == "svg" && attr["aria-label"] == "" && attr["aria-hidden"] == "" { // hidden where the numbers stand beside it
				t.Errorf("%s: a chart without a label", lang.Code)
			}
			if n.Data == "h1" {
				h1++
			}
		}
		for _, ref := range refs {
			if !ids[ref] {
				t.Errorf("%s: aria-labelledby %q leads nowhere", lang.Code, ref)
			}
		}
		if h1 != 1 || len(refs) != 6 {
			t.Errorf("%s: %d h1 and %d labelled sections, want 1 and 6", lang.Code, h1, len(refs))
		}
	}
}

func TestPageIsFast(t *testing.T) {
	o := busy()
	for i := range 200 {
		o.Sources = append(o.Sources, SourceRow{Name: fmt.Sprint("s", i), Type: "rest", State: StateOK, Week: []int{1, 2, 3}})
	}
	h := newHandler(fake{o: o}, nil)
	start := time.Now()
	w := get(t, h, "/")
	if d := time.Since(start); w.Code != 200 || d > 2*time.Second {
		t.Errorf("200 sources: %d in %v, want 200 well under 2 s", w.Code, d)
	}
}

func TestRulesOfAnAreaStayWithItsPages(t *testing.T) {
	tests := [][2]string{
		{".a { color: red; }\n", ".a { color: red; }\n"},
		{"/* pages: desk review */\n.a { color: red; }\n", ":is(.page-desk,.page-review) {\n.a { color: red; }\n}\n"},
		{"/* pages: desk */\n.a {}\n/* every page */\n.b {}\n", ":is(.page-desk) {\n.a {}\n}\n.b {}\n"},
	}
	for _, tt := range tests {
		if got := string(ownPages([]byte(tt[0]))); got != tt[1] {
			t.Errorf("%q becomes %q, want %q", tt[0], got, tt[1])
		}
	}
	if page := get(t, newHandler(newOffice(), nil), "/customers").Body.String(); !strings.Contains(page, `<main id="main" class="page-customers"`) {
		t.Error("a page does not say which one it is")
	}
}
