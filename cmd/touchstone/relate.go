package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/record"
)

// relateCmds are the commands by which a person states how customers are related.
func (c *cli) relateCmds() []*cobra.Command {
	return []*cobra.Command{c.relationsAddCmd(), c.relationsEndCmd(), c.relationsListCmd(), c.chartCmd(), c.treeCmd()}
}

func (c *cli) relationsAddCmd() *cobra.Command {
	var b by
	var r app.Relate
	cmd := &cobra.Command{
		Use: "add A KIND B", Short: "State how two customers are related", Args: args(cobra.ExactArgs(3)),
		Long: "State how two customers are related: A's employer is B, A reports to B, A has a role in B's buying, A's parent is B, A is a branch of B …\n" +
			"A and B are golden ids, or source records: source:id or source/entity/id; the statement follows these through merges and splits.\n" +
			"Kinds: " + strings.Join(app.RelationKinds(), ", ") + ".",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			r.From, r.Kind, r.To = n[0], n[1], n[2]
			d, err := a.Relate(ctx, r, b.by())
			return c.stated(d, err)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&r.Title, "title", "", "of an employment, a partner, a supplier or a referral")
	f.StringVar(&r.Role, "role", "", "of kind role: "+strings.Join(record.BuyingRoles, ", "))
	f.StringVar(&r.Stance, "stance", "", "of kind stance: "+strings.Join(record.Stances, ", "))
	f.StringVar(&r.Share, "share", "", "of kind parent: what B holds of A, in percent")
	f.StringVar(&r.Since, "since", "", "the first day (2026-01-31)")
	f.StringVar(&r.Until, "until", "", "the last day")
	b.flags(f, true)
	return cmd
}

func (c *cli) relationsEndCmd() *cobra.Command {
	var b by
	var until string
	cmd := &cobra.Command{
		Use: "end DECISION", Short: "State that a relation holds no longer", Args: args(cobra.ExactArgs(1)),
		Long: "State that a relation holds no longer; what was so before stays so. A statement that was wrong is taken back with touchstone undo.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			d, err := a.EndRelation(ctx, n[0], until, b.by())
			return c.stated(d, err)
		}),
	}
	cmd.Flags().StringVar(&until, "until", "", "its last day (2026-01-31); without it, today")
	b.flags(cmd.Flags(), false)
	return cmd
}

// stated tells what a statement came to, which holds at once.
func (c *cli) stated(d app.Decided, err error) error {
	return c.told(d, err, "", "takes the place of")
}

func (c *cli) relationsListCmd() *cobra.Command {
	var at string
	var after int64
	var limit int
	cmd := &cobra.Command{
		Use: "list [ID|SOURCE/ENTITY/ID]", Short: "List relations of a customer, or all that people have stated", Args: args(cobra.MaximumNArgs(1)),
		Long: "List the relations of a golden record, from sources and from people; without one, all that people have stated.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			if err := someOf("--limit", limit); err != nil {
				return err
			}
			var list []app.Relation
			var err error
			var more bool
			last := int64(0)
			if len(n) == 1 {
				day, e := dayOf(at)
				if e != nil {
					return e
				}
				list, more, err = a.RelationsOf(ctx, n[0], day)
			} else {
				list, last, err = a.StatedRelations(ctx, after, limit)
			}
			if err != nil {
				return err
			}
			if err := c.saw(ctx, a, "relations", eachOf(list, func(r app.Relation) []string { return []string{r.A.ID, r.B.ID} })...); err != nil {
				return err
			}
			return c.print(list, func() {
				c.relationTable(list)
				if more {
					fmt.Fprintln(c.out, "there are more than are shown")
				}
				if len(list) == limit && last > 0 {
					fmt.Fprintf(c.out, "more: --after %d\n", last)
				}
			})
		}),
	}
	cmd.Flags().StringVar(&at, "at", "", "as of this day (2026-01-31); without it, today")
	cmd.Flags().Int64Var(&after, "after", 0, "begin behind the statement with this number")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many at most")
	return cmd
}

// dayOf checks a day of a flag.
func dayOf(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	t, err := app.ParseDate(text)
	if err != nil {
		return "", usageError{fmt.Errorf("--at: %w", err)}
	}
	return t.UTC().Format("2006-01-02"), nil
}

func (c *cli) relationTable(list []app.Relation) {
	if len(list) == 0 {
		fmt.Fprintln(c.out, "no relations are known")
		return
	}
	var rows [][]any
	for _, r := range list {
		words := r.Words()
		if r.Over {
			words = strings.TrimPrefix(words+", (not now)", ", ")
		}
		says := r.Source
		if r.Decision != "" {
			says = r.Who + " " + r.Decision
		}
		rows = append(rows, []any{endName(r.A), r.Kind, endName(r.B), words, says})
	}
	c.table([]string{"golden record", "", "golden record", "", "says"}, rows)
}

func endName(e app.End) string {
	if e.ID == "" {
		return e.Ref + " (not landed yet)"
	}
	return strings.TrimSpace(e.Name + " " + e.ID)
}

func (c *cli) chartCmd() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "chart COMPANY", Short: "Show a company's people by reporting line, with their parts in its buying", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			day, err := dayOf(at)
			if err != nil {
				return err
			}
			chart, err := a.OrgChart(ctx, n[0], day)
			if err != nil {
				return err
			}
			shown := []string{chart.Company.ID}
			chart.Walk(func(p *app.OrgNode, _ int) { shown = append(shown, p.ID) })
			if err := c.saw(ctx, a, "customer", shown...); err != nil {
				return err
			}
			return c.print(chart, func() {
				fmt.Fprintf(c.out, "%s, %s\n", endName(chart.Company), chart.Day)
				chart.Walk(func(p *app.OrgNode, depth int) {
					var parts []string
					if p.Title != "" {
						parts = append(parts, p.Title)
					}
					for _, r := range p.Roles {
						parts = append(parts, r.Role)
					}
					if p.Stance != nil {
						parts = append(parts, p.Stance.Stance)
					}
					fmt.Fprintln(c.out, strings.Repeat("  ", depth+1)+plain(strings.TrimSpace("- "+endName(p.End)+"  "+strings.Join(parts, ", "))))
				})
				for _, g := range chart.Gaps {
					fmt.Fprintln(c.out, "  ? "+plain(g.String()))
				}
			})
		}),
	}
	cmd.Flags().StringVar(&at, "at", "", "as of this day (2026-01-31); without it, today")
	return cmd
}

func (c *cli) treeCmd() *cobra.Command {
	var at string
	cmd := &cobra.Command{
		Use: "tree COMPANY", Short: "Show the group that a company belongs to, with shares and the sums of its events", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			day, err := dayOf(at)
			if err != nil {
				return err
			}
			tree, err := a.GroupTree(ctx, n[0], day)
			if err != nil {
				return err
			}
			var shown []string
			tree.Walk(func(g *app.GroupNode, _ int) { shown = append(shown, g.ID) })
			if err := c.saw(ctx, a, "customer", shown...); err != nil {
				return err
			}
			return c.print(tree, func() {
				var rows [][]any
				tree.Walk(func(g *app.GroupNode, depth int) {
					var sums []string
					for _, t := range g.Total {
						sums = append(sums, strings.TrimSpace(fmt.Sprintf("%d: %s %s", t.Count, t.Amount, t.Currency)))
					}
					rows = append(rows, []any{strings.Repeat("  ", depth) + endName(g.End), g.Kind, g.Share, g.Held, strings.Join(sums, "; ")})
				})
				c.table([]string{"golden record", "", "share %", "held by the top %", "events, with those below"}, rows)
				for _, e := range tree.Circle {
					fmt.Fprintf(c.out, "the parents of %s lead back to it: one link is left out\n", plain(endName(e)))
				}
			})
		}),
	}
	cmd.Flags().StringVar(&at, "at", "", "as of this day (2026-01-31); without it, today")
	return cmd
}
