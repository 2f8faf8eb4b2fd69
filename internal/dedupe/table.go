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
	// rowCost is what a row costs in memory beyond its values: features, keys
	// and its share of the pairs, measured on the sets of docs/accuracy.md.
	rowCost = 5 << 10
)

// Table holds rows by column, each distinct value once.
type Table struct {
	Columns []*Column
	Files   []string
	File    []uint16 // of each row
	Line    []string // of each row, for messages: "a.csv line 12"
	Bytes   int64    // what it takes in memory, with what finding duplicates needs
	Skipped []string // rows that could not be read, with the reason; the first ones only
	Unread  int      // how many those are
	names   map[string]int
}

// Column is one column: Values[Codes[row]] is the row's text, and Values[0] is
// "".
type Column struct {
	Name   string
	Values []string
	Codes  []uint32
	index  map[string]uint32
}

// Rows is the number of rows.
func (t *Table) Rows() int { return len(t.File) }

// Text is the row's value.
func (c *Column) Text(row int) string { return c.Values[c.Codes[row]] }

// Column finds a column by its name; nil if there is none.
func (t *Table) Column(name string) *Column {
	if i, ok := t.names[name]; ok {
		return t.Columns[i]
	}
	return nil
}

// ErrMemory says that the rows do not fit the bound.
var ErrMemory = errors.New("the rows need more memory than allowed")

// Input is one file to read: a connector's pages.
type Input struct {
	Name string
	From connectors.Puller
}

// Load reads all inputs into one table. memory bounds its bytes; 0 for none.
func Load(ctx context.Context, inputs []Input, memory int64, progress Progress) (*Table, error) {
	t := &Table{names: map[string]int{}}
	for _, in := range inputs {
		if len(t.Files) == 1<<16-1 {
			return nil, fmt.Errorf("more than %d files", 1<<16-1)
		}
		t.Files = append(t.Files, in.Name)
		if err := t.read(ctx, in, memory, progress); err != nil {
			return nil, fmt.Errorf("load rows: %w", err) // which names the file
		}
	}
	t.finish()
	return t, nil
}

func (t *Table) read(ctx context.Context, in Input, memory int64, progress Progress) error {
	var cursor []byte
	for {
		page, err := in.From.Pull(ctx, "rows", cursor)
		if err != nil {
			return err
		}
		for i := range page.Records {
			if err := t.add(&page.Records[i]); err != nil {
				return err
			}
			if memory > 0 && t.Bytes > memory {
				return fmt.Errorf("%w: row %d passes %s; give more with --memory, leave columns out with --map COLUMN=ignore, or part the file", ErrMemory, t.Rows(), Size(memory))
			}
		}
		progress.at("read", t.Rows(), 0)
		if !page.More {
			return nil
		}
		cursor = page.Cursor
	}
}

func (t *Table) add(r *record.Raw) error {
	if r.Problem != "" {
		t.Unread++
		if len(t.Skipped) < 20 {
			t.Skipped = append(t.Skipped, r.Place+": "+r.Problem)
		}
		return nil
	}
	row := len(t.File)
	t.File = append(t.File, uint16(len(t.Files)-1))
	t.Line = append(t.Line, r.Place)
	t.Bytes += rowCost + int64(4*len(t.Columns))
	return members(r.Data, func(name, value string) error { return t.set(row, name, value) })
}

// set puts a value; a column that comes up later is blank above.
func (t *Table) set(row int, name, value string) error {
	i, ok := t.names[name]
	if !ok {
		if len(t.Columns) == maxColumns {
			return fmt.Errorf("more than %d columns", maxColumns)
		}
		i = len(t.Columns)
		t.names[name] = i
		t.Columns = append(t.Columns, &Column{Name: name, Values: []string{""}, index: map[string]uint32{"": 0}})
	}
	c := t.Columns[i]
	value = strings.TrimSpace(value)
	code, ok := c.index[value]
	if !ok {
		code = uint32(len(c.Values))
		value = strings.Clone(value)
		c.Values = append(c.Values, value)
		c.index[value] = code
		t.Bytes += int64(2*len(value)) + 64
	}
	for len(c.Codes) <= row {
		c.Codes = append(c.Codes, 0)
	}
	c.Codes[row] = code
	return nil
}

// finish gives every column all rows, and frees what only reading needed.
func (t *Table) finish() {
	for _, c := range t.Columns {
		c.Codes = append(c.Codes, make([]uint32, t.Rows()-len(c.Codes))...)
		c.index = nil
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
