package cluster

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// with makes an input whose unknown pairs weigh rest.
func with(n int, rest int32, links ...Link) Input {
	return Input{N: n, Links: links, Link: 4000, Weigh: func(int, int) int32 { return rest }, Veto: func(int, int) bool { return false }}
}

func TestPartition(t *testing.T) {
	chain := []Link{{0, 1, 9000}, {1, 2, 5000}, {2, 3, 9000}}
	for _, tt := range []struct {
		name    string
		in      Input
		group   []int
		bridges []Link
	}{
		{"no links", with(3, 0), []int{0, 1, 2}, nil},
		{"a pair", with(3, 0, Link{0, 2, 4000}), []int{0, 1, 0}, nil},
		{"below the threshold", with(2, 0, Link{0, 1, 3999}), []int{0, 1}, nil},
		{"a weak bridge is refused", with(4, -9000, chain...), []int{0, 0, 1, 1}, []Link{{1, 2, 5000}}},
		{"a bridge with a good mean holds", with(4, 2000, chain...), []int{0, 0, 0, 0}, nil},
		{"a stored weak pair counts in the mean", with(3, 9000, Link{0, 1, 9000}, Link{1, 2, 5000}, Link{0, 2, -20000}), []int{0, 0, 1}, []Link{{1, 2, 5000}}},
		{"a veto on another value of the group", vetoed(with(3, 9000, Link{0, 1, 9000}, Link{1, 2, 8000}), 0, 2), []int{0, 0, 1}, []Link{{1, 2, 8000}}},
		{"must without a link", ruled(with(3, -9000), [][2]int{{2, 0}}, nil), []int{0, 1, 0}, nil},
		{"must beats a veto", ruled(vetoed(with(2, -9000), 0, 1), [][2]int{{0, 1}}, nil), []int{0, 0}, nil},
		{"cannot beats a link, and is no question", ruled(with(2, 0, Link{0, 1, 9000}), nil, [][2]int{{1, 0}}), []int{0, 1}, nil},
		{"a must that would cross a cannot is left", ruled(with(3, 0), [][2]int{{1, 2}, {0, 1}}, [][2]int{{0, 2}}), []int{0, 0, 1}, nil},
	} {
		got := Partition(tt.in)
		if diff := cmp.Diff(Output{Group: tt.group, Bridges: tt.bridges}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func vetoed(in Input, a, b int) Input {
	in.Veto = func(x, y int) bool { return x == a && y == b || x == b && y == a }
	return in
}

func ruled(in Input, must, cannot [][2]int) Input {
	in.Must, in.Cannot = must, cannot
	return in
}

// random makes a world of n members of some customers, with noise.
func random(r *rand.Rand, n, customers int) Input {
	of := make([]int, n)
	for i := range of {
		of[i] = r.IntN(customers)
	}
	seed := r.Uint64()
	weigh := func(a, b int) int32 {
		noise := int32(mix(int(seed)^(min(a, b)*100003+max(a, b))) % 9000)
		if of[a] == of[b] {
			return 2000 + noise
		}
		return noise - 7500
	}
	in := Input{N: n, Link: 4000, Weigh: weigh, Veto: func(a, b int) bool { return weigh(a, b) < -7450 }}
	for a := range n {
		for b := a + 1; b < n; b++ {
			if w := weigh(a, b); w >= 1000 {
				in.Links = append(in.Links, Link{a, b, w})
			}
		}
	}
	for range r.IntN(4) {
		in.Must = append(in.Must, [2]int{r.IntN(n), r.IntN(n)})
		in.Cannot = append(in.Cannot, [2]int{r.IntN(n), r.IntN(n)})
	}
	return in
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		in := random(r, 5+r.IntN(40), 1+r.IntN(8))
		want := Partition(in)
		r.Shuffle(len(in.Links), func(i, j int) { in.Links[i], in.Links[j] = in.Links[j], in.Links[i] })
		r.Shuffle(len(in.Must), func(i, j int) { in.Must[i], in.Must[j] = in.Must[j], in.Must[i] })
		slices.Reverse(in.Cannot)
		for i, l := range in.Links {
			if r.IntN(2) == 0 {
				in.Links[i].A, in.Links[i].B = l.B, l.A
			}
		}
		if diff := cmp.Diff(want, Partition(in)); diff != "" {
			t.Fatalf("the same component in another order (-want +got):\n%s", diff)
		}
	}
}

// No group holds a cannot-link, nor a veto that no must-link overrules.
func TestGroupsHoldNoForbiddenPair(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		in := random(r, 5+r.IntN(40), 1+r.IntN(8))
		got := Partition(in)
		for _, c := range in.Cannot {
			if c[0] != c[1] && got.Group[c[0]] == got.Group[c[1]] {
				t.Fatalf("members %v stand in one group against a ruling", c)
			}
		}
		if len(in.Must) > 0 {
			continue
		}
		for a := range in.N {
			for b := a + 1; b < in.N; b++ {
				if got.Group[a] == got.Group[b] && in.Veto(a, b) {
					t.Fatalf("members %d and %d stand in one group against a veto", a, b)
				}
			}
		}
	}
}

// TestAllLinkedAreOne: who parts components may unite at once where each member is
// linked with each and no veto stands between any.
func TestAllLinkedAreOne(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for n := 2; n <= 16; n++ {
		in := with(n, -50_000)
		for a := range n {
			for b := a + 1; b < n; b++ {
				in.Links = append(in.Links, Link{a, b, in.Link + r.Int32N(20_000)})
			}
		}
		if got := Partition(in); slices.Max(got.Group) != 0 || len(got.Bridges) != 0 {
			t.Errorf("%d members, all linked: %v, want one group", n, got)
		}
	}
}

// Two components in one call are parted as each alone.
func TestComponentsDoNotTouch(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		x, y := random(r, 12, 3), random(r, 15, 4)
		both := Input{N: 27, Link: 4000}
		both.Links = append(both.Links, x.Links...)
		for _, l := range y.Links {
			both.Links = append(both.Links, Link{l.A + 12, l.B + 12, l.Weight})
		}
		both.Must = append(both.Must, x.Must...)
		both.Cannot = append(both.Cannot, x.Cannot...)
		y.Must, y.Cannot = nil, nil
		pick := func(f, g func(a, b int) int32, a, b int) int32 {
			if a < 12 && b < 12 {
				return f(a, b)
			}
			return g(a-12, b-12)
		}
		both.Weigh = func(a, b int) int32 { return pick(x.Weigh, y.Weigh, a, b) }
		both.Veto = func(a, b int) bool {
			if b < 12 {
				return x.Veto(a, b)
			}
			return y.Veto(a-12, b-12)
		}
		gx, gy := Partition(x), Partition(y)
		want := slices.Clone(gx.Group)
		n := slices.Max(gx.Group) + 1
		for _, g := range gy.Group {
			want = append(want, g+n)
		}
		if diff := cmp.Diff(want, Partition(both).Group); diff != "" {
			t.Fatalf("(-each alone +together):\n%s", diff)
		}
	}
}

// giant is one component of n members in blocks of 25 strong pairs, with weak
// bridges from block to block.
func giant(n int) Input {
	in := with(n, -6000)
	in.Weigh = func(a, b int) int32 {
		if a/25 == b/25 {
			return 8000
		}
		return -6000
	}
	for a := range n {
		for b := a + 1; b < min(n, a+25); b++ {
			if a/25 == b/25 {
				in.Links = append(in.Links, Link{a, b, 8000})
			}
		}
		for k := 1; k < 6; k++ {
			if b := a + 25*k; b < n {
				in.Links = append(in.Links, Link{a, b, 5000})
			}
		}
	}
	return in
}

func TestGiantComponentIsPartedInTime(t *testing.T) {
	for _, tt := range []struct {
		n      int
		raised bool
	}{{5000, false}, {12000, true}} {
		in := giant(tt.n)
		start := time.Now()
		got := Partition(in)
		took := time.Since(start)
		if groups := slices.Max(got.Group) + 1; groups != tt.n/25 {
			t.Errorf("%d members: %d groups, want %d", tt.n, groups, tt.n/25)
		}
		if (got.Raised > 0) != tt.raised {
			t.Errorf("%d members: raised by %d, want raised %v", tt.n, got.Raised, tt.raised)
		}
		t.Logf("%d members: %v", tt.n, took)
		if took > 20*time.Second {
			t.Errorf("%d members took %v", tt.n, took)
		}
	}
}

// One customer with very many records: sampling keeps the work bounded.
func TestOneHugeCustomerStaysWhole(t *testing.T) {
	const n = 4000
	in := with(n, 9000)
	for a := 1; a < n; a++ {
		in.Links = append(in.Links, Link{a / 2, a, 9000})
	}
	start := time.Now()
	got := Partition(in)
	if m := slices.Max(got.Group); m != 0 {
		t.Errorf("parted into %d groups, want one", m+1)
	}
	t.Logf("%d members: %v", n, time.Since(start))
}

func BenchmarkPartition(b *testing.B) {
	in := random(rand.New(rand.NewPCG(1, 1)), 10, 3)
	for b.Loop() {
		Partition(in)
	}
}

func BenchmarkPartition5000(b *testing.B) {
	in := giant(5000)
	for b.Loop() {
		Partition(in)
	}
}
