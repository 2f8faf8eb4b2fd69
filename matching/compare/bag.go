package compare

import (
	"math/bits"
	"unicode/utf8"
)

// Bag is which characters a text holds, each as one of 64 bits: a cheap bound
// on how alike two texts can be.
type Bag uint64

// BagOf gives the bag of a text and how many runes it has.
func BagOf(s string) (b Bag, runes int) {
	or := byte(0)
	for i := range len(s) {
		c := s[i]
		or |= c
		b |= 1 << (c & 63)
	}
	if or < utf8.RuneSelf {
		return b, len(s)
	}
	b = 0
	for _, r := range s {
		b |= 1 << (r & 63)
		runes++
	}
	return b, runes
}

// Apart is the least number of edits between texts with these bags: an edit
// brings at most one character that was not there, and takes at most one away.
func (b Bag) Apart(o Bag) int {
	return max(bits.OnesCount64(uint64(b&^o)), bits.OnesCount64(uint64(o&^b)))
}

// Unlike is the least number of characters that one text has beyond the other's
// and the other beyond its, together.
func (b Bag) Unlike(o Bag) int { return bits.OnesCount64(uint64(b ^ o)) }

// Lacks counts characters of b that o has not: so many at the least find no
// partner there.
func (b Bag) Lacks(o Bag) int { return bits.OnesCount64(uint64(b &^ o)) }
