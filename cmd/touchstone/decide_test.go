package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const decideConfig = `
sources:
  crm:
    type: file
    path: crm.csv
    entities:
      company:
        id: record.id
        map: {name: record.name, phone: record.phone}
  shop:
    type: file
    path: shop.csv
    entities:
      company:
        id: record.id
        map: {name: record.name, phone: record.phone}
`

// shell runs commands on one installation.
type shell struct {
	*testing.T
	dir string
}

func (s shell) run(code int, args ...string) string {
	s.Helper()
	var out, errs bytes.Buffer
	c := &cli{out: &out, err: &errs}
	root := c.root()
	root.SetArgs(append([]string{"-c", filepath.Join(s.dir, "touchstone.yaml"), "--dir", filepath.Join(s.dir, "data")}, args...))
	err := root.ExecuteContext(s.Context())
	if got := c.exit(err); got != code {
		s.Fatalf("touchstone %s ends with %d (%v), want %d\n%s%s", strings.Join(args, " "), got, err, code, out.String(), errs.String())
	}
	return out.String() + errs.String()
}

// members counts the source records behind a golden record.
func (s shell) members(ref string) int {
	s.Helper()
	var g struct{ Members []any }
	if err := json.Unmarshal([]byte(s.run(exitDone, "golden", "show", ref, "--json")), &g); err != nil {
		s.Fatal(err)
	}
	return len(g.Members)
}

// TestDecisionsByCommandLine goes the whole way of a steward.
func TestDecisionsByCommandLine(t *testing.T) {
	s := shell{t, t.TempDir()}
	for name, text := range map[string]string{
		"touchstone.yaml": decideConfig,
		"crm.csv":         "id,name,phone\n1,Acme Tools Ltd,+44 113 496 0001\n2,Zenith Bakery,+44 1904 496 002\n",
		"shop.csv":        "id,name,phone\n7,Acme 工具,+86 10 8888 0001\n",
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.run(exitDone, "run", "--once")
	var d struct{ Decision string }
	if err := json.Unmarshal([]byte(s.run(exitDone, "merge", "crm:1", "shop/company/7", "--why", "同一家", "--who", "ann", "--json")), &d); err != nil {
		t.Fatal(err)
	}
	s.run(exitDone, "run", "--once")
	if n := s.members("crm:1"); n != 2 {
		t.Fatalf("%d records after the merge, want 2", n)
	}
	file := filepath.Join(s.dir, "rulings.jsonl")
	for _, tt := range []struct {
		code int
		want string
		args []string
	}{
		{exitDone, "says so already", []string{"merge", "crm:1", "shop:7"}},
		{exitPerson, d.Decision, []string{"split", "shop:7", "--from", "crm:1"}},
		{exitUsage, "--from is missing", []string{"split", "shop:7"}},
		{exitUsage, "not found", []string{"merge", "crm:1", "crm:99"}},
		{exitUsage, "the same record", []string{"merge", "crm:1", "crm/company/1"}},
		{exitUsage, "has no field", []string{"pin", "crm:1", "colour", "red"}},
		{exitUsage, "is a number", []string{"pin", "crm:1", "employees", "many"}},
		{exitUsage, "a pin says what legal name is", []string{"pin", "crm:1", "legal_name", ""}},
		{exitUsage, "is no date", []string{"pin", "crm:1", "name", "X", "--until", "soon"}},
		{exitDone, "takes it back", []string{"pin", "crm:1", "name", "Acme 工具", "--until", "2099-12-31"}},
		{exitDone, "takes it back", []string{"pin", "crm:2", "name", "--pick", "crm:2"}},
		{exitDone, "ann", []string{"decisions", "list"}},
		{exitUsage, "want one of", []string{"decisions", "list", "--state", "lost"}},
		{exitDone, "A person decided so: ann", []string{"why", "crm:1", "shop:7", "--lang", "en"}},
		{exitDone, "由人工决定：ann", []string{"why", "crm:1", "shop:7", "--lang", "zh"}},
		{exitDone, "是两个客户", []string{"why", "crm:1", "crm:2", "--lang", "zh"}},
		{exitDone, "merge", []string{"golden", "history", "crm:1"}},
		{exitDone, "Acme Tools Ltd", []string{"golden", "show", "crm:1", "--at", "2099-01-01"}},
		{exitUsage, "not found", []string{"golden", "show", "crm:1", "--at", "2001-01-01"}},
		{exitDone, "field", []string{"golden", "diff", "crm:1", "2099-01-01", "2099-01-02"}},
		{exitDone, "3 decisions written", []string{"rulings", "export", file}},
		{exitDone, "3 known already", []string{"rulings", "import", file}},
		{exitUsage, "no export of rulings", []string{"rulings", "import", filepath.Join(s.dir, "crm.csv")}},
		{exitUsage, "the column source is missing", []string{"rulings", "crosswalk", filepath.Join(s.dir, "crm.csv")}},
		{exitUsage, "name the rows", []string{"plan", "retry"}},
		{exitUsage, "not found", []string{"plan", "drop", "nosuchrow"}},
		{exitDone, "undo d", []string{"undo", d.Decision}},
		{exitUsage, "nosuch", []string{"undo", "nosuch"}},
	} {
		if out := s.run(tt.code, tt.args...); !strings.Contains(out, tt.want) {
			t.Errorf("touchstone %s says %q, want %q in it", strings.Join(tt.args, " "), out, tt.want)
		}
	}
	s.run(exitDone, "run", "--once")
	if n := s.members("crm:1"); n != 1 {
		t.Errorf("%d records after the undo, want 1", n)
	}
	if out := s.run(exitDone, "rebuild", "--verify"); !strings.Contains(out, " 0 differences") {
		t.Errorf("rebuild: %s", out)
	}
	// The decisions reach a folder in which nothing was run yet.
	fresh := shell{t, s.dir}
	fresh.dir = t.TempDir()
	for _, name := range []string{"touchstone.yaml", "crm.csv", "shop.csv"} {
		b, err := os.ReadFile(filepath.Join(s.dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(fresh.dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if out := fresh.run(exitDone, "rulings", "import", file); !strings.Contains(out, "3 of another one") {
		t.Errorf("import elsewhere: %s", out)
	}
	fresh.run(exitDone, "run", "--once")
	if n := fresh.members("crm:1"); n != 2 {
		t.Errorf("%d records in the other store, want 2", n)
	}
}

// TestPreviewByCommandLine: --preview shows what would change, in words and as
// JSON, and changes nothing.
func TestPreviewByCommandLine(t *testing.T) {
	s := shell{t, t.TempDir()}
	for name, text := range map[string]string{
		"touchstone.yaml": decideConfig,
		"crm.csv":         "id,name,phone\nc1,Acme Tools Ltd,+44 113 496 0001\n",
		"shop.csv":        "id,name,phone\ns1,Zenith Bakery,+44 1904 496 002\n",
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.run(exitDone, "run", "--once")
	has := func(text string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%q is missing in:\n%s", want, text)
			}
		}
	}
	has(s.run(exitDone, "merge", "crm:c1", "shop:s1", "--preview"), "becomes part of", "+44 1904 496 002", "goes from", "balance: records of crm: 1 before, 1 after", "nothing was changed")
	if n := s.members("crm:c1"); n != 1 {
		t.Errorf("after the preview %d records stand behind c1, want 1", n)
	}
	var p struct {
		Act       string
		Customers []struct{ State string }
		Moves     []any
	}
	if err := json.Unmarshal([]byte(s.run(exitDone, "merge", "crm:c1", "shop:s1", "--preview", "--json")), &p); err != nil || p.Act != "merge" || len(p.Customers) != 2 || len(p.Moves) != 1 {
		t.Errorf("as JSON: %+v, %v; want a merge of two customers that moves one record", p, err)
	}
	s.run(exitDone, "merge", "crm:c1", "shop:s1", "--why", "the same shop")
	s.run(exitDone, "run", "--once")
	has(s.run(exitPerson, "split", "shop:s1", "--from", "crm:c1", "--preview"), "would be refused")
	has(s.run(exitDone, "split", "shop:s1", "--from", "crm:c1", "--over", "--preview"), "takes out of force", "comes into being")
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(s.run(exitDone, "decisions", "list", "--json")), &list); err != nil || len(list) != 1 {
		t.Fatalf("decisions %+v, %v; want the merge alone", list, err)
	}
	has(s.run(exitDone, "undo", list[0].ID, "--preview"), "comes into being", "nothing was changed")
	if n := s.members("crm:c1"); n != 2 {
		t.Errorf("after the previews %d records stand behind c1, want 2", n)
	}
}
