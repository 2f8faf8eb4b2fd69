package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/audit"
)

// AuditFilter says which entries are wanted; what is left out is not asked for.
type AuditFilter struct {
	Who     string
	What    []string // any of these
	Subject string
	From    string // not before this time
	To      string // before this time
	Before  int64  // behind this row on a list with the newest first; 0 for its beginning
}

// AuditItem is an entry on a list.
type AuditItem struct {
	audit.Entry
	N int64 // in the chain; 0 while it is open
}

// AuditList lists entries, the newest first. Each way to ask walks an index in
// the order of the list and reads no more than n rows of it for each action.
func (db *DB) AuditList(ctx context.Context, f AuditFilter, n int) ([]AuditItem, error) {
	low, high, err := db.auditBounds(ctx, f)
	if err != nil || low >= high {
		return nil, err
	}
	seqs, err := db.auditSeqs(ctx, f, low, high, n)
	if err != nil {
		return nil, fmt.Errorf("list the audit trail: %w", err)
	}
	list := make([]AuditItem, 0, len(seqs))
	err = viewIn(ctx, db, `SELECT `+auditColumns+` FROM audit a WHERE a.seq IN $LIST`, seqs, func(r *sql.Rows) error {
		row, err := scanAudit(r)
		list = append(list, AuditItem{Entry: row.Entry})
		return err
	})
	sealed := map[int64]int64{}
	if err == nil {
		err = viewIn(ctx, db, `SELECT seq, n FROM audit_seal WHERE seq IN $LIST`, seqs, func(r *sql.Rows) error {
			var seq, n int64
			err := r.Scan(&seq, &n)
			sealed[seq] = n
			return err
		})
	}
	for i := range list {
		list[i].N = sealed[list[i].Seq]
	}
	if err != nil {
		return nil, fmt.Errorf("list the audit trail: %w", err)
	}
	slices.SortFunc(list, func(a, b AuditItem) int { return cmp.Compare(b.Seq, a.Seq) })
	return list, nil
}

// auditBounds makes row numbers of times: rows stand in the order they were
// committed in, which is the order of their times but for transactions that ran
// at once. A few rows around the bound are looked at for that.
func (db *DB) auditBounds(ctx context.Context, f AuditFilter) (low, high int64, err error) {
	const around = 64
	low, high = 0, 1<<62
	if f.Before > 0 {
		high = f.Before
	}
	one := func(q, at string) (seq int64, found bool, err error) {
		err = db.view(ctx, q, []any{at, around}, func(r *sql.Rows) error {
			var n sql.NullInt64
			err := r.Scan(&n)
			seq, found = n.Int64, n.Valid
			return err
		})
		return seq, found, err
	}
	if f.From != "" {
		seq, found, err := one(`SELECT min(seq) FROM (SELECT seq FROM audit WHERE at >= $1 ORDER BY at, seq LIMIT $2) a`, f.From)
		if err != nil || !found {
			return 0, 0, err
		}
		low = seq
	}
	if f.To != "" {
		seq, found, err := one(`SELECT max(seq) FROM (SELECT seq FROM audit WHERE at < $1 ORDER BY at DESC, seq DESC LIMIT $2) a`, f.To)
		if err != nil || !found {
			return 0, 0, err
		}
		high = min(high, seq+1)
	}
	return low, high, nil
}

// auditWalk is one way through an index, the newest first: rows whose leading
// columns have these values. It is written as a range of the index, which says to
// both engines, also before any statistics, to walk it and to sort nothing.
type auditWalk struct {
	from    string // table, with audit as a
	columns []string
	values  []any
	also    string // of rows that few are left of anyway
	more    []any  // its arguments
}

// text is the question for rows below $1, at most $2.
func (w auditWalk) text() (q string, args []any) {
	mark := func(i int) string { return "$" + strconv.Itoa(i+3) }
	var low, high, order []string
	for i, c := range w.columns {
		low, high, order = append(low, mark(i)), append(high, mark(i)), append(order, c+" DESC")
	}
	last := "a.seq"
	if strings.HasPrefix(w.from, "audit_subject") {
		last = "x.seq"
	}
	all := strings.Join(append(slices.Clone(w.columns), last), ", ")
	q = `SELECT a.seq, a.at FROM ` + w.from + ` WHERE (` + all + `) < (` + strings.Join(append(high, "CAST($1 AS BIGINT)"), ", ") + `) AND (` + all + `) >= (` +
		strings.Join(append(low, "CAST(0 AS BIGINT)"), ", ") + `)`
	if len(w.columns) == 0 {
		q = `SELECT a.seq, a.at FROM ` + w.from + ` WHERE a.seq < CAST($1 AS BIGINT)`
	}
	for i := range w.more {
		w.also = strings.Replace(w.also, "?", mark(len(w.values)+i), 1)
	}
	return q + w.also + ` ORDER BY ` + strings.Join(append(order, last+" DESC"), ", ") + ` LIMIT CAST($2 AS BIGINT)`, append(slices.Clone(w.values), w.more...)
}

// auditWalks are the ways that a question takes: by subject, or by person and
// action, where every action that there is stands for "any".
func (db *DB) auditWalks(ctx context.Context, f AuditFilter) (list []auditWalk, err error) {
	switch {
	case f.Subject != "":
		// What stands beside the subject is put so that no index of its own is walked.
		w := auditWalk{from: `audit a`, columns: []string{"a.subject"}, values: []any{f.Subject}}
		if f.Who != "" {
			w.also, w.more = ` AND a.who || '' = ?`, []any{f.Who}
		}
		if len(f.What) > 0 {
			w.also += ` AND a.what || '' IN (` + strings.TrimSuffix(strings.Repeat("?,", len(f.What)), ",") + `)`
			for _, what := range f.What {
				w.more = append(w.more, what)
			}
		}
		further := w
		further.from, further.columns = `audit_subject x JOIN audit a ON a.seq = x.seq`, []string{"x.subject"}
		return []auditWalk{w, further}, nil
	case f.Who != "" || len(f.What) > 0:
		whats := f.What
		if len(whats) == 0 {
			if whats, err = db.AuditWhats(ctx); err != nil {
				return nil, err
			}
		}
		for _, what := range whats {
			w := auditWalk{from: `audit a`, columns: []string{"a.what"}, values: []any{what}}
			if f.Who != "" {
				w.columns, w.values = []string{"a.who", "a.what"}, []any{f.Who, what}
			}
			list = append(list, w)
		}
		return list, nil
	}
	return []auditWalk{{from: `audit a`}}, nil
}

// auditSlack is how many rows beyond those wanted are read at once: those around
// a bound that do not belong into a time are left out here.
const auditSlack = 130

func (db *DB) auditSeqs(ctx context.Context, f AuditFilter, low, high int64, n int) (seqs []int64, err error) {
	walks, err := db.auditWalks(ctx, f)
	if err != nil {
		return nil, err
	}
	for _, w := range walks {
		q, values := w.text()
		found := 0
		for below, ended := high, false; found < n && !ended && err == nil; {
			read := 0
			err = db.view(ctx, q, append([]any{below, n + auditSlack}, values...), func(r *sql.Rows) error {
				var seq int64
				var at string
				if err := r.Scan(&seq, &at); err != nil {
					return err
				}
				read, below = read+1, seq
				ended = ended || seq < low
				if seq >= low && (f.From == "" || at >= f.From) && (f.To == "" || at < f.To) {
					seqs, found = append(seqs, seq), found+1
				}
				return nil
			})
			ended = ended || read < n+auditSlack
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(seqs)
	slices.Reverse(seqs)
	seqs = slices.Compact(seqs)
	return seqs[:min(n, len(seqs))], nil
}

// maxAuditWords bounds how many actions, or people, are offered to choose from.
const maxAuditWords = 500

// AuditWhats lists the actions that there are, sorted.
func (db *DB) AuditWhats(ctx context.Context) ([]string, error) {
	return db.auditWords(ctx, "what", "")
}

// AuditWhos lists who there is, sorted.
func (db *DB) AuditWhos(ctx context.Context) ([]string, error) {
	return db.auditWords(ctx, "who", "")
}

// auditWords steps from one value of an indexed column to the next: what it
// costs is their number, not that of the rows.
func (db *DB) auditWords(ctx context.Context, column, after string) (list []string, err error) {
	for len(list) < maxAuditWords {
		next, found := "", false
		err = db.view(ctx, `SELECT `+column+` FROM audit WHERE `+column+` > $1 ORDER BY `+column+` LIMIT 1`, []any{after}, func(r *sql.Rows) error {
			found = true
			return r.Scan(&next)
		})
		if err != nil {
			return nil, fmt.Errorf("list the audit trail: %w", err)
		}
		if !found {
			break
		}
		list, after = append(list, next), next
	}
	return list, nil
}

// InForce gives those of these decisions that are in force.
func (db *DB) InForce(ctx context.Context, ids []string) (map[string]bool, error) {
	out := make(map[string]bool, len(ids))
	err := viewIn(ctx, db, `SELECT id FROM decision WHERE withdrawn = '' AND id IN $LIST`, ids, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		out[id] = true
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("decisions in force: %w", err)
	}
	return out, nil
}
