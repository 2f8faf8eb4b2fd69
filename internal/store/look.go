package store

import (
	"context"
	"database/sql"
	"fmt"
)

// RunsOf lists the newest runs of a source, newest first.
func (db *DB) RunsOf(ctx context.Context, uid string, n int) (list []Run, err error) {
	err = db.view(ctx, runColumns+` WHERE source = $1 ORDER BY started DESC, entity, id LIMIT $2`, []any{uid, n}, func(rows *sql.Rows) error {
		r, err := scanRun(rows)
		list = append(list, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("runs of %s: %w", uid, err)
	}
	return list, nil
}

// CursorAges tells when each cursor of a source last moved: entity → time in
// TimeLayout.
func (db *DB) CursorAges(ctx context.Context, uid string) (map[string]string, error) {
	ages := map[string]string{}
	err := db.view(ctx, `SELECT entity, at FROM cursor WHERE source = $1`, []any{uid}, func(r *sql.Rows) error {
		var entity, at string
		err := r.Scan(&entity, &at)
		ages[entity] = at
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cursors of %s: %w", uid, err)
	}
	return ages, nil
}

// QuarantineCounts counts quarantined versions by source uid and state.
func (db *DB) QuarantineCounts(ctx context.Context) (map[string]map[string]int, error) {
	kept, err := db.tallies(ctx, tallyQuarantine)
	out := map[string]map[string]int{}
	for _, t := range kept {
		if out[t.a] == nil {
			out[t.a] = map[string]int{}
		}
		out[t.a][t.c] += t.n
	}
	return out, err
}

// OpenPair is a stored pair of source records: a match between two golden
// records, or two groups that were not united.
type OpenPair struct {
	A, B   int64
	Weight int32 // 1/1000 bit; of a bridge the mean over its groups
	Bridge bool
}

// PairOf reads the stored weight of a pair; found is false when nothing is
// stored of it.
func (db *DB) PairOf(ctx context.Context, a, b int64) (p OpenPair, found bool, err error) {
	p.A, p.B = a, b
	for _, table := range []string{"bridge", "match"} {
		err := db.view(ctx, `SELECT weight FROM `+table+` WHERE a = $1 AND b = $2`, []any{a, b}, func(r *sql.Rows) error {
			found, p.Bridge = true, p.Bridge || table == "bridge"
			return r.Scan(&p.Weight)
		})
		if err != nil {
			return p, false, fmt.Errorf("pair: %w", err)
		}
	}
	return p, found, nil
}

// MembersByRec loads source records with their features.
func (db *DB) MembersByRec(ctx context.Context, recs []int64) (map[int64]Member, error) {
	out := make(map[int64]Member, len(recs))
	err := viewIn(ctx, db, `SELECT f.rec, COALESCE(c.comp, 0), COALESCE(c.golden, 0), s.source, s.entity, s.external_id, s.anchor, f.version, f.live, f.authored, f.features
		FROM feature f JOIN source_record s ON s.rec = f.rec LEFT JOIN crosswalk c ON c.rec = f.rec WHERE f.rec IN $LIST`, recs, func(r *sql.Rows) error {
		var m Member
		var authored string
		err := r.Scan(&m.Rec, &m.Comp, &m.Golden, &m.Ref.Source, &m.Ref.Entity, &m.Ref.ID, &m.Anchor, &m.Version, &m.Live, &authored, &m.Features)
		m.Authored = []byte(authored)
		out[m.Rec] = m
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("source records: %w", err)
	}
	return out, nil
}

// GoldenIDs gives the ids of golden records by founder.
func (db *DB) GoldenIDs(ctx context.Context, founders []int64) (map[int64]string, error) {
	out := make(map[int64]string, len(founders))
	err := viewIn(ctx, db, `SELECT founder, id FROM golden WHERE founder IN $LIST`, founders, func(r *sql.Rows) error {
		var f int64
		var id string
		err := r.Scan(&f, &id)
		out[f] = id
		return err
	})
	return out, err
}

// RowsOfFounder lists the outbox rows of a golden record, newest first.
func (db *DB) RowsOfFounder(ctx context.Context, founder int64, n int) ([]Row, error) {
	return db.rows(ctx, `WHERE o.founder = $1 ORDER BY o.seq DESC LIMIT $2`, founder, n)
}
