package chart

import "math"

// Bars draws a bar for each item, one below the other, on a line at nothing.
func Bars(w Words, items []Item) Chart {
	c := Chart{Kind: "bar", Title: w.Title, Wide: boxWide, Head: w.Columns}
	c.Rows, c.Foot = table(w, items)
	low, high, wide, names := 0.0, 0.0, 0.0, make([]string, len(items))
	for i, it := range items {
		v := clean(it.Value)
		low, high = min(low, v), max(high, v)
		wide = max(wide, TextWide(it.label(), textSize))
		names[i] = it.Name
	}
	left := nameWide(names) + gap
	ticks := Ticks(low, high, 4)
	s := scale{ticks[0], ticks[len(ticks)-1], left, c.Wide - min(wide, 140) - gap}
	bottom := rowHigh * float64(len(items))
	c.High = bottom + 22
	c.Marks = grid(s, ticks, 0, bottom)
	for i, it := range items {
		y, v := rowHigh*float64(i), clean(it.Value)
		x, x2 := min(s.at(0), s.at(v)), max(s.at(0), s.at(v))
		c.Marks = append(c.Marks,
			rowName(it.Name, "", left, y+rowHigh/2),
			Mark{Shape: Rect, Class: "mark " + it.class("c1"), X: x, Y: y + (rowHigh-barHigh)/2, W: thick(x2-x, v), H: barHigh, Href: it.Href, Tip: it.tip(), Value: v},
			Mark{Shape: Text, Class: "value", X: x2 + 6, Y: y + rowHigh/2 + baseline, Text: Fit(it.label(), textSize, 140)})
	}
	return c
}

func (i Item) label() string {
	if i.Note == "" {
		return i.shown()
	}
	return i.shown() + " · " + i.Note
}

func (i Item) class(own string) string {
	if i.Class != "" {
		return i.Class
	}
	return own
}

// thick keeps what is not nothing visible.
func thick(wide, v float64) float64 {
	if v != 0 {
		return max(wide, 1)
	}
	return wide
}

// Part is one row of a stacked chart: a figure for each series.
type Part struct {
	Name   string
	Href   string
	Values []float64
	Hrefs  []string // for each figure; nil for none
}

// Stacked draws a bar for each row, cut into its series, which are named in
// words above the first. What went wrong goes second: that colour says so on every
// chart. Figures below nothing count as nothing.
func Stacked(w Words, series []string, rows []Part) Chart {
	c := Chart{Kind: "stacked", Title: w.Title, Wide: boxWide, Head: append(append([]string{}, w.Columns...), series...)}
	names, high, wide := make([]string, len(rows)), 0.0, 0.0
	totals := make([]float64, len(series))
	for i, r := range rows {
		names[i] = r.Name
		sum := 0.0
		row := Row{Name: r.Name, Href: r.Href}
		for k := range series {
			v := r.value(k)
			sum += v
			totals[k] += v
			row.Cells = append(row.Cells, Cell{Text: Count(v), Href: r.href(k)})
		}
		high, wide = max(high, sum), max(wide, TextWide(Count(sum), textSize))
		c.Rows = append(c.Rows, row)
	}
	if w.Total != "" {
		c.Foot = &Row{Name: w.Total}
		for _, t := range totals {
			c.Foot.Cells = append(c.Foot.Cells, Cell{Text: Count(t)})
		}
	}
	var top float64
	c.Marks, top = legend(series)
	left := nameWide(names) + gap
	ticks := Ticks(0, high, 4)
	s := scale{0, ticks[len(ticks)-1], left, c.Wide - wide - gap}
	bottom := top + rowHigh*float64(len(rows))
	c.High = bottom + 22
	c.Marks = append(c.Marks, grid(s, ticks, top, bottom)...)
	for i, r := range rows {
		y, sum := top+rowHigh*float64(i), 0.0
		c.Marks = append(c.Marks, rowName(r.Name, r.Href, left, y+rowHigh/2))
		for k, name := range series {
			v := r.value(k)
			if v == 0 {
				continue
			}
			c.Marks = append(c.Marks, Mark{
				Shape: Rect, Class: "mark " + Class(k), X: s.at(sum), Y: y + (rowHigh-barHigh)/2, W: s.at(sum+v) - s.at(sum), H: barHigh,
				Href: r.href(k), Tip: r.Name + " · " + name + ": " + Count(v), Value: v,
			})
			sum += v
		}
		c.Marks = append(c.Marks, Mark{Shape: Text, Class: "value", X: s.at(sum) + 6, Y: y + rowHigh/2 + baseline, Text: Count(sum)})
	}
	return c
}

func (p Part) value(k int) float64 {
	if k >= len(p.Values) {
		return 0
	}
	return max(0, clean(p.Values[k]))
}

func (p Part) href(k int) string {
	if k >= len(p.Hrefs) {
		return ""
	}
	return p.Hrefs[k]
}

// legend names the series in their order, each behind a patch of its colour, and
// gives the height that it takes.
func legend(series []string) (marks []Mark, high float64) {
	if len(series) < 2 {
		return nil, 0
	}
	x, y := 0.0, 0.0
	for k, name := range series {
		text := Fit(name, textSize, boxWide-24)
		wide := 16 + TextWide(text, textSize) + 2*gap
		if x > 0 && x+wide > boxWide {
			x, y = 0, y+18
		}
		marks = append(marks,
			Mark{Shape: Rect, Class: "patch " + Class(k), X: x, Y: y + 2, W: 10, H: 10},
			Mark{Shape: Text, Class: "legend", X: x + 16, Y: y + 11, Text: text})
		x += wide
	}
	return marks, y + 26
}

// Waterfall draws how a sum comes about: each item from where the sum stood to
// where it stands then, and the sum itself as the last bar.
func Waterfall(w Words, items []Item) Chart {
	c := Chart{Kind: "waterfall", Title: w.Title, Wide: boxWide, Head: w.Columns}
	c.Rows, c.Foot = table(w, items)
	all := items
	sum, low, high := 0.0, 0.0, 0.0
	for _, it := range items {
		sum += clean(it.Value)
		low, high = min(low, sum), max(high, sum)
	}
	if w.Total != "" {
		all = append(append([]Item{}, items...), Item{Name: w.Total, Value: sum, Class: "sum"})
	}
	names, wide := make([]string, len(all)), 0.0
	for i, it := range all {
		names[i] = it.Name
		wide = max(wide, TextWide(it.shown(), textSize))
	}
	left := nameWide(names) + gap
	ticks := Ticks(low, high, 4)
	s := scale{ticks[0], ticks[len(ticks)-1], left, c.Wide - min(wide, 140) - gap}
	bottom := rowHigh * float64(len(all))
	c.High = bottom + 22
	c.Marks = grid(s, ticks, 0, bottom)
	sum = 0
	for i, it := range all {
		y, v, from := rowHigh*float64(i), clean(it.Value), sum
		class := "c1"
		if v < 0 {
			class = "against"
		}
		if it.Class == "sum" {
			from = 0
		}
		sum = from + v
		a, b := min(s.at(from), s.at(sum)), max(s.at(from), s.at(sum))
		c.Marks = append(c.Marks,
			rowName(it.Name, "", left, y+rowHigh/2),
			Mark{Shape: Rect, Class: "mark " + it.class(class), X: a, Y: y + (rowHigh-barHigh)/2, W: thick(b-a, v), H: barHigh, Href: it.Href, Tip: it.tip(), Value: v},
			Mark{Shape: Text, Class: "value", X: b + 6, Y: y + rowHigh/2 + baseline, Text: signed(it, v)})
		if i+1 < len(all) {
			c.Marks = append(c.Marks, Mark{Shape: Line, Class: "link", X: s.at(sum), Y: y + (rowHigh+barHigh)/2, H: rowHigh - barHigh})
		}
	}
	return c
}

func signed(it Item, v float64) string {
	if v > 0 && it.Class != "sum" && it.Shown == "" {
		return "+" + it.shown()
	}
	return it.shown()
}

// Funnel draws how much is left after each step, and what share that is of the
// step before it.
func Funnel(w Words, items []Item) Chart {
	c := Chart{Kind: "funnel", Title: w.Title, Wide: boxWide, Head: w.Columns}
	w.Total = ""
	noted := append([]Item{}, items...)
	high, names := 0.0, make([]string, len(items))
	for i, it := range items {
		names[i] = it.Name
		high = max(high, clean(it.Value))
		if before := clean(items[max(i-1, 0)].Value); i > 0 && before > 0 {
			noted[i].Note = Percent(clean(it.Value) / before)
		}
	}
	c.Rows, _ = table(w, noted)
	left := nameWide(names) + gap
	right := c.Wide - 140
	middle, half := (left+right)/2, (right-left)/2
	for i, it := range noted {
		y, v := rowHigh*float64(i), max(0, clean(it.Value))
		wide := 0.0
		if high > 0 {
			wide = half * v / high
		}
		c.Marks = append(c.Marks,
			rowName(it.Name, "", left, y+rowHigh/2),
			Mark{Shape: Rect, Class: "mark " + it.class("c1"), X: middle - wide, Y: y + 2, W: thick(2*wide, v), H: rowHigh - 4, Href: it.Href, Tip: it.tip(), Value: v},
			Mark{Shape: Text, Class: "value", X: right + 6, Y: y + rowHigh/2 + baseline, Text: Fit(it.label(), textSize, 134)})
	}
	c.High = rowHigh * float64(len(items))
	return c
}

// Distribution draws adjoining columns, one a bin, on a line at nothing.
func Distribution(w Words, bins []Item) Chart {
	c := Chart{Kind: "distribution", Title: w.Title, Wide: boxWide, High: 190, Head: w.Columns}
	c.Rows, c.Foot = table(w, bins)
	high := 0.0
	for _, b := range bins {
		high = max(high, clean(b.Value))
	}
	ticks := Ticks(0, high, 4)
	left := levelWide(ticks)
	const top, bottom = 10, 160
	s := scale{0, ticks[len(ticks)-1], bottom, top}
	c.Marks = levels(s, ticks, left, c.Wide)
	wide := (c.Wide - left) / float64(max(len(bins), 1))
	every := 1
	for _, b := range bins { // as many names as there is room for
		every = max(every, int(math.Ceil((TextWide(b.Name, textSize)+gap)/wide)))
	}
	for i, b := range bins {
		v, x := max(0, clean(b.Value)), left+wide*float64(i)
		c.Marks = append(c.Marks, Mark{Shape: Rect, Class: "mark " + b.class("c1"), X: x + 0.5, Y: s.at(v), W: max(wide-1, 0.5), H: bottom - s.at(v), Href: b.Href, Tip: b.tip(), Value: v})
		if i%every == 0 {
			c.Marks = append(c.Marks, Mark{Shape: Text, Class: "tick", X: x + wide/2, Y: bottom + 16, Text: Fit(b.Name, textSize, wide*float64(every)+gap), Anchor: "middle"})
		}
	}
	return c
}
