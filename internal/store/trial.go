package store

import (
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

func scanTrial(into *[]Trial) rowScan {
	return func(r *sql.Rows) error {
		var t Trial
		err := r.Scan(&t.ID, &t.Entity, &t.Kind, &t.Asked, &t.Basis, &t.State, &t.Stage, &t.Done, &t.Whole, &t.Who, &t.Why, &t.At, &t.Ended, &t.Problem, &t.Plan, &t.Judge, &t.Judged, &t.JudgedAt, &t.Generation)
		*into = append(*into, t)
		return err
	}
}

func (db *DB) trials(ctx context.Context, where string, args ...any) (list []Trial, err error) {
	err = db.view(ctx, trialColumns+where, args, scanTrial(&list))
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
	err = viewIn(ctx, db, trialColumns+` WHERE state IN $LIST ORDER BY at, id`, states, scanTrial(&list))
	if err != nil {
		return nil, fmt.Errorf("trials: %w", err)
	}
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

// FillTrial keeps what a trial has come to ask for, once that was worked out.
func (db *DB) FillTrial(ctx context.Context, id, asked string) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `UPDATE trial SET asked = $2 WHERE id = $1 AND state IN ('waiting', 'running')`, id, asked)
		return err
	})
	if err != nil {
		return fmt.Errorf("trial %s: %w", id, err)
	}
	return nil
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
