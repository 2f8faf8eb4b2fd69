package dedupe

import "math/bits"

// The hashes of this package decide orders, so they are the same on every
// machine and in every run, and results may rest on them. Where two things are
// taken for one because their hashes are equal, what they are made of is
// compared too.

// Odd constants with as many bits set as not, from wyhash (Wang Yi, public
// domain).
const (
	odd0 = 0xa0761d6478bd642f
	odd1 = 0xe7037ed1a0b428db
	odd2 = 0x8ebc6af09c88c6e3
	odd3 = 0x589965cc75374cc3
)

// fold is the 128-bit product of two words, its halves put together.
func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// word is up to eight bytes of s from i on, the first the lowest.
func word[T string | []byte](s T, i int) uint64 {
	if i+8 <= len(s) {
		s = s[i : i+8]
		return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	}
	w := uint64(0)
	for k := len(s) - 1; k >= i; k-- {
		w = w<<8 | uint64(s[k])
	}
	return w
}

func hashOf[T string | []byte](s T, seed uint64) uint64 {
	h := seed ^ uint64(len(s))*odd2
	for i := 0; i < len(s); i += 16 {
		h = fold(word(s, i)^odd0^h, word(s, i+8)^odd1)
	}
	return fold(h^odd2, odd3)
}

// hash never gives 0: that stands for no value.
func hash(s string) uint64 { return max(hashOf(s, 0), 1) }

func hashBytes(b []byte) uint64 { return hashOf(b, 0) }

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// set holds hashes, none of them 0: open addressing.
type set struct {
	entries []uint64
	used    int
}

// room makes room for so many hashes at once.
func (s *set) room(n int) {
	s.entries = make([]uint64, 1<<max(bits.Len(uint(4*(n+1)/3)), 6))
}

// add says whether the hash was not there yet.
func (s *set) add(h uint64) bool {
	if 4*(s.used+1) > 3*len(s.entries) {
		old := s.entries
		s.entries = make([]uint64, max(2*len(old), 64))
		for _, e := range old {
			if e != 0 {
				s.entries[place(s.entries, e)] = e
			}
		}
	}
	at := place(s.entries, h)
	if s.entries[at] == h {
		return false
	}
	s.entries[at] = h
	s.used++
	return true
}

// distinct counts different hashes, none of them 0. It parts them by their upper
// bits first, so that what is looked up stays in the cache.
func distinct(hashes []uint64) int {
	const parts = 8 // bits
	var at [1<<parts + 1]int
	for _, h := range hashes {
		at[h>>(64-parts)+1]++
	}
	most := 0
	for i := range 1 << parts {
		most = max(most, at[i+1])
		at[i+1] += at[i]
	}
	ends, spread := at, make([]uint64, len(hashes))
	for _, h := range hashes {
		k := h >> (64 - parts)
		spread[ends[k]] = h
		ends[k]++
	}
	n, s := 0, set{}
	s.room(most)
	for k := range 1 << parts {
		clear(s.entries)
		s.used = 0
		for _, h := range spread[at[k]:at[k+1]] {
			if s.add(h) {
				n++
			}
		}
	}
	return n
}

// place is where the hash stands, or is to stand.
func place(entries []uint64, h uint64) uint64 {
	mask := uint64(len(entries) - 1)
	at := h & mask
	for entries[at] != 0 && entries[at] != h {
		at = (at + 1) & mask
	}
	return at
}

// numbering numbers hashes, none of them 0, from 1 in the order they come.
type numbering struct {
	hashes  []uint64
	numbers []uint32
	used    uint32
}

func (s *numbering) of(h uint64) uint32 {
	if 4*(int(s.used)+1) > 3*len(s.hashes) {
		hashes, numbers := s.hashes, s.numbers
		n := max(2*len(hashes), 64)
		s.hashes, s.numbers = make([]uint64, n), make([]uint32, n)
		for i, e := range hashes {
			if e != 0 {
				at := place(s.hashes, e)
				s.hashes[at], s.numbers[at] = e, numbers[i]
			}
		}
	}
	at := place(s.hashes, h)
	if s.hashes[at] == 0 {
		s.used++
		s.hashes[at], s.numbers[at] = h, s.used
	}
	return s.numbers[at]
}
