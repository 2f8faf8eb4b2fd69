package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// narrowDesk is a system with an object for a customer in reach and one for a
// customer out of it. What it refuses it says with a canary.
type narrowDesk struct {
	mu      sync.Mutex
	objects []map[string]any
	refuse  bool
}

func newNarrowDesk(t *testing.T) (*narrowDesk, string) {
	t.Helper()
	d := &narrowDesk{objects: []map[string]any{
		{"id": "d1", "name": "Quagga Nearly Desk Ltd", "employees": 70011, "url": "quaggaweb-desk.example.com", "country": "CN"},
		{"id": "d2", "name": "Zebra Farther Desk GmbH", "employees": 80022, "url": "zebraweb-desk.example.com", "country": "DE"},
	}}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return d, server.URL
}

func (d *narrowDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/companies" {
		_ = json.NewEncoder(w).Encode(map[string]any{"items": d.objects}) // the test sees what did not arrive
		return
	}
	if items, list := map[string][]map[string]any{"/tickets": narrowTickets(), "/shelf": {}}[r.URL.Path]; list {
		_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
		return
	}
	for i, o := range d.objects {
		if r.URL.Path != "/companies/"+o["id"].(string) {
			continue
		}
		if r.Method == http.MethodPatch && d.refuse {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": []string{"nearanswer", "faranswer"}[i]}})
			return
		}
		if r.Method == http.MethodPatch {
			var patch map[string]any
			if json.NewDecoder(r.Body).Decode(&patch) == nil {
				for k, v := range patch {
					o[k] = v
				}
			}
		}
		_ = json.NewEncoder(w).Encode(o)
		return
	}
	http.NotFound(w, r)
}

// narrowTargets have the desk as a target.
const narrowTargets = `targets:
  desk:
    system: desk
    entity: company
    policy: update_only
    owns: [employees, url]
    map: {employees: golden.employees, url: golden.website}
    brake: 100%
    approve: auto
`

// narrowDeskSource is the desk as a source; DESK stands for its address.
const narrowDeskSource = `  desk:
    type: rest
    base_url: "DESK"
    auth: {type: bearer, token: token-of-desk}
    streams:
      company:
        list: {path: /companies, records: 'body.items'}
        id: 'record.id'
        read: {path: '/companies/{{ id }}', record: 'body'}
        update: {method: PATCH, path: '/companies/{{ id }}', record: 'body'}
        success: 'body.error == nil'` + narrowTicketStream + `
    error_handler:
      - {status: 422, class: rejected}` + narrowTicketEvents + `
    entities:
      company: {map: {name: 'record.name', employees: 'record.employees', website: 'record.url', country: 'record.country'}}`

// stick has writes delivered that replaced values, and others refused, in reach and
// out of it; and new versions of customers' records in quarantine.
func (w *narrowWorld) stick() {
	w.Helper()
	ctx := w.Context()
	pin := func(of, field, value, why string) {
		w.Helper()
		_, err := w.app.Pin(ctx, app.PinRequest{Golden: of, Field: field, Value: value}, app.By{Who: "ann", Why: why, Over: true})
		w.must(err)
	}
	near, err := w.app.Merge(ctx, "near/company/n1", "desk/company/d1", app.By{Who: "ann", Why: "nearmerge"})
	w.must(err)
	far, err := w.app.Merge(ctx, "far/company/f1", "desk/company/d2", app.By{Who: "ann", Why: "farmerge"})
	w.must(err)
	w.ids["decision"] = append([]string{near.Decision}, append(w.ids["decision"], far.Decision)...)
	w.settle()
	w.settle()
	w.desk.mu.Lock()
	w.desk.refuse = true
	w.desk.mu.Unlock()
	pin("near/company/n1", "employees", "1778", "nearwhy")
	pin("far/company/f1", "employees", "3889", "farwhy")
	w.write("near.csv", strings.NewReplacer("okapi.example.com,,,,,CN", "okapi.example.com,,,NEARDARK,,CN", "okraweb.example.com,,,,,CN", "okraweb.example.com,,,,NEARLATE,CN").Replace(nearTable))
	w.write("far.csv", strings.Replace(farTable, "ZUBRATAX88,,,DE", "ZUBRATAX88,,FARLATE,DE", 1))
	w.settle()
	w.settle()
	w.pass(pin)
	for i, state := range []string{store.Rejected, store.Delivered} {
		rows, err := w.app.Store.Rows(ctx, "desk", state, 0, 100)
		w.must(err)
		var in, out []string
		for _, r := range rows {
			if r.ExternalID == "d1" {
				in = append(in, r.ID)
			} else {
				out = append(out, r.ID)
			}
		}
		if len(in) == 0 || len(out) == 0 {
			w.Fatalf("%s: %d rows in reach, %d out of it, want both:\n%s", state, len(in), len(out), w.rowsText())
		}
		w.ids[[]string{"row", "delivered"}[i]] = []string{in[0], out[0]}
	}
}

// pass hands customers over, and begins bulk answers, in reach and out of it.
func (w *narrowWorld) pass(pin func(of, field, value, why string)) {
	w.Helper()
	pin("near/company/n6", "owner", "nearowner", "nearwhy")
	pin("far/company/f3", "owner", "farowner", "farwhy")
	w.settle()
	for _, x := range [][3]string{{"nearowner", "nearheir", "nearwhy"}, {"farowner", "farheir", "farwhy"}} {
		id, err := w.app.HandOver(w.Context(), web.HandoverQuery{Entity: "company", From: x[0], To: x[1]}, "", web.By{Who: "ann", Why: x[2]})
		w.must(err)
		w.ids["handover"] = append(w.ids["handover"], id)
	}
	w.settle()
	lin := auth.With(w.Context(), auth.Actor{ID: "lin", Role: auth.Steward, Scopes: []string{"near"}})
	for _, x := range []struct {
		ctx    context.Context
		source string
		why    string
	}{{lin, "", "nearwhy"}, {w.Context(), "far", "farwhy"}} {
		q := web.ReviewQuery{Source: x.source, Me: "ann"}
		plan, err := w.app.PreviewBulk(x.ctx, q, web.AnswerApart)
		w.must(err)
		job, err := w.app.StartBulk(x.ctx, q, web.AnswerApart, plan.Token, web.By{Who: "ann", Why: x.why})
		w.must(err)
		w.ids["bulk"] = append(w.ids["bulk"], job.ID)
	}
}

// rowsText is what stands in the outbox, for a failure.
func (w *narrowWorld) rowsText() string {
	text := ""
	for _, state := range []string{store.Pending, store.Delivered, store.Rejected, store.Conflicted, store.Dead, store.Superseded} {
		rows, err := w.app.Store.Rows(w.Context(), "", state, 0, 1000)
		w.must(err)
		for _, r := range rows {
			text += fmt.Sprintln(r.ID, r.Op, r.ExternalID, r.State, r.Error, len(r.Fields))
		}
	}
	return text
}

func (w *narrowWorld) write(name, text string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// faults finds what waits in quarantine: those in reach first.
func (w *narrowWorld) faults() {
	w.Helper()
	ctx := w.Context()
	q, err := w.app.QuarantinePage(ctx, web.QuarantineFilter{Limit: 20})
	w.must(err)
	of := map[string]string{}
	for _, r := range q.Rows {
		of[r.Source+" "+r.Record] = r.ID
	}
	for _, name := range []string{"near n6", "near n5", "near n3", "far f3", "far f4"} {
		if of[name] == "" {
			w.Fatalf("in quarantine are %v: %s is not among them", of, name)
		}
		w.ids["quarantine"] = append(w.ids["quarantine"], of[name])
		r, err := w.app.QuarantineRecord(ctx, of[name])
		w.must(err)
		w.ids["fault"] = append(w.ids["fault"], r.Problems[0].Fault)
	}
}
