package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"touchstone/config"
	"touchstone/internal/auth"
	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/web"
	"touchstone/rules/profile"
)

// Quality is what was counted last of every source, or of who reaches some customers
// alone what is counted of theirs now.
func (a *App) Quality(ctx context.Context) (q web.Quality, err error) {
	if auth.From(ctx).Scoped() {
		return a.qualityWithin(ctx)
	}
	kept, err := a.profiles(ctx)
	if err != nil {
		return q, err
	}
	list := make([]profiled, len(kept))
	for i, p := range kept {
		list[i] = p.profiled
	}
	return a.qualityOf(list, sight{}), nil
}

// qualityOf shows what was counted of sources, without the fields that are masked.
func (a *App) qualityOf(kept []profiled, see sight) (q web.Quality) {
	for _, e := range a.entities {
		x := web.QualityEntity{Entity: e.name}
		var own []string
		for _, p := range kept {
			for _, f := range p.Fields {
				if p.entity == e.name && !slices.Contains(profiledFields(e.name), f.Name) && !slices.Contains(own, f.Name) {
					own = append(own, f.Name)
				}
			}
		}
		slices.Sort(own)
		for _, name := range append(profiledFields(e.name), own...) {
			if profile.Coded(name) && name != "country" && name != "industry" && name != "status" {
				continue // parts of addresses: their whole stands there
			}
			if !see.partMasked(e.name, name) {
				x.Fields = append(x.Fields, name)
			}
		}
		for _, s := range a.order { // in the order of the file
			for _, p := range kept {
				if p.source == s.uid && p.entity == e.name {
					x.Sources = append(x.Sources, a.qualitySource(p, x.Fields))
					if q.At.IsZero() || p.at.Before(q.At) {
						q.At = p.at
					}
				}
			}
		}
		if len(x.Sources) > 0 {
			q.Entities = append(q.Entities, x)
		}
	}
	return q
}

func (a *App) qualitySource(p profiled, fields []string) web.QualitySource {
	m := p.measure()
	out := web.QualitySource{Source: a.SourceName(p.source), At: p.at, Quarantined: p.Quarantined, Doubles: p.Doubles, Score: shownScore(m)}
	for _, name := range fields {
		f := web.FieldFigures{Missing: p.Records}
		if i := slices.IndexFunc(p.Fields, func(f profile.Field) bool { return f.Name == name }); i >= 0 {
			f = figures(p.Fields[i])
		}
		out.Fields = append(out.Fields, f)
	}
	for _, g := range p.Goals {
		out.Goals = append(out.Goals, web.GoalFigures{Name: g.Name, Fields: g.Fields, All: g.All, Records: p.Records})
	}
	if e, ok := a.sourceEntity(p.source, p.entity); ok {
		for _, s := range p.Seen {
			if s.Gone == "" && !slices.Contains(s.Types, "object") && len(mappedTo(e, s.Path)) == 0 {
				out.Unused++
			}
		}
	}
	return out
}

func shownScore(m measured) web.Score {
	return web.Score{Score: m.Score, Completeness: m.Completeness, Validity: m.Validity, Uniqueness: m.Uniqueness, Freshness: m.Freshness, Records: m.Records}
}

func figures(f profile.Field) web.FieldFigures {
	return web.FieldFigures{
		Filled: f.Filled, Missing: f.Missing, Values: f.Values, Valid: f.Valid, Invalid: f.Invalid, Dirty: f.Dirty, Fresh: f.Fresh,
		Distinct: f.Distinct, Checked: f.Check != profile.Any,
	}
}

// profileOf finds what was counted of a source and entity.
func (a *App) profileOf(ctx context.Context, source, entity string) (profiled, error) {
	kept, err := a.profiles(ctx)
	if err != nil {
		return profiled{}, err
	}
	for _, p := range kept {
		if p.source == a.SourceUID(source) && p.entity == entity {
			return p.profiled, nil
		}
	}
	return profiled{}, fmt.Errorf("figures of %s %s: %w", source, entity, record.ErrNotFound)
}

// FieldProfile is what was counted of one field.
func (a *App) FieldProfile(ctx context.Context, source, entity, field string) (p web.FieldProfile, err error) {
	all, err := a.profileOf(ctx, source, entity)
	if err != nil {
		return p, err
	}
	i := slices.IndexFunc(all.Fields, func(f profile.Field) bool { return f.Name == field })
	if i < 0 {
		return p, fmt.Errorf("field %q: %w", field, record.ErrNotFound)
	}
	f := all.Fields[i]
	p = web.FieldProfile{
		Source: source, Entity: entity, Field: field, Check: string(f.Check), At: all.at, Records: all.Records, FieldFigures: figures(f),
		Shortest: f.Shortest, Longest: f.Longest, OtherShapes: f.OtherShapes, OtherNames: f.OtherNames,
		Lengths: counts(f.Lengths), Shapes: counts(f.Shapes), Names: counts(f.Names),
	}
	if field == "addresses.region" {
		p.Provinces = map[string]int{}
		p.Elsewhere = f.OtherNames
		for _, n := range f.Names {
			if code := provinceCode(n.Name); code != "" {
				p.Provinces[code] += n.N
			} else {
				p.Elsewhere += n.N
			}
		}
		if len(p.Provinces) == 0 {
			p.Provinces = nil
		}
	}
	return p, nil
}

func counts(list []profile.Count) (out []web.Count) {
	for _, c := range list {
		out = append(out, web.Count{Name: c.Name, N: c.N})
	}
	return out
}

// fieldScan is how many records one page of a field's records looks through at
// most: what matches is not indexed, and somebody waits.
const fieldScan = 3000

// FieldRecords lists the records behind a figure of a field. The list may be short,
// or empty, and not the end of it.
func (a *App) FieldRecords(ctx context.Context, q web.FieldQuery) (p web.FieldRecords, err error) {
	s := a.systems[q.Source]
	if s == nil || !a.configured(s.uid, q.Entity) {
		return p, fmt.Errorf("records of %s %s: %w", q.Source, q.Entity, record.ErrNotFound)
	}
	after, err := seqAfter(q.After)
	if err != nil {
		return p, err
	}
	if q.Scan == 0 {
		q.Scan = fieldScan
	}
	p.Total = a.figureOf(ctx, q)
	for left := q.Scan; ; {
		n := min(left, profilePage)
		page, err := a.Store.HoldingsPage(ctx, s.uid, q.Entity, after, n)
		if err != nil {
			return p, err
		}
		for _, h := range page {
			authored, err := golden.ParseAuthored(h.Authored)
			if err != nil {
				return p, fmt.Errorf("record %d: %w", h.Rec, err)
			}
			values, schemes := fieldTexts(authored.Fields(), q.Field)
			if hits, behind := figureValues(q, values, schemes); behind {
				if len(p.Rows) == q.Limit {
					p.Next = strconv.FormatInt(after, 10)
					return p, nil
				}
				p.Rows = append(p.Rows, web.FieldRecord{ID: h.ID, Golden: h.Golden, Values: hits})
			}
			after = h.Rec
		}
		left -= len(page)
		switch {
		case len(page) < n:
			return p, nil
		case left == 0:
			p.Next, p.Partial = strconv.FormatInt(after, 10), true
			return p, nil
		}
	}
}

// figureValues gives those of a record's values that a figure counts, and
// whether the record is behind it.
func figureValues(q web.FieldQuery, values, schemes []string) (hits []string, behind bool) {
	if q.Is == "missing" || q.Is == "filled" {
		return values, (len(values) == 0) == (q.Is == "missing")
	}
	for i, v := range values {
		hit := false
		switch q.Is {
		case "invalid":
			scheme := ""
			if i < len(schemes) {
				scheme = schemes[i]
			}
			hit = !profile.CheckOf(q.Field).Passes(v, scheme)
		case "dirty":
			hit = profile.Dirty(v)
		case "shape":
			hit = profile.Shape(v) == q.Value
		case "name":
			hit = profile.Name(v) == q.Value
		case "length":
			hit = profile.Length(v) == q.Value
		}
		if hit {
			hits = append(hits, v)
		}
	}
	return hits, len(hits) > 0
}

// figureOf is the figure itself as it was counted; -1 when it is not one of those
// that are kept.
func (a *App) figureOf(ctx context.Context, q web.FieldQuery) int {
	p, err := a.FieldProfile(ctx, q.Source, q.Entity, q.Field)
	if err != nil {
		return -1
	}
	list := map[string][]web.Count{"shape": p.Shapes, "name": p.Names, "length": p.Lengths}[q.Is]
	for _, c := range list {
		if c.Name == q.Value {
			return c.N
		}
	}
	switch q.Is {
	case "missing":
		return p.Missing
	case "filled":
		return p.Filled
	case "invalid":
		return p.Invalid
	case "dirty":
		return p.Dirty
	}
	return -1
}

// SchemaPage lists the fields of a source's own records.
func (a *App) SchemaPage(ctx context.Context, source string) (p web.SchemaPage, err error) {
	s := a.systems[source]
	if s == nil {
		return p, fmt.Errorf("source %q: %w", source, record.ErrNotFound)
	}
	p.Source = source
	kept, err := a.profiles(ctx)
	if err != nil {
		return p, err
	}
	for _, k := range kept {
		if k.source != s.uid {
			continue
		}
		e := web.SchemaEntity{Entity: k.entity, Sample: k.Sample, At: k.at}
		cfg, _ := a.sourceEntity(k.source, k.entity)
		began := ""
		for _, f := range k.Seen {
			if began == "" || f.First < began {
				began = f.First
			}
		}
		for _, f := range k.Seen {
			e.Fields = append(e.Fields, web.SchemaField{Path: f.Path, Types: f.Types, Filled: f.Filled, MappedTo: mappedTo(cfg, f.Path), First: parse(f.First), Changed: parse(f.Changed), Gone: parse(f.Gone), New: f.First > began})
		}
		p.Entities = append(p.Entities, e)
	}
	return p, nil
}

// Health is the score of the data over the last days.
func (a *App) Health(ctx context.Context, days int) (h web.Health, err error) {
	since := a.opts.Env.Clock.Now().AddDate(0, 0, 1-days)
	list, err := a.healthSince(ctx, since)
	if err != nil {
		return h, err
	}
	at := map[string]int{}
	for _, d := range list {
		if d.source == "" {
			at[d.day] = len(h.Days)
			h.Days = append(h.Days, web.HealthDay{Day: d.day, Score: shownScore(d.measured)})
		}
	}
	if len(h.Days) == 0 {
		return h, nil
	}
	lines := map[[2]string]int{}
	for _, d := range list {
		i, known := at[d.day]
		if d.source == "" || !known || !a.configured(d.source, d.entity) {
			continue
		}
		k := [2]string{d.source, d.entity}
		if _, ok := lines[k]; !ok {
			lines[k] = len(h.Lines)
			l := web.HealthLine{Source: a.SourceName(d.source), Entity: d.entity, Scores: make([]float64, len(h.Days))}
			for i := range l.Scores {
				l.Scores[i] = -1
			}
			h.Lines = append(h.Lines, l)
		}
		l := &h.Lines[lines[k]]
		l.Scores[i], l.Now = d.Score, shownScore(d.measured)
	}
	first, last := h.Days[0], h.Days[len(h.Days)-1]
	h.Change = last.Score.Score - first.Score.Score
	for _, m := range whatMoved(list, first.Day, last.Day) {
		h.Moved = append(h.Moved, web.Moved{Source: a.SourceName(m.source), Entity: m.entity, Part: m.part, Points: m.points})
	}
	return h, nil
}

// sourceEntity is how a source's records of an entity type are read.
func (a *App) sourceEntity(uid, entity string) (config.SourceEntity, bool) {
	for _, s := range a.order {
		for _, e := range s.source.Entities {
			if s.uid == uid && e.Entity == entity {
				return e, true
			}
		}
	}
	return config.SourceEntity{}, false
}
