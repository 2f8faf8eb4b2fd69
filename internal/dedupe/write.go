package dedupe

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// WriteFile writes a file whole or not at all: beside its place first, then
// renamed to it. An older file stays as it was when writing does not end.
func WriteFile(path string, write func(w io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // closed already, or given up
			_ = os.Remove(f.Name()) // it holds nothing anybody needs
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil { //nolint:gosec // a result to be shared, as any file the user makes
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Harmless keeps a value from being run as a formula when a spreadsheet opens
// the file: an apostrophe goes before what would begin one. Numbers and phone
// numbers with a sign stay as they are.
func Harmless(s string) string {
	if s == "" {
		return s
	}
	switch s[0] {
	case '=', '@', '\t', '\r':
		return "'" + s
	case '+', '-':
		if strings.Trim(s[1:], "0123456789 .,()/-") != "" || len(s) == 1 {
			return "'" + s
		}
	}
	return s
}

// RowName names a row for people: the value of the id column, else its number
// in its file, from 1.
func (t *Table) RowName(id string) func(row int) string {
	if c := t.Column(id); c != nil {
		return c.At
	}
	first := make([]int, len(t.Files))
	for i := t.Rows() - 1; i >= 0; i-- {
		first[t.File[i]] = i
	}
	return func(row int) string { return strconv.Itoa(row - first[t.File[row]] + 1) }
}

// WriteClusters writes source, id, cluster and probability of every row, in the
// order they were read.
func (r *Result) WriteClusters(w io.Writer, t *Table, id string) error {
	out := csv.NewWriter(w)
	name := t.RowName(id)
	if c := t.Column(id); c != nil {
		name = c.Text // in their order
	}
	if err := out.Write([]string{"source", "id", "cluster", "probability"}); err != nil {
		return err
	}
	files, row := make([]string, len(t.Files)), make([]string, 4)
	for i, f := range t.Files {
		files[i] = Harmless(f)
	}
	last := -1.0
	for i, p := range r.Rows {
		row[0], row[1], row[2] = files[t.File[i]], Harmless(name(i)), strconv.Itoa(p.Cluster+1)
		if p.Probability != last {
			last, row[3] = p.Probability, strconv.FormatFloat(p.Probability, 'f', 4, 64)
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return cmp.Or(out.Error(), t.disk.err())
}

// WriteGolden writes one merged row a cluster: its number, how many rows it
// has, and every column.
func (r *Result) WriteGolden(w io.Writer, t *Table, how Survivorship) error {
	out := csv.NewWriter(w)
	if err := out.Write(append([]string{"cluster", "rows"}, escaped(t.columnNames())...)); err != nil {
		return err
	}
	line := make([]string, len(t.Columns)+2)
	err := r.Golden(t, how, func(cluster int, members, from []int) error {
		line[0], line[1] = strconv.Itoa(cluster+1), strconv.Itoa(len(members))
		for k, row := range from {
			line[k+2] = ""
			if row >= 0 {
				line[k+2] = Harmless(t.Columns[k].At(row))
			}
		}
		return out.Write(line)
	})
	if err != nil {
		return err
	}
	out.Flush()
	return cmp.Or(out.Error(), t.disk.err())
}

func escaped(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = Harmless(n)
	}
	return out
}
