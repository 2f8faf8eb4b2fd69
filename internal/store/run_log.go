package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"touchstone/internal/record"
)

const (
	keptLines = 200                 // of a run
	keptRuns  = 100                 // of a source and entity, however old
	keptFor   = 31 * 24 * time.Hour // all runs of so long
	forgotten = 500                 // at once
)

// RunLine is one thing that a run said. It names parts and numbers only.
type RunLine struct {
	N               int
	At, Level, Text string
}

// line tells the counts of a page; what did not happen is left out.
func (c Counts) line() string {
	parts := []string{fmt.Sprintf("pulled %d", c.Pulled)}
	for _, x := range []struct {
		name string
		n    int
	}{{"stored", c.Stored}, {"unchanged", c.Unchanged}, {"echo", c.Echo}, {"quarantined", c.Quarantined}, {"filtered", c.Filtered}} {
		if x.n != 0 {
			parts = append(parts, fmt.Sprintf("%s %d", x.name, x.n))
		}
	}
	return strings.Join(parts, ", ")
}

// say keeps a line of a run, and forgets what is too far back.
func (tx *Tx) say(ctx context.Context, run, level, text string) error {
	var n int
	if _, err := tx.one(ctx, `SELECT COALESCE(max(n), 0) + 1 FROM run_line WHERE run = $1`, []any{run}, &n); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `INSERT INTO run_line (run, n, at, level, text) VALUES ($1, $2, $3, $4, $5)`, run, n, tx.now, level, text); err != nil {
		return err
	}
	if n <= keptLines {
		return nil
	}
	_, err := tx.exec(ctx, `DELETE FROM run_line WHERE run = $1 AND n <= $2`, run, n-keptLines)
	return err
}

// SayRun keeps a line of a run: level is info, warn or error.
func (db *DB) SayRun(ctx context.Context, run, level, text string) error {
	err := db.inTx(ctx, func(tx *Tx) error { return tx.say(ctx, run, level, text) })
	if err != nil {
		return fmt.Errorf("line of run %s: %w", run, err)
	}
	return nil
}

// RunLines gives the last lines of a run in the order they were said.
func (db *DB) RunLines(ctx context.Context, run string) (list []RunLine, err error) {
	err = db.view(ctx, `SELECT n, at, level, text FROM run_line WHERE run = $1 ORDER BY n`, []any{run}, func(r *sql.Rows) error {
		var l RunLine
		err := r.Scan(&l.N, &l.At, &l.Level, &l.Text)
		list = append(list, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("lines of run %s: %w", run, err)
	}
	return list, nil
}

// RunFilter chooses runs; "" for all.
type RunFilter struct {
	Source string // uid
	State  string
	// Started and ID are those of the last run of the page before; "" for the
	// newest.
	Started, ID string
	Limit       int
}

// RunList lists runs, newest first. Their Source is the uid.
func (db *DB) RunList(ctx context.Context, f RunFilter) (list []Run, err error) {
	if f.Started == "" {
		f.Started = "~" // behind every time
	}
	err = db.view(ctx, runColumns+` WHERE (started < $1 OR started = $1 AND id < $2) AND ($3 = '' OR source = $3) AND ($4 = '' OR state = $4)
		ORDER BY started DESC, id DESC LIMIT $5`, []any{f.Started, f.ID, f.Source, f.State, f.Limit}, func(rows *sql.Rows) error {
		r, err := scanRun(rows)
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return list, nil
}

// RunShow reads one run. Its Source is the uid.
func (db *DB) RunShow(ctx context.Context, id string) (r Run, err error) {
	found := false
	err = db.view(ctx, runColumns+` WHERE id = $1`,
		[]any{id}, func(rows *sql.Rows) (err error) {
			found = true
			r, err = scanRun(rows)
			return err
		})
	switch {
	case err != nil:
		return r, fmt.Errorf("run %s: %w", id, err)
	case !found:
		return r, notFound("run", id)
	}
	return r, nil
}

// Took gives how long the last good runs of a source and entity took, and how
// many records they pulled, newest first, at most n.
func (db *DB) Took(ctx context.Context, source, entity string, n int) (took []time.Duration, pulled []int, err error) {
	err = db.view(ctx, `SELECT started, ended, pulled FROM run WHERE source = $1 AND entity = $2 AND state = 'done' ORDER BY started DESC LIMIT $3`,
		[]any{source, entity, n}, func(r *sql.Rows) error {
			var started, ended string
			var records int
			if err := r.Scan(&started, &ended, &records); err != nil {
				return err
			}
			a, err := record.ParseTime(started)
			if err != nil {
				return err
			}
			b, err := record.ParseTime(ended)
			took, pulled = append(took, b.Sub(a)), append(pulled, records)
			return err
		})
	if err != nil {
		return nil, nil, fmt.Errorf("past runs of %s: %w", source, err)
	}
	return took, pulled, nil
}

// forgetRuns forgets old runs of a source and entity with their lines. Their
// counts stay in the sums. The first run and the last good one are kept: what
// is known of a source rests on them.
func (tx *Tx) forgetRuns(ctx context.Context, source, entity string) error {
	before := formatTime(tx.db.env.Clock.Now().Add(-keptFor))
	var ids []string
	var sum Counts
	err := tx.query(ctx, `SELECT r.id, r.pulled, r.stored, r.unchanged, r.echo, r.quarantined, r.filtered FROM run r
		WHERE r.source = $1 AND r.entity = $2 AND r.state <> 'running' AND r.started < $3
		AND r.started > (SELECT min(x.started) FROM run x WHERE x.source = $1 AND x.entity = $2)
		AND r.started < COALESCE((SELECT max(x.started) FROM run x WHERE x.source = $1 AND x.entity = $2 AND x.state = 'done'), '')
		AND r.started < COALESCE((SELECT x.started FROM run x WHERE x.source = $1 AND x.entity = $2 ORDER BY x.started DESC LIMIT 1 OFFSET $4), '')
		ORDER BY r.started LIMIT $5`, []any{source, entity, before, keptRuns, forgotten}, func(r *sql.Rows) error {
		var id string
		var c Counts
		err := r.Scan(&id, &c.Pulled, &c.Stored, &c.Unchanged, &c.Echo, &c.Quarantined, &c.Filtered)
		ids, sum = append(ids, id), sum.Add(c)
		return err
	})
	if err != nil || len(ids) == 0 {
		return err
	}
	for _, q := range []string{`DELETE FROM run_line WHERE run IN $LIST`, `DELETE FROM run WHERE id IN $LIST`} {
		if err := execIn(ctx, tx, q, ids); err != nil {
			return err
		}
	}
	_, err = tx.exec(ctx, `INSERT INTO run_past (source, entity, runs, pulled, stored, unchanged, echo, quarantined, filtered) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (source, entity) DO UPDATE SET runs = run_past.runs + excluded.runs, pulled = run_past.pulled + excluded.pulled, stored = run_past.stored + excluded.stored,
		unchanged = run_past.unchanged + excluded.unchanged, echo = run_past.echo + excluded.echo, quarantined = run_past.quarantined + excluded.quarantined,
		filtered = run_past.filtered + excluded.filtered`,
		source, entity, len(ids), sum.Pulled, sum.Stored, sum.Unchanged, sum.Echo, sum.Quarantined, sum.Filtered)
	return err
}
