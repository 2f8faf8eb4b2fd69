package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"touchstone/config"
	"touchstone/internal/expr"
	"touchstone/internal/store"
)

// targetRef is a field that holds the target's own id of a related golden
// record.
type targetRef struct {
	relation string
	entity   string // of the other end
	value    *expr.Program
}

func (c *compiler) reference(r config.TargetReference, entity string) *targetRef {
	vars := c.vars
	c.vars = map[string]any{"id": ""}
	defer func() { c.vars = vars }()
	fmt.Fprintf(&c.text, "reference %s %s %s\n", r.Field, r.Relation, entity)
	return &targetRef{relation: r.Relation, entity: entity, value: c.compile(r.Value, expr.Any)}
}

// say gives what to write for an id.
func (r *targetRef) say(id string) (any, error) {
	if r.value == nil {
		return id, nil
	}
	return r.value.Run(map[string]any{"id": id})
}

// pointing is what the references of one target lead to, for the golden records
// of one transaction.
type pointing struct {
	far         map[int64]map[string]int64             // founder → relation → founder of the other end
	ids         map[string]map[int64]string            // entity → founder → the system's own id
	outstanding map[string]map[int64]store.Outstanding // entity → founder → its create
	waits       map[int64]int64                        // founder → the create it was made to wait for, now
}

// point finds what the references of golden records lead to.
func (p *planning) point(ctx context.Context, made []madeGolden) error {
	p.to = pointing{far: map[int64]map[string]int64{}, ids: map[string]map[int64]string{}, outstanding: map[string]map[int64]store.Outstanding{}, waits: map[int64]int64{}}
	if len(p.t.refs()) == 0 {
		return nil
	}
	byRec, owner := map[int64][]store.FarEnd{}, map[int64]int64{}
	var recs []int64
	for _, m := range made {
		if m.golden.Entity != p.t.Entity {
			continue
		}
		for _, i := range m.group.members {
			recs = append(recs, p.members[i].Rec)
			owner[p.members[i].Rec] = m.golden.Founder
		}
	}
	ends, err := p.tx.FarEnds(ctx, recs)
	if err != nil {
		return err
	}
	for _, e := range ends {
		if e.Founder != 0 && !e.Ended && e.Founder != owner[e.Rec] {
			byRec[e.Rec] = append(byRec[e.Rec], e)
		}
	}
	var far []int64
	for _, m := range made {
		if m.golden.Entity == p.t.Entity {
			chosen := p.choose(m, byRec)
			p.to.far[m.golden.Founder] = chosen
			for _, relation := range sortedNames(chosen) {
				far = append(far, chosen[relation])
			}
		}
	}
	slices.Sort(far)
	far = slices.Compact(far)
	for _, ref := range p.t.refs() {
		if p.to.ids[ref.entity] != nil {
			continue
		}
		if p.to.ids[ref.entity], err = p.tx.ExternalIDs(ctx, p.t.System, ref.entity, far); err != nil {
			return err
		}
		if p.to.outstanding[ref.entity], err = p.tx.CreatesOutstanding(ctx, p.t.System, ref.entity, far); err != nil {
			return err
		}
	}
	return nil
}

// choose takes one other end for each relation: the best ranked source's, then
// the one that began last, then by reference.
func (p *planning) choose(m madeGolden, byRec map[int64][]store.FarEnd) map[string]int64 {
	type candidate struct {
		store.FarEnd
		member int
	}
	best := map[string]candidate{}
	for _, i := range m.group.members {
		for _, e := range byRec[p.members[i].Rec] {
			c := candidate{e, i}
			have, ok := best[e.Kind]
			a, b := p.members[i].Ref, p.members[have.member].Ref
			if !ok || cmp.Or(cmp.Compare(p.rank[a.Source], p.rank[b.Source]), cmp.Compare(have.Since, e.Since), a.Compare(b), cmp.Compare(e.N, have.N)) < 0 {
				best[e.Kind] = c
			}
		}
	}
	out := map[string]int64{}
	for kind, c := range best {
		out[kind] = c.Founder
	}
	return out
}

// refer adds the references to what a golden record says. Held are the fields
// of which nothing is known until a create has been settled; wait is that
// create.
func (p *planning) refer(ctx context.Context, m madeGolden, wanted map[string]any) (held map[string]bool, wait store.Outstanding, err error) {
	for _, f := range p.t.fields {
		if f.ref == nil {
			continue
		}
		far, ok := p.to.far[m.golden.Founder][f.ref.relation]
		if !ok {
			continue
		}
		if id, ok := p.to.ids[f.ref.entity][far]; ok {
			v, err := f.ref.say(id)
			if err != nil {
				return nil, wait, fmt.Errorf("references %s: %w", f.path, err)
			}
			if v != nil {
				wanted[f.path] = v
			}
			continue
		}
		o, ok := p.to.outstanding[f.ref.entity][far]
		if !ok {
			continue // goes without, and is planned again when there is one
		}
		if held == nil {
			held = map[string]bool{}
		}
		held[f.path] = true
		if wait.Founder != 0 {
			continue
		}
		circle, err := p.circle(ctx, m.golden.Founder, o)
		if err != nil {
			return nil, wait, err
		}
		if !circle {
			wait = o
		}
	}
	return held, wait, nil
}

// longestWait bounds a chain of creates that wait for one another.
const longestWait = 50

// circle says whether waiting for a create would wait for oneself: then one of
// the circle goes first without its reference, and is updated afterwards.
func (p *planning) circle(ctx context.Context, founder int64, o store.Outstanding) (bool, error) {
	at, on := o.Founder, o.WaitsOn
	for range longestWait {
		if now, planned := p.to.waits[at]; planned {
			on = now
		}
		if at == founder || on == founder {
			return true, nil
		}
		if on == 0 {
			return false, nil
		}
		at = on
		var err error
		if on, err = p.tx.WaitsOn(ctx, p.t.System, at); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (t *Target) refs() (list []*targetRef) {
	for _, f := range t.fields {
		if f.ref != nil {
			list = append(list, f.ref)
		}
	}
	return list
}

// Refers lists the entities that the target's references lead to.
func (t *Target) Refers() (entities []string) {
	for _, r := range t.refs() {
		if !slices.Contains(entities, r.entity) {
			entities = append(entities, r.entity)
		}
	}
	return entities
}

// sameID says whether a reference stands there already: some systems give a
// number for an id that we write as text.
func sameID(want, now any) bool {
	text, ok := want.(string)
	n, isNumber := now.(json.Number)
	return ok && isNumber && n.String() == text
}

// dependants has what refers to golden records resolved again, when those have
// taken in or lost members.
func (l *link) dependants(ctx context.Context, changes []store.GoldenChange, stored map[int64]store.Golden) error {
	if !l.r.Referred {
		return nil
	}
	var founders []int64
	for _, p := range l.placed {
		founders = append(founders, p.Golden)
		if old := l.members[l.at[p.Rec]].Golden; old != 0 {
			founders = append(founders, old)
		}
	}
	for _, c := range changes {
		if stored[c.Founder].Live != c.Live {
			founders = append(founders, c.Founder)
		}
	}
	slices.Sort(founders)
	if err := l.tx.LockFacts(ctx); err != nil {
		return err
	}
	return l.tx.EnqueueDependants(ctx, slices.Compact(founders))
}
