package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
)

// The states of an outbox row. A retry is pending with a time before which it
// is not sent.
const (
	Pending    = "pending"
	Inflight   = "inflight"   // committed before the first byte left
	Unknown    = "unknown"    // sent; whether it was applied is not known
	Delivered  = "delivered"  // applied, and read back where that can be
	Rejected   = "rejected"   // the target will never take it
	Conflicted = "conflict"   // the object was not what we thought
	Dead       = "dead"       // given up after too many attempts
	Superseded = "superseded" // a newer row took its place, or nothing was left to write
)

// Object is a source record as a target's object: what stands there by the
// last reading.
type Object struct {
	Rec        int64
	ExternalID string
	Etag       string
	Seq        int64 // of the version
	Deleted    bool
	Raw        []byte
	salt       []byte
}

// Row is one change waiting for one system.
type Row struct {
	Seq          int64
	ID           string
	Target       string
	System       string
	Entity       string
	Op           string
	Founder      int64
	Rec          int64
	ExternalID   string
	Key          string
	Fields       map[string]json.RawMessage // target path → value
	Base         map[string]json.RawMessage // what stood there when it was planned
	Got          map[string]json.RawMessage
	Wanted       []byte
	Refusal      []byte
	Precondition string
	State        string
	Attempt      int
	SentSeq      int64
	SentAt       string
	NotBefore    string
	ZombieUntil  string
	Verified     bool
	Error        string
	At           string
	SettledAt    string
	WaitsOn      int64 // founder whose create comes first; 0 for none
	Dropped      bool  // a person does not want it written
	Held         bool  // a person let other rows of its plan go, and not yet this one
	sealedBy     int64
}

// Objects loads the current versions of records.
func (tx *LinkTx) Objects(ctx context.Context, recs []int64) (map[int64]Object, error) {
	out := make(map[int64]Object, len(recs))
	err := eachIn(ctx, tx.Tx, `SELECT s.rec, s.external_id, s.etag, v.seq, s.deleted, v.raw, s.salt FROM source_record s
		JOIN source_version v ON v.rec = s.rec AND v.version = s.version WHERE v.problem = '' AND s.rec IN $LIST`, recs, func(r *sql.Rows) error {
		var o Object
		var raw []byte
		if err := r.Scan(&o.Rec, &o.ExternalID, &o.Etag, &o.Seq, &o.Deleted, &raw, &o.salt); err != nil {
			return err
		}
		var err error
		if o.Raw, err = tx.db.vault.Open(o.salt, raw); err != nil {
			return fmt.Errorf("record %d: %w", o.Rec, err)
		}
		out[o.Rec] = o
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("target objects: %w", err)
	}
	return out, nil
}

const rowColumns = `SELECT o.seq, o.id, o.target, o.system, o.entity, o.op, o.founder, o.rec, o.external_id, o.key, o.sealed_by, o.fields, o.base, o.got,
	o.wanted, o.refusal, o.precondition, o.state, o.attempt, o.sent_seq, o.sent_at, o.not_before, o.zombie_until, o.verified, o.error, o.at, o.settled_at, o.waits_on, o.dropped, o.held, s.salt
	FROM outbox o LEFT JOIN source_record s ON s.rec = o.sealed_by`

func (db *DB) scanRow(r *sql.Rows) (Row, error) {
	var o Row
	var fields, base, got, salt []byte
	err := r.Scan(&o.Seq, &o.ID, &o.Target, &o.System, &o.Entity, &o.Op, &o.Founder, &o.Rec, &o.ExternalID, &o.Key, &o.sealedBy, &fields, &base, &got,
		&o.Wanted, &o.Refusal, &o.Precondition, &o.State, &o.Attempt, &o.SentSeq, &o.SentAt, &o.NotBefore, &o.ZombieUntil, &o.Verified, &o.Error, &o.At, &o.SettledAt, &o.WaitsOn, &o.Dropped, &o.Held, &salt)
	if err != nil {
		return o, err
	}
	tx := &Tx{db: db}
	for _, part := range []struct {
		sealed []byte
		into   *map[string]json.RawMessage
	}{{fields, &o.Fields}, {base, &o.Base}, {got, &o.Got}} {
		if err := tx.openJSON(salt, part.sealed, part.into); err != nil {
			return o, fmt.Errorf("outbox row %s: %w", o.ID, err)
		}
	}
	return o, nil
}

// RowsOf loads every outbox row of objects for one target, and every create of
// founders; of each, oldest first. What a create writes is not read.
func (tx *LinkTx) RowsOf(ctx context.Context, target string, objects, founders []int64) ([]Row, error) {
	var list []Row
	if tx.Untouched {
		return nil, nil
	}
	seen := map[int64]bool{}
	keep := func(o Row, err error) error {
		if err == nil && !seen[o.Seq] {
			seen[o.Seq] = true
			list = append(list, o)
		}
		return err
	}
	// Most rows are of no record (0) before their creates are read: the planner is
	// told that those are not asked for.
	err := eachIn(ctx, tx.Tx, rowColumns+` WHERE o.target = $X1 AND o.rec > 0 AND o.rec IN $LIST ORDER BY o.seq`, objects, func(r *sql.Rows) error {
		return keep(tx.db.scanRow(r))
	}, target)
	if err != nil {
		return nil, fmt.Errorf("outbox rows of objects: %w", err)
	}
	err = eachIn(ctx, tx.Tx, `SELECT o.seq, o.op, o.founder, o.rec, o.external_id, o.key, o.wanted, o.state, o.waits_on, o.dropped FROM outbox o
		WHERE o.target = $X1 AND o.op <> 'update' AND o.founder IN $LIST ORDER BY o.seq`, founders, func(r *sql.Rows) error {
		o := Row{Target: target}
		err := r.Scan(&o.Seq, &o.Op, &o.Founder, &o.Rec, &o.ExternalID, &o.Key, &o.Wanted, &o.State, &o.WaitsOn, &o.Dropped)
		return keep(o, err)
	}, target)
	if err != nil {
		return nil, fmt.Errorf("outbox rows that create: %w", err)
	}
	return list, nil
}

// TargetState is what is known of one object beside its record.
type TargetState struct {
	Repr    map[string]Representation
	Refused []byte
}

// Representation is what the target made of a value of ours.
type Representation struct {
	Sent json.RawMessage `json:"sent"`
	Got  json.RawMessage `json:"got"`
}

// TargetStates loads what is known of a target's objects.
func (tx *LinkTx) TargetStates(ctx context.Context, target string, recs []int64) (map[int64]TargetState, error) {
	out := map[int64]TargetState{}
	err := eachIn(ctx, tx.Tx, `SELECT t.rec, t.repr, t.refused, s.salt FROM target_state t JOIN source_record s ON s.rec = t.rec
		WHERE t.target = $X1 AND t.rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec int64
		var t TargetState
		var repr, salt []byte
		if err := r.Scan(&rec, &repr, &t.Refused, &salt); err != nil {
			return err
		}
		if err := tx.openJSON(salt, repr, &t.Repr); err != nil {
			return err
		}
		out[rec] = t
		return nil
	}, target)
	if err != nil {
		return nil, fmt.Errorf("target state: %w", err)
	}
	return out, nil
}

// AddRows writes new outbox rows in the order given and supersedes older ones.
func (tx *LinkTx) AddRows(ctx context.Context, rows []Row, superseded []int64) error {
	if err := tx.lockFacts(ctx); err != nil {
		return err
	}
	if err := tx.supersede(ctx, superseded); err != nil {
		return err
	}
	if len(rows) == 0 {
		return nil
	}
	seq, err := tx.nextSeq(ctx, len(rows))
	if err != nil {
		return err
	}
	salts, err := tx.salts(ctx, rows)
	if err != nil {
		return err
	}
	held, err := tx.heldBefore(ctx, superseded)
	if err != nil {
		return err
	}
	shapes, err := tx.shapes(ctx, rows)
	if err != nil {
		return err
	}
	var out [][]any
	var entries []auditEntry
	for i, o := range rows {
		id, by := tx.db.env.ID(), o.sealer()
		fields, err := tx.sealJSON(salts[by], "fields"+id, o.Fields)
		if err != nil {
			return err
		}
		base, err := tx.sealJSON(salts[by], "base"+id, o.Base)
		if err != nil {
			return err
		}
		out = append(out, []any{
			seq + int64(i), id, o.Target, o.System, o.Entity, o.Op, o.Founder, o.Rec, o.ExternalID, o.Key, by, fields, base,
			[]byte{},
			o.Wanted, o.Refusal, "", Pending, 0, 0, "", "", "", false, o.Error, tx.now, "", o.WaitsOn, held[o.object()], shapes[i],
		})
		entries = append(entries, auditEntry{"touchstone", "outbox.plan", id, nil, o.Wanted})
	}
	err = tx.insert(ctx, `INSERT INTO outbox (seq, id, target, system, entity, op, founder, rec, external_id, key, sealed_by, fields, base, got,
		wanted, refusal, precondition, state, attempt, sent_seq, sent_at, not_before, zombie_until, verified, error, at, settled_at, waits_on, held, shape)`, "", out)
	if err != nil {
		return fmt.Errorf("outbox rows: %w", err)
	}
	return tx.audit(ctx, entries)
}

// sealer is the record whose data key seals the row.
func (o Row) sealer() int64 {
	if o.Rec != 0 {
		return o.Rec
	}
	return o.Founder
}

func (tx *Tx) salts(ctx context.Context, rows []Row) (map[int64][]byte, error) {
	recs := make([]int64, len(rows))
	for i, o := range rows {
		recs[i] = o.sealer()
	}
	out := map[int64][]byte{}
	err := eachIn(ctx, tx, `SELECT rec, salt FROM source_record WHERE rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec int64
		var salt []byte
		err := r.Scan(&rec, &salt)
		out[rec] = salt
		return err
	})
	return out, err
}

func (tx *Tx) sealJSON(salt []byte, place string, v map[string]json.RawMessage) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return tx.db.vault.Seal(salt, place, plain)
}
