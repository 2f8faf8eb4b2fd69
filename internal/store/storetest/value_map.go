package storetest

import (
	"errors"
	"slices"
	"strings"

	"touchstone/internal/store"
)

// said is a decision on the values of a field of the bench's entity type.
func said(over bool, pairs ...string) store.NewDecision {
	m := &store.ValueMap{Entity: Entity, Field: "name"}
	for _, p := range pairs {
		from, to, _ := strings.Cut(p, ">")
		m.Pairs = append(m.Pairs, [2]string{from, to})
	}
	return store.NewDecision{Kind: store.Mapped, Map: m, Over: over}
}

// mapped lists the values in force.
func (b *Bench) mapped() string {
	b.Helper()
	list, err := b.DB.ValueMaps(b.Context(), Entity)
	b.Must(err)
	var out []string
	for _, m := range list {
		for _, p := range m.Pairs {
			out = append(out, p[0]+">"+p[1])
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// due lists the values whose records are to be resolved again, and puts one
// record on the backlog for them.
func (b *Bench) due(rec int64) string {
	b.Helper()
	due, err := b.DB.MapsDue(b.Context())
	b.Must(err)
	if due == nil {
		return ""
	}
	var out []string
	for v := range due.Values[Entity]["name"] {
		out = append(out, v)
	}
	slices.Sort(out)
	b.Must(b.DB.MapsDone(b.Context(), due, []int64{rec}))
	return strings.Join(out, " ")
}

// valueDecisions: in force like any other, contradictions refused or withdrawn,
// due once for each turn, also for what leads to a value by another decision.
func valueDecisions(b *Bench) {
	r := b.three()
	b.Resolved()
	first, err := b.decide(said(false, "a>b", "b2>b"))
	b.Must(err)
	if again, err := b.decide(said(false, "a>b", "b2>b")); err != nil || again != first {
		b.Errorf("the same again is %s, %v; want %s", again, err, first)
	}
	same(b, "due after the first", b.due(r[0]), "a b2")
	same(b, "waiting", len(b.resolving()), 1)
	same(b, "due when nothing was decided", b.due(r[0]), "")
	second, err := b.decide(said(false, "b>c"))
	b.Must(err)
	same(b, "due after the second", b.due(r[0]), "a b b2")
	var against *store.Contradiction
	for _, n := range []store.NewDecision{said(false, "a>x"), said(false, "c>a")} {
		if _, err := b.decide(n); !errors.As(err, &against) || len(against.Earlier) != 1 {
			b.Errorf("%v: %v, want one decision named", n.Map.Pairs, err)
		}
	}
	var impossible *store.Impossible
	if _, err := b.decide(said(true, "x>y", "y>x")); !errors.As(err, &impossible) {
		b.Errorf("a circle of its own: %v, want it impossible", err)
	}
	same(b, "values after the refusals", b.mapped(), "a>b b2>b b>c")
	same(b, "due after the refusals", b.due(r[0]), "")
	over, err := b.decide(said(true, "a>x"))
	b.Must(err)
	same(b, "values over the first", b.mapped(), "a>x b>c")
	same(b, "due over the first", b.due(r[0]), "a b2")
	var have *store.ValueMaps
	b.Link(func(tx *store.LinkTx) error {
		list, err := tx.ValueMaps(b.Context(), Entity, nil)
		b.Must(err)
		if have, err = tx.ValueMaps(b.Context(), Entity, list); have != list {
			b.Error("the same values were read again")
		}
		return err
	})
	_, err = b.decide(store.NewDecision{Kind: store.Undone, Withdraws: []string{over}})
	b.Must(err)
	b.Link(func(tx *store.LinkTx) error {
		list, err := tx.ValueMaps(b.Context(), Entity, have)
		if err == nil && (list == have || len(list.List) != 2 || list.List[0].Decision != first || list.List[1].Decision != second) {
			b.Errorf("after the undo the values are %+v, want those of %s and %s", list.List, first, second)
		}
		return err
	})
	maps, err := b.DB.ValueMapsOf(b.Context(), []string{first, over, "none"})
	b.Must(err)
	same(b, "maps of decisions, in force or not", len(maps), 2)
	var held []int64
	b.Must(b.DB.EachHolding(b.Context(), Entity, "", func(h store.Holding) error {
		held = append(held, h.Rec)
		return nil
	}))
	same(b, "records with values", held, r)
	for source, want := range map[string]int{Source: 3, "another": 0} {
		n := 0
		b.Must(b.DB.EachHolding(b.Context(), Entity, source, func(store.Holding) error {
			n++
			return nil
		}))
		same(b, "records of source "+source, n, want)
	}
}
