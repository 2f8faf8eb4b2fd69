package table

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Limits of a sheet, by the file format.
const (
	lastRow     = 1 << 20
	longestCell = 32767 // characters
	// exactDigits is how many digits of a number Excel keeps.
	exactDigits = 15
)

// xlsxWriter streams rows: past some megabytes a sheet stands in a temporary
// file until Close.
type xlsxWriter struct {
	out    io.Writer
	f      *excelize.File
	w      *excelize.StreamWriter
	last   int // row of a sheet
	name   string
	header []string
	part   int // of a table that is longer than a sheet
	row    int
	values []any
	unused string // the sheet that a new workbook has
}

func newXLSX(w io.Writer) *xlsxWriter {
	f := excelize.NewFile()
	return &xlsxWriter{out: w, f: f, last: lastRow, unused: f.GetSheetName(0)}
}

func (x *xlsxWriter) Sheet(name string, header []string) error {
	x.name, x.header, x.part = name, append([]string{}, header...), 1
	return x.begin(name)
}

func (x *xlsxWriter) begin(name string) error {
	if err := x.flush(); err != nil {
		return err
	}
	var err error
	if x.unused != "" {
		err = x.f.SetSheetName(x.unused, name)
		x.unused = ""
	} else {
		_, err = x.f.NewSheet(name)
	}
	if err != nil {
		return fmt.Errorf("sheet %s: %w", name, err)
	}
	if x.w, err = x.f.NewStreamWriter(name); err != nil {
		return fmt.Errorf("sheet %s: %w", name, err)
	}
	x.row = 0
	cells := make([]Cell, len(x.header))
	for i, h := range x.header {
		cells[i] = Text(h)
	}
	return x.write(cells)
}

// Row begins another sheet when one is full: "company 2".
func (x *xlsxWriter) Row(cells []Cell) error {
	if x.w == nil {
		return errors.New("a row before its sheet")
	}
	if x.row == x.last {
		x.part++
		if err := x.begin(fmt.Sprintf("%s %d", x.name, x.part)); err != nil {
			return err
		}
	}
	return x.write(cells)
}

func (x *xlsxWriter) write(cells []Cell) error {
	x.row++
	x.values = x.values[:0]
	for _, c := range cells {
		x.values = append(x.values, valueOf(c))
	}
	return x.w.SetRow("A"+strconv.Itoa(x.row), x.values)
}

// valueOf keeps a number as one where Excel keeps all its digits, else as text.
// A text that is too long for a cell is cut, and ends with … then.
func valueOf(c Cell) any {
	if c.Number {
		digits := strings.Trim(strings.TrimLeft(strings.ReplaceAll(strings.TrimPrefix(c.Text, "-"), ".", ""), "0"), "0")
		if f, err := strconv.ParseFloat(c.Text, 64); err == nil && len(digits) <= exactDigits && !strings.ContainsAny(c.Text, "eE") {
			return f
		}
		return c.Text
	}
	s := Harmless(c.Text)
	if s == "" {
		return nil
	}
	if utf8.RuneCountInString(s) > longestCell {
		s = string([]rune(s)[:longestCell-1]) + "…"
	}
	return s
}

func (x *xlsxWriter) flush() error {
	if x.w == nil {
		return nil
	}
	err := x.w.Flush()
	x.w = nil
	return err
}

func (x *xlsxWriter) Close() error {
	err := x.flush()
	if err == nil {
		err = x.f.Write(x.out)
	}
	return errors.Join(err, x.f.Close())
}
