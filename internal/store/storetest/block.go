package storetest

import (
	"fmt"
	"slices"

	"touchstone/internal/store"
)

func blocks() []subtest {
	return []subtest{
		{"PublishAndPostings", publishPostings},
		{"PublishCrossesTheCapBothWays", publishCap},
		{"PublishTwiceChangesNothing", publishTwice},
		{"PublishFineLists", publishFine},
		{"PublishGivesListsAndCrossingsAsTheyStand", publishAsItStands},
		{"IdleWhenNothingWaitsAndNothingIsHalfDone", idle},
		{"SharedValuesCrossTheLineBothWays", sharedBothWays},
		{"SharedValuesFollowTheLine", sharedLine},
	}
}

// posted reads the list of one key.
func (b *Bench) posted(limit int, k store.Key) (recs []int64, spilled int) {
	b.Helper()
	lists, spilled, err := b.DB.Postings(b.Context(), []store.Key{k, k}, limit)
	b.Must(err)
	return lists[k], spilled
}

func (b *Bench) publish(limit int, ids ...string) []int64 {
	b.Helper()
	p, err := b.DB.Publish(b.Context(), b.Recs(ids...), KeysOf, store.Lists{Entity: Entity, Cap: limit})
	b.Must(err)
	return p.Recs
}

// Resolved takes everything off the backlog list, as a resolver that found nothing
// to change would.
func (b *Bench) Resolved() {
	b.Helper()
	derive, err := b.DB.BacklogDerive(b.Context(), Entity, 1<<20)
	b.Must(err)
	if len(derive) > 0 {
		b.Must(b.DB.Rederive(b.Context(), backlogRecs(derive), Derive))
	}
	backlog, err := b.DB.BacklogResolve(b.Context(), Entity, 0, 1<<20)
	b.Must(err)
	seqs := map[int64]int64{}
	for _, t := range backlog {
		seqs[t.Rec] = t.Seq
	}
	b.Link(func(tx *store.LinkTx) error { return tx.Done(b.Context(), seqs) })
}

func (b *Bench) resolving() []int64 {
	b.Helper()
	backlog, err := b.DB.BacklogResolve(b.Context(), Entity, 0, 1<<20)
	b.Must(err)
	return backlogRecs(backlog)
}

func publishPostings(b *Bench) {
	b.Land(Item("1", Named("a", [2]uint64{1, 10}, [2]uint64{2, 0})), Item("2", Named("b", [2]uint64{1, 11})), Item("3", Named("c")))
	recs := b.publish(5, "1", "2", "3")
	same(b, "records to link", recs, b.Recs("1", "2", "3"))
	for _, tt := range []struct {
		key  store.Key
		want []int64
	}{
		{store.Key{Coarse: 1, Fine: 10}, b.Recs("1", "2")},
		{store.Key{Coarse: 1, Fine: 99}, b.Recs("1", "2")},
		{store.Key{Coarse: 2}, b.Recs("1")},
		{store.Key{Coarse: 3}, nil},
	} {
		got, spilled := b.posted(5, tt.key)
		same(b, fmt.Sprintf("list of %v", tt.key), got, tt.want)
		same(b, "spilled", spilled, 0)
	}
	b.Land(Item("1", Named("a", [2]uint64{3, 1})))
	b.publish(5, "1")
	got, _ := b.posted(5, store.Key{Coarse: 1, Fine: 10})
	same(b, "list after a record left it", got, b.Recs("2"))
	got, _ = b.posted(5, store.Key{Coarse: 3, Fine: 1})
	same(b, "list after a record came", got, b.Recs("1"))
	features, err := b.DB.Features(b.Context(), b.Recs("1", "2"))
	b.Must(err)
	same(b, "features", len(features), 2)
	var seqs map[int64]int64
	recs = b.Recs("1", "2")
	b.Link(func(tx *store.LinkTx) (err error) {
		seqs, err = tx.Seqs(b.Context(), recs)
		return err
	})
	for _, f := range features {
		if f.Seq != seqs[f.Rec] || f.Seq == 0 {
			b.Errorf("record %d has the stamp %d in Features and %d in Seqs", f.Rec, f.Seq, seqs[f.Rec])
		}
	}
}

// publishCap crosses the cap of a list upwards and downwards: the redo list is
// every holder, and only at the crossing.
func publishCap(b *Bench) {
	const limit = 3
	key := [2]uint64{7, 0}
	for i, want := range [][]string{{"0"}, {"1"}, {"2"}, {"0", "1", "2", "3"}, {"4"}} {
		id := fmt.Sprint(i)
		b.Land(Item(id, Named("x"+id, key)))
		same(b, "to link after "+id, b.publish(limit, id), b.Recs(want...))
		same(b, "on the list after "+id, b.resolving(), b.Recs(want...))
		b.Resolved()
	}
	got, spilled := b.posted(limit, store.Key{Coarse: 7})
	if got != nil || spilled != 1 {
		b.Errorf("a list past the cap gives %v, spilled %d: want nothing, 1", got, spilled)
	}
	for i, want := range [][]string{{"4"}, {"0", "1", "2", "3"}, {"2"}} {
		id := fmt.Sprint(4 - i)
		b.Land(Item(id, Named("y"+id)))
		same(b, "to link after "+id+" left", b.publish(limit, id), b.Recs(want...))
		same(b, "on the list after "+id+" left", b.resolving(), b.Recs(want...))
		b.Resolved()
	}
	got, spilled = b.posted(limit, store.Key{Coarse: 7})
	same(b, "the list within the cap", got, b.Recs("0", "1"))
	same(b, "spilled", spilled, 0)
}

func publishTwice(b *Bench) {
	for i := range 4 {
		id := fmt.Sprint(i)
		b.Land(Item(id, Named(id, [2]uint64{1, 1})))
	}
	b.publish(3, "0", "1", "2", "3")
	b.Resolved()
	same(b, "to link the second time", b.publish(3, "3"), b.Recs("3"))
	same(b, "on the list the second time", len(b.resolving()), 0)
	same(b, "of no records", len(b.publish(3)), 0)
}

// publishFine takes the finer list where the coarse one is past the cap, and
// crosses the cap of the finer one.
func publishFine(b *Bench) {
	const limit = 2
	for i, fine := range []uint64{5, 5, 6} {
		id := fmt.Sprint(i)
		b.Land(Item(id, Named(id, [2]uint64{1, fine})))
	}
	b.publish(limit, "0", "1", "2")
	for _, tt := range []struct {
		fine uint64
		want []string
	}{{5, []string{"0", "1"}}, {6, []string{"2"}}} {
		got, spilled := b.posted(limit, store.Key{Coarse: 1, Fine: tt.fine})
		same(b, fmt.Sprintf("fine list %d", tt.fine), got, b.Recs(tt.want...))
		same(b, "spilled", spilled, 0)
	}
	b.Resolved()
	b.Land(Item("3", Named("3", [2]uint64{1, 5})))
	same(b, "to link when the fine list crosses", b.publish(limit, "3"), b.Recs("0", "1", "3"))
	got, spilled := b.posted(limit, store.Key{Coarse: 1, Fine: 5})
	if got != nil || spilled != 1 {
		b.Errorf("a fine list past the cap gives %v, spilled %d: want nothing, 1", got, spilled)
	}
	b.Resolved()
	b.Land(Item("3", Named("3")))
	same(b, "to link when it crosses back", b.publish(limit, "3"), b.Recs("0", "1", "3"))
}

// publishAsItStands changes the keys of some records again and again, few or many
// at once: the keys and lists that Publish gives are those that stand, and of every
// pair that became a candidate, or is one no longer, a record is linked again.
func publishAsItStands(b *Bench) {
	const limit, records = 2, 12
	r := draws(7)
	keys := map[int64][]store.Key{}
	for round := range 30 {
		var ids []string
		for i := range records {
			if r.below(records) > 2+uint64(round%9) {
				continue
			}
			id := fmt.Sprint(i)
			var own [][2]uint64
			for range r.below(4) {
				own = append(own, [2]uint64{1 + r.below(3), r.below(3)})
			}
			slices.SortFunc(own, func(x, y [2]uint64) int { return slices.Compare(x[:], y[:]) })
			b.Land(Item(id, Named(fmt.Sprint("name ", id, " of round ", round), slices.Compact(own)...)))
			ids = append(ids, id)
		}
		before := candidates(keys, limit)
		p, err := b.DB.Publish(b.Context(), b.Recs(ids...), KeysOf, store.Lists{Entity: Entity, Cap: limit})
		b.Must(err)
		spilled := map[store.Key]bool{}
		for _, rec := range p.Recs {
			f, err := b.DB.Features(b.Context(), []int64{rec})
			b.Must(err)
			own, err := KeysOf(f[0].Features)
			b.Must(err)
			same(b, fmt.Sprintf("round %d: keys of %d", round, rec), len(p.Keys[rec]), len(own))
			for i, k := range own {
				list, over := b.posted(limit, k)
				same(b, fmt.Sprintf("round %d: key of %d", round, rec), p.Keys[rec][i], k)
				same(b, fmt.Sprintf("round %d: list %v", round, k), p.Lists[k], list)
				if over > 0 {
					spilled[k] = true
				}
			}
			keys[rec] = own
		}
		same(b, fmt.Sprintf("round %d: spilled", round), p.Spilled, len(spilled))
		after := candidates(keys, limit)
		for pair, was := range before {
			if was != after[pair] && !slices.Contains(p.Recs, pair[0]) && !slices.Contains(p.Recs, pair[1]) {
				b.Errorf("round %d: pair %v is a candidate no longer, and neither is linked again", round, pair)
			}
		}
		for pair := range after {
			if !before[pair] && !slices.Contains(p.Recs, pair[0]) && !slices.Contains(p.Recs, pair[1]) {
				b.Errorf("round %d: pair %v became a candidate, and neither is linked again", round, pair)
			}
		}
	}
}

// draws are numbers that look like chance, the same every time (Knuth's
// multiplier).
type draws uint64

func (d *draws) below(n uint64) uint64 {
	*d = *d*6364136223846793005 + 1442695040888963407
	return uint64(*d>>33) % n
}

// candidates are the pairs by the rule of Publish, made from nothing.
func candidates(keys map[int64][]store.Key, limit int) map[[2]int64]bool {
	coarse, fine := map[uint64][]int64{}, map[store.Key][]int64{}
	for rec, own := range keys {
		for _, k := range own {
			if !slices.Contains(coarse[k.Coarse], rec) {
				coarse[k.Coarse] = append(coarse[k.Coarse], rec)
			}
			if k.Fine != 0 {
				fine[k] = append(fine[k], rec)
			}
		}
	}
	pairs := map[[2]int64]bool{}
	add := func(list []int64) {
		if len(list) > limit {
			return
		}
		for i, a := range list {
			for _, z := range list[i+1:] {
				pairs[[2]int64{min(a, z), max(a, z)}] = true
			}
		}
	}
	for _, list := range coarse {
		add(list)
	}
	for k, list := range fine {
		if len(coarse[k.Coarse]) > limit {
			add(list)
		}
	}
	return pairs
}

func idle(b *Bench) {
	is := func(when string, want bool) {
		b.Helper()
		got, err := b.DB.Idle(b.Context(), Entity)
		b.Must(err)
		same(b, "idle "+when, got, want)
	}
	is("at first", true)
	b.Land(Item("1", Named("a", [2]uint64{1, 1})))
	is("with a record that waits", false)
	b.publish(5, "1")
	b.Resolved()
	is("once it is resolved", true)
	b.Must(b.DB.BeginBulk(b.Context(), Entity))
	b.Resolved()
	is("while a bulk turn has not ended", false)
	b.Must(b.DB.EndPublish(b.Context(), store.Lists{Entity: Entity, Cap: 5}, nil))
	is("when it has", true)
	b.Must(b.DB.SpoilQueue(b.Context(), Entity))
	is("with a queue to be made anew", false)
}
