package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/web"
)

func (c *cli) handoverCmd() *cobra.Command {
	var q web.HandoverQuery
	var b by
	var preview bool
	cmd := &cobra.Command{
		Use: "handover", Short: "Pass the customers of one owner to another, by one decision", Args: args(cobra.NoArgs),
		Long: `Pass the customers of one owner to another, by one decision: a pin on the field owner of each.
Without --from they are those of nobody. --preview changes nothing. undo takes all of it back, and handover show
is the certificate: each customer, what stood there, what stands there, and what became of the writes.`,
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			if q.To == "" {
				return usageError{errors.New("--to is missing: who the customers go to")}
			}
			p, err := a.PreviewHandover(ctx, q)
			if err != nil {
				return err
			}
			if preview {
				return c.print(p, func() { c.handoverPreview(p) })
			}
			id, err := a.HandOver(ctx, q, p.Token, web.By{Who: b.by().Who, Why: b.why})
			if err != nil {
				return err
			}
			return c.print(map[string]any{"decision": id, "customers": p.Customers}, func() {
				fmt.Fprintf(c.out, "%s: %s passed on; touchstone handover show %s\n", id, plural(p.Customers, "customer"), id)
			})
		}),
	}
	l := cmd.Flags()
	l.StringVar(&q.Entity, "entity", "company", "entity type")
	l.StringVar(&q.From, "from", "", "whose customers; those of nobody without it")
	l.StringVar(&q.To, "to", "", "who they go to")
	l.StringVar(&q.Source, "source", "", "only customers that this source has a record of")
	l.BoolVar(&preview, "preview", false, "only show how many customers and which systems are concerned")
	b.flags(l, false)
	var format string
	show := &cobra.Command{
		Use: "show DECISION", Short: "Show the certificate of a hand-over", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			return c.certificate(ctx, a, names[0], format)
		}),
	}
	show.Flags().StringVar(&format, "format", "text", "text or csv; --json has its own")
	cmd.AddCommand(show, &cobra.Command{Use: "list", Short: "List hand-overs, the newest first", Args: args(cobra.NoArgs), RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
		return c.handovers(ctx, a)
	})}, &cobra.Command{Use: "owners [ENTITY]", Short: "Count the customers of everybody", Args: args(cobra.MaximumNArgs(1)), RunE: c.withApp(c.owners)})
	return cmd
}

func (c *cli) handoverPreview(p web.HandoverPreview) {
	fmt.Fprintf(c.out, "%s of %s would go to %s\n", plural(p.Customers, "customer"), orNobody(p.From), p.To)
	for _, w := range p.Writes {
		fmt.Fprintf(c.out, "%s: at most %s\n", w.Name, plural(w.N, "write"))
	}
	for _, name := range p.Unwritten {
		fmt.Fprintf(c.out, "%s: not written, it has no field for the owner\n", name)
	}
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}

func (c *cli) owners(ctx context.Context, a *app.App, names []string) error {
	entity := "company"
	if len(names) == 1 {
		entity = names[0]
	}
	o, err := a.Owners(ctx, entity)
	if err != nil {
		return err
	}
	if err := c.saw(ctx, a, "owners", o.Entity); err != nil {
		return err
	}
	return c.print(o.Owners, func() {
		var rows [][]any
		for _, x := range o.Owners {
			rows = append(rows, []any{orNobody(x.Name), x.N})
		}
		c.table([]string{"owner", "customers"}, rows)
	})
}

func (c *cli) handovers(ctx context.Context, a *app.App) error {
	list, err := a.Handovers(ctx, 200)
	if err != nil {
		return err
	}
	return c.print(list, func() {
		var rows [][]any
		for _, h := range list {
			state := "in force"
			if h.Undone {
				state = "taken back"
			}
			rows = append(rows, []any{h.ID, h.Entity, orNobody(h.From), "→", h.To, h.Customers, state, h.Who, h.Why})
		}
		c.table([]string{"decision", "entity", "from", "", "to", "customers", "", "who", "why"}, rows)
	})
}

// certificate prints each customer of a hand-over.
func (c *cli) certificate(ctx context.Context, a *app.App, id, format string) error {
	if err := oneOf("--format", format, []string{"text", "csv"}); err != nil {
		return err
	}
	var head web.HandoverPage
	var parts []web.HandoverPart
	var ids []string
	err := a.EachHandedOver(ctx, id, func(p web.HandoverPage, x web.HandoverPart) error {
		head, parts = p, append(parts, x)
		if x.Golden != "" {
			ids = append(ids, x.Golden)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := c.saw(ctx, a, "handover", append(ids, id)...); err != nil {
		return err
	}
	head.Parts, head.Next = parts, ""
	if format == "csv" && !c.json {
		return web.WriteCertificate(c.out, head)
	}
	return c.print(head, func() {
		fmt.Fprintf(c.out, "%s → %s, %s: %s\n", orNobody(head.From), head.To, head.Who, head.Why)
		var rows [][]any
		for _, x := range parts {
			row := []any{x.N, x.Golden, x.Name, x.Before, x.Now}
			for _, w := range x.Writes {
				row = append(row, w.State)
			}
			rows = append(rows, row)
		}
		c.table(append([]string{"", "customer", "name", "before", "now"}, head.Targets...), rows)
	})
}
