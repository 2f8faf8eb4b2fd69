package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"touchstone/internal/record"
)

func oneHandover() HandoverRow {
	return HandoverRow{ID: "d9", Entity: "company", From: "Ann <i>", To: "Bob", Who: "amy", Why: "left", At: testNow, Customers: 2}
}

func (office) Owners(_ context.Context, entity string) (OwnerList, error) {
	if entity == "ship" {
		return OwnerList{}, &Problem{Text: "ships have no owner"}
	}
	return OwnerList{Entity: "company", Entities: []string{"company", "person"}, Sources: []string{"crm"}, Owners: []Count{{"Ann <i>", 12}, {"", 4}}}, nil
}

func (office) PreviewHandover(_ context.Context, q HandoverQuery) (HandoverPreview, error) {
	if q.To == "" {
		return HandoverPreview{}, &Problem{Field: "to", Text: "say who <they> go to"}
	}
	return HandoverPreview{HandoverQuery: q, Customers: 12, Examples: []CustomerName{{"abcd2345efgh6789", "Acme Ltd"}}, Writes: []Count{{"crm", 9}}, Unwritten: []string{"desk"}, Token: "tok"}, nil
}

func (f office) HandOver(_ context.Context, q HandoverQuery, token string, by By) (string, error) {
	if by.Why == "" {
		return "", &Problem{Field: "why", Text: "say why"}
	}
	f.seen.add(fmt.Sprintf("passed %+v %s %+v", q, token, by))
	return "d9", nil
}

func (office) Handovers(context.Context, int) ([]HandoverRow, error) {
	return []HandoverRow{oneHandover()}, nil
}

func (office) HandoverPage(_ context.Context, id, after string, _ int) (HandoverPage, error) {
	if id == "none" {
		return HandoverPage{}, fmt.Errorf("hand-over %s: %w", id, record.ErrNotFound)
	}
	p := HandoverPage{HandoverRow: oneHandover(), Targets: []string{"crm"}}
	if after == "" {
		p.Parts, p.Next = []HandoverPart{{1, "abcd2345efgh6789", "=Acme Ltd", "Ann <i>", "=Bob", false, []HandoverWrite{{"crm", "delivered"}}}}, "1"
	} else {
		p.Parts = []HandoverPart{{2, "", "", "", "", true, []HandoverWrite{{"crm", ""}}}}
	}
	return p, nil
}

func (office) ValueMaps(_ context.Context, q ValueQuery) (ValuePage, error) {
	if q.Field == "revenue" {
		return ValuePage{}, &Problem{Text: "company has no field \"revenue\" of texts"}
	}
	states := map[string]ValueState{
		"legal_form": {Kept: true, Counting: true, Done: 400, Whole: 900},
		"aliases":    {Kept: true, At: testNow.Add(-time.Hour), Counting: true, Done: 500, Whole: 900},
		"brands":     {Kept: true, At: testNow.Add(-time.Hour), Failed: true},
	}
	if state, ok := states[q.Field]; ok {
		p := ValuePage{ValueQuery: ValueQuery{Entity: "company", Field: q.Field}, ValueState: state, More: q.Field == "aliases"}
		if !state.At.IsZero() {
			p.Values, p.Distinct, p.Records = []ValueHeld{{"Acme", 12, false}}, 200, 300
		}
		return p, nil
	}
	q.Entity, q.Field = "company", "industry"
	return ValuePage{
		ValueQuery: q, Entities: []string{"company", "person"}, Fields: []string{"industry", "addresses.city"},
		Maps:   []ValueMapRow{{"d7", "industry", "amy", "same <b>", testNow, []string{"SW", "Softw."}, 3, "Software", false}},
		Values: []ValueHeld{{"Software", 12, true}, {"SECRET-VALUE <b>", 3, false}}, Distinct: 2, Records: 15, Missed: []ValueMissed{{"owners", "x9", 4}}, AllMissed: 1,
	}, nil
}

func (office) CountValues(_ context.Context, q ValueQuery) error {
	if q.Field == "revenue" {
		return &Problem{Text: "company has no field \"revenue\" of texts"}
	}
	return nil
}

func (office) PreviewValue(_ context.Context, q ValueQuery) (ValuePreview, error) {
	if q.From == q.To {
		return ValuePreview{}, &Problem{Text: "they are <the same>"}
	}
	then := ValueState{Kept: true, At: testNow.Add(-time.Hour)}
	switch q.Field {
	case "legal_form":
		return ValuePreview{ValueQuery: q, ValueState: ValueState{Kept: true}}, nil
	case "aliases":
		return ValuePreview{ValueQuery: q, Records: 3, AtMost: true, ValueState: then}, nil
	case "brands":
		return ValuePreview{ValueQuery: q, Records: 3, ValueState: then}, nil
	}
	return ValuePreview{ValueQuery: q, Records: 3}, nil
}

func (f office) MapValue(_ context.Context, q ValueQuery, by By) (string, error) {
	if q.From == q.To {
		return "", &Problem{Text: "they are <the same>"}
	}
	f.seen.add(fmt.Sprintf("mapped %+v %+v", q, by))
	return "d8", nil
}

// TestHandoversAndValuesReachTheirPlace goes through the forms and the files of
// both areas.
func TestHandoversAndValuesReachTheirPlace(t *testing.T) {
	tests := []struct {
		method, path, want string
		form               url.Values
		status             int
	}{
		{"POST", "/handovers", "passed {Entity:company From:Ann <i> To:Bob Source:crm} tok {Who:page:local Why:left}", url.Values{"entity": {"company"}, "from": {"Ann <i>"}, "to": {"Bob"}, "source": {"crm"}, "token": {"tok"}, "why": {"left"}}, 303},
		{"POST", "/handovers", "say why", url.Values{"entity": {"company"}, "from": {"Ann <i>"}, "to": {"Bob"}}, 422},
		{"POST", "/values", "mapped {Entity:company Field:industry From:SW To:Software} {Who:page:local Why:}", url.Values{"entity": {"company"}, "field": {"industry"}, "from": {"SW"}, "to": {"Software"}}, 303},
		{"POST", "/values", "they are &lt;the same&gt;", url.Values{"entity": {"company"}, "field": {"industry"}, "from": {"SW"}, "to": {"SW"}}, 422},
		{"POST", "/values/count", "of texts", url.Values{"entity": {"company"}, "field": {"revenue"}}, 422},
		{"GET", "/handovers?to=&from=x", "say who &lt;they&gt; go to", nil, 422},
		{"GET", "/handovers?entity=ship", "ships have no owner", nil, 422},
		{"GET", "/handovers/d9/certificate.csv", "n,customer,name,before,after,now,at,who,why,undone,crm\n1,abcd2345efgh6789,'=Acme Ltd,Ann <i>,Bob,'=Bob,2026-01-05T09:00:00Z,amy,left,false,delivered\n2,,,,Bob,,2026-01-05T09:00:00Z,amy,left,false,\n", nil, 200},
		{"GET", "/handovers/d9/certificate.json", `{"n":1,"customer":"abcd2345efgh6789","name":"=Acme Ltd","before":"Ann \u003ci\u003e","after":"Bob","now":"=Bob","writes":{"crm":"delivered"}}`, nil, 200},
		{"GET", "/handovers/none", "", nil, 404},
		{"GET", "/values?field=revenue", "of texts", nil, 422},
	}
	for _, tt := range tests {
		o := newOffice()
		h := newHandler(o, nil)
		w := get(t, h, tt.path)
		if tt.method == http.MethodPost {
			w = post(t, h, tt.path, tt.form)
		}
		got := w.Body.String()
		if w.Code == http.StatusSeeOther {
			got = o.seen.text()
		}
		if w.Code != tt.status || !strings.Contains(got, tt.want) {
			t.Errorf("%s %s %v: %d, want %d and %q in\n%s", tt.method, tt.path, tt.form, w.Code, tt.status, tt.want, got)
		}
	}
}

// TestValuesSayAsOfWhenTheyAreCounted: counted for the page, never counted, being
// counted anew, and failed, each with what a preview can say then.
func TestValuesSayAsOfWhenTheyAreCounted(t *testing.T) {
	h := newHandler(newOffice(), nil)
	for _, tt := range []struct {
		field         string
		wants, wants2 []string // of the page, of its preview
		not           string
	}{
		{"industry", []string{"2 values", "15 records"}, []string{"3 records have it now:"}, "/values/count"},
		{"legal_form", []string{`data-while="values.company.legal_form"`, `>400</span> / 900`}, []string{"not counted yet"}, "No record has a value"},
		{"aliases", []string{"As counted", "1 h ago", "more than 200 values", "300 records", `>500</span> / 900`}, []string{"At most 3 records had it"}, "/values/count"},
		{"brands", []string{"As counted", "could not be counted", `action="/values/count"`, "Count anew"}, []string{"3 records had it when"}, "data-while"},
	} {
		page := get(t, h, "/values?entity=company&field="+tt.field)
		preview := get(t, h, "/values?entity=company&from=x&to=y&field="+tt.field)
		for _, x := range []struct {
			body  string
			wants []string
		}{{page.Body.String(), tt.wants}, {preview.Body.String(), tt.wants2}} {
			for _, want := range x.wants {
				if !strings.Contains(x.body, want) {
					t.Errorf("%s: no %q in\n%s", tt.field, want, x.body)
				}
			}
		}
		if strings.Contains(page.Body.String(), tt.not) {
			t.Errorf("%s: %q in\n%s", tt.field, tt.not, page.Body)
		}
	}
	if w := post(t, h, "/values/count", url.Values{"entity": {"company"}, "field": {"aliases"}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/values?entity=company&field=aliases" {
		t.Errorf("count anew: %d, %s", w.Code, w.Header().Get("Location"))
	}
}
