package standardise

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCountryCode(t *testing.T) {
	for _, tt := range []struct{ typed, want string }{
		{"UK", "GB"},
		{" gb ", "GB"},
		{"中国", "CN"},
		{"Deutschland", "DE"},
		{"TW", "TW"},
		{"XX", ""},
		{"UX", ""},
		{"Nowhere", ""},
		{"", ""},
	} {
		if got := CountryCode(tt.typed); got != tt.want {
			t.Errorf("CountryCode(%q) = %q, want %q", tt.typed, got, tt.want)
		}
	}
}

func TestNearCountries(t *testing.T) {
	for _, tt := range []struct {
		typed string
		first string // "" for none
	}{
		{"Germny", "DE"},
		{"Swizerland", "CH"},
		{"GX", "GA"},
		{"somewhere else", ""},
		{"", ""},
	} {
		list := NearCountries(tt.typed, 3)
		got := ""
		if len(list) > 0 {
			got = list[0].Code
		}
		if got != tt.first || len(list) > 3 {
			t.Errorf("NearCountries(%q): %v, want %q first and at most three", tt.typed, list, tt.first)
		}
		if again := NearCountries(tt.typed, 3); !cmp.Equal(list, again) {
			t.Errorf("NearCountries(%q) gave %v, then %v", tt.typed, list, again)
		}
	}
}
