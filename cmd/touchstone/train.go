package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/matching"
)

func (c *cli) trainCmd() *cobra.Command {
	return &cobra.Command{
		Use: "train [ENTITY]", Short: "Fit a match model from the records, without labels; nothing uses it until it is activated",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			if len(names) == 0 {
				names = a.EntityNames()
			}
			return c.train(ctx, a, names)
		}),
	}
}

func (c *cli) train(ctx context.Context, a *app.App, names []string) error {
	var list []app.Trained
	refused := 0
	for _, name := range names {
		t, err := a.Train(ctx, name, who())
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
	rows := [][]any{{"prior", "any two records", "", "", bits(f.PriorWeight), bits(f.OldPrior), ""}}
	for _, field := range f.Fields {
		name := field.Field
		for _, l := range field.Levels {
			note := ""
			if l.Kept {
				note = "kept"
			}
			rows = append(rows, []any{name, l.Level, fmt.Sprintf("%.5f", l.M), fmt.Sprintf("%.6f", l.U), bits(l.Weight), bits(l.Old), note})
			name = ""
		}
	}
	c.table([]string{"field", "level", "m", "u", "weight", f.From, ""}, rows)
	for _, q := range f.Frequencies {
		fmt.Fprintf(c.out, "  %s: %d common values weigh by how common they are\n", q.Field, q.Values)
	}
}

// bits shows a weight, kept in 1/1000 bit.
func bits(w int32) string { return fmt.Sprintf("%+.1f", float64(w)/1000) }
