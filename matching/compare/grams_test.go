package compare

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// plainJaccard is the textbook: sets of texts.
func plainJaccard(a, b []rune, q int) float64 {
	grams := func(s []rune) map[string]bool {
		set := map[string]bool{}
		if len(s) > 0 && len(s) < q {
			set[string(s)] = true
		}
		for i := 0; i+q <= len(s); i++ {
			set[string(s[i:i+q])] = true
		}
		return set
	}
	x, y := grams(a), grams(b)
	both := 0
	for g := range x {
		if y[g] {
			both++
		}
	}
	if len(x)+len(y) == 0 {
		return 1
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

func checkGrams(t *testing.T, a, b []rune) {
	t.Helper()
	for q := 1; q <= MaxGram; q++ {
		want := plainJaccard(a, b, q)
		if got, back := Jaccard(a, b, q), Jaccard(b, a, q); got != want || back != want {
			t.Fatalf("Jaccard(%q, %q, %d) = %v, the other way %v; the textbook says %v", string(a), string(b), q, got, back, want)
		}
	}
	want := plainJaccard(a, b, 2)
	if got := PairsJaccard(string(a), string(b)); got != want {
		t.Fatalf("PairsJaccard(%q, %q) = %v, want %v", string(a), string(b), got, want)
	}
	for _, least := range []float64{0, 0.2, 0.5, want, 0.9, 1} {
		x, n := BagOf(string(a))
		y, m := BagOf(string(b))
		if got := PairsJaccardReaches(string(a), string(b), x, y, n, m, least); got != (want >= least) {
			t.Fatalf("PairsJaccardReaches(%q, %q, %v) = %v, Jaccard is %v", string(a), string(b), least, got, want)
		}
		if got, reaches := PairsJaccardFrom(string(a), string(b), x, y, n, m, least); reaches != (want >= least) || reaches && got != want {
			t.Fatalf("PairsJaccardFrom(%q, %q, %v) = %v %v, Jaccard is %v", string(a), string(b), least, got, reaches, want)
		}
	}
}

func TestGramKernelEqualsTextbook(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, tt := range [][2]string{
		{"", ""},
		{"", "a"},
		{"a", "a"},
		{"a", "ab"},
		{"ab", "ba"},
		{"aaaa", "aa"},
		{"王", "王小明"},
		{"\U0010fffe\U0010ffff", "\U0010ffff"},
		{strings.Repeat("ab", 24), strings.Repeat("ab", 25)},
		{strings.Repeat("王小", 90), strings.Repeat("王小明", 60)},
	} {
		checkGrams(t, []rune(tt[0]), []rune(tt[1]))
	}
	for range 20000 {
		a, b := random(r), random(r)
		if r.IntN(2) == 0 {
			b = slices.Clone(a)
			for range r.IntN(4) {
				if len(b) > 1 {
					i := r.IntN(len(b) - 1)
					b[i], b[i+1] = b[i+1], b[i]
					b = slices.Delete(b, i, i+r.IntN(2))
				}
			}
		}
		checkGrams(t, a, b)
	}
}

func TestGramsDoNotAllocate(t *testing.T) {
	long := []rune(strings.Repeat("jackson alvarez supply ", 11))
	room := make([]Gram, 0, Max)
	if n := testing.AllocsPerRun(20, func() {
		Jaccard(long, long[3:], 3)
		PairsJaccard("jackson alvarez supply", "jaksn alvares suply")
		PairsJaccard("王小明有限公司", "王晓明有限公司")
		GramJaccard(AppendGrams(room, long, 2), room)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzGrams(f *testing.F) {
	f.Add("martha", "marhta")
	f.Add("王小明", "王晓明")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := []rune(a), []rune(b)
		if len(x) > 60 || len(y) > 60 {
			return
		}
		checkGrams(t, x, y)
	})
}

// Prepared sets are what bulk comparison has; the text form prepares each time.
func BenchmarkGramJaccard(b *testing.B) {
	for _, p := range benchmarkPairs() {
		x, y := AppendGrams(nil, []rune(p[0]), 2), AppendGrams(nil, []rune(p[1]), 2)
		b.Run("prepared/"+p[0]+"|"+p[1], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				GramJaccard(x, y)
			}
		})
		b.Run("text/"+p[0]+"|"+p[1], func(b *testing.B) {
			b.ReportAllocs()
			x, n := BagOf(p[0])
			y, m := BagOf(p[1])
			for b.Loop() {
				PairsJaccardReaches(p[0], p[1], x, y, n, m, 0.5)
			}
		})
	}
}
