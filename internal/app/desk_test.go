package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// doubtful are pairs of companies, each with a slip in its name and its street:
// alike enough to ask, too little to merge.
func doubtful(n int) (crm, desk []string) {
	names := []string{
		"Harbour Lights Bakery", "Kestrel Valley Optics", "Meadowbrook Timber", "Quarry Hill Ceramics", "Silverdale Printing", "Thornfield Brewing",
		"Upland Wool Traders", "Viaduct Street Motors", "Westgate Upholstery", "Yarrow Bridge Dairy", "Zenith Roofing Supply", "Oakham Canal Freight", "Pendle Forest Honey", "Ribble Marine Paints",
	}
	slip := func(s string) string { return s[:4] + "x" + s[5:] }
	for i, name := range names[:n] {
		street := fmt.Sprintf("%d %s Road", 11+7*i, strings.Fields(name)[0])
		crm = append(crm, fmt.Sprintf(`{"id":"c%d","updated_at":"2026-01-02T00:00:00Z","name":"%s Ltd","street":%q,"city":"Leeds","postcode":"LS%d 4AP","country":"GB"}`, i, name, street, i+1))
		desk = append(desk, fmt.Sprintf(`{"id":"o%d","updated_at":"2026-01-03T00:00:00Z","name":%q,"street":%q,"city":"Leeds","postcode":"LS%d 4AP","country":"GB","phone":"+44 113 496 00%02d"}`, i, slip(name), slip(street), i+1, i))
	}
	return crm, desk
}

// atDesk opens a store in which n pairs wait.
func atDesk(t *testing.T, dsn string, n int) *world {
	t.Helper()
	crm, desk := doubtful(n)
	w, _, _ := two(t, dsn, crm, desk)
	w.open()
	w.clean()
	return w
}

// waiting lists the ids of the pairs that wait.
func (w *world) waiting() (ids []string) {
	w.Helper()
	list, err := w.app.OpenPairs(w.Context(), web.ReviewQuery{Me: "amy", Limit: 100})
	if err != nil {
		w.Fatal(err)
	}
	for _, p := range list.Items {
		ids = append(ids, p.ID)
	}
	return ids
}

// TestADeskShowsWhatADecisionNeeds: values of both, evidence that sums to the
// weight, what would turn it, and the customer that would come of it, which is
// the one that comes.
func TestADeskShowsWhatADecisionNeeds(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := atDesk(t, dsn, 2)
		ctx, ids := t.Context(), w.waiting()
		if len(ids) != 2 {
			t.Fatalf("%d pairs wait, want 2", len(ids))
		}
		d, err := w.app.Desk(ctx, ids[0])
		if err != nil {
			t.Fatal(err)
		}
		sum := d.Prior
		for _, r := range d.Rows {
			for _, e := range r.Evidence {
				sum += e.Bits
			}
		}
		for _, e := range d.Other {
			sum += e.Bits
		}
		if sum-d.Bits > 0.001 || d.Bits-sum > 0.001 || len(d.Other) > 0 {
			t.Errorf("the lines sum to %.3f bits, want %.3f; beside them %+v", sum, d.Bits, d.Other)
		}
		if len(d.Flips) == 0 || d.Bits >= d.Threshold || len(d.Systems) != 2 || d.Sides[0].Members != 1 || d.Sides[0].Changed.IsZero() {
			t.Errorf("the desk lacks something: %+v", d)
		}
		at := slices.IndexFunc(d.Rows, func(r web.DeskRow) bool { return r.Name == "name" })
		if at < 0 || len(d.Rows[at].A) != 1 || len(d.Rows[at].Evidence) == 0 || d.Rows[at].Wins == "" {
			t.Fatalf("the name is not told: %+v", d.Rows)
		}
		effect, err := w.app.PairEffect(ctx, ids[0])
		if err != nil || len(effect.Customers) != 2 {
			t.Errorf("the effect of merging is %+v (%v), want two customers", effect, err)
		}
		if _, err := w.app.AnswerPair(ctx, web.PairAnswer{ID: ids[0], Answer: web.AnswerSame}, web.By{Who: "amy"}); err != nil {
			t.Fatal(err)
		}
		w.clean()
		c, err := w.app.Customer(ctx, d.A.Golden)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, f := range c.Fields {
			got[f.Name] = f.Value
		}
		for _, f := range d.After.Fields {
			if got[f.Name] != f.Value {
				t.Errorf("after merging %s is %q, foretold was %q", f.Name, got[f.Name], f.Value)
			}
		}
		if c.Name != d.After.Name || len(c.Members) != d.After.Members || len(got) != len(d.After.Fields) {
			t.Errorf("the customer is %q of %d records and %d fields, foretold were %q, %d, %d", c.Name, len(c.Members), len(got), d.After.Name, d.After.Members, len(d.After.Fields))
		}
		for _, id := range []string{"x", "2-1", "999998-999999"} {
			if _, err := w.app.Desk(ctx, id); !errors.Is(err, record.ErrNotFound) {
				t.Errorf("pair %s gives %v, want not found", id, err)
			}
		}
	})
}

// TestPickedValuesAreHeld: a value picked from either side, or typed, is what the
// merged customer has; undone together, all is as it was.
func TestPickedValuesAreHeld(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := atDesk(t, dsn, 1)
		ctx, id := t.Context(), w.waiting()[0]
		by := web.By{Who: "amy", Why: "asked them"}
		d, err := w.app.Desk(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []struct {
			pick web.Pick
			at   string
		}{
			{web.Pick{Field: "nothing", Side: "a"}, "pick.nothing"},
			{web.Pick{Field: "employees", Value: "many"}, "value.employees"},
			{web.Pick{Field: "website", Side: "a"}, "pick.website"},
			{web.Pick{Field: "name", Side: "b", Until: w.clock.Now().Add(-time.Hour)}, "until"},
		} {
			var p *web.Problem
			picks := []web.Pick{{Field: "name", Side: "b"}, bad.pick}
			if _, err := w.app.AnswerPair(ctx, web.PairAnswer{ID: id, Answer: web.AnswerSame, Picks: picks}, by); !errors.As(err, &p) || p.Field != bad.at {
				t.Errorf("%+v gives %v, want a problem at %s", bad.pick, err, bad.at)
			}
		}
		w.wantStates() // a refused value leaves nothing of the answer
		lose := "b"
		if i := slices.IndexFunc(d.Rows, func(r web.DeskRow) bool { return r.Name == "name" }); d.Rows[i].Wins == "b" {
			lose = "a"
		}
		picks := []web.Pick{{Field: "name", Side: lose}, {Field: "industry", Value: "bakery", Until: w.clock.Now().Add(48 * time.Hour)}}
		out, err := w.app.AnswerPair(ctx, web.PairAnswer{ID: id, Answer: web.AnswerSame, Picks: picks}, by)
		if err != nil || out.State != web.OutcomeDecided || len(out.With) != 2 {
			t.Fatalf("%+v, %v", out, err)
		}
		w.clean()
		want := map[string]string{"a": d.A.Name, "b": d.B.Name}[lose]
		c, err := w.app.Customer(ctx, d.A.Golden)
		if err != nil || c.Name != want || len(c.Members) != 2 {
			t.Errorf("the customer is %q of %d records (%v), want %q of 2", c.Name, len(c.Members), err, want)
		}
		if i := slices.IndexFunc(c.Fields, func(f web.GoldenField) bool { return f.Name == "industry" && f.Value == "bakery" }); i < 0 {
			t.Errorf("the typed value is not held: %+v", c.Fields)
		}
		if err := w.app.UndoDecisions(ctx, append([]string{out.Decision}, out.With...), by); err != nil {
			t.Fatal(err)
		}
		w.clean()
		if c, err = w.app.Customer(ctx, d.A.Golden); err != nil || len(c.Members) != 1 || c.Name != d.A.Name {
			t.Errorf("after the undo the customer is %q of %d records (%v), want %q of 1", c.Name, len(c.Members), err, d.A.Name)
		}
		if ids := w.waiting(); !slices.Contains(ids, id) {
			t.Errorf("the pair does not wait again: %v", ids)
		}
	})
}

// TestTypedValuesAreReadBeforeTheTwoAreOne: a number without a country is of the
// first record's, or of the country picked beside it, whatever the two have
// together; and pins of both give way to what was picked.
func TestTypedValuesAreReadBeforeTheTwoAreOne(t *testing.T) {
	t.Parallel()
	crm, desk := doubtful(3)
	for i := range desk {
		desk[i] = strings.Replace(desk[i], `"country":"GB"`, `"country":"DE"`, 1)
	}
	w, _, _ := two(t, "", crm, desk)
	w.open()
	w.clean()
	ctx, by := t.Context(), web.By{Who: "amy", Why: "asked them"}
	pair := func(n int) string { return w.pairOf(fmt.Sprint("crm/company/c", n), fmt.Sprint("desk/company/o", n)) }
	first := func(n int) string { // the records of a pair stand in the order in which they landed
		d, err := w.app.Desk(ctx, pair(n))
		if err != nil {
			t.Fatal(err)
		}
		return d.Sides[0].Ref
	}
	if got := first(0); got != "crm/company/c0" {
		t.Fatalf("the first record is %s, want the CRM's", got)
	}
	var p *web.Problem
	number := web.Pick{Field: "phones", Value: "0113 496 0123"}
	if _, err := w.app.AnswerPair(ctx, web.PairAnswer{ID: pair(0), Answer: web.AnswerSame, Picks: []web.Pick{number}}, by); !errors.As(err, &p) || p.Take != "+441134960123" {
		t.Fatalf("the first time: %v, want the form shown", err)
	}
	w.wantStates()
	number.Seen = p.Take
	german := web.Pick{Field: "phones", Value: "030 1234567", Seen: "+49301234567"}
	for n, picks := range [][]web.Pick{{number}, {german, {Field: "country", Value: "DE"}}} {
		out, err := w.app.AnswerPair(ctx, web.PairAnswer{ID: pair(n), Answer: web.AnswerSame, Picks: picks}, by)
		if err != nil || out.State != web.OutcomeDecided || len(out.With) != len(picks) {
			t.Fatalf("pair %d: %+v, %v", n, out, err)
		}
	}
	w.clean()
	w.wantValue("desk/company/o0", "phones", "+441134960123")
	w.wantValue("desk/company/o1", "phones", "+49301234567")

	// Each of the two has a pin: the one that is picked holds, the newest or not.
	pin := func(ref, value string) string {
		return w.decision(w.app.Pin(ctx, PinRequest{Golden: ref, Field: "website", Value: value}, ann))
	}
	pin("crm/company/c2", "old.example")
	w.sleep(time.Hour)
	pin("desk/company/o2", "new.example")
	out, err := w.app.AnswerPair(ctx, web.PairAnswer{ID: pair(2), Answer: web.AnswerSame, Picks: []web.Pick{{Field: "website", Value: "old.example"}}}, by)
	if err != nil || len(out.With) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	w.clean()
	w.wantValue("desk/company/o2", "website", "old.example")
	if err := w.app.UndoDecisions(ctx, append([]string{out.Decision}, out.With...), by); err != nil {
		t.Fatal(err)
	}
	w.clean()
	w.wantValue("crm/company/c2", "website", "old.example")
	w.wantValue("desk/company/o2", "website", "new.example")
}

// TestRelatedIsTwoCustomers: related instead of merged, the two stay apart and
// the statement is kept; undone, the pair waits again.
func TestRelatedIsTwoCustomers(t *testing.T) {
	w := atDesk(t, "", 1)
	ctx, id, by := t.Context(), w.waiting()[0], web.By{Who: "amy", Why: "their branch"}
	related := func(how, seen string) (web.PairOutcome, error) {
		return w.app.AnswerPair(ctx, web.PairAnswer{ID: id, Answer: web.AnswerApart, Relation: how, Seen: seen}, by)
	}
	var p *web.Problem
	if _, err := related(web.RelateHousehold, ""); !errors.As(err, &p) {
		t.Errorf("a household of companies gives %v, want a problem", err)
	}
	other := w.decision(w.app.Relate(ctx, Relate{From: "desk/company/o0", Kind: BranchOf, To: "crm/company/c0", Since: "2020-01-01"}, By{Who: "bo"}))
	out, err := related(web.RelateBranchIs, "")
	if err != nil || out.State != web.OutcomeRefused || len(out.Earlier) != 1 || out.Earlier[0].ID != other {
		t.Errorf("against %s: %+v, %v, want it refused and that one named", other, out, err)
	}
	if ids := w.waiting(); len(ids) != 1 {
		t.Errorf("of a refused relation the other half stands: %v wait, want the pair", ids)
	}
	if err := w.app.UndoDecisions(ctx, []string{other}, by); err != nil {
		t.Fatal(err)
	}
	seen := w.work(id, "amy").Seen
	if out, err = related(web.RelateBranchIs, seen); err != nil || out.State != web.OutcomeDecided || len(out.With) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	if again, err := related(web.RelateBranchIs, seen); err != nil || again.State != web.OutcomeAlready || len(again.With) != 0 {
		t.Errorf("a second press gives %+v, %v, want that it is decided", again, err)
	}
	d, err := w.app.Desk(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := w.app.RelationsOf(ctx, d.B.Golden, "")
	if err != nil || len(list) != 1 || list[0].Kind != BranchOf || list[0].A.ID != d.B.Golden || list[0].B.ID != d.A.Golden {
		t.Errorf("relations %+v (%v), want %s a branch of %s", list, err, d.B.Golden, d.A.Golden)
	}
	if len(w.waiting()) != 0 {
		t.Error("the pair waits still")
	}
	if err := w.app.UndoDecisions(ctx, append([]string{out.Decision}, out.With...), by); err != nil {
		t.Fatal(err)
	}
	if ids := w.waiting(); len(ids) != 1 {
		t.Errorf("after the undo %v wait, want the pair", ids)
	}
	if list, _, err = w.app.RelationsOf(ctx, d.B.Golden, ""); err != nil || len(list) != 0 {
		t.Errorf("after the undo %+v is stated still (%v)", list, err)
	}
}

// TestUndoOfSeveralTakesBackWhatItCan: one that is out of reach between two that are
// not leaves the two undone, and where nothing is undone nobody is woken.
func TestUndoOfSeveralTakesBackWhatItCan(t *testing.T) {
	crm, desk := doubtful(1)
	w, _, _ := two(t, "", crm, desk)
	w.yaml = "access: {scopes: {ours: {sources: [crm]}}}\n" + w.yaml
	w.open()
	w.clean()
	pin := func(ref, field, value string) string {
		return w.decision(w.app.Pin(t.Context(), PinRequest{Golden: ref, Field: field, Value: value}, ann))
	}
	ids := []string{pin("crm/company/c0", "industry", "tools"), pin("desk/company/o0", "industry", "bakery"), pin("crm/company/c0", "website", "new.example")}
	w.clean()
	w.wantRung("three pins", true)
	ctx, by := narrowCtx(t.Context(), []string{"ours"}, nil), web.By{Who: "lin"}
	if err := w.app.UndoDecisions(t.Context(), ids, web.By{}); err == nil {
		t.Error("nobody takes decisions back")
	}
	w.wantStates("pin in force", "pin in force", "pin in force")
	if err := w.app.UndoDecisions(ctx, ids[1:2], by); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("what is out of reach: %v, want not found", err)
	}
	w.wantRung("an undo that is refused", false)
	if err := w.app.UndoDecisions(ctx, ids, by); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("one of three is out of reach: %v, want not found", err)
	}
	w.wantRung("an undo of two", true)
	w.wantStates("pin undone", "pin in force", "pin undone", "undo in force", "undo in force")
}

// TestAClusterIsDrawnFromWhatHoldsIt: every union step by step, the weakest link
// among the links, and a split that leaves something.
func TestAClusterIsDrawnFromWhatHoldsIt(t *testing.T) {
	t.Parallel()
	w := openDemo(t)
	ctx, looked, split := t.Context(), 0, false
	err := w.app.EachGolden(ctx, "", false, func(g store.Golden, members []store.Member) error {
		if len(members) < 3 || looked > 25 {
			return nil
		}
		looked++
		for _, step := range []int{-1, 0, 1} {
			c, err := w.app.Cluster(ctx, g.ID, step)
			if err != nil {
				return err
			}
			groups := map[int]bool{}
			for _, m := range c.Members {
				groups[m.Group] = true
			}
			if len(c.Members) != len(members) || len(c.Steps) != len(members)-1 || len(groups) != len(c.Members)-c.Step {
				t.Errorf("%s after %d unions: %d members in %d groups, %d steps; want %d members in %d groups", g.ID, c.Step, len(c.Members), len(groups), len(c.Steps), len(members), len(members)-c.Step)
			}
			weakest := 0
			for _, l := range c.Links {
				if l.A < 0 || l.A >= l.B || l.B >= len(c.Members) {
					t.Errorf("%s: a link from %d to %d", g.ID, l.A, l.B)
				}
				if l.Weakest {
					weakest++
				}
			}
			if weakest > 1 || len(c.Links) < len(members)-1 || len(c.Rows) == 0 {
				t.Errorf("%s: %d links, %d of them the weakest, %d rows", g.ID, len(c.Links), weakest, len(c.Rows))
			}
			if c.Split != nil {
				split = true
				if n := len(c.Split.Leave); n == 0 || n == len(c.Members) {
					t.Errorf("%s: %d of %d would leave", g.ID, n, len(c.Members))
				}
			}
		}
		return nil
	})
	if err != nil || looked < 5 || !split {
		t.Errorf("%d clusters looked at, a split offered: %v (%v)", looked, split, err)
	}
}
