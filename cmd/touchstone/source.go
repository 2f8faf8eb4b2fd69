package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
)

func (c *cli) sourceCmd() *cobra.Command {
	cmd := group("source", "Decide what a source may do")
	allow := &cobra.Command{
		Use: "allow-deletes NAME", Short: "Let the records that stayed away from a source be deleted, once", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			if err := a.AllowDeletes(ctx, names[0], who()); err != nil {
				return err
			}
			return c.print(map[string]string{"allowed": names[0]}, func() {
				fmt.Fprintf(c.out, "what stayed away from %s is deleted with its next whole pass, if it stays away from that too\n", names[0])
			})
		}),
	}
	cmd.AddCommand(allow)
	return cmd
}
