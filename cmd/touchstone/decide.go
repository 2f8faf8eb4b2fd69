package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"touchstone/internal/app"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// by reads who decides and why.
type by struct {
	who, why string
	over     bool
}

func (b *by) flags(f *pflag.FlagSet, over bool) {
	f.StringVar(&b.who, "who", "", "who decides; without it, who is at the keyboard")
	f.StringVar(&b.why, "why", "", "reason, kept with the decision")
	if over {
		f.BoolVar(&b.over, "over", false, "withdraw the earlier decisions that stand against it")
	}
}

func (b *by) by() app.By {
	if b.who == "" {
		b.who = who()
	}
	return app.By{Who: b.who, Why: b.why, Over: b.over}
}

// page is by, for what the pages do too.
func (b *by) page() web.By {
	x := b.by()
	return web.By{Who: x.Who, Why: x.Why}
}

// decideCmds are the commands by which a person decides.
func (c *cli) decideCmds() []*cobra.Command {
	return []*cobra.Command{
		c.mergeCmd(), c.splitCmd(), c.pinCmd(), c.unpinCmd(), c.unsureCmd(), c.undoCmd(), c.decisionsCmd(), c.whyCmd(), c.howCmd(), c.relationsCmd(),
		c.reviewCmd(), c.rulingsCmd(), c.valuesCmd(), c.textCmd(),
	}
}

func (c *cli) mergeCmd() *cobra.Command {
	var b by
	var look bool
	cmd := &cobra.Command{
		Use: "merge A B", Short: "Decide that two golden records are one customer", Args: args(cobra.ExactArgs(2)),
		Long: "Decide that two golden records are one customer: every record of the one and of the other, as they stand now.\nA and B are golden ids, or source records: source:id or source/entity/id. The decision overrides vetoes and weights.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			if look {
				p, err := a.PreviewMerge(ctx, n[0], n[1], b.by())
				return c.previewed(ctx, a, p, err)
			}
			d, err := a.Merge(ctx, n[0], n[1], b.by())
			return c.decided(d, err)
		}),
	}
	previewFlag(cmd.Flags(), &look)
	b.flags(cmd.Flags(), true)
	return cmd
}

func (c *cli) splitCmd() *cobra.Command {
	var b by
	var from string
	var look bool
	cmd := &cobra.Command{
		Use: "split RECORD… --from GOLDEN", Short: "Decide that source records are another customer than the rest", Args: args(cobra.MinimumNArgs(1)),
		Long: "Take source records out of a golden record. They stay together with each other, and apart from the rest, whatever the evidence says.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, records []string) error {
			if from == "" {
				return usageError{errors.New("--from is missing: the golden record they leave")}
			}
			if look {
				p, err := a.PreviewSplit(ctx, records, from, b.by())
				return c.previewed(ctx, a, p, err)
			}
			d, err := a.Split(ctx, records, from, b.by())
			return c.decided(d, err)
		}),
	}
	cmd.Flags().StringVar(&from, "from", "", "the golden record they leave")
	previewFlag(cmd.Flags(), &look)
	b.flags(cmd.Flags(), true)
	return cmd
}

func (c *cli) pinCmd() *cobra.Command {
	var b by
	var until, pick string
	var look bool
	cmd := &cobra.Command{
		Use: "pin GOLDEN FIELD [VALUE]", Short: "Decide the value of a field", Args: args(cobra.RangeArgs(2, 3)),
		Long: "Pin a field of a golden record to a value. It wins over every source, whatever they say later.\nOf a list VALUE is one entry's text, or JSON: [{\"value\": \"…\", \"kind\": \"work\"}].\nCodes, dates, telephone numbers, addresses and numbers of registers are taken in the form in which they are written: UK as GB, 31.12.2020 as 2020-12-31. What is none is refused.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			r := app.PinRequest{Golden: n[0], Field: n[1], Pick: pick}
			switch {
			case len(n) == 3 && pick != "" || len(n) == 2 && pick == "":
				return usageError{errors.New("say the value, or --pick the source record to take it from")}
			case len(n) == 3:
				r.Value = n[2]
			}
			if until != "" {
				t, err := app.ParseDate(until)
				if err != nil {
					return usageError{fmt.Errorf("--until: %w", err)}
				}
				r.Until = t
			}
			if look && pick != "" {
				return usageError{errors.New("--preview shows what a typed value is taken as; --pick takes it as it is")}
			}
			if look {
				p, err := a.PreviewPin(ctx, r)
				if err != nil {
					return err
				}
				return c.print(p, func() { fmt.Fprintf(c.out, "%s: taken as %s\n", p.Field, plain(p.As)) })
			}
			d, err := a.Pin(ctx, r, b.by())
			return c.decided(d, err)
		}),
	}
	cmd.Flags().BoolVar(&look, "preview", false, "show what the value would be taken as, and pin nothing")
	cmd.Flags().StringVar(&until, "until", "", "the pin's last day (2026-12-31, UTC), or the time it ends")
	cmd.Flags().StringVar(&pick, "pick", "", "take the value that this source record has")
	b.flags(cmd.Flags(), true)
	return cmd
}

func (c *cli) unpinCmd() *cobra.Command {
	var b by
	cmd := &cobra.Command{
		Use: "unpin GOLDEN FIELD", Short: "Let the sources decide a field again", Args: args(cobra.ExactArgs(2)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			d, err := a.Unpin(ctx, n[0], n[1], b.by())
			return c.decided(d, err)
		}),
	}
	b.flags(cmd.Flags(), false)
	return cmd
}

func (c *cli) unsureCmd() *cobra.Command {
	var b by
	cmd := &cobra.Command{
		Use: "unsure A B", Short: "Take a pair out of the queue that nobody can tell", Args: args(cobra.ExactArgs(2)),
		Long: "Take two golden records out of the queue, without any effect on them. They come back when an identifying field of either changes.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			d, err := a.Unsure(ctx, n[0], n[1], b.by())
			return c.decided(d, err)
		}),
	}
	b.flags(cmd.Flags(), true)
	return cmd
}

func (c *cli) undoCmd() *cobra.Command {
	var b by
	var look bool
	cmd := &cobra.Command{
		Use: "undo DECISION", Short: "Take a decision back, also an undo", Args: args(cobra.ExactArgs(1)),
		Long: "Take a decision back, whatever was decided since: what it said holds no more, later decisions stay in force.\nA later merge holds with the record that was named in it. What would stand against later decisions is refused with their names.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			if look {
				p, err := a.PreviewUndo(ctx, n[0], b.by())
				return c.previewed(ctx, a, p, err)
			}
			d, err := a.Undo(ctx, n[0], b.by())
			return c.decided(d, err)
		}),
	}
	previewFlag(cmd.Flags(), &look)
	b.flags(cmd.Flags(), false)
	return cmd
}

// decided tells what a decision about records came to.
func (c *cli) decided(d app.Decided, err error) error {
	return c.told(d, err, "; it takes effect with the next touchstone run --once, or by the daemon within a minute", "takes out of force")
}

// told says what a decision came to, when it takes effect, and what becomes of
// the earlier ones. One that was refused needs a person.
func (c *cli) told(d app.Decided, err error, when, withdrew string) error {
	var against *store.Contradiction
	switch {
	case errors.As(err, &against):
		refused := map[string]any{"refused": err.Error(), "earlier": against.Earlier}
		if err := c.print(refused, func() {
			fmt.Fprintf(c.out, "refused: %s\nundo them first, or say --over to withdraw them\n", plain(err.Error()))
		}); err != nil {
			return err
		}
		return errPerson
	case err != nil:
		return err
	}
	return c.print(d, func() {
		if d.Existing {
			fmt.Fprintf(c.out, "%s (%s) says so already; nothing has changed\n", d.Decision, d.Kind)
			return
		}
		fmt.Fprintf(c.out, "%s %s%s\n", d.Kind, d.Decision, when)
		if d.TakenAs != "" {
			fmt.Fprintf(c.out, "  taken as %s\n", plain(d.TakenAs))
		}
		if len(d.Withdrew) > 0 {
			fmt.Fprintf(c.out, "  %s: %s\n", withdrew, strings.Join(d.Withdrew, ", "))
		}
		if d.Kind != store.Undone {
			fmt.Fprintf(c.out, "  touchstone undo %s takes it back\n", d.Decision)
		}
	})
}

func (c *cli) decisionsCmd() *cobra.Command {
	cmd := group("decisions", "Look at what people have decided")
	var state string
	var limit int
	var after int64
	list := &cobra.Command{
		Use: "list", Short: "List decisions with their state", Args: args(cobra.NoArgs),
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			if err := oneOf("--state", state, app.DecisionStates); err != nil {
				return err
			}
			if err := someOf("--limit", limit); err != nil {
				return err
			}
			list, err := a.Decisions(ctx, state, after, limit)
			if err != nil {
				return err
			}
			if err := c.saw(ctx, a, "decisions", eachOf(list, func(d app.ShownDecision) []string { return []string{d.ID} })...); err != nil {
				return err
			}
			return c.print(list, func() { c.decisionTable(list) })
		}),
	}
	list.Flags().StringVar(&state, "state", "", "only these: "+strings.Join(app.DecisionStates, ", "))
	list.Flags().IntVar(&limit, "limit", 100, "how many at most")
	list.Flags().Int64Var(&after, "after", 0, "begin behind the decision with this number")
	cmd.AddCommand(list)
	return cmd
}

func oneOf(flag, value string, known []string) error {
	for _, k := range known {
		if k == value {
			return nil
		}
	}
	if value == "" {
		return nil
	}
	return usageError{fmt.Errorf("%s %s: want one of %s", flag, value, strings.Join(known, ", "))}
}

// someOf refuses a length of a list that shows nothing.
func someOf(flag string, n int) error {
	if n < 1 {
		return usageError{fmt.Errorf("%s is %d, want 1 or more", flag, n)}
	}
	return nil
}

func (c *cli) decisionTable(list []app.ShownDecision) {
	if len(list) == 0 {
		fmt.Fprintln(c.out, "nothing has been decided")
		return
	}
	var rows [][]any
	for _, d := range list {
		about := strings.Join(d.Records, " ")
		if d.Field != "" {
			about = d.Field + " = " + d.Value + " on " + about
		}
		if d.Values > 0 {
			about = d.Field + ": " + strings.Join(d.From, ", ") + " → " + d.Value
		}
		if len(d.Withdraws) > 0 {
			about = strings.TrimSpace(about + " withdraws " + strings.Join(d.Withdraws, " "))
		}
		if d.More > 0 {
			about += fmt.Sprintf(" and %d more", d.More)
		}
		state := d.State
		if d.WithdrawnBy != "" {
			state += " by " + d.WithdrawnBy
		}
		if d.Until != "" && d.Withdrawn == "" {
			state += " until " + d.Until
		}
		if d.Problem != "" {
			state += ": " + d.Problem
		}
		rows = append(rows, []any{d.Seq, d.ID, d.Kind, state, d.Who, day(d.At), about, d.Why})
	}
	c.table([]string{"no.", "decision", "", "state", "by", "at", "about", "why"}, rows)
}

// day shortens a stored time for people.
func day(at string) string {
	t, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return at
	}
	return t.Format("2006-01-02 15:04")
}
