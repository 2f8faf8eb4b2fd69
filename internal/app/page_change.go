package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"touchstone/internal/auth"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// mostSplit is how many records of a customer one can choose from on a page.
const mostSplit = 500

// pageDecisions is how many decisions one page lists.
const pageDecisions = 30

// SplitPage is a customer with the records that may leave it.
func (a *App) SplitPage(ctx context.Context, id string) (p web.SplitPage, err error) {
	g, moved, err := a.findGolden(ctx, id)
	if err != nil {
		return p, err
	}
	if err := a.reached(ctx, g.Founder); err != nil {
		return p, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return p, err
	}
	p = web.SplitPage{ID: g.ID, Entity: g.Entity, Moved: moved}
	if p.Name, err = see.name(g); err != nil {
		return p, err
	}
	byGolden, err := a.Store.MembersOf(ctx, []int64{g.Founder})
	if err != nil {
		return p, err
	}
	members := byGolden[g.Founder]
	if len(members) > mostSplit {
		p.More, members = len(members)-mostSplit, members[:mostSplit]
	}
	recs := make([]int64, len(members))
	for i, m := range members {
		recs[i] = m.Rec
	}
	var follows map[int64]store.Follows
	if err := a.Store.Look(ctx, func(tx *store.DecideTx) (err error) {
		follows, err = tx.Follows(ctx, recs)
		return err
	}); err != nil {
		return p, err
	}
	for _, m := range members {
		row, err := a.goldenMember(see, m)
		if err != nil {
			return p, err
		}
		f := follows[m.Rec]
		p.Records = append(p.Records, web.SplitRecord{
			Ref: a.refName(m.Ref), Source: row.Source, ID: row.ID, Name: row.Name, Live: row.Live, Made: f.Made, Fields: row.Fields,
			Events: f.Events, Consents: f.Consents, Relations: f.Relations, Pins: f.Pins,
		})
	}
	return p, nil
}

// ChangePreview says what a change would do, and does nothing. What cannot be
// asked for so is refused in the preview.
func (a *App) ChangePreview(ctx context.Context, c web.CustomerChange) (p web.ChangePreview, err error) {
	by := By{Who: "preview", Over: c.Over}
	switch c.Act {
	case store.Merged:
		p, err = a.PreviewMerge(ctx, c.A, c.B, by)
	case store.Split:
		p, err = a.PreviewSplit(ctx, c.Records, c.From, by)
	default:
		p, err = a.PreviewUndo(ctx, c.Decision, by)
	}
	if err != nil {
		return p, err
	}
	for i := range p.Targets { // not inside the rehearsal: it holds the store's writer
		for _, t := range a.targets {
			if t.config.Name == p.Targets[i].Target {
				if p.Targets[i].Held, err = t.deliverer.Held(ctx); err != nil {
					return p, err
				}
			}
		}
	}
	return p, nil
}

// ChangeCustomers makes a change.
func (a *App) ChangeCustomers(ctx context.Context, c web.CustomerChange, by web.By) (string, bool, error) {
	own := By{Who: by.Who, Why: by.Why, Over: c.Over}
	var d Decided
	var err error
	switch c.Act {
	case store.Merged:
		d, err = a.Merge(ctx, c.A, c.B, own)
	case store.Split:
		d, err = a.Split(ctx, c.Records, c.From, own)
	default:
		d, err = a.Undo(ctx, c.Decision, own)
	}
	return d.Decision, d.Existing, err
}

// DecisionsPage lists what people have decided, newest first; of one customer,
// all that speaks of its records, and what has taken that back.
func (a *App) DecisionsPage(ctx context.Context, q web.DecisionQuery) (p web.DecisionsPage, err error) {
	see, w, err := a.seesWithin(ctx)
	if err != nil {
		return p, err
	}
	var list []store.Decision
	if q.Customer != "" {
		if list, err = a.decisionsOf(ctx, see, w, &p, q.Customer); err != nil {
			return p, err
		}
	} else {
		f := store.DecisionFilter{State: q.State, Kind: q.Kind, Who: q.Who, Newest: true, Limit: pageDecisions, Within: w}
		if f.After, err = seqAfter(q.After); err != nil {
			return p, err
		}
		var next int64
		if list, next, err = a.Store.DecisionsWithin(ctx, f); err != nil {
			return p, err
		}
		if next != 0 {
			p.Next, p.Partial = strconv.FormatInt(next, 10), len(list) < pageDecisions
		}
	}
	p.Rows, _, err = a.decisionRows(ctx, list)
	return p, err
}

// mostOfCustomer bounds what is listed of one customer.
const mostOfCustomer = 200

func (a *App) decisionsOf(ctx context.Context, see sight, w store.Within, p *web.DecisionsPage, customer string) ([]store.Decision, error) {
	g, _, err := a.findGolden(ctx, customer)
	if err != nil {
		return nil, err
	}
	if err := a.reached(ctx, g.Founder); err != nil {
		return nil, err
	}
	p.Customer = g.ID
	if p.Name, err = see.name(g); err != nil {
		return nil, err
	}
	byGolden, err := a.Store.MembersOf(ctx, []int64{g.Founder})
	if err != nil {
		return nil, err
	}
	recs := make([]int64, 0, len(byGolden[g.Founder]))
	for _, m := range byGolden[g.Founder] {
		recs = append(recs, m.Rec)
	}
	list, err := a.Store.DecisionsOn(ctx, recs)
	if err != nil {
		return nil, err
	}
	if w.Reach != nil {
		in, err := a.Store.DecisionsReached(ctx, w, ids(list))
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(list, func(d store.Decision) bool { return !in[d.ID] })
	}
	slices.Reverse(list)
	return list[:min(len(list), mostOfCustomer)], nil
}

// decisionRows shows decisions, with the certificates of each by its id.
func (a *App) decisionRows(ctx context.Context, list []store.Decision) ([]web.DecisionRow, map[string][]store.Certificate, error) {
	shown, err := a.showDecisions(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	weighed, err := a.Store.Certificates(ctx, ids(list))
	if err != nil {
		return nil, nil, err
	}
	out := make([]web.DecisionRow, len(shown))
	for i, d := range shown {
		out[i] = web.DecisionRow{
			ID: d.ID, Kind: d.Kind, State: d.State, Who: d.Who, Why: d.Why, At: parse(d.At), Until: parse(d.Until), Withdrawn: parse(d.Withdrawn),
			WithdrawnBy: d.WithdrawnBy, Withdraws: d.Withdraws, Records: d.Records, More: d.More, Field: d.Field, Value: d.Value, From: d.From,
			Problem: d.Problem, Undoable: d.Withdrawn == "" && d.Kind != store.Expired,
		}
		for _, c := range weighed[d.ID] {
			out[i].Balanced = true
			out[i].Refused = out[i].Refused || c.Refused
		}
	}
	return out, weighed, nil
}

// DecisionPage is one decision with its balance, and the customers that its
// records belong to now.
func (a *App) DecisionPage(ctx context.Context, id string) (p web.DecisionPage, err error) {
	if err := a.reachIDs(ctx, "decision", []string{id}, a.Store.DecisionsReached); err != nil {
		return p, err
	}
	var d store.Decision
	if err := a.Store.Look(ctx, func(tx *store.DecideTx) (err error) {
		d, err = tx.Decision(ctx, id)
		return err
	}); err != nil {
		return p, err
	}
	if d.Seq == 0 {
		return p, fmt.Errorf("decision %q: %w", id, record.ErrNotFound)
	}
	rows, weighed, err := a.decisionRows(ctx, []store.Decision{d})
	if err != nil {
		return p, err
	}
	p.DecisionRow = rows[0]
	kept := auth.From(ctx).Scoped() // others may have been worked out together with it
	for _, c := range weighed[d.ID] {
		x := web.Certificate{At: parse(c.At), Refused: c.Refused, Erased: c.Erased, Kept: kept}
		if !kept {
			x.Moved, x.Lines = c.Moved, a.balanceLines(c.Lines)
		}
		p.Certificates = append(p.Certificates, x)
	}
	var golden []store.Golden
	seen := map[string]bool{}
	for _, name := range p.Records {
		g, _, err := a.findGolden(ctx, name)
		if errors.Is(err, record.ErrNotFound) {
			continue
		}
		if err != nil {
			return p, err
		}
		if !seen[g.ID] {
			seen[g.ID] = true
			golden = append(golden, g)
		}
	}
	p.Customers, err = a.goldenRows(ctx, golden)
	return p, err
}
