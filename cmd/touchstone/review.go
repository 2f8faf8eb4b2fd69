package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"touchstone/internal/app"
	"touchstone/internal/web"
)

// questionFlags ask for open pairs.
type questionFlags struct{ q web.ReviewQuery }

func (f *questionFlags) add(l *pflag.FlagSet) {
	l.StringVar(&f.q.Entity, "entity", "", "only this entity type")
	l.StringVar(&f.q.Source, "source", "", "only pairs with a record of this source")
	l.StringVar(&f.q.Other, "other", "", "with --source: and one of this source")
	l.Float64Var(&f.q.From, "from", 0, "least probability, 0 to 1")
	l.Float64Var(&f.q.To, "to", 0, "greatest probability, 0 to 1")
	l.Float64Var(&f.q.Value, "value", 0, "least value of both customers, in the base currency")
	l.StringVar(&f.q.Kind, "kind", "", "why they were not merged: "+strings.Join(web.ReviewKinds, ", "))
	l.StringVar(&f.q.Assigned, "assigned", "", "whom they were given to: me, nobody, or an account")
	l.StringVar(&f.q.Due, "due", "", "overdue, today, or week")
	l.StringVar(&f.q.Text, "text", "", "a word of either customer, or an id")
}

func (c *cli) reviewCmd() *cobra.Command {
	var f questionFlags
	var account string
	cmd := &cobra.Command{
		Use: "review", Short: "List the pairs that wait for a person", Args: args(cobra.NoArgs),
		Long: "List the pairs of golden records that wait for a person, those first whose decision takes most off the expected loss:\n" +
			"the smaller of the losses that acting without asking risks, by probability, value and systems (docs/review.md).",
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			if err := someOf("--limit", f.q.Limit); err != nil {
				return err
			}
			f.q.Me = account
			if f.q.Me == "" {
				f.q.Me = who()
			}
			list, err := a.OpenPairs(ctx, f.q)
			if err != nil {
				return usage(err)
			}
			shown := app.ShowPairs(list)
			if err := c.sawPairs(ctx, a, shown.Pairs); err != nil {
				return err
			}
			return c.print(shown, func() { c.pairTable(shown) })
		}),
	}
	l := cmd.Flags()
	f.add(l)
	l.StringVar(&f.q.Order, "order", "", "which come first: "+strings.Join(web.ReviewOrders, ", "))
	l.BoolVar(&f.q.Today, "today", false, "only the pairs chosen for you today")
	l.BoolVar(&f.q.Proposed, "proposed", false, "only those that wait for a second account")
	l.BoolVar(&f.q.Skipped, "skipped", false, "only those that are put aside")
	l.IntVar(&f.q.Limit, "limit", 20, "how many at most")
	l.StringVar(&f.q.After, "after", "", "go on behind the place that the list before ended with")
	l.StringVar(&account, "who", "", "whose list; without it, who is at the keyboard")
	cmd.AddCommand(c.reviewBetweenCmd(), c.reviewStatsCmd(), c.reviewAnswerCmd(), c.reviewAssignCmd(), c.reviewSkipCmd(), c.reviewNoteCmd(), c.reviewBulkCmd())
	return cmd
}

// sawPairs keeps that these pairs are shown.
func (c *cli) sawPairs(ctx context.Context, a *app.App, list []app.ShownPair) error {
	return c.saw(ctx, a, "review", eachOf(list, func(p app.ShownPair) []string { return []string{p.A.Golden, p.B.Golden} })...)
}

func (c *cli) pairTable(p app.ShownPairs) {
	if len(p.Pairs) == 0 {
		fmt.Fprintln(c.out, "no such pair waits for a person")
	} else {
		c.pairRows(p.Pairs)
	}
	fmt.Fprintf(c.out, "%s wait in all\n", plural(p.Open, "pair"))
	if p.Next != "" {
		fmt.Fprintf(c.out, "go on with --after %s\n", p.Next)
	}
}

func (c *cli) pairRows(list []app.ShownPair) {
	var rows [][]any
	for _, x := range list {
		mark := x.Kind
		if x.Proposed != "" {
			mark += ", " + x.Proposer + " says " + x.Proposed
		}
		if x.Assigned != "" {
			mark += ", " + x.Assigned
		}
		rows = append(rows, []any{x.ID, x.A.Record, x.A.Name, x.B.Record, x.B.Name, fmt.Sprintf("%.3f", x.Probability), fmt.Sprintf("%.2f", x.Value), fmt.Sprintf("%.2f", x.Damage), mark})
	}
	c.table([]string{"pair", "record", "", "record", "", "probability", "value", "damage", ""}, rows)
}

func (c *cli) reviewStatsCmd() *cobra.Command {
	var account, entity string
	var minutes int
	cmd := &cobra.Command{
		Use: "stats", Short: "Tell what waits, and what your time removes of the expected loss", Args: args(cobra.NoArgs),
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			if account == "" {
				account = who()
			}
			s, err := a.ReviewStats(ctx, account, entity, minutes)
			if err != nil {
				return usage(err)
			}
			shown := app.ShowStats(s)
			return c.print(shown, func() {
				fmt.Fprintf(c.out, "%s wait, expected loss %.2f %s\n", plural(s.Open, "pair"), s.Damage, s.Currency)
				fmt.Fprintf(c.out, "%s: the %s chosen for today remove %.0f %% of it; %d are decided\n", plural(s.Minutes, "minute"), plural(s.Decisions, "pair"), 100*s.Removes, s.Decided)
				how := "the usual time: of you too few decisions are measured"
				if s.Measured > 0 {
					how = "the median of your recent ones"
				}
				fmt.Fprintf(c.out, "a decision takes %.1f seconds, %s\n", s.Seconds, how)
				fmt.Fprintf(c.out, "%d given to you, %d overdue, %d wait for a second account, %d put aside\n", s.Mine, s.Overdue, s.Second, s.Skipped)
			})
		}),
	}
	cmd.Flags().StringVar(&account, "who", "", "whose time; without it, who is at the keyboard")
	cmd.Flags().StringVar(&entity, "entity", "", "only this entity type")
	cmd.Flags().IntVar(&minutes, "minutes", 0, "the time there is; review.minutes of the configuration when left out")
	return cmd
}

func (c *cli) reviewAnswerCmd() *cobra.Command {
	var b by
	cmd := &cobra.Command{
		Use: "answer PAIR same|apart|unsure", Short: "Decide a pair of the list", Args: args(cobra.ExactArgs(2)),
		Long: "Decide a pair by its name in the list, 12-40. Where review.two_persons asks for two, the answer is kept, and takes effect when\nanother account gives the same.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			out, err := a.AnswerPair(ctx, web.PairAnswer{ID: n[0], Answer: n[1], Over: b.over}, b.page())
			if err != nil {
				return usage(err)
			}
			shown := app.ShowOutcome(out)
			if err := c.print(shown, func() {
				fmt.Fprintf(c.out, "%s %s\n", plain(shown.State), plain(strings.TrimSpace(shown.Decision+" "+shown.Text)))
				if out.State == web.OutcomeDecided {
					fmt.Fprintf(c.out, "  touchstone undo %s takes it back\n", out.Decision)
				}
			}); err != nil {
				return err
			}
			if out.State != web.OutcomeDecided && out.State != web.OutcomeProposed {
				return errPerson
			}
			return nil
		}),
	}
	b.flags(cmd.Flags(), true)
	return cmd
}

// pairWork is a command that does something about a pair.
func (c *cli) pairWork(use, short string, n cobra.PositionalArgs, more func(*pflag.FlagSet), do func(context.Context, *app.App, []string, web.By) error) *cobra.Command {
	var b by
	cmd := &cobra.Command{
		Use: use, Short: short, Args: args(n),
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			if err := do(ctx, a, n, b.page()); err != nil {
				return usage(err)
			}
			return c.print(map[string]string{"pair": n[0]}, func() { fmt.Fprintln(c.out, "kept") })
		}),
	}
	b.flags(cmd.Flags(), false)
	if more != nil {
		more(cmd.Flags())
	}
	return cmd
}

func (c *cli) reviewAssignCmd() *cobra.Command {
	var due string
	return c.pairWork("assign PAIR [ACCOUNT]", "Give a pair to somebody, or to nobody", cobra.RangeArgs(1, 2),
		func(l *pflag.FlagSet) { l.StringVar(&due, "due", "", "to be decided by then (2026-12-31, UTC)") },
		func(ctx context.Context, a *app.App, n []string, by web.By) error {
			if due != "" {
				at, err := app.ParseDate(due)
				if err != nil {
					return usageError{fmt.Errorf("--due: %w", err)}
				}
				if err := a.DuePair(ctx, n[0], at, by); err != nil {
					return err
				}
			}
			return a.AssignPair(ctx, n[0], strings.Join(n[1:], ""), by)
		})
}

func (c *cli) reviewSkipCmd() *cobra.Command {
	var until string
	return c.pairWork("skip PAIR", "Put a pair aside until a day, or take it back", cobra.ExactArgs(1),
		func(l *pflag.FlagSet) {
			l.StringVar(&until, "until", "", "the last day (2026-12-31, UTC); left out takes it back")
		},
		func(ctx context.Context, a *app.App, n []string, by web.By) error {
			var at time.Time
			if until != "" {
				var err error
				if at, err = app.ParseDate(until); err != nil {
					return usageError{fmt.Errorf("--until: %w", err)}
				}
			}
			return a.SkipPair(ctx, n[0], at, by)
		})
}

func (c *cli) reviewNoteCmd() *cobra.Command {
	return c.pairWork("note PAIR TEXT", "Keep a comment on a pair", cobra.ExactArgs(2), nil,
		func(ctx context.Context, a *app.App, n []string, by web.By) error {
			return a.NotePair(ctx, n[0], n[1], by)
		})
}
