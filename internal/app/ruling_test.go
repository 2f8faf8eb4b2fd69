package app

import (
	"slices"
	"testing"
)

// TestWrongMergeIsTakenBack: two firms are taken for one, what follows from it
// is pushed, then a person rules them apart.
func TestWrongMergeIsTakenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, desk := two(t, dsn,
			[]string{acme("c1", "2", `,"phone":"+44 113 496 0001","email":"info@acmetools.example"`)},
			[]string{acme("o1", "1", `,"phone":"+44 113 496 0777"`), acme("o2", "1", `,"email":"hello@acmetools.example"`)})
		w.open()
		w.clean()
		if got, want := w.members("crm/company/c1"), "crm/company/c1 desk/company/o1 desk/company/o2"; got != want {
			t.Fatalf("members %q, want %q", got, want)
		}
		founder := w.golden("crm/company/c1").ID
		for _, o := range []string{"o1", "o2"} {
			desk.want(o, "phone", "+44 113 496 0001")
			desk.want(o, "email", "info@acmetools.example")
		}
		w.clean() // what was pushed has come back as echoes by now
		ruling := w.rule("cannot", "crm/company/c1", "desk/company/o1")
		w.rule("cannot", "crm/company/c1", "desk/company/o2")
		w.rule("cannot", "desk/company/o1", "desk/company/o2")
		for range 3 {
			w.clean()
			for _, ref := range []string{"crm/company/c1", "desk/company/o1", "desk/company/o2"} {
				if got := w.members(ref); got != ref {
					t.Fatalf("members of %s after the ruling: %q, want it alone", ref, got)
				}
			}
		}
		desk.want("o1", "phone", "+44 113 496 0777")
		desk.want("o1", "email", nil)
		desk.want("o2", "phone", nil)
		desk.want("o2", "email", "hello@acmetools.example")
		w.wantValue("desk/company/o1", "phones", "+44 113 496 0777")
		w.wantValue("desk/company/o1", "emails", "")
		if got := w.golden("crm/company/c1").ID; got != founder {
			t.Errorf("the founder's golden id is %s, was %s", got, founder)
		}
		ids := []string{founder, w.golden("desk/company/o1").ID, w.golden("desk/company/o2").ID}
		slices.Sort(ids)
		if len(slices.Compact(ids)) != 3 {
			t.Errorf("golden ids %v, want three different ones", ids)
		}
		w.end()

		// Taken back, the ruling no longer parts them, and the ids are as before.
		if err := w.app.Store.Withdraw(t.Context(), ruling, "steward"); err != nil {
			t.Fatal(err)
		}
		w.clean()
		if got, want := w.members("desk/company/o1"), "crm/company/c1 desk/company/o1"; got != want {
			t.Errorf("members after the withdrawal %q, want %q", got, want)
		}
		if got := w.golden("desk/company/o1").ID; got != founder {
			t.Errorf("united again the id is %s, want the founder's %s", got, founder)
		}
		w.end()
	})
}

// TestRulingHoldsWhenTheRecordsChange: apart stays apart, however alike the
// records become.
func TestRulingHoldsWhenTheRecordsChange(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", "")})
		w.open()
		w.clean()
		w.rule("cannot", "crm/company/c1", "desk/company/o1")
		w.clean()
		desk.want("o1", "phone", nil)
		desk.edit("o1", map[string]any{"phone": "+44 113 496 0001", "email": "info@acmetools.example"})
		crm.edit("c1", map[string]any{"email": "info@acmetools.example"})
		w.clean()
		if got := w.members("crm/company/c1"); got != "crm/company/c1" {
			t.Errorf("members %q, want c1 alone", got)
		}
		desk.want("o1", "phone", "+44 113 496 0001")
		w.wantValue("desk/company/o1", "phones", "+44 113 496 0001")
		w.end()
	})
}
