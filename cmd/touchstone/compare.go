package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"touchstone/internal/dedupe"
)

func (c *cli) compareCmd() *cobra.Command {
	var f dedupeFlags
	var prior float64
	cmd := &cobra.Command{
		Use:   "compare PAIRS",
		Short: "Score a list of pairs, one a row, with an explanation of each",
		Long: `compare reads pairs from a CSV, JSON-lines or spreadsheet file: columns name_a and name_b, a_name and b_name,
left_… and right_…, name1 and name2, or left and right. It writes every row again with the probability that its
two sides are one customer, and why.`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, files []string) error { return c.compare(cmd.Context(), files, f, prior) },
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.maps, "map", nil, "what a column means, without its side: name=full_name; may be repeated")
	fl.StringVar(&f.entity, "entity", "auto", "what the sides are: company, person, other or auto")
	fl.Float64Var(&prior, "prior", 0.05, "share of the pairs that are expected to be one customer, before looking")
	fl.StringVar(&f.out, "out", "", "write to this CSV file instead of standard output")
	encodingFlag(fl, &f.encoding)
	fl.StringVar(&f.memory, "memory", "4GiB", "most memory to use, such as 512MiB or 8GiB; what does not fit goes to a temporary file")
	f.survive, f.threshold = string(dedupe.MostComplete), dedupe.DefaultThreshold
	return cmd
}

// scoredPair is one line of the result for programs.
type scoredPair struct {
	Row int `json:"row"`
	dedupe.Pair
}

func (c *cli) compare(ctx context.Context, files []string, f dedupeFlags, prior float64) (err error) {
	o, err := f.options(c)
	if err != nil {
		return err
	}
	t, err := loadTable(ctx, files, f.encoding, o.Memory, o.Progress)
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, t.Close()) }()
	pairs, err := dedupe.Pairs(t)
	if err != nil {
		return usageError{err}
	}
	var scored []scoredPair
	reads, entity, err := dedupe.Score(ctx, pairs, prior, o, func(i int, p dedupe.Pair) error {
		scored = append(scored, scoredPair{i + 1, p})
		return nil
	})
	c.stagesEnd()
	if err != nil {
		return mended(err)
	}
	fmt.Fprintf(c.err, "%d pairs, compared as those of: %s\n", len(scored), entity)
	for _, r := range reads {
		fmt.Fprintf(c.err, "  %s: %s (%s)\n", plain(r.Column), r.Meaning, plain(r.Evidence))
	}
	write := func(w io.Writer) error { return writeScored(w, t, scored) }
	if f.out != "" {
		return dedupe.WriteFile(f.out, write)
	}
	if c.json {
		return c.print(scored, nil)
	}
	return write(c.out)
}

// writeScored writes the columns as they came, with two more.
func writeScored(w io.Writer, t *dedupe.Table, scored []scoredPair) error {
	out := csv.NewWriter(w)
	var line []string
	for _, col := range t.Columns {
		line = append(line, dedupe.Harmless(col.Name))
	}
	if err := out.Write(append(line, "probability", "explanation")); err != nil {
		return err
	}
	for i, s := range scored {
		line = line[:0]
		for _, col := range t.Columns {
			line = append(line, dedupe.Harmless(col.Text(i)))
		}
		if err := out.Write(append(line, strconv.FormatFloat(s.Probability, 'f', 4, 64), dedupe.Harmless(s.Summary()))); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
