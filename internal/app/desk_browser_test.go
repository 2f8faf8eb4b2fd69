package app

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"touchstone/internal/web"
)

// steward is somebody before the review page, in a browser of their own.
type steward struct {
	*testing.T
	ctx  context.Context
	base string

	mu         sync.Mutex
	complaints []string
}

// sit opens a browser before a handler.
func sit(t *testing.T, h http.Handler) *steward {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil && path == "" {
			path = p
		}
	}
	if path == "" {
		t.Fatal("no browser in PATH: install Debian's package chromium, or run .ci/setup test")
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path),
		chromedp.NoSandbox, // the only pages are our own, and root has no sandbox
		chromedp.DisableGPU, chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	s := &steward{T: t, ctx: ctx, base: server.URL}
	if err := chromedp.Listen(ctx, s.note); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return s
}

// note keeps what the browser complains about.
func (s *steward) note(ev any) {
	line := ""
	switch ev := ev.(type) {
	case *runtime.EventExceptionThrown:
		line = "exception: " + ev.ExceptionDetails.Text
		if e := ev.ExceptionDetails.Exception; e != nil {
			line += " " + e.Description
		}
	case *log.EventEntryAdded:
		line = ev.Entry.Text + " " + ev.Entry.URL
	}
	if line != "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.complaints = append(s.complaints, line)
	}
}

func (s *steward) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	s.Helper()
	if err := chromedp.Do(s.ctx, actions...); err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

func (s *steward) visit(path string) {
	s.Helper()
	s.do("open "+path, chromedp.Navigate(s.base+path))
}

func (s *steward) keys(keys string) {
	s.Helper()
	for _, k := range keys {
		s.do("press "+string(k), chromedp.KeyEvent(string(k)))
	}
}

func (s *steward) text(expression string) string {
	s.Helper()
	v, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		s.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// until waits for an expression to be true.
func (s *steward) until(expression string) {
	s.Helper()
	for range 250 {
		v, err := chromedp.Run(s.ctx, chromedp.Evaluate[bool](expression))
		if err == nil && v {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.quiet()
	s.Fatalf("it never came true: %s\nthe page says: %s", expression, s.text(`document.querySelector("#main").innerText`))
}

const (
	pairShown = `document.querySelector("#desk").dataset.pair`
	toldLine  = `(document.querySelector("#told")?.innerText ?? "")`
)

// ready waits until the page of the next pair has been fetched ahead.
func (s *steward) ready() {
	s.Helper()
	s.until(`document.readyState === "complete" && (document.querySelector("#desk").dataset.fetch === "" || performance.getEntriesByType("resource").some(e => e.name.includes("not=" + document.querySelector("#desk").dataset.pair) && e.responseEnd > 0))`)
}

func (s *steward) quiet() {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.complaints) > 0 {
		s.Errorf("the browser complains:\n%s", strings.Join(s.complaints, "\n"))
	}
}

func (w *world) pages() http.Handler {
	return web.New(w.app, web.Options{Env: w.env, ShowValues: true})
}

// said lists the decisions in force by kind.
func (w *world) said() map[string]int {
	w.Helper()
	list, err := w.app.Decisions(w.Context(), "in force", 0, 1000)
	if err != nil {
		w.Fatal(err)
	}
	out := map[string]int{}
	for _, d := range list {
		out[d.Kind]++
	}
	return out
}

// TestBrowserTenPairsByKeyboard decides ten pairs by keys alone, takes one back,
// picks a value and pins one that is typed.
func TestBrowserTenPairsByKeyboard(t *testing.T) {
	t.Parallel()
	w := atDesk(t, "", 13)
	s := sit(t, w.pages())
	s.do("size", chromedp.EmulateViewport(1280, 900))
	s.visit("/review?lang=en")
	for i, key := range "mnumnmnsmn" {
		s.ready()
		before := s.text(pairShown)
		s.keys(string(key))
		s.until(fmt.Sprintf(`%s !== %q`, pairShown, before))
		if at := s.text(`location.pathname + " " + document.activeElement.tagName`); at != "/review BODY" {
			t.Errorf("after answer %d the page is at %q", i+1, at)
		}
	}
	s.until(toldLine + `.includes("Undo")`)
	s.until(`document.querySelector(".budget > a").innerText === "4 pairs wait"`) // as it stands with the last answer, and the one put aside
	if got, want := fmt.Sprint(w.said()), "map[merge:4 split:4 unsure:1]"; got != want {
		t.Errorf("ten answers are %s, want %s", got, want)
	}
	if n := len(w.waiting()); n != 3 {
		t.Errorf("%d pairs wait, want 3", n)
	}
	// Take the last back: its pair is there again.
	shown := s.text(pairShown)
	s.keys("z")
	s.until(fmt.Sprintf(`%s !== %q && %s.includes("Taken back")`, pairShown, shown, toldLine))
	if got, want := fmt.Sprint(w.said()), "map[merge:4 split:3 undo:1 unsure:1]"; got != want {
		t.Errorf("after the undo decisions are %s, want %s", got, want)
	}
	// The value that would lose is picked, another is typed; that needs a reason.
	pair := s.text(pairShown)
	s.keys("j")
	s.until(`document.querySelector("tr.line.at")?.dataset.field === "name"`)
	s.keys("2")
	s.until(`document.querySelector('input[name="pick.name"]:checked')?.value === "b"`)
	s.keys("jj")
	s.until(`document.querySelector("tr.line.at")?.dataset.field !== "name"`)
	field := s.text(`document.querySelector("tr.line.at").dataset.field`)
	s.keys("3")
	s.until(`document.activeElement.name?.startsWith("value.")`)
	s.text(`document.activeElement.value = ""`) // a made-up key press is typed although the page took it
	s.keys("12 New Street")
	s.keys("\x1b")
	s.keys("m")
	s.until(toldLine + `.includes("needs a reason")`)
	if got := s.text(pairShown + ` + document.querySelector('input[name="value.` + field + `"]').value`); got != pair+"12 New Street" {
		t.Errorf("what was typed is lost: %q", got)
	}
	s.keys("w")
	s.text(`document.activeElement.value = ""`)
	s.keys("asked them")
	s.keys("\x1b")
	s.keys("m")
	s.until(fmt.Sprintf(`%s !== %q && %s.includes("with the values you picked")`, pairShown, pair, toldLine))
	if got, want := fmt.Sprint(w.said()), "map[merge:5 pin:2 split:3 undo:1 unsure:1]"; got != want {
		t.Errorf("after the picks decisions are %s, want %s", got, want)
	}
	s.keys("h")
	s.until(`document.querySelector("#history").open`)
	s.keys("?")
	s.until(`document.querySelector("#keys").matches(":popover-open")`)
	s.mu.Lock()
	s.complaints = slices.DeleteFunc(s.complaints, func(c string) bool { return strings.Contains(c, "422") }) // the reason that lacked
	s.mu.Unlock()
	s.quiet()
}

// TestBrowserReviewsInEveryWay: in three languages, by touch on a phone, and
// without script.
func TestBrowserReviewsInEveryWay(t *testing.T) {
	t.Parallel()
	w := atDesk(t, "", 8)
	s := sit(t, w.pages())
	// By keys in the other languages.
	for lang, said := range map[string]string{"zh-Hans": "已合并", "zh-Hant": "已合併"} {
		s.visit("/review?theme=dark&lang=" + lang)
		s.ready()
		pair := s.text(pairShown)
		s.keys("m")
		s.until(fmt.Sprintf(`%s !== %q && %s.includes(%q)`, pairShown, pair, toldLine, said))
	}
	// By touch on a phone.
	s.do("phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	s.visit("/review?lang=en")
	s.ready()
	pair := s.text(pairShown)
	small := s.text(`[...document.querySelectorAll(".verdict .say, .val .pick, .desk-nav a, .desk-nav button")].filter(e => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.height < 44 || r.width < 44) }).map(e => e.outerHTML.slice(0, 60)).join()`)
	if small != "" {
		t.Errorf("too small for a thumb: %s", small)
	}
	if got := s.text(`String(document.documentElement.scrollWidth) + " " + (document.querySelector("#say-apart").getBoundingClientRect().bottom <= innerHeight)`); got != "390 true" {
		t.Errorf("the phone's page is %s wide with the answers in reach, want 390 true", got)
	}
	s.tap("#say-apart")
	s.until(fmt.Sprintf(`%s !== %q && %s.includes("Kept apart")`, pairShown, pair, toldLine))
	s.tap("#told button")
	s.until(fmt.Sprintf(`%s === %q`, pairShown, pair))
	// Without script the same forms lead from page to page.
	if _, err := chromedp.Call(s.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	s.visit("/review?lang=en")
	pair = s.text(pairShown)
	for _, step := range []struct{ press, shows string }{
		{"#say-apart", "Kept apart."},
		{"#told button", "Taken back."},
		{"#say-same", "Merged."},
	} {
		if _, err := chromedp.RunResponse(s.ctx, chromedp.Click(chromedp.CSS(step.press))); err != nil {
			t.Fatalf("click %s: %v", step.press, err)
		}
		if got := s.text(toldLine); !strings.Contains(got, step.shows) {
			t.Errorf("without script %s says %q, want %q", step.press, got, step.shows)
		}
	}
	if s.text(pairShown) == pair {
		t.Error("without script the pair that was merged is shown again")
	}
	s.quiet()
}

// tap touches the middle of an element.
func (s *steward) tap(selector string) {
	s.Helper()
	s.until(fmt.Sprintf(`!!document.querySelector(%q)`, selector))
	at, err := chromedp.Run(s.ctx, chromedp.Evaluate[[]float64](fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({block: "nearest"}); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, selector)))
	if err != nil || len(at) != 2 {
		s.Fatalf("where is %s: %v", selector, err)
	}
	for _, p := range []input.DispatchTouchEventParams{
		{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: at[0], Y: at[1]}}},
		{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}},
	} {
		if _, err := chromedp.Call(s.ctx, input.DispatchTouchEvent, p); err != nil {
			s.Fatalf("tap %s: %v", selector, err)
		}
	}
}

// TestBrowserLosesNothing: another steward was faster, the records changed, the
// session ended, the network went away: it is told, the pair comes back with what
// was typed, and nothing was decided twice.
func TestBrowserLosesNothing(t *testing.T) {
	t.Parallel()
	w := atDesk(t, "", 6)
	var gone, out atomic.Bool
	pages := w.pages()
	s := sit(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost && gone.Load():
			panic(http.ErrAbortHandler)
		case r.Method == http.MethodPost && out.Load():
			rw.WriteHeader(http.StatusUnauthorized)
		default:
			pages.ServeHTTP(rw, r)
		}
	}))
	s.visit("/review?lang=en")
	back := func(what, says string) {
		t.Helper()
		s.ready()
		pair, before := s.text(pairShown), fmt.Sprint(w.said())
		s.keys("w")
		s.text(`document.activeElement.value = ""`)
		s.keys("because")
		s.keys("\x1bm")
		s.until(fmt.Sprintf(`%s === %q && %s.includes(%q)`, pairShown, pair, toldLine, says))
		if after := fmt.Sprint(w.said()); after != before {
			t.Errorf("%s: decisions went from %s to %s", what, before, after)
		}
	}
	typed := func(what string) {
		t.Helper()
		if why := s.text(`document.querySelector("#why").value`); why != "because" {
			t.Errorf("%s: the reason typed is %q", what, why)
		}
		s.text(`document.querySelector("#why").value = ""`)
	}
	gone.Store(true)
	back("no network", "No connection")
	typed("no network")
	gone.Store(false)
	out.Store(true)
	back("signed out", "Sign in again")
	typed("signed out")
	out.Store(false)

	// Another steward decides the pair on the screen.
	s.visit("/review?lang=en")
	s.ready()
	pair := s.text(pairShown)
	if _, err := w.app.AnswerPair(t.Context(), web.PairAnswer{ID: pair, Answer: web.AnswerApart}, web.By{Who: "bo", Why: "two towns"}); err != nil {
		t.Fatal(err)
	}
	back("decided by another", "bo said “not a match”")

	// The records of the pair on the screen change.
	s.visit("/review?lang=en")
	s.ready()
	pair = s.text(pairShown)
	d, err := w.app.Desk(t.Context(), pair)
	if err != nil {
		t.Fatal(err)
	}
	side := d.A
	if side.Source != "crm" {
		side = d.B
	}
	w.systems["crm"].edit(side.ID, map[string]any{"phone": "+44 113 496 0999"})
	w.clean()
	back("changed meanwhile", "have changed")
}
