package app

import (
	"testing"
	"time"

	"touchstone/internal/store"
)

// TestLevelsOfADay keeps a source and a target to what people count on, over a
// night in which the daemon was down.
func TestLevelsOfADay(t *testing.T) {
	w, _, _ := acmes(t, "")
	w.open()
	a := w.app
	source, target := a.order[0].source.Name, a.targets[0].config.Name
	plan, err := a.order[0].source.Plan(a.order[0].uid)
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 1, 1, 23, 0, 0, 0, time.UTC)
	fresh, late := time.Duration(a.Config.Level.Fresh), time.Duration(a.Config.Level.Delivered)
	due := plan.Next(from)
	for _, tt := range []struct {
		name           string
		success, first time.Time
		pending        time.Time
		held           string
		began          time.Time // the daemon
		want           map[string]time.Duration
	}{
		{"all well", from.Add(119 * time.Minute), from, time.Time{}, "", from, map[string]time.Duration{"daemon 2026-01-01": time.Hour, "daemon 2026-01-02": time.Hour, "source 2026-01-01": time.Hour, "source 2026-01-02": time.Hour, "target 2026-01-01": time.Hour, "target 2026-01-02": time.Hour}},
		{
			"neither pulled nor written since", from, from, from, "", from.Add(90 * time.Minute),
			map[string]time.Duration{"daemon 2026-01-01": 0, "daemon 2026-01-02": 30 * time.Minute, "source 2026-01-01": due.Add(fresh).Sub(from), "source 2026-01-02": 0, "target 2026-01-01": late, "target 2026-01-02": 0},
		},
		{"never tried, and a person is asked", time.Time{}, time.Time{}, from, "a plan", from, map[string]time.Duration{"daemon 2026-01-01": time.Hour, "daemon 2026-01-02": time.Hour}},
		{"never well", time.Time{}, from, time.Time{}, "a plan", from, map[string]time.Duration{"daemon 2026-01-01": time.Hour, "daemon 2026-01-02": time.Hour, "source 2026-01-01": 0, "source 2026-01-02": 0}},
	} {
		r := reading{at: from.Add(2 * time.Hour), success: map[string]time.Time{source: tt.success}, first: map[string]time.Time{source: tt.first}, pending: map[string]time.Time{}, held: map[string]string{target: tt.held}}
		if !tt.pending.IsZero() {
			r.pending[target] = tt.pending
		}
		n := 0
		for _, l := range a.levelsBetween(r, from, tt.began) {
			if l.Name != "" && l.Name != target && l.Name != a.order[0].uid {
				continue // of another source
			}
			n++
			if good, ok := tt.want[l.Kind+" "+l.Day]; !ok || l.Good != good || l.Whole != time.Hour {
				t.Errorf("%s: %+v, want %s of an hour (%v)", tt.name, l, good, ok)
			}
		}
		if n != len(tt.want) {
			t.Errorf("%s: %d lines, want %d", tt.name, n, len(tt.want))
		}
	}
}

// TestLevelsAreKept through the watcher: what it looked at is counted once, and a
// source that stops coming spends its error budget.
func TestLevelsAreKept(t *testing.T) {
	w, _, _ := acmes(t, "")
	w.open()
	w.clean()
	whole := func(d time.Duration) time.Duration { return d.Round(time.Second) } // each look at the clock moves it
	look := func() {
		t.Helper()
		if err := w.app.keepLevels(t.Context(), w.app.read(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	look()
	w.sleep(2 * time.Minute)
	look()
	w.sleep(30 * time.Second) // too soon to be kept
	look()
	l, err := w.app.Levels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range l.Lines {
		if whole(x.All.Whole) != 2*time.Minute || x.All.Good != x.All.Whole || x.Left <= 0 {
			t.Errorf("after two good minutes: %s %s %+v, left %s", x.Kind, x.Name, x.All, x.Left)
		}
	}
	w.sleep(10*time.Hour - 150*time.Second)
	look()
	if l, err = w.app.Levels(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, x := range l.Lines {
		if whole(x.All.Whole) != 10*time.Hour || x.Kind == levelSource && (x.All.Good > time.Hour || x.Left >= 0) || x.Kind == levelDaemon && x.All.Good != x.All.Whole {
			t.Errorf("after ten hours without a pull: %s %s %+v, left %s", x.Kind, x.Name, x.All, x.Left)
		}
	}
	w.close()
	w.open()
	w.sleep(time.Hour)
	look() // the daemon was down for an hour
	days, err := w.app.Store.LevelsSince(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var daemon store.LevelDay
	for _, d := range days {
		if d.Kind == levelDaemon {
			daemon.Good, daemon.Whole = daemon.Good+d.Good, daemon.Whole+d.Whole
		}
	}
	if whole(daemon.Whole) != 11*time.Hour || whole(daemon.Good) != 10*time.Hour {
		t.Errorf("the daemon worked %s of %s, want 10h of 11h", daemon.Good, daemon.Whole)
	}
}
