package app

import (
	"encoding/base32"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// worker is somebody with a keyboard and no mouse, from the sign-in on.
type worker struct {
	*reader
	*steward
	h *house
}

func (k worker) Helper() { k.steward.Helper() }

// fill types into a field that the tab key leads to.
func (k worker) fill(selector, text string) {
	k.Helper()
	k.tabTo(selector)
	k.eval(`document.activeElement.select(), ""`)
	k.press(text)
}

// enter follows a link or presses a button that the tab key leads to.
func (k worker) enter(selector, says string) {
	k.Helper()
	k.tabTo(selector)
	k.press(kb.Enter)
	k.sees(says)
}

// code is what the authenticator shows now; each is good once.
func (k worker) code(secret string) string {
	k.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	if err != nil {
		k.steward.Fatalf("the key %q: %v", secret, err)
	}
	k.h.sleep(31 * time.Second)
	return auth.TOTPCode(key, k.h.clock.Now().Unix()/30)
}

// leave signs out by the menu.
func (k worker) leave() {
	k.Helper()
	k.tabTo(`.switches details:has(form[action="/logout"]) > summary`)
	k.press(kb.Enter)
	k.enter(`form[action="/logout"] button`, "Sign in")
}

// dayWorld is a day's work: thirteen pairs wait, a record in quarantine, and the
// first plan of a target.
func dayWorld(t *testing.T) (*house, *simulated) {
	t.Helper()
	crm, desk := doubtful(13)
	for i := range crm { // what the desk lacks, so that there is something to write
		crm[i] = strings.Replace(crm[i], `"country":"GB"`, fmt.Sprintf(`"country":"GB","email":"info%d@example.com"`, i), 1)
	}
	w, _, target := two(t, "", crm, desk)
	text := "id,name,size\nodd,Larch Gate Foundry Ltd,\"1,200 people\"\n"
	if err := os.WriteFile(filepath.Join(w.dir, "list.csv"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w.yaml = strings.Replace(w.yaml, "sources:", "sources:\n  list: {type: file, path: list.csv, entities: {company: {id: record.id, map: {name: record.name, employees: record.size}}}}", 1)
	w.yaml = strings.Replace(w.yaml, "approve: auto", "approve: person", 1)
	w.open()
	w.clean()
	h := &house{world: w}
	h.serve(nil)
	return h, target
}

// TestBrowserADayByKeyboard is a whole day without a mouse, from one start: the
// first account by its link, two steps, a wrong password, a recovery code; ten
// pairs and an undo; a pin while the session ends; a customer parted again, a
// record mended, a plan approved.
func TestBrowserADayByKeyboard(t *testing.T) {
	t.Parallel()
	h, target := dayWorld(t)
	s := sit(t, h.pages)
	k := worker{&reader{t, s.ctx, s.base}, s, h}
	s.do("size", chromedp.EmulateViewport(1280, 900))
	secret, recovery := k.firstAccount()
	k.signIns(secret, recovery)
	k.tenPairs()
	k.pinWhileTheSessionEnds(secret)
	k.partAgain()

	k.enter(`nav a[href="/quarantine"]`, "list.csv line 2")
	k.press("o")
	k.sees("One thing is wrong with it.")
	k.press("1")
	k.sees("Repaired: it passes now.")
	h.plan()
	if got := h.value("list/company/odd", "employees"); got != "1200" {
		t.Errorf("the mended record says %q, want 1200", got)
	}

	if got := target.changes(); len(got) != 0 {
		t.Errorf("written before the approval: %q", got)
	}
	k.enter(`nav a[href="/plans"]`, "desk")
	k.enter(`main a[href="/plans/desk"]`, "wait for a first approval")
	k.press("a")
	k.sees("Approved. Writing begins at once")
	h.clean()
	if got := target.changes(); len(got) == 0 {
		t.Error("nothing is written after the approval")
	}
	// What the page refused was told with 401, 422, and the stream of live counts
	// ended with the session: the browser notes these.
	s.mu.Lock()
	s.complaints = slices.DeleteFunc(s.complaints, func(c string) bool {
		return strings.Contains(c, "401") || strings.Contains(c, "422") || strings.Contains(c, "EventSource")
	})
	s.mu.Unlock()
	s.quiet()
}

// firstAccount makes the first account by its link and gives it two steps.
func (k worker) firstAccount() (secret string, recovery []string) {
	k.Helper()
	token, err := k.h.app.People().OfferSetup(k.h.Context())
	if err != nil {
		k.h.Fatal(err)
	}
	k.visit("/setup?lang=en&token=" + url.QueryEscape(token))
	k.sees("Make the first account")
	k.until(`document.activeElement?.id === "login"`)
	k.press("ann") // the cursor stands there
	k.fill("#password", annPassword)
	k.fill("#again", "something else")
	k.press(kb.Enter)
	k.sees("The two are not the same.")
	if got := k.eval(`document.querySelector("#login").value + "," + document.querySelector("#password").value`); got != "ann," {
		k.h.Errorf("the form comes back with %q, want the name and no password", got)
	}
	k.fill("#password", annPassword)
	k.fill("#again", annPassword)
	k.press(kb.Enter)
	k.sees("Sources")

	k.tabTo(`.switches details:has(a[href="/me"]) > summary`)
	k.press(kb.Enter)
	k.enter(`a[href="/me"]`, "You sign in as ann")
	k.enter(`form[action="/me/two-step"] button`, "")
	k.until(`!!document.querySelector(".a-typed-key")`)
	secret = k.eval(`document.querySelector(".a-typed-key").textContent`)
	k.press("nonsense" + kb.Enter) // the cursor stands there
	k.sees("This is not the code of now")
	k.fill("#code", k.code(secret))
	k.press(kb.Enter)
	k.sees("Recovery codes")
	recovery = strings.Fields(k.eval(`[...document.querySelectorAll(".a-codes code")].map(e => e.textContent).join(" ")`))
	k.enter(`.more a[href="/me"]`, "You sign in as ann")
	k.leave()
	return secret, recovery
}

// signIns signs in with what is wrong and right, and ends before a pair.
func (k worker) signIns(secret string, recovery []string) {
	k.Helper()
	k.visit("/review")
	k.sees("Sign in")
	k.until(`document.activeElement?.id === "login"`)
	k.press("ann")
	k.fill("#password", "not this one at all")
	k.press(kb.Enter)
	k.sees("The name or the password is not right.")
	k.press(annPassword + kb.Enter) // the name is kept, the cursor stands behind it
	k.sees("One more step")
	k.press("000000" + kb.Enter)
	k.sees("This code is not right")
	k.press(k.code(secret) + kb.Enter)
	k.until(`!!document.querySelector("#desk")`)
	k.leave()

	k.visit("/review")
	k.until(`document.activeElement?.id === "login"`)
	k.press("ann")
	k.fill("#password", annPassword)
	k.press(kb.Enter)
	k.sees("One more step")
	k.press(recovery[0] + kb.Enter)
	k.until(`!!document.querySelector("#desk")`)
}

func (k worker) tenPairs() {
	k.Helper()
	for _, key := range "mnumnmnsmn" {
		k.ready()
		before := k.text(pairShown)
		k.keys(string(key))
		k.until(fmt.Sprintf(`%s !== %q`, pairShown, before))
	}
	k.until(toldLine + `.includes("Undo")`)
	if got, want := fmt.Sprint(k.h.said()), "map[merge:4 split:4 unsure:1]"; got != want {
		k.h.Errorf("ten answers are %s, want %s", got, want)
	}
	k.keys("z")
	k.until(toldLine + `.includes("Taken back")`)
	if got, want := fmt.Sprint(k.h.said()), "map[merge:4 split:3 undo:1 unsure:1]"; got != want {
		k.h.Errorf("after the undo decisions are %s, want %s", got, want)
	}
	k.h.plan()
}

// merged is the first customer that the pairs made one, and its name.
func (k worker) merged() (ref, name string) {
	k.Helper()
	for i := range 13 {
		ref = fmt.Sprintf("crm/company/c%d", i)
		if g := k.h.golden(ref); len(g.Members) == 2 {
			return ref, k.h.value(ref, "name")
		}
	}
	k.h.Fatal("nothing is merged")
	return "", ""
}

// customer finds the merged customer by its name.
func (k worker) customer() (ref string) {
	k.Helper()
	ref, name := k.merged()
	k.eval(`document.activeElement.blur(), ""`)
	k.press("/")
	k.eval(`document.querySelector("#search").value = ""`) // a made-up key press is typed although the page took it
	k.press(name + kb.Enter)
	k.sees("1 customer")
	k.enter(`table.golden a`, "/customers/"+k.h.golden(ref).ID)
	return ref
}

// pinWhileTheSessionEnds sets a field; when the form is sent the session is over.
// It is told, and after a sign-in in another tab the same form is sent again.
func (k worker) pinWhileTheSessionEnds(secret string) {
	k.Helper()
	ref := k.customer()
	k.tabTo(`.under summary`)
	k.press(kb.Enter)
	k.enter(`a[href$="/fields/industry"]`, "Set this field")
	k.press("e")
	k.eval(`document.querySelector("#value").value = ""`)
	k.press("machines")
	k.tabTo("#why")
	k.press("rang them")
	if err := k.h.app.People().EndSessionsOf(k.h.Context(), web.By{Who: "test"}, "ann"); err != nil {
		k.h.Fatal(err)
	}
	k.press(kb.Enter)
	k.sees("Your session has ended")
	if got := k.h.value(ref, "industry"); got != "" {
		k.h.Errorf("without a session the field is %q, want nothing", got)
	}
	if page := k.eval(`document.documentElement.outerHTML`); strings.Contains(page, annPassword) {
		k.h.Error("the page that keeps what was typed holds a password")
	}

	tab, closeTab := chromedp.NewContext(k.ctx)
	other := worker{&reader{k.h.T, tab, k.at}, &steward{T: k.h.T, ctx: tab, base: k.base}, k.h}
	other.visit("/login")
	other.until(`document.activeElement?.id === "login"`)
	other.press("ann")
	other.fill("#password", annPassword)
	other.press(kb.Enter)
	other.sees("One more step")
	other.press(other.code(secret) + kb.Enter)
	other.sees("Sources")
	closeTab()

	k.enter(`#main form button`, "The value is set.")
	k.h.plan()
	k.h.wantValue(ref, "industry", "machines")
}

// partAgain takes one record off a customer, with the preview.
func (k worker) partAgain() {
	k.Helper()
	ref := k.customer()
	k.enter(`a[href$="/split"]`, "Which records are another customer")
	k.tabTo(`input[name="r"][value^="desk/"]`)
	k.press(" ")
	k.press("p")
	k.until(`!!document.querySelector('.refused a[data-key="o"]')`) // the merge of this morning stands against it
	k.press("o")
	k.until(`!!document.querySelector('form.confirm button[data-key="y"]')`)
	k.tabTo("form.confirm #why")
	k.press("two sites")
	k.press("\x1b")
	k.press("y")
	k.until(`!!document.querySelector(".done") && !location.pathname.endsWith("/split")`)
	k.h.plan()
	if g := k.h.golden(ref); len(g.Members) != 1 {
		k.h.Errorf("after the split the customer has %d records, want 1", len(g.Members))
	}
}

// TestBrowserSignsInInEveryLanguage: the words of the sign-in, by keyboard, in
// both kinds of Chinese, kept with the account from then on.
func TestBrowserSignsInInEveryLanguage(t *testing.T) {
	t.Parallel()
	h := openHouse(t, "", nil)
	h.add("ann", annPassword, auth.Steward)
	s := sit(t, h.pages)
	k := worker{&reader{t, s.ctx, s.base}, s, h}
	for _, tt := range []struct{ lang, title, wrong, me, saved string }{
		{"zh-Hans", "登录", "登录名或密码不正确", "登录名：ann。", "已保存"},
		{"zh-Hant", "登入", "登入名稱或密碼不正確", "登入名稱：ann。", "已儲存"},
	} {
		k.visit("/login?next=/me&lang=" + tt.lang)
		k.sees(tt.title)
		k.until(`document.activeElement?.id === "login"`)
		k.press("ann")
		k.fill("#password", "not this one at all")
		k.press(kb.Enter)
		k.sees(tt.wrong)
		k.press(annPassword + kb.Enter)
		k.sees(tt.me)
		k.tabTo("#taste-lang")
		k.eval(`document.querySelector("#taste-lang").value = "` + tt.lang + `"`)
		k.enter(`form[action="/me/taste"] button`, tt.saved)
		k.tabTo(`.switches details:has(form[action="/logout"]) > summary`)
		k.press(kb.Enter)
		k.enter(`form[action="/logout"] button`, "")
		fresh := h.browser()
		h.want("sign in elsewhere", fresh.post("/login", url.Values{"login": {"ann"}, "password": {annPassword}}), http.StatusSeeOther)
		h.want("the language is kept", fresh.get("/me"), http.StatusOK, `<html lang="`+tt.lang+`">`)
	}
}
