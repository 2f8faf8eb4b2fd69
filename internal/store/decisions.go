package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

const decisionColumns = `SELECT d.seq, d.id, d.kind, d.who, d.why, d.at, d.until, d.withdrawn, d.withdrawn_by,
	(SELECT count(*) FROM ruling r WHERE r.decision = d.id), (SELECT count(*) FROM ruling_pending p WHERE p.decision = d.id) + (SELECT count(*) FROM repair_pending p WHERE p.decision = d.id),
	CASE WHEN d.withdrawn = '' AND EXISTS (SELECT 1 FROM ruling r WHERE r.decision = d.id AND r.stale <> 0) THEN 1 ELSE 0 END FROM decision d`

func scanDecision(r *sql.Rows) (d Decision, err error) {
	err = r.Scan(&d.Seq, &d.ID, &d.Kind, &d.Who, &d.Why, &d.At, &d.Until, &d.Withdrawn, &d.WithdrawnBy, &d.Rulings, &d.Pending, &d.Stale)
	return d, err
}

// Decision finds a decision by its id, or a ruling that belongs to none: what
// our own push found out.
func (tx *Tx) Decision(ctx context.Context, id string) (d Decision, err error) {
	found := false
	err = tx.query(ctx, decisionColumns+` WHERE d.id = $1`, []any{id}, func(r *sql.Rows) error {
		found = true
		d, err = scanDecision(r)
		return err
	})
	if err != nil {
		return d, fmt.Errorf("decision %s: %w", id, err)
	}
	if !found {
		d.ID, d.Rulings = id, 1
		found, err = tx.one(ctx, `SELECT kind, who, why, at, withdrawn FROM ruling WHERE id = $1 AND decision = ''`, []any{id}, &d.Kind, &d.Who, &d.Why, &d.At, &d.Withdrawn)
		if err == nil && !found {
			err = notFound("decision", id)
		}
		return d, err
	}
	err = tx.query(ctx, `SELECT withdraws FROM decision_withdrawal WHERE decision = $1 ORDER BY withdraws`, []any{id}, func(r *sql.Rows) error {
		var w string
		err := r.Scan(&w)
		d.Withdraws = append(d.Withdraws, w)
		return err
	})
	return d, err
}

// DecisionFilter chooses decisions for a list.
type DecisionFilter struct {
	State  string // in force | stale | pending | withdrawn; "" for all
	After  int64  // fact number to start behind
	Limit  int
	Newest bool   // newest first: behind After then is before it, and 0 is the newest
	Kind   string // "" for all
	Who    string // "" for all
	Within Within // of DecisionsWithin: only those that speak of nothing else
}

// of says which decisions a filter keeps, of those behind its place, with the
// arguments behind so many others.
func (f DecisionFilter) of(before int) (where string, args []any) {
	switch f.State {
	case "in force":
		where = " AND d.withdrawn = ''"
	case "stale":
		where = " AND d.withdrawn = '' AND EXISTS (SELECT 1 FROM ruling r WHERE r.decision = d.id AND r.stale <> 0)"
	case "pending":
		where = " AND (EXISTS (SELECT 1 FROM ruling_pending p WHERE p.decision = d.id) OR EXISTS (SELECT 1 FROM repair_pending p WHERE p.decision = d.id))"
	case "withdrawn":
		where = " AND d.withdrawn <> ''"
	}
	for _, x := range []struct{ column, value string }{{"d.kind", f.Kind}, {"d.who", f.Who}} {
		if x.value != "" {
			args = append(args, x.value)
			where += fmt.Sprintf(" AND %s = $%d", x.column, before+len(args))
		}
	}
	return where, args
}

// walk is the way of a filter: the condition of its place, $1, and the order.
func (f DecisionFilter) walk() (behind, order string, after int64) {
	if !f.Newest {
		return "d.seq > $1", "d.seq", f.After
	}
	after = f.After
	if after == 0 {
		after = math.MaxInt64
	}
	return "d.seq < $1", "d.seq DESC", after
}

// Decisions lists decisions, oldest first where it is not asked otherwise, of who
// reaches all.
func (db *DB) Decisions(ctx context.Context, f DecisionFilter) (list []Decision, err error) {
	behind, order, after := f.walk()
	where, args := f.of(2)
	err = db.view(ctx, fmt.Sprintf(`%s WHERE %s%s ORDER BY %s LIMIT $2`, decisionColumns, behind, where, order), append([]any{after, max(f.Limit, 1)}, args...), func(r *sql.Rows) error {
		d, err := scanDecision(r)
		list = append(list, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, db.withWithdrawn(ctx, list)
}

// withWithdrawn adds what decisions withdraw.
func (db *DB) withWithdrawn(ctx context.Context, list []Decision) error {
	at := make(map[string]int, len(list))
	for i, d := range list {
		at[d.ID] = i
	}
	return viewIn(ctx, db, `SELECT decision, withdraws FROM decision_withdrawal WHERE decision IN $LIST ORDER BY decision, withdraws`, sortedKeys(at), func(r *sql.Rows) error {
		var by, id string
		err := r.Scan(&by, &id)
		list[at[by]].Withdraws = append(list[at[by]].Withdraws, id)
		return err
	})
}

// DecisionsByID reads decisions by their ids, without what they withdraw.
func (db *DB) DecisionsByID(ctx context.Context, ids []string) (map[string]Decision, error) {
	out := make(map[string]Decision, len(ids))
	err := viewIn(ctx, db, decisionColumns+` WHERE d.id IN $LIST`, ids, func(r *sql.Rows) error {
		d, err := scanDecision(r)
		out[d.ID] = d
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("decisions: %w", err)
	}
	return out, nil
}

// RuledPair is a ruling with the references of its records. Source is the uid,
// or the source's name while the record has not landed.
type RuledPair struct {
	Ruling
	RefA, RefB record.Ref
	Erased     bool   // a pin whose value was erased
	Waits      bool   // for a record to land
	Problem    string // why it could not be applied when its records had landed
}

const (
	ruledColumns = `SELECT r.id, r.decision, r.kind, r.a, r.b, r.field, r.a_version, r.b_version, CASE WHEN r.stale <> 0 THEN 1 ELSE 0 END, r.sealed,
		x.source, x.entity, x.external_id, x.salt, COALESCE(y.source, ''), COALESCE(y.entity, ''), COALESCE(y.external_id, '')`
	ruledJoin = ` r JOIN source_record x ON x.rec = r.a LEFT JOIN source_record y ON y.rec = r.b `
)

func (db *DB) scanRuled(r *sql.Rows) (p RuledPair, err error) {
	var sealed, salt []byte
	err = r.Scan(&p.ID, &p.Decision, &p.Kind, &p.A, &p.B, &p.Field, &p.AVersion, &p.BVersion, &p.Stale, &sealed,
		&p.RefA.Source, &p.RefA.Entity, &p.RefA.ID, &salt, &p.RefB.Source, &p.RefB.Entity, &p.RefB.ID)
	if err == nil {
		p.Value, p.Erased, err = db.openPin(salt, sealed)
	}
	return p, err
}

// FirstRuled lists the first n of what one decision says about which records,
// leaving out what waits for a record to land.
func (db *DB) FirstRuled(ctx context.Context, decision string, n int) (list []RuledPair, err error) {
	err = db.view(ctx, ruledColumns+` FROM (SELECT * FROM ruling WHERE decision = $1 ORDER BY a, b, id LIMIT $2)`+ruledJoin+`ORDER BY r.a, r.b, r.id`, []any{decision, n}, func(r *sql.Rows) error {
		p, err := db.scanRuled(r)
		list = append(list, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rulings of %s: %w", decision, err)
	}
	return list, nil
}

// RuledPairs lists what decisions say about which records, in a fixed order.
func (db *DB) RuledPairs(ctx context.Context, decisions []string) (map[string][]RuledPair, error) {
	out := map[string][]RuledPair{}
	err := viewIn(ctx, db, ruledColumns+` FROM ruling`+ruledJoin+`WHERE r.decision IN $LIST ORDER BY r.decision, r.a, r.b, r.id`, decisions, func(r *sql.Rows) error {
		p, err := db.scanRuled(r)
		out[p.Decision] = append(out[p.Decision], p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("rulings: %w", err)
	}
	err = viewIn(ctx, db, `SELECT id, decision, kind, a_source, a_entity, a_id, b_source, b_entity, b_id, field, salt, sealed, problem FROM ruling_pending
		WHERE decision IN $LIST ORDER BY decision, a_source, a_entity, a_id, b_source, b_entity, b_id, id`, decisions, func(r *sql.Rows) error {
		p := RuledPair{Waits: true}
		var sealed, salt []byte
		err := r.Scan(&p.ID, &p.Decision, &p.Kind, &p.RefA.Source, &p.RefA.Entity, &p.RefA.ID, &p.RefB.Source, &p.RefB.Entity, &p.RefB.ID, &p.Field, &salt, &sealed, &p.Problem)
		if err != nil {
			return err
		}
		p.Value, p.Erased, err = db.openPin(salt, sealed)
		out[p.Decision] = append(out[p.Decision], p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pending rulings: %w", err)
	}
	return out, nil
}

func (db *DB) openPin(salt, sealed []byte) (value string, erased bool, err error) {
	plain, err := db.vault.Open(salt, sealed)
	if errors.Is(err, seal.ErrErased) {
		return "", true, nil
	}
	return string(plain), false, err
}

// ExpirePins lands the clock facts that are due: a pin whose time is over is
// withdrawn by a decision of its own, so that a rebuild needs no clock. It
// gives their number.
func (db *DB) ExpirePins(ctx context.Context) (n int, err error) {
	now, next := formatTime(db.env.Clock.Now()), ""
	// Almost always nothing is due: then nobody's writing is waited for.
	err = db.view(ctx, `SELECT until FROM decision WHERE until > '' AND withdrawn = '' ORDER BY until LIMIT 1`, nil, func(r *sql.Rows) error { return r.Scan(&next) })
	if err != nil || next == "" || next > now {
		return 0, err
	}
	err = db.Decide(ctx, func(tx *DecideTx) error {
		var ids []string
		err := tx.query(ctx, `SELECT id FROM decision WHERE until <> '' AND until <= $1 AND withdrawn = '' ORDER BY until, id LIMIT 1000`, []any{now}, func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			pin, err := tx.Decision(ctx, id)
			if err != nil {
				return err
			}
			if _, _, err := tx.Add(ctx, NewDecision{Kind: Expired, Who: "touchstone", Why: "its time is over", At: pin.Until, Withdraws: []string{id}}); err != nil {
				return err
			}
		}
		n = len(ids)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("expire pins: %w", err)
	}
	return n, nil
}

// MarkStale notes which rulings rest on something that has changed: an
// identifying field of one of these records is not what it was when a person
// decided. They stay in force, and wait for a person.
func (tx *LinkTx) MarkStale(ctx context.Context, members []Member) error {
	if ruled, err := tx.AnyRuling(ctx); err != nil || !ruled || len(members) == 0 {
		return err
	}
	recs := make([]int64, len(members))
	now := make(map[int64]Member, len(members))
	for i, m := range members {
		recs[i], now[m.Rec] = m.Rec, m
	}
	for i, end := range []string{"a", "b"} {
		bit := 1 << i
		type change struct {
			id    string
			stale int
		}
		var changes []change
		err := eachIn(ctx, tx.Tx, `SELECT id, `+end+`, `+end+`_version, `+end+`_seen, stale FROM ruling
			WHERE decision <> '' AND withdrawn = '' AND `+end+` IN $LIST`, recs, func(r *sql.Rows) error {
			var id string
			var rec int64
			var version, stale int
			var seen []byte
			if err := r.Scan(&id, &rec, &version, &seen, &stale); err != nil {
				return err
			}
			m := now[rec]
			is := stale &^ bit
			if len(seen) > 0 && m.Version != version && string(tx.keyed("identity", m.Features)) != string(seen) {
				is |= bit
			}
			if is != stale {
				changes = append(changes, change{id, is})
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("stale rulings: %w", err)
		}
		if len(changes) > 0 { // a decision takes this lock before it changes a ruling
			if err := tx.lockFacts(ctx); err != nil {
				return err
			}
		}
		for _, c := range changes {
			if _, err := tx.exec(ctx, `UPDATE ruling SET stale = $1 WHERE id = $2`, c.stale, c.id); err != nil {
				return fmt.Errorf("stale rulings: %w", err)
			}
		}
	}
	return nil
}

// Keyed makes a hash of personal bytes one that nobody can try guesses against
// who has the database and not the installation key.
func (tx *LinkTx) Keyed(what string, hash []byte) []byte { return tx.keyed(what, hash) }

// DecisionKinds gives the kinds of decisions.
func (db *DB) DecisionKinds(ctx context.Context, ids []string) (map[string]string, error) {
	out := map[string]string{}
	err := viewIn(ctx, db, `SELECT id, kind FROM decision WHERE id IN $LIST`, ids, func(r *sql.Rows) error {
		var id, kind string
		err := r.Scan(&id, &kind)
		out[id] = kind
		return err
	})
	return out, err
}
