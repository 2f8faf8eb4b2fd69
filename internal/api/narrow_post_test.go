package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"touchstone/internal/api"
	"touchstone/internal/app"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// standing is everything that an act could change, as one text.
func (w *narrowWorld) standing() string {
	w.Helper()
	ctx := w.Context()
	list, err := w.app.Decisions(ctx, "", 0, 1000)
	w.must(err)
	text := w.rowsText()
	for _, d := range list {
		text += fmt.Sprintln(d.ID, d.Kind, d.State, d.Rulings)
	}
	for _, state := range []string{"open", "released", "mended", "superseded"} {
		rows, err := w.app.Store.Quarantines(ctx, store.QuarantineQuery{State: state, Limit: 100})
		w.must(err)
		for _, q := range rows {
			text += fmt.Sprintln(q.ID, q.State, q.Why)
		}
	}
	jobs, err := w.app.BulkJobs(ctx, 100)
	w.must(err)
	for _, j := range jobs {
		text += fmt.Sprintln(j.ID, j.State, j.Decided)
	}
	return text
}

// try posts as a steward of the scope, with masks or without.
func (w *narrowWorld) try(name, path, body string) (int, map[string]any) {
	w.Helper()
	status, text := w.ask(w.tokens["steward "+name], http.MethodPost, path, body)
	var answer map[string]any
	if _, tail, found := strings.Cut(text, "]{"); found { // behind the headers
		_ = json.Unmarshal([]byte("{"+tail), &answer) // a page is none
	}
	return status, answer
}

// TestNobodyChangesWhatIsNotTheirs posts what stewards do all day, with real bodies:
// about what is in reach it is done, about what is out of it there is nothing, and
// nothing has changed.
func TestNobodyChangesWhatIsNotTheirs(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		w := narrowOf(t, dsn)
		w.outOfReach()
		w.inReach()
		w.keptBack()
	})
}

func (w *narrowWorld) outOfReach() {
	w.Helper()
	ctx := w.Context()
	far := app.By{Who: "ann", Why: "farwhy"}
	released, err := w.app.Release(ctx, w.ids["quarantine"][4], far)
	w.must(err)
	dropped, err := w.app.SettleStuck(ctx, app.Resolution{Row: w.ids["row"][1], How: "drop"}, far)
	w.must(err)
	_, err = w.app.Undo(ctx, dropped.Undo, far)
	w.must(err)
	dropped, err = w.app.SettleStuck(ctx, app.Resolution{Row: w.ids["row"][1], How: "drop"}, far)
	w.must(err)
	w.settle()

	n, f, job := w.ids["golden"][0], w.ids["golden"][2], w.ids["bulk"][1]
	ruled := w.ids["decision"][len(w.ids["decision"])-2]
	records := `{"records": ["far/company/f1"], "from": "far:f1", "why": "x"}`
	calls := map[string]string{
		"/conflicts/" + w.ids["delivered"][1] + "/settle":       `{"how": "back", "path": "employees"}`,
		"/conflicts/" + w.ids["row"][1] + "/settle":             `{"how": "ours"}`,
		"/quarantine/" + w.ids["quarantine"][3] + "/repair":     `{"field": "employees", "remedy": "empty"}`,
		"/quarantine/" + w.ids["quarantine"][3] + "/release":    `{"why": "x"}`,
		"/quarantine/" + w.ids["quarantine"][2] + "/release":    `{"why": "x"}`, // nobody's yet
		"/faults/" + w.ids["fault"][3] + "/repair":              `{"remedy": "empty"}`,
		"/acts/" + released.Decision + "/undo":                  `{}`,
		"/acts/" + dropped.Undo + "/undo":                       `{}`,
		"/acts/" + ruled + "+" + w.ids["decision"][0] + "/undo": `{}`,
		"/decisions/merge":                             `{"a": "near:n1", "b": "far:f3", "why": "x"}`,
		"/decisions/merge/preview":                     `{"a": "` + n + `", "b": "` + f + `", "why": "x"}`,
		"/decisions/apart":                             `{"a": "near:n1", "b": "far:f3", "why": "x"}`,
		"/decisions/unsure":                            `{"a": "near:n1", "b": "far:f3", "why": "x"}`,
		"/decisions/split":                             records,
		"/decisions/split/preview":                     records,
		"/decisions/pin":                               `{"golden": "far:f1", "field": "employees", "value": "5", "why": "x", "over": true}`,
		"/decisions/pin/preview":                       `{"golden": "far:f1", "field": "employees", "value": "5"}`,
		"/decisions/unpin":                             `{"golden": "far:f1", "field": "employees", "why": "x"}`,
		"/decisions/" + ruled + "/undo":                `{"why": "x"}`,
		"/decisions/" + w.ids["handover"][1] + "/undo": `{"why": "x"}`,
		"/decisions/" + ruled + "/undo/preview":        `{"why": "x"}`,
		"/relations":                                   `{"from": "near:n1", "kind": "partner", "to": "far:f3", "why": "x"}`,
		"/relations/" + ruled + "/end":                 `{}`,
		"/proposals/accept":                            `{"names": ["same_group ` + w.ids["golden"][1] + ` ` + n + `", "same_group ` + n + ` ` + f + `"], "as": "partner", "why": "x"}`,
		"/proposals/refuse":                            `{"names": ["same_group ` + n + ` ` + f + `"], "why": "x"}`,
		"/bulk/" + job + "/stop":                       `{}`,
		"/bulk/" + job + "/undo":                       `{}`,
		"/reviews/" + w.ids["pair"][len(w.ids["pair"])-1] + "/notes": `{"text": "x"}`,
	}
	cases := map[string]string{ // of the pages
		"/conflicts/" + w.ids["row"][1]:                      "how=ours",
		"/quarantine/" + w.ids["quarantine"][3] + "/mend":    "field=employees&remedy=empty",
		"/quarantine/" + w.ids["quarantine"][3] + "/release": "why=x",
		"/faults/" + w.ids["fault"][3]:                       "remedy=empty",
		"/acts/" + dropped.Undo + "/undo":                    "why=x",
		"/customers/merge":                                   "a=near:n1&b=far:f3&why=x",
		"/customers/" + n + "/split":                         "r=far/company/f1&why=x",
		"/customers/" + f + "/split":                         "r=far/company/f1&why=x",
		"/customers/" + n + "/relations":                     "kind=partner&to=far:f3",
		"/customers/" + n + "/relations/" + ruled + "/end":   "until=2024-01-01",
		"/review/cluster/" + f + "/split":                    "r=far/company/f1&why=x",
		"/decisions/" + ruled + "/undo":                      "why=x",
		"/proposals":                                         "proposal=same_group+" + n + "+" + f,
		"/bulk/" + job:                                       "do=stop",
		"/customers/" + f + "/fields/employees/pin":          "value=5&why=x",
		"/review/" + w.ids["pair"][len(w.ids["pair"])-1]:     "answer=same",
	}
	for path, body := range calls {
		cases[api.Path+path] = body
	}
	for path, body := range cases {
		before := w.standing()
		for _, name := range []string{"scoped", "both"} {
			want := http.StatusNotFound
			if strings.HasSuffix(path, n+"/relations") {
				want = http.StatusUnprocessableEntity // beside the field: there is no such customer
			}
			if status, answer := w.try(name, path, body); status != want {
				w.Errorf("POST %s %s as a steward, %s: %d %v, want %d", path, body, name, status, answer, want)
			}
		}
		if after := w.standing(); after != before {
			w.Errorf("POST %s %s has changed\n%s\nto\n%s", path, body, before, after)
		}
	}
	for _, path := range []string{"/bulk/" + job, "/handovers/" + w.ids["handover"][1], "/decisions/" + ruled, "/quarantine/" + w.ids["quarantine"][3], "/faults/" + w.ids["fault"][3]} {
		if status, _ := w.ask(w.tokens["steward scoped"], http.MethodGet, api.Path+path, ""); status != http.StatusNotFound {
			w.Errorf("GET %s: %d, want 404", path, status)
		}
	}
}

// inReach does the same about what is in reach: it is done, as often as it is asked.
func (w *narrowWorld) inReach() {
	w.Helper()
	do := func(path, body string) map[string]any {
		w.Helper()
		status, answer := w.try("scoped", api.Path+path, body)
		if status != http.StatusOK {
			w.Errorf("POST %s %s: %d %v, want it done", path, body, status, answer)
		}
		return answer
	}
	undone := func(what, id any) {
		w.Helper()
		do(fmt.Sprintf("/%s/%v/undo", what, id), `{}`)
		w.settle()
	}
	n, six := w.ids["golden"][0], w.ids["golden"][1]
	undone("acts", do("/conflicts/"+w.ids["row"][0]+"/settle", `{"how": "drop", "why": "x"}`)["undo"])
	undone("acts", do("/conflicts/"+w.ids["delivered"][0]+"/settle", `{"how": "back", "path": "employees", "why": "x"}`)["undo"])
	if got := do("/conflicts/settle", `{"state": "rejected", "drop": true, "why": "x"}`); got["rows"] != 1. {
		w.Errorf("all that is rejected: %v, want the one row in reach", got)
	} else {
		undone("acts", got["undo"])
	}
	undone("acts", do("/quarantine/"+w.ids["quarantine"][0]+"/repair", `{"field": "employees", "remedy": "empty"}`)["decision"])
	undone("acts", do("/quarantine/"+w.ids["quarantine"][1]+"/release", `{"why": "x"}`)["decision"])
	if got := do("/faults/"+w.ids["fault"][0]+"/repair", `{"remedy": "empty"}`); got["repaired"] != 1. {
		w.Errorf("all with the fault: %v, want the one row in reach", got)
	} else {
		undone("acts", got["decision"])
	}
	pair := `{"a": "near:n1", "b": "near:n6", "why": "x"}`
	if got := do("/decisions/merge/preview", pair); len(got["customers"].([]any)) != 2 {
		w.Errorf("the preview: %v, want two customers", got)
	}
	merged := do("/decisions/merge", pair)["decision"]
	w.settle()
	do("/decisions/"+fmt.Sprint(merged)+"/undo/preview", `{}`)
	undone("decisions", merged)
	undone("decisions", do("/decisions/apart", pair)["decision"])
	undone("decisions", do("/decisions/unsure", pair)["decision"])
	split := `{"records": ["desk/company/d1"], "from": "` + n + `", "why": "x", "over": true}`
	do("/decisions/split/preview", split)
	if got := do("/decisions/pin/preview", `{"golden": "`+six+`", "field": "country", "value": "中国"}`); got["taken_as"] != "CN" {
		w.Errorf("the form of a typed country: %v, want CN", got)
	}
	undone("decisions", do("/decisions/pin", `{"golden": "`+six+`", "field": "employees", "value": "5", "why": "x"}`)["decision"])
	stated := do("/relations", `{"from": "near:n1", "kind": "partner", "to": "near:n6", "why": "x"}`)["decision"]
	do(fmt.Sprintf("/relations/%v/end", stated), `{"until": "2021-12-31"}`)
	undone("decisions", do("/proposals/refuse", `{"names": ["same_group `+n+` `+six+`"], "why": "x"}`)["decision"])
	do("/crosswalk", `{"records": [{"source": "near", "entity": "company", "id": "n1"}]}`)

	plan := do("/bulk/preview", `{"answer": "apart"}`)
	in, theirs := 0, []string{}
	for _, ref := range []string{"n1", "n2", "n5", "n6"} {
		id, err := w.app.GoldenID(w.Context(), "near/company/"+ref)
		w.must(err)
		theirs = append(theirs, id)
	}
	pairs, err := w.app.OpenPairs(w.Context(), web.ReviewQuery{Limit: 50})
	w.must(err)
	for _, p := range pairs.Items {
		if slices.Contains(theirs, p.A.Golden) && slices.Contains(theirs, p.B.Golden) {
			in++
		}
	}
	if plan["pairs"] != float64(in) || in == 0 || in == len(pairs.Items) {
		w.Errorf("a bulk answer: %v pairs, want the %d in reach of %d", plan["pairs"], in, len(pairs.Items))
	}
	job := do("/bulk", fmt.Sprintf(`{"answer": "apart", "token": %q, "why": "nearbulk"}`, plan["token"]))
	id, _ := job["id"].(string)
	if err := w.app.WorkBulk(w.Context(), id, nil); err != nil {
		w.Fatal(err)
	}
	if got := do("/bulk/"+id+"/undo", `{}`); got["decided"] != float64(in) {
		w.Errorf("the bulk answer is %v, want %d decided", got, in)
	}
	pass := `{"entity": "company", "from": "nearheir", "to": "x"`
	if got := do("/handovers/preview", pass+"}"); got["customers"] != 1. {
		w.Errorf("a hand-over: %v, want one customer", got)
	}
	undone("decisions", do("/handovers", pass+`, "why": "x"}`)["decision"])
	if status, answer := w.try("scoped", api.Path+"/handovers", `{"entity": "company", "from": "farheir", "to": "x", "why": "x"}`); status != http.StatusUnprocessableEntity {
		w.Errorf("a hand-over of a customer out of reach: %d %v, want 422: there is none", status, answer)
	}
	w.feed(n, six)
}

// feed reads the change feed as a steward of the scope: what is in reach is in it,
// nothing else is, and it ends where it ends for all.
func (w *narrowWorld) feed(want ...string) {
	w.Helper()
	read := func(name string) (ids []string, next float64) {
		for after := 0.; ; {
			_, text := w.ask(w.tokens["steward "+name], http.MethodGet, fmt.Sprintf("%s/changes?limit=2&after=%.0f", api.Path, after), "")
			var answer map[string]any
			_, tail, _ := strings.Cut(text, "]{")
			if err := json.Unmarshal([]byte("{"+tail), &answer); err != nil {
				w.Fatalf("%v: %s", err, text)
			}
			for _, x := range answer["items"].([]any) {
				ids = append(ids, x.(map[string]any)["id"].(string))
			}
			if next = answer["next"].(float64); next == after {
				return ids, next
			}
			after = next
		}
	}
	all, end := read("whole")
	theirs, theirEnd := read("scoped")
	for _, id := range want {
		if !slices.Contains(theirs, id) {
			w.Errorf("the feed has %q, want %s in it", theirs, id)
		}
	}
	for _, id := range w.ids["golden"][2:4] {
		if slices.Contains(theirs, id) || !slices.Contains(all, id) {
			w.Errorf("%s, which is out of reach: in the feed of all %v, of the scope %v", id, slices.Contains(all, id), slices.Contains(theirs, id))
		}
	}
	if end != theirEnd {
		w.Errorf("the feed ends at %.0f, for all at %.0f", theirEnd, end)
	}
}

// keptBack tries to set masked fields.
func (w *narrowWorld) keptBack() {
	w.Helper()
	for path, body := range map[string]string{
		"/decisions/pin":   `{"golden": "near:n1", "field": "website", "value": "x.example", "why": "x", "over": true}`,
		"/decisions/unpin": `{"golden": "near:n1", "field": "website", "why": "x"}`,
		"/quarantine/" + w.ids["quarantine"][1] + "/repair": `{"field": "revenue", "remedy": "empty"}`,
		"/faults/" + w.ids["fault"][1] + "/repair":          `{"remedy": "empty"}`,
		"/conflicts/" + w.ids["delivered"][0] + "/settle":   `{"how": "back", "path": "url"}`,
	} {
		before := w.standing()
		for _, name := range []string{"masked", "both"} {
			if status, answer := w.try(name, api.Path+path, body); status != http.StatusUnprocessableEntity {
				w.Errorf("POST %s %s as a steward, %s: %d %v, want 422", path, body, name, status, answer)
			}
		}
		if after := w.standing(); after != before {
			w.Errorf("POST %s %s has changed\n%s\nto\n%s", path, body, before, after)
		}
	}
}
