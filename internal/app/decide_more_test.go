package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"touchstone/internal/simulator"
	"touchstone/internal/store"
)

// TestUnsureLeavesTheQueueUntilSomethingChanges: without effect on golden
// records.
func TestUnsureLeavesTheQueueUntilSomethingChanges(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, _ := two(t, dsn, []string{acme("c1", "2", "")}, []string{acme("o1", "1", "")})
		w.yaml = strings.Replace(w.yaml, "  company:\n    survive", "  company:\n    match: {link: 0.9999999999, review: 0.2}\n    survive", 1)
		w.open()
		if s := w.clean(); s.Review != 1 {
			t.Fatalf("%d pairs to review, want 1: %+v", s.Review, s)
		}
		before := w.canonical()
		unsure := w.decision(w.app.Unsure(t.Context(), "crm/company/c1", "desk/company/o1", ann))
		if s := w.clean(); s.Review != 0 || w.canonical() != before {
			t.Errorf("after unsure %d pairs to review, want 0, and the golden records as before", s.Review)
		}
		crm.edit("c1", map[string]any{"employees": 12}) // says nothing of who it is
		if s := w.clean(); s.Review != 0 {
			t.Errorf("after an unimportant change %d pairs to review, want 0", s.Review)
		}
		crm.edit("c1", map[string]any{"city": "York"})
		if s := w.clean(); s.Review != 1 {
			t.Errorf("after an identifying change %d pairs to review, want 1", s.Review)
		}
		w.wantStates("unsure stale")
		again, err := w.app.Unsure(t.Context(), "crm/company/c1", "desk/company/o1", ann)
		if err != nil || again.Existing || again.Decision == unsure {
			t.Errorf("unsure about what has changed: %+v, %v; want a new decision", again, err)
		}
		if s := w.clean(); s.Review != 0 {
			t.Errorf("after it was decided anew %d pairs to review, want 0", s.Review)
		}
		w.wantStates("unsure withdrawn", "unsure in force")
		w.decision(w.app.Undo(t.Context(), again.Decision, ann))
		if s := w.clean(); s.Review != 1 {
			t.Errorf("after the undo %d pairs to review, want 1", s.Review)
		}
		w.end()
	})
}

// TestRulingGoesStaleAndStaysInForce: it waits for a person, who may say it
// again.
func TestRulingGoesStaleAndStaysInForce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk := apart(t, dsn)
		merge := w.decision(w.app.Merge(t.Context(), "crm:c1", "desk:o2", ann))
		w.clean()
		desk.edit("o2", map[string]any{"employees": 7})
		w.clean()
		w.wantStates("merge in force")
		desk.edit("o2", map[string]any{"name": "Quite Another Firm"})
		w.clean()
		w.wantStates("merge stale")
		if got := w.members("desk/company/o2"); !strings.Contains(got, "crm/company/c1") {
			t.Errorf("members %q: a stale ruling must stay in force", got)
		}
		again, err := w.app.Merge(t.Context(), "crm:c1", "desk:o2", ann)
		if err != nil || again.Existing || len(again.Withdrew) != 1 || again.Withdrew[0] != merge {
			t.Errorf("the stale merge said again: %+v, %v; want a new decision in its place", again, err)
		}
		w.clean()
		w.wantStates("merge withdrawn", "merge in force")
		w.end()
	})
}

// TestUndoIsRefusedWhereItWouldStandAgainstOthers: nobody's decision is lost.
func TestUndoIsRefusedWhereItWouldStandAgainstOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _ := apart(t, dsn)
		merge := w.decision(w.app.Merge(t.Context(), "crm:c1", "desk:o2", ann))
		w.clean()
		undo := w.decision(w.app.Undo(t.Context(), merge, ann))
		w.clean()
		split := w.decision(w.app.Split(t.Context(), []string{"desk:o1"}, "crm:c1", By{Who: "bob"}))
		other := w.decision(w.app.Merge(t.Context(), "desk:o1", "desk:o2", By{Who: "cid"}))
		w.clean()
		var no *store.Contradiction
		if _, err := w.app.Undo(t.Context(), undo, ann); !errors.As(err, &no) || len(no.Earlier) == 0 {
			t.Fatalf("an undo against later decisions: %v, want it refused", err)
		}
		for _, d := range no.Earlier {
			if d.ID != split && d.ID != other {
				t.Errorf("refused with %s, want one of %s and %s", d.ID, split, other)
			}
		}
		w.wantStates("merge undone", "undo in force", "split in force", "merge in force")
		if got := w.members("desk/company/o2"); got != "desk/company/o1 desk/company/o2" {
			t.Errorf("members after the refusal %q, want o1 and o2", got)
		}
		w.end()
	})
}

// TestDecisionsSurviveAnotherRule: thresholds and mapping change, all is derived
// and resolved again.
func TestDecisionsSurviveAnotherRule(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _ := apart(t, dsn)
		w.decision(w.app.Merge(t.Context(), "crm:c1", "desk:o2", ann))
		w.decision(w.app.Split(t.Context(), []string{"desk:o1"}, "crm:c1", By{Who: "bob", Over: true}))
		w.clean()
		w.restart(strings.NewReplacer("website: 'record.website'", "website: 'trim(record.website)'",
			"  company:\n    survive", "  company:\n    match: {link: 0.7, review: 0.1}\n    survive").Replace(w.yaml))
		w.clean()
		for ref, want := range map[string]string{"crm/company/c1": "crm/company/c1 desk/company/o2", "desk/company/o1": "desk/company/o1"} {
			if got := w.members(ref); got != want {
				t.Errorf("members of %s under other rules %q, want %q", ref, got, want)
			}
		}
		w.wantStates("merge withdrawn", "split in force") // which says of c1 and o2 what the merge said
		w.end()
	})
}

// TestDecisionsInAnyOrderEqualTheBatch: whatever people decide and take back,
// what is kept up step by step is what one batch makes of the facts; and taking
// a decision back leaves nothing of it.
func TestDecisionsInAnyOrderEqualTheBatch(t *testing.T) {
	t.Parallel()
	var crm, desk []string
	for i := range 4 {
		crm = append(crm, fmt.Sprintf(`{"id":"c%d","updated_at":"2026-01-02T00:00:00Z","name":"Firm %c Tools Ltd","website":"firm%d.example","phone":"+44 113 496 10%02d"}`, i, 'A'+i, i, i))
		desk = append(desk, fmt.Sprintf(`{"id":"o%d","updated_at":"2026-01-02T00:00:00Z","name":"Firm %c Tools","website":"firm%d.example","phone":"+44 113 496 10%02d"}`, i, 'A'+i, i, i))
	}
	w, _, _ := two(t, "", crm, desk)
	w.yaml = strings.Split(w.yaml, "targets:")[0]
	w.open()
	w.clean()
	var refs []string
	for i := range 4 {
		refs = append(refs, fmt.Sprintf("crm/company/c%d", i), fmt.Sprintf("desk/company/o%d", i))
	}
	resolve := func() {
		if err := w.app.Resolve(t.Context(), func(string, string, int) {}); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		steps := rapid.IntRange(1, 4).Draw(r, "steps")
		for range steps {
			before := w.canonical()
			a, b := rapid.SampledFrom(refs).Draw(r, "a"), rapid.SampledFrom(refs).Draw(r, "b")
			by := By{Who: "ann", Over: rapid.Bool().Draw(r, "over")}
			var d Decided
			var err error
			switch rapid.SampledFrom([]string{"merge", "split", "pin", "unsure", "undo"}).Draw(r, "kind") {
			case "merge":
				d, err = w.app.Merge(t.Context(), a, b, by)
			case "split":
				d, err = w.app.Split(t.Context(), []string{a}, b, by)
			case "pin":
				d, err = w.app.Pin(t.Context(), PinRequest{Golden: a, Field: "industry", Value: rapid.SampledFrom([]string{"tools", "food"}).Draw(r, "value")}, by)
			case "unsure":
				d, err = w.app.Unsure(t.Context(), a, b, by)
			case "undo":
				list, e := w.app.Decisions(t.Context(), "", 0, 10_000)
				if e != nil {
					r.Fatal(e)
				}
				if len(list) == 0 {
					continue
				}
				d, err = w.app.Undo(t.Context(), rapid.SampledFrom(list).Draw(r, "decision").ID, by)
			}
			var unclear *Unclear
			var against *store.Contradiction
			if err != nil && !errors.As(err, &unclear) && !errors.As(err, &against) {
				r.Fatal(err)
			}
			resolve()
			if err != nil || d.Existing {
				if after := w.canonical(); after != before {
					r.Fatalf("a refused decision (%v) changed the golden records", err)
				}
				continue
			}
			if rapid.IntRange(0, 2).Draw(r, "take back") == 0 {
				w.decision(w.app.Undo(t.Context(), d.Decision, By{Who: "bob"}))
				resolve()
				if after := w.canonical(); after != before {
					r.Fatalf("%s and its undo leave something:\n%s\nbefore:\n%s", d.Kind, after, before)
				}
			}
		}
		v, err := w.app.Verify(t.Context(), nil)
		if err != nil || len(v.Differences) > 0 {
			r.Fatalf("verify: %+v, %v", v.Differences, err)
		}
	})
}

// TestLargeSplitIsStoredSmall: and says the same.
func TestLargeSplitIsStoredSmall(t *testing.T) {
	for _, tt := range []struct{ leaving, staying, want int }{{1, 1, 1}, {2, 3, 1 + 6}, {100, 100, 99 + 10_000}, {100, 101, 99 + 100 + 1}, {3000, 2000, 2999 + 1999 + 1}} {
		var leaving, staying []int64
		for i := range tt.leaving {
			leaving = append(leaving, int64(1+i))
		}
		for i := range tt.staying {
			staying = append(staying, int64(100_000+i))
		}
		got := partRulings(leaving, staying)
		if len(got) != tt.want {
			t.Errorf("%d of %d records leave: %d rulings, want %d", tt.leaving, tt.leaving+tt.staying, len(got), tt.want)
		}
		for _, r := range got {
			if across := (r.A < 100_000) != (r.B < 100_000); across != (r.Kind == "cannot") {
				t.Fatalf("%d of %d records leave: %s between %d and %d", tt.leaving, tt.leaving+tt.staying, r.Kind, r.A, r.B)
			}
		}
	}
}

// TestDecisionsBesideTheResolver: people decide while records are being
// resolved; nobody waits in a circle, and the end is what the facts say.
func TestDecisionsBesideTheResolver(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _ := apart(t, dsn)
		first := map[string]string{}
		for _, ref := range []string{"crm/company/c1", "desk/company/o1", "desk/company/o2"} {
			first[w.golden(ref).ID] = ref
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			for ctx.Err() == nil {
				if err := w.app.Resolve(t.Context(), func(string, string, int) {}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for i := range 15 {
			d, err := w.app.Merge(t.Context(), "crm:c1", "desk:o2", By{Who: "ann", Over: true})
			if err == nil && i%2 == 0 {
				_, err = w.app.Undo(t.Context(), d.Decision, ann)
			} else if err == nil {
				_, err = w.app.Split(t.Context(), []string{"desk:o2"}, "crm:c1", By{Who: "ann", Over: true})
			}
			var unclear *Unclear // not resolved yet: the golden record still is what it was
			if err != nil && !errors.As(err, &unclear) {
				t.Errorf("decision %d: %v", i, err)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Fatalf("resolving beside decisions: %v", err)
		}
		w.clean()
		for id, ref := range first { // an id once shown answers for ever, with its founder's golden record
			if g := w.golden(id); !strings.Contains(w.members(ref), g.Members[0].Ref) {
				t.Errorf("%s answers %s, which does not hold %s", id, g.ID, ref)
			}
		}
		w.end()
	})
}

// TestRecordTakenFromTheObjectMadeForItGetsItsOwn: a person says that the object
// which we created for a record is another customer. The record gets an object
// of its own under a key of its own; nobody writes to the other in turn for ever.
func TestRecordTakenFromTheObjectMadeForItGetsItsOwn(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, desk := linkedWorld(t, dsn, simulator.Seed{"companies": seeded(`{"id":"c1","name":"Acme Tools Ltd","website":"acme.example"}`)}, nil)
		w.open()
		w.clean()
		made := w.members("crm/company/c1")
		if made != "crm/company/c1 desk/company/c1001" {
			t.Fatalf("members %q, want the object made for it among them", made)
		}
		split := w.decision(w.app.Split(t.Context(), []string{"crm/company/c1"}, "crm/company/c1", By{Who: "ann", Over: true}))
		w.later(time.Hour)
		if got, want := w.members("crm/company/c1"), "crm/company/c1 desk/company/c1002"; got != want {
			t.Errorf("members after the split %q, want %q", got, want)
		}
		desk.want("c1002", "name", "Acme Tools Ltd")
		if got := w.members("desk/company/c1001"); got != "desk/company/c1001" {
			t.Errorf("members of what was taken out %q, want it alone", got)
		}
		w.end()
		w.decision(w.app.Undo(t.Context(), split, By{Who: "ann"}))
		w.later(time.Hour)
		if got, want := w.members("crm/company/c1"), made+" desk/company/c1002"; got != want {
			t.Errorf("members after the undo %q, want %q", got, want)
		}
		w.end()
	})
}
