package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// Plans lists every target with what waits.
func (a *App) Plans(ctx context.Context) (list []web.PlanSummary, err error) {
	n, err := a.numbers(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range a.targets {
		p, _, err := a.planSummary(ctx, t, n)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// mustTarget is targetNamed where its absence is an error.
func (a *App) mustTarget(name string) (*target, error) {
	if t := a.targetNamed(name); t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("target %q: %w", name, record.ErrNotFound)
}

// planSummary sums a plan up, with the parts that it was counted from.
func (a *App) planSummary(ctx context.Context, t *target, n store.Numbers) (p web.PlanSummary, parts []store.PlanPart, err error) {
	name := t.config.Name
	p = web.PlanSummary{Target: name, System: t.config.System, Entity: t.config.Entity, Brake: float64(t.config.Brake)}
	for _, x := range n.ByTarget {
		if x.Target == name {
			p.Delivered = x.States[store.Delivered]
			p.Failed = x.States[store.Rejected] + x.States[store.Conflicted] + x.States[store.Dead]
		}
	}
	pause, stopped, err := a.Store.Paused(ctx, name)
	if err != nil {
		return p, nil, err
	}
	p.Stopped, p.StoppedBy, p.StoppedWhy = stopped, pause.Who, pause.Why
	if p.Held, err = t.deliverer.Held(ctx); err != nil {
		return p, nil, err
	}
	approval, err := a.Store.Approval(ctx, name, t.plan.Rules)
	if err != nil {
		return p, nil, err
	}
	load, err := a.Store.Load(ctx, name, t.system.uid, t.config.Entity, approval.Upto)
	if err != nil {
		return p, nil, err
	}
	p.First = !approval.Approved && !t.deliverer.Auto
	p.Waiting, p.Behind, p.Objects = load.Waiting, load.Behind, load.Objects
	p.Braked = t.deliverer.Braked(load)
	if parts, err = a.Store.PlanParts(ctx, name); err != nil {
		return p, nil, err
	}
	for _, x := range parts {
		if x.Held {
			p.HeldBack += x.Rows
		}
	}
	if p.LeftOut, err = a.Store.LeftOut(ctx, name); err != nil {
		return p, nil, err
	}
	if p.LastSeq, err = a.Store.LastWaiting(ctx, name); err != nil {
		return p, nil, err
	}
	_, p.Refused, err = a.Store.RefusedRows(ctx, name, 0, 1)
	return p, parts, err
}

// PlanPage is one target's plan with the rows of a part.
func (a *App) PlanPage(ctx context.Context, q web.PlanQuery) (p web.PlanPage, err error) {
	t, err := a.mustTarget(q.Target)
	if err != nil {
		return p, err
	}
	n, err := a.numbers(ctx)
	if err != nil {
		return p, err
	}
	summary, parts, err := a.planSummary(ctx, t, n)
	if err != nil {
		return p, err
	}
	p.PlanSummary = summary
	for _, x := range parts {
		p.Parts = append(p.Parts, web.PlanPart{Op: x.Op, Fields: x.Paths, Rows: x.Rows, Held: x.Held})
		for _, f := range x.Paths {
			i := slices.IndexFunc(p.Fields, func(y web.PlanField) bool { return y.Field == f })
			if i < 0 {
				i, p.Fields = len(p.Fields), append(p.Fields, web.PlanField{Field: f})
			}
			if x.Op == string(record.Update) {
				p.Fields[i].Updates += x.Rows
			} else {
				p.Fields[i].Creates += x.Rows
			}
		}
		if (q.Op == "" || q.Op == x.Op) && (q.Field == "" || slices.Contains(x.Paths, q.Field)) {
			p.Total += x.Rows
		}
	}
	slices.SortStableFunc(p.Fields, func(x, y web.PlanField) int {
		return cmp.Or(cmp.Compare(y.Creates+y.Updates, x.Creates+x.Updates), cmp.Compare(x.Field, y.Field))
	})
	after, err := seqAfter(q.After)
	if err != nil {
		return p, err
	}
	var rows []store.Row
	if q.Refused {
		rows, p.Total, err = a.Store.RefusedRows(ctx, q.Target, after, q.Limit+1)
	} else {
		rows, err = a.Store.PlanRows(ctx, store.PlanFilter{Target: q.Target, Op: q.Op, Path: q.Field}, after, q.Limit+1)
	}
	if err != nil {
		return p, err
	}
	rows, p.Next = pageOf(rows, q.Limit, rowSeq)
	p.Rows, err = a.writeRows(ctx, rows)
	return p, err
}

// ApprovePlan lets a plan be written, or a part of it; the rest is held. What
// touches more than the brake allows has to be confirmed.
func (a *App) ApprovePlan(ctx context.Context, d web.PlanDecision, by web.By) error {
	t, err := a.mustTarget(d.Target)
	if err != nil {
		return err
	}
	last, err := a.Store.LastWaiting(ctx, d.Target)
	switch {
	case err != nil:
		return err
	case last == 0:
		return unclear("nothing waits to be written to %s any more", d.Target)
	case d.Upto <= 0 || d.Upto > last:
		d.Upto = last
	}
	n, err := a.numbers(ctx)
	if err != nil {
		return err
	}
	p, _, err := a.planSummary(ctx, t, n)
	if err != nil {
		return err
	}
	if p.Braked && !d.Brake {
		return web.Refuse("brake", "%d writes touch more than %g%% of the system's %d records: confirm that this is meant", p.Behind, 100*p.Brake, p.Objects)
	}
	if d.Op == "" && d.Field == "" {
		err = a.ApproveUpto(ctx, d.Target, by.Who, by.Why, d.Upto)
	} else {
		_, err = a.Store.ApprovePart(ctx, store.PlanFilter{Target: d.Target, Op: d.Op, Path: d.Field, Upto: d.Upto}, t.plan.Rules, by.Who, by.Why)
	}
	if err == nil {
		t.ask.ring()
	}
	return err
}

// refuseAtOnce bounds how many rows one request refuses: it has to end in time.
const refuseAtOnce = 5000

// RefusePlan drops a part of a plan for good, and says whether more of it is left.
func (a *App) RefusePlan(ctx context.Context, d web.PlanDecision, by web.By) (more bool, err error) {
	if _, err := a.mustTarget(d.Target); err != nil {
		return false, err
	}
	if by.Why == "" {
		return false, web.Refuse("why", "say why: it is kept with what is refused")
	}
	f := store.PlanFilter{Target: d.Target, Op: d.Op, Path: d.Field, Upto: d.Upto}
	n, err := a.Store.RefusePart(ctx, f, by.Who, by.Why, refuseAtOnce)
	return n == refuseAtOnce, err
}

// Unrefuse takes the refusal of a row back.
func (a *App) Unrefuse(ctx context.Context, row string, by web.By) error {
	_, err := a.Store.Unrefuse(ctx, []string{row}, by.Who, by.Why)
	return err
}

// StopTarget stops sending to a target: what is under way ends, and nothing new
// begins.
func (a *App) StopTarget(ctx context.Context, name string, by web.By) error {
	if _, err := a.mustTarget(name); err != nil {
		return err
	}
	return a.Store.PauseTarget(ctx, name, by.Who, by.Why)
}

// GoOnTarget lets a stopped target go on.
func (a *App) GoOnTarget(ctx context.Context, name string, by web.By) error {
	t, err := a.mustTarget(name)
	if err != nil {
		return err
	}
	if err := a.Store.ResumeTarget(ctx, name, by.Who); err != nil {
		return err
	}
	t.ask.ring()
	return nil
}
