package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
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

// FaultGroups counts the open rows by fault, most first. What is counted is kept;
// the oldest row of each is the first of its index.
func (db *DB) FaultGroups(ctx context.Context) (list []FaultGroup, err error) {
	err = db.view(ctx, `SELECT a, b, c, CAST(sum(n) AS BIGINT), COALESCE((SELECT q.at || ' ' || q.id FROM quarantine_fault q WHERE q.fault = tally.a ORDER BY q.at, q.id LIMIT 1), '')
		FROM tally WHERE what = $1 GROUP BY a, b, c HAVING sum(n) <> 0`, []any{tallyFault}, func(r *sql.Rows) error {
		var g FaultGroup
		var of, first string
		err := r.Scan(&g.Fault, &g.Source, &of, &g.N, &first)
		g.Oldest, g.Sample, _ = strings.Cut(first, " ")
		if part := strings.Split(of, "\n"); len(part) == 3 {
			g.Entity, g.Rule, g.Field = part[0], part[1], part[2]
		}
		list = append(list, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count faults: %w", err)
	}
	slices.SortFunc(list, func(x, y FaultGroup) int {
		return cmp.Or(cmp.Compare(y.N, x.N), cmp.Compare(x.Oldest, y.Oldest), cmp.Compare(x.Fault, y.Fault))
	})
	return list, nil
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
