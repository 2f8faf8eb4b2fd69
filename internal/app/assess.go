package app

import (
	"context"
	"fmt"
	"slices"

	"touchstone/internal/assess"
	"touchstone/internal/record"
	"touchstone/internal/web"
	"touchstone/rules/profile"
)

// shapesTold is how many shapes of a field a report tells.
const shapesTold = 3

// Assess makes the report on a source of the configuration from what was counted
// last; it counts where nothing has been yet.
func (a *App) Assess(ctx context.Context, source string) (r web.Assessment, err error) {
	s := a.systems[source]
	if s == nil {
		return r, fmt.Errorf("there is no file and no source %q: %w", source, record.ErrNotFound)
	}
	kept, err := a.profiles(ctx)
	if err != nil {
		return r, err
	}
	of := func(p keptProfile) bool { return p.source == s.uid }
	if !slices.ContainsFunc(kept, of) {
		if _, err := a.Measure(ctx); err != nil {
			return r, err
		}
		if kept, err = a.profiles(ctx); err != nil {
			return r, err
		}
	}
	r = web.Assessment{Name: source, Fresh: true}
	var all []measured
	invalid, dirty := 0, 0
	for _, p := range kept {
		if !of(p) {
			continue
		}
		all = append(all, p.measure())
		r.At, r.Entity = p.at, p.entity
		r.Rows += p.Records
		r.Customer.Duplicates += p.Doubles
		for _, f := range p.Fields {
			invalid, dirty = invalid+f.Invalid, dirty+f.Dirty
			c := AssessColumn(f, f.Name)
			if len(s.intakes) > 1 {
				c.Name = p.entity + " · " + f.Name
			}
			r.Columns = append(r.Columns, c)
		}
	}
	r.Score = shownScore(together(all))
	r.Work = AssessWork(r.Customer.Duplicates, 0, invalid, dirty)
	return r, nil
}

// AssessColumn is a counted field as a report tells it.
func AssessColumn(f profile.Field, meaning string) web.AssessColumn {
	return web.AssessColumn{Name: f.Name, Meaning: meaning, Check: string(f.Check), FieldFigures: figures(f), Shapes: counts(f.Shapes[:min(len(f.Shapes), shapesTold)])}
}

// AssessWork lists what is to be done with how long one of each takes.
func AssessWork(duplicates, doubtful, invalid, dirty int) []web.AssessWork {
	return []web.AssessWork{
		{Kind: "duplicates", N: duplicates, Seconds: assess.SecondsDuplicate},
		{Kind: "doubtful", N: doubtful, Seconds: assess.SecondsDoubtful},
		{Kind: "invalid", N: invalid, Seconds: assess.SecondsInvalid},
		{Kind: "dirty", N: dirty, Seconds: assess.SecondsDirty},
	}
}
