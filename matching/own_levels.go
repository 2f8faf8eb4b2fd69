package matching

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"touchstone/matching/compare"
)

// Levels of names and texts, of codes and of measures, by number.
const (
	ownSame = 1 + iota
	ownWords
	ownNear
	ownContained
	ownAlike
	ownNumber
	ownDifferent
)

const (
	codeSame = 1 + iota
	codeNear
	codeContained
	codeDifferent
)

const (
	measureSame = 1 + iota
	measureFine
	measureCoarse
	measureDifferent
)

const (
	ownMailSame = 1 + iota
	ownMailNear
	ownMailDomain
	ownMailShared
	ownMailDifferent
)

const (
	ownWebSame = 1 + iota
	ownWebNear
	ownWebDifferent
)

// ownAgreement compares two records of an entity type of one's own.
func (m *Model) ownAgreement(a, b *Features, out *[maxFields]found) bool {
	if a.Entity() != m.Entity || b.Entity() != m.Entity {
		return false
	}
	for i, f := range m.fields {
		switch f.kind {
		case KindPhone:
			out[i] = phoneLevel(a, b)
		case KindEmail:
			out[i] = ownMailLevel(a, b)
		case KindWeb:
			out[i] = ownWebLevel(a, b)
		case KindAddress:
			out[i] = placeLevel(a, b)
		default:
			out[i] = ownFieldLevel(f.kind, a.ownText(f.name), b.ownText(f.name))
		}
	}
	m.ownSwitchboard(out)
	return true
}

// ownSwitchboard takes the weight off a telephone that two have in two places:
// there it is that of the house that runs both, as of companies (oneHouse).
func (m *Model) ownSwitchboard(out *[maxFields]found) {
	place := slices.IndexFunc(m.fields, func(f field) bool { return f.kind == KindAddress })
	if place < 0 || out[place].level != placeElsewhere && out[place].level != placeDifferent {
		return
	}
	for i, f := range m.fields {
		if l := out[i].level; f.kind == KindPhone && (l == phoneSame || l == phoneNear) {
			out[i].level = phoneShared
		}
	}
}

// ownFieldLevel is the best level of any two values of a single field; xs and ys
// are lists parted by ownValueMark.
func ownFieldLevel(kind, xs, ys string) (out found) {
	if xs == "" || ys == "" {
		return out
	}
	for i, left := 0, xs; left != ""; i++ {
		var x string
		x, left, _ = strings.Cut(left, "\x01")
		for j, right := 0, ys; right != ""; j++ {
			var y string
			y, right, _ = strings.Cut(right, "\x01")
			out.take(ownValueLevel(kind, x, y), i, j)
		}
	}
	return out
}

func ownValueLevel(kind, x, y string) uint8 {
	if x == y {
		return same
	}
	switch kind {
	case KindID:
		if compare.OSAString(x, y, 1) <= 1 && min(len(x), len(y)) >= 5 {
			return idNear
		}
		return idDifferent
	case KindCode:
		return ownCodeLevel(x, y)
	case KindNumber:
		return measureLevel(x, y)
	case KindDate:
		return compareBirths(x, y)
	case KindCategory:
		return different
	}
	return ownNameLevel(x, y)
}

func ownCodeLevel(x, y string) uint8 {
	n := min(len(x), len(y))
	switch {
	case n >= 5 && compare.OneSlip(x, y):
		return codeNear
	case n >= 4 && (strings.HasPrefix(x, y) || strings.HasPrefix(y, x) || strings.HasSuffix(x, y) || strings.HasSuffix(y, x)):
		return codeContained
	}
	return codeDifferent
}

// measureLevel compares two numbers in the form that ownValue gives.
func measureLevel(x, y string) uint8 {
	v, errV := strconv.ParseFloat(x, 64)
	w, errW := strconv.ParseFloat(y, 64)
	if errV != nil || errW != nil {
		return measureDifferent
	}
	switch d, scale := math.Abs(v-w), max(math.Abs(v), math.Abs(w)); {
	case d <= 0.01*scale:
		return measureFine
	case d <= 0.05*scale:
		return measureCoarse
	}
	return measureDifferent
}

// ownNameLevel compares two folded texts. Texts that agree but for their numbers
// name two of a series: plant 2 and plant 3, model 12 and model 13.
func ownNameLevel(x, y string) uint8 {
	var roomX, roomY [24]string
	v, w := slices.Clone(appendWords(roomX[:0], x)), slices.Clone(appendWords(roomY[:0], y))
	slices.Sort(v)
	slices.Sort(w)
	level := wordsLevel(x, y, v, w)
	if level > ownWords && level <= ownAlike && otherNumbers(v, w) {
		return ownNumber
	}
	return level
}

func wordsLevel(x, y string, v, w []string) uint8 {
	p, q := squashed(x), squashed(y)
	switch {
	case p == q:
		return ownSame
	case slices.Equal(v, w):
		return ownWords
	case nearText(p, q):
		return ownNear
	}
	both, least := 0, min(len(v), len(w))
	long := false
	for i, j := 0, 0; i < len(v) && j < len(w); {
		switch c := strings.Compare(v[i], w[j]); {
		case c == 0:
			both, long = both+1, long || utf8.RuneCountInString(v[i]) >= 4 || wide(v[i])
			i, j = i+1, j+1
		case c < 0:
			i++
		default:
			j++
		}
	}
	switch {
	case both == least && least > 0 && long, insideHan(p, q):
		return ownContained
	case 3*both >= 2*least && both >= 2 && long, len(p) >= 4 && len(q) >= 4 && compare.JaroWinklerString(p, q) >= 0.9, likeText(p, q):
		return ownAlike
	}
	return ownDifferent
}

// likeText: texts of which each word may have a slip have most of their
// neighbouring letters in common all the same.
func likeText(p, q string) bool {
	x, n := compare.BagOf(p)
	y, m := compare.BagOf(q)
	return min(n, m) >= longOwn && compare.PairsJaccardReaches(p, q, x, y, n, m, alikeOwn)
}

const (
	longOwn  = 8
	alikeOwn = 0.5
)

// insideHan: a Chinese text that stands in the other; such texts have no words.
func insideHan(p, q string) bool {
	if len(p) > len(q) {
		p, q = q, p
	}
	return wide(p) && utf8.RuneCountInString(p) >= 3 && strings.Contains(q, p)
}

// otherNumbers: both have numbers, and neither has all of the other's.
func otherNumbers(v, w []string) bool {
	n, m, both := 0, 0, 0
	for _, x := range v {
		if hasDigit(x) {
			n++
			if slices.Contains(w, x) {
				both++
			}
		}
	}
	for _, y := range w {
		if hasDigit(y) {
			m++
		}
	}
	return n > 0 && m > 0 && both < min(n, m)
}

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// appendWords appends the words of a folded text; a number that stands in one is
// a word of its own, so that "plant2" is "plant 2" and 二期3号 has its 3.
func appendWords(dst []string, s string) []string {
	for word := range strings.SplitSeq(s, " ") {
		for from := 0; from < len(word); {
			digit := isDigitByte(word[from])
			to := from
			for to < len(word) && isDigitByte(word[to]) == digit {
				to++
			}
			dst = append(dst, word[from:to])
			from = to
		}
	}
	return dst
}

func isDigitByte(c byte) bool { return c >= '0' && c <= '9' }

func squashed(s string) string {
	if strings.IndexByte(s, ' ') < 0 {
		return s
	}
	return string(appendSquashed(nil, s))
}

func ownMailLevel(a, b *Features) (out found) {
	for i := range a.count(emails) {
		for j := range b.count(emails) {
			x, y := a.email(i), b.email(j)
			l := uint8(ownMailDifferent)
			switch {
			case x.whole() == y.whole():
				l = ownMailSame
				if a.shared.has(sharedEmails, i) || b.shared.has(sharedEmails, j) {
					l = ownMailShared
				}
			case alikeMail(x, y, x.local(), y.local(), x.domain(), y.domain()):
				l = ownMailNear
			case x.domain() == y.domain() && !x.free():
				l = ownMailDomain
			}
			out.take(l, i, j)
		}
	}
	return out
}

func ownWebLevel(a, b *Features) (out found) {
	for i := range a.count(webs) {
		for j := range b.count(webs) {
			x, y := a.web(i), b.web(j)
			l := uint8(ownWebDifferent)
			switch {
			case x == y:
				l = ownWebSame
			case min(len(x), len(y)) >= 8 && compare.OneSlip(x, y):
				l = ownWebNear
			}
			out.take(l, i, j)
		}
	}
	return out
}

// ownVeto: two numbers of one's own that no slip explains, and none that both
// have.
func (m *Model) ownVeto(a, b *Features) (string, bool) {
	why := ""
	for _, f := range m.fields {
		if f.kind != KindID {
			continue
		}
		switch ownFieldLevel(f.kind, a.ownText(f.name), b.ownText(f.name)).level {
		case idSame, idNear:
			return "", false
		case idDifferent:
			if why == "" {
				why = "different " + f.name + " numbers"
			}
		}
	}
	return why, why != ""
}
