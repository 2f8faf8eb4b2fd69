package app

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// TestValuesOfManyRecordsAreCountedBesideThePage: a page of a large store shows at
// once what was counted last, says as of when and has it counted anew; a decision
// shows at once, its undo with the next count.
func TestValuesOfManyRecordsAreCountedBesideThePage(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		const n = 2500
		ctx := t.Context()
		w, _, _ := two(t, dsn, []string{acme("c1", "2", "")}, []string{acme("o1", "1", "")})
		w.open()
		w.clean()
		w.fill(n)
		q := web.ValueQuery{Entity: "company", Field: "name", From: "Name 7", To: "Name 8"}
		page := func() web.ValuePage {
			t.Helper()
			p, err := w.app.ValueMaps(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		count := func(want int) {
			t.Helper()
			if n, err := w.app.WorkValueCounts(ctx); err != nil || n != want {
				t.Fatalf("%d fields were counted, %v; want %d", n, err, want)
			}
		}
		said := func(p web.ValuePage) string {
			first := []string{}
			for _, v := range p.Values[:min(2, len(p.Values))] {
				first = append(first, fmt.Sprint(v.Value, " ", v.Count, " ", v.Target))
			}
			return fmt.Sprint(first, " of ", p.Distinct, "; known ", !p.At.IsZero(), ", counting ", p.Counting)
		}
		wants := func(when, want string) {
			t.Helper()
			if got := said(page()); got != want {
				t.Errorf("%s the page says\n %s, want\n %s", when, got, want)
			}
		}
		preview := func(from string) string {
			t.Helper()
			p, err := w.app.PreviewValue(ctx, web.ValueQuery{Entity: "company", Field: "name", From: from, To: "Other"})
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(p.Records, " ", p.AtMost, " ", !p.At.IsZero())
		}

		wants("before any count", "[] of 0; known false, counting true")
		if got := preview("Name 7"); got != "0 false false" {
			t.Errorf("before any count the preview says %s", got)
		}
		live, _, err := w.app.Live(ctx)
		if _, on := live["values.company.name"]; err != nil || !on {
			t.Errorf("live counts %v, %v: the count is not told", live, err)
		}
		count(1)
		wants("counted", fmt.Sprintf("[Acme Tools Ltd 2 false Name 1 1 false] of %d; known true, counting false", n+1))
		if p := page(); len(p.Values) != valuesListed || p.Records != n+2 || p.More || !p.Kept {
			t.Errorf("%d values of %d records, more %v, kept %v", len(p.Values), p.Records, p.More, p.Kept)
		}
		for from, want := range map[string]string{"Acme Tools Ltd": "2 false true", "Name 1": "1 false true", "Nobody": "1 true true"} {
			if got := preview(from); got != want {
				t.Errorf("the preview of %s says %s, want %s", from, got, want)
			}
		}
		count(0)
		w.wantSealed("Acme Tools Ltd")

		q.From, q.To = "Name 1", "Acme Tools Ltd"
		id, err := w.app.MapValue(ctx, q, web.By{Who: "amy", Why: "one firm"})
		if err != nil {
			t.Fatal(err)
		}
		after := fmt.Sprintf("[Acme Tools Ltd 3 true Name 10 1 false] of %d; known true, counting ", n)
		wants("after a decision", after+"true")
		count(1)
		wants("counted anew", after+"false")
		if _, err := w.app.Undo(ctx, id, By{Who: "amy"}); err != nil {
			t.Fatal(err)
		}
		page()
		count(1)
		wants("after the undo", fmt.Sprintf("[Acme Tools Ltd 2 false Name 1 1 false] of %d; known true, counting false", n+1))

		if err := w.clock.Sleep(ctx, 200*valuesOld); err != nil {
			t.Fatal(err)
		}
		if !page().Counting {
			t.Error("an old count is not made anew")
		}
		count(1)
		if err := w.app.CountValues(ctx, q); err != nil || !page().Counting {
			t.Errorf("asked for, a count is not made: %v", err)
		}
		w.execute(`UPDATE feature SET authored = '{"name":{"n":1,"s":"","v":[' WHERE rec = 1001`)
		if _, err := w.app.WorkValueCounts(ctx); err == nil || !strings.Contains(err.Error(), "authored values of record 1001") {
			t.Errorf("a count over a broken record: %v", err)
		}
		if p := page(); !p.Failed || p.Counting || len(p.Values) == 0 {
			t.Errorf("after a count that failed: failed %v, counting %v, %d values", p.Failed, p.Counting, len(p.Values))
		}
		if err := w.app.CountValues(ctx, web.ValueQuery{Entity: "company", Field: "revenue"}); err == nil {
			t.Error("values of a number are counted")
		}
	})
}

// wantSealed says that no column of the kept counts has a text in plain.
func (w *world) wantSealed(text string) {
	w.Helper()
	c, err := w.app.Store.ValueCount(w.Context(), "company", "name")
	if err != nil || !strings.Contains(string(c.Body), text) {
		w.Fatalf("the count has no %q, %v", text, err)
	}
	db := w.past()
	defer func() { _ = db.Close() }()
	var sealed []byte
	if err := db.QueryRowContext(w.Context(), `SELECT sealed FROM value_count`).Scan(&sealed); err != nil || len(sealed) == 0 || bytes.Contains(sealed, []byte(text)) {
		w.Errorf("%q stands in the store as it is, or nothing does: %v", text, err)
	}
}

// TestOwnersAreKeptAsTheyAre: what the list of owners counts is what reading every
// customer counts, after a hand-over, its undo and a rebuild.
func TestOwnersAreKeptAsTheyAre(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _ := owned(t, dsn)
		check := func(when string) {
			t.Helper()
			counted := map[string]int{}
			list, err := w.app.Store.GoldenList(t.Context(), store.GoldenFilter{Entity: "company", Limit: 100})
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range list {
				owner, _, err := sight{}.ownedOf("company", g.Fields)
				if err != nil {
					t.Fatal(err)
				}
				counted[owner]++
			}
			kept, err := w.app.Store.Owners(t.Context(), "company", 100)
			if err != nil || len(kept) != len(counted) || slices.ContainsFunc(kept, func(o store.OwnerCount) bool { return counted[o.Owner] != o.Customers }) {
				t.Errorf("%s: kept %v, counted %v, %v", when, kept, counted, err)
			}
			if damage, err := w.app.Store.Integrity(t.Context()); err != nil || len(damage) > 0 {
				t.Errorf("%s: %q, %v", when, damage, err)
			}
		}
		check("at first")
		id, err := w.app.HandOver(t.Context(), web.HandoverQuery{Entity: "company", From: "Ann", To: "Bob"}, "", web.By{Who: "amy", Why: "Ann left"})
		if err != nil {
			t.Fatal(err)
		}
		w.clean()
		check("passed on")
		if _, err := w.app.Undo(t.Context(), id, By{Who: "amy"}); err != nil {
			t.Fatal(err)
		}
		w.clean()
		check("taken back")
		w.end()
	})
}
