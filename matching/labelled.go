package matching

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"touchstone/matching/eval"
	"touchstone/matching/fit"
)

// Labelled is a pair of records of which somebody knows the answer.
type Labelled struct {
	A, B *Features
	Same bool
}

// Label adds what people said. Labels count twice. As known matches and others
// they join the estimation, labelWorth pairs each, beside tens of thousands of
// pairs without a label. Then they move the weights so that the labelled pairs
// part better (fit.Tune). People are asked about doubtful pairs, which are no fair
// sample: how many of them are matches therefore never touches the prior, and how
// often non-matches agree is still counted on random pairs alone.
func (t *Trainer) Label(list []Labelled) { t.labels = append(t.labels, list...) }

const (
	// labelWorth is how many pairs one label counts in the estimation.
	labelWorth = 10
	// mostTuned is how far labels move a weight.
	mostTuned = 3000
	// held is how many parts the labels are cut into: each is weighed by what the
	// others teach, so that thresholds are not judged by what they were made of.
	held = 5
)

// LabelFigures are what labels did to a model.
type LabelFigures struct {
	Same      int     `json:"same"`
	Different int     `json:"different"`
	Before    float64 `json:"log_loss_before"` // bits a label
	After     float64 `json:"log_loss_after"`
	Note      string  `json:"note,omitempty"` // why they moved no weights
	// Thresholds are the lowest weights from which labelled pairs are matches in a
	// wanted share, each pair weighed without its own label.
	Thresholds []eval.Reach `json:"thresholds,omitempty"`
}

func (t *Trainer) knownCells() []fit.Cell {
	var out []fit.Cell
	for _, l := range t.labels {
		c := fit.Cell{Levels: fit.Pattern(t.start.Weigh(l.A, l.B).Pattern, len(t.start.fields)), Count: labelWorth, Known: fit.KnownOther}
		if l.Same {
			c.Known = fit.KnownMatch
		}
		out = append(out, c)
	}
	return out
}

// tune moves a fitted model's weights by the labels.
func (t *Trainer) tune(m *Model, fields []fit.Field) (*LabelFigures, error) {
	if len(t.labels) == 0 {
		return nil, nil //nolint:nilnil // without labels there are no figures of them
	}
	fig := &LabelFigures{}
	rows := make([]fit.Labelled, len(t.labels))
	for i, l := range t.labels {
		rows[i] = m.labelled(l)
		if l.Same {
			fig.Same++
		} else {
			fig.Different++
		}
	}
	slices.SortFunc(rows, func(a, b fit.Labelled) int {
		return cmp.Or(slices.Compare(a.Levels, b.Levels), cmp.Compare(a.Extra, b.Extra), cmp.Compare(sameBit(a), sameBit(b)))
	})
	start := m.rows()
	tuned, err := fit.Tune(fields, start, m.prior, rows, t.cells(), fit.TuneOptions{})
	if errors.Is(err, fit.ErrOneAnswer) {
		fig.Note = err.Error()
		return fig, nil
	}
	if err != nil {
		return nil, fmt.Errorf("tune by labels: %w", err)
	}
	fig.Before, fig.After = tuned.Before, tuned.After
	judged, err := t.judge(m, fields, start, rows)
	if err != nil {
		return nil, err
	}
	for _, wanted := range []float64{0.9, 0.95, 0.99} {
		fig.Thresholds = append(fig.Thresholds, eval.Reaching(judged, wanted))
	}
	m.move(tuned.Weights)
	return fig, nil
}

// judge weighs each label by a model tuned on the others.
func (t *Trainer) judge(m *Model, fields []fit.Field, start [][]int32, rows []fit.Labelled) ([]eval.Judged, error) {
	var out []eval.Judged
	for part := range held {
		var learn, test []fit.Labelled
		for i, r := range rows {
			if i%held == part {
				test = append(test, r)
			} else {
				learn = append(learn, r)
			}
		}
		other := *m
		tuned, err := fit.Tune(fields, start, m.prior, learn, t.cells(), fit.TuneOptions{})
		switch {
		case errors.Is(err, fit.ErrOneAnswer):
		case err != nil:
			return nil, fmt.Errorf("tune by labels: %w", err)
		default:
			other.move(tuned.Weights)
		}
		for _, r := range test {
			w := other.prior + r.Extra
			for k, l := range r.Levels {
				w += other.weights[k][l]
			}
			out = append(out, eval.Judged{Weight: w, Same: r.Same})
		}
	}
	return out, nil
}

// labelled gives a pair's levels, and what rarity adds to them.
func (m *Model) labelled(l Labelled) fit.Labelled {
	w := m.Weigh(l.A, l.B)
	out := fit.Labelled{Levels: fit.Pattern(w.Pattern, len(m.fields)), Extra: w.Total - m.prior, Same: l.Same}
	for k, level := range out.Levels {
		out.Extra -= m.weights[k][level]
	}
	return out
}

func sameBit(l fit.Labelled) int {
	if l.Same {
		return 1
	}
	return 0
}

// rows are the weights by field and level.
func (m *Model) rows() [][]int32 {
	out := make([][]int32, len(m.fields))
	for k, f := range m.fields {
		out[k] = slices.Clone(m.weights[k][:len(f.levels)])
	}
	return out
}

// move sets the weights within bounds; what is judged by its meaning stays.
func (m *Model) move(to [][]int32) {
	for k, row := range to {
		for l := 1; l < len(row); l++ {
			if w := m.weights[k][l]; !judged(m.Entity, k, l) {
				m.weights[k][l] = min(max(row[l], w-mostTuned), w+mostTuned)
			}
		}
	}
}
