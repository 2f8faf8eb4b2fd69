package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/store"
)

func (c *cli) planCmd() *cobra.Command {
	var limit int
	var state string
	cmd := &cobra.Command{
		Use: "plan [TARGET]", Short: "Show what would be written: old → new, by system", Args: args(cobra.MaximumNArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			only := ""
			if len(names) == 1 {
				only = names[0]
			}
			if !slices.Contains(rowStates, state) {
				return usageError{fmt.Errorf("--state %s: want one of %s", state, strings.Join(rowStates, ", "))}
			}
			return c.plan(ctx, a, only, state, limit)
		}),
	}
	cmd.Flags().IntVar(&limit, "limit", 200, "how many writes of each target to show")
	cmd.Flags().StringVar(&state, "state", store.Pending, "show writes in this state instead of those to come: "+strings.Join(rowStates, ", "))
	var b by
	var upto int64
	approve := &cobra.Command{
		Use: "approve TARGET", Short: "Let a target's plan be written", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			if err := a.ApproveUpto(ctx, names[0], b.by().Who, b.why, upto); err != nil {
				return err
			}
			return c.print(map[string]string{"approved": names[0]}, func() {
				fmt.Fprintf(c.out, "the plan of %s is approved; it is written with the next touchstone run --once, or by the daemon\n", names[0])
			})
		}),
	}
	b.flags(approve.Flags(), false)
	approve.Flags().Int64Var(&upto, "upto", 0, "only as far as you saw: the number that the plan ends with")
	cmd.AddCommand(approve, c.retryCmd(), c.dropCmd())
	cmd.AddCommand(c.planStopCmds()...)
	return cmd
}

// rowStates are the states that plan can show.
var rowStates = []string{store.Pending, store.Inflight, store.Unknown, store.Delivered, store.Rejected, store.Conflicted, store.Dead, store.Superseded}

func (c *cli) plan(ctx context.Context, a *app.App, only, state string, limit int) error {
	if err := someOf("--limit", limit); err != nil {
		return err
	}
	plans, err := a.Plan(ctx, only, state, limit)
	if err != nil {
		return err
	}
	held := false
	for _, p := range plans {
		held = held || p.Held != ""
	}
	if err := c.saw(ctx, a, "plan", eachOf(plans, plannedGolden)...); err != nil {
		return err
	}
	err = c.print(plans, func() {
		if len(plans) == 0 {
			fmt.Fprintln(c.out, "no target is configured: nothing is ever written")
		}
		for _, p := range plans {
			fmt.Fprintf(c.out, "%s (%s of %s): %d creates, %d updates", p.Target, p.Entity, p.System, p.Creates, p.Updates)
			if p.LeftOut > 0 {
				fmt.Fprintf(c.out, ", %d golden records left out", p.LeftOut)
			}
			fmt.Fprintln(c.out)
			if p.Held != "" {
				fmt.Fprintln(c.out, "  "+p.Held)
			}
			var rows [][]any
			for _, w := range p.Writes {
				for i, f := range w.Fields {
					object := w.ExternalID
					if object == "" {
						object = "new: " + w.Golden
					}
					if i > 0 {
						object = ""
					}
					row := w.Row
					if i > 0 {
						row = ""
					}
					rows = append(rows, []any{row, object, f.Path, plainJSON(f.Old), "→", plainJSON(f.New), w.Problem})
				}
			}
			if len(rows) > 0 {
				c.table([]string{"row", "object", "field", "old", "", "new", "problem"}, rows)
			}
			if p.Upto > 0 && state == store.Pending {
				fmt.Fprintf(c.out, "  to approve what you see here and nothing behind it: touchstone plan approve %s --upto %d\n", p.Target, p.Upto)
			}
			if n := p.Creates + p.Updates - len(p.Writes); n > 0 {
				fmt.Fprintf(c.out, "  and %d more writes (--limit)\n", n)
			}
		}
	})
	if err == nil && held {
		return errPerson
	}
	return err
}

// plainJSON shows a JSON value to people: a text without its quotes, nothing for null.
func plainJSON(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil && len(raw) > 0 && raw[0] == '"' {
		return s
	}
	if string(raw) == "null" {
		return ""
	}
	return string(raw)
}
