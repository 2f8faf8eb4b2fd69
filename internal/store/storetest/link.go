package storetest

import (
	"errors"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func links() []subtest {
	return []subtest{
		{"ClosureTakesWholeComponents", closureComponents},
		{"ClosureGrowsOverMustLinks", closureMust},
		{"ReplaceMatches", replaceMatches},
		{"ReplaceBridges", replaceBridges},
		{"PlaceMoves", placeMoves},
		{"RulingsAndWithdrawal", rulings},
		{"RulingWakesALinkedRecordAgain", rulingWakes},
		{"LinkRollsBack", linkRollback},
	}
}

func (b *Bench) landNamed(ids ...string) []int64 {
	b.Helper()
	var items []store.Item
	for _, id := range ids {
		items = append(items, Item(id, Named("name "+id)))
	}
	b.Land(items...)
	return b.Recs(ids...)
}

func (b *Bench) closure(recs ...int64) (all []int64) {
	b.Helper()
	b.Link(func(tx *store.LinkTx) (err error) {
		all, err = tx.Closure(b.Context(), recs)
		return err
	})
	return all
}

// at is where a record stands.
func at(rec, comp, golden int64) store.Placed {
	return store.Placed{Rec: rec, Comp: comp, Golden: golden}
}

func (b *Bench) place(placed ...store.Placed) {
	b.Helper()
	b.Link(func(tx *store.LinkTx) error { return tx.Place(b.Context(), placed) })
}

func (b *Bench) rule(kind string, x, y int64) string {
	b.Helper()
	id, err := b.DB.Rule(b.Context(), store.Ruling{Kind: kind, A: x, B: y, Who: "ann", Why: "seen"})
	b.Must(err)
	return id
}

func closureComponents(b *Bench) {
	r := b.landNamed("1", "2", "3", "4", "5")
	same(b, "of an unlinked record", b.closure(r[0]), []int64{r[0]})
	b.place(at(r[0], r[0], r[0]), at(r[1], r[0], r[0]), at(r[2], r[2], r[2]), at(r[3], r[2], r[3]))
	same(b, "of one member", b.closure(r[1]), []int64{r[0], r[1]})
	same(b, "of two components and a stranger", b.closure(r[3], r[4], r[0]), r)
	same(b, "of nothing", len(b.closure()), 0)
}

func closureMust(b *Bench) {
	r := b.landNamed("1", "2", "3", "4", "5", "6")
	b.place(at(r[0], r[0], r[0]), at(r[1], r[0], r[0]), at(r[2], r[2], r[2]), at(r[3], r[2], r[2]))
	b.rule("must", r[3], r[1]) // larger first: the store orders them
	chain := b.rule("must", r[2], r[4])
	b.rule("cannot", r[4], r[5])
	same(b, "over must-links, both ways", b.closure(r[0]), r[:5])
	same(b, "from the far end", b.closure(r[4]), r[:5])
	same(b, "a cannot-link ties nothing", b.closure(r[5]), []int64{r[5]})
	b.Must(b.DB.Withdraw(b.Context(), chain, "ann"))
	same(b, "after a withdrawal", b.closure(r[0]), r[:4])
}

func replaceMatches(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2", "3")
	edges := func() (list []store.Edge) {
		b.Link(func(tx *store.LinkTx) (err error) {
			list, err = tx.Matches(ctx, r)
			return err
		})
		return list
	}
	first := []store.Edge{
		{A: r[0], B: r[1], Weight: 5000, Pattern: 1<<63 | 9, Model: "m1"},
		{A: r[1], B: r[2], Weight: -100, Pattern: 2, Model: "m1"},
	}
	b.Link(func(tx *store.LinkTx) error { return tx.ReplaceMatches(ctx, Entity, r, first) })
	same(b, "matches", edges(), []store.Edge{{A: r[0], B: r[1], Weight: 5000}, {A: r[1], B: r[2], Weight: -100}})
	b.Link(func(tx *store.LinkTx) error {
		return tx.ReplaceMatches(ctx, Entity, []int64{r[2]}, []store.Edge{{A: r[0], B: r[2], Weight: 7, Model: "m1"}})
	})
	same(b, "after the third was matched anew", edges(), []store.Edge{{A: r[0], B: r[1], Weight: 5000}, {A: r[0], B: r[2], Weight: 7}})
	b.Link(func(tx *store.LinkTx) error { return tx.ReplaceMatches(ctx, Entity, r[:1], nil) })
	same(b, "after the first lost all", len(edges()), 0)
}

// replaceBridges writes bridges anew in several ways: one that was not dropped
// would make the next write fail.
func replaceBridges(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2", "3")
	write := func(recs []int64, list ...store.Edge) {
		b.Link(func(tx *store.LinkTx) error { return tx.ReplaceBridges(ctx, Entity, recs, list) })
	}
	write(r, store.Edge{A: r[0], B: r[1], Weight: 5}, store.Edge{A: r[1], B: r[2], Weight: 6})
	write(r[:1], store.Edge{A: r[0], B: r[1], Weight: 7})
	write(r, store.Edge{A: r[0], B: r[2], Weight: 8})
	write(nil)
	write(r[2:], store.Edge{A: r[0], B: r[2], Weight: 8})
}

func placeMoves(b *Bench) {
	r := b.landNamed("1", "2")
	b.place(at(r[0], r[0], r[0]), at(r[1], r[1], r[1]))
	b.place(at(r[1], r[0], r[0]))
	m := b.Members("1", "2")
	same(b, "second's component and golden record", [2]int64{m[1].Comp, m[1].Golden}, [2]int64{r[0], r[0]})
	of, err := b.DB.MembersOf(b.Context(), r)
	b.Must(err)
	same(b, "members of the first", len(of[r[0]]), 2)
	same(b, "members of the second", len(of[r[1]]), 0)
	same(b, "member order", []int64{of[r[0]][0].Rec, of[r[0]][1].Rec}, r)
	same(b, "name of the second", authoredName(of[r[0]][1]), "name 2")
}

func rulings(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2", "3")
	b.Resolved()
	inForce := func() (list []store.Ruling) {
		b.Link(func(tx *store.LinkTx) (err error) {
			list, err = tx.Rulings(ctx, r)
			return err
		})
		return list
	}
	must := b.rule("must", r[1], r[0])
	same(b, "records to link after a ruling", b.resolving(), r[:2])
	b.Resolved()
	pin, err := b.DB.Rule(ctx, store.Ruling{Kind: "pin", A: r[2], Field: "name", Value: `"Ada"`, Who: "bob", Why: "asked"})
	b.Must(err)
	same(b, "records to link after a pin", b.resolving(), r[2:])
	b.Resolved()
	list := inForce()
	if len(list) != 2 || list[0].ID != must || list[0].A != r[0] || list[0].B != r[1] || list[0].Kind != "must" || list[0].Who != "ann" || list[0].Why != "seen" ||
		list[1].ID != pin || list[1].A != r[2] || list[1].B != 0 || list[1].Field != "name" || list[1].Value != `"Ada"` || list[1].At <= list[0].At {
		b.Errorf("rulings in force, oldest first: %+v", list)
	}
	b.Must(b.DB.Withdraw(ctx, must, "ann"))
	same(b, "records to link after a withdrawal", b.resolving(), r[:2])
	same(b, "rulings in force", len(inForce()), 1)
	if err := b.DB.Withdraw(ctx, must, "ann"); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("a second withdrawal: %v, want ErrNotFound", err)
	}
	if _, err := b.DB.Rule(ctx, store.Ruling{Kind: "perhaps", A: r[0], B: r[1]}); err == nil {
		b.Error("a ruling of an unknown kind was taken")
	}
}

// rulingWakes rules on records that wait already: the acknowledgement of the
// earlier wait must not swallow the ruling.
func rulingWakes(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2")
	backlog, err := b.DB.BacklogResolve(ctx, Entity, 0, 10)
	b.Must(err)
	seen := map[int64]int64{}
	for _, t := range backlog {
		seen[t.Rec] = t.Seq
	}
	b.rule("must", r[0], r[1])
	b.Link(func(tx *store.LinkTx) error { return tx.Done(ctx, seen) })
	same(b, "records to link", b.resolving(), r)
	backlog, err = b.DB.BacklogResolve(ctx, Entity, 0, 10)
	b.Must(err)
	now := map[int64]int64{}
	for _, t := range backlog {
		now[t.Rec] = t.Seq
	}
	b.Link(func(tx *store.LinkTx) error { return tx.Done(ctx, now) })
	same(b, "records to link in the end", len(b.resolving()), 0)
}

func linkRollback(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1")
	broken := errors.New("broken")
	err := b.DB.Link(ctx, func(tx *store.LinkTx) error {
		if err := tx.Place(ctx, []store.Placed{at(r[0], r[0], r[0])}); err != nil {
			return err
		}
		if err := tx.SaveGolden(ctx, []store.GoldenChange{b.change(r[0], "g", 1, 1)}); err != nil {
			return err
		}
		return broken
	})
	if !errors.Is(err, broken) {
		b.Errorf("Link = %v, want the error of what ran in it", err)
	}
	same(b, "golden of the record", b.Members("1")[0].Golden, 0)
	list, err := b.DB.GoldenList(ctx, store.GoldenFilter{Limit: 10, All: true})
	b.Must(err)
	same(b, "golden records", len(list), 0)
}
