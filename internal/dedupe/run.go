package dedupe

import (
	"context"
	"math"
	"slices"

	"touchstone/matching/fit"
	"touchstone/matching/weight"
)

// Placed is what became of one row.
type Placed struct {
	Cluster int // 0, 1, 2 …: numbered by content
	// Probability that the row stands where it belongs: with the member most like
	// it, or, alone, without the row most like it.
	Probability float64
}

// Review is a pair that a person should judge.
type Review struct {
	A, B        int // rows
	Probability float64
}

// Result is what was found.
type Result struct {
	Entity     string
	Reads      []Read
	Rows       []Placed
	Clusters   int
	Duplicates int // rows beyond the first of each cluster
	Twins      int // with link: rows that equal another of their file, and are therefore linked with none
	Review     []Review
	Pairs      []Weighed // with Options.Pairs, the likeliest first
	Compared   int64     // pairs
	Capped     []Capped
	Plan       *Plan // what was left out to keep to a budget of pairs; nil where nothing was
	Learnt     []Learnt
	Prior      weight.Milli
	Kept       string // why the start weights serve; "" where weights were learnt
	engine     *engine
	unitOf     []int32
	own        []int32 // by unit of several rows, what its agreement with itself weighs
	links      []link  // candidates that may be worth a look, in the order of their units
	Doubts     []Doubt // with Options.Ask: pairs worth a person's answer, the best first
}

// Learnt is what one field tells, level by level.
type Learnt struct {
	Field  string      `json:"field"`
	Levels []LevelSays `json:"levels"`
}

// LevelSays is one level of agreement with its share among matches and among
// others, and its weight.
type LevelSays struct {
	Level  string       `json:"level"`
	M      float64      `json:"m"`
	U      float64      `json:"u"`
	Weight weight.Milli `json:"weight_bits"`
}

// maxReview bounds the pairs given for review.
const maxReview = 10_000

// reviewFrom is the least probability that deserves a look.
const reviewFrom = 0.5

// maxWorkers is how many workers one byte numbers.
const maxWorkers = 255

type link struct {
	a, b   int32
	weight int32
}

// Run finds the rows of one customer.
func Run(ctx context.Context, t *Table, o Options) (*Result, error) {
	o.ctx, o.Workers = ctx, min(max(o.Workers, 1), maxWorkers)
	if o.Threshold == 0 {
		o.Threshold = DefaultThreshold
	}
	if !(o.Threshold > 0 && o.Threshold < 1) {
		return nil, usage("the threshold is %v, want a probability between 0 and 1, such as 0.95", o.Threshold)
	}
	if o.Link && len(t.Files) < 2 {
		return nil, usage("linking needs two or more files, each clean in itself")
	}
	reads, err := Recognise(t, o.Map, o.ID)
	if err != nil {
		return nil, err
	}
	entity := o.Entity
	if entity == "" || entity == "auto" {
		entity = EntityOf(reads)
	}
	e, err := newEngine(t, reads, entity, o)
	if err != nil {
		return nil, err
	}
	x, err := e.index()
	if err != nil {
		return nil, err
	}
	r := &Result{Entity: entity, Reads: reads, Capped: x.capped, Plan: x.plan, Twins: e.u.twins(), engine: e}
	p, err := e.candidates(x)
	if err != nil {
		return nil, err
	}
	e.o.collect(t.Rows()) // the index has served
	if err := e.compared(p); err != nil {
		return nil, err
	}
	e.o.collect(t.Rows()) // and so have the sections
	r.Rows = make([]Placed, t.Rows())
	for _, c := range p.of {
		r.Compared += c
	}
	fitted, kept, err := e.learn(p)
	if err != nil {
		return nil, err
	}
	r.Kept, r.Prior, r.Learnt = kept, weight.Milli(e.prior), e.learnt(fitted, p, kept == "")
	if r.links, err = e.links(p); err != nil {
		return nil, err
	}
	if o.Ask {
		r.Doubts = e.doubtful(p)
	}
	e.o.collect(t.Rows()) // and so have the pairs
	if r.own, err = e.ownWeights(); err != nil {
		return nil, err
	}
	if err := r.part(e, r.links, o.Threshold); err != nil {
		return nil, err
	}
	if o.Pairs {
		r.Pairs, err = r.weighed(e, r.links)
	}
	return r, err
}

// learnt leaves out the fields that no pair has on both sides.
func (e *engine) learnt(f fit.Result, p *pairs, learnt bool) []Learnt {
	var seen [maxFields]bool
	for _, pat := range p.patterns {
		for k, l := range pat.unpack(len(e.fields)) {
			seen[k] = seen[k] || l != 0
		}
	}
	var out []Learnt
	for k, ev := range e.fields {
		if !seen[k] {
			continue
		}
		l := Learnt{Field: ev.Name}
		for i := 1; i < len(ev.Levels); i++ {
			s := LevelSays{Level: ev.Levels[i], Weight: weight.Milli(e.weights[k][i])}
			if learnt {
				s.M, s.U = f.M[k][i], f.U[k][i]
			}
			l.Levels = append(l.Levels, s)
		}
		out = append(out, l)
	}
	return out
}

// threshold is the weight that a probability stands for.
func threshold(p float64) int32 { return int32(math.Ceil(1000 * math.Log2(p/(1-p)))) }

func probability(w int32) float64 { return 1 / (1 + math.Exp2(-float64(w)/1000)) }

// sums takes the patterns apart: the levels of each, and what they weigh without
// rarity.
func (e *engine) sums(p *pairs) (levels [][]uint8, base []int32) {
	levels, base = make([][]uint8, len(p.patterns)), make([]int32, len(p.patterns))
	for k, pat := range p.patterns {
		levels[k] = pat.unpack(len(e.fields))
		base[k] = e.sum(levels[k])
	}
	return levels, base
}

// links weighs the candidates, and gives those that may be worth a look, in the
// order of their units.
func (e *engine) links(p *pairs) ([]link, error) {
	levels, base := e.sums(p)
	most := make([]int32, len(base)) // with all that rarity may add
	for k := range most {
		most[k] = base[k] + e.mostRarity(levels[k])
	}
	least := threshold(reviewFrom)
	found := make([][]link, len(p.blocks))
	err := e.o.parallelBy(1, len(p.blocks), "weigh", func(_, block int) {
		rest := p.blocks[block]
		p.each(block, func(i int, others []pair) {
			for _, q := range others {
				if len(rest) > adjustedAhead && most[rest[adjustedAhead].pattern] >= least {
					e.adjustSoon(int(rest[adjustedAhead].unit))
				}
				rest = rest[1:]
				if most[q.pattern] < least {
					continue
				}
				if w := base[q.pattern] + e.adjust(i, int(q.unit), levels[q.pattern]); w >= least {
					found[block] = append(found[block], link{int32(i), int32(q.unit), w})
				}
			}
		})
	})
	return slices.Concat(found...), err
}

// part clusters the units and writes the rows.
func (r *Result) part(e *engine, links []link, p float64) error {
	least := threshold(p)
	group, err := e.partition(links, least)
	if err != nil {
		return err
	}
	n := len(group)
	size := make([]int32, n)
	for _, g := range group {
		size[g]++
	}
	best, other := make([]int32, n), make([]int32, n) // the strongest link within and without
	for i := range best {
		best[i], other[i] = math.MinInt32, math.MinInt32
	}
	var open []link
	for _, l := range links {
		to := other
		if group[l.a] == group[l.b] {
			to = best
		} else if taken := e.u.file != nil && (size[group[l.a]] > 1 || size[group[l.b]] > 1); !taken && !e.u.apart(int(l.a), int(l.b)) {
			open = append(open, l) // one to one, a row that has its partner is no question
		}
		to[l.a], to[l.b] = max(to[l.a], l.weight), max(to[l.b], l.weight)
	}
	slices.SortFunc(open, compareLinks)
	for _, l := range open[:min(len(open), maxReview)] {
		r.Review = append(r.Review, Review{int(e.u.first[l.a]), int(e.u.first[l.b]), probability(l.weight)})
	}
	r.place(e, group, size, best, other, least)
	return nil
}

// ownWeights says of units of several rows what their agreement with themselves
// weighs, by the order of the features.
func (e *engine) ownWeights() ([]int32, error) {
	own := make([]int32, len(e.u.first))
	return own, e.eachUnit("cluster", func(_ int, u *placedUnit) {
		if len(e.u.rows(u.unit)) > 1 {
			own[u.unit] = e.weighOf(&u.features, &u.features, u.unit, u.unit)
		}
	})
}

// place numbers the clusters in the order of their content. Equal rows are one
// customer where their content is enough to say so, or where it links them to
// others.
func (r *Result) place(e *engine, group, size, best, other []int32, least int32) {
	number := make([]int, len(size))
	for i := range number {
		number[i] = -1
	}
	r.unitOf = make([]int32, len(r.Rows))
	for i := range group {
		rows := e.u.rows(i)
		split := len(rows) > 1 && size[group[i]] == 1 && r.own[i] < least
		for k, row := range rows {
			r.unitOf[row] = int32(i)
			if split && k > 0 || number[group[i]] < 0 {
				number[group[i]] = r.Clusters
				r.Clusters++
			} else {
				r.Duplicates++
			}
			pl := &r.Rows[row]
			pl.Cluster = number[group[i]]
			switch {
			case len(rows) > 1 && !split:
				pl.Probability = probability(max(r.own[i], best[i]))
			case size[group[i]] > 1:
				pl.Probability = probability(max(best[i], 0))
			default:
				pl.Probability = 1 - probability(other[i])
			}
		}
	}
}
