package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"touchstone/config"
	"touchstone/connectors/all"
	"touchstone/internal/app"
	"touchstone/internal/env"
)

// cli holds what all subcommands share. Results go to out, logs and progress
// to err.
type cli struct {
	out, err io.Writer
	config   string
	dir      string
	store    string
	json     bool
	verbose  bool
	demoPage bool         // the page lets who sits here act as a made-up person
	logger   *slog.Logger // the daemon's, as the configuration wants it; nil before
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "touchstone",
		Short:         "One true record of every customer, and back into every system",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(flagError)
	f := root.PersistentFlags()
	f.StringVarP(&c.config, "config", "c", "touchstone.yaml", "configuration file")
	f.StringVar(&c.dir, "dir", "touchstone-data", "data folder")
	f.StringVar(&c.store, "store", "", "store: a SQLite file, or postgres://…; overrides the configuration")
	f.BoolVar(&c.json, "json", false, "print results as JSON")
	f.BoolVarP(&c.verbose, "verbose", "v", false, "log every step")
	root.AddCommand(c.decideCmds()...)
	root.AddCommand(
		c.alertCmd(),
		c.assessCmd(),
		c.auditCmd(),
		c.backupCmd(),
		c.checkCmd(),
		c.compareCmd(),
		c.dedupeCmd(),
		c.demoCmd(),
		c.doctorCmd(),
		c.evalCmd(),
		c.eventsCmd(),
		c.exportCmd(),
		c.goldenCmd(),
		c.handoverCmd(),
		c.initCmd(),
		c.labelCmd(),
		c.matchCmd(),
		c.modelCmd(),
		c.planCmd(),
		c.quarantineCmd(),
		c.rebuildCmd(),
		c.reloadCmd(),
		c.restoreCmd(),
		c.runCmd(),
		c.schemaCmd(),
		c.simulateCmd(),
		c.sourceCmd(),
		c.statusCmd(),
		c.trainCmd(),
		c.trialCmd(),
		c.userCmd(),
		c.versionCmd(),
	)
	inGroups(root)
	root.SetHelpCommand(c.helpCmd())
	return root
}

// args refuses a wrong number of arguments as a usage error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, a []string) error {
		if err := check(cmd, a); err != nil {
			return usageError{hinted{fmt.Errorf("%s cannot be called with %s", cmd.CommandPath(), plural(len(a), "argument")), "usage: " + strings.TrimSuffix(cmd.UseLine(), " [flags]")}}
		}
		return nil
	}
}

func (c *cli) log() *slog.Logger {
	if c.logger != nil {
		return c.logger
	}
	level := slog.LevelWarn
	if c.verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level}))
}

// open loads the configuration and opens the installation; shared beside a
// daemon that may be running on it.
func (c *cli) open(ctx context.Context, shared bool) (*app.App, error) {
	cfg, err := c.load(false)
	if err != nil {
		return nil, err
	}
	return c.openWith(ctx, cfg, shared)
}

// loadOptions let the connectors check their own keys in the same pass.
func (c *cli) loadOptions(noSecrets bool) config.Options {
	return config.Options{NoSecrets: noSecrets, Connectors: all.Checks(all.Deps{Env: env.Real(), Log: c.log(), Dir: filepath.Dir(c.config)})}
}

func (c *cli) openWith(ctx context.Context, cfg *config.Config, shared bool) (*app.App, error) {
	for _, w := range cfg.Warnings {
		fmt.Fprintln(c.err, "warning:", w.String())
	}
	return app.Open(ctx, cfg, app.Options{Dir: c.dir, Store: c.storeDSN(), Env: env.Real(), Log: c.log(), Shared: shared})
}

// storeDSN reads a relative SQLite path from the working folder, as typed.
func (c *cli) storeDSN() string {
	if c.store == "" || filepath.IsAbs(c.store) || len(c.store) > 8 && c.store[:8] == "postgres" {
		return c.store
	}
	abs, err := filepath.Abs(c.store)
	if err != nil {
		return c.store
	}
	return abs
}

// print writes v as JSON with --json, else lets show write it for people.
func (c *cli) print(v any, show func()) error {
	if !c.json {
		show()
		return nil
	}
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write result: %w", err)
	}
	return nil
}

// problems shows what is wrong with a configuration.
func (c *cli) problems(p config.Problems) {
	if c.json {
		e := json.NewEncoder(c.out)
		e.SetIndent("", "  ")
		_ = e.Encode(p) // the exit code tells as well
		return
	}
	fmt.Fprintln(c.err, p.Error())
}

// table writes rows for people; control characters from records are taken out.
func (c *cli) table(header []string, rows [][]any) {
	t := table.NewWriter()
	t.SetOutputMirror(c.out)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	head := make(table.Row, len(header))
	for i, h := range header {
		head[i] = h
	}
	t.AppendHeader(head)
	for _, r := range rows {
		row := make(table.Row, len(r))
		for i, v := range r {
			row[i] = plain(fmt.Sprint(v))
		}
		t.AppendRow(row)
	}
	t.Render()
}

// plain makes a text safe for a terminal: what comes from a record may hold
// escape sequences and direction marks.
func plain(s string) string {
	return mapRunes(s, func(r rune) rune {
		switch {
		case r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f:
			return '·'
		}
		return r
	})
}

func mapRunes(s string, f func(rune) rune) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		out = append(out, f(r))
	}
	return string(out)
}

// isTerminal says whether progress should be drawn.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// progress draws one line that is written over, on a terminal only.
func (c *cli) progress() (app.Progress, func()) {
	if !isTerminal(c.err) {
		return func(string, string, int) {}, func() {}
	}
	return func(stage, name string, n int) { fmt.Fprintf(c.err, "\r\x1b[K%s %s: %d", stage, plain(name), n) },
		func() { fmt.Fprint(c.err, "\r\x1b[K") }
}
