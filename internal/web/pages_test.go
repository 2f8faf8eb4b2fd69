package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"

	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/record"
)

// office is a source in which every page has something to show. It keeps what
// was seen.
type office struct {
	fake
	seen *noted
}

func newOffice() office { return office{fake{o: busy()}, &noted{}} }

// noted are lines that requests add, several at once.
type noted struct {
	mu    sync.Mutex
	lines []string
}

func (n *noted) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *noted) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.lines)
}

func (n *noted) text() string { return strings.Join(n.list(), "\n") }

func (f office) Seen(_ context.Context, who, what string, subjects []string) error {
	f.seen.add(who + " " + what + " " + strings.Join(subjects, ","))
	return nil
}

func (f office) SourcePage(_ context.Context, name string) (SourcePage, error) {
	if name != "crm" {
		return SourcePage{}, fmt.Errorf("source %s: %w", name, record.ErrNotFound)
	}
	return SourcePage{
		SourceRow: f.o.Sources[0], Every: 5 * time.Minute,
		Entities: []SourceEntity{{"company", 316, 9, testNow.Add(-time.Hour)}},
		Runs: []RunRow{
			{Entity: "company", State: "failed", Problem: "get companies: 503", Started: testNow.Add(-time.Minute)},
			{Entity: "company", State: "done", Started: testNow.Add(-time.Hour), Pulled: 10, Stored: 5, Unchanged: 2, Echo: 1, Quarantined: 1, Filtered: 1},
		},
	}, nil
}

func write() WriteRow {
	return WriteRow{
		ID: "row1", Target: "crm", Op: "update", State: "conflict", Golden: "abcd2345efgh6789", ExternalID: "c1", Problem: "the object is not what we thought", At: testNow,
		Fields: []Change{{"phone", "SECRET-OLD 1", "SECRET-NEW 12"}, {"street", "", "上海路"}},
	}
}

func (f office) TargetPage(_ context.Context, _, state, _ string) (TargetPage, error) {
	return TargetPage{
		TargetRow: f.o.Targets[1], Policy: "update_only", Owns: []string{"phone"}, Brake: 0.05, Shown: state,
		States: []Count{{"pending", 40}, {"conflict", 1}}, Rows: []WriteRow{write()}, Next: "7",
	}, nil
}

func quarantineRow() QuarantineRow {
	return QuarantineRow{
		ID: "q1", Source: "crm", Entity: "company", Record: "c1315", Place: "page 4", State: "open", At: testNow.Add(-time.Hour), Version: 1,
		Reasons: []Reason{{"schema", "employees", "=SECRET-VALUE()", "is text, must be a number", "correct it at the source"}},
	}
}

func (office) QuarantinePage(_ context.Context, f QuarantineFilter) (QuarantinePage, error) {
	p := QuarantinePage{Sources: []Count{{"crm", 23}}, States: []Count{{"open", 23}, {"released", 1}}, Repairs: 3, Overtaken: 1}
	if f.Rule != "none" {
		p.Faults, p.More = []FaultGroup{oneFault()}, 2
		p.Rows, p.Next = []QuarantineRow{quarantineRow()}, "q1"
	}
	if f.After != "" {
		p.Rows, p.Next = nil, ""
	}
	return p, nil
}

// MendAll ends at once: a page of a bulk repair goes on by itself in a browser.
func (office) MendAll(context.Context, BulkForm, By) (BulkStep, error) { return BulkStep{}, nil }

func (office) QuarantineRecord(context.Context, string) (QuarantineRecord, error) {
	q := quarantineRow()
	return QuarantineRecord{
		QuarantineRow: q, Lines: []RawLine{{Text: "{"}, {Text: `  "employees": "<b>SECRET-VALUE"`, Bad: true}, {Text: "}"}}, Next: "q2",
		Problems: []Mending{{
			Reason: q.Reasons[0], Now: "=SECRET-VALUE()", Typed: true, Fault: "f1", Same: 214, Back: []WriteBack{{"crm", "size", "=SECRET-VALUE()", "12"}},
			Offers: []Offer{{Remedy: "number", Now: "12", Key: "1", Passes: true}, {Remedy: "empty", Key: "2", Lossy: true}},
		}},
		Repairs: []RepairOf{oneRepair()}, Waits: []WriteRow{write()},
	}, nil
}

func oneRepair() RepairOf {
	return RepairOf{
		Source: "crm", Entity: "company", Record: "c1315", Field: "/phones/0/value", Was: "=SECRET-OLD", Now: "12", Remedy: "choose:12", Who: "amy", Decision: "d1", At: testNow, Version: 1,
		Overtaken: true, Back: []string{"crm"},
	}
}

func (office) FaultPage(_ context.Context, fault, remedy string) (FaultPage, error) {
	if fault != "f1" {
		return FaultPage{}, record.ErrNotFound
	}
	return FaultPage{
		FaultGroup: oneFault(), Remedies: []Trial{{"number", 2}, {"choose:=x", 1}}, Remedy: cmp.Or(remedy, "number"), Looked: 3,
		Rows: []TrialRow{{"q1", "c1", "line 3", "<b>SECRET-VALUE", "12", true, true}, {"q2", "c2", "", "12 34", "", true, false}, {"q3", "c3", "", "x", "", false, false}},
	}, nil
}

func (office) ConflictPage(_ context.Context, f ConflictFilter) (ConflictPage, error) {
	p := ConflictPage{Shown: cmp.Or(f.View, "conflict"), Views: []Count{{"conflict", 1}, {"rejected", 2}, {"dead", 0}, {"overwritten", 0}, {"flips", 0}}, Targets: []string{"crm"}}
	switch p.Shown {
	case "dead":
	case "flips":
		p.Flips = []FlipRow{{"crm", "phone", "abcd2345efgh6789", "<i>SECRET-VALUE", "phones", []FlipMove{{testNow, "1", "2"}, {testNow, "2", "1"}}}}
	default:
		p.Rows, p.Next = []ConflictRow{{
			WriteRow: write(), Name: "上海美跃 <b>", Reason: "refused", Changed: testNow.Add(-time.Hour),
			Sides: []ConflictField{{"phone", "phones", "=SECRET-OLD", "1", "12", true, "crm c1", false}, {"street", "", "", "", "上海路", false, "", false}},
		}}, "8"
	}
	return p, nil
}

func (office) BridgePage(_ context.Context, entity, after string) (BridgePage, error) {
	p := BridgePage{Entity: cmp.Or(entity, "company"), Entities: []string{"company", "person"}}
	if entity != "person" {
		x := onePair()
		p.Rows, p.Next = []BridgeRow{{Pair: x, Members: [2]int{3, 2}, Mean: 1.5}}, "1-2"
		if after != "" {
			p.Next = ""
		}
		p.Between = []Ambiguous{{Record: Side{"desk", "o9", "<Between> 美跃", "", false}, Sides: [2]AmbiguousSide{{x.A, "1-9", 6.5, true}, {x.B, "2-9", 5, false}}}}
	}
	return p, nil
}

func (office) ProposalPage(_ context.Context, f ProposalFilter) (ProposalPage, error) {
	p := ProposalPage{Entity: cmp.Or(f.Entity, "company"), Kind: f.Kind, Entities: []string{"company"}, Kinds: []string{"branch_of", "shares_phone"}}
	if f.Kind != "branch_of" {
		p.More, p.Rows = true, []Proposal{{
			Name: "shares_phone abcd2345efgh6789 zzzz2345efgh6789", Kind: "shares_phone", A: "abcd2345efgh6789", B: "zzzz2345efgh6789", NameA: "=SECRET-VALUE", NameB: "<b>美跃", RecordA: "crm/company/c1",
			RecordB: "desk/company/o2", Apart: "names", As: []string{"partner", "branch_of"}, Evidence: []Evidence{{"phones", "same", "+86 1", "+86 1", 4}},
		}}
	}
	return p, nil
}

func (office) SharedPage(_ context.Context, entity string) (SharedPage, error) {
	p := SharedPage{Entity: cmp.Or(entity, "company"), Entities: []string{"company", "person"}}
	if entity != "person" {
		p.Rows = []SharedRow{{"phone", "+86 21 <SECRET-VALUE", 12, 40, 5, []string{"crm/company/c1"}}}
	}
	return p, nil
}

func oneFault() FaultGroup {
	return FaultGroup{Fault: "f1", Source: "crm", Entity: "company", Reason: quarantineRow().Reasons[0], N: 214, Oldest: testNow.Add(-time.Hour), Sample: "q1", Best: "number"}
}

func (office) Fixes(_ context.Context, source string, _ bool, each func(RepairOf) error) error {
	if source == "none" {
		return nil
	}
	return each(oneRepair())
}

func onePair() Pair {
	return Pair{
		ID: "1-2", Entity: "company", A: Side{"crm", "c1", "上海美跃包装有限公司", "abcd2345efgh6789", false}, B: Side{"desk", "o2", "上海美躍包裝", "zzzz2345efgh6789", true},
		Bits: 3, Threshold: 4.2, Probability: 0.89, Shared: []string{"street"},
		Evidence: []Evidence{{"prior", "any two records", "", "", -13}, {"name", "nearly same", "美跃", "美躍", 20}, {"phones", "different", "1", "2", -4}},
		Fields:   []PairField{{"name", "上海美跃包装有限公司", "上海美躍包裝"}, {"country", "CN", "CN"}},
	}
}

// Customers knows one name; asked without words it has pages without end.
func (f office) Customers(_ context.Context, q CustomerQuery) (CustomerPage, error) {
	p := CustomerPage{Entities: []string{"company", "person"}, Sources: []string{"crm", "desk"}}
	switch {
	case q.Text == "":
		p.Total, p.Next = -1, "w."+fmt.Sprint(len(q.After)+1)
		for i := range q.Limit {
			p.List = append(p.List, Golden{ID: fmt.Sprintf("g%s%014d", q.After, i), Entity: "company", Name: "客户 " + fmt.Sprint(i), Members: 1})
		}
	case strings.Contains("上海美跃包装材料有限公司", q.Text):
		p.Total, p.List, p.Direct = 1, f.o.Last[:1], "abcd2345efgh6789"
	}
	return p, nil
}

func (f office) Customer(_ context.Context, id string) (Customer, error) {
	if id != "abcd2345efgh6789" {
		return Customer{}, fmt.Errorf("golden record %s: %w", id, record.ErrNotFound)
	}
	return Customer{
		ID: id, Entity: "company", Name: "上海美跃包装材料有限公司", Moved: true, Former: "mmmm2345efgh6789", Known: 1, Of: 2, Unknown: []string{"website"}, Version: 3, Changed: testNow,
		Fields:  []GoldenField{{"name", "上海美跃", "source_rank", []string{"crm c1", "desk o2"}, testNow, []Field{{"name", "美躍", "desk o2"}}, "", []Mark{{1, "91350100M000100Y44", "check digit wrong", "3", "4"}}}},
		Members: []GoldenMember{{"crm", "c1", "上海美跃", true, 1, false, []Field{{"name", "上海美跃", ""}}, "crm/company/c1"}, {"desk", "o2", "", false, 1, true, nil, "desk/company/o2"}}, MoreMembers: 2,
		History: []GoldenVersion{{3, testNow, []string{"name"}}, {2, testNow, nil}}, Writes: []WriteRow{write()}, Links: []Pair{onePair()},
	}, nil
}

// everyPage lists an address of each kind of page.
func everyPage() []string {
	return []string{
		"/", "/sources/crm", "/targets/crm_people?state=conflict", "/quarantine", "/quarantine?rule=none", "/quarantine/q1", "/faults/f1", "/faults/f1?behind=q9&repaired=3&left=1&remedy=number", "/quarantine/fixes", "/quarantine/fixes?source=none&overtaken=1",
		"/conflicts", "/conflicts?view=rejected&all=ours", "/conflicts?view=dead", "/conflicts?view=overwritten", "/conflicts?view=flips", "/bridges", "/bridges?entity=person",
		"/proposals", "/proposals?kind=branch_of", "/proposals?all=1", "/shared", "/shared?entity=person", "/review?entity=company", "/review/1-2", "/review?entity=none",
		"/review/list", "/review/list?entity=company&assigned=me", "/review/cluster/abcd2345efgh6789", "/review/effect/1-2", "/bulk?entity=company", "/bulk/b1",
		"/customers", "/customers?q=%E7%BE%8E%E8%B7%83", "/customers?q=nobody", "/customers/abcd2345efgh6789", "/login", "/nowhere",
		"/customers/abcd2345efgh6789?day=2026-01-01&from=2025-01-01", "/customers/abcd2345efgh6789/timeline?kind=ticket", "/customers/abcd2345efgh6789/fields/name",
		"/customers/abcd2345efgh6789/record?ref=crm/company/c1", "/customers/abcd2345efgh6789/relations", "/customers/abcd2345efgh6789/people", "/customers/abcd2345efgh6789/group",
		"/customers/abcd2345efgh6789/split", "/customers/abcd2345efgh6789/split?r=crm%2Fcompany%2Fc1", "/customers/merge", "/customers/merge?a=abcd2345efgh6789&b=zzzz2345efgh6789",
		"/decisions", "/decisions?state=none", "/decisions?customer=abcd2345efgh6789", "/decisions/d1", "/decisions/d2",
		"/levels", "/quality", "/quality?measure=validity", "/quality/crm/company/phones", "/quality/crm/company/phones/records?is=missing", "/sources/crm/schema",
		"/plans", "/plans/crm", "/plans/crm?show=refused", "/plans/crm?op=update&field=phone", "/runs", "/runs/r1",
		"/models", "/models/company/fit-1", "/models/company/thresholds", "/models/company/thresholds?link=0.97&review=0.5", "/trials/t1", "/trials/t-running", "/trials/t-taken", "/trials/t-failed", "/handovers", "/handovers?entity=company&from=Ann&to=Bob", "/handovers/d9", "/values", "/values?entity=company&field=industry&from=SW&to=Software",
	}
}

func TestEveryPageIsWellFormedInEveryLanguage(t *testing.T) {
	h := newHandler(newOffice(), nil)
	keys := regexp.MustCompile(`>[^<]*\b(nav|col|why|row|qstate|state|field|level|strategy|flow|run|op|rule)\.[a-z_]+`)
	for _, lang := range languages() {
		for _, path := range everyPage() {
			where := path + " in " + lang.Code
			w := get(t, h, path, "Cookie", "touchstone_lang="+lang.Code)
			if want := map[bool]int{true: 404, false: 200}[path == "/nowhere"]; w.Code != want {
				t.Errorf("%s: %d, want %d", where, w.Code, want)
				continue
			}
			body := w.Body.String()
			if m := keys.FindString(body); m != "" {
				t.Errorf("%s shows a key: %s", where, m)
			}
			for _, bad := range []string{" style=", "<style", " onclick", "javascript:", "ZgotmplZ", "%!", "<no value>", "<b>SECRET"} {
				if strings.Contains(body, bad) {
					t.Errorf("%s carries %q", where, bad)
				}
			}
			checkHTML(t, where, body)
		}
	}
}

// checkHTML asks for one h1, labelled fields, captions for who does not see,
// and no id twice.
func checkHTML(t *testing.T, where, body string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	ids, labels, h1 := map[string]bool{}, map[string]bool{}, 0
	var needs []string
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		if id := attr["id"]; id != "" {
			if ids[id] {
				t.Errorf("%s: id %q twice", where, id)
			}
			ids[id] = true
		}
		switch n.Data {
		case "h1":
			h1++
		case "label":
			labels[attr["for"]] = true
		case "th":
			if attr["scope"] == "" {
				t.Errorf("%s: a header cell without scope", where)
			}
		case "svg":
			if attr["aria-label"] == "" && attr["aria-hidden"] == "" {
				t.Errorf("%s: a chart that is neither labelled nor hidden", where)
			}
		case "input", "select":
			if _, hidden := attr["hidden"]; !hidden && attr["type"] != "hidden" && n.Parent.Data != "label" {
				needs = append(needs, attr["id"])
			}
		}
		if ref := attr["aria-labelledby"]; ref != "" && !strings.Contains(body, `id="`+ref+`"`) {
			t.Errorf("%s: aria-labelledby %q leads nowhere", where, ref)
		}
	}
	for _, id := range needs {
		if !labels[id] {
			t.Errorf("%s: the field %q has no label", where, id)
		}
	}
	if h1 != 1 {
		t.Errorf("%s: %d h1, want 1", where, h1)
	}
}

func TestPagesSayWhatMatters(t *testing.T) {
	h := newHandler(newOffice(), nil)
	for path, wants := range map[string][]string{
		"/":                                  {`<a href="/sources/crm"><bdi>crm</bdi></a>`, `<a href="/quarantine?source=crm">25</a>`, "Writes planned", `<a href="/customers/abcd2345efgh6789">`},
		"/sources/crm":                       {"get companies: 503", "Pulled every 5 min.", `x="500.0" width="200.0"`, `/customers?source=crm&amp;entity=company`},
		"/targets/crm_people?state=conflict": {"waits for a person", "SECRET-<mark>NEW</mark> 1<mark>2</mark>", "5\u202f%", `?after=7&amp;state=conflict`},
		"/quarantine":                        {"23 records are in quarantine.", "correct it at the source", "=SECRET-VALUE()", `?rule=schema%3Aemployees`},
		"/quarantine/q1":                     {"&lt;b&gt;SECRET-VALUE", `action="/quarantine/q1/release"`},
		"/review/list":                       {"below the threshold", "89.0\u202f%", `<span class="script">跃</span>`, `<mark>有限公司</mark>`, `/review/1-2`, "EUR\u00a0184\u202f000"},
		"/review":                            {"&#43;3.0 <abbr title=", "merged from &#43;4.2", "deleted at its source", `class="line equal"`, "−13.0", "Today&#39;s 40 minutes: these 23 remove 71 % of the expected damage", `data-fetch="/review?not=1-2"`},
		"/review/1-2":                        {`name="seen" value="v1"`, "For one customer: name nearly same (&#43;20.0).", "If phones were “same” instead of “different”, the answer would turn.", "amy said", "&lt;b&gt;a note", `href="https://crm.example/c1"`},
		"/review/cluster/abcd2345efgh6789":   {`class="edge bridge weakest cut"`, "Split off", "1 – 2: &#43;6.0", "After 2 of 2 unions"},
		"/review/effect/1-2":                 {"<b><bdi>crm</bdi></b> 1 field", "a new object"},
		"/bulk?entity=company":               {"12 pairs would be decided", "4 need two people", `name="token" value="tok"`},
		"/bulk/b1":                           {"3 decided, 1 left as they were, of 12", "Stop"},
		"/customers?q=%E7%BE%8E%E8%B7%83":    {"1 customer<", "This is an id", `value="美跃"`},
		"/customers?q=nobody":                {"Nobody was found", "a phone by its end"},
		"/customers":                         {`rel="next" href="?after=w.1"`},
		"/customers/abcd2345efgh6789":        {"most trusted source", "1 other value", "2 more records are not listed", "<bdi>mmmm2345efgh6789</bdi> now belongs to this customer", "tied by a decision", `href="/review/1-2"`},
	} {
		body := get(t, h, path).Body.String()
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
	}
	for _, path := range []string{"/sources/none", "/customers/none"} {
		if w := get(t, h, path); w.Code != 404 {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}

func TestLinksKeepTheQuestion(t *testing.T) {
	body := get(t, newHandler(newOffice(), nil), "/customers?q=%E7%BE%8E%E8%B7%83&after=x").Body.String()
	if want := `href="?after=x&amp;lang=zh-Hans&amp;q=%E7%BE%8E%E8%B7%83"`; !strings.Contains(body, want) {
		t.Errorf("the switch of languages forgets the question: no %s", want)
	}
}

// TestEveryLookIsKept: who was shown which customers stands in the audit trail
// before the page does.
func TestEveryLookIsKept(t *testing.T) {
	f := newOffice()
	h := newHandler(f, nil)
	for _, path := range everyPage() {
		get(t, h, path)
	}
	get(t, h, "/quarantine.csv")
	got := f.seen.text()
	for _, want := range []string{
		"page:local read.overview abcd2345efgh6789,zzzz2345efgh6789", "page:local read.writes row1", "page:local read.quarantine q1", "page:local read.review 1-2", "page:local read.pair 1-2,abcd2345efgh6789,zzzz2345efgh6789", "page:local read.cluster abcd2345efgh6789",
		"page:local read.pair 1-2,abcd2345efgh6789,zzzz2345efgh6789", "page:local read.customers abcd2345efgh6789", "page:local read.customer abcd2345efgh6789",
		"page:local read.quarantine.export q1",
	} {
		if !slices.Contains(f.seen.list(), want) {
			t.Errorf("the trail lacks %q:\n%s", want, got)
		}
	}
}

func TestNoPageShowsValuesWhereTheyAreOff(t *testing.T) {
	f := newOffice()
	h := newHandler(f, func(o *Options) { o.ShowValues = false })
	for _, path := range append(everyPage(), "/quarantine.csv") {
		w := get(t, h, path)
		for _, secret := range []string{"SECRET", "美跃", "美躍"} {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s shows %q", path, secret)
			}
		}
	}
	if len(f.seen.list()) != 0 {
		t.Errorf("something counts as seen: %v", f.seen.list())
	}
}

// TestNoPageShowsValuesToWhoMayNotSeeThem asks as a token that may see how the
// systems are, and no customers.
func TestNoPageShowsValuesToWhoMayNotSeeThem(t *testing.T) {
	f := newOffice()
	m := newServer(f, Options{Env: env.Env{Clock: stopped{}, Rand: func(p []byte) { copy(p, "0123456789") }}, ShowValues: true}).routesOf()
	actor, shown := auth.Actor{ID: "dashboard", Role: auth.Machine, Only: []auth.Permission{auth.See}}, 0
	for _, path := range append(everyPage(), "/quarantine.csv") {
		w := httptest.NewRecorder()
		m.mux.ServeHTTP(w, httptest.NewRequestWithContext(auth.With(t.Context(), actor), http.MethodGet, path, nil))
		if w.Code == http.StatusOK {
			shown++
		}
		for _, secret := range []string{"SECRET", "美跃", "美躍"} {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s shows %q", path, secret)
			}
		}
	}
	if shown < 3 || len(f.seen.list()) != 0 {
		t.Errorf("%d pages are shown, want the overview, a source and a target at least; counted as seen: %v", shown, f.seen.list())
	}
}

func TestExportIsATableWithoutFormulas(t *testing.T) {
	w := get(t, newHandler(newOffice(), nil), "/quarantine.csv?source=crm")
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][9] != "'=SECRET-VALUE()" || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("export: %v %v %v", rows, err, w.Header())
	}
}

const token = "a-token-of-some-length"

func withToken(o *Options) { o.Token = token }

func TestOnlyTheTokenLetsIn(t *testing.T) {
	tests := []struct {
		name, path string
		header     []string
		want       int
	}{
		{"nothing", "/", nil, 303},
		{"nothing, a customer", "/customers/abcd2345efgh6789", nil, 303},
		{"the token", "/", []string{"Authorization", "Bearer " + token}, 200},
		{"lower case", "/", []string{"Authorization", "bearer " + token}, 200},
		{"another token", "/", []string{"Authorization", "Bearer no"}, 401},
		{"basic", "/", []string{"Authorization", "Basic " + token}, 401},
		{"a made-up session", "/", []string{"Cookie", sessionCookie + "=99999999999.abc"}, 303},
		{"health", "/healthz", nil, 200},
		{"the form", "/login", nil, 200},
		{"a style sheet", "/assets/touchstone.css", nil, 200},
		{"another host", "/login", []string{"Host", "evil.example.com"}, 421},
	}
	for _, tt := range tests {
		h := newHandler(newOffice(), withToken)
		w := get(t, h, tt.path, tt.header...)
		if w.Code != tt.want || strings.Contains(w.Body.String(), "SECRET") && w.Code != 200 {
			t.Errorf("%s: %d, want %d", tt.name, w.Code, tt.want)
		}
	}
	if to := get(t, newHandler(newOffice(), withToken), "/customers?q=a").Header().Get("Location"); to != "/login?next=%2Fcustomers%3Fq%3Da" {
		t.Errorf("who is not signed in is sent to %s", to)
	}
}

func post(t *testing.T, h http.Handler, path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Host = "127.0.0.1:8480"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestSigningInAndOut(t *testing.T) {
	var log bytes.Buffer
	h := newHandler(newOffice(), func(o *Options) { o.Token, o.Log = token, slog.New(slog.NewTextHandler(&log, nil)) })
	for next, want := range map[string]string{
		"/customers?q=a": "/customers?q=a", "": "/", "//evil.example.com": "/", "https://evil.example.com": "/", `/\evil.example.com`: "/", "evil": "/",
	} {
		w := post(t, h, "/login", url.Values{"token": {token}, "next": {next}})
		cookies := w.Result().Cookies()
		if w.Code != 303 || w.Header().Get("Location") != want || len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteStrictMode {
			t.Errorf("signing in for %q: %d to %q, cookies %v, want 303 to %q", next, w.Code, w.Header().Get("Location"), cookies, want)
			continue
		}
		session := cookies[0].Name + "=" + cookies[0].Value
		if w := get(t, h, "/", "Cookie", session); w.Code != 200 || !strings.Contains(w.Body.String(), "Sign out") {
			t.Errorf("with a session: %d", w.Code)
		}
		if w := get(t, newHandler(newOffice(), func(o *Options) { o.Token = token + "2" }), "/", "Cookie", session); w.Code != 303 {
			t.Errorf("a session outlives its token: %d", w.Code)
		}
		if strings.Contains(cookies[0].Value, token) {
			t.Error("the cookie holds the token")
		}
	}
	if w := post(t, h, "/logout", nil, "Authorization", "Bearer "+token); w.Code != 303 || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("signing out: %d %v", w.Code, w.Result().Cookies())
	}
	if w := post(t, h, "/login", url.Values{"token": {token}}, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("another site signs in: %d, want 403", w.Code)
	}
	for i := range 2 * attemptBurst {
		want := http.StatusUnauthorized
		if i >= attemptBurst {
			want = http.StatusTooManyRequests
		}
		if w := post(t, h, "/login", url.Values{"token": {"guess"}}); w.Code != want {
			t.Errorf("guess %d: %d, want %d", i, w.Code, want)
		}
	}
	if w := get(t, h, "/", "Authorization", "Bearer "+token); w.Code != http.StatusTooManyRequests {
		t.Errorf("after too many guesses from here: %d, want 429", w.Code)
	}
	if strings.Contains(log.String(), token) || strings.Contains(log.String(), "guess") {
		t.Error("the log holds a token")
	}
	if w := post(t, h, "/login", url.Values{"token": {strings.Repeat("x", maxForm)}}); w.Code != http.StatusBadRequest {
		t.Errorf("a form beyond its bound: %d, want 400", w.Code)
	}
}

func TestAProxyNeedsAToken(t *testing.T) {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "Via", "X-Real-IP"} {
		w := get(t, newHandler(newOffice(), nil), "/customers/abcd2345efgh6789", header, "192.0.2.7")
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "server.api_token") {
			t.Errorf("%s without a token: %d, want 403 with the remedy", header, w.Code)
		}
	}
	if w := get(t, newHandler(newOffice(), func(o *Options) { o.Addresses = true }), "/"); w.Code != http.StatusForbidden {
		t.Errorf("beyond loopback without a token: %d, want 403", w.Code)
	}
	for host, want := range map[string]int{"192.0.2.7:8480": 200, "[2001:db8::1]:8480": 200, "evil.example.com": 421} {
		w := get(t, newHandler(newOffice(), func(o *Options) { o.Token, o.Addresses = token, true }), "/", "Host", host, "Authorization", "Bearer "+token)
		if w.Code != want {
			t.Errorf("host %s beyond loopback: %d, want %d", host, w.Code, want)
		}
	}
}

func TestAddressesAreForgottenNotKeptForEver(t *testing.T) {
	var a attempts
	for i := range 3 * maxAddresses {
		a.wrong(fmt.Sprint("address ", i), testNow)
	}
	if len(a.from) > maxAddresses {
		t.Errorf("%d addresses are remembered, want at most %d", len(a.from), maxAddresses)
	}
}

func TestDifferencesAreMarked(t *testing.T) {
	tests := []struct{ a, b, want string }{
		{"", "x", ""},
		{"same", "same", "same"},
		{"SAME", "same", "SAME"},
		{"上海美跃包装", "上海美躍包裝", "上海美[跃]包[装]"},
		{"abc", "abd", "ab[c]"},
		{"abc", "", "abc"},
		{strings.Repeat("x", maxMarked+1), "y", "[" + strings.Repeat("x", maxMarked+1) + "]"},
	}
	for _, tt := range tests {
		got := ""
		for _, s := range marked(tt.a, tt.b) {
			if s.Same {
				got += s.Text
			} else {
				got += "[" + s.Text + "]"
			}
		}
		if got != tt.want {
			t.Errorf("marked(%q, %q) = %q, want %q", tt.a, tt.b, got, tt.want)
		}
	}
}

// TestPagesNameWhatTheyShow: values of a customer stand behind their field, and what
// went wrong has one colour on every chart.
func TestPagesNameWhatTheyShow(t *testing.T) {
	h := newHandler(newOffice(), nil)
	for path, want := range map[string]*regexp.Regexp{
		"/review/1-2": regexp.MustCompile(`<span class="kind">phones</span> <bdi>1; 2</bdi>`),
		"/plans":      regexp.MustCompile(`class="patch c2"[^>]*></rect>\s*<text[^>]*>Failed`),
		"/runs":       regexp.MustCompile(`class="patch c2"[^>]*></rect>\s*<text[^>]*>Quarantined`),
	} {
		if body := get(t, h, path).Body.String(); !want.MatchString(body) {
			t.Errorf("%s has no %s", path, want)
		}
	}
}
