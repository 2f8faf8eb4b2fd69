package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"touchstone/internal/record"
)

const (
	acmeID   = "abcd2345efgh6789"
	zenithID = "zzzz2345efgh6789"
)

func (f office) SplitPage(_ context.Context, id string) (SplitPage, error) {
	if id != acmeID {
		return SplitPage{}, fmt.Errorf("golden record %s: %w", id, record.ErrNotFound)
	}
	return SplitPage{ID: id, Entity: "company", Name: "上海美跃包装材料有限公司", More: 3, Records: []SplitRecord{
		{Ref: "crm/company/c1", Source: "crm", ID: "c1", Name: "<b>SECRET</b> 上海美跃", Live: true, Events: 12, Consents: 1, Relations: 2, Pins: 1, Fields: []Field{{"name", "上海美跃", ""}}},
		{Ref: "desk/company/o2", Source: "desk", ID: "o2"},
	}}, nil
}

func (f office) ChangePreview(_ context.Context, c CustomerChange) (ChangePreview, error) {
	p := ChangePreview{Act: c.Act}
	earlier := []EarlierDecision{{"d1", "merge", "ann", "2026-01-02T00:00:00Z", "looked at both"}, {"x1", "must", "touchstone", "", "created by our own push"}}
	switch {
	case c.Act == "merge" && !c.Over:
		p.Refused, p.Earlier = "it contradicts d1", earlier
		return p, nil
	case c.Decision == "d2":
		return p, nil
	}
	p.Over, p.Later, p.Waiting, p.MoreMoves = earlier[:1], earlier[:1], 2, 5
	p.Customers = []ChangedCustomer{
		{
			ID: acmeID, Entity: "company", State: "changed", Name: "<b>SECRET</b> 上海美跃", Fields: []FieldChange{{Name: "phones", Old: "SECRET 1", New: "SECRET 2", NewFrom: []string{"crm c1"}, Pinned: true}},
			Before: &Holdings{Records: []string{"crm/company/c1", "desk/company/o2"}, Events: 1200, Consents: 3, Relations: 2, Pins: 1, Money: []Money{{"EUR", "12.5", 2}}},
			After:  &Holdings{Records: []string{"crm/company/c1"}, Events: 1188, Consents: 3, Relations: 2, Pins: 1, Money: []Money{{"EUR", "10", 1}}},
		},
		{ID: zenithID, Entity: "company", State: "new", Name: "", After: &Holdings{Records: []string{"desk/company/o2"}, Events: 12, Money: []Money{{"EUR", "2.5", 1}}}},
		{ID: "gone2345efgh6789", Entity: "company", State: "gone", Name: "美躍", Into: acmeID, Before: &Holdings{}},
	}
	p.Moves = []RecordMove{{Record: "desk/company/o2", Source: "desk", ID: "o2", Name: "美躍", From: acmeID, To: zenithID, Events: 12, Pins: 1}}
	p.Targets = []TargetEffect{{Target: "desk", System: "desk", Creates: 1, Updates: 1, None: 3, Withdrawn: 1, More: 1, Held: "its first plan waits", Writes: []TargetChange{
		{"update", acmeID, "o1", []Change{{"phone", "SECRET-OLD 1", "SECRET-NEW 12"}}, "update"}, {"create", zenithID, "", []Change{{"name", "", "美躍"}}, "left"},
	}}}
	p.Balance = []BalanceLine{{System: "crm", Kind: "records", Before: 2, After: 2, Balanced: true}, {System: "crm", Kind: "money", Unit: "EUR", Before: 2, After: 2, SumOld: "12.5", SumNew: "12.5", Balanced: true}}
	p.Notes = []ChangeNote{{"creates", []string{"desk", "1"}, true}, {"native_new", []string{"hubspot", "77"}, true}}
	return p, nil
}

// changes are what was asked for, one a line.
func (f office) ChangeCustomers(_ context.Context, c CustomerChange, by By) (string, bool, error) {
	f.seen.add(fmt.Sprintf("%s did %s %s%s%s%s%v over %v: %s", by.Who, c.Act, c.A, c.B, c.From, c.Decision, c.Records, c.Over, by.Why))
	switch c.Decision {
	case "gone":
		return "", false, fmt.Errorf("decision gone: %w", record.ErrNotFound)
	case "late":
		return "", false, &Problem{Text: "it contradicts <d9>"}
	case "broken":
		return "", false, errors.New("SECRET broke")
	}
	return "d7", c.B == "same", nil
}

func decisionOf(id string) DecisionRow {
	return DecisionRow{
		ID: id, Kind: "merge", State: "in force", Who: "ann", Why: "<b>SECRET</b> looked at both", At: testNow.Add(-time.Hour), Records: []string{"crm/company/c1", "desk/company/o2"},
		Undoable: true, Balanced: true,
	}
}

func (f office) DecisionsPage(_ context.Context, q DecisionQuery) (p DecisionsPage, err error) {
	if q.State == "withdrawn" {
		return p, nil
	}
	pin := decisionOf("d3")
	pin.Kind, pin.State, pin.Field, pin.Value, pin.Refused = "pin", "stale", "name", "美跃", true
	undo := decisionOf("d4")
	undo.Kind, undo.Withdraws, undo.Records, undo.Problem = "undo", []string{"d1"}, nil, "waits"
	p.Rows, p.Next = []DecisionRow{decisionOf("d1"), pin, undo}, "7"
	if q.Customer != "" {
		p.Customer, p.Name = q.Customer, "上海美跃包装材料有限公司"
	}
	return p, nil
}

func (f office) DecisionPage(_ context.Context, id string) (DecisionPage, error) {
	if id == "none" {
		return DecisionPage{}, fmt.Errorf("decision none: %w", record.ErrNotFound)
	}
	d := DecisionPage{DecisionRow: decisionOf(id), Customers: f.o.Last[:1]}
	wrong := BalanceLine{System: "crm", Kind: "relations", Before: 2, After: 1}
	d.Certificates = []Certificate{{At: testNow, Moved: 2, Lines: []BalanceLine{{System: "crm", Kind: "consents", Before: 3, After: 3, Balanced: true}}}, {At: testNow, Refused: true, Lines: []BalanceLine{wrong}}, {Erased: true}}
	return d, nil
}

func TestChangesSayWhatWouldHappen(t *testing.T) {
	f := newOffice()
	h := newHandler(f, nil)
	split := "/customers/" + acmeID + "/split?r=crm%2Fcompany%2Fc1"
	for path, wants := range map[string][]string{
		"/customers/" + acmeID:            {`href="/customers/` + acmeID + `/split"`, `href="/decisions?customer=` + acmeID + `"`},
		"/customers/" + acmeID + "/split": {`value="crm/company/c1"`, "12 events", "3 more records are not listed"},
		split: {
			"1 customer changes, 1 comes into being, 1 becomes part of another, 6 records move, 2 writes to targets.", "2 of these records have news", `value="crm/company/c1" id="r0" checked`,
			"SECRET <mark>1</mark>", "1\u202f200", "<strong>1\u202f188</strong>", "<strong>10</strong>", "desk gets new objects (1)", "hubspot has itself merged its object 77", "the object stays there",
			"1 waiting write is taken back", "its first plan waits", "It balances", `name="why"`, "Later merges that stay",
		},
		"/customers/merge?a=x&b=y":        {"It cannot be decided so.", `href="?a=x&amp;b=y&amp;over=1"`, "what our own push made", `href="/decisions/d1"`},
		"/customers/merge?a=x&b=y&over=1": {"Decisions that go out of force", `<input type="hidden" name="over" value="1">`},
		"/decisions":                      {`href="/decisions/d1"`, "rolled back", "<bdi>美跃</bdi>", `href="?after=7"`, `takes out of force <code>d1</code>`},
		"/decisions?state=withdrawn":      {"Nothing has been decided."},
		"/decisions/d1":                   {"relations", "the decision taken back", "was erased", `action="/decisions/d1/undo"`, `data-key="u"`},
		"/decisions/d2":                   {"To part them, split records off."},
	} {
		body := get(t, h, path).Body.String()
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q", path, want)
			}
		}
	}
	if body := get(t, h, "/customers/merge?a=x&b=y").Body.String(); strings.Contains(body, `method="post" class="confirm"`) {
		t.Error("a refused merge can be confirmed")
	}
	for _, want := range []string{"page:local read.customer " + acmeID + "," + zenithID + ",gone2345efgh6789", "page:local read.decision d1", "page:local read.decisions d1,d3,d4"} {
		if !slices.Contains(f.seen.list(), want) {
			t.Errorf("the trail lacks %q: %q", want, f.seen.list())
		}
	}
}

func TestChangesAreMadeOrRefused(t *testing.T) {
	tests := []struct {
		path, form string
		code       int
		leads, did string // where to, and what was done
		text       string
	}{
		{"/customers/" + acmeID + "/split", "r=crm%2Fcompany%2Fc1&why=another+firm", 303, "/customers/" + acmeID, "page:local did split " + acmeID + "[crm/company/c1] over false: another firm", ""},
		{"/customers/" + acmeID + "/split", "r=crm%2Fcompany%2Fc1&why=+", 422, "", "", "Say why"},
		{"/customers/" + acmeID + "/split", "why=x", 422, "", "", "Choose the records"},
		{"/customers/merge", "a=x&b=y&why=z&over=1", 303, "/customers/x", "page:local did merge xy[] over true: z", ""},
		{"/customers/merge", "a=x&b=same&why=z", 303, "/customers/x", "page:local did merge xsame[] over false: z", ""},
		{"/customers/merge", "a=x&why=z", 422, "", "", "Name two customers"},
		{"/decisions/d1/undo", "", 303, "/decisions/d1", "page:local did undo d1[] over false: ", ""},
		{"/decisions/d1/undo", "next=%2Freview", 303, "/review", "page:local did undo d1[] over false: ", ""},
		{"/decisions/d1/undo", "next=https%3A%2F%2Fevil.example%2F", 303, "/", "page:local did undo d1[] over false: ", ""},
		{"/decisions/late/undo", "", 422, "", "page:local did undo late[] over false: ", "it contradicts &lt;d9&gt;"},
		{"/decisions/gone/undo", "", 404, "", "page:local did undo gone[] over false: ", "nothing at this address"},
		{"/decisions/broken/undo", "", 500, "", "page:local did undo broken[] over false: ", "Nothing was lost"},
	}
	for _, tt := range tests {
		f := newOffice()
		r := httptest.NewRequest(http.MethodPost, "http://localhost"+tt.path, strings.NewReader(tt.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		newHandler(f, nil).ServeHTTP(w, r)
		did := ""
		for _, line := range f.seen.list() {
			if strings.Contains(line, " did ") {
				did = line
			}
		}
		if w.Code != tt.code || w.Header().Get("Location") != tt.leads || did != tt.did || !strings.Contains(w.Body.String(), tt.text) {
			t.Errorf("%s with %q: %d to %q, did %q; want %d to %q, %q and the text %q", tt.path, tt.form, w.Code, w.Header().Get("Location"), did, tt.code, tt.leads, tt.did, tt.text)
		}
		if tt.code == 303 {
			want := "d7"
			if strings.Contains(tt.form, "same") {
				want = "done.existing"
			}
			if c := w.Header().Get("Set-Cookie"); !strings.Contains(c, url.QueryEscape(want)) {
				t.Errorf("%s: the next page is told %q, want %s in it", tt.path, c, want)
			}
		}
	}
	r := httptest.NewRequest(http.MethodPost, "http://localhost/decisions/d1/undo", http.NoBody)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if newHandler(newOffice(), nil).ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("a forged undo: %d, want 403", w.Code)
	}
}

// TestBrowserSplitsByKeys: choosing, looking and deciding without a mouse, in
// one page.
func TestBrowserSplitsByKeys(t *testing.T) {
	f := newOffice()
	server := httptest.NewServer(newHandler(f, nil))
	defer server.Close()
	b := openBrowser(t)
	b.visit(t, server.URL+"/customers/"+acmeID+"/split?lang=zh-Hans", 1280)
	if err := chromedp.Do(b.ctx, chromedp.Focus("#r0"), chromedp.KeyEvent(" "), chromedp.KeyEvent("p"), chromedp.WaitVisible("#preview"),
		chromedp.Focus("#why"), chromedp.KeyEvent("另一家公司"), chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("y"), chromedp.WaitVisible(".done")); err != nil {
		t.Fatalf("split by keys: %v", err)
	}
	if at := value[string](t, b, "location.pathname"); at != "/customers/"+acmeID {
		t.Errorf("the split leads to %s, want the customer", at)
	}
	if want := "page:local did split " + acmeID + "[crm/company/c1] over false: 另一家公司"; !slices.Contains(f.seen.list(), want) {
		t.Errorf("done %q, want %q", f.seen.list(), want)
	}
	if c := b.taken(); len(c) > 0 {
		t.Errorf("the browser complains:\n%s", strings.Join(c, "\n"))
	}
}
