package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/audit"
)

func (c *cli) auditCmd() *cobra.Command {
	cmd := group("audit", "Look into the audit trail, check it, take it along")
	cmd.Long = "Every change and every look at a customer's data leaves a row in the audit trail, which holds no customer's data itself.\n" +
		"Rows are chained by hashes, and checkpoints of the chain are signed: docs/audit.md says what that shows."
	cmd.AddCommand(c.auditListCmd(), c.auditVerifyCmd(), c.auditExportCmd(), c.auditKeyCmd())
	return cmd
}

func (c *cli) auditListCmd() *cobra.Command {
	var q app.AuditQuery
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List entries, the newest first", Args: args(cobra.NoArgs),
		Example: "touchstone audit list --what decision.merge        who merged what\n" +
			"touchstone audit list --subject h4kq… --what read  who looked at a customer",
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			if err := someOf("--limit", limit); err != nil {
				return err
			}
			list, err := a.ListAudit(ctx, q, limit)
			if err != nil {
				return err
			}
			return c.print(list, func() { c.auditTable(list, limit) })
		}),
	}
	f := cmd.Flags()
	f.StringVar(&q.Who, "who", "", "only what this person, token or part did")
	f.StringVar(&q.What, "what", "", "only this action, as decision.merge, or all that begin with a word, as decision")
	f.StringVar(&q.Subject, "subject", "", "only about this: the id of a customer, a decision, a row, a target")
	f.StringVar(&q.From, "from", "", "not before this day (2026-01-31, UTC) or time")
	f.StringVar(&q.To, "to", "", "not after this day, or before this time")
	f.Int64Var(&q.Before, "before", 0, "only rows behind this number, to read on where a list ended")
	f.IntVar(&limit, "limit", 50, "how many at most")
	return cmd
}

func (c *cli) auditTable(list []app.AuditRow, limit int) {
	if len(list) == 0 {
		fmt.Fprintln(c.out, "no entry is like that")
		return
	}
	var rows [][]any
	for _, e := range list {
		about := strings.Join(e.Subjects[:min(3, len(e.Subjects))], " ")
		if n := len(e.Subjects) - 3; n > 0 {
			about += fmt.Sprintf(" and %d more", n)
		}
		done := ""
		if e.Outcome != audit.Done {
			done = e.Outcome
		}
		if e.Detail != "" {
			done = strings.TrimSpace(done + " " + e.Detail)
		}
		rows = append(rows, []any{e.Seq, e.At.Format(time.RFC3339), e.Who, e.What, about, done})
	}
	c.table([]string{"row", "at", "who", "what", "about", ""}, rows)
	if len(list) == limit {
		fmt.Fprintf(c.out, "the newest %d; --before %d reads on\n", limit, list[len(list)-1].Seq)
	}
}

func (c *cli) auditVerifyCmd() *cobra.Command {
	var export, public, checkpoints string
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that the trail is as it was written", Args: args(cobra.NoArgs),
		Long: "Check every row, the chain over them and its checkpoints: those of the store, those where the configuration leaves them, and those of a file.\n" +
			"With --export a file is checked that audit export wrote; that needs no store and no configuration, only the public key.\n" +
			"Ends with 1 when something is not as it was written. A store that was set back as a whole is only found by checkpoints kept elsewhere.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case export == "" && public != "":
				return usageError{errors.New("--pub is for --export; a store is checked with its own key")}
			case export != "" && public == "":
				return usageError{hinted{errors.New("an export is checked with the public key of its installation: --pub"), "touchstone audit key prints it there"}}
			case export != "":
				r, err := app.VerifyExport(export, public, checkpoints)
				if err != nil {
					return usageError{err}
				}
				return c.auditReport(r, checkpoints != "")
			}
			return c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
				if _, err := a.SealAudit(ctx); err != nil {
					return err
				}
				r, err := a.VerifyAudit(ctx, checkpoints)
				if err != nil {
					return err
				}
				return c.auditReport(r, checkpoints != "" || a.Config.Audit.Checkpoints.File != "")
			})(cmd, nil)
		},
	}
	f := cmd.Flags()
	f.StringVar(&export, "export", "", "check this file instead of the store")
	f.StringVar(&public, "pub", "", "public key of the installation that wrote it, or a file that holds it")
	f.StringVar(&checkpoints, "checkpoints", "", "a file of checkpoints that was kept elsewhere")
	return cmd
}

func (c *cli) auditReport(r *audit.Report, elsewhere bool) error {
	err := c.print(r, func() {
		for _, p := range r.Problems {
			fmt.Fprintln(c.out, plain(p.String()))
		}
		if r.More > 0 {
			fmt.Fprintf(c.out, "and %s more\n", plural(r.More, "problem"))
		}
		if !r.Whole() {
			fmt.Fprintf(c.out, "the trail is not as it was written: %s\n", plural(len(r.Problems)+r.More, "problem"))
			return
		}
		fmt.Fprintf(c.out, "the trail is as it was written: entries %d to %d, %s compared\n", r.First, r.Last, plural(r.Checkpoints, "checkpoint"))
		if r.Open > 0 {
			fmt.Fprintf(c.out, "%s not chained yet, held by their own hashes\n", plural(r.Open, "row"))
		}
		if !elsewhere {
			fmt.Fprintln(c.out, "no checkpoint from elsewhere was compared: a store set back as a whole would look like this too (--checkpoints, audit.checkpoints)")
		}
	})
	if err == nil && !r.Whole() {
		err = errPerson
	}
	return err
}

func (c *cli) auditExportCmd() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use: "export", Short: "Write the trail, or a part of it, as signed JSON lines", Args: args(cobra.NoArgs),
		Long: "Write the trail as JSON lines that are signed at the end, for touchstone audit verify --export or a program of your own: docs/audit.md describes the form.\n" +
			"A part is what stands between the first entry and the last of a time; it checks by itself, too.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			first, last, err := a.ExportAudit(ctx, c.out, who(), from, to)
			if err != nil {
				return err
			}
			if last < first {
				fmt.Fprintln(c.err, "no entry is of that time")
				return nil
			}
			fmt.Fprintf(c.err, "entries %d to %d\n", first, last)
			return nil
		}),
	}
	cmd.Flags().StringVar(&from, "from", "", "not before this day (2026-01-31, UTC) or time")
	cmd.Flags().StringVar(&to, "to", "", "not after this day, or before this time")
	return cmd
}

func (c *cli) auditKeyCmd() *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Print the public key that checkpoints and exports are checked with", Args: args(cobra.NoArgs),
		RunE: c.withApp(func(_ context.Context, a *app.App, _ []string) error {
			key := a.AuditKey().Public().String()
			return c.print(map[string]string{"key": key}, func() { fmt.Fprintln(c.out, key) })
		}),
	}
}
