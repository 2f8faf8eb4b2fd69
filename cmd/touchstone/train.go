package main

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/matching"
)

func (c *cli) trainCmd() *cobra.Command {
	var labels string
	cmd := &cobra.Command{
		Use: "train [ENTITY]", Short: "Fit a match model from the records; nothing uses it until it is activated",
		Long: `train fits the weights of a match model from the records themselves, without labels. Answers of people make it
better: --labels rulings takes the merge and split decisions of the store, --labels FILE a CSV file id_a,id_b,label
with source/entity/id, or source:id, and same, different or unsure. Labelled pairs join the estimation as what they
are, and move the weights so far as a hundred of them can be believed. Whoever chose them chose doubtful ones: the
share of matches among them therefore says nothing of the rest. With labels train also says from which weight on
pairs are matches in 90, 95 and 99 of 100 cases; no threshold is changed by that. With 30 labelled pairs of one
customer and more it also chooses the rules by whose keys records find one another: the cheapest that find all those
pairs and those that the weights are sure of.`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			if len(names) == 0 {
				names = a.EntityNames()
			} else if err := oneOf("ENTITY", names[0], a.EntityNames()); err != nil {
				return err
			}
			from, err := labelsFrom(labels)
			if err != nil {
				return err
			}
			return c.train(ctx, a, names, from)
		}),
	}
	cmd.Flags().StringVar(&labels, "labels", "", "learn from answers too: rulings, or a CSV file id_a,id_b,label")
	return cmd
}

// labelsFrom reads what --labels says.
func labelsFrom(what string) (app.Labels, error) {
	switch what {
	case "":
		return app.Labels{}, nil
	case "rulings":
		return app.Labels{Rulings: true}, nil
	}
	pairs, err := readPairs(what)
	return app.Labels{Pairs: pairs, Name: filepath.Base(what)}, err
}

func (c *cli) train(ctx context.Context, a *app.App, names []string, from app.Labels) error {
	var list []app.Trained
	refused := 0
	for _, name := range names {
		t, err := a.Train(ctx, name, who(), from)
		if err != nil {
			return err
		}
		list = append(list, t)
		if t.Refused != "" {
			refused++
		}
	}
	err := c.print(list, func() {
		for _, t := range list {
			if t.Refused != "" {
				fmt.Fprintf(c.out, "%s: %s\n", t.Entity, t.Refused)
				continue
			}
			c.figures(t.Entity, t.Version, t.Figures)
			kept := "kept as a candidate"
			if !t.New {
				kept = "the same data gave it before"
			}
			fmt.Fprintf(c.out, "%s/%s: %s. See what it would change: touchstone model plan %s; put it in force: touchstone model activate %s\n", t.Entity, t.Version, kept, t.Version, t.Version)
		}
	})
	if err != nil {
		return err
	}
	if refused == len(list) {
		return errPerson
	}
	return nil
}

// figures shows what a model weighs and where that comes from.
func (c *cli) figures(entity, version string, f *matching.Figures) {
	fmt.Fprintf(c.out, "%s/%s: fitted from %d records, %d pairs that keys found and %d random ones; about %.0f matches; %d iterations\n", entity, version, f.Records, f.Pairs, f.Random, f.Matches, f.Iterations)
	if !f.Converged {
		fmt.Fprintln(c.out, "  it had not settled by then: look at the plan with care")
	}
	c.labelFigures(f.Labels)
	c.keyFigures(f.Keys)
	rows := [][]any{{"prior", "any two records", "", "", bits(f.PriorWeight), bits(f.OldPrior), "", ""}}
	for _, field := range f.Fields {
		name := field.Field
		for _, l := range field.Levels {
			note := ""
			if l.Kept {
				note = "kept"
			}
			rows = append(rows, []any{name, l.Level, fmt.Sprintf("%.5f", l.M), fmt.Sprintf("%.6f", l.U), bits(l.Weight), bits(l.Old), bar(l.Weight), note})
			name = ""
		}
	}
	c.table([]string{"field", "level", "m", "u", "weight", f.From, "against   for", ""}, rows)
	for _, q := range f.Frequencies {
		fmt.Fprintf(c.out, "  %s: %d common values weigh by how common they are\n", q.Field, q.Values)
	}
}

// bits shows a weight, kept in 1/1000 bit.
func bits[T ~int32](w T) string { return fmt.Sprintf("%+.1f", float64(w)/1000) }

// barWidth is how many signs one side of a bar has, each for 2 bits.
const (
	barWidth = 7
	barSign  = 2000
)

// bar draws a weight: to the right what speaks for a match, to the left what
// speaks against.
func bar[T ~int32](w T) string {
	n := min((max(w, -w)+barSign/2)/barSign, barWidth)
	left, right := strings.Repeat(" ", barWidth), ""
	if w < 0 {
		left = strings.Repeat(" ", barWidth-int(n)) + strings.Repeat("█", int(n))
	} else {
		right = strings.Repeat("█", int(n))
	}
	return left + "│" + right + strings.Repeat(" ", barWidth-len([]rune(right)))
}

// labelFigures tells what labels did to a model.
func (c *cli) labelFigures(l *matching.LabelFigures) {
	if l == nil {
		return
	}
	fmt.Fprintf(c.out, "  labels: %d pairs that are one customer, %d that are two", l.Same, l.Different)
	if l.Note != "" {
		fmt.Fprintf(c.out, "; %s\n", l.Note)
		return
	}
	fmt.Fprintf(c.out, "; log loss %.3f bits a label before, %.3f after\n", l.Before, l.After)
	for _, r := range l.Thresholds {
		if !r.Found {
			fmt.Fprintf(c.out, "  precision %.2f is reached nowhere on the labels\n", r.Wanted)
			continue
		}
		fmt.Fprintf(c.out, "  precision %.2f is reached from %s bits on (probability %.5f): precision %s, recall %s on the labels\n", r.Wanted, bits(r.Threshold), 1/(1+math.Exp2(-float64(r.Threshold)/1000)), r.Precision, r.Recall)
	}
}
