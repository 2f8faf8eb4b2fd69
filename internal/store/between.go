package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Between is a source record that could belong to two golden records: its best
// pair with one is at or above the link threshold, and its best pair with
// another is too, or nearly as strong. One of the two may be its own.
type Between struct {
	Rec           int64
	First, Second Candidate // the stronger first
}

// Candidate is a golden record that a source record may belong to.
type Candidate struct {
	Founder int64
	Other   int64 // the record there that it is most like
	Weight  int32
}

// betweenPage is how many records are looked at in one step, and betweenSteps
// how many steps one call takes at most.
const (
	betweenPage  = 200
	betweenSteps = 10
)

// Betweens lists the source records of an entity type that could belong to two
// golden records, by landing number behind after; slack is how far the second
// may lie below the first. What a person has ruled on is not asked again. Next
// is where to go on, 0 at the end.
func (db *DB) Betweens(ctx context.Context, entity string, link, slack int32, after int64, n int) (list []Between, next int64, err error) {
	err = db.reading(ctx, func(tx *Tx) error {
		for range betweenSteps {
			recs, err := tx.nearTwo(ctx, entity, link-slack, after)
			if err != nil {
				return err
			}
			found, err := tx.between(ctx, recs, link, slack)
			if err != nil {
				return err
			}
			for _, b := range found {
				if len(list) == n {
					next = list[n-1].Rec
					return nil
				}
				list = append(list, b)
			}
			if next = 0; len(recs) < betweenPage {
				return nil
			}
			after = recs[len(recs)-1]
			next = after
		}
		return nil
	})
	if err != nil {
		return nil, 0, fmt.Errorf("records between two golden records: %w", err)
	}
	return list, next, nil
}

// nearTwo lists the records that have a match of at least least with a record of
// another golden record.
func (tx *Tx) nearTwo(ctx context.Context, entity string, least int32, after int64) (recs []int64, err error) {
	// Each half walks an index of match in order and stops at the page's end.
	half := func(end string) string {
		return `SELECT rec FROM (SELECT DISTINCT m.` + end + ` AS rec FROM match m JOIN crosswalk x ON x.rec = m.a JOIN crosswalk y ON y.rec = m.b JOIN source_record s ON s.rec = m.a
			WHERE m.` + end + ` > $3 AND m.weight >= $1 AND x.golden <> y.golden AND s.entity = $2 ORDER BY m.` + end + ` LIMIT $4) AS ` + end + `_half`
	}
	err = tx.query(ctx, half("a")+` UNION `+half("b")+` ORDER BY rec LIMIT $4`, []any{least, entity, after, betweenPage}, func(r *sql.Rows) error {
		var rec int64
		err := r.Scan(&rec)
		recs = append(recs, rec)
		return err
	})
	return recs, err
}

// between keeps those of the records that could belong to two.
func (tx *Tx) between(ctx context.Context, recs []int64, link, slack int32) (list []Between, err error) {
	best := map[int64]map[int64]Candidate{} // record → founder → its best pair there
	ruled := map[[2]int64]bool{}            // record, founder: a person parted them, or could not tell
	for _, end := range [][2]string{{"a", "b"}, {"b", "a"}} {
		q := `SELECT m.` + end[0] + `, m.` + end[1] + `, m.weight, y.golden FROM match m JOIN crosswalk y ON y.rec = m.` + end[1] + ` WHERE m.` + end[0] + ` IN $LIST`
		err := eachIn(ctx, tx, q, recs, func(r *sql.Rows) error {
			var rec int64
			var c Candidate
			if err := r.Scan(&rec, &c.Other, &c.Weight, &c.Founder); err != nil {
				return err
			}
			if best[rec] == nil {
				best[rec] = map[int64]Candidate{}
			}
			if was, known := best[rec][c.Founder]; !known || c.Weight > was.Weight || c.Weight == was.Weight && c.Other < was.Other {
				best[rec][c.Founder] = c
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		q = `SELECT r.` + end[0] + `, y.golden FROM ruling r JOIN crosswalk y ON y.rec = r.` + end[1] + `
			WHERE r.withdrawn = '' AND (r.kind = 'cannot' OR r.kind = 'unsure' AND r.stale = 0) AND r.` + end[0] + ` IN $LIST`
		err = eachIn(ctx, tx, q, recs, func(r *sql.Rows) error {
			var pair [2]int64
			err := r.Scan(&pair[0], &pair[1])
			ruled[pair] = true
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, rec := range recs {
		var c []Candidate
		for _, founder := range sortedKeys(best[rec]) {
			if !ruled[[2]int64{rec, founder}] {
				c = append(c, best[rec][founder])
			}
		}
		slices.SortStableFunc(c, func(x, y Candidate) int { return cmp.Compare(y.Weight, x.Weight) })
		if len(c) > 1 && c[0].Weight >= link && (c[1].Weight >= link || c[1].Weight >= c[0].Weight-slack) {
			list = append(list, Between{rec, c[0], c[1]})
		}
	}
	return list, nil
}
