package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// Related is the kind of a decision that two customers are related.
const Related = "relation"

// SaidRelation is what one decision says of how two customers are related. A and
// B are the source records by which it follows merges and splits.
type SaidRelation struct {
	A, B         int64
	Kind         string
	Title        string
	Role         string // in buying, one of record.BuyingRoles
	Stance       string // one of record.Stances
	Share        string // percent, decimal text
	Since, Until string // YYYY-MM-DD; Until is its last day, "" while it lasts
}

// insertRelation writes what a decision says of a relation.
func (tx *Tx) insertRelation(ctx context.Context, decision string, r *SaidRelation) error {
	var salt []byte
	found, err := tx.one(ctx, `SELECT salt FROM source_record WHERE rec = $1`, []any{r.A}, &salt)
	if err != nil {
		return fmt.Errorf("relation: %w", err)
	}
	if !found || len(salt) == 0 {
		return impossible("the record that the relation would belong to has been erased")
	}
	sealed, err := tx.db.vault.Seal(salt, "relation"+decision, []byte(r.Title))
	if err != nil {
		return fmt.Errorf("seal relation: %w", err)
	}
	_, err = tx.exec(ctx, `INSERT INTO said_relation (decision, a, b, kind, role, stance, share, since, until, sealed) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)`,
		decision, r.A, r.B, r.Kind, r.Role, r.Stance, r.Share, r.Since, r.Until, sealed)
	if err != nil {
		return fmt.Errorf("relation: %w", err)
	}
	return nil
}

// RelationEdge is one relation between golden records as it stands now: from a source,
// or from a person.
type RelationEdge struct {
	record.Relation            // To is the far end as a source record; Ended is by the source's own time
	Stance          string     // of a person's statement
	From            record.Ref // the record it is said of
	A, B            int64      // founders of its ends; B is 0 while the far end has not landed
	Decision        string     // of a person's statement, with who, why and when
	Who, Why, At    string
	Rec             int64 // landing number of From; of the same golden record the older comes first
	N               int   // which of the record's edges, of a source
}

const (
	edgeOut = `SELECT f.source, f.entity, f.external_id, r.rec, r.n, r.kind, r.source, r.entity, r.external_id, r.title, r.role, r.share, r.since, r.until, r.ended, x.golden, COALESCE(y.golden, 0)
		FROM crosswalk x JOIN relation r ON r.rec = x.rec JOIN source_record f ON f.rec = r.rec
		LEFT JOIN source_record t ON t.source = r.source AND t.entity = r.entity AND t.external_id = r.external_id LEFT JOIN crosswalk y ON y.rec = t.rec
		WHERE x.golden IN $LIST ORDER BY r.rec, r.n LIMIT $X1`
	edgeIn = `SELECT f.source, f.entity, f.external_id, r.rec, r.n, r.kind, r.source, r.entity, r.external_id, r.title, r.role, r.share, r.since, r.until, r.ended, x.golden, y.golden
		FROM crosswalk y JOIN source_record t ON t.rec = y.rec JOIN relation r ON r.source = t.source AND r.entity = t.entity AND r.external_id = t.external_id
		JOIN source_record f ON f.rec = r.rec JOIN crosswalk x ON x.rec = r.rec
		WHERE y.golden IN $LIST ORDER BY r.rec, r.n LIMIT $X1`
	saidColumns = `SELECT s.decision, s.kind, s.role, s.stance, s.share, s.since, s.until, s.sealed, d.who, d.why, d.at,
		f.source, f.entity, f.external_id, f.rec, f.salt, t.source, t.entity, t.external_id, x.golden, y.golden
		FROM said_relation s JOIN decision d ON d.id = s.decision AND d.withdrawn = ''
		JOIN source_record f ON f.rec = s.a JOIN source_record t ON t.rec = s.b JOIN crosswalk x ON x.rec = s.a JOIN crosswalk y ON y.rec = s.b `
	saidOut = saidColumns + `WHERE s.a IN (SELECT rec FROM crosswalk WHERE golden IN $LIST) ORDER BY d.seq LIMIT $X1`
	saidIn  = saidColumns + `WHERE s.b IN (SELECT rec FROM crosswalk WHERE golden IN $LIST) ORDER BY d.seq LIMIT $X1`
)

// Edges lists the relations that lead away from golden records and those that
// lead to them, at most most of each origin and direction; more says that there
// are further ones. An edge between two of the golden records asked for comes
// once. Those of people come behind those of sources.
func (db *DB) Edges(ctx context.Context, founders []int64, most int) (list []RelationEdge, more bool, err error) {
	seen := map[[2]any]bool{}
	for _, q := range []struct {
		text string
		scan func(*sql.Rows) (RelationEdge, error)
	}{{edgeOut, scanEdge}, {edgeIn, scanEdge}, {saidOut, db.scanSaid}, {saidIn, db.scanSaid}} {
		n := 0
		err := viewIn(ctx, db, q.text, founders, func(r *sql.Rows) error {
			e, err := q.scan(r)
			if n++; err != nil || n > most {
				more = true
				return err
			}
			key := [2]any{[2]int64{e.Rec, int64(e.N)}, e.Decision}
			if !seen[key] {
				seen[key] = true
				list = append(list, e)
			}
			return nil
		}, most+1)
		if err != nil {
			return nil, false, fmt.Errorf("relations: %w", err)
		}
	}
	return list, more, nil
}

func scanEdge(r *sql.Rows) (e RelationEdge, err error) {
	err = r.Scan(&e.From.Source, &e.From.Entity, &e.From.ID, &e.Rec, &e.N, &e.Kind, &e.To.Source, &e.To.Entity, &e.To.ID,
		&e.Title, &e.Role, &e.Share, &e.Since, &e.Until, &e.Ended, &e.A, &e.B)
	return e, err
}

func (db *DB) scanSaid(r *sql.Rows) (e RelationEdge, err error) {
	var sealed, salt []byte
	if err := r.Scan(&e.Decision, &e.Kind, &e.Role, &e.Stance, &e.Share, &e.Since, &e.Until, &sealed, &e.Who, &e.Why, &e.At,
		&e.From.Source, &e.From.Entity, &e.From.ID, &e.Rec, &salt, &e.To.Source, &e.To.Entity, &e.To.ID, &e.A, &e.B); err != nil {
		return e, err
	}
	e.Title, err = db.openTitle(salt, sealed)
	return e, err
}

// openTitle opens a title; that of an erased record is empty.
func (db *DB) openTitle(salt, sealed []byte) (string, error) {
	plain, err := db.vault.Open(salt, sealed)
	if errors.Is(err, seal.ErrErased) {
		return "", nil
	}
	return string(plain), err
}

// SaidOf gives what decisions say of relations, in force or not, by decision.
func (db *DB) SaidOf(ctx context.Context, decisions []string) (map[string]SaidBetween, error) {
	out := map[string]SaidBetween{}
	err := viewIn(ctx, db, saidAnyway+` WHERE s.decision IN $LIST`, decisions, func(r *sql.Rows) error {
		id, s, err := db.scanBetween(r)
		out[id] = s
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("relations of decisions: %w", err)
	}
	return out, nil
}

// SaidBetween is a person's statement with the references of its records.
type SaidBetween struct {
	SaidRelation
	RefA, RefB record.Ref
}

const saidAnyway = `SELECT s.decision, s.a, s.b, s.kind, s.role, s.stance, s.share, s.since, s.until, s.sealed,
	f.source, f.entity, f.external_id, f.salt, t.source, t.entity, t.external_id
	FROM said_relation s JOIN source_record f ON f.rec = s.a JOIN source_record t ON t.rec = s.b`

func (db *DB) scanBetween(r *sql.Rows) (id string, s SaidBetween, err error) {
	var sealed, salt []byte
	if err := r.Scan(&id, &s.A, &s.B, &s.Kind, &s.Role, &s.Stance, &s.Share, &s.Since, &s.Until, &sealed,
		&s.RefA.Source, &s.RefA.Entity, &s.RefA.ID, &salt, &s.RefB.Source, &s.RefB.Entity, &s.RefB.ID); err != nil {
		return id, s, err
	}
	s.Title, err = db.openTitle(salt, sealed)
	return id, s, err
}

// SaidRelation gives what a decision says of a relation.
func (tx *DecideTx) SaidRelation(ctx context.Context, decision string) (s SaidBetween, err error) {
	found := false
	err = tx.query(ctx, saidAnyway+` WHERE s.decision = $1`, []any{decision}, func(r *sql.Rows) error {
		found = true
		_, s, err = tx.db.scanBetween(r)
		return err
	})
	if err == nil && !found {
		err = notFound("relation", decision)
	}
	return s, err
}

// SaidAmong lists the statements in force of a kind from the records of one
// golden record to those of another one, oldest first. An empty to means any.
func (tx *DecideTx) SaidAmong(ctx context.Context, kind string, from, to []int64) (decisions []string, err error) {
	there := make(map[int64]bool, len(to))
	for _, rec := range to {
		there[rec] = true
	}
	err = eachIn(ctx, tx.Tx, `SELECT s.decision, s.b FROM said_relation s JOIN decision d ON d.id = s.decision AND d.withdrawn = ''
		WHERE s.kind = $X1 AND s.a IN $LIST ORDER BY d.seq`, from, func(r *sql.Rows) error {
		var id string
		var b int64
		err := r.Scan(&id, &b)
		if len(to) == 0 || there[b] {
			decisions = append(decisions, id)
		}
		return err
	}, kind)
	if err != nil {
		return nil, fmt.Errorf("relations said: %w", err)
	}
	return decisions, nil
}

// SaidRelations lists the statements in force, oldest first, behind the one with
// fact number after.
func (db *DB) SaidRelations(ctx context.Context, after int64, n int) (list []RelationEdge, last int64, err error) {
	var ids []string
	err = db.view(ctx, `SELECT d.id, d.seq FROM said_relation s JOIN decision d ON d.id = s.decision WHERE d.withdrawn = '' AND d.seq > $1 ORDER BY d.seq LIMIT $2`,
		[]any{after, n}, func(r *sql.Rows) error {
			var id string
			err := r.Scan(&id, &last)
			ids = append(ids, id)
			return err
		})
	if err == nil {
		err = viewIn(ctx, db, saidColumns+`WHERE s.decision IN $LIST ORDER BY d.seq`, ids, func(r *sql.Rows) error {
			e, err := db.scanSaid(r)
			list = append(list, e)
			return err
		})
	}
	if err != nil {
		return nil, 0, fmt.Errorf("relations said: %w", err)
	}
	return list, last, nil
}

// landedSaid finds the records of a portable statement.
func (tx *DecideTx) landedSaid(ctx context.Context, s *SaidBetween) (*SaidRelation, error) {
	if s == nil {
		return nil, nil
	}
	r := s.SaidRelation
	for _, end := range []struct {
		ref  record.Ref
		into *int64
	}{{s.RefA, &r.A}, {s.RefB, &r.B}} {
		rec, err := tx.landedRec(ctx, end.ref)
		if err != nil {
			return nil, err
		}
		if rec == 0 {
			return nil, impossible("one of the records that it relates has not landed here: import it again after a run")
		}
		*end.into = rec
	}
	return &r, nil
}

// Beneath gives decisions with all that they withdraw, and what these withdraw:
// whoever ends them and means none of those to come back withdraws them too.
func (tx *DecideTx) Beneath(ctx context.Context, ids []string) (all []string, err error) {
	known := make(map[string]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	err = follow(known, func(wave []string, found rowScan) error {
		return eachIn(ctx, tx.Tx, `SELECT withdraws FROM decision_withdrawal WHERE decision IN $LIST`, wave, found)
	})
	if err != nil {
		return nil, fmt.Errorf("what decisions withdraw: %w", err)
	}
	return sortedKeys(known), nil
}
