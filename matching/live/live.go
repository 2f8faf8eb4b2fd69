// Package live keeps the partition of a set of records up to date in memory,
// record by record, and equal at every moment to what one batch over the same
// records gives.
package live

import (
	"slices"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/block"
	"touchstone/matching/cluster"
)

// Config says how records of one entity type are matched.
type Config struct {
	Model  *matching.Model
	Link   int32 // link threshold, a weight
	KeyCap int   // longest posting list scanned; 0: the model's
	Names  int   // names that may use one value before it is shared; 0: the model's
}

func (c Config) keyCap() int {
	if c.KeyCap > 0 {
		return c.KeyCap
	}
	return c.Model.KeyCap
}

func (c Config) names() int {
	if c.Names > 0 {
		return c.Names
	}
	return c.Model.SharedNames
}

// Ruling is a person's decision on a pair.
type Ruling uint8

// The rulings. Withdrawn takes an earlier one back.
const (
	Withdrawn Ruling = iota
	Must
	Cannot
)

// Pair is two records in reference order.
type Pair struct{ A, B record.Ref }

// PairOf puts two references in order.
func PairOf(a, b record.Ref) Pair {
	if a.Compare(b) > 0 {
		a, b = b, a
	}
	return Pair{a, b}
}

// Resolver is the incremental form. It is not safe for concurrent use.
type Resolver struct {
	cfg      Config
	entries  map[record.Ref]*entry
	postings map[uint64]map[*entry]struct{} // coarse and fine hashes alike
	names    map[uint64]map[uint64]int      // counted value → name → how many records
	shared   map[uint64]bool                // the values that more names use than may
	rulings  map[record.Ref]map[record.Ref]Ruling
	dirty    map[*entry]struct{}
}

type entry struct {
	ref      record.Ref
	features *matching.Features // with what is shared marked
	keys     []matching.Key
	edges    map[*entry]int32 // at or above the link threshold
	comp     *comp            // nil until the next Partition
}

// comp is one parted component.
type comp struct {
	members []*entry
	groups  [][]record.Ref
}

// New makes an empty resolver.
func New(cfg Config) *Resolver {
	return &Resolver{
		cfg: cfg, entries: map[record.Ref]*entry{}, postings: map[uint64]map[*entry]struct{}{},
		names: map[uint64]map[uint64]int{}, shared: map[uint64]bool{},
		rulings: map[record.Ref]map[record.Ref]Ruling{}, dirty: map[*entry]struct{}{},
	}
}

// Upsert puts a record's current features in the place of those before.
func (r *Resolver) Upsert(ref record.Ref, f *matching.Features) {
	e := r.entries[ref]
	if e == nil {
		e = &entry{ref: ref, edges: map[*entry]int32{}}
		r.entries[ref] = e
	}
	old := e.keys
	e.features, e.keys = f, r.cfg.Model.Keys(f)
	r.touch(e)
	r.drop(e)
	r.rekey(e, old, e.keys)
	r.relink(e)
}

// relink marks what is shared of a record and weighs its pairs again.
func (r *Resolver) relink(e *entry) {
	e.features = e.features.Share(func(v uint64) bool { return r.shared[v] })
	r.touch(e)
	r.drop(e)
	for _, o := range r.candidates(e) {
		r.score(e, o)
	}
}

// Delete takes a record out. Rulings on it stay and hold again if it returns.
func (r *Resolver) Delete(ref record.Ref) {
	e := r.entries[ref]
	if e == nil {
		return
	}
	old := e.keys
	e.keys = nil
	r.touch(e)
	r.drop(e)
	for other := range r.rulings[ref] {
		if o := r.entries[other]; o != nil {
			r.touch(o)
		}
	}
	delete(r.entries, ref)
	delete(r.dirty, e)
	r.rekey(e, old, nil)
}

// Rule records a decision on a pair; the last one counts.
func (r *Resolver) Rule(kind Ruling, a, b record.Ref) {
	if a == b {
		return
	}
	for _, p := range [2]Pair{{a, b}, {b, a}} {
		if r.rulings[p.A] == nil {
			r.rulings[p.A] = map[record.Ref]Ruling{}
		}
		if kind == Withdrawn {
			delete(r.rulings[p.A], p.B)
		} else {
			r.rulings[p.A][p.B] = kind
		}
		if e := r.entries[p.A]; e != nil {
			r.touch(e)
		}
	}
}

// touch marks a record's component to be parted again.
func (r *Resolver) touch(e *entry) {
	r.dirty[e] = struct{}{}
	if e.comp == nil {
		return
	}
	for _, m := range e.comp.members {
		m.comp = nil
		if r.entries[m.ref] == m {
			r.dirty[m] = struct{}{}
		}
	}
}

// drop takes all edges of a record away.
func (r *Resolver) drop(e *entry) {
	for o := range e.edges {
		r.touch(o)
		delete(o.edges, e)
	}
	clear(e.edges)
}

// rekey moves a record from its old keys to its new ones. A list that crosses
// the cap either way changes what is a candidate: every pair on it is looked
// at again.
func (r *Resolver) rekey(e *entry, old, keys []matching.Key) {
	was, is := hashes(old), hashes(keys)
	limit := r.cfg.keyCap()
	var crossed []uint64
	for _, h := range was {
		if _, ok := slices.BinarySearch(is, h); ok {
			continue
		}
		delete(r.postings[h], e)
		switch n := len(r.postings[h]); n {
		case limit:
			crossed = append(crossed, h)
		case 0:
			delete(r.postings, h)
		}
	}
	for _, h := range is {
		if _, ok := slices.BinarySearch(was, h); ok {
			continue
		}
		if r.postings[h] == nil {
			r.postings[h] = map[*entry]struct{}{}
		}
		r.postings[h][e] = struct{}{}
		if len(r.postings[h]) == limit+1 {
			crossed = append(crossed, h)
		}
	}
	values := r.recount(old, keys)
	for _, h := range crossed {
		r.rederive(h)
	}
	for _, v := range values {
		for o := range r.postings[v] { // each pair depends on itself and the lists alone
			if o != e {
				r.relink(o)
			}
		}
	}
}

// recount moves one record's name from its old values to the new ones and gives
// the values that became shared or are so no longer.
func (r *Resolver) recount(old, keys []matching.Key) (crossed []uint64) {
	count := func(k matching.Key, by int) {
		if !block.Counted(k.Coarse) {
			return
		}
		if r.names[k.Coarse] == nil {
			r.names[k.Coarse] = map[uint64]int{}
		}
		if r.names[k.Coarse][k.Fine] += by; r.names[k.Coarse][k.Fine] == 0 {
			delete(r.names[k.Coarse], k.Fine)
		}
	}
	for _, k := range old {
		count(k, -1)
	}
	for _, k := range keys {
		count(k, 1)
	}
	for _, k := range append(slices.Clone(old), keys...) {
		is := r.cfg.names() > 0 && len(r.names[k.Coarse]) > r.cfg.names()
		if block.Counted(k.Coarse) && is != r.shared[k.Coarse] {
			r.shared[k.Coarse] = is
			crossed = append(crossed, k.Coarse)
		}
	}
	return crossed
}

// hashes lists the distinct hashes of a record's keys, sorted.
func hashes(keys []matching.Key) []uint64 {
	out := make([]uint64, 0, 2*len(keys))
	for _, k := range keys {
		out = append(out, k.Coarse)
		if k.Fine != 0 {
			out = append(out, k.Fine)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *Resolver) size(hash uint64) int { return len(r.postings[hash]) }

// rederive looks at every pair of a list again. The order does not matter:
// each pair's edge depends on the pair and the lists alone.
func (r *Resolver) rederive(h uint64) {
	list := make([]*entry, 0, len(r.postings[h]))
	for e := range r.postings[h] {
		list = append(list, e)
	}
	for i, a := range list {
		for _, b := range list[i+1:] {
			candidate := block.Candidate(a.keys, b.keys, r.size, r.cfg.keyCap())
			_, linked := a.edges[b]
			switch {
			case linked && !candidate:
				delete(a.edges, b)
				delete(b.edges, a)
				r.touch(a)
				r.touch(b)
			case candidate && !linked:
				r.score(a, b)
			}
		}
	}
}

// candidates lists the records a record is to be compared with.
func (r *Resolver) candidates(e *entry) []*entry {
	seen := map[*entry]bool{e: true}
	var out []*entry
	take := func(h uint64) {
		for o := range r.postings[h] {
			if !seen[o] {
				seen[o] = true
				out = append(out, o)
			}
		}
	}
	limit := r.cfg.keyCap()
	for _, k := range e.keys {
		switch {
		case r.size(k.Coarse) <= limit:
			take(k.Coarse)
		case k.Fine != 0 && r.size(k.Fine) <= limit:
			take(k.Fine)
		}
	}
	return out
}

func (r *Resolver) score(a, b *entry) {
	if w := r.cfg.Model.Weigh(a.features, b.features).Total; w >= r.cfg.Link {
		a.edges[b], b.edges[a] = w, w
		r.touch(a)
		r.touch(b)
	}
}

// Partition gives the groups of all records: each sorted, and sorted by first
// member. Only components touched since the last call are parted again.
func (r *Resolver) Partition() [][]record.Ref {
	for e := range r.dirty {
		if e.comp == nil {
			r.part(e)
		}
	}
	clear(r.dirty)
	seen := map[*comp]bool{}
	var out [][]record.Ref
	for _, e := range r.entries {
		if !seen[e.comp] {
			seen[e.comp] = true
			out = append(out, e.comp.groups...)
		}
	}
	slices.SortFunc(out, func(a, b []record.Ref) int { return a[0].Compare(b[0]) })
	return out
}

// part finds the component around e and parts it.
func (r *Resolver) part(e *entry) {
	c := &comp{members: []*entry{e}}
	e.comp = c
	for i := 0; i < len(c.members); i++ {
		m := c.members[i]
		reach := func(o *entry) {
			if o != nil && o.comp != c {
				o.comp = c
				c.members = append(c.members, o)
			}
		}
		for o := range m.edges {
			reach(o)
		}
		for ref, kind := range r.rulings[m.ref] {
			if kind == Must {
				reach(r.entries[ref])
			}
		}
	}
	in := r.input(c)
	c.groups = make([][]record.Ref, 0, 1)
	for i, g := range cluster.Partition(in).Group {
		if g == len(c.groups) {
			c.groups = append(c.groups, nil)
		}
		c.groups[g] = append(c.groups[g], c.members[i].ref)
	}
}

// input is a component as the partition wants it; its members are put in order.
func (r *Resolver) input(c *comp) cluster.Input {
	slices.SortFunc(c.members, func(a, b *entry) int { return a.ref.Compare(b.ref) })
	at := make(map[*entry]int, len(c.members))
	for i, m := range c.members {
		at[m] = i
	}
	in := cluster.Input{N: len(c.members), Link: r.cfg.Link}
	for i, m := range c.members {
		for o, w := range m.edges {
			if j := at[o]; i < j {
				in.Links = append(in.Links, cluster.Link{A: i, B: j, Weight: w})
			}
		}
		for ref, kind := range r.rulings[m.ref] {
			if j, ok := at[r.entries[ref]]; ok && i < j {
				if kind == Must {
					in.Must = append(in.Must, [2]int{i, j})
				} else {
					in.Cannot = append(in.Cannot, [2]int{i, j})
				}
			}
		}
	}
	in.Weigh = func(a, b int) int32 { return r.cfg.Model.Weigh(c.members[a].features, c.members[b].features).Total }
	in.Veto = func(a, b int) bool {
		_, veto := r.cfg.Model.Veto(c.members[a].features, c.members[b].features)
		return veto
	}
	return in
}
