// Package web shows Touchstone to the people who work with it: plain HTML that
// needs no script, in English and Chinese.
package web

import (
	"bytes"
	"compress/gzip"
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
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/trace"
)

//go:embed assets templates words
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
	// Proxies are before the pages: who calls through them is who they say.
	Proxies []netip.Prefix
	// People is who may sign in; nil where nobody has an account.
	People People
	// Demo lets who sits at this machine act as a made-up person of any role, as
	// long as there are no accounts.
	Demo bool
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
	// Ending is closed when the server is asked to end: streams end then, and hold
	// nothing up. nil for never.
	Ending <-chan struct{}
	// Metrics answers /metrics; nil for none.
	Metrics http.Handler
	// LookUp answers /api/match, /api/why and /reconcile/; nil for none.
	LookUp LookUps
	// Reconcile is the secret in the address of the reconciliation service; "" for
	// no service.
	Reconcile string
	// Tracer traces requests; nil for none.
	Tracer *trace.Tracer
	// Provider signs people in by the firm's identity provider, which goes by
	// ProviderName; nil for none.
	Provider     Provider
	ProviderName string
	// Mount registers the addresses of the API; nil for none.
	Mount func(handle func(pattern string, needs auth.Permission, narrow auth.Narrow, h http.HandlerFunc))
}

type server struct {
	data  Source
	opts  Options
	pages map[string]map[string]*template.Template // language → file → template
	css   asset
	js    asset

	attempts attempts
	refused  refusals
	home     func(auth.Role) string // where a role works
	guesses  attempts               // of the reconciliation service's address
	streams  atomic.Int64
}

// New gives the handler of all pages. It is ready at once and starts nothing.
func New(data Source, opts Options) http.Handler {
	s := newServer(data, opts)
	m := s.routesOf()
	return s.numbered(s.traced(m, s.guard(s.withReconcile(http.NewCrossOriginProtection().Handler(s.access(m))))))
}

func newServer(data Source, opts Options) *server {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &server{
		data: data, opts: opts, pages: parsePages(languages()),
		css: joined("touchstone.css", "text/css; charset=utf-8", "assets/css/*.css"),
		js:  joined("touchstone.js", "text/javascript; charset=utf-8", "assets/js/*.js"),
	}
}

// glob lists files of ours.
func glob(pattern string) []string {
	names, err := fs.Glob(files, pattern)
	if err != nil || len(names) == 0 {
		panic("web: no " + pattern) // a mistake in our own files
	}
	return names
}

// parsePages parses each page in each language: every template but the layout
// and the parts, which stand in all of them. A template that does not parse is
// a mistake in our own files and ends the program.
func parsePages(langs []language) map[string]map[string]*template.Template {
	shared := append([]string{"templates/layout.html"}, glob("templates/parts*.html")...)
	out := map[string]map[string]*template.Template{}
	for _, lang := range langs {
		out[lang.Code] = map[string]*template.Template{}
		common := template.Must(template.New("layout.html").Funcs(functions(lang)).Option("missingkey=error").ParseFS(files, shared...))
		for _, name := range glob("templates/*.html") {
			if !slices.Contains(shared, name) {
				own := template.Must(template.Must(common.Clone()).ParseFS(files, name))
				template.Must(own.New("page").Parse(strings.TrimSuffix(path.Base(name), ".html")))
				out[lang.Code][path.Base(name)] = own
			}
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
	Here  string // this page's address, to come back to; "" for the answer to a form
	Now   time.Time
	// Search says whether the search box is there, SignedIn whether there is
	// something to sign out of.
	Search, SignedIn bool
	Looks            bool // whether the look-up at entry is there
	Actor            auth.Actor
	Visitor          bool   // who asks is signed in to an account
	Demo             bool   // who asks is made up
	Done             Done   // what the last action did
	Stream           string // address of the live counts; "" for none

	words words
	query url.Values
}

// page reads the reader's choices. A choice in the address is kept in a cookie,
// so that it holds on the next page too.
func (s *server) page(w http.ResponseWriter, r *http.Request, name string) page {
	lang := s.choice(w, r, "lang", isLanguage)
	theme := s.choice(w, r, "theme", func(v string) bool { return v == "light" || v == "dark" || v == "auto" })
	if theme == "auto" {
		theme = ""
	}
	l := pickLanguage(lang, r.Header.Get("Accept-Language"))
	here := ""
	if r.Method == http.MethodGet {
		here = r.URL.RequestURI()
	}
	stream := ""
	if auth.From(r.Context()).May(auth.See) {
		stream = "/live"
	}
	return page{
		Here: here,
		Lang: l, Langs: languages(), Theme: theme, CSS: s.css.address, JS: s.js.address, Tab: name, Now: s.now(r), words: words{l}, query: r.URL.Query(),
		Search: s.shows(r), Looks: s.opts.LookUp != nil && s.shows(r), SignedIn: s.opts.Token != "" && name != "login",
		Actor: auth.From(r.Context()), Done: s.takeDone(w, r, words{l}), Stream: stream,
		Visitor: visitOf(r.Context()).Account != "", Demo: isDemo(auth.From(r.Context())),
	}
}

// May says whether the reader may do something: templates leave out what they
// may not.
func (p page) May(permission string) bool { return p.Actor.May(auth.Permission(permission)) }

// Whole says whether the reader reaches all customers and sees all their fields.
func (p page) Whole() bool { return auth.WholeOnly.Admits(p.Actor) }

// Counted says whether what counts all customers is shown to the reader.
func (p page) Counted() bool { return auth.Counts.Admits(p.Actor) }

// choice is one of the reader's choices. One in the address is kept in a cookie.
func (s *server) choice(w http.ResponseWriter, r *http.Request, name string, valid func(string) bool) string {
	v := chosen(r, name, valid)
	if v != "" && v == r.URL.Query().Get(name) {
		keepCookie(w, r, "touchstone_"+name, v, "/", 365*24*3600, http.SameSiteLaxMode)
	}
	return v
}

// chosen reads one of the reader's choices: from the address, the cookie, or what
// is kept with the account.
func chosen(r *http.Request, name string, valid func(string) bool) string {
	if v := r.URL.Query().Get(name); valid(v) {
		return v
	}
	if c, err := r.Cookie("touchstone_" + name); err == nil && valid(c.Value) {
		return c.Value
	}
	kept := tasteOf(r.Context())
	if v := map[string]string{"lang": kept.Lang, "theme": kept.Theme}[name]; valid(v) {
		return v
	}
	return ""
}

// render makes the whole page before the first byte leaves, so that an error
// never ends in half a page.
func (s *server) render(w http.ResponseWriter, r *http.Request, status int, file string, data interface{ base() page }) {
	var b bytes.Buffer
	lang := data.base().Lang
	if err := s.pages[lang.Code][file].ExecuteTemplate(&b, "layout.html", data); err != nil {
		s.opts.Log.ErrorContext(r.Context(), "page not rendered", "page", file, "err", err)
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
	id := s.number(r)
	s.opts.Log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "request", id, "err", err)
	p := s.page(w, r, "")
	s.render(w, r, http.StatusInternalServerError, "message.html", messagePage{p, p.words.T("error.title"), p.words.T("error.text"), id})
}

func (s *server) notFound(w http.ResponseWriter, r *http.Request) {
	p := s.page(w, r, "")
	s.render(w, r, http.StatusNotFound, "message.html", messagePage{p, p.words.T("missing.title"), p.words.T("missing.text"), ""})
}

// asset is a file for the browser.
type asset struct {
	name, kind, address string // the address carries the content's hash, so that a browser may keep it
	content             []byte
	packed              []byte // the same with gzip; nil for none
}

// joined makes one file of several, in the order of their names.
func joined(name, kind, pattern string) asset {
	var b bytes.Buffer
	for _, part := range glob(pattern) {
		text, err := fs.ReadFile(files, part)
		if err != nil {
			panic("web: " + err.Error()) // embedded, so it cannot be
		}
		b.Write(ownPages(text))
	}
	sum := sha256.Sum256(b.Bytes())
	return asset{name, kind, (&url.URL{Path: "/assets/" + name, RawQuery: "v=" + hex.EncodeToString(sum[:6])}).String(), b.Bytes(), pack(b.Bytes())}
}

// pack makes what a browser loads once of our own files shorter. Pages are not
// packed: beside what somebody else put in, their length would tell secrets.
func pack(text []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("web: " + err.Error()) // in memory, so it cannot be
	}
	return b.Bytes()
}

// ownPages keeps the rules of a stylesheet whose first line names its pages,
// as in "/* pages: desk review */", to those: areas may use one name for two
// things. What stands above the line "/* every page */" at its end is theirs,
// what stands below it is everybody's.
func ownPages(text []byte) []byte {
	head, rest, _ := bytes.Cut(text, []byte("\n"))
	names, found := bytes.CutPrefix(bytes.TrimSuffix(bytes.TrimSpace(head), []byte(" */")), []byte("/* pages: "))
	if !found {
		return text
	}
	own, shared, _ := bytes.Cut(rest, []byte("/* every page */\n"))
	var b bytes.Buffer
	b.WriteString(":is(.page-" + strings.Join(strings.Fields(string(names)), ",.page-") + ") {\n")
	b.Write(own)
	b.WriteString("}\n")
	b.Write(shared)
	return b.Bytes()
}

func (s *server) asset(w http.ResponseWriter, r *http.Request) {
	var a asset
	switch name := r.PathValue("name"); name {
	case s.css.name:
		a = s.css
	case s.js.name:
		a = s.js
	default:
		b, err := fs.ReadFile(files, "assets/"+name)
		if err != nil || !strings.HasSuffix(name, ".svg") {
			s.notFound(w, r)
			return
		}
		a = asset{name: name, kind: "image/svg+xml", content: b}
	}
	w.Header().Set("Content-Type", a.kind)
	if r.URL.Query().Get("v") != "" {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content := a.content
	if a.packed != nil {
		w.Header().Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			content = a.packed
		}
	}
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(content))
}
