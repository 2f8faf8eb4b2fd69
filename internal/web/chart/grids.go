package chart

import (
	"fmt"
	"math"
	"slices"
)

// Heat is one row of a heat grid.
type Heat struct {
	Name  string
	Href  string
	Cells []Share
}

// Share is one cell: a share from 0 to 1, NaN for none.
type Share struct {
	Value float64
	Href  string
	Note  string // said on hover, with the share
}

// Grid draws shares as a grid of coloured cells, each with its figure, so that
// nothing rests on colour alone. Columns are the names along the top.
func Grid(w Words, columns []string, rows []Heat) Chart {
	c := Chart{Kind: "heat", Title: w.Title, Head: append(append([]string{}, w.Columns...), columns...)}
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.Name
	}
	left := nameWide(names) + gap
	least, most := 44.0, 64.0
	if !slices.ContainsFunc(rows, func(r Heat) bool { return slices.ContainsFunc(r.Cells, func(s Share) bool { return s.Href != "" }) }) {
		least = 32 // nobody presses a cell that leads nowhere: a month of them stands beside each other
	}
	wide := max(least, min(most, (boxWide-left)/float64(max(len(columns), 1))))
	c.Wide = max(boxWide, left+wide*float64(len(columns)))
	// Long names along the top stand on two levels, so that neighbours do not touch.
	const level, top = 15.0, 36.0
	for k, name := range columns {
		y := top - 6
		if k%2 == 0 {
			y -= level
		}
		x := left + wide*(float64(k)+0.5)
		c.Marks = append(c.Marks, Mark{Shape: Text, Class: "tick", X: x, Y: y, Text: Fit(name, textSize, 2*wide-gap), Anchor: "middle"})
	}
	const high = 28.0
	for i, r := range rows {
		y := top + high*float64(i)
		row := Row{Name: r.Name, Href: r.Href}
		c.Marks = append(c.Marks, rowName(r.Name, r.Href, left, y+high/2))
		for k := range columns {
			cell := Share{Value: math.NaN()}
			if k < len(r.Cells) {
				cell = r.Cells[k]
			}
			text := Percent(cell.Value)
			row.Cells = append(row.Cells, Cell{Text: text, Href: cell.Href})
			x := left + wide*float64(k)
			tip := r.Name + " · " + columns[k] + ": " + text
			if cell.Note != "" {
				tip += " · " + cell.Note
			}
			c.Marks = append(c.Marks,
				Mark{Shape: Rect, Class: "cell " + heat(cell.Value), X: x + 1, Y: y + 1, W: wide - 2, H: high - 2, Href: cell.Href, Tip: tip, Value: clean(cell.Value)},
				Mark{Shape: Text, Class: "in " + heat(cell.Value), X: x + wide/2, Y: y + high/2 + baseline, Text: short(cell.Value), Anchor: "middle"})
		}
		c.Rows = append(c.Rows, row)
	}
	c.High = top + high*float64(len(rows)) + 2
	return c
}

// short is a share in whole per cent, for a cell; only what is all says 100.
func short(f float64) string {
	if !finite(f) {
		return "·"
	}
	n := math.Round(100 * f)
	if n == 100 && f < 1 {
		n = 99
	}
	if n == 0 && f > 0 {
		return "<1"
	}
	return number(n)
}

// heat is the class of a share: h0 for the least to h5 for the most, h for none.
func heat(f float64) string {
	if !finite(f) {
		return "h"
	}
	return fmt.Sprintf("h%d", int(math.Floor(5*max(0, min(1, f)))))
}

// Province is a tile of the map of Chinese provinces.
type Province struct {
	Code     string // GB/T 2260, two digits
	Short    string // one Chinese character
	Letters  string // GB/T 2260 letters
	col, row int
}

// Provinces lists the 34 divisions of the first level by code. Their tiles keep
// neighbours together as far as squares can.
func Provinces() []Province {
	return []Province{
		{"11", "京", "BJ", 7, 2},
		{"12", "津", "TJ", 8, 2},
		{"13", "冀", "HE", 7, 3},
		{"14", "晋", "SX", 6, 3},
		{"15", "蒙", "NM", 6, 2},
		{"21", "辽", "LN", 9, 2},
		{"22", "吉", "JL", 9, 1},
		{"23", "黑", "HL", 9, 0},
		{"31", "沪", "SH", 9, 5},
		{"32", "苏", "JS", 8, 4},
		{"33", "浙", "ZJ", 9, 6},
		{"34", "皖", "AH", 7, 5},
		{"35", "闽", "FJ", 8, 7},
		{"36", "赣", "JX", 7, 6},
		{"37", "鲁", "SD", 8, 3},
		{"41", "豫", "HA", 7, 4},
		{"42", "鄂", "HB", 6, 5},
		{"43", "湘", "HN", 6, 6},
		{"44", "粤", "GD", 7, 7},
		{"45", "桂", "GX", 6, 7},
		{"46", "琼", "HI", 6, 9},
		{"50", "渝", "CQ", 5, 5},
		{"51", "川", "SC", 4, 5},
		{"52", "贵", "GZ", 5, 6},
		{"53", "云", "YN", 4, 6},
		{"54", "藏", "XZ", 2, 5},
		{"61", "陕", "SN", 5, 4},
		{"62", "甘", "GS", 4, 3},
		{"63", "青", "QH", 3, 4},
		{"64", "宁", "NX", 5, 3},
		{"65", "新", "XJ", 2, 3},
		{"71", "台", "TW", 9, 8},
		{"81", "港", "HK", 7, 8},
		{"82", "澳", "MO", 6, 8},
	}
}

// TileMap draws figures of provinces as tiles that keep neighbours together: the
// more, the darker, with figure and name on each. Named gives the tile's name by
// code; figures that belong to no province stand in the table alone.
func TileMap(w Words, named func(Province) string, figures map[string]Item, elsewhere []Item) Chart {
	const tile = 56.0
	c := Chart{Kind: "map", Title: w.Title, Wide: 8 * tile, High: 10 * tile, Head: w.Columns}
	high, list := 0.0, []Item{}
	for _, it := range figures {
		high = max(high, clean(it.Value))
	}
	for _, p := range Provinces() {
		it, ok := figures[p.Code]
		name := named(p)
		x, y, class, v := float64(p.col-2)*tile, float64(p.row)*tile, "h", clean(it.Value)
		if ok {
			if it.Name == "" {
				it.Name = name
			}
			class = heat(v / max(high, 1e-300))
			list = append(list, it)
		}
		c.Marks = append(c.Marks,
			Mark{Shape: Rect, Class: "cell " + class, X: x + 1, Y: y + 1, W: tile - 2, H: tile - 2, Href: it.Href, Tip: tileTip(name, it, ok), Value: v},
			Mark{Shape: Text, Class: "in " + class, X: x + tile/2, Y: y + 23, Text: Fit(name, textSize, tile-6), Anchor: "middle"})
		if ok {
			c.Marks = append(c.Marks, Mark{Shape: Text, Class: "in " + class, X: x + tile/2, Y: y + 41, Text: Fit(it.shown(), textSize, tile-4), Anchor: "middle"})
		}
	}
	c.Rows, c.Foot = table(w, append(list, elsewhere...))
	return c
}

func tileTip(name string, it Item, ok bool) string {
	if !ok {
		return name + ": —"
	}
	return it.tip()
}
