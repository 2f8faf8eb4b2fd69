package storetest

import (
	"encoding/json"
	"fmt"
	"time"

	"touchstone/internal/store"
)

func settlings() []subtest {
	return []subtest{
		{"SettleEachState", settleStates},
		{"SettleOnlyOnce", settleOnce},
		{"SettleRemembersWhatTheTargetMadeOfIt", settleRepresentation},
		{"SettleRemembersRefusals", settleRefused},
		{"OurWritesAreEchoes", echoes},
		{"CreateAttachesByExternalID", attachByID},
		{"CreateAttachesByKey", attachByKey},
		{"CreateAttachesWhatWasLandedBefore", attachLanded},
		{"CreateAttachesOneObject", attachOne},
		{"LinkExistingTies", linkExisting},
	}
}

func settleStates(b *Bench) {
	later := b.Clock.Now().Add(time.Hour)
	for i, tt := range []struct {
		s       store.Settlement
		settled bool
		backlog string // the list the object is put on
	}{
		{store.Settlement{State: store.Pending, Outcome: "retry", NotBefore: later, Problem: "429"}, false, ""},
		{store.Settlement{State: store.Unknown, Outcome: "unknown", NotBefore: later, ZombieUntil: later}, false, ""},
		{store.Settlement{State: store.Delivered, Outcome: "applied", Verified: true, Got: map[string]json.RawMessage{"name": quoted("x")}}, true, ""},
		{store.Settlement{State: store.Delivered, Outcome: "applied", Got: map[string]json.RawMessage{"name": quoted("X")}}, true, "derive"},
		{store.Settlement{State: store.Delivered, Outcome: "applied"}, true, ""},
		{store.Settlement{State: store.Rejected, Outcome: "rejected", Refused: true, Problem: "400"}, true, "derive"},
		{store.Settlement{State: store.Conflicted, Outcome: "conflict"}, true, "derive"},
		{store.Settlement{State: store.Dead, Outcome: "retry"}, true, ""},
		{store.Settlement{State: store.Superseded, Outcome: "conflict", Replan: true}, true, "resolve"},
	} {
		id, what := fmt.Sprint(i), fmt.Sprintf("%d %s", i, tt.s.State)
		rec := b.landNamed(id)[0]
		b.Resolved()
		added := b.add(row("out", rec, rec, "x"))[0]
		c := b.claim("out", 1)
		if len(c) != 1 || c[0].Seq != added.Seq {
			b.Fatalf("%s: claimed %+v, want the row just added", what, c)
		}
		tt.s.ExternalID, tt.s.Request = "ext-"+id, []byte("request")
		b.settle(c[0], tt.s)
		got := b.find(tt.s.State, added.Seq)
		if (got.SettledAt != "") != tt.settled || got.Attempt != 1 || got.ExternalID != "ext-"+id || got.Verified != tt.s.Verified ||
			got.NotBefore != store.TimeText(tt.s.NotBefore) || got.ZombieUntil != store.TimeText(tt.s.ZombieUntil) || got.Error != tt.s.Problem ||
			len(got.Got) != len(tt.s.Got) || got.SentSeq != c[0].SentSeq {
			b.Errorf("%s: row %+v", what, got)
		}
		derive, err := b.DB.BacklogDerive(b.Context(), Entity, 9)
		b.Must(err)
		same(b, what+": to derive", len(derive) == 1, tt.backlog == "derive")
		same(b, what+": to resolve", len(b.resolving()) == 1, tt.backlog == "resolve")
		b.Must(b.DB.Rederive(b.Context(), backlogRecs(derive), Derive))
		b.Resolved()
		b.settleRest(got)
	}
}

// find gives the row from its state's list.
func (b *Bench) find(state string, seq int64) store.Row {
	b.Helper()
	for _, r := range b.rows(state) {
		if r.Seq == seq {
			return r
		}
	}
	b.Fatalf("row %d is not %s", seq, state)
	return store.Row{}
}

// settleRest takes a row that goes on out of the way.
func (b *Bench) settleRest(r store.Row) {
	b.Helper()
	switch r.State {
	case store.Unknown:
		b.settle(r, store.Settlement{State: store.Dead, Outcome: "unknown"})
	case store.Pending:
		b.Link(func(tx *store.LinkTx) error { return tx.AddRows(b.Context(), nil, []int64{r.Seq}) })
	}
}

func settleOnce(b *Bench) {
	rec := b.landNamed("1")[0]
	added := b.add(row("out", rec, rec, "x"))[0]
	b.settle(added, store.Settlement{State: store.Delivered, Outcome: "applied"})
	b.find(store.Pending, added.Seq) // nothing was sent yet
	c := b.claim("out", 1)[0]
	b.settle(c, store.Settlement{State: store.Rejected, Outcome: "rejected"})
	b.settle(c, store.Settlement{State: store.Delivered, Outcome: "applied", ExternalID: "late"})
	if got := b.find(store.Rejected, added.Seq); got.ExternalID != "" {
		b.Errorf("a settled row was settled again: %+v", got)
	}
	b.add(row("out", rec, rec, "y"))
	c = b.claim("out", 1)[0]
	c.Attempt = 5 // a repetition under the same key counts
	b.settle(c, store.Settlement{State: store.Unknown, Outcome: "unknown"})
	same(b, "attempts", b.find(store.Unknown, c.Seq).Attempt, 5)
}

func (b *Bench) targetState(rec int64) store.TargetState {
	b.Helper()
	var states map[int64]store.TargetState
	b.Link(func(tx *store.LinkTx) (err error) {
		states, err = tx.TargetStates(b.Context(), "out", []int64{rec})
		return err
	})
	return states[rec]
}

func settleRepresentation(b *Bench) {
	rec := b.landNamed("1")[0]
	deliver := func(name, got string) {
		b.add(row("out", rec, rec, name))
		c := b.claim("out", 1)[0]
		b.settle(c, store.Settlement{State: store.Delivered, Outcome: "applied", Verified: name == got, Got: map[string]json.RawMessage{"name": quoted(got)}})
	}
	same(b, "at first", len(b.targetState(rec).Repr), 0)
	deliver("Ada", "ADA")
	r := b.targetState(rec).Repr["name"]
	same(b, "sent and got", string(r.Sent)+string(r.Got), `"Ada""ADA"`)
	deliver("Bob", "BOB")
	r = b.targetState(rec).Repr["name"]
	same(b, "sent and got", string(r.Sent)+string(r.Got), `"Bob""BOB"`)
	deliver("CYD", "CYD")
	same(b, "after it took one as it was", len(b.targetState(rec).Repr), 0)
}

func settleRefused(b *Bench) {
	rec := b.landNamed("1")[0]
	b.add(row("out", rec, rec, "Ada"))
	b.settle(b.claim("out", 1)[0], store.Settlement{State: store.Rejected, Outcome: "rejected", Refused: true})
	equalBytes(b, "refused", b.targetState(rec).Refused, []byte("refusal Ada"))
	b.add(row("out", rec, rec, "Bob"))
	b.settle(b.claim("out", 1)[0], store.Settlement{State: store.Delivered, Outcome: "applied", Got: map[string]json.RawMessage{"name": quoted("B")}})
	equalBytes(b, "refused after another delivery", b.targetState(rec).Refused, []byte("refusal Ada"))
	same(b, "representation beside it", len(b.targetState(rec).Repr), 1)
}

// echoes pulls back what was written: a version in the history, and no new
// word of the source. What the target surely refused is no write of ours.
func echoes(b *Bench) {
	b.Land(Item("1", Named("Ada")))
	rec := b.Rec("1")
	b.add(row("out", rec, rec, "Golden"))
	c := b.claim("out", 1)[0]
	same(b, "pulled before the answer", b.Land(Item("1", Named("Golden"))), store.Counts{Pulled: 1, Echo: 1})
	same(b, "authored", authoredName(b.Members("1")[0]), "Ada")
	h := b.History("1")
	if len(h.Writes) != 1 || string(h.Writes[0].Sent["name"]) != `"Golden"` || h.Writes[0].Seq != c.SentSeq {
		b.Errorf("writes %+v: want the one that is inflight", h.Writes)
	}
	b.settle(c, store.Settlement{State: store.Rejected, Outcome: "rejected"})
	b.Must(b.DB.Rederive(b.Context(), []int64{rec}, Derive))
	same(b, "authored after the refusal", authoredName(b.Members("1")[0]), "Golden")
	same(b, "writes after the refusal", len(b.History("1").Writes), 0)
}

func (b *Bench) mustLinks(recs ...int64) [][2]int64 {
	b.Helper()
	out := [][2]int64{}
	b.Link(func(tx *store.LinkTx) error {
		list, err := tx.Rulings(b.Context(), recs)
		for _, r := range list {
			if r.Kind == "must" {
				out = append(out, [2]int64{r.A, r.B})
			}
		}
		return err
	})
	return out
}

func attachByID(b *Bench) {
	founder := b.landNamed("1")[0]
	b.add(row("out", founder, 0, "Ada"))
	c := b.claim("out", 1)[0]
	b.settle(c, store.Settlement{State: store.Delivered, Outcome: "applied", ExternalID: "T9"})
	same(b, "must-links before it is pulled", len(b.mustLinks(founder)), 0)
	same(b, "pulled", b.Land(Item("T9", Named("Ada")), Item("T8", Named("Ada"))), store.Counts{Pulled: 2, Echo: 1, Stored: 1})
	rec := b.Rec("T9")
	same(b, "must-links", b.mustLinks(founder), [][2]int64{{founder, rec}})
	same(b, "the row's object", b.find(store.Delivered, c.Seq).Rec, rec)
	b.Land(Item("T9", Named("Ada Lovelace")))
	same(b, "must-links after a change", len(b.mustLinks(founder)), 1)
}

func attachByKey(b *Bench) {
	for _, state := range []string{store.Inflight, store.Unknown, store.Dead, store.Pending} {
		founder := b.landNamed("founder " + state)[0]
		b.add(row("out", founder, 0, "Ada"))
		c := b.claim("out", 1)[0]
		if state != store.Inflight {
			b.settle(c, store.Settlement{State: state, Outcome: "unknown", NotBefore: b.Clock.Now().Add(time.Hour)})
		}
		it := Item("by key "+state, Named("Ada"))
		it.Key = c.Key
		b.Land(it)
		rec := b.Rec("by key " + state)
		same(b, "must-links, row "+state, b.mustLinks(founder), [][2]int64{{founder, rec}})
		after := state
		if state == store.Dead || state == store.Pending {
			after = store.Delivered // the object is there after all
		}
		got := b.find(after, c.Seq)
		same(b, "the row's object, row "+state, got.Rec, rec)
		if (got.SettledAt != "") != (after == store.Delivered) || got.ExternalID != "by key "+state {
			b.Errorf("the row, %s before: %+v", state, got)
		}
		if state == store.Inflight {
			b.settle(c, store.Settlement{State: store.Delivered, Outcome: "applied", ExternalID: "by key " + state})
			same(b, "object after settling", b.find(store.Delivered, c.Seq).Rec, rec)
		}
	}
	founder := b.landNamed("never sent")[0]
	r := b.add(row("out", founder, 0, "Ada"))[0]
	it := Item("foreign", Named("Ada"))
	it.Key = r.Key
	b.Land(it)
	same(b, "must-links of a create that was never sent", len(b.mustLinks(founder)), 0)
}

// attachLanded pulls the created object before the answer of the create has
// come: it has no key, so only the answer says whose it is.
func attachLanded(b *Bench) {
	founder := b.landNamed("1")[0]
	b.add(row("out", founder, 0, "Ada"))
	c := b.claim("out", 1)[0]
	b.Land(Item("T9", Named("Ada")))
	same(b, "must-links before the answer", len(b.mustLinks(founder)), 0)
	b.Resolved()
	b.settle(c, store.Settlement{State: store.Delivered, Outcome: "applied", ExternalID: "T9"})
	rec := b.Rec("T9")
	same(b, "must-links", b.mustLinks(founder), [][2]int64{{founder, rec}})
	same(b, "the row's object", b.find(store.Delivered, c.Seq).Rec, rec)
	derive, err := b.DB.BacklogDerive(b.Context(), Entity, 9)
	b.Must(err)
	same(b, "to derive: what it pulled is our own writing", backlogRecs(derive), []int64{rec})
	same(b, "to resolve", b.resolving(), []int64{founder})
}

// attachOne pulls two objects with our key, as a repeated create may leave
// them: the row has one object.
func attachOne(b *Bench) {
	founder := b.landNamed("1")[0]
	b.add(row("out", founder, 0, "Ada"))
	c := b.claim("out", 1)[0]
	first, second := Item("T1", Named("Ada")), Item("T2", Named("Ada"))
	first.Key, second.Key = c.Key, c.Key
	b.Land(first, second)
	same(b, "must-links", b.mustLinks(founder), [][2]int64{{founder, b.Rec("T1")}})
	same(b, "the row's object", b.find(store.Inflight, c.Seq).Rec, b.Rec("T1"))
}

func linkExisting(b *Bench) {
	r := b.landNamed("1", "2")
	b.add(row("out", r[1], 0, "Ada"))
	c := b.claim("out", 1)[0]
	b.Resolved()
	for range 2 {
		b.Must(b.DB.LinkExisting(b.Context(), c, r[0]))
	}
	same(b, "must-links", b.mustLinks(r...), [][2]int64{{r[0], r[1]}})
	same(b, "to resolve", b.resolving(), r)
}
