package matching

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"touchstone/matching/standardise"
)

// FeaturesVersion names the form of features and keys that Standardise makes. A
// change of what it gives must change this: stored ones are then made again.
const FeaturesVersion = "features-3"

// featuresVersion is the first byte of the binary form. Bytes of another
// version are refused: features are derived and made again.
const featuresVersion = 2

func orgStrings(o standardise.Org) []string {
	han := ""
	if o.Han {
		han = "h"
	}
	return []string{o.Brand, o.Trade, o.Form, o.Place, o.Branch, o.Roman, strings.Join(o.Readings, " "), han}
}

func humanStrings(h standardise.Human) []string {
	han := ""
	if h.Han {
		han = "h"
	}
	return []string{h.Given, h.Middle, h.Family, h.GivenRoman, h.FamilyRoman, strings.Join(h.Readings, " "), strings.Join(h.GivenReadings, " "), h.Suffix, han}
}

func idStrings(id standardise.ID) []string {
	check := ""
	if id.Checked {
		check = "r"
	} else if id.Wrong {
		check = "w"
	}
	return []string{id.Scheme, id.Value, check}
}

func placeStrings(a standardise.Address) []string {
	return []string{a.Street, a.House, a.Units, a.District, a.City, a.Region, a.Postcode, a.Country}
}

// How many strings an entry of each section has, in the order of the form.
const (
	orgWidth   = 8
	humanWidth = 9
	idWidth    = 3
	placeWidth = 8
)

// AppendBinary appends the canonical form: equal features give equal bytes.
func (f *Features) AppendBinary(b []byte) []byte {
	b = append(b, featuresVersion)
	b = appendStrings(b, f.entity, f.country, f.birth.text)
	b = binary.AppendUvarint(b, uint64(len(f.orgs)))
	for i := range f.orgs {
		b = appendStrings(b, orgStrings(f.orgs[i].Org)...)
	}
	b = binary.AppendUvarint(b, uint64(len(f.humans)))
	for i := range f.humans {
		b = appendStrings(b, humanStrings(f.humans[i].Human)...)
	}
	b = binary.AppendUvarint(b, uint64(len(f.ids)))
	for _, id := range f.ids {
		b = appendStrings(b, idStrings(id)...)
	}
	b = binary.AppendUvarint(b, uint64(len(f.phones)))
	for i := range f.phones {
		b = appendStrings(b, f.phones[i].number)
	}
	b = binary.AppendUvarint(b, uint64(len(f.emails)))
	for i := range f.emails {
		b = appendStrings(b, f.emails[i].local, f.emails[i].domain)
	}
	b = binary.AppendUvarint(b, uint64(len(f.webs)))
	b = appendStrings(b, f.webs...)
	b = binary.AppendUvarint(b, uint64(len(f.places)))
	for i := range f.places {
		b = appendStrings(b, placeStrings(f.places[i].Address)...)
	}
	return b
}

func appendStrings(b []byte, ss ...string) []byte {
	for _, s := range ss {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

var errFeatures = errors.New("features: not a valid binary form")

// DecodeFeatures reads what AppendBinary wrote, and refuses anything else.
func DecodeFeatures(b []byte) (*Features, error) {
	if len(b) == 0 || b[0] != featuresVersion {
		return nil, fmt.Errorf("%w: unknown version", errFeatures)
	}
	r := &reader{rest: string(b[1:])}
	f := &Features{entity: r.text(), country: r.text(), birth: birth{text: r.text()}}
	if d := f.birth.text; d != "" {
		if std, _ := standardise.Date(d); std != d {
			r.bad = true
		}
	}
	for n := r.count(orgWidth); n > 0; n-- {
		f.orgs = append(f.orgs, org{Org: standardise.Org{
			Brand: r.text(), Trade: r.text(), Form: r.text(), Place: r.text(), Branch: r.text(), Roman: r.text(), Readings: r.words(), Han: r.text() == "h",
		}})
	}
	for n := r.count(humanWidth); n > 0; n-- {
		h := standardise.Human{Given: r.text(), Middle: r.text(), Family: r.text(), GivenRoman: r.text(), FamilyRoman: r.text()}
		h.Readings, h.GivenReadings = r.words(), r.words()
		h.Suffix, h.Han = r.text(), r.text() == "h"
		f.humans = append(f.humans, human{Human: h})
	}
	for n := r.count(idWidth); n > 0; n-- {
		id := standardise.ID{Scheme: r.text(), Value: r.text()}
		check := r.text()
		id.Checked, id.Wrong = check == "r", check == "w"
		f.ids = append(f.ids, id)
	}
	for n := r.count(1); n > 0; n-- {
		f.phones = append(f.phones, phone{number: r.text()})
	}
	for n := r.count(2); n > 0; n-- {
		f.emails = append(f.emails, email{local: r.text(), domain: r.text()})
	}
	for n := r.count(1); n > 0; n-- {
		f.webs = append(f.webs, r.text())
	}
	for n := r.count(placeWidth); n > 0; n-- {
		f.places = append(f.places, place{Address: standardise.Address{
			Street: r.text(), House: r.text(), Units: r.text(), District: r.text(), City: r.text(), Region: r.text(), Postcode: r.text(), Country: r.text(),
		}})
	}
	if r.bad || r.rest != "" {
		return nil, errFeatures
	}
	f.prepare()
	return f, nil
}

// reader takes strings off one copy of the bytes; after the first fault it
// gives empty ones.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) uvarint() uint64 {
	n := uint64(0)
	for i := 0; i < len(r.rest) && i < 10; i++ {
		c := r.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.bad, r.rest = true, ""
	return 0
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, ""
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// words reads a list of words.
func (r *reader) words() []string {
	s := r.text()
	if s == "" {
		return nil
	}
	return strings.Split(s, " ")
}

// count reads the number of entries of so many strings each: never more than
// the rest could hold, nor than a record has.
func (r *reader) count(width int) int {
	n := r.uvarint()
	if n > maxValues || n*uint64(width) > uint64(len(r.rest)) {
		r.bad, r.rest = true, ""
		return 0
	}
	return int(n)
}
