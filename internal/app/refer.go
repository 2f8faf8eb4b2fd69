package app

import (
	"context"
	"slices"

	"touchstone/internal/store"
)

// referredFirst puts the entities that references lead to before those that
// refer to them, so that a golden record is known when it is referred to. The
// order is otherwise that of the file; of a circle one goes first.
func (a *App) referredFirst() {
	leads := map[string][]string{}
	for _, t := range a.targets {
		leads[t.config.Entity] = append(leads[t.config.Entity], t.plan.Refers()...)
	}
	var order []*entity
	seen := map[string]bool{}
	var visit func(e *entity)
	visit = func(e *entity) {
		if e == nil || seen[e.name] {
			return
		}
		seen[e.name] = true
		for _, name := range leads[e.name] {
			visit(a.entityNamed(name))
		}
		order = append(order, e)
	}
	for _, e := range slices.Clone(a.entities) {
		visit(e)
	}
	a.entities = order
}

// mostUnmapped bounds the values that a summary lists.
const mostUnmapped = 10

// unmappedValues counts and lists what tables of the configuration do not know.
func (a *App) unmappedValues(ctx context.Context) (int, []store.MissCount, error) {
	if len(a.Config.Tables) == 0 {
		return 0, nil, nil
	}
	list, all, err := a.Store.Misses(ctx, mostUnmapped)
	return all, list, err
}
