package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Backlog is one record that waits for a stage.
type Backlog struct {
	Rec    int64
	Entity string
	Seq    int64
}

// BacklogDerive lists up to n records that wait to be derived, lowest landing number
// first.
func (db *DB) BacklogDerive(ctx context.Context, entity string, n int) ([]Backlog, error) {
	return db.backlog(ctx, entity, stageDerive, 0, n)
}

// BacklogResolve lists up to n records behind a landing number whose features wait
// for block, weigh and cluster, lowest landing number first.
func (db *DB) BacklogResolve(ctx context.Context, entity string, after int64, n int) ([]Backlog, error) {
	return db.backlog(ctx, entity, stageResolve, after, n)
}

// WaitingOf counts the records of an entity type that wait to be derived or
// resolved.
func (db *DB) WaitingOf(ctx context.Context, entity string) (n int, err error) {
	kept, err := db.tallies(ctx, tallyBacklog)
	for _, t := range kept {
		if t.a == entity {
			n += t.n
		}
	}
	return n, err
}

// Idle says whether nothing of an entity type waits: no record, and nothing that an
// earlier turn has left half done.
func (db *DB) Idle(ctx context.Context, entity string) (bool, error) {
	idle := true
	err := db.view(ctx, `SELECT 1 WHERE EXISTS (SELECT 1 FROM backlog WHERE entity = $1) OR EXISTS (SELECT 1 FROM setting WHERE name IN ($2, $3, $4) AND value <> '')`,
		[]any{entity, bulkMark(entity), queueFill + entity, activatingMark(entity)}, func(*sql.Rows) error { idle = false; return nil })
	if err != nil {
		return false, fmt.Errorf("look for what waits: %w", err)
	}
	return idle, nil
}

func (db *DB) backlog(ctx context.Context, entity string, stage int, after int64, n int) ([]Backlog, error) {
	return readBacklog(ctx, db.view, `WHERE entity = $1 AND stage = $2 AND rec > $3 ORDER BY rec LIMIT $4`, entity, stage, after, n)
}

func readBacklog(ctx context.Context, read ask, where string, args ...any) (list []Backlog, err error) {
	err = read(ctx, `SELECT rec, entity, seq FROM backlog `+where, args, func(r *sql.Rows) error {
		var t Backlog
		err := r.Scan(&t.Rec, &t.Entity, &t.Seq)
		list = append(list, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("backlog: %w", err)
	}
	return list, nil
}

// backlogSeqs gives the stamps with which records wait to be resolved. A record
// that does not wait is absent.
func (tx *Tx) backlogSeqs(ctx context.Context, recs []int64) (map[int64]int64, error) {
	seqs := make(map[int64]int64, len(recs))
	scan := func(r *sql.Rows) error {
		var rec, seq int64
		err := r.Scan(&rec, &seq)
		seqs[rec] = seq
		return err
	}
	var err error
	if tx.db.d.name == "postgres" {
		// LATERAL and LIMIT name the way: what waits is little to a planner, and the
		// pages that it stood on before are many to read.
		err = tx.query(ctx, `SELECT k.rec, b.seq FROM unnest($1::bigint[]) AS k(rec)
			CROSS JOIN LATERAL (SELECT t.seq FROM backlog t WHERE t.rec = k.rec AND t.stage = 2 LIMIT 1) AS b`, []any{recs}, scan)
	} else {
		err = eachIn(ctx, tx, `SELECT rec, seq FROM backlog WHERE stage = 2 AND rec IN $LIST`, recs, scan)
	}
	if err != nil {
		return nil, fmt.Errorf("backlog: %w", err)
	}
	return seqs, nil
}

// DeriveAgain puts every record of a source and entity on the backlog: its
// mapping or schema has changed.
func (db *DB) DeriveAgain(ctx context.Context, source, entity string) error {
	return db.inTx(ctx, func(tx *Tx) error { return tx.deriveAgain(ctx, source, entity) })
}

func (tx *Tx) deriveAgain(ctx context.Context, source, entity string) error {
	seq, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `INSERT INTO backlog (rec, stage, entity, seq)
		SELECT rec, 1, entity, CAST($1 AS BIGINT) FROM source_record WHERE source = $2 AND entity = $3
		ON CONFLICT (rec) DO UPDATE SET stage = 1, seq = excluded.seq`, seq, source, entity)
	return err
}

// RulesChanged compares the hash of a source entity's mapping and schema with
// the one its records were derived under; a change puts them all on the
// backlog. It says whether there was one.
func (db *DB) RulesChanged(ctx context.Context, source, entity, hash string) (changed bool, err error) {
	name := "rules/" + source + "/" + entity
	err = db.inTx(ctx, func(tx *Tx) error {
		have, err := tx.setting(ctx, name)
		if err != nil || have == hash {
			return err
		}
		if err := tx.setSetting(ctx, name, hash); err != nil {
			return err
		}
		if err := tx.audit(ctx, []auditEntry{{self, "rules.changed", source + "/" + entity, []byte(have), []byte(hash)}}); err != nil || have == "" {
			return err
		}
		changed = true
		if err := tx.setSetting(ctx, rulesMark(entity), rulesNew); err != nil {
			return err
		}
		return tx.deriveAgain(ctx, source, entity)
	})
	return changed, err
}

// ResolvingChanged compares the hash of what decides clusters, golden records
// and plans with the one they were made under; a change puts all records of
// the entity on the backlog. It says whether there was one.
func (db *DB) ResolvingChanged(ctx context.Context, entity, hash string) (changed bool, err error) {
	name := "resolving/" + entity
	err = db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		have, err := tx.setting(ctx, name)
		if err != nil || have == hash {
			return err
		}
		if err := tx.setSetting(ctx, name, hash); err != nil {
			return err
		}
		if err := tx.audit(ctx, []auditEntry{{self, "rules.changed", entity, []byte(have), []byte(hash)}}); err != nil || have == "" {
			return err
		}
		changed = true
		if err := tx.setSetting(ctx, rulesMark(entity), rulesNew); err != nil {
			return err
		}
		seq, err := tx.nextSeq(ctx, 1)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `INSERT INTO backlog (rec, stage, entity, seq)
			SELECT rec, 2, entity, CAST($1 AS BIGINT) FROM feature WHERE entity = $2 AND version > 0
			ON CONFLICT (rec) DO UPDATE SET seq = excluded.seq`, seq, entity)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("rules of %s: %w", entity, err)
	}
	return changed, nil
}

// gone stands for the rules of a source and entity that is configured no more.
const gone = "gone"

// Unconfigured derives the records of sources and entities again that were
// configured once and are no more.
func (db *DB) Unconfigured(ctx context.Context, configured func(source, entity string) bool) error {
	err := db.eachUnconfigured(ctx, "rules/", configured, func(source, entity string) error {
		_, err := db.RulesChanged(ctx, source, entity, gone)
		return err
	})
	if err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	return nil
}

// eachUnconfigured gives the sources and streams whose rules are kept as
// PREFIX SOURCE/STREAM and that are configured no more.
func (db *DB) eachUnconfigured(ctx context.Context, prefix string, configured func(source, stream string) bool, fn func(source, stream string) error) error {
	var names []string
	err := db.view(ctx, `SELECT name FROM setting WHERE name LIKE $1 AND value <> $2 ORDER BY name`, []any{prefix + "%", gone}, func(r *sql.Rows) error {
		var name string
		err := r.Scan(&name)
		names = append(names, name)
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		source, stream, ok := strings.Cut(strings.TrimPrefix(name, prefix), "/")
		if !ok || configured(source, stream) {
			continue
		}
		if err := fn(source, stream); err != nil {
			return err
		}
	}
	return nil
}

// Rederive computes anew what follows from the facts of these records.
func (db *DB) Rederive(ctx context.Context, recs []int64, derive Derive) error {
	return db.inTx(ctx, func(tx *Tx) error {
		seq, err := tx.nextSeq(ctx, 1)
		if err != nil {
			return err
		}
		records, histories, err := tx.histories(ctx, recs)
		if err != nil {
			return err
		}
		out := newDerivedRows()
		var gone []int64
		for i, r := range records {
			d, err := derive(*histories[i])
			if err != nil {
				return fmt.Errorf("derive %s: %w", r.ref, err)
			}
			r.isNew, r.again = true, true // keeps older quarantine rows as they are
			if err := out.add(tx, r, histories[i], d, seq); err != nil {
				return err
			}
			if d.Bad[r.version] == nil {
				gone = append(gone, r.rec)
			}
		}
		if err := execIn(ctx, tx, `DELETE FROM backlog WHERE rec IN $LIST AND stage = 1`, recs); err != nil {
			return err
		}
		if err := tx.mendedQuarantine(ctx, gone); err != nil {
			return err
		}
		return out.write(ctx, tx)
	})
}

// mendedQuarantine closes the open rows of records whose current version now
// passes.
func (tx *Tx) mendedQuarantine(ctx context.Context, recs []int64) error {
	return execIn(ctx, tx, `UPDATE quarantine SET state = 'mended' WHERE state || '' = 'open' AND rec IN $LIST
		AND version = (SELECT r.version FROM source_record r WHERE r.rec = quarantine.rec)`, recs)
}

// histories loads the records with all their facts.
func (tx *Tx) histories(ctx context.Context, recs []int64) ([]*landed, []*History, error) {
	var records []*landed
	var list []*History
	byRec, salts := map[int64]*History{}, map[int64][]byte{}
	err := eachIn(ctx, tx, `SELECT rec, source, entity, external_id, salt, version, latest FROM source_record WHERE rec IN $LIST ORDER BY rec`, recs,
		func(r *sql.Rows) error {
			x := &landed{}
			if err := r.Scan(&x.rec, &x.ref.Source, &x.ref.Entity, &x.ref.ID, &x.salt, &x.version, &x.latest); err != nil {
				return err
			}
			h := &History{Rec: x.rec, Ref: x.ref, Current: x.version}
			records, list = append(records, x), append(list, h)
			byRec[x.rec], salts[x.rec] = h, x.salt
			return nil
		})
	if err != nil {
		return nil, nil, fmt.Errorf("load records: %w", err)
	}
	if err := tx.loadVersions(ctx, recs, byRec, salts); err != nil {
		return nil, nil, err
	}
	if err := tx.loadWrites(ctx, recs, byRec); err != nil {
		return nil, nil, err
	}
	for _, h := range list {
		h.order()
	}
	return records, list, nil
}
