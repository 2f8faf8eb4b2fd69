package dedupe

import (
	"slices"

	"touchstone/matching"
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
	vetoed, err := e.vetoes(c.links)
	if err != nil {
		return nil, err
	}
	return group, e.o.parallel(len(c.of)-1, "cluster", func(_, k int) { e.partComponent(&c, k, vetoed, least, group) })
}

// vetoes gives what says whether a veto stands against a link. Where features are
// on the disk all links are asked about at once.
func (e *engine) vetoes(links []link) (vetoed func(k int) bool, err error) {
	if e.forms.disk == nil {
		return func(k int) bool { return e.veto(int(links[k].a), int(links[k].b)) }, nil
	}
	known := make([]bool, len(links))
	err = e.bySections("cluster", func(now *both) error {
		return e.o.parallel(len(links), "cluster", func(_, k int) {
			a, b := links[k].a, links[k].b
			if s, ok := now.other(int(a)); ok && now.of[b] == s {
				known[k] = e.veto(int(a), int(b))
			}
		})
	})
	return func(k int) bool { return known[k] }, err
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

// partComponent parts one; vetoed says whether a veto stands against a link.
func (e *engine) partComponent(c *components, k int, vetoed func(link int) bool, least int32, group []int32) {
	from, to := c.of[k], c.of[k+1]
	members, links := c.members[from.member:to.member], c.links[from.link:to.link]
	if allLinked(len(members), len(links)) {
		against := false
		for l := from.link; l < to.link && !against; l++ {
			against = vetoed(int(l))
		}
		if !against { // every mean passes: they are one in whatever order they unite
			for _, m := range members[1:] {
				group[m] = members[0]
			}
			return
		}
		if len(members) == 2 {
			return
		}
	}
	unit := func(i int) int { return int(members[i]) }
	features := e.featuresOf(members)
	in := cluster.Input{
		N: len(members), Link: least,
		Weigh: func(a, b int) int32 { return e.weighOf(&features[a], &features[b], unit(a), unit(b)) },
		Veto:  func(a, b int) bool { return e.vetoOf(&features[a], &features[b], unit(a), unit(b)) },
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

// allLinked says whether each of so many members is linked with each.
func allLinked(members, links int) bool {
	return members <= mostAllOne && links == members*(members-1)/2
}

// featuresOf gives those of some units, each read once.
func (e *engine) featuresOf(units []int32) []matching.Features {
	out := make([]matching.Features, len(units))
	for i, u := range units {
		if e.model != nil {
			out[i] = e.forms.of(int(u))
		}
	}
	return out
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
