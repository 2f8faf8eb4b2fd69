package app

import (
	"context"
	"maps"
	"slices"
	"strings"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// seenName is what a golden record is called for who asks.
func (a *App) seenName(ctx context.Context, g store.Golden) (string, error) {
	see, err := a.sight(ctx)
	if err != nil {
		return "", err
	}
	return see.name(g)
}

// golden masks a golden record as it is stored.
func (s sight) golden(g *store.Golden) error {
	if len(s.masks) == 0 {
		return nil
	}
	parts, err := partsOf(*g)
	if err != nil {
		return err
	}
	g.Fields = s.fields(g.Entity, parts.fields).AppendJSON(nil)
	text, err := marshal(s.provenance(g.Entity, parts.provenance))
	g.Provenance = []byte(text)
	return err
}

// evidence masks what two records say, where it is of a masked field.
func (s sight) evidence(entity string, e web.Evidence) web.Evidence {
	for _, field := range comparedIn(entity, e.Field) {
		if s.masked(entity, field) != "" {
			e.A, e.B = "", ""
		}
	}
	return e
}

// refsReached says which source records belong to customers that are reached.
func (a *App) refsReached(ctx context.Context, see sight, refs []record.Ref) (map[record.Ref]bool, error) {
	out := make(map[record.Ref]bool, len(refs))
	if see.reach == nil {
		for _, r := range refs {
			out[r] = true
		}
		return out, nil
	}
	rows, err := a.crosswalkReached(ctx, see, refs)
	for _, r := range rows {
		out[r.Ref] = true
	}
	return out, err
}

// crosswalkReached gives the golden ids of source records whose customers are
// reached.
func (a *App) crosswalkReached(ctx context.Context, see sight, refs []record.Ref) ([]store.CrosswalkRow, error) {
	rows, err := a.Store.CrosswalkOf(ctx, refs)
	if err != nil || see.reach == nil {
		return rows, err
	}
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.Golden
	}
	founders, err := a.Store.FoundersOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	in, err := a.Store.Reached(ctx, see.reach, slices.Collect(maps.Values(founders)))
	return slices.DeleteFunc(rows, func(r store.CrosswalkRow) bool { return !in[founders[r.Golden]] }), err
}

// veilEnds takes away what relations say of customers out of reach. What has not
// landed is nobody's yet, and out of reach too.
func (a *App) veilEnds(ctx context.Context, list []Relation) error {
	see, err := a.sight(ctx)
	if err != nil || see.reach == nil {
		return err
	}
	var founders []int64
	for _, r := range list {
		founders = append(founders, r.a, r.b)
	}
	in, err := a.Store.Reached(ctx, see.reach, founders)
	if err != nil {
		return err
	}
	for i := range list {
		r := &list[i]
		if in[r.a] && in[r.b] {
			continue
		}
		*r = Relation{Kind: r.Kind, A: r.A, B: r.B, Since: r.Since, Until: r.Until, Over: r.Over, Source: r.Source, a: r.a, b: r.b}
		if !in[r.a] {
			r.a, r.A = 0, End{Entity: r.A.Entity, Outside: true}
		}
		if !in[r.b] {
			r.b, r.B = 0, End{Entity: r.B.Entity, Outside: true}
		}
	}
	return nil
}

// veilHistory takes away what a history says of records that are of customers out
// of reach now.
func (a *App) veilHistory(ctx context.Context, see sight, h *GoldenHistory) error {
	if see.reach == nil {
		return nil
	}
	var refs []record.Ref
	for _, e := range h.Events {
		if ref, isRef, err := a.sourceRef(e.Record); err == nil && isRef {
			refs = append(refs, ref)
		}
	}
	in, err := a.refsReached(ctx, see, refs)
	if err != nil {
		return err
	}
	h.Events = slices.DeleteFunc(h.Events, func(e Happened) bool {
		ref, isRef, err := a.sourceRef(e.Record)
		return e.Record != "" && (err != nil || !isRef || !in[ref])
	})
	for i := range h.Events {
		e := &h.Events[i]
		e.Golden = ""
		for j := range e.Fields {
			e.Fields[j].From = nil // perhaps of a record that has gone out of reach
		}
	}
	return nil
}

// veilDecisions takes away what decisions say of records out of reach and of
// masked fields.
func (a *App) veilDecisions(ctx context.Context, list []ShownDecision) error {
	see, err := a.sight(ctx)
	if err != nil {
		return err
	}
	for i := range list {
		if d := &list[i]; d.Field != "" && a.fieldMasked(see, *d) { // of a pin, or of values that count as another
			d.Value, d.From = "", nil
		}
	}
	w, err := a.within(ctx, see)
	if err != nil || w.Reach == nil {
		return err
	}
	ids := make([]string, len(list))
	for i, d := range list {
		ids[i] = d.ID
	}
	all, err := a.Store.DecisionsReached(ctx, w, ids)
	if err != nil {
		return err
	}
	var refs []record.Ref
	of := make([][]record.Ref, len(list))
	for i, d := range list {
		for _, name := range d.Records {
			ref, isRef, err := a.sourceRef(name)
			if err != nil || !isRef {
				continue
			}
			of[i] = append(of[i], ref)
		}
		refs = append(refs, of[i]...)
	}
	in, err := a.refsReached(ctx, see, refs)
	if err != nil {
		return err
	}
	for i := range list {
		d := &list[i]
		if all[d.ID] {
			continue
		}
		var records []string
		for _, r := range of[i] {
			if in[r] {
				records = append(records, a.refName(r))
			}
		}
		d.Records, d.Value, d.From, d.Why, d.Problem = records, "", nil, "", ""
	}
	return nil
}

// fieldMasked says whether the field that a decision sets is kept back: of a pin by
// the kind of its record, of values by the kind that is named with it.
func (a *App) fieldMasked(see sight, d ShownDecision) bool {
	if len(see.masks) == 0 {
		return false
	}
	entity, field, named := strings.Cut(d.Field, ".")
	if !named || a.entityNamed(entity) == nil {
		entity, field = "", d.Field
		if len(d.Records) > 0 {
			if ref, isRef, err := a.sourceRef(d.Records[0]); err == nil && isRef {
				entity = ref.Entity
			}
		}
	}
	return entity == "" || see.partMasked(entity, field)
}

// veilCandidates leaves of who is out of reach that there is one, and how likely
// it is the same: a customer must not be entered twice. Of the others masked
// fields are left out.
func (a *App) veilCandidates(ctx context.Context, see sight, entity string, list []lookup.Candidate) error {
	if see.reach == nil && len(see.masks) == 0 {
		return nil
	}
	var ids []string
	for _, c := range list {
		if c.Golden != "" {
			ids = append(ids, c.Golden)
		}
	}
	founders, err := a.Store.FoundersOf(ctx, ids)
	if err != nil {
		return err
	}
	in, err := a.Store.Reached(ctx, see.reach, slices.Collect(maps.Values(founders)))
	if err != nil {
		return err
	}
	for i, c := range list {
		if see.reach != nil && !in[founders[c.Golden]] {
			list[i] = lookup.Candidate{Verdict: c.Verdict, Probability: c.Probability, Weight: c.Weight, Outside: true, Systems: []lookup.System{}, Parts: []lookup.Part{}}
			list[i].Words = lookupWords(list[i])
			continue
		}
		list[i].Parts = slices.DeleteFunc(c.Parts, func(p lookup.Part) bool {
			return slices.ContainsFunc(comparedIn(entity, p.Field), func(f string) bool { return see.masked(entity, f) != "" })
		})
		if len(see.masks) > 0 {
			list[i].Words, list[i].Veto = lookupWords(lookup.Candidate{Verdict: c.Verdict, Probability: c.Probability, Parts: list[i].Parts}), nil
		}
	}
	return nil
}
