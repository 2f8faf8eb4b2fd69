package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/web"
)

func (c *cli) modelThresholdsCmd() *cobra.Command {
	var t web.TrialAsked
	var b by
	var plan, brake bool
	cmd := &cobra.Command{
		Use: "thresholds ENTITY", Short: "Show the thresholds in force, what others would change, and put others in force", Args: args(cobra.ExactArgs(1)),
		Long: `Show the thresholds in force, what others would change, and put others in force. They are probabilities.
With --plan nothing changes. What is put in force holds until the configuration says other thresholds than it does
now, and every record is weighed anew with the next run.`,
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			if err := oneOf("ENTITY", names[0], a.EntityNames()); err != nil {
				return err
			}
			t.Entity = names[0]
			if t.Link == 0 && t.Review == 0 && !t.Configured {
				if plan {
					return usageError{errors.New("--plan needs --link, --review or --configured")}
				}
				return c.thresholds(ctx, a, names[0])
			}
			return c.tryThresholds(ctx, a, t, b, plan, brake)
		}),
	}
	l := cmd.Flags()
	l.Float64Var(&t.Link, "link", 0, "records are linked without asking from this probability on")
	l.Float64Var(&t.Review, "review", 0, "pairs are shown to a person from this probability on")
	l.BoolVar(&t.Configured, "configured", false, "go back to those of the configuration")
	l.BoolVar(&plan, "plan", false, "only show what they would change")
	l.BoolVar(&brake, "brake", false, "it is meant to change more golden records than the brake allows")
	b.flags(l, false)
	return cmd
}

func (c *cli) thresholds(ctx context.Context, a *app.App, entity string) error {
	s, err := a.Scores(ctx, entity, 0, 0)
	if err != nil {
		return err
	}
	return c.print(s, func() {
		fmt.Fprintf(c.out, "%s: linked from %g on (%s), shown to a person from %g on (%s)\n", entity, s.Link, plural(s.Linked, "pair"), s.Review, plural(s.Shown, "pair"))
		if s.Own {
			fmt.Fprintf(c.out, "they were approved; the configuration says %g and %g\n", s.OfLink, s.OfReview)
		}
		var rows [][]any
		for _, x := range s.Bins {
			rows = append(rows, []any{fmt.Sprintf("%+d", x.At), x.Pairs})
		}
		c.table([]string{"bits", "pairs"}, rows)
	})
}

// tryThresholds works them out, and puts them in force unless only the plan is
// wanted: by the same trial as on the page.
func (c *cli) tryThresholds(ctx context.Context, a *app.App, t web.TrialAsked, b by, plan, brake bool) error {
	own := web.By{Who: b.by().Who, Why: b.why}
	id, err := a.AskTrial(ctx, t, own)
	if err != nil {
		return err
	}
	_, end := c.progress()
	err = a.WorkTrial(ctx, id)
	end()
	if err != nil {
		return err
	}
	if !plan {
		if err := a.TakeTrial(ctx, id, brake, own); err != nil {
			return err
		}
	}
	p, err := a.TrialPage(ctx, id)
	if err != nil {
		return err
	}
	return c.print(p, func() {
		fmt.Fprintf(c.out, "%s: %g / %g instead of %g / %g: %d merges, %d splits, %d records move\n", p.Entity, p.Link, p.Review, p.FromLink, p.FromReview, p.Merges, p.Splits, p.Moves)
		fmt.Fprintf(c.out, "golden records: %d new, %d changed, %d gone of %d\n", p.New, p.Changed, p.Gone, p.Records)
		for _, w := range p.Writes {
			fmt.Fprintf(c.out, "%s (%s): %d creates, %d updates\n", w.Target, w.System, w.Creates, w.Updates)
		}
		if plan {
			fmt.Fprintf(c.out, "trial %s is kept: approve it on the page, or with touchstone trial approve\n", p.ID)
		} else {
			fmt.Fprintln(c.out, "they are in force: every record is weighed anew with the next run")
		}
	})
}
