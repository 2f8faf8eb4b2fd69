package matching_test

import (
	"slices"
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
)

func TestMissedKeys(t *testing.T) {
	person := func(given, family, phone, email string) *matching.Features {
		f := record.Fields{"given_name": record.TextValue(given), "family_name": record.TextValue(family)}
		if phone != "" {
			f["phones"] = record.ListValue(record.Point{Value: phone})
		}
		if email != "" {
			f["emails"] = record.ListValue(record.Point{Value: email})
		}
		return matching.Standardise(record.Person, f)
	}
	a := person("Anna", "Kowalska", "+48 22 555 01 88", "anna.k@example.com")
	b := person("Maria", "Nowak", "+48 22 555 01 99", "")
	missed := model(t, record.Person).MissedKeys(a, b)
	at := func(rule string) matching.MissedKey {
		i := slices.IndexFunc(missed, func(m matching.MissedKey) bool { return m.Rule == rule })
		if i < 0 {
			t.Fatalf("%s is not among the missed keys %v", rule, missed)
		}
		return missed[i]
	}
	if m := at("phone"); !slices.Equal(m.A, []string{"25550188"}) || !slices.Equal(m.B, []string{"25550199"}) {
		t.Errorf("phone: %v and %v, want the last eight digits of each", m.A, m.B)
	}
	if m := at("email"); len(m.A) != 1 || len(m.B) != 0 {
		t.Errorf("email: %v and %v, want one and none: the second has no address", m.A, m.B)
	}
	for _, m := range model(t, record.Person).MissedKeys(a, person("Anna", "Kowalska", "", "")) {
		if m.Rule == "name" {
			t.Errorf("the same name is said to be missed: %v", m)
		}
	}
}
