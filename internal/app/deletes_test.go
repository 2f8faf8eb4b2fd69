package app

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/web"
)

// rows writes the table with these lines.
func (w *world) table(lines ...string) {
	w.Helper()
	w.write("list.csv", "id,name,phone,website,employees\n"+strings.Join(lines, "\n")+"\n")
}

// bakeries are n companies that have nothing in common.
func bakeries(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf("b%02d,Bakery %c%c%c,+44 113 497 %04d,bakery%d.example,", i, 'A'+i%26, 'A'+i*7%26, 'A'+i*11%26, i*13, i))
	}
	return lines
}

func onBothTables(t *testing.T, lines []string, scenario func(w *world, desk *simulated)) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk := tableWorld(t, "")
		w.dsn = dsn
		w.table(lines...)
		w.open()
		w.clean()
		scenario(w, desk)
	})
}

const acmeLine = "l1,Acme Tools Ltd,+44 113 496 0001,acmetools.example,"

func TestRecordThatStaysAwayIsDeletedAfterTwoPassesAndTheGrace(t *testing.T) {
	onBothTables(t, append(bakeries(12), acmeLine), func(w *world, desk *simulated) {
		desk.want("o1", "phone", "+44 113 496 0001")
		id := w.golden("desk/company/o1").ID
		w.table(bakeries(12)...)
		w.clean()
		w.sleep(23 * time.Hour)
		if s := w.clean(); s.Gone != 0 {
			w.Errorf("gone %d within the grace, want 0", s.Gone)
		}
		w.wantValue("desk/company/o1", "phones", "+44 113 496 0001")
		w.sleep(time.Hour)
		if s := w.clean(); s.Gone != 1 {
			w.Errorf("gone %d after the grace, want 1", s.Gone)
		}
		w.wantValue("desk/company/o1", "phones", "")
		desk.want("o1", "phone", nil)
		if got := w.members("desk/company/o1"); got != "desk/company/o1 list/company/l1" {
			w.Errorf("members %q: a deleted record keeps its place", got)
		}
		w.end()
		w.table(append(bakeries(12), acmeLine)...)
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0001")
		if got := w.golden("desk/company/o1").ID; got != id {
			w.Errorf("golden id %s, was %s", got, id)
		}
		w.end()
	})
}

func TestRecordThatComesBackIsNotDeleted(t *testing.T) {
	t.Parallel()
	w, _ := tableWorld(t, "")
	w.table(append(bakeries(3), acmeLine)...)
	w.open()
	w.clean()
	for range 3 { // away in every other pass, a day apart
		w.table(bakeries(3)...)
		w.clean()
		w.sleep(30 * time.Hour)
		w.table(append(bakeries(3), acmeLine)...)
		if s := w.clean(); s.Gone != 0 || s.Stored != 0 {
			t.Errorf("gone %d, stored %d; want 0 and 0", s.Gone, s.Stored)
		}
		w.sleep(30 * time.Hour)
	}
	w.end()
}

func TestMassDeletionWaitsForAPersonOnce(t *testing.T) {
	onBothTables(t, bakeries(40), func(w *world, _ *simulated) {
		ctx := w.Context()
		w.table(bakeries(20)...)
		w.clean()
		w.sleep(25 * time.Hour)
		for range 2 { // told in every pass
			s := w.pass()
			if s.Gone != 0 || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "source list: 20 of 40 company records no longer come") || !strings.Contains(s.Problems[0], "allow-deletes list") {
				w.Errorf("gone %d, problems %q; want none gone and one line that says 20 of 40 and what to do", s.Gone, s.Problems)
			}
		}
		o, err := w.app.Overview(ctx)
		if err != nil {
			w.Fatal(err)
		}
		if r := o.Sources[0]; r.State != web.StateWaiting || !strings.Contains(r.Problem, "20 of 40") {
			w.Errorf("the page says %v %q of the source, want that it waits", r.State, r.Problem)
		}
		w.verify()
		if err := w.app.AllowDeletes(ctx, "desk", "ann"); !errors.Is(err, record.ErrNotFound) {
			w.Errorf("allowing the desk's: %v, want that nothing waits", err)
		}
		if err := w.app.AllowDeletes(ctx, "list", "ann"); err != nil {
			w.Fatal(err)
		}
		if s := w.clean(); s.Gone != 20 || s.Golden != 21 {
			w.Errorf("gone %d, golden %d after a person let it; want 20 and 21", s.Gone, s.Golden)
		}
		// The next time is another decision.
		w.table(bakeries(5)...)
		w.clean()
		w.sleep(25 * time.Hour)
		if s := w.pass(); s.Gone != 0 || len(s.Problems) != 1 {
			w.Errorf("gone %d, problems %q the second time; want none gone and one line", s.Gone, s.Problems)
		}
		// It was a mistake: the records are back.
		w.table(bakeries(20)...)
		w.clean()
		w.end()
	})
}

func TestEmptyFileDeletesNothing(t *testing.T) {
	t.Parallel()
	w, _ := tableWorld(t, "")
	w.table(acmeLine)
	w.open()
	w.clean()
	for _, text := range []string{"", "id,name,phone,website,employees\n"} {
		for range 3 {
			w.write("list.csv", text)
			if s := w.pass(); s.Gone != 0 {
				t.Errorf("gone %d with the file %q, want 0", s.Gone, text)
			}
			w.sleep(30 * time.Hour)
		}
	}
	w.wantValue("list/company/l1", "phones", "+44 113 496 0001")
	w.verify()
}

// TestSpoiltLineIsNotADeletion: the line of a record becomes one that cannot be
// read; nobody can say that the record is gone.
func TestSpoiltLineIsNotADeletion(t *testing.T) {
	t.Parallel()
	w, _ := tableWorld(t, "")
	w.table(append(bakeries(3), acmeLine, "l1;torn,\"never closed")...)
	w.open()
	w.clean() // what was broken before is no reason
	w.table(append(bakeries(2), "b02,\"Bakery", acmeLine, "l1;torn,\"never closed")...)
	w.clean()
	w.sleep(25 * time.Hour)
	s := w.pass()
	if s.Gone != 0 || len(s.Problems) != 1 || !strings.Contains(s.Problems[0], "cannot be read") {
		t.Errorf("gone %d, problems %q; want none gone and one line that says why", s.Gone, s.Problems)
	}
	w.table(append(bakeries(3), acmeLine)...)
	w.clean()
	w.sleep(25 * time.Hour)
	if s := w.clean(); s.Gone != 2 {
		t.Errorf("gone %d once all can be read, want the 2 spoilt lines themselves", s.Gone)
	}
	if n := len(w.quarantined("open")); n != 0 {
		t.Errorf("%d rows in quarantine, want none: their lines are gone", n)
	}
	if n := len(w.quarantined("gone")); n != 2 {
		t.Errorf("%d rows closed as gone, want 2", n)
	}
	w.end()
}

func TestMissingKeepIsForFilesOfChanges(t *testing.T) {
	t.Parallel()
	w, _ := tableWorld(t, "")
	w.yaml = strings.Replace(w.yaml, "path: list.csv", "path: list.csv\n    deletes: {missing: keep, grace: 0s}", 1)
	w.table(append(bakeries(3), acmeLine)...)
	w.open()
	w.clean()
	w.table(bakeries(1)...)
	for range 3 {
		w.sleep(25 * time.Hour)
		if s := w.clean(); s.Gone != 0 {
			t.Errorf("gone %d, want 0", s.Gone)
		}
	}
	w.wantValue("list/company/l1", "phones", "+44 113 496 0001")
	w.end()
}
