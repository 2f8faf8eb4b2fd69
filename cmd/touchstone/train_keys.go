package main

import (
	"fmt"

	"touchstone/matching"
)

// keyFigures tells which rules of blocking a model has chosen by labels.
func (c *cli) keyFigures(f *matching.KeyFigures) {
	if f == nil {
		return
	}
	if f.Note != "" {
		fmt.Fprintf(c.out, "  keys: those of the start; %s\n", f.Note)
		return
	}
	fmt.Fprintf(c.out, "  keys chosen by %d labelled pairs of one customer and %d that the weights are sure of: %d pairs share one, %d those of the start; %d labelled pairs share none\n", f.Labelled, f.Sure, f.Pairs, f.Before, f.Missed)
	var rows [][]any
	for _, r := range f.Rules {
		what := "left out"
		switch {
		case r.Counted:
			what = "always: it tells who shares a value"
		case r.Chosen:
			what = "chosen"
		}
		rows = append(rows, []any{r.Rule, r.Pairs, r.Finds, what})
	}
	c.table([]string{"  rule", "pairs", "finds", ""}, rows)
}
