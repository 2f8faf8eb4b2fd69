package standardise

import "strings"

// tail is what the end of a one-line Latin address holds.
type tail struct{ line, city, region, postcode, country string }

// latinTail takes country, postcode, state and city off the end of "12 Oak St,
// Apt 4, Boston, MA 02101, USA", "5 High Street, London SW1A 1AA" or
// "Bergstraße 26, 10115 Berlin".
func latinTail(line string) tail {
	parts := strings.Split(line, ",")
	t := tail{line: line}
	take := func() string {
		last := strings.TrimSpace(parts[len(parts)-1])
		parts = parts[:len(parts)-1]
		return last
	}
	if n := len(parts); n > 2 {
		if c := Country(strings.TrimSpace(parts[n-1])); c != "" && leadingDigits(strings.TrimSpace(parts[n-1])) == 0 {
			t.country = c
			take()
		}
	}
	if n := len(parts); n > 1 {
		words := strings.Fields(parts[n-1])
		switch k := len(words); {
		case k == 2 && len(words[0]) == 2 && isZIP(words[1]) && n > 2: // MA 02101
			t.region, t.postcode = words[0], words[1]
			take()
		case k >= 2 && leadingDigits(words[0]) == len(words[0]) && (len(words[0]) == 5 || len(words[0]) == 4) && !hasDigit(strings.Join(words[1:], "")):
			t.postcode, t.city = words[0], strings.Join(words[1:], " ")
			take()
		case k >= 2 && isUKPostcode(words[k-2], words[k-1]):
			t.postcode, t.city = words[k-2]+words[k-1], strings.Join(words[:k-2], " ")
			take()
		}
	}
	if n := len(parts); t.city == "" && n > 1 && !hasDigit(parts[n-1]) {
		t.city = take()
	}
	t.postcode = strings.ToLower(idValue(t.postcode))
	t.line = strings.Join(parts, ",")
	return t
}

func isZIP(s string) bool {
	return leadingDigits(s) == 5 && (len(s) == 5 || len(s) == 10 && s[5] == '-' && leadingDigits(s[6:]) == 4)
}

// isUKPostcode: SW1A 1AA, N1 9DZ.
func isUKPostcode(out, in string) bool {
	letter := func(c byte) bool { return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
	return len(in) == 3 && leadingDigits(in) == 1 && letter(in[1]) && letter(in[2]) &&
		len(out) >= 2 && len(out) <= 4 && letter(out[0]) && (leadingDigits(out[1:]) > 0 || letter(out[1]) && leadingDigits(out[2:]) > 0)
}
