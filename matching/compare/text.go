package compare

import "unicode/utf8"

// OSAString is OSA on text. It does not allocate.
func OSAString(a, b string, limit int) int { return editString(a, b, limit, true) }

// LevenshteinString is Levenshtein on text. It does not allocate.
func LevenshteinString(a, b string, limit int) int { return editString(a, b, limit, false) }

// editString takes off what both texts begin and end with, rejects what the
// lengths and the characters show to be too far, and counts the rest: ASCII with
// a machine word a column, other text rune by rune.
func editString(a, b string, limit int, swaps bool) int {
	if limit < 0 {
		return limit + 1
	}
	a, b = trimmed(cappedString(a), cappedString(b))
	if len(a) > len(b) {
		a, b = b, a
	}
	x, n := BagOf(a)
	if len(a) == 0 {
		return min(utf8.RuneCountInString(b), limit+1)
	}
	y, m := BagOf(b)
	if limit < Max && (m-n > limit || n-m > limit || x.Apart(y) > limit) {
		return limit + 1
	}
	if n == len(a) && m == len(b) {
		if n <= 64 {
			return editBits(a, b, limit, swaps)
		}
	} else if len(a) <= smallText && len(b) <= smallText {
		var buf [2][smallText]rune
		return edit(runesOf(buf[0][:0], a), runesOf(buf[1][:0], b), limit, swaps)
	}
	var buf [2][Max]rune
	return edit(runesOf(buf[0][:0], a), runesOf(buf[1][:0], b), limit, swaps)
}

// smallText is how many bytes fit the small buffer: most names that are not
// ASCII.
const smallText = 48

func runesOf(buf []rune, s string) []rune {
	for _, r := range s {
		buf = append(buf, r)
	}
	return buf
}

func cappedString(s string) string { return Prefix(s, Max) }

// Prefix is the first n runes of a text, all of a shorter one.
func Prefix(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// trimmed takes off the common beginning and the common end, whole runes only.
func trimmed(a, b string) (string, string) {
	i, n := 0, min(len(a), len(b))
	for i < n && a[i] == b[i] {
		i++
	}
	for i > 0 && (i < len(a) && !utf8.RuneStart(a[i]) || i < len(b) && !utf8.RuneStart(b[i])) {
		i--
	}
	a, b = a[i:], b[i:]
	j := 0
	n -= i
	for j < n && a[len(a)-1-j] == b[len(b)-1-j] {
		j++
	}
	for j > 0 && !utf8.RuneStart(a[len(a)-j]) {
		j--
	}
	return a[:len(a)-j], b[:len(b)-j]
}

// WithinOne says whether OSA of two texts is at most 1: they are equal, or one
// rune is changed, lost or added, or two neighbours are swapped.
func WithinOne(a, b string) bool {
	if n := len(a) - len(b); (n > utf8.UTFMax || -n > utf8.UTFMax) && max(len(a), len(b)) <= Max {
		return false // one rune is not so long
	}
	a, b = trimmed(cappedString(a), cappedString(b))
	if len(a) > len(b) {
		a, b = b, a
	}
	_, n := utf8.DecodeRuneInString(b)
	switch {
	case len(a) == 0:
		return n == len(b)
	case n == len(b):
		_, m := utf8.DecodeRuneInString(a)
		return m == len(a)
	case len(a) != len(b):
		return false // a swap keeps the bytes
	}
	return a[:len(a)-n] == b[n:] && a[len(a)-n:] == b[:n] && utf8.RuneCountInString(b) == 2
}

// OneSlip says whether two ASCII texts that are not equal are one edit apart: one
// character is changed, lost or added, or two neighbours are swapped.
func OneSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		return i < len(a) && (a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

// editBits counts with a machine word for a column of the table: a of up to 64
// ASCII characters, not empty (Myers 1999; Hyyrö 2003, the swaps too).
func editBits(a, b string, limit int, swaps bool) int {
	var where [128]uint64 // character → places in a
	for i := range len(a) {
		where[a[i]&127] |= 1 << i
	}
	up, down := ^uint64(0), uint64(0) // where the column rises and falls
	last, diagonal, before := uint64(1)<<(len(a)-1), uint64(0), uint64(0)
	d := len(a)
	for j := range len(b) {
		here := where[b[j]&127]
		swapped := uint64(0)
		if swaps {
			swapped = (^diagonal & here) << 1 & before
		}
		diagonal = ((here&up + up) ^ up) | here | down | swapped
		right, left := down|^(diagonal|up), diagonal&up
		if right&last != 0 {
			d++
		} else if left&last != 0 {
			d--
		}
		if d-(len(b)-1-j) > limit { // each character left takes off one at the most
			return limit + 1
		}
		right = right<<1 | 1
		left <<= 1
		up, down = left|^(diagonal|right), right&diagonal
		before = here
	}
	return min(d, limit+1)
}
