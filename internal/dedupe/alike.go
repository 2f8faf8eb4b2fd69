package dedupe

import (
	"cmp"
	"slices"

	"touchstone/matching/block"
	"touchstone/matching/compare"
)

// Texts that no model knows are also found by what is written alike: of a text's
// grams of three letters those that come first in several orders (MinHash). Each
// is a key, and with the next one another: the lists of two are shorter. Where
// the other keys find what these do, the planner leaves them out.
const (
	alikeBands = 6
	alikeGram  = 3
	alikeLeast = 8  // runes of a text
	alikeCap   = 24 // the longest list
	alikeMost  = 4  // columns, those of the most different words
	// alikeGain is how many likely matches for each unit such keys must find alone.
	alikeGain = 0.001
)

// alikeKeys are those of a column.
type alikeKeys struct {
	column *Column
	text   *prepared
	seed   uint64
	rule   uint8
}

func (m *keyMaker) addAlike(add addRule) {
	for k, p := range m.e.texts {
		c := m.e.textOf[k]
		if m.e.packOf(m.e.meaningOf(c)) == "" && p.meaning != List && p.lone == nil {
			m.alike = append(m.alike, alikeKeys{column: c, text: p, seed: hash("alike " + c.Name)})
		}
	}
	slices.SortFunc(m.alike, func(a, b alikeKeys) int {
		return cmp.Or(cmp.Compare(len(b.text.words), len(a.text.words)), cmp.Compare(a.column.Name, b.column.Name))
	})
	m.alike = m.alike[:min(len(m.alike), alikeMost)]
	for at, a := range m.alike {
		add(rule{name: "alike " + a.column.Name, forced: m.e.columnMask(a.column), limit: alikeCap, alike: true}, func(n uint8) { m.alike[at].rule = n })
	}
}

func (a *alikeKeys) append(row int32, dst []key) []key {
	v := &a.text.values[a.column.code(row)]
	if len(v.runes) < alikeLeast {
		return dst
	}
	var room [compare.Max]compare.Gram
	var firsts [2 * alikeBands]compare.Gram
	block.Firsts(compare.AppendGrams(room[:0], v.runes, alikeGram), firsts[:])
	for b := range alikeBands {
		coarse := mix(a.seed+uint64(b)) ^ mix(uint64(firsts[2*b]))
		dst = append(dst, key{coarse: coarse, rule: a.rule}, key{coarse: mix(coarse ^ mix(uint64(firsts[2*b+1])+1)), rule: a.rule})
	}
	return dst
}

// idle leaves out the keys of what is written alike where they would find too few
// likely matches that no other key does, by a sample of their pairs.
func (p *planner) idle() error {
	alike := func(g group) bool { return p.x.rules[g.rule()].alike }
	if !slices.ContainsFunc(p.x.rules, func(r rule) bool { return r.alike }) {
		return nil
	}
	if err := p.sample(alike); err != nil {
		return err
	}
	alone := 0.0
	for i := range p.draws {
		if d := &p.draws[i]; d.likely && !slices.ContainsFunc(d.groups, func(g group) bool { return !alike(g) }) {
			alone += d.weight
		}
	}
	p.draws = nil
	if alone >= alikeGain*float64(len(p.e.u.first)) {
		return nil
	}
	for g := range p.kept {
		if alike(group(g)) {
			p.kept[g] = false
		}
	}
	return nil
}
