// Package dedupe finds the records of one customer in plain tables: files that
// nobody described, without configuration, server or store. It recognises what
// the columns mean, learns without labels how much each tells, and parts the
// rows into clusters. The result is a function of the rows' content alone: not
// of their order, their ids or the number of workers.
package dedupe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"touchstone/connectors"
	"touchstone/internal/record"
)

// Limits of a table.
const (
	maxColumns = 512
	// rowCost is what a row costs in memory beyond its values: features, keys and
	// its share of the pairs, measured at 1,000,000 persons and companies, with a
	// quarter for what the garbage collector has not come to.
	rowCost = 640
	// diskRowCost is the same with features and keys in a file.
	diskRowCost = 160
	// comparedCost is what a value of a column that no model knows costs, and
	// comparedByte each byte of its text, when it is prepared to be compared.
	comparedCost = 160
	comparedByte = 8
)

// programCost is what the program takes of any bound by itself: its own code and
// tables, and a few rows.
const programCost = 64 << 20

// forRows is what a bound leaves for the rows; 0 for no bound.
func forRows(memory int64) int64 {
	if memory <= 0 {
		return 0
	}
	return max(memory-programCost, 1)
}

// Table holds rows by column.
type Table struct {
	Columns []*Column
	Files   []string
	File    []uint16 // of each row
	Bytes   int64    // what it takes in memory, with what finding duplicates needs
	Skipped []string // rows that could not be read, with the reason; the first ones only
	Unread  int      // how many those are
	names   map[string]int
	disk    *disk // what memory is too short for; nil where it is not
}

// Close frees what the table keeps in a temporary file. It tells if that could
// not be read: what was made of the table is then wrong.
func (t *Table) Close() error {
	return errors.Join(t.disk.err(), t.disk.close())
}

// Rows is the number of rows.
func (t *Table) Rows() int { return len(t.File) }

// Column finds a column by its name; nil if there is none.
func (t *Table) Column(name string) *Column {
	if i, ok := t.names[name]; ok {
		return t.Columns[i]
	}
	return nil
}

// ErrMemory says that the rows do not fit the bound.
var ErrMemory = errors.New("the rows need more memory than allowed")

// Input is one file to read. Where the connector is a connectors.RowReader its
// rows are taken as they are read, else by pages.
type Input struct {
	Name string
	From connectors.Puller
}

// Load reads all inputs into one table, which is to be closed. memory bounds the
// bytes that finding duplicates in it will take, the program's own included; 0 for
// no bound. Where it is too short, the values that differ in nearly every row go to a temporary file, and
// so will features and keys; the results are the same.
func Load(ctx context.Context, inputs []Input, memory int64, progress Progress) (*Table, error) {
	t := &Table{names: map[string]int{}}
	for _, in := range inputs {
		if len(t.Files) == 1<<16-1 {
			return nil, fmt.Errorf("more than %d files", 1<<16-1)
		}
		t.Files = append(t.Files, in.Name)
		if err := t.read(ctx, in, memory, progress); err != nil {
			return nil, errors.Join(fmt.Errorf("load rows: %w", err), t.disk.close()) // which names the file
		}
	}
	t.finish()
	if err := t.disk.err(); err != nil {
		return nil, errors.Join(fmt.Errorf("load rows: %w", err), t.disk.close())
	}
	return t, nil
}

func (t *Table) read(ctx context.Context, in Input, memory int64, progress Progress) error {
	r := reading{t: t, memory: memory, progress: progress}
	if rows, ok := in.From.(connectors.RowReader); ok {
		return rows.Rows(ctx, r.row)
	}
	var cursor []byte
	for {
		page, err := in.From.Pull(ctx, "rows", cursor)
		if err != nil {
			return err
		}
		for i := range page.Records {
			p := &page.Records[i]
			if err := r.row(&connectors.Row{Data: p.Data, Problem: p.Problem, Place: p.Place}); err != nil {
				return err
			}
		}
		if !page.More {
			return nil
		}
		cursor = page.Cursor
	}
}

// reading puts the rows of one input into the table.
type reading struct {
	t        *Table
	memory   int64
	progress Progress
	names    []string // of the columns that the fields go into
	columns  []*Column
}

func (r *reading) row(row *connectors.Row) error {
	t := r.t
	if row.Problem != "" {
		t.Unread++
		if len(t.Skipped) < 20 {
			t.Skipped = append(t.Skipped, row.Place+": "+row.Problem)
		}
		return nil
	}
	n := len(t.File)
	t.File = append(t.File, uint16(len(t.Files)-1))
	t.Bytes += t.rowCost()
	var err error
	if row.Data != nil {
		err = members(row.Data, func(name, value string) error { return t.set(n, name, value) })
	} else {
		err = r.fields(n, row)
	}
	if err != nil {
		return err
	}
	bound := forRows(r.memory)
	if bound > 0 && t.Bytes > bound && t.disk == nil {
		if err := t.toDisk(); err != nil {
			return err
		}
	}
	if bound > 0 && t.Bytes > bound {
		return tooLarge(fmt.Sprintf("row %d passes, with what can be in a temporary file left out,", t.Rows()), r.memory)
	}
	if t.Rows()%1024 == 0 {
		r.progress.at("read", t.Rows(), 0)
		return t.disk.err()
	}
	return nil
}

func (t *Table) rowCost() int64 {
	if t.disk != nil {
		return diskRowCost
	}
	return rowCost
}

// toDisk puts on a disk what can be there, and reckons anew what is left.
func (t *Table) toDisk() error {
	var err error
	if t.disk, err = newDisk(); err != nil {
		return err
	}
	t.Bytes = int64(t.Rows()) * diskRowCost
	for _, c := range t.Columns {
		t.Bytes += c.toDisk(t.disk)
	}
	return nil
}

func tooLarge(what string, memory int64) error {
	return fmt.Errorf("%w: %s %s, of which the program itself takes %s; give more with --memory, leave columns out with --map COLUMN=ignore, or part the file", ErrMemory, what, Size(memory), Size(programCost))
}

// prepared is what a column costs when its values are compared by their kind.
func (c *Column) prepared() int64 {
	return int64(c.values())*comparedCost + comparedByte*c.texts.size()
}

func (r *reading) fields(n int, row *connectors.Row) error {
	if len(r.names) != len(row.Names) || len(row.Names) > 0 && &r.names[0] != &row.Names[0] {
		r.names, r.columns = row.Names, r.columns[:0]
		for _, name := range row.Names {
			c, err := r.t.column(name)
			if err != nil {
				return err
			}
			r.columns = append(r.columns, c)
		}
	}
	for i, f := range row.Fields {
		r.t.Bytes += r.columns[i].set(n, bytes.TrimSpace(f))
	}
	return nil
}

// column gives the column of a name, a new one where there is none.
func (t *Table) column(name string) (*Column, error) {
	if i, ok := t.names[name]; ok {
		return t.Columns[i], nil
	}
	if len(t.Columns) == maxColumns {
		return nil, fmt.Errorf("more than %d columns", maxColumns)
	}
	t.names[name] = len(t.Columns)
	c := newColumn(name)
	c.disk = t.disk
	t.Columns = append(t.Columns, c)
	return c, nil
}

// set puts a value; a column that comes up later is blank above.
func (t *Table) set(row int, name, value string) error {
	c, err := t.column(name)
	if err == nil {
		t.Bytes += c.set(row, []byte(strings.TrimSpace(value)))
	}
	return err
}

// finish gives every column all rows, and frees what only reading needed.
func (t *Table) finish() {
	t.File = exact(t.File)
	for _, c := range t.Columns {
		c.finish(t.Rows())
	}
}

// members gives the members of a JSON object as text. What is nested is named
// by its path; a list of texts is one text.
func members(data []byte, member func(name, value string) error) error {
	s := record.NewScanner(data)
	flat := true
	err := s.Object(func(key string) error {
		if s.Peek() != '"' {
			flat = false
			return errNested
		}
		v, err := s.String()
		if err != nil {
			return err
		}
		return member(key, v)
	})
	if flat {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	return flatten("", v, 0, member)
}

var errNested = errors.New("not a flat object")

func flatten(path string, v any, depth int, member func(name, value string) error) error {
	switch v := v.(type) {
	case nil:
		return nil
	case string:
		return member(path, v)
	case json.Number:
		return member(path, v.String())
	case bool:
		return member(path, strconv.FormatBool(v))
	case []any:
		var texts []string
		for _, e := range v {
			if err := flatten("", e, depth+1, func(_, s string) error { texts = append(texts, s); return nil }); err != nil {
				return err
			}
		}
		return member(path, strings.Join(texts, "; "))
	case map[string]any:
		if depth > 8 {
			return errors.New("nested deeper than 8 levels")
		}
		names := make([]string, 0, len(v))
		for n := range v {
			names = append(names, n)
		}
		slices.Sort(names)
		for _, n := range names {
			p := n
			if path != "" {
				p = path + "." + n
			}
			if err := flatten(p, v[n], depth+1, member); err != nil {
				return err
			}
		}
	}
	return nil
}

// Progress is told how far a stage has come; total 0 where nobody knows. It
// may be nil.
type Progress func(stage string, done, total int)

func (p Progress) at(stage string, done, total int) {
	if p != nil {
		p(stage, done, total)
	}
}

// Size writes bytes for people.
func Size(n int64) string {
	switch {
	case n >= 1<<30:
		return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GiB"
	case n >= 1<<20:
		return strconv.FormatInt(n>>20, 10) + " MiB"
	}
	return strconv.FormatInt(n>>10, 10) + " KiB"
}
