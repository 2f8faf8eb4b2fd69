package app

import (
	"path/filepath"
	"strings"
	"testing"

	"touchstone/internal/demo"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
)

// TestDemoIsJudgedRightly: what is bad on purpose is quarantined, and nothing
// else; who is the same customer is found.
func TestDemoIsJudgedRightly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "")
	crm, desk, err := demo.Seeds()
	if err != nil {
		t.Fatal(err)
	}
	systems := demo.Systems{CRM: w.startSeeded(simulator.CRM(), crm).url, Desk: w.startSeeded(simulator.Desk(), desk).url}
	if err := demo.WriteFiles(w.dir); err != nil {
		t.Fatal(err)
	}
	w.yaml = string(demo.Config(filepath.ToSlash(w.dir), systems))
	w.open()
	s := w.clean()
	if s.Pushed == 0 || s.Verified == 0 || s.Merged == 0 {
		t.Errorf("%+v: want something pushed, verified and merged", s)
	}
	w.wantBad()
	w.wantTruth(0.97, 0.9)
	w.clean()
	w.wantBad()
	w.verify()
}

// nameless are called bad by the demo and taken by the schema of persons: an
// address of e-mail or a phone is enough of a person.
func nameless(ref string) bool { return ref == "crm/person/p1259" || ref == "desk/person/u1149" }

func (w *world) wantBad() {
	w.Helper()
	bad, err := demo.Bad()
	if err != nil {
		w.Fatal(err)
	}
	left := map[string]string{}
	for _, f := range bad {
		left[f.Source+"/"+f.Entity+"/"+f.ID] = f.Why
	}
	for _, q := range w.quarantined("open") {
		ref := w.app.refName(q.Ref)
		if strings.HasPrefix(q.Ref.ID, "unreadable-") { // the row holds its id, and nobody could read it
			ref = w.bareRow(q, left)
		}
		if _, ok := left[ref]; !ok {
			w.Errorf("%s is quarantined (%+v) and is not bad", ref, q.Reasons)
		}
		if nameless(ref) {
			w.Errorf("%s is quarantined (%+v): it need not be an exception any more", ref, q.Reasons)
		}
		delete(left, ref)
	}
	for ref, why := range left {
		if !nameless(ref) {
			w.Errorf("%s is bad (%s) and is not quarantined", ref, why)
		}
	}
}

// bareRow finds which of the bad records an unreadable row is.
func (w *world) bareRow(q store.Quarantined, left map[string]string) string {
	w.Helper()
	full, err := w.app.Store.QuarantineShow(w.Context(), q.ID)
	if err != nil {
		w.Fatal(err)
	}
	for ref := range left {
		if id := ref[strings.LastIndex(ref, "/")+1:]; strings.Contains(string(full.Raw), id) {
			return ref
		}
	}
	return w.app.refName(q.Ref)
}

// wantTruth compares pairs of records: those that the golden records unite with
// those that stand for one customer.
func (w *world) wantTruth(precision, recall float64) {
	w.Helper()
	truth, err := demo.Truth()
	if err != nil {
		w.Fatal(err)
	}
	customer := map[string]string{}
	sizes := map[string]int{}
	for _, l := range truth {
		customer[l.Source+"/"+l.Entity+"/"+l.ID] = l.Customer
		sizes[l.Customer]++
	}
	var found, right, all int
	for _, n := range sizes {
		all += n * (n - 1) / 2
	}
	err = w.app.EachGolden(w.Context(), "", true, func(_ store.Golden, members []store.Member) error {
		for i, a := range members {
			for _, b := range members[i+1:] {
				x, ok := customer[w.app.refName(a.Ref)]
				y, ok2 := customer[w.app.refName(b.Ref)]
				if !ok || !ok2 {
					continue // an object that we created joins by its must-link
				}
				found++
				if x == y {
					right++
				}
			}
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	p, r := float64(right)/float64(max(found, 1)), float64(right)/float64(max(all, 1))
	w.Logf("pairs: %d united, %d of them right, %d true; precision %.4f, recall %.4f", found, right, all, p, r)
	if p < precision || r < recall {
		w.Errorf("precision %.4f, recall %.4f; want at least %.2f and %.2f", p, r, precision, recall)
	}
}

// TestLogHoldsNoCustomer: no name, phone or address of a customer, and no
// token, stands in the log of a pass with bad records and writes.
func TestLogHoldsNoCustomer(t *testing.T) {
	t.Parallel()
	w, crm, _ := two(t, "", []string{
		acme("c1", "2", `,"phone":"+44 113 496 0001"`),
		`{"id":"c2","updated_at":"2026-01-02T00:00:00Z","name":"Secretive Holdings","employees":"Hundreds-of-us"}`,
	},
		[]string{acme("o1", "1", "")})
	w.open()
	crm.faults(simulator.Fault{Kind: simulator.Unavailable, Next: 2, On: "read"}, simulator.Fault{Kind: simulator.TooMany, Next: 3, On: "read"})
	for range 4 { // rate limits and all
		w.pass()
	}
	w.clean()
	if n := len(w.quarantined("open")); n != 1 {
		t.Errorf("%d quarantined, want 1", n)
	}
	for _, secret := range []string{"Acme", "Secretive", "Hundreds", "113 496", "Mill Lane", "acmetools", "token-of"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("%q stands in the log:\n%s", secret, w.log)
		}
	}
	if w.log.Len() == 0 {
		t.Error("the log is empty")
	}
}
