package app

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"touchstone/internal/auth"
	"touchstone/internal/auth/oidc"
	"touchstone/internal/auth/oidc/oidctest"
	"touchstone/internal/env"
	"touchstone/internal/web"
)

// TestPeopleSignInByTheirProvider goes through the pages with an identity
// provider on loopback, on both databases.
func TestPeopleSignInByTheirProvider(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		i := oidctest.New(t)
		h := openHouse(t, dsn, nil)
		p, err := oidc.New(oidc.Options{Issuer: i.URL, ClientID: "touchstone", Claim: "groups", Roles: map[string]auth.Role{"stewards": auth.Steward, "it": auth.Admin}, Env: env.Real()})
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		h.serve(func(o *web.Options) {
			o.Provider, o.ProviderName, o.Log = p, "Firm <ID>", slog.New(slog.NewTextHandler(&log, nil))
		})
		i.Claims = map[string]any{"preferred_username": "amy", "name": "Amy Wong", "groups": []string{"stewards"}}
		signIn := func(b *browser) (status int, to, body string) {
			w := b.get("/login/oidc?next=/customers")
			if w.Code != http.StatusSeeOther {
				return w.Code, "", w.Body.String()
			}
			back := b.get("/login/oidc/callback?" + i.Asked(t, w.Header().Get("Location")).Encode())
			return back.Code, back.Header().Get("Location"), back.Body.String()
		}

		if w := h.browser().get("/customers"); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
			t.Errorf("without a sign-in: %d %s", w.Code, w.Header().Get("Location"))
		}
		amy := h.browser()
		h.want("the form", amy.get("/login?next=/customers"), 200, "Firm &lt;ID&gt;", "/login/oidc?next=%2fcustomers")
		if status, to, body := signIn(amy); status != 303 || to != "/customers" {
			t.Fatalf("sign-in: %d %s %s", status, to, body)
		}
		h.want("signed in", amy.get("/customers"), 200, "Amy Wong")
		h.want("no admin", amy.get("/accounts"), 403)

		// The same person by another name is the same account; another one of her
		// name is not.
		i.Claims["preferred_username"], i.Claims["name"] = "amy.wong", "Amy Wong-Li"
		if status, _, body := signIn(h.browser()); status != 303 {
			t.Fatalf("second sign-in: %d %s", status, body)
		}
		i.Claims["sub"], i.Claims["preferred_username"], i.Claims["groups"] = "u-2", "amy", []string{"it"}
		admin := h.browser()
		if status, _, body := signIn(admin); status != 303 {
			t.Fatalf("another person: %d %s", status, body)
		}
		h.want("two accounts", admin.get("/accounts"), 200, "Amy Wong-Li", "amy-2")

		// What the provider says of groups counts at once.
		i.Claims = map[string]any{"sub": "u-1", "groups": []string{"it"}}
		if status, _, body := signIn(h.browser()); status != 303 {
			t.Fatalf("as admin: %d %s", status, body)
		}
		if w := amy.get("/customers"); w.Code != http.StatusSeeOther {
			t.Errorf("a session with the old role goes on: %d", w.Code)
		}
		i.Claims["groups"] = []string{"nobody's"}
		if status, _, body := signIn(h.browser()); status != 403 || !strings.Contains(body, "none of your groups") {
			t.Errorf("without a role: %d %s", status, body)
		}
		i.Claims["groups"] = []string{"stewards"}
		if err := h.app.People().ChangePerson(t.Context(), web.By{Who: "test"}, "amy", web.PersonChange{State: "disabled"}); err != nil {
			t.Fatal(err)
		}
		if status, _, body := signIn(h.browser()); status != 401 {
			t.Errorf("a disabled account: %d %s", status, body)
		}

		// Forged, replayed, and a provider that is down.
		eve := h.browser()
		h.want("a callback from nowhere", eve.get("/login/oidc/callback?state=x&code=good"), 401, "not begun in this browser")
		w := eve.get("/login/oidc")
		answer := i.Asked(t, w.Header().Get("Location")).Encode()
		h.want("another browser's answer", h.browser().get("/login/oidc/callback?"+answer), 401, "not begun in this browser")
		i.Down = true
		h.want("down", eve.get("/login/oidc/callback?"+answer), 503, "does not answer as it should")
		if strings.Contains(log.String(), "good") && strings.Contains(log.String(), "code=") {
			t.Errorf("the log has the code: %s", log.String())
		}
	})
}

// TestAHostileProviderLeavesThePasswords: a provider that answers with a page, or
// with more than anybody reads, is told in the reader's language beside the form,
// and who has a password signs in as ever.
func TestAHostileProviderLeavesThePasswords(t *testing.T) {
	var answers atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if answers.Add(1)%2 == 0 {
			_, _ = w.Write(bytes.Repeat([]byte("SECRET <b>"), 1<<20))
			return
		}
		_, _ = w.Write([]byte("<html>SECRET"))
	}))
	defer srv.Close()
	h := openHouse(t, "", nil)
	p, err := oidc.New(oidc.Options{Issuer: srv.URL, ClientID: "touchstone", Env: env.Real()})
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	h.serve(func(o *web.Options) {
		o.Provider, o.ProviderName, o.Log = p, "Firm", slog.New(slog.NewTextHandler(&log, nil))
	})
	h.add("ann", "correct horse battery", auth.Viewer)
	for lang, says := range map[string]string{"en": "does not answer as it should", "zh-Hans": "身份提供方没有正常响应", "zh-Hant": "身分提供者沒有正常回應"} {
		for range 2 {
			h.want(lang, h.browser().get("/login/oidc?lang="+lang), http.StatusServiceUnavailable, says, `name="password"`)
		}
	}
	if text := log.String(); strings.Contains(text, "SECRET") || len(text) > 10_000 {
		t.Errorf("the log repeats what the provider sends, in %d bytes: %.300s", len(text), text)
	}
	b := h.browser()
	b.signIn("ann", "correct horse battery")
	h.want("signed in by password", b.get("/customers"), 200)
}
