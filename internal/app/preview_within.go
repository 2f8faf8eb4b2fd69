package app

import (
	"context"
	"slices"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// veilPreview leaves of a preview what is of customers that who asks reaches. Feeds
// says of each golden id whose records were or are in it, by founder; 0 for a record
// that was in none.
func (a *App) veilPreview(ctx context.Context, w store.Within, p *web.ChangePreview, feeds map[string][]int64) error {
	if w.Reach == nil || p.Existing || p.Refused != "" {
		return nil
	}
	if err := a.feedOthers(ctx, p, feeds); err != nil {
		return err
	}
	var founders []int64
	for _, list := range feeds {
		founders = append(founders, list...)
	}
	slices.Sort(founders)
	in, err := a.Store.Reached(ctx, w.Reach, slices.Compact(founders))
	if err != nil {
		return err
	}
	out := func(f int64) bool { return !in[f] }
	if !slices.ContainsFunc(founders, out) {
		return nil
	}
	theirs := func(id string) bool { return len(feeds[id]) > 0 && !slices.ContainsFunc(feeds[id], out) }
	// Something out of reach was worked out together with it: what is added up counts
	// that too.
	p.Balance, p.Waiting = []web.BalanceLine{}, 0
	shown := len(p.Customers) + len(p.Moves) + p.MoreMoves
	p.Customers = slices.DeleteFunc(p.Customers, func(c web.ChangedCustomer) bool { return !theirs(c.ID) || c.Into != "" && !theirs(c.Into) })
	p.Moves = slices.DeleteFunc(p.Moves, func(m web.RecordMove) bool { return m.From != "" && !theirs(m.From) || !theirs(m.To) })
	p.MoreMoves, p.Notes = 0, nil
	hidden := len(p.Customers)+len(p.Moves) < shown
	for i := range p.Targets {
		t := &p.Targets[i]
		shown := len(t.Writes) + t.More
		t.Writes = slices.DeleteFunc(t.Writes, func(c web.TargetChange) bool { return !theirs(c.Golden) })
		hidden = hidden || len(t.Writes) < shown
		t.Creates, t.Updates, t.None, t.Withdrawn, t.More = 0, 0, 0, 0, 0
		for _, c := range t.Writes {
			if c.Undo == "left" {
				t.Creates++
			} else {
				t.Updates++
			}
		}
	}
	p.Targets = slices.DeleteFunc(p.Targets, func(t web.TargetEffect) bool { return len(t.Writes) == 0 })
	if hidden {
		p.Notes = []web.ChangeNote{{Key: "outside", Bad: true}}
	}
	return nil
}

// feedOthers adds the golden records that are written though nothing of theirs
// changes: they refer to one that does.
func (a *App) feedOthers(ctx context.Context, p *web.ChangePreview, feeds map[string][]int64) error {
	var ids []string
	for _, t := range p.Targets {
		for _, c := range t.Writes {
			if feeds[c.Golden] == nil {
				ids = append(ids, c.Golden)
			}
		}
	}
	founders, err := a.Store.FoundersOf(ctx, ids)
	for _, id := range ids {
		feeds[id] = []int64{founders[id]}
	}
	return err
}
