package storetest

import (
	"errors"
	"fmt"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func goldens() []subtest {
	return []subtest{
		{"SaveGoldenAndLists", saveGolden},
		{"GoldenHistoryGoesOnAfterAReturn", goldenReturns},
		{"GoldenByIDSaysMoved", goldenMoved},
	}
}

// change makes a golden record to write; g is its id unless the founder's
// anchor is wanted.
func (b *Bench) change(founder int64, id string, version, live int) store.GoldenChange {
	return store.GoldenChange{
		Golden: store.Golden{
			Founder: founder, ID: id, Entity: Entity, Fields: []byte(fmt.Sprintf(`{"name":"v%d"}`, version)), Provenance: []byte(`{}`),
			Members: max(live, 1), Live: live, Version: version,
		},
		Refs: fmt.Sprintf("refs %d", version), Before: []byte{byte(version - 1)}, After: []byte{byte(version)},
	}
}

func (b *Bench) save(changes ...store.GoldenChange) {
	b.Helper()
	b.Link(func(tx *store.LinkTx) error { return tx.SaveGolden(b.Context(), changes) })
}

func (b *Bench) goldenIDs(f store.GoldenFilter) []string {
	b.Helper()
	list, err := b.DB.GoldenList(b.Context(), f)
	b.Must(err)
	ids := []string{}
	for _, g := range list {
		ids = append(ids, fmt.Sprint(g.ID, "@", g.Version))
	}
	return ids
}

func saveGolden(b *Bench) {
	r := b.landNamed("1", "2", "3")
	b.save(b.change(r[0], "a", 1, 2), b.change(r[1], "b", 1, 0))
	b.save(b.change(r[2], "c", 1, 1))
	b.save(b.change(r[0], "a", 2, 2))
	for _, tt := range []struct {
		filter store.GoldenFilter
		want   []string
	}{
		{store.GoldenFilter{Limit: 10}, []string{"a@2", "c@1"}},
		{store.GoldenFilter{Limit: 10, All: true}, []string{"a@2", "b@1", "c@1"}},
		{store.GoldenFilter{Limit: 10, Newest: true}, []string{"a@2", "c@1"}},
		{store.GoldenFilter{Limit: 1}, []string{"a@2"}},
		{store.GoldenFilter{Limit: 10, After: r[0]}, []string{"c@1"}},
		{store.GoldenFilter{Limit: 10, Entity: record.Person}, []string{}},
		{store.GoldenFilter{Limit: 10, Entity: Entity}, []string{"a@2", "c@1"}},
	} {
		same(b, fmt.Sprintf("list %+v", tt.filter), b.goldenIDs(tt.filter), tt.want)
	}
	var rows map[int64]store.Golden
	b.Link(func(tx *store.LinkTx) (err error) {
		rows, err = tx.GoldenRows(b.Context(), r)
		return err
	})
	same(b, "rows", len(rows), 3)
	same(b, "fields", string(rows[r[0]].Fields), `{"name":"v2"}`)
	same(b, "live", rows[r[1]].Live, 0)
	if rows[r[0]].ChangedAt <= rows[r[2]].ChangedAt {
		b.Error("the time of the last change did not move on")
	}
}

func goldenReturns(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2")
	b.save(b.change(r[0], "a", 1, 1), b.change(r[1], "b", 1, 1))
	b.save(b.change(r[1], "b", 2, 1))
	b.Link(func(tx *store.LinkTx) error {
		return tx.DropGolden(ctx, []store.Golden{{Founder: r[1], ID: "b"}})
	})
	same(b, "golden records after a merge", b.goldenIDs(store.GoldenFilter{Limit: 9, All: true}), []string{"a@1"})
	var last map[int64]int
	b.Link(func(tx *store.LinkTx) (err error) {
		last, err = tx.LastVersions(ctx, append(r, 999))
		return err
	})
	same(b, "last versions, history kept", last, map[int64]int{r[0]: 1, r[1]: 2})
	b.save(b.change(r[1], "b", 3, 1))
	same(b, "golden records after a return", b.goldenIDs(store.GoldenFilter{Limit: 9}), []string{"a@1", "b@3"})
	b.save(b.change(r[1], "b", 3, 1)) // the same again is no second history
	b.Link(func(tx *store.LinkTx) (err error) {
		last, err = tx.LastVersions(ctx, r)
		return err
	})
	same(b, "last versions", last, map[int64]int{r[0]: 1, r[1]: 3})
}

func goldenMoved(b *Bench) {
	ctx := b.Context()
	r := b.landNamed("1", "2")
	ids := []string{Vault().Anchor(Source, Entity, "1"), Vault().Anchor(Source, Entity, "2")}
	if _, _, err := b.DB.GoldenByID(ctx, ids[0]); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("GoldenByID before there is one: %v, want ErrNotFound", err)
	}
	b.place(at(r[0], r[0], r[0]), at(r[1], r[1], r[1]))
	b.save(b.change(r[0], ids[0], 1, 1), b.change(r[1], ids[1], 1, 1))
	for i, id := range ids {
		g, moved, err := b.DB.GoldenByID(ctx, id)
		b.Must(err)
		if g.Founder != r[i] || moved {
			b.Errorf("GoldenByID(%s) = founder %d, moved %v: want %d, not moved", id, g.Founder, moved, r[i])
		}
	}
	b.place(at(r[1], r[0], r[0]))
	b.Link(func(tx *store.LinkTx) error {
		return tx.DropGolden(ctx, []store.Golden{{Founder: r[1], ID: ids[1]}})
	})
	g, moved, err := b.DB.GoldenByID(ctx, ids[1])
	b.Must(err)
	if g.ID != ids[0] || !moved {
		b.Errorf("GoldenByID of a merged id = %s, moved %v: want %s, moved", g.ID, moved, ids[0])
	}
	g, err = b.DB.GoldenOf(ctx, record.Ref{Source: Source, Entity: Entity, ID: "2"})
	b.Must(err)
	same(b, "GoldenOf", g.ID, ids[0])
	if _, err = b.DB.GoldenOf(ctx, record.Ref{Source: Source, Entity: Entity, ID: "9"}); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("GoldenOf an unknown record: %v, want ErrNotFound", err)
	}
}
