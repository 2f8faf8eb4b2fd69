package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/matching"
)

func (c *cli) modelCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "model", Short: "Match models: what each weighs, what one would change, which is in force", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List the match models", Args: args(cobra.NoArgs), RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error { return c.modelList(ctx, a) })},
		&cobra.Command{Use: "show VERSION", Short: "Show what a match model weighs and what it was fitted from", Args: args(cobra.ExactArgs(1)), RunE: c.withApp(c.modelShow)},
		&cobra.Command{Use: "plan VERSION", Short: "Show what a match model would change: merges, splits, golden records, writes", Args: args(cobra.ExactArgs(1)), RunE: c.withApp(c.modelPlan)},
		c.modelCompareCmd(), c.modelActivateCmd(), c.modelSharedCmd(), c.modelThresholdsCmd(),
	)
	return cmd
}

func (c *cli) modelList(ctx context.Context, a *app.App) error {
	list, err := a.Models(ctx)
	if err != nil {
		return err
	}
	return c.print(list, func() {
		var rows [][]any
		for _, m := range list {
			from, active := "built in", ""
			if m.Figures != nil {
				from = fmt.Sprintf("fitted from %d records", m.Figures.Records)
			}
			if m.Active {
				active = "in force"
			}
			rows = append(rows, []any{m.Entity, m.Version, m.At, from, active})
		}
		c.table([]string{"entity", "version", "since", "", ""}, rows)
	})
}

func (c *cli) modelShow(ctx context.Context, a *app.App, names []string) error {
	m, err := a.Model(ctx, names[0])
	if err != nil {
		return err
	}
	return c.print(m, func() {
		if m.Figures != nil {
			c.figures(m.Entity, m.Version, m.Figures)
			return
		}
		fmt.Fprintf(c.out, "%s/%s: built in\n", m.Entity, m.Version)
		if model, err := matching.DecodeModel(m.Model); err == nil { // what is kept was decoded before
			c.weightChart(model)
			fmt.Fprintf(c.out, "a phone, address or domain counts as shared from more than %d names on (0: never); keys of more than %d records are spilled\n", model.SharedNames, model.KeyCap)
		}
	})
}

func (c *cli) modelPlan(ctx context.Context, a *app.App, names []string) error {
	progress, end := c.progress()
	p, err := a.PlanModel(ctx, names[0], progress)
	end()
	if err != nil {
		return err
	}
	return c.print(p, func() {
		fmt.Fprintf(c.out, "%s/%s instead of %s: %d merges, %d splits, %d records move\n", p.Entity, p.Version, p.From, p.Merges, p.Splits, p.Moves)
		fmt.Fprintf(c.out, "golden records: %d new, %d changed, %d gone\n", p.Golden.New, p.Golden.Changed, p.Golden.Gone)
		for _, w := range p.Writes {
			fmt.Fprintf(c.out, "%s (%s): %d creates, %d updates\n", w.Target, w.System, w.Creates, w.Updates)
		}
		var rows [][]any
		for _, x := range p.Changes {
			rows = append(rows, []any{x.What, x.Record, x.From, "→", x.To})
		}
		if len(rows) > 0 {
			c.table([]string{"", "record", "from the one of", "", "to the one of"}, rows)
		}
		if n := p.Merges + p.Splits + p.Moves - len(p.Changes); n > 0 {
			fmt.Fprintf(c.out, "  and %d more\n", n)
		}
	})
}

func (c *cli) modelActivateCmd() *cobra.Command {
	var why string
	cmd := &cobra.Command{
		Use: "activate VERSION", Short: "Put a match model in force; an older one takes it back", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			m, err := a.ActivateModel(ctx, names[0], who(), why)
			if err != nil {
				return err
			}
			m.Model, m.Figures = nil, nil
			return c.print(m, func() {
				fmt.Fprintf(c.out, "%s/%s is in force: every record is weighed by it with the next run, and nothing of %s is pushed before that is done\n", m.Entity, m.Version, m.Entity)
			})
		}),
	}
	cmd.Flags().StringVar(&why, "why", "", "reason, for the audit trail")
	return cmd
}

func (c *cli) modelSharedCmd() *cobra.Command {
	var limit, users int
	cmd := &cobra.Command{
		Use: "shared ENTITY", Short: "List the phones, addresses and domains that many names use, and that weigh little therefore", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			if err := oneOf("ENTITY", names[0], a.EntityNames()); err != nil {
				return err
			}
			if err := someOf("--limit", limit); err != nil {
				return err
			}
			list, err := a.SharedIdentifiers(ctx, names[0], limit)
			if err != nil {
				return err
			}
			if err := a.SharedUsers(ctx, list, users); err != nil {
				return err
			}
			if err := c.saw(ctx, a, "values", names[0]); err != nil {
				return err
			}
			return c.print(list, func() {
				var rows [][]any
				for _, s := range list {
					rows = append(rows, []any{s.Kind, s.Value, s.Names, s.Records, fmt.Sprintf("more than %d names", s.Line)})
					for _, u := range s.Users {
						rows = append(rows, []any{"", "  " + u, "", "", ""})
					}
				}
				if len(rows) == 0 {
					fmt.Fprintln(c.out, "no phone, address or domain of", names[0], "has so many names")
					return
				}
				c.table([]string{"kind", "value", "names", "records", "why"}, rows)
			})
		}),
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "how many to list")
	cmd.Flags().IntVar(&users, "users", 0, "how many of the source records that hold a value to list with it")
	return cmd
}
