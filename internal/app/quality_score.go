package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"touchstone/internal/store"
	"touchstone/rules/profile"
)

// measured is how good the data of a source and entity is; shares from 0 to 1.
type measured struct {
	Score        float64 `json:"score"` // 0 to 100
	Completeness float64 `json:"completeness"`
	Validity     float64 `json:"validity"`
	Freshness    float64 `json:"freshness"`
	Uniqueness   float64 `json:"uniqueness"`
	Records      int     `json:"records"`
}

// Weights of the four in a score. Completeness by goals and validity decide
// whether a record can be used at all; freshness is only a sign.
const (
	weighComplete = 0.4
	weighValid    = 0.3
	weighUnique   = 0.2
	weighFresh    = 0.1
)

// measure makes the score of what was counted.
func (p profiled) measure() measured {
	m := measured{Completeness: 1, Validity: 1, Freshness: 1, Uniqueness: 1, Records: p.Records}
	filled, needs := 0, 0
	for _, g := range p.Goals {
		filled, needs = filled+g.Filled, needs+len(g.Fields)*p.Records
	}
	if needs > 0 {
		m.Completeness = float64(filled) / float64(needs)
	}
	valid, values := 0, 0
	for _, f := range p.Fields {
		if f.Check != profile.Any {
			valid, values = valid+f.Valid, values+f.Values
		}
	}
	if values > 0 {
		m.Validity = float64(valid) / float64(values)
	}
	if all := p.Records + p.Quarantined; all > 0 {
		m.Validity *= float64(p.Records) / float64(all)
	}
	if p.Records > 0 {
		m.Freshness = float64(p.Fresh) / float64(p.Records)
	}
	if p.Live > 0 {
		m.Uniqueness = 1 - float64(p.Doubles)/float64(p.Live)
	}
	m.score()
	return m
}

func (m *measured) score() {
	m.Score = 100 * (weighComplete*m.Completeness + weighValid*m.Validity + weighUnique*m.Uniqueness + weighFresh*m.Freshness)
}

// together is the mean of several, weighed by their records.
func together(list []measured) measured {
	var t measured
	for _, m := range list {
		n := float64(m.Records)
		t.Records += m.Records
		t.Completeness += n * m.Completeness
		t.Validity += n * m.Validity
		t.Freshness += n * m.Freshness
		t.Uniqueness += n * m.Uniqueness
	}
	if t.Records == 0 {
		return measured{}
	}
	n := float64(t.Records)
	t.Completeness, t.Validity, t.Freshness, t.Uniqueness = t.Completeness/n, t.Validity/n, t.Freshness/n, t.Uniqueness/n
	t.score()
	return t
}

// healthKept is how long the health of a day is kept.
const healthKept = 400 * 24 * time.Hour

// saveHealth keeps the health of today, of each source and of all.
func (a *App) saveHealth(ctx context.Context, list []profiled, now time.Time) error {
	day, at := now.UTC().Format(time.DateOnly), store.TimeText(now)
	var rows []store.Health
	var all []measured
	add := func(source, entity string, m measured) error {
		body, err := json.Marshal(m)
		rows = append(rows, store.Health{Day: day, Source: source, Entity: entity, At: at, Body: string(body)})
		return err
	}
	for _, p := range list {
		if p.Records == 0 {
			continue
		}
		m := p.measure()
		all = append(all, m)
		if err := add(p.source, p.entity, m); err != nil {
			return err
		}
	}
	if len(all) == 0 {
		return nil
	}
	if err := add("", "", together(all)); err != nil {
		return err
	}
	return a.Store.SaveHealth(ctx, rows, now.Add(-healthKept).UTC().Format(time.DateOnly))
}

// dayHealth is the health of a source and entity on a day; "" for all.
type dayHealth struct {
	day, source, entity string
	measured
}

func (a *App) healthSince(ctx context.Context, since time.Time) (list []dayHealth, err error) {
	rows, err := a.Store.HealthSince(ctx, since.UTC().Format(time.DateOnly))
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		d := dayHealth{day: r.Day, source: r.Source, entity: r.Entity}
		if err := json.Unmarshal([]byte(r.Body), &d.measured); err != nil {
			return nil, fmt.Errorf("health of %s on %s: %w", r.Source, r.Day, err)
		}
		list = append(list, d)
	}
	return list, nil
}

// moved is one reason for a change of the score of all, in points.
type moved struct {
	source, entity, part string // completeness, validity, freshness, uniqueness, records
	points               float64
}

// whatMoved explains the score of all between two days by sources and parts, the
// strongest first: what each part of each source, weighed by its records of
// today, added to the difference. What only comes from other shares of records
// is a part of its own.
func whatMoved(list []dayHealth, from, to string) (out []moved) {
	at := func(day, source, entity string) (measured, bool) {
		i := slices.IndexFunc(list, func(d dayHealth) bool { return d.day == day && d.source == source && d.entity == entity })
		if i < 0 {
			return measured{}, false
		}
		return list[i].measured, true
	}
	before, ok1 := at(from, "", "")
	now, ok2 := at(to, "", "")
	if !ok1 || !ok2 || now.Records == 0 {
		return nil
	}
	left := now.Score - before.Score
	for _, d := range list {
		if d.day != to || d.source == "" {
			continue
		}
		was, ok := at(from, d.source, d.entity)
		if !ok {
			continue
		}
		share := 100 * float64(d.Records) / float64(now.Records)
		for _, p := range []struct {
			name          string
			was, is, much float64
		}{
			{"completeness", was.Completeness, d.Completeness, weighComplete},
			{"validity", was.Validity, d.Validity, weighValid},
			{"uniqueness", was.Uniqueness, d.Uniqueness, weighUnique},
			{"freshness", was.Freshness, d.Freshness, weighFresh},
		} {
			points := share * p.much * (p.is - p.was)
			left -= points
			if math.Abs(points) >= 0.05 {
				out = append(out, moved{d.source, d.entity, p.name, points})
			}
		}
	}
	if math.Abs(left) >= 0.05 {
		out = append(out, moved{part: "records", points: left})
	}
	slices.SortStableFunc(out, func(x, y moved) int { return cmp.Compare(math.Abs(y.points), math.Abs(x.points)) })
	return out
}
