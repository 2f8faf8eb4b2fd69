package standardise

import (
	"testing"

	"github.com/biter777/countries"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

func TestCountryCode(t *testing.T) {
	for _, tt := range []struct{ typed, want string }{
		{"UK", "GB"},
		{" gb ", "GB"},
		{"中国", "CN"},
		{"瓦努阿图", "VU"},
		{"萬那杜", "VU"},
		{"刚果（金）", "CD"},
		{"刚果 (布)", "CG"},
		{"科特迪瓦", "CI"},
		{"象牙海岸", "CI"},
		{"北马其顿", "MK"},
		{"纽西兰", "NZ"},
		{"瓦努", ""},
		{"Deutschland", "DE"},
		{"Allemagne", "DE"},
		{"Österreich", "AT"},
		{"Україна", "UA"},
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

// TestEveryCountryHasAChineseName: each name is one country's, and both readers
// agree where both know it.
func TestEveryCountryHasAChineseName(t *testing.T) {
	of := map[string]string{}
	check := func(name, code string) {
		if got := CountryCode(name); got != code {
			t.Errorf("CountryCode(%q) = %q, want %q", name, got, code)
		}
		if had := of[Fold(name)]; had != "" && had != code || name == "" {
			t.Errorf("%q is %s and %s", name, had, code)
		}
		of[Fold(name)] = code
	}
	for name, code := range moreInChinese {
		check(name, code)
	}
	for _, tag := range []string{"zh-Hans", "zh-Hant", "zh-Hant-HK"} {
		names := display.Regions(language.MustParse(tag))
		for _, c := range countries.All() {
			if c.Alpha2() == "AN" || c.Alpha2() == "YU" { // which are no more
				continue
			}
			if r, err := language.ParseRegion(c.Alpha2()); err == nil && r.IsCountry() {
				check(names.Name(r), c.Alpha2())
			}
		}
	}
	if len(of) < 300 {
		t.Errorf("%d names", len(of))
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
		{"Deutchland", "DE"},
		{"Alemagne", "DE"},
		{"Östereich", "AT"},
		{"Росия", "RU"},
		{"Sverge", "SE"},
		{"Chna", "CN"},
		{"Frnce", "FR"},
		{"Chnia", "CN"},
		{"Berlin", ""},
		{"Roma", ""},
		{"瓦努阿土", "VU"},
		{"瓦努", "VU"},
		{"纽西蘭岛", "NZ"},
		{"某国", ""},
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
