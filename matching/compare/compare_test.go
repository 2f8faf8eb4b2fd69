package compare

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/adrg/strutil/metrics"
)

// The plain textbook versions the kernels must equal.

func plainJaro(a, b []rune) float64 {
	if len(a) == 0 && len(b) == 0 {
		return 1
	}
	window := max(max(len(a), len(b))/2-1, 0)
	usedB := make([]bool, len(b))
	var ma []rune
	for i, r := range a {
		for j := range b {
			if j >= i-window && j <= i+window && !usedB[j] && b[j] == r {
				usedB[j] = true
				ma = append(ma, r)
				break
			}
		}
	}
	var mb []rune
	for j, r := range b {
		if usedB[j] {
			mb = append(mb, r)
		}
	}
	if len(ma) == 0 {
		return 0
	}
	out := 0
	for i := range ma {
		if ma[i] != mb[i] {
			out++
		}
	}
	m := float64(len(ma))
	return (m/float64(len(a)) + m/float64(len(b)) + (m-float64(out/2))/m) / 3
}

func plainEdit(a, b []rune, swaps bool) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if swaps && i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func TestKnownValues(t *testing.T) {
	for _, tt := range []struct {
		a, b   string
		jw     float64
		osa, l int
	}{
		{"martha", "marhta", 0.9611, 1, 2},
		{"dwayne", "duane", 0.84, 2, 2},
		{"海北", "北海", 0, 1, 2}, // a window of max/2 would find both
		{"", "", 1, 0, 0},
		{"a", "", 0, 1, 1},
		{"ca", "abc", 0, 3, 3},
	} {
		a, b := []rune(tt.a), []rune(tt.b)
		if got := JaroWinkler(a, b); got < tt.jw-0.0001 || got > tt.jw+0.0001 {
			t.Errorf("JaroWinkler(%q, %q) = %.4f, want %.4f", tt.a, tt.b, got, tt.jw)
		}
		if got := OSA(a, b, 9); got != tt.osa {
			t.Errorf("OSA(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.osa)
		}
		if got := Levenshtein(a, b, 9); got != tt.l {
			t.Errorf("Levenshtein(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.l)
		}
	}
}

func random(r *rand.Rand) []rune {
	alphabet := []rune("aaabcd王伟é")
	out := make([]rune, r.IntN(14))
	for i := range out {
		out[i] = alphabet[r.IntN(len(alphabet))]
	}
	return out
}

func TestKernelsEqualTextbook(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	lev := metrics.NewLevenshtein()
	for range 60000 {
		a := random(r)
		b := random(r)
		if r.IntN(2) == 0 { // near pairs are the interesting ones
			b = slices.Clone(a)
			for range r.IntN(4) {
				if len(b) > 1 {
					i := r.IntN(len(b) - 1)
					switch r.IntN(3) {
					case 0:
						b[i], b[i+1] = b[i+1], b[i]
					case 1:
						b = slices.Delete(b, i, i+1)
					default:
						b = slices.Insert(b, i, 'x')
					}
				}
			}
		}
		check(t, a, b, r.IntN(8))
		if got, want := Levenshtein(a, b, Max), lev.Distance(string(a), string(b)); got != want {
			t.Fatalf("Levenshtein(%q, %q) = %d, strutil says %d", string(a), string(b), got, want)
		}
	}
}

func check(t *testing.T, a, b []rune, limit int) {
	t.Helper()
	if got, want := Jaro(a, b), plainJaro(a, b); got != want && (got-want > 1e-12 || want-got > 1e-12) {
		// The greedy assignment depends on the side it starts from; ours starts from the shorter.
		if alt := plainJaro(b, a); got-alt > 1e-12 || alt-got > 1e-12 {
			t.Fatalf("Jaro(%q, %q) = %v, want %v", string(a), string(b), got, want)
		}
	}
	if x, y := JaroWinkler(a, b), JaroWinkler(b, a); x != y {
		t.Fatalf("JaroWinkler(%q, %q) = %v but the other way %v", string(a), string(b), x, y)
	}
	for _, swaps := range []bool{true, false} {
		want := plainEdit(a, b, swaps)
		if got := edit(a, b, Max, swaps); got != want {
			t.Fatalf("edit(%q, %q, swaps %v) = %d, want %d", string(a), string(b), swaps, got, want)
		}
		if got := edit(a, b, limit, swaps); got != min(want, limit+1) {
			t.Fatalf("edit(%q, %q, limit %d, swaps %v) = %d, want %d", string(a), string(b), limit, swaps, got, min(want, limit+1))
		}
	}
}

// checkText holds the forms on text to those on runes, in both orders.
func checkText(t *testing.T, a, b string, limit int) {
	t.Helper()
	x, y := []rune(a), []rune(b)
	for range 2 {
		if got, want := OSAString(a, b, limit), OSA(x, y, limit); got != want {
			t.Fatalf("OSAString(%q, %q, %d) = %d, OSA says %d", a, b, limit, got, want)
		}
		if got, want := LevenshteinString(a, b, limit), Levenshtein(x, y, limit); got != want {
			t.Fatalf("LevenshteinString(%q, %q, %d) = %d, Levenshtein says %d", a, b, limit, got, want)
		}
		if got, want := WithinOne(a, b), OSA(x, y, 1) <= 1; got != want {
			t.Fatalf("WithinOne(%q, %q) = %v, OSA says %v", a, b, got, want)
		}
		if got, want := OneSlip(a, b), a != b && OSA(x, y, 1) <= 1; isASCII(a+b) && max(len(a), len(b)) <= Max && got != want {
			t.Fatalf("OneSlip(%q, %q) = %v, OSA says %v", a, b, got, want)
		}
		want := JaroWinkler(x, y)
		if got := JaroWinklerString(a, b); got != want {
			t.Fatalf("JaroWinklerString(%q, %q) = %v, JaroWinkler says %v", a, b, got, want)
		}
		if got, want := JaroString(a, b), Jaro(x, y); got != want {
			t.Fatalf("JaroString(%q, %q) = %v, Jaro says %v", a, b, got, want)
		}
		p, n := BagOf(a)
		q, m := BagOf(b)
		if n != len(x) || m != len(y) {
			t.Fatalf("BagOf counts %d runes in %q and %d in %q, want %d and %d", n, a, m, b, len(x), len(y))
		}
		for _, least := range []float64{0, 0.5, 0.7, 0.8, 0.9, want, 1} {
			if got := JaroWinklerReaches(a, b, p, q, n, m, least); got != (want >= least) {
				t.Fatalf("JaroWinklerReaches(%q, %q, %v) = %v, JaroWinkler is %v", a, b, least, got, want)
			}
		}
		a, b, x, y = b, a, y, x
	}
}

func TestPrefixCountsRunes(t *testing.T) {
	for _, tt := range []struct {
		s    string
		n    int
		want string
	}{
		{"", 0, ""},
		{"", 3, ""},
		{"acme", 0, ""},
		{"acme", 3, "acm"},
		{"acme", 4, "acme"},
		{"王小明", 2, "王小"},
		{"王小明", 3, "王小明"},
		{"a王b", 9, "a王b"},
	} {
		if got := Prefix(tt.s, tt.n); got != tt.want {
			t.Errorf("Prefix(%q, %d) = %q, want %q", tt.s, tt.n, got, tt.want)
		}
	}
}

func TestTextsCompareAsTheirRunes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	long := strings.Repeat("abcdefghij", 30)
	for _, tt := range [][2]string{
		{"", ""},
		{"a", "a"},
		{"王", "玉"},
		{"王小", "小王"},
		{"é", "è"},
		{"aé", "éa"},
		{"a王", "王"},
		{"ab", "ba"},
		{"王a", "a王"},
		{long, long[1:]},
		{long, long[:255]},
		{long + "x", long + "y"},
		{long[:64], long[1:65]},
		{long[:63], long[:64]},
		{long[:64], long[:65]},
		{strings.Repeat("王小明", 100), strings.Repeat("王小明", 99)},
		{strings.Repeat("é", 24), strings.Repeat("é", 25)},
	} {
		for limit := range 4 {
			checkText(t, tt[0], tt[1], limit)
		}
		checkText(t, tt[0], tt[1], 300)
	}
	for range 40000 {
		a := random(r)
		b := random(r)
		if r.IntN(2) == 0 {
			b = slices.Clone(a)
			for range r.IntN(3) {
				if len(b) > 1 {
					i := r.IntN(len(b) - 1)
					b[i], b[i+1] = b[i+1], b[i]
					b = slices.Delete(b, i, i+r.IntN(2))
				}
			}
		}
		checkText(t, string(a), string(b), r.IntN(6))
	}
}

func TestComparingTextsDoesNotAllocate(t *testing.T) {
	for _, tt := range [][2]string{{"jackson alvarez", "jacksn alvares"}, {"王小明", "王晓明"}, {strings.Repeat("abc", 60), strings.Repeat("acb", 60)}} {
		if n := testing.AllocsPerRun(20, func() {
			OSAString(tt[0], tt[1], 2)
			JaroWinklerString(tt[0], tt[1])
			WithinOne(tt[0], tt[1])
		}); n != 0 {
			t.Errorf("%q and %q: %v allocations, want none", tt[0], tt[1], n)
		}
	}
}

func FuzzKernels(f *testing.F) {
	f.Add("martha", "marhta", 2)
	f.Add("王小明", "王晓明", 1)
	f.Fuzz(func(t *testing.T, a, b string, limit int) {
		x, y := []rune(a), []rune(b)
		if len(x) > 60 || len(y) > 60 {
			return
		}
		check(t, x, y, min(max(limit, 0), 300))
		checkText(t, string(x), string(y), min(max(limit, 0), 300))
	})
}

// The pairs of the benchmarks: near, far, and Chinese.
func benchmarkPairs() [][2]string {
	return [][2]string{{"jackson alvarez supply", "jacksn alvarez suply"}, {"jackson alvarez supply", "fischer und anders"}, {"王小明", "王晓明"}}
}

func BenchmarkJaroWinkler(b *testing.B) {
	for _, p := range benchmarkPairs() {
		b.Run(p[0]+"|"+p[1], func(b *testing.B) {
			x, n := BagOf(p[0])
			y, m := BagOf(p[1])
			for b.Loop() {
				JaroWinklerReaches(p[0], p[1], x, y, n, m, 0.9)
			}
		})
	}
}

func BenchmarkOSA2(b *testing.B) {
	for _, p := range benchmarkPairs() {
		b.Run(p[0]+"|"+p[1], func(b *testing.B) {
			for b.Loop() {
				OSAString(p[0], p[1], 2)
			}
		})
	}
}

func BenchmarkWithinOne(b *testing.B) {
	for _, p := range benchmarkPairs() {
		b.Run(p[0]+"|"+p[1], func(b *testing.B) {
			for b.Loop() {
				WithinOne(p[0], p[1])
			}
		})
	}
}
