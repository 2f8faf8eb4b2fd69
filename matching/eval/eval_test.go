package eval

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// brute counts pairs one by one, as the definitions say.
func brute(truth, found []int) (precision, recall, b3 float64) {
	var hit, t, f float64
	var bp, br float64
	for i := range truth {
		var same, inTruth, inFound float64
		for j := range truth {
			st, sf := truth[i] == truth[j], found[i] == found[j]
			if st {
				inTruth++
			}
			if sf {
				inFound++
			}
			if st && sf {
				same++
			}
			if j > i {
				t += b2f(st)
				f += b2f(sf)
				hit += b2f(st && sf)
			}
		}
		bp += same / inFound
		br += same / inTruth
	}
	n := float64(len(truth))
	return ratio(hit, f), ratio(hit, t), f1(bp/n, br/n)
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func TestScoreIsWhatTheDefinitionsSay(t *testing.T) {
	for seed := range uint64(20) {
		var truth, found []int
		for i := range uint64(60) {
			truth = append(truth, int(mix(seed<<20|i)%15))
			f := truth[i]
			if mix(seed<<30|i)%4 == 0 {
				f = int(mix(seed<<32|i) % 20)
			}
			found = append(found, f)
		}
		s := Of(truth, found)
		p, r, b3 := brute(truth, found)
		for name, pair := range map[string][2]float64{"precision": {s.Precision.Value, p}, "recall": {s.Recall.Value, r}, "F1": {s.F1.Value, f1(p, r)}, "B³": {s.B3.Value, b3}} {
			if math.Abs(pair[0]-pair[1]) > 1e-12 {
				t.Errorf("seed %d: %s is %v, by the definition %v", seed, name, pair[0], pair[1])
			}
		}
		for name, f := range map[string]Figure{"precision": s.Precision, "recall": s.Recall, "F1": s.F1, "B³": s.B3, "exact": s.Exact} {
			if f.Low > f.Value || f.High < f.Value || f.High-f.Low < 0.001 || f.Low < 0 || f.High > 1 {
				t.Errorf("seed %d: %s %v is no interval around the value", seed, name, f)
			}
		}
		if d := cmp.Diff(s, Of(truth, found)); d != "" {
			t.Errorf("seed %d: scored twice, it differs:\n%s", seed, d)
		}
	}
}

func TestEdgesOfScores(t *testing.T) {
	tests := []struct {
		name         string
		truth, found []int
		want         [5]float64
	}{
		{"all right", []int{1, 1, 2, 3}, []int{7, 7, 8, 9}, [5]float64{1, 1, 1, 1, 1}},
		{"nothing found", []int{1, 1, 2}, []int{1, 2, 3}, [5]float64{1, 0, 0, 0.8, 0}},
		{"all in one", []int{1, 1, 2, 2}, []int{5, 5, 5, 5}, [5]float64{1. / 3, 1, 0.5, 2. / 3, 0}},
		{"no pairs at all", []int{1, 2}, []int{1, 2}, [5]float64{1, 1, 1, 1, 1}},
		{"nothing", nil, nil, [5]float64{1, 1, 1, 1, 1}},
	}
	for _, tt := range tests {
		s := Of(tt.truth, tt.found)
		got := [5]float64{s.Precision.Value, s.Recall.Value, s.F1.Value, s.B3.Value, s.Exact.Value}
		for i := range got {
			if math.Abs(got[i]-tt.want[i]) > 1e-12 {
				t.Errorf("%s: precision, recall, F1, B³, exact are %v, want %v", tt.name, got, tt.want)
				break
			}
		}
	}
}

// TestIntervalsCover: the true recall lies within 19 of 20 intervals, or nearly.
func TestIntervalsCover(t *testing.T) {
	in := 0
	const runs = 100
	for seed := range uint64(runs) {
		var truth, found []int
		for c := range 300 { // clusters of two, four fifths of which are found
			truth = append(truth, c, c)
			f := 2*c + 1
			if mix(seed<<20|uint64(c))%5 == 0 {
				f = 2 * c
			}
			found = append(found, 2*c+1, f)
		}
		if r := Of(truth, found).Recall; r.Low <= 0.8 && 0.8 <= r.High {
			in++
		}
	}
	if in < 88 || in > 100 {
		t.Errorf("%d of %d intervals hold the true recall, want about 95", in, runs)
	}
}

func TestWilson(t *testing.T) {
	// Figures from the formula in Agresti and Coull 1998, and R's prop.test without correction.
	for _, tt := range []struct {
		hit, n int
		want   Figure
	}{{0, 10, Figure{0, 0, 0.2775}}, {10, 10, Figure{1, 0.7225, 1}}, {81, 263, Figure{0.3080, 0.2553, 0.3662}}, {0, 0, Figure{1, 0, 1}}} {
		got := Wilson(tt.hit, tt.n)
		if d := cmp.Diff(tt.want, got, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) < 1e-4 })); d != "" {
			t.Errorf("Wilson(%d, %d) (-want +got):\n%s", tt.hit, tt.n, d)
		}
	}
}

func TestLabelsAndThresholds(t *testing.T) {
	list := []Judged{{9000, true}, {8000, true}, {7000, true}, {6000, false}, {5000, true}, {5000, false}, {1000, true}, {-3000, false}}
	o := Labelled(list, 5000)
	if o.Same != 5 || o.Different != 3 || o.Linked != 6 || o.Precision.Value != 4./6 || o.Recall.Value != 4./5 {
		t.Errorf("at 5 bits: %+v, want 4 of 6 linked right and 4 of 5 matches found", o)
	}
	if r := Reaching(list, 0.99); !r.Found || r.Threshold != 7000 || r.Recall.Value != 3./5 {
		t.Errorf("precision 0.99 is reached at %+v, want from 7 bits on with recall 0.6", r)
	}
	if r := Reaching(list, 0.6); !r.Found || r.Threshold != 1000 {
		t.Errorf("precision 0.6 is reached at %+v, want from 1 bit on", r)
	}
	if r := Reaching([]Judged{{1, false}}, 0.5); r.Found {
		t.Errorf("no matches, and yet %+v", r)
	}
}

// TestLabelsOfOneWeightCountInAnyOrder: which of them comes first decides
// nothing.
func TestLabelsOfOneWeightCountInAnyOrder(t *testing.T) {
	want := Reach{Wanted: 0.5, Found: true, Threshold: 5000, Precision: Wilson(2, 3), Recall: Wilson(2, 2)}
	for _, list := range [][]Judged{
		{{9000, true}, {5000, true}, {5000, false}},
		{{9000, true}, {5000, false}, {5000, true}},
		{{5000, false}, {5000, true}, {9000, true}},
	} {
		if got := Reaching(list, 0.5); got != want {
			t.Errorf("Reaching(%v, 0.5) = %+v, want %+v", list, got, want)
		}
	}
}
