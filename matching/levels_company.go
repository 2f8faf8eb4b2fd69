package matching

import (
	"strings"

	"touchstone/matching/compare"
)

// companyLevels compares two companies field by field.
func companyLevels(a, b *Features, out *[maxFields]found) {
	for i := range out {
		out[i] = none
	}
	orgLevels(a, b, out)
	out[cIDs] = idLevel(a, b)
	out[cPhone] = phoneLevel(a, b)
	out[cWeb] = webLevel(a, b)
	out[cAddress] = placeLevel(a, b)
	out[cCountry] = countryLevel(a, b)
}

// orgLevels finds the best pair of names and takes the name's parts from it.
func orgLevels(a, b *Features, out *[maxFields]found) {
	bestSet := [5]uint8{255}
	for i := range a.orgs {
		for j := range b.orgs {
			x, y := &a.orgs[i], &b.orgs[j]
			set := [5]uint8{nameLevel(x, y), 0, 0, 0, 0}
			set[1] = partLevel(x.Trade, y.Trade)
			if set[1] == different && (x.Han != y.Han || nearTrade(x.Trade, y.Trade)) {
				set[1] = missing // not comparable across languages
			}
			set[2] = branchLevel(x.Branch, y.Branch)
			set[3] = partLevel(x.Place, y.Place)
			set[4] = partLevel(x.Form, y.Form)
			if x.Han != y.Han {
				set[4] = missing
			}
			if less(set, bestSet) {
				bestSet = set
				for k, p := range [...]int{cName, cTrade, cBranch, cPlace, cForm} {
					out[p] = none
					if set[k] != missing {
						out[p] = found{set[k], int16(i), int16(j)}
					}
				}
			}
		}
	}
}

func less(a, b [5]uint8) bool {
	for k := range a {
		if a[k] != b[k] {
			return a[k] < b[k]
		}
	}
	return false
}

func partLevel(a, b string) uint8 {
	switch {
	case a == "" || b == "":
		return missing
	case a == b:
		return same
	}
	return different
}

// branchLevel: a branch and its head company are two customers too.
func branchLevel(a, b string) uint8 {
	switch {
	case a == b && a == "":
		return missing
	case a == b:
		return same
	}
	return different
}

// nearTrade: one is part of the other (贸易 and 进出口贸易), or a typo of it.
func nearTrade(a, b string) bool {
	return strings.Contains(a, b) || strings.Contains(b, a) || compare.OSA([]rune(a), []rune(b), 1) <= 1
}

func nameLevel(x, y *org) uint8 {
	switch {
	case x.Brand == y.Brand:
		return nameExact
	case x.Roman == y.Roman:
		if x.Han && y.Han && len(x.brand) == len(y.brand) {
			return nameNear // homophones: a slip of the keyboard, or another company
		}
		return nameReading
	case x.Han != y.Han && (hasReading(x.Readings, y.Roman) || hasReading(y.Readings, x.Roman)):
		return nameReading
	case x.Han && y.Han:
		return hanNameLevel(x, y)
	case x.Han != y.Han:
		return crossLevel(x, y)
	}
	switch {
	case string(x.full) == string(y.full), nearRunes(x.roman, y.roman), nearRunes(x.full, y.full):
		return nameNear
	case containsWords(x.words, y.words):
		return nameContained
	case acronym(x, y) || acronym(y, x):
		return nameAcronym
	case compare.JaroWinkler(x.full, y.full) >= 0.9:
		return nameAlike
	}
	return nameDifferent
}

func hanNameLevel(x, y *org) uint8 {
	n := min(len(x.brand), len(y.brand))
	switch {
	case n >= 2 && len(x.brand)+len(y.brand) >= 5 && compare.OSA(x.brand, y.brand, 1) <= 1:
		return nameNear
	case n >= 2 && (strings.Contains(x.Brand+x.Trade, y.Brand+y.Trade) || strings.Contains(y.Brand+y.Trade, x.Brand+x.Trade)):
		return nameContained
	case n >= 2 && compare.OSA([]rune(x.Brand+x.Trade), []rune(y.Brand+y.Trade), 1) <= 1:
		return nameNear
	case n >= 2 && compare.OSA(x.brand, y.brand, 1) <= 1:
		return nameAlike
	}
	return nameDifferent
}

// crossLevel compares a Chinese name with a Latin one by its reading; the Latin
// name may begin with the place and hold words for the trade.
func crossLevel(x, y *org) uint8 {
	han, latin := x, y
	if y.Han {
		han, latin = y, x
	}
	switch {
	case len(han.roman) >= 5 && (strings.HasPrefix(latin.Roman, han.Roman) || strings.HasSuffix(latin.Roman, han.Roman)):
		return nameContained
	case nearRunes(han.roman, latin.roman):
		return nameAlike
	}
	return nameDifferent
}

// containsWords says whether every word of the shorter stands in the longer.
func containsWords(a, b []string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 || len(a) == 1 && len(a[0]) < 4 {
		return false
	}
	for _, w := range a {
		hit := false
		for _, v := range b {
			hit = hit || v == w
		}
		if !hit {
			return false
		}
	}
	return true
}

// acronym says whether x's whole name is made of the initials of y's words.
func acronym(x, y *org) bool {
	if len(x.words) != 1 || len(x.roman) < 2 || len(x.roman) > 5 || x.Trade != "" || len(y.words) == 0 {
		return false
	}
	n := 0
	for _, w := range y.words {
		if n >= len(x.Roman) || w[0] != x.Roman[n] {
			return false
		}
		n++
	}
	for w := range strings.FieldsSeq(y.Trade) {
		if n < len(x.Roman) && w[0] != x.Roman[n] {
			return false
		}
		n++
	}
	return n >= len(x.Roman)-1 && n >= 2
}

// webLevel takes email and web site as one piece of evidence: a company's
// address and its site stand on one domain.
func webLevel(a, b *Features) found {
	for i := range a.emails {
		for j := range b.emails {
			if a.emails[i].domain == b.emails[j].domain && a.emails[i].local == b.emails[j].local && !a.emails[i].shared && !b.emails[j].shared {
				return found{webAddress, int16(i + len(a.webs)), int16(j + len(b.webs))}
			}
		}
	}
	out := best(ownDomains(a), ownDomains(b), func(i, j int) uint8 {
		x, y := ownDomain(a, i), ownDomain(b, j)
		switch {
		case x == "" || y == "":
			return sharedMail(a, b, i, j)
		case x == y && (domainShared(a, i) || domainShared(b, j)):
			return webShared
		case x == y:
			return webDomain
		case oneSlip(x, y):
			return webNear
		}
		return webDifferent
	})
	return out
}

// ownDomains counts the places a domain may come from: the sites, then the
// emails.
func ownDomains(f *Features) int { return len(f.webs) + len(f.emails) }

func ownDomain(f *Features, i int) string {
	if i < len(f.webs) {
		return f.webs[i]
	}
	if e := &f.emails[i-len(f.webs)]; !e.free {
		return e.domain
	}
	return ""
}

func domainShared(f *Features, i int) bool {
	if i < len(f.webs) {
		return i < len(f.webShared) && f.webShared[i]
	}
	return f.emails[i-len(f.webs)].domainShared
}

// sharedMail: the same address of a mail provider, and many names use it.
func sharedMail(a, b *Features, i, j int) uint8 {
	if i < len(a.webs) || j < len(b.webs) {
		return missing
	}
	if x, y := &a.emails[i-len(a.webs)], &b.emails[j-len(b.webs)]; x.local == y.local && x.domain == y.domain && x.shared {
		return webShared
	}
	return missing
}

func countryLevel(a, b *Features) found {
	if l := partLevel(countryOf(a), countryOf(b)); l != missing {
		return found{l, 0, 0}
	}
	return none
}

func countryOf(f *Features) string {
	if f.country != "" {
		return f.country
	}
	for i := range f.places {
		if f.places[i].Country != "" {
			return f.places[i].Country
		}
	}
	return ""
}
