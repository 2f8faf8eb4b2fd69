package app

import (
	"context"
	"slices"

	"touchstone/internal/pipeline"
)

// ahead asks in one message, where that saves waiting, what Resolve asks before it
// does anything: almost always nothing is due, and what is due is asked for again.
func (a *App) ahead(ctx context.Context) (context.Context, error) {
	ctx = a.Store.Foresee(ctx)
	ask := []func(context.Context) error{
		func(ctx context.Context) error { return pipeline.FillSearch(ctx, a.Store) },
		a.Store.FillReach,
	}
	if !a.rebuilding {
		ask = append(ask,
			func(ctx context.Context) error { _, err := a.Store.ExpirePins(ctx); return err },
			func(ctx context.Context) error { _, err := a.Store.Landed(ctx); return err },
			a.repairsDue, a.mapsDue, a.Store.TurnQueue)
	}
	ask = append(ask, func(ctx context.Context) error { _, err := a.Store.EventsToDerive(ctx, deriveBatch); return err })
	return ctx, a.Store.Ahead(ctx, append(ask, a.questions(a.entities)...)...)
}

// aheadOf asks likewise what is asked before an entity type is resolved, if something
// was written since.
func (a *App) aheadOf(ctx context.Context, e *entity) error {
	if a.Store.Foreseen(ctx) {
		return nil
	}
	return a.Store.Ahead(ctx, a.questions([]*entity{e})...)
}

func (a *App) questions(entities []*entity) (ask []func(context.Context) error) {
	for _, e := range entities {
		if e.resolver == nil {
			continue
		}
		ask = append(ask, a.whetherIdle(e)...)
		ask = append(ask, func(ctx context.Context) error {
			_, err := a.Store.BacklogDerive(ctx, e.name, deriveBatch)
			return err
		}, func(ctx context.Context) error {
			_, err := a.Store.Generation(ctx, e.name)
			return err
		})
		if !a.rebuilding {
			ask = append(ask, func(ctx context.Context) error { return a.valuedBy(ctx, e) })
		}
		ask = append(ask, e.resolver.Questions()...)
	}
	return ask
}

// whetherIdle are asked of an entity type before anything else.
func (a *App) whetherIdle(e *entity) (ask []func(context.Context) error) {
	if !a.rebuilding {
		ask = append(ask, func(ctx context.Context) error { _, _, err := a.Store.RulesTrial(ctx, e.name); return err })
	}
	return append(ask, func(ctx context.Context) error { _, err := a.Store.Idle(ctx, e.name); return err })
}

// ended are asked when an entity type was resolved: what ends its turn, and whether
// the next ones have anything to do.
func (a *App) ended(of *entity) func() []func(context.Context) error {
	return func() []func(context.Context) error {
		ask := []func(context.Context) error{
			func(ctx context.Context) error { _, err := a.Store.EndActivation(ctx, of.name); return err },
			func(ctx context.Context) error { _, err := a.Store.DrainQueue(ctx, a.appraisal); return err },
		}
		for _, e := range a.entities[slices.Index(a.entities, of)+1:] {
			if e.resolver != nil {
				ask = append(ask, a.whetherIdle(e)...)
			}
		}
		return ask
	}
}
