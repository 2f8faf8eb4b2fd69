package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"touchstone/internal/dedupe"
	"touchstone/matching/eval"
	"touchstone/matching/label"
)

// evalFlags are what the command line of eval says.
type evalFlags struct {
	dedupeFlags
	truth string
	worst int
}

func (c *cli) evalCmd() *cobra.Command {
	var f evalFlags
	cmd := &cobra.Command{
		Use:   "eval --truth TRUTH RESULT | FILE…",
		Short: "Measure a result against a truth: precision, recall, thresholds, the worst errors",
		Long: `eval holds a result against a truth, a CSV file with id,cluster or with id_a,id_b for true pairs. The result is a CSV
file with id and cluster, as dedupe --out writes it; or files of records, which eval dedupes itself: then it also shows
what other thresholds would give, and takes the worst errors apart. Precision, recall and F1 count pairs of rows after
clustering, B³ counts rows, exact clusters those of two and more that are found as they are. The intervals hold 95 of
100 times for truths drawn like this one: a Poisson bootstrap over the true clusters, the same at every run.`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error { return c.eval(cmd.Context(), files, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.truth, "truth", "", "the truth: CSV with id,cluster or with id_a,id_b")
	fl.IntVar(&f.worst, "worst", 5, "how many wrong links and missed pairs to explain")
	f.tables(fl)
	fl.StringVar(&f.id, "id", "id", "column that names a row in the truth")
	fl.StringVar(&f.entity, "entity", "auto", "what the rows are: company, person, other or auto")
	fl.BoolVar(&f.link, "link", false, "find pairs between files only: each file is clean in itself, one to one")
	fl.StringVar(&f.labels, "labels", "", "learn from this CSV file of answers too: id_a,id_b,label with same, different or unsure")
	f.survive = string(dedupe.MostComplete)
	return cmd
}

// evaluated is what eval finds.
type evaluated struct {
	eval.Score
	Threshold  float64         `json:"threshold,omitempty"`
	Chart      []dedupe.Scored `json:"chart,omitempty"`
	WrongLinks []dedupe.Wrong  `json:"wrong_links,omitempty"`
	Missed     []dedupe.Wrong  `json:"missed_pairs,omitempty"`
}

func (c *cli) eval(ctx context.Context, files []string, f evalFlags) error {
	if f.truth == "" {
		return usageError{errors.New("--truth is missing: a CSV file with id,cluster or with id_a,id_b")}
	}
	truth, err := readTruth(f.truth)
	if err != nil {
		return err
	}
	if f.worst < 0 {
		return usageError{fmt.Errorf("--worst is %d, want 0 or more", f.worst)}
	}
	var out evaluated
	if len(files) == 1 && isResult(files[0]) {
		if f.labels != "" {
			return usageError{fmt.Errorf("%s is a result, which learns no more: --labels is for files of records", filepath.Base(files[0]))}
		}
		out.Score, err = scoreResult(truth, files[0])
	} else {
		out, err = c.evalFiles(ctx, truth, files, f)
	}
	if err != nil {
		return err
	}
	return c.print(out, func() { c.evalTables(out) })
}

func readTruth(path string) (label.Truth, error) {
	f, err := openFile(path)
	if err != nil {
		return label.Truth{}, err
	}
	defer func() { _ = f.Close() }() // only read
	t, err := label.ReadTruth(f, filepath.Base(path))
	if err != nil {
		return t, usageError{err}
	}
	return t, nil
}

// isResult says whether a file is a clustering: its first line names id and
// cluster.
func isResult(path string) bool {
	f, err := openFile(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // only read
	head, err := csv.NewReader(f).Read()
	if err != nil || len(head) == 0 {
		return false
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	return slices.Contains(head, "id") && slices.Contains(head, "cluster")
}

// scoreResult scores a clustering that stands in a file.
func scoreResult(truth label.Truth, path string) (s eval.Score, err error) {
	found, err := readTruth(path)
	if err != nil {
		return s, err
	}
	if !slices.ContainsFunc(truth.IDs, func(id string) bool { _, ok := found.Cluster[id]; return ok }) && len(truth.IDs) > 0 {
		return s, usageError{fmt.Errorf("%s names none of the records of the truth, like %q: the two are not of one set", filepath.Base(path), truth.IDs[0])}
	}
	t, p, err := truth.Beside(found)
	if err != nil {
		return s, usageError{fmt.Errorf("%s: %w", filepath.Base(path), err)}
	}
	return eval.Of(t, p), nil
}

func (c *cli) evalFiles(ctx context.Context, truth label.Truth, files []string, f evalFlags) (out evaluated, err error) {
	o, err := f.options(c)
	if err != nil {
		return out, err
	}
	t, err := loadTable(ctx, files, f.encoding, o.Memory, o.Progress)
	if err != nil {
		return out, err
	}
	defer func() { err = cmp.Or(err, t.Close()) }()
	if o.Labels, err = readKnown(t, f.labels, f.id); err != nil {
		return out, mended(err)
	}
	r, err := dedupe.Run(ctx, t, o)
	c.stagesEnd()
	if err != nil {
		return out, mended(err)
	}
	a, err := r.Against(t, f.id, truth)
	if err != nil {
		return out, mended(err)
	}
	out.Score, out.Threshold, out.Chart = a.Score(), f.threshold, a.Chart()
	out.WrongLinks, out.Missed = a.Worst(f.worst)
	return out, nil
}

func (c *cli) evalTables(e evaluated) {
	fmt.Fprintf(c.out, "%d records, %d true pairs, %d found, %d of them right\n", e.Records, e.TruePairs, e.Found, e.Hit)
	var rows [][]any
	for _, m := range []struct {
		name string
		f    eval.Figure
	}{{"precision", e.Precision}, {"recall", e.Recall}, {"F1", e.F1}, {"B³ F1", e.B3}, {"exact clusters F1", e.Exact}} {
		rows = append(rows, []any{m.name, fmt.Sprintf("%.4f", m.f.Value), fmt.Sprintf("%.4f", m.f.Low), fmt.Sprintf("%.4f", m.f.High)})
	}
	c.table([]string{"", "", "95 % from", "to"}, rows)
	if len(e.Chart) > 0 {
		rows = nil
		for _, s := range e.Chart {
			at := ""
			if s.Threshold == e.Threshold {
				at = "←"
			}
			rows = append(rows, []any{s.Threshold, fmt.Sprintf("%.4f", s.Precision.Value), fmt.Sprintf("%.4f", s.Recall.Value), fmt.Sprintf("%.4f", s.F1.Value), share(s.F1.Value), at})
		}
		fmt.Fprintln(c.out, "other thresholds, by the same weights (the bar is F1 from 0.5 to 1)")
		c.table([]string{"threshold", "precision", "recall", "F1", "", ""}, rows)
	}
	c.wrongPairs("wrong links, the heaviest first", e.WrongLinks)
	c.wrongPairs("missed pairs, the heaviest first", e.Missed)
}

// share draws a share from one half to one.
func share(x float64) string {
	const width = 40
	n := int(max(0, min(1, 2*x-1))*width + 0.5)
	return strings.Repeat("█", n) + strings.Repeat("·", width-n)
}

func (c *cli) wrongPairs(title string, list []dedupe.Wrong) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(c.out, title)
	for _, w := range list {
		fmt.Fprintf(c.out, "%s and %s: %s; %+.1f bits, probability %.4f\n", plain(w.A), plain(w.B), w.Why, w.Weight.Bits(), w.Probability)
		for _, p := range w.Parts {
			fmt.Fprintf(c.out, "    %s %-16s %-22s %s", bits(p.Weight), plain(p.Field), plain(p.Level), plain(p.A))
			if p.A != p.B {
				fmt.Fprintf(c.out, " / %s", plain(p.B))
			}
			fmt.Fprintln(c.out)
		}
		if w.Veto != "" {
			fmt.Fprintln(c.out, "   ", w.Veto)
		}
	}
}
