package pipeline

import (
	"slices"
	"testing"

	"touchstone/internal/store"
)

// TestParts: the first batch of a group is a quarter, those that are scanned while
// it is linked grow, none is larger than a batch, and all records are in one of them.
func TestParts(t *testing.T) {
	for _, x := range []struct {
		records, ahead int
		want           []int
	}{
		{records: 10_000, want: []int{1000, 1500, 2250, 3375, 1875}},
		{records: 10_000, ahead: 4000, want: []int{4000, 4000, 2000}},
		{records: 9000, ahead: 10, want: []int{1000, 1500, 2250, 3375, 875}},
		{records: startFrom, want: []int{250, 750}},
		{records: startFrom - 1, want: []int{startFrom - 1}},
		{records: 1, want: []int{1}},
	} {
		r := &Resolver{Batch: 4000, Store: &store.DB{}}
		group := &published{Published: store.Published{Recs: make([]int64, x.records)}}
		for i := range group.Recs {
			group.Recs[i] = int64(i + 1)
		}
		var ahead *round
		if x.ahead > 0 {
			ahead = &round{recs: make([]int64, x.ahead)}
		}
		var got []int
		var recs []int64
		for group.taken < x.records {
			ahead = r.part(group, ahead)
			got, recs = append(got, len(ahead.recs)), append(recs, ahead.recs...)
		}
		if !slices.Equal(got, x.want) || !slices.Equal(recs, group.Recs) {
			t.Errorf("%d records behind %d: parts of %v, want %v; all in order: %v", x.records, x.ahead, got, x.want, slices.Equal(recs, group.Recs))
		}
	}
}
