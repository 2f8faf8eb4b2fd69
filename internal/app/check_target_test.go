package app

import (
	"net/http"
	"strings"
	"testing"
)

// TestUpsertWithoutAnUpsertCreates: the policy says what may happen, not which
// request does it.
func TestUpsertWithoutAnUpsertCreates(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk := upsertWorld(t, dsn, everything)
		head, tail, found := strings.Cut(w.yaml, "\n  desk:\n")
		if !found || !strings.Contains(tail, "        upsert: {") {
			t.Fatal("the desk of this scenario has no upsert to take away")
		}
		i := strings.Index(tail, "        upsert: {")
		tail = tail[:i] + tail[i+strings.Index(tail[i:], "\n")+1:]
		w.yaml = head + "\n  desk:\n" + tail
		w.open()
		if s := w.clean(); s.Refused != 0 || s.Pushed != 1 {
			t.Errorf("%d writes delivered, %d refused, want 1 and none", s.Pushed, s.Refused)
		}
		if n := desk.created(); n != 1 {
			t.Errorf("created %d objects, want 1", n)
		}
		w.end()
	})
}

// TestRefusedWritesAreCounted: a pass says how many writes were not taken.
func TestRefusedWritesAreCounted(t *testing.T) {
	w, _, desk := two(t, "", []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", "")})
	w.open()
	desk.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPatch {
			http.Error(rw, `{"error":{"code":"invalid","message":"a rule of the vendor's"}}`, http.StatusUnprocessableEntity)
		}
		return r.Method == http.MethodPatch
	}
	if s := w.clean(); s.Refused != 1 || s.Pushed != 0 {
		t.Errorf("%d writes refused, %d delivered, want 1 and none", s.Refused, s.Pushed)
	}
	if s := w.clean(); s.Refused != 0 {
		t.Errorf("the next pass counts %d refused writes again", s.Refused)
	}
}
