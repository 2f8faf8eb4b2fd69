package store

import (
	"context"
	"database/sql"
	"fmt"
)

// numbers are the counters that a transaction has locked, as they will stand when
// it ends: nobody else changes them meanwhile, so they are read once.
type numbers struct {
	locking, locked bool  // the landing lock is asked for; is held
	fact            int64 // the last fact number
	owed            bool  // it has not been written
	fed             int64 // the last number of the feed; 0: not known
}

// nextSeq takes n fact numbers and gives the first. The row stays locked until
// the transaction ends, so numbers are in commit order.
func (tx *Tx) nextSeq(ctx context.Context, n int) (int64, error) {
	if tx.locking && !tx.locked {
		if err := tx.flush(ctx); err != nil {
			return 0, fmt.Errorf("take fact numbers: %w", err)
		}
	}
	if tx.locked {
		tx.fact, tx.owed = tx.fact+int64(n), true
		return tx.fact - int64(n) + 1, nil
	}
	if err := tx.flush(ctx); err != nil { // the wait for the lock is measured
		return 0, err
	}
	err := tx.heldUp(ctx, func() error {
		_, err := tx.one(ctx, `UPDATE counter SET value = value + $1 WHERE name = 'fact' RETURNING value`, []any{n}, &tx.fact)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("take fact numbers: %w", err)
	}
	tx.locked = true
	return tx.fact - int64(n) + 1, nil
}

// lockFacts takes the landing lock without a number. Whatever changes rows that
// a landing changes too takes it first: locks are then taken in one order and
// nobody waits in a circle. Where there is one writer anyway it does nothing.
func (tx *Tx) lockFacts(ctx context.Context) error {
	if tx.db.d.lock == "" || tx.locking || tx.locked {
		return nil
	}
	q := `SELECT value FROM counter WHERE name = 'fact'` + tx.db.d.lock
	scan := func(r *sql.Rows) error { tx.locked = true; return r.Scan(&tx.fact) }
	var err error
	if isPatient(ctx) { // nobody asks how long it has waited
		tx.locking = true
		err = tx.later(ctx, bundled{q: q, scan: scan})
	} else if err = tx.flush(ctx); err == nil {
		err = tx.heldUp(ctx, func() error { return tx.query(ctx, q, nil, scan) })
	}
	if err != nil {
		return fmt.Errorf("take the landing lock: %w", err)
	}
	return nil
}

// nextFed takes n numbers of the feed and gives the last. The landing lock is held:
// where there is more than one writer that keeps others from the counter.
func (tx *Tx) nextFed(ctx context.Context, n int) (int64, error) {
	if tx.db.d.lock == "" {
		var last int64
		_, err := tx.one(ctx, `UPDATE counter SET value = value + $1 WHERE name = 'feed' RETURNING value`, []any{n}, &last)
		return last, err
	}
	if tx.fed == 0 {
		if err := tx.lastFed(ctx); err != nil {
			return 0, err
		}
	}
	tx.fed += int64(n)
	return tx.fed, tx.later(ctx, bundled{q: `UPDATE counter SET value = value + $1 WHERE name = 'feed'`, args: []any{n}})
}

func (tx *Tx) lastFed(ctx context.Context) error {
	_, err := tx.one(ctx, `SELECT value FROM counter WHERE name = 'feed'`, nil, &tx.fed)
	return err
}

// settle writes what is owed, at the end of a transaction.
func (tx *Tx) settle(ctx context.Context) error {
	if tx.owed {
		if err := tx.later(ctx, bundled{q: `UPDATE counter SET value = $1 WHERE name = 'fact'`, args: []any{tx.fact}}); err != nil {
			return fmt.Errorf("take fact numbers: %w", err)
		}
	}
	return tx.hold(ctx)
}
