package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
)

// Resolvable is one record as the bulk resolver reads it.
type Resolvable struct {
	Rec, Seq int64
	Features []byte // nil: nothing of the record is in force any more
	Waiting  int64  // the stamp with which it waits; 0: it does not
	Keys     []Key
}

// BulkState says how far a bulk turn would pay.
type BulkState struct {
	Waiting, Records int
	Broken           bool // an earlier bulk turn stopped while it published
}

func bulkMark(entity string) string { return "bulk/" + entity }

// BulkState counts what waits of an entity type. With fewer than least waiting
// records it does not count at all: the kept counts have many rows on PostgreSQL.
// Of all records it counts no more than those that wait are this share of, unless an
// earlier turn stopped.
func (db *DB) BulkState(ctx context.Context, entity string, least int, share float64) (s BulkState, err error) {
	many := false
	err = db.view(ctx, `SELECT (SELECT count(*) FROM setting WHERE name = $1 AND value <> ''),
			(SELECT count(*) FROM (SELECT 1 FROM backlog WHERE entity = $2 AND stage = 2 ORDER BY rec LIMIT 1 OFFSET $3) AS b)`,
		[]any{bulkMark(entity), entity, max(least-1, 0)}, func(r *sql.Rows) error {
			var mark, rows int
			err := r.Scan(&mark, &rows)
			s.Broken, many = mark > 0, rows > 0
			return err
		})
	if err == nil && many {
		err = db.view(ctx, `SELECT CAST(COALESCE(sum(n), 0) AS BIGINT) FROM tally WHERE what = 'backlog' AND a = $1 AND c = '2'`, []any{entity}, func(r *sql.Rows) error { return r.Scan(&s.Waiting) })
	}
	if err == nil && many {
		most := int64(math.MaxInt64)
		if !s.Broken {
			most = int64(float64(s.Waiting)/share) + 1
		}
		err = db.view(ctx, `SELECT count(*) FROM (SELECT 1 FROM feature WHERE entity = $1 LIMIT $2) f`, []any{entity, most}, func(r *sql.Rows) error { return r.Scan(&s.Records) })
	}
	if err != nil {
		return s, fmt.Errorf("count what waits: %w", err)
	}
	return s, nil
}

// BeginBulk starts a turn in which every record of the entity type is resolved
// anew: all of them wait from now on, so that a turn that is cut short goes on
// record by record. Until EndPublish the posting lists are not to be trusted;
// after a turn that stopped before, they are made from nothing.
func (db *DB) BeginBulk(ctx context.Context, entity string) error {
	db.postings.forget()
	err := db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		broken, err := tx.setting(ctx, bulkMark(entity))
		if err != nil {
			return err
		}
		if broken != "" {
			if _, err := tx.changesPostings(ctx); err != nil {
				return err
			}
			if _, err := tx.exec(ctx, `DELETE FROM blocking_key WHERE rec IN (SELECT rec FROM feature WHERE entity = $1)`, entity); err != nil {
				return err
			}
			if _, err := tx.exec(ctx, `UPDATE feature SET published = $1 WHERE entity = $2`, []byte{}, entity); err != nil {
				return err
			}
		} else if err := tx.setSetting(ctx, bulkMark(entity), "publishing"); err != nil {
			return err
		}
		seq, err := tx.nextSeq(ctx, 1)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `INSERT INTO backlog (rec, stage, entity, seq)
			SELECT rec, 2, entity, CAST($1 AS BIGINT) FROM feature WHERE entity = $2 ON CONFLICT (rec) DO NOTHING`, seq, entity)
		return err
	})
	if err != nil {
		return fmt.Errorf("begin bulk: %w", err)
	}
	return nil
}

// NextResolvable gives up to n records of an entity type behind a landing
// number, with the keys that keysOf makes of their features, and notes the keys
// as published; fresh lists those that AddPostings has to add.
func (db *DB) NextResolvable(ctx context.Context, entity string, after int64, n int, keysOf func([]*Resolvable) error) (list []*Resolvable, fresh [][]Key, err error) {
	err = db.inTx(Batched(ctx), func(tx *Tx) error {
		list, fresh = nil, nil
		var before [][]byte
		// Joined instead, a planner without statistics reads the whole backlog for each page.
		q := `SELECT f.rec, f.seq, f.version, f.features, f.published, COALESCE((SELECT t.seq FROM backlog t WHERE t.rec = f.rec AND t.stage = 2), 0) FROM feature f
			WHERE f.entity = $1 AND f.rec > $2 ORDER BY f.rec LIMIT $3`
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		err := tx.query(ctx, q, []any{entity, after, n}, func(r *sql.Rows) error {
			var x Resolvable
			var version int
			var published []byte
			err := r.Scan(&x.Rec, &x.Seq, &version, &x.Features, &published, &x.Waiting)
			if version == 0 {
				x.Features = nil
			}
			list, before = append(list, &x), append(before, published)
			return err
		})
		if err != nil {
			return err
		}
		if err := keysOf(list); err != nil {
			return err
		}
		var gone, published [][]any
		for i, x := range list {
			now := packKeys(x.Keys)
			if bytes.Equal(now, before[i]) {
				fresh = append(fresh, nil)
				continue
			}
			was := unpackKeys(before[i])
			for _, k := range was {
				if !slices.Contains(x.Keys, k) {
					gone = append(gone, []any{int64(k.Coarse), int64(k.Fine), x.Rec})
				}
			}
			fresh = append(fresh, slices.DeleteFunc(slices.Clone(x.Keys), func(k Key) bool { return slices.Contains(was, k) }))
			published = append(published, []any{x.Rec, now, "", 0, 0, 0, "", []byte{}})
		}
		d := &keyDelta{gone: gone, published: published}
		return d.write(ctx, tx)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("publish keys: %w", err)
	}
	return list, fresh, nil
}

// Posting is a record on a posting list.
type Posting struct {
	Key Key
	Rec int64
}

// AddPostings writes posting lists. In the order of the keys it is several
// times faster than in any other.
func (db *DB) AddPostings(ctx context.Context, list []Posting) error {
	rows := make([][]any, len(list))
	for i, p := range list {
		rows[i] = []any{int64(p.Key.Coarse), int64(p.Key.Fine), p.Rec}
	}
	err := db.inTx(Batched(ctx), func(tx *Tx) error {
		if _, err := tx.changesPostings(ctx); err != nil {
			return err
		}
		return tx.insert(ctx, `INSERT INTO blocking_key (key, fine, rec)`, `ON CONFLICT DO NOTHING`, rows)
	})
	if err != nil {
		return fmt.Errorf("write posting lists: %w", err)
	}
	return nil
}

// EachPosting gives every posting list in the order of the keys as the engine
// compares them, of all entity types: a key belongs to one.
func (db *DB) EachPosting(ctx context.Context, fn func(Posting)) error {
	err := db.view(ctx, `SELECT key, fine, rec FROM blocking_key ORDER BY key, fine, rec`, nil, func(r *sql.Rows) error {
		var key, fine int64
		var p Posting
		err := r.Scan(&key, &fine, &p.Rec)
		p.Key = Key{uint64(key), uint64(fine)}
		fn(p)
		return err
	})
	if err != nil {
		return fmt.Errorf("read posting lists: %w", err)
	}
	return nil
}

// EndPublish says that the posting lists hold again what the records say, and
// which values of them more names use than may.
func (db *DB) EndPublish(ctx context.Context, lists Lists, shared []uint64) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM shared_value WHERE entity = $1`, lists.Entity); err != nil {
			return err
		}
		rows := make([][]any, len(shared))
		for i, v := range shared {
			rows[i] = []any{int64(v), lists.Entity}
		}
		if err := tx.insert(ctx, `INSERT INTO shared_value (value, entity)`, "", rows); err != nil {
			return err
		}
		if _, err := tx.stampShared(ctx, lists); err != nil {
			return err
		}
		return tx.setSetting(ctx, bulkMark(lists.Entity), "")
	})
	if err == nil {
		err = db.CountTables(ctx)
	}
	if err != nil {
		return fmt.Errorf("end of publishing: %w", err)
	}
	return nil
}

// Untouched says whether nothing of an entity type was ever resolved, published
// or planned: then nothing of it has to be looked up.
func (db *DB) Untouched(ctx context.Context, entity string) (bool, error) {
	for _, q := range []string{
		`SELECT 1 FROM crosswalk c JOIN source_record s ON s.rec = c.rec WHERE s.entity = $1 LIMIT 1`,
		`SELECT 1 FROM golden_version v JOIN source_record s ON s.rec = v.founder WHERE s.entity = $1 LIMIT 1`,
		`SELECT 1 FROM outbox WHERE entity = $1 LIMIT 1`,
		`SELECT 1 FROM match m JOIN source_record s ON s.rec = m.a WHERE s.entity = $1 LIMIT 1`,
	} {
		found := false
		if err := db.view(ctx, q, []any{entity}, func(*sql.Rows) error { found = true; return nil }); err != nil {
			return false, fmt.Errorf("look for earlier results: %w", err)
		}
		if found {
			return false, nil
		}
	}
	return true, nil
}
