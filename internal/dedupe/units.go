package dedupe

import (
	"cmp"
	"slices"
)

// units are the rows with equal content taken as one, in the order of their
// content: what is done with unit numbers is thereby independent of the order
// of the rows. With link, rows stay apart, ordered by content and file.
type units struct {
	rows  [][]int32 // rows of each unit, in row order
	first []int32   // one row of each
	file  []uint16  // with link: the unit's file
	twin  []bool    // with link: its file holds an equal row; nobody can tell which of them is meant
}

// hash is FNV-1a, 64 bit.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// newUnits orders the rows by the columns that are compared.
func newUnits(t *Table, compared []*Column, link bool) *units {
	compared = slices.Clone(compared)
	slices.SortFunc(compared, func(a, b *Column) int { return cmp.Compare(a.Name, b.Name) })
	ranks := make([][]uint32, len(compared))
	for i, c := range compared {
		ranks[i] = ranked(c.Values)
	}
	order := make([]int32, t.Rows())
	for i := range order {
		order[i] = int32(i)
	}
	content := func(a, b int32) int {
		for i, c := range compared {
			if x, y := ranks[i][c.Codes[a]], ranks[i][c.Codes[b]]; x != y {
				return cmp.Compare(x, y)
			}
		}
		return 0
	}
	slices.SortFunc(order, func(a, b int32) int {
		if c := content(a, b); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(t.File[a], t.File[b]), cmp.Compare(a, b))
	})
	u := &units{}
	for i, r := range order {
		if i > 0 && !link && content(order[i-1], r) == 0 {
			u.rows[len(u.rows)-1] = append(u.rows[len(u.rows)-1], r)
			continue
		}
		u.rows = append(u.rows, []int32{r})
		u.first = append(u.first, r)
		if link {
			twin := i > 0 && t.File[order[i-1]] == t.File[r] && content(order[i-1], r) == 0
			if twin {
				u.twin[i-1] = true
			}
			u.file, u.twin = append(u.file, t.File[r]), append(u.twin, twin)
		}
	}
	return u
}

// ranked numbers values by their byte order; values that stand for none are
// one.
func ranked(values []string) []uint32 {
	order := make([]uint32, len(values))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(values[a], values[b]) })
	rank := make([]uint32, len(values))
	for i, v := range order {
		if !blank(values[v]) {
			rank[v] = uint32(i) + 1
		}
	}
	return rank
}

// apart says whether a pair cannot be one by the rule of linking: both stand
// in one file, or one of them has a twin there.
func (u *units) apart(i, j int) bool {
	return u.file != nil && (u.file[i] == u.file[j] || u.twin[i] || u.twin[j])
}

func (u *units) twins() int {
	n := 0
	for _, t := range u.twin {
		if t {
			n++
		}
	}
	return n
}
