package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// narrowTickets are what happened to customers: one of a customer in reach, one of a
// customer out of it.
func narrowTickets() []map[string]any {
	return []map[string]any{
		{"id": "t1", "near": "n1", "at": "2024-05-06T07:08:09Z", "subject": "darkticket of Quagga", "amount": "61234.56", "currency": "CNY", "status": "nearstatus", "channel": "nearchannel", "note": "darkpayload"},
		{"id": "t2", "far": "f1", "at": "2024-05-06T07:08:09Z", "subject": "farticket of Zebra", "amount": "73456.78", "currency": "EUR", "status": "farstatus", "channel": "farchannel", "note": "farpayload"},
	}
}

// narrowTicketStream reads them; it belongs below the desk's streams, and
// narrowTicketEvents below the desk.
const (
	narrowTicketStream = `
      ticket:
        list: {path: /tickets, records: 'body.items'}
        id: 'record.id'`
	narrowTicketEvents = `
    events:
      ticket:
        id: record.id
        of: [{source: near, entity: company, id: record.near}, {source: far, entity: company, id: record.far}]
        at: record.at
        map: {subject: record.subject, amount: record.amount, currency: record.currency, status: record.status, channel: record.channel, note: record.note}`
)

// narrowShelf is a system with nothing in it yet, and narrowShelfTarget what waits to
// be written there first: all customers, with a masked field.
const (
	narrowShelf = `
  shelf:
    type: rest
    base_url: "DESK"
    auth: {type: bearer, token: token-of-shelf}
    streams:
      company:
        list: {path: /shelf, records: 'body.items'}
        id: 'record.id'
        read: {path: '/shelf/{{ id }}', record: 'body'}
        create: {method: POST, path: /shelf, external_key: key, record: 'body'}
        update: {method: PATCH, path: '/shelf/{{ id }}', record: 'body'}
        success: 'body.error == nil'
    entities:
      company: {map: {name: 'record.title'}}`
	narrowShelfTarget = `  shelf:
    system: shelf
    entity: company
    policy: create_only
    map: {title: golden.name, site: golden.website}
`
)

// narrowView is a view that somebody shares: whoever is narrowed is not shown it.
const narrowView = "sharedview"

// behindScenes makes what no customer's page shows: writes that wait for the first
// approval, two of them refused, a run with what it said, a shared view, a trial.
func (w *narrowWorld) behindScenes() {
	w.Helper()
	ctx := w.Context()
	rows, err := w.app.Store.Rows(ctx, "shelf", store.Pending, 0, 100)
	w.must(err)
	names := ""
	for _, r := range rows {
		names += string(r.Fields["title"]) + " "
	}
	if len(held(names, []string{"quagga nearly", "zebra farther"})) != 2 {
		w.Fatalf("%d writes wait for the first approval, of %s: want those of customers in reach and out of it", len(rows), names)
	}
	_, err = w.app.Store.RefusePart(ctx, store.PlanFilter{Target: "shelf"}, "ann", "planrefusal", 2)
	w.must(err)
	runs, err := w.app.Runs(ctx, web.RunFilter{Limit: 50})
	w.must(err)
	for _, r := range runs.Rows {
		w.must(w.app.Store.SayRun(ctx, r.ID, "warn", "farrunline: record f4 was skipped"))
		w.ids["run"] = append(w.ids["run"], r.ID)
	}
	for _, page := range []string{"customers", "review", "quarantine"} {
		w.must(w.app.SaveView(ctx, page, web.View{Who: "bob", Name: narrowView, Query: "q=zebra+farther", Shared: true}))
	}
	trial, err := w.app.AskTrial(ctx, web.TrialAsked{Entity: "company", Link: 0.97, Review: 0.5}, web.By{Who: "ann", Why: "fartrial"})
	w.must(err)
	w.ids["trial"] = []string{trial}
}

// TestCountsAreTheirs: what a scope's steward is told while a page stands, of runs and
// of quality is of their customers, and no count of all is among it.
func TestCountsAreTheirs(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		w := narrowOf(t, dsn)
		page := func(name, path string) string {
			status, text := w.ask(w.tokens["steward "+name], http.MethodGet, path, "")
			if status != http.StatusOK {
				t.Errorf("GET %s, %s: %d, want 200", path, name, status)
			}
			return text
		}
		live := func(name string) (counts map[string]string) {
			_, data, _ := strings.Cut(page(name, "/live"), "data: ")
			data, _, _ = strings.Cut(data, "\n")
			if err := json.Unmarshal([]byte(data), &counts); err != nil {
				t.Fatalf("%v: %.300s", err, data)
			}
			return counts
		}
		all, theirs, masked := live("whole"), live("scoped"), live("both")
		in := 0
		for _, p := range w.pairsWithin() {
			if p {
				in++
			}
		}
		want := map[string]string{"review": strconv.Itoa(in), "quarantine": "2", "conflicts": "0"}
		for name, n := range want {
			if theirs[name] != n || masked[name] != n {
				t.Errorf("%s: %q are told who reaches some, %q with a mask too, want %q; of all there are %q", name, theirs[name], masked[name], n, all[name])
			}
		}
		if all["review"] == theirs["review"] || all["quarantine"] == theirs["quarantine"] || all["waiting.shelf"] == "" {
			t.Errorf("of all %v is told, which is what is told of some: %v", all, theirs)
		}
		for name := range theirs {
			if _, told := want[name]; !told && name != "runs" {
				t.Errorf("%s is told to who reaches some: %v", name, theirs)
			}
		}

		var q struct {
			Within   bool
			Records  int
			Entities []struct {
				Fields  []string
				Sources []struct {
					Source string
					Score  struct{ Records int }
				}
			}
		}
		if _, tail, _ := strings.Cut(page("both", "/api/v1/quality"), "]{"); json.Unmarshal([]byte("{"+tail), &q) != nil || !q.Within || len(q.Entities) != 1 {
			t.Fatalf("quality: %.500s", tail)
		}
		counted := map[string]int{}
		for _, s := range q.Entities[0].Sources {
			counted[s.Source] = s.Score.Records
		}
		if counted["near"] != 4 || counted["desk"] != 1 || counted["far"] != 0 || q.Records != 5 {
			t.Errorf("counted are %v of %d, want the 4 of near and 1 of desk that belong to customers in reach", counted, q.Records)
		}
		for _, f := range q.Entities[0].Fields {
			if f == "ids" || f == "website" || f == "phones" || f == "emails" || f == "revenue" {
				t.Errorf("%s is counted for who does not see it", f)
			}
		}
	})
}

// pairsWithin says of each open pair whether both its customers are in reach.
func (w *narrowWorld) pairsWithin() map[string]bool {
	w.Helper()
	theirs := map[string]bool{}
	for _, ref := range []string{"n1", "n2", "n5", "n6"} {
		id, err := w.app.GoldenID(w.Context(), "near/company/"+ref)
		w.must(err)
		theirs[id] = true
	}
	pairs, err := w.app.OpenPairs(w.Context(), web.ReviewQuery{Limit: 50})
	w.must(err)
	out := map[string]bool{}
	for _, p := range pairs.Items {
		out[p.ID] = theirs[p.A.Golden] && theirs[p.B.Golden]
	}
	return out
}
