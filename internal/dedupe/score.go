package dedupe

import (
	"context"
	"fmt"
	"strings"

	"touchstone/internal/record"
)

// sides are the ways in which the two columns of a pair are named.
func sides() [][4]string {
	return [][4]string{ // prefix and suffix of the left, of the right
		{"a_", "", "b_", ""},
		{"left_", "", "right_", ""},
		{"l_", "", "r_", ""},
		{"", "_a", "", "_b"},
		{"", "_left", "", "_right"},
		{"", "_l", "", "_r"},
		{"", "_1", "", "_2"},
		{"", "1", "", "2"},
	}
}

// Pairs turns a table of pairs, one a row, into a table with the left sides as
// the first half of its rows and the right sides as the second. Columns belong
// together by their names: name_a and name_b, a_name and b_name, left_… and
// right_…, name1 and name2, or left and right alone. Other columns are left
// out.
func Pairs(t *Table) (*Table, error) {
	n := t.Rows()
	out := &Table{Files: []string{"left", "right"}, names: map[string]int{}, File: make([]uint16, 2*n)}
	for i := n; i < 2*n; i++ {
		out.File[i] = 1
	}
	taken := map[string]bool{}
	for _, c := range t.Columns {
		other, name := t.partner(c.Name)
		if other == nil || taken[name] {
			continue
		}
		taken[name] = true
		out.names[name] = len(out.Columns)
		out.Columns = append(out.Columns, joinColumns(name, c, other))
	}
	if len(out.Columns) == 0 {
		return nil, fmt.Errorf("no two columns belong together; name them like name_a and name_b, or left and right (there are: %s)", strings.Join(t.columnNames(), ", "))
	}
	return out, nil
}

// partner finds the right column of a left one.
func (t *Table) partner(left string) (*Column, string) {
	low := strings.ToLower(left)
	if low == "left" || low == "a" {
		for _, r := range []string{"right", "Right", "RIGHT", "b", "B"} {
			if c := t.Column(r); c != nil {
				return c, "name"
			}
		}
	}
	for _, s := range sides() {
		if len(low) <= len(s[0])+len(s[1]) || !strings.HasPrefix(low, s[0]) || !strings.HasSuffix(low, s[1]) {
			continue
		}
		name := low[len(s[0]) : len(low)-len(s[1])]
		for _, c := range t.Columns {
			if strings.ToLower(c.Name) == s[2]+name+s[3] {
				return c, name
			}
		}
	}
	return nil, ""
}

// joinColumns puts the values of the right column below those of the left.
func joinColumns(name string, left, right *Column) *Column {
	c, n := newColumn(name), left.codes.len()
	for row := range n {
		c.set(row, []byte(left.Text(row)))
	}
	for row := range n {
		c.set(n+row, []byte(right.Text(row)))
	}
	c.finish(2 * n)
	return c
}

// Score weighs each pair of a table made by Pairs. Nothing is learnt: the start
// weights serve, and prior is the share of the pairs that are expected to be
// one. It says what the columns were taken for.
func Score(ctx context.Context, t *Table, prior float64, o Options, each func(pair int, p Pair) error) ([]Read, string, error) {
	o.ctx, o.Link = ctx, true // rows stay apart, also equal ones
	if !(prior > 0 && prior < 1) {
		return nil, "", usage("the share of matches is %v, want a number between 0 and 1", prior)
	}
	reads, err := Recognise(t, o.Map, "")
	if err != nil {
		return nil, "", err
	}
	entity := o.Entity
	if entity == "" || entity == "auto" {
		entity = EntityOf(reads)
	}
	e, err := newEngine(t, reads, entity, o)
	if err != nil {
		return nil, "", err
	}
	e.prior, e.u.file = threshold(prior), nil
	for i := range e.fields {
		e.fields[i].rare = nil // what is rare in a list of chosen pairs says nothing
	}
	e.findRare()
	at := e.unitOfRow()
	n := t.Rows() / 2
	for i := range n {
		if i%chunk == 0 {
			if err := ctx.Err(); err != nil {
				return nil, "", err
			}
			o.Progress.at("compare", i, n)
		}
		p := e.explain(at[i], at[n+i])
		p.Together = p.Veto == "" && p.Weight >= 0
		if err := each(i, p); err != nil {
			return nil, "", err
		}
	}
	return reads, entity, nil
}

// entities lists what --entity takes.
func entities() []string { return []string{"auto", record.Company, record.Person, Other} }

// CheckEntity says whether an entity can be asked for.
func CheckEntity(s string) error {
	for _, e := range entities() {
		if s == e {
			return nil
		}
	}
	return fmt.Errorf("the entity is %q, want one of %s", s, strings.Join(entities(), ", "))
}
