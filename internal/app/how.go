package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/store"
	"touchstone/matching"
	"touchstone/matching/cluster"
)

// How says how a golden record came together: the unions in their order, what
// was not united and why, what holds it, and where it would part.
type How struct {
	Golden    string       `json:"golden"`
	Entity    string       `json:"entity"`
	Members   []string     `json:"members"`
	Component int          `json:"component"` // records that were parted together
	Link      float64      `json:"link_bits"`
	Least     float64      `json:"mean_least_bits"` // the mean that two groups need
	Raised    float64      `json:"raised_bits,omitempty"`
	Waiting   bool         `json:"waiting,omitempty"` // something has changed since, and waits to be resolved
	Steps     []HowStep    `json:"steps"`
	Refused   []HowRefused `json:"refused"`
	Weakest   *PathStep    `json:"weakest,omitempty"` // link of the strongest chain through it
	Bridges   []PathStep   `json:"bridges"`           // links whose removal parts it
	Split     *HowSplit    `json:"split,omitempty"`   // where it would part first; from three records on
}

// HowStep is one union of two groups.
type HowStep struct {
	A        string   `json:"a"`
	B        string   `json:"b"`
	Weight   float64  `json:"weight_bits"`
	Decision string   `json:"decision,omitempty"` // a person tied them
	Mean     float64  `json:"mean_bits"`          // of all pairs across the two groups
	Joined   []string `json:"joined"`             // the smaller group, which came to the other
	Size     int      `json:"size"`               // of the group then
}

// HowRefused is another group that something would have tied to this one.
type HowRefused struct {
	A        string  `json:"a"` // in this golden record
	B        string  `json:"b"` // in the other
	Golden   string  `json:"golden"`
	Weight   float64 `json:"weight_bits"`
	Why      string  `json:"why"` // ruling, veto or mean
	X        string  `json:"x,omitempty"`
	Y        string  `json:"y,omitempty"` // the two records that the ruling or the veto stands between
	Veto     string  `json:"veto,omitempty"`
	Decision string  `json:"decision,omitempty"` // that parts them
	Tied     string  `json:"tied,omitempty"`     // the decision that would have tied A and B, where it was no link
	Mean     float64 `json:"mean_bits,omitempty"`
}

// HowSplit is a proposed split.
type HowSplit struct {
	Side   []string   `json:"side"` // the records that would go
	Cut    []PathStep `json:"cut"`
	Weight float64    `json:"weight_bits"` // of the links cut
	Mean   float64    `json:"mean_bits"`   // of all pairs across the cut
	// Whole says that no other cut is cheaper; else the golden record is so large
	// that it is cut at its weakest link.
	Whole bool `json:"whole"`
}

// mostParted is the largest component that is explained as a whole: the size up
// to which one is parted as a whole (cluster.MaxComponent).
const mostParted = cluster.MaxComponent

// How explains a golden record, named by its id or by one of its records.
func (a *App) How(ctx context.Context, id string) (How, error) {
	h, _, err := a.how(ctx, id)
	return h, err
}

func (a *App) how(ctx context.Context, id string) (h How, x how, err error) {
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return h, x, err
	}
	e := a.entityNamed(g.Entity)
	if e == nil || e.resolver == nil || e.model.Load() == nil {
		return h, x, errors.New("this entity type is not configured")
	}
	if err := a.reached(ctx, g.Founder); err != nil {
		return h, x, err
	}
	x = how{a: a, founder: g.Founder, model: e.model.Load()}
	found := false
	if x.c, found, err = a.Store.ComponentOf(ctx, g.Founder, mostParted); err != nil {
		return h, x, err
	}
	if !found {
		return h, x, unclear("%s was parted together with more than %d records: touchstone why A B explains a pair of it", g.ID, mostParted)
	}
	r := a.apart(e, a.Store)
	r.Model = x.model
	if r.Shared, err = a.Store.Shared(ctx, g.Entity, nil); err != nil {
		return h, x, err
	}
	if x.in, err = r.Input(x.c.Members, x.c.Edges, x.c.Rulings); err != nil {
		return h, x, err
	}
	h = How{Golden: g.ID, Entity: g.Entity, Component: len(x.c.Members), Link: bits(r.Link), Least: bits(r.Link - cluster.Slack), Steps: []HowStep{}, Refused: []HowRefused{}, Bridges: []PathStep{}}
	if err := x.tell(&h, r.Shared); err != nil {
		return h, x, err
	}
	return h, x, x.veil(ctx, &h)
}

// veil leaves out the groups that are customers out of reach, and what of them was
// looked at. While the group takes in records of one there is nothing to tell.
func (x *how) veil(ctx context.Context, h *How) (err error) {
	if x.see, err = x.a.sight(ctx); err != nil {
		return err
	}
	if len(x.see.masks) > 0 { // it may quote any field
		for i := range h.Refused {
			h.Refused[i].Veto = ""
		}
	}
	if x.see.reach == nil {
		return nil
	}
	var founders []int64
	for _, m := range x.c.Members {
		founders = append(founders, m.Golden)
	}
	slices.Sort(founders)
	in, err := x.a.Store.Reached(ctx, x.see.reach, slices.Compact(founders))
	if err != nil {
		return err
	}
	known := map[string]bool{}
	h.Component = 0
	for i, m := range x.c.Members {
		if known[x.c.Golden[m.Golden]] = in[m.Golden]; in[m.Golden] {
			h.Component++
		}
		if !in[m.Golden] && len(h.Members) > 0 && x.ex.Group[i] == x.own {
			return unclear("%s has changed and waits to be worked out: ask again in a moment", h.Golden)
		}
	}
	h.Refused = slices.DeleteFunc(h.Refused, func(r HowRefused) bool { return !known[r.Golden] })
	return nil
}

// how is one golden record and the component around it.
type how struct {
	a       *App
	founder int64
	model   *matching.Model
	c       store.Component
	in      cluster.Input
	ex      cluster.Explanation
	own     int // number of the golden record's group
	see     sight
}

func (x *how) name(i int) string { return x.a.refName(x.c.Members[i].Ref) }

func (x *how) tell(h *How, shared *store.Shared) error {
	at := slices.IndexFunc(x.c.Members, func(m store.Member) bool { return m.Rec == x.founder })
	if at < 0 {
		h.Waiting = true // its founder has nothing in force any more
		return nil
	}
	x.ex = cluster.Explain(x.in)
	x.own = x.ex.Group[at]
	var members []int
	for i, m := range x.c.Members {
		if (m.Golden == x.founder) != (x.ex.Group[i] == x.own) {
			h.Waiting = true
		}
		if x.ex.Group[i] == x.own {
			members = append(members, i)
			h.Members = append(h.Members, x.name(i))
		}
	}
	h.Raised = bits(x.ex.Raised)
	for _, s := range x.ex.Steps {
		if x.ex.Group[s.A] == x.own {
			step := HowStep{A: x.name(s.A), B: x.name(s.B), Weight: bits(s.Weight), Mean: bits(s.Mean), Joined: x.names(s.Joined), Size: s.Size}
			if s.Ruled {
				step.Decision = x.decision("must", s.A, s.B)
			}
			h.Steps = append(h.Steps, step)
		}
	}
	for _, f := range x.ex.Refused {
		if x.ex.Group[f.A] == x.own || x.ex.Group[f.B] == x.own {
			r, err := x.refused(f, shared)
			if err != nil {
				return err
			}
			h.Refused = append(h.Refused, r)
		}
	}
	x.hold(h, members)
	return nil
}

func (x *how) names(members []int) []string {
	out := make([]string, len(members))
	for i, m := range members {
		out[i] = x.name(m)
	}
	return out
}

// decision names what a person decided on a pair.
func (x *how) decision(kind string, a, b int) string {
	ra, rb := x.c.Members[a].Rec, x.c.Members[b].Rec
	for _, r := range x.c.Rulings {
		if r.Kind == kind && r.A == min(ra, rb) && r.B == max(ra, rb) {
			if r.Decision != "" {
				return r.Decision
			}
			return r.ID
		}
	}
	return ""
}

func (x *how) refused(f cluster.Refusal, shared *store.Shared) (HowRefused, error) {
	if x.ex.Group[f.A] != x.own {
		f.A, f.B = f.B, f.A
	}
	r := HowRefused{A: x.name(f.A), B: x.name(f.B), Golden: x.c.Golden[x.c.Members[f.B].Golden], Weight: bits(f.Weight), Why: f.Why}
	if f.Ruled {
		r.Tied = x.decision("must", f.A, f.B)
	}
	switch f.Why {
	case cluster.ByMean:
		r.Mean = bits(f.Mean)
		return r, nil
	case cluster.ByRuling:
		r.Decision = x.decision("cannot", f.X, f.Y)
	}
	if x.ex.Group[f.X] != x.own {
		f.X, f.Y = f.Y, f.X
	}
	r.X, r.Y = x.name(f.X), x.name(f.Y)
	if f.Why == cluster.ByVeto {
		var pair [2]*matching.Features
		for i, m := range [2]int{f.X, f.Y} {
			var err error
			if pair[i], err = matching.DecodeFeatures(x.c.Members[m].Features); err != nil {
				return r, fmt.Errorf("features of %s: %w", x.c.Members[m].Ref, err)
			}
			pair[i] = pair[i].Share(shared.Has)
		}
		r.Veto, _ = x.model.Veto(pair[0], pair[1])
	}
	return r, nil
}

// hold tells what holds the group and where it would part.
func (x *how) hold(h *How, members []int) {
	links := slices.DeleteFunc(slices.Clone(x.in.Links), func(l cluster.Link) bool { return l.Weight < x.in.Link })
	held := cluster.Holds(members, links, x.in.Must)
	step := func(l cluster.Link) PathStep { return PathStep{A: x.name(l.A), B: x.name(l.B), Weight: bits(l.Weight)} }
	if held.Weakest != nil {
		w := step(*held.Weakest)
		h.Weakest = &w
	}
	for _, l := range held.Bridges {
		h.Bridges = append(h.Bridges, step(l))
	}
	if held.Split == nil || len(members) < 3 {
		return
	}
	s := &HowSplit{Side: x.names(held.Split.Side), Weight: float64(held.Split.Weight) / 1000, Whole: held.Split.Whole}
	for _, l := range held.Split.Cut {
		s.Cut = append(s.Cut, step(l))
	}
	rest := slices.DeleteFunc(slices.Clone(members), func(m int) bool { return slices.Contains(held.Split.Side, m) })
	sum, n := 0.0, 0
	for _, a := range held.Split.Side[:min(len(held.Split.Side), cluster.Sample)] {
		for _, b := range rest[:min(len(rest), cluster.Sample)] {
			sum += bits(x.in.Weigh(min(a, b), max(a, b)))
			n++
		}
	}
	s.Mean = sum / float64(max(n, 1))
	h.Split = s
}
