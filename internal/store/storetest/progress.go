package storetest

import (
	"errors"
	"fmt"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func runs() []subtest {
	return []subtest{
		{"RunsCount", runsCount},
		{"RunLeftOpenIsInterrupted", runInterrupted},
		{"SourceKeepsItsUID", sourceUID},
		{"CursorCommitsWithItsPage", cursors},
		{"SettingsAreKept", settings},
		{"ModelsAreKept", models},
		{"ModelsAreSwitchedByGeneration", switchModels},
		{"ThresholdsComeWithTrials", trials},
		{"ChangedRulesHold", changedRules},
		{"FeaturesPageByPage", eachFeatures},
		{"Placements", placements},
		{"RulesChangedDerivesAgain", rulesChanged},
		{"BacklogStages", backlogStages},
		{"NumbersCount", numbers},
		{"QueueOfManyIsThatOfFew", queueOfMany},
	}
}

func runsCount(b *Bench) {
	ctx := b.Context()
	since := store.TimeText(b.Clock.Now())
	done, err := b.DB.PassDone(ctx, Source, Entity)
	b.Must(err)
	same(b, "pass done at first", done, false)
	run, err := b.DB.StartRun(ctx, Source, Entity)
	b.Must(err)
	b.LandAs(store.Landing{Run: run, Items: []store.Item{Item("1", Named("a")), Item("2", Bad("b"))}})
	b.LandAs(store.Landing{Run: run, Items: []store.Item{Item("1", Named("a"))}})
	b.Must(b.DB.EndRun(ctx, run, "the line broke"))
	done, err = b.DB.PassDone(ctx, Source, Entity)
	b.Must(err)
	same(b, "pass done after a failure", done, false)
	list, err := b.DB.LastRuns(ctx)
	b.Must(err)
	want := store.Counts{Pulled: 3, Stored: 1, Unchanged: 1, Quarantined: 1}
	if len(list) != 1 || list[0].ID != run || list[0].State != "failed" || list[0].Error != "the line broke" || list[0].Counts != want || list[0].Ended <= list[0].Started {
		b.Errorf("last runs %+v: want one that failed, with %+v", list, want)
	}
	middle := store.TimeText(b.Clock.Now())
	second, err := b.DB.StartRun(ctx, Source, Entity)
	b.Must(err)
	b.LandAs(store.Landing{Run: second, Items: []store.Item{Item("3", Named("c"))}})
	b.Must(b.DB.EndRun(ctx, second, ""))
	done, err = b.DB.PassDone(ctx, Source, Entity)
	b.Must(err)
	same(b, "pass done", done, true)
	for _, tt := range []struct {
		since string
		want  store.Counts
	}{
		{since, store.Counts{Pulled: 4, Stored: 2, Unchanged: 1, Quarantined: 1}},
		{middle, store.Counts{Pulled: 1, Stored: 1}},
		{store.TimeText(b.Clock.Now()), store.Counts{}},
	} {
		got, err := b.DB.RunCounts(ctx, tt.since)
		b.Must(err)
		same(b, "counts since "+tt.since, got, tt.want)
	}
	list, err = b.DB.LastRuns(ctx)
	b.Must(err)
	if len(list) != 1 || list[0].ID != second || list[0].State != "done" {
		b.Errorf("last runs %+v: want the second, done", list)
	}
}

func runInterrupted(b *Bench) {
	ctx := b.Context()
	_, err := b.DB.StartRun(ctx, Source, Entity)
	b.Must(err)
	_, err = b.DB.StartRun(ctx, "erp", Entity)
	b.Must(err)
	list, err := b.DB.LastRuns(ctx)
	b.Must(err)
	same(b, "runs", len(list), 2)
	same(b, "state of the other source's run", list[0].State, "running")
	again, err := b.DB.StartRun(ctx, Source, Entity)
	b.Must(err)
	b.Must(b.DB.EndRun(ctx, again, ""))
	_, err = b.DB.StartRun(ctx, "erp", Entity)
	b.Must(err)
	list, err = b.DB.LastRuns(ctx)
	b.Must(err)
	states := []string{list[0].Source + " " + list[0].State, list[1].Source + " " + list[1].State}
	same(b, "states", states, []string{"crm done", "erp running"})
}

func sourceUID(b *Bench) {
	ctx := b.Context()
	uid := func(name string, was ...string) string {
		u, err := b.DB.SourceUID(ctx, name, was)
		b.Must(err)
		return u
	}
	first := uid("crm")
	same(b, "again", uid("crm"), first)
	same(b, "renamed", uid("sales", "old", "crm"), first)
	names, err := b.DB.Sources(ctx)
	b.Must(err)
	same(b, "sources", names, map[string]string{first: "sales"})
	other := uid("crm")
	if other == first || !strings.HasPrefix(other, "crm-") {
		b.Errorf("a new source with an earlier name has the uid %q, want one of its own", other)
	}
}

func cursors(b *Bench) {
	ctx := b.Context()
	read := func(entity string) []byte {
		c, err := b.DB.Cursor(ctx, Source, entity)
		b.Must(err)
		return c
	}
	if c := read(Entity); c != nil {
		b.Errorf("cursor at first: %q, want none", c)
	}
	b.LandAs(store.Landing{Cursor: []byte("p\x001")})
	equalBytes(b, "cursor of an empty page", read(Entity), []byte("p\x001"))
	b.LandAs(store.Landing{Items: []store.Item{Item("1", Named("a"))}})
	equalBytes(b, "cursor after a page without one", read(Entity), []byte("p\x001"))
	b.LandAs(store.Landing{Cursor: []byte("p2")})
	equalBytes(b, "cursor", read(Entity), []byte("p2"))
	if c := read(record.Person); c != nil {
		b.Errorf("cursor of another entity: %q, want none", c)
	}
}

func settings(b *Bench) {
	ctx := b.Context()
	for _, want := range []string{"", "one", "two", ""} {
		if want != "" {
			b.Must(b.DB.SetSetting(ctx, "name", want))
		} else {
			b.Must(b.DB.SetSetting(ctx, "other", "x"))
			b.Must(b.DB.SetSetting(ctx, "name", ""))
		}
		got, err := b.DB.Setting(ctx, "name")
		b.Must(err)
		same(b, "setting", got, want)
	}
}

func models(b *Bench) {
	ctx := b.Context()
	active := func() string {
		body, _, err := b.DB.ActiveModel(ctx, Entity)
		b.Must(err)
		return body
	}
	same(b, "active model at first", active(), "")
	b.Must(b.DB.SaveModel(ctx, Entity, "v1", `{"w":1}`, true))
	b.Must(b.DB.SaveModel(ctx, Entity, "v2", `{"w":2}`, false))
	b.Must(b.DB.SaveModel(ctx, record.Person, "v1", `{"p":1}`, true))
	same(b, "active model", active(), `{"w":1}`)
	b.Must(b.DB.SaveModel(ctx, Entity, "v2", `{"w":"never changes"}`, true))
	same(b, "active model after a switch", active(), `{"w":2}`)
}

func rulesChanged(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Named("a")), Item("2", Bad("b")))
	for _, tt := range []struct {
		hash    string
		changed bool
		derive  int
	}{{"h1", false, 0}, {"h1", false, 0}, {"h2", true, 2}, {"h2", false, 2}} {
		changed, err := b.DB.RulesChanged(ctx, Source, Entity, tt.hash)
		b.Must(err)
		backlog, err := b.DB.BacklogDerive(ctx, Entity, 10)
		b.Must(err)
		if changed != tt.changed || len(backlog) != tt.derive {
			b.Errorf("RulesChanged(%s) = %v with %d to derive, want %v and %d", tt.hash, changed, len(backlog), tt.changed, tt.derive)
		}
	}
}

// backlogStages follows one record through both stages: deriving comes first,
// and only what was seen is taken off the list.
func backlogStages(b *Bench) {
	ctx := b.Context()
	lists := func() (derive, resolve []store.Backlog) {
		derive, err := b.DB.BacklogDerive(ctx, Entity, 10)
		b.Must(err)
		resolve, err = b.DB.BacklogResolve(ctx, Entity, 0, 10)
		b.Must(err)
		return derive, resolve
	}
	b.Land(Item("1", Named("a")))
	_, resolve := lists()
	same(b, "after landing", backlogRecs(resolve), b.Recs("1"))
	seen := map[int64]int64{resolve[0].Rec: resolve[0].Seq}
	b.Land(Item("1", Named("b")))
	b.Link(func(tx *store.LinkTx) error { return tx.Done(ctx, seen) })
	_, resolve = lists()
	same(b, "landed again since", backlogRecs(resolve), b.Recs("1"))
	b.Must(b.DB.DeriveAgain(ctx, Source, Entity))
	derive, resolve := lists()
	same(b, "to derive", backlogRecs(derive), b.Recs("1"))
	same(b, "to resolve meanwhile", len(resolve), 0)
	b.Land(Item("1", Named("c")))
	derive, _ = lists()
	same(b, "still to derive", backlogRecs(derive), b.Recs("1"))
	b.Link(func(tx *store.LinkTx) error { return tx.Done(ctx, map[int64]int64{derive[0].Rec: derive[0].Seq}) })
	derive, _ = lists()
	same(b, "to derive after an acknowledgement of resolving", len(derive), 1)
	b.Must(b.DB.Rederive(ctx, b.Recs("1"), Derive))
	derive, resolve = lists()
	same(b, "to derive in the end", len(derive), 0)
	same(b, "to resolve in the end", len(resolve), 1)
	b.Link(func(tx *store.LinkTx) error { return tx.Done(ctx, map[int64]int64{resolve[0].Rec: resolve[0].Seq}) })
	_, resolve = lists()
	same(b, "all done", len(resolve), 0)
	broken := errors.New("broken")
	if err := b.DB.Rederive(ctx, b.Recs("1"), func(store.History) (store.Derived, error) { return store.Derived{}, broken }); !errors.Is(err, broken) {
		b.Errorf("Rederive = %v, want the derivation's error", err)
	}
}

func numbers(b *Bench) {
	ctx := b.Context()
	uid, err := b.DB.SourceUID(ctx, "Our CRM", nil)
	b.Must(err)
	b.LandAs(store.Landing{Source: uid, Items: []store.Item{Item("1", Named("a")), Item("2", Named("a")), Item("3", Named("a")), Item("4", Bad("b"))}})
	recs := make([]int64, 3)
	for i, id := range []string{"1", "2", "3"} {
		recs[i], err = b.DB.Rec(ctx, record.Ref{Source: uid, Entity: Entity, ID: id})
		b.Must(err)
	}
	b.Link(func(tx *store.LinkTx) error {
		if err := tx.ReplaceMatches(ctx, Entity, recs, []store.Edge{{A: recs[0], B: recs[1], Weight: 9}, {A: recs[0], B: recs[2], Weight: 3}}); err != nil {
			return err
		}
		if err := tx.Place(ctx, []store.Placed{at(recs[0], recs[0], recs[0]), at(recs[1], recs[0], recs[0]), at(recs[2], recs[2], recs[2])}); err != nil {
			return err
		}
		if err := tx.SaveGolden(ctx, []store.GoldenChange{b.change(recs[0], "g1", 1, 2), b.change(recs[2], "g2", 1, 1)}); err != nil {
			return err
		}
		if err := tx.AddRows(ctx, []store.Row{row("out", recs[0], recs[0], "Ada"), row("out", recs[2], 0, "Cyd")}, nil); err != nil {
			return err
		}
		return tx.RefreshQueue(ctx, plainly(), recs)
	})
	n, err := b.DB.Numbers(ctx)
	b.Must(err)
	same(b, "numbers", n, store.Numbers{
		Records: 4, Members: 3, Golden: 2, Review: 1, Quarantined: 1, Backlog: 3,
		BySource: []store.SourceNumbers{{Source: "Our CRM", Entity: Entity, Records: 4, Quarantined: 1}},
		ByTarget: []store.TargetNumbers{{Target: "out", States: map[string]int{store.Pending: 2}}},
	})
	_, err = b.DB.Rule(ctx, store.Ruling{Kind: "cannot", A: recs[2], B: recs[0], Who: "ann"})
	b.Must(err)
	b.Link(func(tx *store.LinkTx) error { return tx.RefreshQueue(ctx, plainly(), recs) })
	n, err = b.DB.Numbers(ctx)
	b.Must(err)
	same(b, "pairs to review after a ruling", n.Review, 0)
}

// queueOfMany: which pairs are open does not depend on how many golden records are
// looked at together. Each has two records; one matches and bridges the next customer's.
func queueOfMany(b *Bench) {
	const customers = 50
	ctx := b.Context()
	ids := make([]string, 2*customers)
	for i := range ids {
		ids[i] = fmt.Sprintf("%03d", i)
	}
	recs := b.landNamed(ids...)
	var founders []int64
	var matches, bridges []store.Edge
	var placed []store.Placed
	for i := 0; i < len(recs); i += 2 {
		founders = append(founders, recs[i])
		placed = append(placed, at(recs[i], recs[0], recs[i]), at(recs[i+1], recs[0], recs[i]))
		matches = append(matches, store.Edge{A: recs[i], B: recs[i+1], Weight: 9})
		if i+4 < len(recs) { // the last customer has no pair
			matches = append(matches, store.Edge{A: recs[i+1], B: recs[i+2], Weight: 3})
		}
		if i%10 == 0 {
			bridges = append(bridges, store.Edge{A: recs[i], B: recs[i+3], Weight: 7})
		}
	}
	open := func(by func(tx *store.LinkTx) error) []store.QueuedPair {
		b.Link(by)
		list, _, _, err := b.DB.Queue(ctx, store.QueueFilter{Entity: Entity, Order: "score", Limit: customers})
		b.Must(err)
		return list
	}
	many := open(func(tx *store.LinkTx) error {
		if err := tx.ReplaceMatches(ctx, Entity, recs, matches); err != nil {
			return err
		}
		if err := tx.Place(ctx, placed); err != nil {
			return err
		}
		if err := tx.ReplaceBridges(ctx, Entity, recs, bridges); err != nil {
			return err
		}
		return tx.RefreshQueue(ctx, plainly(), founders[:customers-4]) // the next one is not looked at
	})
	same(b, "open pairs", len(many), customers-4)
	few := open(func(tx *store.LinkTx) error {
		for _, f := range founders[:customers-4] {
			if err := tx.RefreshQueue(ctx, plainly(), []int64{f}); err != nil {
				return err
			}
		}
		return nil
	})
	same(b, "the same, one after the other", many, few)
}

// plainly values every pair the same.
func plainly() *store.Appraisal {
	return &store.Appraisal{
		Entity: Entity, Link: 5,
		Chance: func(int32, bool) int64 { return 500_000 },
		Veto:   func(_, _ []byte) (bool, error) { return false, nil },
		Amount: func(string, string) int64 { return 0 },
		Worth:  func(_, _, _ int64, _ int) (value, damage int64) { return 200, 100 },
	}
}
