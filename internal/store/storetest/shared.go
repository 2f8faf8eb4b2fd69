package storetest

import (
	"fmt"

	"touchstone/internal/store"
)

// share publishes with a line of so many names, and gives the list of shared values as
// that has left it, made of the one before: it is the list that is stored.
func (b *Bench) share(have *store.Shared, names int, ids ...string) *store.Shared {
	b.Helper()
	p, err := b.DB.Publish(b.Context(), b.Recs(ids...), KeysOf, store.Lists{Entity: Entity, Cap: 100, Names: names})
	b.Must(err)
	stored, err := b.DB.Shared(b.Context(), Entity, nil)
	b.Must(err)
	made, err := b.DB.SharedBy(b.Context(), p, Entity, have)
	b.Must(err)
	same(b, "shared values kept", made, stored)
	return made
}

func (b *Bench) sharedIs(what string, want bool, value uint64) {
	b.Helper()
	s, err := b.DB.Shared(b.Context(), Entity, nil)
	b.Must(err)
	same(b, what, s.Has(value), want)
}

// sharedBothWays: a value is shared iff more names than the line stand on its
// list; at each crossing, and only then, all its holders wait to be weighed
// anew. How many records have one name does not matter.
func sharedBothWays(b *Bench) {
	const value, other = 9, 8 // counted keys are odd
	steps := []struct {
		id     string
		name   uint64 // 0: the record leaves the value
		shared bool
		redo   []string
	}{
		{"0", 1, false, []string{"0"}},
		{"1", 1, false, []string{"1"}},
		{"2", 2, false, []string{"2"}},
		{"3", 2, false, []string{"3"}},
		{"4", 3, true, []string{"0", "1", "2", "3", "4"}},
		{"5", 4, true, []string{"5"}},
		{"4", 0, true, []string{"4"}},
		{"1", 0, true, []string{"1"}},
		{"5", 0, false, []string{"0", "2", "3", "5"}},
		{"5", 3, true, []string{"0", "2", "3", "5"}},
		{"0", 2, false, []string{"0", "2", "3", "5"}},
	}
	var have *store.Shared
	for i, s := range steps {
		raw := Named(fmt.Sprint("n", i), [2]uint64{other, uint64(i)})
		if s.name > 0 {
			raw = Named(fmt.Sprint("n", i), [2]uint64{value, s.name}, [2]uint64{other, uint64(i)})
		}
		b.Land(Item(s.id, raw))
		have = b.share(have, 2, s.id)
		what := fmt.Sprintf("step %d, record %s takes name %d: ", i, s.id, s.name)
		b.sharedIs(what+"shared", s.shared, value)
		b.sharedIs(what+"a key that is not counted", false, other)
		same(b, what+"on the backlog list", b.resolving(), b.Recs(s.redo...))
		b.Resolved()
	}
	uses, err := b.DB.SharedUses(b.Context(), Entity, 10)
	b.Must(err)
	same(b, "shared values", len(uses), 0)
}

// sharedLine: another line is another list, also for values nobody touches.
func sharedLine(b *Bench) {
	for i := range uint64(12) {
		b.Land(Item(fmt.Sprint(i), Named("n", [2]uint64{9, i % 4}, [2]uint64{11, i % 2})))
	}
	ids := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}
	have := b.share(nil, 5, ids...)
	b.Resolved()
	for _, tt := range []struct {
		names       int
		nine, elven bool
		redo        []string
	}{
		{3, true, false, ids},
		{3, true, false, []string{"0"}}, // the record asked for
		{1, true, true, ids},
		{0, false, false, ids},
		{0, false, false, []string{"0"}},
		{4, false, false, []string{"0"}},
	} {
		b.Land(Item("0", Named(fmt.Sprint("n", tt.names, tt.nine, len(tt.redo)), [2]uint64{9, 0}, [2]uint64{11, 0})))
		have = b.share(have, tt.names, "0")
		what := fmt.Sprintf("line %d: ", tt.names)
		b.sharedIs(what+"four names", tt.nine, 9)
		b.sharedIs(what+"two names", tt.elven, 11)
		same(b, what+"on the backlog list", b.resolving(), b.Recs(tt.redo...))
		b.Resolved()
	}
	b.share(have, 3, "0")
	uses, err := b.DB.SharedUses(b.Context(), Entity, 10)
	b.Must(err)
	if len(uses) != 1 || uses[0].Value != 9 || uses[0].Records != 12 || uses[0].Names != 4 || len(uses[0].Features) == 0 {
		b.Errorf("shared values %+v, want value 9 with 12 records and 4 names", uses)
	}
}
