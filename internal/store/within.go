package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// SourceKind is the records of one kind of a source; "" stands for every one.
type SourceKind struct{ Source, Entity string }

// Within is what somebody reaches: customers, and of the records that belong to
// none yet those of whole sources. Its zero value reaches all.
type Within struct {
	Reach Reach
	Whole []SourceKind
}

// of is the condition that the customer that a source record belongs to is
// reached; "" for all. A golden record's founder is such a record, also of one that
// has gone into another.
func (r Reach) of(rec string) string {
	switch {
	case r == nil:
		return ""
	case len(r) == 0:
		return "1 = 0"
	}
	return "EXISTS (SELECT 1 FROM crosswalk cr JOIN reach ON reach.founder = cr.golden WHERE cr.rec = " + rec + " AND reach.scope IN (" + r.list() + "))"
}

// write is the condition that a row of the outbox is reached: its golden record,
// and the object that it writes to.
func (r Reach) write(row string) string {
	if r == nil {
		return ""
	}
	return " AND " + r.of(row+".founder") + " AND (" + row + ".rec = 0 OR " + r.of(row+".rec") + ")"
}

// record is the condition that a source record is reached: by its customer, or
// while it belongs to none by its whole source; "" for all. Table has the columns
// rec, source and entity.
func (w Within) record(table string) string {
	if w.Reach == nil {
		return ""
	}
	own := w.Reach.of(table + ".rec")
	if len(w.Whole) == 0 {
		return own
	}
	kinds := make([]string, len(w.Whole))
	for i, k := range w.Whole {
		var both []string
		if k.Source != "" {
			both = append(both, table+".source = "+quoted(k.Source))
		}
		if k.Entity != "" {
			both = append(both, table+".entity = "+quoted(k.Entity))
		}
		kinds[i] = strings.Join(both, " AND ")
	}
	return "(" + own + " OR (" + strings.Join(kinds, " OR ") + ") AND NOT EXISTS (SELECT 1 FROM crosswalk cn WHERE cn.rec = " + table + ".rec AND cn.golden <> 0))"
}

// quoted is a text in SQL.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// decision is the condition that all that a decision speaks of is reached, and that
// it speaks of something; "" for all. One that only takes others back speaks of
// what these do.
func (w Within) decision(id string) string {
	if w.Reach == nil {
		return ""
	}
	var any, all []string
	for _, x := range [...]struct{ table, out string }{
		{"ruling", "NOT " + w.Reach.of("t.a") + " OR t.b <> 0 AND NOT " + w.Reach.of("t.b")},
		{"said_relation", "NOT " + w.Reach.of("t.a") + " OR NOT " + w.Reach.of("t.b")},
		{"relation_refused", "NOT " + w.Reach.of("t.a") + " OR NOT " + w.Reach.of("t.b")},
		{"repair", "NOT EXISTS (SELECT 1 FROM source_record sr WHERE sr.rec = t.rec AND " + w.record("sr") + ")"},
		{"ruling_pending", ""}, // what has not landed is nobody's yet
		{"repair_pending", ""},
	} {
		from := "SELECT 1 FROM said JOIN " + x.table + " t ON t.decision = said.id"
		if x.out != "" {
			any, from = append(any, "EXISTS ("+from+")"), from+" WHERE "+x.out
		}
		all = append(all, "NOT EXISTS ("+from+")")
	}
	return `(WITH RECURSIVE said (id) AS (SELECT ` + id + ` UNION SELECT dw.withdraws FROM said JOIN decision k ON k.id = said.id AND k.kind IN ('` + Undone + `', '` + Unpinned + `', '` + Expired + `')
		JOIN decision_withdrawal dw ON dw.decision = k.id) SELECT CASE WHEN (` + strings.Join(any, " OR ") + `) AND ` + strings.Join(all, " AND ") + ` THEN 1 ELSE 0 END) = 1`
}

// DecisionsReached says which decisions speak of what is reached, and of nothing
// else.
func (db *DB) DecisionsReached(ctx context.Context, w Within, ids []string) (map[string]bool, error) {
	return db.reachedIDs(ctx, `SELECT d.id FROM decision d WHERE d.id IN $LIST`+behind(w.decision("d.id")), ids)
}

// QuarantinesReached says which rows of the quarantine are reached.
func (db *DB) QuarantinesReached(ctx context.Context, w Within, ids []string) (map[string]bool, error) {
	return db.reachedIDs(ctx, `SELECT q.id FROM quarantine q WHERE q.id IN $LIST`+behind(w.record("q")), ids)
}

// RowsReached says which rows of the outbox are reached.
func (db *DB) RowsReached(ctx context.Context, r Reach, ids []string) (map[string]bool, error) {
	return db.reachedIDs(ctx, `SELECT o.id FROM outbox o WHERE o.id IN $LIST`+r.write("o"), ids)
}

// BulkReached says which bulk jobs have pairs of reached customers alone.
func (db *DB) BulkReached(ctx context.Context, r Reach, ids []string) (map[string]bool, error) {
	return db.reachedIDs(ctx, `SELECT j.id FROM bulk_job j WHERE j.id IN $LIST`+r.bulk(), ids)
}

// bulk is the condition that all pairs of a bulk job are reached.
func (r Reach) bulk() string {
	if r == nil {
		return ""
	}
	return " AND NOT EXISTS (SELECT 1 FROM bulk_pair p WHERE p.job = j.id AND (NOT " + r.of("p.a") + " OR NOT " + r.of("p.b") + "))"
}

// ActReached says whether all rows of an act on stuck writes are reached; false
// too where there is no such act.
func (db *DB) ActReached(ctx context.Context, r Reach, act string) (ok bool, err error) {
	var all, in int
	err = db.view(ctx, `SELECT count(*), COALESCE(sum(CASE WHEN 1 = 1`+r.write("o")+` THEN 1 ELSE 0 END), 0) FROM revival v JOIN outbox o ON o.seq = v.seq WHERE v.act = $1`,
		[]any{act}, func(rows *sql.Rows) error { return rows.Scan(&all, &in) })
	if err != nil {
		return false, fmt.Errorf("who is in reach: %w", err)
	}
	return all > 0 && all == in, nil
}

func (db *DB) reachedIDs(ctx context.Context, q string, ids []string) (map[string]bool, error) {
	out := make(map[string]bool, len(ids))
	err := viewIn(ctx, db, q, ids, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		out[id] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("what is in reach: %w", err)
	}
	return out, nil
}

// Reaches says whether one of the whole scopes with these hashes reaches a golden
// record, by founder.
func (tx *DecideTx) Reaches(ctx context.Context, hashes []string, founder int64) (ok bool, err error) {
	err = eachIn(ctx, tx.Tx, `SELECT 1 FROM reach JOIN reach_scope s ON s.id = reach.scope WHERE reach.founder = $X1 AND s.state = $X2 AND s.hash IN $LIST`, hashes, func(*sql.Rows) error {
		ok = true
		return nil
	}, founder, scopeWhole)
	if err != nil {
		return false, fmt.Errorf("who is in reach: %w", err)
	}
	return ok, nil
}
