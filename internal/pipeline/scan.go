package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"touchstone/internal/store"
	"touchstone/matching"
)

// scanned is what one scan found.
type scanned struct {
	recs  []int64         // those that are linked anew, sorted
	seqs  map[int64]int64 // of the records of the edges, as they were compared
	edges []store.Edge    // by their records
	pairs int
}

// scanPart bounds the records that are compared at once, and with them the
// features held in memory.
const scanPart = 2500

// scan finds the candidates of a round's records and weighs them; it locks
// nothing.
func (r *Resolver) scan(ctx context.Context, x *round) (*scanned, error) {
	s := &scanned{recs: x.recs, seqs: map[int64]int64{}}
	of := make(map[int64]bool, len(x.recs))
	for _, rec := range x.recs {
		of[rec] = true
	}
	for part := range slices.Chunk(x.recs, scanPart) {
		pairs := candidates(part, of, x.of.Published)
		features, err := r.load(ctx, x.of, pairs)
		if err != nil {
			return nil, err
		}
		weighed, edges := r.weigh(pairs, features)
		for _, e := range edges {
			s.seqs[e.A], s.seqs[e.B] = features.seqs[features.at[e.A]], features.seqs[features.at[e.B]]
		}
		s.pairs, s.edges = s.pairs+weighed, append(s.edges, edges...)
	}
	slices.SortFunc(s.edges, compareEdges)
	return s, nil
}

// candidates gives the pairs of these records with others that share a list, the
// record first: each once, also of two that are both scanned, where the smaller
// has it.
func candidates(part []int64, scanned map[int64]bool, p store.Published) [][2]int64 {
	var pairs [][2]int64
	var others []int64
	for _, rec := range part {
		others = others[:0]
		for _, k := range p.Keys[rec] {
			others = append(others, p.Lists[k]...)
		}
		slices.Sort(others)
		last := rec
		for _, other := range others {
			if other == last || other == rec || other < rec && scanned[other] {
				continue
			}
			last = other
			pairs = append(pairs, [2]int64{rec, other})
		}
	}
	return pairs
}

// halves parts n things among the cores.
func halves(n int) (parts [][2]int) {
	workers := max(1, min(runtime.GOMAXPROCS(0), n/minPart))
	for w := range workers {
		parts = append(parts, [2]int{w * n / workers, (w + 1) * n / workers})
	}
	return parts
}

// minPart is how many things are worth a worker of their own.
const minPart = 64

// loaded are records as they are compared.
type loaded struct {
	at       map[int64]int32 // record → its place in the lists
	features []matching.Features
	seqs     []int64
}

func (l *loaded) of(rec int64) *matching.Features {
	if i, is := l.at[rec]; is {
		return &l.features[i]
	}
	return nil
}

// load reads the features of all records of the pairs, on all cores.
func (r *Resolver) load(ctx context.Context, p *published, pairs [][2]int64) (*loaded, error) {
	recs := make([]int64, 0, len(pairs)+len(pairs)/8)
	for i, p := range pairs {
		if i == 0 || pairs[i-1][0] != p[0] {
			recs = append(recs, p[0])
		}
		recs = append(recs, p[1])
	}
	slices.Sort(recs)
	recs = slices.Compact(recs)
	parts := halves(len(recs))
	lists := make([][]store.Feature, len(parts))
	viewed := make([][]matching.Features, len(parts))
	err := parallel(len(parts), func(i int) (err error) {
		if lists[i], err = r.Store.FeaturesAt(ctx, p.Counter, recs[parts[i][0]:parts[i][1]]); err != nil {
			return err
		}
		viewed[i], err = view(lists[i], p.shared)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &loaded{at: make(map[int64]int32, len(recs)), seqs: make([]int64, 0, len(recs))}
	for _, list := range lists {
		for _, f := range list {
			out.at[f.Rec] = int32(len(out.seqs)) //nolint:gosec // a part's records
			out.seqs = append(out.seqs, f.Seq)
		}
	}
	out.features = slices.Concat(viewed...)
	return out, nil
}

// view makes stored features ready to be compared.
func view(list []store.Feature, shared *store.Shared) ([]matching.Features, error) {
	out := make([]matching.Features, len(list))
	for i, f := range list {
		features, err := matching.View(f.Features)
		if err != nil {
			return nil, fmt.Errorf("features of record %d: %w", f.Rec, err)
		}
		if shared.Len() > 0 {
			features = *features.Share(shared.Has)
		}
		out[i] = features
	}
	return out, nil
}

// weigh keeps the pairs at or above the review floor. Pairs of one record stand
// together.
func (r *Resolver) weigh(pairs [][2]int64, features *loaded) (weighed int, edges []store.Edge) {
	parts := halves(len(pairs))
	found, counts := make([][]store.Edge, len(parts)), make([]int, len(parts))
	_ = parallel(len(parts), func(i int) error { // which cannot fail
		var a *matching.Features
		rec := int64(0)
		for _, p := range pairs[parts[i][0]:parts[i][1]] {
			if p[0] != rec {
				rec, a = p[0], features.of(p[0])
			}
			b := features.of(p[1])
			if a == nil || b == nil {
				continue
			}
			counts[i]++
			x, y, first, second := a, b, rec, p[1]
			if second < first {
				x, y, first, second = b, a, second, first
			}
			if w := r.Model.Weigh(x, y); w.Total >= r.Review {
				found[i] = append(found[i], store.Edge{A: first, B: second, Weight: w.Total, Pattern: w.Pattern, Model: r.Model.Version})
			}
		}
		return nil
	})
	for i := range parts {
		weighed += counts[i]
		edges = append(edges, found[i]...)
	}
	return weighed, edges
}

func compareEdges(a, b store.Edge) int { return cmp.Or(cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B)) }
