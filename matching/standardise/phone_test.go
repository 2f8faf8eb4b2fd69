package standardise

import (
	"math/rand/v2"
	"testing"
)

// Where planPhone answers, the library answers the same.
func TestPlansAnswerAsTheLibrary(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	digits := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('0' + r.IntN(10))
		}
		return string(b)
	}
	regions := []string{"", "GB", "DE", "FR", "NL", "BE", "CH", "ES", "PL", "DK", "NO", "PT", "SG", "HK", "US", "AT"}
	answered := 0
	for range 6000 {
		p := plans[r.IntN(len(plans))]
		d := [...]string{"+" + p.code, "0", "+" + p.code, "0", ""}[r.IntN(5)] + digits(p.least-1+r.IntN(p.most-p.least+3))
		region := p.region
		if r.IntN(3) == 0 {
			region = regions[r.IntN(len(regions))]
		}
		got, ok := planPhone(d, region)
		if !ok {
			continue
		}
		answered++
		if want, ok := libraryPhone(d, region); !ok || got != want {
			t.Errorf("planPhone(%q, %q) = %q, the library says %q, %v", d, region, got, want, ok)
		}
	}
	if answered < 1000 {
		t.Errorf("planPhone answered %d times of 6,000, want more than 1,000", answered)
	}
}
