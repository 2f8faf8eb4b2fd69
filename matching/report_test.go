package matching_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/block"
)

// report writes the wrong and missed pairs, each explained, to a file per set in
// the folder named in TOUCHSTONE_REPORT: what to read when a floor falls.
func report(t *testing.T, set labelled, groups [][]record.Ref) {
	t.Helper()
	dir := os.Getenv("TOUCHSTONE_REPORT")
	if dir == "" {
		return
	}
	var out strings.Builder
	m, _ := matching.StartModel(set.entity)
	features := set.features()
	group := map[record.Ref]int{}
	for i, g := range groups {
		for _, r := range g {
			group[r] = i
		}
	}
	noKey := 0
	for i := range set.refs {
		for j := i + 1; j < len(set.refs); j++ {
			together, truth := group[set.refs[i]] == group[set.refs[j]], set.cluster[i] == set.cluster[j]
			if together == truth {
				continue
			}
			shared := block.Shared(features[i].Keys(), features[j].Keys())
			if truth && len(shared) == 0 {
				noKey++
			}
			kind := "missed"
			if together {
				kind = "wrong"
			}
			veto, _ := m.Veto(features[i], features[j])
			fmt.Fprintf(&out, "%s %v %v total %d veto %q keys %d\n", kind, set.refs[i].ID, set.refs[j].ID, m.Weigh(features[i], features[j]).Total, veto, len(shared))
			for _, p := range m.Explain(features[i], features[j]) {
				fmt.Fprintf(&out, "    %-14s %-24s %6d  %s | %s\n", p.Field, p.Level, p.Weight, p.A, p.B)
			}
		}
	}
	fmt.Fprintf(&out, "missed pairs without a shared key: %d\n", noKey)
	if err := os.WriteFile(filepath.Join(dir, set.name+".txt"), []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
