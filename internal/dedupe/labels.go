package dedupe

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"touchstone/matching/cluster"
	"touchstone/matching/fit"
	"touchstone/matching/label"
)

// Known is a pair of rows of which somebody knows whether they are one
// customer.
type Known struct {
	A, B int // rows
	Same bool
}

// Known finds the rows of labelled pairs by their ids, FILE:ID where several
// files have one of a name. What nobody could tell is left out.
func (t *Table) Known(pairs []label.Pair, id, name string) ([]Known, error) {
	find := t.Finder(id)
	out := make([]Known, 0, len(pairs))
	for _, p := range pairs {
		if p.Answer == label.Unsure {
			continue
		}
		var rows [2]int
		for i, id := range [2]string{p.A, p.B} {
			row, err := find(id)
			if err != nil {
				return nil, usage("%s:%d: %w", name, p.Line, err)
			}
			rows[i] = row
		}
		out = append(out, Known{rows[0], rows[1], p.Answer == label.Same})
	}
	return out, nil
}

// Finder finds rows by their ids.
func (t *Table) Finder(id string) func(string) (int, error) {
	name := t.RowName(id)
	at := make(map[string]int, t.Rows())
	for i := range t.Rows() {
		n := name(i)
		if _, taken := at[n]; taken {
			at[n] = -1
		} else {
			at[n] = i
		}
		if len(t.Files) > 1 {
			at[t.Files[t.File[i]]+":"+n] = i
		}
	}
	return func(id string) (int, error) {
		i, ok := at[id]
		switch {
		case !ok:
			return 0, fmt.Errorf("there is no row %q; rows are named by --id COLUMN, or by their number", id)
		case i < 0 && len(t.Files) > 1:
			return 0, fmt.Errorf("%q names several rows; say the file too: FILE:ID, with %s", id, strings.Join(t.Files, " or "))
		case i < 0:
			return 0, fmt.Errorf("%q names several rows", id)
		}
		return i, nil
	}
}

// labelled are the known pairs as units; equal rows teach nothing.
func (e *engine) labelled() []fit.Labelled {
	if len(e.o.Labels) == 0 {
		return nil
	}
	of := e.unitOfRow()
	var out []fit.Labelled
	for _, k := range e.o.Labels {
		i, j := of[k.A], of[k.B]
		if i == j {
			continue
		}
		levels := make([]uint8, len(e.fields))
		e.levels(i, j, levels)
		out = append(out, fit.Labelled{Levels: levels, Extra: e.adjust(i, j, levels), Same: k.Same})
	}
	return out
}

// labelWorth is how many pairs one label counts where a field's agreement among
// matches is counted. A pair chosen for being doubtful is no fair sample of the
// matches: a hundred labels therefore count like a thousand pairs, beside the
// tens of thousands that were not labelled, and no more.
const labelWorth = 10

// knownCells are the labels as known matches and others for the estimation.
func knownCells(labels []fit.Labelled, weak uint64) []fit.Cell {
	var out []fit.Cell
	for _, l := range labels {
		c := fit.Cell{Levels: slices.Clone(l.Levels), Count: labelWorth, Known: fit.KnownOther}
		if l.Same {
			c.Known = fit.KnownMatch
		}
		for f := range c.Levels {
			if weak>>f&1 == 1 {
				c.Levels[f] = 0
			}
		}
		out = append(out, c)
	}
	return out
}

// tune moves the weights so that they part the labelled pairs. Labels of one
// kind alone have had their say in the estimation.
func (e *engine) tune(fields []fit.Field, labels []fit.Labelled, p *pairs) error {
	if len(labels) == 0 {
		return nil
	}
	cells := make([]fit.Cell, len(p.patterns))
	for k, pat := range p.patterns {
		cells[k] = fit.Cell{Levels: pat.unpack(len(fields)), Count: p.of[k]}
	}
	t, err := fit.Tune(fields, e.weights, e.prior, labels, cells, fit.TuneOptions{})
	switch {
	case errors.Is(err, fit.ErrOneAnswer):
		return nil
	case err != nil:
		return err
	}
	e.weights = t.Weights
	return nil
}

// ruled adds what people said of pairs to what is to be clustered: it holds
// whatever the pair weighs.
func (e *engine) ruled(in *cluster.Input) {
	of := e.unitOfRow()
	for _, k := range e.o.Labels {
		i, j := of[k.A], of[k.B]
		switch {
		case i == j:
		case k.Same:
			in.Must = append(in.Must, [2]int{min(i, j), max(i, j)})
		default:
			in.Cannot = append(in.Cannot, [2]int{min(i, j), max(i, j)})
		}
	}
}

func (e *engine) unitOfRow() []int {
	of := make([]int, e.t.Rows())
	for i := range e.u.first {
		for _, r := range e.u.rows(i) {
			of[r] = i
		}
	}
	return of
}
