package dedupe

import (
	"encoding/binary"
	"slices"
)

// A posting says that a unit holds a key: in the upper half 24 bits of the key's
// hash and the rule, in the lower half the unit. Further bits of the hash choose
// the partition it lies in. Two keys that agree in all of these bits are taken
// for one: a pair or two too many, the same ones in every run.
type posting = uint64

func postingOf(hash uint64, rule uint8, unit int) posting {
	return hash&0xffffff<<40 | uint64(rule)<<32 | uint64(uint32(unit))
}

// keyOf is a posting without its unit, unitOf its unit, ruleOf its rule.
func keyOf(p posting) uint32  { return uint32(p >> 32) }
func unitOf(p posting) int32  { return int32(uint32(p)) }
func ruleOf(key uint32) uint8 { return uint8(key) }

// postings are collected by partition, in chunks of one size, so that nothing is
// copied while they grow and few rooms stay empty.
type postings struct {
	bits int         // of the hash, that choose the partition
	last [][]posting // by partition, the chunk being filled
	full [][][]posting

	disk *disk       // for the full chunks when there are many; nil for none
	held int         // full chunks in memory
	most int         // of them
	free [][]posting // chunks to be filled again
	away [][]stretch // by partition, what stands on the disk
	room []byte
}

// stretch is where so many postings stand on the disk.
type stretch struct {
	at int64
	n  int
}

const (
	chunkLen = 128
	// heldShare is the share of the memory allowed that the full chunks of all
	// workers take where it is short.
	heldShare = 32
	// partitionLen is about how many postings a partition is to hold: what fits
	// a core's second cache.
	partitionLen = 1 << 14
)

// partitionBits chooses how many partitions so many postings need.
func partitionBits(n int) int {
	bits := 4
	for n>>bits > partitionLen && bits < 12 {
		bits++
	}
	return bits
}

func newPostings(bits int, o *Options) *postings {
	p := &postings{bits: bits, last: make([][]posting, 1<<bits), full: make([][][]posting, 1<<bits), disk: o.disk}
	if p.disk != nil {
		p.away = make([][]stretch, 1<<bits)
		p.most = int(forRows(o.Memory) / int64(8*chunkLen*heldShare*o.Workers))
	}
	return p
}

// spread makes every bit of a key's hash depend on all of it.
func spread(hash uint64) (mixed uint64) { return fold(hash^odd0, odd1) }

func (p *postings) partition(mixed uint64) int { return int(mixed >> (64 - p.bits)) }

func (p *postings) add(mixed uint64, rule uint8, unit int) {
	k := p.partition(mixed)
	chunk := p.last[k]
	if len(chunk) == cap(chunk) {
		if len(chunk) > 0 {
			p.full[k] = append(p.full[k], chunk)
			if p.held++; p.disk != nil && p.held >= p.most {
				p.putAway()
			}
		}
		if n := len(p.free); n > 0 {
			chunk, p.free = p.free[n-1], p.free[:n-1]
		} else {
			chunk = make([]posting, 0, chunkLen)
		}
	}
	p.last[k] = append(chunk, postingOf(mixed, rule, unit))
}

// putAway writes the full chunks to the disk.
func (p *postings) putAway() {
	for k, chunks := range p.full {
		if len(chunks) == 0 {
			continue
		}
		p.room = p.room[:0]
		for _, chunk := range chunks {
			for _, q := range chunk {
				p.room = binary.LittleEndian.AppendUint64(p.room, q)
			}
			p.free = append(p.free, chunk[:0])
		}
		p.away[k] = append(p.away[k], stretch{p.disk.add(p.room), len(p.room) / 8})
		p.full[k] = chunks[:0]
	}
	p.held = 0
}

// back appends what stands on the disk of a partition.
func (p *postings) back(k int, to []posting) []posting {
	if p.disk == nil {
		return to
	}
	var room []byte
	for _, s := range p.away[k] {
		room = slices.Grow(room[:0], 8*s.n)[:8*s.n]
		p.disk.read(s.at, room)
		for i := 0; i < len(room); i += 8 {
			to = append(to, binary.LittleEndian.Uint64(room[i:]))
		}
	}
	return to
}

// gathered puts one partition of all workers together, sorted by key and unit,
// and gives its chunks back.
func gathered(all []*postings, k int, buf, spare []posting) (sorted, other []posting) {
	buf = buf[:0]
	for _, p := range all {
		for _, chunk := range p.full[k] {
			buf = append(buf, chunk...)
		}
		buf = p.back(k, append(buf, p.last[k]...))
		p.full[k], p.last[k] = nil, nil
	}
	spare = slices.Grow(spare[:0], len(buf))[:len(buf)]
	return byKey(buf, spare)
}

// byKey sorts by the upper half, three digits of eleven bits from the lowest up;
// the units within a key are in any order.
func byKey(a, b []posting) (sorted, other []posting) {
	const digit = 11
	var count [3][1 << digit]int32
	for _, p := range a {
		k := keyOf(p)
		count[0][k&(1<<digit-1)]++
		count[1][k>>digit&(1<<digit-1)]++
		count[2][k>>(2*digit)]++
	}
	for d := range count {
		sum := int32(0)
		for i, n := range count[d] {
			count[d][i] = sum
			sum += n
		}
	}
	for d := range count {
		for _, p := range a {
			k := keyOf(p) >> (d * digit) & (1<<digit - 1)
			b[count[d][k]] = p
			count[d][k]++
		}
		a, b = b, a
	}
	return a, b
}

// eachRun gives the postings of each key that several hold, every unit once, in
// the order of units.
func eachRun(sorted []posting, do func(key uint32, run []posting)) {
	for i := 0; i < len(sorted); {
		key, j := keyOf(sorted[i]), i+1
		for j < len(sorted) && keyOf(sorted[j]) == key {
			j++
		}
		if j > i+1 {
			run := sorted[i:j]
			slices.Sort(run)
			if run = slices.Compact(run); len(run) > 1 {
				do(key, run)
			}
		}
		i = j
	}
}
