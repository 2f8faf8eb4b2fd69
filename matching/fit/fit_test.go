package fit

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var three = []Field{
	{Name: "a", Levels: []string{"missing", "same", "near", "different"}},
	{Name: "b", Levels: []string{"missing", "same", "different"}},
	{Name: "c", Levels: []string{"missing", "same", "near", "different"}},
	{Name: "d", Levels: []string{"missing", "same", "different"}},
}

var (
	trueM = [][]float64{{0, 0.8, 0.15, 0.05}, {0, 0.9, 0.1}, {0, 0.7, 0.2, 0.1}, {0, 0.95, 0.05}}
	trueU = [][]float64{{0, 0.01, 0.04, 0.95}, {0, 0.1, 0.9}, {0, 0.002, 0.02, 0.978}, {0, 0.3, 0.7}}
)

// drawn makes pairs of known m, u and prior; a tenth of the values is missing.
func drawn(n int, prior float64, seed uint64) []Cell {
	r := rand.New(rand.NewPCG(seed, 1))
	var cells []Cell
	for range n {
		p := trueU
		if r.Float64() < prior {
			p = trueM
		}
		c := Cell{Levels: make([]uint8, len(p)), Count: 1}
		for i, row := range p {
			x, l := r.Float64(), 1
			for l < len(row)-1 && x >= row[l] {
				x -= row[l]
				l++
			}
			if r.Float64() >= 0.1 {
				c.Levels[i] = uint8(l)
			}
		}
		cells = append(cells, c)
	}
	return cells
}

// textbook is EM as Winkler 1988 writes it, pair by pair, on probabilities.
func textbook(cells []Cell, m, u [][]float64, prior float64, rounds int, keepU bool) (m2, u2 [][]float64, p2 float64) {
	m, u = clone(m), clone(u)
	for range rounds {
		nm, nu := zero(m), zero(u)
		g, n := 0.0, 0.0
		for _, c := range cells {
			pm, pu := prior, 1-prior
			for i, l := range c.Levels {
				if l > 0 {
					pm *= m[i][l]
					pu *= u[i][l]
				}
			}
			w := pm / (pm + pu)
			g += w * float64(c.Count)
			n += float64(c.Count)
			for i, l := range c.Levels {
				if l > 0 {
					nm[i][l] += w * float64(c.Count)
					nu[i][l] += (1 - w) * float64(c.Count)
				}
			}
		}
		for i := range m {
			sm, su := 0.0, 0.0
			for l := range nm[i] {
				sm += nm[i][l]
				su += nu[i][l]
			}
			for l := range nm[i] {
				m[i][l] = nm[i][l] / sm
				if !keepU {
					u[i][l] = nu[i][l] / su
				}
			}
		}
		prior = g / n
	}
	return m, u, prior
}

func clone(t [][]float64) [][]float64 {
	out := make([][]float64, len(t))
	for i := range t {
		out[i] = slices.Clone(t[i])
	}
	return out
}

func zero(t [][]float64) [][]float64 {
	out := make([][]float64, len(t))
	for i := range t {
		out[i] = make([]float64, len(t[i]))
	}
	return out
}

func TestFitEqualsTheTextbook(t *testing.T) {
	free := slices.Clone(three)
	for i := range free {
		free[i].Free = true
	}
	cells := drawn(5000, 0.2, 7)
	start := [][]float64{{0, 0.6, 0.3, 0.1}, {0, 0.8, 0.2}, {0, 0.6, 0.3, 0.1}, {0, 0.7, 0.3}}
	for _, tt := range []struct {
		name  string
		u     [][]float64
		keepU bool
	}{{"u fixed", trueU, true}, {"u learnt", nil, false}} {
		o := Options{Start: start, StartPrior: 0.1, MaxIterations: 15, Tolerance: 1e-300, Floor: 1e-12}
		got, err := Fit(free, cells, tt.u, o)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		u0 := trueU
		if tt.u == nil {
			u0 = nil
			for _, f := range free {
				row := byPosition(len(f.Levels))
				slices.Reverse(row[1:])
				u0 = append(u0, row)
			}
		}
		m, u, prior := textbook(cells, start, u0, 0.1, 15, tt.keepU)
		near := cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= 1e-9 })
		if d := cmp.Diff(m, got.M, near); d != "" {
			t.Errorf("%s: m differs from the textbook (-want +got):\n%s", tt.name, d)
		}
		if d := cmp.Diff(u, got.U, near); d != "" {
			t.Errorf("%s: u differs from the textbook (-want +got):\n%s", tt.name, d)
		}
		if math.Abs(prior-got.Prior) > 1e-9 {
			t.Errorf("%s: prior %v, the textbook has %v", tt.name, got.Prior, prior)
		}
	}
}

func TestFitFindsWhatTheDataWasDrawnFrom(t *testing.T) {
	for _, tt := range []struct {
		name  string
		prior float64
		u     [][]float64
	}{
		{"u fixed", 0.05, trueU},
		{"u learnt", 0.2, nil},
	} {
		r, err := Fit(three, drawn(200_000, tt.prior, 3), tt.u, Options{})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !r.Converged || math.Abs(r.Prior-tt.prior) > 0.1*tt.prior {
			t.Errorf("%s: prior %.4f after %d iterations (converged %v), drawn with %.2f", tt.name, r.Prior, r.Iterations, r.Converged, tt.prior)
		}
		for i, row := range r.M {
			for l := 1; l < len(row); l++ {
				if math.Abs(row[l]-trueM[i][l]) > 0.02 || math.Abs(r.U[i][l]-trueU[i][l]) > 0.02 {
					t.Errorf("%s: field %s level %d: m %.4f u %.4f, drawn with %.4f and %.4f", tt.name, three[i].Name, l, row[l], r.U[i][l], trueM[i][l], trueU[i][l])
				}
			}
		}
	}
}

// Blocking on a or on c finds only pairs that agree there: without the
// correction m of both would go to 1.
func TestForcedAgreementDoesNotTeach(t *testing.T) {
	const n = 1_000_000
	var cells, naive []Cell
	for _, c := range drawn(n, 0.01, 5) {
		onA, onC := c.Levels[0] == 1, c.Levels[2] == 1
		switch {
		case onA && onC:
		case onA:
			c.Forced = 1 << 0
		case onC:
			c.Forced = 1 << 2
		default:
			continue
		}
		cells = append(cells, c)
		c.Forced = 0
		naive = append(naive, c)
	}
	r, err := Fit(three, cells, trueU, Options{Total: n})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := Fit(three, naive, trueU, Options{Total: n})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 2} {
		want := trueM[i][1]
		if got, uncorrected := r.M[i][1], plain.M[i][1]; math.Abs(got-want) > 0.02 || math.Abs(uncorrected-want) < 0.05 {
			t.Errorf("field %s: m of the same %.3f corrected, %.3f as blocked; drawn with %.3f", three[i].Name, got, uncorrected, want)
		}
	}
}

func TestCloserNeverWeighsLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var cells []Cell
		for range rapid.IntRange(1, 30).Draw(t, "cells") {
			c := Cell{Levels: make([]uint8, len(three)), Count: rapid.Int64Range(0, 1000).Draw(t, "count")}
			for i, f := range three {
				c.Levels[i] = uint8(rapid.IntRange(0, len(f.Levels)-1).Draw(t, "level"))
			}
			c.Forced = rapid.Uint64Range(0, 15).Draw(t, "forced")
			cells = append(cells, c)
		}
		var u [][]float64
		if rapid.Bool().Draw(t, "fixed") {
			for _, f := range three {
				row := make([]float64, len(f.Levels))
				for l := range row {
					row[l] = rapid.Float64Range(0, 1).Draw(t, "u")
				}
				u = append(u, row)
			}
		}
		r, err := Fit(three, cells, u, Options{MaxIterations: 50, Strength: rapid.Float64Range(0, 5).Draw(t, "strength")})
		if r.Weights == nil {
			if err == nil {
				t.Fatal("neither a result nor a reason")
			}
			return
		}
		for i, row := range r.Weights {
			for l := 2; l < len(row); l++ {
				if row[l] > row[l-1] {
					t.Fatalf("field %s: level %d weighs %d, the closer one %d", three[i].Name, l, row[l], row[l-1])
				}
			}
			if s := sum(r.M[i]); math.Abs(s-1) > 1e-6 {
				t.Fatalf("field %s: m sums to %v", three[i].Name, s)
			}
		}
	})
}

func TestOrderOfCellsDoesNotMatter(t *testing.T) {
	cells := drawn(3000, 0.1, 11)
	want, err := Fit(three, cells, trueU, Options{Total: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		r.Shuffle(len(cells), func(i, j int) { cells[i], cells[j] = cells[j], cells[i] })
		got, err := Fit(three, cells, trueU, Options{Total: 1e6})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("another order, another result (-want +got):\n%s", d)
		}
	}
}

func TestWhatCannotBeLearntIsSaid(t *testing.T) {
	different := Cell{Levels: []uint8{3, 2, 3, 2}, Count: 1000}
	same := Cell{Levels: []uint8{1, 1, 1, 1}, Count: 1000}
	tests := []struct {
		name  string
		cells []Cell
		want  error
	}{
		{"nothing", nil, ErrNoPairs},
		{"empty cells", []Cell{{Levels: []uint8{1, 1, 1, 1}}}, ErrNoPairs},
		{"one pattern", []Cell{same}, ErrOnePattern},
		{"all missing", []Cell{{Levels: make([]uint8, 4), Count: 5}}, ErrOnePattern},
		{"no matches", []Cell{different, {Levels: []uint8{3, 1, 3, 2}, Count: 100}, {Levels: []uint8{3, 2, 3, 1}, Count: 300}}, ErrNoMatches},
		{"matches only", []Cell{same, {Levels: []uint8{1, 1, 2, 1}, Count: 100}}, ErrAllMatches},
	}
	for _, tt := range tests {
		if _, err := Fit(three, tt.cells, trueU, Options{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	for name, c := range map[string]Cell{"too few levels": {Levels: []uint8{1}}, "unknown level": {Levels: []uint8{9, 1, 1, 1}}, "negative": {Levels: []uint8{1, 1, 1, 1}, Count: -1}} {
		if _, err := Fit(three, []Cell{c}, trueU, Options{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// A field that no match shows keeps its start; little data moves it little.
func TestStrengthHoldsTheStart(t *testing.T) {
	cells := []Cell{{Levels: []uint8{1, 1, 1, 0}, Count: 20}, {Levels: []uint8{3, 2, 3, 0}, Count: 5000}, {Levels: []uint8{1, 2, 3, 0}, Count: 50}}
	r, err := Fit(three, cells, trueU, Options{Start: trueM, Strength: 20})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.M[3][1]; math.Abs(got-0.95) > 1e-9 {
		t.Errorf("a field never seen has m %.3f, started with 0.95", got)
	}
	if got := r.M[0][1]; got < 0.86 || got > 0.94 { // half 0.8, half 1.0
		t.Errorf("20 matches and a start worth 20: m %.3f, want about 0.9", got)
	}
}

func TestFrequencies(t *testing.T) {
	counts := []Entry{{Hash: 1, Count: 500}, {Hash: 2, Count: 300}, {Hash: 3, Count: 100}, {Hash: 4, Count: 60}, {Hash: 5, Count: 40}, {Hash: 5, Count: 0}, {Hash: 1, Count: 0}}
	f := NewFrequencies(counts, 3)
	for _, tt := range []struct {
		hash uint64
		want float64
	}{{1, 0.5}, {2, 0.3}, {3, 0.1}, {4, 0.099}, {99, 0.099}} {
		if got := f.Of(tt.hash); math.Abs(got-tt.want) > 1e-12 {
			t.Errorf("share of value %d is %v, want %v", tt.hash, got, tt.want)
		}
	}
	u := (500.*499 + 300*299 + 100*99 + 60*59 + 40*39) / (1000 * 999)
	for _, tt := range []struct {
		hash            uint64
		least           float64
		strength, limit int32
		want            int32
	}{
		{1, 0, 1000, 1 << 20, int32(math.Round(1000 * math.Log2(u/0.5)))},
		{3, 0, 1000, 1 << 20, int32(math.Round(1000 * math.Log2(u/0.1)))},
		{3, 0, 500, 1 << 20, int32(math.Round(500 * math.Log2(u/0.1)))},
		{3, 0.3, 1000, 1 << 20, int32(math.Round(1000 * math.Log2(u/0.3)))},
		{3, 0, 1000, 700, 700},
	} {
		if got := f.Adjust(tt.hash, u, tt.least, tt.strength, tt.limit); got != tt.want {
			t.Errorf("Adjust(%d, least %v, strength %d, limit %d) = %d, want %d", tt.hash, tt.least, tt.strength, tt.limit, got, tt.want)
		}
	}
	if empty := NewFrequencies(nil, 10); empty.Of(1) != 1 || empty.Adjust(1, 0.1, 0, 1000, 5000) != -3322 {
		t.Errorf("an empty table: share %v, adjustment %d", empty.Of(1), empty.Adjust(1, 0.1, 0, 1000, 5000))
	}
}
