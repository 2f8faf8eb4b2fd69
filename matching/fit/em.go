package fit

import (
	"bytes"
	"cmp"
	"math"
	"slices"
)

// estimate is a fit under way.
type estimate struct {
	fields []Field
	cells  []Cell
	o      Options
	fixedU bool
	m, u   [][]float64
	start  [][]float64 // the pseudo-counts of m
	prior  float64
	pairs  float64 // in the cells
	total  float64 // pairs, those without a key included
	seen   []float64
	found  float64 // expected matches
	sure   float64 // of them, those of patterns more likely match than not
	like   float64
	rounds int
	done   bool
}

func newEstimate(fields []Field, cells []Cell, u [][]float64, o Options) *estimate {
	e := &estimate{fields: fields, cells: gathered(cells), o: o, fixedU: u != nil, seen: make([]float64, len(fields))}
	for _, c := range e.cells {
		if c.Known == Unknown {
			e.pairs += float64(c.Count)
		}
	}
	e.total = max(o.Total, e.pairs)
	e.prior = o.StartPrior
	if e.prior == 0 {
		e.prior = 0.1 * e.pairs / max(e.total, 1)
	}
	for i, f := range fields {
		n := len(f.Levels)
		var m []float64
		if o.Start != nil {
			m = slices.Clone(o.Start[i])
		} else {
			m = byPosition(n)
		}
		m[0] = 0
		normalise(m)
		e.start = append(e.start, slices.Clone(m))
		e.m = append(e.m, m)
		ui := make([]float64, n)
		if e.fixedU {
			copy(ui, u[i])
			ui[0] = 0
			normalise(ui)
			floored(ui, o.Floor)
		} else {
			copy(ui, byPosition(n))
			slices.Reverse(ui[1:])
		}
		e.u = append(e.u, ui)
	}
	return e
}

// gathered sorts the cells, adds up equal ones and drops empty ones, so that no
// order of theirs decides the last bit of a sum.
func gathered(cells []Cell) []Cell {
	cells = slices.Clone(cells)
	slices.SortFunc(cells, func(a, b Cell) int {
		return cmp.Or(bytes.Compare(a.Levels, b.Levels), cmp.Compare(a.Forced, b.Forced), cmp.Compare(a.Known, b.Known))
	})
	out := cells[:0]
	for _, c := range cells {
		if n := len(out); n > 0 && bytes.Equal(out[n-1].Levels, c.Levels) && out[n-1].Forced == c.Forced && out[n-1].Known == c.Known {
			out[n-1].Count += c.Count
		} else if c.Count > 0 {
			out = append(out, c)
		}
	}
	return out
}

// byPosition is the start of m by position alone: most matches agree closely, a
// twentieth differ, and the levels between share the rest, the closer the more.
func byPosition(n int) []float64 {
	m := make([]float64, n)
	rest := 0.0
	for l := 1; l < n; l++ {
		m[l] = math.Exp2(-float64(l))
		rest += m[l]
	}
	for l := 1; l < n; l++ {
		m[l] *= 0.95 / rest
	}
	m[n-1] += 0.05
	return m
}

// normalise brings the levels 1… to the sum 1; nothing known becomes even.
func normalise(p []float64) {
	sum := 0.0
	for _, v := range p[1:] {
		sum += v
	}
	for l := 1; l < len(p); l++ {
		if sum > 0 {
			p[l] /= sum
		} else {
			p[l] = 1 / float64(len(p)-1)
		}
	}
}

// floored lifts each level to the floor and takes what that costs from the
// others in proportion.
func floored(p []float64, floor float64) {
	for range len(p) {
		low, free := 0.0, 0.0
		for _, v := range p[1:] {
			if v <= floor {
				low += floor
			} else {
				free += v
			}
		}
		if free == 0 {
			return
		}
		scale, again := (1-low)/free, false
		for l := 1; l < len(p); l++ {
			if p[l] <= floor {
				p[l] = floor
			} else {
				p[l] *= scale
				again = again || p[l] < floor
			}
		}
		if !again {
			return
		}
	}
}

func (e *estimate) run() {
	last := math.Inf(-1)
	for e.rounds = 1; e.rounds <= e.o.MaxIterations; e.rounds++ {
		e.step()
		if math.IsNaN(e.like) || math.Abs(e.like-last) <= e.o.Tolerance*e.pairs {
			e.done = true
			return
		}
		last = e.like
	}
	e.rounds--
}

// logs gives log(m) − log(u) and log(u) of each level; a cell's odds are a sum.
func (e *estimate) logs() (ratio, base [][]float64) {
	for i := range e.m {
		r, b := make([]float64, len(e.m[i])), make([]float64, len(e.m[i]))
		for l := 1; l < len(r); l++ {
			b[l] = math.Log(max(e.u[i][l], 1e-300))
			r[l] = math.Log(max(e.m[i][l], 1e-300)) - b[l]
		}
		ratio, base = append(ratio, r), append(base, b)
	}
	return ratio, base
}

// step is one expectation and one maximisation.
func (e *estimate) step() {
	ratio, base := e.logs()
	odds := math.Log(e.prior) - math.Log1p(-e.prior)
	hits := make([][]float64, len(e.fields)) // expected matches by level
	misses := make([][]float64, len(e.fields))
	for i := range hits {
		hits[i], misses[i] = make([]float64, len(e.m[i])), make([]float64, len(e.m[i]))
	}
	none := math.Log1p(-e.prior)
	found, sure, like := 0.0, 0.0, (e.total-e.pairs)*none
	for _, c := range e.cells {
		if c.Known != Unknown {
			known(c, hits, misses)
			continue
		}
		lr, lu := odds, 0.0
		for i, l := range c.Levels {
			lr += ratio[i][l]
			lu += base[i][l]
		}
		p := 1 / (1 + math.Exp(-lr))
		n := float64(c.Count)
		found += n * p
		if p >= 0.5 {
			sure += n * p
		}
		like += n * (lu + none + softplus(lr))
		for i, l := range c.Levels {
			if l != 0 && c.Forced>>i&1 == 0 {
				hits[i][l] += n * p
				misses[i][l] += n * (1 - p)
			}
		}
	}
	for i := range hits {
		e.maximise(i, hits[i], misses[i])
	}
	e.like, e.found, e.sure = like, found, sure
	e.prior = min(max(found/e.total, 1e-15), 1-1e-12)
}

// known adds what labelled pairs are.
func known(c Cell, hits, misses [][]float64) {
	to := misses
	if c.Known == KnownMatch {
		to = hits
	}
	for i, l := range c.Levels {
		if l != 0 {
			to[i][l] += float64(c.Count)
		}
	}
}

// softplus is log(1 + e^x) without overflow.
func softplus(x float64) float64 {
	if x > 30 {
		return x
	}
	return math.Log1p(math.Exp(x))
}

// maximise sets one field's m (and u) from the expected counts.
func (e *estimate) maximise(i int, hits, misses []float64) {
	if !e.fixedU {
		if sum(misses) > 0 {
			copy(e.u[i], misses)
			e.u[i][0] = 0
			normalise(e.u[i])
		}
		floored(e.u[i], e.o.Floor)
	}
	e.seen[i] = sum(hits)
	counts := make([]float64, len(hits))
	for l := 1; l < len(hits); l++ {
		counts[l] = hits[l] + e.o.Strength*e.start[i][l]
	}
	if sum(counts) <= 0 {
		return // never seen: what it started with stays
	}
	if e.fields[i].Free {
		copy(e.m[i], counts)
	} else {
		ordered(e.m[i], counts, e.u[i])
	}
	e.m[i][0] = 0
	normalise(e.m[i])
	floored(e.m[i], e.o.Floor)
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

// ordered is the most likely m whose ratio to u does not rise from one level to
// the next: the isotonic regression of counts/u with the weights u, by pooling
// adjacent violators (Dykstra, Kochar and Robertson 1995, "Inference for
// likelihood ratio ordering in the two-sample problem").
func ordered(m, counts, u []float64) {
	type pool struct {
		count, weight float64
		from          int
	}
	var pools []pool
	for l := 1; l < len(counts); l++ {
		p := pool{counts[l], u[l], l}
		for n := len(pools); n > 0 && pools[n-1].count*p.weight < p.count*pools[n-1].weight; n-- {
			p = pool{pools[n-1].count + p.count, pools[n-1].weight + p.weight, pools[n-1].from}
			pools = pools[:n-1]
		}
		pools = append(pools, p)
	}
	for k, p := range pools {
		end := len(counts)
		if k+1 < len(pools) {
			end = pools[k+1].from
		}
		for l := p.from; l < end; l++ {
			m[l] = u[l] * p.count / p.weight
		}
	}
}

func (e *estimate) result() Result {
	r := Result{
		Prior: e.prior, PriorWeight: WeightOf(e.prior, 1-e.prior), M: e.m, U: e.u, Seen: e.seen,
		Matches: e.found, Iterations: e.rounds, Converged: e.done, LogLikelihood: e.like,
	}
	for i, f := range e.fields {
		w := make([]int32, len(e.m[i]))
		for l := 1; l < len(w); l++ {
			w[l] = WeightOf(e.m[i][l], e.u[i][l])
			if !f.Free && l > 1 { // the floor and rounding may have bent the order
				w[l] = min(w[l], w[l-1])
			}
		}
		r.Weights = append(r.Weights, w)
	}
	return r
}
