package dedupe_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/connectors/file"
	"touchstone/internal/dedupe"
)

// testdata are the sets that package matching keeps.
const testdata = "../../matching/testdata"

func readRows(t testing.TB, path string) [][]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func writeRows(t testing.TB, path string, rows [][]string) string {
	t.Helper()
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func inputs(t testing.TB, paths ...string) []dedupe.Input {
	t.Helper()
	var ins []dedupe.Input
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			t.Fatal(err)
		}
		c, err := file.Open(filepath.Dir(abs), file.Options{Path: abs})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
		ins = append(ins, dedupe.Input{Name: filepath.Base(p), From: c})
	}
	return ins
}

func run(t testing.TB, o dedupe.Options, paths ...string) (*dedupe.Table, *dedupe.Result) {
	t.Helper()
	tab, err := dedupe.Load(t.Context(), inputs(t, paths...), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := dedupe.Run(t.Context(), tab, o)
	if err != nil {
		t.Fatal(err)
	}
	return tab, r
}

// table runs on rows written as CSV; the first is the header.
func table(t testing.TB, o dedupe.Options, rows ...[]string) (*dedupe.Table, *dedupe.Result) {
	t.Helper()
	return run(t, o, writeRows(t, filepath.Join(t.TempDir(), "rows.csv"), rows))
}

// f1 is the pairwise score of the clusters against the truth, by id.
func f1(t testing.TB, truthFile string, clusters map[string]int) (precision, recall, f float64) {
	t.Helper()
	found, all, both := map[int]int{}, map[string]int{}, map[string]int{}
	for _, row := range readRows(t, truthFile)[1:] {
		c, ok := clusters[row[0]]
		if !ok {
			t.Fatalf("row %s has no cluster", row[0])
		}
		found[c]++
		all[row[1]]++
		both[row[1]+" "+strconv.Itoa(c)]++
	}
	p, a, h := pairs(found), pairs(all), pairs(both)
	return h / p, h / a, 2 * h / (p + a)
}

func pairs[K comparable](sizes map[K]int) float64 {
	n := 0
	for _, s := range sizes {
		n += s * (s - 1) / 2
	}
	return float64(n)
}

func byID(tab *dedupe.Table, r *dedupe.Result) map[string]int {
	out := map[string]int{}
	id := tab.Column("id")
	for i, p := range r.Rows {
		out[id.Text(i)] = p.Cluster
	}
	return out
}

// The floors hold the defaults on the committed sets, without labels; the
// larger sets are scored by hand (docs/accuracy.md).
func TestDefaultsHoldTheirFloors(t *testing.T) {
	for _, tt := range []struct {
		set, entity   string
		f1, precision float64
	}{
		{"febrl1", "person", 0.997, 0.998},
		{"fake_1000", "person", 0.965, 0.995},
		{"company_mixed_2k", "company", 0.981, 0.989},
		{"person_zh_2k", "person", 0.971, 0.987},
	} {
		tab, r := run(t, dedupe.Options{ID: "id", Workers: 2}, filepath.Join(testdata, tt.set+".csv"))
		p, rec, f := f1(t, filepath.Join(testdata, tt.set+"_truth.csv"), byID(tab, r))
		t.Logf("%-18s %s P %.4f R %.4f F1 %.4f, %d pairs compared", tt.set, r.Entity, p, rec, f, r.Compared)
		if f < tt.f1 || p < tt.precision || r.Entity != tt.entity || r.Kept != "" {
			t.Errorf("%s: read as %s, F1 %.4f, precision %.4f, kept %q; want %s, at least %.3f and %.3f, learnt", tt.set, r.Entity, f, p, r.Kept, tt.entity, tt.f1, tt.precision)
		}
	}
}

// partition is the clusters as sets of row contents, in one order.
func partition(tab *dedupe.Table, r *dedupe.Result, without string) []string {
	members := map[int][]string{}
	for i, p := range r.Rows {
		var parts []string
		for _, c := range tab.Columns {
			if c.Name != without {
				parts = append(parts, c.Name+"="+c.Text(i))
			}
		}
		slices.Sort(parts)
		members[p.Cluster] = append(members[p.Cluster], fmt.Sprintf("%s p=%.6f", strings.Join(parts, "|"), p.Probability))
	}
	var out []string
	for c, m := range members {
		slices.Sort(m)
		out = append(out, fmt.Sprint(c, " ", strings.Join(m, "\n")))
	}
	slices.Sort(out)
	return out
}

// Rows, columns and ids in any order, and any number of workers: the same
// clusters with the same numbers and probabilities.
func TestOrderIDsAndWorkersDoNotMatter(t *testing.T) {
	for _, set := range []string{"company_mixed_2k", "person_zh_2k"} {
		rows := readRows(t, filepath.Join(testdata, set+".csv"))
		rows = rows[:1600] // enough not to be compared pair by pair
		var want []string
		for seed := range uint64(4) {
			r := rand.New(rand.NewPCG(seed, 7))
			header, body := slices.Clone(rows[0]), make([][]string, 0, len(rows)-1)
			for _, row := range rows[1:] {
				body = append(body, slices.Clone(row))
			}
			if seed > 0 {
				r.Shuffle(len(body), func(i, j int) { body[i], body[j] = body[j], body[i] })
				last := len(header) - 1
				for i, row := range append(body, header) {
					row[1], row[last] = row[last], row[1]
					if i < len(body) {
						row[0] = fmt.Sprintf("x%d", r.Uint64())
					}
				}
			}
			tab, res := table(t, dedupe.Options{ID: "id", Workers: int(seed%3) + 1}, append([][]string{header}, body...)...)
			got := partition(tab, res, "id")
			if want == nil {
				want = got
			} else if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, order %d with %d workers: other clusters (-want +got):\n%s", set, seed, seed%3+1, d)
			}
		}
	}
}

// Each file holds a customer once: no cluster has two rows of one.
func TestLinkIsOneToOne(t *testing.T) {
	rows := readRows(t, filepath.Join(testdata, "febrl1.csv"))
	truth := map[string]string{}
	for _, row := range readRows(t, filepath.Join(testdata, "febrl1_truth.csv"))[1:] {
		truth[row[0]] = row[1]
	}
	a, b, seen := [][]string{rows[0]}, [][]string{rows[0]}, map[string]bool{}
	for _, row := range rows[1:] {
		if seen[truth[row[0]]] {
			b = append(b, row)
		} else {
			a = append(a, row)
		}
		seen[truth[row[0]]] = true
	}
	twin := slices.Clone(b[1]) // an equal row: nobody can tell which is meant
	twin[0] = "twin"
	b = append(b, twin)
	dir := t.TempDir()
	tab, r := run(t, dedupe.Options{ID: "id", Link: true, Workers: 2}, writeRows(t, filepath.Join(dir, "a.csv"), a), writeRows(t, filepath.Join(dir, "b.csv"), b))
	held := map[[2]int]int{}
	for i, p := range r.Rows {
		held[[2]int{p.Cluster, int(tab.File[i])}]++
	}
	for k, n := range held {
		if n > 1 {
			t.Errorf("cluster %d holds %d rows of file %d", k[0], n, k[1])
		}
	}
	c := byID(tab, r)
	if size := held[[2]int{c["twin"], 0}] + held[[2]int{c[b[1][0]], 0}]; size != 0 || r.Twins != 2 {
		t.Errorf("%d rows are linked with the twins, %d twins are told; want none and 2", size, r.Twins)
	}
	if _, _, f := f1(t, filepath.Join(testdata, "febrl1_truth.csv"), c); f < 0.99 {
		t.Errorf("F1 %.4f, want at least 0.99", f)
	}
	if _, err := dedupe.Run(t.Context(), tab, dedupe.Options{ID: "id", Link: true, Threshold: 2}); !errors.As(err, &dedupe.UsageError{}) {
		t.Errorf("a threshold of 2: %v, want a usage error", err)
	}
}

// Columns nobody knows are compared by their kind.
func TestOtherThingsAreCompared(t *testing.T) {
	rows := [][]string{{"isbn", "title", "authors", "year"}}
	words := strings.Fields("amber basalt copper dolomite emerald feldspar garnet hematite iolite jasper kyanite lapis malachite nephrite obsidian pyrite quartz rhodonite sapphire topaz")
	r := rand.New(rand.NewPCG(3, 3))
	pick := func() string { return words[r.IntN(len(words))] }
	for i := range 150 {
		title := fmt.Sprintf("%s %s and the %s of %s %d", pick(), pick(), pick(), pick(), i)
		authors := fmt.Sprintf("%s %s, %s %s, %s %s", pick(), pick(), pick(), pick(), pick(), pick())
		rows = append(rows, []string{fmt.Sprint(9780000000000 + r.IntN(1e9)), title, authors, fmt.Sprint(1990 + i%20)})
		if i%3 == 0 { // again, mistyped and without its number
			rows = append(rows, []string{"", strings.Replace(title, "and the", "& the", 1), strings.ToUpper(authors), fmt.Sprint(1990 + i%20)})
		}
	}
	_, res := table(t, dedupe.Options{Workers: 2}, rows...)
	if res.Entity != dedupe.Other || res.Duplicates != 50 {
		t.Errorf("read as %s with %d duplicates, want %s and 50", res.Entity, res.Duplicates, dedupe.Other)
	}
}

func TestColumnsAreRecognised(t *testing.T) {
	rows := [][]string{{"Kundennr", "客户姓名", "dob", "contact", "Tel.", "家庭住址", "postal_code", "plan", "score", "notes", "ref", "leer"}}
	for i := range 60 {
		rows = append(rows, []string{
			fmt.Sprint(i + 1), []string{"王小明", "李娜", "张伟"}[i%3], fmt.Sprintf("%d-0%d-1%d", 1950+i, i%9+1, i%9), fmt.Sprintf("user%d@example.com", i), fmt.Sprintf("+44 20 7946 %04d", i),
			fmt.Sprintf("%d High Street", i), fmt.Sprintf("SW1A %dAA", i%10), []string{"gold", "silver"}[i%2], fmt.Sprintf("%d.5", i*13), "some words that say what happened at the last call with them, and more", fmt.Sprintf("A%04d", i*7), "",
		})
	}
	tab, res := table(t, dedupe.Options{Map: map[string]string{"notes": "ignore"}}, rows...)
	want := map[string]dedupe.Meaning{
		"客户姓名": dedupe.Full, "dob": dedupe.Birth, "contact": dedupe.Email, "Tel.": dedupe.Phone, "postal_code": dedupe.Postcode,
		"plan": dedupe.Category, "score": dedupe.Figure, "notes": dedupe.Ignore, "ref": dedupe.Code, "leer": dedupe.Empty,
	}
	for _, r := range res.Reads {
		if m, ok := want[r.Column]; ok && m != r.Meaning {
			t.Errorf("column %s was taken for %s (%s), want %s", r.Column, r.Meaning, r.Evidence, m)
		}
		if r.Evidence == "" {
			t.Errorf("column %s: nothing is said why it is %s", r.Column, r.Meaning)
		}
	}
	if res.Entity != "person" {
		t.Errorf("read as %s, want person", res.Entity)
	}
	for name, o := range map[string]dedupe.Options{
		"unknown column":  {Map: map[string]string{"nobody": "phone"}},
		"unknown meaning": {Map: map[string]string{"dob": "birthday"}},
		"unknown id":      {ID: "nobody"},
	} {
		if _, err := dedupe.Run(t.Context(), tab, o); !errors.As(err, &dedupe.UsageError{}) {
			t.Errorf("%s: %v, want a usage error", name, err)
		}
	}
}

// More columns than a comparison holds: those left out are told.
func TestManyColumns(t *testing.T) {
	rows := make([][]string, 31)
	for i := range rows {
		for c := range 40 {
			v := fmt.Sprintf("col%d", c)
			if i > 0 {
				v = fmt.Sprintf("A%dX%d", c, (i/2)*7919+c)
			}
			rows[i] = append(rows[i], v)
		}
	}
	_, r := table(t, dedupe.Options{Workers: 300}, rows...)
	left := 0
	for _, read := range r.Reads {
		if strings.Contains(read.Evidence, "not compared") {
			left++
		}
	}
	if left != 8 || r.Rows[1].Cluster != r.Rows[2].Cluster || r.Rows[0].Cluster == r.Rows[1].Cluster {
		t.Errorf("%d columns are told to be left out, want 8; clusters %v", left, r.Rows)
	}
}

// Equal rows are one customer where their content is enough to say so.
func TestEqualRows(t *testing.T) {
	rows := readRows(t, filepath.Join(testdata, "febrl1.csv"))[:301]
	full := slices.Clone(rows[1])
	thin := make([]string, len(full))
	thin[1] = "emma"
	rows = append(rows, full, thin, slices.Clone(thin))
	for i := range rows {
		if i > 0 {
			rows[i] = append([]string{}, rows[i]...)
			rows[i][0] = "n" + strconv.Itoa(i)
		}
	}
	tab, r := table(t, dedupe.Options{ID: "id"}, rows...)
	c := byID(tab, r)
	if c["n1"] != c["n301"] {
		t.Error("two equal full rows are two customers")
	}
	if c["n302"] == c["n303"] {
		t.Error("two rows that hold nothing but a given name are one customer")
	}
}

func TestExplanationSumsUp(t *testing.T) {
	tab, r := run(t, dedupe.Options{ID: "id"}, filepath.Join(testdata, "febrl1.csv"))
	first := map[int]int{}
	together := 0
	for i := range tab.Rows() {
		other, ok := first[r.Rows[i].Cluster]
		if !ok {
			first[r.Rows[i].Cluster] = i
			continue
		}
		together++
		p := r.Explain(other, i)
		sum := int32(0)
		for _, part := range p.Parts {
			sum += int32(part.Weight)
		}
		if back := r.Explain(i, other); sum != int32(p.Weight) || !p.Together || back.Weight != p.Weight {
			t.Fatalf("rows %d and %d: parts sum to %d, weight %d, from the other side %d, together %v", other, i, sum, p.Weight, back.Weight, p.Together)
		}
	}
	if together < 400 {
		t.Errorf("%d pairs explained, want at least 400", together)
	}
}

func TestNothingToFind(t *testing.T) {
	for name, rows := range map[string][][]string{
		"no rows":      {{"name", "phone"}},
		"one row":      {{"name", "phone"}, {"Ada Lovelace", "020 7946 0001"}},
		"two rows":     {{"given_name", "family_name", "email"}, {"Ada", "Lovelace", "ada@example.com"}, {"Charles", "Babbage", "cb@example.com"}},
		"blank values": {{"title", "code"}, {"", "n/a"}, {"a", ""}, {"", ""}, {"-", "null"}},
	} {
		path := writeRows(t, filepath.Join(t.TempDir(), "rows.csv"), rows)
		tab, err := dedupe.Load(t.Context(), inputs(t, path), 0, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, err := dedupe.Run(t.Context(), tab, dedupe.Options{})
		if len(rows) < 2 {
			if !errors.As(err, &dedupe.UsageError{}) {
				t.Errorf("%s: %v, want a usage error", name, err)
			}
			continue
		}
		if err != nil || r.Duplicates != 0 || r.Clusters != len(rows)-1 || r.Kept == "" {
			t.Errorf("%s: %v, %+v; want no duplicates, and why nothing was learnt", name, err, r)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	path := filepath.Join(testdata, "febrl1.csv")
	_, err := dedupe.Load(t.Context(), inputs(t, path), 100<<10, nil)
	if !errors.Is(err, dedupe.ErrMemory) || !strings.Contains(err.Error(), "--memory") {
		t.Errorf("%v, want that memory is too small and what to do", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tab, err := dedupe.Load(t.Context(), inputs(t, path), 1<<30, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, tab)
	if _, err := dedupe.Run(ctx, tab, dedupe.Options{Workers: 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v, want context canceled", err)
	}
}

func TestNestedLinesAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rows.jsonl")
	text := `{"name":"Acme Ltd","address":{"city":"Leeds","lines":["1 High St","Floor 2"]},"staff":12,"live":true,"gone":null}
{"name":"Umbrella GmbH","vat":"DE123","address":{"city":"Bonn"}}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tab, err := dedupe.Load(t.Context(), inputs(t, path), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, c := range tab.Columns {
		for i := range tab.Rows() {
			got[c.Name] = append(got[c.Name], c.Text(i))
		}
	}
	want := map[string][]string{
		"name": {"Acme Ltd", "Umbrella GmbH"}, "address.city": {"Leeds", "Bonn"}, "address.lines": {"1 High St; Floor 2", ""}, "staff": {"12", ""}, "live": {"true", ""}, "vat": {"", "DE123"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("columns (-want +got):\n%s", d)
	}
}
