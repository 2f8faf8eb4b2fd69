package storetest

import (
	"encoding/json"
	"errors"
	"fmt"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func repairs() []subtest {
	return []subtest{
		{"RepairsAreFactsOfOneVersion", repairFacts},
		{"RepairsInParts", repairParts},
		{"RepairsFromElsewhere", repairsFromElsewhere},
		{"FaultsGroupOpenRows", faultGroups},
		{"ReleaseTakenBack", releaseTakenBack},
	}
}

// deriveRepaired is Derive for records whose field bad was mended.
func deriveRepaired(h store.History) (store.Derived, error) {
	for i, v := range h.Versions {
		if _, ok := v.Repairs["bad"]; ok {
			var raw body
			if err := json.Unmarshal(v.Raw, &raw); err != nil {
				return store.Derived{}, err
			}
			raw.Bad = ""
			j, err := json.Marshal(raw)
			if err != nil {
				return store.Derived{}, err
			}
			h.Versions[i].Raw = j
		}
	}
	return Derive(h)
}

func (b *Bench) repair(rec int64, version int, now string) string {
	b.Helper()
	r := store.Repair{Rec: rec, Version: version, Field: "bad", Remedy: "typed", Was: json.RawMessage(`"because"`)}
	if now != "" {
		r.Now = json.RawMessage(now)
	}
	id, err := b.decide(store.NewDecision{Kind: store.Repaired, Why: "test", Repairs: []store.Repair{r}})
	b.Must(err)
	return id
}

func (b *Bench) rederive(recs []int64) {
	b.Helper()
	b.Must(b.DB.Rederive(b.Context(), recs, deriveRepaired))
}

func (b *Bench) faults() (out []string) {
	b.Helper()
	list, err := b.DB.FaultGroups(b.Context())
	b.Must(err)
	for _, g := range list {
		out = append(out, fmt.Sprintf("%s %s %s %d", g.Source, g.Rule, g.Field, g.N))
	}
	return out
}

// repairFacts: a repair lets its version pass, undo brings the row back, and a
// later version of the source overtakes it.
func repairFacts(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Bad("b")))
	recs := b.Recs("1")
	row := b.quarantine("open")[0]
	same(b, "faults", b.faults(), []string{"crm test bad 1"})
	id := b.repair(recs[0], 1, "")
	backlog, err := b.DB.BacklogDerive(ctx, Entity, 10)
	b.Must(err)
	same(b, "to derive", backlogRecs(backlog), recs)
	b.rederive(recs)
	same(b, "mended rows", len(b.quarantine("mended")), 1)
	same(b, "faults when mended", len(b.faults()), 0)
	same(b, "authored", authoredName(b.Members("1")[0]), "b")
	list, err := b.DB.Repairs(ctx, store.RepairFilter{Limit: 10})
	b.Must(err)
	if len(list) != 1 || list[0].Decision != id || list[0].Ref.ID != "1" || string(list[0].Was) != `"because"` || list[0].Now != nil || list[0].Overtaken {
		b.Errorf("repairs %+v: want one of decision %s", list, id)
	}
	undo, err := b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{id}})
	b.Must(err)
	b.rederive(recs)
	open := b.quarantine("open")
	if len(open) != 1 || open[0].ID != row.ID || open[0].Rec != recs[0] || open[0].At != row.At {
		b.Errorf("open rows after the undo %+v, want %s as it was", open, row.ID)
	}
	same(b, "faults after the undo", b.faults(), []string{"crm test bad 1"})
	_, err = b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{undo}})
	b.Must(err)
	b.rederive(recs)
	same(b, "open rows when it counts again", len(b.quarantine("open")), 0)

	b.LandAs(store.Landing{Items: []store.Item{Item("1", Bad("c"))}, Derive: deriveRepaired})
	open = b.quarantine("open")
	if len(open) != 1 || open[0].Version != 2 {
		b.Fatalf("open rows after a new version %+v, want version 2", open)
	}
	same(b, "authored while version 2 waits", authoredName(b.Members("1")[0]), "b")
	inForce, overtaken, err := b.DB.RepairCounts(ctx)
	b.Must(err)
	same(b, "repairs in force, overtaken", [2]int{inForce, overtaken}, [2]int{1, 1})
	later := b.repair(recs[0], 2, `"x"`)
	on, err := b.DB.RepairsOn(ctx, recs)
	b.Must(err)
	if got := string(on[recs[0]][2]["bad"]); got != `"x"` || len(on[recs[0]]) != 2 {
		b.Errorf("repairs on the record %v, want one of each version", on)
	}
	b.rederive(recs)
	same(b, "authored", authoredName(b.Members("1")[0]), "c")
	by, err := b.DB.RepairedBy(ctx, later)
	b.Must(err)
	same(b, "repaired by the later one", by, recs)
}

// repairParts: a bulk repair grows while it is in force, and one undo takes all
// of it back.
func repairParts(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Bad("a")), Item("2", Bad("b")), Item("3", Bad("c")))
	recs := b.Recs("1", "2", "3")
	id := b.repair(recs[0], 1, "")
	add := func(rec int64) error {
		return b.DB.Decide(ctx, func(tx *store.DecideTx) error {
			return tx.AddRepairs(ctx, id, []store.Repair{{Rec: rec, Version: 1, Field: "bad", Remedy: "typed"}})
		})
	}
	b.Must(add(recs[1]))
	b.rederive(recs)
	same(b, "open rows", len(b.quarantine("open")), 1)
	_, err := b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{id}})
	b.Must(err)
	b.rederive(recs)
	same(b, "open rows after the undo", len(b.quarantine("open")), 3)
	if add(recs[2]) == nil {
		b.Error("a repair that was taken back grew")
	}
	merge, err := b.decide(store.NewDecision{Kind: store.Merged, Rulings: []store.Ruling{{Kind: "must", A: recs[0], B: recs[1]}}})
	b.Must(err)
	id = merge
	if add(recs[2]) == nil {
		b.Error("a merge took a repair")
	}
	id = "d-none"
	if err := add(recs[2]); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("a decision that is not there: %v, want ErrNotFound", err)
	}
}

func faultGroups(b *Bench) {
	ctx := b.Context()
	for i := range 5 {
		b.Land(Item(fmt.Sprint(i), Bad("b")))
	}
	broken := Item("x", `{"unreadable":"x"}`)
	broken.Raw.Problem = "broken"
	b.Land(broken)
	b.LandAs(store.Landing{Source: "erp", Items: []store.Item{Item("1", Bad("b"))}})
	groups, err := b.DB.FaultGroups(ctx)
	b.Must(err)
	same(b, "groups", b.faults(), []string{"crm test bad 5", "crm unreadable  1", "erp test bad 1"})
	var ids []string
	after := ""
	for {
		page, err := b.DB.Quarantines(ctx, store.QuarantineQuery{Faults: []string{groups[0].Fault}, After: after, Limit: 2})
		b.Must(err)
		if len(page) == 0 {
			break
		}
		for _, q := range page {
			ids = append(ids, q.Ref.ID)
		}
		after = page[len(page)-1].ID
	}
	same(b, "of one fault, page by page", ids, []string{"0", "1", "2", "3", "4"})
	for _, c := range []struct {
		what string
		q    store.QuarantineQuery
		want int
	}{
		{"all open", store.QuarantineQuery{State: "open"}, 7},
		{"of a source", store.QuarantineQuery{State: "open", Source: "erp"}, 1},
		{"of two faults", store.QuarantineQuery{Faults: []string{groups[0].Fault, groups[1].Fault}}, 6},
		{"of no fault", store.QuarantineQuery{Faults: []string{}}, 0},
		{"of a fault and a source", store.QuarantineQuery{Faults: []string{groups[0].Fault}, Source: "erp"}, 0},
		{"that old", store.QuarantineQuery{State: "open", Before: groups[1].Oldest}, 5},
		{"released", store.QuarantineQuery{State: "released"}, 0},
	} {
		c.q.Limit = 100
		list, err := b.DB.Quarantines(ctx, c.q)
		b.Must(err)
		same(b, c.what, len(list), c.want)
	}
	list, err := b.DB.Quarantines(ctx, store.QuarantineQuery{State: "open", Limit: 1})
	b.Must(err)
	equalBytes(b, "raw record of a list", list[0].Raw, nil)
	all := store.QuarantineQuery{State: "open", Limit: 3}
	for _, c := range []struct {
		what  string
		bytes int
		want  int
	}{{"all that was asked for", 1 << 20, 3}, {"what its length allows", list[0].Size + 1, 1}, {"one at the least", 1, 1}} {
		whole, next, err := b.DB.QuarantinesWhole(ctx, all, c.bytes)
		b.Must(err)
		same(b, c.what, len(whole), c.want)
		same(b, c.what+", and others behind it", next, whole[len(whole)-1].ID)
		equalBytes(b, "raw record of "+c.what, whole[0].Raw, []byte(Bad("b")))
	}
	all.Limit = 7
	whole, next, err := b.DB.QuarantinesWhole(ctx, all, 1<<20)
	b.Must(err)
	same(b, "all there are", len(whole), 7)
	same(b, "behind all there are", next, "")
	same(b, "sample of the first group", groups[0].Sample, list[0].ID)
	of, err := b.DB.FaultCounts(ctx, list[0].Rec)
	b.Must(err)
	same(b, "faults of a record", of, map[string]int{groups[0].Fault: 5})
	b.Land(Item("0", Named("good")))
	same(b, "after a good version", b.faults()[0], "crm test bad 4")
}

func releaseTakenBack(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Bad("b")))
	row := b.quarantine("open")[0]
	var told interface{ ForReader() bool }
	if err := b.DB.Unrelease(ctx, row.ID, "ann", ""); !errors.As(err, &told) {
		b.Errorf("an open row was taken back, or nobody is told why not: %v", err)
	}
	b.Must(b.DB.Release(ctx, row.ID, "ann", "looks fine"))
	same(b, "faults of what was released", len(b.faults()), 0)
	b.Must(b.DB.Rederive(ctx, b.Recs("1"), Derive))
	same(b, "authored", authoredName(b.Members("1")[0]), "b")
	b.Must(b.DB.Unrelease(ctx, row.ID, "ann", "it was not"))
	b.Must(b.DB.Rederive(ctx, b.Recs("1"), Derive))
	open := b.quarantine("open")
	if len(open) != 1 || open[0].ID != row.ID {
		b.Errorf("open rows %+v, want %s again", open, row.ID)
	}
	same(b, "faults", b.faults(), []string{"crm test bad 1"})
	if err := b.DB.Unrelease(ctx, "q-none", "ann", ""); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("an unknown row: %v, want ErrNotFound", err)
	}
}

// repairsFromElsewhere: a repair that came with an import waits for its record,
// keeps what is against it, counts once, and is exported while it waits.
func repairsFromElsewhere(b *Bench) {
	ctx := b.Context()
	_, err := b.DB.SourceUID(ctx, Source, nil)
	b.Must(err)
	mend := func(id string) store.PortableRepair {
		return store.PortableRepair{Ref: record.Ref{Source: Source, Entity: Entity, ID: id}, Version: 3, Field: "bad", Remedy: "typed", Was: json.RawMessage(`"because"`)}
	}
	take := func(id string, mends ...store.PortableRepair) {
		b.Helper()
		n := store.NewDecision{ID: id, Kind: store.Repaired, Who: "ann", At: "2026-01-01T00:00:00.000000Z"}
		took, err := b.DB.Take(ctx, []store.Portable{{NewDecision: n, Mends: mends}})
		b.Must(err)
		same(b, "pending of "+id, took[0].Decision.Pending, len(mends))
	}
	look := func(want ...string) ([]store.SettledRepair, store.RepairsLook) {
		b.Helper()
		list, look, err := b.DB.RepairsLanded(ctx, 10)
		b.Must(err)
		var out []store.SettledRepair
		got := []string{}
		for _, w := range list {
			got, out = append(got, w.Ref.ID+string(w.Was)), append(out, store.SettledRepair{WaitingRepair: w, At: 1})
		}
		same(b, "landed", got, append([]string{}, want...))
		return out, look
	}
	take("d1", mend("1"), mend("2"), mend("9"))
	look()
	b.Land(Item("1", Bad("a")), Item("2", Bad("b")))
	list, mark := look(`1"because"`, `2"because"`)
	list[1].Problem = "something else stands there"
	n, err := b.DB.SettleRepairs(ctx, list, mark)
	b.Must(err)
	same(b, "took effect", n, 1)
	n, err = b.DB.SettleRepairs(ctx, list[:1], store.RepairsLook{})
	b.Must(err)
	same(b, "took effect twice", n, 0)
	look()
	problems, err := b.DB.RepairProblems(ctx, []string{"d1", "d-none"})
	b.Must(err)
	same(b, "problems", problems, map[string]string{"d1": "something else stands there"})
	recs := b.Recs("1")
	b.rederive(recs)
	same(b, "open rows", len(b.quarantine("open")), 1)
	all, err := b.DB.RepairsOfDecision(ctx, "d1")
	b.Must(err)
	shown := []string{}
	for _, p := range all {
		shown = append(shown, fmt.Sprint(p.Ref.ID, " ", p.Version, " ", p.Waits, " ", p.Problem, string(p.Was)))
	}
	same(b, "repairs of the decision", shown, []string{`1 1 false "because"`, `2 3 true something else stands there"because"`, `9 3 true "because"`})
	rows, err := b.DB.FaultyVersions(ctx, recs[0], 5)
	b.Must(err)
	same(b, "versions the rules refused", len(rows), 1)
	said, err := b.DB.RepairsSaid(ctx, recs[0], 1, "bad")
	b.Must(err)
	same(b, "said of the field", len(said), 1)

	// An import while a look is under way is not forgotten by its end.
	b.Land(Item("9", Bad("c")))
	list, mark = look(`9"because"`)
	take("d2", mend("1"))
	_, err = b.DB.SettleRepairs(ctx, list, mark)
	b.Must(err)
	look(`1"because"`)
}
