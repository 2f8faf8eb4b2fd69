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
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"touchstone/internal/app"
	"touchstone/internal/dedupe"
	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/matching/label"
)

// labelFlags are what the command line of label says.
type labelFlags struct {
	dedupeFlags
	entity string
	lang   string
	most   int
	by     by
}

func (c *cli) labelCmd() *cobra.Command {
	var f labelFlags
	cmd := &cobra.Command{
		Use:   "label [FILE…]",
		Short: "Ask a person about the pairs whose answers teach most",
		Long: `label asks, pair by pair, whether two records are one customer: those nearest to the threshold first, and of pairs
that agree in the same way one, until the other ways were asked. y says one customer, n two, u that nobody can tell,
b goes back to the last pair, q ends. Before a field = says that the two are equal, ≈ that only capitals, spaces and
punctuation differ, ≠ that they differ. Of files the answers are saved to --labels, each at once, and asked no second
time; dedupe --labels learns from them. Without files the pairs that wait for review in the store are asked, and the
answers are decisions like those of merge and unsure; touchstone train --labels rulings learns from them.`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if f.lang == "" {
				f.lang = systemLang()
			}
			if err := oneOf("--lang", f.lang, []string{"en", "zh"}); err != nil {
				return err
			}
			if err := someOf("--most", f.most); err != nil {
				return err
			}
			if err := unused(cmd.Flags(), len(files) > 0); err != nil {
				return err
			}
			if len(files) > 0 {
				return c.labelFiles(cmd.Context(), cmd.InOrStdin(), files, f)
			}
			return c.withApp(func(ctx context.Context, a *app.App, _ []string) error {
				return c.labelStore(ctx, cmd.InOrStdin(), a, f)
			})(cmd, nil)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.labels, "labels", "labels.csv", "file that the answers about files are kept in")
	fl.StringVar(&f.id, "id", "id", "column that names a row; the row number where there is none")
	f.tables(fl)
	fl.StringVar(&f.entity, "entity", "", "what the rows are (company, person, other), or which records of the store are asked")
	fl.BoolVar(&f.link, "link", false, "pairs between files only: each file is clean in itself")
	fl.IntVar(&f.most, "most", 100, "how many pairs to ask at the most")
	fl.StringVar(&f.lang, "lang", "", "en or zh; without it, by LANG")
	f.by.flags(fl, false)
	return cmd
}

// unused refuses options that mean nothing for what is asked: whoever names a
// file for the answers would look for them there.
func unused(fl *pflag.FlagSet, files bool) (err error) {
	ofFiles := []string{"encoding", "id", "labels", "link", "map", "memory", "threshold", "workers"}
	fl.Visit(func(f *pflag.Flag) {
		switch {
		case err != nil:
		case !files && slices.Contains(ofFiles, f.Name):
			err = usageError{hinted{fmt.Errorf("--%s is for files: without them the pairs of the store are asked, and the answers are decisions", f.Name), "touchstone label FILE… asks about files"}}
		case files && f.Name == "why":
			err = usageError{errors.New("--why is kept with decisions: answers about files have no reason")}
		}
	})
	return err
}

func (c *cli) labelFiles(ctx context.Context, in io.Reader, files []string, f labelFlags) (err error) {
	f.survive, f.dedupeFlags.entity = string(dedupe.MostComplete), f.entity
	if f.entity == "" {
		f.dedupeFlags.entity = "auto"
	}
	o, err := f.options(c)
	if err != nil {
		return err
	}
	book, err := openBook(f.labels)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Dir(f.labels)); err != nil { // before anybody has answered
		return usageError{fmt.Errorf("--labels %s: there is no such folder", f.labels)}
	}
	t, err := loadTable(ctx, files, f.encoding, o.Memory, o.Progress)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, t.Close()) }()
	if o.Labels, err = t.Known(book.pairs, f.id, filepath.Base(f.labels)); err != nil {
		return mended(err)
	}
	o.Ask = true
	r, err := dedupe.Run(ctx, t, o)
	c.stagesEnd()
	if err != nil {
		return mended(err)
	}
	book.who, book.now = f.by.by().Who, env.Real().Clock.Now
	name := t.RowName(f.id)
	s := newSession(c, f.lang, book)
	for _, d := range r.Doubts {
		if len(s.questions) == f.most {
			break
		}
		q := question{a: qualified(t, name, d.A), b: qualified(t, name, d.B)}
		if q.a == q.b || book.has(q.a, q.b) {
			continue
		}
		q.show = func() shownPair { return showRows(t, r, d) }
		s.questions = append(s.questions, q)
	}
	return s.run(ctx, in)
}

// showRows puts two rows beside each other.
func showRows(t *dedupe.Table, r *dedupe.Result, d dedupe.Doubt) shownPair {
	p := shownPair{weight: float64(d.Weight) / 1000, probability: r.Explain(d.A, d.B).Probability}
	for _, col := range r.Reads {
		switch col.Meaning {
		case dedupe.RowID, dedupe.Ignore, dedupe.Empty:
			continue
		}
		x, y := t.Column(col.Column).At(d.A), t.Column(col.Column).At(d.B)
		if x != "" || y != "" {
			p.fields = append(p.fields, [3]string{col.Column, x, y})
		}
	}
	return p
}

// book is a file of labels: read when it is opened, and written anew, whole or
// not at all, with each answer.
type book struct {
	path  string
	pairs []label.Pair
	who   string
	now   func() time.Time
}

func openBook(path string) (*book, error) {
	b := &book{path: path}
	pairs, err := readPairs(path)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	b.pairs = pairs
	return b, err
}

func (b *book) has(x, y string) bool {
	for _, p := range b.pairs {
		if p.Key() == (label.Pair{A: x, B: y}).Key() {
			return true
		}
	}
	return false
}

func (b *book) answer(_ context.Context, q question, a label.Answer) error {
	b.pairs = append(b.pairs, label.Pair{A: q.a, B: q.b, Answer: a, Who: b.who, When: record.FormatTime(b.now()), Source: "asked"})
	return b.save()
}

// back takes the last answer out again.
func (b *book) back(context.Context) error {
	b.pairs = b.pairs[:len(b.pairs)-1]
	return b.save()
}

func (b *book) save() error {
	return dedupe.WriteFile(b.path, func(w io.Writer) error {
		out, err := label.NewWriter(w, true)
		for _, p := range b.pairs {
			if err == nil {
				err = out.Write(p)
			}
		}
		return err
	})
}

func (b *book) done() string { return b.path }
