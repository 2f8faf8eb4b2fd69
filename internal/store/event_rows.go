package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// EventRow is what of an event is not sealed: enough to count and to sum.
type EventRow struct {
	Source, Kind, Type string // Source is the uid
	At                 string
	Amount, Currency   string
}

// EachEventRow gives every event of a golden record once, oldest first, without
// opening any. Of the filter the founder, source, kind and type count.
func (db *DB) EachEventRow(ctx context.Context, f EventFilter, fn func(EventRow) error) error {
	where, args := []string{"c.golden = $1"}, []any{f.Founder}
	for _, x := range []struct{ column, value string }{{"e.source", f.Source}, {"e.kind", f.Kind}, {"t.type", f.Type}} {
		if x.value != "" {
			args = append(args, x.value)
			where = append(where, fmt.Sprintf("%s = $%d", x.column, len(args)))
		}
	}
	err := db.view(ctx, `SELECT DISTINCT t.at, t.ev, t.type, t.amount, t.currency, e.source, e.kind FROM crosswalk c JOIN event_of o ON o.rec = c.rec
		JOIN event_state t ON t.ev = o.ev JOIN event e ON e.ev = t.ev WHERE `+strings.Join(where, " AND ")+` ORDER BY 1, 2`, args, func(r *sql.Rows) error {
		var ev int64
		var x EventRow
		if err := r.Scan(&x.At, &ev, &x.Type, &x.Amount, &x.Currency, &x.Source, &x.Kind); err != nil {
			return err
		}
		return fn(x)
	})
	if err != nil {
		return fmt.Errorf("events of a golden record: %w", err)
	}
	return nil
}
