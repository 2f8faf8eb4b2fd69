package web

import (
	"fmt"
	"strings"
	"unicode"
)

// treeChart is a tree drawn from left to right: boxes in columns by depth, joined
// by lines. It is drawn on the server, of classes alone.
type treeChart struct {
	Wide, High int
	Box        string // of the drawing: "0 0 wide high"
	Boxes      []treeBox
	Lines      []treeLine
}

// treeBox is one box with its texts.
type treeBox struct {
	X, Y, Wide, High int
	Href, Class      string
	Label            string // for who cannot see it
	Name, Second     treeText
	Marks            []treeMark
}

type treeText struct {
	X, Y int
	Text string
}

// treeMark is a role or a stance: a shape with its word.
type treeMark struct {
	treeText
	Class, Sign string
}

// treeLine joins a box with the one that it hangs below.
type treeLine struct {
	Path, Class string
	Label       treeText
}

const (
	boxWide  = 216
	boxHigh  = 66
	boxGapX  = 72
	bendAt   = 20 // of the gap, where a line turns
	boxGapY  = 14
	treeEdge = 4
	nameFits = 23 // Latin characters of a name in a box, which are bold
	textFits = 28 // of any other text
)

// treeNode is what a drawing needs of a node; Parent is an index or -1.
type treeNode struct {
	parent, depth  int
	box            treeBox
	line, lineText string // class and label of the line to the parent
}

// drawTree places nodes, which stand each before those below it: leaves in rows
// of their own, others in the middle of theirs.
func drawTree(nodes []treeNode) treeChart {
	var c treeChart
	children := make([][]int, len(nodes))
	for i, n := range nodes {
		if n.parent >= 0 {
			children[n.parent] = append(children[n.parent], i)
		}
	}
	row := 0
	middle := make([]int, len(nodes))
	deepest := 0
	for i := len(nodes) - 1; i >= 0; i-- { // children come behind: place the last leaf first
		deepest = max(deepest, nodes[i].depth)
		if len(children[i]) == 0 {
			middle[i] = 2 * row
			row++
			continue
		}
		middle[i] = (middle[children[i][0]] + middle[children[i][len(children[i])-1]]) / 2
	}
	rows := max(row, 1)
	y := func(i int) int { return treeEdge + (2*(rows-1)-middle[i])*(boxHigh+boxGapY)/2 } // middle counts half rows
	x := func(i int) int { return treeEdge + nodes[i].depth*(boxWide+boxGapX) }
	for i, n := range nodes {
		b := n.box
		b.X, b.Y, b.Wide, b.High = x(i), y(i), boxWide, boxHigh
		b.Name.X, b.Name.Y = b.X+12, b.Y+20
		b.Second.X, b.Second.Y = b.X+12, b.Y+37
		b.Marks = placeMarks(b.Marks, b.X+12, b.Y+55, b.X+boxWide-4)
		c.Boxes = append(c.Boxes, b)
		if n.parent >= 0 {
			fromX, fromY, toX, toY := x(n.parent)+boxWide, y(n.parent)+boxHigh/2, b.X, b.Y+boxHigh/2
			bend := fromX + bendAt
			c.Lines = append(c.Lines, treeLine{
				Path: fmt.Sprintf("M%d %dH%dV%dH%d", fromX, fromY, bend, toY, toX), Class: n.line,
				Label: treeText{X: bend + 6, Y: toY - 5, Text: n.lineText},
			})
		}
	}
	c.Wide = 2*treeEdge + (deepest+1)*(boxWide+boxGapX) - boxGapX
	c.High = 2*treeEdge + rows*(boxHigh+boxGapY) - boxGapY
	c.Box = fmt.Sprintf("0 0 %d %d", c.Wide, c.High)
	return c
}

// placeMarks sets marks side by side; those that do not fit before the end are
// counted: the table below has them all.
func placeMarks(marks []treeMark, x, y, end int) []treeMark {
	const gap, rest = 18, 18 // behind a mark; for "+2"
	for k := range marks {
		wide := textWide(marks[k].Sign+marks[k].Text, 7)
		last := k == len(marks)-1
		if x+wide > end || !last && x+wide+rest > end {
			return append(marks[:k:k], treeMark{treeText{x, y, fmt.Sprintf("+%d", len(marks)-k)}, "mark", ""})
		}
		marks[k].X, marks[k].Y = x, y
		x += gap + wide
	}
	return marks
}

// textWide reckons how wide a text is: a Chinese character is twice as wide as a
// Latin one.
func textWide(s string, em int) int {
	n := 0
	for _, r := range s {
		if n++; wideRune(r) {
			n++
		}
	}
	return n * em
}

func wideRune(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= 0xff00 && r <= 0xff60
}

// fitted cuts a text to a width in Latin characters.
func fitted(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	n := 0
	for i, r := range s {
		if n++; wideRune(r) {
			n++
		}
		if n > most {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}

// roleSign gives the shape of a buying role; the word stands beside it.
func roleSign(role string) string {
	switch role {
	case "initiator":
		return "▶"
	case "influencer":
		return "◆"
	case "decider":
		return "★"
	case "buyer":
		return "■"
	}
	return "●"
}

// stanceSign gives the shape of a stance.
func stanceSign(stance string) string {
	switch stance {
	case "supporter":
		return "▲"
	case "opponent":
		return "▼"
	case "neutral":
		return "◼"
	}
	return "?"
}

// peopleChart draws a company's people: who reports to whom, with their parts in
// its buying.
func peopleChart(c OrgChart, w words) treeChart {
	nodes := make([]treeNode, len(c.People))
	for i, p := range c.People {
		b := treeBox{Href: "/customers/" + p.ID, Class: "box"}
		b.Name.Text, b.Second.Text = fitted(orDash(p.Name), nameFits), fitted(p.Title, textFits)
		label := []string{orDash(p.Name)}
		if p.Title != "" {
			label = append(label, p.Title)
		}
		for _, r := range p.Roles {
			word := w.word("role", r.Role)
			b.Marks = append(b.Marks, treeMark{treeText{Text: word}, "mark role-" + r.Role, roleSign(r.Role)})
			label = append(label, word)
		}
		if p.Stance != nil {
			word := w.word("stance", p.Stance.Stance)
			b.Class += " is-" + p.Stance.Stance
			b.Marks = append([]treeMark{{treeText{Text: word}, "mark stance-" + p.Stance.Stance, stanceSign(p.Stance.Stance)}}, b.Marks...)
			label = append(label, word)
		}
		b.Label = w.List(label)
		nodes[i] = treeNode{parent: p.Parent, depth: p.Depth, box: b, line: "join"}
	}
	return drawTree(nodes)
}

func orDash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// groupChart draws a group of companies with the shares on its lines.
func groupChart(t GroupTree, w words) treeChart {
	nodes := make([]treeNode, len(t.Nodes))
	for i, n := range t.Nodes {
		b := treeBox{Href: "/customers/" + n.ID, Class: "box", Name: treeText{Text: fitted(orDash(n.Name), nameFits)}}
		if n.ID == t.Company.ID {
			b.Class += " here"
		}
		label := []string{orDash(n.Name)}
		share := ""
		if n.Parent >= 0 {
			b.Second.Text = w.word("grouped", n.Kind)
			label = append(label, b.Second.Text)
			if n.Share != "" {
				share = n.Share + "\u202f%"
				label = append(label, share)
			}
		}
		for _, m := range n.Total {
			if m.Amount != "" && len(b.Marks) == 0 {
				b.Marks = append(b.Marks, treeMark{treeText{Text: fitted(amount(m.Amount)+" "+m.Currency, textFits)}, "mark sum-mark", ""})
			}
		}
		b.Label = w.List(label)
		nodes[i] = treeNode{parent: n.Parent, depth: n.Depth, box: b, line: "join join-" + n.Kind, lineText: share}
	}
	return drawTree(nodes)
}

// mostPartners bounds the boxes of a network; the table has them all.
const mostPartners = 40

// networkChart draws who a customer works with: partners, suppliers, referrals,
// and kinds that only a source has. People and groups have drawings of their own.
func networkChart(p RelationsPage, w words) treeChart {
	own := map[string]bool{"employer": true, "reports_to": true, "role": true, "stance": true, "parent": true, "branch_of": true, "brand_of": true}
	nodes := []treeNode{{parent: -1, box: treeBox{Href: "/customers/" + p.ID, Class: "box here", Label: orDash(p.Name), Name: treeText{Text: fitted(orDash(p.Name), nameFits)}}}}
	for _, r := range first(len(p.Rows), p.Rows) {
		if own[r.Kind] || r.Over || r.Other.ID == "" || len(nodes) > mostPartners {
			continue
		}
		group := "relation"
		if !r.Out {
			group = "relation_in"
		}
		kind := w.word(group, r.Kind)
		b := treeBox{Href: "/customers/" + r.Other.ID, Class: "box", Name: treeText{Text: fitted(orDash(r.Other.Name), nameFits)}, Second: treeText{Text: fitted(kind, textFits)}}
		b.Label = orDash(r.Other.Name) + ", " + kind
		if r.Title != "" {
			b.Marks = []treeMark{{treeText{Text: fitted(r.Title, textFits)}, "mark sum-mark", ""}}
		}
		nodes = append(nodes, treeNode{parent: 0, depth: 1, box: b, line: "join"})
	}
	if len(nodes) == 1 {
		return treeChart{}
	}
	return drawTree(nodes)
}
