// Package chart computes charts as lists of shapes: where each bar, line and
// label stands. It does no I/O and knows no language; a template of package web
// draws the shapes, as links where something stands behind them.
package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Chart is a drawing in a box of Wide × High units, with its data as a table.
type Chart struct {
	Kind  string // bar, stacked, line, waterfall, funnel, heat, scatter, distribution, map
	Title string // the finding, in words
	Wide  float64
	High  float64
	Marks []Mark // in the order they are drawn
	Head  []string
	Rows  []Row
	Foot  *Row // the sum of the rows; nil where a sum means nothing
}

// Row is one line of the table: a name and what is told of it.
type Row struct {
	Name  string
	Href  string
	Cells []Cell
}

// Cell is one figure of the table.
type Cell struct {
	Text string
	Href string
}

// The shapes of a mark.
const (
	Rect = "rect"
	Line = "line"
	Path = "path"
	Dot  = "dot" // X, Y is its middle, W its radius
	Text = "text"
)

// Mark is one shape. Numbers are in units of the box.
type Mark struct {
	Shape      string
	Class      string
	X, Y, W, H float64 // of a line: from X, Y to X+W, Y+H
	D          string  // of a path
	Text       string
	Anchor     string // of a text: "", middle or end
	Href       string // what stands behind it
	Tip        string // said on hover and focus
	Value      float64
}

// Box is the value of viewBox.
func (c Chart) Box() string { return "0 0 " + number(c.Wide) + " " + number(c.High) }

// Broad says that a chart is wider than the others: it is shown at its own size, so
// that its texts can be read.
func (c Chart) Broad() bool { return c.Wide > boxWide }

// Linked says whether a mark leads somewhere.
func (c Chart) Linked() bool {
	for _, m := range c.Marks {
		if m.Href != "" {
			return true
		}
	}
	return false
}

// Label heads the nth figure of a row.
func (c Chart) Label(n int) string {
	if n+1 < len(c.Head) {
		return c.Head[n+1]
	}
	return ""
}

// Number writes a coordinate; a template asks for it.
func (m Mark) Number(f float64) string { return number(f) }

// X2 and Y2 are where a line ends.
func (m Mark) X2() float64 { return m.X + m.W }

// Y2 is where a line ends.
func (m Mark) Y2() float64 { return m.Y + m.H }

// number has one place: a tenth of a unit is finer than a screen.
func number(f float64) string {
	s := strconv.FormatFloat(f, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}

// Words are what a chart says in the reader's language. Columns heads the table,
// the column of names first.
type Words struct {
	Title   string
	Columns []string
	Total   string // heads the row of sums; "" for none
}

// Item is one thing that is measured.
type Item struct {
	Name  string
	Value float64
	Shown string // the value as it is written; Count(Value) without
	Href  string
	Class string // "" for the chart's own colour
	Note  string // said beside the value
}

func (i Item) shown() string {
	if i.Shown != "" {
		return i.Shown
	}
	return Count(i.Value)
}

func (i Item) tip() string {
	s := i.Name + ": " + i.shown()
	if i.Note != "" {
		s += " · " + i.Note
	}
	return s
}

// Count writes a figure with at most one decimal place, Grouped.
func Count(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "—"
	}
	s := strconv.FormatFloat(math.Abs(f), 'f', 1, 64)
	whole, rest, _ := strings.Cut(s, ".")
	var b strings.Builder
	if f < 0 && strings.Trim(s, "0.") != "" {
		b.WriteString("−")
	}
	b.WriteString(Grouped(whole))
	if rest != "0" {
		b.WriteString("." + rest)
	}
	return b.String()
}

// Grouped writes digits in groups of three, parted by narrow spaces that do not
// break (U+202F).
func Grouped(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Percent writes a share of one in per cent. Only what is nothing is 0, and only
// what is all is 100.
func Percent(f float64) string {
	switch {
	case math.IsNaN(f):
		return "—"
	case f > 0 && f < 0.001:
		return "< 0.1\u202f%"
	case f < 1 && f > 0.999:
		return "> 99.9\u202f%"
	}
	s := strconv.FormatFloat(100*f, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0") + "\u202f%"
}

// Class is the colour of the nth of several series: six that stay apart for
// colour-blind people, then again from the first.
func Class(n int) string { return fmt.Sprintf("c%d", n%6+1) }

// table makes the table of one figure an item.
func table(w Words, items []Item) (rows []Row, foot *Row) {
	sum, plain := 0.0, true
	for _, i := range items {
		cells := []Cell{{Text: i.shown(), Href: i.Href}}
		if i.Note != "" || len(w.Columns) > 2 {
			cells = append(cells, Cell{Text: i.Note})
		}
		rows = append(rows, Row{Name: i.Name, Cells: cells})
		sum += i.Value
		plain = plain && i.Shown == ""
	}
	if w.Total == "" || !plain {
		return rows, nil
	}
	return rows, &Row{Name: w.Total, Cells: []Cell{{Text: Count(sum)}}}
}
