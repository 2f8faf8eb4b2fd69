package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"touchstone/internal/record"
)

// settleEvents derives what follows from the new versions, finds the records
// the events belong to, and writes all of it.
func (tx *Tx) settleEvents(ctx context.Context, changed []*landedEvent, derive DeriveEvent, c *Counts) error {
	if len(changed) == 0 {
		return nil
	}
	histories, err := tx.eventHistories(ctx, changed)
	if err != nil {
		return err
	}
	derived := make([]EventDerived, len(changed))
	for i, h := range histories {
		if derived[i], err = derive(*h); err != nil {
			return fmt.Errorf("derive event %s: %w", h.Ref, err)
		}
		for _, p := range changed[i].pending {
			switch {
			case p.filtered, c == nil:
			case p.dup, p.N == changed[i].version && derived[i].Bad != nil:
				c.Stored--
				c.Quarantined++
			}
		}
	}
	parties, err := tx.findParties(ctx, derived)
	if err != nil {
		return err
	}
	var rows eventRows
	for i, e := range changed {
		if e.isNew && erasedParty(derived[i].Event.Of, parties) {
			c.drop(e, derived[i])
			continue
		}
		if err := tx.holdSalt(e, derived[i].Event.Of, parties); err != nil {
			return err
		}
		if err := rows.add(tx, e, derived[i], parties); err != nil {
			return fmt.Errorf("event %s: %w", e.ref, err)
		}
	}
	return rows.write(ctx, tx)
}

// erasedParty says whether the first known record of an event was erased: what
// happened to it afterwards is not kept either.
func erasedParty(of []record.Ref, parties map[record.Ref]party) bool {
	for _, ref := range of {
		if p, ok := parties[cleanRef(ref)]; ok {
			return len(p.salt) == 0
		}
	}
	return false
}

// drop counts a new event that is not kept as left out.
func (c *Counts) drop(e *landedEvent, d EventDerived) {
	for _, p := range e.pending {
		switch {
		case p.filtered:
			continue
		case p.dup, p.N == e.version && d.Bad != nil:
			c.Quarantined--
		default:
			c.Stored--
		}
		c.Filtered++
	}
}

// party is a landed record that events belong to.
type party struct {
	rec  int64
	salt []byte
}

// findParties looks up the records that events name.
func (tx *Tx) findParties(ctx context.Context, derived []EventDerived) (map[record.Ref]party, error) {
	type group struct{ source, entity string }
	ids := map[group]map[string]bool{}
	for _, d := range derived {
		for _, ref := range d.Event.Of {
			g := group{ref.Source, ref.Entity}
			if ids[g] == nil {
				ids[g] = map[string]bool{}
			}
			ids[g][clean(ref.ID)] = true
		}
	}
	found := map[record.Ref]party{}
	for g, set := range ids { // the order decides nothing
		list := make([]string, 0, len(set))
		for id := range set {
			list = append(list, id)
		}
		slices.Sort(list)
		err := tx.eachBySourceID(ctx, `rec, external_id, salt`, g.source, g.entity, list, func(r *sql.Rows) error {
			var p party
			var id string
			err := r.Scan(&p.rec, &id, &p.salt)
			found[record.Ref{Source: g.source, Entity: g.entity, ID: id}] = p
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("records of events: %w", err)
		}
	}
	return found, nil
}

// holdSalt has the event's salt sealed by the first record it belongs to that
// is known. Where none is, whoever held it before goes on.
func (tx *Tx) holdSalt(e *landedEvent, of []record.Ref, parties map[record.Ref]party) (err error) {
	if e.sealedSalt == nil {
		e.sealedSalt = e.salt
	}
	for _, ref := range of {
		p, ok := parties[cleanRef(ref)]
		if !ok || len(p.salt) == 0 {
			continue
		}
		if p.rec == e.holder {
			return nil
		}
		e.holder = p.rec
		e.sealedSalt, err = tx.db.vault.Seal(p.salt, fmt.Sprint("event", e.rec), e.salt)
		return err
	}
	return nil
}

func cleanRef(r record.Ref) record.Ref {
	return record.Ref{Source: clean(r.Source), Entity: clean(r.Entity), ID: clean(r.ID)}
}

// eventRows gathers the rows of a page of events.
type eventRows struct {
	events, versions, states, of, faults [][]any
	old                                  []int64 // derived before: what follows of them is replaced
	gone                                 []int64 // nothing in force
}

// eventBody is what is sealed of an event's derived values.
type eventBody struct {
	Subject string          `json:"subject,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func (o *eventRows) add(tx *Tx, e *landedEvent, d EventDerived, parties map[record.Ref]party) error {
	sealed := func(what string, n int, plain []byte) ([]byte, error) {
		return tx.db.vault.Seal(e.salt, fmt.Sprint(what, e.rec, ".", n), plain)
	}
	for _, p := range e.pending {
		raw, err := sealed("raw", p.N, p.Raw)
		if err != nil {
			return err
		}
		o.versions = append(o.versions, []any{e.rec, p.N, p.Seq, raw, p.hash, record.FormatTime(p.Stamp), tx.now, p.Deleted, p.Place, p.Problem})
	}
	o.events = append(o.events, []any{e.rec, e.ref.Source, e.ref.Entity, e.ref.ID, e.sealedSalt, e.holder, e.version, e.latest, e.hash, e.stamp, e.deleted})
	if !e.isNew {
		o.old = append(o.old, e.rec)
	}
	at := ""
	if d.Version > 0 && d.Live {
		at = d.Event.At
		body, err := json.Marshal(eventBody{d.Event.Subject, d.Event.Payload})
		if err != nil {
			return err
		}
		if body, err = sealed("body", d.Version, body); err != nil {
			return err
		}
		ev := d.Event
		o.states = append(o.states, []any{e.rec, d.Version, ev.Type, ev.At, ev.Amount, ev.Currency, ev.Channel, ev.Status, body})
	} else if !e.isNew {
		o.gone = append(o.gone, e.rec)
	}
	for n, ref := range d.Event.Of {
		ref = cleanRef(ref)
		o.of = append(o.of, []any{e.rec, n + 1, ref.Source, ref.Entity, ref.ID, parties[ref].rec, at})
	}
	if d.Bad == nil {
		return nil
	}
	text, err := json.Marshal(d.Bad)
	if err != nil {
		return err
	}
	if text, err = sealed("reasons", e.version, text); err != nil {
		return err
	}
	o.faults = append(o.faults, []any{e.rec, e.version, text})
	return nil
}

func (o *eventRows) write(ctx context.Context, tx *Tx) error {
	if err := tx.revalue(ctx, o.old); err != nil {
		return err
	}
	for _, q := range []string{`DELETE FROM event_of WHERE ev IN $LIST`, `DELETE FROM event_fault WHERE ev IN $LIST`} {
		if err := execIn(ctx, tx, q, o.old); err != nil {
			return fmt.Errorf("what followed from events: %w", err)
		}
	}
	if err := execIn(ctx, tx, `DELETE FROM event_state WHERE ev IN $LIST`, o.gone); err != nil {
		return fmt.Errorf("event states: %w", err)
	}
	for _, t := range []struct {
		head, tail string
		rows       [][]any
	}{
		{
			`INSERT INTO event (ev, source, kind, external_id, salt, sealed_by, version, latest, hash, stamp, deleted)`,
			`ON CONFLICT (ev) DO UPDATE SET salt = excluded.salt, sealed_by = excluded.sealed_by, version = excluded.version, latest = excluded.latest,
			hash = excluded.hash, stamp = excluded.stamp, deleted = excluded.deleted`, o.events,
		},
		{`INSERT INTO event_version (ev, version, seq, raw, hash, stamp, seen_at, deleted, place, problem)`, "", o.versions},
		{
			`INSERT INTO event_state (ev, version, type, at, amount, currency, channel, status, body)`,
			`ON CONFLICT (ev) DO UPDATE SET version = excluded.version, type = excluded.type, at = excluded.at, amount = excluded.amount,
			currency = excluded.currency, channel = excluded.channel, status = excluded.status, body = excluded.body`, o.states,
		},
		{`INSERT INTO event_of (ev, n, source, entity, external_id, rec, at)`, "", o.of},
		{`INSERT INTO event_fault (ev, version, reasons)`, "", o.faults},
	} {
		if err := tx.insert(ctx, t.head, t.tail, t.rows); err != nil {
			return fmt.Errorf("events: %w", err)
		}
	}
	var evs []int64
	for _, row := range o.of {
		evs = append(evs, row[0].(int64))
	}
	return tx.revalue(ctx, slices.Compact(evs))
}

// eventHistories gives each event's history, the new versions included.
func (tx *Tx) eventHistories(ctx context.Context, events []*landedEvent) ([]*History, error) {
	out := make([]*History, len(events))
	byEv, salts := map[int64]*History{}, map[int64][]byte{}
	var old []int64
	for i, e := range events {
		h := &History{Rec: e.rec, Ref: e.ref, Current: e.version}
		out[i], byEv[e.rec], salts[e.rec] = h, h, e.salt
		if !e.isNew {
			old = append(old, e.rec)
		}
	}
	err := eachIn(ctx, tx, `SELECT ev, version, seq, raw, stamp, seen_at, deleted, place, problem FROM event_version WHERE ev IN $LIST ORDER BY ev, version`, old, func(r *sql.Rows) error {
		var ev int64
		var v Version
		var raw []byte
		var stamp, seen string
		err := r.Scan(&ev, &v.N, &v.Seq, &raw, &stamp, &seen, &v.Deleted, &v.Place, &v.Problem)
		if err != nil {
			return err
		}
		if v.Raw, err = tx.db.vault.Open(salts[ev], raw); err != nil {
			return fmt.Errorf("event %d version %d: %w", ev, v.N, err)
		}
		if v.Stamp, err = record.ParseTime(stamp); err != nil {
			return err
		}
		if v.SeenAt, err = record.ParseTime(seen); err != nil {
			return err
		}
		byEv[ev].Versions = append(byEv[ev].Versions, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load events: %w", err)
	}
	for _, e := range events {
		for _, p := range e.pending {
			byEv[e.rec].Versions = append(byEv[e.rec].Versions, p.Version)
		}
		byEv[e.rec].order()
	}
	return out, nil
}
