package standardise

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/biter777/countries"

	"touchstone/matching/compare"
)

//go:embed countries/chinese.txt
var chineseCountries string

// inChinese gives the codes of countries by their Chinese names, folded.
var inChinese = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(chineseCountries) {
		names := strings.Split(strings.TrimSpace(line), "\t")
		for _, name := range names[1:] {
			out[Fold(name)] = names[0]
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
