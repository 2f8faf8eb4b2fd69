package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"touchstone/internal/record"
)

// TestModelCommands walks through the commands on a handful of companies: too few
// to fit a model from, enough to plan with one.
func TestModelCommands(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"crm.csv":         "id,name,phone\n1,Acme Tools Ltd,+44 20 7946 0001\n2,ACME Tools Limited,+44 20 7946 0001\n3,Zenith Bakery,\n",
		"touchstone.yaml": "sources:\n  crm:\n    type: file\n    path: crm.csv\n    entities:\n      company:\n        id: record.id\n        map: {name: record.name, phone: record.phone}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := func(args ...string) (string, error) {
		var out, errs bytes.Buffer
		root := (&cli{out: &out, err: &errs}).root()
		root.SetArgs(append([]string{"--config", filepath.Join(dir, "touchstone.yaml"), "--dir", filepath.Join(dir, "data")}, args...))
		err := root.ExecuteContext(context.Background())
		return out.String(), err
	}
	if _, err := command("run", "--once"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
		err  error
	}{
		{[]string{"train", "company"}, "too few records to fit a model from: there are 3, and 2000 are needed", errPerson},
		{[]string{"model", "list"}, "start-4", nil},
		{[]string{"model", "show", "company/start-4"}, "counts as shared from more than 5 names", nil},
		{[]string{"--json", "model", "show", "company/start-4"}, `"shared_names": 5`, nil},
		{[]string{"model", "compare", "company/start-4", "company/start-4"}, "both link 1, only A 0, only B 0", nil},
		{[]string{"--json", "model", "compare", "company/start-4", "company/start-4"}, `"changed": []`, nil},
		{[]string{"model", "compare", "company/start-4", "none"}, "", record.ErrNotFound},
		{[]string{"model", "show", "fit-0"}, "", record.ErrNotFound},
		{[]string{"model", "plan", "company/start-4"}, "company/start-4 instead of start-4: 0 merges, 0 splits, 0 records move", nil},
		{[]string{"model", "activate", "company/start-4"}, "company/start-4 is in force", nil},
		{[]string{"model", "activate", "company/none"}, "", record.ErrNotFound},
		{[]string{"model", "shared", "company"}, "names", nil},
		{[]string{"--json", "model", "plan", "company/start-4"}, `"merges": 0`, nil},
	} {
		out, err := command(tt.args...)
		if !errors.Is(err, tt.err) || !strings.Contains(out, tt.want) {
			t.Errorf("%s: error %v, want %v; it prints\n%s\nwant %q in it", strings.Join(tt.args, " "), err, tt.err, out, tt.want)
		}
	}
}
