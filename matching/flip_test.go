package matching

import (
	"testing"

	"touchstone/internal/record"
)

// TestFlipsCarryOverTheThreshold: every change named does what it says, and the
// list is empty only where no single field decides.
func TestFlipsCarryOverTheThreshold(t *testing.T) {
	m, _ := StartModel(record.Company)
	a := Standardise(record.Company, record.Fields{"name": record.TextValue("Acme Tools Ltd"), "website": record.TextValue("acme.example")})
	b := Standardise(record.Company, record.Fields{"name": record.TextValue("Acme Tools Ltd"), "website": record.TextValue("other.example")})
	total := m.Weigh(a, b).Total
	for _, threshold := range []int32{total - 3000, total - 1, total, total + 1, total + 3000} {
		flips := m.Flips(a, b, threshold)
		if len(flips) == 0 {
			t.Errorf("threshold %d, weight %d: no single field decides", threshold, total)
		}
		for i, f := range flips {
			if (f.Weight >= threshold) == (total >= threshold) {
				t.Errorf("threshold %d, weight %d: %s from %q to %q gives %d, which does not carry over it", threshold, total, f.Field, f.From, f.To, f.Weight)
			}
			if i > 0 && distance(f.Weight, total) < distance(flips[i-1].Weight, total) {
				t.Errorf("threshold %d: %s stands behind a larger change", threshold, f.Field)
			}
		}
	}
	if flips := m.Flips(a, b, total+900_000); len(flips) > 0 {
		t.Errorf("flips %+v to a threshold out of reach, want none", flips)
	}
}
