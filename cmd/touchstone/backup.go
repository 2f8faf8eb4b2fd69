package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/spf13/cobra"

	"touchstone/config"
	"touchstone/internal/app"
	"touchstone/internal/audit"
	"touchstone/internal/env"
	"touchstone/internal/store"
)

func (c *cli) backupCmd() *cobra.Command {
	var withKey bool
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Write the whole store into a new SQLite file, also beside a running daemon", Args: args(cobra.ExactArgs(1)),
		Long: "Write the whole store, as it is at one moment, into a new SQLite file: from SQLite and from PostgreSQL, also beside a running daemon.\n" +
			"The file is checked before it gets its name, and never written over. Look into it with --store FILE, put it back with restore.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, names []string) error {
			if err := a.Store.Note(ctx, audit.Entry{Who: who(), What: "backup.made", Subjects: []string{"store"}}); err != nil {
				return err // it comes first, so that it is in the backup too
			}
			copied, err := a.Backup(ctx, names[0], withKey)
			if errors.Is(err, fs.ErrExist) {
				return usageError{fmt.Errorf("%w; name another file", err)}
			}
			if err != nil {
				return err
			}
			result := struct {
				File string `json:"file"`
				Key  string `json:"key,omitempty"`
				store.Copied
			}{File: names[0], Copied: copied}
			if withKey {
				result.Key = names[0] + app.KeySuffix
			}
			return c.print(result, func() {
				fmt.Fprintf(c.out, "%s: %d rows of %d tables, %d bytes, checked\n", result.File, copied.Rows, copied.Tables, copied.Bytes)
				if withKey {
					fmt.Fprintf(c.out, "%s: the installation key. Whoever has both files can read everything; keep them apart.\n", result.Key)
				} else {
					fmt.Fprintf(c.out, "The backup can only be read with %s: keep a copy of that file, somewhere else.\n", filepath.Join(c.dir, "installation.key"))
				}
			})
		}),
	}
	cmd.Flags().BoolVar(&withKey, "with-key", false, "copy the installation key to FILE.key as well")
	return cmd
}

func (c *cli) restoreCmd() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: "restore FILE", Short: "Put a backup into an empty store, SQLite or PostgreSQL", Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, names []string) error {
			cfg, err := config.Load(c.config, c.loadOptions(true))
			if err != nil {
				return err
			}
			if c.store == "" && !cfg.Store.Postgres.IsZero() {
				if cfg, err = config.Load(c.config, c.loadOptions(false)); err != nil { // its address is a secret
					return err
				}
			}
			copied, err := app.Restore(cmd.Context(), cfg, app.Options{Dir: c.dir, Store: c.storeDSN(), Env: env.Real()}, names[0], key)
			if errors.Is(err, store.ErrNotEmpty) {
				return usageError{err}
			}
			if err != nil {
				return err
			}
			return c.print(copied, func() {
				fmt.Fprintf(c.out, "%d rows of %d tables are back. Next: touchstone rebuild --verify, then touchstone run\n", copied.Rows, copied.Tables)
			})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "file with the installation key, when it is not in the data folder")
	return cmd
}

func (c *cli) doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Look at everything an installation needs, and say how to mend it", Args: args(cobra.NoArgs),
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			list := a.Doctor(ctx)
			bad := false
			var rows [][]any
			for _, f := range list {
				bad = bad || f.State != app.FindingOK
				rows = append(rows, []any{f.State, f.What, f.Text, f.Remedy})
			}
			if err := c.print(list, func() { c.table([]string{"", "looked at", "found", "what to do"}, rows) }); err != nil {
				return err
			}
			if bad {
				return errPerson
			}
			return nil
		}),
	}
}

func (c *cli) alertCmd() *cobra.Command {
	cmd := group("alert", "Try the channels that call a person")
	cmd.AddCommand(&cobra.Command{
		Use: "test", Short: "Send one message to every configured channel", Args: args(cobra.NoArgs),
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			results := map[string]string{}
			bad := false
			for _, name := range []string{"webhook", "mail"} {
				err, ok := a.AlertTest(ctx, name)
				switch {
				case !ok:
				case err != nil:
					results[name], bad = err.Error(), true
				default:
					results[name] = "sent"
				}
			}
			if len(results) == 0 {
				return usageError{errors.New("neither alert.webhook nor alert.mail is configured")}
			}
			err := c.print(results, func() {
				for _, name := range []string{"webhook", "mail"} {
					if r := results[name]; r != "" {
						fmt.Fprintf(c.out, "%s: %s\n", name, plain(r))
					}
				}
			})
			if err == nil && bad {
				err = errPerson
			}
			return err
		}),
	})
	return cmd
}
