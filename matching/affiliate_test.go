package matching_test

import (
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
)

// TestAffiliatesAreRelatedAndNeverMerged: firms of one brand in two countries
// share domain and switchboard, and are two.
func TestAffiliatesAreRelatedAndNeverMerged(t *testing.T) {
	m := model(t, record.Company)
	of := func(name, country string) *matching.Features {
		f := record.Fields{
			"name": record.TextValue(name), "website": record.TextValue("https://www.acme.example.com"),
			"phones": record.ListValue(record.Point{Value: "+44 20 7946 0001"}),
		}
		if country != "" {
			f["country"] = record.TextValue(country)
		}
		return matching.Standardise(record.Company, f)
	}
	link, review := m.Threshold(0.95), m.Threshold(0.5)
	tests := []struct {
		a, b, countryA, countryB string
		one                      bool
		tie                      string
	}{
		{"Acme UK", "Acme France SAS", "", "", false, matching.SameGroup},
		{"Acme Deutschland GmbH", "Acme (Shanghai) Co., Ltd", "", "", false, matching.SameGroup},
		{"Acme (UK) Ltd", "Acme (Ireland) Ltd", "GB", "IE", false, matching.SameGroup},
		{"Acme Deutschland GmbH", "Acme Germany GmbH", "", "", true, ""},
		{"Acme UK Ltd", "Acme Ltd", "GB", "GB", true, ""},
	}
	for _, tt := range tests {
		a, b := of(tt.a, tt.countryA), of(tt.b, tt.countryB)
		if one := m.Weigh(a, b).Total >= link; one != tt.one {
			t.Errorf("%s and %s weigh %d, one customer %v; want %v", tt.a, tt.b, m.Weigh(a, b).Total, one, tt.one)
		}
		if tie, _ := m.Relate(a, b, review); tie.Kind != tt.tie {
			t.Errorf("%s and %s are related as %q, want %q", tt.a, tt.b, tie.Kind, tt.tie)
		}
	}
	level := func(a, b *matching.Features) string {
		for _, p := range m.Explain(a, b) {
			if p.Field == "name" {
				return p.Level
			}
		}
		return ""
	}
	if got := level(of("Acme UK Ltd", "GB"), of("Acme Ltd", "")); got != "contained" {
		t.Errorf("the name of an affiliate is %q in the group's, want contained", got)
	}
	for _, tt := range []struct{ name, country string }{{"Acme UK Ltd", "GB"}, {"Acme Hong Kong Ltd", "HK"}, {"Acme (Macau) Ltd", "MO"}, {"Acme Taiwan Ltd", "TW"}} {
		if got := level(of(tt.name, ""), of("Acme Ltd", tt.country)); got != "same" {
			t.Errorf("%s beside Acme Ltd in %s, the country it names: the name is %q, want same", tt.name, tt.country, got)
		}
	}
}
