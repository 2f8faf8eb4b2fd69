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

	"touchstone/internal/env"
	"touchstone/internal/web"
)

// tab opens a browser of this test's own. Without one the test fails: a page
// that nobody has opened is not proven.
func tab(t *testing.T) context.Context {
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
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()))...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	return ctx
}

// TestAPlanIsApprovedByKeyboard: refused without a reason, approved with one key,
// written, and told on the page while it stands.
func TestAPlanIsApprovedByKeyboard(t *testing.T) {
	t.Parallel()
	w, desk := planned(t, "")
	ending := make(chan struct{})
	server := httptest.NewServer(web.New(w.app, web.Options{Env: env.Real(), ShowValues: true, Ending: ending}))
	ctx := tab(t)
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(ending) })
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// until waits for a text of the page, in the browser's own time.
	until := func(what string) {
		t.Helper()
		for range 100 {
			text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
			if err == nil && strings.Contains(text, what) {
				return
			}
			if err := env.Real().Clock.Sleep(ctx, 50*time.Millisecond); err != nil {
				t.Fatalf("%q does not come: %v\n%s", what, err, text)
			}
		}
		text, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("main").innerText`))
		t.Fatalf("%q does not come:\n%s", what, text)
	}
	do(chromedp.Do(ctx, chromedp.Navigate(server.URL+"/plans/desk?lang=en")))
	until("wait for a first approval")
	do(chromedp.Do(ctx, chromedp.KeyEvent("r")))
	until("say why: it is kept with what is refused")
	if got := desk.changes(); len(got) != 0 {
		t.Errorf("written before the approval: %q", got)
	}
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.activeElement.blur(), true`)); err != nil {
		t.Fatal(err)
	}
	do(chromedp.Do(ctx, chromedp.KeyEvent("a")))
	until("Approved. Writing begins at once")
	w.clean()
	do(chromedp.Do(ctx, chromedp.Navigate(server.URL+"/plans/desk")))
	until("Nothing waits to be written")
	for _, want := range []string{"o1 phone: 0113 999 → +44 113 496 0001", "o1 email: <nil> → info@acmetools.example"} {
		if got := desk.changes(); !slices.Contains(got, want) {
			t.Errorf("written %q, want %q among it", got, want)
		}
	}
}
