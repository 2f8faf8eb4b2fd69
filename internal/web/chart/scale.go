package chart

import (
	"math"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Ticks gives round numbers (1, 2 or 5 times a power of ten apart) from at most
// low to at least high, about n of them, never more than twice as many.
func Ticks(low, high float64, n int) []float64 {
	if !finite(low) || !finite(high) || high <= low {
		high = low + 1
		if !finite(high) {
			low, high = 0, 1
		}
	}
	n = max(n, 1)
	raw := (high - low) / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	step := 10 * power
	for _, m := range []float64{1, 2, 5} {
		if m*power >= raw {
			step = m * power
			break
		}
	}
	first := math.Floor(low/step + 1e-9)
	last := math.Ceil(high/step - 1e-9)
	var ticks []float64
	for k := first; k <= last && len(ticks) < 2*n+3; k++ {
		ticks = append(ticks, k*step)
	}
	return ticks
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// clean makes a figure that can be drawn: what is none counts as nothing.
func clean(f float64) float64 {
	if !finite(f) {
		return 0
	}
	return f
}

// scale maps figures to places.
type scale struct{ low, high, from, to float64 }

func (s scale) at(v float64) float64 {
	if s.high == s.low {
		return s.from
	}
	return s.from + (s.to-s.from)*(v-s.low)/(s.high-s.low)
}

// Widths of text, in shares of its size: by eye for the system's typefaces, and a
// full em for Chinese.
const (
	emWide  = 1.0
	emPlain = 0.62
)

// TextWide is about how wide a text is drawn at a size.
func TextWide(s string, size float64) float64 {
	w := 0.0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			w += emWide
		default:
			w += emPlain
		}
	}
	return w * size
}

// Fit cuts a text to a width, with an ellipsis where something is gone.
func Fit(s string, size, most float64) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	if TextWide(s, size) <= most {
		return s
	}
	for s != "" {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
		if TextWide(s+"…", size) <= most {
			return strings.TrimRight(s, " ") + "…"
		}
	}
	return "…"
}

// Sizes of all charts, in units of the box.
const (
	boxWide  = 640.0
	textSize = 12.0
	gap      = 8.0
	rowHigh  = 26.0
	barHigh  = 16.0
	baseline = 4.0 // from the middle of a row down to where its text stands
	mostName = 200.0
)

// nameWide is the room that the names of rows need.
func nameWide(names []string) float64 {
	w := 0.0
	for _, n := range names {
		w = max(w, TextWide(n, textSize))
	}
	return min(w, mostName)
}

// levelWide is the room that the figures of a scale that goes up need.
func levelWide(ticks []float64) float64 {
	w := 0.0
	for _, t := range ticks {
		w = max(w, TextWide(Count(t), textSize))
	}
	return w + 2*gap
}

// rule is the class of a line of the grid: that of nothing is heavier.
func rule(v float64) string {
	if v == 0 {
		return "zero"
	}
	return "grid"
}

// grid draws round figures along the bottom and a line up from each.
func grid(s scale, ticks []float64, top, bottom float64) (marks []Mark) {
	for _, v := range ticks {
		x := s.at(v)
		marks = append(marks,
			Mark{Shape: Line, Class: rule(v), X: x, Y: top, H: bottom - top},
			Mark{Shape: Text, Class: "tick", X: x, Y: bottom + 14, Text: Count(v), Anchor: "middle"})
	}
	return marks
}

// levels is grid for a scale that goes up.
func levels(s scale, ticks []float64, left, right float64) (marks []Mark) {
	for _, v := range ticks {
		y := s.at(v)
		marks = append(marks,
			Mark{Shape: Line, Class: rule(v), X: left, Y: y, W: right - left},
			Mark{Shape: Text, Class: "tick", X: left - 6, Y: y + baseline, Text: Count(v), Anchor: "end"})
	}
	return marks
}

// rowName writes the name of a row before left; y is the row's middle.
func rowName(name, href string, left, y float64) Mark {
	return Mark{Shape: Text, Class: "name", X: left - gap, Y: y + baseline, Text: Fit(name, textSize, mostName), Anchor: "end", Href: href}
}
