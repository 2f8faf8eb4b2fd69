package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSummaryCountsWhatRan(t *testing.T) {
	const (
		pass = `{"Action":"pass","Package":"p","Test":"TestA"}`
		ok   = `{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`
	)
	tests := []struct {
		name           string
		lines          string
		passed, failed int
		skipped        string
		prints, hides  string
		verdict        string
	}{
		{"all good", `{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}` + "\n" + pass + "\n" + ok, 1, 0, "", "ok  \tp", "chatter", ""},
		{"parts are not counted", `{"Action":"pass","Package":"p","Test":"TestA/one"}` + "\n" + pass + "\n" + ok, 1, 0, "", "ok  \tp", "", ""},
		{"no test files", `{"Action":"skip","Package":"q"}` + "\n" + pass + "\n" + ok, 1, 0, "", "", "", ""},
		{
			"a failing part shows what it wrote", `{"Action":"output","Package":"p","Test":"TestB/two","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestB/two"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`, 0, 1, "", "got 1, want 2\nFAIL\tp", "", "1 failed",
		},
		{
			"does not build", `{"ImportPath":"p","Action":"build-output","Output":"x.go:1: undefined: y\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"fail","Package":"p"}`, 0, 1, "", "undefined: y", "", "1 failed",
		},
		{
			"ends in the middle", `{"Action":"output","Package":"p","Test":"TestC","Output":"panic: index\n"}
{"Action":"fail","Package":"p"}`, 0, 1, "", "panic: index", "", "1 failed",
		},
		{
			"a skip is named", `{"Action":"output","Package":"p","Test":"TestD","Output":"x_test.go:1: no browser\n"}
{"Action":"skip","Package":"p","Test":"TestD"}` + "\n" + pass + "\n" + ok, 1, 0, "p TestD", "no browser", "", "1 skipped, none may be: p TestD",
		},
		{"nothing ran", "", 0, 0, "", "", "", "no test ran"},
		{"a message that is no event", "go: warning\n" + pass, 1, 0, "", "go: warning", "", ""},
	}
	for _, tt := range tests {
		var out strings.Builder
		got, err := summarise(strings.NewReader(tt.lines), &out)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got.passed != tt.passed || got.failed != tt.failed || strings.Join(got.skipped, ",") != tt.skipped {
			t.Errorf("%s: %d passed, %d failed, skipped %q; want %d, %d, %q", tt.name, got.passed, got.failed, got.skipped, tt.passed, tt.failed, tt.skipped)
		}
		if !strings.Contains(out.String(), tt.prints) || tt.hides != "" && strings.Contains(out.String(), tt.hides) {
			t.Errorf("%s: printed %q, want %q in it and %q not", tt.name, out.String(), tt.prints, tt.hides)
		}
		verdict := ""
		if err := got.verdict(); err != nil {
			verdict = err.Error()
		}
		if verdict != tt.verdict {
			t.Errorf("%s: verdict %q, want %q", tt.name, verdict, tt.verdict)
		}
	}
}

func TestRunPassesOnFailureAndCount(t *testing.T) {
	tests := []struct {
		script, count, err string
	}{
		{`echo '{"Action":"pass","Package":"p","Test":"TestA"}'`, "1 0\n", ""},
		{`echo '{"Action":"pass","Package":"p","Test":"TestA"}'; exit 3`, "1 1\n", "tests: exit status 3"},
		{`exit 0`, "0 0\n", "no test ran"},
	}
	for _, tt := range tests {
		file := filepath.Join(t.TempDir(), "count")
		var out strings.Builder
		err := run(t.Context(), []string{"sh", "-c", tt.script}, &out, file)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.err {
			t.Errorf("%s: error %q, want %q", tt.script, got, tt.err)
		}
		b, err := os.ReadFile(file)
		if err != nil || string(b) != tt.count {
			t.Errorf("%s: count %q (%v), want %q", tt.script, b, err, tt.count)
		}
	}
}
