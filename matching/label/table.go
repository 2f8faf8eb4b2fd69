package label

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// table reads CSV by the names of its columns.
type table struct {
	name   string
	csv    *csv.Reader
	header []string
	row    []string
	err    error
}

func open(r io.Reader, name string) (*table, error) {
	b := bufio.NewReader(r)
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = b.Discard(3) // it was peeked at
	}
	t := &table{name: name, csv: csv.NewReader(b)}
	header, err := t.csv.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s:1: the file is empty; it begins with the names of its columns", name)
	case err != nil:
		return nil, t.broken(err)
	}
	for _, h := range header {
		h = strings.ToLower(strings.TrimSpace(h))
		if slices.Contains(t.header, h) {
			return nil, fmt.Errorf("%s:1: the column %s stands there twice", name, h)
		}
		t.header = append(t.header, h)
	}
	return t, nil
}

func (t *table) at(column string) int { return slices.Index(t.header, column) }

func (t *table) want(columns ...string) error {
	for _, c := range columns {
		if t.at(c) < 0 {
			return fmt.Errorf("%s:1: there is no column %s; want %s, there are %s", t.name, c, strings.Join(columns, ","), strings.Join(t.header, ","))
		}
	}
	return nil
}

func (t *table) next() bool {
	if t.err != nil {
		return false
	}
	row, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return false
	}
	if err != nil {
		t.err = t.broken(err)
		return false
	}
	t.row = row
	return true
}

// broken says where the file is no CSV.
func (t *table) broken(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return fmt.Errorf("read %s: %w", t.name, err)
	}
	if errors.Is(p.Err, csv.ErrFieldCount) {
		return fmt.Errorf("%s:%d: the line has more or fewer columns than the %d of the head", t.name, p.Line, len(t.header))
	}
	return fmt.Errorf("%s:%d:%d: %w", t.name, p.Line, p.Column, p.Err)
}

func (t *table) get(column string) string {
	if i := t.at(column); i >= 0 {
		return strings.TrimSpace(t.row[i])
	}
	return ""
}

func (t *table) line(column string) int {
	line, _ := t.csv.FieldPos(t.at(column))
	return line
}

func (t *table) wrong(column, format string, args ...any) error {
	line, col := t.csv.FieldPos(t.at(column))
	return fmt.Errorf("%s:%d:%d: %s", t.name, line, col, fmt.Sprintf(format, args...))
}
