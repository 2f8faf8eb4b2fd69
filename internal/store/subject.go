package store

import (
	"context"
	"database/sql"
	"fmt"

	"touchstone/internal/record"
)

// Subject is what a person named: a source record, and the golden record it
// belongs to now.
type Subject struct {
	Rec     int64
	Ref     record.Ref
	Founder int64
	ID      string // of the golden record
	Members []SubjectMember
}

// SubjectMember is one source record of a subject's golden record.
type SubjectMember struct {
	Rec int64
	Ref record.Ref
}

// Recs lists the landing numbers of the members.
func (s Subject) Recs() []int64 {
	out := make([]int64, len(s.Members))
	for i, m := range s.Members {
		out[i] = m.Rec
	}
	return out
}

const subjectColumns = `SELECT s.rec, s.source, s.entity, s.external_id, c.golden, f.anchor FROM source_record s
	JOIN crosswalk c ON c.rec = s.rec JOIN source_record f ON f.rec = c.golden`

// SubjectByRef finds a source record with its golden record.
func (tx *DecideTx) SubjectByRef(ctx context.Context, ref record.Ref) (Subject, error) {
	return tx.subject(ctx, ref.String(), ` WHERE s.source = $1 AND s.entity = $2 AND s.external_id = $3`, ref.Source, ref.Entity, ref.ID)
}

// SubjectByID finds the record that gave a golden id, with the golden record it
// belongs to now.
func (tx *DecideTx) SubjectByID(ctx context.Context, id string) (Subject, error) {
	return tx.subject(ctx, id, ` WHERE s.anchor = $1`, id)
}

func (tx *DecideTx) subject(ctx context.Context, name, where string, args ...any) (s Subject, err error) {
	found, err := tx.one(ctx, subjectColumns+where, args, &s.Rec, &s.Ref.Source, &s.Ref.Entity, &s.Ref.ID, &s.Founder, &s.ID)
	if err == nil && !found {
		err = notFound("golden record of", name)
	}
	if err != nil {
		return s, err
	}
	err = tx.query(ctx, `SELECT s.rec, s.source, s.entity, s.external_id FROM crosswalk c JOIN source_record s ON s.rec = c.rec
		WHERE c.golden = $1 ORDER BY s.rec`, []any{s.Founder}, func(r *sql.Rows) error {
		var m SubjectMember
		err := r.Scan(&m.Rec, &m.Ref.Source, &m.Ref.Entity, &m.Ref.ID)
		s.Members = append(s.Members, m)
		return err
	})
	return s, err
}

// Between lists the stored matches between two sets of records, at most most.
func (tx *DecideTx) Between(ctx context.Context, a, b []int64, most int) ([][2]int64, error) {
	other := make(map[int64]bool, len(b))
	for _, rec := range b {
		other[rec] = true
	}
	var out [][2]int64
	for _, q := range []string{`SELECT a, b FROM match WHERE a IN $LIST ORDER BY a, b`, `SELECT b, a FROM match WHERE b IN $LIST ORDER BY b, a`} {
		err := eachIn(ctx, tx.Tx, q, a, func(r *sql.Rows) error {
			var p [2]int64
			err := r.Scan(&p[0], &p[1])
			if other[p[1]] && len(out) < most {
				out = append(out, p)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("matches between: %w", err)
		}
	}
	return out, nil
}

// RuledBetween lists the decisions in force of some kinds that touch both sets,
// oldest first.
func (tx *DecideTx) RuledBetween(ctx context.Context, kinds []string, a, b []int64) ([]Decision, error) {
	in := func(list []int64) map[int64]bool {
		m := make(map[int64]bool, len(list))
		for _, rec := range list {
			m[rec] = true
		}
		return m
	}
	as, bs, wanted := in(a), in(b), map[string]bool{}
	for _, k := range kinds {
		wanted[k] = true
	}
	ids := map[string]bool{}
	for _, set := range [][]int64{a, b} {
		err := eachIn(ctx, tx.Tx, `SELECT kind, a, b, CASE WHEN decision = '' THEN id ELSE decision END FROM ruling WHERE withdrawn = '' AND a IN $LIST`, set, func(r *sql.Rows) error {
			var kind, id string
			var x, y int64
			err := r.Scan(&kind, &x, &y, &id)
			if wanted[kind] && (as[x] && bs[y] || as[y] && bs[x]) {
				ids[id] = true
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	var out []Decision
	for _, id := range sortedKeys(ids) {
		d, err := tx.Decision(ctx, id)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// PinOn is a pin in force with its value as JSON.
type PinOn struct {
	Decision
	Value string
}

// PinsOn lists the pins in force on a field of these records, oldest first.
func (tx *DecideTx) PinsOn(ctx context.Context, recs []int64, field string) (pins []PinOn, err error) {
	err = eachIn(ctx, tx.Tx, `SELECT CASE WHEN r.decision = '' THEN r.id ELSE r.decision END, r.value, r.sealed, s.salt FROM ruling r JOIN source_record s ON s.rec = r.a
		WHERE r.kind = 'pin' AND r.withdrawn = '' AND r.field = $X1 AND r.a IN $LIST ORDER BY r.at, r.id`, recs, func(r *sql.Rows) error {
		var p PinOn
		var sealed, salt []byte
		if err := r.Scan(&p.ID, &p.Value, &sealed, &salt); err != nil {
			return err
		}
		if len(sealed) > 0 {
			if p.Value, _, err = tx.db.openPin(salt, sealed); err != nil {
				return err
			}
		}
		pins = append(pins, p)
		return nil
	}, field)
	for i := range pins {
		if err == nil {
			pins[i].Decision, err = tx.Decision(ctx, pins[i].ID)
		}
	}
	return pins, err
}

// Together finds the newest decision in force that says of two records that
// they are one customer, directly or through others it names.
func (tx *DecideTx) Together(ctx context.Context, a, b int64) (d Decision, found bool, err error) {
	found, err = tx.one(ctx, `SELECT d.id FROM decision d WHERE d.withdrawn = '' AND d.kind IN ('merge', 'import')
		AND d.id IN (SELECT decision FROM ruling WHERE kind = 'must' AND a = $1 UNION SELECT decision FROM ruling WHERE kind = 'must' AND b = $1)
		AND EXISTS (SELECT 1 FROM ruling r WHERE r.decision = d.id AND r.kind = 'must' AND (r.a = $2 OR r.b = $2)) ORDER BY d.seq DESC LIMIT 1`, []any{a, b}, &d.ID)
	if err != nil || !found {
		return d, false, err
	}
	d, err = tx.Decision(ctx, d.ID)
	return d, true, err
}

// DecisionsOn lists the decisions that name a pair of records, whether they are
// in force or not, oldest first.
func (tx *DecideTx) DecisionsOn(ctx context.Context, a, b int64) (list []Decision, err error) {
	err = tx.query(ctx, decisionColumns+` WHERE d.id IN (SELECT decision FROM ruling WHERE a = $1 AND b = $2
		UNION SELECT x.decision FROM ruling x JOIN ruling y ON y.decision = x.decision AND y.kind = 'must' WHERE x.kind = 'must' AND x.decision <> '' AND (x.a = $1 OR x.b = $1) AND (y.a = $2 OR y.b = $2)) ORDER BY d.seq`,
		[]any{min(a, b), max(a, b)}, func(r *sql.Rows) error {
			d, err := scanDecision(r)
			list = append(list, d)
			return err
		})
	return list, err
}

// Said gives a decision's pairs, to decide them again.
func (tx *DecideTx) Said(ctx context.Context, id string) (list []Ruling, err error) {
	err = tx.query(ctx, `SELECT kind, a, b FROM ruling WHERE decision = $1 ORDER BY a, b, kind`, []any{id}, func(r *sql.Rows) error {
		var x Ruling
		err := r.Scan(&x.Kind, &x.A, &x.B)
		list = append(list, x)
		return err
	})
	return list, err
}

// Parted gives the records that a ruling in force keeps apart from one: they may
// stand in its golden record until that is resolved.
func (tx *DecideTx) Parted(ctx context.Context, rec int64) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := tx.query(ctx, `SELECT b FROM ruling WHERE kind = 'cannot' AND withdrawn = '' AND a = $1
		UNION SELECT a FROM ruling WHERE kind = 'cannot' AND withdrawn = '' AND b = $1`, []any{rec}, func(r *sql.Rows) error {
		var other int64
		err := r.Scan(&other)
		out[other] = true
		return err
	})
	return out, err
}

// Look runs fn in a transaction that writes nothing.
func (db *DB) Look(ctx context.Context, fn func(*DecideTx) error) error {
	return db.reading(ctx, func(tx *Tx) error { return fn(&DecideTx{Tx: tx}) })
}

// LinkedPair is a stored match or a must-link between two records; A < B.
type LinkedPair struct {
	A, B     int64
	Weight   int32
	Decision string // of a must-link
}

// Linked lists the matches and the must-links in force among records.
func (tx *DecideTx) Linked(ctx context.Context, recs []int64) (list []LinkedPair, err error) {
	in := make(map[int64]bool, len(recs))
	for _, rec := range recs {
		in[rec] = true
	}
	for _, q := range []string{
		`SELECT a, b, weight, '' FROM match WHERE a IN $LIST`,
		`SELECT a, b, 0, CASE WHEN decision = '' THEN id ELSE decision END FROM ruling WHERE kind = 'must' AND withdrawn = '' AND a IN $LIST`,
	} {
		err := eachIn(ctx, tx.Tx, q, recs, func(r *sql.Rows) error {
			var p LinkedPair
			err := r.Scan(&p.A, &p.B, &p.Weight, &p.Decision)
			if in[p.B] {
				list = append(list, p)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("links: %w", err)
		}
	}
	return list, nil
}
