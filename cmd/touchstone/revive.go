package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/store"
)

func (c *cli) retryCmd() *cobra.Command {
	var b by
	var state, target string
	cmd := &cobra.Command{
		Use: "retry ROW…|--state STATE", Short: "Plan writes again that were refused, in conflict or given up",
		RunE: c.withApp(func(ctx context.Context, a *app.App, rows []string) error {
			if (len(rows) == 0) == (state == "") {
				return usageError{errors.New("name the rows, or all of a state with --state")}
			}
			if err := oneOf("--state", state, app.RevivedStates); err != nil {
				return err
			}
			var n int
			var err error
			if state != "" {
				n, err = a.RetryAll(ctx, target, state, b.by().Who, b.why)
			} else {
				n, err = a.Retry(ctx, rows, b.by().Who, b.why)
			}
			return c.revived("planned again with the next run", n, err)
		}),
	}
	cmd.Flags().StringVar(&state, "state", "", "all in this state: "+strings.Join(app.RevivedStates, ", "))
	cmd.Flags().StringVar(&target, "target", "", "with --state: only of this target")
	b.flags(cmd.Flags(), false)
	return cmd
}

func (c *cli) dropCmd() *cobra.Command {
	var b by
	cmd := &cobra.Command{
		Use: "drop ROW…", Short: "Take writes out of the queue; the same is not planned again until something changes", Args: args(cobra.MinimumNArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, rows []string) error {
			n, err := a.Drop(ctx, rows, b.by().Who, b.why)
			return c.revived("dropped", n, err)
		}),
	}
	b.flags(cmd.Flags(), false)
	return cmd
}

func (c *cli) revived(what string, n int, err error) error {
	var wrong *store.WrongState
	if errors.As(err, &wrong) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	return c.print(map[string]int{"rows": n}, func() { fmt.Fprintf(c.out, "%d writes: %s\n", n, what) })
}
