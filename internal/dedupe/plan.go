package dedupe

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Plan says which lists of a large table are compared, and what that is
// expected to cost. It is made from the sizes of the lists and from a sample of
// their pairs, weighed with the start weights.
type Plan struct {
	Budget    int64       `json:"budget"`    // pairs
	Pairs     int64       `json:"pairs"`     // expected without any tightening
	Expected  int64       `json:"expected"`  // pairs, with it
	Lost      float64     `json:"lost"`      // expected share of the likely matches that no key finds any more
	Tightened []Tightened `json:"tightened"` // by rule
}

// Tightened is a rule whose longer lists are left out.
type Tightened struct {
	Rule  string  `json:"rule"`
	Limit int     `json:"limit"` // the longest list that is compared each with each; 0: none is
	Pairs int64   `json:"pairs"` // left out, those that other rules find included
	Lost  float64 `json:"lost"`  // share of the likely matches that this rule found and none does now
}

// The budget is a few pairs for each unit, and enough on small tables that
// nothing is left out there. draws is how many pairs of a group are looked at.
const (
	budgetPerUnit = 3
	leastBudget   = 300_000
	draws         = 160
)

// draw is a sampled pair.
type draw struct {
	a, b   int32
	groups []group // that hold it, each once
	weight float64 // how many pairs it stands for
	likely bool
	active int // how many of its groups are kept
}

// planner chooses groups.
type planner struct {
	x       *index
	e       *engine
	pairs   []float64 // by group, its pairs, one in two lists counted twice
	kept    []bool
	draws   []draw
	holding [][]int32 // by group, the draws in it
	gain    []float64 // by group, the pairs that leaving it out would save
	cost    []float64 // and the matches it would lose, those found otherwise counted little
}

// planned leaves out what the budget does not allow, and what stands in the
// lists twice.
func (x *index) planned(e *engine) error {
	p := &planner{x: x, e: e, pairs: make([]float64, len(x.rules)<<kindBits), kept: make([]bool, len(x.rules)<<kindBits)}
	total := 0.0
	for k := range x.lists {
		g, n := x.lists[k].group, len(x.list(k))
		p.pairs[g] += pairsOf(n)
		p.kept[g] = true
		if kind := g.kind(); kind < kindFine || kind == kindNear || (kind-kindFine)%fineClasses == overClass-spillClass {
			total += pairsOf(n) // a part of a list that stands whole adds none
		}
	}
	if budget := float64(max(budgetPerUnit*len(e.u.first), leastBudget)); total > budget {
		if err := p.sample(); err != nil {
			return err
		}
		x.plan = p.tighten(budget)
	}
	x.keep(p.kept)
	return nil
}

func pairsOf(n int) float64 { return float64(n) * float64(n-1) / 2 }

// sample draws pairs of each group, in even steps through its lists, and finds
// which groups hold them and whether they are likely matches.
func (p *planner) sample() error {
	next, step := make([]float64, len(p.pairs)), make([]float64, len(p.pairs))
	for g, n := range p.pairs {
		step[g] = max(n/draws, 1)
		next[g] = step[g] / 2
	}
	before := make([]float64, len(p.pairs))
	for k := range p.x.lists {
		g, units := p.x.lists[k].group, p.x.list(k)
		end := before[g] + pairsOf(len(units))
		for ; next[g] < end; next[g] += step[g] {
			i, j := drawn(int(next[g]-before[g]), len(units), true)
			p.draws = append(p.draws, draw{a: units[j], b: units[i]})
		}
		before[g] = end
	}
	slices.SortFunc(p.draws, func(x, y draw) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	p.draws = slices.CompactFunc(p.draws, func(x, y draw) bool { return x.a == y.a && x.b == y.b })
	chosen := make([]bool, len(p.e.u.first))
	for i := range p.draws {
		chosen[p.draws[i].a], chosen[p.draws[i].b] = true, true
	}
	of, lists := p.x.byUnit(len(chosen), chosen)
	lone := p.e.lone()
	return p.e.o.parallel(len(p.draws), "plan", func(_, i int) {
		d := &p.draws[i]
		rate := 0.0
		a, b := lists[of[d.a]:of[d.a+1]], lists[of[d.b]:of[d.b+1]]
		for len(a) > 0 && len(b) > 0 {
			switch {
			case a[0] < b[0]:
				a = a[1:]
			case a[0] > b[0]:
				b = b[1:]
			default:
				g := p.x.lists[a[0]].group
				rate += 1 / step[g]
				if !slices.Contains(d.groups, g) {
					d.groups = append(d.groups, g)
				}
				a, b = a[1:], b[1:]
			}
		}
		d.weight, d.active = 1/rate, len(d.groups)
		d.likely = p.e.likely(int(d.a), int(d.b), lone)
	})
}

// likely says whether the start weights, whose prior is that of a table of some
// slackRows, take a pair for one. A name that stands alone is weighed as learn
// will.
func (e *engine) likely(i, j, lone int) bool {
	if e.u.apart(i, j) {
		return false
	}
	var buf [maxFields]uint8
	levels := buf[:len(e.fields)]
	e.levels(i, j, levels)
	w := e.sum(levels) + e.adjust(i, j, levels)
	if lone >= 0 && levels[lone] > 0 && levels[lone] <= loneLevels {
		w += loneLift
	}
	rarer := max(0, math.Log2(float64(len(e.u.first))/slackRows))
	return w >= threshold(reviewFrom)+int32(math.Round(1000*rarer))
}

// tighten leaves groups out, each time the one that loses the fewest likely
// matches for the pairs it saves, until the budget is kept.
func (p *planner) tighten(budget float64) *Plan {
	p.holding = make([][]int32, len(p.pairs))
	p.gain, p.cost = make([]float64, len(p.pairs)), make([]float64, len(p.pairs))
	plan, left, matches := &Plan{Budget: int64(budget)}, 0.0, 0.0
	for i := range p.draws {
		d := &p.draws[i]
		for _, g := range d.groups {
			p.holding[g] = append(p.holding[g], int32(i))
		}
		p.count(d, 1)
		left += d.weight
		if d.likely {
			matches += d.weight
		}
	}
	plan.Pairs = int64(left)
	lost, of := 0.0, map[uint8]*Tightened{}
	for left > budget {
		g, ok := p.cheapest()
		if !ok {
			break
		}
		t := of[g.rule()]
		if t == nil {
			t = &Tightened{Rule: p.x.rules[g.rule()].name}
			of[g.rule()] = t
		}
		t.Pairs += int64(p.pairs[g])
		saved, gone := p.leaveOut(g)
		left, lost = left-saved, lost+gone
		t.Lost += gone / max(matches, 1)
	}
	plan.Expected, plan.Lost = int64(left), lost/max(matches, 1)
	for r, t := range of {
		for kind := range kindFine {
			if p.kept[groupOf(r, kind)] {
				if t.Limit = p.x.rules[r].limit; kind < overClass-1 {
					t.Limit = min(2<<kind, t.Limit)
				}
			}
		}
		plan.Tightened = append(plan.Tightened, *t)
	}
	slices.SortFunc(plan.Tightened, func(a, b Tightened) int { return strings.Compare(a.Rule, b.Rule) })
	return plan
}

// count adds a draw's share to its kept groups, or takes it off again.
func (p *planner) count(d *draw, sign float64) {
	n := float64(d.active)
	for _, g := range d.groups {
		if p.kept[g] {
			p.gain[g] += sign * d.weight / n
			if d.likely {
				p.cost[g] += sign * d.weight / (n * n * n)
			}
		}
	}
}

// cheapest is the group to leave out next: of a rule's lists the longest, parts
// of lists only where the whole is left out.
func (p *planner) cheapest() (best group, ok bool) {
	least := 0.0
	for i, kept := range p.kept {
		g := group(i)
		if !kept || !p.open(g) {
			continue
		}
		if cost := (p.cost[g] + 1e-6) / max(p.gain[g], 1e-3); !ok || cost < least {
			best, least, ok = g, cost, true
		}
	}
	return best, ok
}

func (p *planner) open(g group) bool {
	kind := g.kind()
	switch {
	case kind == kindNear:
		return true
	case kind >= kindFine:
		whole := (kind-kindFine)%fineClasses + spillClass
		return whole == overClass || !p.kept[groupOf(g.rule(), whole)]
	}
	for longer := kind + 1; longer < kindFine; longer++ {
		if p.kept[groupOf(g.rule(), longer)] {
			return false
		}
	}
	return true
}

// leaveOut says how many pairs that saves, and how many likely matches it loses.
func (p *planner) leaveOut(g group) (saved, lost float64) {
	for _, i := range p.holding[g] {
		d := &p.draws[i]
		p.count(d, -1)
		d.active--
		if d.active == 0 {
			saved += d.weight
			if d.likely {
				lost += d.weight
			}
		}
	}
	p.kept[g] = false
	for _, i := range p.holding[g] {
		if d := &p.draws[i]; d.active > 0 {
			p.count(d, 1)
		}
	}
	return saved, lost
}

// keep leaves out the lists of groups that are not kept, and the parts of lists
// that stand whole.
func (x *index) keep(kept []bool) {
	lists, part, to := x.lists[:0], uint16(0), 0
	for k := range x.lists {
		l := x.lists[k]
		units := x.list(k) // of lists not moved yet: those behind the ones kept
		if l.part != part {
			x.units[part] = x.units[part][:to]
			part, to = l.part, 0
		}
		if !x.stays(l.group, kept) {
			continue
		}
		l.from = uint32(to)
		to += copy(x.units[part][to:], units)
		lists = append(lists, l)
	}
	if len(x.units) > 0 {
		x.units[part] = x.units[part][:to]
	}
	x.lists = lists
}

func (x *index) stays(g group, kept []bool) bool {
	if kind := g.kind(); kind >= kindFine && kind < kindNear {
		if whole := (kind-kindFine)%fineClasses + spillClass; whole < overClass && kept[groupOf(g.rule(), whole)] {
			return false
		}
	}
	return kept[g]
}

func (p *Plan) String() string {
	var rules []string
	for _, t := range p.Tightened {
		rules = append(rules, t.Rule)
	}
	return fmt.Sprintf("%d pairs share a key, %d are compared: the longer lists of %s are left out, and with them some %.2f %% of the likely matches", p.Pairs, p.Expected, strings.Join(rules, ", "), 100*p.Lost)
}
