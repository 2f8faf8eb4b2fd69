package dedupe

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"

	"touchstone/matching/fit"
)

// randomPairs is how many pairs u is counted on, and manyPairs on tables of up
// to manyUpTo units, where they cost little and one pair more or less of a
// column that is mostly empty tells.
const (
	randomPairs = 50_000
	manyPairs   = 400_000
	manyUpTo    = 20_000
)

// chance counts the levels of pairs drawn by hash, or of all where there are
// few. Two units of one file are no pair when linking.
func (e *engine) chance() ([][]float64, error) {
	n := len(e.u.first)
	total, draws := n*(n-1)/2, randomPairs
	if n <= manyUpTo {
		draws = manyPairs
	}
	draws = min(total, draws)
	type room struct {
		counts  [maxFields][16]int64
		pairs   []candidate
		nearing nearing
		forms   pairRooms
	}
	rooms := make([]room, e.o.Workers)
	err := e.o.parallelBy(1, (draws+together-1)/together, "chance", func(w, block int) {
		r := &rooms[w]
		r.pairs = r.pairs[:0]
		for d := block * together; d < min((block+1)*together, draws); d++ {
			if i, j := drawn(d, n, draws == total); i != j && !e.u.apart(i, j) {
				r.pairs = append(r.pairs, candidate{a: int32(i), b: int32(j)})
			}
		}
		r.nearing.begin(e, r.pairs)
		for k := range r.pairs {
			r.nearing.upTo(e, r.pairs, k+fetchedAhead)
			levels := e.packedIn(&r.forms, int(r.pairs[k].a), int(r.pairs[k].b))
			for k := range e.fields {
				r.counts[k][levelOf(levels, k)]++
			}
		}
	})
	out := make([][]float64, len(e.fields))
	for k, f := range e.fields {
		out[k] = make([]float64, len(f.Levels))
		sum := 0.0
		for l := 1; l < len(f.Levels); l++ {
			out[k][l] = 0.25
			for w := range rooms {
				out[k][l] += float64(rooms[w].counts[k][l])
			}
			sum += out[k][l]
		}
		for l := range out[k] {
			out[k][l] /= sum
		}
		if f.column != nil && f.rare.agreement > 0 { // counted, not sampled
			others := (1 - f.rare.agreement) / max(1-out[k][1], 1e-9)
			for l := 2; l < len(out[k]); l++ {
				out[k][l] *= others
			}
			out[k][1] = f.rare.agreement
		}
	}
	return out, err
}

// drawn is the d-th pair: in order where all are taken, else by hash.
func drawn(d, n int, all bool) (int, int) {
	if !all {
		return int(mix(uint64(2*d)) % uint64(n)), int(mix(uint64(2*d+1)) % uint64(n))
	}
	i := int((math.Sqrt(8*float64(d)+1) - 1) / 2) // row of the triangle
	for (i+1)*(i+2)/2 <= d {
		i++
	}
	for i*(i+1)/2 > d {
		i--
	}
	return i + 1, d - i*(i+1)/2
}

// possible is how many pairs there are.
func (e *engine) possible() float64 {
	n := float64(len(e.u.first))
	total := n * (n - 1) / 2
	if e.u.file != nil {
		size := map[uint16]float64{}
		for _, f := range e.u.file {
			size[f]++
		}
		for _, f := range slices.Sorted(maps.Keys(size)) {
			total -= size[f] * (size[f] - 1) / 2
		}
	}
	return total
}

// Rounds and strength of learning: u is freed of the matches that random pairs
// hold, and learnt again; the start counts like so many matches.
const (
	rounds   = 3
	strength = 20
)

// learn sets the weights from the patterns of the candidates. It says why when
// it keeps those of the start.
func (e *engine) learn(p *pairs) (fit.Result, string, error) {
	if k := e.lone(); k >= 0 {
		e.loneName(k)
		return fit.Result{}, "the column " + e.fields[k].Name + " alone says who is who: nothing else confirms it", nil
	}
	random, err := e.chance()
	if err != nil {
		return fit.Result{}, "", err
	}
	fields := make([]fit.Field, len(e.fields))
	for k := range fields {
		fields[k] = e.fields[k].Field
	}
	weak := uint64(0)
	for k := e.packed; k < len(e.fields); k++ {
		if e.weak(k) {
			weak |= 1 << k
		}
	}
	cells := make([]fit.Cell, len(p.patterns))
	for k, pat := range p.patterns {
		cells[k] = fit.Cell{Levels: pat.unpack(len(fields)), Forced: pat.forced, Count: p.of[k]}
		for f := range fields {
			if weak>>f&1 == 1 {
				cells[k].Levels[f] = 0
			}
		}
	}
	o := fit.Options{Total: e.possible(), Strength: strength, Floor: 1e-7}
	u, r := random, fit.Result{}
	labels := e.labelled()
	cells = append(cells, knownCells(labels, weak)...)
	for range rounds {
		o.Start = e.startM(u)
		if r, err = fit.Fit(fields, cells, u, o); err != nil {
			break
		}
		u = purged(random, r)
	}
	switch {
	case errors.Is(err, fit.ErrNoPairs), errors.Is(err, fit.ErrOnePattern), errors.Is(err, fit.ErrNoMatches), errors.Is(err, fit.ErrAllMatches):
		for k := e.packed; k < len(e.fields); k++ {
			if f := &e.fields[k]; f.rare != nil && !e.weak(k) {
				f.rare.meant(f.start[1])
			}
		}
		return r, err.Error(), nil
	case err != nil:
		return r, "", err
	}
	e.take(r)
	return r, "", e.tune(fields, labels, p)
}

// startM turns start weights into m: what they weigh, times u.
func (e *engine) startM(u [][]float64) [][]float64 {
	out := make([][]float64, len(e.fields))
	for k, f := range e.fields {
		out[k] = make([]float64, len(f.Levels))
		for l := 1; l < len(f.Levels); l++ {
			out[k][l] = u[k][l] * math.Exp2(float64(f.start[l])/1000)
		}
	}
	return out
}

// purged takes the matches out of what random pairs showed.
func purged(random [][]float64, r fit.Result) [][]float64 {
	out := make([][]float64, len(random))
	for k, row := range random {
		out[k] = make([]float64, len(row))
		for l := 1; l < len(row); l++ {
			out[k][l] = max((row[l]-r.Prior*r.M[k][l])/(1-r.Prior), row[l]/50, 1e-7)
		}
	}
	return out
}

func compareLinks(a, b link) int {
	return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.a, b.a), cmp.Compare(a.b, b.b))
}
