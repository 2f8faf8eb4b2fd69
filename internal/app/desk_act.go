package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// The titles of relations that no kind of their own says.
const (
	oneGroup     = "same group"
	oneHousehold = "household"
)

// pairRecords reads the two records of a pair, by its id.
func (a *App) pairRecords(ctx context.Context, id string) (x [2]store.Member, err error) {
	p, err := parsePair(id)
	if err != nil {
		return x, err
	}
	members, err := a.Store.MembersByRec(ctx, []int64{p.A, p.B})
	if err != nil {
		return x, err
	}
	x = [2]store.Member{members[p.A], members[p.B]}
	if x[0].Rec == 0 || x[1].Rec == 0 {
		return x, fmt.Errorf("pair %s: %w", id, record.ErrNotFound)
	}
	return x, nil
}

// pinRequests turn picked values into pins, each of the record it is from; a
// typed one is of the first. What is wrong with one is a *web.Problem.
func (a *App) pinRequests(ctx context.Context, id string, picks []web.Pick) (out []PinRequest, err error) {
	x, err := a.pairRecords(ctx, id)
	if err != nil {
		return nil, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range picks {
		spec, ok := record.Spec(x[0].Ref.Entity, p.Field)
		if !ok {
			return nil, web.Refuse("pick."+p.Field, "%s has no field %s that could be pinned", wordOf("entity", x[0].Ref.Entity), wordOf("field", p.Field))
		}
		if see.masked(x[0].Ref.Entity, spec.Name) != "" {
			return nil, web.Refuse("pick."+p.Field, "this field is kept from you: you cannot set it")
		}
		if !p.Until.IsZero() && !p.Until.After(a.opts.Env.Clock.Now()) {
			return nil, web.Refuse("until", "the day to pin until has passed already")
		}
		m := x[0]
		if p.Side == "b" {
			m = x[1]
		}
		r := PinRequest{Golden: a.refName(m.Ref), Field: spec.Name, Value: p.Value, Until: p.Until, Ask: true, Seen: p.Seen}
		if p.Side == "" {
			if _, err := a.PreviewPin(ctx, r); err != nil {
				return nil, ofTyped("value."+p.Field, err)
			}
			out = append(out, r)
			continue
		}
		authored, err := golden.ParseAuthored(m.Authored)
		if err != nil {
			return nil, fmt.Errorf("values of %s: %w", m.Ref, err)
		}
		if authored[spec.Name].Value.Blank() {
			return nil, web.Refuse("pick."+p.Field, "%s has no %s", r.Golden, wordOf("field", spec.Name))
		}
		r.Pick, r.Value = r.Golden, ""
		out = append(out, r)
	}
	return out, nil
}

// CheckPicks says what is wrong with values picked for the customer of a pair.
func (a *App) CheckPicks(ctx context.Context, id string, picks []web.Pick) error {
	_, err := a.pinRequests(ctx, id, picks)
	return err
}

// PickValues pins values picked for the customer of a pair. An earlier pin on
// such a field, which the page shows, gives way.
func (a *App) PickValues(ctx context.Context, id string, picks []web.Pick, by web.By) (decisions []string, err error) {
	list, err := a.pinRequests(ctx, id, picks)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		d, err := a.Pin(ctx, r, By{Who: by.Who, Why: by.Why, Over: true})
		if err != nil {
			return decisions, err
		}
		if !d.Existing {
			decisions = append(decisions, d.Decision)
		}
	}
	return decisions, nil
}

// RelatePair states how the customers of a pair, which are two, belong together.
func (a *App) RelatePair(ctx context.Context, id, kind string, by web.By) ([]string, error) {
	x, err := a.pairRecords(ctx, id)
	if err != nil {
		return nil, err
	}
	first, second := a.refName(x[0].Ref), a.refName(x[1].Ref)
	if !slices.Contains(web.PairRelations(x[0].Ref.Entity), kind) {
		return nil, web.Refuse("say", "%q is no relation of two of kind %s", kind, wordOf("entity", x[0].Ref.Entity))
	}
	r := Relate{From: first, To: second}
	switch kind {
	case web.RelateBranchIs, web.RelateParentOf:
		r.From, r.To = second, first
	}
	switch kind {
	case web.RelateBranchOf, web.RelateBranchIs:
		r.Kind = BranchOf
	case web.RelateParent, web.RelateParentOf:
		r.Kind = Parent
	case web.RelateGroup:
		r.Kind, r.Title = Partner, oneGroup
	default:
		r.Kind, r.Title = Partner, oneHousehold
	}
	d, err := a.Relate(ctx, r, By{Who: by.Who, Why: by.Why})
	if err != nil || d.Existing {
		return nil, err
	}
	return []string{d.Decision}, nil
}

// UndoDecisions takes decisions back, the last first, and tries all of them.
func (a *App) UndoDecisions(ctx context.Context, ids []string, by web.By) error {
	var errs []error
	for _, id := range slices.Backward(ids) {
		if _, err := a.Undo(ctx, id, By{Who: by.Who, Why: by.Why}); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// SplitOff takes source records out of a golden record.
func (a *App) SplitOff(ctx context.Context, id string, refs []string, by web.By) (string, error) {
	d, err := a.Split(ctx, refs, id, By{Who: by.Who, Why: by.Why})
	return d.Decision, err
}

// PairEffect says what uniting the customers of a pair would do.
func (a *App) PairEffect(ctx context.Context, id string) (web.ChangePreview, error) {
	x, err := a.pairRecords(ctx, id)
	if err != nil {
		return web.ChangePreview{}, err
	}
	return a.PreviewMerge(ctx, a.refName(x[0].Ref), a.refName(x[1].Ref), By{})
}
