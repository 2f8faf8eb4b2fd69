package dedupe_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"touchstone/connectors"
	"touchstone/internal/dedupe"
)

// rowSource gives rows as a file would, in fields that are used again.
type rowSource struct {
	names []string
	rows  [][]string
}

func (s rowSource) Pull(context.Context, string, []byte) (connectors.Page, error) {
	return connectors.Page{}, errors.New("rows are to be read, not pages")
}

func (s rowSource) Rows(_ context.Context, each func(*connectors.Row) error) error {
	row := connectors.Row{Names: s.names}
	for _, r := range s.rows {
		row.Fields = row.Fields[:0]
		for _, f := range r {
			row.Fields = append(row.Fields, []byte(f))
		}
		if err := each(&row); err != nil {
			return err
		}
	}
	return nil
}

// Columns of distinct values, of few values and of hardly any, and one that only
// the second file has: every row has what it was given.
func TestColumnsHoldTheirValues(t *testing.T) {
	want := map[string][]string{}
	file := func(n, from int, names ...string) rowSource {
		s := rowSource{names: names}
		for i := from; i < from+n; i++ {
			var row []string
			for _, name := range names {
				v := ""
				switch {
				case name == "unique":
					v = fmt.Sprintf("value %d é %s", i, strings.Repeat("x", i%40+1))
				case name == "few":
					v = fmt.Sprint("v", i%100)
				case name == "rare" && i%500 == 0:
					v = fmt.Sprint("r", i%3000)
				case name == "late":
					v = fmt.Sprint("l", i/2)
				}
				row = append(row, " "+v+"\t")
				for len(want[name]) < i {
					want[name] = append(want[name], "")
				}
				want[name] = append(want[name], v)
			}
			if i%7 == 0 { // a short row
				row = row[:len(row)-1]
				want[names[len(names)-1]][i] = ""
			}
			s.rows = append(s.rows, row)
		}
		return s
	}
	ins := []dedupe.Input{{Name: "a", From: file(21_000, 0, "unique", "few", "rare")}, {Name: "b", From: file(9_000, 21_000, "few", "unique", "late")}}
	tab, err := dedupe.Load(t.Context(), ins, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range want {
		c := tab.Column(name)
		for i := range tab.Rows() {
			v := ""
			if i < len(values) {
				v = values[i]
			}
			if c.Text(i) != v {
				t.Fatalf("column %s, row %d holds %q, want %q", name, i, c.Text(i), v)
			}
		}
	}
	if tab.Rows() != 30_000 || len(tab.Columns) != 4 || tab.File[20_999] != 0 || tab.File[21_000] != 1 {
		t.Errorf("%d rows in %d columns, the second file begins at another row than 21000", tab.Rows(), len(tab.Columns))
	}
	if tab.Bytes < 30_000*100 || tab.Bytes > 30_000*2000 {
		t.Errorf("%d bytes are reckoned with, want 100 to 2000 a row", tab.Bytes)
	}
}
