package app

import (
	"fmt"
	"strings"
	"testing"

	"touchstone/internal/simulator"
)

// happened is a golden record's events as lines: type id status amount.
func (w *world) happened(ref string) string {
	w.Helper()
	list, err := w.app.Events(w.Context(), EventQuery{Golden: ref, Limit: 100})
	if err != nil {
		w.Fatalf("events of %s: %v", ref, err)
	}
	var lines []string
	for _, e := range list {
		lines = append(lines, fmt.Sprintf("%s %s %s %s%s", e.Source, e.ID, e.Status, e.Amount, e.Currency))
	}
	return strings.Join(lines, "; ")
}

func (w *world) wantHappened(ref, want string) {
	w.Helper()
	if got := w.happened(ref); got != want {
		w.Errorf("events of %s: %s, want %s", ref, got, want)
	}
}

func TestEventsFollowTheirRecords(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		ticket := func(id, more string) string {
			return fmt.Sprintf(`{"id":%q,"subject":"Lamp","opened_at":"2026-01-0%sT10:00:00Z","status":"open"%s}`, id, id[1:], more)
		}
		w, crm, desk := linkedWorld(t, dsn, simulator.Seed{
			"companies": seeded(`{"id":"c7","name":"Acme Tools Ltd","website":"acmetools.example"}`),
			"contacts":  seeded(`{"id":"p3","name":"Ada Lovelace","email":"ada@example.com"}`),
			"tickets": seeded(ticket("t1", `,"requester_id":"p3","company_id":"c7","amount":"12.50","currency":"eur"`), ticket("t2", `,"requester_id":"p3"`), ticket("t3", `,"requester_id":"p99"`),
				ticket("t4", ``), ticket("t5", `,"requester_id":"p3","amount":"12,50"`)),
		}, simulator.Seed{
			"contacts": seeded(`{"id":"p1","name":"Ada Lovelace","email":"ADA@example.com"}`),
			"tickets":  seeded(ticket("t6", `,"requester_id":"p1"`)),
		})
		w.yaml = linkedTables + "sources:" + linkedSource("crm", crm.url) + linkedSource("desk", desk.url)
		w.open()
		s := w.clean()
		if e := s.Events; e == nil || *e != (EventSummary{Pulled: 6, Stored: 4, Refused: 2, Events: 4, Waiting: 1, Faulty: 2}) {
			t.Errorf("the summary says %+v of events", s.Events)
		}
		w.wantHappened("crm/person/p3", "desk t6 open ; crm t2 open ; crm t1 open 12.50EUR")
		w.wantHappened("crm/company/c7", "crm t1 open 12.50EUR")
		// A changed event is a new version of itself; one that does not pass any
		// more leaves the one before in force.
		crm.set("tickets", "t2", map[string]any{"status": "solved"})
		crm.set("tickets", "t1", map[string]any{"amount": "many"})
		s = w.clean()
		w.wantHappened("crm/person/p3", "desk t6 open ; crm t2 solved ; crm t1 open 12.50EUR")
		if s.Events.Faulty != 3 {
			t.Errorf("%d events in quarantine, want 3", s.Events.Faulty)
		}
		faults, err := w.app.Events(t.Context(), EventQuery{Faulty: true, Limit: 10})
		if err != nil || len(faults) != 3 || len(faults[0].Reasons) == 0 || faults[0].ID != "t1" {
			t.Errorf("events in quarantine: %+v, %v; want t1, t4 and t5 with reasons", faults, err)
		}
		crm.set("tickets", "t1", map[string]any{"amount": "13.75"})
		// The record of t3 comes, under a new id the ticket is given.
		id := crm.set("contacts", "", map[string]any{"name": "Grace Hopper", "email": "grace@example.com"})
		crm.set("tickets", "t3", map[string]any{"requester_id": id})
		s = w.clean()
		w.wantHappened("crm/person/"+id, "crm t3 open ")
		if s.Events.Waiting != 0 || s.Events.Faulty != 2 {
			t.Errorf("waiting %d, in quarantine %d; want 0 and 2", s.Events.Waiting, s.Events.Faulty)
		}
		totals, err := w.app.EventTotals(t.Context(), "crm/person/p3")
		if err != nil || len(totals) != 2 || totals[0].Count != 2 || totals[1].Amount != "13.75" || totals[1].Currency != "EUR" {
			t.Errorf("totals %+v, %v; want two without an amount and 13.75 EUR", totals, err)
		}
		// A split takes each record's events along, and a merge brings them back.
		w.rule("cannot", "crm/person/p3", "desk/person/p1")
		w.clean()
		w.wantHappened("crm/person/p3", "crm t2 solved ; crm t1 open 13.75EUR")
		w.wantHappened("desk/person/p1", "desk t6 open ")
		w.verify()
		// Deleted there, it shows no more; another mapping derives anew.
		crm.admin("POST", "edit", map[string]any{"object": "tickets", "id": "t2", "delete": true})
		w.restart(strings.ReplaceAll(w.yaml, "subject: 'record.subject', status: 'record.status'", "status: 'upper(record.status)'"))
		w.clean()
		w.wantHappened("crm/person/p3", "crm t1 OPEN 13.75EUR")
		w.end()
	})
}

// TestVerifyCoversEventsAndRelations: what is derived beside golden records is
// compared too.
func TestVerifyCoversEventsAndRelations(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := linkedWorld(t, dsn, simulator.Seed{
			"companies": seeded(`{"id":"c7","name":"Acme Tools Ltd","website":"acmetools.example","sector":"Bread"}`),
			"contacts":  seeded(`{"id":"p3","name":"Ada Lovelace","email":"ada@example.com","company_id":"c7"}`),
			"tickets":   seeded(`{"id":"t1","subject":"Lamp","opened_at":"2026-01-02","requester_id":"p3"}`, `{"id":"t2","subject":"Lamp","opened_at":"2026-01-02"}`),
		}, nil)
		w.open()
		w.clean()
		w.end()
		for _, tt := range []struct{ table, plant string }{
			{"event_state", `UPDATE event_state SET status = 'planted'`},
			{"event_of", `UPDATE event_of SET rec = 0`},
			{"event_fault", `DELETE FROM event_fault`},
			{"relation", `UPDATE relation SET external_id = 'planted'`},
			{"lookup_miss", `DELETE FROM lookup_miss`},
		} {
			w.close()
			w.execute(tt.plant)
			w.open()
			v, err := w.app.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, d := range v.Differences {
				found = found || d.Table == tt.table
			}
			if !found {
				t.Errorf("after %q verify finds %+v, want a difference in %s", tt.plant, v.Differences, tt.table)
			}
		}
	})
}
