package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// keepCrosswalk notes where records belong from now on: rec, time, founder.
func (tx *Tx) keepCrosswalk(ctx context.Context, rows [][]any) error {
	err := tx.insert(ctx, `INSERT INTO crosswalk_version (rec, at, golden)`, `ON CONFLICT (rec, at) DO UPDATE SET golden = excluded.golden`, rows)
	if err != nil {
		return fmt.Errorf("crosswalk history: %w", err)
	}
	return nil
}

// Anchored finds the source record that gave a golden id.
func (db *DB) Anchored(ctx context.Context, id string) (rec int64, entity string, err error) {
	err = db.view(ctx, `SELECT rec, entity FROM source_record WHERE anchor = $1`, []any{id}, func(r *sql.Rows) error { return r.Scan(&rec, &entity) })
	if err == nil && rec == 0 {
		err = notFound("golden record", id)
	}
	return rec, entity, err
}

// Anchors gives the golden ids that records are, or would be, founders of.
func (db *DB) Anchors(ctx context.Context, recs []int64) (map[int64]string, error) {
	out := make(map[int64]string, len(recs))
	err := viewIn(ctx, db, `SELECT rec, anchor FROM source_record WHERE rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec int64
		var anchor string
		err := r.Scan(&rec, &anchor)
		out[rec] = anchor
		return err
	})
	return out, err
}

// Belonged is one entry of a record's crosswalk history: the golden record it
// belonged to from a time on (0: none).
type Belonged struct {
	Rec     int64
	At      string
	Founder int64
}

// FounderAt gives the founder of the golden record that a record belonged to
// at a time; 0 when it was in none yet.
func (db *DB) FounderAt(ctx context.Context, rec int64, at string) (founder int64, err error) {
	err = db.view(ctx, `SELECT golden FROM crosswalk_version WHERE rec = $1 AND at <= $2 ORDER BY at DESC LIMIT 1`, []any{rec, at},
		func(r *sql.Rows) error { return r.Scan(&founder) })
	return founder, err
}

// MembersAt lists the records that belonged to a golden record at a time, by
// landing number.
func (db *DB) MembersAt(ctx context.Context, founder int64, at string) (recs []int64, err error) {
	err = db.view(ctx, `SELECT DISTINCT c.rec FROM crosswalk_version c WHERE c.golden = $1 AND c.at <= $2
		AND NOT EXISTS (SELECT 1 FROM crosswalk_version l WHERE l.rec = c.rec AND l.at > c.at AND l.at <= $2) ORDER BY c.rec`, []any{founder, at}, func(r *sql.Rows) error {
		var rec int64
		err := r.Scan(&rec)
		recs = append(recs, rec)
		return err
	})
	return recs, err
}

// Crosswalks gives the whole crosswalk history of the records that ever
// belonged to a golden record, by time, at most most entries.
func (db *DB) Crosswalks(ctx context.Context, founder int64, most int) (list []Belonged, err error) {
	err = db.view(ctx, `SELECT rec, at, golden FROM crosswalk_version WHERE rec IN (SELECT rec FROM crosswalk_version WHERE golden = $1)
		ORDER BY at, rec LIMIT $2`, []any{founder, most}, func(r *sql.Rows) error {
		var b Belonged
		err := r.Scan(&b.Rec, &b.At, &b.Founder)
		list = append(list, b)
		return err
	})
	return list, err
}

// Elsewhere lists records that once belonged to a golden record and belong to
// another one than now now, with that one's founder; at most most.
func (db *DB) Elsewhere(ctx context.Context, founder, now int64, most int) (list []Belonged, err error) {
	err = db.view(ctx, `SELECT DISTINCT c.rec, c.golden FROM crosswalk_version v JOIN crosswalk c ON c.rec = v.rec
		WHERE v.golden = $1 AND c.golden <> $2 ORDER BY c.rec LIMIT $3`, []any{founder, now, most}, func(r *sql.Rows) error {
		var b Belonged
		err := r.Scan(&b.Rec, &b.Founder)
		list = append(list, b)
		return err
	})
	return list, err
}

// GoldenVersion is one published version of a golden record.
type GoldenVersion struct {
	Founder int64
	Version int
	At      string
	Refs    string // JSON; internal/golden knows its shape
}

// GoldenVersions lists the versions published up to a time, newest first.
func (db *DB) GoldenVersions(ctx context.Context, founder int64, upto string, n int) (list []GoldenVersion, err error) {
	err = db.view(ctx, `SELECT founder, version, at, refs FROM golden_version WHERE founder = $1 AND at <= $2 ORDER BY version DESC LIMIT $3`,
		[]any{founder, upto, n}, func(r *sql.Rows) error {
			var v GoldenVersion
			err := r.Scan(&v.Founder, &v.Version, &v.At, &v.Refs)
			list = append(list, v)
			return err
		})
	return list, err
}

// HistoryOf loads all facts of one source record; erased says that its data key
// is gone and its values with it.
func (db *DB) HistoryOf(ctx context.Context, ref record.Ref) (h History, erased bool, err error) {
	rec, err := db.Rec(ctx, ref)
	if err != nil {
		return h, false, err
	}
	err = db.reading(ctx, func(tx *Tx) error {
		_, list, err := tx.histories(ctx, []int64{rec})
		if err == nil && len(list) == 1 {
			h = *list[0]
		}
		return err
	})
	if errors.Is(err, seal.ErrErased) {
		return h, true, nil
	}
	return h, false, err
}

// reading runs fn in a transaction that writes nothing.
func (db *DB) reading(ctx context.Context, fn func(*Tx) error) error {
	db.mu.RLock()
	defer db.mu.RUnlock()
	stx, err := db.read.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	return errors.Join(fn(&Tx{db: db, tx: stx, now: formatTime(db.env.Clock.Now())}), ignoreDone(stx.Rollback()))
}

// PinValue gives what a decision pinned on a golden record, by its founder, as
// JSON, with the record that it stands on: a hand-over pins many.
func (db *DB) PinValue(ctx context.Context, decision string, founder int64) (p RuledPair, err error) {
	found := false
	err = db.view(ctx, `SELECT r.id, r.a, r.field, r.value, r.who, r.why, r.at, r.sealed, s.salt, s.source, s.entity, s.external_id
		FROM ruling r JOIN source_record s ON s.rec = r.a WHERE r.kind = 'pin' AND (r.decision = $1 OR r.id = $1)
		ORDER BY CASE WHEN r.a IN (SELECT rec FROM crosswalk_version WHERE golden = $2) THEN 0 ELSE 1 END, r.a LIMIT 1`, []any{decision, founder}, func(r *sql.Rows) error {
		var sealed, salt []byte
		found = true
		err := r.Scan(&p.ID, &p.A, &p.Field, &p.Value, &p.Who, &p.Why, &p.At, &sealed, &salt, &p.RefA.Source, &p.RefA.Entity, &p.RefA.ID)
		if err != nil || len(sealed) == 0 {
			return err
		}
		p.Value, p.Erased, err = db.openPin(salt, sealed)
		return err
	})
	if err == nil && !found {
		err = notFound("pin", decision)
	}
	return p, err
}

// DecisionsOn lists the decisions that speak of any of these records, oldest
// first.
func (db *DB) DecisionsOn(ctx context.Context, recs []int64) (list []Decision, err error) {
	ids, err := db.decisionsAbout(ctx, recs, math.MaxInt32, "ruling a", "ruling b", "said_relation a", "said_relation b")
	if err != nil {
		return nil, err
	}
	err = viewIn(ctx, db, decisionColumns+` WHERE d.id IN $LIST ORDER BY d.seq`, sortedKeys(ids), func(r *sql.Rows) error {
		d, err := scanDecision(r)
		list = append(list, d)
		return err
	})
	return list, err
}

// decisionsAbout finds the decisions that speak of records in columns of tables,
// and with them those that take them back, and those that take these back. It gives
// up at more than most.
func (db *DB) decisionsAbout(ctx context.Context, recs []int64, most int, where ...string) (map[string]bool, error) {
	ids := map[string]bool{}
	found := func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids[id] = true
		return err
	}
	for _, w := range where {
		table, column, _ := strings.Cut(w, " ")
		err := viewIn(ctx, db, `SELECT DISTINCT decision FROM `+table+` WHERE decision <> '' AND `+column+` IN $LIST LIMIT $X1`, recs, found, most+1)
		if err != nil || len(ids) > most {
			return ids, err
		}
	}
	return ids, follow(ids, func(wave []string, found rowScan) error {
		return viewIn(ctx, db, `SELECT decision FROM decision_withdrawal WHERE withdraws IN $LIST`, wave, found)
	})
}

// follow adds to decisions those that a step from them leads to, and on from
// these.
func follow(ids map[string]bool, step func(wave []string, found rowScan) error) error {
	for wave := sortedKeys(ids); len(wave) > 0; {
		var next []string
		err := step(wave, func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			if !ids[id] {
				ids[id] = true
				next = append(next, id)
			}
			return err
		})
		if err != nil {
			return err
		}
		wave = next
	}
	return nil
}
