package web

import (
	"context"
	"encoding/csv"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"touchstone/internal/record"
)

func end(id, name string) RelationEnd {
	return RelationEnd{ID: id, Name: name, Entity: "company", Ref: "crm/company/" + id}
}

func (office) Timeline(_ context.Context, id string, _ TimelineQuery) (Timeline, error) {
	row := TimelineRow{At: testNow, Kind: "event", Type: "ticket", Source: "desk", ID: "t<1>", Subject: "=SECRET <b>broken</b>", Status: "open", Amount: "-1234.50", Currency: "CNY"}
	kinds := []TimelineRow{
		row,
		{At: testNow, Kind: "joined", Source: "desk", ID: "o2", Golden: "zzzz2345efgh6789"},
		{At: testNow, Kind: "published", Fields: []string{"name"}},
		{At: testNow, Kind: "decision", Type: "pin", Who: "ann", Why: "<i>rang", Fields: []string{"phones", "emails"}, Decision: "d1"},
		{At: testNow, Kind: "write", Type: "update", Source: "crm_people", Status: "delivered", Fields: []string{"/name"}},
	}
	return Timeline{
		ID: id, Name: "上海美跃", Entity: "company", N: 7, Sums: []Money{{"CNY", "-1234.50", 1}}, Types: []string{"ticket"}, Sources: []string{"desk"}, Next: "5@2026",
		Months: []TimelineMonth{{"2026-01", 5, []Money{{"CNY", "-1234.50", 1}}, kinds}, {"2025-12", 2, nil, nil}}, Cut: true,
	}, nil
}

func (f office) EachHappening(ctx context.Context, id string, q TimelineQuery, fn func(TimelineRow) error) error {
	t, _ := f.Timeline(ctx, id, q)
	for _, r := range t.Months[0].Rows {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

func (office) CustomerField(_ context.Context, id, field string) (FieldPage, error) {
	if field != "name" {
		return FieldPage{}, record.ErrNotFound
	}
	return FieldPage{
		ID: id, Name: "上海美跃", Entity: "company", Known: true, Kind: "text", Field: GoldenField{Name: "name", Value: "上海美跃", Rule: "pin", Marks: []Mark{{Text: "not a phone number"}}},
		Pin: &PinShown{"d1", "ann", "rang them", testNow, testNow}, Losers: []Loser{{"美躍<script>", "desk/company/o2", "desk o2"}},
		History: []FieldVersion{{3, testNow, "上海美跃", "", "pin", nil, "ann", "", "d1"}, {2, testNow, "", "erased", "only", []string{"crm c1"}, "", "", ""}},
	}, nil
}

func (office) CustomerAt(_ context.Context, id, day, from string) (CustomerAt, error) {
	if day == "never" {
		return CustomerAt{}, &Problem{Text: "\"never\" is no date"}
	}
	f := FieldThen{"name", "上海美跃", "上海美躍", "", "only", []string{"crm c1"}, ""}
	return CustomerAt{Day: day, From: from, ID: id, Moved: true, Version: 2, Since: testNow, Fields: []FieldThen{f}, Members: []string{"crm/company/c1"}, Joined: []string{"desk/company/o2"}, Left: []string{"desk/company/o3"}}, nil
}

func (office) MemberRecord(_ context.Context, id, ref string) (MemberRecord, error) {
	return MemberRecord{ID: id, Name: "上海美跃", Source: "crm", Entity: "company", Record: ref, Versions: []MemberVersion{{2, testNow, true, "<b>unreadable", `{"name": "<b>SECRET"}`}, {1, testNow, false, "", "{}"}}}, nil
}

func relationRows() []RelationRow {
	return []RelationRow{
		{Kind: "parent", Out: true, A: end("abcd2345efgh6789", "上海美跃"), B: end("p1", "美跃集团"), Other: end("p1", "美跃集团"), Share: "51", Since: "2020-01-01", Source: "crm"},
		{Kind: "partner", Other: end("p3", "合作 <Partner>"), Title: "reseller <b>", Source: "crm"},
		{Kind: "role", Other: end("p2", "李伟"), Role: "decider", Decision: "d2", Who: "ann", Why: "<b>said so", At: testNow},
		{Kind: "stance", Other: end("", ""), Stance: "opponent", Over: true, Until: "2020-01-01", Decision: "d3", Who: "ann"},
	}
}

func (office) Relations(_ context.Context, id, day string) (RelationsPage, error) {
	return RelationsPage{ID: id, Name: "上海美跃", Entity: "company", Day: "2026-01-05", Rows: relationRows(), Kinds: []string{"parent", "partner"}, More: true}, nil
}

func (office) OrgChartPage(_ context.Context, id, day string) (OrgChart, error) {
	if day == "never" {
		return OrgChart{}, &Problem{Text: "\"never\" is no date"}
	}
	rows := relationRows()
	long := strings.Repeat("很长的名字", 20) + " & <Sons>"
	gap := end("p2", "李伟")
	return OrgChart{Company: end(id, "上海美跃"), Day: "2026-01-05", Gaps: []OrgGap{{Kind: "no_decider"}, {Kind: "no_role", Role: "user"}, {Kind: "opponent", Person: &gap}}, Past: rows[:1], People: []OrgPerson{
		{RelationEnd: end("p1", long), Parent: -1, Title: "CEO <b>", Stance: &rows[3]},
		{RelationEnd: end("p2", "李伟"), Parent: 0, Depth: 1, Roles: rows[2:3], Line: &rows[0]},
	}}, nil
}

func (office) GroupTreePage(_ context.Context, id, _ string) (GroupTree, error) {
	top, below := end("p1", "美跃集团"), end(id, "上海美跃")
	return GroupTree{Company: below, Day: "2026-01-05", Totals: []Money{{"CNY", "3", 2}}, Others: relationRows()[:1], Circle: []RelationEnd{top}, More: true, Nodes: []GroupMember{
		{RelationEnd: top, Parent: -1, Held: "100", Total: []Money{{"CNY", "1234567.50", 2}}},
		{RelationEnd: below, Parent: 0, Depth: 1, Kind: "parent", Share: "51", Held: "51", Own: []Money{{"", "", 3}}},
	}}, nil
}

func (office) PinField(_ context.Context, p PinForm, by By) (Done, error) {
	if p.Value == "UK" && p.Seen != "GB" {
		return Done{}, &Problem{Field: "value", Text: "UK is taken as GB", Take: "GB"}
	}
	if p.Value == "no" {
		return Done{}, &Problem{Field: "value", Text: "it is <no> value"}
	}
	return Done{"field.pinned", "d9"}, nil
}

func (office) UnpinField(context.Context, string, string, By) (Done, error) {
	return Done{"field.unpinned", "d9"}, nil
}

func (office) StateRelation(_ context.Context, r RelateForm, _ By) (Done, error) {
	if r.To == "nobody" {
		return Done{}, &Problem{Field: "to", Text: "nobody of this name"}
	}
	return Done{"relation.stated", "d9"}, nil
}

func (office) FinishRelation(context.Context, string, string, By) (Done, error) {
	return Done{"relation.ended", "d9"}, nil
}

func (f office) EachCustomer(_ context.Context, _ CustomerQuery, fn func(Golden) error) (bool, error) {
	return true, fn(Golden{ID: "g1", Entity: "company", Members: 2, Sources: []string{"crm"}, Changed: testNow, Fields: []Field{{"name", "=1+1", "crm c1"}}})
}

func (office) Views(_ context.Context, page, who string) ([]View, error) {
	return []View{{"v1", who, "<b>mine", "entity=company&q=%E7%BE%8E", false}, {"v2", "bob@example.com", "all of " + page, "source=crm", true}}, nil
}
func (office) SaveView(context.Context, string, View) error                 { return nil }
func (office) DropView(context.Context, string, string, string, bool) error { return nil }

const oneCustomer = "/customers/abcd2345efgh6789"

// submit sends a form to a page's handler.
func submit(t *testing.T, h http.Handler, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "127.0.0.1:8480", "127.0.0.1:1234"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestCustomerPagesSayWhatMatters(t *testing.T) {
	h := newHandler(newOffice(), nil)
	for path, wants := range map[string][]string{
		oneCustomer:                     {"January 2026", "CNY −1\u202f234.50", "=SECRET &lt;b&gt;broken", "month=2025-12#m2025-12", "&lt;i&gt;rang", "part in buying", "★ decider", "phones, e-mails</span>", `/record?ref=crm%2fcompany%2fc1`},
		oneCustomer + "?day=2026-01-01": {"What was known on 2026-01-01", "Made of 1 record", "Back to today"},
		oneCustomer + "?day=2026-01-01&from=2025-01-01": {"1 field differs", "<mark>躍</mark>", "Records that joined"},
		oneCustomer + "/timeline?kind=ticket":           {`<option value="ticket" selected>`, "timeline.csv?kind=ticket", `rel="next"`, "only the newest is listed"},
		oneCustomer + "/fields/name":                    {"set by", "rang them", "美躍&lt;script&gt;", `value="desk/company/o2"`, "erased", "Let the sources decide"},
		oneCustomer + "/record?ref=crm/company/c1":      {"&lt;b&gt;SECRET", "deleted at its source"},
		oneCustomer + "/relations":                      {"51 %", "2020-01-01 – …", "has not landed yet", "d2/end", "There are more relations", "Partners and stakeholders", "合作 &lt;Partner&gt;"},
		oneCustomer + "/people":                         {"Decider unknown", "很长的名字很长的名字很…", "CEO &lt;b&gt;", `class="box is-opponent"`, "▼ opponent", "Nobody known as: user"},
		oneCustomer + "/group":                          {"51 %", "1\u202f234\u202f567.50", "Also held by", `class="box here"`, "one link is left out"},
		"/customers?q=%E7%BE%8E&entity=company":         {"Quick look", "&lt;b&gt;mine", `"/customers.csv?entity=company&amp;q=%E7%BE%8E"`, `"/customers?entity=company&amp;q=%E7%BE%8E" aria-current="page"`},
	} {
		body := get(t, h, path).Body.String()
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
		if strings.Contains(body, "<script>") || strings.Contains(body, "<b>") {
			t.Errorf("%s carries markup of a record", path)
		}
	}
	for _, path := range []string{oneCustomer + "?day=never", oneCustomer + "/people?day=never"} {
		if w := get(t, h, path); w.Code != 422 || !strings.Contains(w.Body.String(), "is no date") {
			t.Errorf("%s: %d, want 422 with what is wrong", path, w.Code)
		}
	}
}

func TestWhatIsStatedOnACustomerPage(t *testing.T) {
	h := newHandler(newOffice(), nil)
	for _, tt := range []struct {
		path, body string
		code       int
		to, text   string
	}{
		{"/fields/name/pin", "value=x&why=rang", 303, oneCustomer + "/fields/name", ""},
		{"/fields/name/pin", "value=x&why=", 422, "", "needs a reason"},
		{"/fields/name/pin", "value=no&why=typed", 422, "", `value="typed"`},
		{"/fields/name/pin", "value=no&why=typed", 422, "", "it is &lt;no&gt; value"},
		{"/fields/name/unpin", "why=", 303, oneCustomer + "/fields/name", ""},
		{"/relations", "kind=partner&to=p1", 303, oneCustomer + "/relations", ""},
		{"/relations", "kind=partner&to=nobody&title=kept", 422, "", `value="kept"`},
		{"/people", "kind=role&person=p1&role=buyer", 303, oneCustomer + "/people", ""},
		{"/people", "kind=role&person=", 422, "", "Say who it is about"},
		{"/relations/d2/end", "until=2026-01-01&back=people", 303, oneCustomer + "/people", ""},
		{"/relations/d2/end", "until=2026-01-01&back=https://evil.example", 303, oneCustomer + "/relations", ""},
	} {
		w := submit(t, h, oneCustomer+tt.path, tt.body)
		if w.Code != tt.code || w.Header().Get("Location") != tt.to || !strings.Contains(w.Body.String(), tt.text) {
			t.Errorf("%s %s: %d to %q, want %d to %q with %q", tt.path, tt.body, w.Code, w.Header().Get("Location"), tt.code, tt.to, tt.text)
		}
	}
}

func TestCustomersAreTakenAwayWithoutFormulas(t *testing.T) {
	f := newOffice()
	h := newHandler(f, nil)
	for path, want := range map[string]string{"/customers.csv?q=x": "'=1+1", oneCustomer + "/timeline.csv": "'=SECRET <b>broken</b>"} {
		w := get(t, h, path)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		rows := csv.NewReader(w.Body)
		rows.FieldsPerRecord = -1
		list, err := rows.ReadAll()
		if err != nil || len(list) < 2 || !slices.Contains(list[1], want) {
			t.Errorf("%s: %q, %v; want %q in the first row", path, list, err, want)
		}
	}
	if got := f.seen.text(); !strings.Contains(got, "read.customers.export") || !strings.Contains(got, "read.customer.export abcd2345efgh6789") {
		t.Errorf("the trail has %s", got)
	}
}

// TestTreesAreDrawnWithoutOverlap: each box stands alone, right of the one it
// hangs below, and inside of the drawing.
func TestTreesAreDrawnWithoutOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var nodes []treeNode
		var grow func(parent, depth int)
		grow = func(parent, depth int) {
			at := len(nodes)
			nodes = append(nodes, treeNode{parent: parent, depth: depth})
			for range rapid.IntRange(0, 3).Draw(t, "children") {
				if depth < 4 && len(nodes) < 40 {
					grow(at, depth+1)
				}
			}
		}
		for range rapid.IntRange(1, 3).Draw(t, "roots") {
			grow(-1, 0)
		}
		c := drawTree(nodes)
		taken := map[[2]int]bool{}
		for i, b := range c.Boxes {
			if taken[[2]int{b.X, b.Y}] || b.X < 0 || b.Y < 0 || b.X+b.Wide > c.Wide || b.Y+b.High > c.High {
				t.Fatalf("box %d at %d, %d of %d×%d is on another one or outside", i, b.X, b.Y, c.Wide, c.High)
			}
			taken[[2]int{b.X, b.Y}] = true
			if p := nodes[i].parent; p >= 0 && c.Boxes[p].X+boxWide >= b.X {
				t.Fatalf("box %d is not right of its parent", i)
			}
		}
		if len(c.Boxes) != len(nodes) {
			t.Fatalf("%d boxes for %d nodes", len(c.Boxes), len(nodes))
		}
	})
}

func TestTextsAreCutToTheirBox(t *testing.T) {
	for _, tt := range []struct {
		in   string
		most int
		want string
	}{{"short", 10, "short"}, {"上海美跃包装", 8, "上海美跃…"}, {"a  b\n c", 10, "a b c"}, {"abcdef", 5, "abcde…"}, {"", 5, ""}} {
		if got := fitted(tt.in, tt.most); got != tt.want {
			t.Errorf("fitted(%q, %d) = %q, want %q", tt.in, tt.most, got, tt.want)
		}
	}
	for in, want := range map[string]string{"1234567.50": "1\u202f234\u202f567.50", "-12": "−12", "0.5": "0.5", "999": "999"} {
		if got := amount(in); got != want {
			t.Errorf("amount(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTypedFormIsShownFirst: the form comes back with what was typed and the form
// in which it would be taken; sent again as it is, it is taken.
func TestTypedFormIsShownFirst(t *testing.T) {
	h := newHandler(newOffice(), nil)
	at := "/customers/abcdmfghijkzpqrs/fields/name/pin"
	r := post(t, h, at, url.Values{"value": {"UK"}, "why": {"x"}})
	if r.Code != http.StatusUnprocessableEntity {
		t.Fatalf("the first time: %d", r.Code)
	}
	for _, want := range []string{`value="UK"`, `<input type="hidden" name="seen" value="GB">`, "UK is taken as GB", `aria-invalid="true"`} {
		if !strings.Contains(r.Body.String(), want) {
			t.Errorf("the form lacks %q", want)
		}
	}
	if r := post(t, h, at, url.Values{"value": {"UK"}, "seen": {"GB"}, "why": {"x"}}); r.Code != http.StatusSeeOther {
		t.Errorf("once it was seen: %d, want it taken", r.Code)
	}
}
