package matching_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"touchstone/matching"
	"touchstone/matching/live"
)

// answersOf draws labels from a set's truth: matches and others, in turn, by the
// order of the records.
func answersOf(set labelled, features []*matching.Features, n int) (out []matching.Labelled) {
	for i := 0; i < len(features) && len(out) < n; i += 3 {
		for j := i + 1; j < len(features); j++ {
			if set.cluster[i] == set.cluster[j] {
				k := (i*7 + 11) % len(features)
				if set.cluster[k] != set.cluster[i] {
					out = append(out, matching.Labelled{A: features[i], B: features[j], Same: true}, matching.Labelled{A: features[i], B: features[k]})
				}
				break
			}
		}
	}
	return out
}

// TestLabelsJoinTheTraining: with a hundred labels a model is fitted that does no
// worse, whatever their order; levels that are judged by their meaning stay; the
// figures say what the labels did, and which weight reaches which precision.
func TestLabelsJoinTheTraining(t *testing.T) {
	for _, name := range []string{"company_mixed_2k", "person_zh_2k"} {
		set := load(t, name)
		features := set.features()
		labels := answersOf(set, features, 100)
		fit := func(labels []matching.Labelled) (*matching.Model, *matching.Figures, float64) {
			gathered, share, err := matching.Gather(model(t, set.entity), packedOf(set, matching.LeastRecords), never, goOn)
			if err != nil {
				t.Fatal(err)
			}
			gathered.Label(labels)
			m, figures, err := gathered.Fit(share)
			if err != nil {
				t.Fatal(err)
			}
			r := live.New(live.Config{Model: m, Link: m.Threshold(0.95)})
			for i, f := range features {
				r.Upsert(set.refs[i], f)
			}
			return m, figures, scored(set, r.Partition()).f1
		}
		plain, without, before := fit(nil)
		m, figures, after := fit(labels)
		t.Logf("%s: F1 %.4f without labels, %.4f with %d", name, before, after, len(labels))
		if after < before-0.003 {
			t.Errorf("%s: F1 %.4f with labels, %.4f without", name, after, before)
		}
		if without.Labels != nil || figures.Labels == nil || figures.Labels.Same != 50 || figures.Labels.Different != 50 || figures.Labels.After > figures.Labels.Before || len(figures.Labels.Thresholds) != 3 {
			t.Errorf("%s: figures of labels %+v; without labels %+v", name, figures.Labels, without.Labels)
		}
		if d := figures.PriorWeight - without.PriorWeight; d > 500 || d < -500 {
			t.Errorf("%s: labels moved the prior by %d", name, d)
		}
		if plain.Version == m.Version {
			t.Errorf("%s: a hundred labels change nothing", name)
		}
		slices.Reverse(labels)
		again, _, _ := fit(labels)
		x, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if y, err := json.Marshal(again); err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s: another order of labels gives another model (%v)", name, err)
		}
		for i, f := range figures.Fields {
			for k, l := range f.Levels {
				if (f.Field == "branch" || f.Field == "trade") && l.Level == "different" && l.Weight != without.Fields[i].Levels[k].Weight {
					t.Errorf("%s: labels moved %s %s, which is judged by its meaning", name, f.Field, l.Level)
				}
			}
		}
	}
}

// TestModelsContend: a model beside itself changes nothing; one that thinks
// little of phones parts pairs, and they are named with their weights.
func TestModelsContend(t *testing.T) {
	set := load(t, "company_mixed_2k")
	start := model(t, set.entity)
	link := start.Threshold(0.95)
	c, err := matching.Contend(start, start, link, link, packedOf(set, 0), never, 10, goOn)
	if err != nil || c.Pairs == 0 || c.Both == 0 || c.OnlyOld+c.OnlyNew+len(c.Changed) != 0 {
		t.Errorf("a model beside itself: %+v, %v", c, err)
	}
	fittedModel, _ := fitted(t, set.entity, packedOf(set, matching.LeastRecords))
	c, err = matching.Contend(start, fittedModel, link, link, packedOf(set, 0), never, 3, goOn)
	if err != nil || c.OnlyOld+c.OnlyNew == 0 || len(c.Changed) != min(3, c.OnlyOld+c.OnlyNew) {
		t.Fatalf("a fitted model beside the start: %+v, %v", c, err)
	}
	for _, x := range c.Changed {
		a, err := matching.DecodeFeatures(x.A)
		if err != nil {
			t.Fatal(err)
		}
		b, err := matching.DecodeFeatures(x.B)
		if err != nil {
			t.Fatal(err)
		}
		v, w := start.Weigh(a.Share(never), b.Share(never)).Total, fittedModel.Weigh(a.Share(never), b.Share(never)).Total
		if v != x.Old || w != x.New || (v >= link) == (w >= link) || x.Linked != (w >= link) {
			t.Errorf("changed %d → %d, linked %v; weighed again %d → %d", x.Old, x.New, x.Linked, v, w)
		}
	}
}
