package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"touchstone/internal/app"
)

const reviewConfig = `
review: {two_persons: {value: 500}, bulk: {pace: 10}}
sources:
  crm: {type: file, path: crm.csv, entities: {company: {id: record.id, map: {name: record.name}}}}
  desk: {type: file, path: desk.csv, entities: {company: {id: record.id, map: {name: record.name}}}}
  orders:
    type: file
    path: orders.csv
    events: {order: {id: record.id, of: {source: crm, entity: company, id: record.customer}, at: record.at, map: {amount: record.amount, currency: "\"EUR\""}}}
entities:
  company: {match: {link: 0.9999999999, review: 0.01}}
`

// reviewShell is an installation in which n pairs wait.
func reviewShell(t *testing.T, n int) shell {
	t.Helper()
	s := shell{t, t.TempDir()}
	crm, desk := "id,name\n", "id,name\n"
	first := []string{"Quarry", "Zenith", "Lantern", "Harbour", "Meadow", "Falcon", "Copper", "Violet", "Thistle", "Juniper"}
	second := []string{"Bakery", "Optics", "Timber", "Glass", "Textiles", "Marine", "Foundry", "Dairy", "Tiles", "Pumps"}
	for i := range n {
		name := first[i%10] + " " + second[i/10%10] + " Ltd"
		crm += fmt.Sprintf("c%d,%s\n", i, name)
		desk += fmt.Sprintf("d%d,%s\n", i, name)
	}
	orders := fmt.Sprintf("id,customer,at,amount\no1,c3,%[1]s,400\no2,c1,%[1]s,9000\n", time.Now().AddDate(0, -1, 0).Format(time.RFC3339))
	for name, text := range map[string]string{"touchstone.yaml": reviewConfig, "crm.csv": crm, "desk.csv": desk, "orders.csv": orders} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.run(exitDone, "run", "--once")
	return s
}

// into reads what a command prints as JSON.
func (s shell) into(v any, args ...string) {
	s.Helper()
	if err := json.Unmarshal([]byte(s.run(exitDone, append(args, "--json")...)), v); err != nil {
		s.Fatalf("touchstone %s: %v", strings.Join(args, " "), err)
	}
}

func TestReviewByCommandLine(t *testing.T) {
	s := reviewShell(t, 6)
	var list app.ShownPairs
	s.into(&list, "review", "--limit", "2")
	if list.Open != 6 || len(list.Pairs) != 2 || list.Next == "" || list.Pairs[0].A.Record != "crm/company/c1" || list.Pairs[1].A.Record != "crm/company/c3" || list.Pairs[1].Value != 401 {
		t.Fatalf("review lists %+v, want c1 and c3 of six pairs first", list)
	}
	rich, next := list.Pairs[0].ID, list.Pairs[1].ID
	for _, tt := range []struct {
		code int
		want string
		args []string
	}{
		{exitDone, "6 pairs wait in all", []string{"review"}},
		{exitDone, "crm/company/c3", []string{"review", "--value", "100", "--to", "0.9999", "--order", "name"}},
		{exitDone, "no such pair", []string{"review", "--kind", "veto"}},
		{exitUsage, "want one of", []string{"review", "--order", "size"}},
		{exitUsage, "1 or more", []string{"review", "--limit", "0"}},
		{exitDone, "6 pairs chosen for today remove 100 %", []string{"review", "stats", "--who", "ann"}},
		{exitDone, "proposed", []string{"review", "answer", rich, "same", "--who", "ann"}},
		{exitDone, "ann says same", []string{"review", "--proposed", "--who", "bob"}},
		{exitDone, "decided", []string{"review", "answer", rich, "same", "--who", "bob"}},
		{exitPerson, "already", []string{"review", "answer", rich, "apart", "--who", "cy"}},
		{exitUsage, "want same, apart or unsure", []string{"review", "answer", next, "maybe"}},
		{exitUsage, "not found", []string{"review", "answer", "7-1", "same"}},
		{exitDone, "kept", []string{"review", "assign", next, "bob", "--due", "2096-12-31"}},
		{exitDone, next, []string{"review", "--assigned", "bob"}},
		{exitDone, "kept", []string{"review", "note", next, "ask Ms Lee"}},
		{exitUsage, "within the next year", []string{"review", "skip", next, "--until", "2020-01-01"}},
		{exitDone, "no record stands between", []string{"review", "between"}},
		{exitUsage, "say one of", []string{"review", "bulk", "--answer", "same"}},
		{exitUsage, "--answer is missing", []string{"review", "bulk", "--preview"}},
		{exitDone, "4 pairs would be answered", []string{"review", "bulk", "--preview", "--answer", "apart"}},
		{exitDone, "1 pair left out: assigned", []string{"review", "bulk", "--preview", "--answer", "apart"}},
		{exitDone, "there was no bulk answer", []string{"review", "bulk", "--list"}},
		{exitUsage, "not found", []string{"review", "bulk", "--stop", "b1"}},
	} {
		if out := s.run(tt.code, tt.args...); !strings.Contains(out, tt.want) {
			t.Errorf("touchstone %s says %q, want %q in it", strings.Join(tt.args, " "), out, tt.want)
		}
	}
}

// TestBulkGoesOnAfterAKill exactly where it was: no pair is decided twice, none
// is left out, and one undo takes all of it back.
func TestBulkGoesOnAfterAKill(t *testing.T) {
	s := reviewShell(t, 30)
	cmd := exec.CommandContext(t.Context(), binary, "-c", filepath.Join(s.dir, "touchstone.yaml"), "--dir", filepath.Join(s.dir, "data"), "review", "bulk", "--apply", "--answer", "same", "--to", "0.99999999")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	jobs := func() (list []app.ShownJob) {
		s.into(&list, "review", "bulk", "--list")
		return list
	}
	for range 200 {
		if list := jobs(); len(list) == 1 && list[0].Decided >= 4 {
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the job was done before it was killed")
	}
	job := jobs()[0]
	if job.State != "running" || job.Decided < 4 || job.Decided >= job.Pairs || job.Pairs != 29 {
		t.Fatalf("after the kill %+v, want some of 29 pairs decided", job)
	}
	if out := s.run(exitDone, "review", "bulk", "--resume", job.ID); !strings.Contains(out, "29 of 29 pairs decided, 0 left alone") {
		t.Errorf("resumed it says %q", out)
	}
	var decisions []app.ShownDecision
	if s.into(&decisions, "decisions", "list"); len(decisions) != 29 {
		t.Errorf("%d decisions, want 29", len(decisions))
	}
	s.run(exitDone, "run", "--once")
	var list app.ShownPairs
	if s.into(&list, "review"); list.Open != 1 {
		t.Errorf("%d pairs wait, want the one that two have to answer", list.Open)
	}
	s.run(exitDone, "review", "bulk", "--undo", job.ID)
	s.run(exitDone, "run", "--once")
	if s.into(&list, "review"); list.Open != 30 {
		t.Errorf("after the undo %d pairs wait, want all 30", list.Open)
	}
}
