package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// factTables are what a rebuild starts from. Of the quarantine only releases
// are facts, of the outbox what we sent.
var factTables = []struct{ table, where string }{
	{"source", ""},
	{"source_record", ""},
	{"source_version", ""},
	{"decision", ""},
	{"decision_withdrawal", ""},
	{"ruling", ""},
	{"ruling_pending", ""},
	{"value_map", ""},
	{"repair", ""},
	{"repair_pending", ""},
	{"relation_refused", ""},
	{"said_relation", ""},
	{"handover", ""},
	{"handover_part", ""},
	{"model", ""},
	{"activation", ""},
	{"setting", "WHERE name = 'queue_day'"},
	{"quarantine", "WHERE state = 'released'"},
	{"outbox", "WHERE sent_seq > 0"},
	{"event", ""},
	{"event_version", ""},
}

// derivedTables are compared after a rebuild, column by column, in key order.
// Fact numbers of derivations and counts of versions are progress.
var derivedTables = []struct{ table, columns, where, order string }{
	{"feature", "rec, entity, version, live, authored, features, published", "", "rec"},
	{"quarantine", "rec, version, reasons", "WHERE state = 'open'", "rec, version"},
	{"quarantine_fault", "fault, id, rec, source, entity, rule, field", "", "fault, id"},
	{"blocking_key", "key, fine, rec", "", "key, fine, rec"},
	{"shared_value", "value, entity", "", "value"},
	{"match", "a, b, weight, pattern, model, entity", "", "a, b"},
	{"bridge", "a, b, weight, entity", "", "a, b"},
	{"crosswalk", "rec, comp, golden", "", "rec"},
	{"relation", "rec, n, kind, source, entity, external_id, title, role, share, since, until, ended", "", "rec, n"},
	{"lookup_miss", "rec, n, tbl, value", "WHERE place = ''", "rec, n"},
	{"event_state", "ev, version, type, at, amount, currency, channel, status, body", "", "ev"},
	{"event_of", "ev, n, source, entity, external_id, rec, at", "", "ev, n"},
	{"event_fault", "ev, version, reasons", "", "ev"},
	{"queue", "a, b, x, y, entity, kind, low, high, weight, far, chance, pairs, value, systems, damage, name", "", "a, b"},
	{"golden", "founder, id, entity, fields, provenance, members, live, owner", "", "founder"},
	{"search_text", "founder, entity, name, text, systems", "", "founder"},
	{"search", "gram, founder", "", "gram, founder"},
}

// CopyFacts copies the facts into an empty store and puts every record on its
// backlog. Both stores must have the same installation key.
func (db *DB) CopyFacts(ctx context.Context, to *DB) error {
	for _, f := range factTables {
		if err := db.copyTable(ctx, to, f.table, f.where); err != nil {
			return fmt.Errorf("copy %s: %w", f.table, err)
		}
	}
	return to.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `UPDATE counter SET value = (SELECT COALESCE(max(seq), 0) + 1 FROM source_version) + (SELECT COALESCE(max(sent_seq), 0) FROM outbox) + (SELECT COALESCE(max(seq), 0) FROM event_version)`); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `INSERT INTO event_backlog (ev, seq) SELECT ev, 0 FROM event`); err != nil {
			return err
		}
		_, err := tx.exec(ctx, `INSERT INTO backlog (rec, stage, entity, seq) SELECT rec, 1, entity, 0 FROM source_record`)
		return err
	})
}

const copyBatch = 1000

func (db *DB) copyTable(ctx context.Context, to *DB, table, where string) error {
	var names []string
	var rows [][]any
	flush := func() error {
		if len(rows) == 0 {
			return nil
		}
		head := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ")"
		err := to.inTx(ctx, func(tx *Tx) error { return tx.insert(ctx, head, "", rows) })
		rows = rows[:0]
		return err
	}
	err := db.view(ctx, "SELECT * FROM "+table+" "+where, nil, func(r *sql.Rows) error {
		values, columns, err := scanAny(r)
		if err != nil {
			return err
		}
		names = columns
		if rows = append(rows, values); len(rows) < copyBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func scanAny(r *sql.Rows) ([]any, []string, error) {
	columns, err := r.Columns()
	if err != nil {
		return nil, nil, err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	return values, columns, r.Scan(into...)
}

// Difference is one place where two stores do not agree.
type Difference struct {
	Table string `json:"table"`
	Key   string `json:"key"`
	What  string `json:"what"` // "is missing", "should not be there" or which columns differ
}

// CompareDerived lists where the derived tables of a store differ from those of
// another one that was derived anew, at most most of them a table, and counts
// the rows compared.
func (db *DB) CompareDerived(ctx context.Context, other *DB, most int) (diffs []Difference, rows int, err error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	other.mu.RLock()
	defer other.mu.RUnlock()
	for _, t := range derivedTables {
		q := "SELECT " + t.columns + " FROM " + t.table + " " + t.where + " ORDER BY " + t.order
		d, n, err := compareTable(ctx, db, other, t.table, q, len(strings.Split(t.order, ",")), most)
		if err != nil {
			return nil, rows, fmt.Errorf("compare %s: %w", t.table, err)
		}
		diffs = append(diffs, d...)
		rows += n
	}
	return diffs, rows, nil
}

// compareTable walks two sorted tables side by side.
func compareTable(ctx context.Context, a, b *DB, table, q string, keys, most int) (diffs []Difference, n int, err error) {
	left, err := a.read.QueryContext(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	defer left.Close()
	right, err := b.read.QueryContext(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	defer right.Close()
	next := func(r *sql.Rows) (row []any, columns []string, err error) {
		if !r.Next() {
			return nil, nil, r.Err()
		}
		return scanAny(r)
	}
	x, columns, err := next(left)
	if err != nil {
		return nil, 0, err
	}
	y, _, err := next(right)
	for err == nil && (x != nil || y != nil) && len(diffs) < most {
		switch c := compareKeys(x, y, keys); {
		case c < 0:
			diffs = append(diffs, Difference{table, keyText(x, keys), "should not be there"})
			x, _, err = next(left)
		case c > 0:
			diffs = append(diffs, Difference{table, keyText(y, keys), "is missing"})
			y, _, err = next(right)
		default:
			n++
			var differ []string
			for i := range x {
				if valueText(x[i]) != valueText(y[i]) {
					differ = append(differ, columns[i])
				}
			}
			if len(differ) > 0 {
				diffs = append(diffs, Difference{table, keyText(x, keys), "differs in " + strings.Join(differ, ", ")})
			}
			if x, _, err = next(left); err == nil {
				y, _, err = next(right)
			}
		}
	}
	return diffs, n, err
}

// compareKeys orders two rows by their keys, whole numbers or texts; a table
// that has ended comes last.
func compareKeys(x, y []any, keys int) int {
	if x == nil {
		return 1
	}
	if y == nil {
		return -1
	}
	for i := range keys {
		a, number := x[i].(int64)
		b, _ := y[i].(int64)
		if !number {
			if c := strings.Compare(valueText(x[i]), valueText(y[i])); c != 0 {
				return c
			}
		}
		if a != b {
			if a < b {
				return -1
			}
			return 1
		}
	}
	return 0
}

func keyText(row []any, keys int) string {
	parts := make([]string, keys)
	for i := range parts {
		parts[i] = valueText(row[i])
	}
	return strings.Join(parts, "/")
}

func valueText(v any) string {
	switch x := v.(type) {
	case []byte:
		return string(x)
	case bool:
		if x {
			return "1"
		}
		return "0"
	default:
		return fmt.Sprint(x)
	}
}
