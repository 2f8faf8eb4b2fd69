package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
)

// PossibleRelation is a proposal that two golden records belong together and are
// two customers. It is made from the current records when it is asked for, and
// stored nowhere.
type PossibleRelation struct {
	Kind     string          `json:"kind"` // matching.RelationKinds
	A        string          `json:"a"`    // golden ids; of branch_of the branch
	B        string          `json:"b"`    // of branch_of the head company
	NameA    string          `json:"name_a"`
	NameB    string          `json:"name_b"`
	RecordA  string          `json:"record_a"` // the two source records that show it best
	RecordB  string          `json:"record_b"`
	Apart    string          `json:"apart"` // what says that they are two
	Evidence []matching.Part `json:"evidence"`
}

// RelationQuery asks for possible relations.
type RelationQuery struct {
	Golden string // of this golden record only; its id or one of its records
	Entity string // "" for every entity type
	Kind   string // "" for every kind
	Limit  int
}

// relationPage is how many golden records are looked at together, and
// relationMembers how many members speak for a large one.
const (
	relationPage    = 50
	relationMembers = 100
)

// PossibleRelations lists what current records propose, in the order of the
// golden records; more says that the limit cut it. Each pair is listed once.
func (a *App) PossibleRelations(ctx context.Context, q RelationQuery) (list []PossibleRelation, more bool, err error) {
	if q.Golden != "" {
		g, _, err := a.findGolden(ctx, q.Golden)
		if err != nil {
			return nil, false, err
		}
		if err := a.reached(ctx, g.Founder); err != nil {
			return nil, false, err
		}
		r, err := a.relator(ctx, g.Entity)
		if err != nil {
			return nil, false, err
		}
		list, err = r.page(ctx, []store.Golden{g}, q.Kind, false)
		return list[:min(len(list), q.Limit)], len(list) > q.Limit, err
	}
	for _, name := range a.EntityNames() {
		if q.Entity != "" && q.Entity != name {
			continue
		}
		r, err := a.relator(ctx, name)
		if err != nil {
			return nil, false, err
		}
		for after := int64(0); ; {
			goldens, err := a.Store.GoldenList(ctx, store.GoldenFilter{Entity: name, Reach: r.see.reach, After: after, Limit: relationPage})
			if err != nil {
				return nil, false, err
			}
			if len(goldens) == 0 {
				break
			}
			after = goldens[len(goldens)-1].Founder
			found, err := r.page(ctx, goldens, q.Kind, true)
			if err != nil {
				return nil, false, err
			}
			if list = append(list, found...); len(list) > q.Limit {
				return list[:q.Limit], true, nil
			}
		}
	}
	return list, false, nil
}

// relator looks for possible relations of one entity type.
type relator struct {
	a      *App
	e      *entity
	model  *matching.Model
	shared *store.Shared
	// refused are those that a person does not want to see again.
	refused map[store.RefusedBetween]bool
	see     sight             // of who asks
	stated  map[[2]int64]bool // of the page; nothing is proposed where a person has said what it is
}

func (a *App) relator(ctx context.Context, name string) (r *relator, err error) {
	e := a.entityNamed(name)
	if e == nil || e.resolver == nil || e.model.Load() == nil {
		return nil, fmt.Errorf("entity type %q: %w", name, record.ErrNotFound)
	}
	r = &relator{a: a, e: e, model: e.model.Load()}
	if r.see, err = a.sight(ctx); err != nil {
		return nil, err
	}
	if r.refused, err = a.Store.RefusedRelations(ctx); err != nil {
		return nil, err
	}
	r.shared, err = a.Store.Shared(ctx, name, nil)
	return r, err
}

// near is a live source record with its features.
type near struct {
	store.Member
	features   *matching.Features
	keys       []store.Key // of one whose relations are looked for
	candidates []int64     // likewise: the records on its lists, each once
}

// settled says that a person has refused the proposal, or has said what the two
// customers are to each other.
func (r *relator) settled(x, y int64, kind string) bool {
	a, b := min(x, y), max(x, y)
	return r.stated[[2]int64{a, b}] || r.refused[store.RefusedBetween{A: a, B: b, Kind: kind}]
}

func (r *relator) near(m store.Member) (near, error) {
	f, err := matching.DecodeFeatures(m.Features)
	if err != nil {
		return near{}, fmt.Errorf("features of %s: %w", m.Ref, err)
	}
	return near{Member: m, features: f.Share(r.shared.Has)}, nil
}

// page finds the relations of some golden records: their live members are
// compared with the records that share a posting list with them, as many as one
// round of the resolver reads. Once lists a pair with the older golden record
// only.
func (r *relator) page(ctx context.Context, goldens []store.Golden, kind string, once bool) ([]PossibleRelation, error) {
	founders := make([]int64, len(goldens))
	for i, g := range goldens {
		founders[i] = g.Founder
	}
	byGolden, err := r.a.Store.MembersOf(ctx, founders)
	if err != nil {
		return nil, err
	}
	if r.stated, err = r.a.Store.StatedAmong(ctx, founders); err != nil {
		return nil, err
	}
	var own []near
	var keys []store.Key
	for _, f := range founders {
		members := slices.DeleteFunc(byGolden[f], func(m store.Member) bool { return !m.Live })
		for _, m := range members[:min(len(members), relationMembers)] {
			n, err := r.near(m)
			if err != nil {
				return nil, err
			}
			n.keys = pipeline.PostingKeys(r.model, n.features)
			own, keys = append(own, n), append(keys, n.keys...)
		}
	}
	lists, _, err := r.a.Store.Postings(ctx, keys, r.e.resolver.Cap)
	if err != nil {
		return nil, err
	}
	for i := range own {
		own[i].candidates = candidatesOf(own[i].keys, lists)
	}
	others, err := r.others(ctx, own)
	if err != nil {
		return nil, err
	}
	best := map[[2]int64]proposal{}
	_, review := r.e.cuts()
	for _, x := range own {
		for _, rec := range x.candidates {
			y, ok := others[rec]
			if !ok || y.Golden == x.Golden || once && y.Golden < x.Golden {
				continue
			}
			if tie, is := r.model.Relate(x.features, y.features, review); is && !r.settled(x.Golden, y.Golden, tie.Kind) {
				keepBest(best, proposal{x, y, tie})
			}
		}
	}
	return r.shown(ctx, goldens, best, kind)
}

// candidatesOf lists the records on the lists of keys, each once.
func candidatesOf(keys []store.Key, lists map[store.Key][]int64) (recs []int64) {
	for _, k := range keys {
		recs = append(recs, lists[k]...)
	}
	slices.Sort(recs)
	return slices.Compact(recs)
}

func (r *relator) others(ctx context.Context, own []near) (map[int64]near, error) {
	var recs []int64
	for _, x := range own {
		recs = append(recs, x.candidates...)
	}
	slices.Sort(recs)
	members, err := r.a.Store.MembersByRec(ctx, slices.Compact(recs))
	if err != nil {
		return nil, err
	}
	out := make(map[int64]near, len(members))
	for rec, m := range members {
		if m.Live && m.Version > 0 && m.Golden != 0 {
			if out[rec], err = r.near(m); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// proposal is a tie between two records.
type proposal struct {
	x, y near
	tie  matching.Tie
}

// keepBest keeps the strongest kind of each two golden records; of one kind the
// pair with the smaller references.
func keepBest(best map[[2]int64]proposal, p proposal) {
	pair := [2]int64{p.x.Golden, p.y.Golden}
	if pair[0] > pair[1] {
		pair = [2]int64{p.y.Golden, p.x.Golden}
	}
	was, known := best[pair]
	if !known || order(p, was) < 0 {
		best[pair] = p
	}
}

func order(p, q proposal) int {
	kinds := matching.RelationKinds()
	return cmp.Or(cmp.Compare(slices.Index(kinds, p.tie.Kind), slices.Index(kinds, q.tie.Kind)), p.x.Ref.Compare(q.x.Ref), p.y.Ref.Compare(q.y.Ref))
}

func (r *relator) shown(ctx context.Context, goldens []store.Golden, best map[[2]int64]proposal, kind string) ([]PossibleRelation, error) {
	known := map[int64]store.Golden{}
	for _, g := range goldens {
		known[g.Founder] = g
	}
	in, err := r.inReach(ctx, best)
	if err != nil {
		return nil, err
	}
	pairs := make([][2]int64, 0, len(best))
	var missing []int64
	for pair, p := range best {
		if kind != "" && kind != p.tie.Kind || !in[pair[0]] || !in[pair[1]] {
			continue
		}
		pairs = append(pairs, pair)
		for _, f := range pair {
			if _, ok := known[f]; !ok {
				missing = append(missing, f)
			}
		}
	}
	slices.SortFunc(pairs, func(x, y [2]int64) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) })
	more, err := r.a.Store.LoadGoldens(ctx, missing)
	if err != nil {
		return nil, err
	}
	for f, g := range more {
		known[f] = g
	}
	out := []PossibleRelation{}
	for _, pair := range pairs {
		p := best[pair]
		x, y := p.x, p.y
		if p.tie.Reverse || p.tie.Kind != matching.BranchOf && x.Golden > y.Golden {
			x, y = y, x
			for i, e := range p.tie.Evidence {
				p.tie.Evidence[i].A, p.tie.Evidence[i].B = e.B, e.A
			}
		}
		gx, okX := known[x.Golden]
		gy, okY := known[y.Golden]
		if !okX || !okY { // gone meanwhile
			continue
		}
		rel := PossibleRelation{Kind: p.tie.Kind, A: gx.ID, B: gy.ID, RecordA: r.a.refName(x.Ref), RecordB: r.a.refName(y.Ref), Apart: p.tie.Apart, Evidence: worded(p.tie.Evidence)}
		r.see.proposal(gx.Entity, &rel)
		if rel.NameA, err = r.see.name(gx); err != nil {
			return nil, err
		}
		if rel.NameB, err = r.see.name(gy); err != nil {
			return nil, err
		}
		out = append(out, rel)
	}
	return out, nil
}

// inReach says which of the customers of proposals are reached: both have to be.
func (r *relator) inReach(ctx context.Context, best map[[2]int64]proposal) (map[int64]bool, error) {
	founders := make([]int64, 0, 2*len(best))
	for pair := range best {
		founders = append(founders, pair[0], pair[1])
	}
	slices.Sort(founders)
	return r.a.Store.Reached(ctx, r.see.reach, slices.Compact(founders))
}

// proposal takes away what a proposal says of masked fields. What says that the two
// are two may quote any.
func (s sight) proposal(entity string, p *PossibleRelation) {
	if len(s.masks) == 0 {
		return
	}
	p.Apart = ""
	p.Evidence = slices.DeleteFunc(slices.Clone(p.Evidence), func(e matching.Part) bool { return s.compares(entity, e.Field) })
}

// compares says whether a masked field is among those that are compared under a
// name.
func (s sight) compares(entity, name string) bool {
	return slices.ContainsFunc(comparedIn(entity, name), func(f string) bool { return s.masked(entity, f) != "" })
}

func goldenName(g store.Golden) (string, error) {
	var f record.Fields
	if err := json.Unmarshal(g.Fields, &f); err != nil {
		return "", fmt.Errorf("golden record %s: %w", g.ID, err)
	}
	return DisplayName(g.Entity, f), nil
}
