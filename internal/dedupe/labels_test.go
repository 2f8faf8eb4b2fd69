package dedupe_test

import (
	"bytes"
	gocmp "cmp"
	"fmt"
	"hash/fnv"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/dedupe"
	"touchstone/matching/label"
)

func truthOf(t testing.TB, set string) label.Truth {
	t.Helper()
	var b bytes.Buffer
	for _, r := range readRows(t, filepath.Join(testdata, set+"_truth.csv")) {
		b.WriteString(strings.Join(r, ",") + "\n")
	}
	truth, err := label.ReadTruth(&b, set)
	if err != nil {
		t.Fatal(err)
	}
	return truth
}

// draw takes labels out of a truth: n pairs of one cluster, then n of two, each
// chosen by the hash of its ids and the seed.
func draw(t testing.TB, truth label.Truth, n int, seed uint64) []label.Pair {
	t.Helper()
	type drawn struct {
		label.Pair
		hash uint64
	}
	var same, different []drawn
	add := func(to *[]drawn, a, b string, answer label.Answer) {
		p := label.Pair{A: min(a, b), B: max(a, b), Answer: answer}
		*to = append(*to, drawn{p, hashOfPair(seed, p.A, p.B)})
	}
	for _, a := range truth.IDs {
		for _, b := range truth.IDs {
			if a < b && truth.Cluster[a] == truth.Cluster[b] {
				add(&same, a, b, label.Same)
			}
		}
		if b := truth.IDs[hashOfPair(seed+1, a, "")%uint64(len(truth.IDs))]; truth.Cluster[a] != truth.Cluster[b] {
			add(&different, a, b, label.Different)
		}
	}
	var out []label.Pair
	for _, list := range [][]drawn{same, different} {
		slices.SortFunc(list, func(x, y drawn) int {
			return gocmp.Or(gocmp.Compare(x.hash, y.hash), gocmp.Compare(x.A, y.A), gocmp.Compare(x.B, y.B))
		})
		list = slices.CompactFunc(list, func(x, y drawn) bool { return x.Key() == y.Key() })
		if len(list) < n {
			t.Fatalf("%d pairs to draw %d labels from", len(list), n)
		}
		for _, d := range list[:n] {
			out = append(out, d.Pair)
		}
	}
	return out
}

func hashOfPair(seed uint64, a, b string) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d\x00%s\x00%s", seed, a, b)
	return h.Sum64()
}

// TestLabelsTeach: a hundred labels drawn from the truth, whichever, make a hard
// set better; the clusters keep to them; their order does not matter.
func TestLabelsTeach(t *testing.T) {
	path := filepath.Join(testdata, "fake_1000.csv")
	truth := truthOf(t, "fake_1000")
	tab, plain := run(t, dedupe.Options{ID: "id", Workers: 2}, path)
	held, err := plain.Against(tab, "id", truth)
	if err != nil {
		t.Fatal(err)
	}
	before := held.Score().F1.Value
	for seed := range uint64(1) {
		pairs := draw(t, truth, 50, seed)
		known, err := tab.Known(pairs, "id", "labels")
		if err != nil {
			t.Fatal(err)
		}
		_, r := run(t, dedupe.Options{ID: "id", Workers: 2, Labels: known}, path)
		against, err := r.Against(tab, "id", truth)
		if err != nil {
			t.Fatal(err)
		}
		s := against.Score()
		t.Logf("seed %d: F1 %.4f with labels, %.4f without; precision %.4f, recall %.4f", seed, s.F1.Value, before, s.Precision.Value, s.Recall.Value)
		if s.F1.Value < before+0.003 || s.Precision.Value < 0.99 {
			t.Errorf("seed %d: F1 %.4f and precision %.4f with 100 labels; without F1 %.4f", seed, s.F1.Value, s.Precision.Value, before)
		}
		for _, k := range known {
			if together := r.Rows[k.A].Cluster == r.Rows[k.B].Cluster; together != k.Same {
				t.Errorf("seed %d: rows %d and %d stand together %v, the label says %v", seed, k.A, k.B, together, k.Same)
			}
		}
		back := make([]dedupe.Known, len(known))
		for i, k := range known {
			back[len(known)-1-i] = k
		}
		_, again := run(t, dedupe.Options{ID: "id", Workers: 1, Labels: back}, path)
		if d := cmp.Diff(r.Rows, again.Rows); d != "" {
			t.Errorf("seed %d: the labels in another order give another result", seed)
		}
	}
}

func TestLabelsOfOneKindAreTaken(t *testing.T) {
	path := filepath.Join(testdata, "fake_1000.csv")
	tab, _ := run(t, dedupe.Options{ID: "id"}, path)
	pairs := draw(t, truthOf(t, "fake_1000"), 5, 1)[:5]
	known, err := tab.Known(pairs, "id", "labels")
	if err != nil {
		t.Fatal(err)
	}
	if _, r := run(t, dedupe.Options{ID: "id", Labels: known}, path); r.Kept != "" || r.Clusters == 0 {
		t.Errorf("with five matches nothing is learnt: %q, %d clusters", r.Kept, r.Clusters)
	}
}
