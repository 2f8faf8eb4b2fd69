package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Profile is what was counted of a source and entity at one time; Body is JSON
// of whoever counted. It holds figures and shapes of values, no values.
type Profile struct {
	Source, Entity, At, Mark, Body string
}

// SaveProfile keeps a profile in the place of the one before.
func (db *DB) SaveProfile(ctx context.Context, p Profile) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `INSERT INTO profile (source, entity, at, mark, body) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (source, entity) DO UPDATE SET at = excluded.at, mark = excluded.mark, body = excluded.body`, p.Source, p.Entity, p.At, p.Mark, p.Body)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the profile of %s: %w", p.Source, err)
	}
	return nil
}

// Profiles gives the profiles there are, by source uid and entity.
func (db *DB) Profiles(ctx context.Context) (list []Profile, err error) {
	err = db.view(ctx, `SELECT source, entity, at, mark, body FROM profile ORDER BY source, entity`, nil, func(r *sql.Rows) error {
		var p Profile
		err := r.Scan(&p.Source, &p.Entity, &p.At, &p.Mark, &p.Body)
		list = append(list, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read profiles: %w", err)
	}
	return list, nil
}

// ProfileMark names the state of a source's records: while it stays the same, so
// does every figure about them.
func (db *DB) ProfileMark(ctx context.Context, source, entity string) (mark string, err error) {
	var records, seq int64
	var open int
	err = db.view(ctx, `SELECT count(*), COALESCE(max(f.seq), 0) FROM feature f JOIN source_record s ON s.rec = f.rec WHERE s.source = $1 AND s.entity = $2`,
		[]any{source, entity}, func(r *sql.Rows) error { return r.Scan(&records, &seq) })
	if err == nil {
		open, err = db.QuarantineOpen(ctx, source, entity)
	}
	if err != nil {
		return "", fmt.Errorf("state of %s: %w", source, err)
	}
	return fmt.Sprintf("%d/%d/%d", records, seq, open), nil
}

// Doubles counts the live records of a source and entity, and those of them that
// share their golden record with an earlier one of the same source.
func (db *DB) Doubles(ctx context.Context, source, entity string) (live, doubles int, err error) {
	err = db.view(ctx, `SELECT count(*), count(*) - count(DISTINCT c.golden) FROM source_record s
		JOIN feature f ON f.rec = s.rec JOIN crosswalk c ON c.rec = s.rec WHERE s.source = $1 AND s.entity = $2 AND f.live <> 0`, []any{source, entity},
		func(r *sql.Rows) error { return r.Scan(&live, &doubles) })
	if err != nil {
		return 0, 0, fmt.Errorf("count doubles of %s: %w", source, err)
	}
	return live, doubles, nil
}

// HoldingsPage lists live records of a source and entity with their authored
// values, behind a landing number, at most n. Ref.Source is the uid.
func (db *DB) HoldingsPage(ctx context.Context, source, entity string, after int64, n int) (list []ProfiledRecord, err error) {
	err = db.view(ctx, `SELECT s.rec, s.external_id, COALESCE(g.id, ''), f.authored FROM source_record s JOIN feature f ON f.rec = s.rec
		LEFT JOIN crosswalk c ON c.rec = s.rec LEFT JOIN golden g ON g.founder = c.golden
		WHERE s.source = $1 AND s.entity = $2 AND s.rec > $3 AND f.version > 0 AND f.live <> 0 ORDER BY s.rec LIMIT $4`,
		[]any{source, entity, after, n}, func(r *sql.Rows) error {
			var h ProfiledRecord
			var authored string
			err := r.Scan(&h.Rec, &h.ID, &h.Golden, &authored)
			h.Authored = []byte(authored)
			list = append(list, h)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("records of %s: %w", source, err)
	}
	return list, nil
}

// HoldingsOf lists live records of golden records with their authored values, by
// landing number, about n at most: somewhat more of many golden records.
func (db *DB) HoldingsOf(ctx context.Context, founders []int64, n int) (list []ProfiledRecord, err error) {
	err = viewIn(ctx, db, `SELECT f.rec, s.source, s.entity, s.external_id, COALESCE(g.id, ''), f.authored FROM crosswalk c JOIN source_record s ON s.rec = c.rec JOIN feature f ON f.rec = s.rec
		LEFT JOIN golden g ON g.founder = c.golden WHERE c.golden IN $LIST AND f.version > 0 AND f.live <> 0 ORDER BY f.rec LIMIT $X1`, founders, func(r *sql.Rows) error {
		var h ProfiledRecord
		var authored string
		err := r.Scan(&h.Rec, &h.Source, &h.Entity, &h.ID, &h.Golden, &authored)
		h.Authored = []byte(authored)
		list = append(list, h)
		return err
	}, n)
	if err != nil {
		return nil, fmt.Errorf("records of golden records: %w", err)
	}
	return list, nil
}

// ProfiledRecord is a source record with its authored values as stored.
type ProfiledRecord struct {
	Rec      int64
	Source   string // uid, and Entity: of HoldingsOf
	Entity   string
	ID       string // at its source
	Golden   string // id of its golden record
	Authored []byte
}

// QuarantineOpen counts the open entries of a source and entity.
func (db *DB) QuarantineOpen(ctx context.Context, source, entity string) (n int, err error) {
	kept, err := db.tallies(ctx, tallyQuarantine)
	for _, t := range kept {
		if t.a == source && t.b == entity && t.c == "open" {
			n += t.n
		}
	}
	return n, err
}

// RawSample gives the records of a source and entity that landed last as they
// came, at most n.
func (db *DB) RawSample(ctx context.Context, source, entity string, n int) (list [][]byte, err error) {
	err = db.view(ctx, `SELECT v.raw, s.salt FROM source_record s JOIN source_version v ON v.rec = s.rec AND v.version = s.version
		WHERE s.source = $1 AND s.entity = $2 AND s.deleted = 0 AND v.problem = '' AND s.salt IS NOT NULL ORDER BY s.rec DESC LIMIT $3`,
		[]any{source, entity, n}, func(r *sql.Rows) error {
			var raw, salt []byte
			if err := r.Scan(&raw, &salt); err != nil {
				return err
			}
			plain, err := db.vault.Open(salt, raw)
			list = append(list, plain)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("sample of %s: %w", source, err)
	}
	return list, nil
}

// Health is how good the data of a source and entity was on a day; Source "" and
// Entity "" for all together. Body is JSON of whoever measured.
type Health struct {
	Day, Source, Entity, At, Body string
}

// SaveHealth keeps the measures of a day in the place of earlier ones of the
// same day, and forgets those of before a day.
func (db *DB) SaveHealth(ctx context.Context, list []Health, forget string) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		for _, h := range list {
			_, err := tx.exec(ctx, `INSERT INTO health (day, source, entity, at, body) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (day, source, entity) DO UPDATE SET at = excluded.at, body = excluded.body`, h.Day, h.Source, h.Entity, h.At, h.Body)
			if err != nil {
				return err
			}
		}
		_, err := tx.exec(ctx, `DELETE FROM health WHERE day < $1`, forget)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the health of the data: %w", err)
	}
	return nil
}

// HealthSince gives the measures from a day on (2006-01-02), oldest first.
func (db *DB) HealthSince(ctx context.Context, day string) (list []Health, err error) {
	err = db.view(ctx, `SELECT day, source, entity, at, body FROM health WHERE day >= $1 ORDER BY day, source, entity`, []any{day}, func(r *sql.Rows) error {
		var h Health
		err := r.Scan(&h.Day, &h.Source, &h.Entity, &h.At, &h.Body)
		list = append(list, h)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the health of the data: %w", err)
	}
	return list, nil
}

// AlertNote is what a person said of an incident.
type AlertNote struct {
	Rule, Subject, Who, Why, At string
	Until                       string // of a silence; "" for the end of the incident
}

// NoteAlert keeps that a person looks after an incident, or wants it silent until
// a time. It takes the place of an earlier note.
func (db *DB) NoteAlert(ctx context.Context, n AlertNote) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `INSERT INTO alert_note (rule, subject, who, why, at, until) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (rule, subject) DO UPDATE SET who = excluded.who, why = excluded.why, at = excluded.at, until = excluded.until`,
			n.Rule, n.Subject, n.Who, n.Why, tx.now, n.Until)
		if err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{n.Who, "alert.note", n.Rule + " " + n.Subject, nil, []byte(n.Until)}})
	})
	if err != nil {
		return fmt.Errorf("note on alert %s: %w", n.Rule, err)
	}
	return nil
}

// UnnoteAlert takes a note away: people are called again.
func (db *DB) UnnoteAlert(ctx context.Context, rule, subject, who string) error {
	err := db.inTx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `DELETE FROM alert_note WHERE rule = $1 AND subject = $2`, rule, subject); err != nil {
			return err
		}
		return tx.audit(ctx, []auditEntry{{who, "alert.unnote", rule + " " + subject, nil, nil}})
	})
	if err != nil {
		return fmt.Errorf("note on alert %s: %w", rule, err)
	}
	return nil
}

// AlertNotes gives the notes there are.
func (db *DB) AlertNotes(ctx context.Context) (list []AlertNote, err error) {
	err = db.view(ctx, `SELECT rule, subject, who, why, at, until FROM alert_note ORDER BY rule, subject`, nil, func(r *sql.Rows) error {
		var n AlertNote
		err := r.Scan(&n.Rule, &n.Subject, &n.Who, &n.Why, &n.At, &n.Until)
		list = append(list, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read notes on alerts: %w", err)
	}
	return list, nil
}
