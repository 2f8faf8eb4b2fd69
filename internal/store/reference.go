package store

import (
	"context"
	"database/sql"
	"fmt"
)

// FarEnd is an edge of a source record with the golden record at its other end.
type FarEnd struct {
	Rec     int64 // the record that says so
	N       int
	Kind    string
	Since   string
	Ended   bool
	Founder int64 // of the other golden record; 0 while it has not landed
}

// FarEnds loads the edges of records.
func (tx *LinkTx) FarEnds(ctx context.Context, recs []int64) (list []FarEnd, err error) {
	err = eachIn(ctx, tx.Tx, `SELECT r.rec, r.n, r.kind, r.since, r.ended, COALESCE(c.golden, 0) FROM relation r
		LEFT JOIN source_record s ON s.source = r.source AND s.entity = r.entity AND s.external_id = r.external_id
		LEFT JOIN crosswalk c ON c.rec = s.rec WHERE r.rec IN $LIST ORDER BY r.rec, r.n`, recs, func(r *sql.Rows) error {
		var e FarEnd
		err := r.Scan(&e.Rec, &e.N, &e.Kind, &e.Since, &e.Ended, &e.Founder)
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("relations: %w", err)
	}
	return list, nil
}

// ExternalIDs gives a system's own id of each golden record: that of its live
// object with the lowest landing number. One without an object is absent.
func (tx *LinkTx) ExternalIDs(ctx context.Context, system, entity string, founders []int64) (map[int64]string, error) {
	ids := map[int64]string{}
	err := eachIn(ctx, tx.Tx, `SELECT c.golden, s.external_id FROM crosswalk c JOIN source_record s ON s.rec = c.rec
		WHERE s.source || '' = $X1 AND s.entity || '' = $X2 AND s.deleted = 0 AND c.golden IN $LIST ORDER BY c.golden, s.rec DESC`, founders, func(r *sql.Rows) error {
		var founder int64
		var id string
		err := r.Scan(&founder, &id)
		ids[founder] = id // the lowest comes last
		return err
	}, system, entity)
	if err != nil {
		return nil, fmt.Errorf("objects of golden records: %w", err)
	}
	return ids, nil
}

// Outstanding is a create that is not settled yet, or whose object is yet to be
// read.
type Outstanding struct {
	Founder int64  // of the row
	Golden  string // id of the golden record
	WaitsOn int64
}

const outstanding = `p.op <> 'update' AND (p.state IN ('pending','inflight','unknown') OR p.state = 'delivered' AND p.rec = 0 AND p.external_id <> '')`

// CreatesOutstanding gives the creates in a system that golden records still
// wait for, by founder.
func (tx *LinkTx) CreatesOutstanding(ctx context.Context, system, entity string, founders []int64) (map[int64]Outstanding, error) {
	out := map[int64]Outstanding{}
	err := eachIn(ctx, tx.Tx, `SELECT c.golden, p.founder, p.key, p.waits_on FROM outbox p JOIN crosswalk c ON c.rec = p.founder
		WHERE p.system = $X1 AND p.entity = $X2 AND `+outstanding+` AND c.golden IN $LIST ORDER BY p.seq`, founders, func(r *sql.Rows) error {
		var golden int64
		var o Outstanding
		err := r.Scan(&golden, &o.Founder, &o.Golden, &o.WaitsOn)
		out[golden] = o
		return err
	}, system, entity)
	if err != nil {
		return nil, fmt.Errorf("outstanding creates: %w", err)
	}
	return out, nil
}

// WaitsOn gives the founder whose create a founder's own outstanding create
// waits for; 0 for none.
func (tx *LinkTx) WaitsOn(ctx context.Context, system string, founder int64) (on int64, err error) {
	_, err = tx.one(ctx, `SELECT p.waits_on FROM outbox p WHERE p.founder = $1 AND p.system = $2 AND `+outstanding+` ORDER BY p.seq DESC LIMIT 1`, []any{founder, system}, &on)
	return on, err
}

// EnqueueDependants has the records resolved again that have an edge to one of
// these golden records: what they refer to has moved.
func (tx *LinkTx) EnqueueDependants(ctx context.Context, founders []int64) error {
	if len(founders) == 0 {
		return nil
	}
	seq, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return err
	}
	err = execIn(ctx, tx.Tx, `INSERT INTO backlog (rec, stage, entity, seq)
		SELECT DISTINCT r.rec, 2, f.entity, CAST($X1 AS BIGINT) FROM crosswalk c JOIN source_record s ON s.rec = c.rec
		JOIN relation r ON r.source = s.source AND r.entity = s.entity AND r.external_id = s.external_id
		JOIN feature f ON f.rec = r.rec WHERE f.version > 0 AND c.golden IN $LIST
		ON CONFLICT (rec) DO UPDATE SET seq = excluded.seq`, founders, seq)
	if err != nil {
		return fmt.Errorf("records that refer to golden records: %w", err)
	}
	return nil
}

// Planned is what a target's mapping said of golden records beside its writes.
type Planned struct {
	Target   string
	Founders []int64          // all that were looked at, and those that are gone
	LeftOut  []int64          // of them, those that its where leaves out
	Misses   map[int64][]Miss // what its mapping looked up in vain
}

// SavePlanned replaces what was kept of these golden records.
func (tx *LinkTx) SavePlanned(ctx context.Context, p Planned) error {
	if !tx.Untouched {
		for _, q := range []string{`DELETE FROM left_out WHERE target = $X1 AND founder IN $LIST`, `DELETE FROM lookup_miss WHERE place = $X1 AND rec IN $LIST`} {
			if err := execIn(ctx, tx.Tx, q, p.Founders, p.Target); err != nil {
				return fmt.Errorf("what a target left out: %w", err)
			}
		}
	}
	var out, misses [][]any
	for _, f := range p.LeftOut {
		out = append(out, []any{p.Target, f})
	}
	for _, f := range sortedKeys(p.Misses) {
		for i, m := range p.Misses[f] {
			misses = append(misses, []any{f, i + 1, p.Target, m.Table, m.Value})
		}
	}
	if err := tx.insert(ctx, `INSERT INTO left_out (target, founder)`, "", out); err != nil {
		return fmt.Errorf("left out: %w", err)
	}
	if err := tx.insert(ctx, `INSERT INTO lookup_miss (rec, n, place, tbl, value)`, "", misses); err != nil {
		return fmt.Errorf("looked up in vain: %w", err)
	}
	return nil
}

// LeftOut counts the live golden records that a target's where leaves out.
func (db *DB) LeftOut(ctx context.Context, target string) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM left_out l JOIN golden g ON g.founder = l.founder WHERE l.target = $1 AND g.live > 0`, []any{target},
		func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}
