package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// The states of a trial.
const (
	TrialWaiting = "waiting" // to be worked out
	TrialRunning = "running"
	TrialReady   = "ready" // a person may take it or refuse it
	TrialFailed  = "failed"
	TrialRefused = "refused"
	TrialTaken   = "taken"
	TrialUndone  = "undone"
)

// Trial is a change of what is in force, worked out beside the store, and what
// became of it.
type Trial struct {
	ID, Entity, Kind string
	Asked            string // JSON: what would be in force
	Basis            int64  // generation that it is compared with
	State            string
	Stage            string // of the work
	Done, Whole      int
	Who, Why         string
	At, Ended        string
	Problem          string
	Plan             string // JSON; "" before it is ready
	Judge, Judged    string // who took or refused it, and why
	JudgedAt         string
	Generation       int64 // that it began, when it was taken
}

// AskTrial keeps a trial that is to be worked out.
func (db *DB) AskTrial(ctx context.Context, t Trial) (id string, err error) {
	id = "t" + db.env.ID()
	err = db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `INSERT INTO trial (id, entity, kind, asked, basis, state, who, why, at) VALUES ($1,$2,$3,$4,$5,'waiting',$6,$7,$8)`,
			id, t.Entity, t.Kind, t.Asked, t.Basis, t.Who, t.Why, tx.now)
		if err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{t.Who, "trial.asked", id, nil, []byte(t.Asked)}})
	})
	if err != nil {
		return "", fmt.Errorf("ask for a trial: %w", err)
	}
	return id, nil
}

const trialColumns = `SELECT id, entity, kind, asked, basis, state, stage, done, whole, who, why, at, ended, problem, plan, judge, judged, judged_at, generation FROM trial`

func (db *DB) trials(ctx context.Context, where string, args ...any) (list []Trial, err error) {
	err = db.view(ctx, trialColumns+where, args, func(r *sql.Rows) error {
		var t Trial
		err := r.Scan(&t.ID, &t.Entity, &t.Kind, &t.Asked, &t.Basis, &t.State, &t.Stage, &t.Done, &t.Whole, &t.Who, &t.Why, &t.At, &t.Ended, &t.Problem, &t.Plan, &t.Judge, &t.Judged, &t.JudgedAt, &t.Generation)
		list = append(list, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("trials: %w", err)
	}
	return list, nil
}

// Trials lists the trials of an entity type, or of all for "", the newest first.
func (db *DB) Trials(ctx context.Context, entity string, n int) ([]Trial, error) {
	return db.trials(ctx, ` WHERE $1 = '' OR entity = $1 ORDER BY at DESC, id LIMIT $2`, entity, n)
}

// TrialsIn lists the trials in one of some states, the oldest first.
func (db *DB) TrialsIn(ctx context.Context, states ...string) (list []Trial, err error) {
	for _, s := range states {
		part, err := db.trials(ctx, ` WHERE state = $1 ORDER BY at, id`, s)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	slices.SortFunc(list, func(x, y Trial) int { return cmp.Or(cmp.Compare(x.At, y.At), cmp.Compare(x.ID, y.ID)) })
	return list, nil
}

// Trial reads one.
func (db *DB) Trial(ctx context.Context, id string) (Trial, error) {
	list, err := db.trials(ctx, ` WHERE id = $1`, id)
	if err == nil && len(list) == 0 {
		err = notFound("trial", id)
	}
	if err != nil {
		return Trial{}, err
	}
	return list[0], nil
}

// NoteTrial keeps how far the work on a trial is, and says whether it is to go
// on: a person may have refused it meanwhile.
func (db *DB) NoteTrial(ctx context.Context, id, stage string, done, whole int) (wanted bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, `UPDATE trial SET state = 'running', stage = $2, done = $3, whole = $4 WHERE id = $1 AND state IN ('waiting', 'running')`, id, stage, done, whole)
		wanted = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("trial %s: %w", id, err)
	}
	return wanted, nil
}

// EndTrial keeps what was worked out, or why it could not be.
func (db *DB) EndTrial(ctx context.Context, id, plan, problem string) error {
	state := TrialReady
	if problem != "" {
		state = TrialFailed
	}
	err := db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE trial SET state = $2, plan = $3, problem = $4, ended = $5 WHERE id = $1 AND state IN ('waiting', 'running')`, id, state, plan, problem, tx.now)
		return err
	})
	if err != nil {
		return fmt.Errorf("trial %s: %w", id, err)
	}
	return nil
}

// TakeTrial puts in force what a trial asks for, in one transaction with that it
// was taken. It says false if the trial is not ready any more, or another
// generation is in force than the one it was compared with.
func (db *DB) TakeTrial(ctx context.Context, id string, a Activation) (taken bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		var basis, now int64
		found, err := tx.one(ctx, `SELECT basis FROM trial WHERE id = $1 AND state = 'ready'`+tx.db.d.lock, []any{id}, &basis)
		if err != nil || !found {
			return err
		}
		if _, err := tx.one(ctx, generationQuery, []any{a.Entity}, &now); err != nil || now != basis {
			return err
		}
		generation, err := tx.activate(ctx, a, false)
		if err != nil {
			return err
		}
		taken = true
		return tx.judgeTrial(ctx, id, TrialTaken, a.Who, a.Why, generation)
	})
	if err != nil {
		return false, fmt.Errorf("take trial %s: %w", id, err)
	}
	return taken, nil
}

// RefuseTrial keeps that a person does not want what a trial asks for; the work
// on it ends. It says false if it was judged already.
func (db *DB) RefuseTrial(ctx context.Context, id, who, why string) (refused bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		state := ""
		if _, err := tx.one(ctx, `SELECT state FROM trial WHERE id = $1`+tx.db.d.lock, []any{id}, &state); err != nil {
			return err
		}
		if refused = slices.Contains([]string{TrialWaiting, TrialRunning, TrialReady, TrialFailed}, state); !refused {
			return nil
		}
		return tx.judgeTrial(ctx, id, TrialRefused, who, why, 0)
	})
	if err != nil {
		return false, fmt.Errorf("refuse trial %s: %w", id, err)
	}
	return refused, nil
}

// UndoTrial puts in force again what was before a trial was taken. It says false
// if something else came into force after it, and of a trial that began no
// generation: the configuration says what rules are in force.
func (db *DB) UndoTrial(ctx context.Context, id string, before Activation) (undone bool, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		var own, now int64
		found, err := tx.one(ctx, `SELECT generation FROM trial WHERE id = $1 AND state = 'taken' AND generation > 0`+tx.db.d.lock, []any{id}, &own)
		if err != nil || !found {
			return err
		}
		if _, err := tx.one(ctx, generationQuery, []any{before.Entity}, &now); err != nil || now != own {
			return err
		}
		if _, err := tx.activate(ctx, before, false); err != nil {
			return err
		}
		undone = true
		return tx.judgeTrial(ctx, id, TrialUndone, before.Who, before.Why, own)
	})
	if err != nil {
		return false, fmt.Errorf("take trial %s back: %w", id, err)
	}
	return undone, nil
}

func (tx *Tx) judgeTrial(ctx context.Context, id, state, who, why string, generation int64) error {
	_, err := tx.exec(ctx, `UPDATE trial SET state = $2, judge = $3, judged = $4, judged_at = $5, generation = $6 WHERE id = $1`, id, state, who, why, tx.now, generation)
	if err != nil {
		return err
	}
	return tx.audit(ctx, []auditEntry{{who, "trial." + state, id, nil, nil}})
}

// WaitingOf counts the records of an entity type that wait to be derived or
// resolved.
func (db *DB) WaitingOf(ctx context.Context, entity string) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM backlog WHERE entity = $1`, []any{entity}, func(r *sql.Rows) error { return r.Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("backlog: %w", err)
	}
	return n, nil
}

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

// Sizes counts the golden records of an entity type by the number of their
// members.
func (db *DB) Sizes(ctx context.Context, entity string) (map[int]int, error) {
	out := map[int]int{}
	err := db.view(ctx, `SELECT members, count(*) FROM golden WHERE entity = $1 AND live > 0 GROUP BY members`, []any{entity}, func(r *sql.Rows) error {
		var members, n int
		err := r.Scan(&members, &n)
		out[members] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sizes of golden records: %w", err)
	}
	return out, nil
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

// Standing counts the records of an entity type that have features in force.
func (db *DB) Standing(ctx context.Context, entity string) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM feature WHERE entity = $1 AND version > 0`, []any{entity}, func(r *sql.Rows) error { return r.Scan(&n) })
	if err != nil {
		return 0, fmt.Errorf("count features of %s: %w", entity, err)
	}
	return n, nil
}
