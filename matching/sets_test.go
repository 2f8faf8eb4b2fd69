package matching_test

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
)

// labelled is one set of records with its truth.
type labelled struct {
	name, entity string
	refs         []record.Ref
	fields       []record.Fields
	cluster      []string
}

func readCSV(t testing.TB, path string) (rows []map[string]string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, h := range all[0] {
			row[h] = line[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func load(t testing.TB, name string) labelled {
	t.Helper()
	return loadFiles(t, name, filepath.Join("testdata", name+".csv"), filepath.Join("testdata", name+"_truth.csv"))
}

func loadFiles(t testing.TB, name, records, truthFile string) labelled {
	t.Helper()
	set := labelled{name: name, entity: record.Person}
	if strings.Contains(name, "company") {
		set.entity = record.Company
	}
	truth := map[string]string{}
	for _, row := range readCSV(t, truthFile) {
		truth[row["id"]] = row["cluster"]
	}
	rows := readCSV(t, records)
	slices.SortFunc(rows, func(a, b map[string]string) int { return cmp.Compare(a["id"], b["id"]) })
	for _, row := range rows {
		set.refs = append(set.refs, record.Ref{Source: "set", Entity: set.entity, ID: row["id"]})
		set.fields = append(set.fields, fieldsOf(set.entity, row))
		set.cluster = append(set.cluster, truth[row["id"]])
	}
	return set
}

// fieldsOf maps a row's columns to our fields, as a user's mapping would.
func fieldsOf(entity string, row map[string]string) record.Fields {
	f := record.Fields{}
	text := func(field string, columns ...string) {
		for _, c := range columns {
			if row[c] != "" {
				f[field] = record.TextValue(row[c])
			}
		}
	}
	list := func(field string, p record.Point) {
		if p.Value != "" || len(p.Parts) > 0 {
			f[field] = record.ListValue(p)
		}
	}
	text("name", "name")
	text("website", "website")
	text("country", "country")
	text("given_name", "first_name", "given_name")
	text("family_name", "last_name", "surname")
	text("birth_date", "dob", "date_of_birth")
	text("employer", "company")
	list("phones", record.Point{Value: row["phone"]})
	list("emails", record.Point{Value: strings.TrimSuffix(row["email"], ".example.com")})
	if v := row["registration_no"]; v != "" {
		list("ids", record.Point{Value: v, Parts: map[string]string{"scheme": "registration_no"}})
	}
	if v := row["soc_sec_id"]; v != "" {
		list("ids", record.Point{Value: v, Parts: map[string]string{"scheme": "ssn"}})
	}
	parts := map[string]string{}
	for part, v := range map[string]string{
		"line": cmp.Or(row["street"], strings.TrimSpace(row["street_number"]+" "+row["address_1"])),
		"city": cmp.Or(row["city"], row["suburb"]), "region": cmp.Or(row["region"], row["state"]), "postcode": row["postcode"], "country": row["country"],
	} {
		if v != "" {
			parts[part] = v
		}
	}
	if len(parts) > 0 {
		list("addresses", record.Point{Parts: parts})
	}
	return f
}

func (s labelled) features() []*matching.Features {
	out := make([]*matching.Features, len(s.fields))
	for i, f := range s.fields {
		out[i] = matching.Standardise(s.entity, f)
	}
	return out
}
