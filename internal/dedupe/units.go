package dedupe

import (
	"cmp"
	"slices"
	"strings"
)

// units are the rows with equal content taken as one, ordered by a hash of
// their content: what is done with unit numbers is thereby independent of the
// order of the rows. With link, rows stay apart, ordered by content and file.
type units struct {
	compared []*Column // by name: what makes the content
	first    []int32   // one row of each
	order    []int32   // the rows of all units, each unit's in row order
	starts   []int32   // where each unit's rows begin in order, and the end
	of       []int32   // by row, the unit that it is the first row of, else -1
	file     []uint16  // with link: the unit's file
	twin     []bool    // with link: its file holds an equal row; nobody can tell which of them is meant
}

// rows are those of a unit.
func (u *units) rows(i int) []int32 { return u.order[u.starts[i]:u.starts[i+1]] }

// hashedRow is a row with the hash of its content.
type hashedRow struct {
	hash uint64
	row  int32
}

// newUnits takes the rows together by the columns that are compared.
func newUnits(t *Table, compared []*Column, o *Options) (*units, error) {
	u := &units{compared: slices.Clone(compared)}
	slices.SortFunc(u.compared, func(a, b *Column) int { return cmp.Compare(a.Name, b.Name) })
	rows, err := u.hashRows(t.Rows(), o)
	if err != nil {
		return nil, err
	}
	byHash(rows, func(a, b hashedRow) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(t.File[a.row], t.File[b.row]), cmp.Compare(a.row, b.row))
	})
	u.order = make([]int32, len(rows))
	for i, r := range rows {
		u.order[i] = r.row
	}
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && rows[j].hash == rows[i].hash {
			j++
		}
		u.takeRun(t, i, j, o.Link)
		i = j
	}
	u.starts = slices.Clip(append(u.starts, int32(len(rows))))
	u.first = slices.Clip(u.first)
	u.of = make([]int32, len(rows))
	for i := range u.of {
		u.of[i] = -1
	}
	for unit, row := range u.first {
		u.of[row] = int32(unit)
	}
	return u, nil
}

// hashRows hashes the content of each row. Values that stand for none are one.
func (u *units) hashRows(n int, o *Options) ([]hashedRow, error) {
	known := make([][]uint64, len(u.compared)) // by code, where values repeat
	for k, c := range u.compared {
		if 2*c.values() <= n {
			known[k] = make([]uint64, c.values())
			for code := range known[k] {
				known[k][code] = contentHash(c.value(uint32(code)))
			}
		}
	}
	rows := make([]hashedRow, n)
	err := o.parallel(n, "order", func(_, i int) {
		h := uint64(0)
		for k, c := range u.compared {
			v := uint64(0)
			if known[k] != nil {
				v = known[k][c.codes.at(i)]
			} else {
				v = contentHash(c.Text(i))
			}
			h = fold(h^v^odd0, odd1+uint64(k)<<1)
		}
		rows[i] = hashedRow{fold(h^odd2, odd3), int32(i)}
	})
	return rows, err
}

func contentHash(s string) uint64 {
	if blank(s) {
		return 0
	}
	return hash(s)
}

// byHash sorts what is spread evenly by its hash: by its upper bits first, then
// bucket by bucket.
func byHash(rows []hashedRow, compare func(a, b hashedRow) int) {
	const few = 4096
	if len(rows) <= few {
		slices.SortFunc(rows, compare)
		return
	}
	shift := 64
	for 1<<(64-shift) < len(rows)/8 && shift > 44 {
		shift--
	}
	at := make([]int32, 1<<(64-shift)+1)
	for _, r := range rows {
		at[r.hash>>shift+1]++
	}
	for i := 1; i < len(at); i++ {
		at[i] += at[i-1]
	}
	ends := slices.Clone(at[:len(at)-1])
	spread := make([]hashedRow, len(rows))
	for _, r := range rows {
		b := r.hash >> shift
		spread[ends[b]] = r
		ends[b]++
	}
	copy(rows, spread)
	for b := range ends {
		slices.SortFunc(rows[at[b]:ends[b]], compare)
	}
}

// takeRun makes units of the rows from i to j of order, whose hashes are equal:
// one of them, unless the hash is that of two contents.
func (u *units) takeRun(t *Table, i, j int, link bool) {
	run := u.order[i:j]
	for _, r := range run[1:] {
		if u.content(run[0], r) != 0 {
			slices.SortFunc(run, func(a, b int32) int {
				return cmp.Or(u.content(a, b), cmp.Compare(t.File[a], t.File[b]), cmp.Compare(a, b))
			})
			break
		}
	}
	for k, r := range run {
		equal := k > 0 && u.content(run[k-1], r) == 0
		if equal && !link {
			continue
		}
		u.starts, u.first = append(u.starts, int32(i+k)), append(u.first, r)
		if link {
			twin := equal && t.File[run[k-1]] == t.File[r]
			if twin {
				u.twin[len(u.twin)-1] = true
			}
			u.file, u.twin = append(u.file, t.File[r]), append(u.twin, twin)
		}
	}
}

// content orders two rows by their content.
func (u *units) content(a, b int32) int {
	for _, c := range u.compared {
		if c.code(a) == c.code(b) {
			continue
		}
		x, y := c.texts.one(c.code(a)), c.texts.one(c.code(b))
		if bx, by := blank(x), blank(y); bx || by {
			if bx != by {
				if bx {
					return -1
				}
				return 1
			}
			continue
		}
		if o := strings.Compare(x, y); o != 0 {
			return o
		}
	}
	return 0
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
