package matching

import (
	"strings"

	"touchstone/matching/compare"
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
			A: a.shown(f, int(at.a)), B: b.shown(f, int(at.b)),
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

// shown is the compared value of a field, for people.
func (f *Features) shown(of field, i int) string {
	if of.kind == "" || gathered(of.kind) {
		return f.value(of.name, i)
	}
	return f.ownAt(of.name, i)
}

// value shows the compared value of a field of the catalogue.
func (f *Features) value(name string, i int) string {
	switch name {
	case "name", "trade", "branch", "name place", "legal form", "employer":
		return f.org(i).part(name)
	case "family name", "given name", "middle name", "name order":
		return f.human(i).part(name)
	case "ids":
		return f.id(i).scheme() + " " + f.id(i).value()
	case "phones":
		return f.phone(i)
	case "emails":
		return f.email(i).whole()
	case "web":
		return f.webOrEmail(i)
	case "addresses":
		return f.place(i).String()
	case "country":
		return countryOf(f)
	case "birth date":
		return f.single(slotBirth)
	}
	return ""
}

func (f *Features) webOrEmail(i int) string {
	if n := f.count(webs); i >= n {
		return f.email(i - n).whole()
	}
	return f.web(i)
}

func (o org) part(name string) string {
	switch name {
	case "trade":
		return o.trade()
	case "branch":
		return strings.TrimSpace(o.branch() + " " + o.role())
	case "name place":
		return o.place()
	case "legal form":
		return o.form()
	}
	return o.brand()
}

func (h human) part(name string) string {
	switch name {
	case "family name":
		return h.family()
	case "given name":
		return h.given()
	case "middle name":
		return h.middle()
	}
	return strings.TrimSpace(h.given() + " " + h.family())
}

// String gives an address in one line.
func (p place) String() string {
	var parts []string
	for k := range placeWidth {
		if s := p.text(k); s != "" {
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
	if a.kind() != b.kind() || a.kind() == kindOther && a.Entity() != b.Entity() {
		return "different entity types", true
	}
	if s, ok := idVeto(a, b); ok {
		return s, true
	}
	if a.kind() == kindPerson {
		return personVeto(a, b)
	}
	if a.kind() == kindCompany {
		return companyVeto(a, b)
	}
	return m.ownVeto(a, b)
}

// idVeto: values of one scheme on both sides, none of them alike.
func idVeto(a, b *Features) (string, bool) {
	scheme := ""
	for i := range a.count(ids) {
		for j := range b.count(ids) {
			x, y := a.id(i), b.id(j)
			if x.scheme() != y.scheme() {
				continue
			}
			if x.value() == y.value() || x.wrong() || y.wrong() || compare.OSAString(x.value(), y.value(), 2) < 3 {
				return "", false
			}
			if a.kind() == kindCompany || x.checked() && y.checked() {
				scheme = x.scheme()
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
	for i := range a.count(emails) {
		for j := range b.count(emails) {
			if a.email(i).whole() == b.email(j).whole() {
				return true
			}
		}
	}
	return false
}

// sharesPlace: one address, as far as typing allows. A birth date that is wrong
// from end to end is then a likelier story than a namesake; a father and a son
// are told apart by what the rest weighs.
func sharesPlace(a, b *Features) bool {
	l := placeLevel(a, b).level
	return l != missing && l <= placeNear
}

// yearsApart is how far birth years may lie apart before no slip explains it:
// a generation.
const yearsApart = 15

func personVeto(a, b *Features) (string, bool) {
	if a.count(humans) > 0 && b.count(humans) > 0 {
		x, y := a.human(0).suffix(), b.human(0).suffix()
		if x != "" && y != "" && x != y {
			return "different generation suffix", true
		}
	}
	if bornApart(a.single(slotBirth), b.single(slotBirth)) && !sharesID(a, b) && !sharesMail(a, b) && !sharesPlace(a, b) {
		return "birth dates far apart", true
	}
	return "", false
}

// bornApart: two dates, as YYYY-MM-DD, that agree in nothing and are years apart.
func bornApart(x, y string) bool {
	return len(x) == 10 && len(y) == 10 && x[5:7] != y[5:7] && x[8:] != y[8:] && apart(x[:4], y[:4]) > yearsApart
}
