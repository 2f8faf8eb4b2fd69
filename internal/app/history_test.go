package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// asOf is a golden record of then, as text: members, then fields.
func (w *world) asOf(id string, at time.Time) string {
	w.Helper()
	s, err := w.app.GoldenAt(w.Context(), id, at)
	if err != nil {
		w.Fatal(err)
	}
	out := strings.Join(s.Members, " ") + ":"
	for _, f := range s.Fields {
		if f.Field == "name" || f.Field == "phones" {
			out += fmt.Sprintf(" %s=%s%s", f.Field, f.Text, f.State)
		}
	}
	return out
}

// TestHistoryShowsAnyDate: before a merge there are two, with the values they
// had then; an id that was shown once answers for ever.
func TestHistoryShowsAnyDate(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _ := apart(t, dsn)
		apartAt := w.clock.Now()
		zenith, acme := w.golden("desk/company/o2").ID, w.golden("crm/company/c1").ID
		w.sleep(24 * time.Hour)
		merge := w.decision(w.app.Merge(t.Context(), zenith, acme, ann))
		w.clean()
		mergedAt := w.clock.Now()
		w.sleep(24 * time.Hour)
		w.systems["crm"].edit("c1", map[string]any{"phone": "+44 113 496 0002"})
		w.decision(w.app.Pin(t.Context(), PinRequest{Golden: acme, Field: "name", Value: "Acme & Zenith"}, ann))
		w.clean()
		laterAt := w.clock.Now()
		w.sleep(24 * time.Hour)
		w.decision(w.app.Undo(t.Context(), merge, By{Who: "bob"}))
		w.clean()
		for _, tt := range []struct {
			id   string
			at   time.Time
			want string
		}{
			{zenith, apartAt, "desk/company/o2: name=Zenith Bakery phones=+44 1904 496 002"},
			{acme, apartAt, "crm/company/c1 desk/company/o1: name=Acme Tools Ltd phones=+44 113 496 0001"},
			{zenith, mergedAt, "crm/company/c1 desk/company/o1 desk/company/o2: name=Acme Tools Ltd phones=+44 113 496 0001"},
			{"desk:o2", mergedAt, "crm/company/c1 desk/company/o1 desk/company/o2: name=Acme Tools Ltd phones=+44 113 496 0001"},
			{acme, laterAt, "crm/company/c1 desk/company/o1 desk/company/o2: name=Acme & Zenith phones=+44 113 496 0002"},
			{acme, w.clock.Now(), "crm/company/c1 desk/company/o1: name=Acme & Zenith phones=+44 113 496 0002"},
			{zenith, w.clock.Now(), "desk/company/o2: name=Zenith Bakery phones=+44 1904 496 002"},
		} {
			if got := w.asOf(tt.id, tt.at); got != tt.want {
				t.Errorf("%s at %v: %s, want %s", tt.id, tt.at, got, tt.want)
			}
		}
		if _, err := w.app.GoldenAt(t.Context(), zenith, apartAt.Add(-time.Hour)); err == nil {
			t.Error("a golden record is shown from before its first record came")
		}
		if g := w.golden(acme); !g.Moved || len(g.Elsewhere) != 1 || g.Elsewhere[0] != (Place{"desk/company/o2", zenith}) {
			t.Errorf("%s answers moved %v, elsewhere %v; want o2 told to live in %s", acme, g.Moved, g.Elsewhere, zenith)
		}
		d, err := w.app.GoldenDiff(t.Context(), zenith, apartAt, laterAt)
		if err != nil || !d.Renamed || !slices.Equal(d.Joined, []string{"crm/company/c1", "desk/company/o1"}) || len(d.Left) > 0 {
			t.Errorf("diff %+v, %v; want another id, c1 and o1 joined", d, err)
		}
		h, err := w.app.GoldenHistory(t.Context(), acme)
		if err != nil {
			t.Fatal(err)
		}
		var events []string
		for _, e := range h.Events {
			switch {
			case e.Decision != nil:
				events = append(events, e.Decision.Kind+" by "+e.Decision.Who)
			case e.Record != "":
				events = append(events, e.What+" "+e.Record)
			}
		}
		want := "joined crm/company/c1, joined desk/company/o1, merge by ann, joined desk/company/o2, pin by ann, undo by bob, left desk/company/o2"
		if got := strings.Join(events, ", "); got != want {
			t.Errorf("history %q, want %q", got, want)
		}
		w.end()
		// What was erased says so; the rest of the history stays.
		w.close()
		w.execute(`UPDATE source_record SET salt = NULL WHERE external_id = 'c1'`)
		w.open()
		s, err := w.app.GoldenAt(t.Context(), acme, mergedAt)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Fields {
			if f.Field == "name" && (f.State != "erased" || f.Text != "" || string(f.Value) != "null") {
				t.Errorf("an erased name shows as %+v", f)
			}
		}
	})
}

// TestRecordsWhoseIDsHoldBlanks: where a value is from is told, then and now.
func TestRecordsWhoseIDsHoldBlanks(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := two(t, dsn, []string{acme("AB 1　%20", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o 1", "1", `,"phone":"+44 113 496 0002"`)})
		w.yaml = strings.Replace(w.yaml, "phones: [most_recent], ", "", 1)
		w.open()
		w.clean()
		g := w.golden("desk/company/o 1")
		if got, want := w.asOf(g.ID, w.clock.Now()), "crm/company/AB 1　%2520 desk/company/o 1: name=Acme Tools Ltd phones=+44 113 496 0001; +44 113 496 0002"; got != want {
			t.Errorf("as of now: %s, want %s", got, want)
		}
		c, err := w.app.Customer(t.Context(), g.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range c.Fields {
			if f.Name == "phones" && !slices.Equal(f.From, []string{"crm AB 1　%20", "desk o 1"}) {
				t.Errorf("the customer's page has the phones from %q", f.From)
			}
		}
	})
}
