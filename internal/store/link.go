package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"touchstone/internal/record"
)

// LinkTx is the one transaction in which matches, crosswalk, golden records,
// outbox rows and audit entries change together: nothing is pushed that was
// not saved.
type LinkTx struct {
	*Tx
	Now time.Time
	// Untouched says that nothing was ever resolved, published or planned of the
	// records: what is looked up of them is known to be nothing.
	Untouched bool

	ruled *bool
}

// Link runs fn in the linking transaction.
func (db *DB) Link(ctx context.Context, fn func(*LinkTx) error) error {
	now := db.env.Clock.Now()
	err := db.inTxAt(ctx, now, func(tx *Tx) error {
		if err := tx.byKeys(ctx); err != nil {
			return err
		}
		return fn(&LinkTx{Tx: tx, Now: now})
	})
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	return nil
}

// LockFacts takes the landing lock now, before anything is read that a claim or
// a landing could change.
func (tx *LinkTx) LockFacts(ctx context.Context) error { return tx.lockFacts(ctx) }

// Member is one source record of a component.
type Member struct {
	Rec      int64
	Comp     int64 // 0: not linked yet
	Golden   int64 // 0: in no golden record yet
	Ref      record.Ref
	Anchor   string
	Version  int // in force
	Seq      int64
	Live     bool
	Authored []byte
	Features []byte
}

// Edge is a stored match.
type Edge struct {
	A, B    int64
	Weight  int32
	Pattern uint64
	Model   string
}

// Ruling is a person's decision, or the fact that we created an object.
type Ruling struct {
	ID, Kind     string // must | cannot | unsure | pin
	A, B         int64
	Field, Value string
	Who, Why, At string
	Decision     string // it belongs to; "" for none
	AVersion     int    // the versions seen when it was decided
	BVersion     int
	Stale        bool // an identifying field has changed since
}

// Seqs gives the derivation stamps of records, to see whether one has moved on
// since it was scanned. A record without features is absent.
func (tx *LinkTx) Seqs(ctx context.Context, recs []int64) (map[int64]int64, error) {
	seqs := make(map[int64]int64, len(recs))
	if len(recs) > few { // fewer are asked with other questions
		var counter int64
		if _, err := tx.one(ctx, featureCounter, nil, &counter); err != nil {
			return nil, err
		}
		recs = tx.db.kept.seqs(recs, counter, seqs)
	}
	err := eachIn(ctx, tx.Tx, `SELECT rec, seq FROM feature WHERE version > 0 AND rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec, seq int64
		err := r.Scan(&rec, &seq)
		seqs[rec] = seq
		return err
	})
	return seqs, err
}

// Closure gives the records of all components that the given records belong
// to or are tied to by a ruling in force, and locks those components in the
// order of their ids.
func (tx *LinkTx) Closure(ctx context.Context, recs []int64) ([]int64, error) {
	seen := map[int64]bool{}
	wave := slices.Clone(recs)
	var all []int64
	whole := map[int64]bool{} // records whose component has been found
	for len(wave) > 0 {
		var fresh []int64
		for _, r := range wave {
			if !seen[r] {
				seen[r] = true
				fresh = append(fresh, r)
			}
		}
		slices.Sort(fresh)
		all = append(all, fresh...)
		wave = nil
		grow := func(r *sql.Rows) error {
			var rec int64
			err := r.Scan(&rec)
			if !seen[rec] {
				wave = append(wave, rec)
			}
			return err
		}
		found := func(r *sql.Rows) error {
			var rec int64
			err := r.Scan(&rec)
			if whole[rec] = true; !seen[rec] {
				wave = append(wave, rec)
			}
			return err
		}
		ruled, err := tx.AnyRuling(ctx)
		if err != nil {
			return nil, err
		}
		q := tx.db.d.inComponents(`SELECT comp FROM crosswalk WHERE rec IN $LIST`)
		if lock := tx.db.d.lock; lock != "" {
			q += ` ORDER BY comp, rec` + lock
		}
		if !tx.Untouched {
			apart := slices.DeleteFunc(slices.Clone(fresh), func(rec int64) bool { return whole[rec] })
			if err := eachIn(ctx, tx.Tx, q, apart, found); err != nil {
				return nil, fmt.Errorf("components: %w", err)
			}
		}
		if !ruled {
			continue
		}
		for _, q := range []string{
			`SELECT b FROM ruling WHERE kind = 'must' AND withdrawn = '' AND a IN $LIST`,
			`SELECT a FROM ruling WHERE kind = 'must' AND withdrawn = '' AND b IN $LIST`,
		} {
			if err := eachIn(ctx, tx.Tx, q, fresh, grow); err != nil {
				return nil, fmt.Errorf("rulings: %w", err)
			}
		}
	}
	slices.Sort(all)
	return all, nil
}

// AnyRuling says whether there is a ruling at all: most stores have none.
func (tx *LinkTx) AnyRuling(ctx context.Context) (bool, error) {
	if tx.ruled == nil {
		var one int
		found, err := tx.one(ctx, `SELECT 1 FROM ruling LIMIT 1`, nil, &one)
		if err != nil {
			return false, fmt.Errorf("rulings: %w", err)
		}
		if tx.collecting {
			return false, nil
		}
		tx.ruled = &found
	}
	return *tx.ruled, nil
}

// Members loads records that have features, lowest landing number first.
func (tx *LinkTx) Members(ctx context.Context, recs []int64) ([]Member, error) {
	var list []Member
	err := eachIn(ctx, tx.Tx, `SELECT f.rec, COALESCE(c.comp, 0), COALESCE(c.golden, 0), s.source, s.entity, s.external_id, s.anchor,
			f.version, f.seq, f.live, f.authored, f.features
		FROM feature f JOIN source_record s ON s.rec = f.rec LEFT JOIN crosswalk c ON c.rec = f.rec
		WHERE f.version > 0 AND f.rec IN $LIST`, recs, func(r *sql.Rows) error {
		var m Member
		err := r.Scan(&m.Rec, &m.Comp, &m.Golden, &m.Ref.Source, &m.Ref.Entity, &m.Ref.ID, &m.Anchor, &m.Version, &m.Seq, &m.Live, &m.Authored, &m.Features)
		list = append(list, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("members: %w", err)
	}
	slices.SortFunc(list, func(a, b Member) int { return int(a.Rec - b.Rec) })
	return list, nil
}

// ReplaceMatches drops every match of the records, all of one entity type, and
// writes the new ones.
func (tx *LinkTx) ReplaceMatches(ctx context.Context, entity string, recs []int64, edges []Edge) error {
	if !tx.Untouched {
		if err := execIn(ctx, tx.Tx, `DELETE FROM match WHERE a IN $LIST OR b IN $LIST`, recs); err != nil {
			return fmt.Errorf("drop matches: %w", err)
		}
	}
	rows := make([][]any, len(edges))
	for i, e := range edges {
		rows[i] = []any{e.A, e.B, e.Weight, int64(e.Pattern), e.Model, entity}
	}
	if err := tx.insert(ctx, `INSERT INTO match (a, b, weight, pattern, model, entity)`, "", rows); err != nil {
		return fmt.Errorf("matches: %w", err)
	}
	return nil
}

// Matches loads the stored matches from the records, as their smaller end.
func (tx *LinkTx) Matches(ctx context.Context, recs []int64) ([]Edge, error) {
	var list []Edge
	err := eachIn(ctx, tx.Tx, `SELECT a, b, weight FROM match WHERE a IN $LIST`, recs, func(r *sql.Rows) error {
		var e Edge
		err := r.Scan(&e.A, &e.B, &e.Weight)
		list = append(list, e)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("matches: %w", err)
	}
	return list, nil
}

// Rulings loads the rulings in force that begin at the records.
func (tx *LinkTx) Rulings(ctx context.Context, recs []int64) ([]Ruling, error) {
	var list []Ruling
	if ruled, err := tx.AnyRuling(ctx); err != nil || !ruled {
		return nil, err
	}
	err := eachIn(ctx, tx.Tx, `SELECT r.id, r.kind, r.a, r.b, r.field, r.value, r.who, r.why, r.at, r.decision, r.sealed, s.salt FROM ruling r
		JOIN source_record s ON s.rec = r.a WHERE r.withdrawn = '' AND r.a IN $LIST`, recs, func(r *sql.Rows) error {
		var x Ruling
		var sealed, salt []byte
		if err := r.Scan(&x.ID, &x.Kind, &x.A, &x.B, &x.Field, &x.Value, &x.Who, &x.Why, &x.At, &x.Decision, &sealed, &salt); err != nil {
			return err
		}
		if len(sealed) > 0 {
			value, erased, err := tx.db.openPin(salt, sealed)
			if err != nil || erased { // an erased pin says nothing any more
				return err
			}
			x.Value = value
		}
		list = append(list, x)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("rulings: %w", err)
	}
	slices.SortFunc(list, func(a, b Ruling) int {
		if a.At != b.At {
			if a.At < b.At {
				return -1
			}
			return 1
		}
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list, nil
}

// Placed says where a record stands after clustering, and in which golden
// record it stood before (0: in none).
type Placed struct{ Rec, Comp, Golden, Was int64 }

// Place writes crosswalk rows; only those that changed should be given.
func (tx *LinkTx) Place(ctx context.Context, placed []Placed) error {
	rows := make([][]any, len(placed))
	var moved [][]any
	for i, p := range placed {
		rows[i] = []any{p.Rec, p.Comp, p.Golden}
		if p.Golden != p.Was {
			moved = append(moved, []any{p.Rec, tx.now, p.Golden})
		}
	}
	if err := tx.keepCrosswalk(ctx, moved); err != nil {
		return err
	}
	err := tx.insert(ctx, `INSERT INTO crosswalk (rec, comp, golden)`,
		`ON CONFLICT (rec) DO UPDATE SET comp = excluded.comp, golden = excluded.golden`, rows)
	if err != nil {
		return fmt.Errorf("crosswalk: %w", err)
	}
	return nil
}

// ReplaceBridges drops the bridges among the records, all of one entity type, and
// writes the new ones.
func (tx *LinkTx) ReplaceBridges(ctx context.Context, entity string, recs []int64, bridges []Edge) error {
	if !tx.Untouched {
		if err := execIn(ctx, tx.Tx, `DELETE FROM bridge WHERE a IN $LIST OR b IN $LIST`, recs); err != nil {
			return fmt.Errorf("drop bridges: %w", err)
		}
	}
	rows := make([][]any, len(bridges))
	for i, e := range bridges {
		rows[i] = []any{e.A, e.B, e.Weight, entity}
	}
	if err := tx.insert(ctx, `INSERT INTO bridge (a, b, weight, entity)`, "", rows); err != nil {
		return fmt.Errorf("bridges: %w", err)
	}
	return nil
}

// Done takes records off the backlog, unless they have been put there again
// since Publish read the stamps. What was derived of a record of which
// nothing is in force any more goes with it. Ahead is read with that (see Ahead).
func (tx *LinkTx) Done(ctx context.Context, seqs map[int64]int64, ahead ...func(context.Context) error) error {
	if err := tx.lockFacts(ctx); err != nil {
		return err
	}
	bySeq := map[int64][]int64{} // a page's records were put there with one stamp
	for _, rec := range sortedKeys(seqs) {
		bySeq[seqs[rec]] = append(bySeq[seqs[rec]], rec)
	}
	for _, seq := range sortedKeys(bySeq) { // the sums: PostgreSQL would go by stage or stamp, through all that ever waited
		if err := execIn(ctx, tx.Tx, `DELETE FROM backlog WHERE stage + 0 = 2 AND seq + 0 <= $X1 AND rec IN $LIST`, bySeq[seq], seq); err != nil {
			return fmt.Errorf("backlog: %w", err)
		}
	}
	if len(ahead) > 0 {
		void := func(ctx context.Context) error { return tx.dropVoid(ctx, sortedKeys(seqs)) }
		if err := tx.Ahead(ctx, append(ahead, void)...); err != nil {
			return err
		}
	}
	if err := tx.dropVoid(ctx, sortedKeys(seqs)); err != nil {
		return fmt.Errorf("records of which nothing is in force: %w", err)
	}
	return nil
}

// dropVoid removes what was derived of records of which nothing is in force and
// that no longer wait: their component has been linked without them.
func (tx *LinkTx) dropVoid(ctx context.Context, recs []int64) error {
	var void []int64
	err := eachIn(ctx, tx.Tx, `SELECT rec FROM feature WHERE version = 0 AND rec IN $LIST AND NOT EXISTS (SELECT 1 FROM backlog t WHERE t.rec = feature.rec)`, recs,
		func(r *sql.Rows) error {
			var rec int64
			err := r.Scan(&rec)
			void = append(void, rec)
			return err
		})
	if err != nil || len(void) == 0 {
		return err
	}
	stored, err := tx.GoldenRows(ctx, void)
	if err != nil {
		return err
	}
	var gone []Golden
	for _, founder := range sortedKeys(stored) {
		gone = append(gone, stored[founder])
	}
	if err := tx.dropGolden(ctx, gone, "golden.gone"); err != nil {
		return err
	}
	if err := tx.changesFeatures(ctx, void); err != nil {
		return err
	}
	left := make([][]any, len(void))
	for i, rec := range void {
		left[i] = []any{rec, tx.now, 0}
	}
	if err := tx.keepCrosswalk(ctx, left); err != nil {
		return err
	}
	for _, q := range []string{
		`DELETE FROM match WHERE a IN $LIST OR b IN $LIST`,
		`DELETE FROM bridge WHERE a IN $LIST OR b IN $LIST`,
		`DELETE FROM queue WHERE x IN $LIST OR y IN $LIST`,
		`DELETE FROM crosswalk WHERE rec IN $LIST`, `DELETE FROM feature WHERE rec IN $LIST`,
	} {
		if err := execIn(ctx, tx.Tx, q, void); err != nil {
			return err
		}
	}
	return nil
}
