package storetest

import (
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

func quarantines() []subtest {
	return []subtest{
		{"QuarantineOpensAndIsSuperseded", quarantineSuperseded},
		{"QuarantineMendedByNewRulesAndBack", quarantineMended},
		{"QuarantineRelease", quarantineRelease},
		{"QuarantineRefusesToRelease", quarantineRefuse},
		{"QuarantineListPages", quarantinePages},
	}
}

func (b *Bench) quarantine(state string) []store.Quarantined {
	b.Helper()
	list, err := b.DB.Quarantines(b.Context(), store.QuarantineQuery{State: state, Limit: 1000})
	b.Must(err)
	return list
}

func quarantineSuperseded(b *Bench) {
	b.Land(Item("1", Named("good")))
	same(b, "bad version", b.Land(Item("1", Bad("b"))), store.Counts{Pulled: 1, Quarantined: 1})
	same(b, "what stays in force", authoredName(b.Members("1")[0]), "good")
	open := b.quarantine("open")
	if len(open) != 1 || open[0].Version != 2 || open[0].Ref.ID != "1" || len(open[0].Reasons) != 1 || open[0].Reasons[0].Value != "because" || open[0].Raw != nil {
		b.Fatalf("open rows %+v: want version 2 with its reason and without the record", open)
	}
	shown, err := b.DB.QuarantineShow(b.Context(), open[0].ID)
	b.Must(err)
	equalBytes(b, "shown record", shown.Raw, []byte(Bad("b")))
	b.Land(Item("1", Named("better")))
	same(b, "open rows", len(b.quarantine("open")), 0)
	same(b, "superseded rows", len(b.quarantine("superseded")), 1)
	if _, err := b.DB.QuarantineShow(b.Context(), "q-none"); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("QuarantineShow of an unknown row: %v, want ErrNotFound", err)
	}
}

func quarantineMended(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Bad("b")))
	same(b, "members", len(b.Members("1")), 0)
	id := b.quarantine("open")[0].ID
	b.Must(b.DB.Rederive(ctx, b.Recs("1"), DeriveLoose))
	same(b, "open rows under looser rules", len(b.quarantine("open")), 0)
	same(b, "mended rows", len(b.quarantine("mended")), 1)
	same(b, "authored", authoredName(b.Members("1")[0]), "b")
	b.Must(b.DB.Rederive(ctx, b.Recs("1"), Derive))
	open := b.quarantine("open")
	if len(open) != 1 || open[0].ID != id {
		b.Errorf("open rows when the rules are strict again: %+v, want the row %s", open, id)
	}
}

func quarantineRelease(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Bad("b")))
	row := b.quarantine("open")[0]
	b.Must(b.DB.Release(ctx, row.ID, "ann", "looks fine"))
	backlog, err := b.DB.BacklogDerive(ctx, Entity, 10)
	b.Must(err)
	same(b, "to derive", backlogRecs(backlog), b.Recs("1"))
	b.Must(b.DB.Rederive(ctx, b.Recs("1"), Derive))
	released := b.quarantine("released")
	if len(released) != 1 || released[0].Who != "ann" || released[0].Why != "looks fine" {
		b.Errorf("released rows %+v: want one by ann", released)
	}
	same(b, "authored", authoredName(b.Members("1")[0]), "b")
	b.Land(Item("1", Bad("worse")))
	same(b, "open rows", len(b.quarantine("open")), 1)
	same(b, "released rows", len(b.quarantine("released")), 1)
	same(b, "authored", authoredName(b.Members("1")[0]), "b")
}

func quarantineRefuse(b *Bench) {
	ctx := b.Context()
	it := Item("1", `{"unreadable":"x"}`)
	it.Raw.Problem = "broken"
	b.Land(it, Item("2", Bad("b")))
	var unreadable, bad string
	for _, q := range b.quarantine("open") {
		if q.Ref.ID == "1" {
			unreadable = q.ID
		} else {
			bad = q.ID
		}
	}
	if err := b.DB.Release(ctx, unreadable, "ann", ""); !errors.Is(err, store.ErrUnreadable) {
		b.Errorf("release of an unreadable record: %v, want ErrUnreadable", err)
	}
	if err := b.DB.Release(ctx, "q-none", "ann", ""); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("release of an unknown row: %v, want ErrNotFound", err)
	}
	b.Must(b.DB.Release(ctx, bad, "ann", ""))
	if err := b.DB.Release(ctx, bad, "ann", ""); err == nil {
		b.Error("a row was released twice")
	}
}

func quarantinePages(b *Bench) {
	ctx := b.Context()
	for i := range 7 {
		b.Land(Item(fmt.Sprint(i), Bad("b")))
	}
	b.LandAs(store.Landing{Source: "erp", Items: []store.Item{Item("x", Bad("b"))}})
	var got []string
	after := ""
	for {
		page, err := b.DB.Quarantines(ctx, store.QuarantineQuery{State: "open", Source: Source, After: after, Limit: 3})
		b.Must(err)
		if len(page) == 0 {
			break
		}
		for _, q := range page {
			got = append(got, q.Ref.ID)
		}
		after = page[len(page)-1].ID
	}
	same(b, "oldest first, page by page", got, []string{"0", "1", "2", "3", "4", "5", "6"})
	all, err := b.DB.Quarantines(ctx, store.QuarantineQuery{State: "open", Limit: 100})
	b.Must(err)
	same(b, "of all sources", len(all), 8)
	if !slices.ContainsFunc(all, func(q store.Quarantined) bool { return q.Ref.Source == "erp" }) {
		b.Error("the other source's row is not listed")
	}
}
