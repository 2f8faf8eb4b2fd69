package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/audit"
	"touchstone/internal/auth"
)

// auditEntry is one entry of what happened to one subject.
type auditEntry struct {
	who, what, subject string
	before, after      []byte
}

// audit writes entries with the effect they tell of, in the same transaction.
// Before and after are hashes: an entry holds no personal data.
func (tx *Tx) audit(ctx context.Context, entries []auditEntry) error {
	list := make([]audit.Entry, len(entries))
	for i, e := range entries {
		list[i] = audit.Entry{Who: e.who, What: e.what, Subjects: []string{e.subject}, Before: e.before, After: e.after}
	}
	return tx.auditAll(ctx, list)
}

// Bounds of an entry, in bytes: what it names beyond them is in what it tells of.
const (
	maxAuditWord     = 200
	maxAuditSubject  = 500
	maxAuditSubjects = 500 // in number
)

// auditAll writes whole entries. Their number, time and hash are set here, role
// and request come with the context. Subjects may be many; they are found by
// each of them.
func (tx *Tx) auditAll(ctx context.Context, entries []audit.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	seq, err := tx.nextSeq(ctx, len(entries))
	if err != nil {
		return err
	}
	by := audit.From(ctx)
	if by.Role == "" {
		by.Role = string(auth.From(ctx).Role)
	}
	rows := make([][]any, len(entries))
	var subjects [][]any
	for i, e := range entries {
		e.Seq, e.At = seq+int64(i), tx.now
		e.Who, e.What = auditText(e.Who, maxAuditWord), auditText(e.What, maxAuditWord)
		e.Role, e.Request = auditText(by.Role, maxAuditWord), auditText(by.Request, maxAuditWord)
		if e.Outcome = auditText(e.Outcome, maxAuditWord); e.Outcome == "" {
			e.Outcome = audit.Done
		}
		e.Detail = auditText(e.Detail, maxAuditWord)
		first, more := auditSubjects(e.Subjects)
		for _, s := range more {
			subjects = append(subjects, []any{s, e.Seq})
		}
		r := auditRow{Entry: e, form: 2, first: first, more: strings.Join(more, "\n")}
		rows[i] = []any{e.Seq, e.At, e.Who, e.What, first, e.Before, e.After, r.mac(tx.db), r.form, e.Role, e.Request, e.Outcome, r.more, e.Detail}
	}
	err = tx.insert(ctx, `INSERT INTO audit (seq, at, who, what, subject, before, after, mac, form, role, request, outcome, more, detail)`, "", rows)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if err := tx.insert(ctx, `INSERT INTO audit_subject (subject, seq)`, "", subjects); err != nil {
		return fmt.Errorf("audit subjects: %w", err)
	}
	return nil
}

// auditText is a text as both engines keep it, on one line and bounded.
func auditText(s string, most int) string {
	s = clean(s)
	if strings.ContainsAny(s, "\r\n") {
		s = strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
	}
	return cutBytes(s, most)
}

func auditSubjects(list []string) (first string, more []string) {
	seen := map[string]bool{}
	for _, s := range list[:min(len(list), maxAuditSubjects)] {
		s = auditText(s, maxAuditSubject)
		switch {
		case s == "" || seen[s]:
		case len(seen) == 0:
			first, seen[s] = s, true
		default:
			more, seen[s] = append(more, s), true
		}
	}
	return first, more
}

// auditRow is a row as it stands in the table.
type auditRow struct {
	audit.Entry
	form        int
	first, more string
	n           int64 // in the chain; 0 while it is open
	h, sealMAC  []byte
}

// mac holds a row from the moment it is written: who has the database and not
// the installation key can make no other.
func (r *auditRow) mac(db *DB) []byte {
	seq := strconv.FormatInt(r.Seq, 10)
	if r.Detail != "" {
		return db.vault.MAC("audit-3", seq, r.At, r.Who, r.Role, r.Request, r.What, r.first, r.more, string(r.Before), string(r.After), r.Outcome, r.Detail, strconv.Itoa(r.form))
	}
	if r.form == 1 {
		return db.vault.MAC("audit", seq, r.At, r.Who, r.What, r.first, string(r.Before), string(r.After))
	}
	return db.vault.MAC("audit-2", seq, r.At, r.Who, r.Role, r.Request, r.What, r.first, r.more, string(r.Before), string(r.After), r.Outcome)
}

// sealedMAC holds a link of the chain likewise.
func (db *DB) sealedMAC(n, seq int64, h []byte) []byte {
	return db.vault.MAC("audit-seal", strconv.FormatInt(n, 10), strconv.FormatInt(seq, 10), string(h))[:16]
}

// auditColumns are what scanAudit reads, of audit a. Seals are read beside it and
// not by a join: before any statistics PostgreSQL reads all of them for one.
const auditColumns = `a.seq, a.at, a.who, a.what, a.subject, a.before, a.after, a.mac, a.form, a.role, a.request, a.outcome, a.more, a.detail`

func scanAudit(rows *sql.Rows) (r auditRow, err error) {
	err = rows.Scan(&r.Seq, &r.At, &r.Who, &r.What, &r.first, &r.Before, &r.After, &r.MAC, &r.form, &r.Role, &r.Request, &r.Outcome, &r.more, &r.Detail)
	r.Subjects = r.subjects()
	return r, err
}

// subjects are the parts of the two columns. Looks of the first form have theirs
// in one, with spaces between.
func (r *auditRow) subjects() []string {
	switch {
	case r.form == 1 && strings.HasPrefix(r.What, "read."):
		return strings.Fields(r.first)
	case r.more == "":
		return []string{r.first}
	}
	return append([]string{r.first}, strings.Split(r.more, "\n")...)
}

// Seen keeps that somebody was shown personal data: one entry for each look,
// with the ids of what was shown.
func (db *DB) Seen(ctx context.Context, who, what string, subjects []string) error {
	if err := db.Note(ctx, audit.Entry{Who: who, What: what, Subjects: subjects}); err != nil {
		return fmt.Errorf("keep what was looked at: %w", err)
	}
	return nil
}

// Note writes an entry about what has no effect in the store itself: a look, a
// backup, a refusal. Its number, time, role and request are set by the store.
// More subjects than one entry takes are spread over several.
func (db *DB) Note(ctx context.Context, e audit.Entry) error {
	var list []audit.Entry
	for part := range slices.Chunk(e.Subjects, maxAuditSubjects) {
		one := e
		one.Subjects = part
		list = append(list, one)
	}
	if len(list) == 0 {
		list = append(list, e)
	}
	return db.NoteAll(ctx, list)
}

// NoteAll is Note of several entries at once, each with what one entry takes.
func (db *DB) NoteAll(ctx context.Context, list []audit.Entry) error {
	return db.inTx(ctx, func(tx *Tx) error { return tx.auditAll(ctx, list) })
}

// auditDecision tells of a decision by its id and the golden records whose
// members it is about.
func (tx *Tx) auditDecision(ctx context.Context, d Decision, how string, touched map[int64]bool) error {
	var recs []int64
	for _, rec := range sortedKeys(touched) {
		if rec != 0 && len(recs) < maxAuditSubjects {
			recs = append(recs, rec)
		}
	}
	subjects, err := tx.goldenIDsOf(ctx, recs)
	if err != nil {
		return err
	}
	return tx.auditAll(ctx, []audit.Entry{{Who: d.Who, What: "decision." + d.Kind, Subjects: append([]string{d.ID}, subjects...), Detail: how}})
}

// goldenIDsOf gives the ids of the golden records that records are in now,
// sorted. One that is in none yet will found its own.
func (tx *Tx) goldenIDsOf(ctx context.Context, recs []int64) (ids []string, err error) {
	err = eachIn(ctx, tx, `SELECT g.anchor FROM source_record r LEFT JOIN crosswalk c ON c.rec = r.rec JOIN source_record g ON g.rec = COALESCE(c.golden, r.rec)
		WHERE r.rec IN $LIST`, recs, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("golden records of a decision: %w", err)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// LogID names this installation's trail: it is the same for ever, and says
// nothing of the key.
func (db *DB) LogID() string { return db.vault.Anchor("audit", "log", "") }

// AuditHead says how far the chain has come.
type AuditHead struct {
	N    int64
	Seq  int64
	H    []byte
	Open int    // rows that wait to be chained, counted to maxAuditOpen
	From string // time of the oldest of them
}

// maxAuditOpen is how far open rows are counted: a store of an earlier program
// has all of them open at first.
const maxAuditOpen = 100_000

// AuditHead reads it.
func (db *DB) AuditHead(ctx context.Context) (h AuditHead, err error) {
	err = db.view(ctx, auditHeadQuery, nil, func(r *sql.Rows) error { return r.Scan(&h.N, &h.Seq, &h.H) })
	if err == nil {
		err = db.view(ctx, `SELECT count(*), COALESCE(min(at), '') FROM (SELECT at FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2) a`, []any{h.Seq, maxAuditOpen}, func(r *sql.Rows) error { return r.Scan(&h.Open, &h.From) })
	}
	if err != nil {
		return h, fmt.Errorf("head of the audit chain: %w", err)
	}
	if h.N == 0 {
		h.H = audit.Start()
	}
	return h, nil
}

const auditHeadQuery = `SELECT n, seq, h FROM audit_seal ORDER BY n DESC LIMIT 1`

// Seal chains up to most rows that are committed and open, and says how many.
// Sealers take turns: several processes may seal one store. Rows are numbered
// under the landing lock, so whatever is to come has a higher number.
func (db *DB) Seal(ctx context.Context, most int) (sealed int, err error) {
	open := false
	err = db.view(ctx, `SELECT 1 FROM audit WHERE seq > (SELECT COALESCE(max(seq), 0) FROM audit_seal) ORDER BY seq LIMIT 1`, nil, func(*sql.Rows) error { open = true; return nil })
	if err != nil || !open {
		return 0, err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		if tx.db.d.lock != "" {
			if _, err := tx.one(ctx, `SELECT value FROM counter WHERE name = 'audit'`+tx.db.d.lock, nil, new(int64)); err != nil {
				return err
			}
		}
		var head AuditHead
		if _, err := tx.one(ctx, auditHeadQuery, nil, &head.N, &head.Seq, &head.H); err != nil {
			return err
		}
		if head.N == 0 {
			head.H = audit.Start()
		}
		var rows [][]any
		err := tx.query(ctx, `SELECT `+auditColumns+` FROM audit a WHERE a.seq > $1 ORDER BY a.seq LIMIT $2`, []any{head.Seq, most}, func(r *sql.Rows) error {
			row, err := scanAudit(r)
			if err != nil {
				return err
			}
			head.N, head.Seq, head.H = head.N+1, row.Seq, audit.Link(head.N+1, head.H, row.Body())
			rows = append(rows, []any{head.N, row.Seq, head.H, db.sealedMAC(head.N, row.Seq, head.H)})
			return nil
		})
		if err != nil {
			return err
		}
		sealed = len(rows)
		return tx.insert(ctx, `INSERT INTO audit_seal (n, seq, h, mac)`, "", rows)
	})
	if err != nil {
		return 0, fmt.Errorf("seal the audit trail: %w", err)
	}
	return sealed, nil
}

// Signed is a checkpoint that was made.
type Signed struct {
	N        int64
	At, Note string
}

// KeepCheckpoint keeps a signed checkpoint; the same again changes nothing.
func (db *DB) KeepCheckpoint(ctx context.Context, s Signed) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `INSERT INTO audit_checkpoint (n, at, note) VALUES ($1, $2, $3) ON CONFLICT (n) DO NOTHING`, s.N, s.At, s.Note)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep checkpoint: %w", err)
	}
	return nil
}

// Checkpoints gives the kept checkpoints behind n, oldest first.
func (db *DB) Checkpoints(ctx context.Context, after int64, most int) (list []Signed, err error) {
	err = db.view(ctx, `SELECT n, at, note FROM audit_checkpoint WHERE n > $1 ORDER BY n LIMIT $2`, []any{after, most}, func(r *sql.Rows) error {
		var s Signed
		err := r.Scan(&s.N, &s.At, &s.Note)
		list = append(list, s)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("checkpoints: %w", err)
	}
	return list, nil
}

// LastCheckpoint gives the newest; N is 0 when there is none.
func (db *DB) LastCheckpoint(ctx context.Context) (s Signed, err error) {
	err = db.view(ctx, `SELECT n, at, note FROM audit_checkpoint ORDER BY n DESC LIMIT 1`, nil, func(r *sql.Rows) error { return r.Scan(&s.N, &s.At, &s.Note) })
	if err != nil {
		return s, fmt.Errorf("last checkpoint: %w", err)
	}
	return s, nil
}
