// Package fit learns the weights of a match model without labels, by
// expectation-maximisation on the histogram of comparison patterns (Fellegi and
// Sunter 1969; Winkler 1988, "Using the EM algorithm for weight computation in
// the Fellegi-Sunter model of record linkage"). It is pure: the same histogram
// gives the same result, bit for bit, in whatever order it is handed in.
package fit

import (
	"errors"
	"fmt"
	"math"
)

// MaxFields and MaxLevels bound a histogram: a set of fields is a bit mask of
// 64, and no field needs more levels than four bits hold.
const (
	MaxFields = 64
	MaxLevels = 16
)

// Field is one piece of evidence. Level 0 is always "missing" and neutral; the
// others go from the closest (1) to the furthest.
type Field struct {
	Name   string
	Levels []string
	// Free says that the levels have no order: a later one may weigh more.
	Free bool
}

// Cell is one pattern of the histogram with the number of pairs that have it.
type Cell struct {
	Levels []uint8 // one level a field
	// Forced is the set of fields (bit i for field i) that every blocking key of
	// these pairs forces to agree. What they show of such a field says which key
	// found them and nothing of how often matches agree: they are left out where
	// that field's m is learnt. A pair that two keys on different fields found is
	// forced in neither.
	Forced uint64
	Count  int64
	// Known says that somebody knows the answer for these pairs: they count as
	// what they are, and take no part in the prior, for nobody knows how they
	// were chosen.
	Known Known
}

// Known is what is known of the pairs of a cell.
type Known uint8

// Unknown pairs are weighed; the others were labelled.
const (
	Unknown Known = iota
	KnownMatch
	KnownOther
)

// Options are the bounds of a fit. The zero value is usable.
type Options struct {
	// Total is how many pairs there are, those that no key found included; they
	// count as non-matches. 0: the cells are all pairs.
	Total float64
	// Start is where m starts, per field and level (level 0 ignored); nil for a
	// start by the position of the level.
	Start [][]float64
	// Strength is how many matches the start is worth: it is added to what is
	// counted, so that little data moves it little. 0: only the data speaks.
	Strength float64
	// StartPrior is the share of matches among Total to begin with; 0 for a tenth
	// of the pairs in the cells.
	StartPrior float64
	// MaxIterations bounds the work; 0 for 500.
	MaxIterations int
	// Tolerance ends it: the change of the log-likelihood, per pair in the cells,
	// from one iteration to the next; 0 for 1e-9.
	Tolerance float64
	// Floor is the least m and u of a level; 0 for 1e-6. No weight passes
	// log2(1/Floor) bits thereby.
	Floor float64
}

// Result is a fitted model.
type Result struct {
	Prior       float64     // the chance that any two records are one customer
	PriorWeight int32       // its log2 odds in 1/1000 bit
	M, U        [][]float64 // per field and level, sums to 1 over the levels 1…; level 0 is 0
	Weights     [][]int32   // log2(m/u) in 1/1000 bit, level 0 is 0
	Seen        []float64   // expected matches that a field's m was learnt from
	Matches     float64     // expected matches among the pairs of the cells
	Iterations  int
	Converged   bool
	// LogLikelihood is that of the last iteration, in nats, without the constant
	// share of the pairs that no key found.
	LogLikelihood float64
}

// Reasons why nothing can be learnt. The caller serves with its start weights.
var (
	ErrNoPairs    = errors.New("no pairs to learn from")
	ErrOnePattern = errors.New("all pairs have one pattern: matches cannot be told from others")
	ErrNoMatches  = errors.New("no matches stand out among the pairs")
	ErrAllMatches = errors.New("no pairs that are not matches")
)

// minMatches is how many matches must be expected before a model is believed;
// and most of them must stand out: have a pattern more likely match than not.
const minMatches = 2

// Fit learns m and the prior, with u held fixed as given per field and level
// (from random pairs), or learnt too where u is nil. Levels are kept in order
// unless a field is Free: a closer level never weighs less.
func Fit(fields []Field, cells []Cell, u [][]float64, o Options) (Result, error) {
	o = o.filled()
	if err := check(fields, cells, u, o); err != nil {
		return Result{}, err
	}
	e := newEstimate(fields, cells, u, o)
	if e.pairs == 0 {
		return Result{}, ErrNoPairs
	}
	if len(e.cells) == 1 && o.Total <= e.pairs {
		return Result{}, ErrOnePattern
	}
	e.run()
	r := e.result()
	switch {
	case math.IsNaN(e.like), e.sure < max(minMatches, r.Matches/2):
		return r, ErrNoMatches
	case r.Prior > 1-1e-6:
		return r, ErrAllMatches
	}
	return r, nil
}

func (o Options) filled() Options {
	if o.MaxIterations == 0 {
		o.MaxIterations = 500
	}
	if o.Tolerance == 0 {
		o.Tolerance = 1e-9
	}
	if o.Floor == 0 {
		o.Floor = 1e-6
	}
	return o
}

func check(fields []Field, cells []Cell, u [][]float64, o Options) error {
	if len(fields) == 0 || len(fields) > MaxFields {
		return fmt.Errorf("fit: %d fields, want 1 to %d", len(fields), MaxFields)
	}
	for _, f := range fields {
		if len(f.Levels) < 3 || len(f.Levels) > MaxLevels {
			return fmt.Errorf("fit: field %q has %d levels, want 3 to %d: missing, the closest, …, the furthest", f.Name, len(f.Levels), MaxLevels)
		}
	}
	for i, c := range cells {
		if len(c.Levels) != len(fields) {
			return fmt.Errorf("fit: cell %d has %d levels, want one for each of the %d fields", i, len(c.Levels), len(fields))
		}
		if c.Count < 0 {
			return fmt.Errorf("fit: cell %d has the count %d", i, c.Count)
		}
		for k, l := range c.Levels {
			if int(l) >= len(fields[k].Levels) {
				return fmt.Errorf("fit: cell %d: field %q has no level %d", i, fields[k].Name, l)
			}
		}
	}
	if err := checkTable("u", u, fields); err != nil {
		return err
	}
	if err := checkTable("start", o.Start, fields); err != nil {
		return err
	}
	for name, v := range map[string]float64{"total": o.Total, "strength": o.Strength, "start prior": o.StartPrior, "floor": o.Floor, "tolerance": o.Tolerance} {
		if !(v >= 0) || math.IsInf(v, 0) {
			return fmt.Errorf("fit: the %s must be a number not below 0", name)
		}
	}
	if o.Floor > 0.05 || o.StartPrior >= 1 {
		return errors.New("fit: the floor must be at most 0.05 and the start prior below 1")
	}
	return nil
}

func checkTable(name string, t [][]float64, fields []Field) error {
	if t == nil {
		return nil
	}
	if len(t) != len(fields) {
		return fmt.Errorf("fit: %s has %d fields, want %d", name, len(t), len(fields))
	}
	for i, row := range t {
		if len(row) != len(fields[i].Levels) {
			return fmt.Errorf("fit: %s of field %q has %d levels, want %d", name, fields[i].Name, len(row), len(fields[i].Levels))
		}
		for _, p := range row {
			if !(p >= 0) || math.IsInf(p, 0) {
				return fmt.Errorf("fit: %s of field %q holds a value that is no probability", name, fields[i].Name)
			}
		}
	}
	return nil
}

// Pattern takes the levels of n ≤ 16 fields, four bits each, apart.
func Pattern(p uint64, n int) []uint8 {
	out := make([]uint8, n)
	for i := range out {
		out[i] = uint8(p>>(4*i)) & 15
	}
	return out
}

// WeightOf is a log2 Bayes factor in 1/1000 bit.
func WeightOf(m, u float64) int32 {
	w := 1000 * math.Log2(m/u)
	return int32(math.Round(max(-1e6, min(1e6, w))))
}
