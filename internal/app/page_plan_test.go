package app

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"touchstone/internal/web"
)

// planned is a world with a plan of three updates and a create that waits.
func planned(t *testing.T, dsn string) (*world, *simulated) {
	t.Helper()
	w, _, desk := two(t, dsn,
		[]string{
			acme("c1", "2", `,"phone":"+44 113 496 0001","email":"info@acmetools.example"`),
			`{"id":"c2","name":"Birch Bakery Ltd","phone":"+44 20 7946 0002","website":"birch.example","updated_at":"2026-01-02T00:00:00Z"}`,
		},
		[]string{acme("o1", "1", `,"phone":"0113 999"`), `{"id":"o2","name":"Birch Bakery Ltd","website":"birch.example","updated_at":"2026-01-01T00:00:00Z"}`})
	w.yaml = strings.Replace(w.yaml, "approve: auto", "approve: person", 1)
	w.open()
	w.clean()
	return w, desk
}

func (w *world) planPage(q web.PlanQuery) web.PlanPage {
	w.Helper()
	q.Target, q.Limit = "desk", 30
	p, err := w.app.PlanPage(w.Context(), q)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// TestAPlanIsDecidedByPart approves one field, refuses another, takes that back,
// and stops and goes on in between; the target's own log says what was written.
func TestAPlanIsDecidedByPart(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, desk := planned(t, dsn)
		ctx, by := t.Context(), web.By{Who: "amy", Why: "looked at it"}
		p := w.planPage(web.PlanQuery{})
		rows := 0
		for _, x := range p.Parts {
			rows += x.Rows
		}
		if !p.First || p.Waiting != rows || p.Total != rows || len(p.Rows) != rows || rows < 2 {
			t.Fatalf("the plan does not add up: %+v", p)
		}
		for _, f := range p.Fields {
			if got := w.planPage(web.PlanQuery{Field: f.Field}); got.Total != f.Creates+f.Updates || len(got.Rows) != got.Total {
				t.Errorf("field %s: %d rows listed of %d, want %d", f.Field, len(got.Rows), got.Total, f.Creates+f.Updates)
			}
		}
		if _, err := w.app.RefusePlan(ctx, web.PlanDecision{Target: "desk", Field: "email"}, web.By{Who: "amy"}); err == nil {
			t.Error("a refusal without a reason is taken")
		}
		if _, err := w.app.RefusePlan(ctx, web.PlanDecision{Target: "desk", Field: "email"}, by); err != nil {
			t.Fatal(err)
		}
		var brake *web.Problem
		decision := web.PlanDecision{Target: "desk", Field: "phone", Upto: p.LastSeq}
		if err := w.app.ApprovePlan(ctx, decision, by); p.Braked && !errors.As(err, &brake) {
			t.Errorf("past the brake without confirming: %v", err)
		}
		decision.Brake = true
		if err := w.app.StopTarget(ctx, "desk", by); err != nil {
			t.Fatal(err)
		}
		if err := w.app.ApprovePlan(ctx, decision, by); err != nil {
			t.Fatal(err)
		}
		w.pass()
		if got := desk.changes(); len(got) != 0 {
			t.Errorf("written while stopped: %q", got)
		}
		if s := w.planPage(web.PlanQuery{}); !s.Stopped || !strings.Contains(s.Held, "amy") {
			t.Errorf("a stopped target says %+v", s.PlanSummary)
		}
		if err := w.app.GoOnTarget(ctx, "desk", by); err != nil {
			t.Fatal(err)
		}
		w.pass()
		if got := strings.Join(desk.changes(), "; "); !strings.Contains(got, "phone") || strings.Contains(got, "email") {
			t.Errorf("written %q, want phone and no email", got)
		}
		refused := w.planPage(web.PlanQuery{Refused: true})
		if refused.Total != 1 || refused.Refused != 1 || !strings.Contains(refused.Rows[0].Problem, "amy: looked at it") {
			t.Fatalf("refused: %+v", refused.Rows)
		}
		if err := w.app.Unrefuse(ctx, refused.Rows[0].ID, by); err != nil {
			t.Fatal(err)
		}
		w.pass()
		p = w.planPage(web.PlanQuery{})
		if p.Waiting > 0 {
			if err := w.app.ApprovePlan(ctx, web.PlanDecision{Target: "desk", Brake: true}, by); err != nil {
				t.Fatal(err)
			}
			w.pass()
		}
		desk.want("o1", "email", "info@acmetools.example")
		w.end()
	})
}

// TestRunsTellWhatTheyDid: each run has lines, times, and a place in the list.
func TestRunsTellWhatTheyDid(t *testing.T) {
	t.Parallel()
	w, _ := planned(t, "")
	w.clean()
	list, err := w.app.Runs(t.Context(), web.RunFilter{Limit: 3})
	if err != nil || len(list.Rows) != 3 || list.Next == "" || len(list.Sources) != 2 {
		t.Fatalf("runs: %+v, %v", list, err)
	}
	rest, err := w.app.Runs(t.Context(), web.RunFilter{Limit: 30, After: list.Next})
	if err != nil || len(rest.Rows) != 1 {
		t.Fatalf("the rest: %+v, %v", rest.Rows, err)
	}
	p, err := w.app.RunPage(t.Context(), rest.Rows[0].ID)
	if err != nil || len(p.Lines) != 2 || p.Lines[0].Text != "pulled 2, stored 2" || p.Lines[1].Text != "ended" || !p.Ended.After(p.Started) {
		t.Errorf("the first run said %+v, %v", p.Lines, err)
	}
	for _, f := range []web.RunFilter{{Source: "none", Limit: 1}, {After: "none", Limit: 1}} {
		if _, err := w.app.Runs(t.Context(), f); err == nil {
			t.Errorf("runs of %+v are listed", f)
		}
	}
	by := web.By{Who: "amy"}
	if err := w.app.RunNow(t.Context(), "crm", by); err == nil || !strings.Contains(err.Error(), "no daemon") {
		t.Errorf("run now without a daemon: %v", err)
	}
	if err := w.app.StopRun(t.Context(), "crm", by); err == nil {
		t.Error("a run that is not there is stopped")
	}
}

func TestTimeLeftIsToldByPastRuns(t *testing.T) {
	tests := []struct {
		took    []time.Duration
		pulled  []int
		elapsed time.Duration
		done    int
		left    time.Duration
	}{
		{[]time.Duration{time.Minute, 2 * time.Minute, 50 * time.Minute}, []int{0, 0, 0}, 30 * time.Second, 0, 90 * time.Second},
		{[]time.Duration{time.Minute}, []int{100}, 30 * time.Second, 25, 90 * time.Second},
		{[]time.Duration{time.Minute}, []int{100}, 2 * time.Minute, 100, 0},
	}
	for _, tt := range tests {
		if _, left := timeLeft(tt.took, tt.pulled, tt.elapsed, tt.done); left != tt.left {
			t.Errorf("after %v with %d records %v is left, want %v", tt.elapsed, tt.done, left, tt.left)
		}
	}
}

// TestAlertsAreQuietWhileSomebodyLooksAfterThem: who looks after an incident is
// called by nobody else, and silence ends by itself.
func TestAlertsAreQuietWhileSomebodyLooksAfterThem(t *testing.T) {
	t.Parallel()
	w, _ := planned(t, "")
	w.restart(w.yaml + "\nalert: {held: 1h, repeat: 1h}\n")
	told := func() int { return bytes.Count(w.log.Bytes(), []byte("alert: target desk")) }
	look := func() {
		t.Helper()
		w.sleep(61 * time.Minute)
		if err := w.app.alert(t.Context(), w.app.read(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	look()
	look()
	if told() != 2 {
		t.Fatalf("told %d times, want twice\n%s", told(), w.log)
	}
	by, note := web.By{Who: "amy", Why: "tomorrow"}, web.AlertNote{Rule: ruleHeld, Subject: "desk"}
	if err := w.app.NoteAlert(t.Context(), note, by); err != nil {
		t.Fatal(err)
	}
	look()
	o, err := w.app.Overview(t.Context())
	if err != nil || len(o.Alerts) != 1 || o.Alerts[0].Who != "amy" || told() != 2 {
		t.Errorf("with somebody after it: %+v, told %d, %v", o.Alerts, told(), err)
	}
	note.Silent = 90 * time.Minute
	if err := w.app.NoteAlert(t.Context(), note, by); err != nil {
		t.Fatal(err)
	}
	look()
	look()
	if told() != 3 {
		t.Errorf("told %d times, want again when the silence is over", told())
	}
	note.Clear = true
	if err := w.app.NoteAlert(t.Context(), note, by); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []web.AlertNote{{Rule: "none"}, {Rule: ruleHeld, Subject: "desk", Silent: 1000 * time.Hour}} {
		if err := w.app.NoteAlert(t.Context(), bad, by); err == nil {
			t.Errorf("%+v is noted", bad)
		}
	}
	counts, _, err := w.app.Live(t.Context())
	if err != nil || counts["alerts"] != 1 || counts["waiting.desk"] < 2 {
		t.Errorf("live counts %v, %v", fmt.Sprint(counts), err)
	}
}
