package dedupe

import (
	"cmp"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
)

// Weighed is a pair that was compared and given at least the probability of one
// that deserves a look.
type Weighed struct {
	A, B        int // rows
	Probability float64
	Together    bool // whether they stand in one cluster
}

// weighed lists the pairs that nothing forbids. With link, a pair of whose rows
// one has a better partner is left out: each has only one.
func (r *Result) weighed(e *engine, links []link) ([]Weighed, error) {
	best := map[int32]int32{}
	if e.u.file != nil {
		for _, l := range links {
			best[l.a], best[l.b] = max(best[l.a], l.weight), max(best[l.b], l.weight)
		}
	}
	var out []Weighed
	links = slices.SortedFunc(slices.Values(links), compareLinks)
	vetoed, err := e.vetoes(links)
	if err != nil {
		return nil, err
	}
	for k, l := range links {
		if l.weight < best[l.a] || l.weight < best[l.b] || vetoed(k) {
			continue
		}
		a, b := int(e.u.first[l.a]), int(e.u.first[l.b])
		out = append(out, Weighed{a, b, probability(l.weight), r.Rows[a].Cluster == r.Rows[b].Cluster})
	}
	return out, nil
}

// WritePairs writes the ids of each pair of Options.Pairs, its probability and
// whether both stand in one cluster, the likeliest first.
func (r *Result) WritePairs(w io.Writer, t *Table, id string) error {
	out := csv.NewWriter(w)
	name := t.RowName(id)
	if err := out.Write([]string{"id_a", "id_b", "probability", "together"}); err != nil {
		return err
	}
	for _, p := range r.Pairs {
		row := []string{Harmless(name(p.A)), Harmless(name(p.B)), strconv.FormatFloat(p.Probability, 'f', 6, 64), strconv.FormatBool(p.Together)}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return cmp.Or(out.Error(), t.disk.err())
}
