package matching

import (
	"cmp"
	"fmt"
	"slices"
)

// FieldWeights are the weights of one field's levels, the closest first.
type FieldWeights struct {
	Field  string        `json:"field"`
	Levels []LevelWeight `json:"levels"`
}

// LevelWeight is the weight of one level in 1/1000 bit.
type LevelWeight struct {
	Level  string `json:"level"`
	Weight int32  `json:"weight"`
}

// Weights lists what the model weighs, and its prior.
func (m *Model) Weights() (prior int32, fields []FieldWeights) {
	for i, f := range m.fields {
		fw := FieldWeights{Field: f.name}
		for l := 1; l < len(f.levels); l++ {
			fw.Levels = append(fw.Levels, LevelWeight{f.levels[l], m.weights[i][l]})
		}
		fields = append(fields, fw)
	}
	return m.prior, fields
}

// Contest is what two models make of the same pairs.
type Contest struct {
	Pairs   int     // that keys found, and were weighed
	Share   float64 // which part of all such pairs they are
	Both    int     // linked by both models
	OnlyOld int     // linked by the first alone
	OnlyNew int     // linked by the second alone
	Changed []Changed
}

// Changed is a pair that one model links and the other does not.
type Changed struct {
	A, B     []byte // the features as they were handed in
	Old, New int32  // weights in 1/1000 bit
	Linked   bool   // by the second model
}

// Contend weighs the pairs that keys find among records, given as binary
// features, by two models of one entity type, each with its threshold; a veto
// keeps a pair apart. It keeps the pairs that change side most, at most so many.
// It does not depend on the order of the records. Stop is asked now and then.
func Contend(old, challenger *Model, oldLink, newLink int32, packed [][]byte, shared func(value uint64) bool, most int, stop func() error) (Contest, error) {
	g := newGathering(old, packed, shared, stop)
	for _, step := range []func() error{g.records, g.candidates} {
		if err := step(); err != nil {
			return Contest{}, fmt.Errorf("compare models: %w", err)
		}
	}
	c := Contest{Pairs: len(g.pairs), Share: g.share}
	for i, p := range g.pairs {
		if err := g.ask(i); err != nil {
			return c, err
		}
		a, b, err := g.pair(uint32(p>>32), uint32(p))
		if err != nil {
			return c, err
		}
		v, w := old.Weigh(a, b).Total, challenger.Weigh(a, b).Total
		_, veto := old.Veto(a, b)
		was, is := v >= oldLink && !veto, w >= newLink && !veto
		switch {
		case was && is:
			c.Both++
			continue
		case was:
			c.OnlyOld++
		case is:
			c.OnlyNew++
		default:
			continue
		}
		c.keep(Changed{g.packed[p>>32], g.packed[uint32(p)], v, w, is}, most)
	}
	c.cut(most)
	return c, nil
}

// keep bounds what is kept.
func (c *Contest) keep(x Changed, most int) {
	if c.Changed = append(c.Changed, x); len(c.Changed) > 100*max(most, 1) {
		c.cut(most)
	}
}

func (c *Contest) cut(most int) {
	slices.SortStableFunc(c.Changed, func(x, y Changed) int { return cmp.Compare(distance(y.Old, y.New), distance(x.Old, x.New)) })
	c.Changed = c.Changed[:min(len(c.Changed), most)]
}
