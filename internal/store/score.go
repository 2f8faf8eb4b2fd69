package store

import (
	"context"
	"database/sql"
	"fmt"
)

// ScoreBin counts the pairs kept whose weight lies within one bit from At on.
type ScoreBin struct{ At, Pairs int }

// Scores counts the pairs kept of an entity type by weight in bits, the lightest
// first. Pairs below the review threshold are not kept.
func (db *DB) Scores(ctx context.Context, entity string) (list []ScoreBin, err error) {
	// Whole numbers are cut towards 0 by both engines: shifted they are cut downwards.
	err = db.view(ctx, `SELECT (m.weight + 1000000) / 1000 - 1000, count(*) FROM match m JOIN source_record s ON s.rec = m.a WHERE s.entity = $1 GROUP BY 1 ORDER BY 1`,
		[]any{entity}, func(r *sql.Rows) error {
			var b ScoreBin
			err := r.Scan(&b.At, &b.Pairs)
			list = append(list, b)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("pairs by weight: %w", err)
	}
	return list, nil
}

// WeighedPair is a pair of source records with its weight in 1/1000 bit.
type WeighedPair struct {
	A, B   int64
	Weight int32
}

// PairsNear lists pairs of an entity type next to a weight: n at or above it and
// n below, the nearest first.
func (db *DB) PairsNear(ctx context.Context, entity string, weight int32, n int) (list []WeighedPair, err error) {
	for _, side := range []string{`m.weight >= $2 ORDER BY m.weight, m.a, m.b`, `m.weight < $2 ORDER BY m.weight DESC, m.a, m.b`} {
		err := db.view(ctx, `SELECT m.a, m.b, m.weight FROM match m JOIN source_record s ON s.rec = m.a WHERE s.entity = $1 AND `+side+` LIMIT $3`, []any{entity, weight, n}, func(r *sql.Rows) error {
			var p WeighedPair
			err := r.Scan(&p.A, &p.B, &p.Weight)
			list = append(list, p)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("pairs next to a threshold: %w", err)
		}
	}
	return list, nil
}

// PairWeight reads what a pair weighs; kept is false for one that is not kept.
func (db *DB) PairWeight(ctx context.Context, a, b int64) (weight int32, kept bool, err error) {
	err = db.view(ctx, `SELECT weight FROM match WHERE a = $1 AND b = $2`, []any{a, b}, func(r *sql.Rows) error {
		kept = true
		return r.Scan(&weight)
	})
	if err != nil {
		return 0, false, fmt.Errorf("weight of a pair: %w", err)
	}
	return weight, kept, nil
}

// PairsFrom counts the pairs kept of an entity type from each of four weights on.
func (db *DB) PairsFrom(ctx context.Context, entity string, a, b, c, d int32) (counts [4]int, err error) {
	err = db.view(ctx, `SELECT COALESCE(sum(CASE WHEN m.weight >= $2 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN m.weight >= $3 THEN 1 ELSE 0 END), 0),
		COALESCE(sum(CASE WHEN m.weight >= $4 THEN 1 ELSE 0 END), 0), COALESCE(sum(CASE WHEN m.weight >= $5 THEN 1 ELSE 0 END), 0)
		FROM match m JOIN source_record s ON s.rec = m.a WHERE s.entity = $1`, []any{entity, a, b, c, d}, func(r *sql.Rows) error {
		return r.Scan(&counts[0], &counts[1], &counts[2], &counts[3])
	})
	if err != nil {
		return counts, fmt.Errorf("pairs by weight: %w", err)
	}
	return counts, nil
}
