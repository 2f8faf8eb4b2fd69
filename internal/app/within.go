package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/auth"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// within is what who asks reaches: customers, and where a scope is a whole source
// its records too that belong to no customer yet.
func (a *App) within(ctx context.Context, see sight) (w store.Within, err error) {
	w.Reach = see.reach
	if len(w.Reach) == 0 {
		return w, nil
	}
	actor := auth.From(ctx)
	for _, s := range a.Config.Access.Scopes {
		if !slices.Contains(actor.Scopes, s.Name) || !s.Where.IsZero() {
			continue
		}
		switch r, err := a.Store.ReachOf(ctx, []string{a.scopes[s.Name]}); {
		case err != nil:
			return w, err
		case len(r) == 0: // it is not whole yet
			continue
		}
		sources, entities := s.Sources, s.Entities
		if len(sources) == 0 {
			sources = []string{""}
		}
		if len(entities) == 0 {
			entities = []string{""}
		}
		for _, source := range sources {
			for _, entity := range entities {
				w.Whole = append(w.Whole, store.SourceKind{Source: a.SourceUID(source), Entity: entity})
			}
		}
	}
	return w, nil
}

// seesWithin is what who asks may see of fields, and reaches.
func (a *App) seesWithin(ctx context.Context) (see sight, w store.Within, err error) {
	if see, err = a.sight(ctx); err == nil {
		w, err = a.within(ctx, see)
	}
	return see, w, err
}

// reachSubject refuses what a name stands for as if it were not there, where who
// asks does not reach its customer. It reads in the transaction that decides.
func (a *App) reachSubject(ctx context.Context, tx *store.DecideTx, name string, s store.Subject) error {
	actor := auth.From(ctx)
	if !actor.Narrowed() {
		return nil
	}
	_, hashes, nobody := a.narrowing(actor)
	if !nobody && !actor.Scoped() {
		return nil
	}
	in := false
	if !nobody {
		var err error
		if in, err = tx.Reaches(ctx, hashes, s.Founder); err != nil {
			return err
		}
	}
	if !in {
		return fmt.Errorf("golden record of %s: %w", name, record.ErrNotFound)
	}
	return nil
}

// reachNamed refuses names of customers, or of their records, that who asks does
// not reach.
func (a *App) reachNamed(ctx context.Context, names ...string) error {
	if !auth.From(ctx).Narrowed() {
		return nil
	}
	founders := make([]int64, len(names))
	for i, name := range names {
		g, _, err := a.findGolden(ctx, name)
		if err != nil {
			return err
		}
		founders[i] = g.Founder
	}
	return a.reached(ctx, founders...)
}

// reachIDs refuses ids of which one is not among those that are reached.
func (a *App) reachIDs(ctx context.Context, what string, ids []string, reached func(context.Context, store.Within, []string) (map[string]bool, error)) error {
	if !auth.From(ctx).Narrowed() || len(ids) == 0 {
		return nil
	}
	_, w, err := a.seesWithin(ctx)
	if err != nil || w.Reach == nil {
		return err
	}
	in, err := reached(ctx, w, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !in[id] {
			return fmt.Errorf("%s %s: %w", what, id, record.ErrNotFound)
		}
	}
	return nil
}

// reachQuarantined refuses rows of the quarantine that are out of reach.
func (a *App) reachQuarantined(ctx context.Context, ids ...string) error {
	return a.reachIDs(ctx, "quarantine row", ids, a.Store.QuarantinesReached)
}

// reachRows refuses rows of the outbox that are out of reach.
func (a *App) reachRows(ctx context.Context, ids ...string) error {
	return a.reachIDs(ctx, "outbox row", ids, func(ctx context.Context, w store.Within, ids []string) (map[string]bool, error) {
		return a.Store.RowsReached(ctx, w.Reach, ids)
	})
}

// reachBulk refuses a bulk job of whose pairs one is out of reach.
func (a *App) reachBulk(ctx context.Context, id string) error {
	return a.reachIDs(ctx, "bulk job", []string{id}, func(ctx context.Context, w store.Within, ids []string) (map[string]bool, error) {
		return a.Store.BulkReached(ctx, w.Reach, ids)
	})
}

// reachDecision refuses what is undone by an id, a decision or another act, where
// it speaks of records out of reach.
func (a *App) reachDecision(ctx context.Context, id string) error {
	if !auth.From(ctx).Narrowed() {
		return nil
	}
	_, w, err := a.seesWithin(ctx)
	if err != nil || w.Reach == nil {
		return err
	}
	var decisions []string
	for part := range strings.SplitSeq(id, "+") {
		if row, ok := strings.CutPrefix(part, releasePrefix); ok {
			if err := a.reachQuarantined(ctx, row); err != nil {
				return err
			}
			continue
		}
		if act, ok := strings.CutPrefix(part, revivePrefix); ok {
			in, err := a.Store.ActReached(ctx, w.Reach, act)
			if err != nil {
				return err
			}
			if !in {
				return fmt.Errorf("act %s: %w", act, record.ErrNotFound)
			}
			continue
		}
		decisions = append(decisions, part)
	}
	return a.reachIDs(ctx, "decision", decisions, a.Store.DecisionsReached)
}

// unmasked is what who asks may see of fields, without what they reach: it asks the
// store nothing.
func (a *App) unmasked(ctx context.Context) (s sight) {
	s.masks, _, _ = a.narrowing(auth.From(ctx))
	return s
}

// settable refuses to set a field that is kept from who asks.
func (s sight) settable(entity, field string) error {
	if s.masked(entity, field) != "" {
		return keptField()
	}
	return nil
}

func keptField() error { return web.Refuse("", "this field is kept from you: you cannot set it") }

// rowsReached are the rows of the outbox that who asks reaches.
func (a *App) rowsReached(ctx context.Context, w store.Within, rows []store.Row) ([]store.Row, error) {
	if w.Reach == nil {
		return rows, nil
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	in, err := a.Store.RowsReached(ctx, w.Reach, ids)
	return slices.DeleteFunc(rows, func(r store.Row) bool { return !in[r.ID] }), err
}

// written says whether the value at a target's path may be seen: where a mask
// holds, only what is filled from one field as it is, and that is not masked.
func (s sight) written(t *target, path string) bool {
	if len(s.masks) == 0 {
		return true
	}
	field := t.fieldAt(path)
	return field != "" && s.masked(t.config.Entity, field) == ""
}

// veilEarlier takes away why people decided what is out of reach.
func (a *App) veilEarlier(ctx context.Context, w store.Within, lists ...[]web.EarlierDecision) error {
	if w.Reach == nil {
		return nil
	}
	var ids []string
	for _, list := range lists {
		for _, d := range list {
			ids = append(ids, d.ID)
		}
	}
	in, err := a.Store.DecisionsReached(ctx, w, ids)
	if err != nil {
		return err
	}
	for _, list := range lists {
		for i := range list {
			if d := &list[i]; !in[d.ID] {
				d.Why = ""
			}
		}
	}
	return nil
}
