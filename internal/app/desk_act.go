package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching/standardise"
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

// pickedPin is a value to pin on the first or the second record of a pair.
type pickedPin struct {
	rec   int64
	pin   TypedPin
	until time.Time
}

// readPicks reads the values picked with an answer as the pair stands now, before it
// is one customer; a typed one is of the first record, and a number of the country
// that was picked with it. What is wrong with one is a *web.Problem.
func (a *App) readPicks(ctx context.Context, tx *store.DecideTx, l looked, picks []web.Pick) (out []pickedPin, err error) {
	country := ""
	picks = slices.SortedStableFunc(slices.Values(picks), func(x, y web.Pick) int { return strings.Compare(x.Field, y.Field) }) // a country before phones
	for _, p := range picks {
		side := l.s
		if p.Side == "b" {
			side = l.t
		}
		pin, err := a.readPick(ctx, tx, side, p, country)
		if err != nil {
			return nil, err
		}
		if pin.Field == "country" {
			country = standardise.CountryCode(pin.Value.Text)
		}
		out = append(out, pickedPin{side.Rec, pin, p.Until})
	}
	return out, nil
}

func (a *App) readPick(ctx context.Context, tx *store.DecideTx, of store.Subject, p web.Pick, country string) (pin TypedPin, err error) {
	input := "pick." + p.Field
	spec, ok := record.Spec(of.Ref.Entity, p.Field)
	if !ok {
		return pin, web.Refuse(input, "%s has no field %s that could be pinned", wordOf("entity", of.Ref.Entity), wordOf("field", p.Field))
	}
	if a.unmasked(ctx).masked(of.Ref.Entity, spec.Name) != "" {
		return pin, web.Refuse(input, "this field is kept from you: you cannot set it")
	}
	if !p.Until.IsZero() && !p.Until.After(a.opts.Env.Clock.Now()) {
		return pin, web.Refuse("until", "the day to pin until has passed already")
	}
	r := PinRequest{Field: spec.Name, Value: p.Value, Ask: true, Seen: p.Seen, country: country}
	if p.Side == "" {
		input = "value." + p.Field
	} else {
		r.Pick = a.refName(of.Ref)
	}
	pin, err = a.pinned(ctx, tx, of, r)
	return pin, ofTyped(input, err)
}

// pinPicks pins what was read of a pair that is one customer now. An earlier pin on
// such a field of either, which the page shows, gives way.
func (a *App) pinPicks(ctx context.Context, tx *store.DecideTx, l looked, picks []pickedPin, by By) (decisions []string, err error) {
	by.Over = true
	customer := append(l.s.Recs(), l.t.Recs()...)
	for _, p := range picks {
		d, err := a.decideIn(ctx, tx, store.Pinned, by, func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
			return pinOf(ctx, tx, n, p.rec, customer, p.pin, p.until)
		})
		if err != nil {
			return nil, err
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
