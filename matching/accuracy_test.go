package matching_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/live"
)

// score is the clustered pairwise score: every true pair counts, so pairs lost
// in blocking are misses.
type score struct{ precision, recall, f1 float64 }

func scored(set labelled, groups [][]record.Ref) score {
	truth := map[record.Ref]string{}
	size := map[string]int{}
	for i, r := range set.refs {
		truth[r] = set.cluster[i]
		size[set.cluster[i]]++
	}
	pairs := func(n int) int { return n * (n - 1) / 2 }
	all, found, hit := 0, 0, 0
	for _, n := range size {
		all += pairs(n)
	}
	for _, g := range groups {
		found += pairs(len(g))
		in := map[string]int{}
		for _, r := range g {
			in[truth[r]]++
		}
		for _, n := range in {
			hit += pairs(n)
		}
	}
	p, r := float64(hit)/float64(max(found, 1)), float64(hit)/float64(all)
	return score{p, r, 2 * p * r / (p + r)}
}

func resolved(t testing.TB, set labelled) [][]record.Ref {
	t.Helper()
	m, ok := matching.StartModel(set.entity)
	if !ok {
		t.Fatalf("no start model for %s", set.entity)
	}
	r := live.New(live.Config{Model: m, Link: m.Threshold(0.95)})
	for i, f := range set.features() {
		r.Upsert(set.refs[i], f)
	}
	return r.Partition()
}

// The floors hold the start models with their default threshold, without
// labels. TOUCHSTONE_SETS may name further folders with records.csv and
// truth.csv, which must hold the general floor.
func TestStartModelsHoldTheirFloors(t *testing.T) {
	type floor struct {
		set           labelled
		f1, precision float64
	}
	floors := []floor{
		{load(t, "febrl1"), 0.988, 0.99},
		{load(t, "fake_1000"), 0.90, 0.99},
		{load(t, "company_mixed_2k"), 0.976, 0.99},
		{load(t, "person_zh_2k"), 0.966, 0.988},
	}
	for dir := range strings.SplitSeq(os.Getenv("TOUCHSTONE_SETS"), ":") {
		if dir != "" {
			set := loadFiles(t, filepath.Base(dir), filepath.Join(dir, "records.csv"), filepath.Join(dir, "truth.csv"))
			floors = append(floors, floor{set, 0.85, 0.95})
		}
	}
	for _, tt := range floors {
		groups := resolved(t, tt.set)
		s := scored(tt.set, groups)
		t.Logf("%-24s P %.4f  R %.4f  F1 %.4f", tt.set.name, s.precision, s.recall, s.f1)
		if s.f1 < tt.f1 || s.precision < tt.precision {
			t.Errorf("%s: F1 %.4f, precision %.4f; want at least %.3f and %.3f", tt.set.name, s.f1, s.precision, tt.f1, tt.precision)
		}
		report(t, tt.set, groups)
	}
}
