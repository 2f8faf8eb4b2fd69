package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/record"
)

// LookTx reads for a look-up, everything as it stood at one moment.
type LookTx struct {
	*Tx
	mark          int64 // of the features in memory, from before it began
	fact, feature int64 // the store's counters as it sees them; 0: not read
}

// Snapshot runs fn in a transaction that writes nothing and sees one state of
// the store, whatever is committed meanwhile. It waits for no writer.
func (db *DB) Snapshot(ctx context.Context, fn func(*LookTx) error) error {
	var opts *sql.TxOptions
	if db.d.name == "postgres" { // SQLite reads one state by itself
		opts = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	mark := db.kept.mark()
	stx, err := db.read.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &LookTx{Tx: &Tx{db: db, tx: stx, now: formatTime(db.env.Clock.Now())}, mark: mark}
	if err = tx.byKeys(ctx); err == nil {
		err = fn(tx)
	}
	return errors.Join(err, ignoreDone(stx.Rollback()))
}

// Posted is one of the keys of a question with the records that share it, by the
// rule of Publish: sorted, each once. Long: the coarse list is past the limit,
// and Recs are those of the fine one; Spilled: that is too, and there are none.
type Posted struct {
	Key           Key
	Recs          []int64
	Long, Spilled bool
}

// Postings reads the lists of one record's keys, one entry for each key.
func (tx *LookTx) Postings(ctx context.Context, keys []Key, limit int) ([]Posted, error) {
	out, err := byRule(ctx, postings{tx.db.d, tx.query}, keys, limit, nil)
	if err != nil {
		return nil, fmt.Errorf("read postings: %w", err)
	}
	return out, nil
}

// Near is a record that may be the one asked for, and where it belongs.
type Near struct {
	Rec, Golden int64 // Golden is a founder; 0: it is not resolved yet
	Ref         record.Ref
	Live        bool
	Features    []byte
}

// Near loads records by their landing numbers, in that order, without their
// references and where they belong. Records of which nothing is in force are left
// out. What is in memory and was in force already when the transaction began is
// not read.
func (tx *LookTx) Near(ctx context.Context, recs []int64) (list []Near, err error) {
	found, missing := tx.db.kept.get(recs, tx.feature, tx.fact)
	read := make([]Feature, 0, len(missing))
	scan := func(r *sql.Rows) error {
		var f Feature
		err := r.Scan(&f.Rec, &f.Seq, &f.Live, &f.Features)
		read = append(read, f)
		return err
	}
	switch {
	case len(missing) == 0:
	case tx.db.d.name == "postgres":
		// LATERAL and LIMIT leave the planner no other way than the keys, also before
		// it has statistics.
		err = tx.query(ctx, `SELECT k.rec, f.seq, f.live, f.features FROM unnest($1::bigint[]) AS k(rec)
			CROSS JOIN LATERAL (SELECT f.seq, f.live, f.features FROM feature f WHERE f.rec = k.rec AND f.version > 0 LIMIT 1) AS f`, []any{missing}, scan)
	default:
		err = tx.among(ctx, `SELECT f.rec, f.seq, f.live, f.features FROM feature f WHERE f.version > 0 AND f.rec `, missing, scan)
	}
	if err != nil {
		return nil, fmt.Errorf("load features: %w", err)
	}
	tx.db.kept.put(tx.mark, read)
	list = make([]Near, 0, len(recs))
	for _, f := range append(found, read...) {
		list = append(list, Near{Rec: f.Rec, Live: f.Live, Features: f.Features})
	}
	slices.SortFunc(list, func(a, b Near) int { return cmp.Compare(a.Rec, b.Rec) })
	return list, nil
}

// Founders gives the golden records, by founder, that records belong to. One that
// is not resolved yet is absent.
func (tx *LookTx) Founders(ctx context.Context, recs []int64) (map[int64]int64, error) {
	founders := make(map[int64]int64, len(recs))
	err := tx.among(ctx, `SELECT rec, golden FROM crosswalk WHERE rec `, recs, func(r *sql.Rows) error {
		var rec, golden int64
		err := r.Scan(&rec, &golden)
		founders[rec] = golden
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("crosswalk: %w", err)
	}
	return founders, nil
}

// among runs a query that ends in "column ", for a list of values in one
// statement, however many they are.
func (tx *LookTx) among(ctx context.Context, q string, values []int64, scan rowScan) error {
	if len(values) == 0 {
		return nil
	}
	if tx.db.d.name == "postgres" {
		return tx.query(ctx, q+`= ANY($1::bigint[])`, []any{values}, scan)
	}
	list, err := json.Marshal(values)
	if err != nil {
		return err
	}
	return tx.query(ctx, q+`IN (SELECT value FROM json_each($1))`, []any{string(list)}, scan)
}

// Goldens loads golden records by their founders, without their provenance.
func (tx *LookTx) Goldens(ctx context.Context, founders []int64) (map[int64]Golden, error) {
	out := make(map[int64]Golden, len(founders))
	err := tx.among(ctx, `SELECT founder, id, entity, fields, members, live FROM golden WHERE founder `, founders, func(r *sql.Rows) error {
		var g Golden
		var fields string
		err := r.Scan(&g.Founder, &g.ID, &g.Entity, &fields, &g.Members, &g.Live)
		g.Fields = []byte(fields)
		out[g.Founder] = g
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("golden records: %w", err)
	}
	return out, nil
}

// Members loads the source records of golden records, at most most of each, by
// founder and landing number. Sizes are those of Goldens.
func (tx *LookTx) Members(ctx context.Context, goldens map[int64]Golden, most int) (list []Near, err error) {
	scan := func(r *sql.Rows) error {
		var n Near
		err := r.Scan(&n.Rec, &n.Golden, &n.Ref.Source, &n.Ref.Entity, &n.Ref.ID, &n.Live, &n.Features)
		list = append(list, n)
		return err
	}
	if len(goldens) == 0 {
		return nil, nil
	}
	if tx.db.d.name == "postgres" {
		// As in Near. The sum keeps the planner from walking all records in their
		// order until enough are found.
		err = tx.query(ctx, `SELECT m.rec, k.golden, s.source, s.entity, s.external_id, f.live, f.features FROM unnest($1::bigint[]) AS k(golden)
			CROSS JOIN LATERAL (SELECT c.rec FROM crosswalk c WHERE c.golden = k.golden ORDER BY c.rec + 0 LIMIT $2) AS m
			CROSS JOIN LATERAL (SELECT f.live, f.features FROM feature f WHERE f.rec = m.rec AND f.version > 0 LIMIT 1) AS f
			CROSS JOIN LATERAL (SELECT s.source, s.entity, s.external_id FROM source_record s WHERE s.rec = m.rec LIMIT 1) AS s`,
			[]any{sortedKeys(goldens), most}, scan)
	} else {
		err = tx.membersSmallFirst(ctx, goldens, most, scan)
	}
	if err != nil {
		return nil, fmt.Errorf("members: %w", err)
	}
	slices.SortFunc(list, func(a, b Near) int { return cmp.Or(cmp.Compare(a.Golden, b.Golden), cmp.Compare(a.Rec, b.Rec)) })
	return list, nil
}

// membersSmallFirst reads the members of those that have few in one statement,
// and the beginning of each large one in its own.
func (tx *LookTx) membersSmallFirst(ctx context.Context, goldens map[int64]Golden, most int, scan rowScan) error {
	var small, large []int64
	for _, f := range sortedKeys(goldens) {
		if goldens[f].Members <= most {
			small = append(small, f)
		} else {
			large = append(large, f)
		}
	}
	const q = `SELECT f.rec, c.golden, s.source, s.entity, s.external_id, f.live, f.features
		FROM crosswalk c JOIN feature f ON f.rec = c.rec JOIN source_record s ON s.rec = c.rec WHERE f.version > 0 AND c.golden `
	err := tx.among(ctx, q, small, scan)
	for _, f := range large {
		if err == nil {
			err = tx.query(ctx, q+`= $1 ORDER BY c.rec LIMIT $2`, []any{f, most}, scan)
		}
	}
	return err
}

// Waiting loads the references and authored values of source records.
func (tx *LookTx) Waiting(ctx context.Context, recs []int64) (map[int64]Member, error) {
	out := make(map[int64]Member, len(recs))
	err := tx.among(ctx, `SELECT s.rec, s.source, s.entity, s.external_id, f.authored FROM source_record s JOIN feature f ON f.rec = s.rec WHERE s.rec `, recs, func(r *sql.Rows) error {
		var m Member
		var authored string
		err := r.Scan(&m.Rec, &m.Ref.Source, &m.Ref.Entity, &m.Ref.ID, &authored)
		m.Authored = []byte(authored)
		out[m.Rec] = m
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("source records: %w", err)
	}
	return out, nil
}

// FoundersOf gives the founders of the golden records that ids stand for now; an
// id that is not known is left out.
func (db *DB) FoundersOf(ctx context.Context, ids []string) (map[string]int64, error) {
	out := make(map[string]int64, len(ids))
	err := viewIn(ctx, db, `SELECT s.anchor, c.golden FROM source_record s JOIN crosswalk c ON c.rec = s.rec WHERE s.anchor IN $LIST`, ids, func(r *sql.Rows) error {
		var id string
		var founder int64
		err := r.Scan(&id, &founder)
		out[id] = founder
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("golden records: %w", err)
	}
	return out, nil
}

// LoadGoldens loads golden records by their founders, without their provenance.
func (db *DB) LoadGoldens(ctx context.Context, founders []int64) (out map[int64]Golden, err error) {
	err = db.Snapshot(ctx, func(tx *LookTx) error {
		out, err = tx.Goldens(ctx, founders)
		return err
	})
	return out, err
}

// Standing is what a look-up has to know of an entity type beside its records.
type Standing struct {
	Shared *Shared
	// Publishing says that the posting lists are being made anew, and that not
	// everybody is on them.
	Publishing bool
}

// Standing reads it; the list of shared values is the one handed in where it is
// still the same.
func (tx *LookTx) Standing(ctx context.Context, entity string, have *Shared) (s Standing, err error) {
	stamp := ""
	err = tx.query(ctx, `SELECT name, value, 0 FROM setting WHERE name IN ($1, $2) UNION ALL SELECT name, '', value FROM counter WHERE name IN ('fact', 'feature')`, []any{sharedMark(entity), bulkMark(entity)}, func(r *sql.Rows) error {
		var name, value string
		var n int64
		err := r.Scan(&name, &value, &n)
		switch name {
		case bulkMark(entity):
			s.Publishing = value != ""
		case sharedMark(entity):
			stamp = value
		case "fact":
			tx.fact = n
		default:
			tx.feature = n
		}
		return err
	})
	if err != nil {
		return s, fmt.Errorf("shared values of %s: %w", entity, err)
	}
	if tx.collecting { // which list it is is not known
		return s, nil
	}
	s.Shared, err = sharedAt(ctx, stamp, have, entity, tx.query)
	return s, err
}
