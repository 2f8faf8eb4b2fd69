package dedupe

import (
	"cmp"
	"context"
	"slices"

	"touchstone/matching/eval"
	"touchstone/matching/label"
)

// Scored is a result beside a truth.
type Scored struct {
	eval.Score
	Threshold float64 `json:"threshold"`
}

// Wrong is a pair that was joined, or kept apart, against the truth.
type Wrong struct {
	Rows [2]int `json:"-"`
	A    string `json:"a"`
	B    string `json:"b"`
	Why  string `json:"why"`
	Pair
}

// Why a pair is wrong.
const (
	WrongLink    = "it weighs enough"
	WrongChain   = "joined through others"
	WrongWeight  = "it weighs too little"
	WrongKeys    = "never compared: no common key"
	WrongVeto    = "hard evidence stands against it"
	WrongCluster = "the two groups as a whole do not agree"
)

// numbers gives the true cluster of every row, −1 where the truth knows nothing
// of it. Rows that it does not name are customers of their own where it lists
// pairs. It is wrong to name a row that is not there.
func (r *Result) numbers(t *Table, id string, truth label.Truth) ([]int, error) {
	find := t.Finder(id)
	out := make([]int, t.Rows())
	for i := range out {
		out[i] = -1
		if truth.Open {
			out[i] = -2 - i
		}
	}
	number := map[string]int{}
	for _, id := range truth.IDs {
		row, err := find(id)
		if err != nil {
			return nil, usage("the truth does not fit the rows: %w", err)
		}
		n, ok := number[truth.Cluster[id]]
		if !ok {
			n = len(number)
			number[truth.Cluster[id]] = n
		}
		out[row] = n
	}
	return out, nil
}

// Against is a result held beside a truth.
type Against struct {
	r     *Result
	t     *Table
	id    string
	truth []int
}

// Against holds the result beside a truth; id names the rows in it.
func (r *Result) Against(t *Table, id string, truth label.Truth) (*Against, error) {
	numbers, err := r.numbers(t, id, truth)
	if err != nil {
		return nil, err
	}
	return &Against{r, t, id, numbers}, nil
}

// Score counts the result as it is.
func (a *Against) Score() eval.Score { return a.score(a.r) }

func (a *Against) score(r *Result) eval.Score {
	var truth, found []int
	for i, n := range a.truth {
		if n != -1 {
			truth, found = append(truth, n), append(found, r.Rows[i].Cluster)
		}
	}
	return eval.Of(truth, found)
}

// thresholds are those of the chart.
func thresholds() []float64 {
	return []float64{0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9995, 0.9999, 0.99999, 0.999999}
}

// Chart scores the same weights at other thresholds.
func (a *Against) Chart() []Scored {
	var out []Scored
	for _, p := range thresholds() {
		out = append(out, Scored{a.score(a.r.at(p)), p})
	}
	return out
}

// at clusters again by another threshold.
func (r *Result) at(p float64) *Result {
	e := *r.engine
	e.o.Threshold, e.o.ctx = p, context.WithoutCancel(e.o.ctx)
	out := *r
	out.engine, out.Rows, out.Review, out.Clusters, out.Duplicates = &e, make([]Placed, len(r.Rows)), nil, 0, 0
	_ = out.part(&e, r.links, p) // nothing ends its context
	return &out
}

// mostOf is up to how many rows of a cluster are taken pair by pair.
const mostOf = 100

// Worst lists the n wrong links that weigh most, and the n missed pairs that do.
func (a *Against) Worst(n int) (links, missed []Wrong) {
	found := make([]int, len(a.truth))
	for i := range found {
		found[i] = a.r.Rows[i].Cluster
	}
	links = a.worst(found, a.truth, n)
	missed = a.worst(a.truth, found, n)
	compared := map[[2]int32]bool{}
	for _, l := range a.r.links {
		compared[[2]int32{l.a, l.b}] = true
	}
	least := threshold(a.r.engine.o.Threshold)
	for i := range links {
		links[i].Why = WrongLink
		if int32(links[i].Weight) < least || links[i].Veto != "" {
			links[i].Why = WrongChain
		}
	}
	for i := range missed {
		x, y := a.r.unitOf[missed[i].Rows[0]], a.r.unitOf[missed[i].Rows[1]]
		switch w := &missed[i]; {
		case w.Veto != "":
			w.Why = WrongVeto
		case int32(w.Weight) < least:
			w.Why = WrongWeight
		case !compared[[2]int32{min(x, y), max(x, y)}]:
			w.Why = WrongKeys
		default:
			w.Why = WrongCluster
		}
	}
	return links, missed
}

// worst are the pairs that one partition joins and the other does not, one for
// each two groups, by weight.
func (a *Against) worst(joined, parted []int, n int) []Wrong {
	groups := map[int][]int{}
	var order []int
	for i, g := range joined {
		if a.truth[i] == -1 {
			continue
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], i)
	}
	type pair struct {
		x, y int
		w    int32
	}
	e := a.r.engine
	var all []pair
	for _, g := range order {
		rows := groups[g][:min(len(groups[g]), mostOf)]
		best := map[[2]int]int{} // two groups of the other partition → place in all
		for i, x := range rows {
			for _, y := range rows[i+1:] {
				if parted[x] == parted[y] {
					continue
				}
				w := e.weigh(int(a.r.unitOf[x]), int(a.r.unitOf[y]))
				two := [2]int{min(parted[x], parted[y]), max(parted[x], parted[y])}
				at, known := best[two]
				switch {
				case !known:
					best[two] = len(all)
					all = append(all, pair{x, y, w})
				case w > all[at].w:
					all[at] = pair{x, y, w}
				}
			}
		}
	}
	name := a.t.RowName(a.id)
	slices.SortFunc(all, func(p, q pair) int {
		return cmp.Or(cmp.Compare(q.w, p.w), cmp.Compare(name(p.x), name(q.x)), cmp.Compare(name(p.y), name(q.y)))
	})
	var out []Wrong
	for _, p := range all[:min(len(all), n)] {
		out = append(out, Wrong{Rows: [2]int{p.x, p.y}, A: name(p.x), B: name(p.y), Pair: a.r.Explain(p.x, p.y)})
	}
	return out
}
