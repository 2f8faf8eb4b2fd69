// Package matching decides which source records are the same customer. It is
// pure: features of a record, blocking keys, the weight of a pair and its
// explanation are functions of their arguments alone.
package matching

import (
	"strings"

	"touchstone/internal/record"
	"touchstone/matching/compare"
)

// Features are the standardised authored values of one record: a view on their
// binary form, which is read where it lies. They are immutable and safe to share.
type Features struct {
	form   string
	shared sharing // no part of the binary form: see Share
	marks  []Mark
}

// Entity is the entity type the features were made for.
func (f *Features) Entity() string {
	switch f.kind() {
	case kindCompany:
		return record.Company
	case kindPerson:
		return record.Person
	}
	name, _, _ := strings.Cut(f.single(slotEntity), "\x00") // fields of one's own stand behind it
	return name
}

// AppendBinary appends the canonical form: equal features give equal bytes.
func (f *Features) AppendBinary(b []byte) []byte { return append(b, f.form...) }

// kind is that of the entity type; kindOther for no features at all.
func (f *Features) kind() byte {
	if len(f.form) < atTable {
		return kindOther
	}
	return f.form[atKind]
}

// end reads the last byte, which is never noText: what is not in the
// processor's cache is on its way then while the head is looked at.
func (f *Features) end() byte { return f.form[len(f.form)-1] }

const noText = 0xff

func (f *Features) count(s section) int {
	if len(f.form) < atTable {
		return 0
	}
	return int(f.form[atCounts+int(s)])
}

// haveBoth says whether both have values of a section; neither is empty.
func haveBoth(a, b *Features, s section) bool {
	return a.form[atCounts+int(s)] != 0 && b.form[atCounts+int(s)] != 0
}

// single gives a text that a record has once.
func (f *Features) single(slot int) string {
	if len(f.form) < atTable {
		return ""
	}
	return entry{f.form, atTable}.text(slot)
}

func (f *Features) country() string { return f.single(slotCountry) }

// entry is one value of a section: where its offsets stand in the form.
type entry struct {
	form string
	at   int
}

func (f *Features) entry(s section, i, width int) entry {
	return entry{f.form, atTable + 2*(int(f.form[atFirst+int(s)])+i*width)}
}

// flags gives the byte of flags of a value, by its place among those that have
// one.
func (f *Features) flags(i int) byte {
	return f.form[atTable+2*(int(f.form[atSlots])+1)+i]
}

func offsetAt(s string, i int) int { return int(s[i]) | int(s[i+1])<<8 }

func (e entry) text(k int) string {
	at := e.at + 2*k
	s := e.form[at : at+4]
	o := uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24 // two offsets at once
	return e.form[o&maxForm : o>>16]
}

// span gives two texts that stand side by side as one.
func (e entry) span(k int) string {
	return e.form[offsetAt(e.form, e.at+2*k):offsetAt(e.form, e.at+2*k+4)]
}

// bag gives a stored bag, by its number, and the runes of the text it is of.
func (e entry) bag(k, number int, of string) (compare.Bag, int) {
	s := e.text(k)[number*bagSize:]
	if s[8] == manyRunes {
		return compare.BagOf(of)
	}
	return compare.Bag(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56), int(s[8])
}

// org is a name of a company, or of a person's employer.
type org struct {
	entry
	flags byte
}

func (f *Features) org(i int) org { return org{f.entry(orgs, i, orgWidth), f.flags(i)} }

func (o org) han() bool { return o.flags&flagHan != 0 }

func (o org) brand() string {
	if o.han() {
		return o.text(orgFirst)
	}
	if s := o.text(orgThird); s != "" {
		return s
	}
	return o.text(orgFirst)
}

func (o org) trade() string {
	if s := o.text(orgFourth); s != "" {
		return s
	}
	return o.text(orgSecond)
}

// roman is the brand without spaces, Chinese by its usual reading.
func (o org) roman() string {
	if o.han() {
		return o.text(orgThird)
	}
	return o.text(orgFirst)
}

// whole is the brand and the trade: of a name that is not Chinese without spaces.
func (o org) whole() string { return o.span(orgFirst) }

// role is the company's in its group.
func (o org) role() string { return roleNames[o.flags>>roleShift&7] }

func (o org) form() string     { return o.text(orgForm) }
func (o org) place() string    { return o.text(orgPlace) }
func (o org) branch() string   { return o.text(orgBranch) }
func (o org) readings() string { return o.text(orgReadings) }

// human is a person's name.
type human struct {
	entry
	flags byte
}

func (f *Features) human(i int) human {
	return human{f.entry(humans, i, humanWidth), f.flags(f.count(orgs) + i)}
}

func (h human) han() bool      { return h.flags&flagHan != 0 }
func (h human) given() string  { return h.text(humanGiven) }
func (h human) middle() string { return h.text(humanMiddle) }
func (h human) family() string { return h.text(humanFamily) }
func (h human) suffix() string { return h.text(humanSuffix) }

func (h human) givenRoman() string {
	if h.flags&flagGivenSame != 0 {
		return h.text(humanGiven)
	}
	return h.text(humanGivenRoman)
}

func (h human) familyRoman() string {
	if h.flags&flagFamilySame != 0 {
		return h.text(humanFamily)
	}
	return h.text(humanFamilyRoman)
}

func (h human) readings() string      { return h.text(humanReadings) }
func (h human) givenReadings() string { return h.text(humanGivenReadings) }

// id is an identifier.
type id struct {
	entry
	flags byte
}

func (f *Features) id(i int) id {
	return id{f.entry(ids, i, idWidth), f.flags(f.count(orgs) + f.count(humans) + i)}
}

func (x id) scheme() string { return x.text(0) }
func (x id) value() string  { return x.text(1) }
func (x id) checked() bool  { return x.flags&flagChecked != 0 }
func (x id) wrong() bool    { return x.flags&flagWrong != 0 }

func (f *Features) phone(i int) string { return f.entry(phones, i, phoneWidth).text(0) }

// phoneTail is up to nine last digits.
func phoneTail(number string) string {
	number = strings.TrimPrefix(number, "+")
	return number[max(0, len(number)-9):]
}

// email is an address: its domain stands with the @ before it.
type email struct {
	entry
	flags byte
}

func (f *Features) email(i int) email {
	return email{f.entry(emails, i, emailWidth), f.flags(f.count(orgs) + f.count(humans) + f.count(ids) + i)}
}

func (e email) local() string  { return e.text(0) }
func (e email) domain() string { return e.text(1)[1:] }
func (e email) whole() string  { return e.span(0) }
func (e email) free() bool     { return e.flags&flagFree != 0 }
func (e email) role() bool     { return e.flags&flagRole != 0 }

func (f *Features) web(i int) string { return f.entry(webs, i, webWidth).text(0) }

// place is an address.
type place struct{ entry }

func (f *Features) place(i int) place { return place{f.entry(places, i, placeWidth)} }

func (p place) street() string   { return p.text(placeStreetText) }
func (p place) house() string    { return p.text(placeHouse) }
func (p place) units() string    { return p.text(placeUnits) }
func (p place) district() string { return p.text(placeDistrictText) }
func (p place) city() string     { return p.text(placeCityText) }
func (p place) postcode() string { return p.text(placePostcodeText) }
func (p place) country() string  { return p.text(placeCountry) }
