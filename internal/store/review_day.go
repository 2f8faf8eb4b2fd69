package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/record"
)

// ReviewDay is what was chosen for an account and a day.
type ReviewDay struct {
	Who, Day, Entity string // entity type; "" for all
	Minutes          int
	Seconds          int   // 1/1000 of one, that a decision takes
	Measured         int   // decisions that is measured on
	Pairs            int   // chosen
	Total            int64 // expected loss of all open pairs when the set was chosen
	Open             int   // pairs then
	Curve            []CurvePoint
}

// CurvePoint says how much of the expected loss so many decisions take off.
type CurvePoint struct {
	Decisions int
	Damage    int64
}

// curvePoints is how many points a curve has.
const curvePoints = 50

// DayPair is a pair of a day's set: as it is queued now, or as it was.
type DayPair struct {
	A, B   int64
	Damage int64 // when it was chosen
	Open   bool
	Queued QueuedPair
}

// ChooseDay gives an account's set of a day: the pairs whose decision takes most
// off the expected loss, as many as fit into the time. What was chosen stays;
// more time adds to it. Pairs of another account's set, given to another one,
// put aside, or proposed by this one are left out.
func (db *DB) ChooseDay(ctx context.Context, d ReviewDay, entities []string, want int) (out ReviewDay, pairs []DayPair, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil { // one account after the other: no pair is chosen twice
			return err
		}
		known, err := tx.reviewDay(ctx, d)
		if err != nil && !errors.Is(err, record.ErrNotFound) {
			return err
		}
		fresh := err != nil
		if out = known; fresh {
			out = d
			if err := tx.curve(ctx, &out, entities); err != nil {
				return err
			}
		}
		if !fresh && out.Pairs >= want {
			return nil
		}
		chosen, err := tx.nextOfDay(ctx, out, entities, want-out.Pairs)
		if err != nil {
			return err
		}
		if !fresh && len(chosen) == 0 {
			return nil
		}
		rows := make([][]any, len(chosen))
		for i, p := range chosen {
			rows[i] = []any{d.Day, p.A, p.B, d.Who, d.Entity, out.Pairs + i, p.Damage}
		}
		out.Pairs, out.Minutes = out.Pairs+len(chosen), max(out.Minutes, d.Minutes)
		if err := tx.insert(ctx, `INSERT INTO review_day_pair (day, a, b, who, entity, n, damage)`, ``, rows); err != nil {
			return err
		}
		body, err := json.Marshal(out)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `INSERT INTO review_day (who, day, entity, minutes, seconds, body) VALUES ($1,$2,$3,$4,$5,$6)
			ON CONFLICT (who, day, entity) DO UPDATE SET minutes = excluded.minutes, body = excluded.body`, d.Who, d.Day, d.Entity, out.Minutes, out.Seconds, string(body))
		return err
	})
	if err != nil {
		return out, nil, fmt.Errorf("choose the pairs of a day: %w", err)
	}
	pairs, err = db.dayPairs(ctx, d)
	return out, pairs, err
}

func (tx *Tx) reviewDay(ctx context.Context, d ReviewDay) (out ReviewDay, err error) {
	var body string
	found, err := tx.one(ctx, `SELECT body FROM review_day WHERE who = $1 AND day = $2 AND entity = $3`, []any{d.Who, d.Day, d.Entity}, &body)
	if err != nil || !found {
		return out, errors.Join(err, notFoundUnless(found, "set of the day", d.Day))
	}
	err = json.Unmarshal([]byte(body), &out)
	return out, err
}

// ReviewDayOf reads what was chosen for an account and a day; the zero value
// when nothing was.
func (db *DB) ReviewDayOf(ctx context.Context, d ReviewDay) (out ReviewDay, err error) {
	err = db.reading(ctx, func(tx *Tx) error {
		out, err = tx.reviewDay(ctx, d)
		return err
	})
	if errors.Is(err, record.ErrNotFound) {
		return ReviewDay{}, nil
	}
	return out, err
}

// curve fills in what decisions in the best order take off the expected loss.
func (tx *Tx) curve(ctx context.Context, d *ReviewDay, entities []string) error {
	var damages []int64
	for _, entity := range entities {
		err := tx.query(ctx, `SELECT rank_damage FROM queue WHERE entity = $1 ORDER BY rank_damage`, []any{entity}, func(r *sql.Rows) error {
			var n int64
			err := r.Scan(&n)
			damages = append(damages, n)
			return err
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(damages)
	d.Open, d.Curve = len(damages), []CurvePoint{}
	for i, n := range damages {
		d.Total -= n
		if (i+1)*curvePoints/len(damages) > i*curvePoints/len(damages) {
			d.Curve = append(d.Curve, CurvePoint{i + 1, d.Total})
		}
	}
	return nil
}

// nextOfDay finds the next n pairs for an account's day.
func (tx *Tx) nextOfDay(ctx context.Context, d ReviewDay, entities []string, n int) (list []QueuedPair, err error) {
	for _, entity := range entities {
		err := tx.query(ctx, queueColumns+` FROM queue q WHERE q.entity = $1 AND q.until <= $2 AND q.assigned IN ('', $3) AND q.proposer <> $3
			AND NOT EXISTS (SELECT 1 FROM review_day_pair d WHERE d.day = $4 AND d.a = q.a AND d.b = q.b) ORDER BY q.rank_damage, q.a, q.b LIMIT $5`,
			[]any{entity, tx.now, d.Who, d.Day, n}, func(r *sql.Rows) error {
				p, err := scanQueued(r)
				list = append(list, p)
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	f := QueueFilter{}
	slices.SortFunc(list, func(p, q QueuedPair) int { return f.Place(p).Compare(f.Place(q)) })
	return list[:min(len(list), n)], nil
}

// dayPairs lists a set in its order.
func (db *DB) dayPairs(ctx context.Context, d ReviewDay) (pairs []DayPair, err error) {
	var chosen []int64
	err = db.view(ctx, `SELECT a, b, damage FROM review_day_pair WHERE who = $1 AND day = $2 AND entity = $3 ORDER BY n`, []any{d.Who, d.Day, d.Entity}, func(r *sql.Rows) error {
		var p DayPair
		err := r.Scan(&p.A, &p.B, &p.Damage)
		pairs = append(pairs, p)
		chosen = append(chosen, p.A)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pairs of a day: %w", err)
	}
	at := map[[2]int64]QueuedPair{}
	slices.Sort(chosen)
	err = viewIn(ctx, db, queueColumns+` FROM queue q WHERE q.a IN $LIST`, slices.Compact(chosen), func(r *sql.Rows) error {
		p, err := scanQueued(r)
		at[[2]int64{p.A, p.B}] = p
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pairs of a day: %w", err)
	}
	for i := range pairs {
		p := &pairs[i]
		p.Queued, p.Open = at[[2]int64{p.A, p.B}]
	}
	return pairs, nil
}

// QueueTotals are counts for one account.
type QueueTotals struct{ Mine, Overdue, Second, Skipped int }

// QueueTotals counts what an account's list shows.
func (db *DB) QueueTotals(ctx context.Context, who string) (t QueueTotals, err error) {
	now := formatTime(db.env.Clock.Now())
	for _, c := range []struct {
		q    string
		args []any
		into *int
	}{
		{`SELECT count(*) FROM queue WHERE assigned <> '' AND assigned = $1`, []any{who}, &t.Mine},
		{`SELECT count(*) FROM queue WHERE due <> '' AND due <= $1`, []any{now}, &t.Overdue},
		{`SELECT count(*) FROM queue WHERE proposer <> '' AND proposer <> $1`, []any{who}, &t.Second},
		{`SELECT count(*) FROM queue WHERE until <> '' AND until > $1`, []any{now}, &t.Skipped},
	} {
		if err := db.view(ctx, c.q, c.args, func(r *sql.Rows) error { return r.Scan(c.into) }); err != nil {
			return t, fmt.Errorf("count pairs to review: %w", err)
		}
	}
	return t, nil
}
