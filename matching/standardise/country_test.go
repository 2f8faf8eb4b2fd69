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
		{"Xx", ""}, // a name of the library's for none
		{"Nowhere", ""},
		{"", ""},
	} {
		if got := Country(tt.in); got != tt.want {
			t.Errorf("Country(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
