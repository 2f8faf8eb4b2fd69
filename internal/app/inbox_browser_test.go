package app

import (
	"context"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// keyboard is a person at the pages, with nothing but a keyboard.
type keyboard struct {
	*testing.T
	ctx  context.Context
	at   string // address of the pages
	keys int
}

func sitDown(w *world) *keyboard {
	w.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		w.Fatalf("no browser in PATH: install Debian's package chromium, or run .ci/setup test: %v", err)
	}
	srv := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, Log: w.app.Log, ShowValues: true}))
	w.Cleanup(srv.Close)
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(w.TempDir()))
	ctx, cancel := context.WithTimeout(w.Context(), 2*time.Minute)
	w.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	w.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	w.Cleanup(closeTab)
	return &keyboard{T: w.T, ctx: ctx, at: srv.URL}
}

func (k *keyboard) open(path string) {
	k.Helper()
	if err := chromedp.Do(k.ctx, chromedp.Navigate(k.at+path)); err != nil {
		k.Fatalf("open %s: %v", path, err)
	}
}

// press presses keys and waits until the page says what is wanted.
func (k *keyboard) press(keys, want string) {
	k.Helper()
	for _, key := range keys {
		k.keys++
		if err := chromedp.Do(k.ctx, chromedp.KeyEvent(string(key))); err != nil {
			k.Fatalf("press %q: %v", key, err)
		}
	}
	k.see(want)
}

func (k *keyboard) see(want string) {
	k.Helper()
	text := ""
	for range 100 {
		var err error
		if text, err = chromedp.Run(k.ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? document.body.innerText : ""`)); err == nil && strings.Contains(text, want) {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	k.Fatalf("the page does not say %q:\n%s", want, text)
}

// TestQuarantineByKeyboard: a record is opened and mended by two keys, undone by
// one; its golden record is there; all with the same fault are mended by two.
func TestQuarantineByKeyboard(t *testing.T) {
	t.Parallel()
	rows := []string{"one,Acme Ltd,acme.example,\"1,200 people\",1999-12-31"}
	for i := range 5 {
		n := strconv.Itoa(i)
		rows = append(rows, "m"+n+",Company "+n+" Ltd,c"+n+".example,1"+n+" staff,1990-01-01")
	}
	w := broken(t, "", rows...)
	w.pass()
	k := sitDown(w)
	k.open("/quarantine?lang=en")
	k.press("o", "One thing is wrong with it.")
	k.press("1", "Repaired: it passes now.")
	if k.keys > 3 {
		t.Errorf("a record was mended by %d keys, want 3 or fewer", k.keys)
	}
	k.press("z", "One thing is wrong with it.")
	k.press("1", "Repaired: it passes now.")
	w.clean()
	id := ""
	list, err := w.app.Store.Quarantines(w.Context(), store.QuarantineQuery{State: "mended", Limit: 10})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d records are mended, %v; want 1", len(list), err)
	}
	id = list[0].ID
	k.open("/quarantine/" + id)
	k.see("See its golden record")
	golden, err := chromedp.Run(k.ctx, chromedp.Evaluate[string](`document.querySelector('.lead a').getAttribute('href')`))
	if err != nil || !strings.HasPrefix(golden, "/customers/") {
		t.Fatalf("the golden record is at %q, %v", golden, err)
	}
	k.open(golden)
	k.see(list[0].Ref.ID)

	k.open("/quarantine")
	k.press("o", "The same fault in 5")
	k.press("b", "5 records have this fault.")
	k.press("m", "Repaired, all by one decision.")
	if n := len(w.openRows()); n != 0 {
		t.Errorf("%d records wait after the bulk repair, want none", n)
	}
	k.press("z", "Taken back.")
	if n := len(w.openRows()); n != 5 {
		t.Errorf("%d records wait after the undo, want 5", n)
	}
}

// TestConflictByKeyboard: what stands there is taken by one key, and that is
// undone by one.
func TestConflictByKeyboard(t *testing.T) {
	t.Parallel()
	w, desk, refuse := refusedWorld(t, "")
	k := sitDown(w)
	k.open("/conflicts?lang=en")
	k.see("The system takes no such value.")
	k.press("t", "Their value counts from now on.")
	w.pass()
	w.wantValue("crm/company/c1", "phones", "+44 113 496 0009")
	k.press("z", "Taken back.")
	w.pass()
	w.wantValue("crm/company/c1", "phones", "+44 113 496 0001")
	if n := len(w.stuck(store.Rejected)); n != 1 {
		t.Fatalf("%d rows are refused after the undo, want 1", n)
	}
	*refuse = false
	k.open("/conflicts")
	k.press("o", "It is planned again.")
	w.clean()
	desk.want("o1", "phone", "+44 113 496 0001")
}
