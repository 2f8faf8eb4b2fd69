package app

import (
	"fmt"
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

// given finds what a page shows this once.
func given(t *testing.T, body string) string {
	t.Helper()
	m := regexp.MustCompile(`class="a-secret"[^>]*><p>[^<]*</p><code>([^<]+)</code>`).FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("nothing is shown once:\n%.2000s", body)
	}
	return m[1]
}

// TestAnAdminManagesAccounts adds a steward, who has to choose a password and
// lands at the review; then takes rights away.
func TestAnAdminManagesAccounts(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		h := openHouse(t, dsn, nil)
		h.add("ann", annPassword, auth.Admin)
		ann, bob := h.browser(), h.browser()
		ann.signIn("ann", annPassword)
		h.want("a name that is taken", ann.post("/accounts", url.Values{"login": {"ANN"}, "role": {"steward"}}), 422, "is taken", `value="ANN"`)
		h.want("no role", ann.post("/accounts", url.Values{"login": {"bob"}, "role": {"machine"}}), 422, "no such role")
		w := ann.post("/accounts", url.Values{"login": {"bob"}, "name": {"Bob"}, "role": {"steward"}})
		h.want("adding", w, 200, "2 accounts")
		first := given(t, w.Body.String())
		bob.signIn("bob", first)
		h.want("with the first password", bob.get("/customers"), 303, "/me/password")
		h.want("asking for more", bob.post("/accounts", url.Values{"login": {"eve"}, "role": {"admin"}}), 303, "/me/password")
		h.want("the form", bob.get("/me/password"), 200, "given to you by somebody else")
		h.want("the same again", bob.post("/me/password", url.Values{"password": {first}, "again": {first}}), 422, "to be replaced")
		h.want("one's own", bob.post("/me/password", url.Values{"password": {bobPassword}, "again": {bobPassword}}), 303, "/me")
		h.want("with it", bob.get("/customers"), 200)
		h.want("where a steward works", h.browser().post("/login", url.Values{"login": {"bob"}, "password": {bobPassword}}), 303, "/review")
		h.want("accounts for a steward", bob.get("/accounts"), 403, "Your role does not include this")
		h.want("a role for oneself", bob.post("/accounts/bob/role", url.Values{"role": {"admin"}}), 403)

		// Half an hour later the own password is asked for again.
		h.sleep(30 * time.Minute)
		h.want("who stays signed in", ann.get("/accounts/bob"), 200, "Your own password")
		h.want("without the own password", ann.post("/accounts/bob/role", url.Values{"role": {"viewer"}}), 422, "not your password")
		h.want("with a wrong one", ann.post("/accounts/bob/role", url.Values{"role": {"viewer"}, "own": {"guess"}}), 422, "not your password")
		h.want("bob, as before", bob.get("/customers"), 200)
		h.want("with the right one", ann.post("/accounts/bob/role", url.Values{"role": {"viewer"}, "own": {annPassword}}), 303, "/accounts/bob")
		h.want("bob's session after another role", bob.get("/customers"), 303, "/login?next=%2Fcustomers")
		bob.signIn("bob", bobPassword)

		w = ann.post("/accounts/bob/password", nil)
		h.want("a new password", w, 200, "Bob")
		h.want("bob's session after another password", bob.get("/me"), 303)
		bob.signIn("bob", given(t, w.Body.String()))
		h.want("disabling", ann.post("/accounts/bob/state", url.Values{"state": {"disabled"}}), 303, "/accounts/bob")
		h.want("bob's session after that", bob.get("/me"), 303)
		h.want("bob's password after that", bob.post("/login", url.Values{"login": {"bob"}, "password": {given(t, w.Body.String())}}), 401)
		h.want("the last admin", ann.post("/accounts/ann/role", url.Values{"role": {"viewer"}}), 422, "last active admin")
		h.want("nobody's page", ann.get("/accounts/nobody"), 404)
		h.want("a role for nobody", ann.post("/accounts/nobody/role", url.Values{"role": {"viewer"}}), 404)
	})
}

// TestASessionThatEndsInMidFormLosesNothing: the form is not done, what was
// typed stands in the answer, and it can be sent again.
func TestASessionThatEndsInMidFormLosesNothing(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "", nil)
	h.add("ann", annPassword, auth.Admin)
	b := h.browser()
	b.signIn("ann", annPassword)
	if err := h.app.People().EndSessionsOf(t.Context(), web.By{Who: "test"}, "ann"); err != nil {
		t.Fatal(err)
	}
	form := url.Values{"name": {`export "<b>`}, "scope": {"see", "customers"}, "days": {"30"}, "own": {annPassword}}
	w := b.post("/me/tokens", form)
	h.want("a form without a session", w, 401, "Your session has ended", `action="/me/tokens"`, `name="name" value="export &#34;&lt;b&gt;"`,
		`name="scope" value="see"`, `name="scope" value="customers"`, `href="/login" target="_blank"`)
	if strings.Contains(w.Body.String(), annPassword) {
		t.Error("the answer gives a password back")
	}
	if list, err := h.app.People().Tokens(t.Context(), ""); err != nil || len(list) != 0 {
		t.Errorf("it was done all the same: %v, %v", list, err)
	}
	b.signIn("ann", annPassword)
	form.Del("own")
	h.want("sent again", b.post("/me/tokens", form), 200, "shown only now")
	h.want("a forged form", b.post("/me/tokens", form, "Sec-Fetch-Site", "cross-site"), 403)
	h.want("a form from another origin", b.post("/me/tokens", form, "Origin", "https://evil.example.com"), 403)
	if list, err := h.app.People().Tokens(t.Context(), ""); err != nil || len(list) != 1 {
		t.Errorf("%d tokens, %v, want the one", len(list), err)
	}
	h.want("a program", h.browser().post("/api/match", nil), 401, "the token is missing or wrong")
}

// TestATokenMayNoMoreThanItsRole asks with tokens of every kind.
func TestATokenMayNoMoreThanItsRole(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		const fixed = "a-token-of-some-length"
		h := openHouse(t, dsn, func(o *web.Options) { o.Token = fixed })
		people, by := h.app.People(), web.By{Who: "test"}
		h.add("ann", annPassword, auth.Admin)
		h.add("bob", bobPassword, auth.Steward)
		add := func(n web.NewToken) string {
			h.Helper()
			token, err := people.AddToken(t.Context(), by, n)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		machine := add(web.NewToken{Name: "m", Role: auth.Machine})
		narrow := add(web.NewToken{Name: "n", Login: "bob", Scopes: []string{"see"}, Days: 1})
		bobs := add(web.NewToken{Name: "b", Login: "bob"})
		admins := add(web.NewToken{Name: "a", Login: "ann", Scopes: []string{"accounts"}})
		for _, bad := range []web.NewToken{{Name: "x", Login: "bob", Scopes: []string{"accounts"}}, {Name: "x", Role: "owner"}, {Role: auth.Viewer}, {Name: "x", Role: auth.Viewer, Days: -1}, {Name: "x", Login: "nobody"}} {
			if _, err := people.AddToken(t.Context(), by, bad); err == nil {
				t.Errorf("a token %+v is made", bad)
			}
		}
		ask := func(token string, path string, want int) {
			h.Helper()
			b := h.browser()
			b.address = fmt.Sprint("192.0.2.", len(token)+want%100)
			if w := b.get(path, "Authorization", "Bearer "+token); w.Code != want {
				t.Errorf("%s with %s: %d, want %d", path, token[:8], w.Code, want)
			}
		}
		ask(fixed, "/accounts", 200)
		ask(machine, "/", 200)
		ask(machine, "/customers", 200)
		ask(machine, "/accounts", 403)
		ask(machine, "/me", 403)
		ask(narrow, "/", 200)
		ask(narrow, "/customers", 403)
		ask(bobs, "/customers", 200)
		ask(bobs, "/accounts", 403)
		ask(admins, "/accounts", 200)
		ask(admins, "/customers", 403)
		ask(machine+"x", "/", 401)
		ask("tsk_guess", "/", 401)
		// A token signs nobody in: what needs a password is not for it.
		b := h.browser()
		h.want("an account made by a token", b.post("/accounts", url.Values{"login": {"eve"}, "role": {"admin"}}, "Authorization", "Bearer "+admins), 404)
		if err := people.ChangePerson(t.Context(), by, "bob", web.PersonChange{Role: auth.Auditor}); err != nil {
			t.Fatal(err)
		}
		ask(bobs, "/customers", 200)
		h.sleep(25 * time.Hour)
		ask(narrow, "/", 401) // over after a day
		if err := people.ChangePerson(t.Context(), by, "bob", web.PersonChange{State: "disabled"}); err != nil {
			t.Fatal(err)
		}
		ask(bobs, "/", 401)
		list, err := people.Tokens(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list {
			if x.Name == "m" {
				if x.Used.IsZero() {
					t.Error("that a token was used is not kept")
				}
				if err := people.RevokeToken(t.Context(), by, x.ID, ""); err != nil {
					t.Fatal(err)
				}
			}
		}
		ask(machine, "/", 401)
	})
}

// TestSecretsStandNowhere takes a journey with every kind of secret and looks
// for them in the log, the audit trail, the pages and the store's file.
func TestSecretsStandNowhere(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "", nil)
	setup, err := h.app.People().OfferSetup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := h.browser()
	h.want("set-up", b.post("/setup", url.Values{"setup": {setup}, "login": {"ann"}, "password": {annPassword}, "again": {annPassword}}), 303)
	secrets := []string{setup, annPassword, b.token()}
	b.post("/me/two-step", nil)
	w := b.get("/me/two-step")
	key := regexp.MustCompile(`secret=([A-Z2-7]{32})`).FindStringSubmatch(w.Body.String())
	person, err := h.app.People().byLogin(t.Context(), "ann")
	if err != nil || key == nil {
		t.Fatalf("no key of an authenticator is shown: %v", err)
	}
	secrets = append(secrets, key[1], auth.TOTPText(person.TOTPKey), string(person.TOTPKey))
	code := auth.TOTPCode(person.TOTPKey, h.clock.Now().Unix()/30)
	w = b.post("/me/two-step/confirm", url.Values{"code": {code}})
	recovery := regexp.MustCompile(`<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>`).FindAllStringSubmatch(w.Body.String(), -1)
	for _, m := range recovery {
		secrets = append(secrets, m[1], strings.ReplaceAll(m[1], "-", ""))
	}
	w = b.post("/me/tokens", url.Values{"name": {"mine"}, "days": {"30"}})
	secrets = append(secrets, given(t, w.Body.String()))
	b.get("/", "Authorization", "Bearer "+secrets[len(secrets)-1])
	w = b.post("/accounts", url.Values{"login": {"bob"}, "role": {"viewer"}})
	secrets = append(secrets, given(t, w.Body.String()))
	const typo = "My-Secret-Typed-As-A-Name" // people do
	h.browser().post("/login", url.Values{"login": {typo}, "password": {"wrong-SECRET"}})
	h.browser().post("/login", url.Values{"login": {"ann"}, "password": {"wrong-SECRET"}})
	h.browser().get("/", "Authorization", "Bearer tsk_wrong-SECRET")
	secrets = append(secrets, strings.ToLower(typo), typo, "wrong-SECRET")
	if len(recovery) != 10 || len(secrets) != 3+3+20+2+3 {
		t.Fatalf("%d secrets were gathered", len(secrets))
	}

	places := map[string]string{"the log": h.log.String()}
	for _, path := range []string{"/me", "/accounts", "/accounts/ann", "/accounts/tokens", "/accounts/bob"} {
		w := b.get(path)
		if h.want(path, w, 200); w.Code == 200 {
			places[path] = w.Body.String()
		}
	}
	h.close()
	files, err := filepath.Glob(filepath.Join(h.dir, "data", "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("the data folder: %v, %v", files, err)
	}
	for _, f := range files {
		if content, err := os.ReadFile(f); err == nil { // folders are none
			places[filepath.Base(f)] = string(content)
		}
	}
	for place, text := range places {
		for i, s := range secrets {
			if s == "" || strings.Contains(text, s) {
				t.Errorf("secret %d stands in %s", i, place)
			}
		}
	}
	for _, what := range []string{"session.begin", "session.refused", "account.add", "account.totp", "token.add"} {
		if !strings.Contains(places["touchstone.db"], what) {
			t.Errorf("the audit trail has no %s", what)
		}
	}
}

// TestTheDemoActsAsAMadeUpPerson, at this machine and as long as nobody has an
// account.
func TestTheDemoActsAsAMadeUpPerson(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "", func(o *web.Options) { o.Demo = true })
	b := h.browser()
	h.want("the demo", b.get("/"), 200, "This is a demo: every customer is made up. You are signed in as demo steward.")
	h.want("accounts for its steward", b.get("/accounts"), 403)
	h.want("as an admin", b.post("/demo/role", url.Values{"role": {"admin"}}), 303, "/")
	h.want("accounts for its admin", b.get("/accounts?lang=zh-Hans"), 200, "您的身份是演示管理员")
	h.want("as a machine", b.post("/demo/role", url.Values{"role": {"machine"}}), 403)
	h.want("through a proxy", b.get("/", "X-Forwarded-For", "192.0.2.9"), 403)
	h.add("ann", annPassword, auth.Admin)
	h.want("with an account", b.get("/"), 303, "/login?next=%2F")
	b.signIn("ann", annPassword)
	h.want("a role of the demo for who is signed in", b.post("/demo/role", url.Values{"role": {"auditor"}}), 403)
	h.serve(nil)
	h.want("outside of the demo", b.post("/demo/role", url.Values{"role": {"auditor"}}), 404)
}
