package matching

import (
	"strings"
	"unicode/utf8"

	"touchstone/matching/compare"
)

// found is the level of one field and which values gave it; the zero one where
// nothing can be compared.
type found struct {
	level, a, b uint8
}

func foundAt(level uint8, i, j int) found {
	return found{level, uint8(i), uint8(j)} //nolint:gosec // a record has few values
}

// take keeps the pair of values with the best (lowest, not missing) level.
func (f *found) take(level uint8, i, j int) {
	if level != missing && (f.level == missing || level < f.level) {
		*f = foundAt(level, i, j)
	}
}

// idLevel compares identifiers of one scheme; where both sides have only
// different schemes nothing is known.
func idLevel(a, b *Features) (out found) {
	for i := range a.count(ids) {
		for j := range b.count(ids) {
			if x, y := a.id(i), b.id(j); x.scheme() == y.scheme() {
				out.take(compareIDs(x, y), i, j)
			}
		}
	}
	return out
}

func compareIDs(x, y id) uint8 {
	v, w := x.value(), y.value()
	switch {
	case v == w:
		return idSame
	case x.checked() && y.checked(): // two right ones are two numbers
		return idDifferent
	case compare.OSAString(v, w, 2) <= 2:
		return idNear
	}
	return idDifferent
}

func phoneLevel(a, b *Features) (out found) {
	for i := range a.count(phones) {
		for j := range b.count(phones) {
			l := comparePhones(a.phone(i), b.phone(j))
			if l == phoneSame && (a.shared.has(sharedPhones, i) || b.shared.has(sharedPhones, j)) {
				l = phoneShared
			}
			out.take(l, i, j)
		}
	}
	return out
}

func comparePhones(x, y string) uint8 {
	if x == y {
		return phoneSame
	}
	v, w := phoneTail(x), phoneTail(y)
	switch {
	case v == w && (x[0] != '+' || y[0] != '+'):
		return phoneSame
	case min(len(v), len(w)) >= 8 && compare.OneSlip(x, y):
		return phoneNear
	}
	return phoneDifferent
}

func placeLevel(a, b *Features) (out found) {
	for i := range a.count(places) {
		for j := range b.count(places) {
			l := comparePlaces(a.place(i), b.place(j))
			if l == placeExact && (a.shared.has(sharedPlaces, i) || b.shared.has(sharedPlaces, j)) {
				l = placeShared
			}
			out.take(l, i, j)
		}
	}
	return out
}

func comparePlaces(x, y place) uint8 {
	city := cityLevel(x, y)
	p, q := x.postcode(), y.postcode()
	post := p != "" && p == q
	s, t := x.street(), y.street()
	if s == "" || t == "" {
		return wideLevel(x, y, city, post)
	}
	h, k := x.house(), y.house()
	house := h != "" && h == k
	local := post || city == same || city == missing && (p == "" || q == "")
	if s == t {
		switch {
		case house && (local || city == missing):
			if u, v := x.units(), y.units(); u == v || u == "" || v == "" {
				return placeExact
			}
			return placeBuilding
		case local && (h == "" && k == "" || h != "" && k != "" && compare.OneSlip(h, k)):
			return placeNear
		case house && utf8.RuneCountInString(s) > 3: // another city written
			return placeNear
		}
	}
	near := s == t || local && nearStreet(s, t)
	switch {
	case s != t && near && house, house && post && x.units() == y.units() && x.units() != "":
		return placeNear
	case near && local:
		return placeStreet
	}
	return wideLevel(x, y, city, post)
}

func nearStreet(s, t string) bool {
	return sameStart(s, t) >= 6 || containedStreet(s, t) || nearText(s, t)
}

// wideLevel judges what is left without a street.
func wideLevel(x, y place, city uint8, post bool) uint8 {
	switch {
	case post:
		return placePostcode
	case city == same && x.street() != "" && y.street() != "":
		return placeElsewhere
	case city == same && x.district() != "" && x.district() == y.district():
		return placeDistrict
	case city == same:
		return placeCity
	case city == different, x.postcode() != "" && y.postcode() != "":
		return placeDifferent
	case x.street() != "" && y.street() != "" && x.street() != y.street():
		return placeDifferent
	}
	return missing
}

func cityLevel(x, y place) uint8 {
	c, d := x.city(), y.city()
	switch {
	case c == "" || d == "":
		return missing
	case c == d:
		return same
	}
	if fewRunes(c) || fewRunes(d) {
		return different
	}
	p, n := compare.BagOf(c)
	q, m := compare.BagOf(d)
	if n > 3 && m > 3 && compare.JaroWinklerReaches(c, d, p, q, n, m, 0.8) {
		return same
	}
	return different
}

// fewRunes says whether a text that does not begin with ASCII has three runes at
// the most.
func fewRunes(s string) bool { return s[0] >= utf8.RuneSelf && utf8.RuneCountInString(s) <= 3 }

// sameStart counts the bytes two streets share at the start, spaces left out:
// what differs then is mostly the type of street.
func sameStart(a, b string) int {
	i, j, n := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == ' ':
			i++
		case b[j] == ' ':
			j++
		case a[i] == b[j]:
			i, j, n = i+1, j+1, n+1
		default:
			return n
		}
	}
	return n
}

func containedStreet(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= 6 && strings.Contains(b, a)
}

// nearText: one edit from five runes on (three for Chinese), two from nine on.
func nearText(a, b string) bool {
	if min(len(a), len(b)) == 0 {
		return false
	}
	x, n := compare.BagOf(a)
	y, m := compare.BagOf(b)
	return nearBagged(a, b, x, y, n, m)
}

// nearBagged is nearText of texts with known bags and lengths in runes.
func nearBagged(a, b string, x, y compare.Bag, n, m int) bool {
	limit := 0
	switch least := min(n, m); {
	case least >= 9:
		limit = 2
	case least >= 5, least >= 3 && wide(a) && wide(b):
		limit = 1
	}
	return within(a, b, x, y, n, m, limit)
}

// within says whether so many edits, one or two, explain the difference.
func within(a, b string, x, y compare.Bag, n, m, limit int) bool {
	switch {
	case limit == 0 || max(n, m)-min(n, m) > limit || x.Apart(y) > limit && max(n, m) <= compare.Max:
		return false
	case limit == 1:
		return compare.WithinOne(a, b)
	}
	return compare.OSAString(a, b, limit) <= limit
}

// wide says whether a text begins with a Chinese character, or one of their
// kind.
func wide(s string) bool {
	if s == "" || s[0] < utf8.RuneSelf {
		return false
	}
	r, _ := utf8.DecodeRuneInString(s)
	return r > 0x2e80
}
