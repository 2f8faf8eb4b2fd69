package matching

import (
	"strings"

	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// personLevels compares two persons field by field.
func personLevels(a, b *Features, out *[maxFields]found) {
	for i := range out {
		out[i] = none
	}
	if len(a.humans) > 0 && len(b.humans) > 0 {
		humanLevels(&a.humans[0], &b.humans[0], out)
	}
	out[pBirth] = birthLevel(a, b)
	out[pPhone] = phoneLevel(a, b)
	named := out[pFamily].level >= familyExact && out[pFamily].level <= familyNear || out[pGiven].level >= givenExact && out[pGiven].level <= givenNear
	out[pEmail] = mailLevel(a, b, named)
	out[pAddress] = placeLevel(a, b)
	out[pIDs] = idLevel(a, b)
	out[pEmployer] = employerLevel(a, b)
}

// humanLevels compares names in the written order and, when that differs, with
// one of them swapped.
func humanLevels(x, y *human, out *[maxFields]found) {
	family := familyLevel(x.family, y.family, x, y)
	given := givenLevel(x.given, y.given, x, y)
	order := uint8(same)
	if worse(family, given) {
		f2 := nameAcross(x.family, y.given, x.FamilyRoman, y.GivenRoman)
		g2 := nameAcross(x.given, y.family, x.GivenRoman, y.FamilyRoman)
		if x.Han != y.Han { // "Wang Xiaoming" in two fields is 王小明 by any reading
			f2 = across(f2, x.Readings, y.GivenRoman, y.GivenReadings, x.FamilyRoman)
			g2 = across(g2, x.GivenReadings, y.FamilyRoman, y.Readings, x.GivenRoman)
		}
		if across := f2 + g2; f2 != missing && g2 != missing && across <= 2*familyNear ||
			f2 == familyExact && len(x.family) > 3 && y.Family == "" || g2 == familyExact && len(x.given) > 3 && x.Family == "" ||
			f2 == familyExact && len(x.family) > 3 && x.Given == "" || g2 == familyExact && len(y.family) > 3 && y.Given == "" {
			lo, hi := min(f2, g2), max(f2, g2) // which is which depends on the side we look from
			if lo == missing {
				lo, hi = hi, missing
			}
			order, family, given = different, lo, givenOf(hi)
		}
	}
	set := func(p int, l uint8) {
		if l != missing {
			out[p] = found{l, 0, 0}
		}
	}
	set(pFamily, family)
	set(pGiven, given)
	if family != missing || given != missing {
		set(pOrder, order)
	}
	if order == same {
		set(pMiddle, middleLevel(x.Middle, y.Middle))
	}
}

// worse says whether the written order leaves something to be explained.
func worse(family, given uint8) bool {
	switch {
	case family == missing, family >= familyAlike, given == missing, given >= givenAlike:
		return true
	}
	return false
}

// across raises a level to the same reading where a further reading of one side
// is the other's name.
func across(level uint8, xs []string, y string, ys []string, x string) uint8 {
	if level > familyReading && (hasReading(xs, y) || hasReading(ys, x)) {
		return familyReading
	}
	return level
}

// nameAcross compares a family name with a given name, in family levels.
func nameAcross(a, b []rune, ra, rb string) uint8 {
	switch {
	case len(a) == 0 || len(b) == 0:
		return missing
	case string(a) == string(b):
		return familyExact
	case ra == rb:
		return familyReading
	case nearName(a, b):
		return familyNear
	}
	return familyDifferent
}

func givenOf(l uint8) uint8 {
	switch l {
	case familyExact:
		return givenExact
	case familyReading:
		return givenReading
	case familyNear:
		return givenNear
	case familyDifferent:
		return givenDifferent
	}
	return missing
}

func familyLevel(a, b []rune, x, y *human) uint8 {
	switch {
	case len(a) == 0 || len(b) == 0:
		return missing
	case x.Family == y.Family:
		return familyExact
	case x.FamilyRoman == y.FamilyRoman || hasReading(x.Readings, y.FamilyRoman) || hasReading(y.Readings, x.FamilyRoman):
		if x.Han && y.Han {
			return familyAlike
		}
		return familyReading
	case x.Han && y.Han:
		return familyDifferent
	case nearName(a, b), containedName(x.Family, y.Family):
		return familyNear
	case compare.JaroWinkler(a, b) >= 0.8 || scrambled(a, b):
		return familyAlike
	}
	return familyDifferent
}

func hasReading(rs []string, s string) bool {
	for _, r := range rs {
		if r == s {
			return true
		}
	}
	return false
}

// containedName: one part of a double name.
func containedName(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= 3 && (strings.HasPrefix(b, a+" ") || strings.HasSuffix(b, " "+a))
}

func givenLevel(a, b []rune, h, g *human) uint8 {
	x, y := string(a), string(b)
	switch {
	case len(a) == 0 || len(b) == 0:
		return missing
	case x == y && len(a) == 1 && a[0] > 0x2e80:
		return givenShort
	case x == y && len(a) == 1:
		return givenInitial
	case x == y:
		return givenExact
	case h.GivenRoman == g.GivenRoman, h.Han != g.Han && (hasReading(h.GivenReadings, g.GivenRoman) || hasReading(g.GivenReadings, h.GivenRoman)):
		return givenReading
	case standardise.Nickname(x, y):
		return givenNickname
	case (len(a) == 1 || len(b) == 1) && a[0] == b[0] && a[0] < 0x2e80:
		return givenInitial
	case nearName(a, b):
		return givenNear
	case a[0] < 0x2e80 && b[0] < 0x2e80 && (compare.JaroWinkler(a, b) >= 0.8 || scrambled(a, b)):
		return givenAlike
	}
	return givenDifferent
}

// nearName: one edit from four letters on, two from seven on; two Chinese names
// are near when three runes or longer and one apart.
func nearName(a, b []rune) bool {
	n := min(len(a), len(b))
	limit := 0
	switch {
	case n == 0:
	case a[0] > 0x2e80 || b[0] > 0x2e80:
		if n >= 3 {
			limit = 1
		}
	case n >= 7:
		limit = 2
	case n >= 4:
		limit = 1
	}
	return limit > 0 && compare.OSA(a, b, limit) <= limit
}

// scrambled: the same letters in another order, or but for one letter; typing
// in a hurry does that to a short name.
func scrambled(a, b []rune) bool {
	if len(a) < 4 || len(b) < 4 || len(a)-len(b) > 1 || len(b)-len(a) > 1 {
		return false
	}
	var n [128]int8
	for _, r := range a {
		if r >= 128 {
			return false
		}
		n[r]++
	}
	for _, r := range b {
		if r >= 128 {
			return false
		}
		n[r]--
	}
	off := 0
	for _, c := range n {
		if c > 0 {
			off += int(c)
		} else {
			off -= int(c)
		}
	}
	return off <= 1
}

func middleLevel(a, b string) uint8 {
	switch {
	case a == "" || b == "":
		return missing
	case a == b && len(a) > 1:
		return middleSame
	case a[0] == b[0] && (len(a) == 1 || len(b) == 1):
		return middleInitial
	case prefix(a, 3) == prefix(b, 3):
		return middleInitial
	}
	return middleDifferent
}

func birthLevel(a, b *Features) found {
	x, y := &a.birth, &b.birth
	if x.y == 0 || y.y == 0 {
		return none
	}
	return found{compareBirth(x, y), 0, 0}
}

func compareBirth(x, y *birth) uint8 {
	if x.text == y.text {
		return birthSame
	}
	if x.y == y.y && x.m == y.d && x.d == y.m {
		return birthSwapped
	}
	if oneSlip(x.text, y.text) {
		return birthSlip
	}
	equal := 0
	for _, e := range [...]bool{x.y == y.y, x.m == y.m, x.d == y.d} {
		if e {
			equal++
		}
	}
	near := apart(x.y, y.y, 1) || apart(x.y, y.y, 10)
	switch {
	case equal == 2:
		return birthClose
	case (x.y == y.y || near) && apart(x.m, y.m, 1) && apart(x.d, y.d, 5):
		return birthClose
	case x.y == y.y:
		return birthYear
	}
	return birthDifferent
}

// apart: by at most n, or, for n = 10, exactly that.
func apart(a, b, n int) bool {
	d := max(a, b) - min(a, b)
	if n == 10 {
		return d == n
	}
	return d <= n
}

// mailLevel compares email addresses. An address that is only alike, and was
// made from a name that agrees already, must not count a second time.
func mailLevel(a, b *Features, named bool) found {
	return best(len(a.emails), len(b.emails), func(i, j int) uint8 {
		x, y := &a.emails[i], &b.emails[j]
		made := named && (madeFromName(a, x) || madeFromName(b, y))
		sameLocal := x.local == y.local
		switch {
		case sameLocal && x.domain == y.domain && (x.shared || y.shared):
			return mailShared
		case sameLocal && x.domain == y.domain:
			return mailSame
		case sameLocal && oneSlip(x.domain, y.domain):
			return mailSame
		case sameLocal && !made && len(x.local) >= 6:
			return mailLocal
		case sameLocal, alikeMail(x, y) && made && !longTail(x, y):
			return mailFromName
		case alikeMail(x, y):
			return mailNear
		case x.domain == y.domain && !x.free:
			return mailDomain
		}
		return mailDifferent
	})
}

// alikeMail: a slip or two in the whole address.
func alikeMail(x, y *email) bool {
	if x.domain != y.domain && !oneSlip(x.domain, y.domain) {
		return min(len(x.runes)+len(x.domain), len(y.runes)+len(y.domain)) >= 12 && compare.OSA([]rune(x.local+"@"+x.domain), []rune(y.local+"@"+y.domain), 3) <= 3
	}
	return min(len(x.runes), len(y.runes)) >= 5 && compare.OSA(x.runes, y.runes, 2) <= 2
}

// longTail: both end in the same three digits or more, which no name gives.
func longTail(x, y *email) bool {
	n := 0
	for n < min(len(x.local), len(y.local)) {
		c := x.local[len(x.local)-1-n]
		if c != y.local[len(y.local)-1-n] || c < '0' || c > '9' {
			break
		}
		n++
	}
	return n >= 3
}

func madeFromName(f *Features, e *email) bool {
	for i := range f.humans {
		h := &f.humans[i]
		if len(h.FamilyRoman) >= 2 && strings.Contains(e.local, h.FamilyRoman) || len(h.GivenRoman) >= 3 && strings.Contains(e.local, h.GivenRoman) {
			return true
		}
	}
	return false
}

func employerLevel(a, b *Features) found {
	return best(len(a.orgs), len(b.orgs), func(i, j int) uint8 {
		switch nameLevel(&a.orgs[i], &b.orgs[j]) {
		case nameExact, nameReading:
			return employerSame
		case nameNear, nameContained, nameAcronym, nameAlike:
			return employerNear
		}
		return employerDifferent
	})
}
