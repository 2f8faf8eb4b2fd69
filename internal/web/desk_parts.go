package web

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
)

// deskFunctions are what the templates of the review pages call besides.
func deskFunctions(w words) template.FuncMap {
	return template.FuncMap{
		"money":    money,
		"veto":     w.veto,
		"inc":      func(i int) int { return i + 1 },
		"dec":      func(i int) int { return i - 1 },
		"mod6":     func(i int) int { return i%6 + 1 },
		"nth":      func(i int) string { return placeOf(i) },
		"percent":  func(f float64) int { return int(100*f + 0.5) },
		"dues":     func() []string { return []string{"overdue", "today", "week"} },
		"deskhead": func(v deskView, i int) deskHead { return deskHead{v.Now, [2]Side{v.A, v.B}[i], v.Sides[i]} },
		"deskcell": func(v deskView, l deskLine, i int) deskCell { return v.cell(w, l, i) },
		"keys":     deskKeys,
		"marksat":  marksAt,
		"marksay":  w.mark,
		"answers":  func() []string { return []string{AnswerSame, AnswerApart, AnswerUnsure} },
	}
}

// placeOf is the number of a record in the list; one that is not listed has none.
func placeOf(i int) string {
	if i < 0 {
		return "…"
	}
	return strconv.Itoa(i + 1)
}

// money is an amount without its small change, and its currency.
func money(amount float64, currency string) string {
	return strings.TrimSpace(currency + "\u00a0" + count(int(amount+0.5)))
}

// deskHead is the head of one record's column.
type deskHead struct {
	Now    time.Time
	Record Side
	Side   DeskSide
}

// deskCell is what one record says in one field.
type deskCell struct {
	Entries  []entry
	Marks    []Mark
	Label    string // of the record
	Field    string
	Word     string // for the field
	Key      string // a or b
	Number   string // the key that picks it
	Since    time.Time
	Wins     bool
	Picked   bool
	Pickable bool
}

func (v deskView) cell(w words, l deskLine, i int) deskCell {
	c := deskCell{
		Field: l.Name, Word: w.word("field", l.Name), Key: [2]string{"a", "b"}[i], Number: strconv.Itoa(i + 1),
		Entries: l.Left, Label: v.A.Source + " " + v.A.ID, Since: l.SinceA, Wins: l.Wins == "a" || l.Wins == "both", Marks: l.MarksA,
	}
	if i == 1 {
		c.Entries, c.Label, c.Since, c.Wins, c.Marks = l.Right, v.B.Source+" "+v.B.ID, l.SinceB, l.Wins == "b" || l.Wins == "both", l.MarksB
	}
	c.Wins = c.Wins && len(c.Entries) > 0 && !l.Equal
	c.Picked = v.Form.Picked(l.Name) == c.Key
	c.Pickable = v.Can && l.Pickable && len(c.Entries) > 0
	return c
}

// marksAt are the marks on one of several values.
func marksAt(list []Mark, entry int) (out []Mark) {
	for _, m := range list {
		if m.Entry == entry {
			out = append(out, m)
		}
	}
	return out
}

// mark is the sentence of a mark, with the check digit where one is known.
func (w words) mark(m Mark) string {
	if m.Wants != "" {
		return fmt.Sprintf(w.T("oddity.wants"), m.Wants, m.Has)
	}
	return w.word("mark", m.Text)
}

// keyHelp is a key and what it does.
type keyHelp struct{ Key, Text string }

// deskKeys are the keys of the page of a pair.
func deskKeys() []keyHelp {
	return []keyHelp{
		{"M", "desk.same"},
		{"N", "desk.apart"},
		{"U", "desk.unsure"},
		{"S", "desk.key.skip"},
		{"R", "desk.key.relate"},
		{"Z", "undo"},
		{"J K", "desk.key.move"},
		{"1 2", "desk.key.pick"},
		{"3", "desk.key.typed"},
		{"0", "desk.key.unpick"},
		{"W", "desk.key.why"},
		{"H", "desk.history"},
		{"L", "desk.list"},
		{"/", "search"},
		{"?", "desk.keys"},
		{"Esc", "desk.close"},
	}
}
