package dedupe

import (
	"cmp"
	"math"
	"slices"
	"unicode"

	"touchstone/matching/block"
	"touchstone/matching/compare"
)

// A name that stands alone has to say by its words who is meant. Three things
// are learnt of them from the list itself: which words are spellings of one
// word, which are left out as often as not (a legal form, a town, "royal"), and
// how common each is, all its spellings together.
type loneWords struct {
	class    []uint32 // word → the word it is a spelling of
	optional []bool   // by class
}

const (
	// hubTimes is how much commoner a word must be for another to be its slip.
	hubTimes = 3
	// maxHubs bounds how many common words of one beginning a word is compared with.
	maxHubs = 100
	// leastRemainders is how many names must be there with a word and without it
	// for the word to be one that may be left out; not all of one brand.
	leastRemainders = 3
	optionalRounds  = 3 // Amsterdam is seen to be optional once V is: ACME AMSTERDAM V beside ACME
	// optionalShare is what is left of the weight of a word that may be left out.
	optionalShare = 0.3
)

// lonely prepares the words of a lone name's column.
func (p *prepared) lonely() {
	l := &loneWords{class: p.spellings(), optional: make([]bool, len(p.words))}
	spread := make([]int32, len(p.words))
	for id, n := range p.spread {
		spread[l.class[id]] += n
	}
	for code := range p.values {
		v := &p.values[code]
		v.norm = 0
		for i := range v.toks {
			t := &v.toks[i]
			t.weight = float32(math.Log(1 + float64(p.filled)/float64(max(spread[l.class[t.id]], 1))))
			if n := len(p.words[t.id]); n == 1 && p.words[t.id][0] < 0x2e80 {
				t.weight /= 2
			}
			v.norm += float64(t.weight) * float64(t.weight)
		}
		v.norm = math.Sqrt(v.norm)
		slices.SortFunc(v.toks, func(a, b token) int {
			return cmp.Or(cmp.Compare(b.weight, a.weight), slices.Compare(p.words[a.id], p.words[b.id]))
		})
	}
	for range optionalRounds {
		p.leftOut(l)
	}
	p.lone = l
}

// spellings gives each word the commonest word that it may be a slip or a
// shorter form of.
func (p *prepared) spellings() []uint32 {
	order := make([]uint32, len(p.words))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(p.spread[b], p.spread[a]), slices.Compare(p.words[a], p.words[b]))
	})
	class := make([]uint32, len(p.words))
	hubs := map[string][]uint32{} // by the first three letters, the commonest first
	for _, id := range order {
		class[id] = id
		w := p.words[id]
		if len(w) < 5 || w[0] >= 0x2e80 || slices.ContainsFunc(w, unicode.IsDigit) {
			continue
		}
		start := string(w[:3])
		for _, h := range hubs[start] {
			if p.spread[h] >= hubTimes*p.spread[id] && spelling(p.words[h], w) {
				class[id] = class[h]
				break
			}
		}
		if len(hubs[start]) < maxHubs {
			hubs[start] = append(hubs[start], id)
		}
	}
	return class
}

// spelling says whether one word may be the other with a slip, or its
// beginning.
func spelling(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	switch {
	case len(a) >= 6 && slices.Equal(a, b[:len(a)]):
		return true
	case len(a) >= 8:
		return compare.OSA(a, b, 2) <= 2
	}
	return len(a) >= 5 && compare.OSA(a, b, 1) <= 1
}

// leftOut finds the words without which the rest of the name is a name of the
// list too.
func (p *prepared) leftOut(l *loneWords) {
	type without struct {
		name  uint64 // what is left
		brand uint32 // its weightiest word
	}
	sets := make([][]uint32, len(p.values)) // of each value, the classes that are no optional ones
	known := map[uint64]uint32{}
	for code := range p.values {
		for _, t := range p.values[code].toks {
			if c := l.class[t.id]; !l.optional[c] && !slices.Contains(sets[code], c) {
				sets[code] = append(sets[code], c)
			}
		}
		if s := sets[code]; len(s) > 0 {
			known[setHash(s)] = s[0]
		}
	}
	found := make([][]without, len(p.words))
	for _, s := range sets {
		if len(s) < 2 {
			continue
		}
		whole := setHash(s)
		for _, c := range s {
			rest := whole ^ mix(uint64(c)+1)
			brand, ok := known[rest]
			if w := (without{rest, brand}); ok && len(found[c]) < 64 && !slices.Contains(found[c], w) {
				found[c] = append(found[c], w)
			}
		}
	}
	for c, list := range found {
		brands := map[uint32]bool{}
		for _, w := range list {
			brands[w.brand] = true
		}
		l.optional[c] = l.optional[c] || len(list) >= leastRemainders && len(brands) > 1 && !slices.ContainsFunc(p.words[c], unicode.IsDigit)
	}
}

// setHash is that of a set of words: their order does not matter.
func setHash(s []uint32) (h uint64) {
	for _, c := range s {
		h ^= mix(uint64(c) + 1)
	}
	return h
}

// likenessAlone is likeness for a lone name. A word that may be left out weighs
// little where the other name has none in its place.
func (p *prepared) likenessAlone(x, y *value) float64 {
	if y.fold < x.fold {
		x, y = y, x // which word finds which partner must not depend on the side
	}
	var matchX, matchY [maxTokens]bool
	sum := 0.0
	pairUp := func(like func(a, b *token) float64) {
		for i := range x.toks {
			for j := range y.toks {
				if matchX[i] || matchY[j] {
					continue
				}
				a, b := &x.toks[i], &y.toks[j]
				if s := like(a, b); s > 0 {
					matchX[i], matchY[j] = true, true
					w := float64(min(a.weight, b.weight))
					sum += s * w * w
				}
			}
		}
	}
	pairUp(func(a, b *token) float64 {
		if p.lone.class[a.id] == p.lone.class[b.id] {
			return 1
		}
		return 0
	})
	pairUp(func(a, b *token) float64 {
		v, w := p.words[a.id], p.words[b.id]
		return max(wordLikeness(v, w), contraction(v, w))
	})
	nx, openX := p.norm(x, matchX[:])
	ny, openY := p.norm(y, matchY[:])
	if openX == 0 || openY == 0 { // one side has all the other has
		nx, ny = nx-openX*(1-optionalShare*optionalShare), ny-openY*(1-optionalShare*optionalShare)
	}
	if nx <= 0 || ny <= 0 {
		return 0
	}
	return min(sum/math.Sqrt(nx*ny), 1)
}

// norm is the squared length of a name's words, and open the part of it that
// words make which found no partner and may be left out. Letters that stand
// alone do not count there: they are always forgiven.
func (p *prepared) norm(v *value, matched []bool) (all, open float64) {
	for i := range v.toks {
		t := &v.toks[i]
		w := float64(t.weight) * float64(t.weight)
		if !matched[i] && p.lone.optional[p.lone.class[t.id]] {
			if len(p.words[t.id]) <= 2 {
				w *= optionalShare * optionalShare
			} else {
				open += w
			}
		}
		all += w
	}
	return all, open
}

// contraction: the letters of the shorter stand in the longer in their order,
// the first and the last at its ends: MIJ is MAATSCHAPPIJ, MFG MANUFACTURING.
func contraction(a, b []rune) float64 {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 3 || len(b) < 2*len(a) || a[0] >= 0x2e80 || a[0] != b[0] || a[len(a)-1] != b[len(b)-1] || slices.ContainsFunc(b, unicode.IsDigit) {
		return 0
	}
	i := 0
	for _, r := range b {
		if i < len(a) && r == a[i] {
			i++
		}
	}
	if i < len(a) {
		return 0
	}
	return 0.5
}

// Bounds of the lists of different names: one row stands for all that have the
// name.
const (
	fewNames = 20_000
	namesCap = 400
)

// nameKeys are the words of a lone name, of one unit a name: a brand that
// hundreds of rows have is a list too long for rows.
type nameKeys struct {
	field *evidence
	first []bool   // by unit, whether it stands for its name
	words []uint64 // by class of words; 0 for one too short
	rule  uint8
}

func (m *keyMaker) addNames(add addRule) {
	k := m.e.lone()
	if k < 0 {
		return
	}
	f := &m.e.fields[k]
	n := &nameKeys{field: f, first: make([]bool, len(m.e.u.first)), words: make([]uint64, len(f.values.words))}
	limit := namesCap
	if len(f.values.values) > fewNames {
		limit = valueCap
	}
	seen := set{}
	for i, row := range m.e.u.first {
		if v := &f.values.values[f.column.code(row)]; v.ok {
			n.first[i] = seen.add(hash(v.fold))
		}
	}
	for c, word := range f.values.words {
		if len(word) > 2 {
			n.words[c] = block.Hash("name word", f.Name, string(word))
		}
	}
	m.names = n
	add(rule{name: "names with a word of " + f.Name, forced: 1 << k, limit: limit}, func(number uint8) { n.rule = number })
}

func (n *nameKeys) append(unit int, row int32, dst []key) []key {
	if n == nil || !n.first[unit] {
		return dst
	}
	for _, t := range n.field.values.values[n.field.column.code(row)].toks {
		if h := n.words[n.field.values.lone.class[t.id]]; h != 0 {
			dst = append(dst, key{coarse: h, rule: n.rule})
		}
	}
	return dst
}
