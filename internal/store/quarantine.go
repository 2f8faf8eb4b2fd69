package store

import (
	"context"
	"database/sql"
	"fmt"

	"touchstone/internal/record"
	"touchstone/internal/say"
)

// Quarantined is one version that did not pass.
type Quarantined struct {
	ID      string
	Rec     int64
	Ref     record.Ref // Source is the uid
	Version int
	State   string // open | released | superseded | mended | gone
	At      string
	Place   string
	Who     string
	Why     string
	Reasons []record.Reason
	Raw     []byte // only where it is asked for
}

const quarantineColumns = `SELECT q.id, q.rec, q.source, q.entity, q.external_id, q.version, q.state, q.at, v.place, q.who, q.why, q.reasons, v.raw, s.salt
	FROM quarantine q JOIN source_record s ON s.rec = q.rec JOIN source_version v ON v.rec = q.rec AND v.version = q.version`

func (db *DB) scanQuarantine(r *sql.Rows) (Quarantined, error) {
	var q Quarantined
	var reasons, raw, salt []byte
	err := r.Scan(&q.ID, &q.Rec, &q.Ref.Source, &q.Ref.Entity, &q.Ref.ID, &q.Version, &q.State, &q.At, &q.Place, &q.Who, &q.Why, &reasons, &raw, &salt)
	if err != nil {
		return q, err
	}
	if err := (&Tx{db: db}).openJSON(salt, reasons, &q.Reasons); err != nil {
		return q, fmt.Errorf("quarantine %s: %w", q.ID, err)
	}
	q.Raw, err = db.vault.Open(salt, raw)
	return q, err
}

// QuarantineShow gives one row with its raw record.
func (db *DB) QuarantineShow(ctx context.Context, id string) (q Quarantined, err error) {
	err = db.view(ctx, quarantineColumns+` WHERE q.id = $1`, []any{id}, func(r *sql.Rows) error {
		q, err = db.scanQuarantine(r)
		return err
	})
	if err == nil && q.ID == "" {
		err = notFound("quarantine row", id)
	}
	return q, err
}

// ErrUnreadable says that a quarantined record cannot be released, because
// there is nothing in it to work with.
var ErrUnreadable error = refused("the record could not be read at all: mend it at the source, it is read again with the next pull")

// Release lets a version pass in spite of its reasons: a person's decision,
// kept as a fact.
func (db *DB) Release(ctx context.Context, id, who, why string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		var rec int64
		var entity, problem, state string
		found, err := tx.one(ctx, `SELECT q.rec, q.entity, v.problem, q.state FROM quarantine q
			JOIN source_version v ON v.rec = q.rec AND v.version = q.version WHERE q.id = $1`, []any{id}, &rec, &entity, &problem, &state)
		switch {
		case err != nil:
			return err
		case !found:
			return notFound("quarantine row", id)
		case state != "open":
			return refused("quarantine row %s is %s, only an open one can be released", id, say.Word{Group: "qstate", Name: state})
		case problem != "" && problem != DuplicateProblem: // a double is put aside by it, never current
			return fmt.Errorf("quarantine row %s: %w", id, ErrUnreadable)
		}
		if _, err := tx.exec(ctx, `UPDATE quarantine SET state = 'released', who = $1, why = $2 WHERE id = $3`, who, why, id); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM quarantine_fault WHERE id = $1`, id); err != nil {
			return err
		}
		seq, err := tx.nextSeq(ctx, 1)
		if err != nil {
			return err
		}
		if err := tx.enqueue(ctx, [][]any{{rec, stageDerive, entity, seq}}); err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{who, "quarantine.release", id, nil, nil}})
	})
}
