package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"touchstone/internal/store"
)

// The rules a person is called by.
const (
	ruleStale      = "source_stale"
	ruleWaiting    = "queue_long"
	ruleQuarantine = "quarantine_full"
	ruleHeld       = "target_held"
	ruleRules      = "rules_held"
	ruleDisk       = "disk_low"
	ruleTrail      = "audit_broken"
	ruleCheckpoint = "audit_checkpoint"
	ruleBalance    = "not_balanced"
)

// incident is a rule that holds now. Its text names parts and numbers only.
type incident struct{ rule, subject, text string }

// incidents holds the rules against what was read, in a fixed order.
func (a *App) incidents(r reading) (list []incident) {
	c := a.Config.Alert
	for _, s := range a.order {
		if i, ok := a.stale(s, r, time.Duration(c.Stale)); ok {
			list = append(list, i)
		}
	}
	if c.Waiting > 0 && r.numbers.Backlog > c.Waiting {
		list = append(list, incident{ruleWaiting, "resolver", fmt.Sprintf("%d records wait to be resolved, more than %d", r.numbers.Backlog, c.Waiting)})
	}
	for _, t := range r.numbers.ByTarget {
		n := t.States[store.Pending] + t.States[store.Inflight] + t.States[store.Unknown]
		if c.Waiting > 0 && n > c.Waiting && slices.Contains(targetNames(a.Config), t.Target) {
			list = append(list, incident{ruleWaiting, t.Target, fmt.Sprintf("%d writes to %s wait, more than %d", n, t.Target, c.Waiting)})
		}
	}
	if c.Quarantine > 0 && r.numbers.Quarantined > c.Quarantine {
		list = append(list, incident{ruleQuarantine, "", fmt.Sprintf("%d records are in quarantine, more than %d (touchstone quarantine)", r.numbers.Quarantined, c.Quarantine)})
	}
	for _, t := range a.targets {
		name := t.config.Name
		since, waits := r.pending[name]
		if c.Held > 0 && r.held[name] != "" && waits && r.at.Sub(since) >= time.Duration(c.Held) {
			list = append(list, incident{ruleHeld, name, fmt.Sprintf("target %s has waited for a person since %s: %s", name, since.Format(time.RFC3339), r.held[name])})
		}
	}
	for _, x := range r.rules {
		list = append(list, incident{ruleRules, x.entity, x.String()})
	}
	if i, ok := unbalancedIncident(r.refused); ok {
		list = append(list, i)
	}
	if c.Disk > 0 && r.free >= 0 && r.free < int64(c.Disk) {
		list = append(list, incident{ruleDisk, "", fmt.Sprintf("%d MiB are free where the data is, less than %s", r.free>>20, c.Disk)})
	}
	list = append(list, a.trailIncidents()...)
	return list
}

// stale says that a source has had no good run for too long after one was due.
func (a *App) stale(s *system, r reading, limit time.Duration) (incident, bool) {
	name := s.source.Name
	last := r.success[name]
	if last.IsZero() {
		last = r.first[name]
	}
	if limit <= 0 || last.IsZero() {
		return incident{}, false
	}
	plan, err := s.source.Plan(s.uid)
	if err != nil || r.at.Sub(plan.Next(last)) < limit {
		return incident{}, false
	}
	text := fmt.Sprintf("source %s has had no good run since %s", name, last.Format(time.RFC3339))
	if r.success[name].IsZero() {
		text = fmt.Sprintf("source %s has never been pulled to its end; first tried %s", name, last.Format(time.RFC3339))
	}
	return incident{ruleStale, name, text}, true
}

// Kinds of messages.
const (
	alertBegan  = "touchstone.alert.began"
	alertLasts  = "touchstone.alert.lasts"
	alertEnded  = "touchstone.alert.ended"
	channelLog  = "log"
	channelHook = "webhook"
	channelMail = "mail"
)

// bounds of telling.
const (
	alertsAtOnce   = 20          // messages of one channel in one round
	alertPause     = time.Minute // after a failure; doubles
	alertMaxPause  = time.Hour   //
	alertGiveUp    = 30          // tries for the message that something is over
	alertRemember  = 30 * 24 * time.Hour
	alertSendBound = 20 * time.Second // for one message
)

// message is what a channel sends.
type message struct {
	id, kind string
	at       time.Time
	store.Alert
}

// channel calls somebody.
type channel interface {
	name() string
	send(ctx context.Context, m message) error
}

// channels are those of the configuration; the log always is one, and what it
// was told is what status and page show.
func (a *App) channels() []channel {
	list := []channel{logChannel{a}}
	if c := a.Config.Alert.Webhook; !c.URL.IsZero() {
		list = append(list, webhook{a, c})
	}
	if c := a.Config.Alert.Mail; c.Host != "" {
		list = append(list, mailer{a, c})
	}
	return list
}

type logChannel struct{ a *App }

func (logChannel) name() string { return channelLog }

func (l logChannel) send(_ context.Context, m message) error {
	switch m.kind {
	case alertEnded:
		l.a.Log.Info("alert over", "rule", m.Rule, "subject", m.Subject, "began", m.Began)
	default:
		l.a.Log.Warn("alert: "+m.Text, "rule", m.Rule, "subject", m.Subject, "began", m.Began)
	}
	return nil
}

// alert tells every channel what it does not know yet. What was told stands in
// the store, so a restart tells nothing twice.
func (a *App) alert(ctx context.Context, r reading) error {
	now := a.incidents(r)
	a.life.metrics.incidents(now)
	open, err := a.Store.OpenAlerts(ctx)
	if err != nil {
		return err
	}
	notes, err := a.Store.AlertNotes(ctx)
	if err != nil {
		return err
	}
	var changed []store.Alert
	channels := a.channels()
	for _, c := range channels {
		rows := a.begin(now, open, c.name(), r.at)
		budget := alertsAtOnce
		for _, row := range rows {
			if note, ok := noteOn(notes, row, r.at); ok && quiet(row, note, now) {
				if !slices.Contains(open, row) {
					changed = append(changed, row)
				}
				continue
			}
			next, sent := a.tell(ctx, c, row, now, r.at, budget)
			if sent {
				budget--
			}
			if next != row || !slices.Contains(open, row) {
				changed = append(changed, next)
			}
		}
	}
	for _, row := range open { // a channel that is no longer configured is told nothing
		if !slices.ContainsFunc(channels, func(c channel) bool { return c.name() == row.Channel }) {
			row.Ended, row.Resolved = store.TimeText(r.at), store.TimeText(r.at)
			changed = append(changed, row)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	return a.Store.SaveAlerts(context.WithoutCancel(ctx), changed, store.TimeText(r.at.Add(-alertRemember)))
}

// begin gives a channel's open rows and makes one for each new incident.
func (a *App) begin(now []incident, open []store.Alert, channel string, at time.Time) (rows []store.Alert) {
	for _, row := range open {
		if row.Channel == channel {
			rows = append(rows, row)
		}
	}
	for _, i := range now {
		known := slices.ContainsFunc(rows, func(r store.Alert) bool { return r.Rule == i.rule && r.Subject == i.subject && r.Ended == "" })
		if !known {
			rows = append(rows, store.Alert{ID: a.opts.Env.ID(), Rule: i.rule, Subject: i.subject, Text: i.text, Began: store.TimeText(at), Channel: channel})
		}
	}
	return rows
}

// quiet says whether a channel is left alone about an incident that lasts: a
// person looks after it, or wants it silent. The log always hears of the
// beginning, and the page shows it.
func quiet(row store.Alert, note store.AlertNote, now []incident) bool {
	lasts := row.Ended == "" && slices.ContainsFunc(now, func(i incident) bool { return i.rule == row.Rule && i.subject == row.Subject })
	return lasts && (row.Told != "" || note.Until != "" && row.Channel != channelLog)
}

// tell brings one row up to date and sends what is due.
func (a *App) tell(ctx context.Context, c channel, row store.Alert, now []incident, at time.Time, budget int) (_ store.Alert, sent bool) {
	at0 := store.TimeText(at)
	i := slices.IndexFunc(now, func(i incident) bool { return i.rule == row.Rule && i.subject == row.Subject })
	kind := ""
	switch {
	case row.Ended == "" && i < 0:
		row.Ended, row.Attempt, row.Next, row.Error = at0, 0, "", ""
		if row.Told == "" { // nobody was told that it began
			row.Resolved = at0
			return row, false
		}
		kind = alertEnded
	case row.Ended != "":
		kind = alertEnded
	case row.Told == "":
		row.Text = now[i].text
		kind = alertBegan
	default:
		told := parse(row.Told)
		if at.Sub(told) < time.Duration(a.Config.Alert.Repeat) && !told.After(at.Add(time.Minute)) {
			return row, false
		}
		row.Text = now[i].text
		kind = alertLasts
	}
	if budget <= 0 || row.Next > at0 && parse(row.Next).Sub(at) <= alertMaxPause {
		return row, false
	}
	sctx, cancel := context.WithTimeout(ctx, alertSendBound)
	defer cancel()
	m := message{kind: kind, at: at, Alert: row, id: strings.Join([]string{row.ID, kind[strings.LastIndexByte(kind, '.')+1:], row.Told}, "_")}
	if err := c.send(sctx, m); err != nil {
		row.Attempt++
		row.Next = store.TimeText(at.Add(min(alertPause<<min(row.Attempt-1, 10), alertMaxPause)))
		row.Error = err.Error()
		if row.Attempt == 1 && ctx.Err() == nil {
			a.Log.Error("an alert could not be sent; it is tried again with growing pauses", "channel", c.name(), "rule", row.Rule, "subject", row.Subject, "err", err)
		}
		if kind == alertEnded && row.Attempt >= alertGiveUp {
			row.Resolved = at0
		}
		return row, true
	}
	row.Attempt, row.Next, row.Error = 0, "", ""
	if kind == alertEnded {
		row.Resolved = at0
	} else {
		row.Told = at0
	}
	return row, true
}

// watch reads the store, keeps the figures and calls people.
func (d *Daemon) watch(ctx context.Context) error {
	clock := d.App().opts.Env.Clock
	failing := false
	for {
		a := d.App()
		started := clock.Now()
		rctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
		r := a.read(rctx)
		cancel()
		a.life.metrics.reading(r)
		err := r.err
		if err == nil {
			err = errors.Join(a.alert(ctx, r), a.keepLevels(ctx, r))
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case err != nil && !failing:
			a.Log.Error("the state of the store could not be read; figures and alerts stand still", "err", err)
		case err == nil && failing:
			a.Log.Info("the state of the store can be read again")
		}
		failing = err != nil
		took := clock.Now().Sub(started)
		if err := clock.Sleep(ctx, min(max(watchEvery, 20*took), 10*time.Minute)); err != nil {
			return nil
		}
	}
}

// watchEvery is how often the store is read for figures and alerts; where a
// reading takes long, it is read less often.
const watchEvery = 15 * time.Second

// AlertTest sends one message to a channel; ok is false when it is not
// configured.
func (a *App) AlertTest(ctx context.Context, channel string) (problem error, configured bool) {
	now := a.opts.Env.Clock.Now()
	for _, c := range a.channels()[1:] {
		if c.name() != channel {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, alertSendBound)
		defer cancel()
		return c.send(ctx, message{id: a.opts.Env.ID(), kind: "touchstone.alert.test", at: now, Alert: store.Alert{
			Rule: "test", Text: "this is a test; nothing is wrong", Began: store.TimeText(now),
		}}), true
	}
	return nil, false
}
