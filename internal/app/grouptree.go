package app

import (
	"cmp"
	"context"
	"maps"
	"math/big"
	"slices"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// GroupTree is the group that a company belongs to, as of a day: from the
// company that has no parent down.
type GroupTree struct {
	Day    string       `json:"day"`
	Asked  string       `json:"asked"` // golden id of the company asked for
	Top    *GroupNode   `json:"top"`
	Nodes  int          `json:"nodes"`
	Circle []End        `json:"circle,omitempty"` // companies whose parents lead back to them: one link is left out at each
	Others []Relation   `json:"others,omitempty"` // further parents: they are held by several
	More   bool         `json:"more,omitempty"`   // the group goes on: it is too large to show
	Totals []GroupTotal `json:"totals"`           // of every company of the tree, each once
}

// GroupNode is a company of a group with those below it.
type GroupNode struct {
	End
	Link  *Relation    `json:"link,omitempty"`   // to what it hangs below
	Kind  string       `json:"kind,omitempty"`   // parent (a subsidiary), branch_of or brand_of
	Share string       `json:"share,omitempty"`  // what the one above holds, percent; "" where nobody said
	Held  string       `json:"held,omitempty"`   // what the top holds along this path, percent
	Own   []GroupTotal `json:"own,omitempty"`    // its own events
	Total []GroupTotal `json:"totals,omitempty"` // with those below
	Below []*GroupNode `json:"below,omitempty"`

	founder int64
	held    *big.Rat // a fraction; nil where a share on the path is not known
	own     map[string]*groupSum
}

// GroupTotal sums events of one currency; those without an amount have none.
type GroupTotal struct {
	Currency string `json:"currency,omitempty"`
	Count    int    `json:"count"`
	Amount   string `json:"amount,omitempty"`
}

// mostGroup bounds the companies of one tree.
const mostGroup = 1000

// GroupTree draws up the group of a company as of a day (YYYY-MM-DD, "" for
// today). A company that several hold hangs below the one that holds most, and
// is counted once. It ends whatever circles there are.
func (a *App) GroupTree(ctx context.Context, id, day string) (t GroupTree, err error) {
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return t, err
	}
	if g.Entity != record.Company {
		return t, unclear("%s is a %s: a group is of companies", id, wordOf("entity", g.Entity))
	}
	t = GroupTree{Day: a.dayOr(day), Asked: g.ID}
	edges, more, err := a.groupEdges(ctx, g.Founder, t.Day)
	if err != nil {
		return t, err
	}
	t.More = more
	self, err := a.endOf(ctx, g)
	if err != nil {
		return t, err
	}
	nodes := growGroup(g.Founder, self, edges, &t)
	totals, err := a.Store.EventTotals(ctx, slices.Sorted(maps.Keys(nodes)))
	if err != nil {
		return t, err
	}
	for f, n := range nodes {
		n.own = sumsOf(totals[f])
	}
	t.Totals = totalsOf(rollUp(t.Top))
	t.Nodes = len(nodes)
	return t, nil
}

func isGroupKind(kind string) bool { return kind == Parent || kind == BranchOf || kind == BrandOf }

// groupEdges follows the edges of a group from one company up and down.
func (a *App) groupEdges(ctx context.Context, founder int64, day string) (edges []Relation, more bool, err error) {
	type edgeKey struct {
		a, b             int64
		kind, at, source string
	}
	known, seen := map[int64]bool{founder: true}, map[edgeKey]bool{}
	for wave := []int64{founder}; len(wave) > 0; {
		list, cut, err := a.relationsAmong(ctx, wave, day)
		if err != nil {
			return nil, false, err
		}
		more = more || cut
		wave = nil
		for _, r := range list {
			if r.Over || !isGroupKind(r.Kind) || r.a == 0 || r.b == 0 || r.A.Entity != record.Company || r.B.Entity != record.Company {
				continue
			}
			key := edgeKey{r.a, r.b, r.Kind, r.At, r.Source}
			if seen[key] {
				continue
			}
			fresh := 0
			for _, f := range [2]int64{r.a, r.b} {
				if !known[f] {
					fresh++
				}
			}
			if len(known)+fresh > mostGroup {
				more = true
				continue
			}
			seen[key] = true
			edges = append(edges, r)
			for _, f := range [2]int64{r.a, r.b} {
				if !known[f] {
					known[f] = true
					wave = append(wave, f)
				}
			}
		}
	}
	return edges, more, nil
}

// cmpLink orders the links up of one company: the largest share first, then a
// person's word, then subsidiary before branch before brand.
func cmpLink(x, y Relation) int {
	return cmp.Or(-shareRat(x).Cmp(shareRat(y)), -strings.Compare(x.At, y.At), cmpRelation(x, y), cmp.Compare(x.b, y.b))
}

// shareRat gives the share of a link as a fraction: a branch or a brand is wholly
// its company's; 0 where nobody said.
func shareRat(r Relation) *big.Rat {
	if x, ok := new(big.Rat).SetString(r.Share); ok {
		return x.Quo(x, big.NewRat(100, 1))
	}
	if r.Kind != Parent {
		return big.NewRat(1, 1)
	}
	return new(big.Rat)
}

// growGroup makes the tree that the company stands in, and gives its nodes by
// founder.
func growGroup(asked int64, self End, edges []Relation, t *GroupTree) map[int64]*GroupNode {
	ends, up := map[int64]End{asked: self}, map[int64][]Relation{}
	for _, r := range edges {
		for _, e := range []struct {
			founder int64
			end     End
		}{{r.a, r.A}, {r.b, r.B}} {
			if _, ok := ends[e.founder]; !ok {
				ends[e.founder] = e.end
			}
		}
		up[r.a] = append(up[r.a], r)
	}
	all := slices.Sorted(maps.Keys(ends))
	link := map[int64]*Relation{}
	for _, f := range all {
		if slices.SortStableFunc(up[f], cmpLink); len(up[f]) > 0 {
			link[f] = &up[f][0]
		}
	}
	for _, f := range all { // a circle loses the link of its lowest landing number
		seen := map[int64]bool{}
		for x := f; link[x] != nil && !seen[x]; x = link[x].b {
			if seen[x] = true; link[x].b == f {
				t.Circle = append(t.Circle, ends[f])
				delete(link, f)
				break
			}
		}
	}
	top := asked
	for link[top] != nil {
		top = link[top].b
	}
	below := map[int64][]int64{}
	for _, f := range all {
		if link[f] != nil {
			below[link[f].b] = append(below[link[f].b], f)
		}
	}
	nodes := map[int64]*GroupNode{}
	var grow func(f int64, held *big.Rat) *GroupNode
	grow = func(f int64, held *big.Rat) *GroupNode {
		n := &GroupNode{End: ends[f], founder: f, held: held, Held: percentOf(held)}
		nodes[f] = n
		if l := link[f]; l != nil && f != top {
			n.Link, n.Kind, n.Share = l, l.Kind, l.Share
		}
		for _, child := range below[f] {
			n.Below = append(n.Below, grow(child, heldBy(held, *link[child])))
		}
		slices.SortFunc(n.Below, func(x, y *GroupNode) int {
			return cmp.Or(cmp.Compare(slices.Index(RelationKinds(), x.Kind), slices.Index(RelationKinds(), y.Kind)), strings.Compare(x.Name, y.Name), cmp.Compare(x.founder, y.founder))
		})
		return n
	}
	t.Top = grow(top, big.NewRat(1, 1))
	for _, f := range slices.Sorted(maps.Keys(nodes)) {
		for i := range up[f] {
			if r := &up[f][i]; r != link[f] && (link[f] == nil || r.b != link[f].b) {
				t.Others = append(t.Others, *r)
			}
		}
	}
	return nodes
}

// heldBy multiplies a share along the path; nil where it is not known.
func heldBy(above *big.Rat, link Relation) *big.Rat {
	if above == nil || link.Kind == Parent && link.Share == "" {
		return nil
	}
	return new(big.Rat).Mul(above, shareRat(link))
}

// percentOf shows a fraction as percent, to two decimals.
func percentOf(x *big.Rat) string {
	if x == nil {
		return ""
	}
	text := new(big.Rat).Mul(x, big.NewRat(100, 1)).FloatString(2)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// groupSum adds up amounts exactly.
type groupSum struct {
	count    int
	sum      *big.Rat // nil while no event had an amount
	decimals int
}

func (s *groupSum) add(o *groupSum) {
	s.count += o.count
	s.decimals = max(s.decimals, o.decimals)
	if o.sum == nil {
		return
	}
	if s.sum == nil {
		s.sum = new(big.Rat)
	}
	s.sum.Add(s.sum, o.sum)
}

// sumsOf adds up a company's events by currency.
func sumsOf(totals []store.EventTotal) map[string]*groupSum {
	out := map[string]*groupSum{}
	for _, t := range totals {
		one := &groupSum{count: t.Count}
		if x, ok := new(big.Rat).SetString(t.Amount); ok {
			_, decimals, _ := strings.Cut(t.Amount, ".")
			one.sum, one.decimals = x, len(decimals)
		}
		addTo(out, t.Currency, one)
	}
	return out
}

func addTo(sums map[string]*groupSum, currency string, s *groupSum) {
	if sums[currency] == nil {
		sums[currency] = &groupSum{}
	}
	sums[currency].add(s)
}

// rollUp gives a node what it and all below it have: the sum of its leaves, a
// company's own events being one of them.
func rollUp(n *GroupNode) map[string]*groupSum {
	all := map[string]*groupSum{}
	for c, s := range n.own {
		addTo(all, c, s)
	}
	for _, child := range n.Below {
		for c, s := range rollUp(child) {
			addTo(all, c, s)
		}
	}
	n.Own, n.Total = totalsOf(n.own), totalsOf(all)
	return all
}

func totalsOf(sums map[string]*groupSum) []GroupTotal {
	out := []GroupTotal{}
	for c, s := range sums {
		t := GroupTotal{Currency: c, Count: s.count}
		if s.sum != nil {
			t.Amount = s.sum.FloatString(s.decimals)
		}
		out = append(out, t)
	}
	slices.SortFunc(out, func(x, y GroupTotal) int { return strings.Compare(x.Currency, y.Currency) })
	return out
}

// Walk visits the companies of a tree from the top, each before those below it.
func (t GroupTree) Walk(visit func(n *GroupNode, depth int)) {
	var down func(n *GroupNode, depth int)
	down = func(n *GroupNode, depth int) {
		visit(n, depth)
		for _, x := range n.Below {
			down(x, depth+1)
		}
	}
	down(t.Top, 0)
}
