package storetest

import (
	"context"
	"encoding/json"
	"strings"

	"touchstone/internal/store"
)

func rebuilds() []subtest {
	return []subtest{
		{"RederiveTwiceChangesNothing", rederiveTwice},
		{"RecordThatNoLongerPassesLeaves", voided},
	}
}

func rederiveTwice(b *Bench) {
	b.Land(Item("1", Named("a")), Item("2", Bad("b")), Item("1", Named("c")))
	first := b.Members("1")
	for range 2 {
		b.Must(b.DB.Rederive(b.Context(), b.Recs("1", "2"), Derive))
	}
	second := b.Members("1")
	first[0].Seq, second[0].Seq = 0, 0 // grows with every derivation
	same(b, "member", second, first)
	same(b, "open rows", len(b.quarantine("open")), 1)
}

// voided makes the rules stricter: of the founder of a golden record nothing is
// in force any more, and everything derived of it goes, but its facts stay.
func voided(b *Bench) {
	ctx := b.Context()
	k := [2]uint64{7, 0}
	b.Land(Item("1", Named("Ada", k)), Item("2", Named("Ada", k)), Item("3", Named("Ada", k)))
	Resolve(b)
	r := b.Recs("1", "2", "3")
	same(b, "founder of the second", b.Members("2")[0].Golden, r[0])
	strict := func(h store.History) (store.Derived, error) {
		if h.Rec == r[0] {
			return store.Derived{}, nil
		}
		return Derive(h)
	}
	b.Must(b.DB.Rederive(ctx, r[:1], strict))
	same(b, "to resolve", b.resolving(), r[:1])
	same(b, "members before it is resolved", len(b.Members("1", "2")), 1)
	features, err := b.DB.Features(ctx, r)
	b.Must(err)
	same(b, "features before it is resolved", len(features), 2)
	p, err := b.DB.Publish(ctx, r[:1], KeysOf, store.Lists{Cap: 2})
	b.Must(err)
	same(b, "its list is within the cap again", p.Recs, r)
	list, _ := b.posted(2, store.Key{Coarse: 7})
	same(b, "its list", list, r[1:])
	b.Link(func(tx *store.LinkTx) error {
		if err := resolve(ctx, b, tx, p.Recs); err != nil {
			return err
		}
		return tx.Done(ctx, p.Waiting)
	})
	same(b, "founder of the second afterwards", b.Members("2")[0].Golden, r[1])
	same(b, "golden records", b.goldenIDs(store.GoldenFilter{Limit: 9, All: true}), []string{b.Members("2")[0].Anchor + "@1"})
	same(b, "closure", b.closure(r[1]), r[1:])
	same(b, "nothing waits", len(b.resolving()), 0)
	same(b, "versions", len(b.History("1").Versions), 1) // derives it loosely again
	same(b, "it is back", b.resolving(), r[:1])
	same(b, "members when it is back", len(b.Members("1", "2")), 2)
}

// Fill gives a store facts and derived rows of every kind.
func Fill(b *Bench) {
	ctx := b.Context()
	b.Must(b.DB.SaveModel(ctx, Entity, "m1", `{}`, true))
	_, err := b.DB.SourceUID(ctx, Source, nil)
	b.Must(err)
	k := [2]uint64{1, 2}
	b.Land(Stamped(Item("1", Named("Ada", k)), 10), Item("2", Named("Ada L.", k)), Item("3", Bad("b")), Item("4", Bad("free")))
	b.Land(Stamped(Item("1", Named("old", k)), 5), Item("5", Named("Cyd")))
	gone := Item("5", Named("Cyd"))
	gone.Raw.Deleted = true
	b.Land(gone)
	for _, q := range b.quarantine("open") {
		if q.Ref.ID == "4" {
			b.Must(b.DB.Release(ctx, q.ID, "ann", "fine"))
		}
	}
	b.Must(b.DB.Rederive(ctx, b.Recs("4"), Derive))
	r := b.Recs("1", "2", "5")
	b.rule("must", r[0], r[2])
	b.add(row("out", r[0], r[0], "Golden"), row("out", r[1], 0, "New"))
	Resolve(b) // a row waits while its object does
	for _, c := range b.claim("out", 9) {
		s := store.Settlement{State: store.Delivered, Outcome: "applied", Verified: true, Got: c.Fields}
		if c.Rec == 0 {
			s.ExternalID = "T1"
		}
		b.settle(c, s)
	}
	b.Happened(Happening("e1", "open", "1.50", 1, "1", "9"), Happening("e2", "bad", "", 2, "2"), Happening("e3", "open", "", 3, "9"))
	b.Happened(Happening("e1", "solved", "1.50", 1, "1", "9"), Happening("e3", "bad", "", 3, "9"))
	b.Land(Item("T1", Named("New", k)), Stamped(Item("1", Named("Golden", k)), 20))
	Resolve(b)
}

// Resolve derives whatever follows from the features in the plainest way: one
// component and golden record for all records that share a key.
func Resolve(b *Bench) {
	ctx := b.Context()
	derive, err := b.DB.BacklogDerive(ctx, Entity, 1<<20)
	b.Must(err)
	b.Must(b.DB.Rederive(ctx, backlogRecs(derive), Derive))
	backlog, err := b.DB.BacklogResolve(ctx, Entity, 0, 1<<20)
	b.Must(err)
	p, err := b.DB.Publish(ctx, backlogRecs(backlog), KeysOf, store.Lists{Cap: 100})
	b.Must(err)
	b.Link(func(tx *store.LinkTx) error { return resolve(ctx, b, tx, p.Recs) })
	b.Again()
	b.Resolved()
}

func resolve(ctx context.Context, b *Bench, tx *store.LinkTx, recs []int64) error {
	all, err := tx.Closure(ctx, recs)
	if err != nil {
		return err
	}
	members, err := tx.Members(ctx, all)
	if err != nil {
		return err
	}
	first := map[string]int64{}
	var edges []store.Edge
	var placed []store.Placed
	var changes []store.GoldenChange
	for _, m := range members {
		key := string(m.Features)
		if key == "null" {
			key = m.Anchor
		}
		if first[key] == 0 {
			first[key] = m.Rec
			changes = append(changes, store.GoldenChange{Golden: store.Golden{
				Founder: m.Rec, ID: m.Anchor, Entity: Entity, Fields: m.Authored, Provenance: []byte(`{}`), Members: 1, Live: 1, Version: 1,
			}, After: []byte{1}})
		} else {
			edges = append(edges, store.Edge{A: first[key], B: m.Rec, Weight: 5, Pattern: 3, Model: "m1"})
		}
		placed = append(placed, store.Placed{Rec: m.Rec, Comp: first[key], Golden: first[key]})
	}
	if err := tx.ReplaceMatches(ctx, Entity, all, edges); err != nil {
		return err
	}
	if err := tx.ReplaceBridges(ctx, Entity, all, edges[:min(1, len(edges))]); err != nil {
		return err
	}
	if err := tx.Place(ctx, placed); err != nil {
		return err
	}
	return tx.SaveGolden(ctx, changes)
}

// Rebuild copies the facts of one store into an empty other one, derives all
// and gives the differences.
func Rebuild(b *Bench, other *Bench) (diffs []store.Difference, rows int) {
	b.Helper()
	b.Must(b.DB.CopyFacts(b.Context(), other.DB))
	Resolve(other)
	diffs, rows, err := b.DB.CompareDerived(b.Context(), other.DB, 100)
	b.Must(err)
	return diffs, rows
}

// DiffText lists differences, one a line.
func DiffText(diffs []store.Difference) string {
	var lines []string
	for _, d := range diffs {
		j, _ := json.Marshal(d)
		lines = append(lines, string(j))
	}
	return strings.Join(lines, "\n")
}
