package app

import (
	"context"
	"sync"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// shown keeps what is shown often and costs much to count: it is counted anew
// when it is older than a few times what counting took, so that pages stay quick
// in a large store and exact in a small one.
type shown[T any] struct {
	mu   sync.Mutex
	at   time.Time
	took time.Duration
	v    T
}

// How long a count is shown: not at all while counting takes next to nothing.
const (
	quickCount = 40 * time.Millisecond
	countRest  = 20 // times what it took
	countOld   = 15 * time.Second
)

// get gives the value and when it was counted. Those who ask while it is counted
// wait for that count.
func (s *shown[T]) get(ctx context.Context, a *App, count func(context.Context) (T, error)) (T, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clock := a.opts.Env.Clock
	now := clock.Now()
	if age := now.Sub(s.at); !s.at.IsZero() && s.took >= quickCount && age >= 0 && age < max(countOld, countRest*s.took) {
		return s.v, s.at, nil
	}
	v, err := count(ctx)
	if err != nil {
		return v, now, err
	}
	s.v, s.at, s.took = v, now, clock.Now().Sub(now)
	return v, now, nil
}

// set puts in a value that was counted by somebody else.
func (s *shown[T]) set(v T, at time.Time, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.v, s.at, s.took = v, at, took
}

// numbers are the counts of the whole store as pages show them.
func (a *App) numbers(ctx context.Context) (store.Numbers, error) {
	n, _, err := a.life.numbers.get(ctx, a, a.Store.Numbers)
	return n, err
}

// Live gives the counts that pages show while they stand, of who reaches some
// customers alone theirs.
func (a *App) Live(ctx context.Context) (counts map[string]int, atLeast []string, err error) {
	if auth.From(ctx).Scoped() {
		return a.liveWithin(ctx)
	}
	c, err := a.liveOfAll(ctx)
	return c, nil, err
}

func (a *App) liveOfAll(ctx context.Context) (map[string]int, error) {
	n, err := a.numbers(ctx)
	if err != nil {
		return nil, err
	}
	c := map[string]int{"review": n.Review, "quarantine": n.Quarantined}
	for _, t := range n.ByTarget {
		c["conflicts"] += t.States[store.Conflicted]
		c["waiting."+t.Target] = t.States[store.Pending] + t.States[store.Inflight] + t.States[store.Unknown]
		c["delivered."+t.Target] = t.States[store.Delivered]
		c["failed."+t.Target] = t.States[store.Rejected] + t.States[store.Conflicted] + t.States[store.Dead]
	}
	sources, _ := a.life.parts(a.Config)
	for name, p := range sources {
		if p.Running {
			c["runs"]++
		}
		c["pulled."+name] = p.Done
	}
	if err := a.liveTrials(ctx, c); err != nil {
		return nil, err
	}
	if err := a.liveValues(ctx, c); err != nil {
		return nil, err
	}
	alerts, err := a.alertRows(ctx)
	for _, x := range alerts {
		if x.Who == "" {
			c["alerts"]++
		}
	}
	return c, err
}

// alertRows are the incidents that last, with what people said of them.
func (a *App) alertRows(ctx context.Context) (list []web.AlertRow, err error) {
	open, err := a.Store.OpenAlerts(ctx)
	if err != nil {
		return nil, err
	}
	notes, err := a.Store.AlertNotes(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range open {
		if x.Channel != channelLog || x.Ended != "" {
			continue
		}
		row := web.AlertRow{Rule: x.Rule, Subject: x.Subject, Text: x.Text, Began: parse(x.Began)}
		if n, ok := noteOn(notes, x, a.opts.Env.Clock.Now()); ok {
			row.Who, row.Why, row.Until = n.Who, n.Why, parse(n.Until)
		}
		list = append(list, row)
	}
	return list, nil
}

// noteOn finds what a person said of an incident. What was said of an earlier
// one, and a silence that is over, do not count.
func noteOn(notes []store.AlertNote, x store.Alert, now time.Time) (store.AlertNote, bool) {
	for _, n := range notes {
		if n.Rule != x.Rule || n.Subject != x.Subject {
			continue
		}
		if n.Until == "" {
			return n, n.At >= x.Began
		}
		return n, n.Until > store.TimeText(now)
	}
	return store.AlertNote{}, false
}

// longestSilence bounds for how long an incident can be silenced at once.
const longestSilence = 7 * 24 * time.Hour

// NoteAlert keeps what a person says of an incident.
func (a *App) NoteAlert(ctx context.Context, n web.AlertNote, by web.By) error {
	rows, err := a.alertRows(ctx)
	if err != nil {
		return err
	}
	there := false
	for _, r := range rows {
		there = there || r.Rule == n.Rule && r.Subject == n.Subject
	}
	switch {
	case n.Clear:
		return a.Store.UnnoteAlert(ctx, n.Rule, n.Subject, by.Who)
	case !there:
		return unclear("this alert is over")
	case n.Silent < 0 || n.Silent > longestSilence:
		return unclear("an alert can be silent for at most 7 days")
	}
	note := store.AlertNote{Rule: n.Rule, Subject: n.Subject, Who: by.Who, Why: by.Why}
	if n.Silent > 0 {
		note.Until = store.TimeText(a.opts.Env.Clock.Now().Add(n.Silent))
	}
	return a.Store.NoteAlert(ctx, note)
}

// setupSteps are what is left to do before Touchstone works by itself, with what
// is measured of each; nil when all is done.
func (a *App) setupSteps(ctx context.Context, o web.Overview, n store.Numbers) ([]web.SetupStep, error) {
	passes, pulled := 0, 0
	for _, s := range a.order {
		for _, in := range s.intakes {
			passes++
			ok, err := a.Store.PassDone(ctx, s.uid, in.Deriver.Entity)
			if err != nil {
				return nil, err
			}
			if ok {
				pulled++
			}
		}
	}
	approved, delivering := 0, 0
	for _, t := range o.Targets {
		if t.Delivered > 0 {
			delivering++
		}
	}
	for _, t := range a.targets {
		x, err := a.Store.Approval(ctx, t.config.Name, t.plan.Rules)
		if err != nil {
			return nil, err
		}
		if x.Approved || t.deliverer.Auto {
			approved++
		}
	}
	steps := []web.SetupStep{
		{Kind: "sources", Done: len(a.order), All: max(1, len(a.order)), Href: "#sources"},
		{Kind: "pulled", Done: pulled, All: max(1, passes), Href: "/runs"},
		{Kind: "golden", Done: n.Members, All: max(1, n.Members+n.Backlog), Href: "/customers"},
		{Kind: "target", Done: len(a.targets), All: max(1, len(a.targets)), Href: "#targets"},
		{Kind: "approved", Done: approved, All: max(1, len(a.targets)), Href: "/plans"},
		{Kind: "delivered", Done: delivering, All: max(1, len(a.targets)), Href: "#targets"},
	}
	for _, s := range steps {
		if s.Kind != "golden" && s.Done < s.All || s.Kind == "golden" && n.Members == 0 {
			return steps, nil
		}
	}
	return nil, nil
}
