package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// Repaired is the kind of a decision that mends fields of quarantined versions.
const Repaired = "repair"

// Repair is what a person says a field of one version of a source record holds,
// instead of what the mapping makes of it.
type Repair struct {
	Rec     int64
	Version int
	Field   string          // of ours
	Remedy  string          // by which it was made
	Was     json.RawMessage // what the mapping gave; nil for nothing
	Now     json.RawMessage // nil: the field is left out
}

// repairText is what is sealed of a repair.
type repairText struct {
	Was json.RawMessage `json:"was,omitempty"`
	Now json.RawMessage `json:"now,omitempty"`
}

// openRepair opens what a repair says; of an erased record nothing is left.
func (db *DB) openRepair(salt, sealed []byte) (text repairText, erased bool, err error) {
	err = (&Tx{db: db}).openJSON(salt, sealed, &text)
	if errors.Is(err, seal.ErrErased) {
		return repairText{}, true, nil
	}
	return text, false, err
}

// AddRepairs adds repairs to a decision of this kind that is in force: a bulk one
// is made part by part, and one undo takes all of it back.
func (tx *DecideTx) AddRepairs(ctx context.Context, decision string, list []Repair) error {
	d, err := tx.Decision(ctx, decision)
	switch {
	case err != nil:
		return err
	case d.Kind != Repaired || d.Withdrawn != "":
		return refused("decision %s is no repair in force: nothing can be added to it", decision)
	}
	if err := tx.insertRepairs(ctx, decision, list); err != nil {
		return err
	}
	return tx.deriveRecs(ctx, recsRepaired(list))
}

func recsRepaired(list []Repair) []int64 {
	set := make(map[int64]bool, len(list))
	for _, r := range list {
		set[r.Rec] = true
	}
	return sortedKeys(set)
}

func (tx *Tx) insertRepairs(ctx context.Context, decision string, list []Repair) error {
	salts := make(map[int64][]byte, len(list))
	err := eachIn(ctx, tx, `SELECT rec, salt FROM source_record WHERE rec IN $LIST`, recsRepaired(list), func(r *sql.Rows) error {
		var rec int64
		var salt []byte
		err := r.Scan(&rec, &salt)
		salts[rec] = salt
		return err
	})
	if err != nil {
		return fmt.Errorf("repairs: %w", err)
	}
	rows := make([][]any, len(list))
	for i, r := range list {
		text, err := json.Marshal(repairText{r.Was, r.Now})
		if err != nil {
			return fmt.Errorf("repair of record %d: %w", r.Rec, err)
		}
		sealed, err := tx.db.vault.Seal(salts[r.Rec], fmt.Sprint("repair", decision, ".", r.Rec, ".", r.Version, ".", r.Field), text)
		if err != nil {
			return fmt.Errorf("seal repair of record %d: %w", r.Rec, err)
		}
		rows[i] = []any{r.Rec, r.Version, r.Field, decision, r.Remedy, sealed}
	}
	if err := tx.insert(ctx, `INSERT INTO repair (rec, version, field, decision, remedy, sealed)`, `ON CONFLICT (rec, version, field, decision) DO NOTHING`, rows); err != nil {
		return fmt.Errorf("repairs: %w", err)
	}
	return nil
}

// deriveRecs lets records be derived again.
func (tx *Tx) deriveRecs(ctx context.Context, recs []int64) error {
	if len(recs) == 0 {
		return nil
	}
	seq, err := tx.nextSeq(ctx, 1)
	if err != nil {
		return err
	}
	err = execIn(ctx, tx, `INSERT INTO backlog (rec, stage, entity, seq) SELECT s.rec, 1, s.entity, CAST($X1 AS BIGINT) FROM source_record s WHERE s.rec IN $LIST
		ON CONFLICT (rec) DO UPDATE SET stage = 1, seq = excluded.seq`, recs, seq)
	if err != nil {
		return fmt.Errorf("backlog: %w", err)
	}
	return nil
}

// repairTurned lets the records of a decision's repairs be derived again: it came
// into force or went out of it. Of other decisions there are none.
func (tx *Tx) repairTurned(ctx context.Context, decision string) error {
	recs, err := repairedBy(ctx, decision, tx.query)
	if err != nil {
		return err
	}
	return tx.deriveRecs(ctx, recs)
}

// RepairedBy gives the records that a decision repairs, by landing number.
func (db *DB) RepairedBy(ctx context.Context, decision string) ([]int64, error) {
	return repairedBy(ctx, decision, db.view)
}

func repairedBy(ctx context.Context, decision string, read ask) (recs []int64, err error) {
	err = read(ctx, `SELECT DISTINCT rec FROM repair WHERE decision = $1 ORDER BY rec`, []any{decision}, func(r *sql.Rows) error {
		var rec int64
		err := r.Scan(&rec)
		recs = append(recs, rec)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("repairs of decision %s: %w", decision, err)
	}
	return recs, nil
}

// loadRepairs puts the repairs in force to the versions they are of.
func (tx *Tx) loadRepairs(ctx context.Context, recs []int64, byRec map[int64]*History) error {
	repairs, err := tx.db.repairsOn(ctx, recs, tx.query)
	for rec, versions := range repairs {
		h := byRec[rec]
		for i := range h.Versions {
			h.Versions[i].Repairs = versions[h.Versions[i].N]
		}
	}
	return err
}

// ShownRepair is a repair in force, for people.
type ShownRepair struct {
	Repair
	Ref      record.Ref // Source is the uid
	Place    string
	Decision string
	Seq      int64 // of the decision
	Who, Why string
	At       string
	// Overtaken says that the source has sent another version since: the repair
	// counts no more.
	Overtaken bool
	Erased    bool
}

// RepairFilter chooses repairs in force.
type RepairFilter struct {
	Source    string // uid; "" for all
	Overtaken bool   // only those
	After     RepairMark
	Limit     int
	Within    Within
}

// RepairMark is where a list of repairs goes on.
type RepairMark struct {
	Rec     int64
	Version int
	Field   string
}

// Repairs lists the repairs in force in the order of the records.
func (db *DB) Repairs(ctx context.Context, f RepairFilter) (list []ShownRepair, err error) {
	where := ""
	if f.Overtaken {
		where = ` AND s.version <> p.version`
	}
	where += behind(f.Within.record("s"))
	var recs []int64
	few := false
	if f.Within.Reach != nil {
		if recs, few, err = f.Within.few(ctx, db); err != nil {
			return nil, fmt.Errorf("list repairs: %w", err)
		}
	}
	q := `SELECT p.rec, p.version, p.field, p.remedy, p.sealed, s.salt, s.source, s.entity, s.external_id, v.place,
			d.id, d.seq, d.who, d.why, d.at, CASE WHEN s.version <> p.version THEN 1 ELSE 0 END
		FROM repair p JOIN decision d ON d.id = p.decision JOIN source_record s ON s.rec = p.rec
		JOIN source_version v ON v.rec = p.rec AND v.version = p.version
		WHERE d.withdrawn = '' AND ($1 = '' OR s.source = $1)
			AND (p.rec, p.version, p.field) > (CAST($2 AS BIGINT), CAST($3 AS BIGINT), $4)` + where + `
			AND NOT EXISTS (SELECT 1 FROM repair x JOIN decision y ON y.id = x.decision
				WHERE x.rec = p.rec AND x.version = p.version AND x.field = p.field AND y.withdrawn = '' AND y.seq > d.seq)`
	order := ` ORDER BY p.rec, p.version, p.field LIMIT $5`
	args := []any{f.Source, f.After.Rec, f.After.Version, f.After.Field, max(f.Limit, 1)}
	scan := func(r *sql.Rows) error {
		var x ShownRepair
		var sealed, salt []byte
		err := r.Scan(&x.Rec, &x.Version, &x.Field, &x.Remedy, &sealed, &salt, &x.Ref.Source, &x.Ref.Entity, &x.Ref.ID, &x.Place,
			&x.Decision, &x.Seq, &x.Who, &x.Why, &x.At, &x.Overtaken)
		if err != nil {
			return err
		}
		text, erased, err := db.openRepair(salt, sealed)
		if err != nil {
			return fmt.Errorf("repair of record %d: %w", x.Rec, err)
		}
		x.Was, x.Now, x.Erased = text.Was, text.Now, erased
		list = append(list, x)
		return nil
	}
	if few {
		// They are sorted: of a long list each part is behind the one before.
		err = viewIn(ctx, db, inTail(q)+` AND p.rec IN $LIST`+inTail(order), recs, scan, args...)
	} else {
		err = db.view(ctx, q+order, args, scan)
	}
	if err != nil {
		return nil, fmt.Errorf("list repairs: %w", err)
	}
	return list[:min(len(list), max(f.Limit, 1))], nil
}

// RepairCounts counts the repairs in force, and those that a later version of the
// source has overtaken.
func (db *DB) RepairCounts(ctx context.Context) (inForce, overtaken int, err error) {
	err = db.view(ctx, `SELECT count(*), COALESCE(sum(CASE WHEN s.version <> p.version THEN 1 ELSE 0 END), 0)
		FROM repair p JOIN decision d ON d.id = p.decision JOIN source_record s ON s.rec = p.rec WHERE d.withdrawn = ''`, nil,
		func(r *sql.Rows) error { return r.Scan(&inForce, &overtaken) })
	if err != nil {
		return 0, 0, fmt.Errorf("count repairs: %w", err)
	}
	return inForce, overtaken, nil
}

// RepairsOn gives the repairs in force of records: record → version → field →
// what it holds; nil for a field that is left out.
func (db *DB) RepairsOn(ctx context.Context, recs []int64) (map[int64]map[int]map[string]json.RawMessage, error) {
	return db.repairsOn(ctx, recs, db.view)
}

// repairsOn is RepairsOn as read sees the store. Where two repairs speak of one
// field the later decision counts.
func (db *DB) repairsOn(ctx context.Context, recs []int64, read ask) (map[int64]map[int]map[string]json.RawMessage, error) {
	out := map[int64]map[int]map[string]json.RawMessage{}
	scan := func(r *sql.Rows) error {
		var rec int64
		var version int
		var field string
		var sealed, salt []byte
		if err := r.Scan(&rec, &version, &field, &sealed, &salt); err != nil {
			return err
		}
		var text repairText
		if err := (&Tx{db: db}).openJSON(salt, sealed, &text); err != nil {
			return fmt.Errorf("repair of record %d version %d: %w", rec, version, err)
		}
		if out[rec] == nil {
			out[rec] = map[int]map[string]json.RawMessage{}
		}
		if out[rec][version] == nil {
			out[rec][version] = map[string]json.RawMessage{}
		}
		out[rec][version][field] = text.Now
		return nil
	}
	err := inList(db.d, `SELECT p.rec, p.version, p.field, p.sealed, s.salt FROM repair p JOIN decision d ON d.id = p.decision JOIN source_record s ON s.rec = p.rec
		WHERE d.withdrawn = '' AND p.rec IN $LIST ORDER BY d.seq`, recs, nil, func(q string, args []any) error { return read(ctx, q, args, scan) })
	if err != nil {
		return nil, fmt.Errorf("repairs: %w", err)
	}
	return out, nil
}

// OfEntity gives those of the records that are of an entity type, by landing
// number.
func (db *DB) OfEntity(ctx context.Context, entity string, recs []int64) (own []int64, err error) {
	err = viewIn(ctx, db, `SELECT rec FROM source_record WHERE entity = $X1 AND rec IN $LIST ORDER BY rec`, recs, func(r *sql.Rows) error {
		var rec int64
		err := r.Scan(&rec)
		own = append(own, rec)
		return err
	}, entity)
	return own, err
}
