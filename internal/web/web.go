// Package web shows Touchstone to the people who work with it: plain HTML that
// needs no script, in English and Chinese.
package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"touchstone/internal/env"
)

//go:embed assets templates
var files embed.FS

// Options say how the pages behave.
type Options struct {
	Env env.Env
	Log *slog.Logger // nil: nothing is logged
	// ShowValues lets customers' data onto the page. It is set where only who
	// sits at this machine or has the token can ask.
	ShowValues bool
	// Token is what everybody has to give who wants to see anything; "" lets in
	// who sits at this machine.
	Token string
	// Hosts are further names under which the page may be asked for; loopback
	// names always are. Anything else is refused: DNS rebinding.
	Hosts []string
	// Addresses lets the page be asked for under any address that is a number:
	// no name leads there, so none can be turned around.
	Addresses bool
	// Health is asked by /healthz; nil means that serving is health enough.
	Health func(context.Context) error
	// Ready is asked by /readyz: why the work is not done now; nil means that
	// serving is ready enough.
	Ready func(context.Context) []string
	// Metrics answers /metrics; nil for none.
	Metrics http.Handler
	// LookUp answers /api/match, /api/why and /reconcile/; nil for none.
	LookUp LookUps
	// Reconcile is the secret in the address of the reconciliation service; "" for
	// no service.
	Reconcile string
}

type server struct {
	data  Source
	opts  Options
	pages map[string]map[string]*template.Template // language → file → template
	css   string                                   // address of the stylesheet with its content's hash
	js    string                                   // likewise of the script

	attempts attempts
	guesses  attempts // of the reconciliation service's address
}

// New gives the handler of all pages. It is ready at once and starts nothing.
func New(data Source, opts Options) http.Handler {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &server{data: data, opts: opts, pages: parsePages(), css: assetURL("touchstone.css"), js: assetURL("touchstone.js")}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.overview)
	s.machines(mux)
	if opts.LookUp != nil {
		mux.HandleFunc("/api/match", s.match)
		mux.HandleFunc("GET /api/why", s.whyAPI)
	}
	mux.HandleFunc("GET /assets/{name}", s.asset)
	mux.HandleFunc("GET /sources/{name}", s.source)
	mux.HandleFunc("GET /targets/{name}", s.target)
	mux.HandleFunc("GET /quarantine", s.quarantine)
	mux.HandleFunc("GET /quarantine.csv", s.quarantineExport)
	mux.HandleFunc("GET /quarantine/{id}", s.quarantined)
	mux.HandleFunc("GET /review", s.review)
	mux.HandleFunc("GET /review/{id}", s.pair)
	mux.HandleFunc("GET /customers", s.customers)
	mux.HandleFunc("GET /customers/{id}", s.customer)
	mux.HandleFunc("GET /login", s.loginForm)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /logout", s.logout)
	mux.HandleFunc("/", s.notFound)
	return s.guard(s.withReconcile(http.NewCrossOriginProtection().Handler(s.access(mux))))
}

// pageFiles are the templates that stand on the layout.
func pageFiles() []string {
	return []string{
		"overview.html", "message.html", "source.html", "target.html", "quarantine.html", "record.html", "review.html", "pair.html",
		"customers.html", "customer.html", "login.html",
	}
}

// parsePages parses each page in each language. A template that does not parse
// is a mistake in our own files and ends the program.
func parsePages() map[string]map[string]*template.Template {
	out := map[string]map[string]*template.Template{}
	for _, lang := range languages() {
		out[lang.Code] = map[string]*template.Template{}
		for _, file := range pageFiles() {
			t := template.New(file).Funcs(functions(lang)).Option("missingkey=error")
			out[lang.Code][file] = template.Must(t.ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/"+file))
		}
	}
	return out
}

// policy allows our own files and nothing else: no inline style or script.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guard sets the headers that every answer carries and refuses foreign hosts.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if !s.ourHost(r.Host) {
			http.Error(w, "this host name is not served here", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *server) ourHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || slices.Contains(s.opts.Hosts, host) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (s.opts.Addresses || addr.Unmap().IsLoopback())
}

// page is what the layout sees.
type page struct {
	Lang  language
	Langs []language
	Theme string // "", light or dark
	CSS   string
	JS    string
	Tab   string // of the bar
	Now   time.Time
	// Search says whether the search box is there, SignedIn whether there is
	// something to sign out of.
	Search, SignedIn bool

	words words
	query url.Values
}

// page reads the reader's choices. A choice in the address is kept in a cookie,
// so that it holds on the next page too.
func (s *server) page(w http.ResponseWriter, r *http.Request, name string) page {
	lang := s.choice(w, r, "lang", func(v string) bool { _, ok := byCode(v); return ok })
	theme := s.choice(w, r, "theme", func(v string) bool { return v == "light" || v == "dark" || v == "auto" })
	if theme == "auto" {
		theme = ""
	}
	l := pickLanguage(lang, r.Header.Get("Accept-Language"))
	return page{
		Lang: l, Langs: languages(), Theme: theme, CSS: s.css, JS: s.js, Tab: name, Now: s.opts.Env.Clock.Now(), words: words{l}, query: r.URL.Query(),
		Search: s.opts.ShowValues && name != "login", SignedIn: s.opts.Token != "" && name != "login",
	}
}

// choice reads one of the reader's choices from the address or the cookie.
func (s *server) choice(w http.ResponseWriter, r *http.Request, name string, valid func(string) bool) string {
	if v := r.URL.Query().Get(name); valid(v) {
		http.SetCookie(w, &http.Cookie{ //nolint:gosec // on loopback there is no TLS, and a colour is no secret
			Name: "touchstone_" + name, Value: v, Path: "/", MaxAge: 365 * 24 * 3600,
			HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
		})
		return v
	}
	if c, err := r.Cookie("touchstone_" + name); err == nil && valid(c.Value) {
		return c.Value
	}
	return ""
}

// render makes the whole page before the first byte leaves, so that an error
// never ends in half a page.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, file string, data interface{ base() page }) {
	var b bytes.Buffer
	lang := data.base().Lang
	if err := s.pages[lang.Code][file].ExecuteTemplate(&b, "layout.html", data); err != nil {
		s.opts.Log.Error("page not rendered", "page", file, "err", err)
		http.Error(w, words{lang}.T("error.title"), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang.Code)
	h.Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		s.opts.Log.Debug("page not sent", "path", r.URL.Path, "err", err)
	}
}

func (p page) base() page { return p }

// messagePage is a page that says one thing.
type messagePage struct {
	page
	Title, Text, ID string
}

// fail tells the reader a sentence and a number, and the log the rest.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	id := s.opts.Env.ID()
	s.opts.Log.Error("page failed", "path", r.URL.Path, "request", id, "err", err)
	p := s.page(w, r, "")
	s.render(w, r, http.StatusInternalServerError, "message.html", messagePage{p, p.words.T("error.title"), p.words.T("error.text"), id})
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	p := s.page(w, r, "")
	s.render(w, r, http.StatusNotFound, "message.html", messagePage{p, p.words.T("missing.title"), p.words.T("missing.text"), ""})
}

// assetURL carries the content's hash, so that a browser may keep the file.
func assetURL(name string) string {
	b, err := fs.ReadFile(files, "assets/"+name)
	if err != nil {
		panic("web: no asset " + name) // a mistake in our own files
	}
	sum := sha256.Sum256(b)
	return (&url.URL{Path: "/assets/" + name, RawQuery: "v=" + hex.EncodeToString(sum[:6])}).String()
}

func (s *server) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	b, err := fs.ReadFile(files, "assets/"+name)
	if err != nil {
		s.notFound(w, r)
		return
	}
	kinds := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}
	w.Header().Set("Content-Type", kinds[name[strings.LastIndexByte(name, '.'):]])
	if r.URL.Query().Get("v") != "" {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
}
