package config

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestExamplesReadTheirFiles: every column that an example maps is there, and
// every record has a row in the truth beside it.
func TestExamplesReadTheirFiles(t *testing.T) {
	const dir = "../docs/examples"
	cfg, err := Load(filepath.Join(dir, "files.yaml"), Options{})
	if err != nil || len(cfg.Warnings) > 0 || len(cfg.Sources) != 4 {
		t.Fatalf("example: %v, %+v, want four sources and no warnings", err, cfg)
	}
	for _, s := range cfg.Sources {
		var o struct {
			Path string `yaml:"path" required:"true"`
		}
		if err := s.Options.Decode(&o); err != nil {
			t.Fatal(err)
		}
		rows := readCSV(t, filepath.Join(dir, o.Path))
		truth := readCSV(t, filepath.Join(dir, filepath.Dir(o.Path), "truth.csv"))
		checkColumns(t, s.Name, s, rows[0])
		var ids, known []string
		for _, r := range rows[1:] {
			ids = append(ids, r[0])
		}
		for _, r := range truth[1:] {
			known = append(known, r[0])
		}
		slices.Sort(ids)
		slices.Sort(known)
		if !slices.Equal(ids, known) || len(slices.Compact(slices.Clone(ids))) != len(ids) || len(ids) < 1000 {
			t.Errorf("%s: %d records and %d truth rows; want the same ids, each once, 1000 or more", s.Name, len(ids), len(known))
		}
	}
}

func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	b, err := os.ReadFile(path) //nolint:gosec // the test's own files
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return rows
}

func checkColumns(t *testing.T, name string, s Source, columns []string) {
	t.Helper()
	var exprs []Expr
	var walk func(m MapValue)
	walk = func(m MapValue) {
		exprs = append(exprs, m.Expr)
		for _, p := range m.Parts {
			walk(p.Value)
		}
		for _, i := range m.Items {
			walk(i)
		}
	}
	for _, e := range s.Entities {
		exprs = append(exprs, e.ID, e.Stamp, e.Where)
		for _, m := range e.Map {
			walk(m.Value)
		}
	}
	used := 0
	for _, e := range exprs {
		for _, m := range regexp.MustCompile(`record\.(\w+)`).FindAllStringSubmatch(e.Text, -1) {
			used++
			if !slices.Contains(columns, m[1]) {
				t.Errorf("%s: %s reads column %q, the file has %v", name, e.At, m[1], columns)
			}
		}
	}
	if used < 4 {
		t.Errorf("%s: only %d columns are read", name, used)
	}
}
