package dedupe

import (
	"math"
	"slices"

	"touchstone/matching"
)

// pattern is the levels of a pair, four bits a field, with the fields that its
// keys forced.
type pattern struct {
	levels [2]uint64
	forced uint64
}

// levelOf is the level of field k.
func levelOf(levels [2]uint64, k int) uint8 { return uint8(levels[k/16]>>(4*(k%16))) & 15 }

func (p pattern) unpack(n int) []uint8 {
	out := make([]uint8, n)
	for k := range out {
		out[k] = levelOf(p.levels, k)
	}
	return out
}

// pairs are the candidates: of unit i those with j > i, each with the number
// of its pattern.
type pairs struct {
	blocks   [][]pair // of chunk units each
	counts   []uint32 // by unit
	patterns []pattern
	of       []int64 // by pattern, how many pairs have it
	workers  []gatherer
	owner    []uint8 // by block, the worker that numbers its patterns
}

// pair is a later unit, and the number of the pattern; until the pair is
// compared, that of the fields that its keys forced.
type pair struct{ unit, pattern uint32 }

// each gives the pairs of a block of units, unit by unit.
func (p *pairs) each(block int, do func(i int, others []pair)) {
	rest := p.blocks[block]
	for i := block * chunk; i < min((block+1)*chunk, len(p.counts)); i++ {
		n := p.counts[i]
		if n > 0 {
			do(i, rest[:n])
		}
		rest = rest[n:]
	}
}

// patternTable numbers patterns: open addressing. A slot holds a part of the
// pattern's hash above its number + 1.
type patternTable struct {
	slots   []uint64
	entries []counted
}

// counted is a pattern with how many pairs have it.
type counted struct {
	pattern
	n int64
}

func (p *pattern) hash() uint64 {
	h := fold(p.levels[0]^odd0, p.levels[1]^odd1)
	return fold(h^odd2, p.forced^odd3)
}

func (t *patternTable) add(p pattern, n int64) uint32 { return t.addHashed(&p, p.hash(), n) }

func (t *patternTable) addHashed(p *pattern, h uint64, n int64) uint32 {
	if 2*(len(t.entries)+1) > len(t.slots) {
		t.slots = make([]uint64, max(2*len(t.slots), 1024))
		for k := range t.entries {
			q := &t.entries[k].pattern
			t.slots[t.place(q, q.hash())] = slotOf(q.hash(), k)
		}
	}
	at := t.place(p, h)
	if t.slots[at] == 0 {
		t.slots[at] = slotOf(h, len(t.entries))
		t.entries = append(t.entries, counted{pattern: *p})
	}
	k := uint32(t.slots[at]) - 1
	t.entries[k].n += n
	return k
}

func slotOf(h uint64, number int) uint64 { return h&^math.MaxUint32 | uint64(number+1) }

func (t *patternTable) place(p *pattern, h uint64) int {
	at := int(h) & (len(t.slots) - 1)
	for s := t.slots[at]; s != 0; s = t.slots[at] {
		if s>>32 == h>>32 && t.entries[uint32(s)-1].pattern == *p {
			break
		}
		at = (at + 1) & (len(t.slots) - 1)
	}
	return at
}

// near reads, without use for it, what adding these hashes will read.
func (t *patternTable) near(found []hashedPattern) (sum uint64) {
	if len(t.slots) == 0 {
		return 0
	}
	for k := range found {
		if s := t.slots[int(found[k].hash)&(len(t.slots)-1)]; s != 0 {
			sum += t.entries[uint32(s)-1].forced
		}
	}
	return sum
}

// hashedPattern is the pattern of a pair with its hash.
type hashedPattern struct {
	pattern
	hash uint64
}

// gatherer is one worker's share of finding pairs.
type gatherer struct {
	found   []uint64 // a unit that shares a key, and which rule's
	pairs   []candidate
	out     []pair
	places  []*pair         // of pairs, where they are compared after they were gathered
	levels  []hashedPattern // of pairs
	table   patternTable
	forced  []uint64 // by number, fields that keys forced
	nearing nearing
}

// candidate is a pair that is to be compared, with the fields that all its keys
// forced.
type candidate struct {
	a, b   int32
	forced uint64
}

// together is how many units have their pairs compared at a time: what those
// read fits a core's second cache.
const together = 64

// candidates finds every pair that shares a key, once. Where features are in
// memory they are compared at the same time.
func (e *engine) candidates(x *index) (*pairs, error) {
	n := len(e.u.first)
	p := &pairs{blocks: make([][]pair, (n+chunk-1)/chunk), counts: make([]uint32, n), workers: make([]gatherer, e.o.Workers)}
	p.owner = make([]uint8, len(p.blocks))
	return p, e.o.parallelBy(1, len(p.blocks), "compare", func(w, block int) {
		g := &p.workers[w]
		g.out, p.owner[block] = g.out[:0], uint8(w)
		end := min((block+1)*chunk, n)
		for from := block * chunk; from < end; from += together {
			g.gather(e, x, from, min(from+together, end))
			if e.forms.disk == nil {
				g.compare(e)
			}
			for k := range g.pairs {
				c := &g.pairs[k]
				g.out = append(g.out, pair{uint32(c.b), g.number(k)})
				p.counts[c.a]++
			}
		}
		p.blocks[block] = slices.Clone(g.out)
	})
}

// number is that of a pair's pattern, or of what forced it where it was not
// compared.
func (g *gatherer) number(k int) uint32 {
	if k < len(g.levels) {
		p := &g.levels[k]
		return g.table.addHashed(&p.pattern, p.hash, 1)
	}
	forced := g.pairs[k].forced
	at := slices.Index(g.forced, forced) // a rule each, and what several have in common: a few dozen
	if at < 0 {
		at, g.forced = len(g.forced), append(g.forced, forced)
	}
	return uint32(at) //nolint:gosec // that of a short list
}

// compared compares the pairs whose features are on the disk, and numbers the
// patterns of all.
func (e *engine) compared(p *pairs) error {
	if e.forms.disk != nil {
		own := make([][]int, e.o.Workers)
		for block, w := range p.owner {
			own[w] = append(own[w], block)
		}
		err := e.bySections("compare", func(now *both) error {
			return e.o.parallelBy(1, len(own), "compare", func(_, w int) {
				for _, block := range own[w] {
					p.workers[w].between(e, p, block, now)
				}
			})
		})
		if err != nil {
			return err
		}
	}
	return e.number(p)
}

// between compares the pairs of a block whose features are in memory now.
func (g *gatherer) between(e *engine, p *pairs, block int, now *both) {
	g.pairs, g.places = g.pairs[:0], g.places[:0]
	p.each(block, func(i int, others []pair) {
		section, ok := now.other(i)
		if !ok {
			return
		}
		for k := range others {
			if q := &others[k]; now.of[q.unit] == section {
				g.pairs = append(g.pairs, candidate{int32(i), int32(q.unit), g.forced[q.pattern]})
				g.places = append(g.places, q)
			}
		}
	})
	g.compare(e)
	for k, q := range g.places {
		q.pattern = g.number(k)
	}
}

// compare finds the patterns of the pairs, and where they stand in the table.
func (g *gatherer) compare(e *engine) {
	g.levels = g.levels[:0]
	ahead := &g.nearing
	ahead.begin(e, g.pairs)
	var x, y matching.Features
	last := int32(-1)
	for k := range g.pairs {
		c := &g.pairs[k]
		if e.model != nil {
			ahead.upTo(e, g.pairs, k+fetchedAhead)
			if c.a != last {
				last, x = c.a, e.forms.of(int(c.a))
			}
			y = matching.ViewTrusted(e.forms.bytes(ahead.at[k]))
		}
		p := pattern{e.packedOf(&x, &y, int(c.a), int(c.b)), c.forced}
		g.levels = append(g.levels, hashedPattern{p, p.hash()})
	}
	g.nearing.sum += uint32(g.table.near(g.levels)) //nolint:gosec // no use for it
}

// gather finds the pairs of the units from … to, each with a later unit.
func (g *gatherer) gather(e *engine, x *index, from, to int) {
	g.pairs = g.pairs[:0]
	g.nearing.lists(x, x.listsOf[x.of[from]:x.of[to]])
	for i := from; i < to; i++ {
		g.found = g.found[:0]
		for _, k := range x.listsOf[x.of[i]:x.of[i+1]] {
			units, rule := x.list(int(k)), uint64(x.lists[k].group.rule())
			at, _ := slices.BinarySearch(units, int32(i))
			for _, j := range units[at+1:] {
				g.found = append(g.found, uint64(uint32(j))<<8|rule)
			}
		}
		slices.Sort(g.found)
		for k := 0; k < len(g.found); {
			j, forced := int(g.found[k]>>8), ^uint64(0)
			for ; k < len(g.found) && int(g.found[k]>>8) == j; k++ {
				forced &= x.rules[g.found[k]&255].forced
			}
			if !e.u.apart(i, j) {
				g.pairs = append(g.pairs, candidate{int32(i), int32(j), forced})
			}
		}
	}
}

// number gives each pattern one number for all workers.
func (e *engine) number(p *pairs) error {
	all := patternTable{}
	renamed := make([][]uint32, len(p.workers))
	for w := range p.workers {
		t := &p.workers[w].table
		renamed[w] = make([]uint32, len(t.entries))
		for k := range t.entries {
			renamed[w][k] = all.add(t.entries[k].pattern, t.entries[k].n)
		}
		p.workers[w] = gatherer{}
	}
	p.patterns, p.of = make([]pattern, len(all.entries)), make([]int64, len(all.entries))
	for k := range all.entries {
		p.patterns[k], p.of[k] = all.entries[k].pattern, all.entries[k].n
	}
	return e.o.parallelBy(1, len(p.blocks), "compare", func(_, block int) {
		for k := range p.blocks[block] {
			q := &p.blocks[block][k]
			q.pattern = renamed[p.owner[block]][q.pattern]
		}
	})
}
