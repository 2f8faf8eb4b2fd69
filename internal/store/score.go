package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
)

// ScoreBin counts the pairs kept whose weight lies within one bit from At on.
type ScoreBin struct{ At, Pairs int }

// Kept counts of weights are by a quarter of a bit: a whole bit may hold a good
// part of all pairs, and what a threshold cuts off of a bin is counted one by one.
const (
	binsPerBit = 4
	binWidth   = 1000 / binsPerBit // in 1/1000 bit
)

// floorDiv divides downwards: -1 by 4 is -1.
func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Scores counts the pairs kept of an entity type by weight in bits, the lightest
// first. Pairs below the review threshold are not kept.
func (db *DB) Scores(ctx context.Context, entity string) (list []ScoreBin, err error) {
	kept, err := db.talliesOf(ctx, entity, tallyWeight)
	if err != nil {
		return nil, fmt.Errorf("pairs by weight: %w", err)
	}
	pairs := map[int]int{}
	for _, t := range kept {
		bin, err := strconv.Atoi(t.b)
		if err != nil {
			return nil, fmt.Errorf("pairs by weight: %w", err)
		}
		pairs[floorDiv(bin, binsPerBit)] += t.n
	}
	for _, at := range sortedKeys(pairs) {
		list = append(list, ScoreBin{at, pairs[at]})
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
		err := db.view(ctx, `SELECT m.a, m.b, m.weight FROM match m WHERE m.entity = $1 AND `+side+` LIMIT $3`, []any{entity, weight, n}, func(r *sql.Rows) error {
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

// PairsFrom counts the pairs kept of an entity type from each of four weights on:
// whole bins from the kept counts, and of the bin that a weight lies in those from
// it on, by an index. One statement sees one moment.
func (db *DB) PairsFrom(ctx context.Context, entity string, a, b, c, d int32) (counts [4]int, err error) {
	args := []any{entity}
	for _, w := range []int32{a, b, c, d} {
		whole := floorDiv(int(w), binWidth) + 1 // the first bin that counts as a whole
		args = append(args, whole, int(w), whole*binWidth)
	}
	q := `SELECT ` + pairsFrom(2) + `, ` + pairsFrom(5) + `, ` + pairsFrom(8) + `, ` + pairsFrom(11)
	err = db.view(ctx, q, args, func(r *sql.Rows) error {
		return r.Scan(&counts[0], &counts[1], &counts[2], &counts[3])
	})
	if err != nil {
		return counts, fmt.Errorf("pairs by weight: %w", err)
	}
	return counts, nil
}

// pairsFrom counts one of them; its parameters, from the number n on, are the
// first whole bin, the weight, and where that bin begins.
func pairsFrom(n int) string {
	return fmt.Sprintf(`(SELECT CAST(COALESCE(sum(n), 0) AS BIGINT) FROM tally WHERE what = 'weight' AND a = $1 AND CASE WHEN what = 'weight' THEN CAST(b AS BIGINT) END >= $%d)
		+ (SELECT count(*) FROM match WHERE entity = $1 AND weight >= $%d AND weight < $%d)`, n, n+1, n+2)
}
