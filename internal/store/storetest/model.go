package storetest

import (
	"errors"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// switchModels: activating is one act with a generation of its own; everything
// waits then, and the switch ends when nothing does.
func switchModels(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Named("a", [2]uint64{1, 1})), Item("2", Named("b", [2]uint64{1, 2})), Item("3", Bad("c")))
	b.Resolved()
	b.Must(b.DB.SaveModel(ctx, Entity, "v1", `{"w":1}`, true))
	b.Must(b.DB.SaveModel(ctx, record.Person, "v1", `{"p":1}`, true))
	for i, want := range []bool{true, false} {
		fitted, err := b.DB.SaveFitted(ctx, store.Model{Entity: Entity, Version: "v2", Body: `{"w":2}`, Figures: `{"records":7}`}, "tester")
		b.Must(err)
		if fitted != want {
			b.Errorf("fitted the %d. time: %v, want %v", i+1, fitted, want)
		}
	}
	state := func(what, wantBody string, wantGeneration int64, wantSwitching bool, wantBacklog ...string) {
		b.Helper()
		body, generation, err := b.DB.ActiveModel(ctx, Entity)
		b.Must(err)
		again, err := b.DB.Generation(ctx, Entity)
		b.Must(err)
		switching, err := b.DB.Activating(ctx, Entity)
		b.Must(err)
		same(b, what+": active model", body, wantBody)
		same(b, what+": generation", generation, wantGeneration)
		same(b, what+": generation alone", again, wantGeneration)
		same(b, what+": being switched", switching, wantSwitching)
		same(b, what+": on the backlog list", b.resolving(), b.Recs(wantBacklog...))
	}
	state("at first", `{"w":1}`, 0, false)
	activate := func(version string, want bool) {
		b.Helper()
		switched, err := b.DB.ActivateModel(ctx, Entity, version, "tester", "why not")
		b.Must(err)
		same(b, "switched to "+version, switched, want)
	}
	end := func(want bool) {
		b.Helper()
		ended, err := b.DB.EndActivation(ctx, Entity)
		b.Must(err)
		same(b, "ended", ended, want)
	}
	activate("v1", false)
	state("the same again", `{"w":1}`, 0, false)
	end(false)
	activate("v2", true)
	state("another", `{"w":2}`, 1, true, "1", "2")
	b.Link(func(tx *store.LinkTx) error {
		generation, err := tx.Generation(ctx, Entity)
		same(b, "generation while linking", generation, 1)
		return err
	})
	end(false)
	b.Resolved()
	end(true)
	end(false)
	state("when nothing waits", `{"w":2}`, 1, false)
	activate("v1", true)
	state("back", `{"w":1}`, 2, true, "1", "2")
	if _, err := b.DB.ActivateModel(ctx, Entity, "v9", "tester", ""); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("activating an unknown model: %v, want ErrNotFound", err)
	}
	for what, want := range map[string]int{"model.fitted": 1, "model.activated": 1} {
		n, err := b.DB.Audited(ctx, what, Entity+"/v2")
		b.Must(err)
		same(b, what+" in the audit", n, want)
	}
	list, err := b.DB.Models(ctx, Entity)
	b.Must(err)
	if len(list) != 2 || list[0].Version != "v1" || !list[0].Active || list[1].Version != "v2" || list[1].Active || list[1].Figures != `{"records":7}` {
		b.Errorf("models %+v, want v1 in force and v2 with its figures", list)
	}
	all, err := b.DB.Models(ctx, "")
	b.Must(err)
	same(b, "models of all", len(all), 3)
}

// eachFeatures gives every record with something in force, once, by landing
// number.
func eachFeatures(b *Bench) {
	b.Land(Item("1", Named("a", [2]uint64{1, 1})), Item("2", Bad("b")), Item("3", Named("c", [2]uint64{2, 1})))
	var recs []int64
	b.Must(b.DB.EachFeatures(b.Context(), Entity, func(rec int64, features []byte) error {
		recs = append(recs, rec)
		if len(features) == 0 {
			b.Errorf("record %d has no features", rec)
		}
		return nil
	}))
	same(b, "records with features", recs, b.Recs("1", "3"))
	stop := errors.New("stop")
	if err := b.DB.EachFeatures(b.Context(), Entity, func(int64, []byte) error { return stop }); !errors.Is(err, stop) {
		b.Errorf("stopped with %v, want its own error", err)
	}
}

// placements are read page by page and one by one.
func placements(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Named("a")), Item("2", Named("b")), Item("3", Named("c")))
	r := b.Recs("1", "2", "3")
	b.Link(func(tx *store.LinkTx) error {
		return tx.Place(ctx, []store.Placed{{Rec: r[0], Comp: r[0], Golden: r[0]}, {Rec: r[1], Comp: r[0], Golden: r[0]}, {Rec: r[2], Comp: r[2], Golden: r[2]}})
	})
	var got []store.Placement
	for after := int64(0); ; {
		page, err := b.DB.Placements(ctx, Entity, after, 2)
		b.Must(err)
		if len(page) == 0 {
			break
		}
		got, after = append(got, page...), page[len(page)-1].Rec
	}
	same(b, "placements", got, []store.Placement{{Rec: r[0], Golden: r[0]}, {Rec: r[1], Golden: r[0]}, {Rec: r[2], Golden: r[2]}})
	now, err := b.DB.PlacedNow(ctx, r[1:])
	b.Must(err)
	same(b, "placed now", now, map[int64]int64{r[1]: r[0], r[2]: r[2]})
}
