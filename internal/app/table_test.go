package app

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/store"
)

// write puts a file beside the configuration.
func (w *world) write(name, text string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// tableSource is the configuration of a table of companies.
func tableSource(name, path string) string {
	return fmt.Sprintf(`
  %s:
    type: file
    path: %s
    entities:
      company:
        id: record.id
        map: {name: record.name, phone: record.phone, website: record.website, employees: record.employees}`, name, path)
}

// tableWorld has one table and a desk that is written to.
func tableWorld(t *testing.T, table string) (w *world, desk *simulated) {
	t.Helper()
	w = newWorld(t, "")
	desk = w.start(everything.profile("desk"), `{"id":"o1","updated_at":"2026-01-01T00:00:00Z","name":"Acme Tools Ltd","website":"acmetools.example"}`)
	w.write("list.csv", table)
	w.yaml = "sources:" + tableSource("list", "list.csv") + everything.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
	return w, desk
}

// kept are the tables in which a pass that changes nothing adds nothing.
func kept() []string {
	return []string{"source_record", "source_version", "quarantine", "ruling", "feature", "blocking_key", "match", "crosswalk", "golden", "golden_version", "outbox", "delivery", "target_state", "audit", "backlog"}
}

// counts counts the rows of the SQLite file's tables.
func (w *world) counts() map[string]int {
	w.Helper()
	db, err := sql.Open("sqlite3", "file:"+w.file()+"?mode=ro")
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	out := map[string]int{}
	for _, table := range kept() {
		var n int
		if err := db.QueryRowContext(w.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			w.Fatalf("count %s: %v", table, err)
		}
		out[table] = n
	}
	return out
}

// file is the SQLite file of the installation.
func (w *world) file() string {
	w.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "data", "*.db"))
	if err != nil || len(found) != 1 {
		w.Fatalf("SQLite files %v, %v; want one", found, err)
	}
	return found[0]
}

func TestUnchangedSecondPassAddsNoRow(t *testing.T) {
	t.Parallel()
	w, _ := tableWorld(t, "id,name,phone,website\nl1,Acme Tools Ltd,+44 113 496 0001,acmetools.example\nl1,Acme Tools Two,+44 113 496 0002,\nl2,,,\nl3,Zenith Bakery,,zenith.example\n")
	w.open()
	w.clean()
	w.clean() // what was pushed comes back
	before := w.counts()
	s := w.clean()
	if s.Stored+s.Echo+s.Quarantined != 0 || s.Pulled != s.Unchanged || s.Planned != 0 {
		t.Errorf("an unchanged pass says %+v, want all unchanged and nothing planned", s)
	}
	if diff := cmp.Diff(before, w.counts()); diff != "" {
		t.Errorf("an unchanged pass adds rows (-before +after):\n%s", diff)
	}
	w.end()
}

func TestIDThatComesTwiceIsQuarantined(t *testing.T) {
	t.Parallel()
	w, desk := tableWorld(t, "id,name,phone,website\nl1,Acme Tools Ltd,+44 113 496 0001,acmetools.example\nl1,Acme Tools Ltd,+44 113 496 0002,acmetools.example\nl1,Acme Tools Ltd,+44 113 496 0001,acmetools.example\n")
	w.open()
	s := w.clean()
	if s.Stored != 1+1 || s.Quarantined != 1 || s.Unchanged != 1 {
		t.Errorf("stored %d, quarantined %d, unchanged %d; want 2 (with the desk's), 1, 1 (the same content again is one record)", s.Stored, s.Quarantined, s.Unchanged)
	}
	w.wantValue("list/company/l1", "phones", "+44 113 496 0001")
	desk.want("o1", "phone", "+44 113 496 0001")
	for n := range 3 {
		s = w.clean()
		if s.Quarantined != 0 || s.Stored != 0 {
			t.Errorf("pass %d stored %d and quarantined %d, want 0 and 0", n+2, s.Stored, s.Quarantined)
		}
	}
	if open := w.quarantined("open"); len(open) != 1 || open[0].Reasons[0].Text != store.DuplicateProblem {
		t.Errorf("open quarantine %+v, want the second one, said to be a duplicate", open)
	}
	w.wantValue("list/company/l1", "phones", "+44 113 496 0001")
	w.end()
}

func TestBadRowsAreQuarantinedAndMended(t *testing.T) {
	t.Parallel()
	const head = "id,name,phone,website,employees\n"
	w, _ := tableWorld(t, head+"l1,Acme Tools Ltd,+44 113 496 0001,acmetools.example,12\nl2,Zenith Bakery,,zenith.example,many\nl3,,,,7\nl4,Quartz Optics,,quartz.example,3\n")
	w.open()
	s := w.clean()
	if s.Quarantined != 2 || s.Stored != 2+1 {
		t.Errorf("quarantined %d, stored %d; want 2 and 3 (with the desk's)", s.Quarantined, s.Stored)
	}
	var ids []string
	for _, q := range w.quarantined("open") {
		ids = append(ids, q.Ref.ID)
		if len(q.Reasons) == 0 || q.Reasons[0].Text == "" || q.Reasons[0].Remedy == "" {
			t.Errorf("%s: reasons %+v, want what is wrong and how to mend it", q.Ref, q.Reasons)
		}
	}
	slices.Sort(ids)
	if !slices.Equal(ids, []string{"l2", "l3"}) {
		t.Errorf("quarantined %v, want l2 and l3", ids)
	}
	// l2 is mended in the table, l3 is let through by a person.
	w.write("list.csv", head+"l1,Acme Tools Ltd,+44 113 496 0001,acmetools.example,12\nl2,Zenith Bakery,,zenith.example,80\nl3,,,,7\nl4,Quartz Optics,,quartz.example,3\n")
	s = w.clean()
	if s.Stored != 1 || s.Golden != 3 {
		t.Errorf("stored %d, golden %d after the mending; want 1 and 3", s.Stored, s.Golden)
	}
	w.wantValue("list/company/l2", "employees", "80")
	left := w.quarantined("open")
	if len(left) != 1 || left[0].Ref.ID != "l3" {
		t.Fatalf("open quarantine %+v, want l3 alone", left)
	}
	if err := w.app.Store.Release(t.Context(), left[0].ID, "steward", "known to us"); err != nil {
		t.Fatal(err)
	}
	s = w.clean()
	if s.Golden != 4 || len(w.quarantined("open")) != 0 || len(w.quarantined("released")) != 1 {
		t.Errorf("golden %d, open %d, released %d after the release; want 4, 0, 1", s.Golden, len(w.quarantined("open")), len(w.quarantined("released")))
	}
	w.wantValue("list/company/l3", "employees", "7")
	// A good record that goes bad keeps what was last good.
	w.write("list.csv", head+"l1,Acme Tools Ltd,+44 113 496 0001,acmetools.example,lots\nl2,Zenith Bakery,,zenith.example,80\nl3,,,,7\nl4,Quartz Optics,,quartz.example,3\n")
	s = w.clean()
	if s.Quarantined != 1 || s.Golden != 4 {
		t.Errorf("quarantined %d, golden %d; want 1 and 4", s.Quarantined, s.Golden)
	}
	w.wantValue("list/company/l1", "employees", "12")
	w.end()
}

func TestTablesWithoutRecords(t *testing.T) {
	for name, table := range map[string]string{"empty": "", "header only": "id,name,phone,website\n", "byte order mark only": "\ufeff"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := tableWorld(t, table)
			w.open()
			s := w.pass()
			if s.Pulled != 1 || s.Golden != 1 {
				t.Errorf("pulled %d, golden %d; want the desk's alone", s.Pulled, s.Golden)
			}
			for _, p := range s.Problems {
				if !strings.Contains(p, "source list") {
					t.Errorf("problem %q, want one of the table or none", p)
				}
			}
			w.verify()
		})
	}
}

func TestChangedMappingDerivesAgain(t *testing.T) {
	t.Parallel()
	w, desk := tableWorld(t, "id,name,phone,website,mobile\nl1,Acme Tools Ltd,+44 113 496 0001,acmetools.example,+44 7700 900123\n")
	w.open()
	w.clean()
	versions := w.counts()["source_version"]
	w.restart(strings.Replace(w.yaml, "phone: record.phone, website", "phone: record.mobile, website", 1))
	s := w.clean()
	if s.Stored != 0 {
		t.Errorf("stored %d versions, want 0: nothing has changed at the source", s.Stored)
	}
	w.wantValue("list/company/l1", "phones", "+44 7700 900123")
	desk.want("o1", "phone", "+44 7700 900123")
	if n := w.counts()["source_version"]; n > versions+2 { // what the two writes gave back
		t.Errorf("%d versions, %d before", n, versions)
	}
	w.end()
}

func TestChangedSchemaJudgesAgain(t *testing.T) {
	t.Parallel()
	w, _ := tableWorld(t, "id,name,phone,website,employees\nl1,Acme Tools Ltd,,acmetools.example,12\nl2,Zenith Bakery,,zenith.example,4000\n")
	w.open()
	w.clean()
	plain := w.yaml
	w.write("small.json", `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"employees":{"type":"number","maximum":1000}}}`)
	w.restart(strings.Replace(w.yaml, "        id: record.id\n", "        id: record.id\n        schema: small.json\n", 1))
	w.clean()
	if open := w.quarantined("open"); len(open) != 1 || open[0].Ref.ID != "l2" {
		t.Fatalf("open quarantine %+v, want l2", open)
	}
	w.verify()
	w.restart(plain)
	s := w.clean()
	if open := w.quarantined("open"); len(open) != 0 || s.Golden != 2 {
		t.Errorf("open quarantine %+v, golden %d; want none and 2", open, s.Golden)
	}
	w.end()
}

func TestRenamedSourceKeepsItsRecords(t *testing.T) {
	t.Parallel()
	w, _ := tableWorld(t, "id,name,phone,website\nl1,Acme Tools Ltd,+44 113 496 0001,acmetools.example\nl2,Zenith Bakery,,zenith.example\n")
	w.open()
	w.clean()
	w.clean()
	ids := map[string]string{"l1": w.golden("list/company/l1").ID, "l2": w.golden("list/company/l2").ID}
	before := w.counts()
	w.restart(strings.Replace(w.yaml, "  list:\n    type: file", "  register:\n    was: [list]\n    type: file", 1))
	s := w.clean()
	if s.Stored != 0 || s.Planned != 0 {
		t.Errorf("stored %d, planned %d after the renaming; want 0 and 0", s.Stored, s.Planned)
	}
	for id, golden := range ids {
		if got := w.golden("register/company/" + id).ID; got != golden {
			t.Errorf("golden id of %s is %s, was %s", id, got, golden)
		}
	}
	before["audit"]++ // the renaming itself
	if diff := cmp.Diff(before, w.counts()); diff != "" {
		t.Errorf("the renaming adds other rows (-before +after):\n%s", diff)
	}
	w.end()
}
