package storetest

import (
	"fmt"
	"slices"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func counts() []subtest {
	return []subtest{
		{"OwnersAreCountedAsTheyChange", owners},
		{"AnOwnerMayHaveALongName", longOwner},
		{"PairsAreCountedByWeight", weights},
		{"CountedValuesAreKeptUntilTheNextCount", valueCounts},
	}
}

// owned is a golden record that somebody looks after.
func (b *Bench) owned(founder int64, id, owner string, live int) store.GoldenChange {
	c := b.change(founder, id, 1, live)
	if owner != "" {
		c.Owner, c.Fields = owner, fmt.Appendf(nil, `{"name":"v","owner":%q}`, owner)
	}
	return c
}

func (b *Bench) owners(n int) (list []string) {
	b.Helper()
	counted, err := b.DB.Owners(b.Context(), Entity, n)
	b.Must(err)
	for _, o := range counted {
		list = append(list, fmt.Sprint(o.Owner, " ", o.Customers))
	}
	return list
}

func owners(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2", "3", "4", "5", "6")
	same(b, "of nothing", b.owners(9), nil)
	b.save(b.owned(r[0], "a", "Ann", 1), b.owned(r[1], "b", "Ann", 2), b.owned(r[2], "c", "Bob", 1), b.owned(r[3], "d", "", 1), b.owned(r[4], "e", "Ann", 0))
	same(b, "owners", b.owners(9), []string{"Ann 2", " 1", "Bob 1"})
	same(b, "the first", b.owners(1), []string{"Ann 2"})
	b.save(b.owned(r[1], "b", "Bob", 2), b.owned(r[4], "e", "Ann", 1), b.owned(r[5], "f", "", 1))
	same(b, "after one was passed on and one came back", b.owners(9), []string{" 2", "Ann 2", "Bob 2"})
	b.Link(func(tx *store.LinkTx) error { return tx.DropGolden(ctx, []store.Golden{{Founder: r[2], ID: "c"}}) })
	b.save(b.owned(r[0], "a", "Ann", 0), b.owned(r[3], "d", "Cy", 1))
	same(b, "after one was merged, one deleted and one given to somebody", b.owners(9), []string{" 1", "Ann 1", "Bob 1", "Cy 1"})
	for _, tt := range []struct {
		owner string
		after int64
		want  []store.Owned
	}{
		{"Ann", 0, []store.Owned{{Founder: r[4], ID: "e"}}},
		{"", 0, []store.Owned{{Founder: r[5], ID: "f"}}},
		{"Bob", r[1], nil},
		{"Zoe", 0, nil},
	} {
		list, err := b.DB.OwnedBy(ctx, Entity, tt.owner, "", nil, tt.after, 9)
		b.Must(err)
		same(b, fmt.Sprintf("customers of %q behind %d", tt.owner, tt.after), list, tt.want)
	}
	n, err := b.DB.LiveGolden(ctx, Entity)
	b.Must(err)
	same(b, "golden records", n, 4)
	of, err := b.DB.Owners(ctx, record.Person, 9)
	b.Must(err)
	same(b, "of another entity type", len(of), 0)
}

// LongName is text of 2,000 characters, the most that a field takes, that no
// engine stores in much less: it is too long for an index of PostgreSQL.
func LongName() string {
	name := make([]rune, 2000)
	for i := range name {
		name[i] = rune(0x4e00 + i*i*7919%20000)
	}
	return string(name)
}

// longOwner: whatever a source says of who looks after a customer, the customer is
// published and found by it.
func longOwner(b *Bench) {
	r := b.landNamed("1", "2")
	long := LongName()
	b.save(b.owned(r[0], "a", long, 1), b.owned(r[1], "b", long+"!", 1))
	for owner, want := range map[string][]store.Owned{long: {{Founder: r[0], ID: "a"}}, long + "!": {{Founder: r[1], ID: "b"}}, long[:600]: nil} {
		list, err := b.DB.OwnedBy(b.Context(), Entity, owner, "", nil, 0, 9)
		b.Must(err)
		same(b, "customers of somebody with a long name", list, want)
	}
	same(b, "owners", b.owners(9), []string{long + " 1", long + "! 1"})
}

// weights holds counts by weight against pairs counted one by one, as they are
// weighed and weighed anew.
func weights(b *Bench) {
	ctx := b.Context()
	d := dice{state: 7}
	names := make([]string, 20)
	for i := range names {
		names[i] = fmt.Sprint(i)
	}
	r := b.landNamed(names...)
	edges := map[[2]int64]store.Edge{}
	at := []int32{-2001, -2000, -1999, -1001, -1000, -251, -250, -249, -1, 0, 1, 249, 250, 251, 999, 1000, 1001, 7777}
	for round := range 6 {
		part := r[round : round+14]
		for k := range edges {
			if slices.Contains(part, k[0]) || slices.Contains(part, k[1]) {
				delete(edges, k)
			}
		}
		var fresh []store.Edge
		for range 60 {
			i, j := d.IntN(len(part)), d.IntN(len(part))
			e := store.Edge{A: min(part[i], part[j]), B: max(part[i], part[j]), Weight: at[d.IntN(len(at))] + int32(d.IntN(3)), Model: "m1"} //nolint:gosec // small
			if _, there := edges[[2]int64{e.A, e.B}]; i == j || there {
				continue
			}
			edges[[2]int64{e.A, e.B}] = e
			fresh = append(fresh, e)
		}
		b.Link(func(tx *store.LinkTx) error { return tx.ReplaceMatches(ctx, Entity, part, fresh) })

		bits := map[int]int{}
		from := func(w int32) (n int) {
			for _, e := range edges {
				if e.Weight >= w {
					n++
				}
			}
			return n
		}
		for _, e := range edges {
			bits[int(e.Weight+10_000)/1000-10]++
		}
		bins, err := b.DB.Scores(ctx, Entity)
		b.Must(err)
		got := map[int]int{}
		for _, x := range bins {
			got[x.At] = x.Pairs
		}
		same(b, fmt.Sprintf("round %d, by bit", round), got, bits)
		for i := 0; i+4 <= len(at); i++ {
			counts, err := b.DB.PairsFrom(ctx, Entity, at[i], at[i+1], at[i+2], at[i+3])
			b.Must(err)
			same(b, fmt.Sprintf("round %d, from %v on", round, at[i:i+4]), counts, [4]int{from(at[i]), from(at[i+1]), from(at[i+2]), from(at[i+3])})
		}
		near, err := b.DB.PairsNear(ctx, Entity, 250, 3)
		b.Must(err)
		for _, p := range near[:min(3, len(near))] {
			if e, there := edges[[2]int64{p.A, p.B}]; !there || e.Weight != p.Weight || p.Weight < 250 {
				b.Errorf("round %d: %+v is said to lie at 250 or above, it is %+v", round, p, e)
			}
		}
	}
	none, err := b.DB.PairsFrom(ctx, record.Person, -9000, 0, 1, 2)
	b.Must(err)
	same(b, "of another entity type", none, [4]int{})
}

func valueCounts(b *Bench) {
	ctx := b.Context()
	asked := func() (list []string) {
		b.Helper()
		wanted, err := b.DB.ValueCountsAsked(ctx)
		b.Must(err)
		for _, c := range wanted {
			list = append(list, fmt.Sprint(c.Field, " ", c.Done, "/", c.Whole))
		}
		return list
	}
	read := func(field string) store.ValueCount {
		b.Helper()
		c, err := b.DB.ValueCount(ctx, Entity, field)
		b.Must(err)
		return c
	}
	same(b, "never asked for", read("industry"), store.ValueCount{Entity: Entity, Field: "industry"})
	b.Must(b.DB.AskValueCount(ctx, Entity, "industry", 9))
	b.Must(b.DB.AskValueCount(ctx, Entity, "aliases", 9))
	b.Must(b.DB.NoteValueCount(ctx, Entity, "industry", 4))
	b.Must(b.DB.AskValueCount(ctx, Entity, "industry", 10))
	same(b, "asked for twice", asked(), []string{"industry 4/9", "aliases 0/9"})
	done := store.ValueCount{Entity: Entity, Field: "industry", At: "2026-01-02", Took: 3 * time.Second, Maps: "7", Body: []byte("SECRET")}
	b.Must(b.DB.EndValueCount(ctx, done))
	b.Must(b.DB.EndValueCount(ctx, store.ValueCount{Entity: Entity, Field: "aliases", Problem: "no"}))
	same(b, "counted", asked(), nil)
	done.Done, done.Whole = 4, 9
	same(b, "what was counted", read("industry"), done)
	same(b, "why it failed", read("aliases").Problem, "no")
	b.Must(b.DB.AskValueCount(ctx, Entity, "industry", 11))
	same(b, "asked for again", asked(), []string{"industry 0/11"})
	b.Must(b.DB.EndValueCount(ctx, store.ValueCount{Entity: Entity, Field: "industry", Problem: "no"}))
	again := read("industry")
	same(b, "what failed leaves what was counted before", string(again.Body)+" "+again.At+" "+again.Problem, "SECRET 2026-01-02 no")
}
