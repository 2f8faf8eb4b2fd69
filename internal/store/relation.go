package store

import (
	"context"
	"database/sql"
	"fmt"

	"touchstone/internal/record"
)

// edgeRows gathers what follows from records beside their values: relations,
// and what their mappings looked up in vain.
type edgeRows struct {
	relations, misses [][]any
	old               []int64
}

func (o *edgeRows) add(r *landed, d Derived) {
	if !r.isNew || r.again {
		o.old = append(o.old, r.rec)
	}
	for i, x := range d.Relations {
		to := cleanRef(x.To)
		o.relations = append(o.relations, []any{r.rec, i + 1, x.Kind, to.Source, to.Entity, to.ID, x.Title, x.Role, x.Share, x.Since, x.Until, x.Ended})
	}
	for i, m := range d.Misses {
		o.misses = append(o.misses, []any{r.rec, i + 1, "", m.Table, m.Value})
	}
}

func (o *edgeRows) write(ctx context.Context, tx *Tx) error {
	if err := execIn(ctx, tx, `DELETE FROM relation WHERE rec IN $LIST`, o.old); err != nil {
		return fmt.Errorf("relations: %w", err)
	}
	if err := execIn(ctx, tx, `DELETE FROM lookup_miss WHERE place = '' AND rec IN $LIST`, o.old); err != nil {
		return fmt.Errorf("looked up in vain: %w", err)
	}
	err := tx.insert(ctx, `INSERT INTO relation (rec, n, kind, source, entity, external_id, title, role, share, since, until, ended)`, "", o.relations)
	if err != nil {
		return fmt.Errorf("relations: %w", err)
	}
	if err := tx.insert(ctx, `INSERT INTO lookup_miss (rec, n, place, tbl, value)`, "", o.misses); err != nil {
		return fmt.Errorf("looked up in vain: %w", err)
	}
	return nil
}

// GoldenEdge is an edge of a golden record: one relation of one of its source records.
type GoldenEdge struct {
	record.Relation            // To is the far end as its source names it
	From            record.Ref // the record that says so
	FromGolden      string     // id of its golden record; "" while it has none
	ToGolden        string     // id of the far end's golden record; "" while that has not landed
}

const edgeColumns = `SELECT f.source, f.entity, f.external_id, COALESCE(gf.id, ''), r.kind, r.source, r.entity, r.external_id,
	r.title, r.role, r.share, r.since, r.until, r.ended, COALESCE(gt.id, '') FROM `

// Edges are looked for from the golden record that is asked for, not among all.
const (
	edgesOut = edgeColumns + `crosswalk cf JOIN relation r ON r.rec = cf.rec JOIN source_record f ON f.rec = r.rec LEFT JOIN golden gf ON gf.founder = cf.golden
		LEFT JOIN source_record t ON t.source = r.source AND t.entity = r.entity AND t.external_id = r.external_id
		LEFT JOIN crosswalk ct ON ct.rec = t.rec LEFT JOIN golden gt ON gt.founder = ct.golden WHERE cf.golden = $1`
	edgesIn = edgeColumns + `crosswalk ct JOIN source_record t ON t.rec = ct.rec
		JOIN relation r ON r.source = t.source AND r.entity = t.entity AND r.external_id = t.external_id JOIN source_record f ON f.rec = r.rec
		LEFT JOIN crosswalk cf ON cf.rec = r.rec LEFT JOIN golden gf ON gf.founder = cf.golden LEFT JOIN golden gt ON gt.founder = ct.golden WHERE ct.golden = $1`
)

// EdgesOf lists the relations of a golden record, those that lead away from it
// and those that lead to it, at most n each way.
func (db *DB) EdgesOf(ctx context.Context, founder int64, n int) (out, in []GoldenEdge, err error) {
	for _, side := range []struct {
		query string
		into  *[]GoldenEdge
	}{{edgesOut, &out}, {edgesIn, &in}} {
		err := db.view(ctx, side.query+` ORDER BY r.kind, r.ended, r.rec, r.n LIMIT $2`, []any{founder, n}, func(r *sql.Rows) error {
			var e GoldenEdge
			err := r.Scan(&e.From.Source, &e.From.Entity, &e.From.ID, &e.FromGolden, &e.Kind, &e.To.Source, &e.To.Entity, &e.To.ID,
				&e.Title, &e.Role, &e.Share, &e.Since, &e.Until, &e.Ended, &e.ToGolden)
			*side.into = append(*side.into, e)
			return err
		})
		if err != nil {
			return nil, nil, fmt.Errorf("relations: %w", err)
		}
	}
	return out, in, nil
}

// MissCount is how many records hold a value that a table does not know.
type MissCount struct {
	Table string `json:"table"`
	Value string `json:"value"`
	Count int    `json:"count"`
}

// Misses lists the values that tables do not know, the most frequent first, at
// most n, and counts them all.
func (db *DB) Misses(ctx context.Context, n int) (list []MissCount, all int, err error) {
	err = db.view(ctx, `SELECT tbl, value, count(*) FROM lookup_miss GROUP BY tbl, value ORDER BY 3 DESC, 1, 2 LIMIT $1`, []any{n}, func(r *sql.Rows) error {
		var m MissCount
		err := r.Scan(&m.Table, &m.Value, &m.Count)
		list = append(list, m)
		return err
	})
	if err == nil {
		err = db.view(ctx, `SELECT count(*) FROM (SELECT DISTINCT tbl, value FROM lookup_miss) d`, nil, func(r *sql.Rows) error { return r.Scan(&all) })
	}
	if err != nil {
		return nil, 0, fmt.Errorf("looked up in vain: %w", err)
	}
	return list, all, nil
}
