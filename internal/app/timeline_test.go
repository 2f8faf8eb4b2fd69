package app

import (
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/web"
)

const timelineYAML = `
sources:
  firms:
    type: file
    path: none.csv
    entities:
      company: {id: record.id, map: {name: record.name, phone: record.phone, website: record.website}}
    events:
      sale:
        id: record.id
        of: [{entity: company, id: record.of}, {entity: company, id: record.also}]
        at: record.at
        map: {subject: record.subject, status: record.status, amount: record.amount, currency: record.currency, type: record.type}
`

// happened fills a world of firms f0 … with n events of f0 and some of f1.
func happened(t *testing.T, w *world, n int) {
	t.Helper()
	w.yaml = timelineYAML
	w.open()
	firms, sales := &feed{pages: [][]record.Raw{nil}}, &feed{pages: [][]record.Raw{nil}}
	w.app.order[0].intakes[0].Puller, w.app.order[0].events[0].Puller = firms, sales
	for i, name := range strings.Fields("Quartz Bramble Harbour") {
		firms.pages[0] = append(firms.pages[0], record.Raw{Entity: record.Company, Data: fmt.Appendf(nil, `{"id":"f%d","name":"%s Works","website":"%s.example"}`, i, name, strings.ToLower(name))})
	}
	start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		of, also := "f0", ""
		switch i % 7 {
		case 3:
			of = "f1"
		case 5:
			also = "f1" // of both: counted once when they are one customer
		}
		at := start.Add(time.Duration(i) * 3 * time.Hour).Format(time.RFC3339)
		amount, currency := fmt.Sprintf("%d.%02d", i%500, i%100), []string{"CNY", "EUR"}[i%2]
		if i%5 == 4 {
			amount, currency = "", ""
		}
		data := fmt.Appendf(nil, `{"id":"s%d","of":%q,"also":%q,"at":%q,"type":%q,"subject":"no. %d","status":"open","amount":%q,"currency":%q}`,
			i, of, also, at, []string{"order", "call", "ticket"}[i%3], i, amount, currency)
		sales.pages[0] = append(sales.pages[0], record.Raw{Entity: "sale", Data: data})
	}
	w.plan()
}

// timeline reads the whole of a timeline by its pages and holds its counts and
// sums against the rows.
func (w *world) timeline(id string, q web.TimelineQuery) (rows []web.TimelineRow) {
	w.Helper()
	q.Limit = 17
	var first web.Timeline
	byMonth := map[string]int{}
	for {
		p, err := w.app.Timeline(w.Context(), id, q)
		if err != nil {
			w.Fatal(err)
		}
		if q.After == "" {
			first = p
		}
		for _, m := range p.Months {
			byMonth[m.Month] += len(m.Rows)
			rows = append(rows, m.Rows...)
		}
		if q.After = p.Next; p.Next == "" {
			break
		}
	}
	if !slices.IsSortedFunc(rows, func(x, y web.TimelineRow) int { return y.At.Compare(x.At) }) {
		w.Errorf("timeline of %s %+v is not by time", id, q)
	}
	sums, n := map[string]*big.Rat{}, 0
	for _, m := range first.Months {
		if byMonth[m.Month] != m.N {
			w.Errorf("%s has %d rows, and says %d", m.Month, byMonth[m.Month], m.N)
		}
		n += m.N
		for _, s := range m.Sums {
			add(sums, s.Currency, s.Amount)
		}
	}
	fromRows := map[string]*big.Rat{}
	for _, r := range rows {
		add(fromRows, r.Currency, r.Amount)
	}
	total := map[string]*big.Rat{}
	for _, s := range first.Sums {
		add(total, s.Currency, s.Amount)
	}
	if got, want := fmt.Sprint(total), fmt.Sprint(fromRows); n != len(rows) || first.N != n || got != want || fmt.Sprint(sums) != want {
		w.Errorf("%d rows with %s; the page says %d with %s, its months %s", len(rows), want, first.N, got, sums)
	}
	var exported []web.TimelineRow
	err := w.app.EachHappening(w.Context(), id, web.TimelineQuery{Kind: q.Kind, Source: q.Source}, func(r web.TimelineRow) error { exported = append(exported, r); return nil })
	if err != nil || fmt.Sprint(exported) != fmt.Sprint(rows) {
		w.Errorf("what is taken away differs from what is shown: %d rows, %v; want %d", len(exported), err, len(rows))
	}
	return rows
}

func add(sums map[string]*big.Rat, currency, amount string) {
	if x, ok := new(big.Rat).SetString(amount); ok {
		if sums[currency] == nil {
			sums[currency] = new(big.Rat)
		}
		sums[currency].Add(sums[currency], x)
	}
}

func kinds(rows []web.TimelineRow, kind string) (n int) {
	for _, r := range rows {
		if r.Kind == kind {
			n++
		}
	}
	return n
}

// TestTimelineHoldsAllSystemsAndFollowsMerges: its sums are those of its rows
// under every filter, whatever page they stand on, and an event of two records
// of one customer comes once.
func TestTimelineHoldsAllSystemsAndFollowsMerges(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		happened(t, w, 140)
		one, two := len(w.timeline("firms:f0", web.TimelineQuery{Kind: "event"})), len(w.timeline("firms:f1", web.TimelineQuery{Kind: "event"}))
		if one != 120 || two != 40 {
			t.Errorf("%d and %d events, want 120 and 40", one, two)
		}
		if n := len(w.timeline("firms:f2", web.TimelineQuery{Kind: "event"})); n != 0 {
			t.Errorf("%d events of a firm without any", n)
		}
		merge := w.decision(w.app.Merge(t.Context(), "firms:f0", "firms:f1", ann))
		w.plan()
		rows := w.timeline("firms:f1", web.TimelineQuery{})
		if e, j, d, p := kinds(rows, "event"), kinds(rows, "joined"), kinds(rows, "decision"), kinds(rows, "published"); e != 140 || j != 2 || d != 1 || p < 1 {
			t.Errorf("after the merge %d events, %d records joined, %d decisions, %d changes; want 140, 2, 1 and some", e, j, d, p)
		}
		for _, q := range []web.TimelineQuery{{Kind: "order"}, {Kind: "change"}, {Kind: "write"}, {Source: "firms"}, {Kind: "call", Source: "firms"}} {
			rows := w.timeline("firms:f0", q)
			if q.Kind == "order" && len(rows) != 47 {
				t.Errorf("%d orders, want 47", len(rows))
			}
		}
		p, err := w.app.Timeline(t.Context(), "firms:f0", web.TimelineQuery{Month: "2024-01", Limit: 5})
		if err != nil || p.Months[len(p.Months)-1].Month != "2024-01" || len(p.Months[len(p.Months)-1].Rows) != 5 || p.Next == "" {
			t.Errorf("a month that is opened: %+v, %v", p.Months, err)
		}
		w.decision(w.app.Undo(t.Context(), merge, ann))
		w.plan()
		if a, b := len(w.timeline("firms:f0", web.TimelineQuery{Kind: "event"})), len(w.timeline("firms:f1", web.TimelineQuery{Kind: "event"})); a != one || b != two {
			t.Errorf("after the undo %d and %d events, want %d and %d", a, b, one, two)
		}
		for _, bad := range []web.TimelineQuery{{After: "x"}, {After: "1@"}, {Source: "nowhere"}} {
			if _, err := w.app.Timeline(t.Context(), "firms:f0", bad); err == nil {
				t.Errorf("%+v gives a timeline", bad)
			}
		}
	})
}

// TestGroupSumsAreThoseOfItsTimelines: what a group rolls up is what the
// timelines of its companies add up to.
func TestGroupSumsAreThoseOfItsTimelines(t *testing.T) {
	w := newWorld(t, "")
	happened(t, w, 60)
	for _, r := range []Relate{{From: "firms:f1", Kind: Parent, To: "firms:f2", Share: "60"}, {From: "firms:f0", Kind: BranchOf, To: "firms:f1"}} {
		w.decision(w.app.Relate(t.Context(), r, ann))
	}
	g, err := w.app.GroupTree(t.Context(), "firms:f0", "")
	if err != nil || g.Nodes != 3 {
		t.Fatalf("%d companies in the group, %v; want 3", g.Nodes, err)
	}
	want := map[string]*big.Rat{}
	for _, id := range []string{"firms:f0", "firms:f1", "firms:f2"} {
		for _, r := range w.timeline(id, web.TimelineQuery{Kind: "event"}) {
			add(want, r.Currency, r.Amount)
		}
	}
	got := map[string]*big.Rat{}
	for _, s := range g.Totals {
		add(got, s.Currency, s.Amount)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(want) != 2 {
		t.Errorf("the group has %v, its companies %v", got, want)
	}
}

// TestFieldSaysWhereItCameFrom: value ← source ← rule ← who, with what it won
// over and what it was.
func TestFieldSaysWhereItCameFrom(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk := apart(t, dsn)
		p, err := w.app.CustomerField(t.Context(), "crm:c1", "phone")
		if err != nil || !p.Known || p.Pin != nil || len(p.History) == 0 {
			t.Fatalf("phones %+v, %v", p, err)
		}
		d, err := w.app.PinField(t.Context(), web.PinForm{ID: p.ID, Field: "phones", Value: "+44 113 496 0999", Until: "2027-01-01"}, web.By{Who: "ann", Why: "rang them"})
		if err != nil {
			t.Fatal(err)
		}
		w.clean()
		p, err = w.app.CustomerField(t.Context(), p.ID, "phones")
		if err != nil || p.Pin == nil || p.Pin.Who != "ann" || p.Pin.Why != "rang them" || p.Pin.Decision != d.Undo || p.Field.Value != "+44 113 496 0999" {
			t.Errorf("pinned: %+v %+v, %v", p.Field, p.Pin, err)
		}
		if h := p.History; len(h) < 2 || h[0].Who != "ann" || h[0].Value != "+44 113 496 0999" || h[1].Who != "" || !strings.Contains(h[1].Value, "0001") {
			t.Errorf("history %+v, want ann's value over the source's", h)
		}
		if _, err := w.app.UnpinField(t.Context(), p.ID, "phones", web.By{Who: "ann"}); err != nil {
			t.Fatal(err)
		}
		desk.edit("o1", map[string]any{"name": "Acme Tools Limited"})
		w.clean()
		if p, err = w.app.CustomerField(t.Context(), p.ID, "name"); err != nil || len(p.Losers)+len(p.History) < 2 {
			t.Errorf("name: losers %+v, history %+v, %v", p.Losers, p.History, err)
		}
		at, err := w.app.CustomerAt(t.Context(), p.ID, w.clock.Now().Format(time.DateOnly), "2020-01-01")
		if err != nil || !at.NoBefore {
			t.Errorf("against a day before it was known: %+v, %v", at, err)
		}
		if at, err = w.app.CustomerAt(t.Context(), p.ID, "2020-01-01", ""); err != nil || !at.Missing {
			t.Errorf("before it was known: %+v, %v", at, err)
		}
		m, err := w.app.MemberRecord(t.Context(), p.ID, "desk/company/o1")
		if err != nil || len(m.Versions) < 2 || !strings.Contains(m.Versions[0].Raw, "Acme Tools Limited") {
			t.Errorf("source record %+v, %v", m, err)
		}
		if _, err := w.app.MemberRecord(t.Context(), p.ID, "desk/company/o2"); err == nil {
			t.Error("a record of another customer is shown here")
		}
		var told *web.Problem
		if _, err := w.app.StateRelation(t.Context(), web.RelateForm{From: p.ID, Kind: Partner, To: "No Such Firm"}, web.By{Who: "ann"}); err == nil || !asProblem(err, &told) || told.Field != "to" {
			t.Errorf("a relation to nobody: %v", err)
		}
		if _, err := w.app.StateRelation(t.Context(), web.RelateForm{From: p.ID, Kind: Partner, To: "Zenith Bakery"}, web.By{Who: "ann"}); err != nil {
			t.Errorf("a relation to a customer by name: %v", err)
		}
	})
}

func asProblem(err error, into **web.Problem) bool {
	return errors.As(err, into)
}

// TestCustomerPageIsQuick reads what the page of a customer with many events
// shows, and holds the quickest of five times to 200 ms; a page is not slower
// for a machine that is busy. TOUCHSTONE_EVENTS plays with more, such as 5000.
func TestCustomerPageIsQuick(t *testing.T) {
	n := 700
	if s := os.Getenv("TOUCHSTONE_EVENTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("TOUCHSTONE_EVENTS is %q, want a number", s)
		}
	}
	onBoth(t, func(t *testing.T, dsn string) {
		w := newWorld(t, dsn)
		happened(t, w, n)
		w.decision(w.app.Merge(t.Context(), "firms:f0", "firms:f1", ann))
		w.plan()
		srv := web.New(w.app, web.Options{Env: w.env, ShowValues: true})
		id := w.golden("firms/company/f0").ID
		if p, err := w.app.Timeline(t.Context(), id, web.TimelineQuery{Kind: "event", Limit: 1}); err != nil || p.N != n {
			t.Fatalf("%d events, %v; want %d", p.N, err, n)
		}
		best := map[string]time.Duration{}
		for range 5 {
			for _, path := range []string{"/customers/" + id, "/customers/" + id + "/timeline", "/customers/" + id + "/timeline?kind=order&month=2024-02"} {
				r := httptest.NewRequest(http.MethodGet, path, nil)
				r.Host, r.RemoteAddr = "127.0.0.1:8480", "127.0.0.1:1234"
				answer, begin := httptest.NewRecorder(), time.Now()
				srv.ServeHTTP(answer, r)
				took := time.Since(begin)
				if answer.Code != http.StatusOK {
					t.Fatalf("%s: %d", path, answer.Code)
				}
				if old, ok := best[path]; !ok || took < old {
					best[path] = took
				}
			}
		}
		for path, took := range best {
			t.Logf("%s with %d events: %s", strings.Replace(path, id, "ID", 1), n, took)
			if took > 200*time.Millisecond {
				t.Errorf("%s takes %s, want 200ms at most", path, took)
			}
		}
	})
}
