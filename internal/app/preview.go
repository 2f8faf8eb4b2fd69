package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/pipeline"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// PreviewMerge says what Merge would do. Nothing is written.
func (a *App) PreviewMerge(ctx context.Context, x, y string, by By) (web.ChangePreview, error) {
	return a.preview(ctx, store.Merged, by, a.merging(ctx, x, y))
}

// PreviewSplit says what Split would do. Nothing is written.
func (a *App) PreviewSplit(ctx context.Context, records []string, from string, by By) (web.ChangePreview, error) {
	return a.preview(ctx, store.Split, by, a.splitting(ctx, records, from))
}

// PreviewUndo says what Undo would do. Nothing is written.
func (a *App) PreviewUndo(ctx context.Context, decision string, by By) (web.ChangePreview, error) {
	by.Over = false
	if err := a.reachDecision(ctx, decision); err != nil {
		return web.ChangePreview{}, err
	}
	p, err := a.preview(ctx, store.Undone, by, a.undoing(ctx, decision))
	if err != nil || p.Existing || p.Refused != "" {
		return p, err
	}
	if p.Later, err = a.laterMerges(ctx, decision); err != nil {
		return p, err
	}
	_, w, err := a.seesWithin(ctx)
	if err != nil {
		return p, err
	}
	return p, a.veilEarlier(ctx, w, p.Later)
}

// preview makes a decision, and links and plans what follows from it, in a
// transaction that is rolled back: what is shown is what the same code would
// keep. Records that wait with news of their own are counted, not worked in.
func (a *App) preview(ctx context.Context, kind string, by By, plan making) (p web.ChangePreview, err error) {
	p = web.ChangePreview{Act: kind, Customers: []web.ChangedCustomer{}, Moves: []web.RecordMove{}, Targets: []web.TargetEffect{}, Balance: []web.BalanceLine{}}
	by.Who = cmp.Or(by.Who, "preview")
	resolvers, err := a.rehearsing(ctx)
	if err != nil {
		return p, err
	}
	see, w, err := a.seesWithin(ctx)
	if err != nil {
		return p, err
	}
	feeds := map[string][]int64{} // golden id → golden records whose records were or are in it, by founder
	err = a.Store.Rehearse(ctx, func(tx *store.DecideTx, link *store.LinkTx) error {
		r := &rehearsal{a: a, tx: tx, link: link, resolvers: resolvers, effect: pipeline.NewEffect(), see: see, feeds: feeds}
		if r.from, err = tx.Mark(ctx); err != nil {
			return err
		}
		made, err := a.decideIn(ctx, tx, kind, by, plan)
		if err != nil {
			return err
		}
		if made.Existing {
			p.Existing, p.Decision = true, made.Decision
			return nil
		}
		for _, id := range made.Withdrew {
			d, err := tx.Decision(ctx, id)
			if err != nil {
				return err
			}
			p.Over = append(p.Over, earlierOf(d))
		}
		if err := r.run(ctx); err != nil {
			return err
		}
		return r.show(ctx, &p)
	})
	if p, err = a.refusedPreview(p, err); err != nil {
		return p, err
	}
	if err := a.veilPreview(ctx, w, &p, feeds); err != nil {
		return p, err
	}
	return p, a.veilEarlier(ctx, w, p.Over, p.Earlier)
}

// refusedPreview makes a preview of what refuses a decision.
func (a *App) refusedPreview(p web.ChangePreview, err error) (web.ChangePreview, error) {
	var against *store.Contradiction
	var impossible *store.Impossible
	var unclear *Unclear
	var imbalance *store.Imbalance
	switch {
	case errors.As(err, &against):
		p.Refused, p.RefusedSaid = against.Error(), against.Told()
		for _, d := range against.Earlier {
			p.Earlier = append(p.Earlier, earlierOf(d))
		}
	case errors.As(err, &impossible):
		p.Refused, p.RefusedSaid = impossible.Error(), impossible.Told()
	case errors.As(err, &unclear):
		p.Refused, p.RefusedSaid = unclear.Error(), unclear.Told()
	case errors.As(err, &imbalance):
		p.RefusedSaid = imbalance.Said(a.SourceName)
		p.Refused = p.RefusedSaid.String()
		p.Balance = a.balanceLines(imbalance.Sheet.Lines)
	case err != nil:
		return p, fmt.Errorf("preview %s: %w", p.Act, err)
	}
	return p, nil
}

func earlierOf(d store.Decision) web.EarlierDecision {
	return web.EarlierDecision{ID: d.ID, Kind: d.Kind, Who: d.Who, At: d.At, Why: d.Why}
}

// laterMerges lists the merges in force that were made after a decision and
// speak of records that it speaks of. They stay in force: each holds with the
// record that was named in it.
func (a *App) laterMerges(ctx context.Context, decision string) (out []web.EarlierDecision, err error) {
	err = a.Store.Look(ctx, func(tx *store.DecideTx) error {
		d, err := tx.Decision(ctx, decision)
		if err != nil || d.Kind != store.Merged && d.Kind != store.Imported {
			return err
		}
		pairs, err := tx.Said(ctx, decision)
		if err != nil {
			return err
		}
		var recs []int64
		for _, p := range pairs {
			recs = append(recs, p.A, p.B)
		}
		slices.Sort(recs)
		list, err := tx.MergesOn(ctx, slices.Compact(recs), d.Seq)
		for _, l := range list {
			out = append(out, earlierOf(l))
		}
		return err
	})
	return out, err
}

// rehearsing makes resolvers of this caller's own: those of the app are at work.
func (a *App) rehearsing(ctx context.Context) ([]*pipeline.Resolver, error) {
	var out []*pipeline.Resolver
	for _, e := range a.entities {
		if e.resolver == nil {
			continue
		}
		m, generation, err := a.model(ctx, e.name)
		if err != nil {
			return nil, err
		}
		match, err := a.matchOf(ctx, e, generation)
		if err != nil {
			return nil, err
		}
		own := &pipeline.Resolver{
			Store: a.Store, Log: a.Log, Entity: e.name, Model: m, Generation: generation, Link: m.Threshold(float64(match.Link)), Review: m.Threshold(float64(match.Review)),
			Policy: e.resolver.Policy, Cap: m.KeyCap, Names: m.SharedNames, Batch: e.resolver.Batch, Referred: e.resolver.Referred,
		}
		own.Differ = e.quiet()
		out = append(out, own)
	}
	return out, nil
}

// rehearsal is one preview at work.
type rehearsal struct {
	a         *App
	tx        *store.DecideTx
	link      *store.LinkTx
	resolvers []*pipeline.Resolver
	effect    *pipeline.Effect
	see       sight              // of who asks
	feeds     map[string][]int64 // see preview
	from      int64              // what is younger than this fact number is the preview's
}

// mostTurns bounds how often what refers to changed customers is planned anew.
const mostTurns = 10

// run links what the decision touches, and what that touches in turn, as the
// resolver would.
func (r *rehearsal) run(ctx context.Context) error {
	for range mostTurns {
		worked := false
		for _, own := range r.resolvers {
			list, err := r.link.BacklogBehind(ctx, own.Entity, r.from)
			if err != nil {
				return err
			}
			for part := range slices.Chunk(list, max(own.Batch, 1)) {
				recs := make([]int64, len(part))
				for i, t := range part {
					recs[i] = t.Rec
				}
				if err := own.Again(ctx, r.link, recs, r.effect); err != nil {
					return err
				}
				worked = true
			}
		}
		if !worked {
			return nil
		}
	}
	return nil
}
