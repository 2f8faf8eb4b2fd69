package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/internal/web"
)

// bulkFlags say what to do about one answer to many pairs.
type bulkFlags struct {
	questionFlags
	by                 by
	answer             string
	preview, apply     bool
	list               bool
	stop, resume, undo string
}

// chosen checks that one thing is asked for.
func (f *bulkFlags) chosen() error {
	n := 0
	for _, is := range []bool{f.preview, f.apply, f.list, f.stop != "", f.resume != "", f.undo != ""} {
		if is {
			n++
		}
	}
	switch {
	case n != 1:
		return usageError{errors.New("say one of --preview, --apply, --list, --stop JOB, --resume JOB, --undo JOB")}
	case f.answer == "" && (f.preview || f.apply):
		return usageError{errors.New("--answer is missing: same or apart")}
	}
	return nil
}

func (c *cli) reviewBulkCmd() *cobra.Command {
	var f bulkFlags
	cmd := &cobra.Command{
		Use: "bulk", Short: "Give one answer to all pairs of a question", Args: args(cobra.NoArgs),
		Long: "Give one answer to all pairs of a question. --preview says what it would do and what it leaves out; --apply does it, pair by pair,\n" +
			"at most review.bulk.pace a second. It can be stopped, or killed, between any two pairs, and goes on with --resume where it was;\n--undo takes all of it back as one decision.",
		RunE: c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
			if err := f.chosen(); err != nil {
				return err
			}
			by := f.by.page()
			f.q.Me = by.Who
			return usage(c.bulk(ctx, a, &f, by))
		}),
	}
	l := cmd.Flags()
	f.add(l)
	f.by.flags(l, false)
	l.StringVar(&f.answer, "answer", "", "same or apart")
	l.BoolVar(&f.preview, "preview", false, "say what it would do")
	l.BoolVar(&f.apply, "apply", false, "do it")
	l.BoolVar(&f.list, "list", false, "list the jobs there were")
	l.StringVar(&f.stop, "stop", "", "stop this job before its next pair")
	l.StringVar(&f.resume, "resume", "", "let this job go on")
	l.StringVar(&f.undo, "undo", "", "take back everything that this job decided")
	return cmd
}

func (c *cli) bulk(ctx context.Context, a *app.App, f *bulkFlags, by web.By) error {
	switch {
	case f.preview:
		p, err := a.PreviewBulk(ctx, f.q, f.answer)
		if err != nil {
			return err
		}
		shown := app.ShowBulk(p)
		if err := c.sawPairs(ctx, a, shown.Examples); err != nil {
			return err
		}
		return c.print(shown, func() { c.bulkPreview(shown, f.answer) })
	case f.list:
		jobs, err := a.BulkJobs(ctx, 50)
		if err != nil {
			return err
		}
		shown := app.ShowJobs(jobs)
		return c.print(shown, func() { c.bulkTable(shown) })
	case f.stop != "":
		return c.bulkDone(a.StopBulk(ctx, f.stop, by))
	case f.undo != "":
		return c.bulkDone(a.UndoBulk(ctx, f.undo, by))
	}
	var job web.BulkJob
	var err error
	if f.resume != "" {
		job, err = a.ResumeBulk(ctx, f.resume, by)
	} else {
		var p web.BulkPreview
		if p, err = a.PreviewBulk(ctx, f.q, f.answer); err == nil {
			job, err = a.StartBulk(ctx, f.q, f.answer, p.Token, by)
		}
	}
	if err != nil {
		return err
	}
	progress, end := c.progress()
	err = a.WorkBulk(ctx, job.ID, func(n int) { progress("bulk", job.ID, n) })
	end()
	if err != nil {
		return fmt.Errorf("%w; touchstone review bulk --resume %s goes on where it was", err, job.ID)
	}
	return c.bulkDone(a.BulkJob(ctx, job.ID))
}

func (c *cli) bulkPreview(p app.ShownBulk, answer string) {
	fmt.Fprintf(c.out, "%s would be answered %q: %d customers, %d afterwards; value %.2f, expected loss %.2f\n", plural(p.Pairs, "pair"), answer, p.Customers, p.Left, p.Value, p.Damage)
	for _, w := range p.Writes {
		fmt.Fprintf(c.out, "  at most %s in %s\n", plural(w.N, "write"), w.Name)
	}
	for _, l := range p.LeftOut {
		fmt.Fprintf(c.out, "  %s left out: %s\n", plural(l.N, "pair"), l.Name)
	}
	if len(p.Examples) > 0 {
		c.pairRows(p.Examples)
	}
}

func (c *cli) bulkTable(jobs []app.ShownJob) {
	if len(jobs) == 0 {
		fmt.Fprintln(c.out, "there was no bulk answer")
		return
	}
	var rows [][]any
	for _, j := range jobs {
		rows = append(rows, []any{j.ID, j.Answer, j.State, j.Who, day(j.Began), j.Pairs, j.Decided, j.Skipped, j.Why})
	}
	c.table([]string{"job", "answer", "", "by", "at", "pairs", "decided", "skipped", "why"}, rows)
}

// bulkDone tells how a job stands. Where not every pair was decided a person
// should look.
func (c *cli) bulkDone(j web.BulkJob, err error) error {
	if err != nil {
		return err
	}
	shown := app.ShowJobs([]web.BulkJob{j})[0]
	return c.print(shown, func() {
		fmt.Fprintf(c.out, "%s %s: %d of %s decided, %d left alone because they had changed\n", shown.ID, shown.State, shown.Decided, plural(shown.Pairs, "pair"), shown.Skipped)
		if shown.Undo != "" {
			fmt.Fprintf(c.out, "  taken back by %s\n", shown.Undo)
		} else {
			fmt.Fprintf(c.out, "  touchstone review bulk --undo %s takes it back\n", shown.ID)
		}
	})
}
