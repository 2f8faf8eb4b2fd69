package app

import (
	"context"
	"fmt"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/eval"
	"touchstone/matching/weight"
)

// ModelContest sets a match model beside another one.
type ModelContest struct {
	Entity  string         `json:"entity"`
	A       string         `json:"a"`
	B       string         `json:"b"`
	PriorA  weight.Milli   `json:"prior_a_bits"`
	PriorB  weight.Milli   `json:"prior_b_bits"`
	Fields  []ContestField `json:"fields"`
	Pairs   int            `json:"pairs"`          // that keys found, and both weighed
	Share   float64        `json:"share"`          // of all such pairs
	Both    int            `json:"linked_by_both"` // at the link threshold of the configuration
	OnlyA   int            `json:"linked_by_a"`    // alone
	OnlyB   int            `json:"linked_by_b"`    // alone
	Changed []ContestPair  `json:"changed"`        // the strongest
	LabelsA *eval.OnLabels `json:"labels_a,omitempty"`
	LabelsB *eval.OnLabels `json:"labels_b,omitempty"`
}

// ContestField is one field's levels with the weights of both.
type ContestField struct {
	Field  string         `json:"field"`
	Levels []ContestLevel `json:"levels"`
}

// ContestLevel is one level's weight in both.
type ContestLevel struct {
	Level string       `json:"level"`
	A     weight.Milli `json:"a_bits"`
	B     weight.Milli `json:"b_bits"`
}

// ContestPair is a pair that changes side.
type ContestPair struct {
	RecordA string          `json:"record_a"`
	RecordB string          `json:"record_b"`
	WeightA weight.Milli    `json:"weight_a_bits"`
	WeightB weight.Milli    `json:"weight_b_bits"`
	Linked  bool            `json:"linked_by_b"`
	PartsA  []matching.Part `json:"parts_a"`
	PartsB  []matching.Part `json:"parts_b"`
}

// mostContested is how many pairs that change side are shown.
const mostContested = 10

// CompareModels sets two match models of one entity type beside each other: what
// they weigh, which pairs of the store change side, and how each does on labels.
// Nothing changes.
func (a *App) CompareModels(ctx context.Context, x, y string, from Labels) (c ModelContest, err error) {
	var models [2]*matching.Model
	for i, name := range [2]string{x, y} {
		m, err := a.Model(ctx, name)
		if err != nil {
			return c, err
		}
		if c.Entity != "" && c.Entity != m.Entity {
			return c, unclear("%s is a model of %s and %s of %s", x, wordOf("entity", c.Entity), y, wordOf("entity", m.Entity))
		}
		c.Entity = m.Entity
		if models[i], err = matching.DecodeModel(m.Model); err != nil {
			return c, err
		}
	}
	c.A, c.B = models[0].Version, models[1].Version
	c.weights(models)
	link := float64(a.thresholds(c.Entity).Link)
	if link == 0 {
		return c, fmt.Errorf("entity type %q is not configured: %w", c.Entity, record.ErrNotFound)
	}
	least := models[0].Threshold(link) // a probability: the same for every model
	if err := a.contend(ctx, &c, models, least); err != nil {
		return c, err
	}
	list, err := a.labels(ctx, c.Entity, from)
	if err != nil {
		return c, err
	}
	known, err := a.labelledFeatures(ctx, c.Entity, list)
	if err != nil || len(known) == 0 {
		return c, err
	}
	for i, to := range []**eval.OnLabels{&c.LabelsA, &c.LabelsB} {
		var judged []eval.Judged
		for _, l := range known {
			judged = append(judged, eval.Judged{Weight: models[i].Weigh(l.A, l.B).Total, Same: l.Same})
		}
		on := eval.Labelled(judged, least)
		*to = &on
	}
	return c, nil
}

func (c *ModelContest) weights(models [2]*matching.Model) {
	priorA, fa := models[0].Weights()
	priorB, fb := models[1].Weights()
	c.PriorA, c.PriorB = weight.Milli(priorA), weight.Milli(priorB)
	for i, f := range fa { // both have the fields and levels of the entity type
		cf := ContestField{Field: f.Field}
		for k, l := range f.Levels {
			cf.Levels = append(cf.Levels, ContestLevel{l.Level, weight.Milli(l.Weight), weight.Milli(fb[i].Levels[k].Weight)})
		}
		c.Fields = append(c.Fields, cf)
	}
}

func (a *App) contend(ctx context.Context, c *ModelContest, models [2]*matching.Model, link int32) error {
	shared, err := a.Store.Shared(ctx, c.Entity, nil)
	if err != nil {
		return err
	}
	var sample matching.Sample
	err = a.Store.EachFeatures(ctx, c.Entity, func(_ int64, f []byte) error {
		sample.Add(f)
		return nil
	})
	if err != nil {
		return err
	}
	found, err := matching.Contend(models[0], models[1], link, link, sample.Records(), shared.Has, mostContested, ctx.Err)
	if err != nil {
		return err
	}
	recs, err := a.recordsOf(ctx, c.Entity, found.Changed)
	if err != nil {
		return err
	}
	c.Pairs, c.Share, c.Both, c.OnlyA, c.OnlyB, c.Changed = found.Pairs, found.Share, found.Both, found.OnlyOld, found.OnlyNew, []ContestPair{}
	var named []int64
	for _, x := range found.Changed {
		named = append(named, recs[string(x.A)], recs[string(x.B)])
	}
	refs, err := a.Store.Refs(ctx, named)
	if err != nil {
		return err
	}
	for _, x := range found.Changed {
		if recs[string(x.A)] == 0 || recs[string(x.B)] == 0 {
			continue // it has changed meanwhile
		}
		f, err := matching.DecodeFeatures(x.A)
		if err != nil {
			return fmt.Errorf("compare models: %w", err)
		}
		g, err := matching.DecodeFeatures(x.B)
		if err != nil {
			return fmt.Errorf("compare models: %w", err)
		}
		f, g = f.Share(shared.Has), g.Share(shared.Has)
		c.Changed = append(c.Changed, ContestPair{
			RecordA: a.refName(refs[recs[string(x.A)]]), RecordB: a.refName(refs[recs[string(x.B)]]), WeightA: weight.Milli(x.Old), WeightB: weight.Milli(x.New), Linked: x.Linked,
			PartsA: worded(models[0].Explain(f, g)), PartsB: worded(models[1].Explain(f, g)),
		})
	}
	return nil
}

// recordsOf finds the records whose features these pairs are of, of equal ones the
// first: so that not every record's name is held while pairs are looked for.
func (a *App) recordsOf(ctx context.Context, entity string, pairs []matching.Changed) (map[string]int64, error) {
	recs := map[string]int64{}
	for _, x := range pairs {
		recs[string(x.A)], recs[string(x.B)] = 0, 0
	}
	if len(recs) == 0 {
		return recs, nil
	}
	return recs, a.Store.EachFeatures(ctx, entity, func(rec int64, f []byte) error {
		if first, wanted := recs[string(f)]; wanted && first == 0 {
			recs[string(f)] = rec
		}
		return nil
	})
}
