package worth

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestDamage(t *testing.T) {
	l := Losses{Apart: 50_000, System: 10 * Unit, Wrong: 5 * Whole} // 5 %, 10 a system, five times
	for _, tt := range []struct {
		name          string
		chance, value int64
		systems       int
		want          int64
	}{
		{"never the same", 0, 1000 * Unit, 2, 0},
		{"surely the same", Certain, 1000 * Unit, 2, 0},
		{"an even chance: half of what being apart costs", Certain / 2, 1000 * Unit, 2, 35 * Unit},
		{"nearly sure: what merging wrongly risks", 950_000, 1000 * Unit, 0, 12.5 * Unit},
		{"no value: the systems still", Certain / 2, 0, 4, 20 * Unit},
		{"beyond any bound", Certain / 2, 1 << 62, 1 << 30, Most / 100},
		{"a chance that is none", -5, 1000 * Unit, 2, 0},
	} {
		got := Damage(tt.chance, tt.value, tt.systems, l)
		if tt.name == "beyond any bound" {
			if got < tt.want || got > Most {
				t.Errorf("%s: %d, want a large amount within bounds", tt.name, got)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("%s: Damage(%d, %d, %d) = %d, want %d", tt.name, tt.chance, tt.value, tt.systems, got, tt.want)
		}
	}
}

func TestAmount(t *testing.T) {
	for _, tt := range []struct {
		text string
		rate int64
		want int64
		ok   bool
	}{
		{"12.50", Whole, 1250, true},
		{"-3", Whole, -300, true},
		{" 7 ", Whole, 700, true},
		{"0.019", Whole, 1, true},
		{"100", 120_000, 1200, true},
		{".5", 2 * Whole, 100, true},
		{"99999999999999999999999", Whole, Most, true},
		{"", Whole, 0, false},
		{".", Whole, 0, false},
		{"1e9", Whole, 0, false},
		{"12,50", Whole, 0, false},
	} {
		if got, ok := Amount(tt.text, tt.rate); got != tt.want || ok != tt.ok {
			t.Errorf("Amount(%q, %d) = %d, %v; want %d, %v", tt.text, tt.rate, got, ok, tt.want, tt.ok)
		}
	}
}

// TestDamageIsTheSmallerOfTwoLosses: for any input what exact arithmetic gives,
// up to rounding, and never less for a customer that is worth more.
func TestDamageIsTheSmallerOfTwoLosses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chance, value := rapid.Int64Range(0, Certain).Draw(t, "chance"), rapid.Int64Range(0, 1<<50).Draw(t, "value")
		systems := rapid.IntRange(0, 50).Draw(t, "systems")
		l := Losses{rapid.Int64Range(0, Whole).Draw(t, "apart"), rapid.Int64Range(0, 1e9).Draw(t, "system"), rapid.Int64Range(0, 100*Whole).Draw(t, "wrong")}
		loss := func(times, p int64) *big.Rat {
			x := new(big.Rat).Mul(big.NewRat(value, 1), big.NewRat(l.Apart, Whole))
			x.Add(x, big.NewRat(l.System*int64(systems), 1))
			return x.Mul(x.Mul(x, big.NewRat(times, Whole)), big.NewRat(p, Certain))
		}
		want := loss(Whole, chance)
		if other := loss(l.Wrong, Certain-chance); other.Cmp(want) < 0 {
			want = other
		}
		got := Damage(chance, value, systems, l)
		exact, _ := want.Float64()
		if d := float64(got) - exact; d > 1 || d < -102 { // rounded down three times, once before it is multiplied
			t.Fatalf("Damage(%d, %d, %d, %+v) = %d, exactly %.3f", chance, value, systems, l, got, exact)
		}
		if more := Damage(chance, value+rapid.Int64Range(0, 1<<40).Draw(t, "more"), systems, l); more < got {
			t.Fatalf("worth more, damage %d < %d", more, got)
		}
	})
}
