package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// evalJSON is what eval prints for programs.
type evalJSON struct {
	Records   int
	Precision struct{ Value, Low, High float64 }
	Recall    struct{ Value, Low, High float64 }
	F1        struct{ Value, Low, High float64 }
	B3        struct{ Value float64 } `json:"b3_f1"`
	Exact     struct{ Value float64 } `json:"exact_cluster_f1"`
	Threshold float64
	Chart     []struct {
		Threshold float64
		F1        struct{ Value float64 }
	}
	Links  []wrongJSON `json:"wrong_links"`
	Missed []wrongJSON `json:"missed_pairs"`
}

type wrongJSON struct {
	A, B, Why string
	Weight    int32
	Parts     []struct {
		Field  string
		Weight int32
	}
}

// spoilt is a result made from a truth: every seventh row stands alone, every
// eleventh with the row behind it.
func spoilt(t *testing.T, truth string) string {
	t.Helper()
	b, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows = rows[1:]
	out := "id,cluster\n"
	for i, r := range rows {
		c := r[1]
		switch {
		case i%7 == 3:
			c = fmt.Sprint("own", i)
		case i%11 == 5:
			c = rows[(i+1)%len(rows)][1]
		}
		out += r[0] + "," + c + "\n"
	}
	path := filepath.Join(t.TempDir(), "result.csv")
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEvalEqualsTheReference: the figures are those that an independent script
// gives for the same files.
func TestEvalEqualsTheReference(t *testing.T) {
	for _, tt := range []struct {
		set  string
		want [6]float64
	}{
		{"fake_1000", [6]float64{1000, 0.8105, 0.6022, 0.691, 0.7838, 0.2488}},
		{"febrl1", [6]float64{1000, 0.6972, 0.594, 0.6415, 0.8482, 0.601}},
		{"person_zh_2k", [6]float64{1999, 0.6742, 0.5768, 0.6217, 0.8983, 0.4397}},
		{"company_mixed_2k", [6]float64{1999, 0.6971, 0.5961, 0.6426, 0.8976, 0.4607}},
	} {
		truth := filepath.Join("../../matching/testdata", tt.set+"_truth.csv")
		text, _, err := called(t, "eval", "--truth", truth, "--json", spoilt(t, truth))
		if err != nil {
			t.Fatal(err)
		}
		var e evalJSON
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		got := [6]float64{float64(e.Records), e.Precision.Value, e.Recall.Value, e.F1.Value, e.B3.Value, e.Exact.Value}
		for i := range got {
			if math.Abs(got[i]-tt.want[i]) > 0.00006 {
				t.Errorf("%s: records, precision, recall, F1, B³, exact are %.4f, the reference has %.4f", tt.set, got, tt.want)
				break
			}
		}
		if e.F1.Low >= e.F1.Value || e.F1.High <= e.F1.Value || e.F1.High-e.F1.Low > 0.12 {
			t.Errorf("%s: F1 %+v is no interval", tt.set, e.F1)
		}
	}
}

// TestEvalOfRecords: with the records eval dedupes itself, and says of each
// threshold and of the worst errors what is behind them.
func TestEvalOfRecords(t *testing.T) {
	records, truth, result := "../../matching/testdata/fake_1000.csv", "../../matching/testdata/fake_1000_truth.csv", filepath.Join(t.TempDir(), "out.csv")
	if _, _, err := called(t, "dedupe", records, "--id", "id", "--out", result); err != nil {
		t.Fatal(err)
	}
	var of [2]evalJSON
	for i, what := range []string{result, records} {
		text, _, err := called(t, "eval", "--truth", truth, "--json", "--worst", "3", what)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(text), &of[i]); err != nil {
			t.Fatal(err)
		}
	}
	if of[0].F1 != of[1].F1 || of[0].B3 != of[1].B3 || of[1].F1.Value < 0.95 {
		t.Errorf("F1 %+v of the result, %+v of the records", of[0].F1, of[1].F1)
	}
	e := of[1]
	at := -1
	for i, c := range e.Chart {
		if c.Threshold == e.Threshold {
			at = i
		}
	}
	if len(e.Chart) < 10 || at < 0 || e.Chart[at].F1.Value != e.F1.Value {
		t.Errorf("chart %+v does not hold the threshold %v with its F1 %v", e.Chart, e.Threshold, e.F1.Value)
	}
	if len(e.Missed) != 3 {
		t.Fatalf("missed pairs %+v, want three", e.Missed)
	}
	for i, w := range append(e.Missed, e.Links...) {
		sum := int32(0)
		for _, p := range w.Parts {
			sum += p.Weight
		}
		if w.Why == "" || sum != w.Weight || i > 0 && i < 3 && w.Weight > e.Missed[i-1].Weight {
			t.Errorf("wrong pair %d %s and %s, %q: the parts sum to %d of %d, or it weighs more than the one before", i, w.A, w.B, w.Why, sum, w.Weight)
		}
	}
	text, _, err := called(t, "eval", "--truth", truth, records)
	for _, want := range []string{"1000 records, 2031 true pairs", "other thresholds", "missed pairs, the heaviest first", "│ B³ F1"} {
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("error %v; want %q in\n%s", err, want, text)
		}
	}
}

func TestEvalSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	truth, result := write("truth.csv", "id,cluster\n1,a\n2,a\n"), write("result.csv", "id,cluster\n1,a\n")
	records := write("records.csv", "id,name\n1,Ann\n3,Bob\n")
	for _, tt := range []struct {
		line []string
		want string
	}{
		{[]string{"eval", result}, "--truth is missing"},
		{[]string{"eval", "--truth", truth, result}, `result.csv: there is no record "2", which the truth names`},
		{[]string{"eval", "--truth", write("bad.csv", "id,cluster\n1,a\n1,b\n"), result}, `bad.csv:3:1: "1" stands in two clusters`},
		{[]string{"eval", "--truth", truth, records}, `the truth does not fit the rows: there is no row "2"`},
		{[]string{"eval", "--truth", truth, "--labels", write("l.csv", "id_a,id_b,label\n1,3,maybe\n"), records}, `l.csv:2:5: "maybe" is no label`},
		{[]string{"dedupe", "--id", "id", "--labels", write("m.csv", "id_a,id_b,label\n1,9,same\n"), records}, `m.csv:2: there is no row "9"`},
		{[]string{"dedupe", "--labels", filepath.Join(dir, "none.csv"), records}, "none.csv"},
	} {
		_, _, err := called(t, tt.line...)
		var wrong usageError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want a usage error with %q", strings.Join(tt.line, " "), err, tt.want)
		}
	}
}
