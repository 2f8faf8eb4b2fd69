package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"touchstone/internal/seal"
)

// Certificate is a kept balance.
type Certificate struct {
	Seq       int64
	At        string
	Entity    string
	Refused   bool // it did not balance, and the change was rolled back
	Moved     int
	Decisions []string
	Lines     []SheetLine
	Erased    bool // the record that sealed it was erased
}

// Certificates lists the balances of decisions, oldest first, by decision.
func (db *DB) Certificates(ctx context.Context, decisions []string) (map[string][]Certificate, error) {
	out := map[string][]Certificate{}
	err := viewIn(ctx, db, `SELECT o.decision, b.seq, b.at, b.entity, b.state, b.moved, b.sheet, s.salt FROM balance_of o JOIN balance b ON b.seq = o.balance
		LEFT JOIN source_record s ON s.rec = b.sealed_by WHERE o.decision IN $LIST ORDER BY o.decision, b.seq`, decisions, func(r *sql.Rows) error {
		var c Certificate
		var id, state string
		var sealed, salt []byte
		if err := r.Scan(&id, &c.Seq, &c.At, &c.Entity, &state, &c.Moved, &sealed, &salt); err != nil {
			return err
		}
		c.Refused, c.Decisions = state == "refused", []string{id}
		plain, err := db.vault.Open(salt, sealed)
		switch {
		case errors.Is(err, seal.ErrErased) || len(sealed) == 0:
			c.Erased = true
		case err != nil:
			return err
		default:
			if err := json.Unmarshal(plain, &c.Lines); err != nil {
				return err
			}
		}
		out[id] = append(out[id], c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("balances: %w", err)
	}
	return out, nil
}

// Refusals counts the changes that did not balance since a time.
func (db *DB) Refusals(ctx context.Context, since time.Time) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM balance WHERE state = 'refused' AND at >= $1`, []any{formatTime(since)}, func(r *sql.Rows) error { return r.Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("balances: %w", err)
	}
	return n, nil
}

// Refuse keeps the balance of a change that was rolled back, and takes back the
// decisions it came from, so that what they touched is as it was. It gives
// those that it took back; none means that the matcher itself made the change.
func (db *DB) Refuse(ctx context.Context, i *Imbalance, who, why string) (taken []string, err error) {
	err = db.Decide(ctx, func(tx *DecideTx) error {
		for _, id := range i.Sheet.Decisions {
			d, err := tx.Decision(ctx, id)
			if err != nil {
				return err
			}
			if d.Withdrawn != "" || slices.Contains([]string{Pinned, Unpinned, Undecided, HandedOver}, d.Kind) {
				continue
			}
			if _, _, err := tx.Add(ctx, NewDecision{Kind: Undone, Who: who, Why: why, Withdraws: []string{id}}); err != nil {
				return err
			}
			taken = append(taken, id)
		}
		err := execIn(ctx, tx.Tx, `DELETE FROM balance_due WHERE decision IN $LIST`, i.Sheet.Decisions) // weighed, and found wanting
		if err != nil {
			return err
		}
		return tx.saveBalance(ctx, i.Sheet, "refused")
	})
	if err != nil {
		return nil, fmt.Errorf("take back what does not balance: %w", err)
	}
	return taken, nil
}

// dueBalance notes that a decision's effect is to be weighed when its records
// are linked next.
func (tx *Tx) dueBalance(ctx context.Context, kind, id string, recs []int64) error {
	if !slices.Contains([]string{Merged, Split, Undone}, kind) {
		return nil
	}
	rows := make([][]any, 0, len(recs))
	for _, rec := range recs {
		rows = append(rows, []any{id, rec})
	}
	if err := tx.insert(ctx, `INSERT INTO balance_due (decision, rec)`, `ON CONFLICT DO NOTHING`, rows); err != nil {
		return fmt.Errorf("balances due: %w", err)
	}
	return nil
}
