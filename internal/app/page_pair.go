package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching"
)

// PairPage weighs one pair of source records and shows their fields side by
// side. The id is that of a listed pair.
func (a *App) PairPage(ctx context.Context, id string) (web.Pair, error) {
	p, err := parsePair(id)
	if err != nil {
		return web.Pair{}, err
	}
	if stored, found, err := a.Store.PairOf(ctx, p.A, p.B); err != nil {
		return web.Pair{}, err
	} else if found {
		p = stored
	}
	list, err := a.weighed(ctx, []store.OpenPair{p})
	if err != nil {
		return web.Pair{}, err
	}
	if len(list) == 0 {
		return web.Pair{}, fmt.Errorf("pair %s: %w", id, record.ErrNotFound)
	}
	return list[0], nil
}

func pairID(p store.OpenPair) string {
	return strconv.FormatInt(p.A, 10) + "-" + strconv.FormatInt(p.B, 10)
}

func parsePair(id string) (p store.OpenPair, err error) {
	x, y, _ := strings.Cut(id, "-")
	a, err1 := strconv.ParseInt(x, 10, 64)
	b, err2 := strconv.ParseInt(y, 10, 64)
	if err1 != nil || err2 != nil || a <= 0 || b <= a {
		return p, fmt.Errorf("pair %q: %w", id, record.ErrNotFound)
	}
	return store.OpenPair{A: a, B: b}, nil
}

// weighed takes pairs apart; one whose records are gone meanwhile is left out.
func (a *App) weighed(ctx context.Context, pairs []store.OpenPair) ([]web.Pair, error) {
	var recs, founders []int64
	for _, p := range pairs {
		recs = append(recs, p.A, p.B)
	}
	members, err := a.Store.MembersByRec(ctx, recs)
	if err != nil {
		return nil, err
	}
	for _, rec := range recs {
		founders = append(founders, members[rec].Golden)
	}
	ids, err := a.Store.GoldenIDs(ctx, founders)
	if err != nil {
		return nil, err
	}
	var out []web.Pair
	var sc scale
	for _, p := range pairs {
		x, okX := members[p.A]
		y, okY := members[p.B]
		if !okX || !okY || x.Ref.Entity != y.Ref.Entity || x.Version == 0 || y.Version == 0 {
			continue
		}
		if sc.entity != x.Ref.Entity {
			if sc, err = a.scaleOf(ctx, x.Ref.Entity); err != nil {
				return nil, err
			}
		}
		w, err := a.weighPair(sc, x, y)
		if err != nil {
			return nil, err
		}
		w.ID, w.Bridge = pairID(p), p.Bridge
		w.A.Golden, w.B.Golden = ids[x.Golden], ids[y.Golden]
		out = append(out, w)
	}
	return out, nil
}

// scale is what pairs of one entity type are weighed on.
type scale struct {
	entity string
	see    sight
	model  *matching.Model
	link   int32 // threshold
	shared *store.Shared
}

// scaleOf takes the model that is in force now: another may be put in force
// while a page is made.
func (a *App) scaleOf(ctx context.Context, name string) (s scale, err error) {
	e := a.entityNamed(name)
	if e == nil || e.model.Load() == nil {
		return s, fmt.Errorf("entity type %q is not configured", name)
	}
	s = scale{entity: name, model: e.model.Load()}
	s.link = s.model.Threshold(float64(a.thresholds(name).Link))
	if s.see, err = a.sight(ctx); err != nil {
		return s, err
	}
	s.shared, err = a.Store.Shared(ctx, name, nil)
	return s, err
}

// weighPair compares two source records of one entity type.
func (a *App) weighPair(s scale, x, y store.Member) (p web.Pair, err error) {
	var f [2]*matching.Features
	var fields [2]record.Fields
	for i, m := range [2]store.Member{x, y} {
		if f[i], err = matching.DecodeFeatures(m.Features); err != nil {
			return p, fmt.Errorf("features of %s: %w", m.Ref, err)
		}
		f[i] = f[i].Share(s.shared.Has)
		authored, err := golden.ParseAuthored(m.Authored)
		if err != nil {
			return p, fmt.Errorf("values of %s: %w", m.Ref, err)
		}
		fields[i] = s.see.fields(m.Ref.Entity, authored.Fields())
	}
	side := func(m store.Member, f record.Fields) web.Side {
		return web.Side{Source: a.SourceName(m.Ref.Source), ID: m.Ref.ID, Name: DisplayName(m.Ref.Entity, f), Deleted: !m.Live}
	}
	w := s.model.Weigh(f[0], f[1])
	p = web.Pair{
		Entity: s.entity, A: side(x, fields[0]), B: side(y, fields[1]),
		Bits: float64(w.Total) / 1000, Threshold: float64(s.link) / 1000, Probability: s.model.Probability(w.Total),
	}
	p.Veto, _ = s.model.Veto(f[0], f[1])
	for _, k := range s.model.SharedKeys(f[0], f[1]) {
		p.Shared = append(p.Shared, k.Rule)
	}
	for _, part := range worded(s.model.Explain(f[0], f[1])) {
		p.Evidence = append(p.Evidence, s.see.evidence(s.entity, web.Evidence{Field: part.Field, Level: part.Level, A: part.A, B: part.B, Bits: float64(part.Weight) / 1000}))
	}
	for _, spec := range fieldSpecs(s.entity, fields[0], fields[1]) {
		v, hasA := fields[0][spec]
		u, hasB := fields[1][spec]
		if hasA && !v.Blank() || hasB && !u.Blank() {
			p.Fields = append(p.Fields, web.PairField{Name: spec, A: ShowValue(v), B: ShowValue(u)})
		}
	}
	return p, nil
}

// fieldSpecs names the fields of records in the order people read them; those
// of an entity type of one's own by name.
func fieldSpecs(entity string, records ...record.Fields) (names []string) {
	if specs := record.Specs(entity); specs != nil {
		for _, s := range specs {
			names = append(names, s.Name)
		}
		return names
	}
	all := record.Fields{}
	for _, r := range records {
		for name, v := range r {
			all[name] = v
		}
	}
	return all.Names()
}
