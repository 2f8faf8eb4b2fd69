package app

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// TestPagesLookAsTheAccountWants: what is chosen holds in every browser that the
// person signs in with, gives way to what a browser is told, and comes back by
// saving it again. Somebody else's account has nothing of it.
func TestPagesLookAsTheAccountWants(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "", nil)
	h.add("ann", annPassword, auth.Steward)
	h.add("bob", bobPassword, auth.Viewer)
	signed := func(login, password string) *browser {
		t.Helper()
		b := h.browser()
		h.want("sign in", b.post("/login", url.Values{"login": {login}, "password": {password}}), http.StatusSeeOther)
		return b
	}
	ann := signed("ann", annPassword)
	h.want("before", ann.get("/me"), http.StatusOK, `<html lang="en">`, " UTC\"")
	h.want("another browser's language", ann.get("/me?lang=zh-Hant"), http.StatusOK, `<html lang="zh-Hant">`)
	h.want("saved", ann.post("/me/taste", url.Values{"lang": {"zh-Hans"}, "theme": {"dark"}, "zone": {"Asia/Shanghai"}}), http.StatusSeeOther)
	for _, b := range []*browser{ann, signed("ann", annPassword)} {
		h.want("my account", b.get("/me"), http.StatusOK, `<html lang="zh-Hans" data-theme="dark">`, `value="Asia/Shanghai"`, " &#43;08:00\"")
		h.want("another page", b.get("/customers"), http.StatusOK, `<html lang="zh-Hans" data-theme="dark">`)
	}
	h.want("the address says otherwise", ann.get("/?lang=en&theme=light"), http.StatusOK, `<html lang="en" data-theme="light">`)
	h.want("this browser keeps that", ann.get("/"), http.StatusOK, `<html lang="en" data-theme="light">`)
	bob := signed("bob", bobPassword)
	h.want("somebody else", bob.get("/me"), http.StatusOK, `<html lang="en">`, " UTC\"")

	for _, tt := range []struct {
		form   url.Values
		status int
		says   string
	}{
		{url.Values{"zone": {"Mars/Base"}}, http.StatusUnprocessableEntity, "There is no such time zone"},
		{url.Values{"zone": {"Local"}}, http.StatusUnprocessableEntity, "There is no such time zone"},
		{url.Values{"zone": {"../../etc/passwd"}}, http.StatusUnprocessableEntity, "There is no such time zone"},
		{url.Values{"zone": {strings.Repeat("x", 300)}}, http.StatusUnprocessableEntity, "There is no such time zone"},
	} {
		h.want("bad "+tt.form.Encode(), bob.post("/me/taste", tt.form), tt.status, tt.says)
	}
	h.want("nothing of it is kept", bob.get("/me"), http.StatusOK, `<html lang="en">`, " UTC\"")
	if err := h.app.Store.SetSetting(t.Context(), tasteSetting(h.accountID("bob")), `{"lang":"xx","zone":"Gone/Away"}`); err != nil {
		t.Fatal(err)
	}
	h.want("what is unknown by now counts as not chosen", bob.get("/me"), http.StatusOK, `<html lang="en">`, " UTC\"")
	if err := (web.Taste{Lang: "klingon"}).Check(); err == nil {
		t.Error("a language that there is none of is taken")
	}
}

// accountID is the id of an account.
func (h *house) accountID(login string) string {
	h.Helper()
	a, found, err := h.app.Store.AccountByLogin(h.Context(), login)
	if err != nil || !found {
		h.Fatalf("account %s: %v, %v", login, found, err)
	}
	return a.ID
}
