package standardise

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// Address is a place in compared form. Numbers are in the order of house,
// building, unit; House is the first of them.
type Address struct {
	Street   string // name without numbers and units, types in standard words
	House    string
	Units    string // further numbers, space-separated
	District string
	City     string
	Region   string
	Postcode string
	Country  string // ISO 3166 alpha-2 where known
}

// Blank says whether nothing is known.
func (a Address) Blank() bool { return a == Address{} }

// Place reads an address from its parts: line, district, city, region,
// postcode, country.
func Place(line, district, city, region, postcode, country string) Address {
	a := Address{Country: Country(country), Postcode: postcodeOf(postcode)}
	han := HasHan(line) || HasHan(city)
	if city == "" && !han {
		t := latinTail(cut(line))
		line, city = t.line, t.city
		region = cmp.Or(region, t.region)
		a.Country, a.Postcode = cmp.Or(a.Country, t.country), cmp.Or(a.Postcode, t.postcode)
	}
	a.City, a.Region = placeName(city), placeName(region)
	switch a.Country {
	case "CN", "HK", "MO", "TW": // written in either script
		a.Region = chinaCity(a.Region, "")
		a.City = chinaCity(a.City, a.Region)
	}
	a.setDistrict(district)
	if han {
		a.hanLine(line)
	} else {
		a.latinLine(line)
	}
	return a
}

// postcodeOf is letters and digits in lower case.
func postcodeOf(s string) string {
	plain := s != "" && len(s) <= maxRunes
	for i := 0; i < len(s) && plain; i++ {
		plain = isDigit(s[i]) || s[i] >= 'a' && s[i] <= 'z'
	}
	if plain {
		return s
	}
	return strings.ToLower(idValue(s))
}

func placeName(s string) string {
	s = Fold(s)
	if !HasHan(s) {
		return s
	}
	s = squash(s)
	if utf8.RuneCountInString(s) > 2 {
		for _, w := range [...]string{"省", "市", "壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区", "自治区"} {
			if head, ok := strings.CutSuffix(s, w); ok && head != "" {
				return head
			}
		}
	}
	return s
}

// maxUnits is how many further numbers of an address are kept.
const maxUnits = 5

// setNumbers takes the numbers in their order.
func (a *Address) setNumbers(nums []string) {
	if len(nums) == 0 {
		return
	}
	a.House = nums[0]
	a.Units = joinedWords(nums[1:min(len(nums), maxUnits+1)])
}

// joinedWords joins with spaces; a single word costs nothing.
func joinedWords(ws []string) string {
	switch len(ws) {
	case 0:
		return ""
	case 1:
		return ws[0]
	}
	return strings.Join(ws, " ")
}
