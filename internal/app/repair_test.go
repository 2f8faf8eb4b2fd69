package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/store"
	"touchstone/internal/web"
)

// broken is a world with a file whose records have faults: rows of "id,name,site,size,founded".
func broken(t *testing.T, dsn string, rows ...string) *world {
	t.Helper()
	w := newWorld(t, dsn)
	w.writeRows(rows...)
	w.yaml = `sources:
  list:
    type: file
    path: list.csv
    entities:
      company: {id: record.id, map: {name: record.name, website: record.site, employees: record.size, founded: record.founded}}
entities: {company: {}}
`
	w.open()
	return w
}

func (w *world) writeRows(rows ...string) {
	w.Helper()
	text := "id,name,site,size,founded\n" + strings.Join(rows, "\n") + "\n"
	if err := os.WriteFile(filepath.Join(w.dir, "list.csv"), []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// openRows lists what waits, by the record's id.
func (w *world) openRows() map[string]string {
	w.Helper()
	list, err := w.app.Store.Quarantines(w.Context(), store.QuarantineQuery{State: "open", Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	out := map[string]string{}
	for _, q := range list {
		out[q.Ref.ID] = q.ID
	}
	return out
}

// offered gives the remedies of a record as field=remedy→value, what passes with *.
func (w *world) offered(row string) (out []string) {
	w.Helper()
	r, err := w.app.QuarantineRecord(w.Context(), row)
	if err != nil {
		w.Fatal(err)
	}
	for _, p := range r.Problems {
		for _, o := range p.Offers {
			text := p.Field + "=" + o.Remedy + "→" + o.Now
			if o.Passes {
				text += "*"
			}
			out = append(out, text)
		}
	}
	return out
}

func someone(why string) By { return By{Who: "ann", Why: why} }

func TestARepairedRecordPassesAndUndoBringsItBack(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := broken(t, dsn, "1,Acme Ltd,acme.example,\"1,200 people\",31/12/1999", "2,Zenith,zenith.example,40,45292", "3,Fine,fine.example,3,1990-01-01")
		ctx := w.Context()
		w.pass()
		rows := w.openRows()
		if len(rows) != 2 {
			t.Fatalf("%d records wait, want 2", len(rows))
		}
		if got, want := w.offered(rows["1"]), []string{"employees=number→1200*", "employees=empty→*"}; !slices.Equal(got, want) {
			t.Errorf("remedies of 1: %q, want %q", got, want)
		}
		if got, want := w.offered(rows["2"]), []string{"founded=date_serial→2024-01-01*", "founded=empty→*"}; !slices.Equal(got, want) {
			t.Errorf("remedies of 2: %q, want %q", got, want)
		}
		done, err := w.app.Repair(ctx, RepairRequest{Row: rows["1"], Field: "employees", Remedy: "number"}, someone(""))
		if err != nil || !done.Passes || done.Kind != store.Repaired {
			t.Fatalf("repair: %+v, %v; want it to pass", done, err)
		}
		if left := w.openRows(); len(left) != 1 || left["2"] == "" {
			t.Errorf("wait at once after the repair: %v, want 2 alone", left)
		}
		w.clean()
		w.wantValue("list/company/1", "employees", "1200")
		shown, err := w.app.QuarantineRecord(ctx, rows["1"])
		if err != nil || shown.State != "mended" || shown.Golden == "" || len(shown.Repairs) != 1 || shown.Repairs[0].Was != "1,200 people" || shown.Repairs[0].Now != "1200" {
			t.Errorf("the repaired record is shown as %s in %q with %+v, %v", shown.State, shown.Golden, shown.Repairs, err)
		}
		w.verify()
		undone, err := w.app.Undo(ctx, done.Decision, someone(""))
		if err != nil {
			t.Fatal(err)
		}
		if got := w.openRows()["1"]; got != rows["1"] {
			t.Errorf("after the undo %q waits, want %s", got, rows["1"])
		}
		w.clean()
		w.verify()
		if _, err := w.app.Undo(ctx, undone.Decision, someone("")); err != nil {
			t.Fatal(err)
		}
		w.clean()
		w.wantValue("list/company/1", "employees", "1200")

		if _, err := w.app.Repair(ctx, RepairRequest{Row: rows["2"], Field: "founded", Remedy: "typed", Value: "13.5.2001"}, someone("asked them")); err != nil {
			t.Fatal(err)
		}
		w.clean()
		w.wantValue("list/company/2", "founded", "2001-05-13")

		// A new version of the source overtakes the repair, and is judged by itself.
		w.writeRows("1,Acme Ltd,acme.example,many,31/12/1999", "2,Zenith,zenith.example,41,45292", "3,Fine,fine.example,3,1990-01-01")
		w.later(time.Hour)
		again := w.openRows()
		if len(again) != 2 {
			t.Fatalf("wait after new versions: %v, want both", again)
		}
		w.wantValue("list/company/1", "employees", "1200") // what was in force stays so
		p, err := w.app.QuarantinePage(ctx, web.QuarantineFilter{Limit: 10})
		if err != nil || p.Repairs != 2 || p.Overtaken != 2 {
			t.Errorf("%d repairs, %d overtaken, %v; want 2 and 2", p.Repairs, p.Overtaken, err)
		}
		old := 0
		err = w.app.Fixes(ctx, "list", true, func(r web.RepairOf) error {
			if old++; !r.Overtaken || r.Who != "ann" || r.Source != "list" {
				t.Errorf("overtaken repair %+v", r)
			}
			return nil
		})
		if err != nil || old != 2 {
			t.Errorf("%d overtaken repairs are listed, want 2: %v", old, err)
		}
		w.verify()
	})
}

func TestRepairRefusesWhatTheRulesRefuse(t *testing.T) {
	t.Parallel()
	w := broken(t, "", "1,Acme Ltd,acme.example,many,soon", "2,,,4,", "3,Fine,fine.example,3,1990-01-01")
	ctx := w.Context()
	w.pass()
	rows := w.openRows()
	for _, c := range []struct {
		what string
		r    RepairRequest
		want string
	}{
		{"no number", RepairRequest{Row: rows["1"], Field: "employees", Remedy: "typed", Value: "a lot"}, "is text, must be a number"},
		{"below the least", RepairRequest{Row: rows["1"], Field: "employees", Remedy: "typed", Value: "-4"}, "must be 0 or more"},
		{"a remedy that does not help", RepairRequest{Row: rows["1"], Field: "employees", Remedy: "number"}, "load the page again"},
		{"a field that is not there", RepairRequest{Row: rows["1"], Field: "colour", Remedy: "typed", Value: "red"}, "no field"},
		{"too long", RepairRequest{Row: rows["2"], Field: "name", Remedy: "typed", Value: strings.Repeat("x", 5000)}, "longer than"},
	} {
		var u *Unclear
		if _, err := w.app.Repair(ctx, c.r, someone("")); !errors.As(err, &u) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
	one, err := w.app.Repair(ctx, RepairRequest{Row: rows["1"], Field: "employees", Remedy: "empty"}, someone(""))
	if err != nil || one.Passes || len(one.Reasons) != 1 || one.Reasons[0].Field != "founded" {
		t.Errorf("the first of two repairs: %+v, %v; want founded left", one, err)
	}
	two, err := w.app.Repair(ctx, RepairRequest{Row: rows["1"], Field: "founded", Remedy: "typed", Value: "1999-12-31"}, someone(""))
	if err != nil || !two.Passes {
		t.Errorf("the second: %+v, %v; want it to pass", two, err)
	}
	if name, err := w.app.Repair(ctx, RepairRequest{Row: rows["2"], Field: "name", Remedy: "typed", Value: "Zenith"}, someone("")); err != nil || !name.Passes {
		t.Errorf("a missing name: %+v, %v; want it to pass", name, err)
	}
	w.clean()
	w.wantValue("list/company/2", "name", "Zenith")
	var u *Unclear
	if _, err := w.app.Repair(ctx, RepairRequest{Row: rows["2"], Field: "name", Remedy: "typed", Value: "Other"}, someone("")); !errors.As(err, &u) {
		t.Errorf("a record that waits no more: %v, want it refused", err)
	}
	w.verify()
}

// TestTheSameFaultIsRepairedAtOnce: one decision for all, one undo, what the
// remedy does not help stays, and a bulk repair goes on where it was left.
func TestTheSameFaultIsRepairedAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		var list []string
		for i := range 450 {
			size := fmt.Sprintf("%d staff", i+1)
			if i%100 == 7 {
				size = "some"
			}
			list = append(list, fmt.Sprintf("%d,Company %d,c%d.example,%s,1990-01-01", i, i, i, size))
		}
		w := broken(t, dsn, list...)
		ctx := w.Context()
		w.pass()
		p, err := w.app.QuarantinePage(ctx, web.QuarantineFilter{Limit: 10})
		if err != nil || len(p.Faults) != 1 || p.Faults[0].N != 450 || p.Faults[0].Best != "number" {
			t.Fatalf("faults %+v, %v; want one of 450 records", p.Faults, err)
		}
		page, err := w.app.FaultPage(ctx, p.Faults[0].Fault, "")
		if err != nil || page.Remedy != "number" || page.Looked != 100 || len(page.Rows) != 25 || page.Remedies[0].Helps+page.Remedies[1].Helps < 195 {
			t.Errorf("the trial: %s of %+v on %d, %d shown, %v", page.Remedy, page.Remedies, page.Looked, len(page.Rows), err)
		}
		b := BulkRepair{Fault: p.Faults[0].Fault, Remedy: "number", Most: 1}
		repaired, left := 0, 0
		for {
			step, err := w.app.RepairAll(ctx, b, someone("units"))
			if err != nil {
				t.Fatal(err)
			}
			repaired, left, b.Decision, b.After = repaired+step.Repaired, left+step.Left, step.Decision, step.After
			if b.After == "" {
				break
			}
		}
		if repaired != 445 || left != 5 || len(w.openRows()) != 5 {
			t.Errorf("%d repaired, %d left, %d wait; want 445, 5, 5", repaired, left, len(w.openRows()))
		}
		w.clean()
		w.wantValue("list/company/8", "employees", "9")
		if _, err := w.app.Undo(ctx, b.Decision, someone("")); err != nil {
			t.Fatal(err)
		}
		if n := len(w.openRows()); n != 450 {
			t.Errorf("%d wait after the undo, want 450", n)
		}
	})
}

// TestReleaseIsUndone: what a person let pass waits again.
func TestReleaseIsUndone(t *testing.T) {
	t.Parallel()
	w := broken(t, "", "1,Acme Ltd,acme.example,many,")
	ctx := w.Context()
	w.pass()
	row := w.openRows()["1"]
	var u *Unclear
	if _, err := w.app.Release(ctx, row, By{Who: "ann"}); !errors.As(err, &u) {
		t.Errorf("a release without a reason: %v, want it refused", err)
	}
	d, err := w.app.Release(ctx, row, someone("they said so"))
	if err != nil || len(w.openRows()) != 0 {
		t.Fatalf("release: %v", err)
	}
	w.clean()
	w.wantValue("list/company/1", "employees", "many")
	if _, err := w.app.Undo(ctx, d.Decision, someone("")); err != nil {
		t.Fatal(err)
	}
	if w.openRows()["1"] != row {
		t.Error("the record does not wait after the undo")
	}
	w.clean()
	if _, err := w.app.Undo(ctx, d.Decision, someone("")); !errors.As(err, &u) {
		t.Errorf("undone twice: %v, want it refused", err)
	}
	w.verify()
}

// TestRepairIsWrittenBack: where the record's system is a target that owns the
// field, the repair is an ordinary write there.
func TestRepairIsWrittenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	desk := w.start(everything.profile("desk"), acme("o1", "1", `,"phone":"+44 113 496 \u0007 0001"`))
	w.yaml = "sources:" + everything.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
	w.open()
	w.pass()
	row := w.openRows()["o1"]
	r, err := w.app.QuarantineRecord(w.Context(), row)
	if err != nil || len(r.Problems) != 1 || len(r.Problems[0].Back) != 1 || r.Problems[0].Back[0].Path != "phone" || r.Problems[0].Back[0].Target != "desk" {
		t.Fatalf("the record says %+v, %v; want phone written back", r.Problems, err)
	}
	bad := slices.IndexFunc(r.Lines, func(l web.RawLine) bool { return l.Bad })
	if bad < 0 || !strings.Contains(r.Lines[bad].Text, `"phone"`) {
		t.Errorf("marked %d of %+v, want the phone", bad, r.Lines)
	}
	if _, err := w.app.Repair(w.Context(), RepairRequest{Row: row, Field: r.Problems[0].Field, Remedy: "clean"}, someone("")); err != nil {
		t.Fatal(err)
	}
	w.clean()
	if got := desk.changes(); len(got) != 1 || !strings.HasPrefix(got[0], "o1 phone: ") {
		t.Errorf("our writes %q, want the phone", got)
	}
	w.later(time.Hour)
	if n := len(w.openRows()); n != 0 {
		t.Errorf("%d wait after the system took it, want none", n)
	}
	w.end()
}

func TestRecordPaths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"record.name": "name", "record.properties.phone ?? record.properties.mobile": "properties.phone properties.mobile", `record["客户编号"]`: "客户编号",
		"trim(record?.a[0].b)": "a.0.b", "records.x": "", "my.record.x": "", "record": "", `record["open`: "", "upper(record.客户名称)": "客户名称",
	} {
		if got := strings.Join(recordPaths(text), " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestRawLines(t *testing.T) {
	t.Parallel()
	lines := rawLines([]byte(`{"b":{"x":[1,{"y":"bad"}],"e":{}},"a":"<b>"}`), map[string]bool{"b.x": true}, map[string]bool{"<b>": true})
	var got []string
	for _, l := range lines {
		mark := " "
		if l.Bad {
			mark = "!"
		}
		got = append(got, mark+l.Text)
	}
	want := []string{" {", ` "b": {`, `!    "x": [`, "!      1,", "!      {", `!        "y": "bad"`, " }", " ],", `     "e": {}`, " },", `!  "a": "<b>"`, " }"}
	for i := range want {
		if i >= len(got) || strings.ReplaceAll(got[i], " ", "") != strings.ReplaceAll(want[i], " ", "") {
			t.Fatalf("lines %q, want %q", got, want)
		}
	}
	if l := rawLines([]byte("{broken"), nil, nil); len(l) != 1 || l[0].Text != "{broken" {
		t.Errorf("what is no JSON is shown as %+v", l)
	}
	deep := strings.Repeat(`{"a":`, 500) + "1" + strings.Repeat("}", 500)
	if l := rawLines([]byte(deep), nil, nil); len(l) != 1001-0 && len(l) > mostRawLines+1 {
		t.Errorf("%d lines of a deep record", len(l))
	}
}
