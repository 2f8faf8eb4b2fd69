package matching

import "touchstone/internal/record"

// Values are the values of one record that take part in matching, as they were
// written. A reader of many records fills one again and again: nothing made of
// it keeps its lists.
type Values struct {
	Name, LegalName                      string // a company's
	Given, Family, Full, Birth, Employer string // a person's
	Website, Country                     string
	Aliases, Phones, Emails              []string
	IDs                                  []IDValue
	Addresses                            []AddressValue
}

// IDValue is an identifier as written. Kind stands in where there is no Scheme.
type IDValue struct{ Scheme, Kind, Issuer, Value string }

// AddressValue is an address as written; Line may hold all of it.
type AddressValue struct{ Line, District, City, Region, Postcode, Country string }

// Reset empties the values and keeps the room of the lists.
func (v *Values) Reset() {
	// One by one: copying the whole struct would wait for what was just written.
	v.Name, v.LegalName, v.Given, v.Family, v.Full = "", "", "", "", ""
	v.Birth, v.Employer, v.Website, v.Country = "", "", "", ""
	v.Aliases, v.Phones, v.Emails, v.IDs, v.Addresses = v.Aliases[:0], v.Phones[:0], v.Emails[:0], v.IDs[:0], v.Addresses[:0]
}

// FromRecord takes the values that matching reads out of a record's fields.
func FromRecord(f record.Fields) Values {
	v := Values{
		Name: f.Text("name"), LegalName: f.Text("legal_name"),
		Given: f.Text("given_name"), Family: f.Text("family_name"), Full: f.Text("full_name"),
		Birth: f.Text("birth_date"), Employer: f.Text("employer"),
		Website: f.Text("website"), Country: f.Text("country"),
		Aliases: texts(f["aliases"]), Phones: texts(f["phones"]), Emails: texts(f["emails"]),
	}
	for _, p := range points(f["ids"]) {
		v.IDs = append(v.IDs, IDValue{Scheme: p.Parts["scheme"], Kind: p.Kind, Issuer: p.Parts["issuer"], Value: p.Value})
	}
	for _, p := range points(f["addresses"]) {
		a := AddressValue{
			Line: p.Parts["line"], District: p.Parts["district"], City: p.Parts["city"],
			Region: p.Parts["region"], Postcode: p.Parts["postcode"], Country: p.Parts["country"],
		}
		if a.Line == "" {
			a.Line = p.Value
		}
		v.Addresses = append(v.Addresses, a)
	}
	return v
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

func texts(v record.Value) []string {
	var out []string
	for _, p := range points(v) {
		out = append(out, p.Value)
	}
	return out
}
