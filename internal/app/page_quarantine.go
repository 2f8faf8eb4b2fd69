package app

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// quarantineScan is how many rows one page reads at most while it looks for
// those with a rule: reasons are sealed, so the store cannot choose.
const quarantineScan = 2000

// QuarantinePage lists quarantined records.
func (a *App) QuarantinePage(ctx context.Context, f web.QuarantineFilter) (p web.QuarantinePage, err error) {
	f.Limit = max(f.Limit, 1)
	counts, err := a.Store.QuarantineCounts(ctx)
	if err != nil {
		return p, err
	}
	if !slices.Contains(quarantineStates(), f.State) {
		f.State = "open"
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
	after, read := f.After, 0
	for {
		rows, err := a.Store.QuarantineList(ctx, f.State, a.SourceUID(f.Source), after, f.Limit+1)
		if err != nil {
			return p, err
		}
		for _, q := range rows {
			if len(p.Rows) == f.Limit {
				p.Next = after
				return p, nil
			}
			after = q.ID
			if f.Rule == "" || hasRule(q, f.Rule) {
				p.Rows = append(p.Rows, a.quarantineRow(q))
			}
		}
		read += len(rows)
		switch {
		case len(rows) <= f.Limit:
			return p, nil
		case read >= quarantineScan:
			p.Next, p.Partial = after, true
			return p, nil
		}
	}
}

func quarantineStates() []string { return []string{"open", "released", "mended", "superseded"} }

// hasRule says whether a reason is of a rule, or of a field of it: "schema" or
// "schema:website".
func hasRule(q store.Quarantined, rule string) bool {
	rule, field, _ := strings.Cut(rule, ":")
	for _, r := range q.Reasons {
		if r.Rule == rule && (field == "" || r.Field == field) {
			return true
		}
	}
	return false
}

func (a *App) quarantineRow(q store.Quarantined) web.QuarantineRow {
	row := web.QuarantineRow{
		ID: q.ID, Source: a.SourceName(q.Ref.Source), Entity: q.Ref.Entity, Record: q.Ref.ID, Place: q.Place, State: q.State, At: parse(q.At),
		Who: q.Who, Why: q.Why, Version: q.Version,
	}
	for _, r := range q.Reasons {
		row.Reasons = append(row.Reasons, web.Reason{Rule: r.Rule, Field: r.Field, Value: r.Value, Text: r.Text, Remedy: r.Remedy})
	}
	return row
}

// QuarantineRecord is one quarantined record as it came.
func (a *App) QuarantineRecord(ctx context.Context, id string) (web.QuarantineRecord, error) {
	q, err := a.Store.QuarantineShow(ctx, id)
	if err != nil {
		return web.QuarantineRecord{}, err
	}
	out := web.QuarantineRecord{QuarantineRow: a.quarantineRow(q), Raw: string(q.Raw)}
	var b bytes.Buffer
	if json.Indent(&b, q.Raw, "", "  ") == nil {
		out.Raw = b.String()
	}
	return out, nil
}
