package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/record"
)

const hostile = `<b>SECRET</b>"'\u202e{{.}}` + "\u202e"

// staff is people with names that mean harm.
type staff struct {
	People
	must  bool
	stale bool // the password was given long ago
}

func (staff) HasAccounts(context.Context) (bool, error) { return true, nil }

func (s staff) Visit(_ context.Context, token string) (Visit, bool, error) {
	return Visit{
		Actor: auth.Actor{ID: "ann", Name: hostile, Role: auth.Admin}, Account: "u1", Login: "ann", Session: "s1", Token: token, Fresh: !s.stale, MustChange: s.must,
	}, token == "good", nil
}

func (staff) person() Person {
	return Person{
		ID: "u1", Login: "ann", Name: hostile, Role: auth.Admin, State: "locked", TwoStep: true, Created: testNow, LockedUntil: testNow,
		Sessions: []SessionRow{{ID: "s1", Created: testNow, Seen: testNow, Here: true}, {ID: "s2", Agent: hostile, Created: testNow.Add(-time.Hour), Seen: testNow}},
	}
}

func (s staff) tokens() []APIToken {
	return []APIToken{
		{ID: "t1", Shown: "tsk_abcd", Name: hostile, Role: auth.Machine, State: "active", Created: testNow},
		{ID: "t2", Shown: "tsk_efgh", Name: "old", Login: "ann", Scopes: []string{"see", "customers"}, State: "revoked", Created: testNow, Expires: testNow},
	}
}

func (s staff) Me(context.Context, Visit) (MyAccount, error) {
	return MyAccount{Person: s.person(), Recovery: 1, Tokens: s.tokens()}, nil
}

func (staff) Sees() (scopes, masks []string) { return []string{"shanghai"}, []string{"no_ids"} }

func (s staff) PersonsOf(_ context.Context, q PersonQuery) (PersonList, error) {
	list := []Person{s.person(), {Login: "bob", Role: auth.Viewer, State: "disabled"}, {Login: "eve", Role: auth.Auditor, State: "active"}}
	list = slices.DeleteFunc(list, func(p Person) bool { return p.Login <= q.After || !strings.Contains(p.Login, q.Text) })
	out := PersonList{All: 3, List: list[:min(len(list), q.Limit)]}
	if len(list) > q.Limit {
		out.Next = list[q.Limit-1].Login
	}
	return out, nil
}

func (s staff) Person(_ context.Context, login string) (Person, error) {
	if login != "ann" {
		return Person{}, record.ErrNotFound
	}
	return s.person(), nil
}

func (s staff) TokensOf(context.Context, TokenQuery) (TokenList, error) {
	return TokenList{List: s.tokens(), All: len(s.tokens())}, nil
}

func (staff) WaitingTwoStep(context.Context, Visit) (Authenticator, error) {
	return Authenticator{"ABCD EFGH", "otpauth://totp/Touchstone:ann?secret=ABCDEFGH"}, nil
}

func (staff) SetupOpen(_ context.Context, token string) error {
	if token != "open" {
		return ErrSetupOver
	}
	return nil
}

func (staff) SignIn(context.Context, Caller, string, string) (SignedIn, error) {
	return SignedIn{}, &SlowDown{90 * time.Second}
}

func (staff) SignInCode(context.Context, Caller, string, string) (SignedIn, error) {
	return SignedIn{}, ErrWrong
}

func (staff) Prove(context.Context, Visit, string) error { return ErrOwnPassword }

// TestPagesOfAccountsAreWellFormed asks for every page about accounts, as it is
// and with something wrong, in every language, with names that mean harm.
func TestPagesOfAccountsAreWellFormed(t *testing.T) {
	fresh := newHandler(newOffice(), func(o *Options) { o.People = staff{} })
	stale := newHandler(newOffice(), func(o *Options) { o.People = staff{stale: true} })
	must := newHandler(newOffice(), func(o *Options) { o.People = staff{must: true} })
	keys := regexp.MustCompile(`>[^<]*\b(signin|setup|accounts|account|tokens|role|rolehint|scope|twostep|recovery|problem|weak|own|password|sessions|ended|done|demo)\.[a-z_.]+`)
	tests := []struct {
		h      http.Handler
		method string
		path   string
		form   url.Values
		signed bool
		want   int
	}{
		{fresh, "GET", "/login", nil, false, 200},
		{fresh, "POST", "/login", url.Values{"login": {hostile}, "password": {"x"}}, false, 429},
		{fresh, "POST", "/login/code", url.Values{"pending": {hostile}, "code": {"1"}}, false, 401},
		{fresh, "GET", "/setup?token=open", nil, false, 200},
		{fresh, "GET", "/setup?token=gone", nil, false, 410},
		{fresh, "POST", "/setup", url.Values{"setup": {"open"}, "login": {hostile}, "name": {hostile}, "password": {"a"}, "again": {"b"}}, false, 422},
		{fresh, "POST", "/review/1-2", url.Values{"why": {hostile}}, false, 401},
		{fresh, "GET", "/me", nil, true, 200},
		{stale, "GET", "/me", nil, true, 200},
		{stale, "POST", "/me/tokens", url.Values{"name": {hostile}}, true, 422},
		{stale, "POST", "/me/two-step/end", nil, true, 422},
		{fresh, "GET", "/me/password", nil, true, 200},
		{must, "GET", "/me/password", nil, true, 200},
		{stale, "POST", "/me/password", url.Values{"password": {"a"}, "again": {"a"}}, true, 422},
		{fresh, "GET", "/me/two-step", nil, true, 200},
		{fresh, "GET", "/accounts", nil, true, 200},
		{stale, "POST", "/accounts", url.Values{"login": {hostile}, "name": {hostile}, "role": {"viewer"}}, true, 422},
		{fresh, "GET", "/accounts/ann", nil, true, 200},
		{stale, "POST", "/accounts/ann/role", url.Values{"role": {"viewer"}}, true, 422},
		{stale, "POST", "/accounts/ann/state", url.Values{"state": {"disabled"}}, true, 422},
		{fresh, "GET", "/accounts/nobody", nil, true, 404},
		{fresh, "GET", "/accounts/tokens", nil, true, 200},
		{stale, "POST", "/accounts/tokens", url.Values{"name": {hostile}, "role": {"machine"}}, true, 422},
	}
	for _, lang := range languages() {
		for _, tt := range tests {
			r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.path, strings.NewReader(tt.form.Encode()))
			r.Host = "127.0.0.1"
			r.Header.Set("Cookie", "touchstone_lang="+lang.Code)
			if tt.signed {
				r.AddCookie(&http.Cookie{Name: visitCookie, Value: "good"})
			}
			if tt.method == "POST" {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			w := httptest.NewRecorder()
			tt.h.ServeHTTP(w, r)
			where, body := tt.method+" "+tt.path+" in "+lang.Code, w.Body.String()
			if w.Code != tt.want {
				t.Errorf("%s: %d, want %d", where, w.Code, tt.want)
				continue
			}
			if m := keys.FindString(body); m != "" {
				t.Errorf("%s shows a key: %s", where, m)
			}
			for _, bad := range []string{" style=", "<style", " onclick", "javascript:", "ZgotmplZ", "%!", "<no value>", "<b>SECRET"} {
				if strings.Contains(body, bad) {
					t.Errorf("%s carries %q", where, bad)
				}
			}
			checkHTML(t, where, body)
		}
	}
	w := get(t, must, "/customers", "Cookie", visitCookie+"=good")
	if w.Code != 303 || w.Header().Get("Location") != "/me/password" {
		t.Errorf("with a password of somebody else's making: %d to %s, want 303 to /me/password", w.Code, w.Header().Get("Location"))
	}
}

// listing keeps what accounts were asked for.
type listing struct {
	staff
	q *PersonQuery
	t *TokenQuery
}

func (s listing) PersonsOf(_ context.Context, q PersonQuery) (PersonList, error) {
	*s.q = q
	return PersonList{All: 1203, List: []Person{{Login: "bob", Role: auth.Viewer}}, Next: "bob"}, nil
}

func (s listing) TokensOf(_ context.Context, q TokenQuery) (TokenList, error) {
	*s.t = q
	list := s.tokens()
	if q.Text == "none" {
		list = nil
	}
	return TokenList{All: 1203, List: list, Next: "t7"}, nil
}

// TestTokensAreFoundAndPaged: as accounts are.
func TestTokensAreFoundAndPaged(t *testing.T) {
	var q TokenQuery
	h := newHandler(newOffice(), func(o *Options) { o.People = listing{t: &q} })
	body := get(t, h, "/accounts/tokens?q=+o+&after=t9", "Cookie", visitCookie+"=good").Body.String()
	if want := (TokenQuery{Text: "o", After: "t9", Limit: personsShown}); q != want {
		t.Errorf("asked for %+v, want %+v", q, want)
	}
	for _, want := range []string{"203 API tokens</h1>", `name="q" type="search" value="o"`, `href="?after=t7&amp;q=%20o%20"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page of tokens has no %s:\n%s", want, body)
		}
	}
	if body := get(t, h, "/accounts/tokens?q=none", "Cookie", visitCookie+"=good").Body.String(); !strings.Contains(body, "No token has this") {
		t.Errorf("with nothing found it says\n%s", body)
	}
}

// TestAccountsAreFoundAndPaged: the page of accounts shows how many there are, asks
// for a part of them, and leads on with what was looked for.
func TestAccountsAreFoundAndPaged(t *testing.T) {
	var q PersonQuery
	h := newHandler(newOffice(), func(o *Options) { o.People = listing{q: &q} })
	w := get(t, h, "/accounts?q=+o+&after=ann", "Cookie", visitCookie+"=good")
	body := w.Body.String()
	if want := (PersonQuery{Text: "o", After: "ann", Limit: personsShown}); q != want {
		t.Errorf("asked for %+v, want %+v", q, want)
	}
	for _, want := range []string{"203 accounts</h1>", `name="q" type="search" value="o"`, `href="?after=bob&amp;q=%20o%20"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%d: the page does not have %s", w.Code, want)
		}
	}
}

// TestWhoCallsThroughAProxy: of what a known proxy forwards the last address
// counts, and what a caller wrote there itself does not.
func TestWhoCallsThroughAProxy(t *testing.T) {
	s := &server{opts: Options{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::5/128")}}}
	tests := []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.7:1", nil, "192.0.2.7"},
		{"192.0.2.7:1", []string{"198.51.100.1"}, "192.0.2.7"}, // not through a proxy of ours
		{"10.0.0.5:1", nil, "10.0.0.5"},
		{"10.0.0.5:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.5:1", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"}, // the first was written by the caller
		{"10.0.0.5:1", []string{"203.0.113.9", "198.51.100.1, 10.0.0.6"}, "198.51.100.1"},
		{"10.0.0.5:1", []string{"203.0.113.9, x"}, "10.0.0.5"},
		{"[::ffff:10.0.0.5]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[2001:db8::5]:1", []string{"2001:db8::77"}, "2001:db8::77"},
		{"10.0.0.5:1", []string{"10.0.0.6, 10.0.0.7"}, "10.0.0.6"},
		{"@", nil, "@"}, // a socket of the file system
	}
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.RemoteAddr = tt.remote
		for _, f := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := s.callerAddress(r); got != tt.want {
			t.Errorf("from %s, forwarded for %q: %s, want %s", tt.remote, tt.forwarded, got, tt.want)
		}
	}
}

// TestTheQRCodeIsWhatItSays draws every module of a code once.
func TestTheQRCodeIsWhatItSays(t *testing.T) {
	c := drawQR("otpauth://totp/Touchstone:ann?issuer=Touchstone&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
	if c == nil || !regexp.MustCompile(`^(M\d+ \d+h\d+v1h-\d+z)+$`).MatchString(c.Path) || !strings.HasPrefix(c.Path, "M4 4h7v1h-7z") {
		t.Fatalf("the code's path: %+v; want rectangles that begin with the corner mark behind a quiet edge of 4", c)
	}
	if drawQR(strings.Repeat("x", 5000)) != nil {
		t.Error("a text that no code holds is drawn")
	}
}
