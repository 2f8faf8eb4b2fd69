package app

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

const (
	// quarantineScan is how many rows one page reads at most while it looks for
	// those with a rule among rows that wait no more: their reasons are sealed.
	quarantineScan = 2000
	// longestSample bounds, in bytes, the record that a fault's best remedy is
	// looked for on: a list shows it as a hint.
	longestSample = 256 << 10
	// shownFaults is how many faults the list begins with.
	shownFaults = 12
)

// QuarantinePage lists quarantined records.
func (a *App) QuarantinePage(ctx context.Context, f web.QuarantineFilter) (p web.QuarantinePage, err error) {
	f.Limit = max(f.Limit, 1)
	if !slices.Contains(quarantineStates(), f.State) {
		f.State = "open"
	}
	see, w, err := a.seesWithin(ctx)
	if err != nil {
		return p, err
	}
	if f.After != "" { // perhaps out of reach: a list goes on behind what was looked at
		switch at, err := a.Store.QuarantinesOf(ctx, []string{f.After}); {
		case err != nil:
			return p, err
		case len(at) == 0: // it would look like the end of the list
			return p, noPlace()
		}
	}
	if err := a.quarantineCounts(ctx, w, f, &p); err != nil {
		return p, err
	}
	q := store.QuarantineQuery{State: f.State, Source: a.SourceUID(f.Source), After: f.After, Limit: f.Limit, Within: w}
	if days, err := strconv.Atoi(f.Age); err == nil && slices.Contains(web.QuarantineAges, f.Age) {
		q.Before = store.TimeText(a.opts.Env.Clock.Now().Add(-time.Duration(days) * 24 * time.Hour))
	}
	if f.State == "open" {
		if err := a.faultsFor(ctx, f, &q, &p); err != nil {
			return p, err
		}
		f.Rule = ""
	}
	for read := 0; ; {
		rows, next, err := a.Store.QuarantinePart(ctx, q)
		if err != nil {
			return p, err
		}
		for _, row := range rows {
			if len(p.Rows) == f.Limit {
				p.Next = q.After
				return p, nil
			}
			q.After = row.ID
			if f.Rule == "" || hasRule(row, f.Rule) {
				p.Rows = append(p.Rows, a.quarantineRow(see, row))
			}
		}
		read += len(rows)
		short := len(p.Rows) < f.Limit
		if q.After = next; next == "" || !short || len(rows) < q.Limit || read >= quarantineScan {
			p.Next, p.Partial = next, short && next != ""
			return p, nil
		}
	}
}

func (a *App) quarantineCounts(ctx context.Context, w store.Within, f web.QuarantineFilter, p *web.QuarantinePage) error {
	if w.Reach != nil { // what is counted is counted of all
		p.Uncounted = true
		for _, s := range quarantineStates() {
			p.States = append(p.States, web.Count{Name: s})
		}
		for _, s := range a.order {
			p.Sources = append(p.Sources, web.Count{Name: s.source.Name})
		}
		return nil
	}
	counts, err := a.Store.QuarantineCounts(ctx)
	if err != nil {
		return err
	}
	byState := map[string]int{}
	for _, states := range counts {
		for state, n := range states {
			byState[state] += n
		}
	}
	for _, s := range quarantineStates() {
		p.States = append(p.States, web.Count{Name: s, N: byState[s]})
	}
	for _, s := range a.order {
		p.Sources = append(p.Sources, web.Count{Name: s.source.Name, N: counts[s.uid][f.State]})
	}
	p.Repairs, p.Overtaken, err = a.Store.RepairCounts(ctx)
	return err
}

// faultsFor narrows the question to the faults that are asked for, and lists the
// most frequent ones.
func (a *App) faultsFor(ctx context.Context, f web.QuarantineFilter, q *store.QuarantineQuery, p *web.QuarantinePage) error {
	groups, err := a.faultsSeen(ctx, q.Within)
	if err != nil {
		return err
	}
	rule, field, _ := strings.Cut(f.Rule, ":")
	var shown []store.FaultGroup
	for _, g := range groups {
		switch {
		case f.Source != "" && g.Source != q.Source:
			continue
		case f.Rule != "" && (g.Rule != rule && rule != "" || field != "" && !ofField(g.Field, field)):
			continue
		case f.Fault != "" && f.Fault != g.Fault:
			continue
		}
		shown = append(shown, g)
	}
	if f.Rule != "" || f.Fault != "" {
		q.Faults = []string{}
		for _, g := range shown {
			q.Faults = append(q.Faults, g.Fault)
		}
	}
	p.More = max(len(shown)-shownFaults, 0)
	if p.Faults, err = a.faultGroups(ctx, shown[:min(len(shown), shownFaults)]); err != nil {
		return err
	}
	if f.Fault != "" && len(p.Faults) == 1 {
		p.Of = &p.Faults[0]
	}
	return nil
}

// ofField says whether a fault's field is the one asked for, or a part of it.
func ofField(have, field string) bool {
	return have == field || strings.HasPrefix(have, "/"+field+"/") || strings.TrimPrefix(have, "/") == field
}

// faultGroups shows groups by their oldest record.
func (a *App) faultGroups(ctx context.Context, groups []store.FaultGroup) ([]web.FaultGroup, error) {
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]web.FaultGroup, 0, len(groups))
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = g.Sample
	}
	samples, err := a.Store.QuarantinesOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		i := slices.IndexFunc(samples, func(q store.Quarantined) bool { return q.ID == g.Sample })
		if i < 0 {
			continue // mended meanwhile
		}
		q := quarantined{Quarantined: samples[i]}
		q.judged.Unreadable = true
		if q.Size <= longestSample {
			if q, err = a.quarantinedRow(ctx, g.Sample); err != nil {
				return nil, err
			}
		}
		x := web.FaultGroup{Fault: g.Fault, Source: a.SourceName(g.Source), Entity: g.Entity, N: g.N, Oldest: parse(g.Oldest), Sample: g.Sample}
		for _, r := range q.Reasons {
			if a.Store.Fault(q.Ref, r) != g.Fault {
				continue
			}
			x.Reason = see.reason(q.Ref.Entity, r)
			if offers := q.offers(r); len(offers) > 0 && !see.placeMasked(q.Ref.Entity, r.Field) {
				x.Best = offers[0].Name
			}
			break
		}
		out = append(out, x)
	}
	return out, nil
}

func quarantineStates() []string { return []string{"open", "released", "mended", "superseded"} }

// hasRule says whether a reason is of a rule, or of a field of it: "schema" or
// "schema:website".
func hasRule(q store.Quarantined, rule string) bool {
	rule, field, _ := strings.Cut(rule, ":")
	for _, r := range q.Reasons {
		if (rule == "" || r.Rule == rule) && (field == "" || ofField(r.Field, field)) {
			return true
		}
	}
	return false
}

func webReason(r record.Reason) web.Reason {
	return web.Reason{Rule: r.Rule, Field: r.Field, Value: r.Value, Text: r.Text, Remedy: r.Remedy}
}

func (a *App) quarantineRow(see sight, q store.Quarantined) web.QuarantineRow {
	row := web.QuarantineRow{
		ID: q.ID, Source: a.SourceName(q.Ref.Source), Entity: q.Ref.Entity, Record: q.Ref.ID, Place: q.Place, State: q.State, At: parse(q.At),
		Who: q.Who, Why: q.Why, Version: q.Version,
	}
	for _, r := range q.Reasons {
		row.Reasons = append(row.Reasons, see.reason(q.Ref.Entity, r))
	}
	return row
}
