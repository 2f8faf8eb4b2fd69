package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// faultsOf reads faults of rows: there is an index of their records.
const faultsOf = `SELECT f.fault, f.at, f.id, f.source, f.entity, f.rule, f.field FROM quarantine q JOIN quarantine_fault f ON f.rec = q.rec AND f.id = q.id WHERE `

// FaultsWithin is FaultGroups for who reaches some rows alone. It looks at the
// oldest rows that are reached, as many as look, among as many as one page looks
// through: what it counts is then theirs alone, and of more rows the beginning.
func (db *DB) FaultsWithin(ctx context.Context, w Within, look int) (list []FaultGroup, err error) {
	ids, _, err := db.quarantineIDs(ctx, QuarantineQuery{State: "open", Within: w, Limit: look})
	if err != nil {
		return nil, fmt.Errorf("count faults: %w", err)
	}
	at := map[string]int{}
	err = viewIn(ctx, db, faultsOf+`q.id IN $LIST`, ids, func(r *sql.Rows) error {
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

// FaultWithin is one of these groups, counted among as many of the oldest rows with
// the fault as one page looks through; found is false where nothing that is reached
// has it there.
func (db *DB) FaultWithin(ctx context.Context, w Within, fault string) (g FaultGroup, found bool, err error) {
	ids, _, err := db.quarantineIDs(ctx, QuarantineQuery{Faults: []string{fault}, Within: w, Limit: reachLooked})
	if err != nil || len(ids) == 0 {
		return g, false, err
	}
	err = db.view(ctx, faultsOf+`q.id = $1 AND f.fault = $2`, []any{ids[0], fault}, func(r *sql.Rows) error {
		found = true
		return r.Scan(&g.Fault, &g.Oldest, &g.Sample, &g.Source, &g.Entity, &g.Rule, &g.Field)
	})
	if g.N = len(ids); err != nil {
		return g, false, fmt.Errorf("count a fault: %w", err)
	}
	return g, found, nil
}
