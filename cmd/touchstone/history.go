package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
)

// moved says where the members of an old id live now.
func (c *cli) moved(id string, s app.Shown) {
	if !s.Moved {
		return
	}
	if s.ID != strings.TrimSpace(id) {
		fmt.Fprintf(c.out, "(the id you asked for now belongs to this record)\n")
	}
	c.elsewhere(s.Elsewhere)
}

func (c *cli) elsewhere(list []app.Place) {
	for _, p := range list {
		fmt.Fprintf(c.out, "moved: %s, once part of it, is in %s now\n", plain(p.Ref), p.Golden)
	}
}

func dateArg(text string) (time.Time, error) {
	t, err := app.ParseDate(text)
	if err != nil {
		return t, usageError{err}
	}
	return t, nil
}

func (c *cli) goldenAt(ctx context.Context, a *app.App, id, date string) error {
	at, err := dateArg(date)
	if err != nil {
		return err
	}
	s, err := a.GoldenAt(ctx, id, at)
	if err != nil {
		return err
	}
	if err := c.saw(ctx, a, "customer", s.ID); err != nil {
		return err
	}
	return c.print(s, func() {
		fmt.Fprintf(c.out, "%s  %s  version %d of %s, as it was at %s\n", s.ID, s.Entity, s.Version, day(s.Since), day(s.At))
		if s.Moved {
			fmt.Fprintln(c.out, "(the id you asked for belonged to this record then)")
		}
		var rows [][]any
		for _, f := range s.Fields {
			rows = append(rows, []any{f.Field, asOfText(&f), strings.Join(f.From, ", "), f.Rule, f.Who})
		}
		c.table([]string{"field", "value", "from", "by", "who"}, rows)
		fmt.Fprintln(c.out, "made of:", plain(strings.Join(s.Members, ", ")))
	})
}

// asOfText is an old value for people, or why there is none to show.
func asOfText(f *app.AsOfField) string {
	switch {
	case f == nil:
		return ""
	case f.State == "erased":
		return "(erased)"
	case f.State == "unknown":
		return "(not known any more)"
	case f.State == "differs":
		return f.Text + " (published otherwise: the mapping has changed)"
	}
	return f.Text
}

func (c *cli) historyCmd() *cobra.Command {
	return &cobra.Command{
		Use: "history ID|SOURCE/ENTITY/ID", Short: "Tell what happened to a golden record, and who decided what", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, ids []string) error {
			h, err := a.GoldenHistory(ctx, ids[0])
			if err != nil {
				return err
			}
			if err := c.saw(ctx, a, "history", h.ID, h.Now); err != nil {
				return err
			}
			return c.print(h, func() { c.history(h) })
		}),
	}
}

func (c *cli) history(h app.GoldenHistory) {
	fmt.Fprintln(c.out, h.ID)
	if h.Now != h.ID {
		fmt.Fprintf(c.out, "moved: it is part of %s now\n", h.Now)
	}
	c.elsewhere(h.Elsewhere)
	var rows [][]any
	for _, e := range h.Events {
		switch e.What {
		case "published":
			if len(e.Fields) == 0 {
				rows = append(rows, []any{day(e.At), fmt.Sprint("version ", e.Version), "", "", ""})
			}
			for i, f := range e.Fields {
				at, what := day(e.At), fmt.Sprint("version ", e.Version)
				if i > 0 {
					at, what = "", ""
				}
				rule := f.Rule
				if f.Rule == "" {
					rule = "no value any more"
				}
				rows = append(rows, []any{at, what, f.Field, rule, strings.TrimSpace(strings.Join(f.From, ", ") + " " + f.Pin)})
			}
		case "decision":
			d := e.Decision
			rows = append(rows, []any{day(e.At), d.Kind, d.Field, d.State, d.ID + " by " + d.Who + reason(d.Why)})
		default:
			where := e.Golden
			if where != "" {
				where = map[string]string{"joined": "from ", "left": "to "}[e.What] + where
			}
			rows = append(rows, []any{day(e.At), e.What, "", e.Record, where})
		}
	}
	c.table([]string{"at", "", "field", "", ""}, rows)
}

func reason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

func (c *cli) diffCmd() *cobra.Command {
	return &cobra.Command{
		Use: "diff ID|SOURCE/ENTITY/ID DATE1 DATE2", Short: "Compare a golden record at two dates", Args: args(cobra.ExactArgs(3)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, n []string) error {
			from, err := dateArg(n[1])
			if err != nil {
				return err
			}
			to, err := dateArg(n[2])
			if err != nil {
				return err
			}
			d, err := a.GoldenDiff(ctx, n[0], from, to)
			if err != nil {
				return err
			}
			if err := c.saw(ctx, a, "history", d.From.ID, d.To.ID); err != nil {
				return err
			}
			return c.print(d, func() {
				if d.Renamed {
					fmt.Fprintf(c.out, "it was %s then, and %s later\n", d.From.ID, d.To.ID)
				}
				var rows [][]any
				for _, f := range d.Fields {
					rows = append(rows, []any{f.Field, asOfText(f.Before), asOfText(f.After)})
				}
				c.table([]string{"field", day(d.From.At), day(d.To.At)}, rows)
				for _, r := range d.Joined {
					fmt.Fprintln(c.out, "joined:", plain(r))
				}
				for _, r := range d.Left {
					fmt.Fprintln(c.out, "left:", plain(r))
				}
			})
		}),
	}
}
