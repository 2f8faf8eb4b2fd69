package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/assess"
	"touchstone/internal/dedupe"
	"touchstone/internal/env"
	"touchstone/internal/web"
)

// assessFlags are what the command line of assess says.
type assessFlags struct {
	dedupeFlags
	out, lang, currency string
	perHour             float64
}

func (c *cli) assessCmd() *cobra.Command {
	var f assessFlags
	cmd := &cobra.Command{
		Use:   "assess FILE…|SOURCE",
		Short: "Look a file or a source over: duplicates, what is missing or cannot be right, and what mending costs, as one HTML file",
		Long: `assess writes a report that can be shown around: one HTML file that needs nothing beside itself, to read or to
print. Of a CSV, JSON-lines or spreadsheet file it needs no configuration; of a source of the configuration it
tells what the daemon has counted. The report holds figures, shapes of values and masked examples, no values.`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, names []string) error { return c.assess(cmd, names, f) },
	}
	fl := cmd.Flags()
	f.tables(fl)
	fl.StringVar(&f.entity, "entity", "auto", "what the rows are: company, person, other or auto")
	fl.StringVar(&f.id, "id", "", "column that names a row")
	fl.StringVarP(&f.out, "out", "o", "", "write the report to this file; to standard output without it")
	fl.StringVar(&f.lang, "lang", "en", "language of the report: en, zh-Hans or zh-Hant")
	fl.Float64Var(&f.perHour, "per-hour", 0, "what an hour of work costs, to tell the cost in money")
	fl.StringVar(&f.currency, "currency", "EUR", "the currency of --per-hour")
	f.survive = string(dedupe.MostComplete)
	return cmd
}

func (c *cli) assess(cmd *cobra.Command, names []string, f assessFlags) error {
	if err := oneOf("--lang", f.lang, web.Languages()); err != nil {
		return err
	}
	if f.perHour < 0 {
		return usageError{fmt.Errorf("--per-hour is %g, want 0 or more", f.perHour)}
	}
	ctx := cmd.Context()
	var a web.Assessment
	_, err := os.Stat(names[0])
	if len(names) == 1 && errors.Is(err, fs.ErrNotExist) && filepath.Base(names[0]) == names[0] && filepath.Ext(names[0]) == "" {
		err = c.withApp(func(ctx context.Context, x *app.App, names []string) (err error) {
			a, err = x.Assess(ctx, names[0])
			return err
		})(cmd, names)
	} else {
		a, err = c.assessFiles(ctx, names, f)
	}
	if err != nil {
		return err
	}
	a.PerHour, a.Currency = f.perHour, f.currency
	write := func(w io.Writer) error { return web.WriteAssessment(w, a, f.lang) }
	if f.out == "" {
		return write(c.out)
	}
	if err := dedupe.WriteFile(f.out, write); err != nil {
		return err
	}
	told := map[string]any{"report": f.out, "rows": a.Rows, "score": int(a.Score.Score + 0.5), "duplicates": a.Customer.Duplicates, "doubtful": a.Customer.Doubtful}
	return c.print(told, func() {
		fmt.Fprintf(c.out, "%d rows score %.1f of 100: %d repeat a customer, %d pairs are doubtful; the report is %s\n", a.Rows, a.Score.Score, a.Customer.Duplicates, a.Customer.Doubtful, f.out)
	})
}

func (c *cli) assessFiles(ctx context.Context, files []string, f assessFlags) (a web.Assessment, err error) {
	o, err := f.options(c)
	if err != nil {
		return a, err
	}
	t, err := loadTable(ctx, files, f.encoding, o.Memory, o.Progress)
	if err != nil {
		return a, err
	}
	defer func() { err = cmp.Or(err, t.Close()) }()
	r, err := assess.Table(ctx, t, o)
	c.stagesEnd()
	if err != nil {
		return a, mended(err)
	}
	a = web.Assessment{
		Name: filepath.Base(files[0]), Entity: r.Entity, At: env.Real().Clock.Now(), Rows: r.Rows, Found: true,
		Score:    web.Score{Score: r.Score, Completeness: r.Completeness, Validity: r.Validity, Uniqueness: r.Uniqueness, Records: r.Rows},
		Customer: web.AssessCustomers{Duplicates: r.Duplicates, Clusters: r.Clusters, Twice: r.Twice, Doubtful: r.Doubtful},
	}
	invalid, dirty := 0, 0
	for _, x := range r.Columns {
		invalid, dirty = invalid+x.Invalid, dirty+x.Dirty
		a.Columns = append(a.Columns, app.AssessColumn(x.Field, x.Meaning))
	}
	for _, x := range r.Examples {
		a.Customer.Examples = append(a.Customer.Examples, web.AssessExample{Probability: x.Probability, Names: x.Names, Rows: x.Rows})
	}
	for _, x := range r.Shared {
		a.Customer.Shared = append(a.Customer.Shared, web.AssessShared{Column: x.Column, Masked: x.Masked, Customers: x.Customers})
	}
	a.Work = app.AssessWork(r.Duplicates, r.Doubtful, invalid, dirty)
	return a, nil
}
