package app

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/simulator"
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
