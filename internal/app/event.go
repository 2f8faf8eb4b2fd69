package app

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"touchstone/config"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/rules/schema"
)

// EventSummary is what a pass did with events, and what stands now.
type EventSummary struct {
	Pulled    int `json:"pulled"` // = stored + unchanged + quarantined + filtered
	Stored    int `json:"stored"`
	Unchanged int `json:"unchanged"`
	Filtered  int `json:"filtered"`
	Refused   int `json:"quarantined"`
	Events    int `json:"events"`  // in force now
	Waiting   int `json:"waiting"` // of them, those whose record has not landed yet
	Faulty    int `json:"faulty"`  // whose current version did not pass
}

// tally adds counts of events up until they are taken.
type tally struct {
	mu    sync.Mutex
	total store.Counts
}

func (t *tally) add(c store.Counts) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total = t.total.Add(c)
}

func (t *tally) take() store.Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.total
	t.total = store.Counts{}
	return c
}

// around is what mappings are given of the rest of the configuration.
func (a *App) around() pipeline.Around {
	return pipeline.Around{Tables: pipeline.Tables(a.Config), UID: a.SourceUID, End: a.Config.RelationEnd}
}

// wireEvents connects the intakes of events.
func (a *App) wireEvents(ctx context.Context, problems *config.Problems) error {
	around := a.around()
	for _, s := range a.order {
		for _, e := range s.source.Events {
			mapper, bad := pipeline.NewEventMapper(s.source, e, around)
			*problems = append(*problems, bad...)
			schemas, hash, err := a.compileSchemas(schema.Event, e.Schema)
			if err != nil {
				*problems = append(*problems, e.Place.Problem("%s", err))
				continue
			}
			d := &pipeline.EventDeriver{Mapper: mapper, Schemas: schemas}
			s.events = append(s.events, &pipeline.EventIntake{
				Store: a.Store, Log: a.Log, Source: s.uid, Name: s.source.Name, Kind: e.Name, Stream: e.StreamName(), Deriver: d, Puller: s.puller, Busy: &s.busy, Stopping: a.stoppingOf(s),
			})
			if len(*problems) > 0 || a.opts.Shared {
				continue
			}
			changed, err := a.Store.EventRulesChanged(ctx, s.uid, e.Name, mapper.RulesHash(hash))
			if err != nil {
				return err
			}
			if changed {
				a.Log.Info("the mapping or schema changed: events are derived again", "source", s.source.Name, "events", e.Name)
			}
		}
	}
	if len(*problems) > 0 || a.opts.Shared {
		return nil
	}
	return a.Store.UnconfiguredEvents(ctx, func(source, kind string) bool { return a.eventDeriver(source, kind) != nil })
}

func (a *App) eventDeriver(uid, kind string) *pipeline.EventDeriver {
	for _, s := range a.order {
		for _, in := range s.events {
			if s.uid == uid && in.Kind == kind {
				return in.Deriver
			}
		}
	}
	return nil
}

// pullEvents takes one source's events in, after its records.
func (a *App) pullEvents(ctx context.Context, s *system, progress Progress) (err error) {
	for _, in := range s.events {
		c, e := in.Pass(ctx, func(c store.Counts) { progress("pull", s.source.Name+"/"+in.Kind, c.Pulled) })
		a.eventTally.add(c)
		err = errors.Join(err, e)
	}
	return err
}

// deriveEvents computes anew what follows from events whose facts, rules or
// records have changed. Those of a source or kind that is no longer configured
// give nothing.
func (a *App) deriveEvents(ctx context.Context, progress Progress) error {
	done := 0
	for {
		evs, err := a.Store.EventsToDerive(ctx, deriveBatch)
		if err != nil || len(evs) == 0 {
			return err
		}
		err = a.Store.RederiveEvents(ctx, evs, func(h store.History) (store.EventDerived, error) {
			if d := a.eventDeriver(h.Ref.Source, h.Ref.Entity); d != nil {
				return d.Derive(h)
			}
			return store.EventDerived{}, nil
		})
		if err != nil {
			return err
		}
		done += len(evs)
		progress("derive", "events", done)
	}
}

// fillEvents adds what was pulled of events and what stands now; nothing for a
// configuration without any.
func (a *App) fillEvents(ctx context.Context, sum *Summary) error {
	c := a.eventTally.take()
	n, err := a.Store.EventCounts(ctx)
	if err != nil || c.Pulled == 0 && n == (store.EventCounts{}) {
		return err
	}
	sum.Events = &EventSummary{
		Pulled: c.Pulled, Stored: c.Stored, Unchanged: c.Unchanged, Filtered: c.Filtered, Refused: c.Quarantined,
		Events: n.Events, Waiting: n.Waiting, Faulty: n.Quarantined,
	}
	return nil
}

// ShownEvent is an event for people and programs.
type ShownEvent struct {
	Place    string          `json:"place"` // for --before
	Source   string          `json:"source"`
	Kind     string          `json:"kind"`
	ID       string          `json:"id"`
	Version  int             `json:"version"`
	Type     string          `json:"type,omitempty"`
	At       string          `json:"at,omitempty"`
	Amount   string          `json:"amount,omitempty"`
	Currency string          `json:"currency,omitempty"`
	Channel  string          `json:"channel,omitempty"`
	Status   string          `json:"status,omitempty"`
	Subject  string          `json:"subject,omitempty"`
	Payload  any             `json:"payload,omitempty"`
	Of       []string        `json:"of"`
	Waiting  bool            `json:"waiting,omitempty"`
	Reasons  []record.Reason `json:"reasons,omitempty"`
}

// EventQuery chooses events.
type EventQuery struct {
	Golden string // id of a golden record or reference of one of its members; "" for all
	Source string
	Kind   string
	Type   string
	Before string // place of the last one shown; "" for the newest
	Faulty bool   // only those whose current version did not pass, oldest first
	Limit  int
}

// Events lists events, newest first.
func (a *App) Events(ctx context.Context, q EventQuery) ([]ShownEvent, error) {
	place, err := parsePlace(q.Before)
	if err != nil {
		return nil, err
	}
	if q.Faulty {
		list, err := a.Store.EventFaults(ctx, place.Ev, q.Limit)
		return a.showEvents(list), err
	}
	f := store.EventFilter{Kind: q.Kind, Type: q.Type, Before: place, Limit: q.Limit}
	if q.Source != "" {
		if a.systems[q.Source] == nil {
			return nil, fmt.Errorf("source %q: %w", q.Source, record.ErrNotFound)
		}
		f.Source = a.SourceUID(q.Source)
	}
	if q.Golden != "" {
		g, _, err := a.findGolden(ctx, q.Golden)
		if err != nil {
			return nil, err
		}
		f.Founder = g.Founder
	}
	list, err := a.Store.Events(ctx, f)
	return a.showEvents(list), err
}

// EventTotals sums a golden record's events by type and currency.
func (a *App) EventTotals(ctx context.Context, id string) ([]store.EventTotal, error) {
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return nil, err
	}
	totals, err := a.Store.EventTotals(ctx, []int64{g.Founder})
	return totals[g.Founder], err
}

func parsePlace(s string) (p store.EventPlace, err error) {
	if s == "" {
		return p, nil
	}
	if _, err := fmt.Sscanf(s, "%d@%s", &p.Ev, &p.At); err != nil {
		return p, fmt.Errorf("place %q: want the place of an event as the list shows it: %w", s, record.ErrNotFound)
	}
	return p, nil
}

func (a *App) showEvents(list []store.StoredEvent) []ShownEvent {
	out := make([]ShownEvent, 0, len(list))
	for _, e := range list {
		x := ShownEvent{
			Place: fmt.Sprintf("%d@%s", e.Ev, e.At), Source: a.SourceName(e.Source), Kind: e.Kind, ID: e.ID, Version: e.Version, Type: e.Type, At: e.At,
			Amount: e.Amount, Currency: e.Currency, Channel: e.Channel, Status: e.Status, Subject: e.Subject, Of: []string{}, Waiting: e.Waiting, Reasons: e.Faulty,
		}
		if e.At == "" {
			x.Place = fmt.Sprintf("%d@-", e.Ev)
		}
		if e.Payload != nil {
			x.Payload = e.Payload
		}
		for _, ref := range e.Of {
			x.Of = append(x.Of, a.refName(ref))
		}
		out = append(out, x)
	}
	return out
}
