package app

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// TestRefusedWritesAreRevivedOrDropped: a person has mended what stood in the
// way, or does not want the write.
func TestRefusedWritesAreRevivedOrDropped(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", "")})
		w.open()
		desk.before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPatch {
				http.Error(rw, `{"error":{"code":"invalid","message":"a rule of the vendor's"}}`, http.StatusUnprocessableEntity)
			}
			return r.Method == http.MethodPatch
		}
		w.clean()
		if got := w.states("desk"); got != "rejected 1" {
			t.Fatalf("rows %q, want one rejected", got)
		}
		desk.before = nil
		w.clean()
		if got := w.states("desk"); got != "rejected 1" {
			t.Fatalf("rows %q: a refused write must not be sent again by itself", got)
		}
		if n, err := w.app.RetryAll(t.Context(), "desk", store.Rejected, "ann", "mended there"); n != 1 || err != nil {
			t.Fatalf("retry: %d, %v", n, err)
		}
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0001")
		if got := w.states("desk"); got != "delivered 1, superseded 1" {
			t.Errorf("rows %q after the retry, want one delivered", got)
		}
		var wrong *store.WrongState
		if _, err := w.app.Retry(t.Context(), []string{w.rows("desk", store.Delivered)[0].ID}, "ann", ""); !errors.As(err, &wrong) {
			t.Errorf("retry of a delivered row: %v, want it refused", err)
		}
		if _, err := w.app.Drop(t.Context(), []string{"nosuchrow"}, "ann", ""); !errors.Is(err, record.ErrNotFound) {
			t.Errorf("drop of no row: %v, want not found", err)
		}
		w.end()

		// Dropped while it waits: not planned again until something changes.
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"})
		w.plan()
		rows := w.rows("desk", store.Pending)
		if len(rows) != 1 {
			t.Fatalf("%d rows wait, want 1", len(rows))
		}
		if _, err := w.app.Drop(t.Context(), []string{rows[0].ID}, "ann", "not this one"); err != nil {
			t.Fatal(err)
		}
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0001")
		w.end()
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0003"})
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0003")
		w.end()
	})
}

// TestDroppedCreateIsNotPlannedAgain: and neither is it made by anybody else.
func TestDroppedCreateIsNotPlannedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn, []string{acme("c1", "2", "")}, nil)
		w.yaml = strings.Replace(w.yaml, "policy: update_only", "policy: upsert", 1)
		w.open()
		w.plan()
		rows := w.rows("desk", store.Pending)
		if len(rows) != 1 {
			t.Fatalf("%d rows wait, want 1", len(rows))
		}
		if _, err := w.app.Drop(t.Context(), []string{rows[0].ID}, "ann", ""); err != nil {
			t.Fatal(err)
		}
		w.clean()
		if n := desk.created(); n != 0 {
			t.Errorf("%d objects made after the drop", n)
		}
		w.end()
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0001"})
		w.clean()
		if n := desk.created(); n != 1 {
			t.Errorf("%d objects made after the golden record has changed, want 1", n)
		}
		w.end()
	})
}

// TestApprovalReachesAsFarAsThePersonSaw: what was planned since counts for the
// brake.
func TestApprovalReachesAsFarAsThePersonSaw(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, crm, desk := two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", "")})
		w.yaml = strings.NewReplacer("approve: auto", "approve: person", "brake: 100%", "brake: 1%").Replace(w.yaml)
		w.open()
		w.clean()
		plans, err := w.app.Plan(t.Context(), "desk", store.Pending, 10)
		if err != nil || plans[0].Upto == 0 {
			t.Fatalf("plan %+v, %v; want the number it ends with", plans, err)
		}
		seen := plans[0].Upto
		if err := w.app.ApproveUpto(t.Context(), "desk", "ann", "", seen+1000); err == nil {
			t.Error("rows were approved that are not there yet")
		}
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"}) // planned anew behind what was seen
		w.clean()
		if err := w.app.ApproveUpto(t.Context(), "desk", "ann", "", seen); err != nil {
			t.Fatal(err)
		}
		if s := w.clean(); len(s.Held) != 1 || !strings.Contains(s.Held[0], "more than 1%") {
			t.Errorf("held %q, want what was planned since held by the brake", s.Held)
		}
		desk.want("o1", "phone", nil)
		w.approve("desk")
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0002")
		w.end()
	})
}
