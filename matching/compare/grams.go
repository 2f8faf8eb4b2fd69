package compare

import (
	"math/bits"
	"slices"
	"unicode/utf8"
)

// Gram is up to three neighbouring runes of a text, each as its number and one,
// 21 bits, the last lowest: equal grams are equal numbers, and no two others are.
type Gram uint64

const (
	runeBits = 21
	runeMask = 1<<runeBits - 1
	// MaxGram is the longest gram that a number holds.
	MaxGram = 3
)

// AppendGrams appends the set of a text's grams of q runes (1 to 3), sorted and
// without repeats. A text of fewer runes is one gram by itself; an empty one
// has none.
func AppendGrams(dst []Gram, runes []rune, q int) []Gram {
	runes, q = capped(runes), min(max(q, 1), MaxGram)
	from, mask := len(dst), Gram(1)<<(runeBits*q)-1
	g := Gram(0)
	for i, r := range runes {
		g = (g<<runeBits | Gram(r+1)&runeMask) & mask // a text of fewer runes has zeros before
		if i >= q-1 || i == len(runes)-1 {
			dst = append(dst, g)
		}
	}
	slices.Sort(dst[from:])
	return dst[:from+len(slices.Compact(dst[from:]))]
}

// Append spells a gram.
func (g Gram) Append(dst []byte) []byte {
	for shift := runeBits * (MaxGram - 1); shift >= 0; shift -= runeBits {
		if r := g >> shift & runeMask; r != 0 {
			dst = utf8.AppendRune(dst, rune(r)-1)
		}
	}
	return dst
}

// GramJaccard is the share of two sets' grams that both have (Jaccard 1901):
// 0 to 1. Two empty sets are alike. Both are as AppendGrams makes them.
func GramJaccard(a, b []Gram) float64 {
	if len(a)+len(b) == 0 {
		return 1
	}
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		x, y := a[i], b[j]
		if x == y {
			both++
		}
		if x <= y { // both moves are without a branch that must be guessed
			i++
		}
		if y <= x {
			j++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// Jaccard is GramJaccard of the grams of q runes of two texts. It does not
// allocate.
func Jaccard(a, b []rune, q int) float64 {
	var room [2][Max]Gram
	return GramJaccard(AppendGrams(room[0][:0], a, q), AppendGrams(room[1][:0], b, q))
}

// PairsJaccard is Jaccard of two texts by their neighbouring runes. It does not
// allocate.
func PairsJaccard(a, b string) float64 {
	if plainPairs(a, b) && isASCII(a) && isASCII(b) {
		both, either := pairsOf(a, b)
		return float64(both) / float64(either)
	}
	a, b = cappedString(a), cappedString(b)
	if len(a) <= smallText && len(b) <= smallText {
		var runes [2][smallText]rune
		var grams [2][smallText]Gram
		return GramJaccard(AppendGrams(grams[0][:0], runesOf(runes[0][:0], a), 2), AppendGrams(grams[1][:0], runesOf(runes[1][:0], b), 2))
	}
	var runes [2][Max]rune
	return Jaccard(runesOf(runes[0][:0], a), runesOf(runes[1][:0], b), 2)
}

// PairsJaccardReaches says whether PairsJaccard is at least so much.
func PairsJaccardReaches(a, b string, x, y Bag, n, m int, least float64) bool {
	_, reaches := PairsJaccardFrom(a, b, x, y, n, m, least)
	return reaches
}

// PairsJaccardFrom is PairsJaccard where that reaches least, and 0 where it may be
// anything below. The bags and lengths are those of BagOf: mostly they, or a
// sketch of the grams, show that it cannot reach so much.
func PairsJaccardFrom(a, b string, x, y Bag, n, m int, least float64) (j float64, reaches bool) {
	if least > 0 && min(n, m) >= 2 && max(n, m) <= Max && belowPairs(a, b, x, y, n, m, least) {
		return 0, false
	}
	if n == len(a) && m == len(b) && plainPairs(a, b) {
		both, either := pairsOf(a, b)
		j = float64(both) / float64(either)
	} else {
		j = PairsJaccard(a, b)
	}
	if j < least {
		return 0, false
	}
	return j, true
}

// belowPairs says whether the bags or a sketch show that PairsJaccard of two texts
// of two to Max runes is less.
func belowPairs(a, b string, x, y Bag, n, m int, least float64) bool {
	// Each gram has two characters at the most: half as many grams as characters
	// that the other lacks are in one set alone.
	mine, others := (x.Lacks(y)+1)/2, (y.Lacks(x)+1)/2
	both := min(n-1-mine, m-1-others)
	return tooFew(both, mine+others, least) || n == len(a) && m == len(b) && !sketchReaches(a, b, least)
}

// tooFew says whether a set of at most so many common grams, and at least so
// many others, lies below a share.
func tooFew(both, others int, least float64) bool {
	return both <= 0 || float64(both) < least*float64(both+others)-1e-9
}

// plainPairs says whether the lengths of two texts, of single bytes, are those that
// pairsOf counts.
func plainPairs(a, b string) bool { return min(len(a), len(b)) >= 2 && max(len(a), len(b)) <= 64 }

// pairsOf counts the different neighbours of two texts of 2 to 64 ASCII characters:
// those that both have, and those that either has. They stand in a table of twice
// their number at the most, by open addressing; seen marks those that b has.
func pairsOf(a, b string) (both, either int) {
	const seen = 1 << 15
	var table [256]uint16
	place := func(g uint16) int {
		at := int(g>>8*29+g) & 255
		for t := table[at]; t != 0 && t&^seen != g; t = table[at] {
			at = (at + 1) & 255
		}
		return at
	}
	for i := 1; i < len(a); i++ {
		g := uint16(a[i-1])<<8 | uint16(a[i]) + 1 // no gram is 0
		if at := place(g); table[at] == 0 {
			table[at] = g
			either++
		}
	}
	for i := 1; i < len(b); i++ {
		g := uint16(b[i-1])<<8 | uint16(b[i]) + 1
		switch at := place(g); table[at] {
		case 0:
			table[at] = g | seen
			either++
		case g:
			table[at] = g | seen
			both++
		}
	}
	return both, either
}

// sketchReaches bounds the likeness of two texts of single bytes: of one a bit
// is kept for each gram, some having one together, and the other's grams that
// find theirs are counted.
func sketchReaches(a, b string, least float64) bool {
	const words = 16
	var x, y [words]uint64
	for i := 1; i < len(a); i++ {
		h := uint(a[i-1])<<5 ^ uint(a[i])
		x[h>>6&(words-1)] |= 1 << (h & 63)
	}
	both := 0
	for i := 1; i < len(b); i++ {
		h := uint(b[i-1])<<5 ^ uint(b[i])
		both += int(x[h>>6&(words-1)] >> (h & 63) & 1)
		y[h>>6&(words-1)] |= 1 << (h & 63)
	}
	n := 0 // different grams of either, at the least
	for i := range x {
		n += bits.OnesCount64(x[i]) + bits.OnesCount64(y[i])
	}
	return !tooFew(both, n-2*both, least)
}
