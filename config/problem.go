package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the file, and where.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1; 0 when there is no place
	Column int    `json:"column"` // from 1, in characters
	Path   string `json:"path"`   // sources.crm.every
	Text   string `json:"text"`   // what is wrong and what would be right
	// Shown is the source line, secrets hidden, and below it a caret under the column.
	Shown string `json:"shown,omitempty"`
}

// String gives "file:line:column: path: text", then the source line and a caret.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Text)
	if p.Shown != "" {
		for l := range strings.SplitSeq(p.Shown, "\n") {
			b.WriteString("\n    " + l)
		}
	}
	return b.String()
}

// Problems is everything that is wrong with a file, in the order of the file.
type Problems []Problem

// Error gives all problems, one after the other.
func (ps Problems) Error() string {
	all := make([]string, len(ps))
	for i, p := range ps {
		all[i] = p.String()
	}
	return strings.Join(all, "\n")
}

// err is ps in the order of the file without repetitions, nil when there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps.sorted()
}

func (ps Problems) sorted() Problems {
	ps = slices.Clone(ps)
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(ps)
}
