package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors"
	"touchstone/internal/env"
	"touchstone/internal/httpx"
)

// keeper keeps in memory, as the store does, with one claim at a time.
type keeper struct {
	mu      sync.Mutex
	kept    map[string][]byte
	claimed map[string]bool
	broken  error
	saves   int
}

func newKeeper() *keeper { return &keeper{kept: map[string][]byte{}, claimed: map[string]bool{}} }

func (k *keeper) Load(_ context.Context, name string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.kept[name], nil
}

func (k *keeper) Save(_ context.Context, name string, value []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken != nil {
		return k.broken
	}
	k.kept[name] = bytes.Clone(value)
	k.saves++
	return nil
}

func (k *keeper) Claim(_ context.Context, name string, _ time.Duration) (func(context.Context) error, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.claimed[name] {
		return nil, false, nil
	}
	k.claimed[name] = true
	return func(context.Context) error {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.claimed[name] = false
		return nil
	}, true, nil
}

// loadOnly is a keeper without claims.
type loadOnly struct{ connectors.Keeper }

// tokens is a system behind OAuth2 whose refresh tokens work once.
type tokens struct {
	mu      sync.Mutex
	n       int
	refresh string          // the one that is good; "" takes any
	good    map[string]bool // access tokens
	grants  []url.Values
	life    int
	status  int // of the token endpoint; 0 is 200
	fixed   bool
}

func (s *tokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path != "/token" {
		if !s.good[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")] {
			reply(w, 401, `{"error":{"message":"token `+r.Header.Get("Authorization")+` expired"}}`)
			return
		}
		reply(w, 200, list("null", item("1", day+"1Z")))
		return
	}
	_ = r.ParseForm()
	s.grants = append(s.grants, r.PostForm)
	switch {
	case s.status != 0:
		reply(w, s.status, `{"error":"temporarily_unavailable"}`)
		return
	case r.PostForm.Get("grant_type") == "refresh_token" && s.refresh != "" && r.PostForm.Get("refresh_token") != s.refresh:
		reply(w, 400, `{"error":"invalid_grant","error_description":"`+r.PostForm.Get("refresh_token")+` was used"}`)
		return
	}
	s.n++
	access := fmt.Sprintf("access-%d", s.n)
	s.good[access] = true
	more := ""
	if s.refresh != "" && !s.fixed {
		s.refresh = fmt.Sprintf("refresh-%d", s.n)
		more = fmt.Sprintf(`,"refresh_token":%q`, s.refresh)
	}
	reply(w, 200, fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":%d%s}`, access, s.life, more))
}

func (s *tokens) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.good = map[string]bool{}
}

func oauth(t testing.TB, grant string) string {
	return edited(t, company, `{type: bearer, token: "${env:CRM_TOKEN}"}`, `{type: oauth2, token_url: URL/token, client_id: c1, client_secret: "${env:S}", scopes: [a, b], `+grant+`}`)
}

const rotating = `grant: refresh_token, refresh_token: "${env:R}"`

func TestClientCredentialsAreAskedOnceForMany(t *testing.T) {
	sys := &tokens{good: map[string]bool{}, life: 3600}
	s := serve(t, sys.ServeHTTP)
	c, clock := openFast(t, oauth(t, "client_auth: body"), s.URL, nil)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := c.Pull(t.Context(), "company", nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	want := url.Values{"grant_type": {"client_credentials"}, "client_id": {"c1"}, "client_secret": {secret}, "scope": {"a b"}}
	if diff := cmp.Diff([]url.Values{want}, sys.grants); diff != "" {
		t.Errorf("token requests (-want +got):\n%s", diff)
	}
	clock.now = clock.now.Add(3580 * time.Second) // within the margin of its end
	if _, err := c.Pull(t.Context(), "company", nil); err != nil || len(sys.grants) != 2 {
		t.Errorf("near its end the token was asked %d times, %v, want again before it is refused", len(sys.grants), err)
	}
}

func TestARefusedTokenIsRenewedOnceForAReadAndNeverSendsAWriteTwice(t *testing.T) {
	sys := &tokens{good: map[string]bool{}, life: 3600}
	s := serve(t, sys.ServeHTTP)
	c, _ := openFast(t, oauth(t, "client_auth: basic"), s.URL, nil)
	if _, err := c.Pull(t.Context(), "company", nil); err != nil {
		t.Fatal(err)
	}
	sys.expire()
	if _, err := c.Pull(t.Context(), "company", nil); err != nil || len(sys.grants) != 2 {
		t.Errorf("a read with an old token: %v after %d token requests, want 2", err, len(sys.grants))
	}
	sys.expire()
	before := s.count("PATCH")
	got := push(t, c, update(), update())
	if got[0].Outcome != connectors.Retry || errors.Is(got[0].Err, connectors.ErrAuth) || !errors.Is(got[0].Err, connectors.ErrNotSent) || s.count("PATCH") != before+1 || len(sys.grants) != 3 {
		t.Errorf("a write with an old token: %+v, sent %d times, %d token requests; want retry, once, with a new token", got[0], s.count("PATCH")-before, len(sys.grants))
	}
	if h := s.asked()[0].Header.Get("Authorization"); h != basic("c1", secret) {
		t.Errorf("the token request is signed %q", h)
	}
}

func TestATokenThatIsNeverTakenIsAnError(t *testing.T) {
	n := 0
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			n++
			reply(w, 200, `{"access_token":"canary-access","expires_in":"3600"}`)
			return
		}
		reply(w, 401, `{"error":{"message":"canary-access is bad, so is `+secret+`"}}`)
	})
	c, _ := openFast(t, oauth(t, "client_auth: body"), s.URL, nil)
	_, err := c.Pull(t.Context(), "company", nil)
	if !errors.Is(err, connectors.ErrAuth) || n != 2 || s.count("GET") != 2 || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v after %d tokens and %d reads; want credentials rejected, two and two, and no secret", err, n, s.count("GET"))
	}
}

func TestARefreshTokenIsKeptBeforeItsAccessTokenIsUsed(t *testing.T) {
	sys := &tokens{good: map[string]bool{}, life: 3600, refresh: secret}
	s := serve(t, sys.ServeHTTP)
	k := newKeeper()
	k.broken = errors.New("disk full")
	c, _ := openFast(t, oauth(t, rotating), s.URL, k)
	if _, err := c.Pull(t.Context(), "company", nil); err == nil || !strings.Contains(err.Error(), "keep the refresh token: disk full") || s.count("GET") != 0 {
		t.Fatalf("with a store that keeps nothing: %v after %d reads, want an error and no read", err, s.count("GET"))
	}
	k.broken = nil
	if _, err := c.Pull(t.Context(), "company", nil); err != nil || len(sys.grants) != 1 || k.saves != 1 {
		t.Fatalf("once the store works: %v with %d token requests and %d saves, want the same grant kept and used", err, len(sys.grants), k.saves)
	}
	// Another process: it finds the access token in the store.
	other, _ := openFast(t, oauth(t, rotating), s.URL, k)
	if _, err := other.Pull(t.Context(), "company", nil); err != nil || len(sys.grants) != 1 {
		t.Errorf("a second process: %v with %d token requests, want none of its own", err, len(sys.grants))
	}
	// A fresh start after the access token ended uses the rotated token.
	sys.expire()
	if _, err := other.Pull(t.Context(), "company", nil); err != nil || sys.grants[1].Get("refresh_token") != "refresh-1" {
		t.Errorf("after its end: %v, the second grant used %v, want refresh-1", err, sys.grants)
	}
	// The first process still holds the old one: it is refused, and found again in the store.
	sys.expire()
	sys.good["access-2"] = true
	if _, err := c.Pull(t.Context(), "company", nil); err != nil || len(sys.grants) != 2 {
		t.Errorf("the process with the old token: %v with %d token requests, want what the other got", err, len(sys.grants))
	}
}

func TestAnInvalidGrantIsNoReasonToForgetIt(t *testing.T) {
	sys := &tokens{good: map[string]bool{}, life: 3600, refresh: "somebody else has the good one"}
	s := serve(t, sys.ServeHTTP)
	k := newKeeper()
	c, _ := openFast(t, oauth(t, rotating), s.URL, k)
	_, err := c.Pull(t.Context(), "company", nil)
	if !errors.Is(err, connectors.ErrAuth) || !strings.Contains(err.Error(), "configure the new refresh_token") || strings.Contains(err.Error(), secret) {
		t.Errorf("a refused refresh token: %v", err)
	}
	if k.saves != 0 || len(sys.grants) != 1 {
		t.Errorf("%d saves, %d token requests, want none and one", k.saves, len(sys.grants))
	}
	// Between our load and our use another process, which knows no claims, rotated.
	stolen := newKeeper()
	sys2 := &tokens{good: map[string]bool{}, life: 3600, refresh: "r-2"}
	s2 := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" && len(sys2.grants) == 0 {
			g := grant{Access: "theirs", Refresh: "r-2", Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Seed: c.auth.seed()}
			b, _ := json.Marshal(g)
			_ = stolen.Save(r.Context(), "oauth2 crm", b)
			sys2.good["theirs"] = true
		}
		sys2.ServeHTTP(w, r)
	})
	racer, _ := openFast(t, oauth(t, rotating), s2.URL, loadOnly{stolen})
	if _, err := racer.Pull(t.Context(), "company", nil); err != nil || len(sys2.grants) != 1 {
		t.Errorf("a race lost: %v with %d token requests; want the other's token used", err, len(sys2.grants))
	}
}

func TestManyWorkersAndProcessesUseARefreshTokenOnce(t *testing.T) {
	sys := &tokens{good: map[string]bool{}, life: 3600, refresh: secret}
	s := serve(t, sys.ServeHTTP)
	k := newKeeper()
	o, err := options(t, oauth(t, rotating), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var processes []*Client
	for range 4 {
		processes = append(processes, openIn(t, o, env.Real(), k))
	}
	for round := 1; round <= 3; round++ {
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				if _, err := processes[i%4].Pull(t.Context(), "company", nil); err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		wg.Wait()
		if len(sys.grants) != round || k.saves != round {
			t.Errorf("round %d: %d token requests and %d saves, want one each round", round, len(sys.grants), k.saves)
		}
		sys.expire()
	}
}

func TestANewRefreshTokenInTheConfigurationReplacesTheKeptOne(t *testing.T) {
	sys := &tokens{good: map[string]bool{}, life: 3600, refresh: secret}
	s := serve(t, sys.ServeHTTP)
	k := newKeeper()
	old, _ := json.Marshal(grant{Access: "old", Refresh: "old", Expires: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Seed: "of another"})
	_ = k.Save(t.Context(), "oauth2 crm", old)
	c, _ := openFast(t, oauth(t, rotating), s.URL, k)
	if _, err := c.Pull(t.Context(), "company", nil); err != nil || sys.grants[0].Get("refresh_token") != secret {
		t.Errorf("%v, used %v; want the configured token", err, sys.grants)
	}
	// A renamed source finds what was kept under its former name.
	sys.expire()
	renamed, _ := openFast(t, oauth(t, rotating), s.URL, k)
	renamed.auth.name, renamed.auth.was = "hub", []string{"crm"}
	if _, err := renamed.Pull(t.Context(), "company", nil); err != nil || sys.grants[1].Get("refresh_token") != "refresh-1" || k.kept["oauth2 hub"] == nil {
		t.Errorf("after a rename: %v, used %v; want refresh-1, and the new one kept under the new name", err, sys.grants)
	}
}

func TestTokenServersThatFailAreNoRefusalOfCredentials(t *testing.T) {
	for status, auth := range map[int]bool{500: false, 503: false, 429: false, 403: true} {
		sys := &tokens{good: map[string]bool{}, status: status}
		s := serve(t, sys.ServeHTTP)
		c, _ := openFast(t, oauth(t, "client_auth: body"), s.URL, nil)
		_, err := c.Pull(t.Context(), "company", nil)
		got := push(t, c, update())
		if err == nil || errors.Is(err, connectors.ErrAuth) != auth || got[0].Outcome != connectors.Retry || !errors.Is(got[0].Err, connectors.ErrNotSent) || s.count("PATCH") != 0 {
			t.Errorf("token server answers %d: pull %v, push %+v; want credentials at fault: %v, and nothing sent", status, err, got[0], auth)
		}
	}
}

func TestAKeyInTheQueryIsSeenNowhere(t *testing.T) {
	block := edited(t, company, `{type: bearer, token: "${env:CRM_TOKEN}"}`, `{type: query, query: api_token, token: "${env:T}"}`,
		"{type: cursor, token: 'body.next_cursor', inject: {query: cursor}}", "{type: link, token: 'body.next'}")
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("api_token") != secret {
			reply(w, 401, `{}`)
			return
		}
		if r.URL.Query().Get("page") == "2" {
			reply(w, 422, `{"error":{"message":"no page for `+secret+`"}}`)
			return
		}
		reply(w, 200, fmt.Sprintf(`{"items":[%s],"next":"/companies?page=2&api_token=%s"}`, item("1", day+"1Z"), secret))
	})
	o, err := options(t, block, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	cfg := o.HTTP()
	cfg.Log = slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
	world := env.Real()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(tr.CloseIdleConnections)
	world.HTTP = tr
	h, err := httpx.New(world, cfg)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Open("crm", o, h)
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Pull(t.Context(), "company", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, failed := c.Pull(t.Context(), "company", p.Cursor)
	s.Close()
	_, unreachable := c.Pull(t.Context(), "company", p.Cursor)
	if failed == nil || unreachable == nil {
		t.Fatalf("want two errors, have %v and %v", failed, unreachable)
	}
	for what, text := range map[string]string{"the cursor": string(p.Cursor), "an error": failed.Error(), "the other error": unreachable.Error(), "the log": lines.String(), "the options": fmt.Sprintf("%+v", o)} {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the key: %s", what, text)
		}
	}
}

// loginBlock is a system that wants its token in every body.
const loginBlock = `
base_url: URL
auth:
  type: login
  username: u1
  secrets: {app: "${env:APP}"}
  login:
    path: /token/get
    body: {appId: '{{ username }}', appSecret: '{{ secret.app }}', fixed: 1}
    token: 'body.token'
    expires_in: 'body.expiresIn'
    header: X-Token
    prefix: 'T '
    member: auth.token
    also: {corp: 'body.corpId'}
streams:
  company:
    list: {method: POST, path: /query, body: {auth: {kind: app}}, records: 'body.items'}
    id: 'record.id'
error_handler:
  - {when: 'body.errorCode == 20016', class: auth}
`

func TestALoginsTokenGoesIntoHeaderAndBody(t *testing.T) {
	var logins int
	dead := map[string]bool{}
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token/get" {
			logins++
			reply(w, 200, fmt.Sprintf(`{"token":"tok%d","corpId":77,"expiresIn":7200}`, logins))
			return
		}
		if dead[r.Header.Get("X-Token")] {
			reply(w, 200, `{"errorCode":20016}`)
			return
		}
		reply(w, 200, `{"items":[{"id":"1"}]}`)
	})
	c, _ := openFast(t, loginBlock, s.URL, nil)
	for range 2 {
		if _, err := c.Pull(t.Context(), "company", nil); err != nil {
			t.Fatal(err)
		}
	}
	dead["T tok1"] = true
	if _, err := c.Pull(t.Context(), "company", nil); err != nil || logins != 2 {
		t.Errorf("a token that ended, told by 200: %v after %d logins, want a new one", err, logins)
	}
	var bodies []string
	for _, q := range s.asked() {
		bodies = append(bodies, q.URL+" "+q.Header.Get("X-Token")+" "+q.Body)
	}
	query := func(n int) string {
		return fmt.Sprintf(`/query T tok%d {"auth":{"kind":"app","token":"tok%d"},"corp":77}`, n, n)
	}
	login := `/token/get  {"appId":"u1","appSecret":"` + secret + `","fixed":1}`
	if diff := cmp.Diff([]string{login, query(1), query(1), query(1), login, query(2)}, bodies); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	dead["T tok2"], dead["T tok3"] = true, true
	if _, err := c.Pull(t.Context(), "company", nil); !errors.Is(err, connectors.ErrAuth) || logins != 3 {
		t.Errorf("a token that is never taken: %v after %d logins, want credentials rejected after one more", err, logins)
	}
}

func TestAuthMistakesAreNamed(t *testing.T) {
	base := `{type: bearer, token: "${env:CRM_TOKEN}"}`
	for auth, want := range map[string]string{
		`{type: query, token: x}`:                  "auth of type query needs query",
		`{type: oauth2}`:                           "auth of type oauth2 needs token_url",
		`{type: oauth2, token_url: "https://h/t"}`: "auth of type oauth2 needs client_id",
		`{type: oauth2, token_url: "https://h/t", ` + `client_id: a, grant: refresh_token}`: "auth of type oauth2 needs refresh_token",
		`{type: login}`:                                             "auth of type login needs login",
		`{type: login, login: {path: /l}}`:                          "token: where the answer holds it",
		`{type: login, login: {path: /l, token: body.t}}`:           "header or member",
		`{type: login, login: {path: l, token: body.t, header: X}}`: "want a path that starts with /",
		`{type: login, secrets: {a: x}, login: {path: /l, body: {s: "{{ secret.b }}"}, token: body.t, header: X}}`: "unknown",
	} {
		_, err := options(t, edited(t, company, base, auth), "http://127.0.0.1:1")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", auth, err, want)
		}
	}
	for limits, want := range map[string]string{
		`limits: [{per: 1s}]`:                       "limits nothing",
		`limits: [{requests: 1, reset: X}]`:         "has a meaning only with remaining",
		`limits: [{requests: 1, match: {pth: /x}}]`: `unknown key "pth"`,
	} {
		_, err := options(t, edited(t, company, "limit: {concurrency: 4}", limits), "http://127.0.0.1:1")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", limits, err, want)
		}
	}
}
