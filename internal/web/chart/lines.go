package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Series is one line: a figure for each place, NaN where there is none.
type Series struct {
	Name   string
	Values []float64
	Hrefs  []string // of each figure; nil for none
}

// Lines draws series over common places, which are the same distance apart. Each
// line is named at its end, and its points have a shape of their own. Zero says
// that the scale begins at nothing.
func Lines(w Words, places []string, series []Series, zero bool) Chart {
	c := Chart{Kind: "line", Title: w.Title, Wide: boxWide, High: 220}
	c.Head = append([]string{}, w.Columns...)
	low, high := math.Inf(1), math.Inf(-1)
	right := 0.0
	for _, s := range series {
		c.Head = append(c.Head, s.Name)
		right = max(right, TextWide(s.Name, textSize))
		for _, v := range s.Values[:min(len(s.Values), len(places))] {
			if finite(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low > high {
		low, high = 0, 1
	}
	if zero {
		low = min(low, 0)
	}
	ticks := Ticks(low, high, 4)
	left := levelWide(ticks)
	right = c.Wide - min(right, 150) - 2*gap
	const top, bottom = 10, 186
	ys := scale{ticks[0], ticks[len(ticks)-1], bottom, top}
	xs := scale{0, float64(max(len(places)-1, 1)), left + gap, right}
	c.Marks = append(levels(ys, ticks, left, right), placeNames(xs, places, bottom+18)...)
	for i, name := range places {
		row := Row{Name: name}
		for _, s := range series {
			row.Cells = append(row.Cells, s.cell(i))
		}
		c.Rows = append(c.Rows, row)
	}
	ends := make([]float64, 0, len(series))
	for k, s := range series {
		marks, end := s.draw(k, places, xs, ys)
		c.Marks = append(c.Marks, marks...)
		if len(marks) == 0 {
			continue
		}
		y := free(ends, end)
		ends = append(ends, y)
		c.Marks = append(c.Marks, Mark{Shape: Text, Class: "series " + Class(k), X: right + gap, Y: y + baseline, Text: Fit(s.Name, textSize, 150)})
	}
	return c
}

func (s Series) cell(i int) Cell {
	if i >= len(s.Values) || !finite(s.Values[i]) {
		return Cell{Text: "—"}
	}
	return Cell{Text: Count(s.Values[i]), Href: s.href(i)}
}

func (s Series) href(i int) string {
	if i < len(s.Hrefs) {
		return s.Hrefs[i]
	}
	return ""
}

// draw gives the line, broken where there is no figure, its points, and where
// it ends.
func (s Series) draw(k int, places []string, xs, ys scale) (marks []Mark, end float64) {
	var path strings.Builder
	pen := "M"
	for i := range places {
		if i >= len(s.Values) || !finite(s.Values[i]) {
			pen = "M"
			continue
		}
		x, y := xs.at(float64(i)), ys.at(s.Values[i])
		fmt.Fprintf(&path, "%s%s %s", pen, number(x), number(y))
		pen, end = "L", y
		m := Mark{Shape: Path, Class: "point " + Class(k), D: shape(k, x, y), X: x, Y: y, Href: s.href(i), Tip: places[i] + " · " + s.Name + ": " + Count(s.Values[i]), Value: s.Values[i]}
		marks = append(marks, m)
	}
	if len(marks) == 0 {
		return nil, 0
	}
	return append([]Mark{{Shape: Path, Class: "curve " + Class(k), D: path.String()}}, marks...), end
}

// shape is a small sign around a place: circle, square, triangle, diamond, cross,
// bar, so that lines are told apart without colour.
func shape(k int, x, y float64) string {
	at := func(dx, dy float64) string { return number(x+dx) + " " + number(y+dy) }
	switch k % 6 {
	case 0:
		return "M" + at(-3, 0) + "a3 3 0 1 0 6 0a3 3 0 1 0 -6 0Z"
	case 1:
		return "M" + at(-3, -3) + "h6v6h-6Z"
	case 2:
		return "M" + at(0, -4) + "L" + at(4, 3) + "L" + at(-4, 3) + "Z"
	case 3:
		return "M" + at(0, -4) + "L" + at(4, 0) + "L" + at(0, 4) + "L" + at(-4, 0) + "Z"
	case 4:
		return "M" + at(-1, -4) + "h2v3h3v2h-3v3h-2v-3h-3v-2h3Z"
	}
	return "M" + at(-4, -1.5) + "h8v3h-8Z"
}

// free moves a label down to where none stands.
func free(taken []float64, y float64) float64 {
	sorted := slices.Sorted(slices.Values(taken))
	for _, t := range sorted {
		if math.Abs(y-t) < 14 {
			y = t + 14
		}
	}
	return y
}

// placeNames writes as many names of places as there is room for, the last one
// always.
func placeNames(xs scale, places []string, y float64) (marks []Mark) {
	wide := 0.0
	for _, p := range places {
		wide = max(wide, TextWide(p, textSize)+gap)
	}
	step := xs.at(1) - xs.at(0)
	every := max(1, int(math.Ceil(wide/max(step, 1))))
	for i := len(places) - 1; i >= 0; i -= every {
		anchor := "middle"
		if i == len(places)-1 && len(places) > 1 {
			anchor = "end"
		}
		marks = append(marks, Mark{Shape: Text, Class: "tick", X: xs.at(float64(i)), Y: y, Text: places[i], Anchor: anchor})
	}
	slices.Reverse(marks)
	return marks
}

// Spot is one dot of a scatter chart.
type Spot struct {
	Name string
	X, Y float64
	Href string
	Kind int // which of the kinds; it has a colour and a shape
}

// Scatter draws a sign for each spot. Across and Up name the two scales, kinds
// the sorts of spots; spots without figures are left out of the drawing, and
// stand in the table.
func Scatter(w Words, across, up string, kinds []string, spots []Spot) Chart {
	c := Chart{Kind: "scatter", Title: w.Title, Wide: boxWide, Head: append(append([]string{}, w.Columns...), across, up)}
	lowX, highX, lowY, highY := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, p := range spots {
		c.Rows = append(c.Rows, Row{Name: p.Name, Href: p.Href, Cells: []Cell{{Text: Count(p.X)}, {Text: Count(p.Y)}}})
		if finite(p.X) && finite(p.Y) {
			lowX, highX, lowY, highY = min(lowX, p.X), max(highX, p.X), min(lowY, p.Y), max(highY, p.Y)
		}
	}
	if lowX > highX {
		lowX, highX, lowY, highY = 0, 1, 0, 1
	}
	var top float64
	c.Marks, top = legend(kinds)
	top += 18
	bottom := top + 220
	c.High = bottom + 36
	xt, yt := Ticks(lowX, highX, 5), Ticks(lowY, highY, 4)
	left := levelWide(yt)
	xs := scale{xt[0], xt[len(xt)-1], left, c.Wide - 3*gap}
	ys := scale{yt[0], yt[len(yt)-1], bottom, top}
	c.Marks = append(c.Marks, levels(ys, yt, left, c.Wide-3*gap)...)
	c.Marks = append(c.Marks, grid(xs, xt, top, bottom)...)
	c.Marks = append(c.Marks,
		Mark{Shape: Text, Class: "scale", X: left, Y: top - 6, Text: Fit(up, textSize, 300)},
		Mark{Shape: Text, Class: "scale", X: c.Wide - 3*gap, Y: bottom + 30, Text: Fit(across, textSize, 300), Anchor: "end"})
	for _, p := range spots {
		if !finite(p.X) || !finite(p.Y) {
			continue
		}
		x, y := xs.at(p.X), ys.at(p.Y)
		c.Marks = append(c.Marks, Mark{
			Shape: Path, Class: "point " + Class(p.Kind), X: x, Y: y, D: shape(p.Kind, x, y), Href: p.Href,
			Tip: p.Name + " · " + across + " " + Count(p.X) + " · " + up + " " + Count(p.Y), Value: p.Y,
		})
	}
	return c
}
