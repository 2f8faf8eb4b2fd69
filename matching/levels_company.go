package matching

import (
	"strings"
	"unicode/utf8"

	"touchstone/matching/compare"
	"touchstone/matching/standardise"
)

// companyLevels compares two companies field by field.
func companyLevels(a, b *Features, out *[maxFields]found) {
	orgLevels(a, b, out)
	if haveBoth(a, b, ids) {
		out[cIDs] = idLevel(a, b)
	}
	if haveBoth(a, b, phones) {
		out[cPhone] = phoneLevel(a, b)
	}
	out[cWeb] = webLevel(a, b)
	if haveBoth(a, b, places) {
		out[cAddress] = placeLevel(a, b)
	}
	out[cCountry] = countryLevel(a, b)
	oneSpelling(out)
}

// orgLevels finds the best pair of names and takes the name's parts from it.
func orgLevels(a, b *Features, out *[maxFields]found) {
	best := [5]uint8{255}
	for i := range a.count(orgs) {
		for j := range b.count(orgs) {
			x, y := a.org(i), b.org(j)
			name := nameLevel(x, y)
			if name < nameContained && affiliate(a, b, x, y) {
				name = nameContained
			}
			if name > best[0] {
				continue
			}
			set := [5]uint8{name, tradeLevel(x, y), branchLevel(x, y), namePlaceLevel(x, y), partLevel(x.form(), y.form())}
			if x.han() != y.han() {
				set[4] = missing
			}
			if set[0] == nameAcronym && set[2] == branchOther {
				set[2] = missing // the letters may stand for the role too
			}
			if less(set, best) {
				best = set
				for k, p := range [...]int{cName, cTrade, cBranch, cPlace, cForm} {
					out[p] = found{}
					out[p].take(set[k], i, j)
				}
			}
		}
	}
}

// affiliate says whether one of two names that are not Chinese has the country of
// another company in it: an Acme UK beside an Acme that is not known to be in
// Britain.
func affiliate(a, b *Features, x, y org) bool {
	p, q := x.place(), y.place()
	if (p == "") == (q == "") || x.han() || y.han() {
		return false
	}
	if p == "" {
		p, b = q, a
	}
	law := standardise.LawOf(p)
	return law != "" && law != countryOf(b)
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

func nameLevel(x, y org) uint8 {
	v, w := x.brand(), y.brand()
	if v == w {
		return nameExact
	}
	p, q := x.roman(), y.roman()
	switch {
	case p == q:
		if !x.han() || !y.han() {
			return nameReading
		}
		switch n := utf8.RuneCountInString(v); { // homophones: a slip of the keyboard, or another company
		case n != utf8.RuneCountInString(w):
			return nameReading
		case n <= 2:
			return nameAlike
		}
		return nameNear
	case x.han() && y.han():
		return hanNameLevel(x, y)
	case x.han():
		return crossLevel(x, y)
	case y.han():
		return crossLevel(y, x)
	}
	return latinNameLevel(x, y, v, w, p, q)
}

// latinNameLevel compares names that are not Chinese: v and w are the brands, p
// and q the brands without spaces.
func latinNameLevel(x, y org, v, w, p, q string) uint8 {
	s, t := x.whole(), y.whole()
	if s == t {
		return nameNear
	}
	a, n := x.bag(orgBags, 0, p)
	b, m := y.bag(orgBags, 0, q)
	if nearBagged(p, q, a, b, n, m) {
		return nameNear
	}
	c, k := x.bag(orgBags, 1, s)
	d, l := y.bag(orgBags, 1, t)
	switch {
	case x.trade() != y.trade() && nearBagged(s, t, c, d, k, l):
		return nameNear
	case (a.Lacks(b) == 0 || b.Lacks(a) == 0) && containsWords(v, w):
		return nameContained
	case n <= mostInitials && acronym(x, v, p, n, w, y.trade()), m <= mostInitials && acronym(y, w, q, m, v, x.trade()):
		return nameAcronym
	case compare.JaroWinklerReaches(s, t, c, d, k, l, 0.9):
		return nameAlike
	case min(n, m) >= longBrand && compare.PairsJaccardReaches(p, q, a, b, n, m, alikeBrand),
		min(k, l) >= longWhole && (len(s) > len(p) || len(t) > len(q)) && compare.PairsJaccardReaches(s, t, c, d, k, l, alikeWhole):
		return nameAlike // several slips, each in another place: few neighbours are lost
	}
	return nameDifferent
}

// From how many neighbouring letters in common on names are alike: of the brand,
// and of the brand with what the company does, which many share. Chosen on
// generated companies: at 0.5 of the whole, sister firms come together.
const (
	longBrand  = 6
	alikeBrand = 0.5
	longWhole  = 10
	alikeWhole = 0.6
)

// hanNameLevel compares Chinese names, the second time with what they do.
func hanNameLevel(x, y org) uint8 {
	v, w := x.brand(), y.brand()
	n, m := utf8.RuneCountInString(v), utf8.RuneCountInString(w)
	if min(n, m) < 2 {
		return nameDifferent
	}
	s, t := x.whole(), y.whole()
	slip := compare.WithinOne(v, w)
	switch {
	case slip && n+m >= 5:
		return nameNear
	case strings.Contains(s, t) || strings.Contains(t, s):
		return nameContained
	case compare.WithinOne(s, t) && (n != m || !slip || !otherRune(v, w)):
		return nameNear
	case slip:
		return nameAlike
	}
	return nameDifferent
}

// otherRune: brands of one length that differ in one character only. In so short
// a name it is another one: 远泉 and 远纪; what typing does is to lose or to swap.
func otherRune(a, b string) bool {
	n := 0
	for a != "" && b != "" {
		v, i := utf8.DecodeRuneInString(a)
		w, j := utf8.DecodeRuneInString(b)
		if v != w {
			n++
		}
		a, b = a[i:], b[j:]
	}
	return n == 1
}

// crossLevel compares a Chinese name with a Latin one by its reading; the Latin
// name may begin with the place and hold words for the trade.
func crossLevel(han, latin org) uint8 {
	p, q := han.roman(), latin.roman()
	switch {
	case hasWord(han.readings(), q), hasWord(latin.readings(), p):
		return nameReading
	case (strings.HasPrefix(q, p) || strings.HasSuffix(q, p)) && utf8.RuneCountInString(p) >= 5:
		return nameContained
	case nearText(p, q):
		return nameAlike
	}
	return nameDifferent
}

// hasWord says whether a text is one of the words.
func hasWord(words, s string) bool {
	for w, rest := cutWord(words); w != ""; w, rest = cutWord(rest) {
		if w == s {
			return true
		}
	}
	return false
}

// containsWords says whether every word of the one with fewer stands in the
// other; of either, where both have as many.
func containsWords(a, b string) bool {
	n, m := strings.Count(a, " "), strings.Count(b, " ")
	if n > m {
		a, b, n, m = b, a, m, n
	}
	if a == "" || n == 0 && len(a) < 4 {
		return false
	}
	return allWords(a, b) || n == m && allWords(b, a)
}

func allWords(a, b string) bool {
	for w, rest := cutWord(a); w != ""; w, rest = cutWord(rest) {
		if !hasWord(b, w) {
			return false
		}
	}
	return true
}

// mostInitials is the longest name that is taken for initials.
const mostInitials = 5

// acronym says whether x's whole name, one word of n runes, is made of the
// initials of the other's words.
func acronym(x org, brand, roman string, n int, words, trade string) bool {
	if n < 2 || n > mostInitials || words == "" || x.trade() != "" || strings.IndexByte(brand, ' ') >= 0 {
		return false
	}
	at := 0
	for w, rest := cutWord(words); w != ""; w, rest = cutWord(rest) {
		if at >= len(roman) || w[0] != roman[at] {
			return false
		}
		at++
	}
	for w, rest := cutWord(trade); w != ""; w, rest = cutWord(rest) {
		if at < len(roman) && w[0] != roman[at] {
			return false
		}
		at++
	}
	return at >= len(roman)-1 && at >= 2
}

// webLevel takes email and web site as one piece of evidence: a company's
// address and its site stand on one domain.
func webLevel(a, b *Features) (out found) {
	p, q := a.count(webs), b.count(webs)
	n, m := p+a.count(emails), q+b.count(emails)
	for i := p; i < n; i++ {
		for j := q; j < m; j++ {
			if a.email(i-p).whole() == b.email(j-q).whole() && !a.shared.has(sharedEmails, i-p) && !b.shared.has(sharedEmails, j-q) {
				return foundAt(webAddress, i, j)
			}
		}
	}
	for i := range n {
		x := a.ownDomain(i, p)
		page := strings.IndexByte(x, '/') >= 0
		for j := range m {
			y := b.ownDomain(j, q)
			switch {
			case x == "" || y == "":
				out.take(sharedMail(a, b, i-p, j-q), i, j)
			case x == y && (a.domainShared(i, p) || b.domainShared(j, q)):
				out.take(webShared, i, j)
			case x == y:
				return foundAt(webDomain, i, j) // what is better was looked for
			case page || strings.IndexByte(y, '/') >= 0:
				out.take(platformLevel(x, y), i, j)
			case compare.OneSlip(x, y) && sameDigits(x, y):
				out.take(webNear, i, j)
			default:
				out.take(webDifferent, i, j)
			}
		}
	}
	return out
}

// platformLevel compares a page on a platform (standardise.Site) with another site:
// two of one platform are two shops, however near their names are; a firm may
// well have a page on several, and a site of its own.
func platformLevel(x, y string) uint8 {
	p, _, onX := strings.Cut(x, "/")
	q, _, onY := strings.Cut(y, "/")
	if onX && onY && p == q {
		return webDifferent
	}
	return missing
}

// ownDomain gives the i-th place a domain may come from: the sites, then the
// emails.
func (f *Features) ownDomain(i, sites int) string {
	if i < sites {
		return f.web(i)
	}
	if e := f.email(i - sites); !e.free() {
		return e.domain()
	}
	return ""
}

func (f *Features) domainShared(i, sites int) bool {
	if i < sites {
		return f.shared.has(sharedWebs, i)
	}
	return f.shared.has(sharedDomains, i-sites)
}

// sharedMail: the same address of a mail provider, and many names use it.
func sharedMail(a, b *Features, i, j int) uint8 {
	if i >= 0 && j >= 0 && a.shared.has(sharedEmails, i) && a.email(i).whole() == b.email(j).whole() {
		return webShared
	}
	return missing
}

// sameDigits: a domain with another number is the next one's, not a slip.
func sameDigits(a, b string) bool {
	i, j := 0, 0
	for {
		for i < len(a) && (a[i] < '0' || a[i] > '9') {
			i++
		}
		for j < len(b) && (b[j] < '0' || b[j] > '9') {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i] != b[j] {
			return false
		}
		i, j = i+1, j+1
	}
}

func countryLevel(a, b *Features) found {
	return found{level: partLevel(countryOf(a), countryOf(b))}
}

func countryOf(f *Features) string {
	if c := f.country(); c != "" {
		return c
	}
	for i := range f.count(places) {
		if c := f.place(i).country(); c != "" {
			return c
		}
	}
	return ""
}
