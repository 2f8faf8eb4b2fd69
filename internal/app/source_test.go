package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/simulator"
	"touchstone/internal/store"
)

// six are companies that have nothing in common.
func six() []string {
	var list []string
	for i, name := range []string{"Acme Tools", "Zenith Bakery", "Harbour Freight", "Moorland Textiles", "Quartz Optics", "Juniper Books"} {
		list = append(list, fmt.Sprintf(`{"id":"c%d","updated_at":"2026-01-0%dT00:00:00Z","name":"%s Ltd","phone":"+44 20 7946 00%02d","website":"site%d.example"}`, i+1, i+1, name, i+11, i))
	}
	return list
}

// sourceWorld has a crm that answers two companies a page, a desk that holds
// one of them, and a table.
func sourceWorld(t *testing.T) (w *world, crm, desk *simulated) {
	t.Helper()
	w = newWorld(t, "")
	p := everything.profile("crm")
	p.PageSize = 2
	crm = w.start(p, six()...)
	desk = w.start(everything.profile("desk"), `{"id":"o1","updated_at":"2026-01-01T00:00:00Z","name":"Acme Tools Ltd","website":"site0.example"}`)
	w.write("list.csv", "id,name,phone\nl1,Lantern Press,+44 20 7946 0099\n")
	w.yaml = "sources:" + everything.source("crm", crm.url) + everything.source("desk", desk.url) + tableSource("list", "list.csv") +
		"\n" + survive + "targets:" + contact("desk", "desk", "update_only")
	return w, crm, desk
}

func TestPageThatNeverEndsStopsItsSourceOnly(t *testing.T) {
	t.Parallel()
	w, crm, desk := sourceWorld(t)
	crm.faults(simulator.Fault{Kind: simulator.Endless, Every: 1, On: "read"})
	w.open()
	s := w.pass()
	if len(s.Problems) != 1 || !strings.HasPrefix(s.Problems[0], "source crm: pull page ") || !strings.Contains(s.Problems[0], "never end") {
		t.Errorf("problems %q, want one of source crm that says it would never end", s.Problems)
	}
	if s.Stored < 2+1+1 || s.Golden == 0 {
		t.Errorf("stored %d, golden %d: want what was landed before, the desk's and the table's", s.Stored, s.Golden)
	}
	if n := len(desk.applied("api")); n != 0 {
		t.Errorf("%d writes before every source had its first pass, want none", n)
	}
	crm.faults()
	w.clean()
	desk.want("o1", "phone", "+44 20 7946 0011")
	w.end()
}

func TestSourceThatDiesAtPageThreeIsResumed(t *testing.T) {
	t.Parallel()
	w, crm, desk := sourceWorld(t)
	crm.faults(simulator.Fault{Kind: simulator.DieAtPage, Page: 3, Every: 1})
	w.open()
	s := w.pass()
	if s.Pulled != 4+1+1 || s.Stored != 6 || len(s.Problems) != 1 {
		t.Errorf("pulled %d, stored %d, problems %q; want 6, 6 (pages 1 and 2, the desk, the table) and one problem", s.Pulled, s.Stored, s.Problems)
	}
	if n := len(desk.applied("api")); n != 0 {
		t.Errorf("%d writes before every source had its first pass, want none", n)
	}
	s = w.pass()
	if s.Stored != 0 || len(s.Problems) != 1 || len(desk.applied("api")) != 0 {
		t.Errorf("still dead: stored %d, problems %q, %d writes; want 0, one, 0", s.Stored, s.Problems, len(desk.applied("api")))
	}
	crm.faults()
	s = w.clean()
	if s.Stored != 2 {
		t.Errorf("the pass after the mending stored %d, want the 2 of page 3", s.Stored)
	}
	if s.Golden != 7 {
		t.Errorf("golden records %d, want 7", s.Golden)
	}
	desk.want("o1", "phone", "+44 20 7946 0011")
	w.end()
}

func TestRefusedCredentialsStopTheSourceWithoutTellingThem(t *testing.T) {
	t.Parallel()
	w, _, desk := sourceWorld(t)
	w.yaml = strings.Replace(w.yaml, "token-of-crm", "wrong-secret-123", 1)
	w.open()
	s := w.pass()
	if len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "source crm") || !strings.Contains(s.Problems[0], "credentials rejected") {
		t.Errorf("problems %q, want one: source crm, credentials rejected", s.Problems)
	}
	if s.Golden != 2 {
		t.Errorf("golden records %d, want the desk's and the table's", s.Golden)
	}
	if text := strings.Join(s.Problems, " ") + w.log.String(); strings.Contains(text, "wrong-secret") {
		t.Errorf("the token stands in an error or in the log: %s", text)
	}
	runs, err := w.app.Store.LastRuns(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if want := map[bool]string{true: "failed", false: "done"}[r.Source == "crm"]; r.State != want || strings.Contains(r.Error, "wrong-secret") {
			t.Errorf("run of %s is %s (%s), want %s", r.Source, r.State, r.Error, want)
		}
	}
	if n := len(desk.applied("api")); n != 0 {
		t.Errorf("%d writes, want none", n)
	}
	w.end()
}

// TestRefusedCredentialsOfATargetLoseNothing: its rows wait until it lets us in.
func TestRefusedCredentialsOfATargetLoseNothing(t *testing.T) {
	t.Parallel()
	w, _, desk := sourceWorld(t)
	w.open()
	w.plan()
	right := w.yaml
	w.restart(strings.Replace(w.yaml, "token-of-desk", "wrong-secret-456", 1))
	s := w.pass()
	if len(s.Problems) == 0 || strings.Contains(strings.Join(s.Problems, " ")+w.log.String(), "wrong-secret") {
		t.Errorf("problems %q, want some, without the token", s.Problems)
	}
	if got := w.states("desk"); got != "pending 1" {
		t.Errorf("rows: %s, want pending 1", got)
	}
	w.restart(right)
	w.later(20 * time.Minute)
	if got, want := desk.changes(), []string{"o1 phone: <nil> → +44 20 7946 0011"}; !slices.Equal(got, want) {
		t.Errorf("writes %q, want %q", got, want)
	}
	w.end()
}

func TestNothingIsPushedBeforeEveryFirstPass(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", "")})
		third := w.start(everything.profile("third"), acme("t1", "3", `,"phone":"+44 113 496 0002"`))
		third.faults(simulator.Fault{Kind: simulator.Unavailable, Every: 1, On: "read"})
		w.yaml = strings.Replace(w.yaml, "\nentities:", everything.source("third", third.url)+"\n\nentities:", 1)
		w.open()
		for range 3 {
			w.pass()
			w.sleep(time.Minute)
		}
		if n := len(desk.applied("api")) + len(crm.applied("api")); n != 0 {
			t.Errorf("%d writes while one source was never pulled to its end, want none", n)
		}
		if got := w.states("desk"); got != "pending 1" {
			t.Errorf("rows: %s, want pending 1", got)
		}
		third.faults()
		w.clean()
		if got, want := desk.changes(), []string{"o1 phone: <nil> → +44 113 496 0002"}; !slices.Equal(got, want) {
			t.Errorf("writes %q, want %q: the whole picture, at once", got, want)
		}
		// Once seen, a source that fails again holds nobody up.
		third.faults(simulator.Fault{Kind: simulator.Unavailable, Every: 1, On: "read"})
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0005"})
		w.pass()
		desk.want("o1", "phone", "+44 113 496 0005")
		third.faults()
		w.end()
	})
}

// TestDeletedAtTheSourceGivesNoValues: the record stays a member, its values
// leave the golden record, and the deletion is not pushed on.
func TestDeletedAtTheSourceGivesNoValues(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", "")})
		w.open()
		w.clean()
		id := w.golden("crm/company/c1").ID
		crm.remove("c1")
		w.clean()
		if got, want := w.members("desk/company/o1"), "crm/company/c1 desk/company/o1"; got != want {
			t.Errorf("members %q, want %q", got, want)
		}
		if got := w.golden("desk/company/o1").ID; got != id {
			t.Errorf("golden id %s, was %s", got, id)
		}
		w.wantValue("desk/company/o1", "phones", "")
		desk.want("o1", "phone", nil)
		if _, there := desk.objects()["o1"]; !there {
			t.Error("the deletion was pushed on")
		}
		w.end()
	})
}

func (w *world) quarantined(state string) []store.Quarantined {
	w.Helper()
	list, err := w.app.Store.Quarantines(w.Context(), store.QuarantineQuery{State: state, Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	return list
}
