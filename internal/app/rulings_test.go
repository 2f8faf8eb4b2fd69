package app

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/record"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
)

// TestDecisionsTravelToAFreshStore: exported, imported before anything has
// landed, and the same records come: the same golden records.
func TestDecisionsTravelToAFreshStore(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w := apartUnopened(t, dsn)
		w.yaml = strings.Split(w.yaml, "targets:")[0] // what was pushed is known to one installation only
		w.open()
		w.clean()
		merge := w.decision(w.app.Merge(t.Context(), "crm:c1", "desk:o2", ann))
		w.clean()
		w.decision(w.app.Split(t.Context(), []string{"desk:o1"}, "crm:c1", By{Who: "bob", Over: true}))
		w.decision(w.app.Pin(t.Context(), PinRequest{Golden: "desk:o1", Field: "name", Value: "Acme 工具"}, ann))
		gone := w.decision(w.app.Pin(t.Context(), PinRequest{Golden: "crm:c1", Field: "industry", Value: "tools", Until: w.clock.Now().Add(time.Hour)}, ann))
		w.decision(w.app.Pin(t.Context(), PinRequest{Golden: "crm:c1", Field: "country", Value: "FR"}, ann))
		w.decision(w.app.Unpin(t.Context(), "crm:c1", "country", ann))
		w.sleep(2 * time.Hour)
		w.clean()
		want, states := w.canonical(), w.decisionLines()
		var file bytes.Buffer
		n, err := w.app.ExportRulings(t.Context(), &file)
		if err != nil || n != 7 {
			t.Fatalf("exported %d decisions, %v; want 7", n, err)
		}
		again, err := w.app.ImportRulings(t.Context(), bytes.NewReader(file.Bytes()))
		if diff := cmp.Diff(ImportReport{Existing: 7, Verified: 7}, again); err != nil || diff != "" {
			t.Errorf("imported where it came from: %v (-want +got):\n%s", err, diff)
		}
		changed := strings.Replace(file.String(), "bob", "eve", 1)
		if rep, err := w.app.ImportRulings(t.Context(), strings.NewReader(changed)); err != nil || len(rep.Refused) != 1 || !strings.Contains(rep.Refused[0].Why, "signature") {
			t.Errorf("with a line changed: %+v, %v; want that line refused", rep, err)
		}

		// Another installation, another key, nothing landed yet.
		x := newWorld(t, "")
		x.env.Rand = func(p []byte) {
			for i := range p {
				p[i] = byte(x.clock.Now().UnixMilli()>>(i%3)) + byte(i)
			}
		}
		x.yaml, x.clock.now = w.yaml, w.clock.Now()
		x.open()
		rep, err := x.app.ImportRulings(t.Context(), bytes.NewReader(file.Bytes()))
		if diff := cmp.Diff(ImportReport{Imported: 7, Pending: 5, Unverified: 7}, rep); err != nil || diff != "" {
			t.Fatalf("imported elsewhere: %v (-want +got):\n%s", err, diff)
		}
		x.clean()
		if got := x.canonical(); got != want {
			t.Errorf("the canonical export there:\n%s\nwant as here:\n%s", got, want)
		}
		if diff := cmp.Diff(states, x.decisionLines()); diff != "" {
			t.Errorf("the decisions there (-here +there):\n%s", diff)
		}
		x.verify()
		if list, _ := x.app.Decisions(t.Context(), "withdrawn", 0, 10); len(list) != 3 || list[0].ID != merge || list[1].ID != gone {
			t.Errorf("withdrawn there: %+v", list)
		}
	})
}

func (w *world) decisionLines() (out []string) {
	w.Helper()
	list, err := w.app.Decisions(w.Context(), "", 0, 100)
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range list {
		out = append(out, strings.Join([]string{d.ID, d.Kind, d.State, d.Who, d.At, d.Until, d.WithdrawnBy, d.Field, d.Value, strings.Join(d.Records, " ")}, "|"))
	}
	return out
}

// TestCrosswalkIsTakenOver: what another system has united stays united, also
// records that come later, and what stands against it is listed.
func TestCrosswalkIsTakenOver(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk := apart(t, dsn)
		w.decision(w.app.Split(t.Context(), []string{"desk:o1"}, "crm:c1", ann))
		w.clean()
		later := desk.edit("", map[string]any{"name": "Something Else", "city": "Bath"}) // not pulled yet
		file := "Source,ID,golden\ncrm,c1,G1\ndesk,o2,G1\ndesk," + later + ",G1\ncrm,c1,G2\ndesk,o1,G3\ncrm,c7,G3\ncrm,,G4\ncrm,c1,G1\n"
		rep, err := w.app.ImportCrosswalk(t.Context(), strings.NewReader(file), "old.csv", By{Who: "ann"})
		if err != nil || rep.Imported != 2 || rep.Pending != 2 || len(rep.Refused) != 2 || rep.Refused[0].Line != 5 || rep.Refused[1].Line != 8 {
			t.Fatalf("import: %+v, %v; want G1 and G3 taken, lines 5 and 8 refused", rep, err)
		}
		if err := w.app.Resolve(t.Context(), func(string, string, int) {}); err != nil {
			t.Fatal(err)
		}
		if got, want := w.members("crm/company/c1"), "crm/company/c1 desk/company/o2"; got != want {
			t.Errorf("members %q, want %q", got, want)
		}
		w.clean()
		if got := w.members("crm/company/c1"); !strings.Contains(got, "desk/company/"+later) {
			t.Errorf("members after %s has landed %q, want it among them", later, got)
		}
		again, err := w.app.ImportCrosswalk(t.Context(), strings.NewReader(file), "old.csv", By{Who: "ann"})
		if err != nil || again.Existing != 2 || again.Imported != 0 {
			t.Errorf("the same crosswalk again: %+v, %v; want both known", again, err)
		}
		against, err := w.app.ImportCrosswalk(t.Context(), strings.NewReader("source,id,golden\ncrm,c1,X\ndesk,o1,X\n"), "x.csv", By{Who: "ann"})
		if err != nil || len(against.Refused) != 1 || !strings.Contains(against.Refused[0].Why, "split by ann") {
			t.Errorf("a crosswalk against a split: %+v, %v; want it listed with the split's name", against, err)
		}
		if _, err := w.app.ImportCrosswalk(t.Context(), strings.NewReader("source,id\n"), "y.csv", ann); err == nil || !strings.Contains(err.Error(), "line 1: the column golden is missing") {
			t.Errorf("a crosswalk without golden: %v", err)
		}
		w.end()
	})
}

// TestImportsTieNoCompanyToAPerson: a crosswalk numbers companies and persons
// each for themselves, and a pair of both is no pair.
func TestImportsTieNoCompanyToAPerson(t *testing.T) {
	w, _, _ := linkedWorld(t, "", simulator.Seed{
		"companies": seeded(`{"id":"c1","name":"Acme Tools Ltd"}`, `{"id":"c2","name":"Zenith Bakery"}`),
		"contacts":  seeded(`{"id":"p1","name":"Ada Lovelace","email":"ada@example.com"}`, `{"id":"p2","name":"Grace Hopper","email":"grace@example.com"}`),
	}, nil)
	w.yaml = strings.Split(w.yaml, "targets:")[0]
	w.open()
	file := "source,entity,id,golden\ncrm,company,c1,1\ncrm,person,p1,1\ncrm,company,c2,1\ncrm,person,p2,1\n"
	rep, err := w.app.ImportCrosswalk(t.Context(), strings.NewReader(file), "old.csv", ann)
	if err != nil || rep.Imported != 2 || len(rep.Refused) > 0 {
		t.Fatalf("import: %+v, %v; want a company and a person", rep, err)
	}
	w.clean()
	for _, of := range []string{"company/c", "person/p"} {
		if got, want := w.members("crm/"+of+"1"), "crm/"+of+"1 crm/"+of+"2"; got != want {
			t.Errorf("members %q, want %q", got, want)
		}
	}
	pair := `{"touchstone":"rulings","format":1,"installation":"elsewhere"}
{"id":"d1","kind":"merge","who":"eve","at":"2026-01-01T00:00:00.000000Z","pairs":[{"kind":"must","a":"crm/company/c1","b":"crm/person/p1"}]}
`
	rep, err = w.app.ImportRulings(t.Context(), strings.NewReader(pair))
	if err != nil || len(rep.Refused) != 1 || !strings.Contains(rep.Refused[0].Why, "of company and person") {
		t.Errorf("a pair of a company and a person: %+v, %v; want it refused", rep, err)
	}
	w.end()
}

// TestRepairsTravel: repairs of quarantined rows, those taken back and those over
// an earlier one too, mend the same records elsewhere, whether these have landed
// before the import or land after it; what holds something else is left alone.
func TestRepairsTravel(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		rows := []string{
			`1,Acme Ltd,acme.example,"1,200 people",1990-01-01`, "2,Zenith,zenith.example,some,45292", "3,Fine,fine.example,3,1990-01-01",
			"4,Undone,undone.example,7 staff,1990-01-01", "5,Elsewhere,else.example,9 staff,1990-01-01",
		}
		w := broken(t, dsn, rows...)
		w.pass()
		wait := w.openRows()
		repair := func(id, field, remedy, value string) string {
			t.Helper()
			done, err := w.app.Repair(ctx, RepairRequest{Row: wait[id], Field: field, Remedy: remedy, Value: value}, someone("asked them"))
			if err != nil {
				t.Fatalf("repair %s of %s: %v", field, id, err)
			}
			return done.Decision
		}
		repair("1", "employees", "number", "")
		repair("2", "employees", "empty", "")
		repair("2", "founded", "typed", "13.5.2001")
		back := repair("4", "employees", "number", "")
		repair("5", "employees", "number", "")
		if _, err := w.app.Undo(ctx, back, someone("")); err != nil {
			t.Fatal(err)
		}
		w.clean()
		want, states := w.canonical(), w.decisionLines()
		var file bytes.Buffer
		n, err := w.app.ExportRulings(ctx, &file)
		if err != nil || n != 6 || !strings.Contains(file.String(), `"was":"1,200 people","now":1200`) {
			t.Fatalf("exported %d decisions, %v, want 6 with what was mended:\n%s", n, err, file.String())
		}

		early := broken(t, "", rows...) // before anything has landed
		rep, err := early.app.ImportRulings(ctx, bytes.NewReader(file.Bytes()))
		if diff := cmp.Diff(ImportReport{Imported: 6, Pending: 5, Verified: rep.Verified, Unverified: rep.Unverified}, rep); err != nil || diff != "" {
			t.Fatalf("imported into an empty store: %v (-want +got):\n%s", err, diff)
		}
		var carried bytes.Buffer
		if _, err := early.app.ExportRulings(ctx, &carried); err != nil || strings.Count(carried.String(), `"record":`) != 5 {
			t.Errorf("exported again while they wait: %v\n%s", err, carried.String())
		}
		early.clean()
		late := broken(t, "", rows...) // when everything waits
		late.pass()
		if rep, err = late.app.ImportRulings(ctx, bytes.NewReader(file.Bytes())); err != nil || rep.Imported != 6 || len(rep.Refused) > 0 {
			t.Fatalf("imported when all have landed: %+v, %v", rep, err)
		}
		late.clean()
		for name, x := range map[string]*world{"early": early, "late": late} {
			if got := x.canonical(); got != want {
				t.Errorf("%s: the canonical export there:\n%s\nwant as here:\n%s", name, got, want)
			}
			if diff := cmp.Diff(states, x.decisionLines()); diff != "" {
				t.Errorf("%s: the decisions there (-here +there):\n%s", name, diff)
			}
			if got := x.openRows(); len(got) != 1 || got["4"] == "" {
				t.Errorf("%s: %v wait, want 4 alone, whose repair was taken back", name, got)
			}
			x.wantValue("list/company/1", "employees", "1200")
			x.wantValue("list/company/2", "founded", "2001-05-13")
			if again, err := x.app.ImportRulings(ctx, bytes.NewReader(file.Bytes())); err != nil || again.Existing != 6 || again.Imported != 0 {
				t.Errorf("%s: imported again: %+v, %v; want all known", name, again, err)
			}
			if _, err := x.app.Undo(ctx, x.lastUndo(), someone("")); err != nil {
				t.Errorf("%s: take the undo back: %v", name, err)
			}
			x.clean()
			if left := x.openRows(); len(left) > 0 {
				t.Errorf("%s: with the undo undone %v wait, want none", name, left)
			}
			x.verify()
		}

		other := broken(t, "", rows[0], "2,Zenith,zenith.example,some,1990-01-01", rows[2], rows[3], "5,Elsewhere,else.example,10 staff,1990-01-01")
		other.pass()
		if _, err := other.app.ImportRulings(ctx, bytes.NewReader(file.Bytes())); err != nil {
			t.Fatal(err)
		}
		other.clean()
		pending, err := other.app.Decisions(ctx, "pending", 0, 10)
		if err != nil || len(pending) != 2 || !strings.Contains(pending[0].Problem, "list/company/2 that the rules refused here holds in founded") || !strings.Contains(pending[1].Problem, "in employees") {
			t.Errorf("where the records hold something else %+v, %v; want the repairs of founded of 2 and of 5 to wait and say why", pending, err)
		}
		if got := other.openRows(); len(got) != 2 || got["5"] == "" {
			t.Errorf("%v wait, want 4 and 5", got)
		}
		other.verify()
	})
}

// lastUndo gives the newest undo.
func (w *world) lastUndo() (id string) {
	w.Helper()
	list, err := w.app.Decisions(w.Context(), "", 0, 100)
	if err != nil {
		w.Fatal(err)
	}
	for _, d := range list {
		if d.Kind == "undo" {
			id = d.ID
		}
	}
	return id
}

// TestRefusedRelationsTravel: what a person did not want as a relation is not
// proposed elsewhere either; its records must have landed there.
func TestRefusedRelationsTravel(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		ctx := t.Context()
		rows := []string{"1,Acme Ltd,acme.example,1,1990-01-01", "2,Acme Holding,acme.example,2,1990-01-01"}
		w := broken(t, dsn, rows...)
		w.clean()
		refs := []record.Ref{{Source: w.app.SourceUID("list"), Entity: "company", ID: "1"}, {Source: w.app.SourceUID("list"), Entity: "company", ID: "2"}}
		err := w.app.Store.Decide(ctx, func(tx *store.DecideTx) error {
			a, err := tx.SubjectByRef(ctx, refs[0])
			if err != nil {
				return err
			}
			b, err := tx.SubjectByRef(ctx, refs[1])
			if err != nil {
				return err
			}
			_, _, err = tx.Add(ctx, store.NewDecision{Kind: store.Unrelated, Who: "ann", Refuses: []store.RefusedRelation{{A: a.Rec, B: b.Rec, Kind: "parent"}}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if n, err := w.app.ExportRulings(ctx, &file); err != nil || n != 1 || !strings.Contains(file.String(), `"refused":[{"a":"list/company/1","b":"list/company/2","kind":"parent"}]`) {
			t.Fatalf("exported %d, %v:\n%s", n, err, file.String())
		}
		x := broken(t, "", rows...)
		if rep, err := x.app.ImportRulings(ctx, bytes.NewReader(file.Bytes())); err != nil || len(rep.Refused) != 1 || !strings.Contains(rep.Refused[0].Why, "has not landed here") {
			t.Errorf("before anything has landed: %+v, %v; want it refused", rep, err)
		}
		x.clean()
		if rep, err := x.app.ImportRulings(ctx, bytes.NewReader(file.Bytes())); err != nil || rep.Imported != 1 {
			t.Errorf("when all have landed: %+v, %v; want it taken", rep, err)
		}
		if got, err := x.app.Store.RefusedRelations(ctx); err != nil || len(got) != 1 {
			t.Errorf("refused there: %v, %v; want the one", got, err)
		}
		x.verify()
	})
}
