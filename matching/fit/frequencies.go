package fit

import (
	"cmp"
	"math"
	"slices"
)

// Entry is a value, by its hash, with the number of records that hold it.
type Entry struct {
	Hash  uint64
	Count int64
}

// Frequencies is how often the values of one field occur: the commonest ones
// only, so that it stays small. It is immutable.
type Frequencies struct {
	entries []Entry // sorted by hash
	total   int64   // of all values, those left out included
	rarest  int64   // the smallest count in the table
}

// NewFrequencies makes a table of at most size entries: the commonest, among
// equals those of the lowest hash. A hash may come more than once.
func NewFrequencies(counts []Entry, size int) *Frequencies {
	f := &Frequencies{}
	all := added(counts)
	for _, e := range all {
		f.total += e.Count
	}
	slices.SortStableFunc(all, func(a, b Entry) int { return cmp.Compare(b.Count, a.Count) })
	f.entries = slices.Clone(all[:min(len(all), max(size, 0))])
	if n := len(f.entries); n > 0 {
		f.rarest = f.entries[n-1].Count
	}
	slices.SortFunc(f.entries, func(a, b Entry) int { return cmp.Compare(a.Hash, b.Hash) })
	return f
}

// added sorts by hash and adds up equal ones.
func added(counts []Entry) []Entry {
	out := slices.Clone(counts)
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Compare(a.Hash, b.Hash) })
	n := 0
	for _, e := range out {
		switch {
		case e.Count <= 0:
		case n > 0 && out[n-1].Hash == e.Hash:
			out[n-1].Count += e.Count
		default:
			out[n] = e
			n++
		}
	}
	return out[:n]
}

// Entries lists the table, sorted by hash.
func (f *Frequencies) Entries() []Entry { return slices.Clone(f.entries) }

// Of is the share of records that hold the value. One that is not in the table
// counts as rarer than the rarest that is.
func (f *Frequencies) Of(hash uint64) float64 {
	if f.total == 0 {
		return 1
	}
	count := max(float64(f.rarest-1), 0.5)
	if i, ok := slices.BinarySearchFunc(f.entries, hash, func(e Entry, h uint64) int { return cmp.Compare(e.Hash, h) }); ok {
		count = float64(f.entries[i].Count)
	}
	return min(count/float64(f.total), 1)
}

// Adjust is what an exact agreement on the value weighs more (or, where it is
// common, less) than one on a value like any other: log2 of the field's u over
// the value's own share, in 1/1000 bit, times strength in 1/1000 and within
// ±limit. A share below least counts as least, lest a mistyped rarity decide.
// As Splink has it: "Term-frequency adjustments", where the factor is
// u(exact)/tf(value), with tf_adjustment_weight and tf_minimum_u_value
// (moj-analytical-services/splink, docs/topic_guides/comparisons/term-frequency.md).
func (f *Frequencies) Adjust(hash uint64, u, least float64, strength, limit int32) int32 {
	share := max(f.Of(hash), least)
	if !(u > 0) || !(share > 0) {
		return 0
	}
	w := math.Log2(u/share) * float64(strength)
	return int32(math.Round(max(-float64(limit), min(float64(limit), w))))
}
