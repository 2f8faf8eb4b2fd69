package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// FaultsWithin is FaultGroups for who reaches some rows alone. It looks at the
// oldest rows that are reached, as many as look: what it counts is then theirs
// alone, and of more rows the beginning.
func (db *DB) FaultsWithin(ctx context.Context, w Within, look int) (list []FaultGroup, err error) {
	ids, err := db.quarantineIDs(ctx, QuarantineQuery{State: "open", Within: w, Limit: look})
	if err != nil {
		return nil, fmt.Errorf("count faults: %w", err)
	}
	at := map[string]int{}
	err = viewIn(ctx, db, `SELECT fault, at, id, source, entity, rule, field FROM quarantine_fault WHERE id IN $LIST`, ids, func(r *sql.Rows) error {
		var g FaultGroup
		if err := r.Scan(&g.Fault, &g.Oldest, &g.Sample, &g.Source, &g.Entity, &g.Rule, &g.Field); err != nil {
			return err
		}
		i, known := at[g.Fault]
		if !known {
			i, at[g.Fault] = len(list), len(list)
			list = append(list, g)
		}
		list[i].N++
		if cmp.Or(strings.Compare(g.Oldest, list[i].Oldest), strings.Compare(g.Sample, list[i].Sample)) < 0 {
			list[i].Oldest, list[i].Sample = g.Oldest, g.Sample
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count faults: %w", err)
	}
	slices.SortFunc(list, func(x, y FaultGroup) int {
		return cmp.Or(cmp.Compare(y.N, x.N), cmp.Compare(x.Oldest, y.Oldest), cmp.Compare(x.Fault, y.Fault))
	})
	return list, nil
}

// FaultWithin is one of these groups, counted as a whole; found is false where
// nothing that is reached has the fault.
func (db *DB) FaultWithin(ctx context.Context, w Within, fault string) (g FaultGroup, found bool, err error) {
	where := behind(w.record("q"))
	err = db.view(ctx, `SELECT q.fault, q.at, q.id, q.source, q.entity, q.rule, q.field FROM quarantine_fault q WHERE q.fault = $1`+where+` ORDER BY q.at, q.id LIMIT 1`, []any{fault}, func(r *sql.Rows) error {
		found = true
		return r.Scan(&g.Fault, &g.Oldest, &g.Sample, &g.Source, &g.Entity, &g.Rule, &g.Field)
	})
	if err == nil && found {
		err = db.view(ctx, `SELECT count(*) FROM quarantine_fault q WHERE q.fault = $1`+where, []any{fault}, func(r *sql.Rows) error { return r.Scan(&g.N) })
	}
	if err != nil {
		return g, false, fmt.Errorf("count a fault: %w", err)
	}
	return g, found, nil
}
