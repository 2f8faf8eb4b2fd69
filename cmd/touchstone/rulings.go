package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
)

func (c *cli) rulingsCmd() *cobra.Command {
	cmd := group("rulings", "Carry people's decisions to another store, and take over those of another system")
	export := &cobra.Command{
		Use: "export [FILE]", Short: "Write every decision as JSON lines, signed", Args: args(cobra.MaximumNArgs(1)),
		Long: "Write every decision as one JSON line, signed with the installation's key. Pins and repairs hold values of records: keep the file as safe as the store.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, files []string) error {
			if err := c.saw(ctx, a, "export", "decisions"); err != nil {
				return err
			}
			if len(files) == 0 {
				_, err := a.ExportRulings(ctx, c.out)
				return err
			}
			f, err := os.OpenFile(files[0], os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
			if err != nil {
				return err
			}
			n, err := a.ExportRulings(ctx, f)
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
			return c.print(map[string]int{"exported": n}, func() { fmt.Fprintf(c.out, "%d decisions written to %s\n", n, files[0]) })
		}),
	}
	imp := &cobra.Command{
		Use: "import FILE", Short: "Take decisions that were exported, here or elsewhere", Args: args(cobra.ExactArgs(1)),
		RunE: c.importing(func(ctx context.Context, a *app.App, _ string, r io.Reader) (app.ImportReport, error) {
			return a.ImportRulings(ctx, r)
		}),
	}
	var b by
	crosswalk := &cobra.Command{
		Use: "crosswalk FILE", Short: "Take over an existing crosswalk: CSV with source, id, golden", Args: args(cobra.ExactArgs(1)),
		Long: "Take over an existing crosswalk: CSV with the columns source, id, golden, and entity where a source has several kinds of records.\nThe records of one golden are one customer from now on; those that have not landed follow when they do.",
		RunE: c.importing(func(ctx context.Context, a *app.App, file string, r io.Reader) (app.ImportReport, error) {
			return a.ImportCrosswalk(ctx, r, filepath.Base(file), b.by())
		}),
	}
	b.flags(crosswalk.Flags(), false)
	cmd.AddCommand(export, imp, crosswalk)
	return cmd
}

// importing opens the file and the installation: beside a daemon, or, where
// nothing was run yet, alone.
func (c *cli) importing(take func(context.Context, *app.App, string, io.Reader) (app.ImportReport, error)) func(*cobra.Command, []string) error {
	run := func(ctx context.Context, a *app.App, files []string) error {
		f, err := openFile(files[0])
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // only read
		rep, err := take(ctx, a, files[0], f)
		var no *app.Unclear
		if errors.As(err, &no) {
			return usageError{fmt.Errorf("%s: %w", files[0], err)}
		}
		if err != nil {
			return err
		}
		return c.imported(rep)
	}
	return func(cmd *cobra.Command, files []string) error {
		err := c.withApp(run)(cmd, files)
		if _, missing := os.Stat(files[0]); missing == nil && errors.Is(err, fs.ErrNotExist) {
			return c.withQuietApp(run)(cmd, files)
		}
		return err
	}
}

func (c *cli) imported(rep app.ImportReport) error {
	err := c.print(rep, func() {
		fmt.Fprintf(c.out, "%d decisions imported, %d known already, %d refused\n", rep.Imported, rep.Existing, len(rep.Refused))
		if rep.Pending > 0 {
			fmt.Fprintf(c.out, "%d of them name records that have not landed: they take effect when those do\n", rep.Pending)
		}
		if rep.Verified+rep.Unverified > 0 {
			fmt.Fprintf(c.out, "signatures: %d verified as this installation's, %d of another one, which nobody here can verify\n", rep.Verified, rep.Unverified)
		}
		for _, r := range rep.Refused {
			fmt.Fprintf(c.out, "line %d: %s refused: %s\n", r.Line, plain(r.What), plain(r.Why))
		}
	})
	if err == nil && len(rep.Refused) > 0 {
		return errPerson
	}
	return err
}
