package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"touchstone/internal/store"
)

// fault makes the database itself lose something whenever a record goes to
// another customer: no code of ours is asked.
func (w *world) fault(statement string) {
	w.Helper()
	w.close()
	if w.dsn == "" {
		w.execute("CREATE TRIGGER fault AFTER UPDATE OF golden ON crosswalk WHEN OLD.golden <> NEW.golden BEGIN " + statement + "; END")
	} else {
		w.execute("CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + statement + "; RETURN NULL; END $$")
		w.execute("CREATE TRIGGER fault AFTER UPDATE OF golden ON crosswalk FOR EACH ROW WHEN (OLD.golden <> NEW.golden) EXECUTE FUNCTION fault()")
	}
	w.open()
}

func (w *world) repaired() {
	w.Helper()
	w.close()
	if w.dsn == "" {
		w.execute("DROP TRIGGER fault")
	} else {
		w.execute("DROP TRIGGER fault ON crosswalk")
		w.execute("DROP FUNCTION fault")
	}
	w.open()
}

// TestNothingIsLostByAMerge: whatever goes missing, doubles or changes while
// customers are united is caught, the merge is rolled back and taken back, a
// person is told what is wrong, and the certificate says so.
func TestNothingIsLostByAMerge(t *testing.T) {
	const copied = `SELECT %s FROM event%s WHERE ev = (SELECT ev FROM event WHERE external_id = 't00')`
	faults := map[string]struct{ statement, kind string }{
		"a relation loses its role":     {`UPDATE relation SET role = '' WHERE rec = NEW.rec`, store.HeldRelations},
		"a relation is dropped":         {`DELETE FROM relation WHERE rec = NEW.rec`, store.HeldRelations},
		"a relation leads elsewhere":    {`UPDATE relation SET external_id = 'c2' WHERE rec = NEW.rec`, store.HeldRelations},
		"an order is lost":              {`DELETE FROM event_of WHERE ev = (SELECT ev FROM event WHERE external_id = 't11')`, store.HeldEvents},
		"an order's amount is changed":  {`UPDATE event_state SET amount = '1' WHERE ev = (SELECT ev FROM event WHERE external_id = 't10')`, store.HeldMoney},
		"an order's currency is lost":   {`UPDATE event_state SET currency = '' WHERE ev = (SELECT ev FROM event WHERE external_id = 't10')`, store.HeldMoney},
		"a consent is lost":             {`DELETE FROM event_state WHERE ev = (SELECT ev FROM event WHERE external_id = 't12')`, store.HeldConsents},
		"a consent becomes another one": {`UPDATE event_state SET status = 'granted' WHERE ev = (SELECT ev FROM event WHERE external_id = 't12')`, store.HeldConsents},
		"an event is doubled": {`INSERT INTO event (ev, source, kind, external_id, salt, sealed_by, version, latest, hash, stamp, deleted) ` +
			fmt.Sprintf(copied, "900000, source, kind, 'twin', salt, sealed_by, version, latest, hash, stamp, deleted", "") + ` ON CONFLICT DO NOTHING; ` +
			`INSERT INTO event_state (ev, version, type, at, amount, currency, channel, status, body) ` + fmt.Sprintf(copied, "900000, version, type, at, amount, currency, channel, status, body", "_state") + ` ON CONFLICT DO NOTHING; ` +
			`INSERT INTO event_of (ev, n, source, entity, external_id, rec, at) ` + fmt.Sprintf(copied, "900000, n, source, entity, external_id, rec, at", "_of") + ` ON CONFLICT DO NOTHING`, store.HeldEvents},
		"an event belongs to it twice":     {`INSERT INTO event_of (ev, n, source, entity, external_id, rec, at) ` + fmt.Sprintf(copied, "ev, n + 7, source, entity, external_id, rec, at", "_of") + ` AND n = 1 ON CONFLICT DO NOTHING`, store.HeldEvents},
		"a record leaves the crosswalk":    {`DELETE FROM crosswalk WHERE rec = NEW.rec`, store.HeldRecords},
		"a pin goes out of force":          {`UPDATE ruling SET withdrawn = 'x' WHERE kind = 'pin'`, store.HeldPins},
		"a record is marked deleted there": {`UPDATE source_record SET deleted = 1 WHERE rec = NEW.rec`, store.HeldRecords},
	}
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := familyWorld(t, dsn)
		w.decision(w.app.Pin(t.Context(), PinRequest{Golden: "crm/person/p1", Field: "title", Value: "Director"}, ann))
		w.clean()
		if totals, err := w.app.EventTotals(t.Context(), "crm/person/p1"); err != nil || len(totals) != 3 || totals[0].Type != "consent" {
			t.Fatalf("events of p1: %+v, %v; want orders with and without an amount, and a consent", totals, err)
		}
		for _, name := range slices.Sorted(maps.Keys(faults)) {
			f := faults[name]
			if f.kind == "" {
				continue
			}
			before := w.canonical()
			w.fault(f.statement)
			merge := w.decision(w.app.Merge(t.Context(), "crm/person/p0", "crm/person/p1", ann))
			if err := w.app.Resolve(t.Context(), func(string, string, int) {}); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := w.canonical(); got != before {
				t.Errorf("%s: the golden records differ after the merge was rolled back", name)
			}
			list, err := w.app.Store.Certificates(t.Context(), []string{merge})
			if err != nil {
				t.Fatal(err)
			}
			wrong := map[string]bool{}
			for _, c := range list[merge] {
				if !c.Refused {
					t.Errorf("%s: certificate %+v says that it balances", name, c)
				}
				for _, l := range c.Lines {
					if !l.Balanced() {
						wrong[l.Kind] = true
					}
				}
			}
			if !wrong[f.kind] {
				t.Errorf("%s: not caught; wrong are %v, want %s among them", name, slices.Sorted(maps.Keys(wrong)), f.kind)
			}
			shown, err := w.app.Decisions(t.Context(), "", 0, 1000)
			if err != nil {
				t.Fatal(err)
			}
			last := shown[len(shown)-1]
			if last.Kind != store.Undone || last.Who != "touchstone" || !strings.Contains(last.Why, f.kind+" of crm") {
				t.Errorf("%s: the last decision is %+v, want an undo that names the %s of crm", name, last, f.kind)
			}
			if !strings.Contains(w.log.String(), "rolled back") || strings.Contains(last.Why, "0.25") {
				t.Errorf("%s: the log does not tell, or the reason tells amounts: %s", name, last.Why)
			}
			w.repaired()
		}
		if n, err := w.app.Store.Refusals(t.Context(), w.clock.Now().Add(-refusalsTold)); err != nil || n < 12 {
			t.Errorf("%d refusals, %v; want one for each fault", n, err)
		} else if i, told := unbalancedIncident(n); !told || i.rule != ruleBalance {
			t.Errorf("incident %+v, %v", i, told)
		}
		// Without a fault the same merge balances, and its undo does.
		merge := w.decision(w.app.Merge(t.Context(), "crm/person/p0", "crm/person/p1", ann))
		w.clean()
		undo := w.decision(w.app.Undo(t.Context(), merge, ann))
		w.clean()
		for _, id := range []string{merge, undo} {
			list, err := w.app.Store.Certificates(t.Context(), []string{id})
			if err != nil || len(list[id]) != 1 || list[id][0].Refused || list[id][0].Moved == 0 {
				t.Fatalf("certificates of %s: %+v, %v; want one that balances", id, list[id], err)
			}
			kinds := map[string]int{}
			for _, l := range list[id][0].Lines {
				kinds[l.Kind] += l.After.Count
				if !l.Balanced() {
					t.Errorf("%+v does not balance", l)
				}
				if l.Kind == store.HeldMoney && l.After.Sum != "10.5" {
					t.Errorf("money %+v, want 10.5: 0.25 and 10.25", l)
				}
			}
			for kind, want := range map[string]int{store.HeldRecords: 4, store.HeldEvents: 6, store.HeldMoney: 2, store.HeldConsents: 2, store.HeldPins: 1} {
				if kinds[kind] != want {
					t.Errorf("%s: %d %s, want %d: %v", id, kinds[kind], kind, want, kinds)
				}
			}
		}
		w.end()
	})
}
