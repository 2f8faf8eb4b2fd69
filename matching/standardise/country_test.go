package standardise

import "testing"

func TestCountry(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"DE", "DE"},
		{"uk", "GB"},
		{"Germany", "DE"},
		{"中国", "CN"},
		{"中國", "CN"},
		{"马来西亚", "MY"},
		{"P.R. China", "CN"},
		{"People's Republic of China", "CN"},
		{"香港特別行政區", "HK"},
		{"Hong Kong SAR", "HK"},
		{"中華民國", "TW"},
		{"United Kingdom of Great Britain and Northern Ireland", "GB"},
		{"Österreich", "AT"},
		{"Italia", "IT"},
		{"España", "ES"},
		{"Türkiye", "TR"},
		{"阿根廷", "AR"},
		{"沙特阿拉伯", "SA"},
		{"Xx", ""}, // a name of the library's for none
		{"Nowhere", ""},
		{"", ""},
	} {
		if got := Country(tt.in); got != tt.want {
			t.Errorf("Country(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
