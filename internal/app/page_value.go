package app

import (
	"context"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

const (
	// valuesListed is how many values of a field a page lists, valuesFrom how many
	// of one decision.
	valuesListed = 200
	valuesFrom   = 10
	missedListed = 50
)

// ValueMaps lists the decisions on values of an entity type, and the values of a
// field as they count now, with how many records have them.
func (a *App) ValueMaps(ctx context.Context, q web.ValueQuery) (p web.ValuePage, err error) {
	for _, e := range a.entities {
		if record.Specs(e.name) != nil {
			p.Entities = append(p.Entities, e.name)
		}
	}
	if q.Entity == "" && len(p.Entities) > 0 {
		q.Entity = p.Entities[0]
	}
	if q.Field == "" {
		q.Field = firstMapped(q.Entity)
	}
	if _, err := mapField(q.Entity, q.Field); err != nil {
		return p, err
	}
	p.ValueQuery = q
	for _, s := range record.Specs(q.Entity) {
		if s.Kind == record.Text || s.Kind == record.List {
			p.Fields = append(p.Fields, s.Name)
			for _, part := range s.Parts {
				p.Fields = append(p.Fields, s.Name+"."+part)
			}
		}
	}
	maps, err := a.Store.ValueMaps(ctx, q.Entity)
	if err != nil {
		return p, err
	}
	if err := a.fillMaps(ctx, maps, &p); err != nil {
		return p, err
	}
	if err := a.fillValues(ctx, maps, &p); err != nil {
		return p, err
	}
	missed, all, err := a.Store.Misses(ctx, missedListed)
	for _, m := range missed {
		p.Missed = append(p.Missed, web.ValueMissed{Table: m.Table, Value: m.Value, Count: m.Count})
	}
	p.AllMissed = all
	return p, err
}

// firstMapped is the field that a page opens with: one that names kinds.
func firstMapped(entity string) string {
	if entity == record.Company {
		return "industry"
	}
	return "title"
}

// fillMaps tells who decided what, the newest first.
func (a *App) fillMaps(ctx context.Context, maps []store.ValueMap, p *web.ValuePage) error {
	ids := make([]string, len(maps))
	for i, m := range maps {
		ids[i] = m.Decision
	}
	made, err := a.Store.DecisionsByID(ctx, ids)
	if err != nil {
		return err
	}
	for _, m := range maps {
		row := web.ValueMapRow{Decision: m.Decision, Field: m.Field, To: m.Pairs[0][1]}
		if d, ok := made[m.Decision]; ok {
			row.Who, row.Why, row.At = d.Who, d.Why, parse(d.At)
		}
		for i, pair := range m.Pairs {
			if i < valuesFrom {
				row.From = append(row.From, pair[0])
			}
			row.Several = row.Several || pair[1] != row.To
		}
		row.More = max(len(m.Pairs)-valuesFrom, 0)
		p.Maps = append(p.Maps, row)
	}
	slices.Reverse(p.Maps)
	return nil
}

// fillValues gives the values of the field as they count now, or as they were
// counted last.
func (a *App) fillValues(ctx context.Context, maps []store.ValueMap, p *web.ValuePage) error {
	c, state, err := a.valuesNow(ctx, p.Entity, p.Field, maps)
	if err != nil {
		return err
	}
	target := map[string]bool{}
	for _, m := range maps {
		if m.Field == p.Field {
			for _, pair := range m.Pairs {
				target[pair[1]] = true
			}
		}
	}
	p.ValueState, p.Distinct, p.More, p.Records = state, c.Distinct, c.Left > 0, c.Records
	p.Values = c.Values[:min(len(c.Values), valuesListed)]
	for i := range p.Values {
		p.Values[i].Target = target[p.Values[i].Value]
	}
	return nil
}

// PreviewValue says how many records have a value that is to count as another
// one: now, or when they were counted last. It changes nothing.
func (a *App) PreviewValue(ctx context.Context, q web.ValueQuery) (p web.ValuePreview, err error) {
	m, err := newMap(mapRequest(q))
	if err != nil {
		return p, err
	}
	p.ValueQuery = q
	stored, err := a.Store.ValueMaps(ctx, q.Entity)
	if err != nil {
		return p, err
	}
	c, state, err := a.valuesNow(ctx, q.Entity, q.Field, stored)
	if err != nil {
		return p, err
	}
	p.ValueState = state
	p.Records, p.AtMost = c.has(m.Pairs[0][0])
	return p, nil
}

func mapRequest(q web.ValueQuery) MapRequest {
	return MapRequest{Entity: q.Entity, Field: q.Field, Pairs: [][2]string{{q.From, q.To}}}
}

// MapValue decides that a value of a field counts as another one. Which records
// have it is found when the decision takes effect.
func (a *App) MapValue(ctx context.Context, q web.ValueQuery, by web.By) (string, error) {
	m, err := newMap(mapRequest(q))
	if err != nil {
		return "", err
	}
	d, err := a.decideMap(ctx, m, By{Who: by.Who, Why: by.Why})
	return d.Decision, err
}
