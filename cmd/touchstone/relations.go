package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/matching"
)

func (c *cli) relationsCmd() *cobra.Command {
	cmd := group("relations", "State how customers are related, and look at who may be")
	var q app.RelationQuery
	list := &cobra.Command{
		Use: "possible", Short: "List who may belong together without being one customer", Args: args(cobra.NoArgs),
		Long: "List who may belong together without being one customer: a branch and its head company, companies of one group, a household, and who\n" +
			"shares a phone or an address that few use. They are proposals made from the records as they are now; nothing is merged by them.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			if q.Kind != "" {
				if err := oneOf("--kind", q.Kind, matching.RelationKinds()); err != nil {
					return err
				}
			}
			if q.Entity != "" {
				if err := oneOf("--entity", q.Entity, a.EntityNames()); err != nil {
					return err
				}
			}
			if err := someOf("--limit", q.Limit); err != nil {
				return err
			}
			if q.Golden != "" && q.Entity != "" {
				return usageError{errors.New("--golden says which entity type it is: leave --entity out")}
			}
			list, more, err := a.PossibleRelations(ctx, q)
			if err != nil {
				return err
			}
			if list == nil {
				list = []app.PossibleRelation{}
			}
			if err := c.saw(ctx, a, "relations", eachOf(list, func(r app.PossibleRelation) []string { return []string{r.A, r.B} })...); err != nil {
				return err
			}
			return c.print(list, func() { c.relations(list, more) })
		}),
	}
	list.Flags().StringVar(&q.Golden, "golden", "", "only those of this golden record, by its id or as SOURCE/ENTITY/ID")
	list.Flags().StringVar(&q.Entity, "entity", "", "only this entity type")
	list.Flags().StringVar(&q.Kind, "kind", "", "only "+strings.Join(matching.RelationKinds(), ", "))
	list.Flags().IntVar(&q.Limit, "limit", 100, "how many at most")
	cmd.AddCommand(c.relateCmds()...)
	cmd.AddCommand(list)
	return cmd
}

func (c *cli) relations(list []app.PossibleRelation, more bool) {
	if len(list) == 0 {
		fmt.Fprintln(c.out, "no possible relations are seen")
		return
	}
	var rows [][]any
	for _, r := range list {
		var shared []string
		for _, e := range r.Evidence {
			text := e.Field
			if e.A != "" {
				text += " " + e.A
			}
			shared = append(shared, text)
		}
		rows = append(rows, []any{r.NameA, r.A, r.Kind, r.NameB, r.B, strings.Join(shared, "; "), r.Apart})
	}
	c.table([]string{"", "golden record", "may be", "", "golden record", "both have", "two, because"}, rows)
	if more {
		fmt.Fprintf(c.out, "the first %d; --limit shows more\n", len(list))
	}
}
