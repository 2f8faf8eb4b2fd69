package fit

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var threeWeights = [][]int32{{0, 6000, 3000, -4000}, {0, 3000, -3000}, {0, 8000, 4000, -3000}, {0, 1500, -2500}}

// TestTuneFollowsLabels: field a says less than was thought, c more; a hundred
// labels move both in their direction, keep the order of levels, and leave a
// field alone that no label shows.
func TestTuneFollowsLabels(t *testing.T) {
	var labels []Labelled
	for range 25 {
		labels = append(labels, Labelled{Levels: []uint8{1, 0, 3, 1}}, Labelled{Levels: []uint8{3, 0, 1, 1}, Same: true},
			Labelled{Levels: []uint8{1, 0, 1, 1}, Same: true}, Labelled{Levels: []uint8{3, 0, 3, 2}})
	}
	got, err := Tune(three, threeWeights, -4000, labels, nil, TuneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Weights[0][1] >= threeWeights[0][1] || got.Weights[2][1] <= threeWeights[2][1] || got.After >= got.Before {
		t.Errorf("weights %v of %v, loss %.3f of %.3f: want a to weigh less, c more, and less loss", got.Weights, threeWeights, got.After, got.Before)
	}
	if d := cmp.Diff(threeWeights[1], got.Weights[1]); d != "" {
		t.Errorf("a field that no label has moved:\n%s", d)
	}
	for i, row := range got.Weights {
		if row[0] != 0 || !slices.IsSortedFunc(row[1:], func(a, b int32) int { return int(b - a) }) {
			t.Errorf("field %s: %v is out of order", three[i].Name, row)
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(labels), func(i, j int) { labels[i], labels[j] = labels[j], labels[i] })
	again, err := Tune(three, threeWeights, -4000, labels, nil, TuneOptions{})
	if d := cmp.Diff(got, again); err != nil || d != "" {
		t.Errorf("another order of labels, another result (%v):\n%s", err, d)
	}
}

// TestTuneIsHeldByThePrior: one label, and labels that agree with the weights,
// move next to nothing; labels that contradict one another neither.
func TestTuneIsHeldByThePrior(t *testing.T) {
	agree := []Labelled{{Levels: []uint8{1, 1, 1, 1}, Same: true}, {Levels: []uint8{3, 2, 3, 2}}}
	torn := []Labelled{{Levels: []uint8{2, 1, 2, 1}, Extra: -6500, Same: true}, {Levels: []uint8{2, 1, 2, 1}, Extra: -6500}}
	for name, labels := range map[string][]Labelled{"agreeing": agree, "torn": torn} {
		got, err := Tune(three, threeWeights, -4000, labels, nil, TuneOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range got.Weights {
			for l, w := range row {
				if math.Abs(float64(w-threeWeights[i][l])) > 1000 {
					t.Errorf("%s: field %s level %d moved from %d to %d", name, three[i].Name, l, threeWeights[i][l], w)
				}
			}
		}
	}
}

// TestUnlabelledPairsHoldBack: a single match that looks like none would draw
// its likes in; a thousand unlabelled pairs of that kind hold it.
func TestUnlabelledPairsHoldBack(t *testing.T) {
	labels := []Labelled{{Levels: []uint8{3, 2, 1, 1}, Same: true}, {Levels: []uint8{1, 1, 1, 1}, Same: true}, {Levels: []uint8{3, 2, 3, 2}}}
	alone, err := Tune(three, threeWeights, -8000, labels, nil, TuneOptions{})
	if err != nil {
		t.Fatal(err)
	}
	held, err := Tune(three, threeWeights, -8000, labels, []Cell{{Levels: []uint8{3, 2, 1, 1}, Count: 1000}, {Levels: []uint8{1, 1, 1, 1}, Count: 100}}, TuneOptions{Anchor: 1})
	if err != nil {
		t.Fatal(err)
	}
	sum := func(w [][]int32) int32 { return w[0][3] + w[1][2] + w[2][1] + w[3][1] }
	if sum(held.Weights) >= sum(alone.Weights) || sum(alone.Weights) <= sum(threeWeights) {
		t.Errorf("the pattern weighs %d before, %d by the label alone, %d held: want it raised, and less when held", sum(threeWeights), sum(alone.Weights), sum(held.Weights))
	}
}

func TestOneKindOfAnswerTunesNothing(t *testing.T) {
	for _, labels := range [][]Labelled{nil, {{Levels: []uint8{1, 1, 1, 1}, Same: true}}, {{Levels: []uint8{1, 1, 1, 1}}}} {
		if _, err := Tune(three, threeWeights, 0, labels, nil, TuneOptions{}); !errors.Is(err, ErrOneAnswer) {
			t.Errorf("%d labels: %v, want ErrOneAnswer", len(labels), err)
		}
	}
}

// TestKnownPairsCountAsWhatTheyAre: a hundred known matches that differ in c
// teach that matches do, and leave the prior alone.
func TestKnownPairsCountAsWhatTheyAre(t *testing.T) {
	cells := drawn(20_000, 0.05, 7)
	plain, err := Fit(three, cells, trueU, Options{Total: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	known := append(slices.Clone(cells), Cell{Levels: []uint8{1, 1, 3, 1}, Count: 300, Known: KnownMatch}, Cell{Levels: []uint8{1, 1, 1, 1}, Count: 300, Known: KnownOther})
	got, err := Fit(three, known, trueU, Options{Total: 20_000})
	if err != nil {
		t.Fatal(err)
	}
	if got.M[2][3] < plain.M[2][3]+0.1 {
		t.Errorf("m of different went from %.3f to %.3f with 300 known matches beside %.0f found", plain.M[2][3], got.M[2][3], plain.Matches)
	}
	if math.Abs(got.Prior-plain.Prior) > 0.005 {
		t.Errorf("labels moved the prior from %.4f to %.4f", plain.Prior, got.Prior)
	}
}
