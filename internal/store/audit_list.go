package store

import (
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
	err = inList(`SELECT `+auditColumns+` FROM audit a LEFT JOIN audit_seal s ON s.seq = a.seq WHERE a.seq IN $LIST`, seqs, nil, func(q string, args []any) error {
		return db.view(ctx, q, args, func(r *sql.Rows) error {
			row, err := scanAudit(r)
			list = append(list, AuditItem{row.Entry, row.n})
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list the audit trail: %w", err)
	}
	slices.SortFunc(list, func(a, b AuditItem) int { return int(max(min(b.Seq-a.Seq, 1), -1)) })
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

// auditSeqs finds the rows by the indexes: by subject, or by who and action,
// where every action that there is stands for "any".
func (db *DB) auditSeqs(ctx context.Context, f AuditFilter, low, high int64, n int) (seqs []int64, err error) {
	take := func(r *sql.Rows) error {
		var seq int64
		err := r.Scan(&seq)
		seqs = append(seqs, seq)
		return err
	}
	args := []any{low, high, n, f.From, f.To}
	const within = ` a.seq >= $1 AND a.seq < $2 AND ($4 = '' OR a.at >= $4) AND ($5 = '' OR a.at < $5)`
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	const tail = ` ORDER BY a.seq DESC LIMIT CAST($3 AS BIGINT)`
	switch {
	case f.Subject != "":
		also := ""
		if f.Who != "" {
			also += ` AND a.who = ` + arg(f.Who)
		}
		if len(f.What) > 0 {
			marks := make([]string, len(f.What))
			for i, w := range f.What {
				marks[i] = arg(w)
			}
			also += ` AND a.what IN (` + strings.Join(marks, ",") + `)`
		}
		subject := arg(f.Subject)
		for _, q := range []string{
			`SELECT a.seq FROM audit a WHERE a.subject = ` + subject + ` AND` + within + also + tail,
			`SELECT a.seq FROM audit_subject x JOIN audit a ON a.seq = x.seq WHERE x.subject = ` + subject + ` AND x.seq >= $1 AND x.seq < $2 AND` + within + also + strings.Replace(tail, "a.seq", "x.seq", 1),
		} {
			if err := db.view(ctx, q, slices.Clone(args), take); err != nil {
				return nil, err
			}
		}
	case f.Who != "" || len(f.What) > 0:
		whats := f.What
		if len(whats) == 0 {
			if whats, err = db.AuditWhats(ctx); err != nil {
				return nil, err
			}
		}
		who := ""
		if f.Who != "" {
			who = `a.who = ` + arg(f.Who) + ` AND `
		}
		what := arg("")
		for _, w := range whats {
			args[len(args)-1] = w
			if err := db.view(ctx, `SELECT a.seq FROM audit a WHERE `+who+`a.what = `+what+` AND`+within+tail, slices.Clone(args), take); err != nil {
				return nil, err
			}
		}
	default:
		if err := db.view(ctx, `SELECT a.seq FROM audit a WHERE`+within+tail, args, take); err != nil {
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
