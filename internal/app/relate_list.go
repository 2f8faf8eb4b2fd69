package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// Relation is an edge between two golden records, of a source or of a person.
type Relation struct {
	Kind     string `json:"kind"` // one of RelationKinds, or as its source names it
	A        End    `json:"a"`
	B        End    `json:"b"`
	Title    string `json:"title,omitempty"`
	Role     string `json:"role,omitempty"`
	Stance   string `json:"stance,omitempty"`
	Share    string `json:"share,omitempty"`
	Since    string `json:"since,omitempty"`
	Until    string `json:"until,omitempty"` // its last day
	Over     bool   `json:"over,omitempty"`  // not in force on the day asked for
	Source   string `json:"source,omitempty"`
	Decision string `json:"decision,omitempty"` // of a person's statement
	Who      string `json:"who,omitempty"`
	Why      string `json:"why,omitempty"`
	At       string `json:"at,omitempty"`

	a, b int64 // founders
}

// Words shows what a relation says beside its ends.
func (r Relation) Words() string {
	return relationWords(store.SaidRelation{Title: r.Title, Role: r.Role, Stance: r.Stance, Share: r.Share, Since: r.Since, Until: r.Until})
}

// End is one end of a relation.
type End struct {
	ID     string `json:"id,omitempty"` // golden id; "" while it has not landed
	Name   string `json:"name,omitempty"`
	Entity string `json:"entity"`
	Ref    string `json:"ref"` // the source record
	// Outside says that the customer is out of reach: no more of it is told.
	Outside bool `json:"outside,omitempty"`
}

// mostEdges bounds the relations of one golden record, of each origin and way.
const mostEdges = 2000

// RelationsOf lists the relations of a golden record by its id or a source
// record, as of a day (YYYY-MM-DD, "" for today). Those that do not hold on it
// come with Over.
func (a *App) RelationsOf(ctx context.Context, id, day string) (list []Relation, more bool, err error) {
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return nil, false, err
	}
	return a.relationsAmong(ctx, []int64{g.Founder}, a.dayOr(day))
}

func (a *App) dayOr(day string) string {
	return cmp.Or(day, a.opts.Env.Clock.Now().UTC().Format(time.DateOnly))
}

// relationsAmong lists the edges at golden records, in a fixed order, without
// those from a golden record to itself, which a merge leaves.
func (a *App) relationsAmong(ctx context.Context, founders []int64, day string) ([]Relation, bool, error) {
	edges, more, err := a.Store.Edges(ctx, founders, mostEdges)
	if err != nil {
		return nil, false, err
	}
	edges = slices.DeleteFunc(edges, func(e store.RelationEdge) bool { return e.A == e.B })
	ends, err := a.endsOf(ctx, edges)
	if err != nil {
		return nil, false, err
	}
	out := make([]Relation, 0, len(edges))
	for _, e := range edges {
		out = append(out, a.relationOf(e, ends, day))
	}
	if err := a.veilEnds(ctx, out); err != nil {
		return nil, false, err
	}
	slices.SortStableFunc(out, cmpRelation)
	return out, more, nil
}

// relationOf shows an edge between golden records, as of a day.
func (a *App) relationOf(e store.RelationEdge, ends map[int64]End, day string) Relation {
	k, _ := kindOf(e.Kind)
	r := Relation{
		Kind: k.name, A: ends[e.A], B: ends[e.B], Title: e.Title, Role: e.Role, Stance: e.Stance, Share: e.Share, Since: e.Since, Until: e.Until,
		Decision: e.Decision, Who: e.Who, Why: e.Why, At: e.At, a: e.A, b: e.B,
	}
	r.A.Ref, r.A.Entity, r.B.Ref, r.B.Entity = a.refName(e.From), e.From.Entity, a.refName(e.To), e.To.Entity
	if e.Decision == "" {
		r.Source = a.SourceName(e.From.Source)
	}
	r.Over = !holds(r, day)
	return r
}

// cmpRelation orders relations: by kind, those that hold first, by name.
func cmpRelation(x, y Relation) int {
	rank := func(r Relation) int {
		i := slices.Index(RelationKinds(), r.Kind)
		if i < 0 {
			return len(relationKinds())
		}
		return i
	}
	over := func(r Relation) int {
		if r.Over {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(rank(x), rank(y)), strings.Compare(x.Kind, y.Kind), cmp.Compare(over(x), over(y)), strings.Compare(x.B.Name, y.B.Name),
		strings.Compare(x.A.Name, y.A.Name), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b), strings.Compare(x.Since, y.Since), strings.Compare(x.Role, y.Role), strings.Compare(x.At, y.At))
}

// holds says whether a relation is in force on a day.
func holds(r Relation, day string) bool {
	return (r.Since == "" || r.Since <= day) && (r.Until == "" || r.Until >= day)
}

// endsOf names the golden records at the ends of edges.
func (a *App) endsOf(ctx context.Context, edges []store.RelationEdge) (map[int64]End, error) {
	var founders []int64
	for _, e := range edges {
		founders = append(founders, e.A, e.B)
	}
	slices.Sort(founders)
	founders = slices.DeleteFunc(slices.Compact(founders), func(f int64) bool { return f == 0 })
	goldens, err := a.Store.LoadGoldens(ctx, founders)
	if err != nil {
		return nil, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]End, len(goldens))
	for f, g := range goldens {
		name, err := see.name(g)
		if err != nil {
			return nil, err
		}
		out[f] = End{ID: g.ID, Name: name}
	}
	return out, nil
}

// StatedRelations lists what people state, oldest first, behind the statement
// with number after; last is the number to go on behind.
func (a *App) StatedRelations(ctx context.Context, after int64, limit int) (list []Relation, last int64, err error) {
	edges, last, err := a.Store.SaidRelations(ctx, after, limit)
	if err != nil {
		return nil, 0, err
	}
	ends, err := a.endsOf(ctx, edges)
	if err != nil {
		return nil, 0, err
	}
	day := a.dayOr("")
	list = []Relation{}
	for _, e := range edges {
		list = append(list, a.relationOf(e, ends, day))
	}
	return list, last, nil
}

// other gives the end of a relation that is not this golden record.
func (r Relation) other(founder int64) (End, int64) {
	if r.a == founder {
		return r.B, r.b
	}
	return r.A, r.a
}

// isPerson says whether an end is a person.
func (e End) isPerson() bool { return e.Entity == record.Person }

// endOf shows a golden record by its founder.
func (a *App) endOf(ctx context.Context, g store.Golden) (e End, err error) {
	refs, err := a.Store.Refs(ctx, []int64{g.Founder})
	if err != nil {
		return e, err
	}
	e = End{ID: g.ID, Entity: g.Entity, Ref: a.refName(refs[g.Founder])}
	e.Name, err = a.seenName(ctx, g)
	return e, err
}
