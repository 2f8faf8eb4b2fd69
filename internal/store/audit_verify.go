package store

import (
	"bytes"
	"context"
	"crypto/hmac"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"

	"touchstone/internal/audit"
)

// AuditVerify holds every row against its own hash and the chain, and the chain
// against the checkpoints: those of the store, and marks, which were kept
// elsewhere. The error says that the store could not be read; what is wrong
// stands in the report.
func (db *DB) AuditVerify(ctx context.Context, key audit.Public, marks audit.Marks) (*audit.Report, error) {
	v := &auditCheck{db: db, report: &audit.Report{Log: key.Log}, marks: marks, prev: audit.Start()}
	if err := v.ownCheckpoints(ctx, key); err != nil {
		return v.report, err
	}
	head, err := db.AuditHead(ctx)
	if err != nil {
		return v.report, err
	}
	if err := v.chain(ctx, head.N); err != nil {
		return v.report, err
	}
	if err := v.rows(ctx); err != nil {
		return v.report, err
	}
	v.report.First, v.report.Last, v.report.Head = min(1, v.n), v.n, hex.EncodeToString(v.prev)
	if v.marks.Last.N > v.n {
		v.report.Add(audit.Problem{N: v.n + 1, Text: fmt.Sprintf("entries are missing: the checkpoint of %s had %d: the end was cut off, or the store was set back", v.marks.Last.At, v.marks.Last.N)})
	}
	return v.report, nil
}

// auditBatch is how many rows are held in memory at once.
const auditBatch = 1000

type auditCheck struct {
	db     *DB
	report *audit.Report
	marks  audit.Marks
	n      int64
	prev   []byte
}

func (v *auditCheck) ownCheckpoints(ctx context.Context, key audit.Public) error {
	for after := int64(0); ; {
		list, err := v.db.Checkpoints(ctx, after, auditBatch)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, s := range list {
			after = s.N
			c, err := key.Checkpoint(s.Note)
			switch {
			case err != nil:
				v.report.Add(audit.Problem{N: s.N, Text: "in the store " + err.Error()})
			case c.N != s.N || c.At != s.At:
				v.report.Add(audit.Problem{N: s.N, Text: "a checkpoint in the store stands in another's place"})
			default:
				v.marks.Add(c)
			}
		}
	}
}

// chain walks the seals in their order.
func (v *auditCheck) chain(ctx context.Context, head int64) error {
	for v.n < head {
		batch, err := v.db.auditChain(ctx, v.n, auditBatch)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		for _, r := range batch {
			v.link(r)
		}
	}
	return nil
}

// auditLink is a seal with its row; found is false when there is none.
type auditLink struct {
	auditRow
	seq   int64
	found bool
}

// auditChain reads seals behind n with their rows.
func (db *DB) auditChain(ctx context.Context, n int64, most int) (list []auditLink, err error) {
	err = db.view(ctx, `SELECT n, seq, h, mac FROM audit_seal WHERE n > $1 ORDER BY n LIMIT $2`, []any{n, most}, func(r *sql.Rows) error {
		var l auditLink
		err := r.Scan(&l.n, &l.seq, &l.h, &l.sealMAC)
		list = append(list, l)
		return err
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	byField := make(map[int64]int, len(list))
	low, high := list[0].seq, list[0].seq
	for i, l := range list {
		byField[l.seq] = i
		low, high = min(low, l.seq), max(high, l.seq)
	}
	err = db.view(ctx, `SELECT `+auditColumns+` FROM audit a WHERE a.seq >= $1 AND a.seq <= $2 ORDER BY a.seq`, []any{low, high}, func(r *sql.Rows) error {
		row, err := scanAudit(r)
		if i, ok := byField[row.Seq]; ok && err == nil {
			l := &list[i]
			row.n, row.h, row.sealMAC = l.n, l.h, l.sealMAC
			l.auditRow, l.found = row, true
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit trail: %w", err)
	}
	return list, nil
}

func (v *auditCheck) link(l auditLink) {
	if l.n != v.n+1 {
		v.report.Add(audit.Problem{N: l.n, Text: fmt.Sprintf("stands where entry %d is due", v.n+1)})
	}
	switch {
	case !hmac.Equal(l.sealMAC, v.db.sealedMAC(l.n, l.seq, l.h)):
		v.report.Add(audit.Problem{N: l.n, Text: "its place in the chain was not written by this installation"})
	case !l.found:
		v.report.Add(audit.Problem{N: l.n, Seq: l.seq, Text: "its row is missing"})
	case !bytes.Equal(l.h, audit.Link(l.n, v.prev, l.Body())):
		v.report.Add(audit.Problem{N: l.n, Seq: l.seq, Text: "its hash does not follow from it and the one before"})
	}
	v.marks.Compare(v.report, l.n, l.h)
	v.n, v.prev = l.n, l.h
}

// rows holds each row against its own hash, and finds those that stand behind
// the chain's end without being the newest, and subjects that lead nowhere.
func (v *auditCheck) rows(ctx context.Context) error {
	var newest int64
	err := v.db.view(ctx, `SELECT COALESCE(max(seq), 0) FROM audit_seal`, nil, func(r *sql.Rows) error { return r.Scan(&newest) })
	for after, more := int64(0), true; more && err == nil; {
		n := 0
		var batch []auditRow
		err = v.db.view(ctx, `SELECT `+auditColumns+` FROM audit a WHERE a.seq > $1 ORDER BY a.seq LIMIT $2`, []any{after, auditBatch}, func(r *sql.Rows) error {
			row, err := scanAudit(r)
			n, after = n+1, row.Seq
			batch = append(batch, row)
			return err
		})
		more = n == auditBatch
		if err == nil {
			err = v.db.sealsOf(ctx, batch)
		}
		for i := range batch {
			v.row(&batch[i], newest)
		}
		if err == nil {
			err = v.subjects(ctx, batch)
		}
	}
	if err != nil {
		return fmt.Errorf("verify the audit trail: %w", err)
	}
	return nil
}

// sealsOf puts the numbers of the chain to rows that stand in order.
func (db *DB) sealsOf(ctx context.Context, rows []auditRow) error {
	if len(rows) == 0 {
		return nil
	}
	at := make(map[int64]int, len(rows))
	for i, r := range rows {
		at[r.Seq] = i
	}
	return db.view(ctx, `SELECT seq, n FROM audit_seal WHERE seq >= $1 AND seq <= $2 ORDER BY seq`, []any{rows[0].Seq, rows[len(rows)-1].Seq}, func(r *sql.Rows) error {
		var seq, n int64
		err := r.Scan(&seq, &n)
		if i, ok := at[seq]; ok {
			rows[i].n = n
		}
		return err
	})
}

func (v *auditCheck) row(r *auditRow, newest int64) {
	switch {
	case !hmac.Equal(r.MAC, r.mac(v.db)):
		v.report.Add(audit.Problem{N: r.n, Seq: r.Seq, Text: "was not written by this installation, or was changed since"})
	case r.n == 0 && r.Seq < newest:
		v.report.Add(audit.Problem{Seq: r.Seq, Text: "stands among the chained rows and is in no chain"})
	case r.n == 0:
		v.report.Open++
	}
}

// subjects checks that rows are found by each of their subjects.
func (v *auditCheck) subjects(ctx context.Context, batch []auditRow) error {
	var with []auditRow
	for _, r := range batch {
		if r.form != 1 && r.more != "" {
			with = append(with, r)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	have := map[int64][]string{}
	err := v.db.view(ctx, `SELECT seq, subject FROM audit_subject WHERE seq >= $1 AND seq <= $2`, []any{batch[0].Seq, batch[len(batch)-1].Seq}, func(r *sql.Rows) error {
		var seq int64
		var s string
		err := r.Scan(&seq, &s)
		have[seq] = append(have[seq], s)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range with {
		want, got := slices.Clone(r.Subjects[1:]), have[r.Seq]
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			v.report.Add(audit.Problem{N: r.n, Seq: r.Seq, Text: "is not found by what it is about: its list of subjects was changed"})
		}
		delete(have, r.Seq)
	}
	if len(have) > 0 {
		seqs := make([]int64, 0, len(have))
		for seq := range have {
			seqs = append(seqs, seq)
		}
		v.report.Add(audit.Problem{Seq: slices.Min(seqs), Text: "is found by what it is not about: its list of subjects was changed"})
	}
	return nil
}

// AuditRange gives the entries of the chain from one time until before another
// ("" for no bound): first to last by number, and the hash before the first. Last
// is below first when there are none.
func (db *DB) AuditRange(ctx context.Context, from, to string) (first, last int64, prev []byte, err error) {
	low, high, err := db.auditBounds(ctx, AuditFilter{From: from, To: to})
	if err != nil {
		return 0, 0, nil, err
	}
	prev = audit.Start()
	err = db.view(ctx, `SELECT COALESCE(min(n), 1), COALESCE(max(n), 0) FROM audit_seal WHERE seq >= $1 AND seq < $2`, []any{low, high}, func(r *sql.Rows) error { return r.Scan(&first, &last) })
	if err == nil && first > 1 {
		err = db.view(ctx, `SELECT h FROM audit_seal WHERE n = $1`, []any{first - 1}, func(r *sql.Rows) error { return r.Scan(&prev) })
	}
	if err != nil {
		return 0, 0, nil, fmt.Errorf("read the audit trail: %w", err)
	}
	return first, last, prev, nil
}

// AuditChain gives the entries first to last of the chain in their order. One
// whose row is missing ends it with an error.
func (db *DB) AuditChain(ctx context.Context, first, last int64, each func(n int64, h, body []byte) error) error {
	for n := first - 1; n < last; {
		batch, err := db.auditChain(ctx, n, int(min(auditBatch, last-n)))
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			return fmt.Errorf("read the audit trail: entry %d is missing; touchstone audit verify says what else", n+1)
		}
		for _, l := range batch {
			if !l.found || l.n != n+1 {
				return fmt.Errorf("read the audit trail: entry %d is missing; touchstone audit verify says what else", n+1)
			}
			n = l.n
			if err := each(l.n, l.h, l.Body()); err != nil {
				return err
			}
		}
	}
	return nil
}
