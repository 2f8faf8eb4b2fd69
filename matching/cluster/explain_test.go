package cluster

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExplain(t *testing.T) {
	chain := []Link{{0, 1, 9000}, {1, 2, 5000}, {2, 3, 9000}}
	for _, tt := range []struct {
		name    string
		in      Input
		steps   []Step
		refused []Refusal
	}{
		{"nothing is tied", with(3, 0), nil, nil},
		{"a pair", with(2, 0, Link{0, 1, 5000}), []Step{{A: 0, B: 1, Weight: 5000, Mean: 5000, Joined: []int{1}, Size: 2}}, nil},
		{
			"a weak bridge", with(4, -9000, chain...),
			[]Step{{A: 0, B: 1, Weight: 9000, Mean: 9000, Joined: []int{1}, Size: 2}, {A: 2, B: 3, Weight: 9000, Mean: 9000, Joined: []int{3}, Size: 2}},
			[]Refusal{{A: 1, B: 2, Weight: 5000, Why: ByMean, Mean: -5500, Least: 1000, Size: 4}},
		},
		{
			"a veto on another value of the group", vetoed(with(3, 9000, Link{0, 1, 9000}, Link{1, 2, 8000}), 0, 2),
			[]Step{{A: 0, B: 1, Weight: 9000, Mean: 9000, Joined: []int{1}, Size: 2}},
			[]Refusal{{A: 1, B: 2, Weight: 8000, Why: ByVeto, X: 0, Y: 2, Least: 1000}},
		},
		{
			"a ruling unites, another parts", ruled(with(3, -9000, Link{0, 2, 7000}), [][2]int{{1, 0}}, [][2]int{{2, 1}}),
			[]Step{{A: 0, B: 1, Ruled: true, Joined: []int{1}, Size: 2}},
			[]Refusal{{A: 0, B: 2, Weight: 7000, Why: ByRuling, X: 1, Y: 2, Least: 1000}},
		},
		{
			"a must that would cross a cannot", ruled(with(3, 0), [][2]int{{1, 2}, {0, 1}}, [][2]int{{0, 2}}),
			[]Step{{A: 0, B: 1, Ruled: true, Joined: []int{1}, Size: 2}},
			[]Refusal{{A: 1, B: 2, Ruled: true, Why: ByRuling, X: 0, Y: 2, Least: 1000}},
		},
		{
			"the smaller group joins", with(3, 9000, Link{1, 2, 9000}, Link{0, 1, 8000}),
			[]Step{{A: 1, B: 2, Weight: 9000, Mean: 9000, Joined: []int{2}, Size: 2}, {A: 0, B: 1, Weight: 8000, Mean: 8500, Joined: []int{0}, Size: 3}},
			nil,
		},
	} {
		got := Explain(tt.in)
		if diff := cmp.Diff(Explanation{Output: Partition(tt.in), Steps: tt.steps, Refused: tt.refused}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// The steps, played again, give the groups; each pair of groups that a link
// would tie has one ground, and the ground is true.
func TestExplainIsWhatPartitionDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	steps, grounds := 0, map[string]int{}
	for n := range 400 {
		in := random(r, 5+r.IntN(40), 1+r.IntN(8))
		want, got := Partition(in), Explain(in)
		if diff := cmp.Diff(want, got.Output); diff != "" {
			t.Fatalf("world %d: explained otherwise than parted (-parted +explained):\n%s", n, diff)
		}
		if diff := cmp.Diff(want.Group, replayed(t, in.N, got.Steps)); diff != "" {
			t.Fatalf("world %d: the steps lead to other groups (-want +got):\n%s", n, diff)
		}
		tied := map[[2]int]bool{}
		for _, x := range got.Refused {
			a, b := got.Group[x.A], got.Group[x.B]
			pair := [2]int{min(a, b), max(a, b)}
			if a == b || tied[pair] {
				t.Fatalf("world %d: %+v stands between groups %d and %d, told before: %v", n, x, a, b, tied[pair])
			}
			tied[pair] = true
			checkGround(t, in, got.Group, x)
			grounds[x.Why]++
		}
		for _, l := range in.Links {
			if a, b := got.Group[l.A], got.Group[l.B]; l.Weight >= in.Link && a != b && !tied[[2]int{min(a, b), max(a, b)}] {
				t.Fatalf("world %d: nothing says why %+v does not unite groups %d and %d", n, l, a, b)
			}
		}
		steps += len(got.Steps)
	}
	if steps < 2000 || grounds[ByVeto] < 30 || grounds[ByMean] < 80 || grounds[ByRuling] < 100 {
		t.Errorf("%d steps and refusals %v: too few to show anything", steps, grounds)
	}
}

func replayed(t *testing.T, n int, steps []Step) []int {
	t.Helper()
	u, size := newForest(n), map[int]int{}
	for _, s := range steps {
		a, b := u.find(s.A), u.find(s.B)
		if a == b {
			t.Fatalf("%+v unites what is one already", s)
		}
		u.unite(a, b)
		root := u.find(a)
		size[root] = max(size[a], 1) + max(size[b], 1)
		if size[root] != s.Size || 2*len(s.Joined) > s.Size {
			t.Fatalf("%+v makes a group of %d", s, size[root])
		}
	}
	smallest, out := make([]int, n), make([]int, n)
	for i := range n {
		smallest[i] = u.find(i) // the root is the smallest member
	}
	number(smallest, out)
	return out
}

func checkGround(t *testing.T, in Input, group []int, x Refusal) {
	t.Helper()
	across := func(a, b int) bool {
		return group[a] == group[x.A] && group[b] == group[x.B] || group[b] == group[x.A] && group[a] == group[x.B]
	}
	switch x.Why {
	case ByRuling:
		if !across(x.X, x.Y) || !slices.Contains(in.Cannot, [2]int{x.X, x.Y}) && !slices.Contains(in.Cannot, [2]int{x.Y, x.X}) {
			t.Fatalf("%+v: no ruling stands there", x)
		}
	case ByVeto:
		if !across(x.X, x.Y) || !in.Veto(x.X, x.Y) {
			t.Fatalf("%+v: no veto stands there", x)
		}
	case ByMean:
		if x.Mean >= x.Least || x.Size < 2 {
			t.Fatalf("%+v: that mean is enough", x)
		}
	default:
		t.Fatalf("%+v has no ground", x)
	}
}

func TestHolds(t *testing.T) {
	two := []Link{{0, 1, 9000}, {1, 2, 8000}, {0, 2, 7000}, {2, 3, 5000}, {3, 4, 9000}, {4, 5, 8000}, {3, 5, 6000}}
	for _, tt := range []struct {
		name    string
		members []int
		links   []Link
		must    [][2]int
		want    Hold
	}{
		{"one member", []int{3}, nil, nil, Hold{}},
		{"a pair", []int{1, 4}, []Link{{1, 4, 6000}}, nil, Hold{Weakest: &Link{1, 4, 6000}, Bridges: []Link{{1, 4, 6000}}, Split: &Split{Side: []int{4}, Cut: []Link{{1, 4, 6000}}, Weight: 6000, Whole: true}}},
		{"two triangles and a bridge", []int{0, 1, 2, 3, 4, 5}, two, nil, Hold{Weakest: &Link{2, 3, 5000}, Bridges: []Link{{2, 3, 5000}}, Split: &Split{Side: []int{3, 4, 5}, Cut: []Link{{2, 3, 5000}}, Weight: 5000, Whole: true}}},
		{"the cheapest cut is not at the weakest link", []int{0, 1, 2, 3}, []Link{{0, 1, 5000}, {0, 2, 5000}, {1, 2, 5000}, {2, 3, 6000}}, nil, Hold{Weakest: &Link{0, 2, 5000}, Bridges: []Link{{2, 3, 6000}}, Split: &Split{Side: []int{3}, Cut: []Link{{2, 3, 6000}}, Weight: 6000, Whole: true}}},
		{"links to others are not its own", []int{0, 1}, []Link{{0, 1, 5000}, {1, 2, 9000}}, nil, Hold{Weakest: &Link{0, 1, 5000}, Bridges: []Link{{0, 1, 5000}}, Split: &Split{Side: []int{1}, Cut: []Link{{0, 1, 5000}}, Weight: 5000, Whole: true}}},
		{"a ruling is never cut", []int{0, 1, 2}, []Link{{1, 2, 9000}}, [][2]int{{0, 1}}, Hold{Weakest: &Link{1, 2, 9000}, Bridges: []Link{{1, 2, 9000}}, Split: &Split{Side: []int{2}, Cut: []Link{{1, 2, 9000}}, Weight: 9000, Whole: true}}},
		{"rulings tie all of it", []int{0, 1}, []Link{{0, 1, 9000}}, [][2]int{{1, 0}}, Hold{}},
	} {
		if diff := cmp.Diff(tt.want, Holds(tt.members, tt.links, tt.must)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Bridges, weakest link and cheapest cut are what trying everything gives.
func TestHoldsAgainstTryingEverything(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	parted := 0
	for n := range 300 {
		size := 2 + r.IntN(8)
		var members []int
		for i := range size {
			members = append(members, 3*i)
		}
		var links []Link
		for i := range size {
			for j := i + 1; j < size; j++ {
				if j == i+1 || r.IntN(3) == 0 {
					links = append(links, Link{3 * i, 3 * j, int32(4000 + r.IntN(9000))})
				}
			}
		}
		got := Holds(members, links, nil)
		least, bridges := int64(1<<60), []Link(nil)
		for mask := 1; mask < 1<<(size-1); mask++ {
			cut := int64(0)
			for _, l := range links {
				if mask>>(l.A/3)&1 != mask>>(l.B/3)&1 {
					cut += int64(l.Weight)
				}
			}
			least = min(least, cut)
		}
		for _, l := range links {
			if !connected(members, slices.DeleteFunc(slices.Clone(links), func(o Link) bool { return o == l })) {
				bridges = append(bridges, l)
			}
		}
		slices.SortFunc(bridges, byStrength)
		if got.Split.Weight != least || !slices.Equal(got.Bridges, bridges) {
			t.Fatalf("group %d, links %v: split %+v and bridges %v, want a cut of %d and %v", n, links, got.Split, got.Bridges, least, bridges)
		}
		weaker := func(l Link) bool { return l.Weight < got.Weakest.Weight }
		weakerOrIt := func(l Link) bool { return l.Weight <= got.Weakest.Weight }
		if !connected(members, slices.DeleteFunc(slices.Clone(links), weaker)) || connected(members, slices.DeleteFunc(slices.Clone(links), weakerOrIt)) {
			t.Fatalf("group %d, links %v: %+v is not its weakest link", n, links, got.Weakest)
		}
		if len(bridges) > 0 {
			parted++
		}
	}
	if parted < 50 {
		t.Errorf("%d groups with bridges: too few to show anything", parted)
	}
}

func connected(members []int, links []Link) bool {
	u := newForest(slices.Max(members) + 1)
	for _, l := range links {
		u.unite(l.A, l.B)
	}
	for _, m := range members {
		if u.find(m) != u.find(members[0]) {
			return false
		}
	}
	return true
}

// A group too large to weigh every cut is cut at its weakest link.
func TestHoldsOfALargeGroup(t *testing.T) {
	const n = 5000
	var members []int
	var links []Link
	for i := range n {
		members = append(members, i)
		if i > 0 {
			links = append(links, Link{i - 1, i, int32(9000 - i%2)})
		}
	}
	links[n/2-1].Weight = 4500
	h := Holds(members, links, nil)
	if want := (Link{n/2 - 1, n / 2, 4500}); *h.Weakest != want || len(h.Bridges) != n-1 || h.Split.Whole || len(h.Split.Side) != n/2 || h.Split.Weight != 4500 {
		t.Errorf("weakest %+v, %d bridges, split %+v of %d; want %+v, %d and a half of it", h.Weakest, len(h.Bridges), h.Split.Weight, len(h.Split.Side), want, n-1)
	}
}
