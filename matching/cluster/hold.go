package cluster

import (
	"cmp"
	"math"
	"slices"
)

// Hold says what holds one group together, and where it would part.
type Hold struct {
	// Weakest is the weakest link of the strongest chain through the group: with
	// every weaker one away it would still hang together. Nil where rulings alone
	// tie it.
	Weakest *Link
	// Bridges are the links whose removal parts the group, in link order.
	Bridges []Link
	// Split is where it would part first; nil where rulings tie all of it, or it
	// has one member.
	Split *Split
}

// Split is a cut through a group.
type Split struct {
	Side   []int // members of the smaller side, in order; of two alike that without the smallest member
	Cut    []Link
	Weight int64 // sum of the links cut
	// Whole says that it is the cheapest of all cuts; else the group was too large
	// to ask and it is cut at its weakest link.
	Whole bool
}

// MaxCut is the largest group of which every cut is weighed: the work grows
// with the cube of its size.
const MaxCut = 300

// Holds looks at one group: its members, the links at or above the threshold
// and the must-links among them. What names another member is left out.
func Holds(members []int, links []Link, must [][2]int) Hold {
	g := newGraph(members, links, must)
	h := Hold{Bridges: g.bridges()}
	tree := g.tree()
	if len(tree) == 0 || len(tree) < len(members)-1 { // nothing to part, or two pieces already
		return h
	}
	weak := tree[len(tree)-1]
	if weak.ruled {
		return h
	}
	h.Weakest = &Link{g.members[weak.a], g.members[weak.b], weak.weight}
	side, whole := g.without(tree[:len(tree)-1], weak), false
	if len(members) <= MaxCut {
		side, whole = g.cheapest(), true
	}
	h.Split = g.split(side, whole)
	return h
}

// graph is a group by ranks.
type graph struct {
	members []int
	edges   []edge // strongest first
	near    [][]int
}

type edge struct {
	a, b   int
	weight int32
	ruled  bool
}

// capacity is what it costs to cut an edge; a ruling is never cut.
func (e edge) capacity() int64 {
	if e.ruled {
		return math.MaxInt32
	}
	return max(int64(e.weight), 1)
}

func newGraph(members []int, links []Link, must [][2]int) *graph {
	g := &graph{members: slices.Sorted(slices.Values(members)), near: make([][]int, len(members))}
	add := func(a, b int, weight int32, ruled bool) {
		x, okX := slices.BinarySearch(g.members, a)
		y, okY := slices.BinarySearch(g.members, b)
		if okX && okY && x != y {
			g.edges = append(g.edges, edge{min(x, y), max(x, y), weight, ruled})
		}
	}
	for _, m := range must {
		add(m[0], m[1], 0, true)
	}
	for _, l := range links {
		add(l.A, l.B, l.Weight, false)
	}
	slices.SortFunc(g.edges, func(x, y edge) int {
		switch {
		case x.ruled != y.ruled && x.ruled:
			return -1
		case x.ruled != y.ruled:
			return 1
		}
		return cmp.Or(cmp.Compare(y.weight, x.weight), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	seen := map[[2]int]bool{} // a pair that is linked and ruled, or named twice, is one edge
	g.edges = slices.DeleteFunc(g.edges, func(e edge) bool {
		was := seen[[2]int{e.a, e.b}]
		seen[[2]int{e.a, e.b}] = true
		return was
	})
	for i, e := range g.edges {
		g.near[e.a], g.near[e.b] = append(g.near[e.a], i), append(g.near[e.b], i)
	}
	return g
}

// tree is the strongest spanning tree (Kruskal 1956), strongest edge first.
func (g *graph) tree() (tree []edge) {
	u := newForest(len(g.members))
	for _, e := range g.edges {
		if u.find(e.a) != u.find(e.b) {
			u.unite(e.a, e.b)
			tree = append(tree, e)
		}
	}
	return tree
}

// without gives the ranks on one side of a tree that lost an edge.
func (g *graph) without(rest []edge, lost edge) (side []int) {
	u := newForest(len(g.members))
	for _, e := range rest {
		u.unite(e.a, e.b)
	}
	for i := range g.members {
		if u.find(i) == u.find(lost.b) {
			side = append(side, i)
		}
	}
	return side
}

// bridges finds the edges on no circle (Tarjan 1974), without recursion: a
// group may be a long chain.
func (g *graph) bridges() (out []Link) {
	n := len(g.members)
	order, low, from, next := make([]int, n), make([]int, n), make([]int, n), make([]int, n)
	count := 0
	for root := range n {
		if order[root] > 0 {
			continue
		}
		count++
		order[root], low[root], from[root] = count, count, -1
		for stack := []int{root}; len(stack) > 0; {
			v := stack[len(stack)-1]
			if next[v] == len(g.near[v]) {
				stack = stack[:len(stack)-1]
				if e := from[v]; e >= 0 {
					p := g.edges[e].a + g.edges[e].b - v
					low[p] = min(low[p], low[v])
					if low[v] > order[p] && !g.edges[e].ruled {
						out = append(out, Link{g.members[g.edges[e].a], g.members[g.edges[e].b], g.edges[e].weight})
					}
				}
				continue
			}
			e := g.near[v][next[v]]
			next[v]++
			w := g.edges[e].a + g.edges[e].b - v
			switch {
			case e == from[v]:
			case order[w] > 0:
				low[v] = min(low[v], order[w])
			default:
				count++
				order[w], low[w], from[w] = count, count, e
				stack = append(stack, w)
			}
		}
	}
	slices.SortFunc(out, byStrength)
	return out
}

// cheapest is one side of the minimum cut (Stoer and Wagner 1997). Of cuts that
// cost the same the first found counts; the order is that of the ranks.
func (g *graph) cheapest() []int {
	n := len(g.members)
	weight := make([]int64, n*n)
	for _, e := range g.edges {
		weight[e.a*n+e.b] += e.capacity()
		weight[e.b*n+e.a] += e.capacity()
	}
	merged := make([][]int, n) // what each vertex stands for
	left := make([]int, n)
	for i := range n {
		merged[i], left[i] = []int{i}, i
	}
	best, side := int64(math.MaxInt64), []int(nil)
	reach, in := make([]int64, n), make([]bool, n)
	for len(left) > 1 {
		for _, v := range left {
			reach[v], in[v] = 0, false
		}
		before, last := -1, -1
		for range left {
			pick := -1
			for _, v := range left {
				if !in[v] && (pick < 0 || reach[v] > reach[pick]) {
					pick = v
				}
			}
			in[pick] = true
			before, last = last, pick
			for _, v := range left {
				reach[v] += weight[pick*n+v]
			}
		}
		if reach[last] < best { // the cut that parts it from all others
			best, side = reach[last], slices.Clone(merged[last])
		}
		for _, v := range left {
			weight[before*n+v] += weight[last*n+v]
			weight[v*n+before] = weight[before*n+v]
		}
		weight[before*n+before] = 0
		merged[before] = append(merged[before], merged[last]...)
		left = slices.DeleteFunc(left, func(v int) bool { return v == last })
	}
	slices.Sort(side)
	return side
}

// split describes the cut between some ranks and the others; nil where a ruling
// stands in its way.
func (g *graph) split(side []int, whole bool) *Split {
	in := make([]bool, len(g.members))
	for _, i := range side {
		in[i] = true
	}
	if 2*len(side) > len(g.members) || 2*len(side) == len(g.members) && in[0] {
		for i := range in {
			in[i] = !in[i]
		}
	}
	s := &Split{Whole: whole}
	for i, is := range in {
		if is {
			s.Side = append(s.Side, g.members[i])
		}
	}
	for _, e := range g.edges {
		if in[e.a] == in[e.b] {
			continue
		}
		if e.ruled {
			return nil
		}
		s.Cut = append(s.Cut, Link{g.members[e.a], g.members[e.b], e.weight})
		s.Weight += int64(e.weight)
	}
	return s
}
