package standardise

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"testing"
)

// row is what a record of the small sets holds.
type row struct {
	name, first, last, company, dob, phone, email, website, number string
	street, city, region, postcode, country                        string
}

// sample reads one of the small sets.
func sample(tb testing.TB, name string) []row {
	tb.Helper()
	f, err := os.Open(filepath.Join("..", "testdata", name+".csv"))
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = f.Close() }() // only read
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	at := map[string]int{}
	for i, h := range all[0] {
		at[h] = i
	}
	var rows []row
	for _, cells := range all[1:] {
		get := func(name string) string {
			if i, ok := at[name]; ok {
				return cells[i]
			}
			return ""
		}
		rows = append(rows, row{
			get("name"), get("first_name"), get("last_name"), get("company"), get("dob"), get("phone"), get("email"), get("website"), get("registration_no"),
			get("street"), get("city"), get("region"), get("postcode"), get("country"),
		})
	}
	return rows
}

func column(rows []row, of func(row) string) []string {
	var out []string
	for _, r := range rows {
		if v := of(r); v != "" {
			out = append(out, v)
		}
	}
	return out
}

func benchEach[T any](b *testing.B, name string, values []T, f func(T)) {
	if len(values) == 0 {
		b.Fatalf("%s: nothing to measure", name)
	}
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for _, v := range values { // the tables are made at their first use
			f(v)
		}
		i := 0
		for b.Loop() {
			f(values[i])
			if i++; i == len(values) {
				i = 0
			}
		}
	})
}

// BenchmarkStandardise measures each standardiser on the values of a mixed set
// of companies and of one of Chinese persons, and a whole record of each.
func BenchmarkStandardise(b *testing.B) {
	companies, persons := sample(b, "company_mixed_2k"), sample(b, "person_zh_2k")
	benchEach(b, "Fold", column(companies, func(r row) string { return r.name + " " + r.city }), func(s string) { Fold(s) })
	benchEach(b, "Organisation", column(companies, func(r row) string { return r.name }), func(s string) { Organisation(s) })
	benchEach(b, "Name", persons, func(r row) { Name(r.first, r.last, "") })
	benchEach(b, "Place", companies, func(r row) { Place(r.street, "", r.city, r.region, r.postcode, r.country) })
	benchEach(b, "Phone", append(companies, persons...), func(r row) {
		if r.phone != "" {
			Phone(r.phone, r.country)
		}
	})
	benchEach(b, "Email", column(companies, func(r row) string { return r.email }), func(s string) { Email(s) })
	benchEach(b, "Domain", column(companies, func(r row) string { return r.website }), func(s string) { Domain(s) })
	benchEach(b, "Identifier", column(companies, func(r row) string { return r.number }), func(s string) { Identifier("", s) })
	benchEach(b, "Date", column(persons, func(r row) string { return r.dob }), func(s string) { Date(s) })
	benchEach(b, "company", companies, wholeCompany)
	benchEach(b, "person", persons, wholePerson)
}

func wholeCompany(r row) {
	Country(r.country)
	Organisation(r.name)
	contacts(r)
	if r.website != "" {
		Domain(r.website)
	}
	if r.number != "" {
		Identifier("", r.number)
	}
}

func wholePerson(r row) {
	Country(r.country)
	Name(r.first, r.last, "")
	Organisation(r.company)
	contacts(r)
	Date(r.dob)
}

func contacts(r row) {
	Place(r.street, "", r.city, r.region, r.postcode, r.country)
	if r.phone != "" {
		Phone(r.phone, r.country)
	}
	if r.email != "" {
		Email(r.email)
	}
}
