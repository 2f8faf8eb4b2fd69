package storetest

import (
	"cmp"
	"fmt"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func lookups() []subtest {
	return []subtest{
		{"LookUpReadsTheSameListsAsTheResolver", lookupLists},
		{"LookUpSeesOneState", lookupOneState},
		{"LookUpReadsMembersWithinABound", lookupMembers},
		{"LookUpKnowsSharedValues", lookupStanding},
	}
}

func (b *Bench) snapshot(fn func(tx *store.LookTx) error) {
	b.Helper()
	b.Must(b.DB.Snapshot(b.Context(), fn))
}

// lookupLists compares the lists of random records with what the rule of
// Publish says, with coarse and fine lists on both sides of the cap, records that
// stand on one coarse list several times, and keys at the ends of what an engine
// can hold.
func lookupLists(b *Bench) {
	const limit = 4
	coarse := func(n int) uint64 {
		ends := map[int]uint64{1: 1 << 63, 2: 1<<63 - 1, 3: ^uint64(0), 4: 1<<63 + 1}
		return cmp.Or(ends[n], uint64(n))
	}
	throw := dice{state: 9}
	var ids []string
	var items []store.Item
	var all [][][2]uint64
	for i := range 40 {
		var keys [][2]uint64
		for range 1 + throw.IntN(5) {
			keys = append(keys, [2]uint64{coarse(1 + throw.IntN(12)), uint64(throw.IntN(4))})
		}
		all = append(all, keys)
		ids = append(ids, fmt.Sprint(i))
		items = append(items, Item(ids[i], Named(ids[i], keys...)))
	}
	b.Land(items...)
	b.publish(limit, ids...)
	recs := b.Recs(ids...)
	holders := func(on func(k [2]uint64) bool) (list []int64) {
		for i, keys := range all {
			if slices.ContainsFunc(keys, on) {
				list = append(list, recs[i])
			}
		}
		slices.Sort(list)
		return list
	}
	rule := func(k store.Key) []int64 {
		list := holders(func(x [2]uint64) bool { return x[0] == k.Coarse })
		if len(list) <= limit {
			return list
		}
		list = holders(func(x [2]uint64) bool { return x == [2]uint64{k.Coarse, k.Fine} })
		if k.Fine == 0 || len(list) > limit {
			return nil
		}
		return list
	}
	long, spilled := 0, 0
	for range 30 {
		var keys []store.Key
		for range 1 + throw.IntN(6) {
			keys = append(keys, store.Key{Coarse: coarse(1 + throw.IntN(14)), Fine: uint64(throw.IntN(5))})
		}
		lists, _, err := b.DB.Postings(b.Context(), keys, limit)
		b.Must(err)
		b.snapshot(func(tx *store.LookTx) error {
			got, err := tx.Postings(b.Context(), keys, limit)
			for i, p := range got {
				same(b, fmt.Sprintf("key %d of %v", i, keys), p.Key, keys[i])
				same(b, fmt.Sprintf("list of %v", p.Key), p.Recs, rule(p.Key))
				same(b, fmt.Sprintf("list of %v for the resolver", p.Key), lists[p.Key], rule(p.Key))
				if p.Long {
					long++
				}
				if p.Spilled {
					spilled++
				}
			}
			return err
		})
	}
	if long == 0 || spilled == 0 || spilled == long {
		b.Errorf("%d lists past the cap, of these %d whose fine list is too: want some of each", long, spilled)
	}
}

// lookupOneState: what is committed while a look-up reads stays out of it.
func lookupOneState(b *Bench) {
	r := b.landNamed("1", "2")
	b.place(at(r[0], r[0], r[0]), at(r[1], r[1], r[1]))
	b.save(b.change(r[0], "a", 1, 1), b.change(r[1], "b", 1, 1))
	b.snapshot(func(tx *store.LookTx) error {
		before, err := tx.Goldens(b.Context(), r)
		if err != nil {
			return err
		}
		b.save(b.change(r[0], "a", 2, 1))
		b.place(at(r[1], r[0], r[0]))
		after, err := tx.Goldens(b.Context(), r)
		if err != nil {
			return err
		}
		same(b, "a golden record written meanwhile", string(after[r[0]].Fields), string(before[r[0]].Fields))
		near, err := tx.Near(b.Context(), []int64{r[1], r[0], 999})
		if err != nil {
			return err
		}
		same(b, "records near", len(near), 2)
		founders, err := tx.Founders(b.Context(), []int64{r[1], 999})
		if err != nil {
			return err
		}
		same(b, "where a record moved meanwhile belongs", founders, map[int64]int64{r[1]: r[1]})
		return nil
	})
	after, err := b.DB.LoadGoldens(b.Context(), r)
	b.Must(err)
	same(b, "the golden record afterwards", string(after[r[0]].Fields), `{"name":"v2"}`)
}

// lookupMembers reads whole golden records, and the beginning of large ones.
func lookupMembers(b *Bench) {
	r := b.landNamed("1", "2", "3", "4", "5")
	b.place(at(r[0], r[0], r[0]), at(r[1], r[0], r[0]), at(r[2], r[2], r[2]), at(r[3], r[2], r[2]), at(r[4], r[2], r[2]))
	b.save(b.change(r[0], "a", 1, 2), b.change(r[2], "b", 1, 3))
	b.snapshot(func(tx *store.LookTx) error {
		goldens, err := tx.Goldens(b.Context(), []int64{r[0], r[2], 999})
		if err != nil {
			return err
		}
		members, err := tx.Members(b.Context(), goldens, 2)
		if err != nil {
			return err
		}
		var got []string
		for _, m := range members {
			got = append(got, fmt.Sprint(goldens[m.Golden].ID, " ", m.Ref, " ", m.Live))
		}
		ref := func(id string) record.Ref { return record.Ref{Source: Source, Entity: Entity, ID: id} }
		same(b, "members", got, []string{fmt.Sprint("a ", ref("1"), " true"), fmt.Sprint("a ", ref("2"), " true"), fmt.Sprint("b ", ref("3"), " true"), fmt.Sprint("b ", ref("4"), " true")})
		waiting, err := tx.Waiting(b.Context(), []int64{r[4], 999})
		same(b, "a record by itself", len(waiting), 1)
		same(b, "its reference", waiting[r[4]].Ref, ref("5"))
		same(b, "its name", authoredName(waiting[r[4]]), authoredName(b.Members("5")[0]))
		return err
	})
	anchor := func(id string) string { return Vault().Anchor(Source, Entity, id) }
	founders, err := b.DB.FoundersOf(b.Context(), []string{anchor("1"), anchor("4"), "nobody"})
	b.Must(err)
	same(b, "founders by id", founders, map[string]int64{anchor("1"): r[0], anchor("4"): r[2]})
}

// lookupStanding follows the list of shared values, and reads it again only when
// it has changed.
func lookupStanding(b *Bench) {
	standing := func(have *store.Shared) (s store.Standing) {
		b.Helper()
		b.snapshot(func(tx *store.LookTx) (err error) {
			s, err = tx.Standing(b.Context(), Entity, have)
			return err
		})
		return s
	}
	before := standing(nil)
	same(b, "shared values of an empty store", before.Shared.Len(), 0)
	for i := range 3 {
		b.Land(Item(fmt.Sprint(i), Named(fmt.Sprint(i), [2]uint64{7, uint64(10 + i)})))
	}
	_, err := b.DB.Publish(b.Context(), b.Recs("0", "1", "2"), KeysOf, store.Lists{Entity: Entity, Cap: 9, Names: 2})
	b.Must(err)
	now := standing(before.Shared)
	same(b, "a value with three names is shared", now.Shared.Has(7), true)
	same(b, "the list read again", standing(now.Shared).Shared == now.Shared, true)
	b.Must(b.DB.BeginBulk(b.Context(), Entity))
	same(b, "publishing during a bulk turn", standing(now.Shared).Publishing, true)
	b.Must(b.DB.EndPublish(b.Context(), store.Lists{Entity: Entity, Cap: 9, Names: 2}, []uint64{7}))
	same(b, "publishing after it", standing(now.Shared).Publishing, false)
}
