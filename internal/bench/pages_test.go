package bench

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"touchstone/internal/api"
	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// BenchmarkPages asks for every page, the lists of the API and answers to pairs
// over a store of TOUCHSTONE_BENCH_ROWS golden records (5,000), which is kept
// below TOUCHSTONE_BENCH_WORLD for other runs; on PostgreSQL too where
// TOUCHSTONE_BENCH_POSTGRES names an empty database. It prints a table:
//
//	make bench-pages
//
// TOUCHSTONE_BENCH_PAGES is an expression that narrows the addresses.
func BenchmarkPages(b *testing.B) {
	rows, err := strconv.Atoi(os.Getenv("TOUCHSTONE_BENCH_ROWS"))
	if err != nil {
		rows = 5000
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		dsn := os.Getenv("TOUCHSTONE_BENCH_POSTGRES")
		if only := os.Getenv("TOUCHSTONE_BENCH_STORE"); only != "" && only != engine || engine == "postgres" && dsn == "" {
			continue
		}
		b.Run(engine, func(b *testing.B) {
			dir := b.TempDir()
			if kept := os.Getenv("TOUCHSTONE_BENCH_WORLD"); kept != "" {
				dir = filepath.Join(kept, fmt.Sprint(engine, "-", rows))
				if err := os.MkdirAll(dir, 0o750); err != nil {
					b.Fatal(err)
				}
			}
			if engine == "sqlite" {
				dsn = ""
			}
			fillWorld(b, dir, dsn, rows)
			began := time.Now()
			a := openPages(b, dir, dsn)
			b.Logf("opened in %.0f s", time.Since(began).Seconds()) // with the upgrade of a world that an older program made
			countWorld(b, a)
			askPages(b, a)
			if err := a.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// countWorld counts what the daemon counts beside the pages.
func countWorld(b *testing.B, a *app.App) {
	b.Helper()
	ctx := context.Background()
	began := time.Now()
	for _, entity := range []string{"", "company"} {
		if _, err := a.ValueMaps(ctx, web.ValueQuery{Entity: entity}); err != nil {
			b.Fatal(err)
		}
	}
	cpu, _ := usage(b)
	n, err := a.WorkValueCounts(ctx)
	if err != nil {
		b.Fatal(err)
	}
	after, rss := usage(b)
	b.Logf("values of %d fields counted in %.1f s, %.1f s of CPU, peak %.0f MB", n, time.Since(began).Seconds(), after-cpu, rss)
}

// visitor is a signed-in browser.
type visitor struct {
	*testing.B
	pages   http.Handler
	cookies []*http.Cookie
}

func (v *visitor) ask(method, path string, form url.Values) *httptest.ResponseRecorder {
	v.Helper()
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(form.Encode()))
	r.Host, r.RemoteAddr = "127.0.0.1:8480", "127.0.0.1:4711"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range v.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	v.pages.ServeHTTP(w, r)
	return w
}

// asked is what one address took.
type asked struct {
	name  string
	took  []time.Duration
	bytes int
}

func (x asked) row() string {
	slices.Sort(x.took)
	return fmt.Sprintf("| %s | %.0f | %.0f | %.0f | %.1f |", x.name, ms(x.took[0]), ms(x.took[len(x.took)/2]), ms(x.took[len(x.took)-1]), float64(x.bytes)/1000)
}

const timesAsked = 15

func askPages(b *testing.B, a *app.App) {
	only := regexp.MustCompile(os.Getenv("TOUCHSTONE_BENCH_PAGES"))
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	opts := web.Options{Env: env.Real(), Log: log, ShowValues: true, People: a.People(), LookUp: a, Metrics: a.Metrics(), Mount: func(handle func(string, auth.Permission, auth.Narrow, http.HandlerFunc)) {
		api.Mount(a, api.Options{Env: env.Real(), Log: log}, handle)
	}}
	v := &visitor{B: b, pages: web.New(a, opts)}
	w := v.ask(http.MethodPost, "/login", url.Values{"login": {"admin"}, "password": {worldPassword}})
	if v.cookies = w.Result().Cookies(); w.Code != http.StatusSeeOther || len(v.cookies) == 0 {
		b.Fatalf("sign in: %d %s", w.Code, w.Body)
	}
	var list []asked
	for _, path := range worldPaths(b, a, web.Routes(a, opts)) {
		if !only.MatchString(path) {
			continue
		}
		x := asked{name: path}
		for i := range timesAsked + 1 {
			if strings.HasPrefix(path, api.Path) {
				time.Sleep(20 * time.Millisecond) // it takes 50 requests a second
			}
			began := time.Now()
			w := v.ask(http.MethodGet, path, nil)
			took := time.Since(began)
			if w.Code != http.StatusOK {
				b.Errorf("%s: %d %.300s", path, w.Code, w.Body)
				break
			}
			x.bytes = w.Body.Len()
			if took > 3*time.Second && i > 0 {
				x.took = append(x.took, took) // it will not get better
				break
			}
			if i > 0 {
				x.took = append(x.took, took)
			}
		}
		if len(x.took) > 0 {
			list = append(list, x)
			b.Log(x.row())
		}
	}
	if only.MatchString("POST /review") {
		list = append(list, answers(b, v, a))
	}
	slices.SortStableFunc(list, func(x, y asked) int { return int(y.took[len(y.took)/2] - x.took[len(x.took)/2]) })
	var t strings.Builder
	t.WriteString("| address | least ms | median | most | kB |\n|---|---|---|---|---|\n")
	for _, x := range list {
		t.WriteString(x.row() + "\n")
	}
	b.Logf("%s, %d addresses\n%s", a.Store.Engine(), len(list), &t)
}

// answers answers pairs as the page's form does, and asks for the next one.
func answers(b *testing.B, v *visitor, a *app.App) asked {
	ctx := context.Background()
	open, err := a.OpenPairs(ctx, web.ReviewQuery{Limit: 1 + timesAsked})
	if err != nil {
		b.Fatal(err)
	}
	x := asked{name: "POST /review/{id} and the next pair"}
	for i, item := range open.Items {
		work, err := a.PairWork(ctx, item.ID, "steward")
		if err != nil {
			b.Fatal(err)
		}
		say := []string{web.AnswerSame, web.AnswerApart, web.AnswerUnsure}[i%3]
		began := time.Now()
		w := v.ask(http.MethodPost, "/review/"+item.ID, url.Values{"say": {say}, "seen": {work.Seen}})
		took := time.Since(began)
		if w.Code != http.StatusSeeOther {
			b.Errorf("answer %s to %s: %d %.2000s", say, item.ID, w.Code, w.Body)
			break
		}
		if i > 0 {
			x.took = append(x.took, took)
		}
	}
	return x
}

// worldPaths gives addresses of every GET route: one that has parameters is
// asked for something the world has, a list in more ways than one.
func worldPaths(b *testing.B, a *app.App, routes []web.Route) (paths []string) {
	b.Helper()
	ctx := context.Background()
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	id, err := a.GoldenID(ctx, worldCustomer)
	must(err)
	pairs, err := a.OpenPairs(ctx, web.ReviewQuery{Limit: 3})
	must(err)
	pair := pairs.Items[1].ID
	bad, err := a.Store.Quarantines(ctx, store.QuarantineQuery{State: "open", Limit: 1})
	must(err)
	faults, err := a.Store.FaultGroups(ctx)
	must(err)
	decided, err := a.Decisions(ctx, "", 0, 1)
	must(err)
	runs, err := a.Runs(ctx, web.RunFilter{Limit: 1})
	must(err)
	lists := map[string][]string{
		"GET /customers": {"", "?q=harbour", "?q=bakery&sort=name", "?sort=name", "?sort=changed", "?source=crm", "?several=1", "?entity=person", "?q=上海", "?q=" + id},
		"GET /review/list": {
			"", "?order=far", "?order=since", "?order=name", "?kind=below", "?source=crm&other=desk", "?value=1000000", "?text=harbour",
			"?from=60&to=70", "?assigned=me", "?due=overdue", "?skipped=1",
		},
		"GET /review":                  {"", "?kind=bridge"},
		"GET /bulk":                    {"", "?kind=below&source=crm"},
		"GET /quarantine":              {"", "?state=superseded", "?source=desk", "?rule=schema", "?age=7", "?state=released"},
		"GET /conflicts":               {"", "?view=rejected", "?view=dead", "?view=overwritten", "?view=flips", "?target=crm"},
		"GET /decisions":               {"", "?state=stale", "?state=pending", "?state=withdrawn"},
		"GET /plans/{target}":          {"/plans/desk_people", "/plans/crm", "/plans/desk_people?op=create"},
		"GET /targets/{name}":          {"/targets/crm", "/targets/crm?state=delivered", "/targets/desk_people"},
		"GET /audit":                   {"", "?who=ann", "?what=decision.merge", "?subject=" + id, "?what=record.land&who=touchstone"},
		"GET /runs":                    {"", "?source=crm"},
		"GET /customers/{id}":          {"/customers/" + id, "/customers/" + id + "?at=2026-01-01"},
		"GET /customers/{id}/timeline": {"/customers/" + id + "/timeline"},
		"GET /accounts/{login}":        {"/accounts/steward"}, "GET /review/{id}": {"/review/" + pair}, "GET /review/effect/{id}": {"/review/effect/" + pair},
		"GET /review/cluster/{id}": {"/review/cluster/" + id}, "GET /bulk/{id}": {"/bulk/bulk-1"}, "GET /quarantine/{id}": {"/quarantine/" + bad[0].ID},
		"GET /faults/{fault}": {"/faults/" + faults[0].Fault}, "GET /decisions/{id}": {"/decisions/" + decided[0].ID}, "GET /runs/{id}": {"/runs/" + runs.Rows[0].ID},
		"GET /sources/{name}": {"/sources/crm"}, "GET /sources/{name}/schema": {"/sources/crm/schema"}, "GET /assets/{name}": {"/assets/touchstone.css"},
		"GET /quality/{source}/{entity}/{field}": {"/quality/crm/company/phones"}, "GET /quality/{source}/{entity}/{field}/records": {"/quality/crm/company/phones/records?is=missing", "/quality/crm/company/phones/records?is=shape&value=none"},
		"GET /customers/{id}/record": {"/customers/" + id + "/record?ref=" + worldCustomer}, "GET /customers/{id}/fields/{field}": {"/customers/" + id + "/fields/name"},
		"GET /customers/{id}/split": {"/customers/" + id + "/split?record=" + worldCustomer}, "GET /customers/merge": {"?a=shop/company/s1&b=shop/company/s3"},
	}
	two := "?a=" + worldCustomer + "&b=shop/company/s3"
	for pattern, q := range map[string]string{
		"/api/why": two, "/api/v1/why": two, "/api/v1/customers/{id}/as-of": "/api/v1/customers/" + id + "/as-of?at=2035-01-01",
		"/api/v1/customers/{id}/difference": "/api/v1/customers/" + id + "/difference?from=2034-01-01&to=2035-01-01",
		"/api/v1/identifiers/shared":        "?entity=company", "/api/v1/decisions/{id}": "/api/v1/decisions/" + decided[0].ID,
		"/api/v1/reviews/{id}/effect": "/api/v1/reviews/" + pair + "/effect", "/api/v1/reviews/{id}": "/api/v1/reviews/" + pair,
		"/api/v1/bulk/{id}": "/api/v1/bulk/bulk-1", "/api/v1/quarantine/{id}": "/api/v1/quarantine/" + bad[0].ID, "/api/v1/runs/{id}": "/api/v1/runs/" + runs.Rows[0].ID,
	} {
		lists["GET "+pattern] = []string{q}
	}
	models, err := a.Models(ctx)
	must(err)
	lists["GET /models/{entity}/{version}"] = []string{"/models/" + models[0].Entity + "/" + models[0].Version}
	lists["GET /models/{entity}/thresholds"] = []string{"", "?link=0.9&review=0.6"}
	lists["GET /handovers"] = []string{"", "?entity=company&from=Owner+7&to=Bob", "?entity=company&from=Owner+7&to=Bob&source=crm"}
	lists["GET /values"] = []string{"", "?entity=company&field=industry&from=Tools&to=Trade"}
	lists["GET /api/v1/changes"] = []string{"", "?after=1"}
	lists["GET /api/v1/writes"] = []string{"", "?state=delivered", "?state=conflict"}
	lists["GET /quarantine/{id}/raw"] = []string{"/quarantine/" + bad[0].ID + "/raw"}
	lists["GET /customers/{id}/record/raw"] = []string{"/customers/" + id + "/record/raw?version=1&ref=" + worldCustomer}
	left := []string{"GET /api/v1/trials/{id}", "GET /api/v1/handovers/{id}", "GET /api/v1/handovers/{id}/certificate", "GET /trials/{id}", "GET /handovers/{id}", "GET /handovers/{id}/certificate.json", "GET /live", "GET /login", "GET /setup", "GET /login/oidc", "GET /login/oidc/callback", "GET /readyz", "GET /me/password", "GET /me/two-step"}
	for _, r := range routes {
		path, found := strings.CutPrefix(r.Pattern, "GET ")
		if !found || slices.Contains(left, r.Pattern) || strings.HasSuffix(path, ".csv") || strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, "/export") {
			continue // streams, and pages that show nothing of the store
		}
		path = strings.TrimSuffix(path, "{$}")
		asks := lists[r.Pattern]
		if len(asks) == 0 {
			asks = []string{""}
		}
		for _, q := range asks {
			at := path + q
			if strings.HasPrefix(q, "/") {
				at = q
			}
			at = strings.NewReplacer("{id}", id, "{target}", "desk_people", "{login}", "steward", "{source}", "crm", "{entity}", "company", "{field}", "phones", "{fault}", faults[0].Fault).Replace(at)
			if strings.Contains(at, "{") {
				b.Errorf("%s: the benchmark knows no value for its parameters", r.Pattern)
				continue
			}
			paths = append(paths, at)
		}
	}
	return paths
}
