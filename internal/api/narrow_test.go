package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"touchstone/internal/api"
	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/web"
)

// narrowInstallation has two systems: customers of near are in reach of the scope
// "near", by their country, those of far are not.
const narrowInstallation = `
access:
  scopes:
    near: {sources: [near], where: 'country == "CN"', entities: [company]}
    far: {sources: [far]}
  masks:
    dark: {fields: {ids: hide, phones: partial, website: hide, revenue: hide, company.emails: partial}}
sources:
  near:
    type: file
    path: near.csv
    entities:
      company: &map {id: record.id, map: {name: record.name, phone: record.phone, website: record.website, email: record.email, id: {scheme: '"tax"', value: record.tax}, revenue: record.revenue, employees: record.employees, country: record.country, address: {city: record.city, country: record.country}}}
  far:
    type: file
    path: far.csv
    entities:
      company: *map
` + narrowDeskSource + narrowShelf + `
entities:
  company:
    match: {link: 0.9999999999, review: 0.01}
` + narrowTargets + narrowShelfTarget

const narrowHead = "id,name,phone,website,email,tax,revenue,employees,country,city\n"

// Of each value a part that stands nowhere else. The pairs share a telephone
// number and a name, so that they wait for a person.
const (
	nearTable = narrowHead +
		"n1,Quagga Nearly Widgets Ltd,+86 21 6111 1121,quaggaweb.example.com,quaggamail@quaggahost.example.com,QUAGGATAX77,811223344,1201,CN,Quaggaville\n" +
		"n2,Quagga Nearly Widget Limited,+86 21 6111 1121,quokkaweb.example.com,quokkamail@quokkahost.example.com,QUOKKATAX77,,,CN,Quokkaville\n" +
		"n5,Okapi Distant Foods Inc,,okapi.example.com,,,,,CN,Okapiville\n" +
		"n6,Quagga Nearly Widgets Okra,+86 21 6111 1121,okraweb.example.com,,,,,CN,Okraville\n" +
		"n3,,,,,,,NEARFAULT,CN,\n"
	farTable = narrowHead +
		"f1,Zebra Farther Tools GmbH,+49 30 722 2232,zebraweb.example.com,zebramail@zebrahost.example.com,ZEBRATAX88,922334455,3402,DE,Zebraville\n" +
		"f2,Zebra Farther Tool GmbH,+49 30 722 2232,zobraweb.example.com,zobramail@zobrahost.example.com,ZOBRATAX88,,,DE,Zobraville\n" +
		"f3,Quagga Nearly Widgets Zubra,+86 21 6111 1121,zubraweb.example.com,zubramail@zubrahost.example.com,ZUBRATAX88,,,DE,Zubraville\n" +
		"f4,,,,,,,FARFAULT,DE,\n"
)

// canaries are what must not leave: of customers out of reach, and of those in
// reach by what the mask keeps back.
func farCanaries() []string {
	return []string{
		"zebra farther", "7222232", "zebraweb", "zebramail", "zebratax88", "922334455", "zebraville", "zobra", "zubra", "farfault", "farwhy", "farnote", "fartitle",
		"farlate", "faranswer", "80022", "farmerge", "farowner", "farheir", "farticket", "farstatus", "farchannel", "farpayload", "73456", "73,456",
		"farrunline", "fartrial", "planrefusal", narrowView, "nearfault", // n3 is nobody's yet, and the scope no whole source
	}
}

func openCanaries() []string {
	return []string{"quagga nearly", "quaggaville", "quokkaville", "okapi distant", "nearwhy", "nearmerge", "nearlate", "70011", "nearheir", "nearnote", "nearstatus", "nearchannel", "61234.56", "61,234.56"}
}

func darkCanaries() []string {
	return []string{"61111121", "6111 1121", "quaggaweb", "quokkaweb", "quaggamail", "quokkamail", "quaggatax77", "quokkatax77", "811223344", "neardark", "darkticket", "darkpayload"}
}

// fractions are the parts of a second that a time ends in: any digits may stand there.
var fractions = regexp.MustCompile(`(:\d\d)\.\d{1,9}z`)

// held are the canaries that a text holds, whatever its letters' case.
func held(text string, canaries []string) (list []string) {
	text = fractions.ReplaceAllString(strings.ToLower(text), "$1")
	for _, c := range canaries {
		if strings.Contains(text, c) {
			list = append(list, c)
		}
	}
	return list
}

// narrowWorld is the installation behind its pages and its API.
type narrowWorld struct {
	*testing.T
	dir     string
	desk    *narrowDesk
	app     *app.App
	handler http.Handler
	routes  []web.Route
	ids     map[string][]string // kind of path parameter → values, those in reach first
	tokens  map[string]string   // role and narrowing → token
}

// hasty is a clock by which nobody asks too quickly.
type hasty struct {
	env.Clock
	looked atomic.Int64
}

func (h *hasty) Now() time.Time {
	return h.Clock.Now().Add(time.Duration(h.looked.Add(1)) * time.Second)
}

func narrowOf(t *testing.T, dsn string) *narrowWorld {
	t.Helper()
	desk, address := newNarrowDesk(t)
	a, dir := opened(t, dsn, map[string]string{
		"touchstone.yaml": strings.ReplaceAll(narrowInstallation, "DESK", address), "near.csv": nearTable, "far.csv": farTable,
	})
	w := &narrowWorld{T: t, dir: dir, desk: desk, app: a, ids: map[string][]string{}, tokens: map[string]string{}}
	w.settle()
	o := web.Options{
		Env: env.Real(), ShowValues: true, LookUp: a, People: a.People(), Reconcile: reconcileSecret,
		Mount: func(handle func(string, auth.Permission, auth.Narrow, http.HandlerFunc)) {
			quick := env.Real()
			quick.Clock = &hasty{Clock: quick.Clock}
			api.Mount(a, api.Options{Env: quick}, handle)
		},
	}
	w.handler, w.routes = web.New(a, o), web.Routes(a, o)
	w.people()
	w.work()
	return w
}

func (w *narrowWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *narrowWorld) settle() {
	w.Helper()
	if _, err := w.app.Pass(context.Background(), nil); err != nil {
		w.Fatal(err)
	}
}

// narrowings are the ways to narrow: scopes and masks.
func narrowings() map[string][2][]string {
	return map[string][2][]string{"whole": {}, "scoped": {{"near"}, nil}, "masked": {nil, {"dark"}}, "both": {{"near"}, {"dark"}}}
}

func (w *narrowWorld) people() {
	w.Helper()
	for _, role := range auth.Roles() {
		for name, n := range narrowings() {
			token, err := w.app.People().AddToken(w.Context(), web.By{Who: "ann"}, web.NewToken{Name: name, Role: role, Reach: n[0], Masks: n[1]})
			w.must(err)
			w.tokens[string(role)+" "+name] = token
		}
	}
}

// work has people decide on customers, in reach and out of it, and finds the ids
// of everything.
func (w *narrowWorld) work() {
	w.Helper()
	ctx := w.Context()
	near, far := app.By{Who: "ann", Why: "nearwhy"}, app.By{Who: "ann", Why: "farwhy"}
	pinned, err := w.app.Pin(ctx, app.PinRequest{Golden: "near/company/n1", Field: "employees", Value: "1777"}, near)
	w.must(err)
	farPinned, err := w.app.Pin(ctx, app.PinRequest{Golden: "far/company/f1", Field: "employees", Value: "3888"}, far)
	w.must(err)
	related, err := w.app.Relate(ctx, app.Relate{From: "near/company/n1", Kind: app.Partner, To: "far/company/f1", Title: "fartitle"}, far)
	w.must(err)
	within, err := w.app.Relate(ctx, app.Relate{From: "near/company/n1", Kind: app.Parent, To: "near/company/n5"}, near)
	w.must(err)
	w.ids["decision"] = []string{pinned.Decision, within.Decision, farPinned.Decision, related.Decision}
	w.settle()
	pairs, err := w.app.OpenPairs(ctx, web.ReviewQuery{Limit: 50})
	w.must(err)
	var in, out []string
	for _, p := range pairs.Items {
		switch {
		case p.A.Source == "near" && p.B.Source == "near":
			in = append(in, p.ID)
			w.must(w.app.NotePair(ctx, p.ID, "nearnote", web.By{Who: "ann"}))
		case p.A.Source == "far" || p.B.Source == "far":
			out = append(out, p.ID)
			w.must(w.app.NotePair(ctx, p.ID, "farnote", web.By{Who: "ann"}))
		}
	}
	if len(in) == 0 || len(out) < 2 {
		w.Fatalf("%d pairs in reach, %d out of it, want 1 and 2 or more:\n%+v", len(in), len(out), pairs.Items)
	}
	w.ids["pair"] = append(in, out...)
	for _, ref := range []string{"near/company/n1", "near/company/n6", "far/company/f1", "far/company/f3"} {
		id, err := w.app.GoldenID(ctx, ref)
		w.must(err)
		w.ids["golden"] = append(w.ids["golden"], id)
	}
	w.ids["golden"] = append(w.ids["golden"], "near:n1", "far:f1")
	w.stick()
	w.faults()
	w.behindScenes()
}

var pathPart = regexp.MustCompile(`\{([a-z]+)(\.\.\.)?\}`)

// addresses are those that a pattern is asked with: each with in-reach and
// out-of-reach objects.
func (w *narrowWorld) addresses(pattern string) (method string, list []string) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = http.MethodPost, pattern
	}
	path = strings.TrimSuffix(path, "{$}")
	list = []string{path}
	for _, m := range pathPart.FindAllStringSubmatch(path, -1) {
		var next []string
		for _, at := range list {
			for _, v := range w.values(path, m[1]) {
				next = append(next, strings.Replace(at, m[0], url.PathEscape(v), 1))
			}
		}
		list = next
	}
	return method, list
}

func (w *narrowWorld) values(path, name string) []string {
	switch name {
	case "field":
		return []string{"name", "ids", "phones", "website"}
	case "source":
		return []string{"near", "far"}
	case "name":
		return []string{"near", "far", "desk", "shelf", "touchstone.css"}
	case "entity":
		return []string{"company"}
	case "pair":
		return w.ids["pair"]
	case "target":
		return []string{"desk", "shelf"}
	case "decision", "fault", "row":
		return w.ids[name]
	case "id":
		switch {
		case strings.Contains(path, "/review/cluster"):
			return w.ids["golden"]
		case strings.Contains(path, "/review"):
			return w.ids["pair"]
		case strings.Contains(path, "/handovers"):
			return w.ids["handover"]
		case strings.Contains(path, "/bulk"):
			return w.ids["bulk"]
		case strings.Contains(path, "/customers"):
			return w.ids["golden"]
		case strings.Contains(path, "/decisions"), strings.Contains(path, "/acts"):
			return w.ids["decision"]
		case strings.Contains(path, "/runs"):
			return w.ids["run"]
		case strings.Contains(path, "/trials"):
			return w.ids["trial"]
		case strings.Contains(path, "/quarantine"):
			return w.ids["quarantine"]
		}
	}
	return []string{"x"}
}

// queries are what an address is asked beside: none says a whole canary, which an
// answer may repeat.
func queries(pattern string) []string {
	switch {
	case strings.HasSuffix(pattern, "/customers"), strings.HasSuffix(pattern, "/customers.csv"):
		return []string{"", "?q=zeb", "?q=zub", "?q=quag", "?source=far", "?q=6111%201", "?q=QUAGGATA"}
	case strings.HasSuffix(pattern, "/lookup"):
		return []string{"?name=Quagga%20Widgets&phone=%2B86-21-611-111-21", "?name=Zebra%20Tools", "?name=zeb", "?name=zub"}
	case strings.HasSuffix(pattern, "/record"):
		return []string{"?ref=near/company/n1", "?ref=far/company/f1"}
	case strings.HasSuffix(pattern, "/review"), strings.HasSuffix(pattern, "/review/list"), strings.HasSuffix(pattern, "/reviews"):
		return []string{"", "?source=far", "?text=zeb", "?text=zub", "?order=name", "?today=true", "?text=6111%201"}
	case strings.HasSuffix(pattern, "/as-of"):
		return []string{"?at=2999-01-01"}
	case strings.HasSuffix(pattern, "/difference"):
		return []string{"?from=2998-01-01&to=2999-01-01"}
	case strings.HasSuffix(pattern, "/why"):
		return []string{"?a=near:n1&b=far:f3", "?a=near:n1&b=near:n6"}
	case strings.HasSuffix(pattern, "/conflicts"):
		return []string{"?view=rejected", "?view=overwritten", "?view=flips", "?view=rejected&field=url"}
	case strings.HasSuffix(pattern, "GET /customers/merge"):
		return []string{"?a=near:n1&b=near:n6", "?a=near:n1&b=far:f3"}
	case strings.HasSuffix(pattern, "GET /customers/{id}/split"):
		return []string{"", "?r=near/company/n1"}
	case strings.HasSuffix(pattern, "/decisions"):
		return []string{"", "?customer=near:n1", "?customer=far:f1"}
	case strings.HasSuffix(pattern, "/handovers"):
		return []string{"", "?entity=company&from=nearheir&to=x"}
	case strings.HasSuffix(pattern, "/bulk"):
		return []string{"", "?answer=apart", "?answer=same&source=far"}
	case strings.HasSuffix(pattern, "/quarantine"):
		return []string{"", "?rule=:employees", "?source=far"}
	case strings.HasSuffix(pattern, "/relations/possible"), strings.HasSuffix(pattern, "/proposals"):
		return []string{"", "?golden=near:n1"}
	case strings.HasSuffix(pattern, "/timeline"):
		return []string{"", "?kind=event", "?kind=ticket", "?kind=write"}
	case strings.HasSuffix(pattern, "GET /plans/{target}"):
		return []string{"", "?show=refused", "?op=create", "?field=site"}
	case strings.HasSuffix(pattern, "/plans/{target}"):
		return []string{"", "?refused=true"}
	case strings.HasSuffix(pattern, "/writes"):
		return []string{"", "?state=superseded"}
	case strings.HasSuffix(pattern, "GET /targets/{name}"):
		return []string{"", "?state=pending"}
	case strings.HasSuffix(pattern, "/quality"):
		return []string{"", "?measure=validity"}
	case strings.HasSuffix(pattern, "GET /customers/{id}"):
		return []string{"", "?day=2999-01-01"}
	}
	return []string{""}
}

// bodies are what is sent to an address of programs; pages get a form.
func bodies(pattern string) []string {
	switch {
	case strings.HasSuffix(pattern, "/match"):
		return []string{
			`{"entity":"company","name":"Quagga Nearly Widgets","phones":["+86 21 6111 1121"],"show":"all"}`, `{"entity":"company","name":"Zebra Farther Tools","show":"all"}`,
			`{"entity":"company","name":"Quagga Nearly Widgets","phones":["+86 21 6111 1121"]}`, `{"entity":"company","name":"Zebra Farther Tools"}`,
		}
	case strings.HasSuffix(pattern, "/crosswalk"):
		return []string{`{"records":[{"source":"far","entity":"company","id":"f1"}]}`}
	}
	return []string{"{}"}
}

// ask gives the answer with its headers as one text.
func (w *narrowWorld) ask(token, method, path, body string) (int, string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 5*time.Second)
	if strings.HasSuffix(path, "/live") {
		ctx, cancel = context.WithTimeout(w.Context(), 20*time.Millisecond)
	}
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	r.Host = "localhost"
	r.Header.Set("Authorization", "Bearer "+token)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if strings.HasPrefix(path, "/api/") {
			r.Header.Set("Content-Type", "application/json")
		}
	}
	out := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }() // an export that ends early
		w.handler.ServeHTTP(out, r)
	}()
	return out.Code, fmt.Sprint(out.Header()) + out.Body.String()
}

// TestNobodySeesWhatIsNotTheirs asks every address of the pages and of the API, in
// every role and narrowing, about what is in reach and out of it: nothing of a
// customer out of reach and nothing of a masked field is in any answer, and what
// is in reach and not masked is where the whole role sees it.
func TestNobodySeesWhatIsNotTheirs(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		w := narrowOf(t, dsn)
		if len(w.routes) < 150 {
			t.Fatalf("%d addresses", len(w.routes))
		}
		asked, told, kept := 0, 0, 0
		for _, route := range w.routes {
			if route.Needs == auth.Open && route.Pattern != "GET /openapi.json" {
				continue // who asks there is nobody; a wrong sign-in would lock the address
			}
			method, paths := w.addresses(route.Pattern)
			for _, path := range paths {
				if method == http.MethodGet {
					for _, q := range queries(route.Pattern) {
						a, b, c := w.compare(route, path+q)
						asked, told, kept = asked+a, told+b, kept+c
					}
					continue
				}
				texts := []string{"why=x"}
				if strings.HasPrefix(path, "/api/") {
					texts = bodies(route.Pattern)
				}
				for _, body := range texts {
					for _, role := range auth.Roles() {
						for _, name := range []string{"scoped", "masked", "both"} {
							asked++
							w.check(role, name, method, path, body)
						}
					}
				}
			}
		}
		if status, text := w.ask(w.tokens["steward whole"], http.MethodGet, "/customers", ""); status != http.StatusOK {
			t.Errorf("the customers: %d %.300s", status, text)
		}
		w.reconcile()
		// The test could not fail if nobody saw anything.
		if asked < 5000 || told < 100 || kept < 100 {
			t.Errorf("%d questions, %d answers with values to who is narrowed, %d with values kept from them: too few to tell", asked, told, kept)
		}
		t.Log(asked, told, kept)
	})
}

const reconcileSecret = "the-address-of-the-whole"

// reconcile asks OpenRefine's service: its address is a key to all customers, and no
// token stands for it, however much its owner reaches. It comes last: wrong
// addresses are guesses, and guessing is slowed down.
func (w *narrowWorld) reconcile() {
	w.Helper()
	const asked = "?queries=%7B%22q0%22%3A%7B%22query%22%3A%22Zebra%20Farther%22%7D%7D"
	for name, token := range w.tokens {
		for _, path := range []string{"/reconcile/", "/reconcile/" + url.PathEscape(token) + "/"} {
			status, text := w.ask(token, http.MethodGet, path+asked, "")
			if status != http.StatusUnauthorized && status != http.StatusTooManyRequests || len(held(text, append(farCanaries(), openCanaries()...))) > 0 {
				w.Errorf("the reconciliation service for the token of %s: %d %.300s, want nothing", name, status, text)
			}
		}
	}
}

// check asks once, and fails on what must not be in the answer.
func (w *narrowWorld) check(role auth.Role, name, method, path, body string) (status int, text string) {
	w.Helper()
	status, text = w.ask(w.tokens[string(role)+" "+name], method, path, body)
	var bad []string
	if name != "masked" {
		bad = append(bad, held(text, farCanaries())...)
	}
	if name != "scoped" {
		bad = append(bad, held(text, darkCanaries())...)
		bad = append(bad, held(text, []string{"zebratax88", "zebraweb", "zebramail", "7222232", "922334455", "farticket", "farpayload", "planrefusal", narrowView})...)
	}
	if len(bad) > 0 {
		w.Errorf("%s %s as %s, %s: %d shows %q", method, path, role, name, status, bad)
	}
	if status == http.StatusTooManyRequests || status == http.StatusUnauthorized {
		w.Errorf("%s %s as %s, %s: %d, want an answer", method, path, role, name, status)
	}
	if status >= 500 && !strings.HasSuffix(path, "/live") {
		w.Errorf("%s %s as %s, %s: %d", method, path, role, name, status)
	}
	return status, text
}

// aboutFar are questions whose answer is another one for who is narrowed: about
// who is out of reach, by a value that is masked, of a set that is one account's.
var aboutFar = regexp.MustCompile(`far|from=|=zeb|=zub|6111|QUAGGATA|today|^/$`)

// compare asks an address that is only read, in every role, and holds what who is
// narrowed sees against what the whole role does.
func (w *narrowWorld) compare(route web.Route, path string) (asked, told, kept int) {
	w.Helper()
	for _, role := range auth.Roles() {
		_, whole := w.ask(w.tokens[string(role)+" whole"], http.MethodGet, path, "")
		all := held(whole, openCanaries())
		secret := len(held(whole, farCanaries())) + len(held(whole, darkCanaries()))
		for _, name := range []string{"scoped", "masked", "both"} {
			asked++
			status, text := w.check(role, name, http.MethodGet, path, "")
			if secret > 0 {
				kept++
			}
			if route.Narrow == auth.WholeOnly || status != http.StatusOK || aboutFar.MatchString(path) {
				continue
			}
			want := slices.Clone(all)
			if name != "masked" && strings.Contains(path, "/decisions/") { // a balance is kept from who has a scope
				want = slices.DeleteFunc(want, func(c string) bool { return c == "61234.56" })
			}
			if name == "scoped" {
				want = append(want, held(whole, darkCanaries())...)
			}
			for _, c := range want {
				if len(held(text, []string{c})) == 0 {
					w.Errorf("GET %s as %s, %s: %q is missing, which is theirs to see", path, role, name, c)
				}
			}
			if len(want) > 0 {
				told++
			}
		}
	}
	return asked, told, kept
}
