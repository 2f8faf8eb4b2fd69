package store

import (
	"context"
	"database/sql"
	"fmt"
)

// CopyForModel copies what another match model would decide on into an empty
// store: facts, features, relations, and what stands in the targets. Every record
// waits there to be resolved.
func (db *DB) CopyForModel(ctx context.Context, to *DB) error {
	for _, f := range factTables {
		if err := db.copyTable(ctx, to, f.table, f.where); err != nil {
			return fmt.Errorf("copy %s: %w", f.table, err)
		}
	}
	for _, table := range []string{"feature", "relation", "target_state"} {
		if err := db.copyTable(ctx, to, table, ""); err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	return to.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE counter SET value = 1 + (SELECT COALESCE(max(seq), 0) FROM source_version) + (SELECT COALESCE(max(seq), 0) FROM feature)
			+ (SELECT COALESCE(max(seq), 0) + COALESCE(max(sent_seq), 0) FROM outbox) + (SELECT COALESCE(max(seq), 0) FROM event_version)`)
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `UPDATE feature SET published = $1`, []byte{}); err != nil {
			return err
		}
		_, err = tx.exec(ctx, `INSERT INTO backlog (rec, stage, entity, seq) SELECT rec, 2, entity, 0 FROM feature WHERE version > 0`)
		return err
	})
}

// CopyForRules is CopyForModel where other rules would derive the records too.
func (db *DB) CopyForRules(ctx context.Context, to *DB) error {
	if err := db.CopyForModel(ctx, to); err != nil {
		return err
	}
	return to.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `INSERT INTO backlog (rec, stage, entity, seq) SELECT rec, 1, entity, 0 FROM source_record WHERE rec > 0 ON CONFLICT (rec) DO UPDATE SET stage = 1`)
		return err
	})
}

// Placement is where a record stands.
type Placement struct{ Rec, Golden int64 }

// Placements lists where the records of an entity type stand, behind a landing
// number, at most n.
func (db *DB) Placements(ctx context.Context, entity string, after int64, n int) (list []Placement, err error) {
	err = db.view(ctx, `SELECT c.rec, c.golden FROM crosswalk c JOIN source_record s ON s.rec = c.rec WHERE s.entity = $1 AND c.rec > $2 ORDER BY c.rec LIMIT $3`,
		[]any{entity, after, n}, func(r *sql.Rows) error {
			var p Placement
			err := r.Scan(&p.Rec, &p.Golden)
			list = append(list, p)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read crosswalk: %w", err)
	}
	return list, nil
}

// PlacedNow says in which golden record each of the records stands.
func (db *DB) PlacedNow(ctx context.Context, recs []int64) (map[int64]int64, error) {
	golden := make(map[int64]int64, len(recs))
	err := viewIn(ctx, db, `SELECT rec, golden FROM crosswalk WHERE rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec, founder int64
		err := r.Scan(&rec, &founder)
		golden[rec] = founder
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read crosswalk: %w", err)
	}
	return golden, nil
}
