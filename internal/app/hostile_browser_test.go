package app

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	wire "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// sticksOut gives the first element that is seen beyond the right edge of the
// window and that nothing around it scrolls or cuts, and what a payload has run.
const sticksOut = `(() => {
	if (typeof x_sentinel !== "undefined") return "a payload has run";
	const held = e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) if (getComputedStyle(p).overflowX !== "visible") return true; return false; };
	const out = [...document.querySelectorAll("body *")].find(e => e.checkVisibility() && !e.closest(".skip, .hidden, :popover-open") && e.getBoundingClientRect().right > innerWidth + 0.5 && !held(e));
	if (!out && document.documentElement.scrollWidth > document.documentElement.clientWidth) return "the page scrolls sideways";
	return out ? "sticks out: " + out.outerHTML.slice(0, 400) : "";
})()`

// look opens the fullest address of each pattern that was walked in a browser, on
// a phone and on a desk: nothing runs, asks another host, opens a dialog or
// sticks out, and the console is silent.
func (h *hostile) look(walk *hostileWalk) {
	h.Helper()
	s := sit(h.T, http.NotFoundHandler())
	var mu sync.Mutex
	var wrong []string
	if err := chromedp.Listen(s.ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch ev := ev.(type) {
		case *page.EventJavascriptDialogOpening:
			wrong = append(wrong, "a dialog opened: "+ev.Message)
		case *wire.EventRequestWillBeSent:
			// The mark in a field for a date is the browser's own picture.
			if u := ev.Request.URL; !strings.HasPrefix(u, "data:image/svg+xml;base64,") && !strings.HasPrefix(u, h.url+"/") && !strings.HasPrefix(u, s.base+"/") {
				wrong = append(wrong, "it asks for "+u)
			}
		}
	}); err != nil {
		h.Fatal(err)
	}
	u, err := url.Parse(h.url)
	if err != nil {
		h.Fatal(err)
	}
	s.base = h.url
	s.visit("/login?lang=en")
	for _, c := range walk.client.Jar.Cookies(u) {
		s.text(`document.cookie = "` + c.Name + `=` + c.Value + `; path=/"`)
	}
	s.visit("/me")
	if at := s.text(`location.pathname`); at != "/me" {
		h.Fatalf("the browser is not signed in: /me leads to %s", at)
	}
	for _, pattern := range slices.Sorted(maps.Keys(walk.longest)) {
		path := walk.longest[pattern]
		s.do("size", chromedp.EmulateViewport(390, 900))
		s.visit(path)
		for _, width := range []int64{390, 1280} {
			s.do("size", chromedp.EmulateViewport(width, 900))
			if out := s.text(sticksOut); out != "" {
				h.Errorf("%s at %d px: %s", path, width, out)
			}
		}
		s.mu.Lock()
		mu.Lock()
		if all := slices.Concat(s.complaints, wrong); len(all) > 0 {
			h.Errorf("%s: the browser complains:\n%s", path, strings.Join(all, "\n"))
		}
		s.complaints, wrong = nil, nil
		mu.Unlock()
		s.mu.Unlock()
	}
}
