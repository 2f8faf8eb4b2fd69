package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/say"
	"touchstone/internal/web"
)

// TestMessagesReference holds docs/messages.md to what the program says: of
// the wrong configurations in config/testdata, and of the bad records in
// testdata/quarantine, which it is run on.
func TestMessagesReference(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# Messages\n\nMade from the program itself: `go test ./cmd/touchstone -run Messages -update`.\n\n")
	b.WriteString("## In quarantine\n\nA record that does not pass waits in quarantine with every reason; its source goes on. Mended at the source or in the\n")
	b.WriteString("configuration it is taken in by itself; `touchstone quarantine release ID --why …` lets it pass as it is.\n\n")
	b.WriteString("| rule | what is wrong | how to mend it | such as |\n|---|---|---|---|\n")
	quarantineWords(t, &b)
	b.WriteString("\n## In a configuration\n\n`touchstone check` finds all of them at once, as FILE:LINE:COLUMN: KEY: what is wrong. Here is what it says of mistakes of each sort.\n")
	configurationWords(t, &b)
	path := filepath.Join("..", "..", "docs", "messages.md")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), b.String()); diff != "" {
		t.Errorf("%s is stale; go test ./cmd/touchstone -run Messages -update rewrites it (-have +want):\n%s", path, diff)
	}
}

func quarantineWords(t *testing.T, b *bytes.Buffer) {
	t.Helper()
	cfg, dir := filepath.Join("testdata", "quarantine", "touchstone.yaml"), t.TempDir()
	touchstone(t, exitDone, "run", "--once", "-c", cfg, "--dir", dir)
	var list []shownQuarantine
	if err := json.Unmarshal(touchstone(t, exitDone, "quarantine", "list", "--json", "-c", cfg, "--dir", dir), &list); err != nil {
		t.Fatal(err)
	}
	table := string(touchstone(t, exitDone, "quarantine", "list", "-c", cfg, "--dir", dir))
	if !strings.Contains(table, "is missing, and so is legal name ") || !strings.Contains(table, "fill or map name or legal_name") {
		t.Errorf("what is wrong is told with titles of fields, and what to type with their names:\n%s", table)
	}
	var rows []string
	for _, q := range list {
		for _, r := range q.Reasons {
			text := web.Told(r.Text)
			if r.Field != "" {
				text = r.Field + " " + text
			}
			row := fmt.Sprintf("| %s | %s | %s | %s |\n", r.Rule, inCell(text), inCell(r.Remedy), inCell(r.Value))
			if !slices.Contains(rows, row) {
				rows = append(rows, row)
			}
		}
	}
	if len(rows) < 12 {
		t.Errorf("the bad records have %d reasons, want 12 or more", len(rows))
	}
	slices.Sort(rows)
	b.WriteString(strings.Join(rows, ""))
}

func inCell(s string) string {
	return strings.ReplaceAll(plain(s), "|", "\\|")
}

func configurationWords(t *testing.T, b *bytes.Buffer) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "config", "testdata", "*.txt"))
	if err != nil || len(files) < 30 {
		t.Fatalf("config/testdata has %d messages (%v), want 30 or more", len(files), err)
	}
	for _, f := range files {
		said, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(f), ".txt")
		fmt.Fprintf(b, "\n### %s\n\n```\n%s```\n", strings.ReplaceAll(name, "-", " "), strings.ReplaceAll(string(said), name+".yaml:", "touchstone.yaml:"))
	}
}

// TestTitledSaysFieldsByTheirTitles: wherever in a sentence they stand, but for lists
// of names to choose from.
func TestTitledSaysFieldsByTheirTitles(t *testing.T) {
	field := say.Word{Group: "field", Name: "legal_name"}
	inner := say.New("%s is missing", field)
	got := titled(say.New("%s; %s; %s; %s", field, inner, say.Texts{inner, inner}, say.Words{Group: "field", Names: []string{"legal_name"}})).String()
	if want := "legal name; legal name is missing; legal name is missing, legal name is missing; legal_name"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}
