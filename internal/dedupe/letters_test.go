package dedupe

import "testing"

func TestOtherNumber(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"part 2", "part 3", true},
		{"part 2", "part ii", false},
		{"part", "deel", false},
		{"a1b2", "12", false},
		{"12", "123", true},
		{"x 12", "12 3", true},
		{"٣ things", "3 things", true},
	} {
		x, y := read(tt.a, Text), read(tt.b, Text)
		if got, back := otherNumber(&x, &y), otherNumber(&y, &x); got != tt.want || back != tt.want {
			t.Errorf("%q and %q hold other numbers %v, the other way %v; want %v", tt.a, tt.b, got, back, tt.want)
		}
	}
}

func TestLettersAlike(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want float64
	}{
		{"our lady of guadalupe center", "our lady of guadalupe centre", 0.9},
		{"umbra titanium digital heater", "umbra titainum digital haeter", 0.4},
		{"gorham rechargeable hydraulic projector", "gorham recahrgeable hydrauilc srojector", 0.6},
		{"sunrise learning academy", "harmony learning academy", 0},
		{"compact portable drill", "silent ceramic kettle", 0},
	} {
		if got, back := lettersAlike(tt.a, tt.b), lettersAlike(tt.b, tt.a); got != tt.want || back != tt.want {
			t.Errorf("%q and %q are alike by %v, the other way %v; want %v", tt.a, tt.b, got, back, tt.want)
		}
	}
}
