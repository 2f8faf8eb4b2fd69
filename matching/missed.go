package matching

import (
	"cmp"
	"slices"
)

// MissedKey is one rule of blocking by which a pair could have met, and did not:
// the values that each record has for it. None on one side: the record lacks
// what the rule needs.
type MissedKey struct {
	Rule string   `json:"rule"`
	A    []string `json:"a"`
	B    []string `json:"b"`
}

// MissedKeys lists the rules of which at least one of two records has keys and
// that gave no common one, by name.
func (m *Model) MissedKeys(a, b *Features) []MissedKey {
	var out []MissedKey
	at := func(rule string) *MissedKey {
		i := slices.IndexFunc(out, func(m MissedKey) bool { return m.Rule == rule })
		if i < 0 {
			i = len(out)
			out = append(out, MissedKey{Rule: rule, A: []string{}, B: []string{}})
		}
		return &out[i]
	}
	x, y := m.Keys(a), m.Keys(b)
	for _, k := range x {
		if m := at(k.Rule); !slices.Contains(m.A, k.Text) {
			m.A = append(m.A, k.Text)
		}
	}
	for _, k := range y {
		if m := at(k.Rule); !slices.Contains(m.B, k.Text) {
			m.B = append(m.B, k.Text)
		}
	}
	out = slices.DeleteFunc(out, func(m MissedKey) bool {
		return slices.ContainsFunc(m.A, func(t string) bool { return slices.Contains(m.B, t) })
	})
	for _, m := range out {
		slices.Sort(m.A)
		slices.Sort(m.B)
	}
	slices.SortFunc(out, func(x, y MissedKey) int { return cmp.Compare(x.Rule, y.Rule) })
	return out
}
