package storetest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func decisions() []subtest {
	return []subtest{
		{"DecisionIsInForceUntilOneInForceWithdrawsIt", inForce},
		{"ContradictionsAreRefusedOrWithdrawn", contradictions},
		{"WhatCameBackGivesWay", revivedContradictions},
		{"PinsExpireByAFact", expiringPins},
		{"PinsMindNoContradiction", pinsBesideContradiction},
		{"WhatHasNotLandedWaits", waitingRulings},
		{"AnotherImportForgetsNoWaitingRuling", waitingBesideAnother},
		{"WhatCannotHoldHoldsUpNobody", unholdable},
		{"WithdrawalsGoRoundInNoCircle", circles},
		{"DecisionBehindItsUndoIsNotInForce", lateDecision},
		{"CrosswalkHistory", crosswalkHistory},
		{"DecisionsOnValues", valueDecisions},
		{"RelationsThatPeopleState", saidRelations},
	}
}

// decide makes a decision and gives its id.
func (b *Bench) decide(n store.NewDecision) (id string, err error) {
	b.Helper()
	n.Who = "ann"
	err = b.DB.Decide(b.Context(), func(tx *store.DecideTx) error {
		d, _, err := tx.Add(b.Context(), n)
		id = d.ID
		return err
	})
	return id, err
}

// ruled lists the rulings in force on records, as kind and ends.
func (b *Bench) ruled(recs []int64) string {
	b.Helper()
	var out []string
	b.Link(func(tx *store.LinkTx) error {
		list, err := tx.Rulings(b.Context(), recs)
		for _, r := range list {
			text := r.Kind
			for i, rec := range recs {
				if rec == r.A || rec == r.B {
					text += string(rune('0' + i))
				}
			}
			out = append(out, text+r.Value)
		}
		return err
	})
	slices.Sort(out)
	return strings.Join(out, " ")
}

func (b *Bench) three() []int64 {
	b.Helper()
	b.Land(Item("1", Named("Ada")), Item("2", Named("Bob")), Item("3", Named("Cid")))
	return []int64{b.Rec("1"), b.Rec("2"), b.Rec("3")}
}

func inForce(b *Bench) {
	r := b.three()
	merge, err := b.decide(store.NewDecision{Kind: store.Merged, Mark: "m", Rulings: []store.Ruling{{Kind: "must", A: r[1], B: r[0]}}})
	b.Must(err)
	if again, err := b.decide(store.NewDecision{Kind: store.Merged, Mark: "m"}); err != nil || again != merge {
		b.Errorf("the same decision again is %s, %v; want %s", again, err, merge)
	}
	last := merge
	for i := range 5 {
		same(b, "rulings in force", b.ruled(r), []string{"must01", ""}[i%2])
		last, err = b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{last}})
		b.Must(err)
	}
	list, err := b.DB.Decisions(b.Context(), store.DecisionFilter{Limit: 10})
	b.Must(err)
	var states []bool
	for _, d := range list {
		states = append(states, d.Withdrawn == "")
	}
	same(b, "decisions in force", states, []bool{false, true, false, true, false, true})
	for state, want := range map[string]int{"in force": 3, "withdrawn": 3, "stale": 0, "pending": 0} {
		if got, err := b.DB.Decisions(b.Context(), store.DecisionFilter{State: state, Limit: 10}); err != nil || len(got) != want {
			b.Errorf("%d decisions %s, %v; want %d", len(got), state, err, want)
		}
	}
}

func contradictions(b *Bench) {
	r := b.three()
	one, err := b.decide(store.NewDecision{Kind: store.Merged, Rulings: []store.Ruling{{Kind: "must", A: r[0], B: r[1]}}})
	b.Must(err)
	two, err := b.decide(store.NewDecision{Kind: store.Merged, Rulings: []store.Ruling{{Kind: "must", A: r[1], B: r[2]}}})
	b.Must(err)
	apart := store.NewDecision{
		Kind: store.Split, Leaving: []int64{r[2]},
		Rulings: []store.Ruling{{Kind: "cannot", A: r[2], B: r[0]}, {Kind: "cannot", A: r[2], B: r[1]}},
	}
	var against *store.Contradiction
	if _, err := b.decide(apart); !errors.As(err, &against) || len(against.Earlier) != 1 || against.Earlier[0].ID != two {
		b.Fatalf("a split against two merges: %v, want %s named and not %s", err, two, one)
	}
	same(b, "rulings after the refusal", b.ruled(r), "must01 must12")
	apart.Over = true
	split, err := b.decide(apart)
	b.Must(err)
	same(b, "rulings after the split", b.ruled(r), "cannot02 cannot12 must01")
	if _, err := b.decide(store.NewDecision{Kind: store.Merged, Rulings: []store.Ruling{{Kind: "must", A: r[0], B: r[2]}}}); !errors.As(err, &against) || against.Earlier[0].ID != split {
		b.Errorf("a merge against the split: %v, want %s named", err, split)
	}
	if _, err := b.decide(store.NewDecision{Kind: store.Split, Rulings: []store.Ruling{{Kind: "cannot", A: r[0], B: r[1]}, {Kind: "must", A: r[0], B: r[1]}}, Over: true}); err == nil {
		b.Error("a decision that contradicts itself was made")
	}
	_, err = b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{split}})
	b.Must(err)
	same(b, "rulings after the undo", b.ruled(r), "must01 must12")
}

// revivedContradictions: two decisions that never held together come back with a third.
func revivedContradictions(b *Bench) {
	r := b.three()
	decide := func(n store.NewDecision) string {
		id, err := b.decide(n)
		b.Must(err)
		b.Clock.Advance(time.Second)
		return id
	}
	decide(store.NewDecision{Kind: store.Split, Rulings: []store.Ruling{{Kind: "cannot", A: r[0], B: r[1]}}})
	two := decide(store.NewDecision{Kind: store.Merged, Over: true, Rulings: []store.Ruling{{Kind: "must", A: r[0], B: r[1]}}})
	decide(store.NewDecision{Kind: store.Merged, Rulings: []store.Ruling{{Kind: "must", A: r[0], B: r[1]}, {Kind: "must", A: r[1], B: r[2]}}})
	four := decide(store.NewDecision{Kind: store.Split, Over: true, Rulings: []store.Ruling{{Kind: "cannot", A: r[1], B: r[2]}}})
	same(b, "rulings before", b.ruled(r), "cannot12 must01")
	unsure := decide(store.NewDecision{Kind: store.Undecided, Withdraws: []string{two, four}, Rulings: []store.Ruling{{Kind: store.Undecided, A: r[0], B: r[2]}}})
	same(b, "rulings after both came back: the newer holds", b.ruled(r), "must01 must12 unsure02")
	decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{unsure}})
	same(b, "rulings after the undo", b.ruled(r), "cannot12 must01")
	decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{two}})
	same(b, "rulings after the older came back alone", b.ruled(r), "cannot01 cannot12")
}

func expiringPins(b *Bench) {
	r := b.three()
	until := b.Clock.Now().Add(time.Hour)
	pin, err := b.decide(store.NewDecision{Kind: store.Pinned, Until: until, Rulings: []store.Ruling{{Kind: "pin", A: r[0], Field: "name", Value: `"X"`}}})
	b.Must(err)
	if n, err := b.DB.ExpirePins(b.Context()); n != 0 || err != nil {
		b.Errorf("%d pins expired before their time, %v", n, err)
	}
	same(b, "pins in force", b.ruled(r), `pin0"X"`)
	b.Clock.Advance(time.Hour)
	for _, want := range []int{1, 0} {
		if n, err := b.DB.ExpirePins(b.Context()); n != want || err != nil {
			b.Errorf("%d pins expired, %v; want %d", n, err, want)
		}
	}
	same(b, "pins in force", b.ruled(r), "")
	list, err := b.DB.Decisions(b.Context(), store.DecisionFilter{State: "in force", Limit: 10})
	b.Must(err)
	if len(list) != 1 || list[0].Kind != store.Expired || list[0].At != store.TimeText(until) || list[0].Withdraws[0] != pin {
		b.Errorf("in force %+v, want the expiry of %s at the time it was due", list, pin)
	}
}

// pinsBesideContradiction: our own push found out that two records are one which
// a person had parted. That is no matter of a pin, and least of all of its end.
func pinsBesideContradiction(b *Bench) {
	r := b.three()
	_, err := b.decide(store.NewDecision{Kind: store.Split, Rulings: []store.Ruling{{Kind: "cannot", A: r[0], B: r[1]}}})
	b.Must(err)
	b.Must(b.DB.LinkExisting(b.Context(), store.Row{Seq: 99, Founder: r[0]}, r[1]))
	_, err = b.decide(store.NewDecision{Kind: store.Pinned, Until: b.Clock.Now().Add(time.Hour), Rulings: []store.Ruling{{Kind: "pin", A: r[0], Field: "name", Value: `"X"`}}})
	b.Must(err)
	b.Clock.Advance(2 * time.Hour)
	if n, err := b.DB.ExpirePins(b.Context()); n != 1 || err != nil {
		b.Errorf("%d pins expired, %v; want 1", n, err)
	}
	same(b, "rulings in force", b.ruled(r), "cannot01 must01")
}

func waitingRulings(b *Bench) {
	ctx := b.Context()
	_, err := b.DB.SourceUID(ctx, Source, nil)
	b.Must(err)
	ref := func(id string) record.Ref { return record.Ref{Source: Source, Entity: Entity, ID: id} }
	took, err := b.DB.Take(ctx, []store.Portable{
		{NewDecision: store.NewDecision{ID: "d1", Kind: store.Imported, Who: "ann"}, Pairs: []store.PortablePair{{Kind: "must", A: ref("1"), B: ref("2")}, {Kind: "must", A: ref("1"), B: ref("3")}}},
		{NewDecision: store.NewDecision{ID: "d2", Kind: store.Pinned, Who: "ann"}, Pairs: []store.PortablePair{{Kind: "pin", A: ref("2"), Field: "name", Value: `"X"`}}},
		{NewDecision: store.NewDecision{ID: "d1", Kind: store.Imported, Who: "ann"}},
	})
	b.Must(err)
	if took[0].Decision.Pending != 2 || took[1].Decision.Pending != 1 || !took[2].Existing {
		b.Fatalf("taken %+v, want two and one rulings waiting, the third known", took)
	}
	b.Land(Item("1", Named("Ada")), Item("2", Named("Bob")))
	for _, want := range []int{2, 0} {
		if n, err := b.DB.Landed(ctx); n != want || err != nil {
			b.Errorf("%d rulings applied, %v; want %d", n, err, want)
		}
	}
	r := []int64{b.Rec("1"), b.Rec("2")}
	same(b, "rulings", b.ruled(r), `must01 pin1"X"`)
	_, err = b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{"d1"}})
	b.Must(err)
	b.Land(Item("3", Named("Cid")))
	if n, err := b.DB.Landed(ctx); n != 1 || err != nil {
		b.Errorf("%d rulings applied, %v; want 1", n, err)
	}
	same(b, "rulings of a decision that was undone meanwhile", b.ruled(append(r, b.Rec("3"))), `pin1"X"`)
}

// imported is a portable decision over records of the bench's source.
func imported(id string, withdraws []string, pairs ...store.PortablePair) store.Portable {
	return store.Portable{NewDecision: store.NewDecision{ID: id, Kind: store.Imported, Who: "ann", Withdraws: withdraws}, Pairs: pairs}
}

func pairOf(kind, a, b string) store.PortablePair {
	ref := func(id string) record.Ref { return record.Ref{Source: Source, Entity: Entity, ID: id} }
	return store.PortablePair{Kind: kind, A: ref(a), B: ref(b)}
}

// take imports decisions and gives for each its id, or why it was refused.
func (b *Bench) take(list ...store.Portable) (out []string) {
	b.Helper()
	took, err := b.DB.Take(b.Context(), list)
	b.Must(err)
	for _, t := range took {
		if t.Refused != nil {
			out = append(out, t.Refused.Error())
			continue
		}
		out = append(out, t.Decision.ID)
	}
	return out
}

func (b *Bench) wantLanded(want int) {
	b.Helper()
	if n, err := b.DB.Landed(b.Context()); n != want || err != nil {
		b.Errorf("%d rulings applied, %v; want %d", n, err, want)
	}
}

// waitingBesideAnother: the record that a ruling waits for lands, and before
// anybody has looked another file is imported.
func waitingBesideAnother(b *Bench) {
	_, err := b.DB.SourceUID(b.Context(), Source, nil)
	b.Must(err)
	b.take(imported("d1", nil, pairOf("must", "1", "2")))
	b.Land(Item("1", Named("Ada")), Item("2", Named("Bob")))
	b.take(imported("d2", nil, pairOf("must", "8", "9")))
	b.wantLanded(1)
	same(b, "rulings", b.ruled([]int64{b.Rec("1"), b.Rec("2")}), "must01")
}

// unholdable: a decision that says of two records both that they are one and
// that they are not is refused, or waits for a person; what stands beside it is
// taken.
func unholdable(b *Bench) {
	_, err := b.DB.SourceUID(b.Context(), Source, nil)
	b.Must(err)
	b.take(imported("d1", nil, pairOf("must", "1", "2"), pairOf("cannot", "1", "2")), imported("d2", nil, pairOf("must", "2", "3")))
	b.three()
	b.wantLanded(2)
	r := []int64{b.Rec("1"), b.Rec("2"), b.Rec("3")}
	pairs, err := b.DB.RuledPairs(b.Context(), []string{"d1"})
	b.Must(err)
	problems := 0
	for _, p := range pairs["d1"] {
		if p.Waits && strings.Contains(p.Problem, "contradicts itself") {
			problems++
		}
	}
	same(b, "rulings that wait for a person", problems, 1)
	got := b.take(imported("d3", nil, pairOf("must", "1", "3"), pairOf("cannot", "3", "1")), imported("d4", nil, pairOf(store.Undecided, "1", "3")))
	if !strings.Contains(got[0], "contradicts itself") || got[1] != "d4" {
		b.Errorf("taken %q, want the first refused because it contradicts itself, and d4", got)
	}
	if in := b.ruled(r); !strings.Contains(in, "must12") || !strings.Contains(in, "unsure02") {
		b.Errorf("rulings %q, want must12 and unsure02 among them", in)
	}
}

func circles(b *Bench) {
	got := b.take(imported("d0", []string{"d0"}), imported("d1", []string{"d2"}), imported("d2", []string{"d3"}), imported("d3", []string{"d1"}))
	for i, want := range []string{"withdraws itself", "d1", "d2", "withdraws itself"} {
		if !strings.Contains(got[i], want) {
			b.Errorf("d%d taken as %q, want %q", i, got[i], want)
		}
	}
}

// lateDecision: a decision was refused, its undo was taken; what stood against
// it goes, and the same file is imported again.
func lateDecision(b *Bench) {
	r := b.three()
	_, err := b.DB.SourceUID(b.Context(), Source, nil)
	b.Must(err)
	apart, err := b.decide(store.NewDecision{Kind: store.Split, Rulings: []store.Ruling{{Kind: "cannot", A: r[0], B: r[1]}}})
	b.Must(err)
	file := []store.Portable{imported("d1", nil, pairOf("must", "1", "2")), imported("d2", []string{"d1"})}
	if got := b.take(file...); !strings.Contains(got[0], apart) || got[1] != "d2" {
		b.Fatalf("taken %q, want the merge refused by %s and its undo taken", got, apart)
	}
	_, err = b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{apart}})
	b.Must(err)
	same(b, "taken again", b.take(file...), []string{"d1", "d2"})
	same(b, "rulings in force", b.ruled(r), "")
	list, err := b.DB.Decisions(b.Context(), store.DecisionFilter{State: "withdrawn", Limit: 10})
	b.Must(err)
	by := map[string]string{}
	for _, d := range list {
		by[d.ID] = d.WithdrawnBy
	}
	same(b, "d1 is withdrawn by", by["d1"], "d2")
	_, err = b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{"d2"}})
	b.Must(err)
	same(b, "rulings in force after the undo of the undo", b.ruled(r), "must01")
}

func crosswalkHistory(b *Bench) {
	ctx := b.Context()
	r := b.three()
	place := func(p ...store.Placed) string {
		b.Link(func(tx *store.LinkTx) error { return tx.Place(ctx, p) })
		return store.TimeText(b.Clock.Now())
	}
	one := place(store.Placed{Rec: r[0], Comp: r[0], Golden: r[0]}, store.Placed{Rec: r[1], Comp: r[1], Golden: r[1]})
	two := place(store.Placed{Rec: r[1], Comp: r[0], Golden: r[0], Was: r[1]}, store.Placed{Rec: r[2], Comp: r[0], Golden: r[0]})
	three := place(store.Placed{Rec: r[2], Comp: r[2], Golden: r[2], Was: r[0]})
	for _, tt := range []struct {
		at   string
		want []int64
	}{{one, r[:1]}, {two, r}, {three, r[:2]}, {"2000", nil}} {
		got, err := b.DB.MembersAt(ctx, r[0], tt.at)
		b.Must(err)
		same(b, "members at "+tt.at, got, tt.want)
	}
	if f, err := b.DB.FounderAt(ctx, r[2], two); err != nil || f != r[0] {
		b.Errorf("founder %d, %v; want %d", f, err, r[0])
	}
	list, err := b.DB.Elsewhere(ctx, r[0], r[0], 10)
	b.Must(err)
	same(b, "members of then elsewhere", list, []store.Belonged{{Rec: r[2], Founder: r[2]}})
}
