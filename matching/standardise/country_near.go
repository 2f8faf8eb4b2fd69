package standardise

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/biter777/countries"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"touchstone/matching/compare"
)

// moreInChinese are names in daily use, and of countries that were renamed since, which
// Unicode's are not.
var moreInChinese = map[string]string{
	"波黑": "BA", "民主刚果": "CD", "刚果民主共和国": "CD", "刚果共和国": "CG", "北马其顿": "MK", "巴新": "PG", "巴勒斯坦": "PS", "埃斯瓦蒂尼": "SZ", "特立尼达": "TT",
}

// typedIn are the languages in which people type names of countries, beside those of
// the countries themselves. Of names equally near the first one's is shown.
var typedIn = []language.Tag{
	language.English, language.German, language.French, language.Spanish, language.Italian, language.Portuguese, language.Dutch,
	language.SimplifiedChinese, language.TraditionalChinese, language.MustParse("zh-Hant-HK"),
}

// typedName is a name that somebody may type for a country.
type typedName struct{ folded, code, name string }

// typedNames gives the names of countries as of Unicode CLDR in those languages and
// in that which is spoken most where it is, the English ones that Country knows and
// the Chinese ones that CLDR has not.
var typedNames = sync.OnceValue(func() (list []typedName) {
	known := map[[2]string]bool{}
	add := func(code, name string) {
		if n := (typedName{Fold(name), code, name}); n.folded != "" && !known[[2]string{n.folded, code}] {
			known[[2]string{n.folded, code}] = true
			list = append(list, n)
		}
	}
	var regions []language.Region
	for _, c := range countries.All() {
		if len(c.Alpha2()) == 2 {
			add(c.Alpha2(), c.String())
		}
		if r, err := language.ParseRegion(c.Alpha2()); err == nil {
			regions = append(regions, r)
		}
	}
	for _, tag := range typedIn {
		names := display.Regions(tag)
		for _, r := range regions {
			add(r.String(), names.Name(r))
		}
	}
	for _, r := range regions {
		there := language.Make("und-" + r.String())
		base, _ := there.Base()
		script, _ := there.Script()
		own, err := language.Compose(base, script)
		if err != nil {
			continue
		}
		if names := display.Regions(own); names != nil {
			add(r.String(), names.Name(r))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(moreInChinese)) {
		add(moreInChinese[name], name)
	}
	return list
})

// byName gives the codes of countries by what is the name of one alone, folded.
var byName = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for _, n := range typedNames() {
		if had, ok := out[n.folded]; ok && had != n.code {
			n.code = ""
		}
		out[n.folded] = n.code
	}
	return out
})

// CountryCode is Country for what a person types: two capital letters that are no
// country's code are none, and it knows every country by the names that people type.
// Country does not: what it makes of records stands in their features.
func CountryCode(s string) string {
	s = strings.TrimSpace(s)
	code := Country(s)
	if code == "" {
		code = byName()[Fold(s)]
	}
	if c := countries.ByName(code); code == "" || c == countries.Unknown || c.Alpha2() != code {
		return ""
	}
	return code
}

// NamedCountry is a country's code with the name by which it was found.
type NamedCountry struct{ Code, Name string }

// shortName is up to how many letters a name is near to others by chance.
const shortName = 6

// NearCountries lists the countries whose code or name, in any language in which
// people type it, is nearest to a text that is neither, the nearest first, at most so
// many: none where more than a third of the letters would be slips, or one of a
// code's two. In up to six letters there is one slip, and not in the first: cities
// are nearer than that to countries ("Berlin", "Benin"). Two neighbours that changed
// places are one. What two Chinese characters or more begin is near too.
func NearCountries(s string, most int) []NamedCountry {
	typed := Fold(s)
	letters := utf8.RuneCountInString(typed)
	type near struct {
		NamedCountry
		slips int
	}
	best := map[string]near{}
	keep := func(code, name string, slips int) {
		if had, ok := best[code]; !ok || slips < had.slips {
			best[code] = near{NamedCountry{code, name}, slips}
		}
	}
	han := strings.ContainsFunc(typed, isHan)
	switch {
	case letters > 3 || han && letters > 1:
		limit, first := letters/3, ""
		if !han && letters <= shortName {
			limit, first = 1, string([]rune(typed)[:1])
		}
		for _, n := range typedNames() {
			if han && strings.HasPrefix(n.folded, typed) {
				keep(n.code, n.name, 1)
			} else if slips := compare.OSAString(typed, n.folded, limit); slips <= limit && strings.HasPrefix(n.folded, first) {
				keep(n.code, n.name, slips)
			}
		}
	case !han:
		for _, c := range countries.All() {
			code := c.Alpha2()
			slips := compare.LevenshteinString(typed, strings.ToLower(code), 1)
			if len(code) != 2 || slips > 1 {
				continue
			}
			if slips *= 2; !strings.EqualFold(code[:1], typed[:min(len(typed), 1)]) {
				slips++ // the first letter is seldom the wrong one
			}
			keep(code, c.String(), slips)
		}
	}
	list := slices.SortedFunc(maps.Values(best), func(a, b near) int { return cmp.Or(cmp.Compare(a.slips, b.slips), strings.Compare(a.Code, b.Code)) })
	var out []NamedCountry
	for _, n := range list[:min(len(list), most)] {
		out = append(out, n.NamedCountry)
	}
	return out
}
