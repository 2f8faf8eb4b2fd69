package store

import (
	"context"
	"database/sql"
	"fmt"
)

// FaultCounts says of each fault of a record how many open rows have it.
func (db *DB) FaultCounts(ctx context.Context, rec int64) (map[string]int, error) {
	out := map[string]int{}
	err := db.view(ctx, `SELECT f.fault, (SELECT count(*) FROM quarantine_fault x WHERE x.fault = f.fault) FROM (SELECT DISTINCT fault FROM quarantine_fault WHERE rec = $1) f`,
		[]any{rec}, func(r *sql.Rows) error {
			var fault string
			var n int
			err := r.Scan(&fault, &n)
			out[fault] = n
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("count faults: %w", err)
	}
	return out, nil
}

// WaitingFor lists the writes to a record's own object that wait or are on their
// way, oldest first.
func (db *DB) WaitingFor(ctx context.Context, rec int64) ([]Row, error) {
	return db.rows(ctx, `WHERE o.rec = $1 AND o.state IN ('pending','inflight','unknown') ORDER BY o.seq LIMIT 20`, rec)
}

// GoldensWithOrigin loads golden records by their founders, with where their
// values come from.
func (db *DB) GoldensWithOrigin(ctx context.Context, founders []int64) (map[int64]Golden, error) {
	list, err := db.goldensOf(ctx, founders)
	out := make(map[int64]Golden, len(list))
	for _, g := range list {
		out[g.Founder] = g
	}
	return out, err
}
