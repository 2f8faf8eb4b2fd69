package dedupe

import (
	"strings"

	"touchstone/matching"
)

// recordReader reads rows as records of the model: which columns hold what is
// found out once.
type recordReader struct {
	single  [len(singles)][]*Column
	aliases []*Column
	phones  []*Column
	emails  []*Column
	ids     []*Column
	place   [len(placeParts)][]*Column
}

// The meanings that a record has one value of, and the parts of its address.
var (
	singles    = [...]Meaning{OrgName, LegalName, Given, Family, Full, Birth, Employer, Website, Country}
	placeParts = [...]Meaning{House, Street, District, City, Region, Postcode, Country}
)

func (e *engine) recordReader() *recordReader {
	r := &recordReader{}
	for _, read := range e.reads {
		if e.packOf(read.Meaning) == "" {
			continue
		}
		c := e.t.Column(read.Column)
		for i, m := range singles {
			if m == read.Meaning {
				r.single[i] = append(r.single[i], c)
			}
		}
		for i, m := range placeParts {
			if m == read.Meaning {
				r.place[i] = append(r.place[i], c)
			}
		}
		switch read.Meaning {
		case Alias:
			r.aliases = append(r.aliases, c)
		case Phone:
			r.phones = append(r.phones, c)
		case Email:
			r.emails = append(r.emails, c)
		case Number:
			r.ids = append(r.ids, c)
		}
	}
	return r
}

// read fills v with the row's values.
func (r *recordReader) read(row int, v *matching.Values) {
	v.Reset()
	for i, to := range [len(singles)]*string{&v.Name, &v.LegalName, &v.Given, &v.Family, &v.Full, &v.Birth, &v.Employer, &v.Website, &v.Country} {
		*to = filled(r.single[i], row)
	}
	v.Aliases = appendFilled(v.Aliases, r.aliases, row)
	v.Phones = appendFilled(v.Phones, r.phones, row)
	v.Emails = appendFilled(v.Emails, r.emails, row)
	for _, c := range r.ids {
		if s := c.Text(row); !blank(s) {
			v.IDs = append(v.IDs, matching.IDValue{Scheme: c.Name, Value: s})
		}
	}
	var part [len(placeParts)]string
	any := false
	for i := range part {
		part[i] = filled(r.place[i], row)
		any = any || part[i] != ""
	}
	if any {
		line := part[1]
		if part[0] != "" {
			line = strings.TrimSpace(part[0] + " " + part[1])
		}
		v.Addresses = append(v.Addresses, matching.AddressValue{Line: line, District: part[2], City: part[3], Region: part[4], Postcode: part[5], Country: part[6]})
	}
}

// filled is the first value of the columns that is not blank.
func filled(columns []*Column, row int) string {
	for _, c := range columns {
		if s := c.Text(row); !blank(s) {
			return s
		}
	}
	return ""
}

func appendFilled(out []string, columns []*Column, row int) []string {
	for _, c := range columns {
		if s := c.Text(row); !blank(s) {
			out = append(out, s)
		}
	}
	return out
}
