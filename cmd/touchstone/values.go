package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"touchstone/internal/app"
	"touchstone/matching/values"
)

// valuesFlags say whose values are clustered, and how.
type valuesFlags struct {
	request app.ValuesRequest
	method  string
}

func (f *valuesFlags) add(cmd *cobra.Command) {
	l := cmd.Flags()
	l.StringVar(&f.request.Entity, "entity", "company", "entity type")
	l.StringVar(&f.request.Source, "source", "", "only this source's values")
	l.BoolVar(&f.request.Golden, "golden", false, "the golden records' values instead of the sources'")
	l.StringVar(&f.method, "method", string(values.Fingerprint), strings.Join(values.Methods(), ", "))
	l.IntVar(&f.request.N, "ngram", 0, "length of n-grams: of the key with ngram (2 by default), of what near values share with nearest (3, with Chinese 2)")
	l.StringVar(&f.request.Distance, "distance", values.Levenshtein, "with nearest: "+values.Levenshtein+" or "+values.JaroWinkler)
	l.Float64Var(&f.request.Radius, "radius", 0, "with nearest: edits (2 by default), or 1 minus the similarity (0.08)")
}

func (f *valuesFlags) of(field string) (app.ValuesRequest, error) {
	f.request.Field, f.request.Method = field, values.Method(f.method)
	var idle string
	switch m := values.Method(f.method); {
	case m != values.Nearest && f.request.Radius != 0:
		idle = "--radius"
	case m != values.Nearest && f.request.Distance != values.Levenshtein:
		idle = "--distance"
	case m != values.Nearest && m != values.NGram && f.request.N != 0:
		idle = "--ngram"
	}
	if idle != "" && slices.Contains(values.Methods(), f.method) {
		return f.request, usageError{fmt.Errorf("%s means nothing with --method %s", idle, f.method)}
	}
	if f.request.Golden && f.request.Source != "" {
		return f.request, usageError{errors.New("--golden has no source: leave --source out")}
	}
	return f.request, nil
}

func (c *cli) valuesCmd() *cobra.Command {
	var f valuesFlags
	var limit int
	cmd := &cobra.Command{
		Use: "values FIELD", Short: "Find the spellings of one field that may mean the same", Args: args(cobra.ExactArgs(1)),
		Long: `Find the spellings of one field that may mean the same, from strict to lax: fingerprint (the same words),
ngram (the same pairs of letters), phonetic (the same sound; Chinese by pinyin), nearest (few edits apart).
FIELD is a field, or a part of a list's entries: industry, addresses.city. Nothing is changed; values apply decides.`,
		RunE: c.withApp(func(ctx context.Context, a *app.App, fields []string) error {
			r, err := f.of(fields[0])
			if err != nil {
				return err
			}
			if err := someOf("--limit", limit); err != nil {
				return err
			}
			found, err := a.Values(ctx, r)
			if err != nil {
				return err
			}
			if err := c.saw(ctx, a, "values", r.Entity+"."+r.Field); err != nil {
				return err
			}
			return c.print(found, func() { c.showValues(found, limit, r.Method) })
		}),
	}
	f.add(cmd)
	cmd.Flags().IntVar(&limit, "limit", 50, "how many clusters to show at most; --json has all")
	cmd.AddCommand(c.valuesApplyCmd())
	return cmd
}

// mostShown bounds the values shown of one cluster.
const mostShown = 20

func (c *cli) showValues(found app.ValueClusters, limit int, how values.Method) {
	var rows [][]any
	for _, x := range found.Clusters[:min(max(limit, 0), len(found.Clusters))] {
		for i, v := range x.Values {
			if i == mostShown {
				rows = append(rows, []any{"", "", fmt.Sprintf("and %d more", len(x.Values)-i), "", ""})
				break
			}
			n, id := any(""), ""
			if i == 0 {
				n, id = x.N, x.ID
			}
			rows = append(rows, []any{n, id, v.Value, v.Count, sources(v.Sources)})
		}
	}
	if len(rows) > 0 {
		c.table([]string{"no.", "cluster", "value", "records", "sources"}, rows)
	}
	fmt.Fprintf(c.out, "%s among %s of %s\n", plural(len(found.Clusters), "cluster"), plural(found.Distinct, "value"), plural(found.Records, "record"))
	if left := len(found.Clusters) - max(limit, 0); left > 0 {
		fmt.Fprintf(c.out, "%d more clusters: --limit shows them\n", left)
	}
	if found.Spilled > 0 {
		fmt.Fprintf(c.out, "%d lists of values were too long to compare each with each: --ngram with a greater length makes them shorter\n", found.Spilled)
	}
	if found.LeftOut > 0 {
		fmt.Fprintf(c.out, "%d further values were left out: --source narrows what is looked at\n", found.LeftOut)
	}
	if len(found.Clusters) == 0 && found.Distinct > 1 && how != values.Nearest {
		fmt.Fprintln(c.out, "--method ngram, phonetic and nearest find laxer ones")
	}
	if len(found.Clusters) > 0 {
		fmt.Fprintf(c.out, "touchstone values apply %s --entity %s --cluster NUMBER makes one value of a cluster\n", found.Field, found.Entity)
	}
}

func sources(counts map[string]int) string {
	var out []string
	for name, n := range counts {
		out = append(out, fmt.Sprintf("%s %d", name, n))
	}
	sort.Strings(out)
	return strings.Join(out, ", ")
}

func (c *cli) valuesApplyCmd() *cobra.Command {
	var f valuesFlags
	var b by
	var file, cluster, to string
	var from []string
	cmd := &cobra.Command{
		Use: "apply FIELD", Short: "Decide that values of a field count as another one, now and later", Args: args(cobra.ExactArgs(1)),
		Long: `Decide that values of a field count as another one, wherever a source says them, now or later. It is one decision:
touchstone plan shows what follows before it is pushed, touchstone undo takes all of it back. What the sources said stays.
Say the values with --cluster (a number or id of touchstone values with the same options), with --from and --to, or with
--map, a CSV file with the columns from and to.`,
		RunE: c.withApp(func(ctx context.Context, a *app.App, fields []string) error {
			r, err := f.of(fields[0])
			if err != nil {
				return err
			}
			m := app.MapRequest{Entity: r.Entity, Field: r.Field}
			switch ways := boolCount(file != "", cluster != "", len(from) > 0); {
			case ways != 1:
				return usageError{errors.New("say which values: one of --cluster, --from and --map")}
			case file != "" && to != "":
				return usageError{errors.New("--map says itself what the values count as: leave --to out")}
			case len(from) > 0 && to == "":
				return usageError{errors.New("--to is missing: the value that --from counts as")}
			}
			if m.Pairs, err = c.pairs(ctx, a, r, file, cluster, to, from); err != nil {
				return err
			}
			d, err := a.MapValues(ctx, m, b.by())
			if err == nil && !c.json {
				fmt.Fprintf(c.out, "%s, on %s now\n", plural(d.Values, "value"), plural(d.Records, "record"))
			}
			if err == nil && c.json {
				return c.print(d, nil)
			}
			return c.decided(d.Decided, err)
		}),
	}
	f.add(cmd)
	l := cmd.Flags()
	l.StringVar(&file, "map", "", "CSV file with the columns from and to")
	l.StringVar(&cluster, "cluster", "", "number or id of a cluster")
	l.StringArrayVar(&from, "from", nil, "a value that counts as another; several times")
	l.StringVar(&to, "to", "", "what they count as; of a cluster the proposed value without it")
	b.flags(l, true)
	return cmd
}

func boolCount(list ...bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}

func (c *cli) pairs(ctx context.Context, a *app.App, r app.ValuesRequest, file, cluster, to string, from []string) (pairs [][2]string, err error) {
	switch {
	case file != "":
		return pairsFile(file)
	case cluster != "":
		found, err := a.Values(ctx, r)
		if err != nil {
			return nil, err
		}
		pairs, err := found.ClusterPairs(cluster, to)
		if err != nil {
			return nil, usageError{fmt.Errorf("--cluster %s: %w", cluster, err)}
		}
		return pairs, nil
	}
	for _, v := range from {
		pairs = append(pairs, [2]string{v, to})
	}
	return pairs, nil
}

// pairsFile reads a CSV file with the columns from and to, in any order and with
// others beside them.
func pairsFile(name string) (pairs [][2]string, err error) {
	f, err := openFile(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	pairs, err = readMapping(f)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s:%w", name, err)}
	}
	return pairs, nil
}

// readMapping gives errors that begin with LINE:COLUMN.
func readMapping(f io.Reader) (pairs [][2]string, err error) {
	r := csv.NewReader(f)
	r.ReuseRecord, r.FieldsPerRecord = true, -1
	at := [2]int{-1, -1}
	said := map[string][2]string{} // what a value counts as, and where that is said
	for {
		row, err := r.Read()
		var bad *csv.ParseError
		switch {
		case err == io.EOF && at[0] < 0:
			return nil, errors.New("1:1: the file is empty; it begins with a line that names the columns from and to")
		case err == io.EOF:
			return pairs, nil
		case errors.As(err, &bad):
			return nil, fmt.Errorf("%d:%d: %w", bad.Line, bad.Column, bad.Err)
		case err != nil:
			return nil, fmt.Errorf("1:1: %w", err)
		}
		line, _ := r.FieldPos(0)
		if at[0] < 0 {
			for i, name := range row {
				switch strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))) {
				case "from":
					at[0] = i
				case "to":
					at[1] = i
				}
			}
			if at[0] < 0 || at[1] < 0 {
				return nil, errors.New("1:1: the first line must name the columns from and to")
			}
			continue
		}
		if len(row) <= max(at[0], at[1]) {
			return nil, fmt.Errorf("%d:1: the line has %d columns; from and to are columns %d and %d", line, len(row), at[0]+1, at[1]+1)
		}
		for _, i := range at {
			line, column := r.FieldPos(i)
			switch {
			case strings.TrimSpace(row[i]) == "":
				return nil, fmt.Errorf("%d:%d: the value is empty: both from and to must say one", line, column)
			case !utf8.ValidString(row[i]):
				return nil, fmt.Errorf("%d:%d: the value is no UTF-8: save the file as UTF-8", line, column)
			}
		}
		if e, twice := said[row[at[0]]]; twice && e[0] != row[at[1]] {
			_, column := r.FieldPos(at[0])
			return nil, fmt.Errorf("%d:%d: the value counts as another one here than in line %s", line, column, e[1])
		}
		said[row[at[0]]] = [2]string{row[at[1]], strconv.Itoa(line)}
		pairs = append(pairs, [2]string{row[at[0]], row[at[1]]})
	}
}
