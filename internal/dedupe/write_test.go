package dedupe_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"touchstone/internal/dedupe"
)

func TestHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "plain": "plain", "=1+1": "'=1+1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "+44 (0)20 7946-0001": "+44 (0)20 7946-0001", "-12.5": "-12.5",
		"-2+cmd|' /C calc'!A0": "'-2+cmd|' /C calc'!A0", "+": "'+", "张三": "张三",
	} {
		if got := dedupe.Harmless(in); got != want {
			t.Errorf("Harmless(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAFileIsWrittenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.csv")
	if err := dedupe.WriteFile(path, func(w io.Writer) error { _, err := io.WriteString(w, "old"); return err }); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is full")
	err := dedupe.WriteFile(path, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half of the new"); err != nil {
			return err
		}
		return broken
	})
	if b, readErr := os.ReadFile(path); !errors.Is(err, broken) || readErr != nil || string(b) != "old" {
		t.Errorf("error %v, the file holds %q (%v); want the disk's error and the old file", err, b, readErr)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %v are left in the folder, want the one file", err, left)
	}
}

func TestWrittenFiles(t *testing.T) {
	header := []string{"id", "given_name", "family_name", "email", "phone", "city"}
	rows := [][]string{
		header,
		{"1", "Ada", "Lovelace", "ada@example.com", "+44 20 7946 0001", "=London"},
		{"2", "Ada", "Lovelace", "ada@example.com", "+44 20 7946 0001", ""},
		{"3", "Charles", "Babbage", "cb@example.com", "", "Leeds"},
		{"4", "Ada", "Lovelace", "ada@example.com", "+44 20 7946 0001", "York"},
		{"5", "Ada", "Lovelace", "ada@example.com", "+44 20 7946 0001", "York"},
	}
	tab, r := table(t, dedupe.Options{ID: "id"}, rows...)
	var out strings.Builder
	if err := r.WriteClusters(&out, tab, "id"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 6 || lines[0] != "source,id,cluster,probability" || !strings.HasPrefix(lines[3], "rows.csv,3,") {
		t.Errorf("clusters are written as:\n%s", out.String())
	}
	for how, city := range map[dedupe.Survivorship]string{dedupe.MostFrequent: "York", dedupe.MostComplete: "'=London"} {
		var gold strings.Builder
		if err := r.WriteGolden(&gold, tab, how); err != nil {
			t.Fatal(err)
		}
		text := gold.String()
		if strings.Count(text, "\n") != 3 || !strings.Contains(text, "Ada,Lovelace,ada@example.com,+44 20 7946 0001,"+city+"\n") {
			t.Errorf("%s: want three lines, Ada's with %s:\n%s", how, city, text)
		}
	}
	if name := tab.RowName(""); name(2) != "3" {
		t.Errorf("the third row is called %s without an id column", name(2))
	}
}

func TestPairsAreScored(t *testing.T) {
	for _, header := range [][]string{
		{"name_a", "birth_date_a", "name_b", "birth_date_b", "note"},
		{"a_name", "a_birth_date", "b_name", "b_birth_date", "note"},
		{"left_name", "left_birth_date", "right_name", "right_birth_date", "note"},
		{"Name1", "Birth_Date1", "Name2", "Birth_Date2", "note"},
	} {
		path := writeRows(t, filepath.Join(t.TempDir(), "pairs.csv"), [][]string{
			header,
			{"Ada Lovelace", "1815-12-10", "Lovelace, Ada", "1815-12-10", "one"},
			{"Ada Lovelace", "1815-12-10", "Charles Babbage", "1791-12-26", "two"},
			{"Ada Lovelace", "1815-12-10", "Ada Lovelace", "1815-12-10", "equal"},
		})
		tab, err := dedupe.Load(t.Context(), inputs(t, path), 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := dedupe.Pairs(tab)
		if err != nil {
			t.Fatalf("%v: %v", header, err)
		}
		var got []float64
		_, entity, err := dedupe.Score(t.Context(), pairs, 0.01, dedupe.Options{}, func(_ int, p dedupe.Pair) error {
			got = append(got, p.Probability)
			if p.Summary() == "" {
				t.Errorf("%v: a pair without an explanation", header)
			}
			return nil
		})
		if err != nil || entity != "person" || len(got) != 3 || got[0] < 0.9 || got[1] > 0.1 || got[2] < 0.9 {
			t.Errorf("%v: read as %s, probabilities %v, %v; want the first and the last high", header, entity, got, err)
		}
	}
	lone := writeRows(t, filepath.Join(t.TempDir(), "pairs.csv"), [][]string{{"name", "city"}, {"a", "b"}})
	tab, err := dedupe.Load(t.Context(), inputs(t, lone), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dedupe.Pairs(tab); err == nil || !strings.Contains(err.Error(), "name_a and name_b") {
		t.Errorf("columns without partners: %v, want how to name them", err)
	}
}
