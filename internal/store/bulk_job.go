package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// The states of a bulk job.
const (
	BulkRunning = "running"
	BulkStopped = "stopped"
	BulkDone    = "done"
	BulkUndone  = "undone"
)

// BulkJob is one answer to many pairs.
type BulkJob struct {
	ID, Answer, Who, Why string
	Query                string // the question, as JSON
	State                string
	At, Ended            string
	Problem, Undo        string
	Pairs                int
	Decided, Skipped     int
}

// BulkPair is a pair of a job, with what stood there when it was chosen.
type BulkPair struct {
	N    int
	A, B int64
	Seen string
}

// StartBulk keeps a job with its pairs; they are worked on in their order.
func (tx *DecideTx) StartBulk(ctx context.Context, j BulkJob, pairs []BulkPair) (id string, err error) {
	id = "b" + tx.db.env.ID()
	_, err = tx.exec(ctx, `INSERT INTO bulk_job (id, answer, who, why, query, state, at) VALUES ($1,$2,$3,$4,$5,'running',$6)`, id, j.Answer, j.Who, j.Why, j.Query, tx.now)
	if err != nil {
		return "", fmt.Errorf("bulk job: %w", err)
	}
	rows := make([][]any, len(pairs))
	for i, p := range pairs {
		rows[i] = []any{id, i, p.A, p.B, p.Seen, "waiting"}
	}
	if err := tx.insert(ctx, `INSERT INTO bulk_pair (job, n, a, b, seen, state)`, "", rows); err != nil {
		return "", fmt.Errorf("pairs of a bulk job: %w", err)
	}
	return id, tx.audit(ctx, []auditEntry{{j.Who, "bulk.start", id, nil, nil}})
}

// NextBulk gives the next pair of a running job; found is false when the job is
// not running, or has none left and is done now.
func (tx *DecideTx) NextBulk(ctx context.Context, id string) (p BulkPair, found bool, err error) {
	state := ""
	if _, err := tx.one(ctx, `SELECT state FROM bulk_job WHERE id = $1`+tx.db.d.lock, []any{id}, &state); err != nil || state != BulkRunning {
		return p, false, err
	}
	found, err = tx.one(ctx, `SELECT n, a, b, seen FROM bulk_pair WHERE job = $1 AND state = 'waiting' ORDER BY n LIMIT 1`, []any{id}, &p.N, &p.A, &p.B, &p.Seen)
	if err != nil || found {
		return p, found, err
	}
	_, err = tx.exec(ctx, `UPDATE bulk_job SET state = 'done', ended = $1 WHERE id = $2`, tx.now, id)
	return p, false, err
}

// EndBulkPair notes what became of a pair, in the transaction that decided it.
func (tx *DecideTx) EndBulkPair(ctx context.Context, id string, n int, state, decision string) error {
	_, err := tx.exec(ctx, `UPDATE bulk_pair SET state = $1, decision = $2 WHERE job = $3 AND n = $4`, state, decision, id, n)
	if err != nil {
		return fmt.Errorf("pair of a bulk job: %w", err)
	}
	return nil
}

// Apart runs fn so that its error takes back what it did, and nothing else of
// the transaction.
func (tx *DecideTx) Apart(ctx context.Context, fn func() error) error {
	turned := len(tx.turned)
	err := tx.apart(ctx, fn)
	if err != nil {
		tx.turned = tx.turned[:turned]
	}
	return err
}

// TurnBulk takes a job from one of some states to another, and says whether it
// was in one of them.
func (tx *DecideTx) TurnBulk(ctx context.Context, id, who, to string, from ...string) (turned bool, err error) {
	state := ""
	found, err := tx.one(ctx, `SELECT state FROM bulk_job WHERE id = $1`+tx.db.d.lock, []any{id}, &state)
	if err != nil || !found {
		return false, fmt.Errorf("bulk job: %w", cmp.Or(err, notFound("bulk job", id)))
	}
	if !slices.Contains(from, state) {
		return false, nil
	}
	ended := tx.now
	if to == BulkRunning {
		ended = ""
	}
	if _, err := tx.exec(ctx, `UPDATE bulk_job SET state = $1, ended = $2 WHERE id = $3`, to, ended, id); err != nil {
		return false, fmt.Errorf("bulk job: %w", err)
	}
	return true, tx.audit(ctx, []auditEntry{{who, "bulk." + to, id, nil, nil}})
}

// BulkUndo keeps the decision that took a job back.
func (tx *DecideTx) BulkUndo(ctx context.Context, id, decision string) error {
	_, err := tx.exec(ctx, `UPDATE bulk_job SET undo = $1 WHERE id = $2`, decision, id)
	return err
}

// BulkDecisions lists the decisions of a job that are in force.
func (tx *DecideTx) BulkDecisions(ctx context.Context, id string) (ids []string, err error) {
	err = tx.query(ctx, `SELECT p.decision FROM bulk_pair p JOIN decision d ON d.id = p.decision AND d.withdrawn = '' WHERE p.job = $1 AND p.state = 'decided' ORDER BY p.n`, []any{id}, func(r *sql.Rows) error {
		var d string
		err := r.Scan(&d)
		ids = append(ids, d)
		return err
	})
	return ids, err
}

const bulkColumns = `SELECT j.id, j.answer, j.who, j.why, j.query, j.state, j.at, j.ended, j.problem, j.undo,
	(SELECT count(*) FROM bulk_pair p WHERE p.job = j.id), (SELECT count(*) FROM bulk_pair p WHERE p.job = j.id AND p.state = 'decided'),
	(SELECT count(*) FROM bulk_pair p WHERE p.job = j.id AND p.state = 'skipped') FROM bulk_job j`

// bulkLooked is how many jobs are looked at for those that are reached.
const bulkLooked = 500

// BulkJobs lists jobs all of whose pairs are reached, the newest first; of one
// state unless that is "". Of who reaches some customers alone they are among the
// newest ones.
func (db *DB) BulkJobs(ctx context.Context, state string, reach Reach, n int) ([]BulkJob, error) {
	if reach != nil {
		ids, err := keysOf[string](ctx, db, `SELECT j.id FROM bulk_job j WHERE ($1 = '' OR j.state = $1) ORDER BY j.at DESC, j.id LIMIT $2`, state, bulkLooked)
		if err != nil {
			return nil, fmt.Errorf("bulk jobs: %w", err)
		}
		ids, _, err = sift(ids, n, func(part []string) (map[string]bool, error) { return db.BulkReached(ctx, reach, part) })
		if err != nil {
			return nil, err
		}
		list := make([]BulkJob, len(ids))
		for i, id := range ids {
			if list[i], err = db.BulkJob(ctx, id); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	if state == "" {
		return db.bulkJobs(ctx, ` ORDER BY j.at DESC, j.id LIMIT $1`, n)
	}
	return db.bulkJobs(ctx, ` WHERE j.state = $1 ORDER BY j.at DESC, j.id LIMIT $2`, state, n)
}

// BulkJob reads one job.
func (db *DB) BulkJob(ctx context.Context, id string) (BulkJob, error) {
	list, err := db.bulkJobs(ctx, ` WHERE j.id = $1`, id)
	if err == nil && len(list) == 0 {
		err = notFound("bulk job", id)
	}
	if err != nil {
		return BulkJob{}, err
	}
	return list[0], nil
}

func (db *DB) bulkJobs(ctx context.Context, where string, args ...any) (list []BulkJob, err error) {
	err = db.view(ctx, bulkColumns+where, args, func(r *sql.Rows) error {
		var j BulkJob
		err := r.Scan(&j.ID, &j.Answer, &j.Who, &j.Why, &j.Query, &j.State, &j.At, &j.Ended, &j.Problem, &j.Undo, &j.Pairs, &j.Decided, &j.Skipped)
		list = append(list, j)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bulk jobs: %w", err)
	}
	return list, nil
}

// MembersBySource counts the source records of golden records by source uid.
func (db *DB) MembersBySource(ctx context.Context, founders []int64) (map[string]int, error) {
	out := map[string]int{}
	err := viewIn(ctx, db, `SELECT s.source, count(*) FROM crosswalk c JOIN source_record s ON s.rec = c.rec WHERE s.deleted = 0 AND c.golden IN $LIST GROUP BY s.source`, founders, func(r *sql.Rows) error {
		var uid string
		var n int
		err := r.Scan(&uid, &n)
		out[uid] += n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count source records: %w", err)
	}
	return out, nil
}
