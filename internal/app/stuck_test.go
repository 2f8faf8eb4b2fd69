package app

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// refusedWorld has one write that the desk refuses as long as refuse is set.
func refusedWorld(t *testing.T, dsn string) (w *world, desk *simulated, refuse *bool) {
	t.Helper()
	w = newWorld(t, dsn)
	crm := w.start(everything.profile("crm"), acme("c1", "2", `,"phone":"+44 113 496 0001"`))
	desk = w.start(everything.profile("desk"), acme("o1", "1", `,"phone":"+44 113 496 0009"`))
	w.yaml = "sources:" + everything.source("crm", crm.url) + everything.source("desk", desk.url) + "\n" + survive + "targets:" + contact("desk", "desk", "update_only")
	w.open()
	refuse = new(bool)
	*refuse = true
	desk.before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || !*refuse {
			return false
		}
		rw.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = rw.Write([]byte(`{"error":"invalid phone"}`))
		return true
	}
	w.pass()
	return w, desk, refuse
}

func (w *world) stuck(state string) []store.Row {
	w.Helper()
	rows, _, err := w.app.Stuck(w.Context(), StuckFilter{State: state, Limit: 100})
	if err != nil {
		w.Fatal(err)
	}
	return rows
}

func TestARefusedWriteIsSettledEitherWay(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk, refuse := refusedWorld(t, dsn)
		ctx := w.Context()
		rows := w.stuck(store.Rejected)
		if len(rows) != 1 {
			t.Fatalf("%d rows are refused, want 1: %s", len(rows), w.states("desk"))
		}
		p, err := w.app.ConflictPage(ctx, web.ConflictFilter{Limit: 10})
		if err != nil || p.Shown != "rejected" || len(p.Rows) != 1 || len(p.Rows[0].Sides) != 1 {
			t.Fatalf("the page shows %s: %+v, %v", p.Shown, p.Rows, err)
		}
		side := p.Rows[0].Sides[0]
		if side.Path != "phone" || side.Base != "+44 113 496 0009" || side.Theirs != side.Base || side.Ours != "+44 113 496 0001" || !strings.Contains(side.From, "crm") || side.Field != "phones" {
			t.Errorf("the three sides are %+v", side)
		}

		// Theirs wins everywhere, and undo brings back what was.
		theirs, err := w.app.SettleStuck(ctx, Resolution{Row: rows[0].ID, How: "theirs"}, someone("they know"))
		if err != nil || theirs.Decisions != 1 {
			t.Fatalf("theirs: %+v, %v", theirs, err)
		}
		w.pass()
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0009")
		if n := len(w.stuck(store.Rejected)); n != 0 {
			t.Errorf("%d rows are refused after theirs was taken, want none", n)
		}
		var u *Unclear
		if _, err := w.app.SettleStuck(ctx, Resolution{Row: rows[0].ID, How: "ours"}, someone("")); !errors.As(err, &u) {
			t.Errorf("a row that was settled: %v, want it refused", err)
		}
		if _, err := w.app.Undo(ctx, theirs.Undo, someone("")); err != nil {
			t.Fatal(err)
		}
		w.pass()
		w.wantValue("crm/company/c1", "phones", "+44 113 496 0001")
		if n := len(w.stuck(store.Rejected)); n != 1 {
			t.Errorf("%d rows are refused after the undo, want the one: %s", n, w.states("desk"))
		}

		// Ours is planned again, and written when the system takes it.
		*refuse = false
		ours, err := w.app.SettleStuck(ctx, Resolution{Row: w.stuck(store.Rejected)[0].ID, How: "ours"}, someone("mended there"))
		if err != nil {
			t.Fatal(err)
		}
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0001")
		if _, err := w.app.Undo(ctx, ours.Undo, someone("")); !errors.As(err, &u) || !strings.Contains(err.Error(), "written there") {
			t.Errorf("undo of what was written: %v, want it refused", err)
		}
		over, err := w.app.ConflictPage(ctx, web.ConflictFilter{View: "overwritten", Limit: 10})
		if err != nil || len(over.Rows) != 1 {
			t.Fatalf("replaced values: %+v, %v; want one", over.Rows, err)
		}
		back, err := w.app.SettleStuck(ctx, Resolution{Row: over.Rows[0].ID, How: "back", Path: "phone"}, someone(""))
		if err != nil || back.Decisions != 1 {
			t.Fatalf("restore: %+v, %v", back, err)
		}
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0009")
		if _, err := w.app.Undo(ctx, back.Undo, someone("")); err != nil {
			t.Fatal(err)
		}
		w.clean()
		desk.want("o1", "phone", "+44 113 496 0001")
		flips, err := w.app.Flips(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range flips {
			if f.Path != "phone" || len(f.Steps) < 3 {
				t.Errorf("flip %+v", f)
			}
		}
	})
}

func TestATypedValueSettlesAndBulkActsAreOneUndo(t *testing.T) {
	t.Parallel()
	w, desk, refuse := refusedWorld(t, "")
	ctx := w.Context()
	row := w.stuck(store.Rejected)[0]
	for _, c := range []struct {
		r    Resolution
		want string
	}{
		{Resolution{Row: row.ID, How: "typed", Path: "phone"}, "empty"},
		{Resolution{Row: row.ID, How: "typed", Path: "street", Value: "x"}, "not filled"},
		{Resolution{Row: row.ID, How: "sideways"}, "ours, theirs"},
		{Resolution{Row: "none", How: "ours"}, "not found"},
		{Resolution{Row: row.ID, How: "back", Path: "street"}, "no value was replaced"},
	} {
		if _, err := w.app.SettleStuck(ctx, c.r, someone("")); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.r, err, c.want)
		}
	}
	undo, n, err := w.app.SettleAll(ctx, StuckFilter{State: store.Rejected, Path: "phone"}, true, someone("not now"))
	if err != nil || n != 1 || len(w.stuck(store.Rejected)) != 0 {
		t.Fatalf("%d dropped, %v; want 1", n, err)
	}
	w.pass()
	if len(w.stuck(store.Rejected)) != 0 {
		t.Error("what was dropped was planned again")
	}
	if _, err := w.app.Undo(ctx, undo, someone("")); err != nil {
		t.Fatal(err)
	}
	if got := w.stuck(store.Rejected); len(got) != 1 || got[0].ID != row.ID || got[0].Error != row.Error {
		t.Errorf("after the undo %+v, want the row as it was", got)
	}
	if _, err := w.app.Undo(ctx, undo, someone("")); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("undone twice: %v, want ErrNotFound", err)
	}
	if _, n, err := w.app.SettleAll(ctx, StuckFilter{State: store.Rejected, Path: "none"}, false, someone("")); err != nil || n != 0 {
		t.Errorf("a filter that nothing fits: %d, %v", n, err)
	}
	*refuse = false
	typed, err := w.app.SettleStuck(ctx, Resolution{Row: row.ID, How: "typed", Path: "phone", Value: "0044 113 496 0005"}, someone("asked them"))
	if err != nil || typed.Decisions != 1 || typed.TakenAs != "+441134960005" {
		t.Fatalf("typed: %+v, %v", typed, err)
	}
	w.clean()
	desk.want("o1", "phone", "+441134960005")
	w.later(time.Hour)
	w.end()
}

func rawOf(phone string) map[string]json.RawMessage {
	return map[string]json.RawMessage{"phone": json.RawMessage(`"` + phone + `"`)}
}

func TestFlipsAreFound(t *testing.T) {
	t.Parallel()
	row := func(seq int64, old, now string) store.Row {
		return store.Row{Seq: seq, Fields: rawOf(now), Base: rawOf(old)}
	}
	for _, c := range []struct {
		what string
		rows []store.Row
		want int
	}{
		{"to and fro", []store.Row{row(1, "a", "b"), row(2, "a", "b"), row(3, "a", "b")}, 1},
		{"once back", []store.Row{row(1, "a", "b"), row(2, "a", "b")}, 0},
		{"always new", []store.Row{row(1, "a", "b"), row(2, "b", "c"), row(3, "c", "d")}, 0},
	} {
		if got := flipsOf("desk", c.rows); len(got) != c.want {
			t.Errorf("%s: %+v, want %d", c.what, got, c.want)
		}
	}
}

func TestWhatASystemAnsweredInAWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"the object is not there any more": "gone", "PATCH: 422 invalid phone": "refused", "403 missing scope": "denied", "409": "exists", "email is required": "missing",
		"412 precondition failed": "changed", "": "other", "it did not work": "other",
	} {
		if got := stuckReason(store.Row{Error: text}); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestFieldsThatAPathIsFilledFrom(t *testing.T) {
	t.Parallel()
	w, _, _ := refusedWorld(t, "")
	tg := w.app.targets[0]
	if got := tg.fieldAt("phone"); got != "phones" {
		t.Errorf("phone is filled from %q, want phones", got)
	}
	if !mentioned("upper(golden.name)", "golden.name") || mentioned("golden.names", "golden.name") {
		t.Error("members are not told as whole words")
	}
}

// TestARefusedProposalStaysAway: also after a rebuild, until the refusal is undone.
func TestARefusedProposalStaysAway(t *testing.T) {
	t.Parallel()
	w := openDemo(t)
	ctx := w.Context()
	list, _, err := w.app.PossibleRelations(ctx, RelationQuery{Limit: 1000})
	if err != nil || len(list) < 2 {
		t.Fatalf("%d proposals, %v; want some", len(list), err)
	}
	r := list[0]
	name := r.Kind + " " + r.A + " " + r.B
	has := func() bool {
		list, _, err := w.app.PossibleRelations(ctx, RelationQuery{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(list, func(x PossibleRelation) bool { return x.Kind == r.Kind && x.A == r.A && x.B == r.B })
	}
	d, err := w.app.RefuseRelations(ctx, []string{name}, someone("two landlords"))
	if err != nil || has() {
		t.Fatalf("refused %s, %v; it is still proposed: %v", name, err, has())
	}
	again, err := w.app.RefuseRelations(ctx, []string{name}, someone(""))
	if err != nil || !again.Existing || again.Decision != d.Decision {
		t.Errorf("refused again: %+v, %v; want the same decision", again, err)
	}
	w.verify()
	if _, err := w.app.Undo(ctx, d.Decision, someone("")); err != nil || !has() {
		t.Errorf("after the undo it is proposed: %v, %v", has(), err)
	}
	var u *Unclear
	if _, err := w.app.RefuseRelations(ctx, []string{"nonsense"}, someone("")); !errors.As(err, &u) {
		t.Errorf("nonsense: %v, want it refused", err)
	}
	page, err := w.app.ProposalPage(ctx, web.ProposalFilter{Entity: "company", Limit: 40})
	if err != nil || len(page.Rows) == 0 {
		t.Fatalf("%d proposals on the page, %v", len(page.Rows), err)
	}
	x := page.Rows[0]
	accepted, err := w.app.AcceptProposals(ctx, []string{x.Name}, x.As[0], web.By{Who: "ann"})
	if err != nil || accepted.Undo == "" {
		t.Fatalf("accept %s as %s: %+v, %v", x.Name, x.As[0], accepted, err)
	}
	gone := func() bool {
		page, err := w.app.ProposalPage(ctx, web.ProposalFilter{Entity: "company", Limit: 1000})
		return err == nil && !slices.ContainsFunc(page.Rows, func(y web.Proposal) bool { return y.A == x.A && y.B == x.B })
	}
	if !gone() {
		t.Error("what was accepted is still proposed")
	}
	if _, err := w.app.UndoAct(ctx, strings.TrimPrefix(accepted.Undo, "act-"), web.By{Who: "ann"}); err != nil || gone() {
		t.Errorf("after the undo it is not proposed: %v", err)
	}
	if _, err := w.app.AcceptProposals(ctx, []string{x.Name}, "employer", web.By{Who: "ann"}); !errors.As(err, &u) {
		t.Errorf("as an employer: %v, want it refused", err)
	}
	for _, entity := range []string{"", "person"} {
		b, err := w.app.BridgePage(ctx, entity, "")
		if err != nil || len(b.Entities) != 2 {
			t.Errorf("bridges of %q: %+v, %v", entity, b.Entities, err)
		}
		if len(b.Rows) > 0 {
			x := b.Rows[0]
			done, err := w.app.DecideBridge(ctx, x.ID, "apart", web.By{Who: "ann"})
			if err != nil || done.Undo == "" {
				t.Errorf("keep %s apart: %+v, %v", x.ID, done, err)
			}
		}
		if _, err := w.app.SharedPage(ctx, entity); err != nil {
			t.Error(err)
		}
	}
}
