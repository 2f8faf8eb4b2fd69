package store

import (
	"context"
	"database/sql"
	"fmt"

	"touchstone/internal/record"
)

// CrosswalkRow says which golden record a source record belongs to.
type CrosswalkRow struct {
	Ref     record.Ref
	Golden  string
	Deleted bool
}

// CrosswalkOf gives the golden ids of source records; those that have not landed
// are absent.
func (db *DB) CrosswalkOf(ctx context.Context, refs []record.Ref) (list []CrosswalkRow, err error) {
	byKind := map[[2]string][]string{}
	var order [][2]string
	for _, r := range refs {
		k := [2]string{r.Source, r.Entity}
		if byKind[k] == nil {
			order = append(order, k)
		}
		byKind[k] = append(byKind[k], r.ID)
	}
	for _, k := range order {
		err := viewIn(ctx, db, `SELECT s.external_id, f.anchor, s.deleted FROM source_record s JOIN crosswalk c ON c.rec = s.rec
			JOIN source_record f ON f.rec = c.golden WHERE s.external_id IN $LIST AND s.source = $X1 AND s.entity = $X2`, byKind[k], func(r *sql.Rows) error {
			row := CrosswalkRow{Ref: record.Ref{Source: k[0], Entity: k[1]}}
			var deleted int
			err := r.Scan(&row.Ref.ID, &row.Golden, &deleted)
			row.Deleted = deleted != 0
			list = append(list, row)
			return err
		}, k[0], k[1])
		if err != nil {
			return nil, fmt.Errorf("read the crosswalk: %w", err)
		}
	}
	return list, nil
}
