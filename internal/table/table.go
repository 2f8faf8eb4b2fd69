// Package table writes tables that people open in a spreadsheet program: CSV
// and Excel workbooks, row by row, with every formula made harmless.
package table

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Formats of a table.
const (
	CSV  = "csv"
	XLSX = "xlsx"
)

// Cell is one cell: a text, or a decimal number as its text.
type Cell struct {
	Text   string
	Number bool
}

// Text makes a cell of a text.
func Text(s string) Cell { return Cell{Text: s} }

// Writer writes sheets one after the other. A CSV file has one.
type Writer interface {
	// Sheet begins a sheet with its header. Names must differ.
	Sheet(name string, header []string) error
	// Row writes one row. The slice may be used again.
	Row(cells []Cell) error
	// Close writes what is left; the table is whole only after it.
	Close() error
}

// New gives a writer for a format.
func New(format string, w io.Writer) (Writer, error) {
	switch format {
	case CSV:
		return newCSV(w)
	case XLSX:
		return newXLSX(w), nil
	}
	return nil, fmt.Errorf("no table of format %q, want %s or %s", format, CSV, XLSX)
}

// Harmless puts an apostrophe before a text that a spreadsheet program would
// take for a formula: one that begins with = + - @ or their full-width forms, or
// with a tab or line break, behind which one may hide (OWASP, CSV Injection).
func Harmless(s string) string {
	r, _ := utf8.DecodeRuneInString(s)
	if s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) {
		return "'" + s
	}
	return s
}

type csvWriter struct {
	w     *csv.Writer
	begun bool
	row   []string
}

// newCSV begins with a byte order mark: without one Excel takes UTF-8 for
// another encoding.
func newCSV(w io.Writer) (*csvWriter, error) {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return nil, err
	}
	c := &csvWriter{w: csv.NewWriter(w)}
	c.w.UseCRLF = true // RFC 4180
	return c, nil
}

func (c *csvWriter) Sheet(name string, header []string) error {
	if c.begun {
		return fmt.Errorf("sheet %s: a CSV file holds one table", name)
	}
	c.begun = true
	return c.w.Write(header)
}

func (c *csvWriter) Row(cells []Cell) error {
	c.row = c.row[:0]
	for _, x := range cells {
		if !x.Number {
			x.Text = Harmless(x.Text)
		}
		c.row = append(c.row, x.Text)
	}
	return c.w.Write(c.row)
}

func (c *csvWriter) Close() error {
	c.w.Flush()
	return c.w.Error()
}
