package app

import (
	"context"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"touchstone/internal/web"
)

// reader is somebody at a keyboard, without a mouse.
type reader struct {
	*testing.T
	tab context.Context
	at  string // of the pages
}

// newReader opens a browser of its own on the pages of a world.
func newReader(t *testing.T, w *world) *reader {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	i := slices.IndexFunc(names, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	if i < 0 {
		t.Fatalf("no browser in PATH (%s): install Debian's package chromium, or run .ci/setup test", strings.Join(names, ", "))
	}
	server := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, ShowValues: true}))
	t.Cleanup(server.Close)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(names[i]), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-US"), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	return &reader{t, ctx, server.URL}
}

func (r *reader) open(path string) {
	r.Helper()
	if err := chromedp.Do(r.tab, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(r.at+path)); err != nil {
		r.Fatalf("open %s: %v", path, err)
	}
}

// press presses keys one after the other.
func (r *reader) press(keys string) {
	r.Helper()
	if err := chromedp.Do(r.tab, chromedp.KeyEvent(keys)); err != nil {
		r.Fatalf("press %q: %v", keys, err)
	}
}

func (r *reader) eval(expression string) string {
	r.Helper()
	v, err := chromedp.Run(r.tab, chromedp.Evaluate[string](expression))
	if err != nil {
		r.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// tabTo goes with the tab key until what is selected has the focus.
func (r *reader) tabTo(selector string) {
	r.Helper()
	for range 120 {
		if r.eval(`String(document.activeElement?.matches(`+"`"+selector+"`"+`) ?? false)`) == "true" {
			return
		}
		r.press(kb.Tab)
	}
	r.Fatalf("the tab key does not lead to %s on %s", selector, r.eval(`location.pathname`))
}

// sees waits until a text stands on the page.
func (r *reader) sees(text string) {
	r.Helper()
	shown := ""
	for range 300 {
		var err error // of a page that is left in this moment
		if shown, err = chromedp.Run(r.tab, chromedp.Evaluate[string](`document.readyState === "complete" ? location.pathname + " " + document.querySelector("#main")?.innerText : ""`)); err == nil && strings.Contains(shown, text) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.Fatalf("the page lacks %q:\n%s", text, shown)
}

// TestCustomerJourneyByKeyboard finds a customer, sets a field and lets it go
// again, states who decides there and looks at an earlier day, without a mouse.
func TestCustomerJourneyByKeyboard(t *testing.T) {
	t.Parallel()
	w := relatedWorld(t, "", 2, 2)
	r := newReader(t, w)
	id := w.golden("firms/company/f0").ID

	r.open("/customers?lang=en")
	r.press("/")
	r.eval(`document.querySelector("#search").value = ""`) // a made-up key press is typed although the page took it
	r.press("Quartz Works")
	r.press(kb.Enter)
	r.sees("1 customer")
	r.tabTo(`table.golden a`)
	r.press(kb.Enter)
	r.sees("/customers/" + id)
	r.sees("2 of 15 fields are known")

	r.tabTo(`.under summary`)
	r.press(kb.Enter)
	r.tabTo(`a[href$="/fields/industry"]`)
	r.press(kb.Enter)
	r.sees("Set this field")
	r.press("e")
	r.eval(`document.querySelector("#value").value = ""`)
	r.press("machines")
	r.tabTo(`#why`)
	r.press("rang them")
	r.press(kb.Enter)
	r.sees("The value is set.")
	w.plan()
	r.open("/customers/" + id + "/fields/industry")
	r.sees("set by page:local")
	r.sees("rang them")
	w.wantValue("firms/company/f0", "industry", "machines")
	r.press("u")
	r.sees("The sources decide again.")
	w.plan()
	w.wantValue("firms/company/f0", "industry", "")

	r.press("c")
	r.sees("Why these belong together")
	r.press("o")
	r.sees("Nobody is known to work here.")
	r.tabTo(`input[name="person"]`)
	r.press("Bramble Numberb")
	r.tabTo(`input[name="title"]`)
	r.press("Director")
	r.press(kb.Enter)
	r.sees("The relation is kept.")
	r.sees("Director")
	r.sees("Decider unknown")
	r.press("a")
	r.tabTo(`select[name="role"]`)
	r.press("dec")
	r.tabTo(`form:has(select[name="role"]) button`)
	r.press(kb.Enter)
	r.sees("★ decider")
	chart, err := w.app.OrgChart(t.Context(), id, "")
	if err != nil || chart.People != 1 || len(chart.Roots[0].Roles) != 1 || chart.Roots[0].Roles[0].Role != "decider" {
		t.Errorf("the chart is %+v, %v; want the director, who decides", chart, err)
	}

	r.press("c")
	r.sees("Why these belong together")
	r.press("d")
	r.press("03012026")
	r.press(kb.Enter)
	r.sees("What was known on 2026-03-01")
}
