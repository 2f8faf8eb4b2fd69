package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
)

// mostBetween bounds one list.
const mostBetween = 1000

func (c *cli) reviewBetweenCmd() *cobra.Command {
	var entity string
	var limit int
	cmd := &cobra.Command{
		Use: "between", Short: "List the source records that could belong to two golden records", Args: args(cobra.NoArgs),
		Long: "List the source records that could belong to two golden records and stand in one: both pairs are at or above the link threshold, or\n" +
			"the second is within three bits of the first. The most doubtful come first.\ntouchstone merge and split decide; a decided one is not listed again.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			names := a.EntityNames()
			if err := oneOf("--entity", entity, names); err != nil {
				return err
			}
			if limit < 1 || limit > mostBetween {
				return usageError{fmt.Errorf("--limit is %d, want 1 to %d", limit, mostBetween)}
			}
			list, more := []app.BetweenTwo{}, false
			for _, name := range names {
				if entity != "" && entity != name {
					continue
				}
				for after := int64(0); len(list) < mostBetween; {
					found, next, err := a.Betweens(ctx, name, after, mostBetween-len(list))
					if err != nil {
						return err
					}
					list = append(list, found...)
					if after = next; next == 0 {
						break
					}
					more = len(list) == mostBetween
				}
			}
			app.MostDoubtful(list)
			if len(list) > limit { // only now: the first found are not the most doubtful
				list, more = list[:limit], true
			}
			if err := c.saw(ctx, a, "review", eachOf(list, func(b app.BetweenTwo) []string { return []string{b.First.Golden, b.Second.Golden} })...); err != nil {
				return err
			}
			return c.print(list, func() { c.between(list, more) })
		}),
	}
	cmd.Flags().StringVar(&entity, "entity", "", "only this entity type")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many at most")
	return cmd
}

func (c *cli) between(list []app.BetweenTwo, more bool) {
	if len(list) == 0 {
		fmt.Fprintln(c.out, "no record stands between two golden records; touchstone review lists the pairs that wait")
		return
	}
	var rows [][]any
	for _, b := range list {
		side := func(s app.BetweenSide) string {
			text := fmt.Sprintf("%s by %s, %.1f bits", s.Golden, s.Record, s.Weight)
			if s.Golden == b.Golden {
				text += " (stands here)"
			}
			return text
		}
		rows = append(rows, []any{b.Record, side(b.First), side(b.Second)})
	}
	c.table([]string{"source record", "may belong to", "or to"}, rows)
	if more {
		fmt.Fprintf(c.out, "the first %d; --limit shows more\n", len(list))
	}
}
