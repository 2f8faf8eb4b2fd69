package standardise

import (
	"cmp"
	"strings"
	"sync"
	"unicode"
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
	a := Address{Country: Country(country), Postcode: strings.ToLower(idValue(postcode))}
	han := HasHan(line) || HasHan(city)
	if city == "" && !han {
		t := latinTail(cut(line))
		line, city = t.line, t.city
		region = cmp.Or(region, t.region)
		a.Country, a.Postcode = cmp.Or(a.Country, t.country), cmp.Or(a.Postcode, t.postcode)
	}
	a.City, a.Region, a.District = placeName(city), placeName(region), districtName(district)
	if han {
		a.hanLine(line)
	} else {
		a.latinLine(line)
	}
	return a
}

func placeName(s string) string {
	s = Fold(s)
	if !HasHan(s) {
		return s
	}
	s = squash(s)
	rs := []rune(s)
	if len(rs) > 2 {
		if n := levelLen(rs[len(rs)-1:]); n == 1 {
			return string(rs[:len(rs)-1])
		}
		for _, w := range [...]string{"壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区", "自治区"} {
			if head, ok := strings.CutSuffix(s, w); ok && head != "" {
				return head
			}
		}
	}
	return s
}

func isStreetType(rs []rune, n int) bool {
	for i := n; i < min(n+2, len(rs)); i++ {
		if rs[i] == '路' || rs[i] == '街' || rs[i] == '道' {
			return true
		}
	}
	return false
}

// numbers takes digits and single letters: 163号B座2367室 → 163, b, 2367.
func (a *Address) numbers(rs []rune) {
	var nums []string
	for i := 0; i < len(rs); {
		j := i
		for j < len(rs) && rs[j] >= '0' && rs[j] <= '9' {
			j++
		}
		if j == i && latin(rs, i) && !latin(rs, i-1) && !latin(rs, i+1) { // B座, not SOHO
			j++
		}
		if j > i {
			nums = append(nums, string(rs[i:j]))
			i = j
			continue
		}
		i++
	}
	a.setNumbers(nums)
}

func latin(rs []rune, i int) bool { return i >= 0 && i < len(rs) && rs[i] >= 'a' && rs[i] <= 'z' }

func (a *Address) setNumbers(nums []string) {
	if len(nums) > 0 {
		a.House = nums[0]
		a.Units = strings.Join(nums[1:min(len(nums), 6)], " ")
	}
}

func (a *Address) latinLine(line string) {
	toks := strings.Fields(Fold(line))
	var street, nums, units []string
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		if t == "#" || unitWord(t) {
			if i+1 < len(toks) && (hasDigit(toks[i+1]) || len(toks[i+1]) == 1) {
				units = append(units, toks[i+1])
				i++
			}
			continue
		}
		if hasDigit(t) && !ordinal(t) {
			nums = append(nums, t)
			continue
		}
		street = append(street, streetWord(t))
	}
	a.Street = strings.Join(street, " ")
	a.setNumbers(append(nums, units...))
}

func hasDigit(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsDigit(r) })
}

// ordinal: "2nd Place" is a name, not a number.
func ordinal(s string) bool {
	return len(s) > 2 && (strings.HasSuffix(s, "st") || strings.HasSuffix(s, "nd") || strings.HasSuffix(s, "rd") || strings.HasSuffix(s, "th"))
}

func unitWord(s string) bool {
	switch s {
	case "apt", "apartment", "suite", "ste", "unit", "flat", "fl", "floor", "room", "rm", "no", "building", "bldg", "po", "box":
		return true
	}
	return false
}

var streetWords = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, line := range []string{
		"st: street str strasse", "ave: avenue av", "rd: road", "dr: drive drv", "ln: lane", "blvd: boulevard bd boul", "ct: court crt", "pl: place plaza", "pkwy: parkway", "gdns: gardens garden",
		"ter: terrace terr tce", "sq: square", "cres: crescent cr", "hwy: highway", "cl: close", "cir: circle circuit cct", "n: north", "s: south", "e: east", "w: west", "saint: ste", "r: rue",
	} {
		one, forms, _ := strings.Cut(line, ": ")
		for f := range strings.FieldsSeq(forms) {
			m[f] = one
		}
	}
	return m
})

// streetWord gives the standard word; of German compounds the end: bergstraße,
// bergstr → bergst.
func streetWord(t string) string {
	if w, ok := streetWords()[t]; ok {
		return w
	}
	for _, end := range [...]string{"strasse", "str"} {
		if head, ok := strings.CutSuffix(t, end); ok && len(head) >= 3 {
			return head + "st"
		}
	}
	return t
}
