package store

import (
	"context"
	"database/sql"
	"fmt"
)

// StartRun opens a run of one source and entity. A run that was left open by a
// crash is closed as interrupted.
func (db *DB) StartRun(ctx context.Context, source, entity string) (id string, err error) {
	id = db.env.ID()
	err = db.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `UPDATE run SET state = 'interrupted', ended = $1 WHERE source = $2 AND entity = $3 AND state = 'running'`, tx.now, source, entity); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `INSERT INTO run (id, source, entity, started, state) VALUES ($1, $2, $3, $4, 'running')`, id, source, entity, tx.now); err != nil {
			return err
		}
		return tx.forgetRuns(ctx, source, entity)
	})
	if err != nil {
		return "", fmt.Errorf("start run: %w", err)
	}
	return id, nil
}

// EndRun closes a run, as failed when there is an error text.
func (db *DB) EndRun(ctx context.Context, id, problem string) error {
	state := "done"
	if problem != "" {
		state = "failed"
	}
	return db.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `UPDATE run SET state = $1, error = $2, ended = $3 WHERE id = $4`, state, problem, tx.now, id); err != nil {
			return err
		}
		if problem != "" {
			return tx.say(ctx, id, "error", problem)
		}
		return tx.say(ctx, id, "info", "ended")
	})
}

func (tx *Tx) countRun(ctx context.Context, id string, c Counts) error {
	if id == "" {
		return nil
	}
	_, err := tx.exec(ctx, `UPDATE run SET pulled = pulled + $1, stored = stored + $2, unchanged = unchanged + $3,
		echo = echo + $4, quarantined = quarantined + $5, filtered = filtered + $6 WHERE id = $7`,
		c.Pulled, c.Stored, c.Unchanged, c.Echo, c.Quarantined, c.Filtered, id)
	if err != nil {
		return err
	}
	return tx.say(ctx, id, "info", c.line())
}

// Run is one pull of one source and entity.
type Run struct {
	ID, Source, Entity, Started, Ended, State, Error string
	Counts
}

// runColumns are what scanRun reads; Source is the uid.
const runColumns = `SELECT id, source, entity, started, ended, state, error, pulled, stored, unchanged, echo, quarantined, filtered FROM run`

func scanRun(rows *sql.Rows) (r Run, err error) {
	err = rows.Scan(&r.ID, &r.Source, &r.Entity, &r.Started, &r.Ended, &r.State, &r.Error,
		&r.Pulled, &r.Stored, &r.Unchanged, &r.Echo, &r.Quarantined, &r.Filtered)
	return r, err
}

// LastRuns gives the newest run of every source and entity.
func (db *DB) LastRuns(ctx context.Context) (list []Run, err error) {
	err = db.view(ctx, `SELECT r.id, COALESCE(s.name, r.source), r.entity, r.started, r.ended, r.state, r.error,
			r.pulled, r.stored, r.unchanged, r.echo, r.quarantined, r.filtered
		FROM (SELECT source, entity, max(started) AS started FROM run GROUP BY source, entity) l
		JOIN run r ON r.source = l.source AND r.entity = l.entity AND r.started = l.started LEFT JOIN source s ON s.uid = r.source
		ORDER BY 2, r.entity, r.id`, nil, func(rows *sql.Rows) error {
		r, err := scanRun(rows)
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("last runs: %w", err)
	}
	return list, nil
}

// RunCounts sums the counts of all runs since a time in TimeLayout.
func (db *DB) RunCounts(ctx context.Context, since string) (c Counts, err error) {
	err = db.view(ctx, `SELECT COALESCE(sum(pulled),0), COALESCE(sum(stored),0), COALESCE(sum(unchanged),0),
			COALESCE(sum(echo),0), COALESCE(sum(quarantined),0), COALESCE(sum(filtered),0) FROM run WHERE started >= $1`,
		[]any{since}, func(r *sql.Rows) error {
			return r.Scan(&c.Pulled, &c.Stored, &c.Unchanged, &c.Echo, &c.Quarantined, &c.Filtered)
		})
	return c, err
}

// PassDone says whether a source's entity was ever pulled to its end.
func (db *DB) PassDone(ctx context.Context, source, entity string) (done bool, err error) {
	err = db.view(ctx, `SELECT 1 FROM run WHERE source = $1 AND entity = $2 AND state = 'done' LIMIT 1`, []any{source, entity},
		func(r *sql.Rows) error { done = true; return nil })
	return done, err
}
