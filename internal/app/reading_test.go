package app

import (
	"errors"
	"testing"
	"time"

	"touchstone/internal/pipeline"
	"touchstone/internal/simulator"
	"touchstone/internal/store"
)

// TestLastSuccessCountsEvents: a source that has only events was pulled, and one
// whose events fail was not.
func TestLastSuccessCountsEvents(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 1, 1, 0, minute, 0, 0, time.UTC) }
	run := func(stream string, minute int) store.Success {
		return store.Success{Source: "u", Entity: stream, Started: at(minute), Ended: at(minute + 1)}
	}
	company := &pipeline.Intake{Deriver: &pipeline.Deriver{Entity: "company"}}
	for _, tt := range []struct {
		name    string
		intakes []*pipeline.Intake
		good    []store.Success
		want    time.Time // when it began; it ended a minute later
	}{
		{"events alone", nil, []store.Success{run("event/ticket", 5)}, at(5)},
		{"events that lag", []*pipeline.Intake{company}, []store.Success{run("company", 9), run("event/ticket", 5)}, at(5)},
		{"events that never came", []*pipeline.Intake{company}, []store.Success{run("company", 9)}, time.Time{}},
		{"another source's", nil, []store.Success{{Source: "x", Entity: "event/ticket", Started: at(1), Ended: at(2)}}, time.Time{}},
	} {
		s := &system{uid: "u", intakes: tt.intakes, events: []*pipeline.EventIntake{{Kind: "ticket"}}}
		started, ended := lastSuccess(s, tt.good)
		if !started.Equal(tt.want) || !tt.want.IsZero() && !ended.Equal(tt.want.Add(time.Minute)) {
			t.Errorf("%s: last success %s to %s, want from %s", tt.name, started, ended, tt.want)
		}
	}
}

// TestEventsAskedToStopAreInterrupted and not failed, like records.
func TestEventsAskedToStopAreInterrupted(t *testing.T) {
	w, _, _ := linkedWorld(t, "", simulator.Seed{"tickets": seeded(`{"id":"t1","subject":"It is broken","requester_id":"p1","opened_at":"2026-01-02T00:00:00Z"}`)}, nil)
	w.open()
	in := w.app.order[0].events[0]
	w.app.stopping.Store(true)
	if _, err := in.Pass(t.Context(), nil); !errors.Is(err, pipeline.ErrStopped) {
		t.Errorf("a pass of events that was asked to stop = %v", err)
	}
	runs, err := w.app.Store.LastRuns(t.Context())
	if err != nil || len(runs) != 1 || runs[0].State != "interrupted" || runs[0].Error != "" {
		t.Errorf("runs %+v, %v; want one, interrupted", runs, err)
	}
	w.app.stopping.Store(false)
	if c, err := in.Pass(t.Context(), nil); err != nil || c.Stored != 1 {
		t.Errorf("the pass afterwards: %+v, %v", c, err)
	}
}
