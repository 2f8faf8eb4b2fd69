package standardise

import (
	"cmp"
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

// inChinese gives the codes of countries by their Chinese names, folded: those of
// Unicode CLDR in simplified and traditional characters and in Hong Kong, and more.
var inChinese = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for name, code := range moreInChinese {
		out[Fold(name)] = code
	}
	for _, tag := range []language.Tag{language.SimplifiedChinese, language.TraditionalChinese, language.MustParse("zh-Hant-HK")} {
		names := display.Regions(tag)
		for _, c := range countries.All() {
			r, err := language.ParseRegion(c.Alpha2())
			if err != nil {
				continue
			}
			if name := names.Name(r); name != "" {
				out[Fold(name)] = c.Alpha2()
			}
		}
	}
	return out
})

// CountryCode is Country for what a person types: two capital letters that are no
// country's code are none, and it knows every country by its Chinese names. Country
// does not: what it makes of records stands in their features.
func CountryCode(s string) string {
	s = strings.TrimSpace(s)
	code := Country(s)
	if code == "" {
		code = inChinese()[Fold(s)]
	}
	if c := countries.ByName(code); code == "" || c == countries.Unknown || c.Alpha2() != code {
		return ""
	}
	return code
}

// NamedCountry is a country's code with its English name.
type NamedCountry struct{ Code, Name string }

// NearCountries lists the countries whose code or English name is nearest to a
// text that is neither, the nearest first, at most so many: none where more than a
// third of the letters would be slips, or one of a code's two.
func NearCountries(s string, most int) []NamedCountry {
	typed := Fold(s)
	if strings.ContainsFunc(typed, isHan) { // the names are English
		return nil
	}
	letters := utf8.RuneCountInString(typed)
	type near struct {
		NamedCountry
		slips int
	}
	var list []near
	for _, c := range countries.All() {
		code, name := c.Alpha2(), c.String()
		if len(code) != 2 {
			continue
		}
		slips := compare.LevenshteinString(typed, Fold(name), compare.Max)
		if letters > 3 && slips > max(letters/3, 1) {
			continue
		}
		if letters <= 3 {
			if slips = compare.LevenshteinString(typed, strings.ToLower(code), compare.Max); slips > 1 {
				continue
			}
			if slips *= 2; !strings.EqualFold(code[:1], typed[:min(len(typed), 1)]) {
				slips++ // the first letter is seldom the wrong one
			}
		}
		list = append(list, near{NamedCountry{code, name}, slips})
	}
	slices.SortFunc(list, func(a, b near) int { return cmp.Or(cmp.Compare(a.slips, b.slips), strings.Compare(a.Code, b.Code)) })
	var out []NamedCountry
	for _, n := range list[:min(len(list), most)] {
		out = append(out, n.NamedCountry)
	}
	return out
}
