package fit

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// Labelled is a pair of which somebody knows the answer.
type Labelled struct {
	Levels []uint8
	Extra  int32 // what it weighs beside its levels, in 1/1000 bit
	Same   bool
}

// TuneOptions bound what labels change. The zero value is usable.
type TuneOptions struct {
	// Scale is the standard deviation of the factor by which one field's weights
	// are stretched; 0 for 0.4.
	Scale float64
	// Shift is that of what is added to the weight of one level, in bits; 0 for
	// 0.5.
	Shift float64
	// Common is that of what is added to every labelled pair, in bits; 0 for 0.3.
	// It belongs to the sample and is no part of the result.
	Common float64
	// Anchor is how many labels the pairs that nobody labelled are worth, for each
	// label there is; 0 for 0.1. Those that weigh less than nothing speak for
	// staying apart: labels drawn at random hold few of the hard ones.
	Anchor float64
}

// Tuned are weights moved by labels.
type Tuned struct {
	Weights [][]int32
	Before  float64 // log loss of the labels, in bits a label, before and after
	After   float64
}

// ErrOneAnswer says that labels of one kind cannot part two.
var ErrOneAnswer = errors.New("the labels hold one kind of answer only: both pairs that are one and pairs that are not are needed")

// Tune moves weights so that they part labelled pairs better, by maximum a
// posteriori logistic regression: each field is stretched, each level shifted,
// both held to what they were by normal priors, so that few labels move little
// and contradictory ones nothing. Where in the range of weights the labels were
// chosen does not matter to it, for it learns the answer given the comparison;
// how many of each kind were chosen changes only what is common to all of them
// (Prentice and Pyke 1979, "Logistic disease incidence models and case-control
// studies"), which is estimated beside and left out. Pairs that nobody labelled
// speak too, a little. Levels keep their order unless the field is Free. The
// order of labels and cells does not matter.
func Tune(fields []Field, weights [][]int32, prior int32, labels []Labelled, others []Cell, o TuneOptions) (Tuned, error) {
	o.Scale, o.Shift, o.Common, o.Anchor = cmp.Or(o.Scale, 0.4), cmp.Or(o.Shift, 0.5), cmp.Or(o.Common, 0.3), cmp.Or(o.Anchor, 0.1)
	same := 0
	for _, l := range labels {
		if l.Same {
			same++
		}
	}
	if same == 0 || same == len(labels) {
		return Tuned{}, ErrOneAnswer
	}
	t := newTuning(fields, weights, prior, labels, o)
	t.anchor(gathered(others), weights, prior, o.Anchor*float64(len(labels)))
	out := Tuned{Before: t.loss() / float64(len(labels))}
	for range 50 {
		if t.step() < 1e-9 {
			break
		}
	}
	out.After = t.loss() / float64(len(labels))
	out.Weights = t.weights(fields, weights)
	return out, nil
}

// tuning is a regression under way. Its unknowns: what is common, one factor a
// field, one shift for each level that a label has.
type tuning struct {
	rows   [][]term // of each label
	base   []float64
	target []float64 // the answer: 1 for one customer, 0 for two; between for what is only likely
	weight []float64
	labels int // the first rows are labels, the others unlabelled pairs
	x      []float64
	spread []float64 // standard deviation of each unknown's prior
	scale  []int     // field → unknown; −1 for none
	shift  [][]int   // field and level → unknown
}

type term struct {
	at    int
	value float64
}

func newTuning(fields []Field, weights [][]int32, prior int32, labels []Labelled, o TuneOptions) *tuning {
	t := &tuning{spread: []float64{o.Common}}
	unknown := func(spread float64) int {
		t.spread = append(t.spread, spread)
		return len(t.spread) - 1
	}
	used := make([][]bool, len(fields))
	for k, f := range fields {
		used[k] = make([]bool, len(f.Levels))
		for _, l := range labels {
			used[k][l.Levels[k]] = true
		}
		t.scale = append(t.scale, -1)
		t.shift = append(t.shift, make([]int, len(f.Levels)))
		for l := 1; l < len(f.Levels); l++ {
			if !used[k][l] {
				continue
			}
			if t.scale[k] < 0 {
				t.scale[k] = unknown(o.Scale)
			}
			t.shift[k][l] = unknown(o.Shift)
		}
	}
	t.x = make([]float64, len(t.spread))
	// The sums must not depend on the order the labels came in.
	labels = slices.Clone(labels)
	slices.SortFunc(labels, compareLabelled)
	for _, l := range labels {
		row := []term{{0, 1}}
		base := float64(prior+l.Extra) / 1000
		for k, level := range l.Levels {
			if level == 0 {
				continue
			}
			w := float64(weights[k][level]) / 1000
			base += w
			row = append(row, term{t.scale[k], w}, term{t.shift[k][level], 1})
		}
		answer := 0.0
		if l.Same {
			answer = 1
		}
		t.add(row, base, answer, 1)
	}
	t.labels = len(t.rows)
	return t
}

func (t *tuning) add(row []term, base, target, weight float64) {
	t.rows, t.base, t.target, t.weight = append(t.rows, row), append(t.base, base), append(t.target, target), append(t.weight, weight)
}

// anchor adds the pairs that nobody labelled as what they were taken for, if
// that is not a match; together they are worth so many labels.
func (t *tuning) anchor(others []Cell, weights [][]int32, prior int32, worth float64) {
	base := make([]float64, len(others))
	matches := 0.0
	for i, c := range others {
		base[i] = float64(prior) / 1000
		for k, l := range c.Levels {
			base[i] += float64(weights[k][l]) / 1000
		}
		matches += float64(c.Count) * likely(base[i])
	}
	for i, c := range others {
		if base[i] > 0 {
			continue
		}
		row := []term{{0, 1}}
		for k, l := range c.Levels {
			if l == 0 || t.scale[k] < 0 {
				continue
			}
			row = append(row, term{t.scale[k], float64(weights[k][l]) / 1000})
			if t.shift[k][l] > 0 {
				row = append(row, term{t.shift[k][l], 1})
			}
		}
		t.add(row, base[i], likely(base[i]), worth*float64(c.Count)/max(matches, 1))
	}
}

// likely is the probability that a weight in bits stands for.
func likely(bits float64) float64 { return 1 / (1 + math.Exp2(-bits)) }

func compareLabelled(a, b Labelled) int {
	if c := slices.Compare(a.Levels, b.Levels); c != 0 {
		return c
	}
	switch {
	case a.Extra != b.Extra:
		return int(a.Extra) - int(b.Extra)
	case a.Same == b.Same:
		return 0
	case a.Same:
		return 1
	}
	return -1
}

func (t *tuning) weigh(i int, x []float64) float64 {
	w := t.base[i]
	for _, m := range t.rows[i] {
		w += x[m.at] * m.value
	}
	return w
}

// loss is that of the labels alone, in bits.
func (t *tuning) loss() float64 {
	sum := 0.0
	for i := range t.labels {
		sum += t.lossOf(i, t.x)
	}
	return sum
}

func (t *tuning) lossOf(i int, x []float64) float64 {
	w := t.weigh(i, x) * math.Ln2
	return (softplus(w) - t.target[i]*w) / math.Ln2
}

// aim is what is made small: the loss in nats and the distance from the prior.
func (t *tuning) aim(x []float64) float64 {
	sum := 0.0
	for i := range t.rows {
		sum += t.weight[i] * t.lossOf(i, x) * math.Ln2
	}
	for k, v := range x {
		sum += v * v / (2 * t.spread[k] * t.spread[k])
	}
	return sum
}

// step is one of Newton's, halved until it helps; it gives what it gained.
func (t *tuning) step() float64 {
	n := len(t.x)
	grad, hess := make([]float64, n), make([][]float64, n)
	for k := range hess {
		hess[k] = make([]float64, n)
		grad[k] = t.x[k] / (t.spread[k] * t.spread[k])
		hess[k][k] = 1 / (t.spread[k] * t.spread[k])
	}
	for i, row := range t.rows {
		p := likely(t.weigh(i, t.x))
		d, h := t.weight[i]*(p-t.target[i]), t.weight[i]*p*(1-p)
		for _, a := range row {
			grad[a.at] += d * a.value * math.Ln2
			for _, b := range row {
				hess[a.at][b.at] += h * a.value * b.value * math.Ln2 * math.Ln2
			}
		}
	}
	move := solve(hess, grad)
	before := t.aim(t.x)
	next := make([]float64, n)
	for size := 1.0; size > 1e-6; size /= 2 {
		for k := range next {
			next[k] = t.x[k] - size*move[k]
		}
		if now := t.aim(next); now < before {
			t.x = next
			return before - now
		}
	}
	return 0
}

// solve solves a symmetric positive definite system by Cholesky's way, in place.
func solve(a [][]float64, b []float64) []float64 {
	n := len(b)
	for i := range n {
		for j := range i + 1 {
			s := a[i][j]
			for k := range j {
				s -= a[i][k] * a[j][k]
			}
			if i == j {
				a[i][i] = math.Sqrt(max(s, 1e-12))
			} else {
				a[i][j] = s / a[j][j]
			}
		}
	}
	x := slices.Clone(b)
	for i := range n {
		for k := range i {
			x[i] -= a[i][k] * x[k]
		}
		x[i] /= a[i][i]
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			x[i] -= a[k][i] * x[k]
		}
		x[i] /= a[i][i]
	}
	return x
}

// weights are the old ones, stretched and shifted. Those of an ordered field
// that came out of order are pooled with their neighbours.
func (t *tuning) weights(fields []Field, old [][]int32) [][]int32 {
	out := make([][]int32, len(old))
	for k, row := range old {
		out[k] = slices.Clone(row)
		if t.scale[k] < 0 {
			continue
		}
		for l := 1; l < len(row); l++ {
			w := float64(row[l]) * max(1+t.x[t.scale[k]], 0)
			if u := t.shift[k][l]; u > 0 {
				w += 1000 * t.x[u]
			}
			out[k][l] = int32(math.Round(max(-1e6, min(1e6, w))))
		}
		if !fields[k].Free {
			falling(out[k])
		}
	}
	return out
}

// falling makes the levels 1… fall: neighbours out of order get their mean
// (pool adjacent violators).
func falling(w []int32) {
	type pool struct{ sum, n int64 }
	var pools []pool
	for _, v := range w[1:] {
		p := pool{int64(v), 1}
		for n := len(pools); n > 0 && pools[n-1].sum*p.n < p.sum*pools[n-1].n; n-- {
			p = pool{p.sum + pools[n-1].sum, p.n + pools[n-1].n}
			pools = pools[:n-1]
		}
		pools = append(pools, p)
	}
	l := 1
	for _, p := range pools {
		for range p.n {
			w[l] = int32(math.Round(float64(p.sum) / float64(p.n)))
			l++
		}
	}
}
