package store

import (
	"context"
	"database/sql"
	"fmt"
)

// attachEvents ties the events that wait for new records to them. Their salts
// are sealed by the records page by page later, with the derivation.
func (tx *Tx) attachEvents(ctx context.Context, source, entity string, ids []string, seq int64) error {
	if len(ids) == 0 {
		return nil
	}
	waiting, err := tx.one(ctx, `SELECT ev FROM event_of WHERE rec = 0 AND source = $1 AND entity = $2 LIMIT 1`, []any{source, entity}, new(int64))
	if err != nil || !waiting {
		return err
	}
	err = execIn(ctx, tx, `INSERT INTO event_backlog (ev, seq) SELECT DISTINCT ev, CAST($X3 AS BIGINT) FROM event_of
		WHERE rec = 0 AND source = $X1 AND entity = $X2 AND external_id IN $LIST
		ON CONFLICT (ev) DO UPDATE SET seq = excluded.seq`, ids, source, entity, seq)
	if err != nil {
		return fmt.Errorf("attach events: %w", err)
	}
	err = execIn(ctx, tx, `UPDATE event_of SET rec = (SELECT s.rec FROM source_record s
			WHERE s.source = event_of.source AND s.entity = event_of.entity AND s.external_id = event_of.external_id)
		WHERE rec = 0 AND source = $X1 AND entity = $X2 AND external_id IN $LIST`, ids, source, entity)
	if err != nil {
		return fmt.Errorf("attach events: %w", err)
	}
	return nil
}

// EventsToDerive lists up to n events that wait to be derived again.
func (db *DB) EventsToDerive(ctx context.Context, n int) (evs []int64, err error) {
	err = db.view(ctx, `SELECT ev FROM event_backlog ORDER BY ev LIMIT $1`, []any{n}, func(r *sql.Rows) error {
		var ev int64
		err := r.Scan(&ev)
		evs = append(evs, ev)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("events to derive: %w", err)
	}
	return evs, nil
}

// RederiveEvents computes anew what follows from the facts of these events, and
// has their salts sealed by the records they belong to. What was erased stays
// so.
func (db *DB) RederiveEvents(ctx context.Context, evs []int64, derive DeriveEvent) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		var events []*landedEvent
		err := eachIn(ctx, tx, eventColumns+` WHERE e.ev IN $LIST ORDER BY e.ev`, evs, func(r *sql.Rows) error {
			e, err := tx.scanEvent(r)
			if err == nil && !e.erased {
				events = append(events, e)
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := tx.settleEvents(ctx, events, derive, nil); err != nil {
			return err
		}
		return execIn(ctx, tx, `DELETE FROM event_backlog WHERE ev IN $LIST`, evs)
	})
	if err != nil {
		return fmt.Errorf("derive events again: %w", err)
	}
	return nil
}

// eventRules is where the rules of a source's events of one kind are kept.
const eventRules = "event_rules/"

// EventRulesChanged compares the hash of a mapping of events with the one that
// they were derived under; a change puts them all on the backlog.
func (db *DB) EventRulesChanged(ctx context.Context, source, kind, hash string) (changed bool, err error) {
	name := eventRules + source + "/" + kind
	err = db.inTx(ctx, func(tx *Tx) error {
		seq, err := tx.nextSeq(ctx, 1)
		if err != nil {
			return err
		}
		have, err := tx.setting(ctx, name)
		if err != nil || have == hash {
			return err
		}
		if err := tx.setSetting(ctx, name, hash); err != nil || have == "" {
			return err
		}
		changed = true
		_, err = tx.exec(ctx, `INSERT INTO event_backlog (ev, seq) SELECT ev, CAST($1 AS BIGINT) FROM event WHERE source = $2 AND kind = $3
			ON CONFLICT (ev) DO UPDATE SET seq = excluded.seq`, seq, source, kind)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("rules of events: %w", err)
	}
	return changed, nil
}

// UnconfiguredEvents derives the events again whose source or kind was
// configured once and is no more: they stay as facts and show nowhere.
func (db *DB) UnconfiguredEvents(ctx context.Context, configured func(source, kind string) bool) error {
	err := db.eachUnconfigured(ctx, eventRules, configured, func(source, kind string) error {
		_, err := db.EventRulesChanged(ctx, source, kind, gone)
		return err
	})
	if err != nil {
		return fmt.Errorf("rules of events: %w", err)
	}
	return nil
}
