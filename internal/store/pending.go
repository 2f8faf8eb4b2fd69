package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// Portable is a decision as it travels between stores: it names records by
// reference, Source being the source's name.
type Portable struct {
	NewDecision
	Pairs  []PortablePair
	Said   *SaidBetween // of a decision on a relation; its records must have landed
	Mends  []PortableRepair
	Unties []RefusedPair // of a decision that refuses relations; their records must have landed
}

// PortablePair is a ruling of a portable decision; a pin has no B.
type PortablePair struct {
	Kind         string
	A, B         record.Ref
	Field, Value string
}

// Took says what became of a portable decision.
type Took struct {
	Decision Decision
	Existing bool
	Refused  error // *Contradiction or *Impossible
}

// Take makes portable decisions in their order, each for itself: one that is
// refused leaves nothing. Rulings on records that have not landed are kept
// until they do.
func (db *DB) Take(ctx context.Context, list []Portable) (took []Took, err error) {
	err = db.Decide(ctx, func(tx *DecideTx) error {
		took = make([]Took, len(list))
		waited, err := tx.one(ctx, `SELECT 1 FROM ruling_pending WHERE problem = '' LIMIT 1`, nil, new(int))
		if err != nil {
			return err
		}
		for i, p := range list {
			t := &took[i]
			err := tx.apart(ctx, func() (err error) {
				t.Decision, t.Existing, err = tx.take(ctx, p)
				return err
			})
			if t.Refused = refusal(err); t.Refused == nil && err != nil {
				return err
			}
		}
		if waited { // for records that may have landed since anybody looked
			return nil
		}
		// Whatever lands from now on has a higher number.
		return tx.setSetting(ctx, pendingChecked, strconv.FormatInt(tx.lastRec(ctx), 10))
	})
	if err != nil {
		return nil, fmt.Errorf("take decisions: %w", err)
	}
	return took, nil
}

// refusal is what an error says about the decision itself; nil for any other
// error.
func refusal(err error) error {
	var against *Contradiction
	var impossible *Impossible
	switch {
	case errors.As(err, &against):
		return against
	case errors.As(err, &impossible):
		return impossible
	}
	return nil
}

// apart runs fn so that its error takes back what it did, and nothing else.
func (tx *Tx) apart(ctx context.Context, fn func() error) error {
	if _, err := tx.exec(ctx, `SAVEPOINT apart`); err != nil {
		return err
	}
	number := tx.featureNumber
	if err := fn(); err != nil {
		if tx.featureNumber != number { // given back while the counter is still locked
			tx.db.kept.undo(tx.featureNumber)
			tx.featureNumber = number
		}
		_, back := tx.exec(ctx, `ROLLBACK TO SAVEPOINT apart`)
		_, end := tx.exec(ctx, `RELEASE SAVEPOINT apart`)
		return errors.Join(err, back, end)
	}
	_, err := tx.exec(ctx, `RELEASE SAVEPOINT apart`)
	return err
}

func (tx *DecideTx) take(ctx context.Context, p Portable) (d Decision, existing bool, err error) {
	if p.ID != "" {
		d, err := tx.Decision(ctx, p.ID)
		if err == nil || !errors.Is(err, record.ErrNotFound) {
			return d, true, err
		}
		if err := tx.noCircle(ctx, p.ID, p.Withdraws); err != nil {
			return d, false, err
		}
	}
	var waiting []PortablePair
	for _, pair := range p.Pairs {
		a, err := tx.landedRec(ctx, pair.A)
		if err != nil {
			return d, false, err
		}
		b, err := tx.landedRec(ctx, pair.B)
		if err != nil {
			return d, false, err
		}
		switch {
		case a == 0 || b == 0 && pair.B.ID != "":
			waiting = append(waiting, pair)
		case a != b:
			p.Rulings = append(p.Rulings, Ruling{Kind: pair.Kind, A: a, B: b, Field: pair.Field, Value: pair.Value})
		}
	}
	if p.Relation, err = tx.landedSaid(ctx, p.Said); err != nil {
		return d, false, err
	}
	if p.Refuses, err = tx.landedRefused(ctx, p.Unties); err != nil {
		return d, false, err
	}
	if d, existing, err = tx.Add(ctx, p.NewDecision); err != nil || existing {
		return d, existing, err
	}
	if err := tx.keepWaiting(ctx, d.ID, waiting); err != nil {
		return d, false, err
	}
	if err := tx.keepRepairs(ctx, d.ID, p.Mends); err != nil {
		return d, false, err
	}
	d, err = tx.Decision(ctx, d.ID)
	return d, false, err
}

// noCircle refuses a decision that would withdraw itself, at once or through
// others: whether it is in force would have no answer.
func (tx *Tx) noCircle(ctx context.Context, id string, withdraws []string) error {
	seen := map[string]bool{}
	for wave := withdraws; len(wave) > 0; {
		var next []string
		for _, w := range wave {
			if w == id {
				return impossible("the decision withdraws itself")
			}
			if !seen[w] {
				seen[w] = true
				next = append(next, w)
			}
		}
		wave = nil
		err := eachIn(ctx, tx, `SELECT withdraws FROM decision_withdrawal WHERE decision IN $LIST`, next, func(r *sql.Rows) error {
			var w string
			err := r.Scan(&w)
			wave = append(wave, w)
			return err
		})
		if err != nil {
			return fmt.Errorf("withdrawals: %w", err)
		}
	}
	return nil
}

// landedRec finds a record by the name of its source; 0 when it has not landed.
func (tx *Tx) landedRec(ctx context.Context, ref record.Ref) (rec int64, err error) {
	if ref.ID == "" {
		return 0, nil
	}
	_, err = tx.one(ctx, `SELECT s.rec FROM source n JOIN source_record s ON s.source = n.uid WHERE n.name = $1 AND s.entity = $2 AND s.external_id = $3`,
		[]any{ref.Source, ref.Entity, ref.ID}, &rec)
	return rec, err
}

func (tx *Tx) keepWaiting(ctx context.Context, decision string, waiting []PortablePair) error {
	var rows [][]any
	for _, p := range waiting {
		id := tx.db.env.ID()
		var salt, sealed []byte
		if p.Kind == Pinned {
			salt = make([]byte, seal.SaltSize)
			tx.db.env.Rand(salt)
			var err error
			if sealed, err = tx.db.vault.Seal(salt, "pin"+id, []byte(p.Value)); err != nil {
				return err
			}
		}
		rows = append(rows, []any{id, decision, p.Kind, p.A.Source, p.A.Entity, p.A.ID, p.B.Source, p.B.Entity, p.B.ID, p.Field, salt, sealed, ""})
	}
	err := tx.insert(ctx, `INSERT INTO ruling_pending (id, decision, kind, a_source, a_entity, a_id, b_source, b_entity, b_id, field, salt, sealed, problem)`, "", rows)
	if err != nil {
		return fmt.Errorf("pending rulings: %w", err)
	}
	return nil
}

// pendingChecked names the last landing number for which pending rulings were
// looked up.
const pendingChecked = "pending rulings checked up to"

func (tx *Tx) lastRec(ctx context.Context) (rec int64) {
	_, _ = tx.one(ctx, `SELECT COALESCE(max(rec), 0) FROM source_record`, nil, &rec) // a later look checks more than it must
	return rec
}

// waitingPair is a pending ruling whose records have landed.
type waitingPair struct {
	id, decision, kind, field string
	a, b                      int64
	salt, sealed              []byte
}

// Landed applies the pending rulings whose records have landed since the last
// call, and gives their number. One that contradicts what was decided meanwhile
// stays, and says so.
func (db *DB) Landed(ctx context.Context) (n int, err error) {
	var last, waits int64
	var checked string
	err = db.view(ctx, `SELECT (SELECT COALESCE(max(rec), 0) FROM source_record), (SELECT count(*) FROM (SELECT 1 FROM ruling_pending WHERE problem = '' LIMIT 1) AS p),
		COALESCE((SELECT value FROM setting WHERE name = $1), '0')`, []any{pendingChecked}, func(r *sql.Rows) error { return r.Scan(&last, &waits, &checked) })
	if err != nil || waits == 0 {
		return 0, err
	}
	if from, err := strconv.ParseInt(checked, 10, 64); err == nil && from >= last {
		return 0, nil
	}
	err = db.Decide(ctx, func(tx *DecideTx) error {
		last := tx.lastRec(ctx)
		text, err := tx.setting(ctx, pendingChecked)
		if err != nil {
			return err
		}
		from, _ := strconv.ParseInt(text, 10, 64) // never set: from the beginning
		list, err := tx.waiting(ctx, from)
		if err != nil {
			return err
		}
		for _, p := range list {
			applied, err := tx.applyWaiting(ctx, p)
			if err != nil {
				return err
			}
			n += applied
		}
		return tx.setSetting(ctx, pendingChecked, strconv.FormatInt(last, 10))
	})
	if err != nil {
		return 0, fmt.Errorf("apply pending rulings: %w", err)
	}
	return n, nil
}

// waiting finds the pending rulings of which a record has landed behind a
// number and now both have.
func (tx *Tx) waiting(ctx context.Context, from int64) (list []waitingPair, err error) {
	seen := map[string]bool{}
	for _, end := range []string{"a", "b"} {
		q := `SELECT p.id, p.decision, p.kind, p.field, p.salt, p.sealed, p.b_id, COALESCE(a.rec, 0), COALESCE(b.rec, 0)
			FROM source_record l JOIN source n ON n.uid = l.source
			JOIN ruling_pending p ON p.` + end + `_id = l.external_id AND p.` + end + `_source = n.name AND p.` + end + `_entity = l.entity
			LEFT JOIN source x ON x.name = p.a_source LEFT JOIN source_record a ON a.source = x.uid AND a.entity = p.a_entity AND a.external_id = p.a_id
			LEFT JOIN source y ON y.name = p.b_source LEFT JOIN source_record b ON b.source = y.uid AND b.entity = p.b_entity AND b.external_id = p.b_id
			WHERE l.rec > $1 AND p.problem = '' ORDER BY p.decision, p.id`
		err := tx.query(ctx, q, []any{from}, func(r *sql.Rows) error {
			var p waitingPair
			var other string
			if err := r.Scan(&p.id, &p.decision, &p.kind, &p.field, &p.salt, &p.sealed, &other, &p.a, &p.b); err != nil {
				return err
			}
			if p.a != 0 && (p.b != 0 || other == "") && !seen[p.id] {
				seen[p.id] = true
				list = append(list, p)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (tx *DecideTx) applyWaiting(ctx context.Context, p waitingPair) (applied int, err error) {
	d, err := tx.Decision(ctx, p.decision)
	if err != nil {
		return 0, err
	}
	err = tx.apart(ctx, func() error {
		value, _, err := tx.db.openPin(p.salt, p.sealed)
		if err != nil {
			return err
		}
		r := Ruling{Kind: p.kind, A: p.a, B: p.b, Field: p.field, Value: value}
		if err := tx.insertRulings(ctx, d, d.Withdrawn, []Ruling{r}); err != nil {
			return err
		}
		if _, err := tx.exec(ctx, `DELETE FROM ruling_pending WHERE id = $1`, p.id); err != nil {
			return err
		}
		touched := map[int64]bool{p.a: true, p.b: true}
		refused, err := tx.settleContradictions(ctx, d, NewDecision{}, []string{d.ID}, touched)
		if err == nil && len(refused) > 0 {
			err = &Contradiction{Earlier: refused}
		}
		if err != nil {
			return err
		}
		return tx.enqueueAgain(ctx, sortedKeys(touched))
	})
	if against := refusal(err); against != nil {
		_, err = tx.exec(ctx, `UPDATE ruling_pending SET problem = $1 WHERE id = $2`, against.Error(), p.id)
		return 0, err
	}
	return 1, err
}

// LooseRulings lists the rulings that belong to no decision: what our own
// pushes found out, and what earlier releases kept.
func (db *DB) LooseRulings(ctx context.Context, after string, n int) (list []RuledPair, err error) {
	err = db.view(ctx, `SELECT r.id, r.kind, r.field, r.value, r.who, r.why, r.at, x.source, x.entity, x.external_id, COALESCE(y.source, ''), COALESCE(y.entity, ''), COALESCE(y.external_id, '')
		FROM ruling r JOIN source_record x ON x.rec = r.a LEFT JOIN source_record y ON y.rec = r.b
		WHERE r.decision = '' AND r.withdrawn = '' AND r.id > $1 ORDER BY r.id LIMIT $2`, []any{after, n}, func(r *sql.Rows) error {
		var p RuledPair
		err := r.Scan(&p.ID, &p.Kind, &p.Field, &p.Value, &p.Who, &p.Why, &p.At, &p.RefA.Source, &p.RefA.Entity, &p.RefA.ID, &p.RefB.Source, &p.RefB.Entity, &p.RefB.ID)
		list = append(list, p)
		return err
	})
	return list, err
}
