package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"touchstone/internal/record"
)

// Unrelated is the kind of a decision that refuses proposed relations.
const Unrelated = "unrelated"

// RefusedRelation is a proposal that a person does not want: two source records
// and the kind of relation.
type RefusedRelation struct {
	A, B int64
	Kind string
}

func (tx *Tx) insertRefused(ctx context.Context, decision string, list []RefusedRelation) error {
	rows := make([][]any, len(list))
	for i, r := range list {
		rows[i] = []any{decision, min(r.A, r.B), max(r.A, r.B), r.Kind}
	}
	if err := tx.insert(ctx, `INSERT INTO relation_refused (decision, a, b, kind)`, "", rows); err != nil {
		return fmt.Errorf("refused relations: %w", err)
	}
	return nil
}

// RefusedPair is a refused proposal with the references of its records. Source is
// the uid, or of a portable one the source's name.
type RefusedPair struct {
	A, B record.Ref
	Kind string
}

// RefusedOf gives what decisions refuse, in force or not, by decision.
func (db *DB) RefusedOf(ctx context.Context, decisions []string) (map[string][]RefusedPair, error) {
	out := map[string][]RefusedPair{}
	err := viewIn(ctx, db, `SELECT r.decision, r.kind, x.source, x.entity, x.external_id, y.source, y.entity, y.external_id FROM relation_refused r
		JOIN source_record x ON x.rec = r.a JOIN source_record y ON y.rec = r.b WHERE r.decision IN $LIST ORDER BY r.decision, r.a, r.b, r.kind`, decisions, func(r *sql.Rows) error {
		var id string
		var p RefusedPair
		err := r.Scan(&id, &p.Kind, &p.A.Source, &p.A.Entity, &p.A.ID, &p.B.Source, &p.B.Entity, &p.B.ID)
		out[id] = append(out[id], p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("refused relations of decisions: %w", err)
	}
	return out, nil
}

// landedRefused finds the records of portable refusals.
func (tx *DecideTx) landedRefused(ctx context.Context, list []RefusedPair) (out []RefusedRelation, err error) {
	for _, p := range list {
		r := RefusedRelation{Kind: p.Kind}
		if r.A, err = tx.landedRec(ctx, p.A); err != nil {
			return nil, err
		}
		if r.B, err = tx.landedRec(ctx, p.B); err != nil {
			return nil, err
		}
		if r.A == 0 || r.B == 0 {
			return nil, impossible("one of the records that it relates has not landed here: import it again after a run")
		}
		out = append(out, r)
	}
	return out, nil
}

// RefusedBetween names the customers, as their records stand now, between which a
// kind of relation was refused: founders, the lower first.
type RefusedBetween struct {
	A, B int64
	Kind string
}

// RefusedRelations gives the refusals in force.
func (db *DB) RefusedRelations(ctx context.Context) (map[RefusedBetween]bool, error) {
	out := map[RefusedBetween]bool{}
	err := db.view(ctx, `SELECT x.golden, y.golden, r.kind FROM relation_refused r JOIN decision d ON d.id = r.decision
		JOIN crosswalk x ON x.rec = r.a JOIN crosswalk y ON y.rec = r.b WHERE d.withdrawn = ''`, nil, func(r *sql.Rows) error {
		var a, b int64
		var kind string
		err := r.Scan(&a, &b, &kind)
		out[RefusedBetween{min(a, b), max(a, b), kind}] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("refused relations: %w", err)
	}
	return out, nil
}

// StatedAmong gives the customers between which a person has stated a relation
// that is in force, where one of the two is among these founders: founders, the
// lower first.
func (db *DB) StatedAmong(ctx context.Context, founders []int64) (map[[2]int64]bool, error) {
	out := map[[2]int64]bool{}
	for _, end := range [2][2]string{{"a", "b"}, {"b", "a"}} {
		err := viewIn(ctx, db, `SELECT x.golden, y.golden FROM crosswalk x JOIN said_relation r ON r.`+end[0]+` = x.rec JOIN decision d ON d.id = r.decision
			JOIN crosswalk y ON y.rec = r.`+end[1]+` WHERE d.withdrawn = '' AND x.golden IN $LIST`, founders, func(r *sql.Rows) error {
			var a, b int64
			err := r.Scan(&a, &b)
			out[[2]int64{min(a, b), max(a, b)}] = true
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("stated relations: %w", err)
		}
	}
	return out, nil
}

// Bridge is a weak link that was held back: two groups of records that the
// strongest pair between them does not unite.
type Bridge struct {
	A, B   int64
	Weight int32 // 1/1000 bit; the mean over the pairs of its groups
}

// Bridges lists the bridges of an entity type between two customers that nobody
// has decided on, the strongest first, behind the bridge after.
func (db *DB) Bridges(ctx context.Context, entity string, after Bridge, n int) (list []Bridge, err error) {
	if after == (Bridge{}) {
		after.Weight = math.MaxInt32
	}
	err = db.view(ctx, `SELECT m.a, m.b, m.weight FROM bridge m JOIN crosswalk x ON x.rec = m.a JOIN crosswalk y ON y.rec = m.b
		WHERE m.entity = $1 AND m.weight <= $2 AND (m.weight < $2 OR (m.a, m.b) > (CAST($3 AS BIGINT), CAST($4 AS BIGINT))) AND x.golden <> y.golden
			AND NOT EXISTS (SELECT 1 FROM ruling r WHERE r.withdrawn = '' AND r.a = m.a AND r.b = m.b AND (r.kind <> 'unsure' OR r.stale = 0))
		ORDER BY m.weight DESC, m.a, m.b LIMIT $5`, []any{entity, after.Weight, after.A, after.B, n}, func(r *sql.Rows) error {
		var b Bridge
		err := r.Scan(&b.A, &b.B, &b.Weight)
		list = append(list, b)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("bridges: %w", err)
	}
	return list, nil
}
