package cluster

import (
	"cmp"
	"slices"
)

// Explanation says how Partition came to its groups.
type Explanation struct {
	Output
	Steps   []Step    // the unions, component by component, in the order they happened
	Refused []Refusal // pairs of groups that a link or a ruling would tie, strongest link first
}

// Step is one union of two groups, by a link or by a ruling.
type Step struct {
	A, B   int   // the two members that are tied
	Weight int32 // of their link; 0 for a ruling
	Ruled  bool
	Mean   int32 // weight over all cross pairs of the two groups, rounded down; 0 for a ruling
	Joined []int // members of the smaller group, in order: they came to the other
	Size   int   // of the group after it
}

// Why two groups were not united.
const (
	ByRuling = "ruling" // a person said so
	ByVeto   = "veto"   // hard evidence between two of their members
	ByMean   = "mean"   // one link, and the rest of the two groups does not agree
)

// Refusal is one pair of groups that stayed two.
type Refusal struct {
	A, B   int    // the strongest link between the groups, or a ruling that was left
	Weight int32  // of the link; 0 for a ruling
	Ruled  bool   // a must-link that a cannot-link overrules
	Why    string // ByRuling, ByVeto or ByMean
	X, Y   int    // the two members that the ruling or the veto stands between; X < Y
	// Mean is the weight over all cross pairs when a link was tried last, with so
	// many members in both groups; Least is what was needed.
	Mean, Least int32
	Size        int
}

// Explain parts as Partition does, and tells how.
func Explain(in Input) Explanation {
	var e Explanation
	e.Output = partition(in, &e)
	slices.SortStableFunc(e.Refused, func(x, y Refusal) int {
		return cmp.Or(cmp.Compare(y.Weight, x.Weight), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	return e
}

// told keeps a union that is about to happen.
func (w *work) told(a, b int, s Step) {
	if w.p.trace == nil {
		return
	}
	joined := w.members[a]
	if x, y := len(w.members[a]), len(w.members[b]); y < x || y == x && b > a {
		joined = w.members[b]
	}
	s.Size = len(w.members[a]) + len(w.members[b])
	for _, x := range joined {
		s.Joined = append(s.Joined, w.c.members[x])
	}
	w.p.trace.Steps = append(w.p.trace.Steps, s)
}

func (w *work) keepTry(l Link, try attempt) {
	if w.tried != nil {
		w.tried[[2]int{l.A, l.B}] = try
	}
}

// tellRefusals keeps, for each two groups that something would tie, the
// strongest of it and what stood against it.
func (w *work) tellRefusals() {
	if w.p.trace == nil {
		return
	}
	at := map[[2]int]int{}
	var list []Refusal
	put := func(r Refusal) {
		a, b := w.of[w.rank[r.A]], w.of[w.rank[r.B]]
		pair := [2]int{min(a, b), max(a, b)}
		if a == b {
			return
		}
		i, known := at[pair]
		if !known {
			i = len(list)
			at[pair] = i
			w.ground(&r, pair[0], pair[1])
			list = append(list, r)
		}
		if try, is := w.tried[[2]int{r.A, r.B}]; is && list[i].Why == ByMean {
			list[i].Mean, list[i].Size = try.mean, try.size
		}
	}
	for _, m := range w.c.must {
		put(Refusal{A: min(m[0], m[1]), B: max(m[0], m[1]), Ruled: true})
	}
	for _, l := range w.c.links {
		put(Refusal{A: l.A, B: l.B, Weight: l.Weight})
	}
	w.p.trace.Refused = append(w.p.trace.Refused, list...)
}

// ground finds what stands between two groups.
func (w *work) ground(r *Refusal, a, b int) {
	r.Least = w.threshold - Slack
	switch {
	case w.cannot[a][b]:
		r.Why = ByRuling
		for _, m := range w.c.cannot {
			x, y := min(m[0], m[1]), max(m[0], m[1])
			if of, other := w.of[w.rank[x]], w.of[w.rank[y]]; min(of, other) == a && max(of, other) == b {
				r.X, r.Y = x, y
				return
			}
		}
	case w.barred[a][b]:
		r.Why = ByVeto
		for _, x := range w.members[a] {
			for _, y := range w.members[b] {
				if m, n := w.c.members[min(x, y)], w.c.members[max(x, y)]; w.p.in.Veto(m, n) {
					r.X, r.Y = m, n
					return
				}
			}
		}
	default:
		r.Why = ByMean
	}
}
