package app

import (
	"bytes"
	"testing"

	"touchstone/matching"
)

// features gives a record's features as stored.
func (w *world) features(ref string) []byte {
	w.Helper()
	list, err := w.app.Store.Features(w.Context(), []int64{w.rec(ref)})
	if err != nil || len(list) != 1 {
		w.Fatalf("features of %s: %v, %v", ref, list, err)
	}
	return list[0].Features
}

// weight is how much two records speak for one customer.
func (w *world) weight(a, b string) int32 {
	w.Helper()
	m, ok := matching.StartModel("company")
	if !ok {
		w.Fatal("no model")
	}
	x, err := matching.DecodeFeatures(w.features(a))
	if err != nil {
		w.Fatal(err)
	}
	y, err := matching.DecodeFeatures(w.features(b))
	if err != nil {
		w.Fatal(err)
	}
	return m.Weigh(x, y).Total
}

func TestEchoNeverWinsAndNeverMakesRecordsMoreAlike(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn,
			[]string{acme("c1", "2", `,"phone":"+44 113 496 0001","email":"info@acmetools.example"`)},
			[]string{acme("o1", "3", "")})
		w.open()
		// Before anything is pushed: pull and resolve alone.
		w.plan()
		before, weight := w.features("desk/company/o1"), w.weight("crm/company/c1", "desk/company/o1")
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0001")
		desk.want("o1", "email", "info@acmetools.example")
		s := w.clean()
		if s.Stored != 0 {
			t.Errorf("the pass after the push stored %d versions, want 0: what came back is an echo", s.Stored)
		}
		if got := w.weight("crm/company/c1", "desk/company/o1"); got != weight {
			t.Errorf("weight %d after the push, %d before", got, weight)
		}
		if !bytes.Equal(before, w.features("desk/company/o1")) {
			t.Error("the desk record's features hold what we pushed")
		}
		// The desk's clock runs ahead of the crm's, by edits of something else.
		for _, n := range []string{"1", "2", "3", "4", "5"} {
			desk.edit("o1", map[string]any{"industry": n})
		}
		w.clean()
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"})
		w.clean()
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0002")
		desk.want("o1", "phone", "+44 113 496 0002")
		if from := w.golden("crm/company/c1").Provenance["phones"].From; len(from) != 1 || from[0] != "crm/company/c1" {
			t.Errorf("the phone is said to come from %v, want the crm alone", from)
		}
		if n := len(w.golden("crm/company/c1").Fields["phones"].Points); n != 1 {
			t.Errorf("golden record has %d phones, want 1: the desk's is an echo", n)
		}
		if !bytes.Equal(features(t, w, "desk/company/o1", "phones"), nil) {
			t.Error("the desk record claims a phone of its own")
		}
		// What a person then sets there is authored.
		desk.edit("o1", map[string]any{"phone": "+44 113 496 0003"})
		w.clean()
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0003")
		w.end()
	})
}

// features gives a member's authored value of a field as JSON; nil for none.
func features(t *testing.T, w *world, ref, field string) []byte {
	t.Helper()
	for _, m := range w.golden(ref).Members {
		if v, ok := m.Fields[field]; m.Ref == ref && ok && !v.Blank() {
			return v.AppendJSON(nil)
		}
	}
	return nil
}

func TestAToBToAEndsAsA(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn,
			[]string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)},
			[]string{acme("o1", "3", "")})
		w.open()
		w.clean()
		for _, phone := range []string{"+44 113 496 0002", "+44 113 496 0001"} {
			crm.edit("c1", map[string]any{"phone": phone})
			w.clean()
			w.wantValue("crm/company/c1", "phones", phone)
			desk.want("o1", "phone", phone)
		}
		// Both at once, between two passes, in the source: nothing has changed.
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"})
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0001"})
		n := len(desk.changes())
		w.clean()
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0001")
		if got := desk.changes()[n:]; len(got) > 0 {
			t.Errorf("A → B → A between two passes wrote %v, want nothing", got)
		}
		// The same on the target, on a field that we own there.
		desk.edit("o1", map[string]any{"phone": "+44 113 496 0009"})
		desk.edit("o1", map[string]any{"phone": "+44 113 496 0001"})
		w.clean()
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0001")
		desk.want("o1", "phone", "+44 113 496 0001")
		// And seen in the middle: the person's value wins, then A comes back.
		desk.edit("o1", map[string]any{"phone": "+44 113 496 0009"})
		w.clean()
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0009")
		desk.edit("o1", map[string]any{"phone": "+44 113 496 0001"})
		w.clean()
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0001")
		desk.want("o1", "phone", "+44 113 496 0001")
		w.end()
	})
}
