package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/store"
)

func (c *cli) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show how sources, targets and queues are doing", Args: args(cobra.NoArgs),
		Long: "Show how sources, targets and queues are doing: from the store, and from the daemon while one runs on this data folder.\nEnds with 1 when something needs a person.",
		RunE: func(cmd *cobra.Command, names []string) error {
			s, err := c.status(cmd, names)
			if err != nil {
				return err
			}
			if err := c.print(s, func() { c.showStatus(s) }); err != nil {
				return err
			}
			if s.NeedsPerson() {
				return errPerson
			}
			return nil
		},
	}
}

// status asks the daemon, which knows the configuration in force even where the
// file is wrong by now; without one it reads the store.
func (c *cli) status(cmd *cobra.Command, names []string) (s app.Status, err error) {
	if r, ok := app.FindRunning(c.dir); ok && r.Control != "" {
		if app.Ask(cmd.Context(), r, http.MethodGet, "/status", &s) == nil {
			return s, nil
		}
		s = app.Status{}
	}
	err = c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
		s, err = a.Status(ctx)
		return err
	})(cmd, names)
	return s, err
}

func (c *cli) showStatus(s app.Status) {
	switch {
	case s.Daemon != nil && s.Live:
		fmt.Fprintf(c.out, "The daemon runs: pid %d on %s since %s; pages at %s\n", s.Daemon.PID, s.Daemon.Host, s.Daemon.Since, s.Daemon.Page)
	case s.Daemon != nil:
		fmt.Fprintf(c.out, "Pid %d on %s has the data folder since %s; it takes no questions\n", s.Daemon.PID, s.Daemon.Host, s.Daemon.Since)
	case s.Holder != nil:
		fmt.Fprintf(c.out, "The daemon runs elsewhere: pid %d on %s since %s, last sign of life %s\n", s.Holder.PID, s.Holder.Host, s.Holder.Since, s.Holder.Beat)
	default:
		fmt.Fprintln(c.out, "No daemon runs: touchstone run --once makes one pass, touchstone run goes on.")
	}
	for _, r := range s.NotReady {
		fmt.Fprintln(c.out, "not ready:", plain(r))
	}
	if r := s.Reload; r != nil && !r.Taken {
		fmt.Fprintf(c.out, "the configuration of %s was refused; the one before is in force (touchstone check)\n", r.At.Format(time.RFC3339))
	}
	var rows [][]any
	for _, x := range s.Sources {
		next := when(x.Next)
		if s.Daemon == nil && s.Holder == nil {
			next = "when run" // nothing comes by itself
		}
		rows = append(rows, []any{x.Name, x.State, when(x.LastSuccess), next, x.Pass, x.Records, x.Backlog, x.Quarantined, x.Problem})
	}
	c.table([]string{"source", "state", "last success", "next", "pass", "records", "backlog", "quarantine", "problem"}, rows)
	rows = nil
	for _, t := range s.Targets {
		open := t.States[store.Pending] + t.States[store.Inflight] + t.States[store.Unknown]
		rows = append(rows, []any{t.Name, when(t.LastDelivery), t.States[store.Delivered], open, failed(t.States), strings.TrimSpace(t.Held + " " + t.Problem)})
	}
	if len(rows) > 0 {
		c.table([]string{"target", "last write", "delivered", "waiting", "failed", "why it waits"}, rows)
	}
	for _, t := range s.Targets {
		c.showFailing(t.Failing)
	}
	fmt.Fprintf(c.out, "%d golden records of %d; %d records to resolve, %d pairs to review, %d in quarantine\n", s.Golden, s.Records, s.Queues.Backlog, s.Queues.Review, s.Queues.Quarantine)
	for _, u := range s.Unconfigured {
		fmt.Fprintf(c.out, "target no longer configured: %s, with %d writes that are kept\n", plain(u.Target), u.Waiting)
	}
	for _, u := range s.Unmapped {
		fmt.Fprintln(c.out, "problem:", plain(u))
	}
	for _, x := range s.Alerts {
		fmt.Fprintf(c.out, "alert since %s: %s\n", x.Began, plain(x.Text))
	}
}

// showFailing lists writes that do not go as planned, the same problem once.
func (c *cli) showFailing(list []store.FailingRow) {
	if len(list) == 0 {
		return
	}
	var rows [][]any
	for _, f := range list {
		rows = append(rows, []any{f.Target, f.State, f.Op, f.Object, f.Golden, f.Attempts, f.NotBefore, f.Problem})
	}
	c.table([]string{"failing write to", "state", "op", "object", "golden", "attempts", "not before", "problem"}, rows)
}

func failed(states map[string]int) (n int) {
	for state, c := range states {
		if slices.Contains([]string{store.Rejected, store.Conflicted, store.Dead}, state) {
			n += c
		}
	}
	return n
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

func (c *cli) reloadCmd() *cobra.Command {
	return &cobra.Command{
		Use: "reload", Short: "Let the running daemon take the configuration file anew, or say why not", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, ok := app.FindRunning(c.dir)
			if !ok || r.Control == "" {
				return hinted{fmt.Errorf("no daemon runs on %s", c.dir), "touchstone run starts one"}
			}
			var result app.Reloaded
			if err := app.Ask(cmd.Context(), r, "POST", "/reload", &result); err != nil {
				return err
			}
			if !result.Taken && len(result.Problems) > 0 {
				if !c.json {
					fmt.Fprintln(c.err, "refused; the configuration before goes on:")
				}
				return result.Problems
			}
			if !result.Taken {
				return usageError{fmt.Errorf("refused; the configuration before goes on: %s", result.Error)}
			}
			return c.print(result, func() {
				for _, w := range result.Warnings {
					fmt.Fprintln(c.err, "warning:", w)
				}
				for _, x := range result.Changes {
					fmt.Fprintln(c.out, plain(x))
				}
				fmt.Fprintln(c.out, "the configuration is in force")
			})
		},
	}
}
