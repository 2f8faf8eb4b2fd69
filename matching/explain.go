package matching

import (
	"strings"

	"touchstone/internal/record"
	"touchstone/matching/standardise"
)

// Explain takes a weight apart: the prior first, then each field that both
// records have. The parts sum to Weigh's Total exactly.
func (m *Model) Explain(a, b *Features) []Part {
	var found [maxFields]found
	m.levels(a, b, &found)
	parts := []Part{{Field: "prior", Level: "any two records", Weight: m.prior}}
	for i, f := range m.fields {
		at := found[i]
		if at.level == missing {
			continue
		}
		parts = append(parts, Part{
			Field: f.name, Level: f.levels[at.level], Weight: m.weights[i][at.level],
			A: a.value(f.name, int(at.a)), B: b.value(f.name, int(at.b)),
		})
		if w := m.correction(a, &found, i); w != 0 {
			level := "the value is rare"
			if w < 0 {
				level = "the value is common"
			}
			parts = append(parts, Part{Field: f.name, Level: level, Weight: w})
		}
	}
	return parts
}

// value shows the compared value of a field of the catalogue.
func (f *Features) value(name string, i int) string {
	if i < 0 {
		return ""
	}
	switch name {
	case "name", "trade", "branch", "name place", "legal form", "employer":
		return f.orgs[i].part(name)
	case "family name", "given name", "middle name", "name order":
		return f.humans[i].part(name)
	case "ids":
		return f.ids[i].Scheme + " " + f.ids[i].Value
	case "phones":
		return f.phones[i].number
	case "emails":
		return f.emails[i].local + "@" + f.emails[i].domain
	case "web":
		return f.web(i)
	case "addresses":
		return addressText(&f.places[i].Address)
	case "country":
		return countryOf(f)
	case "birth date":
		return f.birth.text
	}
	return ""
}

func (f *Features) web(i int) string {
	if i < len(f.webs) {
		return f.webs[i]
	}
	i -= len(f.webs)
	return f.emails[i].local + "@" + f.emails[i].domain
}

func (o *org) part(name string) string {
	switch name {
	case "trade":
		return o.Trade
	case "branch":
		return o.Branch
	case "name place":
		return o.Place
	case "legal form":
		return o.Form
	}
	return o.Brand
}

func (h *human) part(name string) string {
	switch name {
	case "family name":
		return h.Family
	case "given name":
		return h.Given
	case "middle name":
		return h.Middle
	}
	return strings.TrimSpace(h.Given + " " + h.Family)
}

func addressText(a *standardise.Address) string {
	var parts []string
	for _, s := range [...]string{a.Street, a.House, a.Units, a.District, a.City, a.Region, a.Postcode, a.Country} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

// Veto gives hard evidence against a pair: two numbers of one scheme and issuer
// that no typing error explains, different generation suffixes, or birth dates
// far apart. A vetoed pair is never united by its weight, only by a ruling. A
// person's numbers count only where a check digit shows that both are right:
// people's numbers are typed from memory, companies' come from registers.
func (m *Model) Veto(a, b *Features) (string, bool) {
	if a.entity != b.entity {
		return "different entity types", true
	}
	if s, ok := idVeto(a, b); ok {
		return s, true
	}
	if a.entity == record.Person {
		return personVeto(a, b)
	}
	return "", false
}

// idVeto: values of one scheme on both sides, none of them alike.
func idVeto(a, b *Features) (string, bool) {
	scheme := ""
	for i := range a.ids {
		for j := range b.ids {
			x, y := &a.ids[i], &b.ids[j]
			if x.Scheme != y.Scheme {
				continue
			}
			if x.Value == y.Value || x.Wrong || y.Wrong || idEdits(x, y) < 3 {
				return "", false
			}
			if a.entity == record.Company || x.Checked && y.Checked {
				scheme = x.Scheme
			}
		}
	}
	if scheme == "" {
		return "", false
	}
	return "different " + scheme + " numbers", true
}

// sharesID: the same number, or one that a slip explains.
func sharesID(a, b *Features) bool {
	l := idLevel(a, b).level
	return l == idSame || l == idNear
}

func sharesMail(a, b *Features) bool {
	for i := range a.emails {
		for j := range b.emails {
			if a.emails[i].local == b.emails[j].local && a.emails[i].domain == b.emails[j].domain {
				return true
			}
		}
	}
	return false
}

// yearsApart is how far birth years may lie apart before no slip explains it:
// a generation.
const yearsApart = 15

func personVeto(a, b *Features) (string, bool) {
	if len(a.humans) > 0 && len(b.humans) > 0 {
		x, y := a.humans[0].Suffix, b.humans[0].Suffix
		if x != "" && y != "" && x != y {
			return "different generation suffix", true
		}
	}
	x, y := &a.birth, &b.birth
	if x.y != 0 && y.y != 0 && !apart(x.y, y.y, yearsApart) && x.m != y.m && x.d != y.d && !sharesID(a, b) && !sharesMail(a, b) {
		return "birth dates far apart", true
	}
	return "", false
}
