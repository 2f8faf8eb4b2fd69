package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// Component is a component as it stands: the records that are parted together,
// and what is stored between them. Rulings have no order that means anything.
type Component struct {
	Members []Member // by reference
	Edges   []Edge
	Rulings []Ruling
	Golden  map[int64]string // founder → id
}

// inComponents reads the records of the components that a query names. SQLite's index
// of components has only the records of those that are named after another golden
// record than theirs: the index of golden records knows the others.
func (d *dialect) inComponents(names string) string {
	if d.name == "postgres" {
		return `SELECT rec FROM crosswalk WHERE comp IN (` + names + `)`
	}
	return `SELECT rec FROM crosswalk WHERE comp = golden AND golden IN (` + names + `)
		UNION ALL SELECT rec FROM crosswalk WHERE comp <> golden AND comp IN (` + names + `)`
}

// ComponentOf reads the component of a golden record. Found is false, with
// nothing else in it, where it has more than most records.
func (db *DB) ComponentOf(ctx context.Context, founder int64, most int) (c Component, found bool, err error) {
	err = db.reading(ctx, func(t *Tx) error {
		tx := &LinkTx{Tx: t}
		var recs []int64
		err := tx.query(ctx, `SELECT rec FROM (`+db.d.inComponents(`SELECT comp FROM crosswalk WHERE rec = $1`)+`) AS m ORDER BY rec LIMIT $2`, []any{founder, most + 1}, func(r *sql.Rows) error {
			var rec int64
			err := r.Scan(&rec)
			recs = append(recs, rec)
			return err
		})
		if err != nil || len(recs) > most {
			return err
		}
		found = true
		if c.Members, err = tx.Members(ctx, recs); err != nil {
			return err
		}
		if c.Edges, err = tx.Matches(ctx, recs); err != nil {
			return err
		}
		c.Rulings, err = tx.Rulings(ctx, recs)
		return err
	})
	if err != nil {
		return c, false, fmt.Errorf("component: %w", err)
	}
	slices.SortFunc(c.Members, func(a, b Member) int { return a.Ref.Compare(b.Ref) })
	founders := make([]int64, len(c.Members))
	for i, m := range c.Members {
		founders[i] = m.Golden
	}
	slices.Sort(founders)
	c.Golden, err = db.GoldenIDs(ctx, slices.Compact(founders))
	return c, found, err
}
