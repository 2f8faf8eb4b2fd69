package matching

import (
	"strings"
	"unicode/utf8"

	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// personLevels compares two persons field by field.
func personLevels(a, b *Features, out *[maxFields]found) {
	if haveBoth(a, b, humans) {
		x, y := a.human(0), b.human(0)
		humanLevels(&x, &y, out)
	}
	out[pBirth] = birthLevel(a, b)
	if haveBoth(a, b, phones) {
		out[pPhone] = phoneLevel(a, b)
	}
	named := out[pFamily].level >= familyExact && out[pFamily].level <= familyNear || out[pGiven].level >= givenExact && out[pGiven].level <= givenNear
	if haveBoth(a, b, emails) {
		out[pEmail] = mailLevel(a, b, named)
	}
	if haveBoth(a, b, places) {
		out[pAddress] = placeLevel(a, b)
	}
	if haveBoth(a, b, ids) {
		out[pIDs] = idLevel(a, b)
	}
	if haveBoth(a, b, orgs) {
		out[pEmployer] = employerLevel(a, b)
	}
}

// name is one name of a person, made ready to be compared as far as that is
// needed.
type name struct {
	of          *human
	number      int // of its bag
	text, roman string
	bag         compare.Bag
	runes       int
	wide        bool // begins with a Chinese character, or one of their kind
}

func (n *name) given() {
	h := n.of
	n.text = h.given()
	if n.roman = n.text; h.flags&flagGivenSame == 0 {
		n.roman = h.givenRoman()
	}
}

func (n *name) family() {
	h := n.of
	n.number, n.text = 1, h.family()
	if n.roman = n.text; h.flags&flagFamilySame == 0 {
		n.roman = h.familyRoman()
	}
}

// ready takes the name's characters, once.
func (n *name) ready() {
	if n.runes == 0 {
		n.take()
	}
}

func (n *name) take() {
	n.bag, n.runes = n.of.bag(humanBags, n.number, n.text)
	n.wide = wide(n.text)
}

func (n *name) long() bool {
	n.ready()
	return n.runes > 3
}

// humanLevels compares names in the written order and, when that differs, with
// one of them swapped.
func humanLevels(x, y *human, out *[maxFields]found) {
	xf, yf, xg, yg := name{of: x}, name{of: y}, name{of: x}, name{of: y}
	xf.family()
	yf.family()
	xg.given()
	yg.given()
	family := familyLevel(&xf, &yf)
	given := givenLevel(&xg, &yg)
	order := uint8(same)
	if worse(family, given) {
		f2, g2 := nameAcross(&xf, &yg), nameAcross(&xg, &yf)
		if x.han() != y.han() { // "Wang Xiaoming" in two fields is 王小明 by any reading
			f2 = across(f2, x.readings(), yg.roman, y.givenReadings(), xf.roman)
			g2 = across(g2, x.givenReadings(), yf.roman, y.readings(), xg.roman)
		}
		if across := f2 + g2; f2 != missing && g2 != missing && across <= 2*familyNear ||
			f2 == familyExact && xf.long() && yf.text == "" || g2 == familyExact && xg.long() && xf.text == "" ||
			f2 == familyExact && xf.long() && xg.text == "" || g2 == familyExact && yf.long() && yg.text == "" {
			lo, hi := min(f2, g2), max(f2, g2) // which is which depends on the side we look from
			if lo == missing {
				lo, hi = hi, missing
			}
			order, family, given = different, lo, givenOf(hi)
		}
	}
	out[pFamily].level, out[pGiven].level = family, given
	if family != missing || given != missing {
		out[pOrder].level = order
	}
	if order == same {
		out[pMiddle].level = middleLevel(x.middle(), y.middle())
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
func across(level uint8, xs, y, ys, x string) uint8 {
	if level > familyReading && (hasWord(xs, y) || hasWord(ys, x)) {
		return familyReading
	}
	return level
}

// nameAcross compares a family name with a given name, in family levels.
func nameAcross(x, y *name) uint8 {
	switch {
	case x.text == "" || y.text == "":
		return missing
	case x.text == y.text:
		return familyExact
	case x.roman == y.roman:
		return familyReading
	case nearName(x, y):
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

func familyLevel(x, y *name) uint8 {
	h, g := x.of, y.of
	switch {
	case x.text == "" || y.text == "":
		return missing
	case x.text == y.text:
		return familyExact
	case x.roman == y.roman || hasWord(h.readings(), y.roman) || hasWord(g.readings(), x.roman):
		if h.han() && g.han() {
			return familyAlike
		}
		return familyReading
	case h.han() && g.han():
		return familyDifferent
	case nearName(x, y), containedName(x.text, y.text):
		return familyNear
	case alikeName(x, y):
		return familyAlike
	}
	return familyDifferent
}

// alikeName: much the same letters in much the same order, or scrambled.
func alikeName(x, y *name) bool {
	x.ready()
	y.ready()
	return compare.JaroWinklerReaches(x.text, y.text, x.bag, y.bag, x.runes, y.runes, 0.8) || scrambled(x, y)
}

// containedName: one part of a double name.
func containedName(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	n := len(b) - len(a)
	return len(a) >= 3 && n > 0 && (b[len(a)] == ' ' && b[:len(a)] == a || b[n-1] == ' ' && b[n:] == a)
}

func givenLevel(x, y *name) uint8 {
	h, g := x.of, y.of
	switch {
	case x.text == "" || y.text == "":
		return missing
	case x.text == y.text:
		return sameGiven(x.text)
	case x.roman == y.roman, h.han() != g.han() && (hasWord(h.givenReadings(), y.roman) || hasWord(g.givenReadings(), x.roman)):
		return givenReading
	case h.flags&g.flags&flagNickname != 0 && standardise.Nickname(x.text, y.text):
		return givenNickname
	}
	x.ready()
	y.ready()
	switch {
	case (x.runes == 1 || y.runes == 1) && !x.wide && !y.wide && firstRune(x.text) == firstRune(y.text):
		return givenInitial
	case nearName(x, y):
		return givenNear
	case !x.wide && !y.wide && alikeName(x, y):
		return givenAlike
	}
	return givenDifferent
}

func sameGiven(s string) uint8 {
	switch _, n := utf8.DecodeRuneInString(s); {
	case n < len(s):
		return givenExact
	case wide(s):
		return givenShort
	}
	return givenInitial
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// nearName: one edit from four letters on, two from seven on; two Chinese names
// are near when three runes or longer and one apart.
func nearName(x, y *name) bool {
	x.ready()
	y.ready()
	limit := 0
	switch n := min(x.runes, y.runes); {
	case x.wide || y.wide:
		if n >= 3 {
			limit = 1
		}
	case n >= 7:
		limit = 2
	case n >= 4:
		limit = 1
	}
	return within(x.text, y.text, x.bag, y.bag, x.runes, y.runes, limit)
}

// scrambled: the same letters in another order, or but for one letter; typing
// in a hurry does that to a short name.
func scrambled(x, y *name) bool {
	a, b := x.text, y.text
	if len(a) < 4 || len(b) < 4 || max(len(a), len(b))-min(len(a), len(b)) > 1 || x.bag.Unlike(y.bag) > 1 || x.runes != len(a) || y.runes != len(b) {
		return false
	}
	var n [128]int16
	for i := range len(a) {
		n[a[i]&127]++
	}
	for i := range len(b) {
		n[b[i]&127]--
	}
	off := int16(0)
	for _, c := range n {
		off += max(c, -c)
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
	case compare.Prefix(a, 3) == compare.Prefix(b, 3):
		return middleInitial
	}
	return middleDifferent
}

func birthLevel(a, b *Features) found {
	x, y := a.single(slotBirth), b.single(slotBirth)
	switch {
	case x == "" || y == "":
		return found{}
	case x == y:
		return found{level: birthSame}
	}
	return found{level: compareBirths(x, y)}
}

// compareBirths compares two dates that are not equal, as YYYY-MM-DD.
func compareBirths(x, y string) uint8 {
	if len(x) != 10 || len(y) != 10 {
		return birthDifferent
	}
	year, month, day := x[:4] == y[:4], x[5:7] == y[5:7], x[8:] == y[8:]
	if year && x[5:7] == y[8:] && x[8:] == y[5:7] {
		return birthSwapped
	}
	if compare.OneSlip(x, y) {
		return birthSlip
	}
	switch {
	case year && month, year && day, month && day:
		return birthClose
	case apart(x[5:7], y[5:7]) <= 1 && apart(x[8:], y[8:]) <= 5:
		if years := apart(x[:4], y[:4]); years <= 1 || years == 10 {
			return birthClose
		}
	}
	if year {
		return birthYear
	}
	return birthDifferent
}

func number(digits string) (n int) {
	for i := range len(digits) {
		n = 10*n + int(digits[i]-'0')
	}
	return n
}

// apart is how far two numbers lie apart.
func apart(a, b string) int {
	v, w := number(a), number(b)
	return max(v, w) - min(v, w)
}

// mailLevel compares email addresses. An address that is only alike, and was
// made from a name that agrees already, must not count a second time.
func mailLevel(a, b *Features, named bool) (out found) {
	for i := range a.count(emails) {
		for j := range b.count(emails) {
			l := compareMail(a, b, a.email(i), b.email(j), named)
			if l == mailSame && (a.shared.has(sharedEmails, i) || b.shared.has(sharedEmails, j)) && a.email(i).whole() == b.email(j).whole() {
				l = mailShared
			}
			out.take(l, i, j)
		}
	}
	return out
}

func compareMail(a, b *Features, x, y email, named bool) uint8 {
	v, w, d, e := x.local(), y.local(), x.domain(), y.domain()
	if v == w {
		switch {
		case d == e, compare.OneSlip(d, e):
			return mailSame
		case len(v) >= 6 && (!named || !madeFromNames(a, b, v, w)):
			return mailLocal
		}
		return mailFromName
	}
	switch {
	case alikeMail(x, y, v, w, d, e):
		if named && !longTail(v, w) && madeFromNames(a, b, v, w) {
			return mailFromName
		}
		return mailNear
	case d == e && !x.free():
		return mailDomain
	}
	return mailDifferent
}

// alikeMail: a slip or two in the whole address.
func alikeMail(x, y email, v, w, d, e string) bool {
	s, t := x.whole(), y.whole()
	a, k := x.bag(2, 0, s)
	b, l := y.bag(2, 0, t)
	if max(k, l) <= compare.Max && (a.Apart(b) > 3 || max(k, l)-min(k, l) > 3) { // one slip of the domain, two of the rest
		return false
	}
	if d == e || compare.OneSlip(d, e) {
		p, n := compare.BagOf(v)
		q, m := compare.BagOf(w)
		return min(n, m) >= 5 && within(v, w, p, q, n, m, 2)
	}
	if min(len(s), len(t)) <= 12 {
		return false
	}
	return a.Apart(b) <= 3 && max(k, l)-min(k, l) <= 3 && min(utf8.RuneCountInString(v)+len(d), utf8.RuneCountInString(w)+len(e)) >= 12 && compare.OSAString(s, t, 3) <= 3
}

// longTail: both end in the same three digits or more, which no name gives.
func longTail(v, w string) bool {
	n := 0
	for n < min(len(v), len(w)) {
		c := v[len(v)-1-n]
		if c != w[len(w)-1-n] || c < '0' || c > '9' {
			break
		}
		n++
	}
	return n >= 3
}

func madeFromNames(a, b *Features, v, w string) bool {
	return madeFromName(a, v) || madeFromName(b, w)
}

func madeFromName(f *Features, local string) bool {
	for i := range f.count(humans) {
		h := f.human(i)
		family, given := h.familyRoman(), h.givenRoman()
		if len(family) >= 2 && strings.Contains(local, family) || len(given) >= 3 && strings.Contains(local, given) {
			return true
		}
	}
	return false
}

func employerLevel(a, b *Features) (out found) {
	for i := range a.count(orgs) {
		for j := range b.count(orgs) {
			switch nameLevel(a.org(i), b.org(j)) {
			case nameExact, nameReading:
				out.take(employerSame, i, j)
			case nameNear, nameContained, nameAcronym, nameAlike:
				out.take(employerNear, i, j)
			default:
				out.take(employerDifferent, i, j)
			}
		}
	}
	return out
}
