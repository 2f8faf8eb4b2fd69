package matching_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"touchstone/matching"
	"touchstone/matching/block"
)

// TestSampleTakesTheLeastHashes: of a few records all, of many those that sorting
// all of them by hash would put first, whatever their order, equal ones included.
func TestSampleTakesTheLeastHashes(t *testing.T) {
	t.Parallel()
	const most = 200_000
	for _, n := range []int{0, 1, 3000, most, most + 1, 520_000} {
		all := make([][]byte, n)
		for i := range all {
			all[i] = binary.AppendUvarint([]byte("record "), uint64(i-i%7%2)) // some are equal
		}
		want := slices.Clone(all)
		hash := make(map[string]uint64, n)
		for _, p := range want {
			hash[string(p)] = block.Hash(string(p))
		}
		slices.SortFunc(want, func(a, b []byte) int {
			if x, y := hash[string(a)], hash[string(b)]; x != y {
				if x < y {
					return -1
				}
				return 1
			}
			return bytes.Compare(a, b)
		})
		want = want[:min(n, most)]
		r := rand.New(rand.NewPCG(uint64(n), 3))
		r.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
		var s matching.Sample
		for _, p := range all {
			s.Add(p)
		}
		got := s.Records()
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("of %d records %d are taken, want the %d of the least hashes", n, len(got), len(want))
		}
	}
}

// TestSampleIsBounded: it keeps no record that it does not take, but for a few.
func TestSampleIsBounded(t *testing.T) {
	t.Parallel()
	var s matching.Sample
	most := 0
	for i := range 600_000 {
		s.Add(fmt.Appendf(nil, "record %d", i))
		most = max(most, matching.Held(&s))
	}
	if most > 250_000 {
		t.Errorf("%d records are held at once, want at most 250000", most)
	}
}
