package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"touchstone/internal/simulator"
)

// tamePayloads are 200 texts of four words that no sentence of ours holds, so
// that what is left unmarked of them on a page is told from words of ours.
func tamePayloads() (list []string) {
	syllables := strings.Fields("ba ke di mo su ra ve li no tu fa ge hi jo pu wa ze ki lo mu")
	at := func(n int) string { return syllables[n%len(syllables)] }
	for i := range 200 {
		word := func(k int) string { return at(i*7+k) + at(i/20+3*k) + at(i+5*k) }
		list = append(list, fmt.Sprintf("X%s%s x%s x%s x%s", at(i), word(1), word(2), word(3), at(i/20)+word(4)))
	}
	return list
}

// doubtfulNames are those of companies that the hostile world takes from doubtful.
func doubtfulNames() (names []string) {
	crm, desk := doubtful(12)
	for _, text := range append(crm, desk...) {
		var c struct{ Name string }
		if err := json.Unmarshal([]byte(text), &c); err == nil {
			names = append(names, c.Name)
		}
	}
	return names
}

// inEnglish is what a page says in more than two words that are neither data nor
// ours to keep in English.
type inEnglish struct {
	text, where, page string
}

// latin is a word; known are those that other languages write so too, and what
// is the name of a command, a key or a format.
var (
	latin = regexp.MustCompile(`\b[A-Za-z][A-Za-z'’-]+\b`)
	// halfWide is punctuation of Latin text between Chinese, or a space behind a
	// full stop of ours.
	halfWide = regexp.MustCompile(`\p{Han}[,;:!?()]|[,;!?()]\s*\p{Han}|: \p{Han}|[。，；：！？、] +\S`)
	known    = regexp.MustCompile(`touchstone( [a-z-]+| --[a-z-]+| [A-Z]+)*|Touchstone|Ctrl|JSONL?|CSV|UTC|UTF-8|OIDC|TOTP|API|[a-z_]+\.[a-z_.]+|English|MiB|https?://\S*|[a-z]+=\S+|x-sentinel`)
)

// englishIn finds it in a page.
func englishIn(doc *html.Node, path string, data *strings.Replacer) (found []inEnglish) {
	check := func(where, text string, unmarkable bool) {
		if unmarkable { // no element can stand there
			text = data.Replace(text)
		}
		if len(latin.FindAllString(known.ReplaceAllString(text, ""), -1)) > 2 {
			found = append(found, inEnglish{strings.Join(strings.Fields(text), " "), where, path})
		}
		if halfWide.MatchString(known.ReplaceAllString(text, "x")) {
			found = append(found, inEnglish{strings.Join(strings.Fields(text), " "), "half-width punctuation: " + where, path})
		}
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			where := n.Parent.Data
			if n.Parent.Parent != nil {
				where = n.Parent.Parent.Data + " " + where
			}
			check(where, n.Data, slices.Contains([]string{"title", "option", "textarea", "text"}, n.Parent.Data))
			return
		}
		if n.Type == html.ElementNode {
			if slices.Contains([]string{"bdi", "code", "kbd", "script", "pre", "textarea"}, n.Data) {
				return
			}
			for _, a := range n.Attr {
				if a.Key == "lang" && n.Data != "html" {
					return
				}
				if slices.Contains([]string{"title", "aria-label", "placeholder", "alt"}, a.Key) {
					check(n.Data+"@"+a.Key, a.Val, true)
				}
			}
		}
		for c := range n.ChildNodes() {
			walk(c)
		}
	}
	walk(doc)
	return found
}

// troubled is the hostile world with tame values, in which much has failed:
// sources that break off, are away or hold what cannot be read, writes that are
// refused or wait, alerts, a trial, bulk work.
func troubled(t *testing.T) *hostile {
	t.Helper()
	h := hostileWorldOf(t, tamePayloads(), "alert: {stale: 1h, held: 10m, quarantine: 1, waiting: 1, disk: \"0\"}\n")
	h.desk.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		rw.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = rw.Write([]byte(`{"error":"the vendor says no in its own words"}`))
		return true
	}
	h.yaml = strings.Replace(h.yaml, "sources:", "sources:"+everything.source("away", "http://127.0.0.1:1")+tableSource("nofile", "nofile.csv"), 1)
	h.yaml += strings.Replace(contact("held", "crm", "update_only"), "approve: auto", "approve: person", 1)
	h.write("list.csv", "id,name,phone,website,employees\nq1,\"never closed\nq2,Two Columns\n")
	h.restart("")
	h.pass()
	h.crm.faults(simulator.Fault{Kind: simulator.Unavailable, Every: 1, On: "read"})
	h.pass()
	h.crm.faults(simulator.Fault{Kind: simulator.Endless, Every: 1, On: "read"})
	h.pass()
	h.sleep(26 * time.Hour)
	h.pass()
	h.round()
	h.serve()
	return h
}

// TestPagesSpeakChinese walks every page of a troubled installation in both forms
// of Chinese, also pages that answer a form that is refused: what is said is
// Chinese, and what is not ours is marked as data.
func TestPagesSpeakChinese(t *testing.T) {
	t.Parallel()
	h := troubled(t)
	pairs := []string{}
	for _, p := range h.payloads {
		pairs = append(pairs, p, "")
	}
	for _, name := range doubtfulNames() {
		pairs = append(pairs, name, "")
	}
	data := strings.NewReplacer(pairs...)
	for _, lang := range []string{"zh-Hans", "zh-Hant"} {
		walk := &hostileWalk{T: t, base: h.url, client: h.client(), seen: map[string]bool{}, shapes: map[string]int{}, reached: map[string]int{}, longest: map[string]string{}, size: map[string]int{}, mux: http.NewServeMux()}
		for _, r := range h.routes {
			walk.mux.HandleFunc(r.Pattern, func(http.ResponseWriter, *http.Request) {})
			path, get := strings.CutPrefix(r.Pattern, "GET ")
			if get && (!strings.Contains(path, "{") || strings.HasSuffix(path, "/{$}")) {
				walk.queue = append(walk.queue, strings.TrimSuffix(path, "{$}"))
			}
		}
		walk.queue = append(walk.queue, "/runs?state=failed", "/targets/desk?state=rejected", "/nothing-is-here", "/customers/merge?a=x&b=y", "/review/list?kind=none", "/audit?from=never")
		found := map[string]inEnglish{}
		take := func(path string, status int, body string) {
			if status >= 500 && status != http.StatusServiceUnavailable {
				t.Errorf("%s: %d", path, status)
			}
			doc, err := html.Parse(strings.NewReader(body))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			for _, e := range englishIn(doc, path, data) {
				if _, ok := found[e.text]; !ok {
					found[e.text] = e
				}
			}
			for n := range doc.Descendants() {
				for _, a := range n.Attr {
					if n.Type == html.ElementNode && a.Key == "href" && n.Data == "a" && strings.HasPrefix(a.Val, "/") {
						walk.follow(a.Val)
					}
				}
			}
		}
		for len(walk.queue) > 0 {
			path := walk.queue[0]
			walk.queue = walk.queue[1:]
			if !walk.seen[path] {
				walk.seen[path] = true
				if status, body := h.asks(walk.client, http.MethodGet, path, lang, nil); body != "" {
					take(path, status, body)
				}
			}
		}
		for _, f := range refusedForms() {
			if status, body := h.asks(walk.client, http.MethodPost, f.path, lang, f.form); body != "" {
				take("POST "+f.path, status, body)
				if status < 404 {
					t.Errorf("POST %s %v: %d, want it refused", f.path, f.form, status)
				}
			} else {
				t.Errorf("POST %s: no page, %d", f.path, status)
			}
		}
		if len(walk.seen) < 300 {
			t.Errorf("%s: only %d pages were walked", lang, len(walk.seen))
		}
		for _, text := range slices.Sorted(maps.Keys(found)) {
			e := found[text]
			t.Errorf("%s: %s says in <%s>: %q: it is neither Chinese nor marked as data", lang, e.page, e.where, text)
		}
	}
}

type refusedForm struct {
	path string
	form url.Values
}

// refusedForms are forms that are refused, each for another reason.
func refusedForms() []refusedForm {
	return []refusedForm{
		{"/accounts", url.Values{"login": {"x y"}, "role": {"steward"}}},
		{"/accounts", url.Values{"login": {hostileLogin}, "role": {"steward"}}},
		{"/accounts", url.Values{"login": {"newone"}, "role": {"none"}}},
		{"/accounts", url.Values{"login": {"newone"}, "role": {"steward"}, "reach": {"nowhere"}}},
		{"/accounts", url.Values{"login": {"newone"}, "role": {"steward"}, "mask": {"nowhere"}}},
		{"/accounts/other/sees", url.Values{"reach": {"nowhere"}}},
		{"/accounts/other/state", url.Values{"state": {"asleep"}}},
		{"/me/password", url.Values{"current": {"wrong"}, "password": {"short"}, "again": {"short"}}},
		{"/me/tokens", url.Values{"name": {""}}},
		{"/me/tokens", url.Values{"name": {"a"}, "days": {"100000"}}},
		{"/me/two-step/confirm", url.Values{"code": {"000000"}}},
		{"/bulk", url.Values{"answer": {"maybe"}}},
		{"/handovers", url.Values{"from": {"a"}, "to": {""}}},
		{"/models/company/try", url.Values{"link": {"7"}}},
		{"/models/company/try", url.Values{"link": {"0.5"}, "review": {"0.9"}}},
		{"/plans/held/approve", url.Values{"upto": {"0"}}},
		{"/proposals", url.Values{"proposal": {"none of these"}, "as": {"partner"}, "entity": {"company"}}},
		{"/values", url.Values{"entity": {"company"}, "field": {"nothing"}, "from": {"a"}, "to": {"b"}}},
		{"/sources/none/run", url.Values{}},
		{"/trials/none/take", url.Values{}},
		{"/decisions/none/undo", url.Values{}},
		{"/customers/merge", url.Values{"a": {"x"}, "b": {"y"}}},
		{"/customers/views", url.Values{"name": {""}, "query": {"q=x"}}},
	}
}

// asks for a page in a language; "" where the answer is none.
func (h *hostile) asks(c *http.Client, method, path, lang string, form url.Values) (status int, body string) {
	h.Helper()
	var in io.Reader
	if form != nil {
		in = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(h.Context()), method, h.url+path, in)
	if err != nil {
		h.Fatal(err)
	}
	req.Header.Set("Accept-Language", lang)
	req.Header.Set("Accept", "text/html")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.Do(req)
	if err != nil {
		h.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		h.Fatalf("%s %s: %v", method, path, err)
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return resp.StatusCode, ""
	}
	return resp.StatusCode, string(b)
}
