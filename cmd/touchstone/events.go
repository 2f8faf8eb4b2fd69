package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/web"
)

func (c *cli) eventsCmd() *cobra.Command {
	cmd := group("events", "Look at what happened to customers")
	var q app.EventQuery
	list := &cobra.Command{
		Use: "list [ID|SOURCE/ENTITY/ID]", Short: "List events, newest first, of all or of one golden record", Args: args(cobra.MaximumNArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, ids []string) error {
			if len(ids) == 1 {
				q.Golden = ids[0]
			}
			return c.eventsList(ctx, a, q)
		}),
	}
	f := list.Flags()
	f.StringVar(&q.Source, "source", "", "only of this source")
	f.StringVar(&q.Kind, "kind", "", "only of this name in the configuration")
	f.StringVar(&q.Type, "type", "", "only of this type")
	f.StringVar(&q.Before, "before", "", "only behind this place of an earlier list")
	f.BoolVar(&q.Faulty, "quarantined", false, "those that did not pass, with their reasons")
	f.IntVar(&q.Limit, "limit", 50, "how many at most")
	cmd.AddCommand(list)
	return cmd
}

func (c *cli) eventsList(ctx context.Context, a *app.App, q app.EventQuery) error {
	if err := someOf("--limit", q.Limit); err != nil {
		return err
	}
	list, err := a.Events(ctx, q)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		if err := sourceThere(a, q.Source); err != nil {
			return err
		}
	}
	if err := c.saw(ctx, a, "events", eachOf(list, func(e app.ShownEvent) []string { return []string{e.Place} })...); err != nil {
		return err
	}
	return c.print(list, func() {
		if q.Faulty {
			var rows [][]any
			for _, e := range list {
				for i, r := range e.Reasons {
					name := e.Source + " " + e.Kind + " " + e.ID
					if i > 0 {
						name = ""
					}
					rows = append(rows, []any{name, r.Field, r.Value, web.Told(r.Text), r.Remedy})
				}
			}
			c.table([]string{"event", "field", "value", "what is wrong", "how to mend it"}, rows)
			return
		}
		rows := make([][]any, len(list))
		for i, e := range list {
			of := strings.Join(e.Of, ", ")
			if e.Waiting {
				of += " (not landed yet)"
			}
			rows[i] = []any{e.At, e.Type, strings.TrimSpace(e.Amount + " " + e.Currency), e.Channel, e.Status, e.Subject, of, e.Source + " " + e.ID}
		}
		if len(rows) == 0 {
			fmt.Fprintln(c.out, "there are no events; sources of the configuration give them below events:")
			return
		}
		c.table([]string{"at", "type", "amount", "channel", "status", "subject", "of", "event"}, rows)
		if len(list) == q.Limit && len(list) > 0 {
			fmt.Fprintf(c.out, "more: --before %s\n", list[len(list)-1].Place)
		}
	})
}

// showAround prints what stands around a golden record: its relations and the
// numbers of its events.
func (c *cli) showAround(s app.ShownAround) {
	var rows [][]any
	for _, e := range s.Relations {
		other := e.Golden
		if other == "" {
			other = "(not landed yet)"
		}
		detail := []string{}
		for _, d := range []string{e.Title, e.Role, e.Stance} {
			if d != "" {
				detail = append(detail, d)
			}
		}
		if e.Share != "" {
			detail = append(detail, e.Share+" %")
		}
		if e.Since != "" || e.Until != "" {
			detail = append(detail, e.Since+"…"+e.Until)
		}
		rows = append(rows, []any{e.Direction, e.Kind, other, e.Name, strings.Join(detail, ", "), e.Says})
	}
	if len(rows) > 0 {
		c.table([]string{"", "relation", "golden record", "name", "", "says"}, rows)
	}
	rows = nil
	for _, t := range s.Events {
		rows = append(rows, []any{t.Type, t.Count, strings.TrimSpace(t.Amount + " " + t.Currency), t.First, t.Last})
	}
	if len(rows) > 0 {
		c.table([]string{"events", "", "amount", "first", "last"}, rows)
	}
}
