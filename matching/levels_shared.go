package matching

import (
	"strings"

	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// found is the level of one field and which values gave it; -1 for none.
type found struct {
	level uint8
	a, b  int16
}

var none = found{0, -1, -1}

// best keeps the pair of values with the best (lowest, not missing) level.
func best(na, nb int, level func(i, j int) uint8) found {
	out := none
	for i := range na {
		for j := range nb {
			if l := level(i, j); l != missing && (out.level == missing || l < out.level) {
				out = found{l, int16(i), int16(j)}
				if l == 1 {
					return out
				}
			}
		}
	}
	return out
}

// idLevel compares identifiers of one scheme; where both sides have only
// different schemes nothing is known.
func idLevel(a, b *Features) found {
	return best(len(a.ids), len(b.ids), func(i, j int) uint8 {
		x, y := &a.ids[i], &b.ids[j]
		if x.Scheme != y.Scheme {
			return missing
		}
		if x.Value == y.Value {
			return idSame
		}
		if idEdits(x, y) <= 2 && (!x.Checked || !y.Checked) { // two right ones are two numbers
			return idNear
		}
		return idDifferent
	})
}

// idEdits is the distance of two values, up to 3.
func idEdits(x, y *standardise.ID) int {
	return compare.OSA([]rune(x.Value), []rune(y.Value), 2)
}

func phoneLevel(a, b *Features) found {
	return best(len(a.phones), len(b.phones), func(i, j int) uint8 {
		x, y := &a.phones[i], &b.phones[j]
		if x.number == y.number || x.tail == y.tail && (x.number[0] != '+' || y.number[0] != '+') {
			if x.shared || y.shared {
				return phoneShared
			}
			return phoneSame
		}
		if min(len(x.tail), len(y.tail)) >= 8 && oneSlip(x.number, y.number) {
			return phoneNear
		}
		return phoneDifferent
	})
}

// oneSlip says whether two ASCII texts differ by one changed, lost, added or
// swapped character.
func oneSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		if i == len(a) {
			return false
		}
		if a[i+1:] == b[i+1:] {
			return true
		}
		return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}

func placeLevel(a, b *Features) found {
	return best(len(a.places), len(b.places), func(i, j int) uint8 { return comparePlaces(&a.places[i], &b.places[j]) })
}

func comparePlaces(x, y *place) uint8 {
	city := cityLevel(x, y)
	post := x.Postcode != "" && x.Postcode == y.Postcode
	if x.Street == "" || y.Street == "" {
		return wideLevel(x, y, city, post)
	}
	street := 2 // same
	if x.Street != y.Street {
		street = 0
		if nearRunes(x.street, y.street) || containedStreet(x.Street, y.Street) || sameStart(x.Street, y.Street) >= 6 {
			street = 1
		}
	}
	house := x.House != "" && x.House == y.House
	local := post || city == same || city == missing && x.Postcode == ""
	switch {
	case street == 2 && house && (local || city == missing):
		if x.Units == y.Units || x.Units == "" || y.Units == "" {
			if x.shared || y.shared {
				return placeShared
			}
			return placeExact
		}
		return placeBuilding
	case street == 1 && house && local,
		street == 2 && x.House != "" && y.House != "" && local && oneSlip(x.House, y.House),
		house && post && x.Units == y.Units && x.Units != "",
		street == 2 && local && x.House == "" && y.House == "":
		return placeNear
	case street == 2 && house && len(x.street) > 3: // another city written
		return placeNear
	case street >= 1 && local:
		return placeStreet
	}
	return wideLevel(x, y, city, post)
}

// wideLevel judges what is left without a street.
func wideLevel(x, y *place, city uint8, post bool) uint8 {
	switch {
	case post:
		return placePostcode
	case city == same && x.District != "" && x.District == y.District:
		return placeDistrict
	case city == same:
		return placeCity
	case city == different, x.Postcode != "" && y.Postcode != "":
		return placeDifferent
	case x.Street != "" && y.Street != "" && x.Street != y.Street:
		return placeDifferent
	}
	return missing
}

func cityLevel(x, y *place) uint8 {
	switch {
	case x.City == "" || y.City == "":
		return missing
	case x.City == y.City:
		return same
	case len(x.city) > 3 && len(y.city) > 3 && compare.JaroWinkler(x.city, y.city) >= 0.8:
		return same
	}
	return different
}

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

// nearRunes: one edit from five runes on (three for Chinese), two from nine on.
func nearRunes(a, b []rune) bool {
	n := min(len(a), len(b))
	limit := 0
	switch {
	case n >= 9:
		limit = 2
	case n >= 5, n >= 3 && a[0] > 0x2e80 && b[0] > 0x2e80:
		limit = 1
	}
	return limit > 0 && compare.OSA(a, b, limit) <= limit
}
