package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"touchstone/config"
	"touchstone/internal/golden"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// Customers searches golden records. A question that is an id, of a golden
// record or of a source record, answers with that golden record.
func (a *App) Customers(ctx context.Context, q web.CustomerQuery) (p web.CustomerPage, err error) {
	for _, e := range a.entities {
		p.Entities = append(p.Entities, e.name)
	}
	for _, s := range a.order {
		p.Sources = append(p.Sources, s.source.Name)
	}
	see, err := a.sight(ctx)
	if err != nil {
		return p, err
	}
	if p.Direct, err = a.byID(ctx, strings.TrimSpace(q.Text)); err != nil {
		return p, err
	}
	sq := store.SearchQuery{Entity: q.Entity, Several: q.Several, After: q.After, Limit: q.Limit, Reach: see.reach}
	all, named := a.findable(see, q.Entity)
	sq.ByName = !all
	sq.Terms, sq.Name = pipeline.Question(q.Text)
	if q.Source != "" {
		sq.Source = a.SourceUID(q.Source)
	}
	if day, err := time.Parse(time.DateOnly, q.Since); err == nil {
		sq.Since = store.TimeText(day)
	}
	if strings.TrimSpace(q.Text) != "" && (len(sq.Terms) == 0 || !named) {
		return p, nil // only signs, or names are kept back: nothing is found by them
	}
	found, err := a.Store.Search(ctx, sq)
	if err != nil {
		return p, err
	}
	p.Next, p.Total, p.Partial = found.Next, found.Total, found.Partial
	p.List, err = a.goldenRows(ctx, found.List)
	return p, err
}

// byID finds a golden record in reach by its id or one of its source records' ids.
func (a *App) byID(ctx context.Context, text string) (string, error) {
	g, err := a.anyByID(ctx, text)
	if err != nil || g.ID == "" {
		return "", err
	}
	if err := a.reached(ctx, g.Founder); errors.Is(err, record.ErrNotFound) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	return g.ID, nil
}

func (a *App) anyByID(ctx context.Context, text string) (none store.Golden, err error) {
	if text == "" || strings.ContainsAny(text, " \t") || len(text) > 200 {
		return none, nil
	}
	g, _, err := a.findGolden(ctx, text)
	if err == nil || !errors.Is(err, record.ErrNotFound) {
		return g, err
	}
	for _, s := range a.order {
		for _, e := range s.source.Entities {
			g, err := a.Store.GoldenOf(ctx, record.Ref{Source: s.uid, Entity: e.Entity, ID: text})
			if err == nil || !errors.Is(err, record.ErrNotFound) {
				return g, err
			}
		}
	}
	return none, nil
}

// Customer is one golden record with everything about it.
func (a *App) Customer(ctx context.Context, id string) (c web.Customer, err error) {
	g, moved, err := a.findGolden(ctx, id)
	if err != nil {
		return c, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return c, err
	}
	var fields record.Fields
	if err := json.Unmarshal(g.Fields, &fields); err != nil {
		return c, fmt.Errorf("golden record %s: %w", g.ID, err)
	}
	marks := a.oddities(see, g.Entity, fields)
	fields = see.fields(g.Entity, fields)
	c = web.Customer{ID: g.ID, Entity: g.Entity, Moved: moved, Version: g.Version, Changed: parse(g.ChangedAt), Name: DisplayName(g.Entity, fields)}
	if c.Fields, err = a.goldenFields(see, g, fields, marks); err != nil {
		return c, fmt.Errorf("golden record %s: %w", g.ID, err)
	}
	for _, spec := range record.Specs(g.Entity) {
		if see.masked(g.Entity, spec.Name) == config.MaskHide {
			continue
		}
		if c.Of++; fields[spec.Name].Blank() {
			c.Unknown = append(c.Unknown, spec.Name)
			continue
		}
		c.Known++
	}
	if moved {
		c.Former = strings.TrimSpace(id)
	}
	if _, isRef, _ := a.sourceRef(id); !isRef && see.reach == nil {
		if c.Elsewhere, err = a.placesOf(ctx, id, g.Founder); err != nil {
			return c, err
		}
	}
	if c.History, err = a.history(ctx, g.Founder); err != nil {
		return c, err
	}
	rows, err := a.Store.RowsOfFounder(ctx, g.Founder, pageRows)
	if err != nil {
		return c, err
	}
	if c.Writes, err = a.writeRows(ctx, rows); err != nil {
		return c, err
	}
	byGolden, err := a.Store.MembersOf(ctx, []int64{g.Founder})
	if err != nil {
		return c, err
	}
	members := byGolden[g.Founder]
	a.flags(&c, rows, members)
	if len(members) > pageMembers {
		c.MoreMembers = len(members) - pageMembers
		members = members[:pageMembers]
	}
	recs := make([]int64, len(members))
	for i, m := range members {
		recs[i] = m.Rec
	}
	made, err := a.Store.MadeByUs(ctx, recs)
	if err != nil {
		return c, err
	}
	for _, m := range members {
		row, err := a.goldenMember(see, m)
		if err != nil {
			return c, err
		}
		row.Made = made[m.Rec]
		c.Members = append(c.Members, row)
	}
	sc, err := a.scaleOf(ctx, g.Entity)
	if err != nil {
		return c, err
	}
	c.Links, err = a.links(sc, members)
	return c, err
}

func (a *App) goldenFields(see sight, g store.Golden, fields record.Fields, marks map[string][]web.Mark) (out []web.GoldenField, err error) {
	var provenance map[string]golden.Provenance
	if err := json.Unmarshal(g.Provenance, &provenance); err != nil {
		return nil, err
	}
	provenance = see.provenance(g.Entity, provenance)
	for _, name := range fieldSpecs(g.Entity, fields) {
		v, ok := fields[name]
		if !ok {
			continue
		}
		p := provenance[name]
		f := web.GoldenField{Name: name, Value: ShowValue(v), Rule: p.Rule, Since: parse(p.Since), Who: p.Who, Marks: marks[name]}
		for _, from := range p.From {
			for part := range strings.SplitSeq(from, " ") {
				if mark := a.sourceMark(part); !slices.Contains(f.From, mark) {
					f.From = append(f.From, mark)
				}
			}
		}
		for _, l := range p.Losers {
			f.Losers = append(f.Losers, web.Field{Name: name, Value: ShowValue(l.Value), Source: a.sourceMark(l.From)})
		}
		out = append(out, f)
	}
	return out, nil
}

func (a *App) goldenMember(see sight, m store.Member) (web.GoldenMember, error) {
	authored, err := golden.ParseAuthored(m.Authored)
	if err != nil {
		return web.GoldenMember{}, fmt.Errorf("values of %s: %w", m.Ref, err)
	}
	f := see.fields(m.Ref.Entity, authored.Fields())
	row := web.GoldenMember{Ref: a.refName(m.Ref), Source: a.SourceName(m.Ref.Source), ID: m.Ref.ID, Name: DisplayName(m.Ref.Entity, f), Live: m.Live, Version: m.Version}
	for _, name := range fieldSpecs(m.Ref.Entity, f) {
		if v, ok := f[name]; ok && !v.Blank() {
			row.Fields = append(row.Fields, web.Field{Name: name, Value: ShowValue(v)})
		}
	}
	return row, nil
}

// history tells of each version which fields took another origin.
func (a *App) history(ctx context.Context, founder int64) (out []web.GoldenVersion, err error) {
	versions, err := a.Store.GoldenVersions(ctx, founder, store.TimeText(a.opts.Env.Clock.Now()), pageHistory)
	if err != nil {
		return nil, err
	}
	for i, v := range versions {
		row := web.GoldenVersion{Version: v.Version, At: parse(v.At)}
		var now, before map[string]json.RawMessage
		if err := json.Unmarshal([]byte(v.Refs), &now); err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		if i+1 < len(versions) {
			if err := json.Unmarshal([]byte(versions[i+1].Refs), &before); err != nil {
				return nil, fmt.Errorf("history: %w", err)
			}
			for name, ref := range now {
				if string(before[name]) != string(ref) {
					row.Changed = append(row.Changed, name)
				}
			}
			for name := range before {
				if _, still := now[name]; !still {
					row.Changed = append(row.Changed, name)
				}
			}
			slices.Sort(row.Changed)
		}
		out = append(out, row)
	}
	return out, nil
}

// links says why members belong together: for each but the first, the member
// before it that it is most like. The chain of them holds the cluster.
func (a *App) links(sc scale, members []store.Member) ([]web.Pair, error) {
	var out []web.Pair
	for i := 1; i < len(members) && len(out) < pageLinks; i++ {
		var best web.Pair
		for j := range i {
			p, err := a.weighPair(sc, members[j], members[i])
			if err != nil {
				return nil, err
			}
			if j == 0 || p.Bits > best.Bits {
				best = p
				best.ID = pairID(store.OpenPair{A: min(members[j].Rec, members[i].Rec), B: max(members[j].Rec, members[i].Rec)})
			}
		}
		out = append(out, best)
	}
	return out, nil
}

// flags says what to know about a customer before anything else, and names its
// sources.
func (a *App) flags(c *web.Customer, rows []store.Row, members []store.Member) {
	counts := map[string]int{}
	for _, m := range members {
		if name := a.SourceName(m.Ref.Source); !slices.Contains(c.Sources, name) {
			c.Sources = append(c.Sources, name)
		}
		if !m.Live {
			counts["deleted"]++
		}
	}
	for _, f := range c.Fields {
		if f.Rule == "pin" {
			counts["pinned"]++
		}
	}
	settled := map[string]bool{} // of each object only the newest row says how it is
	for _, r := range rows {
		object := r.Target + " " + r.ExternalID
		if settled[object] {
			continue
		}
		settled[object] = true
		switch r.State {
		case store.Conflicted:
			counts["conflict"]++
		case store.Rejected, store.Dead:
			counts["unwritten"]++
		case store.Pending, store.Inflight, store.Unknown:
			counts["pending"]++
		}
	}
	for _, key := range []string{"conflict", "unwritten", "deleted", "pinned", "pending"} {
		if n := counts[key]; n > 0 {
			c.Flags = append(c.Flags, web.Flag{Key: key, N: n})
		}
	}
}
