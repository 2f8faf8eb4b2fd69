package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/say"
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

// readRelation reads how the customers of a pair belong together: nil where nothing
// is said. What is wrong with it is a *web.Problem.
func (a *App) readRelation(l looked, kind string) (*Relate, error) {
	if kind == "" {
		return nil, nil
	}
	if !slices.Contains(web.PairRelations(l.s.Ref.Entity), kind) {
		return nil, web.Refuse("say", "%q is no relation of two of kind %s", kind, wordOf("entity", l.s.Ref.Entity))
	}
	first, second := a.refName(l.s.Ref), a.refName(l.t.Ref)
	r := &Relate{From: first, To: second}
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
	return r, nil
}

// UndoDecisions takes decisions back as one act, the last first, and tries all of
// them: one that is refused, or out of reach, leaves the others undone.
func (a *App) UndoDecisions(ctx context.Context, ids []string, by web.By) error {
	if by.Who == "" {
		return errNoMaker
	}
	unreached, mends := map[string]error{}, map[string][]int64{}
	for _, id := range ids {
		err := a.reachDecision(ctx, id)
		if err == nil {
			mends[id], err = a.Store.RepairedBy(ctx, id)
		}
		if err != nil && !isRefusal(err) {
			return err
		}
		unreached[id] = err
	}
	var refused error
	var undone []string
	err := a.Store.Decide(ctx, func(tx *store.DecideTx) error {
		refused, undone = nil, nil
		for _, id := range slices.Backward(ids) {
			err := unreached[id]
			if err == nil {
				err = tx.Apart(ctx, func() error {
					d, err := a.decideIn(ctx, tx, store.Undone, By{Who: by.Who, Why: by.Why}, a.undoing(ctx, id))
					if err == nil && !d.Existing {
						undone = append(undone, id)
					}
					return err
				})
			}
			if err != nil && !isRefusal(err) {
				return err
			}
			refused = errors.Join(refused, err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", store.Undone, err)
	}
	if len(undone) == 0 {
		return refused
	}
	a.landed.ring()
	var mended []int64
	for _, id := range undone {
		mended = append(mended, mends[id]...)
	}
	if len(mended) > 0 {
		refused = errors.Join(refused, a.deriveNow(ctx, mended))
	}
	return refused
}

// isRefusal says whether an error says why something cannot be done, and not that
// doing it has failed.
func isRefusal(err error) bool {
	var told say.Teller
	return errors.As(err, &told) || errors.Is(err, record.ErrNotFound)
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
