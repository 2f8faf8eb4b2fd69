package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/config"
	"touchstone/internal/api"
	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/store/storetest"
	"touchstone/internal/web"
)

const installation = `
sources:
  erp:
    type: file
    path: companies.csv
    entities:
      company: {id: record.id, map: {name: record.name, phone: record.phone, website: record.website, employees: record.employees}}
  desk:
    type: file
    path: desk.csv
    entities:
      company: {id: record.id, map: {name: record.name, phone: record.phone}}
`

const companies = `id,name,phone,website,employees
1,上海美跃包装材料有限公司,+86 21 6888 0102,meiyue.example.com,120
2,Alpha Widgets Ltd,+44 20 7946 0001,alpha.example.com,10
3,Beta Tools GmbH,+49 30 1234567,beta.example.com,x
`

const desk = `id,name,phone
88,Alpha Widgets Limited,+44 20 7946 0001
89,Gamma Foods Inc,+1 212 555 0100
`

// each runs a test on an installation with five records, on both databases.
func each(t *testing.T, test func(*testing.T, *client)) {
	t.Helper()
	eachOf(t, map[string]string{"touchstone.yaml": installation, "companies.csv": companies, "desk.csv": desk}, test)
}

// eachOf runs a test on an installation of these files, on both databases.
func eachOf(t *testing.T, files map[string]string, test func(*testing.T, *client)) {
	t.Helper()
	engines(t, func(t *testing.T, dsn string) {
		a, _ := opened(t, dsn, files)
		c := &client{t: t, app: a, needs: map[string]auth.Permission{}, actor: auth.Actor{ID: "amy", Role: auth.Admin}}
		c.settle()
		m := http.NewServeMux()
		api.Mount(a, api.Options{Env: env.Real()}, func(pattern string, needs auth.Permission, _ auth.Narrow, h http.HandlerFunc) {
			c.needs[pattern] = needs
			m.HandleFunc(pattern, h)
		})
		c.server = httptest.NewServer(web.Speaks(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m.ServeHTTP(w, r.WithContext(auth.With(r.Context(), c.actor)))
		})))
		t.Cleanup(c.server.Close)
		test(t, c)
	})
}

// engines runs a test on each store: dsn is "" for SQLite.
func engines(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, "") })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.Postgres(t)) })
}

// opened is an installation of these files, and its folder.
func opened(t *testing.T, dsn string, files map[string]string) (a *app.App, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(dir, "touchstone.yaml"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if dsn == "" { // a store that is there already is opened more quickly
		if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		storetest.SQLite(t, filepath.Join(dir, "data", cfg.Store.Path))
	}
	a, err = app.Open(t.Context(), cfg, app.Options{Dir: filepath.Join(dir, "data"), Store: dsn, Env: env.Real()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a, dir
}

type client struct {
	t      *testing.T
	app    *app.App
	server *httptest.Server
	needs  map[string]auth.Permission
	actor  auth.Actor
}

func (c *client) settle() {
	c.t.Helper()
	if _, err := c.app.Pass(context.Background(), nil); err != nil {
		c.t.Fatal(err)
	}
}

type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

func (c *client) do(method, path, body string, header ...string) reply {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.server.Client().Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, header: resp.Header, text: string(text)}
	_ = json.NewDecoder(bytes.NewReader(text)).Decode(&r.body) // lists and empty answers stay nil
	return r
}

func (c *client) get(path string) reply {
	c.t.Helper()
	r := c.do(http.MethodGet, path, "")
	if r.status != 200 {
		c.t.Fatalf("GET %s: %d %s", path, r.status, r.text)
	}
	return r
}

// customers gives the ids of all golden records by name.
func (c *client) customers() map[string]string {
	out := map[string]string{}
	for _, v := range c.get(api.Path + "/customers").body["items"].([]any) {
		out[v.(map[string]any)["name"].(string)] = v.(map[string]any)["id"].(string)
	}
	return out
}

func TestAStewardDecidesByAPI(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		of := c.customers()
		alpha, gamma := of["Alpha Widgets Ltd"], of["Gamma Foods Inc"]
		if alpha == "" || gamma == "" || len(of) != 3 {
			t.Fatalf("customers: %v", of)
		}
		before := c.get(api.Path + "/customers/" + alpha)
		if n := len(before.body["members"].([]any)); n != 2 {
			t.Errorf("Alpha has %d records, want the two of erp and desk", n)
		}
		merge := fmt.Sprintf(`{"a": %q, "b": %q, "why": "one owner"}`, alpha, gamma)
		first := c.do("POST", api.Path+"/decisions/merge", merge, "Idempotency-Key", "key-00001")
		if first.status != 200 || first.body["kind"] != "merge" {
			t.Fatalf("merge: %d %s", first.status, first.text)
		}
		again := c.do("POST", api.Path+"/decisions/merge", merge, "Idempotency-Key", "key-00001")
		if again.text != first.text || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("the same key answers %d %s, want the first answer %s", again.status, again.text, first.text)
		}
		if r := c.do("POST", api.Path+"/decisions/merge", `{"a": "x1", "b": "x2"}`, "Idempotency-Key", "key-00001"); r.status != 422 || !strings.Contains(r.text, "another request") {
			t.Errorf("another request with the key: %d %s", r.status, r.text)
		}
		for _, key := range []string{"", "short", "with a blank"} {
			if r := c.do("POST", api.Path+"/decisions/merge", merge, "Idempotency-Key", key); r.status != 400 || !strings.Contains(r.text, "Idempotency-Key must") {
				t.Errorf("the key %q: %d %s, want 400", key, r.status, r.text)
			}
		}
		feed := c.get(api.Path + "/changes").body["next"].(float64)
		c.settle()
		if got := c.customers(); len(got) != 2 {
			t.Errorf("after the merge: %v", got)
		}
		moved := c.get(api.Path + "/customers/" + gamma)
		if moved.body["id"] != alpha || moved.body["moved"] != true {
			t.Errorf("the old id answers %v", moved.body)
		}
		kinds := map[string]string{}
		for _, v := range c.get(fmt.Sprintf("%s/changes?after=%.0f", api.Path, feed)).body["items"].([]any) {
			kinds[v.(map[string]any)["id"].(string)] = v.(map[string]any)["kind"].(string)
		}
		if want := map[string]string{alpha: "saved", gamma: "merged"}; !maps.Equal(kinds, want) {
			t.Errorf("the feed says %v, want %v", kinds, want)
		}
		both := c.do("POST", api.Path+"/crosswalk", fmt.Sprintf(`{"records": [{"source": "desk", "entity": "company", "id": "89"}, {"source": "desk", "entity": "company", "id": "none"}], "goldens": [%q]}`, gamma))
		items := both.body["items"].([]any)
		if len(items) != 3 || items[0].(map[string]any)["golden"] != alpha || items[1].(map[string]any)["golden"] != nil || len(items[2].(map[string]any)["members"].([]any)) != 3 {
			t.Errorf("crosswalk: %s", both.text)
		}
		if last := items[2].(map[string]any); last["golden"] != alpha || last["moved"] != true || last["golden_asked"] != gamma {
			t.Errorf("an id that went into another is looked up as %v, want %s", last, alpha)
		}
		undo := c.do("POST", api.Path+"/decisions/"+first.body["decision"].(string)+"/undo", `{}`)
		if undo.status != 200 {
			t.Fatalf("undo: %d %s", undo.status, undo.text)
		}
		c.settle()
		after := c.get(api.Path + "/customers/" + alpha)
		if fmt.Sprint(after.body["fields"], after.body["members"]) != fmt.Sprint(before.body["fields"], before.body["members"]) {
			t.Errorf("after the undo:\n%s\nbefore the merge:\n%s", after.text, before.text)
		}
	})
}

func TestPinsMeetWhatThePersonSaw(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		id := c.customers()["Gamma Foods Inc"]
		tag := c.get(api.Path + "/customers/" + id).header.Get("ETag")
		pin := fmt.Sprintf(`{"golden": %q, "field": "phones", "value": "+1 212 555 0199", "why": "asked"}`, id)
		if r := c.do("POST", api.Path+"/decisions/pin", pin, "If-Match", `"old-1"`); r.status != 412 {
			t.Errorf("a pin on what has changed: %d %s", r.status, r.text)
		}
		if r := c.do("POST", api.Path+"/decisions/pin", pin, "If-Match", tag); r.status != 200 {
			t.Fatalf("pin: %d %s", r.status, r.text)
		}
		c.settle()
		r := c.do("GET", api.Path+"/customers/"+id, "", "If-None-Match", tag)
		if r.status != 200 || !strings.Contains(r.text, "+1 212 555 0199") {
			t.Errorf("after the pin: %d %s", r.status, r.text)
		}
		if r := c.do("GET", api.Path+"/customers/"+id, "", "If-None-Match", r.header.Get("ETag")); r.status != 304 || r.text != "" || r.header.Get("ETag") == "" {
			t.Errorf("nothing new: %d %q with the tag %q, want 304 with the tag", r.status, r.text, r.header.Get("ETag"))
		}
	})
}

func TestProblemsSayWhereAndRepeatNothing(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		tests := []struct {
			method, path, body string
			status             int
			says               string
		}{
			{"GET", "/customers/none", "", 404, "nothing of this name or id"},
			{"GET", "/nothing", "", 404, "openapi.json"},
			{"PUT", "/customers", "", 405, "ask with GET"},
			{"GET", "/decisions/merge", "", 404, ""},
			{"GET", "/customers?limit=SECRET", "", 422, "query.limit"},
			{"GET", "/customers?limit=1000", "", 422, "query.limit"},
			{"GET", "/customers?colour=SECRET", "", 422, "colour"},
			{"GET", "/customers/x/as-of?at=SECRET", "", 422, "query.at"},
			{"POST", "/decisions/merge", `{"a": "1", "a": "2", "b": "3"}`, 400, ""},
			{"POST", "/decisions/merge", `{"a": "SECRET"`, 400, ""},
			{"POST", "/decisions/merge", `{"a": "x"}`, 422, "required property b"},
			{"POST", "/decisions/merge", `{"a": "x", "b": "y", "role": "SECRET"}`, 422, "unexpected property"},
			{"POST", "/decisions/merge", `{"a": 5, "b": "y"}`, 422, "body.a"},
			{"POST", "/decisions/merge", `{"a": "` + strings.Repeat("x", 2<<20) + `"}`, 413, ""},
			{"POST", "/decisions/merge", `{"a": "nobody", "b": "noone"}`, 404, ""},
			{"POST", "/match", `{"entity": "planet", "name": "SECRET"}`, 422, "entity"},
			{"POST", "/quarantine/none/release", `{"why": "x"}`, 404, ""},
		}
		for _, tt := range tests {
			r := c.do(tt.method, api.Path+tt.path, tt.body)
			if r.status != tt.status || !strings.Contains(r.text, tt.says) || strings.Contains(r.text, "SECRET") || r.header.Get("Content-Type") != "application/problem+json" || r.body["title"] == "" {
				t.Errorf("%s %s %.60s: %d %s %s, want %d and %q", tt.method, tt.path, tt.body, r.status, r.header.Get("Content-Type"), r.text, tt.status, tt.says)
			}
		}
	})
}

// TestRefusalsAreToldInTheLanguageAskedFor: detail follows Accept-Language, English
// without one.
func TestRefusalsAreToldInTheLanguageAskedFor(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		id := c.customers()["Gamma Foods Inc"]
		pin := fmt.Sprintf(`{"golden": %q, "field": "employees", "value": "many", "why": "asked"}`, id)
		for language, want := range map[string]string{
			"": "employees is a number, such as 1200 or 12.5", "fr": "employees is a number, such as 1200 or 12.5",
			"zh-CN, en;q=0.5": "员工数应为数字，例如 1200 或 12.5", "zh-TW": "員工數應為數字，例如 1200 或 12.5",
		} {
			r := c.do("POST", api.Path+"/decisions/pin", pin, "Accept-Language", language)
			if r.status != 422 || r.body["detail"] != want {
				t.Errorf("asked in %q: %d %v, want 422 and %q", language, r.status, r.body["detail"], want)
			}
		}
	})
}

func TestTooManyRequestsAreToldToWait(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		told := 0
		for range 400 {
			if r := c.do("GET", api.Path+"/changes?limit=1", ""); r.status == 429 {
				told++
				if r.header.Get("Retry-After") == "" {
					t.Fatal("429 without Retry-After")
				}
			} else if r.status != 200 {
				t.Fatalf("%d %s", r.status, r.text)
			}
		}
		if told == 0 {
			t.Error("400 quick requests were all answered")
		}
		c.actor.ID = "bob"
		c.get(api.Path + "/changes")
	})
}

// TestTheDescriptionIsWhole reads /openapi.json and holds it against the table
// of addresses.
func TestTheDescriptionIsWhole(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		spec := c.get("/openapi.json").body
		if spec["openapi"] != "3.1.0" {
			t.Errorf("openapi %v", spec["openapi"])
		}
		var described []string
		for path, ops := range spec["paths"].(map[string]any) {
			for method, o := range ops.(map[string]any) {
				pattern := strings.ToUpper(method) + " " + path
				described = append(described, pattern)
				o := o.(map[string]any)
				if o["x-permission"] != string(c.needs[pattern]) || o["summary"] == "" || o["operationId"] == "" {
					t.Errorf("%s: permission %v, needs %s; summary %v", pattern, o["x-permission"], c.needs[pattern], o["summary"])
				}
				if _, ok := o["responses"].(map[string]any)["200"]; !ok {
					if _, ok := o["responses"].(map[string]any)["204"]; !ok {
						t.Errorf("%s describes no success", pattern)
					}
				}
			}
		}
		for pattern := range c.needs {
			if strings.Contains(pattern, api.Path+"/") && !strings.HasSuffix(pattern, "/v1/") && !slices.Contains(described, pattern) {
				t.Errorf("%s is not described", pattern)
			}
		}
		if len(described) < 25 {
			t.Errorf("%d operations are described", len(described))
		}
	})
}

// past is a clock that is twenty years late.
type past struct{ env.Clock }

func (c past) Now() time.Time { return c.Clock.Now().AddDate(-20, 0, 0) }

func TestExportGivesEveryCustomer(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		r := c.get(api.Path + "/export")
		if lines := strings.Split(strings.TrimSpace(r.text), "\n"); len(lines) != 3 || r.header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("%s: %d lines, want 3 golden records:\n%s", r.header.Get("Content-Type"), len(lines), r.text)
		}
		// The deadline of the connection is not the clock's of the installation.
		late := env.Real()
		late.Clock = past{late.Clock}
		m := http.NewServeMux()
		api.Mount(c.app, api.Options{Env: late}, func(pattern string, _ auth.Permission, _ auth.Narrow, h http.HandlerFunc) { m.HandleFunc(pattern, h) })
		c.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m.ServeHTTP(w, r.WithContext(auth.With(r.Context(), c.actor)))
		}))
		t.Cleanup(c.server.Close)
		if again := c.get(api.Path + "/export"); again.text != r.text {
			t.Errorf("by a clock that is 20 years late: %q, want the same export", again.text)
		}
	})
}

// TestProblemsOfTheAPIAreToldInTheLanguageAskedFor: what the API and its library
// say of requests follows Accept-Language too, their titles do not, and nothing that
// they say has no form.
func TestProblemsOfTheAPIAreToldInTheLanguageAskedFor(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		for _, x := range []struct {
			method, path, body string
			status             int
			en, hans           string
		}{
			{"GET", "/nothing-here", "", 404, "there is nothing at this address; /openapi.json lists what there is", "此地址没有内容；/openapi.json 列出全部地址"},
			{"PUT", "/accounts", "", 405, "ask with GET or POST", "请改用 GET or POST"},
			{"GET", "/customers/abcdmfghijkzpqrs", "", 404, "there is nothing of this name or id", "没有此名称或编号的内容"},
			{"GET", "/tokens?limit=x", "", 422, "validation failed", "请求内容不符合要求"},
			{"GET", "/tokens?limit=0", "", 422, "expected number >= 1", "应不小于 1"},
			{"GET", "/tokens?limit=1&limit=2", "", 422, "stands more than once", "出现多次"},
			{"POST", "/decisions/merge", `{"a":1}`, 422, "expected required property b to be present", "缺少必需的属性 b"},
			{"POST", "/decisions/merge", `{"a":1,"b":"x"}`, 422, "expected string", "应为文本"},
			{"POST", "/decisions/merge", `{"a":"1","a":"2"}`, 400, "a key stands twice in one object", "同一对象中某个键出现两次"},
		} {
			for language, want := range map[string]string{"": x.en, "zh-CN": x.hans} {
				r := c.do(x.method, api.Path+x.path, x.body, "Accept-Language", language)
				if r.status != x.status || !strings.Contains(strings.ReplaceAll(r.text, `\u003e`, ">"), want) {
					t.Errorf("%s %s in %q: %d %s; want %d and %s", x.method, x.path, language, r.status, r.text, x.status, want)
				}
			}
		}
	})
}
