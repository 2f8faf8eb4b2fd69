package app

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xeipuuv/gojsonschema"
	"golang.org/x/net/html"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/internal/web"
)

var update = flag.Bool("update", false, "rewrite the answers of testdata/reconcile/openrefine.txt")

const reconcileSecret = "reconcile-0123456789"

const reconcileYAML = `
sources:
  crm:
    type: file
    path: crm.csv
    entities:
      company:
        id: record.id
        map:
          name: record.name
          phone: record.phone
          website: record.website
          employees: record.employees
          founded: record.founded
          ids: [{scheme: '"uscc"', value: record.uscc}]
          address: {line: record.street, city: record.city, country: record.country}
  desk:
    type: file
    path: desk.csv
    entities:
      company: {id: record.id, map: {name: record.name, phone: record.phone}}
      person: {id: record.id, map: {full_name: record.contact, email: record.email, phone: record.phone, birth_date: record.born}}
`

const reconcileCRM = `id,name,phone,website,employees,founded,uscc,street,city,country
1,上海美跃包装材料有限公司,021-68880102,meiyue.example.cn,120,2009-05-31,913100001322012341,浦东新区锦绣路969号,上海,CN
2,Redwood Analytics Ltd,+44 20 7946 0001,redwood.example.com,45,,,12 Oak Street,Leeds,GB
3,"Bäcker & Söhne <GmbH>",+49 30 901820,baecker.example.de,,,,Hauptstr. 5,Berlin,DE
4,Blue Heron Foods Inc.,+1 212 555 0188,blueheron.example.com,8,,,,Boston,US
`

const reconcileDesk = `id,name,phone,contact,email,born
7,上海美跃包装,+86 21 6888 0102,张伟,zhang.wei@example.cn,1980-02-01
8,Redwood Analytics,020 7946 0001,Ada Lovelace,ada@example.com,1975-12-10
`

// office is the pages of an installation with a few customers, and the
// reconciliation service.
func office(t *testing.T, dsn string) (*world, *httptest.Server) {
	t.Helper()
	w := newWorld(t, dsn)
	w.write("crm.csv", reconcileCRM)
	w.write("desk.csv", reconcileDesk)
	w.yaml = reconcileYAML
	w.open()
	w.clean()
	srv := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, Log: w.app.Log, ShowValues: true, LookUp: w.app, Reconcile: reconcileSecret}))
	t.Cleanup(srv.Close)
	return w, srv
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   string
}

func (w *world) ask(srv *httptest.Server, method, path, contentType, body string) reply {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	req.Header.Set("Origin", "http://127.0.0.1:3333") // where OpenRefine's page comes from
	resp, err := srv.Client().Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// schemas are those of the specification. The manifest's schema leads to Swagger's
// for a key that we do not send: in its place stands one that forbids it.
func schemas(t *testing.T) map[string]*gojsonschema.Schema {
	t.Helper()
	out := map[string]*gojsonschema.Schema{}
	files, err := filepath.Glob(filepath.Join("testdata", "reconcile", "schemas", "*.json"))
	if err != nil || len(files) != 10 {
		t.Fatalf("%d schemas (%v), want 10", len(files), err)
	}
	for _, file := range files {
		l := gojsonschema.NewSchemaLoader()
		l.AutoDetect, l.Draft = false, gojsonschema.Draft7
		swagger := gojsonschema.NewStringLoader(`{"definitions":{"securityDefinitions":{"additionalProperties":false}}}`)
		if err := l.AddSchema("http://swagger.io/v2/schema.json", swagger); err != nil {
			t.Fatal(err)
		}
		typ, err := os.ReadFile(filepath.Join("testdata", "reconcile", "schemas", "type.json"))
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) != "type.json" {
			if err := l.AddSchemas(gojsonschema.NewBytesLoader(typ)); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := l.Compile(gojsonschema.NewBytesLoader(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out[strings.TrimSuffix(filepath.Base(file), ".json")] = s
	}
	return out
}

func validate(t *testing.T, s *gojsonschema.Schema, what, body string) {
	t.Helper()
	if s == nil {
		t.Fatalf("%s: no such schema", what)
	}
	r, err := s.Validate(gojsonschema.NewStringLoader(body))
	if err != nil {
		t.Fatalf("%s: %v\n%s", what, err, body)
	}
	for _, e := range r.Errors() {
		t.Errorf("%s is not what the specification says: %s\n%s", what, e, body)
	}
}

// TestSchemasRefuse: the schemas are in force, that is, they refuse something.
func TestSchemasRefuse(t *testing.T) {
	all := schemas(t)
	for name, bad := range map[string]string{
		"manifest":                   `{"versions":["0.1"],"name":"x","identifierSpace":"a","schemaSpace":"b"}`,
		"reconciliation-query-batch": `{"q0":{"type":"company"}}`, "reconciliation-result-batch": `{"q0":{"result":[{"name":"x"}]}}`,
		"suggest-entities-response": `{"result":[{"id":"x"}]}`, "suggest-properties-response": `{}`, "suggest-types-response": `{"result":[{"id":"x"}]}`,
		"data-extension-query": `{"ids":[]}`, "data-extension-response": `{"meta":[],"rows":{"a":{"b":[{"bool":true}]}}}`, "data-extension-property-proposal": `{"properties":[{"id":"x"}]}`,
		"type": `{"id":"x"}`,
	} {
		r, err := all[name].Validate(gojsonschema.NewStringLoader(bad))
		if err != nil || r.Valid() {
			t.Errorf("the schema %s takes %s (%v)", name, bad, err)
		}
	}
}

// TestOpenRefineConversation replays what OpenRefine asks, on the real server
// with a real store: each answer is the recorded one, and as the specification's
// schema says.
func TestOpenRefineConversation(t *testing.T) {
	path := filepath.Join("testdata", "reconcile", "openrefine.txt")
	recorded, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := schemas(t)
	onBoth(t, func(t *testing.T, dsn string) {
		w, srv := office(t, dsn)
		heard := converse(w, srv, string(recorded), all)
		if *update && dsn == "" {
			if err := os.WriteFile(path, []byte(heard), 0o600); err != nil {
				t.Fatal(err)
			}
			return
		}
		if diff := cmp.Diff(strings.Split(string(recorded), "\n"), strings.Split(heard, "\n")); diff != "" && !*update {
			t.Errorf("the conversation went otherwise (-recorded +heard); go test ./internal/app -run OpenRefine -update rewrites it:\n%s", diff)
		}
	})
}

var spaceName = regexp.MustCompile(`urn:touchstone:[0-9a-f]{16}`)

// converse asks the questions of a recorded conversation and gives it with the
// answers heard. A turn is
//
//	> METHOD PATH
//	> name=value of a form …
//	< STATUS schema
//	answer
func converse(w *world, srv *httptest.Server, recorded string, all map[string]*gojsonschema.Schema) string {
	w.Helper()
	var out strings.Builder
	turns := strings.Split(recorded, "\n> ")
	out.WriteString(strings.TrimRight(turns[0], "\n") + "\n")
	ids := w.goldenIDs()
	for i := 1; i < len(turns); i++ {
		head := turns[i]
		form := url.Values{}
		out.WriteString("\n> " + strings.SplitN(head, "\n", 2)[0] + "\n")
		for i+1 < len(turns) && !strings.Contains(head, "\n< ") {
			i++
			head += "\n> " + turns[i]
			line := strings.SplitN(turns[i], "\n", 2)[0]
			out.WriteString("> " + line + "\n")
			name, value, _ := strings.Cut(line, "=")
			form.Set(name, ids.Replace(value))
		}
		method, path, _ := strings.Cut(strings.SplitN(head, "\n", 2)[0], " ")
		_, answer, _ := strings.Cut(head, "\n< ")
		_, schema, _ := strings.Cut(strings.SplitN(answer, "\n", 2)[0], " ")
		contentType := ""
		if method == http.MethodPost {
			contentType = "application/x-www-form-urlencoded"
		}
		if q := form.Get("queries"); q != "" {
			validate(w.T, all["reconciliation-query-batch"], "a question", q)
		}
		if q := form.Get("extend"); q != "" {
			validate(w.T, all["data-extension-query"], "a question", q)
		}
		got := w.ask(srv, method, "/reconcile/"+reconcileSecret+ids.Replace(path), contentType, form.Encode())
		if got.header.Get("Access-Control-Allow-Origin") != "*" {
			w.Errorf("%s %s: no page elsewhere may read the answer", method, path)
		}
		body := got.body
		if all[schema] != nil {
			validate(w.T, all[schema], path, body)
		}
		body = ids.back(strings.ReplaceAll(body, srv.URL, "http://127.0.0.1:8480"))
		body = spaceName.ReplaceAllString(body, "urn:touchstone:INSTALLATION")
		if strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
			body = w.readable(path, body, schema == "reconciliation-result-batch")
		}
		fmt.Fprintf(&out, "< %d %s\n%s\n", got.status, schema, strings.TrimSpace(body))
	}
	return out.String()
}

// readable lays an answer out with sorted keys. What depends on the weights of the
// match model is checked and taken out: a better model changes no conversation.
func (w *world) readable(path, body string, results bool) string {
	w.Helper()
	v, err := record.DecodeJSON([]byte(body))
	if err != nil {
		w.Fatalf("%s: %v\n%s", path, err, body)
	}
	if results {
		for query, r := range v.(map[string]any) {
			above := 100.0
			for _, c := range r.(map[string]any)["result"].([]any) {
				c := c.(map[string]any)
				score, err := c["score"].(json.Number).Float64()
				if err != nil || score > above || score < 0 {
					w.Errorf("%s: score %v of %s is not sorted between 0 and 100", query, c["score"], c["id"])
				}
				above = score
				w.wantFeatures(query, c["features"].([]any))
				delete(c, "features")
				delete(c, "score")
			}
		}
	}
	var b bytes.Buffer
	if err := json.Indent(&b, record.Canonical(nil, v), "", " "); err != nil {
		w.Fatal(err)
	}
	return b.String()
}

// wantFeatures: each has its own id, and the fields sum to the weight.
func (w *world) wantFeatures(query string, features []any) {
	w.Helper()
	seen := map[string]float64{}
	sum := 0.0
	for _, f := range features {
		f := f.(map[string]any)
		id := f["id"].(string)
		if _, again := seen[id]; again {
			w.Errorf("%s: feature %s comes twice", query, id)
		}
		seen[id] = 0
		n, ok := f["value"].(json.Number)
		if !ok {
			continue // a level, or an identifier
		}
		value, err := n.Float64()
		if err != nil {
			w.Fatal(err)
		}
		seen[id] = value
		if id != "weight_bits" && id != "probability" {
			sum += value
		}
	}
	weight, weighed := seen["weight_bits"]
	if _, byID := seen["identifier"]; !byID && (!weighed || sum-weight > 0.002 || weight-sum > 0.002) {
		w.Errorf("%s: the fields weigh %v, together %v: %v", query, sum, weight, features)
	}
}

// idNames names golden ids in a conversation: GOLDEN(crm/company/1).
type idNames struct {
	*strings.Replacer
	names *strings.Replacer
}

func (n idNames) back(s string) string { return n.names.Replace(s) }

func (w *world) goldenIDs() idNames {
	w.Helper()
	var to, from []string
	for _, m := range w.everybody() {
		g, err := w.app.Store.GoldenOf(w.Context(), m.Ref)
		if err != nil {
			w.Fatal(err)
		}
		name := "GOLDEN(" + w.app.refName(m.Ref) + ")"
		to = append(to, name, g.ID)
		if !slices.Contains(from, g.ID) {
			from = append(from, g.ID, name)
		}
	}
	return idNames{strings.NewReplacer(to...), strings.NewReplacer(from...)}
}

// TestReconcileKeepsToItself: without the secret nothing is answered; who guesses
// has to wait.
func TestReconcileKeepsToItself(t *testing.T) {
	w, srv := office(t, "")
	for _, path := range []string{"/reconcile", "/reconcile/", "/reconcile/wrong", "/reconcile/wrong/preview?id=x"} {
		if got := w.ask(srv, http.MethodGet, path, "", ""); got.status != http.StatusNotFound && got.status != http.StatusUnauthorized || strings.Contains(got.body, reconcileSecret) {
			t.Errorf("%s answers %d %s", path, got.status, got.body)
		}
	}
	for range 6 {
		w.ask(srv, http.MethodGet, "/reconcile/wrong", "", "")
	}
	if got := w.ask(srv, http.MethodGet, "/reconcile/"+reconcileSecret, "", ""); got.status != http.StatusTooManyRequests {
		t.Errorf("after many guesses the service answers %d, want 429", got.status)
	}
	if strings.Contains(w.log.String(), reconcileSecret) {
		t.Error("the secret stands in the log")
	}
	off := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, ShowValues: true, LookUp: w.app}))
	defer off.Close()
	if got := w.ask(off, http.MethodGet, "/reconcile/"+reconcileSecret, "", ""); got.status != http.StatusNotFound || got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("without server.reconcile it answers %d with %v", got.status, got.header)
	}
}

// TestReconcileRefusesWhatItCannotRead with the place of the mistake.
func TestReconcileRefusesWhatItCannotRead(t *testing.T) {
	w, srv := office(t, "")
	many := map[string]any{}
	for i := range 101 {
		many[fmt.Sprint("q", i)] = map[string]string{"query": "x"}
	}
	tooMany, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	const form = "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		contentType, body string
		status            int
		field             string
	}{
		{form, "", 400, ""},
		{form, "queries=" + url.QueryEscape(`[]`), 400, ""},
		{form, "queries=" + url.QueryEscape(`{"q0": []}`), 400, "queries.q0"},
		{form, "queries=" + url.QueryEscape(`{"q0": {"type": "company"}}`), 400, "queries.q0"},
		{form, "queries=" + url.QueryEscape(`{"q0": {"query": ""}}`), 400, "queries.q0"},
		{form, "queries=" + url.QueryEscape(`{"q0": {"query": "x", "limit": 0}}`), 400, "queries.q0.limit"},
		{form, "queries=" + url.QueryEscape(`{"q0": {"query": "x", "type_strict": "never"}}`), 400, "queries.q0.type_strict"},
		{form, "queries=" + url.QueryEscape(`{"q0": {"query": "x", "properties": [{"p": "name", "v": "x"}]}}`), 400, "queries.q0.properties"},
		{form, "queries=" + url.QueryEscape(strings.Repeat(`{"a":`, 40)), 400, ""},
		{form, "queries=" + url.QueryEscape(string(tooMany)), 413, "queries"},
		{form, "queries=" + strings.Repeat("x", 4<<20), 413, ""},
		{form, "extend=" + url.QueryEscape(`{"ids": "x", "properties": []}`), 400, "extend.ids"},
		{form, "extend=" + url.QueryEscape(`{"ids": ["x"], "properties": [{}]}`), 400, "extend.properties[0].id"},
		{form, "extend=" + url.QueryEscape(`{"ids": ["x"], "properties": [{"id": "name", "settings": {"limit": "many"}}]}`), 400, "extend.properties[0].settings.limit"},
		{"application/json", `{"queries": {"q0": {"query": 5}}}`, 400, "queries.q0.query"},
		{"application/json", `{"queries": {"q0": {"query": "Redwood Analytics"}}}`, 200, ""},
	} {
		got := w.ask(srv, http.MethodPost, "/reconcile/"+reconcileSecret, tt.contentType, tt.body)
		var e struct{ Error struct{ Field, Text string } }
		if err := json.Unmarshal([]byte(got.body), &e); err != nil {
			t.Fatal(err)
		}
		short := tt.body[:min(len(tt.body), 120)]
		if got.status != tt.status || e.Error.Field != tt.field || got.status != 200 && e.Error.Text == "" {
			t.Errorf("%s: %d, field %q, %q; want %d and field %q", short, got.status, e.Error.Field, e.Error.Text, tt.status, tt.field)
		}
	}
	if got := w.ask(srv, http.MethodDelete, "/reconcile/"+reconcileSecret, "", ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE gives %d", got.status)
	}
	if got := w.ask(srv, http.MethodOptions, "/reconcile/"+reconcileSecret, "", ""); got.status != http.StatusNoContent || got.header.Get("Access-Control-Allow-Methods") != "GET, POST" {
		t.Errorf("OPTIONS gives %d with %v", got.status, got.header)
	}
}

// TestPreviewIsHarmless: a name that is HTML stays a text, in a frame in which
// nothing runs.
func TestPreviewIsHarmless(t *testing.T) {
	w, srv := office(t, "")
	id := w.goldenIDs().Replace("GOLDEN(crm/company/3)")
	got := w.ask(srv, http.MethodGet, "/reconcile/"+reconcileSecret+"/preview?id="+id, "", "")
	if got.status != 200 || strings.Contains(got.body, "<GmbH>") || !strings.Contains(got.body, "Bäcker &amp; Söhne &lt;GmbH&gt;") {
		t.Errorf("preview: %d %s", got.status, got.body)
	}
	policy := got.header.Get("Content-Security-Policy")
	if got.header.Get("X-Frame-Options") != "" || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors *") || strings.Contains(policy, "unsafe") {
		t.Errorf("preview comes with %v", got.header)
	}
	if _, err := html.Parse(strings.NewReader(got.body)); err != nil {
		t.Error(err)
	}
	fly := w.ask(srv, http.MethodGet, "/reconcile/"+reconcileSecret+"/flyout/entity?id="+id, "", "")
	if strings.Contains(fly.body, "<GmbH>") || strings.Contains(fly.body, "u003cGmbH") || !strings.Contains(fly.body, `\u0026lt;GmbH\u0026gt;`) {
		t.Errorf("flyout: %s", fly.body)
	}
	if page := w.ask(srv, http.MethodGet, "/", "", ""); page.header.Get("X-Frame-Options") != "DENY" || page.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("the pages may be framed or read from elsewhere: %v", page.header)
	}
}

// TestReconcileTellsTwoFromOne: two golden records that both seem the same are
// not matched without a person; an identifier is.
func TestReconcileTellsTwoFromOne(t *testing.T) {
	w, srv := office(t, "")
	id := w.goldenIDs().Replace("GOLDEN(crm/company/2)")
	q := fmt.Sprintf(`{"a":{"query":%q},"b":{"query":%q,"type":"person"},"c":{"query":"Redwood Analytics Ltd","type":["company","ship"],"type_strict":"all"}}`, id, id)
	got := w.ask(srv, http.MethodGet, "/reconcile/"+reconcileSecret+"?queries="+url.QueryEscape(q), "", "")
	var answers map[string]struct {
		Result []struct {
			ID    string
			Score float64
			Match bool
		}
	}
	if err := json.Unmarshal([]byte(got.body), &answers); err != nil {
		t.Fatal(err)
	}
	if r := answers["a"].Result; len(r) != 1 || r[0].ID != id || r[0].Score != 100 || !r[0].Match {
		t.Errorf("an identifier gives %+v", r)
	}
	if len(answers["b"].Result)+len(answers["c"].Result) != 0 {
		t.Errorf("a type that it has not gives %s", got.body)
	}
}

// TestMatchAPI: one question, many, and what is wrong with one.
func TestMatchAPI(t *testing.T) {
	w, srv := office(t, "")
	got := w.ask(srv, http.MethodPost, "/api/match", "application/json", `{"fields":{"name":"Redwood Analytics","phone":"020 7946 0001","country":"GB"}}`)
	if got.status != http.StatusForbidden {
		t.Errorf("a page elsewhere may ask: %d", got.status)
	}
	post := func(contentType, body string) reply {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/api/match", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		resp, err := srv.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return reply{resp.StatusCode, resp.Header, string(b)}
	}
	const js = "application/json; charset=utf-8"
	got = post(js, `{"fields":{"name":"Redwood Analytics","phone":"020 7946 0001","country":"GB"}}`)
	var one lookup.Answer
	if err := json.Unmarshal([]byte(got.body), &one); err != nil || got.status != 200 || len(one.Candidates) != 1 || one.Candidates[0].Verdict != lookup.Same {
		t.Errorf("one question: %d %s (%v)", got.status, got.body, err)
	}
	got = post(js, `{"queries":{"x":{"fields":{"name":"Redwood Analytics"}},"y":{"entity":"person","limit":1,"fields":{"full_name":"Ada Lovelace","emails":[{"value":"ada@example.com"}]}}}}`)
	var many struct{ Answers map[string]lookup.Answer }
	if err := json.Unmarshal([]byte(got.body), &many); err != nil || got.status != 200 || len(many.Answers) != 2 || many.Answers["y"].Candidates[0].Name != "Ada Lovelace" {
		t.Errorf("two questions: %d %s (%v)", got.status, got.body, err)
	}
	for _, tt := range []struct {
		contentType, body string
		status            int
		field             string
	}{
		{"text/plain", `{}`, 415, ""},
		{js, ``, 400, ""},
		{js, `{"fields":{"name":"x"}} {}`, 400, ""},
		{js, `{"fields":{}}`, 400, "fields"},
		{js, `{"fields":{"name":"  "}}`, 400, "fields"},
		{js, `{"entity":"ship","fields":{"name":"x"}}`, 400, "entity"},
		{js, `{"fields":{"phnoe":"1"}}`, 400, "fields.phnoe"},
		{js, `{"fields":{"name":["a"]}}`, 400, "fields.name"},
		{js, `{"fields":{"phones":["1",{"number":"2"}]}}`, 400, "fields.phones[1].number"},
		{js, `{"fields":{"addresses":[{"city":["x"]}]}}`, 400, "fields.addresses[0].city"},
		{js, `{"fields":{"name":"` + strings.Repeat("x", lookup.MaxValue+1) + `"}}`, 400, "fields.name"},
		{js, `{"fields":{"phones":[` + strings.Repeat(`"1",`, 60) + `"1"]}}`, 400, "fields.phones"},
		{js, `{"fields":{"name":"x"},"limit":51}`, 400, "limit"},
		{js, `{"fields":{"name":"x"},"limits":5}`, 400, "limits"},
		{js, `{"queries":{"x":{"fields":{"nme":"x"}}}}`, 400, "queries.x.fields.nme"},
		{js, `{"queries":{"x":5}}`, 400, "queries.x"},
		{js, `{"queries":{}}`, 400, "queries"},
		{js, `{"queries":{"x":{"fields":{"name":"x"}}},"limit":1}`, 400, "queries"},
		{js, strings.Repeat(`[`, 100), 400, ""},
		{js, `{"fields":{"name":"` + strings.Repeat("x", 2<<20) + `"}}`, 413, ""},
	} {
		got := post(tt.contentType, tt.body)
		var e struct {
			Error struct {
				Field, Text string
				Zh          string `json:"text_zh"`
			}
		}
		short := tt.body[:min(len(tt.body), 80)]
		if err := json.Unmarshal([]byte(got.body), &e); err != nil || got.status != tt.status || e.Error.Field != tt.field || e.Error.Text == "" || e.Error.Zh == "" {
			t.Errorf("%s: %d, %+v; want %d and field %q", short, got.status, e.Error, tt.status, tt.field)
		}
	}
	if got := w.ask(srv, http.MethodGet, "/api/match", "", ""); got.status != http.StatusMethodNotAllowed {
		t.Errorf("GET gives %d", got.status)
	}
	locked := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, ShowValues: true, LookUp: w.app, Token: "a-token-of-sixteen", Addresses: true}))
	defer locked.Close()
	srv = locked
	if got := post(js, `{"fields":{"name":"Redwood Analytics"}}`); got.status != http.StatusUnauthorized {
		t.Errorf("without the token: %d %s", got.status, got.body)
	}
	wantAudit(w, "read.match")
}

// wantAudit holds that what was shown stands in the audit trail: ids alone.
func wantAudit(w *world, what string) {
	w.Helper()
	id := w.goldenIDs().Replace("GOLDEN(crm/company/2)")
	if n, err := w.app.Store.Audited(w.Context(), what, id); err != nil || n != 1 {
		w.Errorf("%d entries %s of %s in the audit trail (%v), want 1", n, what, id, err)
	}
}

// TestWhyAPI: an explanation by HTTP says what Why says, in both languages, to
// whom the pages are shown, and is kept in the audit trail.
func TestWhyAPI(t *testing.T) {
	w, srv := office(t, "")
	type answer struct {
		Same    bool
		Decided string `json:"decided_by"`
		GoldenA string `json:"golden_a"`
		Pair    struct{ Parts []struct{ Field string } }
		Words   struct{ En, Zh []string }
		Error   struct{ Field, Text string }
	}
	ask := func(query string) (a answer, status int) {
		t.Helper()
		got := w.ask(srv, http.MethodGet, "/api/why?"+query, "", "")
		if err := json.Unmarshal([]byte(got.body), &a); err != nil {
			t.Fatalf("%s: %v: %s", query, err, got.body)
		}
		return a, got.status
	}
	refs := []string{"crm:2", "desk/company/8"}
	want, err := w.app.Why(t.Context(), refs[0], refs[1])
	if err != nil {
		t.Fatal(err)
	}
	got, status := ask(url.Values{"a": {refs[0]}, "b": {refs[1]}}.Encode())
	if status != 200 || got.Decided != want.Decided || got.Same != want.Same || got.GoldenA != want.GoldenA || len(got.Pair.Parts) != len(want.Pair.Parts) {
		t.Errorf("status %d, %+v; want %+v", status, got, want)
	}
	if len(got.Words.En) != len(want.Sentences("en")) || len(got.Words.Zh) == 0 {
		t.Errorf("words %+v", got.Words)
	}
	for query, field := range map[string]string{"": "a", "a=x": "b", "a=nobody&b=" + url.QueryEscape(refs[0]): ""} {
		if got, status := ask(query); status != 400 || got.Error.Text == "" || got.Error.Field != field {
			t.Errorf("%q: %d %+v, want 400 at %q", query, status, got.Error, field)
		}
	}
	hidden := httptest.NewServer(web.New(w.app, web.Options{Env: w.env, LookUp: w.app}))
	defer hidden.Close()
	if got := w.ask(hidden, http.MethodGet, "/api/why?a=x&b=y", "", ""); got.status != http.StatusForbidden {
		t.Errorf("where no values are shown it answers %d", got.status)
	}
}
