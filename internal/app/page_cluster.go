package app

import (
	"context"
	"fmt"
	"slices"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching/cluster"
)

// pageCluster is how many source records of a golden record one page shows.
const pageCluster = 60

// Cluster shows what holds a golden record together, after so many of its
// unions; -1 for all.
func (a *App) Cluster(ctx context.Context, id string, step int) (c web.Cluster, err error) {
	h, x, err := a.how(ctx, id)
	if err != nil {
		return c, err
	}
	s := shownCluster{how: x, told: h, at: map[int]int{}}
	c = web.Cluster{ID: h.Golden, Entity: h.Entity, LinkBits: h.Link, Waiting: h.Waiting, Step: len(h.Steps)}
	if step >= 0 && step < c.Step {
		c.Step = step
	}
	if err := s.members(ctx, &c); err != nil {
		return c, err
	}
	s.steps(&c)
	s.links(&c)
	s.split(&c)
	for _, r := range h.Refused {
		c.Refused = append(c.Refused, web.ClusterRefusal{Golden: r.Golden, A: r.A, B: r.B, Bits: r.Weight, Why: r.Why, Veto: r.Veto, Decision: r.Decision})
	}
	return c, nil
}

// shownCluster puts a golden record on a page: at says where a record of the
// component stands in the list.
type shownCluster struct {
	how
	told How
	at   map[int]int
}

func (s *shownCluster) members(ctx context.Context, c *web.Cluster) error {
	var fields []record.Fields
	var rows []int
	recs := make([]int64, len(s.c.Members))
	for i, m := range s.c.Members {
		recs[i] = m.Rec
	}
	made, err := s.a.Store.MadeByUs(ctx, recs)
	if err != nil {
		return err
	}
	for i := range s.c.Members {
		if len(s.told.Members) == 0 || s.ex.Group[i] != s.own {
			continue
		}
		if len(c.Members) == pageCluster {
			c.More++
			continue
		}
		m := s.c.Members[i]
		authored, err := golden.ParseAuthored(m.Authored)
		if err != nil {
			return fmt.Errorf("values of %s: %w", m.Ref, err)
		}
		f := s.see.fields(m.Ref.Entity, authored.Fields())
		s.at[i] = len(c.Members)
		c.Members = append(c.Members, web.ClusterMember{
			Side: web.Side{Source: s.a.SourceName(m.Ref.Source), ID: m.Ref.ID, Name: DisplayName(m.Ref.Entity, f), Golden: c.ID, Deleted: !m.Live},
			Ref:  s.name(i), Made: made[m.Rec],
		})
		fields, rows = append(fields, f), append(rows, i)
		if m.Rec == s.founder || c.Name == "" {
			c.Name = DisplayName(m.Ref.Entity, f)
		}
	}
	for _, name := range fieldSpecs(c.Entity, fields...) {
		row := web.ClusterRow{Name: name, Values: make([][]string, len(rows))}
		some := false
		for k, f := range fields {
			row.Values[k] = showEntries(f[name])
			some = some || len(row.Values[k]) > 0
		}
		if some {
			c.Rows = append(c.Rows, row)
		}
	}
	return nil
}

// steps tells the unions, and to which group each member belongs after those
// shown.
func (s *shownCluster) steps(c *web.Cluster) {
	group := map[int]int{} // of all members, those too that are not listed
	for i := range s.c.Members {
		if s.ex.Group != nil && s.ex.Group[i] == s.own {
			group[i] = i
		}
	}
	n := 0
	for _, u := range s.ex.Steps {
		if s.ex.Group[u.A] != s.own || len(s.told.Members) == 0 {
			continue
		}
		step := web.ClusterStep{A: s.place(u.A), B: s.place(u.B), Bits: bits(u.Weight), Mean: bits(u.Mean), Size: u.Size, Decision: s.told.Steps[n].Decision}
		for _, j := range u.Joined {
			step.Joined = append(step.Joined, s.place(j))
		}
		c.Steps = append(c.Steps, step)
		if n++; n > c.Step {
			continue
		}
		from, to := group[u.A], group[u.B]
		for i, g := range group {
			if g == from {
				group[i] = to
			}
		}
	}
	numbers := map[int]int{}
	for _, i := range s.order() {
		g := group[i]
		if _, known := numbers[g]; !known {
			numbers[g] = len(numbers)
		}
		c.Members[s.at[i]].Group = numbers[g]
	}
}

// place is where a record of the component stands in the list; -1 for one that
// is not listed.
func (s *shownCluster) place(i int) int {
	if at, ok := s.at[i]; ok {
		return at
	}
	return -1
}

// order lists the records shown, in the order of the list.
func (s *shownCluster) order() []int {
	out := make([]int, len(s.at))
	for i, at := range s.at {
		out[at] = i
	}
	return out
}

func (s *shownCluster) links(c *web.Cluster) {
	same := func(p PathStep, a, b int) bool {
		x, y := s.name(a), s.name(b)
		return p.A == x && p.B == y || p.A == y && p.B == x
	}
	add := func(l cluster.Link, decision string) {
		a, b := s.place(l.A), s.place(l.B)
		if a < 0 || b < 0 {
			return
		}
		link := web.ClusterLink{A: min(a, b), B: max(a, b), Bits: bits(l.Weight), Decision: decision}
		ra, rb := s.c.Members[l.A].Rec, s.c.Members[l.B].Rec
		link.Pair = pairID(store.OpenPair{A: min(ra, rb), B: max(ra, rb)})
		link.Weakest = decision == "" && s.told.Weakest != nil && same(*s.told.Weakest, l.A, l.B)
		link.Bridge = slices.ContainsFunc(s.told.Bridges, func(p PathStep) bool { return same(p, l.A, l.B) })
		link.Cut = s.told.Split != nil && slices.ContainsFunc(s.told.Split.Cut, func(p PathStep) bool { return same(p, l.A, l.B) })
		c.Links = append(c.Links, link)
	}
	for _, l := range s.in.Links {
		if l.Weight >= s.in.Link {
			add(l, "")
		}
	}
	for _, m := range s.in.Must {
		add(cluster.Link{A: m[0], B: m[1]}, s.decision("must", m[0], m[1]))
	}
	slices.SortFunc(c.Links, func(x, y web.ClusterLink) int {
		return slices.Compare([]int{x.A, x.B, len(x.Decision)}, []int{y.A, y.B, len(y.Decision)})
	})
}

func (s *shownCluster) split(c *web.Cluster) {
	h := s.told.Split
	if h == nil {
		return
	}
	p := web.ClusterSplit{Bits: h.Weight, Mean: h.Mean, Links: len(h.Cut)}
	for i := range c.Members {
		if slices.Contains(h.Side, c.Members[i].Ref) {
			c.Members[i].Leave = true
			p.Leave = append(p.Leave, i)
		}
	}
	if len(p.Leave) == len(h.Side) { // all of them are listed
		c.Split = &p
	}
}
