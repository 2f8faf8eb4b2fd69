package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"touchstone/internal/record"
)

// Reconcile is a whole pass over a source that gave every record it has.
type Reconcile struct {
	Source, Entity string
	Run            string
	Mark           Mark
	Seen           func(id string) bool // by the id as the store keeps it
	// Unread are the ids made up for records of this pass that could not be read:
	// one of them may be a record that seems to be missing. At most MostUnread;
	// UnreadMore says that there were more.
	Unread     []string
	UnreadMore bool
	Grace      time.Duration
	Brake      float64 // share of the live records
	Derive     Derive
}

// MostUnread is how many unreadable records a pass has to remember.
const MostUnread = 1000

// Mark is where a pass began: a record that landed later was not there for it
// to give.
type Mark struct {
	Seq int64
	At  string
}

// Reconciled says what came of it.
type Reconciled struct {
	Missing int // stayed away for the first time
	Back    int // were missing and came again
	Deleted int
	Waiting int // would be deleted if a person let them
}

// fewDeletes are let through whatever share of the source they are.
const fewDeletes = 10

// Reasons why deletions wait for a person.
const (
	HeldByBrake  = "brake"  // too many at once
	HeldByUnread = "unread" // they may be among the records that could not be read
)

// ID is a source's id as the store keeps it.
func ID(id string) string { return clean(id) }

// BeginPass gives the mark of a pass that begins now.
func (db *DB) BeginPass(ctx context.Context) (m Mark, err error) {
	m.At = formatTime(db.env.Clock.Now())
	err = db.view(ctx, `SELECT value FROM counter WHERE name = 'fact'`, nil, func(r *sql.Rows) error { return r.Scan(&m.Seq) })
	return m, err
}

// Reconcile compares a source's live records with those that a whole pass gave.
// What stayed away is marked as missing; what was missing before, for at least
// the grace, and stayed away again is deleted: a tombstone lands as its newest
// version. What came again loses its mark. Too many deletions at once wait for
// a person, and so do all while the missing ones may stand among records that
// could not be read.
func (db *DB) Reconcile(ctx context.Context, r Reconcile) (out Reconciled, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("deletions of %s/%s: %w", r.Source, r.Entity, err)
		}
	}()
	away, err := db.away(ctx, r)
	if err != nil {
		return out, err
	}
	marks, err := db.marks(ctx, r)
	if err != nil {
		return out, err
	}
	if len(away) == 0 && len(marks) == 0 {
		return out, db.release(ctx, r)
	}
	limit := formatTime(db.env.Clock.Now().Add(-r.Grace))
	var due []awayRecord
	var fresh []int64
	began := ""
	for _, a := range away {
		m, marked := marks[a.rec]
		switch {
		case !marked:
			fresh = append(fresh, a.rec)
		case m.at <= limit:
			due = append(due, a)
			if began == "" || m.began < began {
				began = m.began
			}
		}
		delete(marks, a.rec)
	}
	back := make([]int64, 0, len(marks))
	for rec := range marks {
		back = append(back, rec)
	}
	slices.Sort(back)
	if err := db.mark(ctx, r, fresh, back); err != nil {
		return out, err
	}
	out.Missing, out.Back = len(fresh), len(back)
	held, err := db.held(ctx, r, due, began)
	if err != nil {
		return out, err
	}
	if held {
		out.Waiting = len(due)
		return out, nil
	}
	for part := range slices.Chunk(due, 500) {
		n, err := db.bury(ctx, r, part)
		out.Deleted += n
		if err != nil {
			return out, err
		}
	}
	return out, db.release(ctx, r)
}

// awayRecord is a live record that a pass did not give.
type awayRecord struct {
	rec    int64
	id     string
	latest int // its last version then
}

// away walks over the ids alone, which the index holds, and looks at a record
// only when it was not seen.
func (db *DB) away(ctx context.Context, r Reconcile) (list []awayRecord, err error) {
	const page = 5000
	after := ""
	for {
		n := 0
		var unseen []int64
		err := db.view(ctx, `SELECT rec, external_id FROM source_record WHERE source = $1 AND entity = $2 AND external_id > $3
			ORDER BY external_id LIMIT $4`, []any{r.Source, r.Entity, after, page}, func(rows *sql.Rows) error {
			var rec int64
			if err := rows.Scan(&rec, &after); err != nil {
				return err
			}
			n++
			if rec <= r.Mark.Seq && !r.Seen(after) {
				unseen = append(unseen, rec)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read ids: %w", err)
		}
		if list, err = db.live(ctx, unseen, list); err != nil {
			return nil, err
		}
		if n < page {
			return list, nil
		}
	}
}

func (db *DB) live(ctx context.Context, recs []int64, list []awayRecord) ([]awayRecord, error) {
	err := viewIn(ctx, db, `SELECT rec, external_id, latest FROM source_record WHERE deleted = 0 AND rec IN $LIST ORDER BY rec`, recs, func(rows *sql.Rows) error {
		var a awayRecord
		err := rows.Scan(&a.rec, &a.id, &a.latest)
		list = append(list, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	return list, nil
}

type missingMark struct{ began, at string }

func (db *DB) marks(ctx context.Context, r Reconcile) (map[int64]missingMark, error) {
	marks := map[int64]missingMark{}
	err := db.view(ctx, `SELECT rec, began, at FROM missing WHERE source = $1 AND entity = $2`, []any{r.Source, r.Entity}, func(rows *sql.Rows) error {
		var rec int64
		var m missingMark
		err := rows.Scan(&rec, &m.began, &m.at)
		marks[rec] = m
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read marks: %w", err)
	}
	return marks, nil
}

func (db *DB) mark(ctx context.Context, r Reconcile, fresh, back []int64) error {
	if len(fresh)+len(back) == 0 {
		return nil
	}
	return db.inTx(ctx, func(tx *Tx) error {
		for part := range slices.Chunk(fresh, 1000) {
			rows := make([][]any, len(part))
			for i, rec := range part {
				rows[i] = []any{rec, r.Source, r.Entity, r.Run, r.Mark.At, tx.now}
			}
			if err := tx.insert(ctx, `INSERT INTO missing (rec, source, entity, run, began, at)`, `ON CONFLICT (rec) DO NOTHING`, rows); err != nil {
				return fmt.Errorf("mark: %w", err)
			}
		}
		return execIn(ctx, tx, `DELETE FROM missing WHERE rec IN $LIST`, back)
	})
}

// held says whether the deletions that are due have to wait, and keeps that for
// people to see. What a person let stays let until it has happened, as long as
// it is not much more than the person was told.
func (db *DB) held(ctx context.Context, r Reconcile, due []awayRecord, began string) (bool, error) {
	if len(due) == 0 {
		return false, nil
	}
	weight, err := db.inForce(ctx, due)
	if err != nil {
		return false, err
	}
	live := 0
	err = db.view(ctx, `SELECT count(*) FROM source_record WHERE source = $1 AND entity = $2 AND deleted = 0`, []any{r.Source, r.Entity},
		func(rows *sql.Rows) error { return rows.Scan(&live) })
	if err != nil {
		return false, fmt.Errorf("count: %w", err)
	}
	most := max(fewDeletes, int(r.Brake*float64(live)))
	why := ""
	if unsure, err := db.unsure(ctx, r, began); err != nil {
		return false, err
	} else if unsure && weight > 0 {
		why = HeldByUnread
	} else if weight > most {
		why = HeldByBrake
	}
	if why == "" {
		return false, nil
	}
	held := true
	err = db.inTx(ctx, func(tx *Tx) error {
		var told int
		var allowed string
		if _, err := tx.one(ctx, `SELECT due, allowed FROM deletion_hold WHERE source = $1 AND entity = $2`, []any{r.Source, r.Entity}, &told, &allowed); err != nil {
			return err
		}
		if held = allowed == "" || weight > told+most; !held {
			return nil
		}
		_, err := tx.exec(ctx, `INSERT INTO deletion_hold (source, entity, why, due, live, since, allowed, who) VALUES ($1, $2, $3, $4, $5, $6, '', '')
			ON CONFLICT (source, entity) DO UPDATE SET why = excluded.why, due = excluded.due, live = excluded.live, allowed = '', who = ''`,
			r.Source, r.Entity, why, weight, live, tx.now)
		return err
	})
	return held, err
}

// inForce counts the records that give values to golden records: one that never
// passed harms nobody by going.
func (db *DB) inForce(ctx context.Context, due []awayRecord) (n int, err error) {
	recs := make([]int64, len(due))
	for i, d := range due {
		recs[i] = d.rec
	}
	err = viewIn(ctx, db, `SELECT rec FROM feature WHERE version > 0 AND rec IN $LIST`, recs, func(*sql.Rows) error { n++; return nil })
	return n, err
}

// unsure says whether a record that cannot be read appeared since the first of
// the missing ones stayed away: it may be one of them, spoilt.
func (db *DB) unsure(ctx context.Context, r Reconcile, began string) (bool, error) {
	if r.UnreadMore {
		return true, nil
	}
	found := false
	err := viewIn(ctx, db, `SELECT 1 FROM source_record s JOIN source_version v ON v.rec = s.rec AND v.version = 1
		WHERE s.source = $X1 AND s.entity = $X2 AND v.seen_at >= $X3 AND s.external_id IN $LIST`, r.Unread,
		func(*sql.Rows) error { found = true; return nil }, r.Source, r.Entity, began)
	return found, err
}

// tombstone is the content of a version that says a record is gone.
const tombstone = `{}`

// bury lands a tombstone for each record that has not changed since it was
// looked at. Its rows in quarantine are closed with it.
func (db *DB) bury(ctx context.Context, r Reconcile, part []awayRecord) (n int, err error) {
	err = db.inTx(ctx, func(tx *Tx) error {
		n = 0
		if err := tx.lockFacts(ctx); err != nil {
			return err
		}
		latest := map[int64]int{}
		recs := make([]int64, len(part))
		for i, a := range part {
			recs[i], latest[a.rec] = a.rec, a.latest
		}
		var items []Item
		err := eachIn(ctx, tx, `SELECT rec, external_id, latest FROM source_record WHERE deleted = 0 AND rec IN $LIST ORDER BY rec`, recs, func(rows *sql.Rows) error {
			var a awayRecord
			if err := rows.Scan(&a.rec, &a.id, &a.latest); err != nil {
				return err
			}
			if latest[a.rec] == a.latest {
				items = append(items, Item{
					Raw:  record.Raw{Entity: r.Entity, ID: a.id, Deleted: true, Data: []byte(tombstone), Place: "stayed away from two passes"},
					Hash: []byte(tombstone),
				})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("look again: %w", err)
		}
		if _, err := tx.land(ctx, Landing{Source: r.Source, Entity: r.Entity, Items: items, Derive: r.Derive}); err != nil {
			return err
		}
		n = len(items)
		return execIn(ctx, tx, `DELETE FROM missing WHERE rec IN $LIST`, recs)
	})
	return n, err
}

// release forgets that deletions were held.
func (db *DB) release(ctx context.Context, r Reconcile) error {
	holds, err := db.HeldDeletes(ctx)
	if err != nil || !slices.ContainsFunc(holds, func(h DeletionHold) bool { return h.Source == r.Source && h.Entity == r.Entity }) {
		return err
	}
	return db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `DELETE FROM deletion_hold WHERE source = $1 AND entity = $2`, r.Source, r.Entity)
		return err
	})
}

// DeletionHold is what waits for a person: records of a source that stayed away.
type DeletionHold struct {
	Source, Entity string // uid, entity type
	Why            string // HeldByBrake or HeldByUnread
	Due, Live      int
	Since          string
	Allowed        bool // a person let it; it happens with the next whole pass
}

// HeldDeletes lists what waits, by source and entity.
func (db *DB) HeldDeletes(ctx context.Context) (list []DeletionHold, err error) {
	err = db.view(ctx, `SELECT source, entity, why, due, live, since, allowed FROM deletion_hold ORDER BY source, entity`, nil, func(r *sql.Rows) error {
		var h DeletionHold
		var allowed string
		err := r.Scan(&h.Source, &h.Entity, &h.Why, &h.Due, &h.Live, &h.Since, &allowed)
		h.Allowed = allowed != ""
		list = append(list, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("held deletions: %w", err)
	}
	return list, nil
}

// AllowDeletes lets the deletions of a source (uid) that wait happen, once, with
// its next whole pass. ErrNotFound says that none wait.
func (db *DB) AllowDeletes(ctx context.Context, source, who string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		n, err := tx.exec(ctx, `UPDATE deletion_hold SET allowed = $1, who = $2 WHERE source = $3`, tx.now, who, source)
		if err != nil {
			return fmt.Errorf("allow deletions: %w", err)
		}
		if n == 0 {
			return notFound("deletions that wait for a person at source", source)
		}
		return tx.audit(ctx, []auditEntry{{who, "source.allow_deletes", source, nil, nil}})
	})
}

// MissingCount counts the records that stayed away and are not deleted yet.
func (db *DB) MissingCount(ctx context.Context) (n int, err error) {
	err = db.view(ctx, `SELECT count(*) FROM missing`, nil, func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}
