package cluster

import (
	"cmp"
	"slices"
)

// parting works through components; group ends as the smallest member of each
// member's group.
type parting struct {
	in    Input
	group []int
	known map[[2]int]int32
	trace *Explanation // what happened is told here; nil for nobody who asks
}

// part handles one component, raising its threshold while it is too large.
func (p *parting) part(c component, threshold, raised int32, out *Output) {
	if len(c.members) == 1 {
		p.group[c.members[0]] = c.members[0]
		return
	}
	if len(c.members) > MaxComponent && len(c.links) > 0 && raised < 64*RaiseStep {
		raised += RaiseStep
		out.Raised = max(out.Raised, raised)
		sub := Input{N: p.in.N, Must: c.must, Cannot: c.cannot}
		for _, s := range subComponents(sub, c, threshold+RaiseStep) {
			p.part(s, threshold+RaiseStep, raised, out)
		}
		return
	}
	w := newWork(p, c, threshold)
	w.rulings()
	w.links()
	w.finish(out)
}

// subComponents splits one component again, by a higher threshold.
func subComponents(in Input, c component, threshold int32) []component {
	local := make(map[int]int, len(c.members))
	for i, m := range c.members {
		local[m] = i
	}
	small := Input{N: len(c.members)}
	for _, m := range in.Must {
		small.Must = append(small.Must, [2]int{local[m[0]], local[m[1]]})
	}
	for _, m := range in.Cannot {
		small.Cannot = append(small.Cannot, [2]int{local[m[0]], local[m[1]]})
	}
	links := make([]Link, len(c.links))
	for i, l := range c.links {
		links[i] = Link{local[l.A], local[l.B], l.Weight}
	}
	parts := components(small, links, threshold)
	for i := range parts {
		s := &parts[i]
		for k := range s.members {
			s.members[k] = c.members[s.members[k]]
		}
		for k, l := range s.links {
			s.links[k] = Link{c.members[l.A], c.members[l.B], l.Weight}
		}
		for _, list := range [][][2]int{s.must, s.cannot} {
			for k, m := range list {
				list[k] = [2]int{c.members[m[0]], c.members[m[1]]}
			}
		}
	}
	return parts
}

// work is one component being parted. Members are known by their rank in it.
type work struct {
	p         *parting
	c         component
	threshold int32
	rank      map[int]int
	of        []int              // rank → group
	members   [][]int            // group → ranks, in order
	sample    [][]int            // group → the ranks that speak for it
	barred    []map[int]bool     // group → groups a cannot-link or veto parts it from
	cannot    []map[int]bool     // group → groups a cannot-link parts it from
	refused   map[[2]int]attempt // pair of groups → when the mean refused it
	tried     map[[2]int]attempt // link → when the mean refused it last; only for a trace
	ruled     [][]int            // rank → the members rulings unite it with, itself included; nil for none
	memo      map[uint64]int32   // weights computed here
}

// attempt is what two groups had when their mean was too low.
type attempt struct {
	size int // members of both
	mean int32
}

func newWork(p *parting, c component, threshold int32) *work {
	n := len(c.members)
	w := &work{
		p: p, c: c, threshold: threshold, rank: make(map[int]int, n), of: make([]int, n), members: make([][]int, n), sample: make([][]int, n),
		barred: make([]map[int]bool, n), cannot: make([]map[int]bool, n), refused: map[[2]int]attempt{}, ruled: make([][]int, n), memo: map[uint64]int32{},
	}
	if p.trace != nil {
		w.tried = map[[2]int]attempt{}
	}
	for i, m := range c.members {
		w.rank[m] = i
		w.of[i], w.members[i], w.sample[i] = i, []int{i}, []int{i}
	}
	return w
}

// rulings bars what must not meet and unites what must, where no cannot-link
// stands between.
func (w *work) rulings() {
	for _, m := range w.c.cannot {
		a, b := w.rank[m[0]], w.rank[m[1]]
		if a != b {
			bar(w.cannot, a, b)
			bar(w.barred, a, b)
		}
	}
	must := make([][2]int, len(w.c.must))
	for i, m := range w.c.must {
		a, b := w.rank[m[0]], w.rank[m[1]]
		must[i] = [2]int{min(a, b), max(a, b)}
	}
	slices.SortFunc(must, func(x, y [2]int) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) })
	for _, m := range must {
		if a, b := w.of[m[0]], w.of[m[1]]; a != b && !w.cannot[a][b] {
			w.told(a, b, Step{A: w.c.members[m[0]], B: w.c.members[m[1]], Ruled: true})
			w.unite(a, b)
		}
	}
	for _, members := range w.members {
		if len(members) > 1 {
			for _, x := range members {
				w.ruled[x] = members[:min(len(members), maxRuled)]
			}
		}
	}
}

// maxRuled bounds how many members of a ruled unit are weighed for one.
const maxRuled = 8

func bar(bars []map[int]bool, a, b int) {
	for _, x := range [2][2]int{{a, b}, {b, a}} {
		if bars[x[0]] == nil {
			bars[x[0]] = map[int]bool{}
		}
		bars[x[0]][x[1]] = true
	}
}

// links tries them in order.
func (w *work) links() {
	for _, l := range w.c.links {
		a, b := w.of[w.rank[l.A]], w.of[w.rank[l.B]]
		if a == b || w.barred[a][b] {
			continue
		}
		pair := [2]int{min(a, b), max(a, b)}
		size := len(w.members[a]) + len(w.members[b])
		if was := w.refused[pair]; was.size == size { // nothing has changed since
			w.keepTry(l, was)
			continue
		}
		if w.vetoed(a, b) {
			bar(w.barred, a, b)
			continue
		}
		sum, n := w.across(a, b)
		if sum < n*int64(w.threshold-Slack) {
			w.refused[pair] = attempt{size, mean(sum, n)}
			w.keepTry(l, w.refused[pair])
			continue
		}
		w.told(a, b, Step{A: l.A, B: l.B, Weight: l.Weight, Mean: mean(sum, n)})
		w.unite(a, b)
	}
}

// vetoed asks for every pair of values: sampling could miss one.
func (w *work) vetoed(a, b int) bool {
	for _, x := range w.members[a] {
		for _, y := range w.members[b] {
			if w.p.in.Veto(w.c.members[min(x, y)], w.c.members[max(x, y)]) {
				return true
			}
		}
	}
	return false
}

// across adds up the weights of the cross pairs of two groups.
func (w *work) across(a, b int) (sum, n int64) {
	for _, x := range w.sample[a] {
		for _, y := range w.sample[b] {
			sum += int64(w.unitWeight(x, y))
			n++
		}
	}
	return sum, n
}

// mean rounds down, so that a mean that is too low reads so.
func mean(sum, n int64) int32 {
	q := sum / n
	if sum%n < 0 {
		q--
	}
	return int32(q)
}

// unitWeight is the weight of a pair, where members that rulings unite speak
// with their best: a person who joins two unlike records must not thereby drive
// off those that are like one of them.
func (w *work) unitWeight(x, y int) int32 {
	xs, ys := w.ruled[x], w.ruled[y]
	if xs == nil && ys == nil {
		return w.weight(min(x, y), max(x, y))
	}
	if xs == nil {
		xs = []int{x}
	}
	if ys == nil {
		ys = []int{y}
	}
	best := w.weight(min(x, y), max(x, y))
	for _, a := range xs {
		for _, b := range ys {
			best = max(best, w.weight(min(a, b), max(a, b)))
		}
	}
	return best
}

// maxMemo bounds the memory for weights; past it they are computed again.
const maxMemo = 2_000_000

func (w *work) weight(x, y int) int32 {
	a, b := w.c.members[x], w.c.members[y]
	if v, ok := w.p.known[[2]int{a, b}]; ok {
		return v
	}
	key := uint64(x)<<32 | uint64(y)
	if v, ok := w.memo[key]; ok {
		return v
	}
	v := w.p.in.Weigh(a, b)
	if len(w.memo) < maxMemo {
		w.memo[key] = v
	}
	return v
}

// unite puts b into a (or a into b: the smaller number stays).
func (w *work) unite(a, b int) {
	a, b = min(a, b), max(a, b)
	for _, x := range w.members[b] {
		w.of[x] = a
	}
	w.members[a] = merged(w.members[a], w.members[b])
	w.members[b] = nil
	w.sample[a], w.sample[b] = lowest(w.sample[a], w.sample[b]), nil
	for _, bars := range [][]map[int]bool{w.barred, w.cannot} {
		for g := range bars[b] {
			delete(bars[g], b)
			bar(bars, a, g)
		}
		bars[b] = nil
	}
}

func merged(a, b []int) []int {
	out := append(slices.Clone(a), b...)
	slices.Sort(out)
	return out
}

// lowest keeps the Sample members with the lowest hash.
func lowest(a, b []int) []int {
	out := append(slices.Clone(a), b...)
	slices.SortFunc(out, func(x, y int) int { return cmp.Or(cmp.Compare(mix(x), mix(y)), cmp.Compare(x, y)) })
	return out[:min(len(out), Sample)]
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(i int) uint64 {
	z := uint64(i) + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// finish writes the groups and the best refused pair between each two of them
// that no ruling parts.
func (w *work) finish(out *Output) {
	for i, m := range w.c.members {
		w.p.group[m] = w.c.members[w.members[w.of[i]][0]]
	}
	seen := map[[2]int]bool{}
	for _, l := range w.c.links {
		a, b := w.of[w.rank[l.A]], w.of[w.rank[l.B]]
		pair := [2]int{min(a, b), max(a, b)}
		if a != b && !w.cannot[a][b] && !seen[pair] {
			seen[pair] = true
			out.Bridges = append(out.Bridges, l)
		}
	}
	w.tellRefusals()
}
