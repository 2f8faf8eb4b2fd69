package main

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestReadmeSaysWhatWasMeasured holds the README's table of figures against the
// documents that were measured: ours by the set's row, those of others by where
// they stand.
func TestReadmeSaysWhatWasMeasured(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	readme, accuracy, benchmarks := read("README.md"), read("docs/accuracy.md"), read("docs/benchmarks.md")
	row := func(text, begins string) []string {
		for line := range strings.SplitSeq(text, "\n") {
			if strings.HasPrefix(line, "| "+begins+" |") {
				cells := strings.Split(strings.Trim(line, "| "), "|")
				for i := range cells {
					cells[i] = strings.TrimSpace(cells[i])
				}
				return cells
			}
		}
		t.Fatalf("no row %q", begins)
		return nil
	}
	figure := regexp.MustCompile(`\d+\.\d+`)
	near := func(a, b string, step float64) bool {
		x, err := strconv.ParseFloat(a, 64)
		y, err2 := strconv.ParseFloat(b, 64)
		return err == nil && err2 == nil && math.Abs(x-y) <= step/2+1e-9
	}
	const f1, cpu = 4, 9 // columns of the table of sets
	for what, set := range map[string]string{
		"persons, FEBRL 3": "febrl3", "persons with many values missing": "fake_1000", "organisations of Chicago, real": "early_childhood_chicago",
		"persons, English and Chinese, 100,000": "person100k", "companies, English and Chinese, 100,000": "company100k",
	} {
		said, measured := row(readme, what), row(accuracy, set)
		ours := figure.FindAllString(said[1], -1)
		if !near(ours[0], measured[f1], 0.001) {
			t.Errorf("%s: the README says F1 %s, docs/accuracy.md %s", what, ours[0], measured[f1])
		}
		if strings.Contains(said[1], "CPU-s") && ours[1] != measured[cpu] {
			t.Errorf("%s: the README says %s CPU-s, docs/accuracy.md %s", what, ours[1], measured[cpu])
		}
		for _, peer := range figure.FindAllString(said[2], -1) {
			if !strings.Contains(strings.Join(measured, " "), peer) && !strings.Contains(benchmarks, peer) {
				t.Errorf("%s: %s of others stands neither in docs/accuracy.md nor in docs/benchmarks.md", what, peer)
			}
		}
	}
}
