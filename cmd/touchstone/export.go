package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/config"
	"touchstone/internal/app"
	"touchstone/internal/record"
	"touchstone/internal/table"
)

// export is what the flags of the command say.
type export struct {
	canonical           bool
	entity, format, out string
}

const formatJSONL = "jsonl"

func (c *cli) exportCmd() *cobra.Command {
	var e export
	cmd := &cobra.Command{
		Use: "export", Short: "Write golden records as JSON lines, CSV or an Excel workbook", Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, a []string) error {
			if err := e.check(); err != nil {
				return usageError{err}
			}
			return c.withApp(func(ctx context.Context, a *app.App, _ []string) error { return c.export(ctx, a, e) })(cmd, a)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&e.canonical, "canonical", false, "without ids and times: equal facts give equal bytes")
	f.StringVar(&e.entity, "entity", "", "only this entity type")
	f.StringVar(&e.format, "format", formatJSONL, "jsonl, csv or xlsx")
	f.StringVar(&e.out, "out", "", "the file to write; the standard output if not given")
	return cmd
}

func (e export) check() error {
	switch {
	case e.format != formatJSONL && e.format != table.CSV && e.format != table.XLSX:
		return fmt.Errorf("--format is %q, want jsonl, csv or xlsx", e.format)
	case e.canonical && e.format != formatJSONL:
		return fmt.Errorf("--canonical writes JSON lines, not %s", e.format)
	case e.format == table.XLSX && e.out == "":
		return errors.New("a workbook goes into a file: name it by --out")
	}
	return nil
}

func (c *cli) export(ctx context.Context, a *app.App, e export) error {
	if e.format == table.CSV && e.entity == "" {
		kinds := kindsOf(a.Config)
		if len(kinds) != 1 {
			return usageError{fmt.Errorf("a CSV file holds one kind of record: name it by --entity (%s)", strings.Join(kinds, ", "))}
		}
		e.entity = kinds[0]
	}
	if e.entity != "" && record.Specs(e.entity) == nil && e.format != formatJSONL {
		return usageError{fmt.Errorf("no entity type %q to make a table of", e.entity)}
	}
	if e.out == "" {
		_, err := e.write(ctx, a, c.out)
		return err
	}
	rows := 0
	err := intoFile(e.out, func(w io.Writer) (err error) {
		rows, err = e.write(ctx, a, w)
		return err
	})
	if err != nil || e.format == formatJSONL {
		return err
	}
	return c.print(map[string]any{"file": e.out, "rows": rows}, func() { fmt.Fprintf(c.out, "%d golden records written to %s\n", rows, e.out) })
}

// kindsOf lists the entity types that sources give, in the order of the file.
func kindsOf(cfg *config.Config) (kinds []string) {
	for _, s := range cfg.Sources {
		for _, e := range s.Entities {
			if !slices.Contains(kinds, e.Entity) {
				kinds = append(kinds, e.Entity)
			}
		}
	}
	return kinds
}

func (e export) write(ctx context.Context, a *app.App, w io.Writer) (rows int, err error) {
	if err := a.Seen(ctx, who(), "read.export", []string{cmp.Or(e.entity, "everything")}); err != nil {
		return 0, err
	}
	switch {
	case e.canonical:
		return 0, a.ExportCanonical(ctx, w)
	case e.format == formatJSONL:
		return 0, a.Export(ctx, e.entity, w)
	}
	return a.ExportTable(ctx, e.format, e.entity, w)
}

// intoFile writes a file that is there whole or not at all: beside it first,
// then in its place. Golden records are personal data, so nobody else may read
// it.
func intoFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err = errors.Join(write(f), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(f.Name()))
	}
	return nil
}
