package storetest

import (
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/store"
)

// edges shows the relations of golden records, as kind, ends and title.
func (b *Bench) edges(founders ...int64) string {
	b.Helper()
	list, _, err := b.DB.Edges(b.Context(), founders, 10)
	b.Must(err)
	var out []string
	for _, e := range list {
		out = append(out, fmt.Sprintf("%s %s:%d→%s:%d %s", e.Kind, e.From.ID, e.A, e.To.ID, e.B, e.Title))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// saidRelations: in force as long as their decision is, found from both ends
// through the crosswalk as it stands.
func saidRelations(b *Bench) {
	ctx := b.Context()
	r := b.three()
	place := func(golden ...int64) {
		b.Helper()
		var p []store.Placed
		for i, g := range golden {
			p = append(p, store.Placed{Rec: r[i], Comp: r[i], Golden: g})
		}
		b.Link(func(tx *store.LinkTx) error { return tx.Place(ctx, p) })
	}
	place(r[0], r[1], r[2])
	say := store.NewDecision{Kind: store.Related, Relation: &store.SaidRelation{A: r[0], B: r[1], Kind: "partner", Title: "reseller", Since: "2026-01-01"}}
	id, err := b.decide(say)
	b.Must(err)
	want := fmt.Sprintf("partner 1:%d→2:%d reseller", r[0], r[1])
	for _, f := range []int64{r[0], r[1]} {
		same(b, "relations", b.edges(f), want)
	}
	same(b, "relations of both ends at once", b.edges(r[0], r[1]), want)
	same(b, "relations of a third", b.edges(r[2]), "")
	place(r[0], r[2], r[2]) // the far end is merged into the third
	same(b, "relations after a merge", b.edges(r[2]), fmt.Sprintf("partner 1:%d→2:%d reseller", r[0], r[2]))
	place(r[0], r[1], r[2])
	undo, err := b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{id}})
	b.Must(err)
	same(b, "relations after the undo", b.edges(r[0]), "")
	_, err = b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{undo}})
	b.Must(err)
	same(b, "relations after the undo of the undo", b.edges(r[0]), want)
	said, err := b.DB.SaidOf(ctx, []string{id, undo})
	b.Must(err)
	if s := said[id]; len(said) != 1 || s.SaidRelation != *say.Relation || s.RefA.ID != "1" || s.RefB.ID != "2" {
		b.Errorf("%s says %+v, want %+v between 1 and 2", id, said, *say.Relation)
	}
	list, last, err := b.DB.SaidRelations(ctx, 0, 10)
	if err != nil || len(list) != 1 || list[0].Decision != id || list[0].Who != "ann" || last == 0 {
		b.Errorf("stated are %+v up to %d, %v; want %s", list, last, err, id)
	}
	if list, _, err = b.DB.SaidRelations(ctx, last, 10); err != nil || len(list) != 0 {
		b.Errorf("behind the last stand %+v, %v", list, err)
	}
}
