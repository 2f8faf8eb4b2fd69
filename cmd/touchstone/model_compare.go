package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/matching"
	"touchstone/matching/eval"
)

func (c *cli) modelCompareCmd() *cobra.Command {
	var labels string
	cmd := &cobra.Command{
		Use: "compare A B", Short: "Set two match models beside each other: weights, pairs that change side, labels", Args: args(cobra.ExactArgs(2)),
		Long: `compare sets a challenger (B) beside a champion (A): their weights level by level, how many pairs of the store one links
and the other does not, the strongest of those part by part, and with --labels how each does on labelled pairs. Both are
held to the link threshold of the configuration. Labels that a model was trained on speak for it.`,
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			from, err := labelsFrom(labels)
			if err != nil {
				return err
			}
			m, err := a.CompareModels(ctx, names[0], names[1], from)
			if err != nil {
				return err
			}
			return c.print(m, func() { c.contest(m) })
		}),
	}
	cmd.Flags().StringVar(&labels, "labels", "", "score both on answers: rulings, or a CSV file id_a,id_b,label")
	return cmd
}

func (c *cli) contest(m app.ModelContest) {
	rows := [][]any{{"prior", "any two records", bits(m.PriorA), bar(m.PriorA), bits(m.PriorB), bar(m.PriorB), bits(m.PriorB - m.PriorA)}}
	for _, f := range m.Fields {
		name := f.Field
		for _, l := range f.Levels {
			change := ""
			if l.A != l.B {
				change = bits(l.B - l.A)
			}
			rows = append(rows, []any{name, l.Level, bits(l.A), bar(l.A), bits(l.B), bar(l.B), change})
			name = ""
		}
	}
	c.table([]string{"field", "level", "A " + m.A, "", "B " + m.B, "", "change"}, rows)
	fmt.Fprintf(c.out, "%d pairs that keys found, %.0f %% of all: both link %d, only A %d, only B %d\n", m.Pairs, 100*m.Share, m.Both, m.OnlyA, m.OnlyB)
	c.onLabels("A "+m.A, m.LabelsA)
	c.onLabels("B "+m.B, m.LabelsB)
	for _, p := range m.Changed {
		what := "B parts"
		if p.Linked {
			what = "B links"
		}
		fmt.Fprintf(c.out, "%s %s and %s: %s bits by A, %s by B\n", what, plain(p.RecordA), plain(p.RecordB), bits(p.WeightA), bits(p.WeightB))
		for _, row := range beside(p.PartsA, p.PartsB) {
			fmt.Fprintf(c.out, "    %6s %6s  %-14s %-22s %s\n", row.a, row.b, row.part.Field, row.part.Level, plain(bothValues(row.part)))
		}
	}
}

func (c *cli) onLabels(name string, o *eval.OnLabels) {
	if o == nil {
		return
	}
	fmt.Fprintf(c.out, "%s on %d labels of one customer and %d of two: precision %s, recall %s, log loss %.3f bits a label\n", name, o.Same, o.Different, o.Precision, o.Recall, o.Loss)
}

type besidePart struct {
	a, b string
	part matching.Part
}

// beside puts the parts of both models into lines; rarity that only one knows
// has a place of its own.
func beside(a, b []matching.Part) (out []besidePart) {
	at := map[[2]string]int{}
	for _, p := range a {
		at[[2]string{p.Field, p.Level}] = len(out)
		out = append(out, besidePart{a: bits(p.Weight), part: p})
	}
	for _, p := range b {
		if i, ok := at[[2]string{p.Field, p.Level}]; ok {
			out[i].b = bits(p.Weight)
		} else {
			out = append(out, besidePart{b: bits(p.Weight), part: p})
		}
	}
	return out
}

func bothValues(p matching.Part) string {
	if p.A == p.B {
		return p.A
	}
	return p.A + " / " + p.B
}

// weightChart draws what a model weighs.
func (c *cli) weightChart(m *matching.Model) {
	prior, fields := m.Weights()
	rows := [][]any{{"prior", "any two records", bits(prior), bar(prior)}}
	for _, f := range fields {
		name := f.Field
		for _, l := range f.Levels {
			rows = append(rows, []any{name, l.Level, bits(l.Weight), bar(l.Weight)})
			name = ""
		}
	}
	c.table([]string{"field", "level", "weight", "against   for"}, rows)
}
