package standardise

import "testing"

// TestWithinPlace holds the one look-up against what each place lies in.
func TestWithinPlace(t *testing.T) {
	d := china()
	plain := func(a, b string) bool {
		in, ok := cityWithin(a)
		return d.provinces[a] == b || ok && (in == b || d.provinces[in] == b)
	}
	places, within := map[string]bool{"US": true, "nowhere": true, "江苏": true, "上海": true}, 0
	for p := range d.provinces {
		places[p] = true
	}
	for p := range d.named {
		places[p] = true
	}
	for p := range d.cities {
		places[p] = true
	}
	for a := range places {
		in, _ := cityWithin(a)
		for _, b := range []string{d.provinces[a], in, d.provinces[in], "江苏", "上海", "US", a} {
			if a == "" || b == "" || a == "CN" || b == "CN" {
				continue
			}
			want := plain(a, b) || plain(b, a)
			if got, back := WithinPlace(a, b), WithinPlace(b, a); got != want || back != want {
				t.Errorf("WithinPlace(%q, %q) = %v, the other way %v, want %v", a, b, got, back, want)
			}
			if want {
				within++
			}
		}
	}
	if within < 300 {
		t.Errorf("%d places lie in another, want at least 300", within)
	}
}
