// Package matching decides which source records are the same customer. It is
// pure: features of a record, blocking keys, the weight of a pair and its
// explanation are functions of their arguments alone.
package matching

import (
	"cmp"
	"slices"
	"strings"

	"touchstone/internal/record"
	"touchstone/matching/standardise"
)

// Features are the standardised authored values of one record in compact form.
// They are immutable and safe to share.
type Features struct {
	entity string
	orgs   []org // a company's names, or a person's employer
	humans []human
	ids    []standardise.ID
	phones []phone
	emails []email
	webs   []string // registered domains
	// webShared are the marks of webs; those of the others stand with them. They
	// are no part of the binary form: see Share.
	webShared []bool
	places    []place
	birth     birth
	country   string
	marks     []Mark
}

// Mark is a note on one value of a field: "check digit wrong", "role address".
type Mark struct {
	Field string
	Index int // which value of a list; 0 for a single value
	Text  string
}

type org struct {
	standardise.Org
	brand, roman, full []rune
	words              []string
}

type human struct {
	standardise.Human
	given, family, givenRoman, familyRoman []rune
}

type phone struct {
	number, tail string // tail: up to nine last digits
	shared       bool
}

type email struct {
	local, domain string
	runes         []rune
	free, role    bool
	// shared: the address, or the domain it stands on, is.
	shared, domainShared bool
}

type place struct {
	standardise.Address
	street, city []rune
	shared       bool
}

type birth struct {
	text    string
	y, m, d int
}

// Entity is the entity type the features were made for.
func (f *Features) Entity() string { return f.entity }

// Marks lists the notes made while standardising, field by field in an order
// that is always the same. They are not part of the binary form.
func (f *Features) Marks() []Mark { return slices.Clone(f.marks) }

// Standardise makes the features of one record. It never fails: a value that
// cannot be read is left out and marked; a blank one is absent.
func Standardise(entity string, f record.Fields) *Features {
	s := &Features{entity: entity}
	s.country = standardise.Country(f.Text("country"))
	s.addPlaces(f["addresses"])
	region := s.phoneRegion(f)
	switch entity {
	case record.Company:
		s.addOrg(f.Text("name"))
		s.addOrg(f.Text("legal_name"))
		for _, p := range points(f["aliases"]) {
			s.addOrg(p.Value)
		}
		s.addWeb(f.Text("website"))
	case record.Person:
		s.addHuman(f.Text("given_name"), f.Text("family_name"), f.Text("full_name"))
		s.addOrg(f.Text("employer"))
		s.addBirth(f.Text("birth_date"))
	default:
		return s
	}
	s.addIDs(f["ids"])
	s.addPhones(f["phones"], region)
	s.addEmails(f["emails"])
	s.settle()
	return s
}

// points reads a list; a single text stands for a list of one.
func points(v record.Value) []record.Point {
	if v.Kind == record.List {
		return v.Points
	}
	if v.Blank() {
		return nil
	}
	return []record.Point{{Value: v.Text}}
}

func (f *Features) mark(field string, i int, text string) {
	if text != "" {
		f.marks = append(f.marks, Mark{field, i, text})
	}
}

// phoneRegion is the country to read national numbers by: the record's own,
// its address's, or China where the name is in Chinese.
func (f *Features) phoneRegion(r record.Fields) string {
	if f.country != "" {
		return f.country
	}
	for _, p := range f.places {
		if p.Country != "" {
			return p.Country
		}
	}
	for _, n := range [...]string{"name", "legal_name", "family_name", "given_name", "full_name"} {
		if standardise.HasHan(r.Text(n)) {
			return "CN"
		}
	}
	return ""
}

func (f *Features) addPlaces(v record.Value) {
	for _, p := range points(v) {
		line := p.Parts["line"]
		if line == "" {
			line = p.Value
		}
		a := standardise.Place(line, p.Parts["district"], p.Parts["city"], p.Parts["region"], p.Parts["postcode"], p.Parts["country"])
		if !a.Blank() {
			f.places = append(f.places, place{Address: a})
		}
	}
}

func (f *Features) addOrg(s string) {
	o, alias := standardise.Organisation(s)
	if o.Brand != "" {
		f.orgs = append(f.orgs, org{Org: o})
	}
	if alias != "" {
		if o, _ := standardise.Organisation(alias); o.Brand != "" {
			f.orgs = append(f.orgs, org{Org: o})
		}
	}
}

func (f *Features) addHuman(given, family, full string) {
	h := standardise.Name(given, family, full)
	if h.Given != "" || h.Family != "" {
		f.humans = append(f.humans, human{Human: h})
	}
}

func (f *Features) addBirth(s string) {
	d, note := standardise.Date(s)
	f.mark("birth_date", 0, note)
	f.birth.text = d
}

func (f *Features) addWeb(s string) {
	if d := standardise.Domain(s); d != "" {
		f.webs = append(f.webs, d)
	} else if strings.TrimSpace(s) != "" {
		f.mark("website", 0, "not a web address")
	}
}

func (f *Features) addIDs(v record.Value) {
	for i, p := range points(v) {
		scheme := p.Parts["scheme"]
		id, note := standardise.Identifier(cmp.Or(scheme, p.Kind), p.Value)
		f.mark("ids", i, note)
		if id.Value == "" {
			continue
		}
		if issuer := standardise.Fold(p.Parts["issuer"]); issuer != "" {
			id.Scheme += "/" + issuer
		}
		f.ids = append(f.ids, id)
	}
}

func (f *Features) addPhones(v record.Value, region string) {
	for i, p := range points(v) {
		if strings.TrimSpace(p.Value) == "" {
			continue
		}
		n, _, note := standardise.Phone(p.Value, region)
		f.mark("phones", i, note)
		if n != "" {
			f.phones = append(f.phones, phone{number: n})
		}
	}
}

func (f *Features) addEmails(v record.Value) {
	for i, p := range points(v) {
		if strings.TrimSpace(p.Value) == "" {
			continue
		}
		l, d, note := standardise.Email(p.Value)
		f.mark("emails", i, note)
		if l != "" {
			f.emails = append(f.emails, email{local: l, domain: d})
		}
	}
}

// maxValues bounds how many values of one field take part, so that no record
// makes a comparison slow. The lists are sorted: the same ones stay.
const maxValues = 8

// settle sorts each list, drops repeats and prepares what comparisons need.
func (f *Features) settle() {
	f.orgs = sorted(f.orgs, func(a, b org) int { return compareStrings(orgStrings(a.Org), orgStrings(b.Org)) })
	f.humans = sorted(f.humans, func(a, b human) int { return compareStrings(humanStrings(a.Human), humanStrings(b.Human)) })
	f.ids = sorted(f.ids, func(a, b standardise.ID) int {
		return cmp.Or(strings.Compare(a.Scheme, b.Scheme), strings.Compare(a.Value, b.Value))
	})
	f.phones = sorted(f.phones, func(a, b phone) int { return strings.Compare(a.number, b.number) })
	f.emails = sorted(f.emails, func(a, b email) int {
		return cmp.Or(strings.Compare(a.domain, b.domain), strings.Compare(a.local, b.local))
	})
	f.webs = sorted(f.webs, strings.Compare)
	f.places = sorted(f.places, func(a, b place) int { return compareStrings(placeStrings(a.Address), placeStrings(b.Address)) })
	f.prepare()
}

func sorted[T any](xs []T, compare func(a, b T) int) []T {
	slices.SortFunc(xs, compare)
	xs = slices.CompactFunc(xs, func(a, b T) bool { return compare(a, b) == 0 })
	return xs[:min(len(xs), maxValues)]
}

func compareStrings[S ~[]string](a, b S) int { return slices.Compare(a, b) }

// prepare derives the parts that are not stored.
func (f *Features) prepare() {
	for i := range f.orgs {
		o := &f.orgs[i]
		o.brand, o.roman = []rune(o.Brand), []rune(o.Roman)
		o.full = []rune(o.Roman + strings.ReplaceAll(o.Trade, " ", ""))
		if !o.Han {
			o.words = strings.Fields(o.Brand)
		}
	}
	for i := range f.humans {
		h := &f.humans[i]
		h.given, h.family = []rune(h.Given), []rune(h.Family)
		h.givenRoman, h.familyRoman = []rune(h.GivenRoman), []rune(h.FamilyRoman)
	}
	for i := range f.phones {
		p := &f.phones[i]
		p.tail = strings.TrimPrefix(p.number, "+")
		p.tail = p.tail[max(0, len(p.tail)-9):]
	}
	for i := range f.emails {
		e := &f.emails[i]
		e.runes = []rune(e.local)
		e.free, e.role = standardise.FreeMail(e.domain), standardise.RoleAddress(e.local)
	}
	for i := range f.places {
		p := &f.places[i]
		p.street, p.city = []rune(p.Street), []rune(p.City)
	}
	if d := f.birth.text; len(d) == 10 {
		f.birth.y = int(d[0]-'0')*1000 + int(d[1]-'0')*100 + int(d[2]-'0')*10 + int(d[3]-'0')
		f.birth.m = int(d[5]-'0')*10 + int(d[6]-'0')
		f.birth.d = int(d[8]-'0')*10 + int(d[9]-'0')
	}
}
