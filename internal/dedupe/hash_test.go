package dedupe

import (
	"math/rand/v2"
	"testing"
)

func TestDistinctCountsHashesOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{0, 1, 2, 300, 20_000} {
		for _, values := range []int{1, 7, 1 << 20} {
			hashes, seen := make([]uint64, n), map[uint64]bool{}
			for i := range hashes {
				hashes[i] = mix(r.Uint64N(uint64(values))) | 1
				seen[hashes[i]] = true
			}
			if got := distinct(hashes); got != len(seen) {
				t.Errorf("distinct of %d hashes of up to %d values = %d, want %d", n, values, got, len(seen))
			}
		}
	}
}

// TestPatternsAreNumberedByWhatTheyAre: also where their hashes are equal, and
// while the table grows.
func TestPatternsAreNumberedByWhatTheyAre(t *testing.T) {
	for _, tt := range []struct {
		name  string
		table patternTable
		hash  func(p *pattern) uint64
	}{
		{"growing", patternTable{}, (*pattern).hash},
		{"poor hashes", patternTable{slots: make([]uint64, 1<<13)}, func(p *pattern) uint64 { return p.levels[0] % 4 << 32 }},
	} {
		r := rand.New(rand.NewPCG(7, 8))
		numbers, counts := map[pattern]uint32{}, map[pattern]int64{}
		for range 10_000 {
			p := pattern{levels: [2]uint64{r.Uint64N(30), r.Uint64N(20)}, forced: r.Uint64N(3)}
			k := tt.table.addHashed(&p, tt.hash(&p), 2)
			if was, ok := numbers[p]; ok && was != k || int(k) >= len(tt.table.entries) || tt.table.entries[k].pattern != p {
				t.Fatalf("%s: %v is number %d, was %d", tt.name, p, k, was)
			}
			numbers[p] = k
			counts[p] += 2
		}
		if len(tt.table.entries) != len(numbers) {
			t.Errorf("%s: %d patterns are numbered, want %d", tt.name, len(tt.table.entries), len(numbers))
		}
		for p, n := range counts {
			if got := tt.table.entries[numbers[p]].n; got != n {
				t.Errorf("%s: %v is counted %d times, want %d", tt.name, p, got, n)
			}
		}
	}
}
