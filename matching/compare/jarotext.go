package compare

import (
	"math/bits"
	"unicode/utf8"
)

// JaroString is Jaro on text. It does not allocate.
func JaroString(a, b string) float64 {
	a, b = cappedString(a), cappedString(b)
	if len(a) <= 64 && len(b) <= 64 && isASCII(a) && isASCII(b) {
		return jaroBits(a, b)
	}
	if len(a) <= smallText && len(b) <= smallText {
		var buf [2][smallText]rune
		return Jaro(runesOf(buf[0][:0], a), runesOf(buf[1][:0], b))
	}
	var buf [2][Max]rune
	return Jaro(runesOf(buf[0][:0], a), runesOf(buf[1][:0], b))
}

// JaroWinklerString is JaroWinkler on text. It does not allocate.
func JaroWinklerString(a, b string) float64 {
	return winkler(JaroString(a, b), sameStart(a, b))
}

// winkler raises Jaro's similarity by equal first runes.
func winkler(j float64, start int) float64 {
	if j <= 0.7 {
		return j
	}
	return j + float64(start)*0.1*(1-j)
}

// JaroWinklerReaches says whether JaroWinklerString is at least so much. The
// bags and lengths are those of BagOf: mostly they show that it cannot be.
func JaroWinklerReaches(a, b string, x, y Bag, n, m int, least float64) bool {
	if n == 0 || m == 0 {
		return JaroWinklerString(a, b) >= least
	}
	// At most so many find a partner; all in order, at best.
	most := min(n-x.Lacks(y), m-y.Lacks(x))
	j := (float64(most)/float64(n) + float64(most)/float64(m) + 1) / 3
	if most <= 0 || max(n, m) <= Max && (winkler(j, 4) < least-1e-9 || winkler(j, sameStart(a, b)) < least-1e-9) {
		return least <= 0
	}
	return JaroWinklerString(a, b) >= least
}

// sameStart counts the equal first runes, up to four.
func sameStart(a, b string) int {
	n, m := 0, min(4, len(a), len(b))
	for n < m && a[n] == b[n] && a[n] < utf8.RuneSelf {
		n++
	}
	if n == m || a[n]|b[n] < utf8.RuneSelf {
		return n
	}
	a, b = a[n:], b[n:]
	for n < 4 && a != "" && b != "" {
		r, i := utf8.DecodeRuneInString(a)
		if s, k := utf8.DecodeRuneInString(b); r != s || i != k {
			break
		}
		a, b, n = a[i:], b[i:], n+1
	}
	return n
}

func isASCII(s string) bool {
	or := byte(0)
	for i := range len(s) {
		or |= s[i]
	}
	return or < utf8.RuneSelf
}

// jaroBits is Jaro for ASCII of up to 64 characters: where a character of the
// one may find its partner in the other is a word of bits, and the first free
// one is its lowest.
func jaroBits(a, b string) float64 {
	if len(a) == 0 && len(b) == 0 {
		return 1
	}
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	if len(a) > len(b) || len(a) == len(b) && a > b { // one order, so that it is symmetric
		a, b = b, a
	}
	var where [128]uint64
	for i := range len(b) {
		where[b[i]&127] |= 1 << i
	}
	window := max(len(b)/2-1, 0)
	usedA, usedB := uint64(0), uint64(0)
	for i := range len(a) {
		from, to := max(0, i-window), min(63, i+window)
		near := ^uint64(0) >> (63 - to) &^ (1<<from - 1)
		if free := where[a[i]&127] & near &^ usedB; free != 0 {
			usedA |= 1 << i
			usedB |= free & -free
		}
	}
	m := bits.OnesCount64(usedA)
	if m == 0 {
		return 0
	}
	out := 0
	for x, y := usedA, usedB; x != 0; x, y = x&(x-1), y&(y-1) {
		if a[bits.TrailingZeros64(x)&63] != b[bits.TrailingZeros64(y)&63] {
			out++
		}
	}
	return jaroOf(m, out, len(a), len(b))
}

// jaroOf is Jaro's similarity of texts of n and m runes with so many partners,
// so many of them out of order. n is that of the text they were sought from.
func jaroOf(partners, out, n, m int) float64 {
	f := float64(partners)
	return (f/float64(n) + f/float64(m) + (f-float64(out/2))/f) / 3
}
