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
	Size    int    // of the raw record as it is stored, in bytes
	Raw     []byte // only where it is asked for
}

// quarantineColumns leave out the raw record, which may have any length.
const quarantineColumns = `SELECT q.id, q.rec, q.source, q.entity, q.external_id, q.version, q.state, q.at, v.place, q.who, q.why, q.reasons, COALESCE(length(v.raw), 0), s.salt
	FROM quarantine q JOIN source_record s ON s.rec = q.rec JOIN source_version v ON v.rec = q.rec AND v.version = q.version`

func (db *DB) scanQuarantine(r *sql.Rows) (Quarantined, error) {
	var q Quarantined
	var reasons, salt []byte
	err := r.Scan(&q.ID, &q.Rec, &q.Ref.Source, &q.Ref.Entity, &q.Ref.ID, &q.Version, &q.State, &q.At, &q.Place, &q.Who, &q.Why, &reasons, &q.Size, &salt)
	if err != nil {
		return q, err
	}
	if err := (&Tx{db: db}).openJSON(salt, reasons, &q.Reasons); err != nil {
		return q, fmt.Errorf("quarantine %s: %w", q.ID, err)
	}
	return q, nil
}

// QuarantinesOf gives rows by their ids, those that are there, in that order,
// without their raw records.
func (db *DB) QuarantinesOf(ctx context.Context, ids []string) (list []Quarantined, err error) {
	byID := make(map[string]Quarantined, len(ids))
	err = viewIn(ctx, db, quarantineColumns+` WHERE q.id IN $LIST`, ids, func(r *sql.Rows) error {
		q, err := db.scanQuarantine(r)
		byID[q.ID] = q
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list quarantine: %w", err)
	}
	for _, id := range ids {
		if q, ok := byID[id]; ok {
			list = append(list, q)
		}
	}
	return list, nil
}

// withRaw reads the raw records of rows.
func (db *DB) withRaw(ctx context.Context, list []Quarantined) error {
	at, ids := make(map[string]int, len(list)), make([]string, len(list))
	for i, q := range list {
		at[q.ID], ids[i] = i, q.ID
	}
	err := viewIn(ctx, db, `SELECT q.id, v.raw, s.salt FROM quarantine q JOIN source_record s ON s.rec = q.rec
		JOIN source_version v ON v.rec = q.rec AND v.version = q.version WHERE q.id IN $LIST`, ids, func(r *sql.Rows) error {
		var id string
		var raw, salt []byte
		if err := r.Scan(&id, &raw, &salt); err != nil {
			return err
		}
		open, err := db.vault.Open(salt, raw)
		list[at[id]].Raw = open
		return err
	})
	if err != nil {
		return fmt.Errorf("raw records of the quarantine: %w", err)
	}
	return nil
}

// QuarantineShow gives one row with its raw record.
func (db *DB) QuarantineShow(ctx context.Context, id string) (q Quarantined, err error) {
	list, err := db.QuarantinesOf(ctx, []string{id})
	switch {
	case err != nil:
		return q, err
	case len(list) == 0:
		return q, notFound("quarantine row", id)
	}
	err = db.withRaw(ctx, list)
	return list[0], err
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
