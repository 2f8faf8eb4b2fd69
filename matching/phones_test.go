package matching_test

import (
	"slices"
	"testing"

	"touchstone/internal/record"
	"touchstone/matching"
)

// TestNumbersAreReadWhereTheCustomerIs: a Chinese name alone means the mainland,
// an address or a name of Hong Kong, Macao or Taiwan does not.
func TestNumbersAreReadWhereTheCustomerIs(t *testing.T) {
	in := func(line string) []matching.AddressValue { return []matching.AddressValue{{Line: line}} }
	for _, tt := range []struct {
		name   string
		values matching.Values
		same   string // the number in full
	}{
		{"a company of the mainland", matching.Values{Name: "昌明电子有限公司", Phones: []string{"010-65529988"}}, "+86 10 6552 9988"},
		{"a company of Hong Kong by its address", matching.Values{Name: "昌明电子有限公司", Addresses: in("香港九龍彌敦道100號"), Phones: []string{"2345 6789"}}, "+852 2345 6789"},
		{"and its country said to be China", matching.Values{Name: "昌明电子有限公司", Country: "CN", Addresses: in("香港九龍彌敦道100號"), Phones: []string{"2345 6789"}}, "+852 2345 6789"},
		{"by its name", matching.Values{Name: "香港昌明电子有限公司", Phones: []string{"2345 6789"}}, "+852 2345 6789"},
		{"a company of Taiwan", matching.Values{Name: "昌明電子股份有限公司", Addresses: in("台北市信義區信義路五段7號"), Phones: []string{"02-2345-6789"}}, "+886 2 2345 6789"},
		{"a customer in Italy by its own word", matching.Values{Name: "Rossi", Country: "Italia", Phones: []string{"06 1234567"}}, "+39 06 1234567"},
	} {
		f := matching.StandardiseValues(record.Company, &tt.values)
		want := matching.StandardiseValues(record.Company, &matching.Values{Name: tt.values.Name, Country: tt.values.Country, Addresses: tt.values.Addresses, Phones: []string{tt.same}})
		if got := f.AppendBinary(nil); !slices.Equal(got, want.AppendBinary(nil)) {
			t.Errorf("%s: %q is not read as %s:\n%q", tt.name, tt.values.Phones[0], tt.same, got)
		}
	}
}
