package storetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func outboxes() []subtest {
	return []subtest{
		{"AddRowsAndRowsOf", addRows},
		{"ClaimInOrderAndOnce", claimOrder},
		{"ClaimWaitsForTheSameObject", claimSameObject},
		{"ClaimWaitsForTheResolver", claimUnresolved},
		{"NothingIsClaimedWhileAModelIsSwitched", claimSwitching},
		{"ClaimWaitsForZombies", claimZombies},
		{"ClaimTakesTheEtagOfNow", claimEtag},
		{"InterruptedRowsAreUnknown", interrupted},
		{"ApprovalAndLoad", approval},
		{"NextDue", nextDue},
		{"OutboxCountsSince", outboxCounts},
	}
}

// row makes an outbox row; without a record it is a create.
func row(target string, founder, rec int64, name string) store.Row {
	r := store.Row{
		Target: target, System: Source, Entity: Entity, Op: "update", Founder: founder, Rec: rec,
		Fields: map[string]json.RawMessage{"name": quoted(name)}, Base: map[string]json.RawMessage{"name": quoted("before")},
		Wanted: []byte("wanted " + name), Refusal: []byte("refusal " + name),
	}
	if rec == 0 {
		r.Op, r.Key = "create", fmt.Sprint("key-", founder)
	}
	return r
}

func quoted(s string) json.RawMessage {
	j, _ := json.Marshal(s)
	return j
}

func (b *Bench) add(rows ...store.Row) []store.Row {
	b.Helper()
	last := int64(0)
	for _, r := range b.rows(store.Pending) {
		last = r.Seq
	}
	b.Link(func(tx *store.LinkTx) error { return tx.AddRows(b.Context(), rows, nil) })
	var added []store.Row
	for _, r := range b.rows(store.Pending) {
		if r.Seq > last {
			added = append(added, r)
		}
	}
	if len(added) != len(rows) {
		b.Fatalf("%d rows were added, want %d", len(added), len(rows))
	}
	return added
}

func (b *Bench) rows(state string) []store.Row {
	b.Helper()
	list, err := b.DB.Rows(b.Context(), "", state, 0, 1000)
	b.Must(err)
	return list
}

// claim claims when everything is resolved.
func (b *Bench) claim(target string, n int) []store.Row {
	b.Helper()
	b.Resolved()
	list, err := b.DB.Claim(b.Context(), target, n)
	b.Must(err)
	return list
}

func (b *Bench) settle(r store.Row, s store.Settlement) {
	b.Helper()
	b.Must(b.DB.Settle(b.Context(), r, s))
}

func rowNames(list []store.Row) []string {
	out := []string{}
	for _, r := range list {
		var s string
		_ = json.Unmarshal(r.Fields["name"], &s)
		out = append(out, s)
	}
	return out
}

func addRows(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2")
	rows := b.add(row("out", r[0], r[0], "Ada"), row("out", r[1], 0, "Bob"), row("other", r[0], r[0], "Ada"))
	got := rows[0]
	if got.ID == "" || got.Target != "out" || got.System != Source || got.Entity != Entity || got.Op != "update" || got.Founder != r[0] || got.Rec != r[0] ||
		string(got.Fields["name"]) != `"Ada"` || string(got.Base["name"]) != `"before"` || got.Got != nil || string(got.Wanted) != "wanted Ada" ||
		string(got.Refusal) != "refusal Ada" || got.State != store.Pending || got.Attempt != 0 || got.SentSeq != 0 || got.At == "" || got.SettledAt != "" || got.Verified {
		b.Errorf("row as read: %+v", got)
	}
	same(b, "key of the create", rows[1].Key, fmt.Sprint("key-", r[1]))
	b.Link(func(tx *store.LinkTx) error {
		return tx.AddRows(ctx, []store.Row{row("out", r[0], r[0], "Ada L.")}, []int64{rows[0].Seq})
	})
	same(b, "superseded", rowNames(b.rows(store.Superseded)), []string{"Ada"})
	if b.rows(store.Superseded)[0].SettledAt == "" {
		b.Error("a superseded row has no time of settling")
	}
	var of []store.Row
	b.Link(func(tx *store.LinkTx) (err error) {
		of, err = tx.RowsOf(ctx, "out", r, r)
		return err
	})
	same(b, "rows of the objects and creates of the founders, each once", len(of), 3)
	create := of[slices.IndexFunc(of, func(o store.Row) bool { return o.Rec == 0 })]
	full := b.rows(store.Pending)[0]
	same(b, "create, as it is planned by", create, store.Row{Seq: full.Seq, Target: "out", Op: "create", Founder: r[1], Key: full.Key, Wanted: full.Wanted, State: store.Pending})
	page, err := b.DB.Rows(ctx, "out", store.Pending, rows[1].Seq, 10)
	b.Must(err)
	same(b, "rows behind the second", rowNames(page), []string{"Ada L."})
	page, err = b.DB.Rows(ctx, "out", store.Pending, 0, 1)
	b.Must(err)
	same(b, "first row", rowNames(page), []string{"Bob"})
	b.Link(func(tx *store.LinkTx) error { return tx.AddRows(ctx, nil, nil) })
}

func claimOrder(b *Bench) {
	r := b.landNamed("1", "2", "3", "4")
	b.add(row("out", r[3], r[3], "d"), row("out", r[0], r[0], "a"), row("other", r[1], r[1], "x"), row("out", r[1], 0, "new"), row("out", r[2], r[2], "c"))
	first := b.claim("out", 2)
	same(b, "first claim", rowNames(first), []string{"d", "a"})
	for i, c := range first {
		if c.State != store.Inflight || c.Attempt != 1 || c.SentSeq == 0 || c.SentAt == "" || i > 0 && c.SentSeq <= first[i-1].SentSeq {
			b.Errorf("claimed row %+v: want it inflight at its first attempt, with the next fact number", c)
		}
	}
	same(b, "second claim", rowNames(b.claim("out", 9)), []string{"new", "c"})
	same(b, "third claim", len(b.claim("out", 9)), 0)
	same(b, "other target", rowNames(b.claim("other", 9)), []string{"x"})
	same(b, "of a target without rows", len(b.claim("none", 9)), 0)
}

// claimSameObject checks that order per object is kept: one row of it at a
// time, the oldest first, also when that one waits for its retry.
func claimSameObject(b *Bench) {
	r := b.landNamed("1", "2")
	b.add(row("out", r[0], r[0], "first"), row("out", r[0], r[0], "second"), row("out", r[1], 0, "create"), row("out", r[1], 0, "create again"))
	first := b.claim("out", 9)
	same(b, "first claim", rowNames(first), []string{"first", "create"})
	same(b, "while they are inflight", len(b.claim("out", 9)), 0)
	b.settle(first[0], store.Settlement{State: store.Pending, Outcome: "retry", NotBefore: b.Clock.Now().Add(time.Hour)})
	b.settle(first[1], store.Settlement{State: store.Unknown, Outcome: "unknown"})
	same(b, "while one waits and one is unknown", len(b.claim("out", 9)), 0)
	b.Clock.Advance(2 * time.Hour)
	again := b.claim("out", 9)
	same(b, "after the pause", rowNames(again), []string{"first"})
	same(b, "attempt", again[0].Attempt, 2)
	b.settle(again[0], store.Settlement{State: store.Delivered, Outcome: "applied"})
	same(b, "after delivery", rowNames(b.claim("out", 9)), []string{"second"})
	b.settle(first[1], store.Settlement{State: store.Rejected, Outcome: "rejected"})
	same(b, "after rejection", rowNames(b.claim("out", 9)), []string{"create again"})
}

// claimSwitching checks that nothing is sent of an entity type that is being
// switched to another match model, nor while one that the target refers to is,
// whoever had begun to send before.
func claimSwitching(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2")
	b.Must(b.DB.SaveModel(ctx, Entity, "v1", `{"w":1}`, true))
	b.Must(b.DB.SaveModel(ctx, Entity, "v2", `{"w":2}`, false))
	b.Must(b.DB.SaveModel(ctx, record.Person, "v1", `{"p":1}`, true))
	b.Must(b.DB.SaveModel(ctx, record.Person, "v2", `{"p":2}`, false))
	b.Resolved()
	b.add(row("out", r[0], r[0], "one"), row("out", r[1], r[1], "two"), row("out", r[1], 0, "create"))
	claims := func(when string, want []string, refers ...string) {
		b.Helper()
		got, err := b.DB.Claim(ctx, "out", 1, refers...)
		b.Must(err)
		same(b, when, rowNames(got), want)
	}
	claims("before", []string{"one"})
	_, err := b.DB.ActivateModel(ctx, Entity, "v2", "tester", "")
	b.Must(err)
	b.Resolved() // nothing waits any more; the switch has not been ended yet
	claims("while it is switched", []string{})
	_, err = b.DB.EndActivation(ctx, Entity)
	b.Must(err)
	_, err = b.DB.ActivateModel(ctx, record.Person, "v2", "tester", "")
	b.Must(err)
	claims("while what it refers to is switched", []string{}, record.Person)
	_, err = b.DB.EndActivation(ctx, record.Person)
	b.Must(err)
	claims("afterwards", []string{"two"}, record.Person)
}

// claimUnresolved checks that nothing is sent that was planned on what stood
// there before: an object with news waits, and a create waits for its system.
func claimUnresolved(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2")
	b.Resolved()
	b.add(row("out", r[0], r[0], "one"), row("out", r[1], r[1], "two"), row("out", r[1], 0, "create"))
	b.Land(Item("1", Named("somebody has edited it")))
	got, err := b.DB.Claim(ctx, "out", 9)
	b.Must(err)
	same(b, "while the first has news", rowNames(got), []string{"two"})
	b.Resolved()
	got, err = b.DB.Claim(ctx, "out", 9)
	b.Must(err)
	same(b, "when it is resolved", rowNames(got), []string{"one", "create"})
}

func claimZombies(b *Bench) {
	r := b.landNamed("1")
	b.add(row("out", r[0], r[0], "first"))
	c := b.claim("out", 1)[0]
	b.settle(c, store.Settlement{State: store.Dead, Outcome: "unknown", ZombieUntil: b.Clock.Now().Add(time.Minute)})
	b.add(row("out", r[0], r[0], "second"))
	same(b, "while the old request may still land", len(b.claim("out", 9)), 0)
	b.Clock.Advance(2 * time.Minute)
	same(b, "past the horizon", rowNames(b.claim("out", 9)), []string{"second"})
}

func claimEtag(b *Bench) {
	it := Item("1", Named("Ada"))
	it.Raw.Version = "e1"
	b.Land(it)
	rec := b.Rec("1")
	b.add(row("out", rec, rec, "x"), row("out", rec, 0, "create"))
	it.Raw.Version = "e2"
	b.Land(it)
	rows := b.claim("out", 9)
	same(b, "preconditions", []string{rows[0].Precondition, rows[1].Precondition}, []string{"e2", ""})
}

func interrupted(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2")
	b.add(row("out", r[0], r[0], "a"), row("out", r[1], r[1], "b"), row("other", r[1], r[1], "c"))
	b.claim("out", 1)
	b.claim("other", 1)
	n, err := b.DB.Interrupted(ctx, "out")
	b.Must(err)
	same(b, "interrupted", n, 1)
	unsettled, err := b.DB.Unsettled(ctx, "out", 10)
	b.Must(err)
	same(b, "unsettled", rowNames(unsettled), []string{"a"})
	same(b, "inflight at the other target", len(b.rows(store.Inflight)), 1)
	b.settle(unsettled[0], store.Settlement{State: store.Unknown, Outcome: "unknown", NotBefore: b.Clock.Now().Add(time.Minute)})
	unsettled, err = b.DB.Unsettled(ctx, "out", 10)
	b.Must(err)
	same(b, "unsettled before their time", len(unsettled), 0)
	b.Clock.Advance(time.Hour)
	unsettled, err = b.DB.Unsettled(ctx, "out", 10)
	b.Must(err)
	same(b, "unsettled at their time", rowNames(unsettled), []string{"a"})
}

func approval(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2", "3")
	gone := Item("3", Named("gone"))
	gone.Raw.Deleted = true
	b.Land(gone)
	check := func(rules string, want store.Approval) {
		b.Helper()
		got, err := b.DB.Approval(ctx, "out", rules)
		b.Must(err)
		same(b, "approval of "+rules, got, want)
	}
	load := func(upto int64, want store.Load) {
		b.Helper()
		got, err := b.DB.Load(ctx, "out", Source, Entity, upto)
		b.Must(err)
		same(b, fmt.Sprint("load behind ", upto), got, want)
	}
	check("r1", store.Approval{})
	b.Must(b.DB.Approve(ctx, "out", "r1", "ann", "first plan"))
	check("r1", store.Approval{Approved: true})
	rows := b.add(row("out", r[0], r[0], "a"), row("out", r[1], r[1], "b"))
	load(0, store.Load{Waiting: 2, Behind: 2, Objects: 2})
	b.Must(b.DB.Approve(ctx, "out", "r1", "ann", "second plan"))
	check("r1", store.Approval{Approved: true, Upto: rows[1].Seq})
	check("r2", store.Approval{})
	load(rows[1].Seq, store.Load{Waiting: 2, Objects: 2})
	b.add(row("out", r[1], r[1], "c"))
	load(rows[1].Seq, store.Load{Waiting: 3, Behind: 1, Objects: 2})
	b.claim("out", 1)
	load(0, store.Load{Waiting: 2, Behind: 2, Objects: 2})
	got, err := b.DB.Load(ctx, "none", "none", Entity, 0)
	b.Must(err)
	same(b, "load of nothing", got, store.Load{})
}

func nextDue(b *Bench) {
	ctx := b.Context()
	due := func() time.Time {
		b.Helper()
		at, err := b.DB.NextDue(ctx, "out")
		b.Must(err)
		return at
	}
	if at := due(); !at.IsZero() {
		b.Errorf("due with nothing to do: %v, want never", at)
	}
	r := b.landNamed("1")
	b.add(row("out", r[0], r[0], "a"))
	if at := due(); at.IsZero() || at.After(b.Clock.Now()) {
		b.Errorf("due with a row that may go now: %v", at)
	}
	c := b.claim("out", 1)[0]
	if at := due(); !at.IsZero() {
		b.Errorf("due with a row inflight: %v, want never", at)
	}
	later, latest := b.Clock.Now().Add(time.Hour), b.Clock.Now().Add(3*time.Hour)
	b.settle(c, store.Settlement{State: store.Unknown, Outcome: "unknown", NotBefore: later, ZombieUntil: latest})
	same(b, "due", due(), latest)
	b.settle(c, store.Settlement{State: store.Pending, Outcome: "retry", NotBefore: later})
	same(b, "due", due(), later)
	waits := row("out", r[0], 0, "b")
	waits.Op, waits.WaitsOn = "create", r[0]
	b.add(waits)
	same(b, "due, another waiting for what it names", due(), later)
}

func outboxCounts(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2")
	since := store.TimeText(b.Clock.Now())
	b.add(row("out", r[0], r[0], "a"), row("out", r[1], r[1], "b"))
	for i, c := range b.claim("out", 9) {
		b.settle(c, store.Settlement{State: store.Delivered, Outcome: "applied", Verified: i == 0, Got: c.Fields})
	}
	middle := store.TimeText(b.Clock.Now())
	for _, tt := range []struct {
		since string
		want  [3]int
	}{{since, [3]int{2, 2, 1}}, {middle, [3]int{}}} {
		planned, delivered, verified, err := b.DB.OutboxCounts(ctx, tt.since)
		b.Must(err)
		same(b, "planned, delivered, verified since "+tt.since, [3]int{planned, delivered, verified}, tt.want)
	}
}
