package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"sort"

	"touchstone/internal/record"
)

// Stages of the backlog.
const (
	stageDerive  = 1 // the facts or the rules changed: derive again
	stageResolve = 2 // the features changed: block, weigh, cluster
)

// settleLanded derives what follows from the new versions and writes all of it.
func (tx *Tx) settleLanded(ctx context.Context, l Landing, changed []*landed, seq int64, c *Counts) error {
	if len(changed) == 0 {
		return nil
	}
	histories, err := tx.landedHistories(ctx, changed)
	if err != nil {
		return err
	}
	out := newDerivedRows()
	var records, versions [][]any
	var hashes [][]byte
	for i, r := range changed {
		d, err := l.Derive(*histories[i])
		if err != nil {
			return fmt.Errorf("derive %s: %w", r.ref, err)
		}
		for _, p := range r.pending {
			raw, err := tx.db.vault.Seal(r.salt, fmt.Sprint("raw", r.rec, ".", p.N), p.Raw)
			if err != nil {
				return fmt.Errorf("seal %s: %w", r.ref, err)
			}
			versions = append(versions, []any{r.rec, p.N, p.Seq, raw, p.hash, record.FormatTime(p.Stamp), p.etag, tx.now, p.Deleted, p.Place, p.Problem})
			hashes = append(hashes, p.hash)
			c.correct(d, p, r.version)
		}
		records = append(records, []any{
			r.rec, r.ref.Source, r.ref.Entity, r.ref.ID, tx.db.vault.Anchor(r.ref.Source, r.ref.Entity, r.ref.ID), r.salt,
			r.version, r.latest, r.hash, r.stamp, r.etag, r.deleted,
		})
		if err := out.add(tx, r, histories[i], d, seq); err != nil {
			return err
		}
	}
	err = tx.insert(ctx, `INSERT INTO source_record (rec, source, entity, external_id, anchor, salt, version, latest, hash, stamp, etag, deleted)`,
		`ON CONFLICT (rec) DO UPDATE SET version = excluded.version, latest = excluded.latest, hash = excluded.hash,
		stamp = excluded.stamp, etag = excluded.etag, deleted = excluded.deleted`, records)
	if err != nil {
		return fmt.Errorf("source records: %w", err)
	}
	if err := tx.insert(ctx, `INSERT INTO source_version (rec, version, seq, raw, hash, stamp, etag, seen_at, deleted, place, problem)`, "", versions); err != nil {
		return fmt.Errorf("source versions: %w", err)
	}
	if err := out.write(ctx, tx); err != nil {
		return err
	}
	if err := tx.auditLanded(ctx, "record.land", l.Source, l.Entity, hashes); err != nil {
		return err
	}
	var fresh []string
	for _, r := range changed {
		if r.isNew {
			fresh = append(fresh, clean(r.ref.ID))
		}
	}
	return tx.attachEvents(ctx, l.Source, l.Entity, fresh, seq)
}

// correct moves a stored version to the count it belongs to.
func (c *Counts) correct(d Derived, p pendingVersion, current int) {
	switch {
	case p.filtered, p.Deleted && d.Bad[p.N] == nil:
	case d.Bad[p.N] != nil:
		c.Stored--
		c.Quarantined++
	case d.Echo && p.N == current:
		c.Stored--
		c.Echo++
	}
}

// derivedRows gathers the rows that follow from derivations.
type derivedRows struct {
	features, backlog, quarantine [][]any
	derived, superseded, void     []int64
	seq                           int64
	edges                         edgeRows
	faults                        faultRows
}

func newDerivedRows() *derivedRows { return &derivedRows{} }

func (o *derivedRows) add(tx *Tx, r *landed, h *History, d Derived, seq int64) error {
	if !r.isNew {
		o.superseded = append(o.superseded, r.rec)
	}
	o.edges.add(r, d)
	if !r.isNew || r.again {
		o.faults.old = append(o.faults.old, r.rec)
	}
	numbers := make([]int, 0, len(d.Bad))
	for n := range d.Bad {
		numbers = append(numbers, n)
	}
	sort.Ints(numbers)
	for _, n := range numbers {
		state := "superseded"
		switch {
		case h.gone() && n != r.version:
			state = "gone"
		case n == r.version || isDuplicate(h, n):
			state = "open"
		}
		text, err := json.Marshal(d.Bad[n])
		if err != nil {
			return err
		}
		sealed, err := tx.db.vault.Seal(r.salt, fmt.Sprint("reasons", r.rec, ".", n), text)
		if err != nil {
			return err
		}
		id := quarantineID(r.ref, n, tx)
		if state == "open" {
			o.faults.add(tx, r, id, d.Bad[n])
		}
		o.quarantine = append(o.quarantine, []any{id, r.rec, n, r.ref.Source, r.ref.Entity, r.ref.ID, sealed, state, tx.now})
	}
	if d.Version > 0 {
		o.derived = append(o.derived, r.rec)
		o.features = append(o.features, []any{r.rec, r.ref.Entity, d.Version, seq, d.Live, string(d.Authored), d.Features, []byte{}})
		o.backlog = append(o.backlog, []any{r.rec, stageResolve, r.ref.Entity, seq})
	} else {
		o.void, o.seq = append(o.void, r.rec), seq
	}
	return nil
}

// gone says that the record is deleted: whatever was wrong with it is wrong no
// more.
func (h *History) gone() bool {
	for _, v := range h.Versions {
		if v.N == h.Current {
			return v.Deleted
		}
	}
	return false
}

func isDuplicate(h *History, n int) bool {
	for _, v := range h.Versions {
		if v.N == n {
			return v.Problem == DuplicateProblem
		}
	}
	return false
}

// quarantineID is short, stable and says nothing about the record.
func quarantineID(ref record.Ref, version int, tx *Tx) string {
	return "q" + tx.db.vault.Anchor("quarantine", ref.String(), fmt.Sprint(version))[:10]
}

func (o *derivedRows) write(ctx context.Context, tx *Tx) error {
	err := execIn(ctx, tx, `UPDATE quarantine SET state = 'superseded' WHERE state || '' = 'open' AND rec IN $LIST
		AND EXISTS (SELECT 1 FROM source_version v WHERE v.rec = quarantine.rec AND v.version = quarantine.version AND v.problem <> $X1)
		AND version < (SELECT r.version FROM source_record r WHERE r.rec = quarantine.rec)`, o.superseded, DuplicateProblem)
	if err != nil {
		return fmt.Errorf("supersede quarantine: %w", err)
	}
	err = tx.insert(ctx, `INSERT INTO quarantine (id, rec, version, source, entity, external_id, reasons, state, at)`,
		`ON CONFLICT (rec, version) DO UPDATE SET reasons = excluded.reasons, state = excluded.state
		 WHERE quarantine.state <> 'released'`, o.quarantine)
	if err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	if err := o.faults.write(ctx, tx); err != nil {
		return err
	}
	if err := tx.changesFeatures(ctx, o.derived); err != nil {
		return fmt.Errorf("features: %w", err)
	}
	err = tx.insert(ctx, `INSERT INTO feature (rec, entity, version, seq, live, authored, features, published)`,
		`ON CONFLICT (rec) DO UPDATE SET version = excluded.version, seq = excluded.seq, live = excluded.live,
		authored = excluded.authored, features = excluded.features`, o.features)
	if err != nil {
		return fmt.Errorf("features: %w", err)
	}
	if err := tx.voidFeatures(ctx, o.void, o.seq); err != nil {
		return fmt.Errorf("features: %w", err)
	}
	if err := o.edges.write(ctx, tx); err != nil {
		return err
	}
	return tx.enqueue(ctx, o.backlog)
}

// voidFeatures empties the features of records of which nothing is in force any
// more: stricter rules, or a source that is gone. The emptied row stays until
// the record's keys are withdrawn and its component is linked without it; Done
// then removes it.
func (tx *Tx) voidFeatures(ctx context.Context, recs []int64, seq int64) error {
	var had []int64
	err := eachIn(ctx, tx, `SELECT rec FROM feature WHERE version > 0 AND rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec int64
		err := r.Scan(&rec)
		had = append(had, rec)
		return err
	})
	if err != nil {
		return err
	}
	if err := tx.changesFeatures(ctx, had); err != nil {
		return err
	}
	err = execIn(ctx, tx, `UPDATE feature SET version = 0, seq = $X1, live = 0, authored = '{}', features = $X2 WHERE rec IN $LIST`, had, seq, []byte{})
	if err != nil {
		return err
	}
	return tx.enqueueAgain(ctx, had)
}

// enqueue puts records on the backlog; the earlier stage wins.
func (tx *Tx) enqueue(ctx context.Context, rows [][]any) error {
	err := tx.insert(ctx, `INSERT INTO backlog (rec, stage, entity, seq)`,
		`ON CONFLICT (rec) DO UPDATE SET seq = excluded.seq, stage = CASE WHEN excluded.stage < backlog.stage THEN excluded.stage ELSE backlog.stage END`, rows)
	if err != nil {
		return fmt.Errorf("backlog: %w", err)
	}
	return nil
}

// landedHistories gives each changed record's history, the new versions
// included. A new record's history is what just came.
func (tx *Tx) landedHistories(ctx context.Context, changed []*landed) ([]*History, error) {
	out := make([]*History, len(changed))
	byRec := map[int64]*History{}
	salts := map[int64][]byte{}
	var old []int64
	for i, r := range changed {
		h := &History{Rec: r.rec, Ref: r.ref, Current: r.version}
		out[i], byRec[r.rec], salts[r.rec] = h, h, r.salt
		if !r.isNew {
			old = append(old, r.rec)
		}
	}
	if err := tx.loadVersions(ctx, old, byRec, salts); err != nil {
		return nil, err
	}
	recs := make([]int64, len(changed))
	for i, r := range changed {
		recs[i] = r.rec
		for _, p := range r.pending {
			byRec[r.rec].Versions = append(byRec[r.rec].Versions, p.Version)
		}
	}
	if err := tx.loadWrites(ctx, recs, byRec); err != nil {
		return nil, err
	}
	for _, h := range out {
		h.order()
	}
	return out, nil
}

// order puts the versions as the source orders them: as they landed, and one
// whose stamp is older than its neighbour's before it.
func (h *History) order() {
	sort.SliceStable(h.Versions, func(i, j int) bool { return h.Versions[i].Seq < h.Versions[j].Seq })
	for at := range h.Versions {
		for i := at; i > 0; i-- {
			a, b := &h.Versions[i-1], &h.Versions[i]
			if a.Stamp.IsZero() || b.Stamp.IsZero() || !b.Stamp.Before(a.Stamp) {
				break
			}
			*a, *b = *b, *a
		}
	}
	sort.SliceStable(h.Writes, func(i, j int) bool { return h.Writes[i].Seq < h.Writes[j].Seq })
}

func (tx *Tx) loadVersions(ctx context.Context, recs []int64, byRec map[int64]*History, salts map[int64][]byte) error {
	err := eachIn(ctx, tx, `SELECT v.rec, v.version, v.seq, v.raw, v.stamp, v.seen_at, v.deleted, v.place, v.problem,
			COALESCE((SELECT 1 FROM quarantine q WHERE q.rec = v.rec AND q.version = v.version AND q.state = 'released'), 0)
		FROM source_version v WHERE v.rec IN $LIST ORDER BY v.rec, v.version`, recs, func(r *sql.Rows) error {
		var rec int64
		var v Version
		var raw []byte
		var stamp, seen string
		if err := r.Scan(&rec, &v.N, &v.Seq, &raw, &stamp, &seen, &v.Deleted, &v.Place, &v.Problem, &v.Released); err != nil {
			return err
		}
		var err error
		if v.Raw, err = tx.db.vault.Open(salts[rec], raw); err != nil {
			return fmt.Errorf("record %d version %d: %w", rec, v.N, err)
		}
		if v.Stamp, err = record.ParseTime(stamp); err != nil {
			return err
		}
		if v.SeenAt, err = record.ParseTime(seen); err != nil {
			return err
		}
		byRec[rec].Versions = append(byRec[rec].Versions, v)
		return nil
	})
	if err == nil {
		err = tx.loadRepairs(ctx, recs, byRec)
	}
	if err != nil {
		return fmt.Errorf("load versions: %w", err)
	}
	return nil
}

// loadWrites gives what we sent to the objects: also what may have been
// applied without our knowing, but not what the target surely refused.
func (tx *Tx) loadWrites(ctx context.Context, recs []int64, byRec map[int64]*History) error {
	err := eachIn(ctx, tx, `SELECT o.rec, o.sent_seq, o.fields, o.got, s.salt FROM outbox o JOIN source_record s ON s.rec = o.sealed_by
		WHERE o.sent_seq > 0 AND o.state NOT IN ('rejected','conflict') AND o.rec IN $LIST ORDER BY o.sent_seq`, recs, func(r *sql.Rows) error {
		var rec int64
		var w Write
		var fields, got, salt []byte
		if err := r.Scan(&rec, &w.Seq, &fields, &got, &salt); err != nil {
			return err
		}
		if err := tx.openJSON(salt, fields, &w.Sent); err != nil {
			return err
		}
		if err := tx.openJSON(salt, got, &w.Got); err != nil {
			return err
		}
		byRec[rec].Writes = append(byRec[rec].Writes, w)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load writes: %w", err)
	}
	return nil
}

func (tx *Tx) openJSON(salt, sealed []byte, into any) error {
	plain, err := tx.db.vault.Open(salt, sealed)
	if err != nil || len(plain) == 0 {
		return err
	}
	return json.Unmarshal(plain, into)
}
