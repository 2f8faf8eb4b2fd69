package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"touchstone/internal/record"
)

// StopRun closes a run that was asked to stop between two pages: it is no
// failure, and goes on from its cursor.
func (db *DB) StopRun(ctx context.Context, id string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `UPDATE run SET state = 'interrupted', ended = $1 WHERE id = $2`, tx.now, id); err != nil {
			return err
		}
		return tx.say(ctx, id, "warn", "stopped between two pages; the next run goes on from there")
	})
}

// Success is the last run of one source (uid) and entity that came to its end.
type Success struct {
	Source, Entity string
	Started, Ended time.Time
}

// Successes gives the last good run of every source and entity.
func (db *DB) Successes(ctx context.Context) (list []Success, err error) {
	err = db.view(ctx, `SELECT source, entity, max(started), max(ended) FROM run WHERE state = 'done' GROUP BY source, entity ORDER BY source, entity`, nil, func(r *sql.Rows) error {
		var s Success
		var started, ended string
		if err := r.Scan(&s.Source, &s.Entity, &started, &ended); err != nil {
			return err
		}
		var err error
		if s.Started, err = record.ParseTime(started); err != nil {
			return err
		}
		s.Ended, err = record.ParseTime(ended)
		list = append(list, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("last good runs: %w", err)
	}
	return list, nil
}

// FirstRuns tells when each source (uid) was first pulled, well or not.
func (db *DB) FirstRuns(ctx context.Context) (map[string]time.Time, error) {
	return db.times(ctx, `SELECT source, min(started) FROM run GROUP BY source`)
}

// OldestPending tells since when the oldest pending write of each target waits.
func (db *DB) OldestPending(ctx context.Context) (map[string]time.Time, error) {
	kept, err := db.tallies(ctx, tallyOutbox)
	if err != nil {
		return nil, err
	}
	out := map[string]time.Time{}
	for _, t := range kept {
		if _, known := out[t.a]; known || t.b != Pending {
			continue
		}
		one, err := db.times(ctx, `SELECT target, at FROM outbox WHERE target = $1 AND state = 'pending' ORDER BY at LIMIT 1`, t.a)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, one)
	}
	return out, nil
}

func (db *DB) times(ctx context.Context, q string, args ...any) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	err := db.view(ctx, q, args, func(r *sql.Rows) error {
		var name, at string
		if err := r.Scan(&name, &at); err != nil {
			return err
		}
		t, err := record.ParseTime(at)
		out[name] = t
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read times: %w", err)
	}
	return out, nil
}

// FailingRow is a write that did not go as planned, without its values.
type FailingRow struct {
	Target    string `json:"target"`
	Row       string `json:"row"`
	State     string `json:"state"`
	Op        string `json:"op"`
	Object    string `json:"object,omitempty"` // the target's id of it, where it has one
	Golden    string `json:"golden,omitempty"`
	Attempts  int    `json:"attempts"`
	NotBefore string `json:"not_before,omitempty"`
	Since     string `json:"since"`
	Problem   string `json:"problem"`
}

// FailingRows lists writes that wait after a failure, or ended in one, oldest
// first, at most n of each target.
func (db *DB) FailingRows(ctx context.Context, target string, n int) (list []FailingRow, err error) {
	seqs := map[string]int64{}
	// Each of these walks an index of its own from its beginning.
	for _, state := range []string{`'pending' AND o.error <> ''`, `'unknown'`, `'conflict'`, `'dead'`, `'rejected'`} {
		err = db.view(ctx, `SELECT o.seq, o.target, o.id, o.state, o.op, o.external_id, COALESCE(g.id, ''), o.attempt, o.not_before, o.at, o.error FROM outbox o
			LEFT JOIN golden g ON g.founder = o.founder WHERE o.target = $1 AND o.state = `+state+` ORDER BY o.seq LIMIT $2`,
			[]any{target, n}, func(r *sql.Rows) error {
				var f FailingRow
				var seq int64
				err := r.Scan(&seq, &f.Target, &f.Row, &f.State, &f.Op, &f.Object, &f.Golden, &f.Attempts, &f.NotBefore, &f.Since, &f.Problem)
				list, seqs[f.Row] = append(list, f), seq
				return err
			})
		if err != nil {
			return nil, fmt.Errorf("failing writes of %s: %w", target, err)
		}
	}
	slices.SortFunc(list, func(x, y FailingRow) int { return cmp.Compare(seqs[x.Row], seqs[y.Row]) })
	return list[:min(len(list), n)], nil
}

// BacklogCounts counts the records that wait, by source uid, entity and stage.
func (db *DB) BacklogCounts(ctx context.Context) (derive, resolve map[[2]string]int, err error) {
	kept, err := db.tallies(ctx, tallyBacklog)
	if err != nil {
		return nil, nil, err
	}
	derive, resolve = map[[2]string]int{}, map[[2]string]int{}
	for _, t := range kept {
		if t.c == strconv.Itoa(stageDerive) {
			derive[[2]string{t.b, t.a}] = t.n
		} else {
			resolve[[2]string{t.b, t.a}] = t.n
		}
	}
	return derive, resolve, nil
}

// Stats says how the one writer is doing: how often and how long work had to
// wait for it.
func (db *DB) Stats() sql.DBStats {
	db.mu.RLock()
	defer db.mu.RUnlock()
	s := db.write.Stats()
	s.WaitCount += db.turns.waits.Load()
	s.WaitDuration += time.Duration(db.turns.waited.Load())
	return s
}

// Ping asks the database whether it is there.
func (db *DB) Ping(ctx context.Context) error {
	return db.view(ctx, `SELECT 1`, nil, func(r *sql.Rows) error { return r.Scan(new(int)) })
}

// Now asks the database server for its time; zero on SQLite, which has none of
// its own.
func (db *DB) Now(ctx context.Context) (at time.Time, err error) {
	if db.d.name != "postgres" {
		return at, nil
	}
	err = db.view(ctx, `SELECT clock_timestamp()`, nil, func(r *sql.Rows) error { return r.Scan(&at) })
	return at.UTC(), err
}

// Version is the engine's name and version.
func (db *DB) Version(ctx context.Context) (v string, err error) {
	q := `SELECT 'SQLite ' || sqlite_version()`
	if db.d.name == "postgres" {
		q = `SELECT 'PostgreSQL ' || current_setting('server_version')`
	}
	err = db.view(ctx, q, nil, func(r *sql.Rows) error { return r.Scan(&v) })
	return v, err
}

// Integrity reads the whole store and reports what is damaged, at most ten
// places. PostgreSQL looks after its own pages; there every table is counted,
// which reads it. On both the kept counts are compared with what they count.
func (db *DB) Integrity(ctx context.Context) (damage []string, err error) {
	if db.d.name == "sqlite" {
		err = db.view(ctx, `PRAGMA integrity_check(10)`, nil, func(r *sql.Rows) error {
			var s string
			err := r.Scan(&s)
			if s != "ok" {
				damage = append(damage, s)
			}
			return err
		})
	} else {
		for _, t := range copiedTables() {
			if err := db.view(ctx, `SELECT count(*) FROM `+t, nil, func(r *sql.Rows) error { return r.Scan(new(int)) }); err != nil {
				damage = append(damage, fmt.Sprintf("table %s: %v", t, err))
			}
		}
	}
	if err != nil || len(damage) > 0 {
		return damage, err
	}
	if damage, err = db.tallyDrift(ctx); err != nil {
		return damage, err
	}
	strayed, err := db.strayed(ctx)
	return append(damage, strayed...), err
}
