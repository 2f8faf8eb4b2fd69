package pipeline

import (
	"fmt"
	"slices"

	"touchstone/internal/store"
	"touchstone/matching"
	"touchstone/matching/cluster"
)

// within sorts the matches and rulings by the component that they stand in.
// Those between two components tie nothing.
func (l *link) within(comps [][]int) (edges [][]store.Edge, rulings [][]store.Ruling) {
	of := make(map[int64]int, len(l.members))
	for n, comp := range comps {
		for _, i := range comp {
			of[l.members[i].Rec] = n
		}
	}
	edges, rulings = make([][]store.Edge, len(comps)), make([][]store.Ruling, len(comps))
	same := func(a, b int64) (n int, is bool) {
		n, okA := of[a]
		m, okB := of[b]
		return n, okA && okB && n == m
	}
	for _, e := range l.edges {
		if n, is := same(e.A, e.B); is {
			edges[n] = append(edges[n], e)
		}
	}
	for _, r := range l.rulings {
		if n, is := same(r.A, r.B); is {
			rulings[n] = append(rulings[n], r)
		}
	}
	return edges, rulings
}

// Input is a component as it is parted: its members, which have to be in the
// order of their references, so that it does not depend on when they came, and
// what is stored between them.
func (r *Resolver) Input(members []store.Member, edges []store.Edge, rulings []store.Ruling) (cluster.Input, error) {
	features := make([]*matching.Features, len(members))
	at := make(map[int64]int, len(members))
	for i, m := range members {
		at[m.Rec] = i
		f, err := matching.DecodeFeatures(m.Features)
		if err != nil {
			return cluster.Input{}, fmt.Errorf("features of record %d: %w", m.Rec, err)
		}
		features[i] = f.Share(r.Shared.Has)
	}
	in := cluster.Input{
		N: len(members), Link: r.Link,
		Weigh: func(a, b int) int32 { return r.Model.Weigh(features[a], features[b]).Total },
		Veto:  func(a, b int) bool { _, veto := r.Model.Veto(features[a], features[b]); return veto },
	}
	pair := func(x, y int64) (p [2]int, is bool) {
		a, okA := at[x]
		b, okB := at[y]
		return [2]int{min(a, b), max(a, b)}, okA && okB
	}
	for _, e := range edges {
		if p, is := pair(e.A, e.B); is {
			in.Links = append(in.Links, cluster.Link{A: p[0], B: p[1], Weight: e.Weight})
		}
	}
	for _, x := range rulings {
		p, is := pair(x.A, x.B)
		switch {
		case !is:
		case x.Kind == "must":
			in.Must = append(in.Must, p)
		case x.Kind == "cannot":
			in.Cannot = append(in.Cannot, p)
		}
	}
	slices.SortFunc(in.Must, compareInts)
	slices.SortFunc(in.Cannot, compareInts)
	slices.SortFunc(in.Links, func(a, b cluster.Link) int { return compareInts([2]int{a.A, a.B}, [2]int{b.A, b.B}) })
	return in, nil
}

func compareInts(a, b [2]int) int {
	if a[0] != b[0] {
		return a[0] - b[0]
	}
	return a[1] - b[1]
}
