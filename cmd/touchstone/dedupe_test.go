package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// called runs one command line and gives what it printed.
func called(t *testing.T, line ...string) (out, progress string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	root := (&cli{out: &o, err: &e}).root()
	root.SetArgs(line)
	err = root.ExecuteContext(t.Context())
	return o.String(), e.String(), err
}

const febrl = "../../matching/testdata/febrl1.csv"

// someRows is the beginning of the set: enough to learn from, and quick.
func someRows(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(febrl)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "customers [old].csv") // a name, not a pattern
	if err := os.WriteFile(path, []byte(strings.Join(strings.SplitAfter(string(b), "\n")[:501], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDedupeWritesItsFiles(t *testing.T) {
	path, dir := someRows(t), t.TempDir()
	out, gold := filepath.Join(dir, "out.csv"), filepath.Join(dir, "gold.csv")
	text, _, err := called(t, "dedupe", path, "--id", "id", "--out", out, "--golden", gold, "--json")
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Entity               string
		Rows, Clusters       int
		Duplicates, Compared int
		Columns              []struct{ Column, Meaning string }
		Learnt               []struct{ Field string }
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if s.Entity != "person" || s.Rows != 500 || s.Clusters+s.Duplicates != 500 || s.Duplicates < 100 || len(s.Columns) != 11 || len(s.Learnt) == 0 {
		t.Errorf("summary %+v", s)
	}
	for file, want := range map[string]int{out: 501, gold: s.Clusters + 1} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil || len(rows) != want {
			t.Errorf("%s has %d lines, %v; want %d", filepath.Base(file), len(rows), err, want)
		}
	}
	text, _, err = called(t, "dedupe", path, "--id", "id", "--map", "soc_sec_id=ignore")
	if err != nil || !strings.Contains(text, "given by --map") || !strings.Contains(text, "named \"surname\"") || !strings.Contains(text, "500 rows") {
		t.Errorf("%v, the summary for people is\n%s", err, text)
	}
}

func TestDedupeExplains(t *testing.T) {
	path := someRows(t)
	comma, _, err := called(t, "dedupe", path, "--explain", "1,2")
	if err != nil || !strings.Contains(comma, "family name") || !strings.Contains(comma, "probability") {
		t.Errorf("%v, explained as\n%s", err, comma)
	}
	apart, _, err := called(t, "dedupe", path, "2", "--explain", "1")
	if err != nil || apart != comma {
		t.Errorf("--explain 1 and 2 apart: %v\n%s", err, apart)
	}
}

func TestDedupeRefusesWhatItCannotDo(t *testing.T) {
	path, lone := someRows(t), filepath.Join(t.TempDir(), "lone.csv")
	if err := os.WriteFile(lone, []byte("name,city\nAda,London\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, line := range map[string][]string{
		"no file":           {"dedupe"},
		"unknown column":    {"dedupe", path, "--map", "nobody=phone"},
		"no meaning":        {"dedupe", path, "--map", "state"},
		"unknown entity":    {"dedupe", path, "--entity", "dog"},
		"threshold":         {"dedupe", path, "--threshold", "7"},
		"memory":            {"dedupe", path, "--memory", "much"},
		"one file to link":  {"dedupe", path, "--link"},
		"survivorship":      {"dedupe", path, "--survivorship", "loudest"},
		"pairs of no pairs": {"compare", lone},
		"share of matches":  {"compare", path, "--prior", "7", "--map", "x"},
	} {
		_, _, err := called(t, line...)
		if !errors.As(err, &usageError{}) {
			t.Errorf("%s: %v, want a usage error", name, err)
		}
	}
	if _, _, err := called(t, "dedupe", path, "--memory", "64KiB"); err == nil || !strings.Contains(err.Error(), "--memory") {
		t.Errorf("too little memory: %v, want what to do", err)
	}
}

func TestCompareScoresPairs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pairs.csv")
	text := "left,right,note\nSiemens AG,Siemens Aktiengesellschaft,=1+1\nSiemens AG,Bosch GmbH,no\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, progress, err := called(t, "compare", path)
	if err != nil || !strings.Contains(progress, "company") {
		t.Fatalf("%v %s", err, progress)
	}
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][3] != "probability" || rows[1][2] != "'=1+1" {
		t.Fatalf("%v %v", err, rows)
	}
	if rows[1][3] <= rows[2][3] || rows[1][3] < "0.5" || !strings.Contains(rows[1][4], "name same") {
		t.Errorf("scored as %v", rows)
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]int64{"4GiB": 4 << 30, "512 mb": 512 << 20, "100k": 100 << 10, "123": 123, "": 0, "0": 0, "-1g": 0, "9999999999g": 0} {
		if got, err := parseSize(in); got != want || (err == nil) != (want > 0) {
			t.Errorf("parseSize(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
}

// TestFilesNobodyCouldExpect holds that dedupe says what is wrong with an empty
// file and with another encoding, and that naming the encoding is enough.
func TestFilesNobodyCouldExpect(t *testing.T) {
	dir := t.TempDir()
	chinese, err := simplifiedchinese.GB18030.NewEncoder().String("编号,名称,电话\n1,宁波石头贸易有限公司,0574-87654321\n2,宁波石头贸易有限公司,0574-87654321\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"empty.csv": "", "header.csv": "id,name\n", "gb.csv": chinese, "odd.csv": "\x85\xff\xfe,\x81\n1,2\n", "cafe.csv": "id,name\n1,Caf\xe9 Ltd\n2,Caf\xe9 Ltd\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		args       []string
		code       int
		says, tell string
	}{
		{[]string{"empty.csv"}, exitUsage, "there are no rows in", ""},
		{[]string{"header.csv"}, exitUsage, "there are no rows in", ""},
		{[]string{"cafe.csv"}, exitUsage, "no row could be read: ", "--encoding NAME"},
		{[]string{"cafe.csv", "--encoding", "windows-1252"}, exitDone, "2 rows, 0 left out", ""},
		{[]string{"odd.csv"}, exitFailed, "is not UTF-8", "--encoding NAME"},
		{[]string{"gb.csv"}, exitDone, "2 rows, 0 left out, 1 clusters", ""},
		{[]string{"gb.csv", "--encoding", "gb18030"}, exitDone, "2 rows, 0 left out, 1 clusters", ""},
		{[]string{"gb.csv", "--encoding", "klingon"}, exitUsage, "--encoding klingon: want one of", ""},
	} {
		args := append([]string{"dedupe", filepath.Join(dir, tt.args[0])}, tt.args[1:]...)
		var out, errs bytes.Buffer
		c := &cli{out: &out, err: &errs}
		root := c.root()
		root.SetArgs(args)
		code := c.exit(root.ExecuteContext(t.Context()))
		if said := out.String() + errs.String(); code != tt.code || !strings.Contains(said, tt.says) || !strings.Contains(said, tt.tell) {
			t.Errorf("dedupe %s: exit %d, want %d, %q and %q in:\n%s", strings.Join(tt.args, " "), code, tt.code, tt.says, tt.tell, said)
		}
	}
}
