package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/web"
)

// planStopCmds stop and resume the writes to a target.
func (c *cli) planStopCmds() []*cobra.Command {
	make := func(use, short, done string, do func(*app.App, context.Context, string, web.By) error) *cobra.Command {
		var b by
		cmd := &cobra.Command{
			Use: use + " TARGET", Short: short, Args: args(cobra.ExactArgs(1)),
			RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
				if err := do(a, ctx, names[0], b.page()); err != nil {
					return err
				}
				return c.print(map[string]string{use: names[0]}, func() { fmt.Fprintf(c.out, done+"\n", names[0]) })
			}),
		}
		b.flags(cmd.Flags(), false)
		return cmd
	}
	return []*cobra.Command{
		make("stop", "Send nothing to a target until it is resumed", "nothing new is sent to %s; what is under way ends", (*app.App).StopTarget),
		make("resume", "Let a stopped target go on", "sending to %s goes on", (*app.App).GoOnTarget),
	}
}
