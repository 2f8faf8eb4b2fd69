package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// queueFill marks an entity type whose whole queue is to be made anew.
const queueFill = "queue_fill/"

// queueRules is where the hash is kept of what the queue was valued by.
const queueRules = "queue_rules/"

// SpoilQueue marks the queue of an entity type as one to be made anew: before
// much is written that it would have to follow row by row.
func (db *DB) SpoilQueue(ctx context.Context, entity string) error {
	return db.inTx(ctx, func(tx *Tx) error { return tx.setSetting(ctx, queueFill+entity, "needed") })
}

// QueueRules compares the hash of what pairs are valued by with the one that
// the queue was made under; a change has it made anew.
func (db *DB) QueueRules(ctx context.Context, entity, hash string) error {
	if have, err := db.Setting(ctx, queueRules+entity); err != nil || have == hash {
		return err
	}
	return db.inTx(ctx, func(tx *Tx) error {
		have, err := tx.setting(ctx, queueRules+entity)
		if err != nil || have == hash {
			return err
		}
		if err := tx.setSetting(ctx, queueRules+entity, hash); err != nil || have == "" {
			return err
		}
		return tx.setSetting(ctx, queueFill+entity, "needed")
	})
}

// queueBatch is how many golden records are taken up in one transaction.
const queueBatch = 500

// FillQueue makes the whole queue of an entity type anew, if it is marked. It
// goes on where it was interrupted by beginning again.
func (db *DB) FillQueue(ctx context.Context, ap *Appraisal) error {
	needed, err := db.Setting(ctx, queueFill+ap.Entity)
	if err != nil || needed == "" {
		return err
	}
	if err := db.RemakeQueue(ctx, ap); err != nil {
		return err
	}
	return db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `DELETE FROM setting WHERE name = $1`, queueFill+ap.Entity)
		return err
	})
}

// RemakeQueue brings all open pairs of an entity type up to what follows from
// the facts. It holds two numbers a pair in memory.
func (db *DB) RemakeQueue(ctx context.Context, ap *Appraisal) error {
	var founders []int64
	add := func(r *sql.Rows) error {
		var x, y int64
		err := r.Scan(&x, &y)
		founders = append(founders, x, y)
		return err
	}
	for _, q := range []string{
		`SELECT x.golden, y.golden FROM match m JOIN crosswalk x ON x.rec = m.a JOIN crosswalk y ON y.rec = m.b JOIN source_record s ON s.rec = m.a
			WHERE x.golden <> y.golden AND s.entity = $1`,
		`SELECT x.golden, y.golden FROM bridge m JOIN crosswalk x ON x.rec = m.a JOIN crosswalk y ON y.rec = m.b JOIN source_record s ON s.rec = m.a
			WHERE x.golden <> y.golden AND s.entity = $1`,
		`SELECT x, y FROM queue WHERE entity = $1`,
	} {
		if err := db.view(ctx, q, []any{ap.Entity}, add); err != nil {
			return fmt.Errorf("make the queue of %s: %w", ap.Entity, err)
		}
		slices.Sort(founders)
		founders = slices.Compact(founders)
	}
	for part := range slices.Chunk(founders, queueBatch) {
		err := db.inTx(ctx, func(tx *Tx) error {
			if err := tx.lockFacts(ctx); err != nil {
				return err
			}
			return tx.RefreshQueue(ctx, ap, part)
		})
		if err != nil {
			return fmt.Errorf("make the queue of %s: %w", ap.Entity, err)
		}
	}
	return nil
}

// revalue puts the golden records that these events belong to on the queue's
// backlog, those of them that have open pairs.
func (tx *Tx) revalue(ctx context.Context, evs []int64) error {
	if waiting, err := tx.one(ctx, `SELECT 1 FROM queue LIMIT 1`, nil, new(int)); err != nil || !waiting {
		return err
	}
	err := execIn(ctx, tx, `INSERT INTO queue_backlog (founder) SELECT DISTINCT c.golden FROM event_of e JOIN crosswalk c ON c.rec = e.rec
		WHERE e.ev IN $LIST AND (EXISTS (SELECT 1 FROM queue q WHERE q.x = c.golden) OR EXISTS (SELECT 1 FROM queue q WHERE q.y = c.golden))
		ON CONFLICT (founder) DO NOTHING`, evs)
	if err != nil {
		return fmt.Errorf("customers to value anew: %w", err)
	}
	return nil
}

// TurnQueue takes the queue into the day of now: events that fall out of the
// year have their customers valued anew. The day never goes back.
func (db *DB) TurnQueue(ctx context.Context) error {
	today := formatTime(db.env.Clock.Now())[:len(time.DateOnly)]
	day, err := db.Setting(ctx, queueDay)
	if err != nil || day == "" || day >= today {
		return err
	}
	from, err := yearBefore(day)
	if err != nil {
		return err
	}
	to, err := yearBefore(today)
	if err != nil {
		return err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `INSERT INTO queue_backlog (founder) SELECT DISTINCT c.golden FROM event_of e JOIN crosswalk c ON c.rec = e.rec JOIN event_state s ON s.ev = e.ev
			WHERE s.at > $1 AND s.at <= $2 AND (EXISTS (SELECT 1 FROM queue q WHERE q.x = c.golden) OR EXISTS (SELECT 1 FROM queue q WHERE q.y = c.golden))
			ON CONFLICT (founder) DO NOTHING`, from, to)
		if err != nil {
			return err
		}
		return tx.setSetting(ctx, queueDay, today)
	})
	if err != nil {
		return fmt.Errorf("take the queue into the day: %w", err)
	}
	return nil
}

// DrainQueue values anew what waits on the queue's backlog, and says how many
// golden records that were.
func (db *DB) DrainQueue(ctx context.Context, appraisal func(entity string) *Appraisal) (n int, err error) {
	for {
		byEntity := map[string][]int64{}
		var all []int64
		err := db.view(ctx, `SELECT d.founder, COALESCE(g.entity, '') FROM queue_backlog d LEFT JOIN golden g ON g.founder = d.founder ORDER BY d.founder LIMIT $1`, []any{queueBatch}, func(r *sql.Rows) error {
			var f int64
			var entity string
			err := r.Scan(&f, &entity)
			all, byEntity[entity] = append(all, f), append(byEntity[entity], f)
			return err
		})
		if err != nil || len(all) == 0 {
			return n, err
		}
		err = db.inTx(ctx, func(tx *Tx) error {
			if err := tx.lockFacts(ctx); err != nil {
				return err
			}
			if err := execIn(ctx, tx, `DELETE FROM queue_backlog WHERE founder IN $LIST`, all); err != nil {
				return err
			}
			for _, entity := range sortedKeys(byEntity) {
				if ap := appraisal(entity); ap != nil {
					if err := tx.RefreshQueue(ctx, ap, byEntity[entity]); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return n, fmt.Errorf("value anew: %w", err)
		}
		n += len(all)
	}
}

// mostRequeued bounds the records of which a decision brings the queue up to
// date at once; of more the resolver does.
const mostRequeued = 2000

// Requeue brings the queue up to what was decided in this transaction.
func (tx *DecideTx) Requeue(ctx context.Context, appraisal func(entity string) *Appraisal) error {
	recs := slices.Compact(slices.Sorted(slices.Values(tx.turned)))
	tx.turned = nil
	if len(recs) == 0 {
		return nil
	}
	founders := map[int64]string{}
	members := 0
	err := eachIn(ctx, tx.Tx, `SELECT c.golden, g.entity, g.members FROM crosswalk c JOIN golden g ON g.founder = c.golden WHERE c.rec IN $LIST`, recs, func(r *sql.Rows) error {
		var f int64
		var entity string
		var n int
		err := r.Scan(&f, &entity, &n)
		if founders[f] == "" {
			members += n
		}
		founders[f] = entity
		return err
	})
	if err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	list := sortedKeys(founders)
	if members > mostRequeued {
		err := execIn(ctx, tx.Tx, `DELETE FROM queue WHERE x IN $LIST AND EXISTS (SELECT 1 FROM ruling r WHERE r.withdrawn = '' AND r.a = queue.a AND r.b = queue.b AND r.stale = 0)`, list)
		if err != nil {
			return fmt.Errorf("queue: %w", err)
		}
		return nil
	}
	byEntity := map[string][]int64{}
	for _, f := range list {
		byEntity[founders[f]] = append(byEntity[founders[f]], f)
	}
	for _, entity := range sortedKeys(byEntity) {
		ap := appraisal(entity)
		if ap == nil {
			return errors.New("queue: no entity type " + strings.ToValidUTF8(entity, "?"))
		}
		if err := tx.RefreshQueue(ctx, ap, byEntity[entity]); err != nil {
			return err
		}
	}
	return nil
}
