package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"touchstone/config"
	"touchstone/connectors/all"
	"touchstone/internal/app"
	"touchstone/internal/env"
)

func (c *cli) initCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a first configuration with a sample it can read",
		Args:  args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			dir := "."
			if cmd.Flags().Changed("dir") {
				dir = c.dir
			}
			if len(a) == 1 {
				dir = a[0]
			}
			return c.init(dir)
		},
	}
}

func (c *cli) init(dir string) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	yaml, csv := config.Sample()
	path := filepath.Join(dir, "touchstone.yaml")
	for _, f := range []struct {
		path string
		text []byte
	}{{path, yaml}, {filepath.Join(dir, config.SampleCSV), csv}} {
		if err := writeNew(f.path, f.text); err != nil {
			return err
		}
	}
	return c.print(map[string]string{"config": path}, func() {
		fmt.Fprintf(c.out, "%s is written. Next:\n", path)
		if filepath.Clean(dir) != "." {
			fmt.Fprintln(c.out, "  cd", dir)
		}
		fmt.Fprint(c.out, "  touchstone check\n  touchstone run --once\n  touchstone golden list\n")
	})
}

// writeNew never writes over a file that is there.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user names the folder
	if errors.Is(err, fs.ErrExist) {
		return usageError{fmt.Errorf("%s is there already, nothing was written; name another folder", path)}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func (c *cli) checkCmd() *cobra.Command {
	var print, noSecrets bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Prove the configuration without touching a system",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			cfg, err := c.load(noSecrets)
			if err != nil {
				return err
			}
			problems, err := app.CheckTargets(cfg, all.Deps{Env: env.Real(), Log: c.log(), Dir: cfg.Dir})
			if err != nil {
				return err
			}
			if problems = append(app.Check(cfg), problems...); len(problems) > 0 {
				return problems
			}
			if print {
				_, err := c.out.Write(config.Print(cfg))
				return err
			}
			result := struct {
				OK       bool             `json:"ok"`
				Warnings []config.Problem `json:"warnings,omitempty"`
			}{true, cfg.Warnings}
			return c.print(result, func() {
				for _, w := range cfg.Warnings {
					fmt.Fprintln(c.err, "warning:", w.String())
				}
				fmt.Fprintf(c.out, "%s is right: %s, %s\n", c.config, plural(len(cfg.Sources), "source"), plural(len(cfg.Targets), "target"))
			})
		},
	}
	cmd.Flags().BoolVar(&print, "print", false, "print the effective configuration, with its defaults")
	cmd.Flags().BoolVar(&noSecrets, "no-secrets", false, "do not look secrets up")
	return cmd
}

func (c *cli) schemaCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := c.out.Write(config.Schema())
			return err
		},
	}
}

func (c *cli) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			return c.print(map[string]string{"version": app.Version()}, func() { fmt.Fprintln(c.out, "touchstone", app.Version()) })
		},
	}
}
