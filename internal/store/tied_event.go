package store

import (
	"context"
	"database/sql"
	"fmt"
	"math/big"
	"slices"
)

// tiedEvent is what a balance holds of an event at one of the records it belongs
// to.
type tiedEvent struct {
	ev, rec          int64
	source, kind     string
	amount, currency string
	sum              *big.Rat // the amount; nil where it is no number
	digest           uint64   // of all of it
}

// eventCache keeps the events of records as long as a rehearsal, which asks for
// them before and after what it rehearses, and to add them up. Nothing that it
// does changes them; a customer may have thousands.
type eventCache map[int64][]*tiedEvent

// eachEvent gives the events of some records, of each as often as it belongs to
// one of them.
func (tx *Tx) eachEvent(ctx context.Context, recs []int64, fn func(*tiedEvent)) error {
	left := recs
	if tx.events != nil {
		left = slices.DeleteFunc(slices.Clone(recs), func(rec int64) bool { _, known := tx.events[rec]; return known })
		for _, rec := range left {
			tx.events[rec] = nil
		}
	}
	err := eachIn(ctx, tx, `SELECT o.ev, o.n, o.rec, e.source, e.external_id, t.type, t.at, t.amount, t.currency, t.channel, t.status
		FROM event_of o JOIN event_state t ON t.ev = o.ev JOIN event e ON e.ev = o.ev WHERE o.rec IN $LIST`, left, func(r *sql.Rows) error {
		var e tiedEvent
		var n int64
		var id, at, channel, status string
		if err := r.Scan(&e.ev, &n, &e.rec, &e.source, &id, &e.kind, &at, &e.amount, &e.currency, &channel, &status); err != nil {
			return err
		}
		e.digest = digestOf([]any{e.ev, n, e.rec, id, e.kind, at, e.amount, e.currency, channel, status})
		if sum, is := new(big.Rat).SetString(e.amount); is {
			e.sum = sum
		}
		if tx.events == nil {
			fn(&e)
			return nil
		}
		tx.events[e.rec] = append(tx.events[e.rec], &e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("events of records: %w", err)
	}
	if tx.events == nil {
		return nil
	}
	for _, rec := range recs {
		for _, e := range tx.events[rec] {
			fn(e)
		}
	}
	return nil
}
