package matching

import (
	"bytes"
	"cmp"
	"slices"

	"touchstone/matching/block"
)

// Sample takes of the records of an entity type those that a model is fitted from:
// all where there are few, else those of the least hashes, the same ones in whatever
// order they come. It holds little more than what it takes. The zero value is empty.
type Sample struct {
	taken []sampledRecord
	full  bool          // some were left out already
	last  sampledRecord // the last one that would be taken; of a full sample
}

type sampledRecord struct {
	hash   uint64
	packed []byte
}

func (r sampledRecord) compare(o sampledRecord) int {
	return cmp.Or(cmp.Compare(r.hash, o.hash), bytes.Compare(r.packed, o.packed))
}

// sampleSlack is how many records more than it takes a sample holds before it
// leaves some out.
const sampleSlack = mostTrained / 4

// Add shows a record in its binary form, which the sample may keep.
func (s *Sample) Add(packed []byte) {
	r := sampledRecord{block.Hash(string(packed)), packed}
	if s.full && r.compare(s.last) >= 0 {
		return
	}
	if s.taken = append(s.taken, r); len(s.taken) == mostTrained+sampleSlack {
		s.settle()
	}
}

// settle puts the records in order and leaves out those past the last.
func (s *Sample) settle() {
	slices.SortFunc(s.taken, sampledRecord.compare)
	if len(s.taken) > mostTrained {
		clear(s.taken[mostTrained:])
		s.taken = s.taken[:mostTrained]
	}
	if len(s.taken) == mostTrained {
		s.full, s.last = true, s.taken[mostTrained-1]
	}
}

// Records are those taken, in the order of their hashes.
func (s *Sample) Records() [][]byte {
	s.settle()
	out := make([][]byte, len(s.taken))
	for i, r := range s.taken {
		out[i] = r.packed
	}
	return out
}

func sampled(packed [][]byte) [][]byte {
	var s Sample
	for _, p := range packed {
		s.Add(p)
	}
	return s.Records()
}
