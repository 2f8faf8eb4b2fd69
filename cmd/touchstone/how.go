package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
)

// howCmd explains a golden record as a whole; why explains a pair.
func (c *cli) howCmd() *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use: "explain GOLDEN|SOURCE/ENTITY/ID", Short: "Say how a golden record came together, step by step, what holds it and where it would part", Args: args(cobra.ExactArgs(1)),
		Long: "Say how a golden record came together: which records were united by which link or decision and in which order, which groups\nwere not united with it and why, its weakest link, the bridges without which it falls apart, and where it would part first.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			if lang == "" {
				lang = systemLang()
			}
			if err := oneOf("--lang", lang, []string{"en", "zh"}); err != nil {
				return err
			}
			h, err := a.How(ctx, n[0])
			if err != nil {
				return err
			}
			if err := c.saw(ctx, a, "explain", h.Golden); err != nil {
				return err
			}
			return c.print(h, func() {
				for _, s := range h.Sentences(lang) {
					fmt.Fprintln(c.out, plain(s))
				}
			})
		}),
	}
	cmd.Flags().StringVar(&lang, "lang", "", "en or zh; without it, by LANG")
	return cmd
}
