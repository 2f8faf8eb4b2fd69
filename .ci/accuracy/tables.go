package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"touchstone/matching/eval"
	"touchstone/matching/label"
)

// bar is what a set has to reach, and what the best of the others reached on it:
// each with the settings its own documentation gives where there are some, at
// its own threshold.
type bar struct {
	f1, b3, hard float64 // at least, at least, at most; 0 for none
	peers        string
}

// bars holds those of the sets that have one; a generated set of another seed
// has that of its kind.
func bars(set string) bar {
	switch set {
	case "febrl1", "febrl2":
		return bar{f1: 0.998}
	case "febrl3":
		return bar{f1: 0.999, peers: "1.000 recordlinkage 0.16 (ECM), 0.994 Splink 5.0.0, 0.991 goldenmatch 3.22.0"}
	case "fake_1000":
		return bar{f1: 0.97, peers: "0.831 Splink (0.911 with the threshold chosen afterwards)"}
	case "early_childhood_chicago":
		return bar{f1: 0.94, peers: "0.958 dedupe 3.0.3 with 100 labels, 0.529 goldenmatch"}
	case "dblp_acm":
		return bar{f1: 0.98, peers: "0.972 claimed by goldenmatch, 0.843 recordlinkage"}
	case "patstat_nl":
		return bar{b3: 0.88}
	case "gen_person_mixed_10k":
		return bar{f1: 0.96, hard: 0.03, peers: "0.907 Splink, 0.797 goldenmatch"}
	case "gen_person_zh_10k":
		return bar{f1: 0.97, hard: 0.02, peers: "0.901 Splink"}
	case "gen_company_mixed_10k":
		return bar{f1: 0.95, hard: 0.02, peers: "0.898 Splink, 0.074 goldenmatch"}
	case "gen_company_zh_10k":
		return bar{f1: 0.95, hard: 0.02, peers: "0.889 Splink"}
	case "person100k":
		return bar{f1: 0.93, peers: "0.900 Splink"}
	case "company100k":
		return bar{f1: 0.93, peers: "0.894 Splink"}
	}
	if strings.HasPrefix(set, "person") || strings.HasPrefix(set, "company") {
		return bar{f1: 0.95, hard: 0.03}
	}
	return bar{}
}

func (b bar) String() string {
	var out []string
	if b.f1 > 0 {
		out = append(out, fmt.Sprintf("F1 ≥ %.3f", b.f1))
	}
	if b.b3 > 0 {
		out = append(out, fmt.Sprintf("B³ ≥ %.2f", b.b3))
	}
	if b.hard > 0 {
		out = append(out, fmt.Sprintf("hard ≤ %.2f", b.hard))
	}
	if len(out) == 0 {
		return "–"
	}
	return strings.Join(out, ", ")
}

// missed says whether a result lies below its bar.
func (b bar) missed(s eval.Score, hard string) bool {
	h, err := strconv.ParseFloat(hard, 64)
	return s.F1.Value < b.f1-5e-5 || s.B3.Value < b.b3-5e-5 || err == nil && b.hard > 0 && h > b.hard
}

// tables are the lines of the document's tables.
type tables struct {
	sets, pairs []string
	trust       map[string]*trust
	kinds       []string
}

// score runs one set in four orders and adds its lines; pairs of names are one
// line of a table of their own.
func (t *tables) score(ctx context.Context, binary, dir, tmp string) error {
	if _, err := os.Stat(filepath.Join(dir, "labelled_pairs.csv")); err == nil {
		line, err := scoreNames(ctx, binary, filepath.Join(dir, "labelled_pairs.csv"), tmp)
		if err == nil {
			t.pairs = append(t.pairs, line)
		}
		return err
	}
	truth, err := readTruth(filepath.Join(dir, "truth.csv"))
	if err != nil {
		return err
	}
	var first label.Truth
	var use usage
	same := "equal"
	for order := range 4 {
		if order > 0 && len(first.IDs) > manyRows {
			break
		}
		clusters, u, err := dedupe(ctx, binary, dir, tmp, order)
		if err != nil {
			return err
		}
		if order > 0 {
			if !equalParts(first.Cluster, clusters.Cluster) {
				same = "DIFFERENT"
			}
			continue
		}
		first, use = clusters, u
		if len(clusters.IDs) > manyRows {
			same = "–"
		}
		if err := t.believe(dir, filepath.Join(tmp, "pairs.csv"), truth); err != nil {
			return err
		}
	}
	set := filepath.Base(dir)
	s, err := scored(truth, first)
	if err != nil {
		return err
	}
	hard, b := hardMerged(dir, truth, first), bars(set)
	missed := ""
	if b.missed(s, hard) {
		missed = " **missed**"
	}
	t.sets = append(t.sets, fmt.Sprintf("| %s | %d | %.4f | %.4f | %.4f | %.4f | %s | %s%s | %s | %.1f | %d | %s |",
		set, len(first.IDs), s.Precision.Value, s.Recall.Value, s.F1.Value, s.B3.Value, hard, b, missed, dash(b.peers), use.cpu, use.rss>>10, same))
	return nil
}

// manyRows is above how many rows a set is run once and not in four orders.
const manyRows = 50_000

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func (t *tables) names() []string { return []string{"sets", "calibration", "names"} }

// text is one table.
func (t *tables) text(name string) string {
	var lines []string
	switch name {
	case "sets":
		lines = append([]string{
			"| set | rows | precision | recall | F1 | B³ F1 | hard merged | bar | others, F1 | CPU s | peak RSS MB | 4 orders |",
			"|---|---|---|---|---|---|---|---|---|---|---|---|",
		}, t.sets...)
	case "calibration":
		lines = []string{trustHead(), "|---" + strings.Repeat("|---", len(trustBins)) + "|"}
		for _, k := range t.kinds {
			lines = append(lines, t.trust[k].line(k))
		}
	case "names":
		lines = append([]string{"| pairs | precision | recall | F1 | bar | others, F1 | µs a pair |", "|---|---|---|---|---|---|---|"}, t.pairs...)
	}
	return strings.Join(lines, "\n") + "\n"
}

// writeTo puts each table between its marks in the document.
func (t *tables) writeTo(path string) error {
	b, err := os.ReadFile(path) //nolint:gosec // the project's own
	if err != nil {
		return err
	}
	text := string(b)
	for _, name := range t.names() {
		from, to := "<!-- table "+name+" -->\n", "<!-- end "+name+" -->"
		i, j := strings.Index(text, from), strings.Index(text, to)
		if i < 0 || j < i {
			return fmt.Errorf("%s has no place for the table %q: it stands between %q and %q", path, name, strings.TrimSpace(from), to)
		}
		text = text[:i+len(from)] + "\n" + t.text(name) + "\n" + text[j:]
	}
	return os.WriteFile(path, []byte(text), 0o644) //nolint:gosec // a document of the project
}

// trustBins are the lower ends of the probabilities that are counted together.
var trustBins = []float64{0.5, 0.8, 0.9, 0.95, 0.99, 0.999}

// trust counts the pairs of each probability, and how many of them are true.
type trust struct{ pairs, right [6]int }

func trustHead() string {
	var b strings.Builder
	b.WriteString("| kind of data ")
	for i, p := range trustBins {
		if i+1 < len(trustBins) {
			fmt.Fprintf(&b, "| %g to %g ", p, trustBins[i+1])
		} else {
			fmt.Fprintf(&b, "| %g and more ", p)
		}
	}
	return b.String() + "|"
}

func (t *trust) line(kind string) string {
	var b strings.Builder
	b.WriteString("| " + kind + " ")
	for i := range trustBins {
		if t.pairs[i] == 0 {
			b.WriteString("| – ")
			continue
		}
		fmt.Fprintf(&b, "| %.3f of %d ", float64(t.right[i])/float64(t.pairs[i]), t.pairs[i])
	}
	return b.String() + "|"
}

// kindOf puts sets of one kind together.
func kindOf(set string) string {
	switch {
	case strings.Contains(set, "person") && strings.HasPrefix(set, "gen"), strings.HasPrefix(set, "person"):
		return "persons, generated"
	case strings.Contains(set, "company"):
		return "companies, generated"
	case strings.HasPrefix(set, "febrl"), set == "fake_1000":
		return "persons, febrl and fake_1000"
	}
	return set
}

// believe counts the pairs that the program gave a probability.
func (t *tables) believe(dir, file string, truth label.Truth) error {
	rows, err := readTable(file)
	if err != nil {
		return err
	}
	kind := kindOf(filepath.Base(dir))
	if t.trust == nil {
		t.trust = map[string]*trust{}
	}
	if t.trust[kind] == nil {
		t.trust[kind] = &trust{}
		t.kinds = append(t.kinds, kind)
	}
	for _, r := range rows[1:] {
		p, err := strconv.ParseFloat(r[2], 64)
		if err != nil {
			return fmt.Errorf("pairs: %w", err)
		}
		bin, _ := slices.BinarySearchFunc(trustBins, p, func(low, p float64) int {
			if low <= p {
				return -1
			}
			return 1
		})
		if bin--; bin < 0 {
			continue // rounded below the first
		}
		t.trust[kind].pairs[bin]++
		if customer(truth, r[0]) == customer(truth, r[1]) {
			t.trust[kind].right[bin]++
		}
	}
	return nil
}
