package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"touchstone/internal/record"
)

// StoredEvent is an event as it is in force.
type StoredEvent struct {
	Ev      int64
	Source  string // uid
	Kind    string // its name in the configuration
	ID      string // in the source
	Version int
	record.Event
	Waiting bool            // no record it belongs to has landed yet
	Faulty  []record.Reason // why its current version did not pass
}

// EventFilter chooses events for a list, newest first.
type EventFilter struct {
	Founder int64  // of the golden record they belong to; 0 for all
	Source  string // uid; "" for all
	Kind    string
	Type    string
	Before  EventPlace // where the page before ended; zero for the first
	Limit   int
}

// EventPlace is the place of an event in a list.
type EventPlace struct {
	At string
	Ev int64
}

// Events lists events by time, newest first. Those of a golden record are found
// through the crosswalk as it stands now: they follow their records through
// merges and splits.
func (db *DB) Events(ctx context.Context, f EventFilter) ([]StoredEvent, error) {
	places, err := db.eventPlaces(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	list, err := db.eventsAt(ctx, places)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return list, nil
}

func (db *DB) eventPlaces(ctx context.Context, f EventFilter) (places []int64, err error) {
	q := `SELECT t.at, t.ev FROM event_state t`
	var where []string
	var args []any
	add := func(text string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			text = strings.Replace(text, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where = append(where, text)
	}
	if f.Founder != 0 {
		q = `SELECT DISTINCT o.at, o.ev FROM crosswalk c JOIN event_of o ON o.rec = c.rec JOIN event_state t ON t.ev = o.ev`
		add("c.golden = ?", f.Founder)
	}
	if f.Source != "" || f.Kind != "" {
		q += ` JOIN event e ON e.ev = t.ev`
	}
	for _, x := range []struct{ column, value string }{{"e.source", f.Source}, {"e.kind", f.Kind}, {"t.type", f.Type}} {
		if x.value != "" {
			add(x.column+" = ?", x.value)
		}
	}
	if f.Before != (EventPlace{}) {
		add("(t.at, t.ev) < (?, ?)", f.Before.At, f.Before.Ev)
	}
	if len(where) > 0 {
		q += " WHERE " + strings.Join(where, " AND ")
	}
	args = append(args, max(f.Limit, 1))
	q += fmt.Sprintf(" ORDER BY 1 DESC, 2 DESC LIMIT $%d", len(args))
	err = db.view(ctx, q, args, func(r *sql.Rows) error {
		var at string
		var ev int64
		err := r.Scan(&at, &ev)
		places = append(places, ev)
		return err
	})
	return places, err
}

// eventsAt loads events in the order of the list.
func (db *DB) eventsAt(ctx context.Context, evs []int64) ([]StoredEvent, error) {
	byEv := make(map[int64]*StoredEvent, len(evs))
	err := viewIn(ctx, db, `SELECT e.ev, e.source, e.kind, e.external_id, e.salt, e.sealed_by, h.salt, t.version, t.type, t.at, t.amount, t.currency, t.channel, t.status, t.body,
			(SELECT count(*) FROM event_of o WHERE o.ev = e.ev AND o.rec > 0)
		FROM event e JOIN event_state t ON t.ev = e.ev LEFT JOIN source_record h ON h.rec = e.sealed_by WHERE e.ev IN $LIST`, evs, func(r *sql.Rows) error {
		e := &StoredEvent{}
		var salt, holderSalt, body []byte
		var holder int64
		var known int
		if err := r.Scan(&e.Ev, &e.Source, &e.Kind, &e.ID, &salt, &holder, &holderSalt, &e.Version, &e.Type, &e.At, &e.Amount, &e.Currency, &e.Channel, &e.Status, &body, &known); err != nil {
			return err
		}
		e.Waiting = known == 0
		salt, err := db.eventSalt(salt, holder, holderSalt)
		if err != nil {
			return fmt.Errorf("event %d: %w", e.Ev, err)
		}
		if len(salt) == 0 {
			return nil // erased
		}
		if body, err = db.vault.Open(salt, body); err != nil {
			return fmt.Errorf("event %d: %w", e.Ev, err)
		}
		var b eventBody
		if err := json.Unmarshal(body, &b); err != nil {
			return fmt.Errorf("event %d: %w", e.Ev, err)
		}
		e.Subject, e.Payload = b.Subject, b.Payload
		byEv[e.Ev] = e
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = viewIn(ctx, db, `SELECT ev, source, entity, external_id FROM event_of WHERE ev IN $LIST ORDER BY ev, n`, evs, func(r *sql.Rows) error {
		var ev int64
		var ref record.Ref
		err := r.Scan(&ev, &ref.Source, &ref.Entity, &ref.ID)
		if e := byEv[ev]; e != nil {
			e.Of = append(e.Of, ref)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	list := make([]StoredEvent, 0, len(evs))
	for _, ev := range evs {
		if e := byEv[ev]; e != nil {
			list = append(list, *e)
		}
	}
	return list, nil
}

// EventFaults lists the events whose current version did not pass, oldest
// first, behind the event with number after.
func (db *DB) EventFaults(ctx context.Context, after int64, n int) (list []StoredEvent, err error) {
	err = db.view(ctx, `SELECT e.ev, e.source, e.kind, e.external_id, e.salt, e.sealed_by, h.salt, f.version, f.reasons
		FROM event_fault f JOIN event e ON e.ev = f.ev LEFT JOIN source_record h ON h.rec = e.sealed_by WHERE f.ev > $1 ORDER BY f.ev LIMIT $2`, []any{after, n}, func(r *sql.Rows) error {
		var e StoredEvent
		var salt, holderSalt, reasons []byte
		var holder int64
		if err := r.Scan(&e.Ev, &e.Source, &e.Kind, &e.ID, &salt, &holder, &holderSalt, &e.Version, &reasons); err != nil {
			return err
		}
		salt, err := db.eventSalt(salt, holder, holderSalt)
		if err != nil || len(salt) == 0 {
			return err
		}
		if err := (&Tx{db: db}).openJSON(salt, reasons, &e.Faulty); err != nil {
			return fmt.Errorf("event %d: %w", e.Ev, err)
		}
		list = append(list, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("events in quarantine: %w", err)
	}
	return list, nil
}

// EventCounts are the numbers of all events.
type EventCounts struct {
	Events      int `json:"events"`      // in force
	Waiting     int `json:"waiting"`     // of them, those whose record has not landed yet
	Quarantined int `json:"quarantined"` // whose current version did not pass
}

// EventCounts counts.
func (db *DB) EventCounts(ctx context.Context) (n EventCounts, err error) {
	for _, c := range []struct {
		q    string
		into *int
	}{
		{`SELECT count(*) FROM event_state`, &n.Events},
		{`SELECT count(*) FROM event e JOIN event_state t ON t.ev = e.ev WHERE e.sealed_by = 0
			AND NOT EXISTS (SELECT 1 FROM event_of o WHERE o.ev = e.ev AND o.rec > 0)`, &n.Waiting},
		{`SELECT count(*) FROM event_fault`, &n.Quarantined},
	} {
		if err := db.view(ctx, c.q, nil, func(r *sql.Rows) error { return r.Scan(c.into) }); err != nil {
			return n, fmt.Errorf("count events: %w", err)
		}
	}
	return n, nil
}

// EventTotal sums the events of one golden record of one type and currency.
type EventTotal struct {
	Type     string `json:"type"`
	Currency string `json:"currency,omitempty"`
	Count    int    `json:"count"`
	Amount   string `json:"amount,omitempty"` // exact; "" when no event has one
	First    string `json:"first"`
	Last     string `json:"last"`
	sum      *big.Rat
	scale    int
}

// EventTotals sums the events of golden records, by type and currency.
func (db *DB) EventTotals(ctx context.Context, founders []int64) (map[int64][]EventTotal, error) {
	out := map[int64][]EventTotal{}
	err := viewIn(ctx, db, `SELECT DISTINCT c.golden, t.type, t.currency, t.at, t.ev, t.amount
		FROM crosswalk c JOIN event_of o ON o.rec = c.rec JOIN event_state t ON t.ev = o.ev
		WHERE c.golden IN $LIST ORDER BY 1, 2, 3, 4, 5`, founders, func(r *sql.Rows) error {
		var founder, ev int64
		var t EventTotal
		var at, amount string
		if err := r.Scan(&founder, &t.Type, &t.Currency, &at, &ev, &amount); err != nil {
			return err
		}
		list := out[founder]
		if n := len(list); n == 0 || list[n-1].Type != t.Type || list[n-1].Currency != t.Currency {
			t.First = at
			list = append(list, t)
		}
		out[founder] = list
		return list[len(list)-1].add(at, amount)
	})
	if err != nil {
		return nil, fmt.Errorf("sum events: %w", err)
	}
	for _, list := range out {
		for i := range list {
			if list[i].sum != nil {
				list[i].Amount = list[i].sum.FloatString(list[i].scale)
			}
		}
	}
	return out, nil
}

func (t *EventTotal) add(at, amount string) error {
	t.Count++
	t.Last = at
	if amount == "" {
		return nil
	}
	x, ok := new(big.Rat).SetString(amount)
	if !ok {
		return errors.New("an amount is no number")
	}
	if t.sum == nil {
		t.sum = new(big.Rat)
	}
	t.sum.Add(t.sum, x)
	if _, decimals, ok := strings.Cut(amount, "."); ok {
		t.scale = max(t.scale, len(decimals))
	}
	return nil
}
