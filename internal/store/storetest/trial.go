package storetest

import (
	"errors"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// trials: thresholds come into force with a generation of their own and outlive
// another model; a trial is taken against the generation it was compared with,
// and taken back while nothing else came after it.
func trials(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Named("a", [2]uint64{1, 1})))
	b.Resolved()
	b.Must(b.DB.SaveModel(ctx, Entity, "v1", `{"w":1}`, true))
	_, err := b.DB.SaveFitted(ctx, store.Model{Entity: Entity, Version: "v2", Body: `{"w":2}`}, "tester")
	b.Must(err)
	of, own := store.Thresholds{Link: 0.95, Review: 0.6}, store.Thresholds{Link: 0.9, Review: 0.125}
	ask := func(basis int64) string {
		b.Helper()
		id, err := b.DB.AskTrial(ctx, store.Trial{Entity: Entity, Kind: "thresholds", Asked: `{}`, Basis: basis, Who: "amy", Why: "why not"})
		b.Must(err)
		return id
	}
	act := store.Activation{Entity: Entity, Version: "v1", Thresholds: own, Of: of, Who: "ann", Why: "seen"}
	id := ask(0)
	taken, err := b.DB.TakeTrial(ctx, id, act)
	b.Must(err)
	same(b, "taken before it was worked out", taken, false)
	wanted, err := b.DB.NoteTrial(ctx, id, "resolve", 3, 7)
	b.Must(err)
	same(b, "wanted", wanted, true)
	b.Must(b.DB.EndTrial(ctx, id, `{"merges":1}`, ""))
	taken, err = b.DB.TakeTrial(ctx, id, act)
	b.Must(err)
	same(b, "taken", taken, true)
	got, err := b.DB.ActivationAt(ctx, Entity, 1)
	b.Must(err)
	same(b, "thresholds", got.Holding(of), own)
	same(b, "thresholds of another configuration", got.Holding(store.Thresholds{Link: 0.8, Review: 0.6}), store.Thresholds{Link: 0.8, Review: 0.6})
	waiting, err := b.DB.WaitingOf(ctx, Entity)
	b.Must(err)
	same(b, "records that wait", waiting, 1)

	late := ask(0)
	b.Must(b.DB.EndTrial(ctx, late, `{}`, ""))
	taken, err = b.DB.TakeTrial(ctx, late, store.Activation{Entity: Entity, Version: "v2", Who: "ann"})
	b.Must(err)
	same(b, "taken against another generation", taken, false)

	switched, err := b.DB.ActivateModel(ctx, Entity, "v2", "ann", "")
	b.Must(err)
	same(b, "switched", switched, true)
	if got, err = b.DB.ActivationAt(ctx, Entity, 2); err != nil || got.Thresholds != own || got.Of != of {
		b.Errorf("another model has thresholds %+v of %+v, %v", got.Thresholds, got.Of, err)
	}
	undone, err := b.DB.UndoTrial(ctx, id, store.Activation{Entity: Entity, Version: "v1", Who: "ann"})
	b.Must(err)
	same(b, "undone after something else", undone, false)

	refused, err := b.DB.RefuseTrial(ctx, late, "ann", "no")
	b.Must(err)
	same(b, "refused", refused, true)
	refused, err = b.DB.RefuseTrial(ctx, late, "ann", "no")
	b.Must(err)
	same(b, "refused twice", refused, false)
	if wanted, err = b.DB.NoteTrial(ctx, late, "resolve", 1, 1); err != nil || wanted {
		b.Errorf("a refused trial is wanted: %v, %v", wanted, err)
	}
	if _, err := b.DB.Trial(ctx, "none"); !errors.Is(err, record.ErrNotFound) {
		b.Errorf("a trial that is not there: %v", err)
	}
	list, err := b.DB.Trials(ctx, Entity, 10)
	b.Must(err)
	same(b, "trials", len(list), 2)
	turns, err := b.DB.Activations(ctx, Entity, 10)
	b.Must(err)
	same(b, "activations", len(turns), 2)
	same(b, "the newest", turns[0].Version, "v2")
}

// changedRules hold an entity type until its trial is taken; rules that change
// again begin anew.
func changedRules(b *Bench) {
	ctx := b.Context()
	b.Land(Item("1", Named("a", [2]uint64{1, 1})))
	held := func(what, wantTrial string, want bool) {
		b.Helper()
		id, on, err := b.DB.RulesTrial(ctx, Entity)
		b.Must(err)
		same(b, what+": trial", id, wantTrial)
		same(b, what+": held", on, want)
	}
	change := func(hash string) {
		b.Helper()
		_, err := b.DB.RulesChanged(ctx, Source, Entity, hash)
		b.Must(err)
	}
	change("a")
	held("first rules", "", false)
	change("b")
	held("changed", "", true)
	id, err := b.DB.AskTrial(ctx, store.Trial{Entity: Entity, Kind: "rules", Asked: `{}`, Who: "touchstone"})
	b.Must(err)
	b.Must(b.DB.HoldRules(ctx, Entity, id))
	held("asked", id, true)
	b.Must(b.DB.EndTrial(ctx, id, `{}`, ""))
	change("c")
	held("changed again", "", true)
	taken, err := b.DB.TakeRules(ctx, id, store.Activation{Entity: Entity, Who: "ann"})
	b.Must(err)
	same(b, "an overtaken trial is taken", taken, false)
	b.Must(b.DB.HoldRules(ctx, Entity, id))
	taken, err = b.DB.TakeRules(ctx, id, store.Activation{Entity: Entity, Who: "ann"})
	b.Must(err)
	same(b, "taken", taken, true)
	held("taken", "", false)
	b.Must(b.DB.SaveModel(ctx, Entity, "v1", "{}", true))
	undone, err := b.DB.UndoTrial(ctx, id, store.Activation{Entity: Entity, Version: "v1", Who: "ann"})
	b.Must(err)
	same(b, "rules that were taken are undone", undone, false)
}
