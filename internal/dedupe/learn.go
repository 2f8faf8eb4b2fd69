package dedupe

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"

	"touchstone/matching/fit"
)

// pattern is the levels of a pair, four bits a field, with the fields that its
// keys forced.
type pattern struct {
	levels [2]uint64
	forced uint64
}

func packed(levels []uint8, forced uint64) pattern {
	p := pattern{forced: forced}
	for i, l := range levels {
		p.levels[i/16] |= uint64(l) << (4 * (i % 16))
	}
	return p
}

func (p pattern) unpack(n int) []uint8 {
	out := make([]uint8, n)
	for i := range out {
		out[i] = uint8(p.levels[i/16]>>(4*(i%16))) & 15
	}
	return out
}

// pairs are the candidates: of unit i those with j > i, each with the number
// of its pattern.
type pairs struct {
	of       [][]pair
	patterns []pattern
	counts   []int64
}

type pair struct{ unit, pattern uint32 }

// gatherer is one worker's share of finding pairs.
type gatherer struct {
	stamp    []int32
	forced   []uint64
	found    []int32
	numbers  map[pattern]uint32
	patterns []pattern
	counts   []int64
}

// candidates compares every pair that shares a key, once.
func (e *engine) candidates(x *index) (*pairs, error) {
	n := len(e.u.first)
	workers := make([]*gatherer, max(e.o.Workers, 1))
	for w := range workers {
		workers[w] = &gatherer{stamp: make([]int32, n), forced: make([]uint64, n), numbers: map[pattern]uint32{}}
	}
	out := &pairs{of: make([][]pair, n)}
	owner := make([]uint8, n)
	err := e.o.parallel(n, "compare", func(w, i int) {
		owner[i] = uint8(w)
		out.of[i] = e.gather(workers[w], x, i)
	})
	if err != nil {
		return nil, err
	}
	out.number(workers, owner)
	return out, nil
}

func (e *engine) gather(g *gatherer, x *index, i int) []pair {
	g.found = g.found[:0]
	for _, k := range x.listsOf[x.of[i]:x.of[i+1]] {
		l := x.lists[k]
		list := x.units[l.from:l.to]
		at, _ := slices.BinarySearch(list, int32(i))
		for _, j := range list[at+1:] {
			if g.stamp[j] != int32(i)+1 {
				g.stamp[j] = int32(i) + 1
				g.forced[j] = l.forced
				g.found = append(g.found, j)
			} else {
				g.forced[j] &= l.forced
			}
		}
	}
	slices.Sort(g.found)
	var buf [maxFields]uint8
	levels := buf[:len(e.fields)]
	out := make([]pair, 0, len(g.found))
	for _, j := range g.found {
		if e.u.apart(i, int(j)) {
			continue
		}
		e.levels(i, int(j), levels)
		p := packed(levels, g.forced[j])
		k, ok := g.numbers[p]
		if !ok {
			k = uint32(len(g.patterns))
			g.numbers[p] = k
			g.patterns = append(g.patterns, p)
			g.counts = append(g.counts, 0)
		}
		g.counts[k]++
		out = append(out, pair{uint32(j), k})
	}
	return out
}

// number gives each pattern one number for all workers.
func (p *pairs) number(workers []*gatherer, owner []uint8) {
	numbers := map[pattern]uint32{}
	renamed := make([][]uint32, len(workers))
	for w, g := range workers {
		renamed[w] = make([]uint32, len(g.patterns))
		for k, pat := range g.patterns {
			at, ok := numbers[pat]
			if !ok {
				at = uint32(len(p.patterns))
				numbers[pat] = at
				p.patterns = append(p.patterns, pat)
				p.counts = append(p.counts, 0)
			}
			p.counts[at] += g.counts[k]
			renamed[w][k] = at
		}
	}
	for i, list := range p.of {
		for k := range list {
			list[k].pattern = renamed[owner[i]][list[k].pattern]
		}
	}
}

// randomPairs is how many pairs u is counted on.
const randomPairs = 400_000

// chance counts the levels of pairs drawn by hash, or of all where there are
// few. Two units of one file are no pair when linking.
func (e *engine) chance() ([][]float64, error) {
	n := len(e.u.first)
	total := n * (n - 1) / 2
	draws := min(total, randomPairs)
	workers := max(e.o.Workers, 1)
	counts := make([][][]int64, workers)
	for w := range counts {
		counts[w] = make([][]int64, len(e.fields))
		for k, f := range e.fields {
			counts[w][k] = make([]int64, len(f.Levels))
		}
	}
	err := e.o.parallel(draws, "chance", func(w, d int) {
		i, j := drawn(d, n, draws == total)
		if i == j || e.u.apart(i, j) {
			return
		}
		var buf [maxFields]uint8
		levels := buf[:len(e.fields)]
		e.levels(i, j, levels)
		for k, l := range levels {
			counts[w][k][l]++
		}
	})
	out := make([][]float64, len(e.fields))
	for k, f := range e.fields {
		out[k] = make([]float64, len(f.Levels))
		sum := 0.0
		for l := 1; l < len(f.Levels); l++ {
			out[k][l] = 0.25
			for w := range counts {
				out[k][l] += float64(counts[w][k][l])
			}
			sum += out[k][l]
		}
		for l := range out[k] {
			out[k][l] /= sum
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
		cells[k] = fit.Cell{Levels: pat.unpack(len(fields)), Forced: pat.forced, Count: p.counts[k]}
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
