package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/say"
)

// mostFaults bounds the faults noted of one version.
const mostFaults = 20

// faultRows gathers what is wrong with the versions that wait in quarantine.
type faultRows struct {
	old  []int64 // records whose faults are made anew
	rows [][]any
}

func (o *faultRows) add(tx *Tx, r *landed, id string, reasons []record.Reason) {
	var seen []string
	for _, reason := range reasons {
		field, _ := reason.Fault()
		fault := tx.db.Fault(r.ref, reason)
		if slices.Contains(seen, fault) || len(seen) == mostFaults {
			continue
		}
		seen = append(seen, fault)
		o.rows = append(o.rows, []any{fault, tx.now, id, r.rec, r.ref.Source, r.ref.Entity, reason.Rule, field})
	}
}

// Fault is the name of a reason of one of a source's records: the same for the
// same fault of all of them.
func (db *DB) Fault(ref record.Ref, r record.Reason) string {
	field, what := r.Fault()
	return "f" + db.vault.Anchor("fault", ref.Source+"/"+ref.Entity, r.Rule+"\x00"+field+"\x00"+what)[:10]
}

// write makes the faults of records anew; those of rows that a person has
// released stay out.
func (o *faultRows) write(ctx context.Context, tx *Tx) error {
	if err := execIn(ctx, tx, `DELETE FROM quarantine_fault WHERE rec IN $LIST`, o.old); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	if err := tx.insert(ctx, `INSERT INTO quarantine_fault (fault, at, id, rec, source, entity, rule, field)`, "", o.rows); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	if len(o.rows) == 0 {
		return nil
	}
	if err := execIn(ctx, tx, `DELETE FROM quarantine_fault WHERE rec IN $LIST AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.id = quarantine_fault.id AND q.state = 'open')`, o.old); err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	err := execIn(ctx, tx, `UPDATE quarantine_fault SET at = (SELECT q.at FROM quarantine q WHERE q.id = quarantine_fault.id) WHERE rec IN $LIST`, o.old)
	if err != nil {
		return fmt.Errorf("faults: %w", err)
	}
	return nil
}

// FaultGroup is how many open rows of one source have the same fault.
type FaultGroup struct {
	Fault          string
	Source, Entity string // Source is the uid
	Rule, Field    string
	N              int
	Oldest         string
	Sample         string // id of the oldest row
}

// FaultGroups counts the open rows by fault, most first.
func (db *DB) FaultGroups(ctx context.Context) (list []FaultGroup, err error) {
	err = db.view(ctx, `SELECT g.fault, g.n, g.at, f.id, f.source, f.entity, f.rule, f.field FROM (
			SELECT fault, count(*) AS n, min(at) AS at FROM quarantine_fault GROUP BY fault) g
		JOIN quarantine_fault f ON f.fault = g.fault AND f.at = g.at
			AND f.id = (SELECT min(z.id) FROM quarantine_fault z WHERE z.fault = g.fault AND z.at = g.at)
		ORDER BY g.n DESC, g.at, g.fault`, nil, func(r *sql.Rows) error {
		var g FaultGroup
		err := r.Scan(&g.Fault, &g.N, &g.Oldest, &g.Sample, &g.Source, &g.Entity, &g.Rule, &g.Field)
		list = append(list, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count faults: %w", err)
	}
	return list, nil
}

// QuarantineQuery chooses quarantined rows, oldest first.
type QuarantineQuery struct {
	State  string
	Source string   // uid; "" for all
	Faults []string // only open rows with one of these; nil for all
	Before string   // only rows that are there since before this time; "" for all
	After  string   // id of the row to go on behind
	Limit  int
}

// Quarantines lists quarantined rows, without their raw records.
func (db *DB) Quarantines(ctx context.Context, f QuarantineQuery) (list []Quarantined, err error) {
	ids, err := db.quarantineIDs(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list quarantine: %w", err)
	}
	return db.quarantinesOf(ctx, ids)
}

// QuarantinesWhole lists quarantined rows with their raw records: fewer than
// f.Limit where these have more than so many bytes together, one at the least.
// More says that there are others behind the last.
func (db *DB) QuarantinesWhole(ctx context.Context, f QuarantineQuery, bytes int) (list []Quarantined, more bool, err error) {
	f.Limit++
	if list, err = db.Quarantines(ctx, f); err != nil {
		return nil, false, err
	}
	n, size := 0, 0
	for n < len(list) && n < f.Limit-1 && (n == 0 || size+list[n].Size <= bytes) {
		size += list[n].Size
		n++
	}
	more, list = n < len(list), list[:n]
	return list, more, db.withRaw(ctx, list)
}

func (db *DB) quarantineIDs(ctx context.Context, f QuarantineQuery) (ids []string, err error) {
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	var where []string
	from := `SELECT q.id FROM quarantine q`
	if f.Faults != nil {
		from = `SELECT DISTINCT q.at, q.id FROM quarantine_fault q`
		if len(f.Faults) == 0 {
			return nil, nil
		}
		names := make([]string, len(f.Faults))
		for i, x := range f.Faults {
			names[i] = arg(x)
		}
		where = append(where, `q.fault IN (`+strings.Join(names, ",")+`)`)
		if len(names) == 1 { // the key is in this order, and an id stands there once
			from = `SELECT q.at, q.id FROM quarantine_fault q`
		}
	} else {
		where = append(where, `q.state = `+arg(f.State))
	}
	if f.Source != "" {
		where = append(where, `q.source = `+arg(f.Source))
	}
	if f.Before != "" {
		where = append(where, `q.at < `+arg(f.Before))
	}
	if f.After != "" {
		where = append(where, `(q.at, q.id) > (SELECT z.at, z.id FROM quarantine z WHERE z.id = `+arg(f.After)+`)`)
	}
	err = db.view(ctx, from+` WHERE `+strings.Join(where, ` AND `)+` ORDER BY q.at, q.id LIMIT `+arg(max(f.Limit, 1)), args, func(r *sql.Rows) error {
		var id, at string
		if f.Faults != nil {
			err := r.Scan(&at, &id)
			ids = append(ids, id)
			return err
		}
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// Unrelease takes a person's release of a quarantined row back: it is judged
// again.
func (db *DB) Unrelease(ctx context.Context, id, who, why string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		var rec int64
		var state string
		found, err := tx.one(ctx, `SELECT rec, state FROM quarantine WHERE id = $1`, []any{id}, &rec, &state)
		switch {
		case err != nil:
			return err
		case !found:
			return notFound("quarantine row", id)
		case state != "released":
			return refused("quarantine row %s is %s: only a release can be taken back", id, say.Word{Group: "qstate", Name: state})
		}
		if _, err := tx.exec(ctx, `UPDATE quarantine SET state = 'open', who = $1, why = $2 WHERE id = $3`, who, why, id); err != nil {
			return err
		}
		if err := tx.deriveRecs(ctx, []int64{rec}); err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{who, "quarantine.unrelease", id, nil, nil}})
	})
}
