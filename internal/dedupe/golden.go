package dedupe

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Survivorship chooses one value of a cluster's for each column.
type Survivorship string

// The ways to choose. Among equals the value met more often, then the longer,
// then the one first in byte order wins: never the order of rows.
const (
	MostComplete Survivorship = "most_complete" // the value of the row that is filled best, the next one's where it is blank
	MostFrequent Survivorship = "most_frequent" // the value that most rows have
)

// Golden gives one row for each cluster: for every column the row whose value
// survives, -1 where none has one. Clusters come in their order.
func (r *Result) Golden(t *Table, how Survivorship, row func(cluster int, members []int, from []int) error) error {
	members := make([][]int, r.Clusters)
	for i, p := range r.Rows {
		members[p.Cluster] = append(members[p.Cluster], i)
	}
	from := make([]int, len(t.Columns))
	for c, rows := range members {
		ordered := slices.Clone(rows)
		if how == MostComplete {
			slices.SortFunc(ordered, func(a, b int) int {
				return cmp.Or(cmp.Compare(t.filled(b), t.filled(a)), t.compareRows(a, b), cmp.Compare(a, b))
			})
		}
		for k, col := range t.Columns {
			if how == MostComplete {
				from[k] = firstFilled(col, ordered)
			} else {
				from[k] = mostFrequent(col, rows)
			}
		}
		if err := row(c, rows, from); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) filled(row int) int {
	n := 0
	for _, c := range t.Columns {
		if !blank(c.At(row)) {
			n++
		}
	}
	return n
}

// compareRows orders rows by their content.
func (t *Table) compareRows(a, b int) int {
	for _, c := range t.Columns {
		if o := cmp.Compare(c.At(a), c.At(b)); o != 0 {
			return o
		}
	}
	return 0
}

func firstFilled(c *Column, rows []int) int {
	for _, r := range rows {
		if !blank(c.At(r)) {
			return r
		}
	}
	return -1
}

func mostFrequent(c *Column, rows []int) int {
	count := map[string]int{}
	for _, r := range rows {
		if v := c.At(r); !blank(v) {
			count[v]++
		}
	}
	best := -1
	for _, r := range rows {
		if blank(c.At(r)) {
			continue
		}
		if best < 0 || betterValue(c, count, r, best) {
			best = r
		}
	}
	return best
}

func betterValue(c *Column, count map[string]int, a, b int) bool {
	x, y := c.At(a), c.At(b)
	return cmp.Or(cmp.Compare(count[y], count[x]), cmp.Compare(utf8.RuneCountInString(y), utf8.RuneCountInString(x)), cmp.Compare(x, y)) < 0
}
