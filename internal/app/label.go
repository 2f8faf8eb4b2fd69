package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching"
	"touchstone/matching/label"
)

// Asked is a pair of source records that is worth a person's answer, side by
// side.
type Asked struct {
	A, B string // source records
	web.Pair
}

// mostLooked is how many of the pairs that wait are looked at for the best.
const mostLooked = 1000

// Asks lists pairs of an entity type that wait for a person: those nearest to
// the link threshold first, and of pairs that agree in the same way one, until
// the other ways have had theirs.
func (a *App) Asks(ctx context.Context, entity string, most int) ([]Asked, error) {
	queued, _, _, err := a.Store.Queue(ctx, store.QueueFilter{Entity: entity, Order: web.OrderScore, Limit: mostLooked})
	if err != nil {
		return nil, err
	}
	list, err := a.weighed(ctx, openPairs(queued))
	if err != nil {
		return nil, err
	}
	turn := map[string]int{}
	order := make([]int, len(list))
	at := make([]int, len(list))
	for i, p := range list {
		way := ""
		for _, e := range p.Evidence {
			way += e.Field + "\x00" + e.Level + "\x00"
		}
		order[i], at[i] = turn[way], i
		turn[way]++
	}
	slices.SortStableFunc(at, func(x, y int) int { return cmp.Compare(order[x], order[y]) })
	var out []Asked
	for _, i := range at[:min(len(at), most)] {
		p := list[i]
		out = append(out, Asked{p.A.Source + "/" + entity + "/" + p.A.ID, p.B.Source + "/" + entity + "/" + p.B.ID, p})
	}
	return out, nil
}

// Apart says that two golden records are two customers: every record of the one
// and of the other, as they stand now. Of two records of one golden record use
// Split.
func (a *App) Apart(ctx context.Context, x, y string, by By) (Decided, error) {
	return a.decide(ctx, store.Split, by, func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		s, t, err := a.two(ctx, tx, x, y)
		if err != nil {
			return nil, err
		}
		if s.Founder == t.Founder {
			return nil, unclear("%s and %s are one golden record: take a record out with split", x, y)
		}
		apartOf(n, s, t)
		return nil, nil
	})
}

// apartOf is what parts two subjects.
func apartOf(n *store.NewDecision, s, t store.Subject) {
	n.Mark = fmt.Sprint("apart ", min(s.Founder, t.Founder), " ", max(s.Founder, t.Founder))
	if len(s.Recs())*len(t.Recs()) > mostPairs {
		n.Rulings = append(n.Rulings, store.Ruling{Kind: "cannot", A: s.Rec, B: t.Rec})
		return
	}
	for _, l := range s.Recs() {
		for _, r := range t.Recs() {
			n.Rulings = append(n.Rulings, store.Ruling{Kind: "cannot", A: l, B: r})
		}
	}
}

// labelled is a pair of source records with an answer.
type labelled struct {
	a, b int64
	same bool
}

// mostOfDecision is how many pairs one decision gives as labels: a split of two
// large groups says one thing, not a thousand.
const mostOfDecision = 20

// ruled gives what people decided about records of an entity type, as labels:
// of each decision in force the first pairs. A crosswalk that was imported is
// none: nobody looked at its pairs.
func (a *App) ruled(ctx context.Context, entity string) (out []labelled, err error) {
	for after := int64(0); ; {
		list, err := a.Store.Decisions(ctx, store.DecisionFilter{State: "in force", After: after, Limit: exportPage})
		if err != nil || len(list) == 0 {
			return out, err
		}
		pairs, err := a.Store.RuledPairs(ctx, ids(list))
		if err != nil {
			return nil, err
		}
		for _, d := range list {
			after = d.Seq
			if d.Kind != store.Merged && d.Kind != store.Split {
				continue
			}
			n := map[string]int{}
			for _, p := range pairs[d.ID] {
				if p.Kind != "must" && p.Kind != "cannot" || d.Kind == store.Split && p.Kind == "must" || p.Waits || p.Stale || p.RefA.Entity != entity {
					continue
				}
				if n[p.Kind]++; n[p.Kind] <= mostOfDecision {
					out = append(out, labelled{p.A, p.B, p.Kind == "must"})
				}
			}
		}
	}
}

// Labels says where labels come from: what people decided in the store, or a
// file. The zero value is none.
type Labels struct {
	Rulings bool
	Pairs   []label.Pair // ids as source/entity/id, or source:id
	Name    string       // of the file, for messages
}

// labels finds the labelled records of an entity type.
func (a *App) labels(ctx context.Context, entity string, l Labels) (out []labelled, err error) {
	if l.Rulings {
		if out, err = a.ruled(ctx, entity); err != nil {
			return nil, fmt.Errorf("labels from decisions: %w", err)
		}
	}
	for _, p := range l.Pairs {
		if p.Answer == label.Unsure {
			continue
		}
		var recs [2]int64
		other := false
		for i, name := range [2]string{p.A, p.B} {
			ref, isRef, err := a.sourceRef(name)
			if err == nil && !isRef {
				err = fmt.Errorf("%q names no source record; want source/entity/id, or source:id", name)
			}
			if err == nil {
				other = other || ref.Entity != entity
				recs[i], err = a.Store.Rec(ctx, ref)
			}
			if err != nil {
				return nil, unclear("%s:%d: %v", l.Name, p.Line, err)
			}
		}
		if !other {
			out = append(out, labelled{recs[0], recs[1], p.Answer == label.Same})
		}
	}
	return out, nil
}

// labelledFeatures are the features of labelled records; a pair of which one is
// gone is left out.
func (a *App) labelledFeatures(ctx context.Context, entity string, list []labelled) ([]matching.Labelled, error) {
	var recs []int64
	for _, l := range list {
		recs = append(recs, l.a, l.b)
	}
	slices.Sort(recs)
	recs = slices.Compact(recs)
	shared, err := a.Store.Shared(ctx, entity, nil)
	if err != nil {
		return nil, err
	}
	members, err := a.Store.MembersByRec(ctx, recs)
	if err != nil {
		return nil, err
	}
	features := map[int64]*matching.Features{}
	for _, rec := range recs {
		m, ok := members[rec]
		if !ok || m.Version == 0 || m.Ref.Entity != entity {
			continue
		}
		f, err := matching.DecodeFeatures(m.Features)
		if err != nil {
			return nil, fmt.Errorf("features of %s: %w", m.Ref, err)
		}
		features[rec] = f.Share(shared.Has)
	}
	var out []matching.Labelled
	for _, l := range list {
		if x, y := features[l.a], features[l.b]; x != nil && y != nil {
			out = append(out, matching.Labelled{A: x, B: y, Same: l.same})
		}
	}
	return out, nil
}
