package app

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"touchstone/internal/golden"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching"
)

// Desk reads one pair with all that a steward decides it on.
func (a *App) Desk(ctx context.Context, id string) (d web.Desk, err error) {
	p, err := parsePair(id)
	if err != nil {
		return d, err
	}
	if stored, found, err := a.Store.PairOf(ctx, p.A, p.B); err != nil {
		return d, err
	} else if found {
		p = stored
	}
	x, err := a.deskPair(ctx, p)
	if err != nil {
		return d, err
	}
	if d.Pair, err = a.weighPair(x.scale, x.side[0], x.side[1]); err != nil {
		return d, err
	}
	d.ID, d.Bridge = id, p.Bridge
	d.A.Golden, d.B.Golden = x.ids[x.side[0].Golden], x.ids[x.side[1].Golden]
	for i, m := range x.side {
		d.Sides[i] = web.DeskSide{Ref: a.refName(m.Ref), Link: a.recordLink(m.Ref), Members: len(x.groups[m.Golden])}
	}
	if err := x.rows(&d); err != nil {
		return d, err
	}
	d.Systems = x.systems()
	return d, x.after(ctx, &d)
}

// deskPair is one pair with the customers that its records belong to.
type deskPair struct {
	a      *App
	scale  scale
	side   [2]store.Member
	ids    map[int64]string         // founder → golden id
	groups map[int64][]store.Member // founder → members
}

func (a *App) deskPair(ctx context.Context, p store.OpenPair) (x deskPair, err error) {
	members, err := a.Store.MembersByRec(ctx, []int64{p.A, p.B})
	if err != nil {
		return x, err
	}
	m, okA := members[p.A]
	n, okB := members[p.B]
	if !okA || !okB || m.Ref.Entity != n.Ref.Entity || m.Version == 0 || n.Version == 0 {
		return x, fmt.Errorf("pair %s: %w", pairID(p), record.ErrNotFound)
	}
	x = deskPair{a: a, side: [2]store.Member{m, n}}
	founders := []int64{m.Golden, n.Golden}
	if x.ids, err = a.Store.GoldenIDs(ctx, founders); err != nil {
		return x, err
	}
	if x.groups, err = a.Store.MembersOf(ctx, founders); err != nil {
		return x, err
	}
	x.scale, err = a.scaleOf(ctx, m.Ref.Entity)
	return x, err
}

// union is every member of the two customers, in the order of their references.
func (x deskPair) union() []store.Member {
	out := slices.Clone(x.groups[x.side[0].Golden])
	if x.side[0].Golden != x.side[1].Golden {
		out = append(out, x.groups[x.side[1].Golden]...)
	}
	slices.SortFunc(out, func(a, b store.Member) int { return a.Ref.Compare(b.Ref) })
	return out
}

func (x deskPair) systems() (names []string) {
	for _, m := range x.union() {
		if name := x.a.SourceName(m.Ref.Source); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// rows sets the fields of the two records side by side, with the evidence that
// compares them.
func (x deskPair) rows(d *web.Desk) error {
	var authored [2]golden.Authored
	var fields [2]record.Fields
	var marks [2]map[string][]web.Mark
	for i, m := range x.side {
		var err error
		if authored[i], err = golden.ParseAuthored(m.Authored); err != nil {
			return fmt.Errorf("values of %s: %w", m.Ref, err)
		}
		whole := authored[i].Fields()
		fields[i], marks[i] = x.scale.see.fields(d.Entity, whole), x.a.oddities(x.scale.see, d.Entity, whole)
		for _, f := range authored[i] {
			if t := parse(f.Since); t.After(d.Sides[i].Changed) {
				d.Sides[i].Changed = t
			}
		}
	}
	for _, name := range fieldSpecs(d.Entity, fields[0], fields[1]) {
		v, u := authored[0][name], authored[1][name]
		v.Value, u.Value = fields[0][name], fields[1][name]
		if v.Value.Blank() && u.Value.Blank() {
			continue
		}
		d.Rows = append(d.Rows, web.DeskRow{
			Name: name, A: showEntries(v.Value), B: showEntries(u.Value),
			SinceA: sinceOf(v), SinceB: sinceOf(u), MarksA: marks[0][name], MarksB: marks[1][name],
		})
	}
	placeEvidence(d)
	var f [2]*matching.Features
	for i, m := range x.side {
		var err error
		if f[i], err = matching.DecodeFeatures(m.Features); err != nil {
			return fmt.Errorf("features of %s: %w", m.Ref, err)
		}
		f[i] = f[i].Share(x.scale.shared.Has)
	}
	for _, flip := range x.scale.model.Flips(f[0], f[1], x.scale.link) {
		d.Flips = append(d.Flips, web.Flip{Field: flip.Field, From: flip.From, To: flip.To, Bits: bits(flip.Weight)})
	}
	return nil
}

func sinceOf(f golden.Field) time.Time {
	if f.Value.Blank() {
		return time.Time{}
	}
	return parse(f.Since)
}

// showEntries shows a value entry by entry.
func showEntries(v record.Value) []string {
	if v.Blank() {
		return nil
	}
	if v.Kind != record.List {
		return []string{v.Text}
	}
	out := make([]string, len(v.Points))
	for i, p := range v.Points {
		out[i] = showPoint(p)
	}
	return out
}

// placeEvidence puts each part of the weight beside the field it compares: the
// first of its fields that either record has.
func placeEvidence(d *web.Desk) {
	for _, e := range d.Evidence {
		if e.Field == "prior" {
			d.Prior += e.Bits
			continue
		}
		at := -1
		for _, name := range comparedIn(d.Entity, e.Field) {
			if at = slices.IndexFunc(d.Rows, func(r web.DeskRow) bool { return r.Name == name }); at >= 0 {
				break
			}
		}
		if at < 0 {
			d.Other = append(d.Other, e)
			continue
		}
		d.Rows[at].Evidence = append(d.Rows[at].Evidence, e)
	}
}

// comparedIn names the fields whose values a comparison of the match model
// reads, the first choice first. Of an entity type of one's own it is the field.
func comparedIn(entity, compared string) []string {
	if record.Specs(entity) == nil {
		return []string{compared}
	}
	switch compared {
	case "name", "trade", "branch", "name place", "legal form":
		return []string{"name", "legal_name", "aliases"}
	case "web":
		return []string{"website", "emails"}
	case "family name":
		return []string{"family_name", "full_name"}
	case "given name", "middle name", "name order":
		return []string{"given_name", "full_name", "family_name"}
	case "birth date":
		return []string{"birth_date"}
	case "country":
		return []string{"country", "addresses"}
	}
	if spec, ok := record.Spec(entity, compared); ok {
		return []string{spec.Name}
	}
	return []string{compared}
}

// recordLink is the address of a record in its system, of the source's link
// with the record's id in it; "" where the configuration says none.
func (a *App) recordLink(ref record.Ref) string {
	s := a.systems[a.SourceName(ref.Source)]
	if s == nil {
		return ""
	}
	for _, e := range s.source.Entities {
		if e.Entity == ref.Entity && e.Link != "" {
			return strings.ReplaceAll(e.Link, "{id}", url.PathEscape(ref.ID))
		}
	}
	return ""
}

// mostAfter bounds the members of a customer that is made on trial.
const mostAfter = 1000

// after makes the customer that the pair would be, by the same function and
// policy as the resolver's, and says whose value each field would have.
func (x deskPair) after(ctx context.Context, d *web.Desk) error {
	union := x.union()
	d.After.Members = len(union)
	if len(union) > mostAfter {
		return nil
	}
	rec, err := x.build(ctx, union)
	if err != nil {
		return err
	}
	rec.Fields = x.scale.see.fields(d.Entity, rec.Fields)
	d.After.Name = DisplayName(d.Entity, rec.Fields)
	for _, name := range fieldSpecs(d.Entity, rec.Fields) {
		v, ok := rec.Fields[name]
		if !ok || v.Blank() {
			continue
		}
		p := rec.Provenance[name]
		d.After.Fields = append(d.After.Fields, web.AfterField{Name: name, Value: ShowValue(v), Rule: p.Rule})
		for i := range d.Rows {
			if d.Rows[i].Name == name {
				d.Rows[i].Wins = x.wins(p)
			}
		}
	}
	return nil
}

// build makes the golden record of members, with the pins and the decisions on
// values that are in force.
func (x deskPair) build(ctx context.Context, union []store.Member) (rec golden.Record, err error) {
	members, recs := make([]golden.Member, len(union)), make([]int64, len(union))
	for i, m := range union {
		authored, err := golden.ParseAuthored(m.Authored)
		if err != nil {
			return rec, fmt.Errorf("values of %s: %w", m.Ref, err)
		}
		members[i], recs[i] = golden.Member{Ref: m.Ref, Live: m.Live, Authored: authored}, m.Rec
	}
	rulings, err := x.a.Store.RulingsOn(ctx, recs)
	if err != nil {
		return rec, err
	}
	var pins []golden.Pin
	for _, r := range rulings {
		if r.Kind != store.Pinned {
			continue
		}
		pin, err := pipeline.PinOf(r)
		if err != nil {
			return rec, err
		}
		pins = append(pins, pin)
	}
	maps, err := x.a.Store.ValueMaps(ctx, x.scale.entity)
	if err != nil {
		return rec, err
	}
	policy := x.a.entityNamed(x.scale.entity).resolver.Policy
	policy.Values = pipeline.Values(maps)
	return golden.Build(members, pins, policy), nil
}

// wins says whose value the united customer has in a field.
func (x deskPair) wins(p golden.Provenance) string {
	if p.Pin != "" {
		return "pin"
	}
	var has [2]bool
	for _, from := range p.From {
		for part := range strings.SplitSeq(from, " ") {
			for i, m := range x.side {
				has[i] = has[i] || part == m.Ref.Word()
			}
		}
	}
	switch has {
	case [2]bool{true, true}:
		return "both"
	case [2]bool{true, false}:
		return "a"
	case [2]bool{false, true}:
		return "b"
	}
	return "other"
}
