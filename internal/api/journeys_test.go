package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"touchstone/internal/api"
	"touchstone/internal/auth"
)

const queued = `
sources:
  crm:
    type: file
    path: crm.csv
    entities:
      company: {id: record.id, map: {name: record.name, address: {city: record.city}, employees: record.size}}
  desk:
    type: file
    path: desk.csv
    entities:
      company: {id: record.id, map: {name: record.name, address: {city: record.city}}}
entities:
  company:
    match: {link: 0.9999999999, review: 0.2}
`

// waiting is an installation in which three pairs and two bad records wait.
func waiting() map[string]string {
	return map[string]string{
		"touchstone.yaml": queued,
		"crm.csv":         "id,name,city,size\nc0,Quarry Bakery Ltd,Leeds,1\nc1,Zenith Optics Ltd,Leeds,2\nc2,Lantern Timber Ltd,Leeds,3\nc3,Harbour Glass Ltd,Leeds,many\nc4,Meadow Tiles Ltd,Leeds,many\n",
		"desk.csv":        "id,name,city\nd0,Quarry Bakery Ltd,Leeds\nd1,Zenith Optics Ltd,Leeds\nd2,Lantern Timber Ltd,Leeds\n",
	}
}

// post sends a body and wants a status.
func (c *client) post(status int, path, body string, header ...string) map[string]any {
	c.t.Helper()
	r := c.do("POST", api.Path+path, body, header...)
	if r.status != status {
		c.t.Fatalf("POST %s %s: %d %s, want %d", path, body, r.status, r.text, status)
	}
	return r.body
}

func (c *client) items(path string) []map[string]any {
	c.t.Helper()
	r := c.get(api.Path + path)
	list, ok := r.body["items"].([]any)
	if !ok {
		c.t.Fatalf("GET %s has no items: %s", path, r.text)
	}
	out := make([]map[string]any, len(list))
	for i, v := range list {
		out[i] = v.(map[string]any)
	}
	return out
}

func TestReviewsAreAnsweredAsTheyWereSeen(t *testing.T) {
	eachOf(t, waiting(), func(t *testing.T, c *client) {
		list := c.items("/reviews")
		if len(list) != 3 || len(c.items("/reviews?kind=veto")) != 0 || len(c.items("/reviews?text=quarry&order=name")) != 1 {
			t.Fatalf("the queue: %v", list)
		}
		first := c.get(api.Path + "/reviews?limit=1")
		if next := c.items("/reviews?limit=1&after=" + first.body["next"].(string)); len(next) != 1 || next[0]["id"] != list[1]["id"] {
			t.Errorf("behind the first pair: %v, want %v", next, list[1]["id"])
		}
		id := list[0]["id"].(string)
		c.post(204, "/reviews/"+id+"/note", `{"text": "asked them"}`)
		c.post(204, "/reviews/"+id+"/assign", `{"to": "bob"}`)
		c.post(204, "/reviews/"+list[1]["id"].(string)+"/skip", fmt.Sprintf(`{"until": %q}`, time.Now().AddDate(0, 1, 0).Format(time.RFC3339)))
		c.post(204, "/reviews/"+list[1]["id"].(string)+"/skip", `{}`)
		work := c.get(api.Path + "/reviews/" + id).body["work"].(map[string]any)
		if notes := work["notes"].([]any); len(notes) != 1 || work["open"] != true || work["item"].(map[string]any)["assigned"] != "bob" {
			t.Errorf("what was done about the pair: %v", work)
		}
		if got := c.post(200, "/reviews/"+id+"/answer", `{"answer": "same", "seen": "something else"}`); got["state"] != "changed" {
			t.Errorf("an answer to what stood there before: %v", got)
		}
		if effect := c.get(api.Path + "/reviews/" + id + "/effect").body; len(effect["customers"].([]any)) != 2 {
			t.Errorf("effect: %v", effect)
		}
		done := c.post(200, "/reviews/"+id+"/answer", fmt.Sprintf(`{"answer": "same", "seen": %q}`, work["seen"]))
		if done["state"] != "decided" {
			t.Fatalf("answer: %v", done)
		}
		c.settle()
		decision := c.get(api.Path + "/decisions/" + done["decision"].(string)).body
		if len(decision["certificates"].([]any)) == 0 || len(decision["customers"].([]any)) != 1 {
			t.Errorf("the decision: %v", decision)
		}
		undo := c.post(200, "/decisions/"+done["decision"].(string)+"/undo/preview", `{}`)
		if undo["act"] != "undo" || len(undo["moves"].([]any)) != 1 {
			t.Errorf("the undo would do: %v", undo)
		}
		if left := c.items("/reviews"); len(left) != 2 {
			t.Errorf("%d pairs wait after the answer, want 2", len(left))
		}
	})
}

func TestPreviewsChangeNothing(t *testing.T) {
	eachOf(t, waiting(), func(t *testing.T, c *client) {
		merge := `{"a": "crm:c0", "b": "desk:d0"}`
		p := c.post(200, "/decisions/merge/preview", merge)
		if len(p["customers"].([]any)) != 2 || len(p["moves"].([]any)) != 1 || len(c.items("/decisions")) != 0 {
			t.Errorf("merge: %v", p)
		}
		c.post(200, "/decisions/merge", merge)
		c.settle()
		p = c.post(200, "/decisions/split/preview", `{"from": "crm:c0", "records": ["desk:d0"], "over": true}`)
		if len(p["moves"].([]any)) != 1 || len(c.items("/decisions")) != 1 {
			t.Errorf("split: %v", p)
		}
	})
}

func TestBulkAnswersByAPI(t *testing.T) {
	eachOf(t, waiting(), func(t *testing.T, c *client) {
		p := c.post(200, "/bulk/preview", `{"answer": "same"}`)
		if p["pairs"] != 3. || p["customers"] != 6. {
			t.Fatalf("preview: %v", p)
		}
		c.post(422, "/bulk", `{"answer": "same", "token": "x", "why": "one list"}`)
		job := c.post(200, "/bulk", fmt.Sprintf(`{"answer": "same", "token": %q, "why": "one list"}`, p["token"]))
		at := "/bulk/" + job["id"].(string)
		if got := c.post(200, at+"/stop", `{}`); got["state"] != "stopped" {
			t.Errorf("stopped: %v", got)
		}
		c.post(200, at+"/resume", `{}`)
		if err := c.app.WorkBulk(t.Context(), job["id"].(string), nil); err != nil {
			t.Fatal(err)
		}
		c.settle()
		if got := c.get(api.Path + at).body; got["state"] != "done" || got["decided"] != 3. || len(c.customers()) != 3 || len(c.items("/bulk")) != 1 {
			t.Errorf("at its end: %v", got)
		}
		c.post(200, at+"/undo", `{}`)
		c.settle()
		if waits := c.items("/reviews"); len(waits) != 3 {
			t.Errorf("%d pairs wait after the undo, want 3", len(waits))
		}
	})
}

func TestRecordsAreMendedByAPI(t *testing.T) {
	eachOf(t, waiting(), func(t *testing.T, c *client) {
		rows, faults := c.items("/quarantine"), c.items("/faults")
		if len(rows) != 2 || len(faults) != 1 || faults[0]["n"] != 2. {
			t.Fatalf("%d records wait with faults %v, want 2 with one", len(rows), faults)
		}
		fault := faults[0]["fault"].(string)
		one := "/quarantine/" + rows[0]["id"].(string)
		shown := c.get(api.Path + one).body
		if raw := shown["raw"].(string); !strings.Contains(raw, "many") {
			t.Errorf("the record as it came: %s", raw)
		}
		problem := shown["problems"].([]any)[0].(map[string]any)
		typed := fmt.Sprintf(`{"field": %q, "remedy": "typed", "value": %%q, "why": "asked"}`, problem["field"])
		c.post(422, one+"/repair", fmt.Sprintf(typed, "some"))
		mended := c.post(200, one+"/repair", fmt.Sprintf(typed, "12"))
		if mended["passes"] != true || len(c.items("/quarantine")) != 1 {
			t.Errorf("mended: %v", mended)
		}
		c.post(200, "/acts/"+mended["decision"].(string)+"/undo", `{}`)
		if n := len(c.items("/quarantine?fault=" + fault)); n != 2 {
			t.Fatalf("%d records wait after the undo, want 2", n)
		}
		remedy := c.get(api.Path + "/faults/" + fault).body["remedy"]
		all := c.post(200, "/faults/"+fault+"/repair", fmt.Sprintf(`{"remedy": %q}`, remedy))
		if all["repaired"] != 2. || all["after"] != "" || len(c.items("/quarantine")) != 0 {
			t.Errorf("all of them: %v", all)
		}
		c.post(200, "/acts/"+all["decision"].(string)+"/undo", `{}`)
		let := c.post(200, one+"/release", `{"why": "as it is"}`)
		if len(c.items("/quarantine")) != 1 {
			t.Error("the released record waits")
		}
		c.post(200, "/acts/"+let["decision"].(string)+"/undo", `{}`)
		if len(c.items("/quarantine")) != 2 {
			t.Error("the release is not taken back")
		}
	})
}

func TestRelationsByAPI(t *testing.T) {
	eachOf(t, waiting(), func(t *testing.T, c *client) {
		d := c.post(200, "/relations", `{"from": "crm:c1", "kind": "branch_of", "to": "crm:c0", "since": "2020-01-01", "why": "told"}`)
		of := c.items("/customers/crm:c0/related")
		if len(of) != 1 || of[0]["decision"] != d["decision"] {
			t.Fatalf("relations: %v", of)
		}
		if nodes := c.get(api.Path + "/customers/crm:c1/group").body["nodes"].([]any); len(nodes) != 2 || nodes[1].(map[string]any)["name"] != "Zenith Optics Ltd" {
			t.Errorf("the group: %v", nodes)
		}
		if people := c.get(api.Path + "/customers/crm:c0/people").body["people"].([]any); len(people) != 0 {
			t.Errorf("people: %v", people)
		}
		c.post(200, "/relations/"+d["decision"].(string)+"/end", `{"until": "2021-12-31"}`)
		if of := c.items("/customers/crm:c0/related"); len(of) != 1 || of[0]["over"] != true {
			t.Errorf("after its end: %v", of)
		}
		c.get(api.Path + "/proposals")
		c.post(422, "/proposals/refuse", `{"names": ["nothing"]}`)
	})
}

// help is a system that keeps one company and what was written to it.
type help struct {
	mu      sync.Mutex
	company map[string]any
	refuse  bool
	wrote   []string
}

func (h *help) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	var answer any = h.company
	switch {
	case r.URL.Path == "/companies":
		answer = map[string]any{"items": []any{h.company}}
	case r.Method == http.MethodPatch && h.refuse:
		w.WriteHeader(http.StatusUnprocessableEntity)
		answer = map[string]any{"error": map[string]any{"message": "no"}}
	case r.Method == http.MethodPatch:
		var patch map[string]any
		if json.NewDecoder(r.Body).Decode(&patch) == nil {
			for k, v := range patch {
				h.company[k] = v
				h.wrote = append(h.wrote, fmt.Sprint(k, "=", v))
			}
		}
	}
	_ = json.NewEncoder(w).Encode(answer) // the test sees what did not arrive
}

const helped = `
sources:
  help:
    type: rest
    base_url: "URL"
    auth: {type: bearer, token: token-of-help}
    streams:
      company:
        list: {path: /companies, records: 'body.items'}
        id: 'record.id'
        read: {path: '/companies/{{ id }}', record: 'body'}
        update: {method: PATCH, path: '/companies/{{ id }}', record: 'body'}
        success: 'body.error == nil'
    error_handler:
      - {status: 422, class: rejected}
    entities:
      company: {map: {name: 'record.name', phone: 'record.phone'}}
entities: {company: {}}
targets:
  help:
    system: help
    entity: company
    policy: update_only
    owns: [phone]
    map: {phone: 'golden.phones[0].value'}
    brake: 100%
    approve: person
`

func TestPlansAndConflictsByAPI(t *testing.T) {
	h := &help{}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	eachOf(t, map[string]string{"touchstone.yaml": strings.Replace(helped, "URL", server.URL, 1)}, func(t *testing.T, c *client) {
		h.mu.Lock()
		h.company, h.wrote, h.refuse = map[string]any{"id": "h1", "name": "Alpha Widgets Ltd", "phone": "+44 20 7946 0001"}, nil, true
		h.mu.Unlock()
		c.settle()
		c.post(200, "/decisions/pin", `{"golden": "help:h1", "field": "phones", "value": "+44 20 7946 0009"}`)
		c.settle()
		if list := c.items("/plans"); len(list) != 1 || list[0]["waiting"] != 1. || list[0]["first"] != true {
			t.Fatalf("plans: %v", list)
		}
		c.post(422, "/plans/help/refuse", `{"field": "phone", "upto": 0}`)
		if got := c.post(200, "/plans/help/refuse", `{"field": "phone", "upto": 0, "why": "not yet"}`); got["more"] != false {
			t.Errorf("refused: %v", got)
		}
		rows := c.get(api.Path + "/plans/help?refused=true").body["rows"].([]any)
		if len(rows) != 1 {
			t.Fatalf("refused rows: %v", rows)
		}
		c.post(204, "/writes/"+rows[0].(map[string]any)["id"].(string)+"/unrefuse", `{}`)
		c.post(204, "/plans/help/stop", `{"why": "look first"}`)
		if p := c.get(api.Path + "/plans/help").body; p["stopped"] != true || p["stopped_by"] != "amy" {
			t.Errorf("stopped: %v", p)
		}
		c.post(204, "/plans/help/go", `{}`)
		c.settle() // it is planned again
		// There is one address that approves: it asks for the brake.
		c.post(404, "/targets/help/approve", `{"upto": 0}`)
		c.post(204, "/plans/help/approve", `{"upto": 0, "brake": true, "why": "looked at it"}`)
		c.settle()
		stuck := c.get(api.Path + "/conflicts?view=rejected").body["rows"].([]any)
		if len(stuck) != 1 {
			t.Fatalf("rejected: %v", stuck)
		}
		h.mu.Lock()
		h.refuse = false
		h.mu.Unlock()
		settled := c.post(200, "/conflicts/settle", `{"state": "rejected", "drop": true}`)
		if settled["rows"] != 1. {
			t.Errorf("dropped: %v", settled)
		}
		c.post(200, "/acts/"+settled["undo"].(string)+"/undo", `{}`)
		row := "/conflicts/" + stuck[0].(map[string]any)["id"].(string) + "/settle"
		if typed := c.post(200, row, `{"how": "typed", "path": "phone", "value": "0044 20 7946 0011"}`); typed["taken_as"] != "+442079460011" || typed["decisions"] != 1. {
			t.Errorf("typed: %v", typed)
		}
		c.settle()
		h.mu.Lock()
		defer h.mu.Unlock()
		if !slices.Equal(h.wrote, []string{"phone=+442079460011"}) {
			t.Errorf("written: %q, want the phone alone", h.wrote)
		}
	})
}

func TestAccountsByAPI(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		token := []string{"Authorization", "Bearer of-the-test"}
		ann := `{"login": "ann", "role": "steward"}`
		c.post(403, "/accounts", ann)
		if got := c.post(200, "/accounts", ann, token...); len(got["password"].(string)) < 12 {
			t.Error("no password is given")
		}
		c.post(422, "/accounts", ann, token...)
		c.post(422, "/tokens", `{"name": "x", "login": "ann", "scopes": ["accounts"]}`, token...)
		given := c.post(200, "/tokens", `{"name": "sync", "login": "ann", "scopes": ["see"], "days": 3}`, token...)["token"].(string)
		if who, ok, err := c.app.People().Bearer(t.Context(), given); err != nil || !ok || !who.May(auth.See) || who.May(auth.Decide) {
			t.Errorf("the token opens %v, %v, %v", who, ok, err)
		}
		list := c.get(api.Path + "/tokens")
		if strings.Contains(list.text, given) {
			t.Error("the list of tokens gives them away")
		}
		c.post(204, "/tokens/"+list.body["items"].([]any)[0].(map[string]any)["id"].(string)+"/revoke", `{}`, token...)
		if _, ok, err := c.app.People().Bearer(t.Context(), given); ok || err != nil {
			t.Errorf("the revoked token opens: %v, %v", ok, err)
		}
		c.post(200, "/accounts/ann/password", `{}`, token...)
		c.post(204, "/accounts/ann", `{"state": "disabled"}`, token...)
		if p := c.get(api.Path + "/accounts/ann").body; p["state"] != "disabled" || p["role"] != "steward" {
			t.Errorf("ann: %v", p)
		}
		for _, login := range []string{"eve", "anna", "bob"} {
			c.post(200, "/accounts", `{"login": "`+login+`", "role": "viewer"}`, token...)
		}
		logins := func(query string) (list []string, next any) {
			t.Helper()
			page := c.get(api.Path + "/accounts" + query).body
			for _, x := range page["items"].([]any) {
				list = append(list, x.(map[string]any)["login"].(string))
			}
			return list, page["next"]
		}
		for query, want := range map[string][]string{"": {"ann", "anna", "bob", "eve"}, "?limit=2": {"ann", "anna"}, "?limit=2&after=anna": {"bob", "eve"}, "?q=ANN": {"ann", "anna"}, "?q=nobody": nil} {
			if got, next := logins(query); !slices.Equal(got, want) || (next == "anna") != (query == "?limit=2") {
				t.Errorf("accounts%s: %v and next %v, want %v", query, got, next, want)
			}
		}
		// Who may do little cannot make somebody who may more.
		c.actor.Only = []auth.Permission{auth.Accounts}
		c.post(403, "/accounts", `{"login": "eve", "role": "admin"}`, token...)
		c.post(403, "/accounts/ann/password", `{}`, token...)
		c.post(403, "/tokens", `{"name": "x", "role": "admin"}`, token...)
		c.post(200, "/tokens", `{"name": "x", "role": "admin", "scopes": ["accounts"]}`, token...)
	})
}

func TestRunsQualityAndAuditByAPI(t *testing.T) {
	each(t, func(t *testing.T, c *client) {
		runs := c.items("/runs?source=erp")
		if len(runs) != 1 || runs[0]["state"] != "done" || runs[0]["pulled"] != 3. {
			t.Fatalf("runs: %v", runs)
		}
		if got := c.get(api.Path + "/runs/" + runs[0]["id"].(string)).body; got["source"] != "erp" {
			t.Errorf("one run: %v", got)
		}
		c.post(422, "/sources/erp/run", `{}`) // no daemon runs here
		c.get(api.Path + "/levels")
		c.get(api.Path + "/quality")
		c.get(api.Path + "/quality/trend?days=7")
		c.get(api.Path + "/customers")
		looks := c.items("/audit?what=read.customers")
		if len(looks) != 1 || looks[0]["who"] != "amy" {
			t.Errorf("the look at customers in the trail: %v", looks)
		}
		c.get(api.Path + "/customers/desk:89/totals")
		c.get(api.Path + "/customers/desk:89/related")
		gamma := fmt.Sprint([]any{c.customers()["Gamma Foods Inc"]})
		for _, what := range []string{"read.events", "read.customer"} {
			looks := c.items("/audit?what=" + what)
			if len(looks) != 1 || fmt.Sprint(looks[0]["subjects"]) != gamma {
				t.Errorf("a look at desk:89 is kept as %v, want one %s of %s", looks, what, gamma)
			}
		}
		if s := c.get(api.Path + "/audit/state").body; s["open"] == nil {
			t.Errorf("state: %v", s)
		}
	})
}
