package dedupe

import (
	"slices"

	"touchstone/matching/cluster"
)

// components are the units that links join, directly or through others.
type components struct {
	members []int32 // of all components, each one's in order
	links   []link
	of      []component
}

type component struct{ member, link int32 } // where a component's begin

// partition gives each unit the smallest one of its cluster. What becomes of a
// component depends on nothing else, so they are parted one by one, by all
// workers.
func (e *engine) partition(links []link, least int32) ([]int32, error) {
	group := make([]int32, len(e.u.first))
	for i := range group {
		group[i] = int32(i)
	}
	if len(e.o.Labels) > 0 {
		return e.partRuled(links, least, group), nil
	}
	c := componentsOf(links, least, len(group))
	return group, e.o.parallel(len(c.of)-1, "cluster", func(_, k int) {
		from, to := c.of[k], c.of[k+1]
		e.partComponent(c.members[from.member:to.member], c.links[from.link:to.link], least, group)
	})
}

// partRuled parts all units at once: what people said joins components too.
func (e *engine) partRuled(links []link, least int32, group []int32) []int32 {
	in := cluster.Input{N: len(group), Link: least, Weigh: e.weigh, Veto: e.veto}
	for _, l := range links {
		if l.weight >= least {
			in.Links = append(in.Links, cluster.Link{A: int(l.a), B: int(l.b), Weight: l.weight})
		}
	}
	e.ruled(&in)
	for i, g := range cluster.Partition(in).Group {
		group[i] = int32(g)
	}
	return group
}

func (e *engine) partComponent(members []int32, links []link, least int32, group []int32) {
	if len(members) == 2 { // one link, and nothing that could speak against but a veto
		if !e.veto(int(members[0]), int(members[1])) {
			group[members[1]] = members[0]
		}
		return
	}
	if e.allOne(members, links) {
		for _, m := range members[1:] {
			group[m] = members[0]
		}
		return
	}
	unit := func(i int) int { return int(members[i]) }
	in := cluster.Input{
		N: len(members), Link: least,
		Weigh: func(a, b int) int32 { return e.weigh(unit(a), unit(b)) },
		Veto:  func(a, b int) bool { return e.veto(unit(a), unit(b)) },
	}
	for _, l := range links {
		a, _ := slices.BinarySearch(members, l.a)
		b, _ := slices.BinarySearch(members, l.b)
		in.Links = append(in.Links, cluster.Link{A: a, B: b, Weight: l.weight})
	}
	first := make([]int32, len(members))
	for i := range first {
		first[i] = -1
	}
	for i, g := range cluster.Partition(in).Group {
		if first[g] < 0 {
			first[g] = members[i]
		}
		group[members[i]] = first[g]
	}
}

// mostAllOne is up to how many members a component is first asked whether all of
// them are linked.
const mostAllOne = 16

// allOne says whether each member is linked with each, and no veto stands between
// any: then every mean passes, and they are one in whatever order they unite.
func (e *engine) allOne(members []int32, links []link) bool {
	n := len(members)
	if n > mostAllOne || len(links) != n*(n-1)/2 {
		return false
	}
	for i, a := range members {
		for _, b := range members[i+1:] {
			if e.veto(int(a), int(b)) {
				return false
			}
		}
	}
	return true
}

// componentsOf finds the components of two units and more, in the order of their
// smallest.
func componentsOf(links []link, least int32, n int) components {
	parent := make([]int32, n)
	for i := range parent {
		parent[i] = int32(i)
	}
	root := func(i int32) int32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for _, l := range links {
		if l.weight >= least {
			a, b := root(l.a), root(l.b)
			parent[max(a, b)] = min(a, b)
		}
	}
	size := make([]component, n) // by root
	for i := range parent {
		size[root(int32(i))].member++
	}
	for _, l := range links {
		if l.weight >= least {
			size[root(l.a)].link++
		}
	}
	c, at := components{}, component{}
	for i := range size {
		if s := size[i]; s.member > 1 {
			c.of, size[i] = append(c.of, at), at
			at.member, at.link = at.member+s.member, at.link+s.link
		} else {
			size[i].member = -1
		}
	}
	c.of = append(c.of, at)
	c.members, c.links = make([]int32, at.member), make([]link, at.link)
	for i := range parent {
		if s := &size[root(int32(i))]; s.member >= 0 {
			c.members[s.member] = int32(i)
			s.member++
		}
	}
	for _, l := range links {
		if l.weight >= least {
			s := &size[root(l.a)]
			c.links[s.link] = l
			s.link++
		}
	}
	return c
}
