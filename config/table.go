package config

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// Table translates values: pick lists, owners. Expressions ask it by
// lookup("name", value).
type Table struct {
	Name  string      `yaml:",key"`
	Place Node        `yaml:"-"`
	Rows  TableValues `yaml:",value"`
}

// TableValues are a table's entries, written as a mapping or in a CSV file of
// two columns without a header.
type TableValues struct {
	File string // as it is written; "" for a mapping
	Rows []TableRow
}

// TableRow is one value and what it stands for.
type TableRow struct{ From, To string }

const (
	maxTable     = 100_000 // rows
	maxTableFile = 16 << 20
)

// Check reports a name that an expression could not be told.
func (t Table) Check(at Node) []Problem {
	if !plainName(t.Name) || len(t.Name) > maxName {
		return []Problem{at.atKey().Problem("a table's name is made of letters, digits, _ and -, at most %d bytes", maxName)}
	}
	return nil
}

// table decodes what stands below a table's name.
func (w *walker) table(at Node) (t TableValues) {
	w.note(at, false)
	_, isRef := at.doc.refs[at.node]
	switch {
	case empty(at.node):
		w.report(at, "has no value; give value: meaning pairs, or the path of a CSV file of two columns")
	case isRef:
		w.report(at, "a table stands in the file or in a CSV file named by its path")
	case at.node.Kind == yaml.ScalarNode:
		t.File = at.node.Value
		t.Rows = w.tableFile(at)
	case at.node.Kind == yaml.MappingNode:
		seen := map[string]bool{}
		for _, p := range pairsOf(at.node) {
			c := at.child(p)
			if p.value == nil || p.value.Kind != yaml.ScalarNode || empty(p.value) {
				w.report(c, "is %s, want a single value", c.describe())
				continue
			}
			t.Rows = w.tableRow(c.atKey(), t.Rows, seen, p.name, p.value.Value)
		}
	default:
		w.report(at, "is %s, want value: meaning pairs, or the path of a CSV file of two columns", at.describe())
	}
	return t
}

func (w *walker) tableRow(at Node, rows []TableRow, seen map[string]bool, from, to string) []TableRow {
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	key := TableKey(from)
	switch {
	case from == "" || to == "":
		w.report(at, "a blank value in a table says nothing; remove the row")
	case seen[key]:
		w.report(at, "%q is there twice, if case does not count", from)
	default:
		seen[key] = true
		return append(rows, TableRow{from, to})
	}
	return rows
}

// TableKey is the form in which values of a table are compared: without white
// space around them, in small letters.
func TableKey(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

func (w *walker) tableFile(at Node) (rows []TableRow) {
	name := at.node.Value
	if strings.TrimSpace(name) == "" {
		w.report(at, "is empty, want the path of a CSV file of two columns")
		return nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(w.doc.dir, path)
	}
	b, err := w.doc.opts.readTable(path)
	if err != nil {
		w.report(at, "file %s cannot be read: %v", name, cause(err))
		return nil
	}
	if len(b) > maxTableFile {
		w.report(at, "file %s is larger than %s", name, Size(maxTableFile))
		return nil
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	seen := map[string]bool{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows
		}
		line, _ := r.FieldPos(0)
		switch {
		case err != nil:
			w.report(at, "file %s: %v", name, err)
			return rows
		case len(row) != 2:
			w.report(at, "file %s, line %d: has %d columns, want two: value, meaning", name, line, len(row))
			return rows
		case len(rows) >= maxTable:
			w.report(at, "file %s has more than %d rows", name, maxTable)
			return rows
		}
		before := len(w.problems)
		rows = w.tableRow(at, rows, seen, row[0], row[1])
		if len(w.problems) > before {
			p := &w.problems[len(w.problems)-1]
			p.Text = "file " + name + ": " + p.Text
			return rows
		}
	}
}

func printTable(t TableValues) *yaml.Node {
	if t.File != "" {
		return textNode(t.File)
	}
	out := mappingNode()
	for _, r := range t.Rows {
		addTo(out, r.From, textNode(r.To))
	}
	return out
}
