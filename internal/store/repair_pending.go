package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// PortableRepair is a repair as it travels between stores: it names its record by
// reference, Source being the source's name.
type PortableRepair struct {
	Ref     record.Ref
	Version int // of the record there: the same one is asked first here
	Field   string
	Remedy  string
	Was     json.RawMessage // what the mapping gave; nil for nothing
	Now     json.RawMessage // nil: the field is left out
	Erased  bool            // its values are gone
	Waits   bool            // for its record to land
	Problem string          // why it waits though its record has landed
}

// open opens its values, sealed with the key of its record.
func (p *PortableRepair) open(db *DB, salt, sealed []byte) error {
	text, erased, err := db.openRepair(salt, sealed)
	if err != nil {
		return fmt.Errorf("repair of %s: %w", p.Ref, err)
	}
	p.Was, p.Now, p.Erased = text.Was, text.Now, erased
	return nil
}

// WaitingRepair is a portable repair of a decision that waits.
type WaitingRepair struct {
	PortableRepair
	Decision string
	N        int   // which of the decision's
	Rec      int64 // the record it speaks of, which has landed
}

// SettledRepair is a waiting repair with the version it is of, or with what is
// against it.
type SettledRepair struct {
	WaitingRepair
	At      int    // the version here
	Problem string // "" where it has a version
}

// RepairsOfDecision gives what a decision says of fields of records, in force or
// not, what waits behind the rest. Source is the uid, or of what waits the name.
func (db *DB) RepairsOfDecision(ctx context.Context, decision string) (list []PortableRepair, err error) {
	scan := func(r *sql.Rows) error {
		var p PortableRepair
		var salt, sealed []byte
		if err := r.Scan(&p.Ref.Source, &p.Ref.Entity, &p.Ref.ID, &p.Version, &p.Field, &p.Remedy, &salt, &sealed, &p.Waits, &p.Problem); err != nil {
			return err
		}
		err := p.open(db, salt, sealed)
		list = append(list, p)
		return err
	}
	for _, q := range []string{
		`SELECT s.source, s.entity, s.external_id, p.version, p.field, p.remedy, s.salt, p.sealed, 0, '' FROM repair p JOIN source_record s ON s.rec = p.rec
			WHERE p.decision = $1 ORDER BY p.rec, p.version, p.field`,
		`SELECT source, entity, external_id, version, field, remedy, salt, sealed, 1, problem FROM repair_pending WHERE decision = $1 ORDER BY n`,
	} {
		if err := db.view(ctx, q, []any{decision}, scan); err != nil {
			return nil, fmt.Errorf("repairs of decision %s: %w", decision, err)
		}
	}
	return list, nil
}

func pendingRepairPlace(decision string, n int) string { return fmt.Sprint("repair", decision, "#", n) }

// keepRepairs has a decision's repairs wait: which version each is of is found
// by the rules, when its record is there.
func (tx *Tx) keepRepairs(ctx context.Context, decision string, list []PortableRepair) error {
	if len(list) == 0 {
		return nil
	}
	rows := make([][]any, len(list))
	for i, p := range list {
		text, err := json.Marshal(repairText{p.Was, p.Now})
		if err != nil {
			return fmt.Errorf("repair of %s: %w", p.Ref, err)
		}
		salt := make([]byte, seal.SaltSize)
		tx.db.env.Rand(salt)
		sealed, err := tx.db.vault.Seal(salt, pendingRepairPlace(decision, i), text)
		if err != nil {
			return fmt.Errorf("seal repair of %s: %w", p.Ref, err)
		}
		rows[i] = []any{decision, i, p.Ref.Source, p.Ref.Entity, p.Ref.ID, p.Version, p.Field, p.Remedy, salt, sealed, ""}
	}
	if err := tx.insert(ctx, `INSERT INTO repair_pending (decision, n, source, entity, external_id, version, field, remedy, salt, sealed, problem)`, "", rows); err != nil {
		return fmt.Errorf("pending repairs: %w", err)
	}
	return tx.setSetting(ctx, repairsChecked, "0 "+decision) // their records may be here already
}

// repairsChecked names the last landing number for which waiting repairs were
// looked up; behind 0 stands the decision that has begun it anew.
const repairsChecked = "pending repairs checked up to"

// RepairsLook says how far waiting repairs were looked for.
type RepairsLook struct {
	from string
	upTo int64
}

// RepairsLanded gives the first n waiting repairs whose record has landed since
// they were last looked for, in the order of their decisions. There are no more
// when fewer than n are given: then SettleRepairs is told the look, also when
// there is none.
func (db *DB) RepairsLanded(ctx context.Context, n int) (list []WaitingRepair, look RepairsLook, err error) {
	var waits int64
	err = db.view(ctx, `SELECT (SELECT COALESCE(max(rec), 0) FROM source_record), (SELECT count(*) FROM (SELECT 1 FROM repair_pending WHERE problem = '' LIMIT 1) AS p),
		COALESCE((SELECT value FROM setting WHERE name = $1), '0')`, []any{repairsChecked}, func(r *sql.Rows) error { return r.Scan(&look.upTo, &waits, &look.from) })
	if err != nil {
		return nil, look, fmt.Errorf("pending repairs: %w", err)
	}
	from, _ := strconv.ParseInt(look.from, 10, 64) // begun anew: from the beginning
	if waits == 0 || from >= look.upTo {
		return nil, RepairsLook{}, nil
	}
	err = db.view(ctx, `SELECT p.decision, p.n, l.rec, p.source, p.entity, p.external_id, p.version, p.field, p.remedy, p.salt, p.sealed
		FROM repair_pending p JOIN decision d ON d.id = p.decision JOIN source n ON n.name = p.source
		JOIN source_record l ON l.source = n.uid AND l.entity = p.entity AND l.external_id = p.external_id
		WHERE p.problem = '' AND l.rec > $1 AND l.rec <= $2 ORDER BY d.seq, p.n LIMIT $3`, []any{from, look.upTo, n}, func(r *sql.Rows) error {
		w := WaitingRepair{PortableRepair: PortableRepair{Waits: true}}
		var salt, sealed []byte
		err := r.Scan(&w.Decision, &w.N, &w.Rec, &w.Ref.Source, &w.Ref.Entity, &w.Ref.ID, &w.Version, &w.Field, &w.Remedy, &salt, &sealed)
		if err != nil {
			return err
		}
		err = w.open(db, salt, sealed)
		list = append(list, w)
		return err
	})
	if err != nil {
		return nil, look, fmt.Errorf("pending repairs: %w", err)
	}
	return list, look, nil
}

// RepairProblems says of decisions with repairs that cannot be made what is
// against one of them.
func (db *DB) RepairProblems(ctx context.Context, decisions []string) (map[string]string, error) {
	out := map[string]string{}
	err := viewIn(ctx, db, `SELECT decision, min(problem) FROM repair_pending WHERE problem <> '' AND decision IN $LIST GROUP BY decision`, decisions, func(r *sql.Rows) error {
		var id, problem string
		err := r.Scan(&id, &problem)
		out[id] = problem
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pending repairs: %w", err)
	}
	return out, nil
}

// FaultyVersion is a version that did not pass at some time.
type FaultyVersion struct {
	Row     string // of the quarantine
	Version int
}

// FaultyVersions gives the newest n versions of a record that are or were in
// quarantine, the newest first.
func (db *DB) FaultyVersions(ctx context.Context, rec int64, n int) (list []FaultyVersion, err error) {
	err = db.view(ctx, `SELECT id, version FROM quarantine WHERE rec = $1 ORDER BY version DESC LIMIT $2`, []any{rec, n}, func(r *sql.Rows) error {
		var v FaultyVersion
		err := r.Scan(&v.Row, &v.Version)
		list = append(list, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("versions in quarantine: %w", err)
	}
	return list, nil
}

// RepairsSaid gives what repairs have said a field of a version holds, in force or
// not.
func (db *DB) RepairsSaid(ctx context.Context, rec int64, version int, field string) (list []json.RawMessage, err error) {
	err = db.view(ctx, `SELECT p.sealed, s.salt FROM repair p JOIN source_record s ON s.rec = p.rec WHERE p.rec = $1 AND p.version = $2 AND p.field = $3`,
		[]any{rec, version, field}, func(r *sql.Rows) error {
			var salt, sealed []byte
			if err := r.Scan(&sealed, &salt); err != nil {
				return err
			}
			text, _, err := db.openRepair(salt, sealed)
			list = append(list, text.Now)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("repairs: %w", err)
	}
	return list, nil
}

// SettleRepairs makes waiting repairs repairs of the versions found for them, and
// has their records derived again; one with a problem stays, and says so. The
// same twice counts once. It gives how many took effect. A look that found all is
// given with the last of them; otherwise it is zero.
func (db *DB) SettleRepairs(ctx context.Context, list []SettledRepair, look RepairsLook) (n int, err error) {
	err = db.Decide(ctx, func(tx *DecideTx) error {
		byDecision := map[string][]Repair{}
		var recs []Repair
		for _, s := range list {
			if s.Problem != "" {
				if _, err := tx.exec(ctx, `UPDATE repair_pending SET problem = $1 WHERE decision = $2 AND n = $3`, s.Problem, s.Decision, s.N); err != nil {
					return err
				}
				continue
			}
			gone, err := tx.exec(ctx, `DELETE FROM repair_pending WHERE decision = $1 AND n = $2`, s.Decision, s.N)
			if err != nil {
				return err
			}
			if gone > 0 { // else somebody else has settled it meanwhile
				r := Repair{Rec: s.Rec, Version: s.At, Field: s.Field, Remedy: s.Remedy, Was: s.Was, Now: s.Now}
				byDecision[s.Decision], recs = append(byDecision[s.Decision], r), append(recs, r)
			}
		}
		for _, id := range sortedKeys(byDecision) {
			if err := tx.insertRepairs(ctx, id, byDecision[id]); err != nil {
				return err
			}
		}
		n = len(recs)
		if err := tx.deriveRecs(ctx, recsRepaired(recs)); err != nil || look.upTo == 0 {
			return err
		}
		// Unless an import has begun it anew meanwhile.
		_, err := tx.exec(ctx, `UPDATE setting SET value = $1 WHERE name = $2 AND value = $3`, strconv.FormatInt(look.upTo, 10), repairsChecked, look.from)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("settle pending repairs: %w", err)
	}
	return n, nil
}
