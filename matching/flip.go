package matching

import (
	"cmp"
	"slices"
)

// Flip is one change of one field that would carry a pair over a threshold.
type Flip struct {
	Field    string
	From, To string // levels
	Weight   int32  // of the pair then
}

// Flips lists, for each field, the smallest change of its level that would take
// the pair from one side of the threshold to the other, the smallest first. A
// field that alone cannot do it is absent.
func (m *Model) Flips(a, b *Features, threshold int32) []Flip {
	var found [maxFields]found
	m.levels(a, b, &found)
	total := m.Weigh(a, b).Total
	var out []Flip
	for i, f := range m.fields {
		now := found[i].level
		best := Flip{}
		for k, level := range f.levels {
			then := total - m.weights[i][now&15] + m.weights[i][k&15]
			if k == int(now) || (then >= threshold) == (total >= threshold) {
				continue
			}
			if best.Field == "" || distance(then, total) < distance(best.Weight, total) {
				best = Flip{Field: f.name, From: f.levels[now], To: level, Weight: then}
			}
		}
		if best.Field != "" {
			out = append(out, best)
		}
	}
	slices.SortFunc(out, func(x, y Flip) int {
		return cmp.Or(cmp.Compare(distance(x.Weight, total), distance(y.Weight, total)), cmp.Compare(x.Field, y.Field))
	})
	return out
}

func distance(a, b int32) int64 {
	d := int64(a) - int64(b)
	return max(d, -d)
}
