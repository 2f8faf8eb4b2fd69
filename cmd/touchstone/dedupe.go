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
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"touchstone/connectors/file"
	"touchstone/internal/dedupe"
	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/matching/weight"
)

// dedupeFlags are what the command line of dedupe says.
type dedupeFlags struct {
	maps      []string
	id        string
	entity    string
	link      bool
	threshold float64
	out       string
	golden    string
	pairs     string
	survive   string
	explain   string
	memory    string
	workers   int
	encoding  string
	labels    string
}

func (c *cli) dedupeCmd() *cobra.Command {
	var f dedupeFlags
	cmd := &cobra.Command{
		Use:   "dedupe FILE…",
		Short: "Find the rows of one customer in CSV, JSON-lines or spreadsheet files, without any configuration",
		Long: `dedupe reads tables that nobody described, recognises what their columns mean, learns without labels how
much each tells, and parts the rows into clusters of one customer each. It needs no configuration, no data
folder and no server. Equal files give equal results, whatever the order of their rows and their ids.`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error { return c.dedupe(cmd.Context(), files, f) },
	}
	fl := cmd.Flags()
	f.tables(fl)
	fl.StringVar(&f.id, "id", "", "column that names a row in the results; the row number without it")
	fl.StringVar(&f.entity, "entity", "auto", "what the rows are: company, person, other or auto")
	fl.BoolVar(&f.link, "link", false, "find pairs between files only: each file is clean in itself, one to one")
	fl.StringVar(&f.out, "out", "", "write source, id, cluster and probability of every row to this CSV file")
	fl.StringVar(&f.golden, "golden", "", "write one merged row a cluster to this CSV file")
	fl.StringVar(&f.pairs, "pairs", "", "write every pair compared that is one customer with probability 0.5 or more to this CSV file")
	fl.StringVar(&f.survive, "survivorship", string(dedupe.MostComplete), "whose value a merged row takes: most_complete or most_frequent")
	fl.StringVar(&f.explain, "explain", "", "explain the pair of two rows, by id: --explain A,B")
	fl.StringVar(&f.labels, "labels", "", "learn from this CSV file of answers too: id_a,id_b,label with same, different or unsure")
	return cmd
}

// tables are the options of every command that compares the rows of files.
func (f *dedupeFlags) tables(fl *pflag.FlagSet) {
	fl.StringArrayVar(&f.maps, "map", nil, "what a column means: COLUMN=MEANING, or COLUMN=ignore; may be repeated")
	fl.Float64Var(&f.threshold, "threshold", dedupe.DefaultThreshold, "least probability for a link")
	encodingFlag(fl, &f.encoding)
	fl.StringVar(&f.memory, "memory", "4GiB", "most memory to use, such as 512MiB or 8GiB; what does not fit goes to a temporary file")
	fl.IntVar(&f.workers, "workers", 0, "how many cores to use; all without it (the result is the same)")
}

func (f *dedupeFlags) options(c *cli) (dedupe.Options, error) {
	o := dedupe.Options{Entity: f.entity, Map: map[string]string{}, ID: f.id, Link: f.link, Threshold: f.threshold, Workers: f.workers, Pairs: f.pairs != "", Progress: c.stages()}
	if o.Workers <= 0 {
		o.Workers = runtime.NumCPU()
	}
	o.Workers = min(o.Workers, 64)
	for _, m := range f.maps {
		column, meaning, ok := strings.Cut(m, "=")
		if !ok {
			return o, usageError{fmt.Errorf("--map %s: want COLUMN=MEANING, such as --map tel=phone", m)}
		}
		o.Map[column] = meaning
	}
	if err := dedupe.CheckEntity(f.entity); err != nil {
		return o, usageError{err}
	}
	if f.survive != string(dedupe.MostComplete) && f.survive != string(dedupe.MostFrequent) {
		return o, usageError{fmt.Errorf("--survivorship is %q, want %s or %s", f.survive, dedupe.MostComplete, dedupe.MostFrequent)}
	}
	var err error
	if o.Memory, err = parseSize(f.memory); err != nil {
		return o, usageError{fmt.Errorf("--memory: %w", err)}
	}
	return o, nil
}

const encodingHint = "another encoding is named by --encoding NAME"

func encodingFlag(fl *pflag.FlagSet, to *string) {
	fl.StringVar(to, "encoding", "", "how the text of the files is encoded: utf-8, gb18030, big5, utf-16le, utf-16be or windows-1252; told from the file without it where that is sure")
}

// parseSize reads 512MiB, 8GB, 1000000: binary units, with or without the i.
func parseSize(s string) (int64, error) {
	t, shift := strings.ToLower(strings.TrimSpace(s)), 0
	for unit, n := range map[string]int{"k": 10, "m": 20, "g": 30} {
		for _, end := range []string{unit + "ib", unit + "b", unit} {
			if rest, ok := strings.CutSuffix(t, end); ok && shift == 0 {
				t, shift = rest, n
			}
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(t), 10, 64)
	if err != nil || n <= 0 || n > 1<<(62-shift) {
		return 0, fmt.Errorf("%q is no size, want one such as 512MiB or 8GiB", s)
	}
	return n << shift, nil
}

// loadTable reads the files into one table.
func loadTable(ctx context.Context, files []string, encoding string, memory int64, progress dedupe.Progress) (*dedupe.Table, error) {
	if err := oneOf("--encoding", strings.ToLower(encoding), []string{"utf-8", "gb18030", "big5", "utf-16le", "utf-16be", "windows-1252"}); err != nil {
		return nil, err
	}
	ins, done, err := inputs(files, encoding)
	if err != nil {
		return nil, err
	}
	defer done()
	t, err := dedupe.Load(ctx, ins, memory, progress)
	if err != nil && strings.Contains(err.Error(), "set encoding:") {
		return nil, hinted{err, encodingHint}
	}
	if err != nil {
		return nil, err
	}
	switch {
	case t.Rows() > 0:
		return t, nil
	case len(t.Skipped) == 0:
		return nil, usageError{fmt.Errorf("there are no rows in %s", strings.Join(files, ", "))}
	}
	err = fmt.Errorf("no row could be read: %s", t.Skipped[0])
	if strings.Contains(t.Skipped[0], "UTF-8") {
		err = hinted{err, encodingHint}
	}
	return nil, usageError{err}
}

// inputs opens the files; Clients keep what they read open until they end.
func inputs(files []string, encoding string) ([]dedupe.Input, func(), error) {
	var ins []dedupe.Input
	var clients []*file.Client
	for _, name := range files {
		abs, err := filepath.Abs(name)
		if err != nil {
			return nil, nil, fmt.Errorf("open %s: %w", name, err)
		}
		switch info, err := os.Stat(abs); {
		case errors.Is(err, fs.ErrNotExist):
			return nil, nil, usageError{fmt.Errorf("there is no file %s", name)}
		case err == nil && info.IsDir():
			return nil, nil, usageError{folderNamed(name)}
		}
		// A name is a name here, not a pattern.
		p := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(abs)
		client, err := file.Open(filepath.Dir(abs), file.Options{Path: p, Encoding: encoding})
		if err != nil {
			return nil, nil, fmt.Errorf("open %s: %w", name, err)
		}
		clients = append(clients, client)
		ins = append(ins, dedupe.Input{Name: filepath.Base(name), From: client})
	}
	return ins, func() {
		for _, client := range clients {
			_ = client.Close() // only read from
		}
	}, nil
}

// stages draws how far each stage has come, on a terminal only.
func (c *cli) stages() dedupe.Progress {
	if !isTerminal(c.err) {
		return nil
	}
	return func(stage string, done, total int) {
		if total > 0 {
			fmt.Fprintf(c.err, "\r\x1b[K%s %d of %d", stage, done, total)
		} else {
			fmt.Fprintf(c.err, "\r\x1b[K%s %d", stage, done)
		}
	}
}

func (c *cli) stagesEnd() {
	if isTerminal(c.err) {
		fmt.Fprint(c.err, "\r\x1b[K")
	}
}

func (c *cli) dedupe(ctx context.Context, files []string, f dedupeFlags) (err error) {
	o, err := f.options(c)
	if err != nil {
		return err
	}
	var pair []string
	if f.explain != "" {
		if pair, files, err = explained(f.explain, files); err != nil {
			return err
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(usualGC))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(heapWithin(o.Memory)))
	clock := env.Real().Clock
	start := clock.Now()
	t, err := loadTable(ctx, files, f.encoding, o.Memory, o.Progress)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, t.Close()) }()
	if o.Labels, err = readKnown(t, f.labels, f.id); err != nil {
		return mended(err)
	}
	debug.SetGCPercent(batchGC(t))
	r, err := dedupe.Run(ctx, t, o)
	c.stagesEnd()
	if err != nil {
		return mended(err)
	}
	if pair != nil {
		return c.explainRows(t, r, f.id, pair)
	}
	if err := c.dedupeWrite(t, r, f); err != nil {
		return err
	}
	return c.dedupeSummary(t, r, f, clock.Now().Sub(start))
}

// heapWithin is what a bound on all memory leaves to the garbage collector: what
// is not its to give back is mostly the program's code and tables, measured at
// 50 MB. Near the limit it collects more often, and gives back at once.
func heapWithin(memory int64) int64 { return max(memory-64<<20, 64<<20) }

// usualGC is by how many percent memory may grow between two collections while
// the rows are read: they are then all there is.
const usualGC = 100

// batchGC is the same for what comes after. Of large tables what lives lies in
// large pieces without pointers, which cost the collector next to nothing to look
// at, while garbage of as many bytes again would double the memory. Of small
// tables it is the other way round.
func batchGC(t *dedupe.Table) int {
	if t.Bytes > largeTables {
		return 8
	}
	return usualGC
}

// largeTables is about what 200,000 rows take.
const largeTables = 128 << 20

// mended makes what the person asked for wrongly a usage error.
func mended(err error) error {
	var wrong dedupe.UsageError
	if errors.As(err, &wrong) {
		return usageError{err}
	}
	return err
}

// explained reads the pair: A,B in one word, or B as the last argument.
func explained(first string, files []string) (pair, rest []string, err error) {
	if a, b, ok := strings.Cut(first, ","); ok {
		return []string{a, b}, files, nil
	}
	if len(files) < 2 {
		return nil, nil, usageError{errors.New("--explain wants two rows: --explain A,B")}
	}
	return []string{first, files[len(files)-1]}, files[:len(files)-1], nil
}

func (c *cli) dedupeWrite(t *dedupe.Table, r *dedupe.Result, f dedupeFlags) error {
	if f.out != "" {
		if err := dedupe.WriteFile(f.out, func(w io.Writer) error { return r.WriteClusters(w, t, f.id) }); err != nil {
			return err
		}
	}
	if f.pairs != "" {
		if err := dedupe.WriteFile(f.pairs, func(w io.Writer) error { return r.WritePairs(w, t, f.id) }); err != nil {
			return err
		}
	}
	if f.golden != "" {
		return dedupe.WriteFile(f.golden, func(w io.Writer) error { return r.WriteGolden(w, t, dedupe.Survivorship(f.survive)) })
	}
	return nil
}

func (c *cli) explainRows(t *dedupe.Table, r *dedupe.Result, id string, pair []string) error {
	name := t.RowName(id)
	var rows []int
	for _, want := range pair {
		source, bare, qualified := strings.Cut(want, ":")
		at := -1
		for i := range t.Rows() {
			if name(i) == want || qualified && name(i) == bare && t.Files[t.File[i]] == source {
				if at >= 0 {
					return usageError{fmt.Errorf("%q names several rows; say the file too: FILE:ID", want)}
				}
				at = i
			}
		}
		if at < 0 {
			return fmt.Errorf("there is no row %q: %w", want, record.ErrNotFound)
		}
		rows = append(rows, at)
	}
	return c.printPair(r.Explain(rows[0], rows[1]))
}

func (c *cli) printPair(p dedupe.Pair) error {
	return c.print(p, func() {
		var rows [][]any
		for _, part := range p.Parts {
			rows = append(rows, []any{part.Field, part.Level, part.A, part.B, fmt.Sprintf("%+.2f", part.Weight.Bits())})
		}
		c.table([]string{"field", "how they agree", "one", "the other", "bits"}, rows)
		fmt.Fprintf(c.out, "together %+.2f bits: probability %.4f\n", p.Weight.Bits(), p.Probability)
		if p.Veto != "" {
			fmt.Fprintln(c.out, "not united whatever they weigh:", p.Veto)
		}
		if p.Together {
			fmt.Fprintln(c.out, "they are in one cluster")
		} else {
			fmt.Fprintln(c.out, "they are in two clusters")
		}
	})
}

// shownDedupe is the summary for programs.
type shownDedupe struct {
	Entity     string          `json:"entity"`
	Rows       int             `json:"rows"`
	Unread     int             `json:"unread"`
	Clusters   int             `json:"clusters"`
	Duplicates int             `json:"duplicates"`
	Twins      int             `json:"equal_in_one_file,omitempty"`
	Compared   int64           `json:"pairs_compared"`
	Seconds    float64         `json:"seconds"`
	Columns    []dedupe.Read   `json:"columns"`
	Kept       string          `json:"start_weights_because,omitempty"`
	Prior      weight.Milli    `json:"prior_bits"`
	Learnt     []dedupe.Learnt `json:"learnt"`
	Capped     []dedupe.Capped `json:"capped,omitempty"`
	Plan       *dedupe.Plan    `json:"plan,omitempty"`
	Review     []shownReview   `json:"review,omitempty"`
	Skipped    []string        `json:"skipped,omitempty"`
}

type shownReview struct {
	A           string  `json:"a"`
	B           string  `json:"b"`
	Probability float64 `json:"probability"`
}

func (c *cli) dedupeSummary(t *dedupe.Table, r *dedupe.Result, f dedupeFlags, took time.Duration) error {
	s := shownDedupe{
		Entity: r.Entity, Rows: t.Rows(), Unread: t.Unread, Clusters: r.Clusters, Duplicates: r.Duplicates, Twins: r.Twins, Compared: r.Compared, Seconds: took.Seconds(),
		Columns: r.Reads, Kept: r.Kept, Prior: r.Prior, Learnt: r.Learnt, Capped: r.Capped, Plan: r.Plan, Skipped: t.Skipped,
	}
	name := t.RowName(f.id)
	for _, p := range r.Review {
		s.Review = append(s.Review, shownReview{qualified(t, name, p.A), qualified(t, name, p.B), p.Probability})
	}
	return c.print(s, func() { c.dedupeTables(s, f) })
}

func qualified(t *dedupe.Table, name func(int) string, row int) string {
	if len(t.Files) == 1 {
		return name(row)
	}
	return t.Files[t.File[row]] + ":" + name(row)
}

// shownReviews is how many pairs for review are listed for people.
const shownReviews = 10

func (c *cli) dedupeTables(s shownDedupe, f dedupeFlags) {
	var rows [][]any
	for _, r := range s.Columns {
		rows = append(rows, []any{r.Column, r.Meaning, fmt.Sprintf("%.0f %%", 100*r.Filled), r.Distinct, r.Evidence})
	}
	fmt.Fprintf(c.out, "columns, read as those of: %s (correct with --map COLUMN=MEANING)\n", s.Entity)
	c.table([]string{"column", "meaning", "filled", "distinct", "because"}, rows)
	rows = nil
	for _, l := range s.Learnt {
		for _, level := range l.Levels {
			if level.M >= 0.001 || s.Kept != "" {
				rows = append(rows, []any{l.Field, level.Level, percent(level.M, s.Kept), percent(level.U, s.Kept), fmt.Sprintf("%+.1f", level.Weight.Bits())})
			}
		}
	}
	if s.Kept == "" {
		fmt.Fprintln(c.out, "learnt: how often duplicates and other rows agree, and what that weighs")
	} else {
		fmt.Fprintln(c.out, "nothing was learnt, the built-in weights serve:", s.Kept)
	}
	if s.Kept == "" || c.verbose {
		c.table([]string{"field", "agreement", "of duplicates", "of others", "bits"}, rows)
	}
	for _, capped := range s.Capped {
		fmt.Fprintf(c.out, "%s: %d values are shared by too many rows to compare each with each; neighbours were, and what other columns found\n", plain(capped.Rule), capped.Keys)
	}
	if s.Plan != nil {
		fmt.Fprintln(c.out, plain(s.Plan.String()))
	}
	if s.Twins > 0 {
		fmt.Fprintf(c.out, "%d rows equal another row of their own file: nobody can tell which is meant, they are linked with none\n", s.Twins)
	}
	for _, skipped := range s.Skipped {
		fmt.Fprintln(c.out, "left out:", plain(skipped))
	}
	for i, p := range s.Review {
		if i == shownReviews {
			fmt.Fprintf(c.out, "… %d more pairs to look at (--json lists them)\n", len(s.Review)-i)
			break
		}
		fmt.Fprintf(c.out, "look at %s and %s: probability %.2f\n", plain(p.A), plain(p.B), p.Probability)
	}
	fmt.Fprintf(c.out, "%d rows, %d left out, %d clusters, %d duplicates, %d pairs to look at; %d pairs compared in %.1f s\n", s.Rows, s.Unread, s.Clusters, s.Duplicates, len(s.Review), s.Compared, s.Seconds)
	for _, path := range []string{f.out, f.golden, f.pairs} {
		if path != "" {
			fmt.Fprintln(c.out, "written:", path)
		}
	}
	if f.out == "" && f.golden == "" && f.pairs == "" {
		fmt.Fprintln(c.out, "nothing is written: --out FILE gives every row its cluster, --golden FILE merges them, --explain A,B says why")
	}
}

func percent(x float64, kept string) string {
	if kept != "" {
		return ""
	}
	return fmt.Sprintf("%.3g %%", 100*x)
}
