package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/web"
)

func (c *cli) trialCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "trial", Short: "Changes of models, thresholds and rules that were worked out beside the store", Args: args(cobra.NoArgs), RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List what was tried, the newest first", Args: args(cobra.NoArgs), RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error { return c.trialList(ctx, a) })},
		&cobra.Command{Use: "show TRIAL", Short: "Show what a trial would change: merges, splits, fields, writes", Args: args(cobra.ExactArgs(1)), RunE: c.withApp(c.trialShow)},
		c.trialJudge("approve", "Put in force what was tried", func(ctx context.Context, a *app.App, id string, brake bool, by web.By) error {
			return a.TakeTrial(ctx, id, brake, by)
		}),
		c.trialJudge("refuse", "Drop a trial", func(ctx context.Context, a *app.App, id string, _ bool, by web.By) error {
			return a.RefuseTrial(ctx, id, by)
		}),
		c.trialJudge("undo", "Put in force again what was before", func(ctx context.Context, a *app.App, id string, _ bool, by web.By) error {
			return a.UndoTrial(ctx, id, by)
		}),
	)
	return cmd
}

func (c *cli) trialJudge(name, short string, do func(context.Context, *app.App, string, bool, web.By) error) *cobra.Command {
	var b by
	var brake bool
	cmd := &cobra.Command{
		Use: name + " TRIAL", Short: short, Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			if err := do(ctx, a, names[0], brake, web.By{Who: b.by().Who, Why: b.why}); err != nil {
				return err
			}
			return c.trialShow(ctx, a, names)
		}),
	}
	if name == "approve" {
		cmd.Flags().BoolVar(&brake, "brake", false, "it is meant to change more golden records than the brake allows")
	}
	b.flags(cmd.Flags(), false)
	return cmd
}

func (c *cli) trialList(ctx context.Context, a *app.App) error {
	list, err := a.Trials(ctx, "", 200)
	if err != nil {
		return err
	}
	return c.print(list, func() {
		var rows [][]any
		for _, t := range list {
			rows = append(rows, []any{t.ID, t.Entity, t.Kind, t.Version, t.Link, t.Review, t.State, t.Merges, t.Splits, t.Touched(), t.Who})
		}
		c.table([]string{"trial", "entity", "kind", "model", "link", "review", "", "merges", "splits", "golden", "who"}, rows)
	})
}

func (c *cli) trialShow(ctx context.Context, a *app.App, names []string) error {
	p, err := a.TrialPage(ctx, names[0])
	if err != nil {
		return err
	}
	return c.print(p, func() {
		fmt.Fprintf(c.out, "%s %s, %s: %s %g / %g, %s\n", p.ID, p.Entity, p.Kind, p.Version, p.Link, p.Review, p.State)
		if p.Records == 0 {
			return
		}
		fmt.Fprintf(c.out, "%d merges, %d splits, %d records move\n", p.Merges, p.Splits, p.Moves)
		fmt.Fprintf(c.out, "golden records: %d new, %d changed, %d gone of %d\n", p.New, p.Changed, p.Gone, p.Records)
		for _, f := range p.Fields {
			fmt.Fprintf(c.out, "  %s: %d\n", f.Name, f.N)
		}
		for _, w := range p.Writes {
			fmt.Fprintf(c.out, "%s (%s): %d creates, %d updates\n", w.Target, w.System, w.Creates, w.Updates)
		}
	})
}
