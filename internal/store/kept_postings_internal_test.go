package store

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// slow answers from a plain set what keptPostings answers.
type slow map[Posting]bool

func (s slow) sorted() (list []Posting) {
	for p := range s {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Posting) int {
		return cmp.Or(cmp.Compare(int64(a.Key.Coarse), int64(b.Key.Coarse)), cmp.Compare(int64(a.Key.Fine), int64(b.Key.Fine)), cmp.Compare(a.Rec, b.Rec))
	})
	return list
}

func (s slow) recs(list Key) (recs []int64) {
	for p := range s {
		if p.Key.Coarse == list.Coarse && (list.Fine == 0 || p.Key.Fine == list.Fine) {
			recs = append(recs, p.Rec)
		}
	}
	slices.Sort(recs)
	return recs
}

func (s slow) names(value uint64) int {
	fines := map[uint64]bool{}
	for p := range s {
		if p.Key.Coarse == value {
			fines[p.Key.Fine] = true
		}
	}
	return len(fines)
}

// TestKeptPostingsAnswerLikeASet changes posting lists at random, so that parts are
// cut in two and fall away, and asks all that is asked of them.
func TestKeptPostingsAnswerLikeASet(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 3))
		coarse := []uint64{1, 2, 3, 1 << 63, 1<<63 + 1, 1<<64 - 1, 1<<63 - 1}
		fine := []uint64{0, 1, 2, 1 << 63, 1<<64 - 1, 1<<63 - 1}
		k, want := &keptPostings{most: 1 << 30, whole: true}, slow{}
		for round := range 60 {
			d := &keyDelta{}
			for range r.IntN(200) {
				p := Posting{Key{coarse[r.IntN(len(coarse))], fine[r.IntN(len(fine))]}, r.Int64N(60)}
				row := []any{int64(p.Key.Coarse), int64(p.Key.Fine), p.Rec}
				if round%9 > 5 { // now it grows, now it shrinks
					d.gone = append(d.gone, row)
					delete(want, p)
				} else {
					d.added = append(d.added, row)
					want[p] = true
				}
			}
			if round == 40 { // nothing is left
				for p := range want {
					d.gone = append(d.gone, []any{int64(p.Key.Coarse), int64(p.Key.Fine), p.Rec})
				}
				clear(want)
				d.added = nil
			}
			if !k.apply(d) {
				t.Fatalf("seed %d, round %d: it cannot follow", seed, round)
			}
			var got []Posting
			for i, part := range k.parts {
				if part.n == 0 || k.heads[i] != part.key[0] {
					t.Fatalf("seed %d, round %d: part %d has %d postings and is named by %d", seed, round, i, part.n, k.heads[i])
				}
				for j := range part.n {
					p := part.at(j)
					got = append(got, Posting{Key{uint64(p.key), uint64(p.fine)}, int64(p.rec)})
				}
			}
			if diff := gocmp.Diff(want.sorted(), got); diff != "" {
				t.Fatalf("seed %d, round %d: other postings (-want +got):\n%s", seed, round, diff)
			}
			asksAll(t, fmt.Sprintf("seed %d, round %d", seed, round), k, want, coarse, fine)
		}
	}
}

func asksAll(t *testing.T, what string, k *keptPostings, want slow, coarse, fine []uint64) {
	t.Helper()
	ctx := context.Background()
	for _, c := range append(slices.Clone(coarse), 77) {
		for _, f := range fine {
			list := Key{c, f}
			rows := want.recs(list)
			all := slices.Compact(slices.Clone(rows))
			for _, limit := range []int{0, 3, 20, 500} {
				lists, _ := k.lists(ctx, []Key{list, list}, limit)
				if got := lists[list]; len(all) <= limit && !slices.Equal(got, all) || len(all) > limit && len(got) <= limit || !slices.IsSorted(got) {
					t.Fatalf("%s: the list %v, to be known up to %d, is %v, want %v", what, list, limit, got, all)
				}
				counts, _ := k.rows(ctx, []Key{list}, limit)
				if counts[0] != min(len(rows), limit) {
					t.Fatalf("%s: the list %v has %d rows of %d at most, want %d", what, list, counts[0], limit, len(rows))
				}
				lengths, _ := k.lengths(ctx, []Key{list}, limit)
				if lengths[list] != min(len(all), limit) {
					t.Fatalf("%s: the list %v has %d records of %d at most, want %d", what, list, lengths[list], limit, len(all))
				}
			}
			holders, _ := k.holders(ctx, nil, list)
			if slices.Sort(holders); !slices.Equal(holders, rows) {
				t.Fatalf("%s: the holders of %v are %v, want %v", what, list, holders, rows)
			}
		}
		for names := range 8 {
			is, _ := k.manyNames(ctx, []int64{int64(c)}, names)
			if is[int64(c)] != (want.names(c) > names) {
				t.Fatalf("%s: %d has more than %d names: %v, and has %d", what, int64(c), names, is[int64(c)], want.names(c))
			}
		}
	}
}
