package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browserPath finds a browser. Without one the test fails: a page that nobody
// has opened is not proven.
func browserPath(t *testing.T) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("no browser in PATH (%s): install Debian's package chromium, or run .ci/setup test", strings.Join(names, ", "))
	return ""
}

// browser is a Chromium of this test's own, with what it complained about.
type browser struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// openBrowser starts Chromium and ends it, whatever happens, with the test.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(browserPath(t)),
		chromedp.NoSandbox, // the only pages are our own, and root has no sandbox
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	b := &browser{ctx: ctx}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return b
}

// note keeps console messages, uncaught exceptions and entries of the browser's
// log: a broken content security policy and a failed request are among those.
func (b *browser) note(ev any) {
	var line string
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		line = "console: " + string(ev.Type)
	case *runtime.EventExceptionThrown:
		line = "exception: " + ev.ExceptionDetails.Text
	case *log.EventEntryAdded:
		line = fmt.Sprintf("%s %s: %s %s", ev.Entry.Source, ev.Entry.Level, ev.Entry.Text, ev.Entry.URL)
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, line)
}

// taken gives the complaints so far and forgets them.
func (b *browser) taken() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.complaints
	b.complaints = nil
	return out
}

// visit opens an address in a window of this width.
func (b *browser) visit(t *testing.T, address string, width int64) {
	t.Helper()
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(width, 900), chromedp.Navigate(address)); err != nil {
		t.Fatalf("open %s at %d px: %v", address, width, err)
	}
}

// value evaluates an expression in the page.
func value[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// sight is what a reader sees of a page.
type sight struct {
	Title    string  `json:"title"`
	Headline string  `json:"headline"`
	Seen     bool    `json:"seen"`    // the headline has a box within the first screen
	Paper    string  `json:"paper"`   // colour behind the text
	Ink      string  `json:"ink"`     // colour of the text
	Surplus  float64 `json:"surplus"` // pixels that have to be scrolled sideways
	Outside  string  `json:"outside"` // the first thing that sticks out
	Rows     int     `json:"rows"`
	Icon     bool    `json:"icon"` // the mark in the frame was loaded and drawn
}

const sights = `(() => {
	const h = document.querySelector("h1.headline"), box = h.getBoundingClientRect();
	const root = document.documentElement, style = getComputedStyle(document.body);
	// What a panel, or the bar, scrolls within itself is no surplus of the page.
	const inPanel = e => e.closest(".panel, .bar nav") && e.closest(".panel, .bar nav") !== e;
	const out = [...document.querySelectorAll("body *")].find(e => !inPanel(e) && !e.closest(".skip") && e.getBoundingClientRect().right > innerWidth + 0.5);
	return {
		title: document.title, headline: h.innerText,
		seen: h.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && box.width > 0 && box.height > 0 && box.top >= 0 && box.bottom <= innerHeight,
		paper: style.backgroundColor, ink: style.color,
		surplus: root.scrollWidth - root.clientWidth, outside: out ? out.outerHTML.slice(0, 80) : "",
		rows: document.querySelectorAll("tbody tr").length,
		icon: document.querySelector(".brand img").naturalWidth > 0,
	};
})()`

func TestBrowserShowsTheOverview(t *testing.T) {
	server := httptest.NewServer(newHandler(fake{o: busy()}, nil))
	defer server.Close()
	b := openBrowser(t)

	const (
		english    = "2 systems need attention, 41 pairs wait for review, 25 records are in quarantine, nothing is lost."
		light      = "rgb(244, 245, 247)"
		dark       = "rgb(17, 19, 23)"
		lightInk   = "rgb(22, 25, 31)"
		darkInk    = "rgb(231, 233, 237)"
		everything = 3 + 2 + 2 // rows of sources, targets and golden records
	)
	tests := []struct {
		name       string
		query      string
		width      int64
		headline   string
		title      string
		paper, ink string
	}{
		{"English, light", "?lang=en&theme=light", 1280, english, "Overview · Touchstone", light, lightInk},
		{"English, dark", "?lang=en&theme=dark", 1280, english, "Overview · Touchstone", dark, darkInk},
		{"Chinese", "?lang=zh-Hans&theme=light", 1280, "2 个系统需要处理，41 对记录待复核，25 条记录在隔离区，没有丢失任何记录。", "概览 · 试金石", light, lightInk},
		{"phone", "?lang=en&theme=light", 390, english, "Overview · Touchstone", light, lightInk},
		{"phone, Chinese, dark", "?lang=zh-Hans&theme=dark", 390, "2 个系统需要处理，41 对记录待复核，25 条记录在隔离区，没有丢失任何记录。", "概览 · 试金石", dark, darkInk},
	}
	for _, tt := range tests {
		b.visit(t, server.URL+"/"+tt.query, tt.width)
		got := value[sight](t, b, sights)
		want := sight{Title: tt.title, Headline: tt.headline, Seen: true, Paper: tt.paper, Ink: tt.ink, Rows: everything, Icon: true}
		if got != want {
			t.Errorf("%s: the reader sees\n%+v, want\n%+v", tt.name, got, want)
		}
		if c := b.taken(); len(c) > 0 {
			t.Errorf("%s: the browser complains:\n%s", tt.name, strings.Join(c, "\n"))
		}
	}
}

// TestBrowserRemembersTheReadersChoice follows the links a reader clicks.
func TestBrowserRemembersTheReadersChoice(t *testing.T) {
	server := httptest.NewServer(newHandler(fake{o: busy()}, nil))
	defer server.Close()
	b := openBrowser(t)
	b.visit(t, server.URL+"/", 1280)
	for _, link := range []string{`a[href="?theme=dark"]`, `a[href="?lang=zh-Hans"]`, `a.brand`} {
		if strings.Contains(link, "?") {
			if err := chromedp.Do(b.ctx, chromedp.Click(chromedp.CSS(`.menu:has(`+link+`) > summary`))); err != nil {
				t.Fatalf("open the menu of %s: %v", link, err)
			}
		}
		if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(link))); err != nil {
			t.Fatalf("click %s: %v", link, err)
		}
	}
	got := value[string](t, b, `[location.search, document.documentElement.lang, document.documentElement.dataset.theme].join(" ")`)
	if want := " zh-Hans dark"; got != want {
		t.Errorf("back on the overview the page has address, language and theme %q, want %q", got, want)
	}
	if c := b.taken(); len(c) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(c, "\n"))
	}
}

// TestBrowserNoticesABrokenPolicy holds that the silence above means something.
func TestBrowserNoticesABrokenPolicy(t *testing.T) {
	s := &server{opts: Options{}}
	server := httptest.NewServer(s.guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(`<!doctype html><title>x</title><link rel="icon" href="data:,"><p style="color: red">x</p><script>document.title = "ran"</script>`))
	})))
	defer server.Close()
	b := openBrowser(t)
	b.visit(t, server.URL+"/", 1280)
	if title := value[string](t, b, `document.title`); title != "x" {
		t.Errorf("an inline script ran: the title is %q", title)
	}
	all := strings.Join(b.taken(), "\n")
	for _, want := range []string{"style-src 'self'", "script-src 'self'"} {
		if !strings.Contains(all, want) {
			t.Errorf("the browser did not complain about %s, only:\n%s", want, all)
		}
	}
}

// TestBrowserFindsInChinese types into the search box, which the slash key
// leads to, and follows the answer.
func TestBrowserFindsInChinese(t *testing.T) {
	server := httptest.NewServer(newHandler(newOffice(), nil))
	defer server.Close()
	b := openBrowser(t)
	b.visit(t, server.URL+"/?lang=zh-Hans", 1280)
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent("/")); err != nil {
		t.Fatal(err)
	}
	if id := value[string](t, b, `document.activeElement.id`); id != "search" {
		t.Fatalf("the slash key leads to %q, want the search box", id)
	}
	value[string](t, b, `document.querySelector("#search").value = ""`) // a made-up key press is typed although the page took it
	if err := chromedp.Do(b.ctx, chromedp.SendKeys(chromedp.CSS("#search"), "美跃")); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{`.find button`, `table.golden a`} {
		if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(link))); err != nil {
			t.Fatalf("click %s: %v", link, err)
		}
	}
	got := value[string](t, b, `[location.pathname, document.querySelector("h1").innerText, document.documentElement.lang].join(" ")`)
	if want := "/customers/abcd2345efgh6789 上海美跃包装材料有限公司 企业 zh-Hans"; got != want {
		t.Errorf("the answer is %q, want %q", got, want)
	}
	if c := b.taken(); len(c) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(c, "\n"))
	}
}

// TestBrowserPagesAndShowsTheFocus goes on to the next page with the keyboard
// alone and sees where it is.
func TestBrowserPagesAndShowsTheFocus(t *testing.T) {
	server := httptest.NewServer(newHandler(newOffice(), nil))
	defer server.Close()
	b := openBrowser(t)
	b.visit(t, server.URL+"/customers?lang=en", 1280)
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent("\t")); err != nil {
		t.Fatal(err)
	}
	if got := value[string](t, b, `document.activeElement.className + " " + (document.activeElement.getBoundingClientRect().left >= 0)`); got != "skip true" {
		t.Errorf("the first stop of the keyboard is %q, want the visible link to the content", got)
	}
	width := value[string](t, b, `(() => { const a = document.querySelector("a[rel=next]"); a.focus({focusVisible: true}); return getComputedStyle(a).outlineWidth; })()`)
	if width != "2px" {
		t.Errorf("the focus is drawn %s wide, want 2px", width)
	}
	if _, err := chromedp.RunResponse(b.ctx, chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	if got := value[string](t, b, `location.search + " " + document.querySelectorAll("tbody tr").length`); got != "?after=w.1 50" {
		t.Errorf("the next page is %q, want ?after=w.1 with 50 rows", got)
	}
}

// faint is the first text of a page that hardly stands out from what is behind it:
// contrast below 4.5 (WCAG 2.2, 1.4.3), drawings aside.
const faint = `(() => {
	const pen = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
	const known = new Map(), grounds = new Map();
	const colour = text => {
		if (!known.has(text)) { pen.clearRect(0, 0, 1, 1); pen.fillStyle = text; pen.fillRect(0, 0, 1, 1); known.set(text, [...pen.getImageData(0, 0, 1, 1).data]); }
		return known.get(text);
	};
	const over = (top, below, a) => below.map((v, i) => v * (1 - a) + top[i] * a);
	const light = c => c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = e => {
		if (!e) return {ground: [255, 255, 255], seen: 1};
		if (!grounds.has(e)) {
			const {ground, seen} = behind(e.parentElement), style = getComputedStyle(e), c = colour(style.backgroundColor);
			grounds.set(e, {ground: over(c, ground, c[3] / 255), seen: seen * style.opacity});
		}
		return grounds.get(e);
	};
	for (const e of document.querySelectorAll("body *")) {
		if (e.closest("svg, [disabled], .hidden, .skip") || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility({checkVisibilityCSS: true})) continue;
		const {ground, seen} = behind(e), ink = colour(getComputedStyle(e).color);
		const x = light(over(ink, ground, seen * ink[3] / 255)), y = light(ground), contrast = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
		if (contrast < 4.5) return contrast.toFixed(2) + " of " + e.outerHTML.slice(0, 120);
	}
	return "";
})()`

// TestBrowserFitsEveryPage: nothing sticks out on a phone or a desk, in any
// language and theme, all text can be read, and the browser has nothing to complain
// about.
func TestBrowserFitsEveryPage(t *testing.T) {
	server := httptest.NewServer(newHandler(newOffice(), nil))
	defer server.Close()
	b := openBrowser(t)
	const sideways = `(() => {
		const inPanel = e => e.closest(".panel, .bar nav") && e.closest(".panel, .bar nav") !== e;
		const out = [...document.querySelectorAll("body *")].find(e => !inPanel(e) && !e.closest(".skip, .hidden") && e.getBoundingClientRect().right > innerWidth + 0.5);
		return document.documentElement.scrollWidth > document.documentElement.clientWidth ? "the page scrolls sideways" : out ? out.outerHTML.slice(0, 120) : "";
	})()`
	for _, choice := range []struct {
		query string
		width int64
	}{{"lang=en&theme=light", 390}, {"lang=zh-Hant&theme=dark", 390}, {"lang=zh-Hans&theme=light", 1280}} {
		for _, path := range everyPage() {
			address := path + "?" + choice.query
			if strings.Contains(path, "?") {
				address = path + "&" + choice.query
			}
			b.visit(t, server.URL+address, choice.width)
			if out := value[string](t, b, sideways); out != "" {
				t.Errorf("%s at %d px: %s", address, choice.width, out)
			}
			if choice.width > 760 { // colours are the same on a phone; both themes have theirs from one list
				if out := value[string](t, b, faint); out != "" {
					t.Errorf("%s: contrast %s", address, out)
				}
			}
			if c := b.taken(); len(c) > 0 && path != "/nowhere" { // that one is missing, and the browser says so
				t.Errorf("%s: the browser complains:\n%s", address, strings.Join(c, "\n"))
			}
		}
	}
}
