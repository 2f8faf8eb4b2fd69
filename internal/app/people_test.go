package app

import (
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/web"
)

const (
	annPassword = "four words in a row"
	bobPassword = "another four words here"
)

// house is an installation whose pages are asked for.
type house struct {
	*world
	pages http.Handler
}

func openHouse(t *testing.T, dsn string, change func(*web.Options)) *house {
	t.Helper()
	w := newWorld(t, dsn)
	if err := os.WriteFile(filepath.Join(w.dir, "customers.csv"), []byte("id,name\n1,Acme Ltd\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.yaml = "sources:\n  customers: {type: file, path: customers.csv, entities: {company: {id: record.id, map: {name: record.name}}}}\n"
	w.open()
	h := &house{world: w}
	h.serve(change)
	return h
}

// serve makes the pages, as a process does that starts.
func (h *house) serve(change func(*web.Options)) {
	o := web.Options{Env: h.env, Log: h.app.Log, ShowValues: true, People: h.app.People()}
	if change != nil {
		change(&o)
	}
	h.pages = web.New(h.app, o)
}

// add makes an account with a password of its own.
func (h *house) add(login, password string, role auth.Role) {
	h.Helper()
	if _, err := h.app.People().AddPerson(h.Context(), web.By{Who: "test"}, web.NewPerson{Login: login, Role: role, Password: password}); err != nil {
		h.Fatal(err)
	}
}

func (h *house) hashes() int64 { return h.app.life.gate.hasher.Done() }

// browser is a browser with its cookies.
type browser struct {
	h       *house
	address string
	cookies map[string]*http.Cookie
}

func (h *house) browser() *browser {
	return &browser{h: h, address: "192.0.2.1", cookies: map[string]*http.Cookie{}}
}

func (b *browser) do(method, path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	b.h.Helper()
	r := httptest.NewRequestWithContext(b.h.Context(), method, path, strings.NewReader(form.Encode()))
	r.Host, r.RemoteAddr = "127.0.0.1:8480", b.address+":4711"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for _, c := range b.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	w := httptest.NewRecorder()
	b.h.pages.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if b.cookies[c.Name] = c; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

func (b *browser) get(path string, headers ...string) *httptest.ResponseRecorder {
	b.h.Helper()
	return b.do(http.MethodGet, path, nil, headers...)
}

func (b *browser) post(path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	b.h.Helper()
	return b.do(http.MethodPost, path, form, headers...)
}

// want checks an answer: its status, and texts that stand in it.
func (h *house) want(what string, w *httptest.ResponseRecorder, status int, texts ...string) {
	h.Helper()
	if w.Code != status {
		h.Errorf("%s: %d to %q, want %d\n%.600s", what, w.Code, w.Header().Get("Location"), status, w.Body)
		return
	}
	for _, text := range texts {
		if !strings.Contains(w.Body.String(), text) && w.Header().Get("Location") != text {
			h.Errorf("%s lacks %q (to %q)\n%.1500s", what, text, w.Header().Get("Location"), w.Body)
		}
	}
}

// signIn signs in with a password that is right.
func (b *browser) signIn(login, password string) {
	b.h.Helper()
	b.h.want("signing in as "+login, b.post("/login", url.Values{"login": {login}, "password": {password}}), 303)
}

func (b *browser) token() string {
	if c := b.cookies["touchstone_visit"]; c != nil {
		return c.Value
	}
	return ""
}

// TestTheFirstAccountIsMadeByALinkOfOneUse goes from nobody to a signed-in admin.
func TestTheFirstAccountIsMadeByALinkOfOneUse(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		h := openHouse(t, dsn, nil)
		b := h.browser()
		h.want("before there are accounts", b.get("/"), 200)
		h.want("accounts before there are any", b.get("/accounts"), 200, "touchstone user add")
		h.want("an account made by who only sits here", b.post("/accounts", url.Values{"login": {"eve"}, "role": {"admin"}}), 404)
		h.want("a link that was never offered", b.get("/setup?token=guess"), 410, "touchstone user add")
		token, err := h.app.People().OfferSetup(t.Context())
		if err != nil || token == "" {
			t.Fatalf("OfferSetup: %q, %v", token, err)
		}
		h.want("the link", b.get("/setup?token="+token), 200, `name="setup" value="`+token+`"`)
		form := url.Values{"setup": {token}, "login": {"Ann"}, "name": {"Ann <b>"}, "password": {annPassword}, "again": {annPassword}}
		bad := func(name, value, text string) {
			h.Helper()
			f := url.Values{}
			for k, v := range form {
				f[k] = v
			}
			f.Set(name, value)
			w := b.post("/setup", f)
			h.want("set-up with "+name+" "+value, w, 422, text)
			if strings.Contains(w.Body.String(), annPassword) || b.token() != "" {
				t.Errorf("%s: the password is given back, or somebody is signed in", name)
			}
		}
		bad("login", "a b", "2 to 64 letters")
		bad("again", "something else", "not the same")
		for _, f := range []string{"short", "Password2024!"} {
			form.Set("again", f)
			bad("password", f, `id="password-hint" class="problem-text"`)
		}
		form.Set("again", annPassword)
		h.want("a forged set-up", b.post("/setup", form, "Sec-Fetch-Site", "cross-site"), 403)
		before := h.hashes()
		h.want("set-up with a wrong token", b.post("/setup", url.Values{"setup": {"guess"}, "login": {"eve"}, "password": {annPassword}, "again": {annPassword}}), 410)
		if h.hashes() != before {
			t.Error("a wrong set-up token costs a hash")
		}
		h.want("set-up", b.post("/setup", form), 303, "/")
		c := b.cookies["touchstone_visit"]
		if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 7*24*3600 {
			t.Fatalf("the session's cookie: %+v", c)
		}
		h.want("signed in", b.get("/me"), 200, "Ann &lt;b&gt;", "You sign in as <bdi>ann</bdi>")
		h.want("the same link again", b.post("/setup", form), 410)
		if token, err := h.app.People().OfferSetup(t.Context()); err != nil || token != "" {
			t.Errorf("a set-up link is offered although there is an account: %v", err)
		}
		h.want("who is not signed in", h.browser().get("/customers?q=a"), 303, "/login?next=%2Fcustomers%3Fq%3Da")
		h.want("health", h.browser().get("/healthz"), 200)

		secure := h.browser()
		w := secure.post("/login", url.Values{"login": {"ann"}, "password": {annPassword}}, "X-Forwarded-Proto", "https")
		if c := secure.cookies["__Host-touchstone_visit"]; w.Code != 303 || c == nil || !c.Secure || c.Path != "/" || c.Domain != "" {
			t.Errorf("behind TLS: %d, cookies %v, want a __Host- cookie", w.Code, secure.cookies)
		}
		h.want("signing out", b.post("/logout", nil), 303, "/login")
		b.cookies["touchstone_visit"] = c
		h.want("the cookie after signing out", b.get("/me"), 303)
	})
}

// TestNobodyLearnsWhoHasAnAccount: an unknown name, a wrong password, a locked
// and a disabled account are told the same, and the same work is done.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "", nil)
	h.add("ann", annPassword, auth.Admin)
	h.add("dis", annPassword, auth.Viewer)
	h.add("loc", annPassword, auth.Viewer)
	if err := h.app.People().ChangePerson(t.Context(), web.By{Who: "test"}, "dis", web.PersonChange{State: "disabled"}); err != nil {
		t.Fatal(err)
	}
	person, err := h.app.People().byLogin(t.Context(), "loc")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.app.Store.Refused(t.Context(), person.ID, "test", "x", func(int) time.Duration { return time.Hour }); err != nil {
		t.Fatal(err)
	}
	var first string
	for i, tt := range []struct{ login, password string }{
		{"nobody", annPassword}, {"ann", "wrong"}, {"dis", annPassword}, {"loc", annPassword}, {"!?", annPassword}, {"", ""}, {"nobody2", strings.Repeat("x", 3000)},
	} {
		before := h.hashes()
		b := h.browser()
		b.address = fmt.Sprint("192.0.2.", i)
		w := b.post("/login", url.Values{"login": {tt.login}, "password": {tt.password}})
		body := strings.ReplaceAll(w.Body.String(), ` value="`+html.EscapeString(tt.login)+`"`, "")
		if tt.login == "" {
			body = first // the focus stands elsewhere
		}
		if i == 0 {
			first = body
		}
		if w.Code != 401 || body != first || h.hashes() != before+1 || b.token() != "" {
			t.Errorf("%q: %d after %d hashes, want 401 after 1 and the same page as for a name that nobody has", tt.login, w.Code, h.hashes()-before)
		}
	}
}

// TestGuessingIsSlowedDown: by name, whatever the address; by address, whatever
// the name; and over a restart.
func TestGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "", nil)
	h.add("ann", annPassword, auth.Admin)
	guess := func(i int, login, password string) *httptest.ResponseRecorder {
		b := h.browser()
		b.address = fmt.Sprintf("2001:db8:%x::1", i)
		return b.post("/login", url.Values{"login": {login}, "password": {password}})
	}
	for i := range 5 {
		h.want(fmt.Sprint("guess ", i), guess(i, "ann", "guess"), 401)
	}
	w := guess(99, "ann", annPassword)
	if h.want("the right password within the pause", w, 429, "Too many attempts"); w.Header().Get("Retry-After") != "30" {
		t.Errorf("Retry-After is %q, want 30", w.Header().Get("Retry-After"))
	}
	for i := range 5 {
		h.want("an unknown name likewise", guess(10+i, "nobody", "guess"), 401)
	}
	h.want("an unknown name likewise", guess(15, "nobody", "guess"), 429)
	h.restart("") // what was in memory is gone
	h.serve(nil)
	h.want("the right password of a locked account", guess(50, "ann", annPassword), 401)
	h.sleep(lockMost + time.Minute)
	h.want("the right password later", guess(51, "ann", annPassword), 303)

	one := h.browser()
	one.address = "2001:db8:77::1"
	codes := map[int]int{}
	for i := range 40 {
		one.address = fmt.Sprintf("2001:db8:77::%x", i+1) // one customer has them all
		codes[one.post("/login", url.Values{"login": {fmt.Sprint("name", i)}, "password": {"x"}}).Code]++
	}
	if codes[401] > 21 || codes[429] < 19 {
		t.Errorf("40 names from one network: %v, want about 20 tries and then 429", codes)
	}
}

// TestTenThousandQuickRequests are answered, most of them with 429, and cost
// little.
func TestTenThousandQuickRequests(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "", nil)
	h.app.Log = slog.New(slog.DiscardHandler)
	h.add("ann", annPassword, auth.Admin)
	h.serve(nil)
	before := h.hashes()
	codes := make(chan int, 10_000)
	for g := range 4 {
		go func() {
			for i := range 2500 {
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/login", strings.NewReader("login=u"+fmt.Sprint(g, i)+"&password=x"))
				r.Host, r.RemoteAddr = "127.0.0.1", "192.0.2.1:1"
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				w := httptest.NewRecorder()
				h.pages.ServeHTTP(w, r)
				codes <- w.Code
			}
		}()
	}
	count := map[int]int{}
	for range 10_000 {
		count[<-codes]++
	}
	g := h.app.life.gate
	if count[429] < 9900 || count[401]+count[429] != 10_000 || h.hashes()-before > 100 || g.names.Known() > 10_000 || g.addresses.Known() > 1 {
		t.Errorf("answers %v after %d hashes; %d names and %d addresses remembered; want nearly all 429", count, h.hashes()-before, g.names.Known(), g.addresses.Known())
	}
	b := h.browser()
	b.address = "192.0.2.2"
	b.signIn("ann", annPassword) // somebody else is not kept out
}

// TestASignInGivesATokenOfItsOwn: what the browser brought is not taken over,
// and what it had before ends.
func TestASignInGivesATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "", nil)
	h.add("ann", annPassword, auth.Admin)
	b := h.browser()
	b.cookies["touchstone_visit"] = &http.Cookie{Name: "touchstone_visit", Value: "planted-by-somebody-else-000000000000000000"}
	b.signIn("ann", annPassword)
	first := b.token()
	if strings.HasPrefix(first, "planted") || len(first) != 43 {
		t.Fatalf("the token after signing in is %q", first)
	}
	b.signIn("ann", annPassword)
	if b.token() == first {
		t.Error("a second sign-in gives the same token")
	}
	stale := h.browser()
	stale.cookies["touchstone_visit"] = &http.Cookie{Name: "touchstone_visit", Value: first}
	h.want("the token before", stale.get("/me"), 303)

	other := h.browser()
	other.signIn("ann", annPassword)
	before := b.token()
	h.want("another password", b.post("/me/password", url.Values{"password": {"a very new pass phrase"}, "again": {"a very new pass phrase"}}), 303, "/me")
	if b.token() == before {
		t.Error("another password keeps the session's token")
	}
	h.want("this browser", b.get("/me"), 200, "The password is changed")
	h.want("the other browser", other.get("/me"), 303)
	h.want("the same password again", b.post("/me/password", url.Values{"password": {"a very new pass phrase"}, "again": {"a very new pass phrase"}}), 422, "to be replaced")
	h.sleep(9 * time.Hour)
	h.want("after nine idle hours", b.get("/me"), 303)
}

// TestTheSecondStep turns it on, signs in with it, and tries codes again.
func TestTheSecondStep(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		h := openHouse(t, dsn, nil)
		h.add("ann", annPassword, auth.Admin)
		b := h.browser()
		b.signIn("ann", annPassword)
		h.want("beginning", b.post("/me/two-step", nil), 303, "/me/two-step")
		w := b.get("/me/two-step")
		h.want("the key", w, 200, `role="img"`, "otpauth://totp/Touchstone:ann?issuer=Touchstone&amp;secret=")
		person, err := h.app.People().byLogin(t.Context(), "ann")
		if err != nil {
			t.Fatal(err)
		}
		key := person.TOTPKey
		code := func() string { return auth.TOTPCode(key, h.clock.Now().Unix()/30) }
		h.want("a wrong code", b.post("/me/two-step/confirm", url.Values{"code": {"000000"}}), 422, "not the code of now", `role="img"`)
		h.browser().signIn("ann", annPassword) // not in force before a code was seen
		w = b.post("/me/two-step/confirm", url.Values{"code": {code()}})
		h.want("the code", w, 200, "Recovery codes")
		recovery := regexp.MustCompile(`<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>`).FindAllStringSubmatch(w.Body.String(), -1)
		if len(recovery) != 10 {
			t.Fatalf("%d recovery codes are shown, want 10", len(recovery))
		}

		pending := func() string {
			h.Helper()
			b := h.browser()
			w := b.post("/login", url.Values{"login": {"ann"}, "password": {annPassword}, "next": {"/customers"}})
			h.want("the password alone", w, 200, "One more step")
			if b.token() != "" {
				t.Error("the password alone signs in")
			}
			m := regexp.MustCompile(`name="pending" value="([^"]+)"`).FindStringSubmatch(w.Body.String())
			if m == nil {
				t.Fatal("the form for the code has nothing to go on with")
			}
			return m[1]
		}
		try := func(pending, code string) *httptest.ResponseRecorder {
			return h.browser().post("/login/code", url.Values{"pending": {pending}, "code": {code}, "next": {"/customers"}})
		}
		p := pending()
		h.want("the code that confirmed, again", try(p, code()), 401, "was used before")
		h.sleep(time.Minute)
		good := code()
		h.want("a code", try(p, good), 303, "/customers")
		h.want("the same code", try(pending(), good), 401)
		h.want("a forged beginning", try(strings.Replace(p, ".", "0.", 1), code()), 401, "begin again")
		h.want("no beginning", try("", code()), 401, "begin again")
		h.want("a recovery code", try(pending(), strings.ToUpper(recovery[3][1])), 303)
		h.want("the same", try(pending(), recovery[3][1]), 401)
		p = pending()
		h.sleep(6 * time.Minute)
		h.want("six minutes later", try(p, code()), 401, "begin again")
		for i := range 4 {
			try(pending(), fmt.Sprint(100000+i))
		}
		if w := h.browser().post("/login", url.Values{"login": {"ann"}, "password": {annPassword}}); w.Code != 429 {
			t.Errorf("guessing codes: %d, want 429", w.Code)
		}
	})
}
