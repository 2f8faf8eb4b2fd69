// Package cluster parts the records of a component into groups that are one
// customer each. The result is a function of the component alone.
package cluster

import (
	"cmp"
	"slices"
)

// Input is one or more components to part.
type Input struct {
	N      int      // members 0..N-1, ordered by reference: the order is the tie-break
	Links  []Link   // stored pairs; A < B. Those below Link serve as known weights only
	Must   [][2]int // rulings that two members are one customer
	Cannot [][2]int // rulings that they are not
	Weigh  func(a, b int) int32
	Veto   func(a, b int) bool
	Link   int32 // link threshold
}

// Link is the weight of a pair.
type Link struct {
	A, B   int
	Weight int32
}

// Output is the partition.
type Output struct {
	Group   []int  // group number of each member; groups are numbered by smallest member
	Bridges []Link // the best refused pair between two groups, in link order: for review
	Raised  int32  // how far the threshold was raised for the largest component; 0 mostly
}

// Slack is how far the mean weight over all cross pairs of two groups may lie
// below the link threshold: 3 bits.
const Slack = 3000

// Sample is how many members speak for a larger group.
const Sample = 200

// MaxComponent is the size from which a component raises its own threshold,
// in steps of RaiseStep, until its parts are smaller.
const (
	MaxComponent = 5000
	RaiseStep    = 1000
)

// Partition unites members: rulings first, then links by (weight falling,
// smaller, larger). Two groups unite iff no cannot-link and no veto stands
// between any of their members and the mean weight over all cross pairs is at
// least Link − Slack, members united by rulings speaking with their best.
// Callbacks must be symmetric and pure.
func Partition(in Input) Output { return partition(in, nil) }

func partition(in Input, trace *Explanation) Output {
	links := slices.Clone(in.Links)
	for i, l := range links {
		if l.A > l.B {
			links[i].A, links[i].B = l.B, l.A
		}
	}
	slices.SortFunc(links, byStrength)
	links = slices.Compact(links)
	out := Output{Group: make([]int, in.N)}
	p := &parting{in: in, group: make([]int, in.N), known: make(map[[2]int]int32, len(links)), trace: trace}
	for _, l := range links {
		p.known[[2]int{l.A, l.B}] = l.Weight
	}
	parts := components(in, links, in.Link)
	for _, members := range parts {
		p.part(members, in.Link, 0, &out)
	}
	number(p.group, out.Group)
	slices.SortFunc(out.Bridges, byStrength)
	return out
}

func byStrength(x, y Link) int {
	return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
}

// component is a set of members in order with the links and rulings within it.
type component struct {
	members      []int
	links        []Link
	must, cannot [][2]int
}

// components splits by links at or above the threshold and must-links.
func components(in Input, links []Link, threshold int32) []component {
	u := newForest(in.N)
	for _, l := range links {
		if l.Weight >= threshold {
			u.unite(l.A, l.B)
		}
	}
	for _, m := range in.Must {
		u.unite(m[0], m[1])
	}
	at := make([]int, in.N)
	var out []component
	for i := range in.N {
		r := u.find(i)
		if r == i {
			at[i] = len(out)
			out = append(out, component{})
		}
		c := &out[at[r]]
		c.members = append(c.members, i)
	}
	for _, l := range links {
		if r := u.find(l.A); l.Weight >= threshold && r == u.find(l.B) {
			out[at[r]].links = append(out[at[r]].links, l)
		}
	}
	for _, m := range in.Must {
		c := &out[at[u.find(m[0])]]
		c.must = append(c.must, m)
	}
	for _, m := range in.Cannot {
		if r := u.find(m[0]); r == u.find(m[1]) {
			out[at[r]].cannot = append(out[at[r]].cannot, m)
		}
	}
	return out
}

// forest is union-find whose roots are the smallest members.
type forest []int

func newForest(n int) forest {
	f := make(forest, n)
	for i := range f {
		f[i] = i
	}
	return f
}

func (f forest) find(i int) int {
	for f[i] != i {
		f[i] = f[f[i]]
		i = f[i]
	}
	return i
}

func (f forest) unite(a, b int) {
	a, b = f.find(a), f.find(b)
	f[max(a, b)] = min(a, b)
}

// number renames groups, given by their smallest member, to 0, 1, 2 …
func number(group, out []int) {
	next := 0
	for i, g := range group {
		if g == i {
			out[i] = next
			next++
		} else {
			out[i] = out[g]
		}
	}
}
