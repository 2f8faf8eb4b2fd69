package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/audit"
	"touchstone/internal/record"
	"touchstone/internal/store"
)

func lookupEnv(name string) string { return os.Getenv(name) }

// who names the person at the keyboard for the audit trail.
func who() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "command line"
}

// withApp runs fn on the installation, beside a daemon that may be running.
func (c *cli) withApp(fn func(context.Context, *app.App, []string) error) func(*cobra.Command, []string) error {
	return c.with(true, fn)
}

// withQuietApp runs fn on the installation while no daemon works on it.
func (c *cli) withQuietApp(fn func(context.Context, *app.App, []string) error) func(*cobra.Command, []string) error {
	return c.with(false, fn)
}

func (c *cli) with(shared bool, fn func(context.Context, *app.App, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, a []string) error {
		app, err := c.open(cmd.Context(), shared)
		if err != nil {
			return err
		}
		defer c.close(app)
		return found(app, fn(audit.With(cmd.Context(), audit.By{Role: "local"}), app, a))
	}
}

// group is a command that only has subcommands: without a known one it is used
// wrongly.
func group(use, short string) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return noCommand(cmd, args[0])
		}
		return usageError{fmt.Errorf("%s wants a command; see touchstone %s --help", use, use)}
	}}
}

func (c *cli) goldenCmd() *cobra.Command {
	cmd := group("golden", "Look at golden records")
	var entity, at string
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "List golden records", Args: args(cobra.NoArgs),
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error { return c.goldenList(ctx, a, entity, limit) }),
	}
	list.Flags().StringVar(&entity, "entity", "", "only this entity type")
	list.Flags().IntVar(&limit, "limit", 50, "how many at most")
	show := &cobra.Command{
		Use: "show ID|SOURCE/ENTITY/ID", Short: "Show a golden record with the origin of every field", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, ids []string) error {
			if at != "" {
				return c.goldenAt(ctx, a, ids[0], at)
			}
			return c.goldenShow(ctx, a, ids[0])
		}),
	}
	show.Flags().StringVar(&at, "at", "", "as it was at the end of this day (2026-01-31, UTC), or at this time")
	explain := &cobra.Command{
		Use: "explain ID|SOURCE/ENTITY/ID", Short: "Say why its source records are one customer", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, ids []string) error { return c.goldenExplain(ctx, a, ids[0]) }),
	}
	cmd.AddCommand(list, show, explain, c.historyCmd(), c.diffCmd())
	return cmd
}

func (c *cli) goldenList(ctx context.Context, a *app.App, entity string, limit int) error {
	if err := someOf("--limit", limit); err != nil {
		return err
	}
	list, err := a.Store.GoldenList(ctx, store.GoldenFilter{Entity: entity, Limit: limit})
	if err != nil {
		return err
	}
	type item struct {
		ID      string          `json:"id"`
		Entity  string          `json:"entity"`
		Members int             `json:"members"`
		Fields  json.RawMessage `json:"fields"`
	}
	items := []item{}
	var rows [][]any
	for _, g := range list {
		var f record.Fields
		if err := json.Unmarshal(g.Fields, &f); err != nil {
			return err
		}
		items = append(items, item{g.ID, g.Entity, g.Members, g.Fields})
		rows = append(rows, []any{g.ID, g.Entity, app.DisplayName(g.Entity, f), g.Members})
	}
	if err := c.saw(ctx, a, "list", eachOf(items, func(i item) []string { return []string{i.ID} })...); err != nil {
		return err
	}
	return c.print(items, func() {
		if len(rows) == 0 {
			fmt.Fprintln(c.out, "there are no golden records yet; touchstone run --once makes them")
			return
		}
		c.table([]string{"id", "entity", "name", "records"}, rows)
		if len(rows) == limit {
			fmt.Fprintf(c.out, "the first %d; --limit shows more, touchstone export writes all\n", limit)
		}
	})
}

func (c *cli) goldenShow(ctx context.Context, a *app.App, id string) error {
	s, err := a.Golden(ctx, id)
	if err != nil {
		return err
	}
	around, err := a.Around(ctx, id)
	if err != nil {
		return err
	}
	all := struct {
		app.Shown
		app.ShownAround
	}{s, around}
	if err := c.saw(ctx, a, "customer", s.ID); err != nil {
		return err
	}
	return c.print(all, func() {
		fmt.Fprintf(c.out, "%s  %s  version %d, changed %s\n", s.ID, s.Entity, s.Version, s.ChangedAt)
		c.moved(id, s)
		var rows [][]any
		for _, name := range s.Fields.Names() {
			p := s.Provenance[name]
			rows = append(rows, []any{name, app.ShowValue(s.Fields[name]), strings.Join(p.From, ", "), p.Rule})
			if len(p.Maps) > 0 {
				rows = append(rows, []any{"", strings.TrimSpace("  counted so by " + strings.Join(p.Maps, ", ")), "", ""})
			}
			if p.Was != "" {
				rows = append(rows, []any{"", "  there: " + p.Was, strings.Join(p.From, ", "), ""})
			}
			for _, l := range p.Losers {
				rows = append(rows, []any{"", "  not: " + app.ShowValue(l.Value), l.From, ""})
			}
		}
		c.table([]string{"field", "value", "from", "by"}, rows)
		rows = nil
		for _, m := range s.Members {
			state := "live"
			if !m.Live {
				state = "deleted"
			}
			rows = append(rows, []any{m.Ref, state, app.DisplayName(s.Entity, m.Fields)})
		}
		c.table([]string{"source record", "", "name there"}, rows)
		rows = nil
		for _, m := range s.Members {
			for _, n := range m.Notes {
				rows = append(rows, []any{m.Ref, n.Field, n.What, remedy(n.Finding)})
			}
		}
		if len(rows) > 0 {
			c.table([]string{"source record", "field", "what does not belong there", "remedy"}, rows)
		}
		c.showAround(around)
	})
}

func (c *cli) goldenExplain(ctx context.Context, a *app.App, id string) error {
	list, err := a.Explain(ctx, id)
	if err != nil {
		return err
	}
	if err := c.sawGolden(ctx, a, "explain", id); err != nil {
		return err
	}
	return c.print(list, func() {
		if len(list) == 0 {
			fmt.Fprintln(c.out, "one source record alone: there is nothing to explain")
		}
		for _, e := range list {
			fmt.Fprintf(c.out, "%s and %s: weight %.1f bits, probability %.4f\n", plain(e.A), plain(e.B), e.Weight, e.Probability)
			if e.Veto != "" {
				fmt.Fprintf(c.out, "  veto: %s\n", plain(e.Veto))
			}
			var rows [][]any
			for _, p := range e.Parts {
				rows = append(rows, []any{p.Field, p.Level, p.A, p.B, fmt.Sprintf("%+.1f", float64(p.Weight)/1000)})
			}
			c.table([]string{"field", "level", "here", "there", "bits"}, rows)
			if len(e.Shared) > 0 {
				fmt.Fprintf(c.out, "  found by: %s\n", plain(strings.Join(e.Shared, "; ")))
			}
		}
	})
}

func (c *cli) rebuildCmd() *cobra.Command {
	var verify bool
	cmd := &cobra.Command{
		Use: "rebuild", Short: "Compute everything derived anew from the facts and compare", Args: args(cobra.NoArgs),
		RunE: c.withQuietApp(func(ctx context.Context, a *app.App, _ []string) error {
			if !verify {
				return usageError{fmt.Errorf("say --verify: a rebuild compares, and changes nothing")}
			}
			progress, end := c.progress()
			v, err := a.Verify(ctx, progress)
			end()
			if err != nil {
				return err
			}
			err = c.print(v, func() {
				for _, d := range v.Differences {
					fmt.Fprintf(c.out, "%s %s: %s\n", d.Table, d.Key, d.What)
				}
				fmt.Fprintf(c.out, "%d derived rows computed again, %d differences\n", v.Rows, len(v.Differences))
			})
			if err == nil && len(v.Differences) > 0 {
				return errPerson
			}
			return err
		}),
	}
	cmd.Flags().BoolVar(&verify, "verify", false, "compare and change nothing")
	return cmd
}
