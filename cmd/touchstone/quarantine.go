package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// shownQuarantine is a quarantine row for people and programs.
type shownQuarantine struct {
	ID      string          `json:"id"`
	Record  string          `json:"record"`
	Place   string          `json:"place,omitempty"`
	Version int             `json:"version"`
	State   string          `json:"state"`
	At      string          `json:"at"`
	Reasons []record.Reason `json:"reasons"`
	Raw     json.RawMessage `json:"raw,omitempty"`
}

func (c *cli) quarantineCmd() *cobra.Command {
	cmd := group("quarantine", "Look at records that did not pass, and let them pass")
	var source, after, state string
	var limit int
	list := &cobra.Command{
		Use: "list", Short: "List quarantined records with every reason", Args: args(cobra.NoArgs),
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			if err := oneOf("--state", state, quarantineStates); err != nil {
				return err
			}
			if err := someOf("--limit", limit); err != nil {
				return err
			}
			rows, err := a.Store.Quarantines(ctx, store.QuarantineQuery{State: state, Source: a.SourceUID(source), After: after, Limit: limit})
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				if err := sourceThere(a, source); err != nil {
					return err
				}
			}
			if err := c.saw(ctx, a, "quarantine", eachOf(rows, func(q store.Quarantined) []string { return []string{q.ID} })...); err != nil {
				return err
			}
			return c.quarantineList(a, rows, state)
		}),
	}
	list.Flags().StringVar(&source, "source", "", "only of this source")
	list.Flags().StringVar(&state, "state", "open", "only these: "+strings.Join(quarantineStates, ", "))
	list.Flags().StringVar(&after, "after", "", "begin behind this row")
	list.Flags().IntVar(&limit, "limit", 100, "how many at most")
	show := &cobra.Command{
		Use: "show ID", Short: "Show a quarantined record as it came", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, ids []string) error {
			q, err := a.Store.QuarantineShow(ctx, ids[0])
			if err != nil {
				return err
			}
			if err := c.saw(ctx, a, "quarantine", q.ID); err != nil {
				return err
			}
			return c.quarantineShow(a, q)
		}),
	}
	var b by
	release := &cobra.Command{
		Use: "release ID", Short: "Let a record pass in spite of its reasons", Args: args(cobra.ExactArgs(1)),
		RunE: c.withApp(func(ctx context.Context, a *app.App, ids []string) error {
			if b.why == "" {
				return usageError{fmt.Errorf("--why is missing: a release is a decision and keeps its reason")}
			}
			if err := a.Store.Release(ctx, ids[0], b.by().Who, b.why); err != nil {
				return err
			}
			return c.print(map[string]string{"released": ids[0]}, func() {
				fmt.Fprintf(c.out, "%s is released; it is taken in with the next touchstone run --once, or by the daemon within a minute\n", ids[0])
			})
		}),
	}
	b.flags(release.Flags(), false)
	cmd.AddCommand(list, show, release)
	return cmd
}

// quarantineStates are what becomes of a record that did not pass.
var quarantineStates = []string{"open", "released", "superseded", "mended", "gone"}

func (c *cli) quarantineList(a *app.App, list []store.Quarantined, state string) error {
	items := []shownQuarantine{}
	var rows [][]any
	for _, q := range list {
		items = append(items, shown(a, q))
	}
	// A page comes in the order of its ids, which say nothing to people.
	byRecord := slices.SortedStableFunc(slices.Values(items), func(x, y shownQuarantine) int { return strings.Compare(x.Record, y.Record) })
	for _, s := range byRecord {
		for i, r := range s.Reasons {
			id, ref, place := s.ID, s.Record, s.Place
			if i > 0 {
				id, ref, place = "", "", ""
			}
			rows = append(rows, []any{id, ref, place, r.Field, web.Told(r.Text), r.Remedy})
		}
	}
	return c.print(items, func() {
		if len(rows) == 0 {
			if state == "open" {
				fmt.Fprintln(c.out, "nothing is in quarantine")
			} else {
				fmt.Fprintf(c.out, "nothing in quarantine is %s\n", state)
			}
			return
		}
		c.table([]string{"id", "record", "place", "field", "what is wrong", "how to mend it"}, rows)
	})
}

func (c *cli) quarantineShow(a *app.App, q store.Quarantined) error {
	s := shown(a, q)
	s.Raw = q.Raw
	return c.print(s, func() {
		fmt.Fprintf(c.out, "%s  %s  %s, since %s\n", s.ID, plain(s.Record), s.State, s.At)
		if s.Place != "" {
			fmt.Fprintln(c.out, "found at", plain(s.Place))
		}
		var rows [][]any
		for _, r := range q.Reasons {
			rows = append(rows, []any{r.Rule, r.Field, r.Value, web.Told(r.Text), r.Remedy})
		}
		c.table([]string{"rule", "field", "value", "what is wrong", "how to mend it"}, rows)
		fmt.Fprintln(c.out, plain(string(q.Raw)))
	})
}

func shown(a *app.App, q store.Quarantined) shownQuarantine {
	ref := q.Ref
	ref.Source = a.SourceName(ref.Source)
	return shownQuarantine{ID: q.ID, Record: ref.String(), Place: q.Place, Version: q.Version, State: q.State, At: q.At, Reasons: q.Reasons}
}
