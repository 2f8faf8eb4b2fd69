package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"touchstone/internal/record"
)

// Golden is a golden record as it is stored. Fields and Provenance are
// canonical JSON; internal/golden knows their shape.
type Golden struct {
	Founder    int64
	ID         string
	Entity     string
	Fields     []byte
	Provenance []byte
	Members    int
	Live       int // members that give values
	Version    int
	ChangedAt  string
}

// GoldenRows loads the golden records with these founders.
func (tx *LinkTx) GoldenRows(ctx context.Context, founders []int64) (map[int64]Golden, error) {
	rows := make(map[int64]Golden, len(founders))
	if tx.Untouched {
		return rows, nil
	}
	err := eachIn(ctx, tx.Tx, goldenColumns+` FROM golden WHERE founder IN $LIST`, founders, func(r *sql.Rows) error {
		g, err := scanGolden(r)
		rows[g.Founder] = g
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("golden records: %w", err)
	}
	return rows, nil
}

const goldenColumns = `SELECT founder, id, entity, fields, provenance, members, live, version, changed_at`

func scanGolden(r *sql.Rows) (Golden, error) {
	var g Golden
	err := r.Scan(&g.Founder, &g.ID, &g.Entity, &g.Fields, &g.Provenance, &g.Members, &g.Live, &g.Version, &g.ChangedAt)
	return g, err
}

// GoldenChange is a golden record to write, with what stood there before.
type GoldenChange struct {
	Golden
	Refs   string // where each value came from, for the history
	Before []byte // hash of the earlier content; nil for a new one
	After  []byte
	Owner  string     // who looks after it, as its field owner says; "" for nobody
	Search SearchText // what it is found by
}

// SaveGolden writes golden records, what they are found by, their history and
// their audit entries.
func (tx *LinkTx) SaveGolden(ctx context.Context, changes []GoldenChange) error {
	var rows, versions [][]any
	var entries []auditEntry
	for _, c := range changes {
		c.Before, c.After = tx.keyed("golden", c.Before), tx.keyed("golden", c.After)
		rows = append(rows, []any{c.Founder, c.ID, c.Entity, string(c.Fields), string(c.Provenance), c.Members, c.Live, c.Version, tx.now, c.Owner})
		versions = append(versions, []any{c.Founder, c.Version, tx.now, c.After, c.Refs})
		entries = append(entries, auditEntry{"touchstone", "golden.save", c.ID, c.Before, c.After})
	}
	err := tx.insert(ctx, `INSERT INTO golden (founder, id, entity, fields, provenance, members, live, version, changed_at, owner)`,
		`ON CONFLICT (founder) DO UPDATE SET fields = excluded.fields, provenance = excluded.provenance, members = excluded.members,
		live = excluded.live, version = excluded.version, changed_at = excluded.changed_at, owner = excluded.owner`, rows)
	if err != nil {
		return fmt.Errorf("golden records: %w", err)
	}
	// A founder that left and came back starts no second history.
	err = tx.insert(ctx, `INSERT INTO golden_version (founder, version, at, hash, refs)`,
		`ON CONFLICT (founder, version) DO UPDATE SET at = excluded.at, hash = excluded.hash, refs = excluded.refs`, versions)
	if err != nil {
		return fmt.Errorf("golden history: %w", err)
	}
	if err := tx.SaveSearch(ctx, changes); err != nil {
		return err
	}
	list := make([]Golden, len(changes))
	for i, c := range changes {
		list[i] = c.Golden
	}
	err = tx.feed(ctx, list, func(g Golden) string {
		if g.Live == 0 {
			return FeedGone
		}
		return FeedSaved
	})
	if err != nil {
		return err
	}
	return tx.audit(ctx, entries)
}

// DropGolden removes golden records whose founder now belongs to another one.
func (tx *LinkTx) DropGolden(ctx context.Context, gone []Golden) error {
	return tx.dropGolden(ctx, gone, "golden.merged")
}

func (tx *LinkTx) dropGolden(ctx context.Context, gone []Golden, what string) error {
	founders := make([]int64, len(gone))
	entries := make([]auditEntry, len(gone))
	for i, g := range gone {
		founders[i] = g.Founder
		entries[i] = auditEntry{"touchstone", what, g.ID, nil, nil}
	}
	if err := execIn(ctx, tx.Tx, `DELETE FROM golden WHERE founder IN $LIST`, founders); err != nil {
		return fmt.Errorf("drop golden records: %w", err)
	}
	if err := tx.dropSearch(ctx, founders); err != nil {
		return err
	}
	if err := tx.feed(ctx, gone, func(Golden) string {
		if what == "golden.gone" {
			return FeedGone
		}
		return FeedMerged
	}); err != nil {
		return err
	}
	return tx.audit(ctx, entries)
}

// LastVersions gives the newest version number in the history of founders.
func (tx *LinkTx) LastVersions(ctx context.Context, founders []int64) (map[int64]int, error) {
	last := map[int64]int{}
	if tx.Untouched {
		return last, nil
	}
	err := eachIn(ctx, tx.Tx, `SELECT founder, max(version) FROM golden_version WHERE founder IN $LIST GROUP BY founder`, founders, func(r *sql.Rows) error {
		var f int64
		var n int
		err := r.Scan(&f, &n)
		last[f] = n
		return err
	})
	return last, err
}

// GoldenFilter chooses golden records for a list.
type GoldenFilter struct {
	Entity string
	Reach  Reach
	After  int64 // founder to start behind
	Limit  int
	Newest bool // newest change first instead of by founder, whatever is reached
	All    bool // also those whose members are all deleted
}

// GoldenList lists golden records, by founder or newest change first.
func (db *DB) GoldenList(ctx context.Context, f GoldenFilter) (list []Golden, err error) {
	if f.Reach != nil && !f.Newest {
		return db.goldenWithin(ctx, f)
	}
	where, args := []string{"founder > $1"}, []any{f.After}
	if f.Entity != "" {
		args = append(args, f.Entity)
		where = append(where, fmt.Sprintf("entity = $%d", len(args)))
	}
	if !f.All {
		where = append(where, "live > 0")
	}
	order := "founder"
	if f.Newest {
		order = "changed_at DESC, founder DESC"
	}
	args = append(args, max(f.Limit, 1))
	q := fmt.Sprintf(`%s FROM golden WHERE %s ORDER BY %s LIMIT $%d`, goldenColumns, strings.Join(where, " AND "), order, len(args))
	err = db.view(ctx, q, args, func(r *sql.Rows) error {
		g, err := scanGolden(r)
		list = append(list, g)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list golden records: %w", err)
	}
	return list, nil
}

// GoldenByID finds a golden record by its id. An id once shown stays an
// answer: when its founder lives in another golden record now, that one is
// given, with moved set.
func (db *DB) GoldenByID(ctx context.Context, id string) (g Golden, moved bool, err error) {
	found := false
	err = db.view(ctx, goldenColumns+` FROM golden WHERE founder =
		(SELECT c.golden FROM source_record s JOIN crosswalk c ON c.rec = s.rec WHERE s.anchor = $1)`, []any{id}, func(r *sql.Rows) error {
		found = true
		g, err = scanGolden(r)
		return err
	})
	if err != nil {
		return g, false, fmt.Errorf("golden record %s: %w", id, err)
	}
	if !found {
		return g, false, notFound("golden record", id)
	}
	return g, g.ID != id, nil
}

// GoldenOf finds the golden record of a source record.
func (db *DB) GoldenOf(ctx context.Context, ref record.Ref) (Golden, error) {
	var anchor string
	err := db.view(ctx, `SELECT anchor FROM source_record WHERE source = $1 AND entity = $2 AND external_id = $3`,
		[]any{ref.Source, ref.Entity, ref.ID}, func(r *sql.Rows) error { return r.Scan(&anchor) })
	if err != nil {
		return Golden{}, err
	}
	if anchor == "" {
		return Golden{}, notFound("source record", ref.String())
	}
	g, _, err := db.GoldenByID(ctx, anchor)
	return g, err
}

// MembersOf lists the source records of golden records, by founder and
// landing number.
func (db *DB) MembersOf(ctx context.Context, founders []int64) (map[int64][]Member, error) {
	out := map[int64][]Member{}
	err := viewIn(ctx, db, `SELECT c.golden, c.comp, f.rec, s.source, s.entity, s.external_id, s.anchor, f.version, f.live, f.authored, f.features
		FROM crosswalk c JOIN feature f ON f.rec = c.rec JOIN source_record s ON s.rec = c.rec
		WHERE f.version > 0 AND c.golden IN $LIST ORDER BY c.golden, c.rec`, founders, func(r *sql.Rows) error {
		var m Member
		var authored string
		err := r.Scan(&m.Golden, &m.Comp, &m.Rec, &m.Ref.Source, &m.Ref.Entity, &m.Ref.ID, &m.Anchor, &m.Version, &m.Live, &authored, &m.Features)
		m.Authored = []byte(authored)
		out[m.Golden] = append(out[m.Golden], m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("members: %w", err)
	}
	return out, nil
}

// Refs gives the references of records.
func (db *DB) Refs(ctx context.Context, recs []int64) (map[int64]record.Ref, error) {
	out := make(map[int64]record.Ref, len(recs))
	err := viewIn(ctx, db, `SELECT rec, source, entity, external_id FROM source_record WHERE rec IN $LIST`, recs, func(r *sql.Rows) error {
		var rec int64
		var ref record.Ref
		err := r.Scan(&rec, &ref.Source, &ref.Entity, &ref.ID)
		out[rec] = ref
		return err
	})
	return out, err
}

// Rec finds the landing number of a source record.
func (db *DB) Rec(ctx context.Context, ref record.Ref) (rec int64, err error) {
	err = db.view(ctx, `SELECT rec FROM source_record WHERE source = $1 AND entity = $2 AND external_id = $3`,
		[]any{ref.Source, ref.Entity, ref.ID}, func(r *sql.Rows) error { return r.Scan(&rec) })
	if err == nil && rec == 0 {
		err = notFound("source record", ref.String())
	}
	return rec, err
}

// Rule records a ruling between two source records, or a pin, and puts them on
// the backlog.
func (db *DB) Rule(ctx context.Context, r Ruling) (id string, err error) {
	if r.Kind != "must" && r.Kind != "cannot" && r.Kind != "pin" {
		return "", fmt.Errorf("ruling of kind %q: want must, cannot or pin", r.Kind)
	}
	id = db.env.ID()
	err = db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `INSERT INTO ruling (id, kind, a, b, field, value, who, why, at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
			id, r.Kind, minPositive(r.A, r.B), max(r.A, r.B)*boolInt(r.B != 0), r.Field, r.Value, r.Who, r.Why, tx.now)
		if err != nil {
			return err
		}
		if err := tx.audit(ctx, []auditEntry{{r.Who, "ruling." + r.Kind, id, nil, nil}}); err != nil {
			return err
		}
		return tx.enqueueAgain(ctx, recsOf(r))
	})
	if err != nil {
		return "", fmt.Errorf("rule: %w", err)
	}
	return id, nil
}

// Withdraw takes a ruling out of force; the row stays.
func (db *DB) Withdraw(ctx context.Context, id, who string) error {
	return db.inTx(ctx, func(tx *Tx) error {
		var r Ruling
		found, err := tx.one(ctx, `UPDATE ruling SET withdrawn = $1 WHERE id = $2 AND withdrawn = '' RETURNING a, b`, []any{tx.now, id}, &r.A, &r.B)
		if err != nil {
			return err
		}
		if !found {
			return notFound("ruling", id)
		}
		if err := tx.audit(ctx, []auditEntry{{who, "ruling.withdraw", id, nil, nil}}); err != nil {
			return err
		}
		return tx.enqueueAgain(ctx, recsOf(r))
	})
}

func recsOf(r Ruling) []int64 {
	if r.B == 0 {
		return []int64{r.A}
	}
	return []int64{r.A, r.B}
}

func minPositive(a, b int64) int64 {
	if b == 0 {
		return a
	}
	return min(a, b)
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Sizes counts the golden records of an entity type by the number of their
// members.
func (db *DB) Sizes(ctx context.Context, entity string) (map[int]int, error) {
	out := map[int]int{}
	err := db.view(ctx, `SELECT members, count(*) FROM golden WHERE entity = $1 AND live > 0 GROUP BY members`, []any{entity}, func(r *sql.Rows) error {
		var members, n int
		err := r.Scan(&members, &n)
		out[members] = n
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sizes of golden records: %w", err)
	}
	return out, nil
}
