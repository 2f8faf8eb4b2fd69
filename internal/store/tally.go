package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// tallied is one kept count of the table tally; migration 00022 says what each
// kind counts, and 00027 of the backlog.
type tallied struct {
	what, a, b, c string
	n, m          int
}

// The kinds of kept counts.
const (
	tallyRecords    = "records"    // source, entity type: records; deleted ones
	tallyGolden     = "golden"     // entity type: live golden records; their live members
	tallyQuarantine = "quarantine" // source, entity type, state
	tallyFault      = "fault"      // fault, source, "entity type\nrule\nfield"
	tallyOutbox     = "outbox"     // target, state, op, of pending rows "op held shape": rows; verified ones
	tallyQueue      = "queue"      // entity type, kind, "uid uid" of its sources: pairs; damage (00039)
	tallyOwner      = "owner"      // entity type, owner: live golden records (migration 00026)
	tallyWeight     = "weight"     // entity type, weight in 1/4 bit: pairs kept (00026)
	tallyBacklog    = "backlog"    // entity type, source, stage: records that wait
)

// tallies reads kept counts, sorted by what they count. A count of nothing is
// left out. The kinds are read in one statement, so they belong together.
func (db *DB) tallies(ctx context.Context, kinds ...string) (list []tallied, err error) {
	err = viewIn(ctx, db, `SELECT what, a, b, c, CAST(sum(n) AS BIGINT), CAST(sum(m) AS BIGINT) FROM tally WHERE what IN $LIST
		GROUP BY what, a, b, c HAVING sum(n) <> 0 OR sum(m) <> 0 ORDER BY what, a, b, c`, kinds, func(r *sql.Rows) error {
		var t tallied
		err := r.Scan(&t.what, &t.a, &t.b, &t.c, &t.n, &t.m)
		list = append(list, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kept counts: %w", err)
	}
	return list, nil
}

// talliesOf is tallies of one entity type, of kinds whose a is that.
func (db *DB) talliesOf(ctx context.Context, entity string, kinds ...string) ([]tallied, error) {
	list, err := db.tallies(ctx, kinds...)
	return slices.DeleteFunc(list, func(t tallied) bool { return t.a != entity }), err
}

// LiveGolden is how many golden records of an entity type there are.
func (db *DB) LiveGolden(ctx context.Context, entity string) (n int, err error) {
	kept, err := db.talliesOf(ctx, entity, tallyGolden)
	for _, t := range kept {
		n += t.n
	}
	return n, err
}

// tallyFold is from how many rows too many on the counts of PostgreSQL are summed up.
const tallyFold = 250

// FoldTally sums up the rows that statements have added to the kept counts on
// PostgreSQL, where there are many. What is added meanwhile stays as it is, and
// of two who fold at once one finds nothing left. SQLite has nothing to sum up.
func (db *DB) FoldTally(ctx context.Context) error {
	if db.d.name != "postgres" {
		return nil
	}
	var many int
	err := db.view(ctx, `SELECT count(*) - count(DISTINCT (what, a, b, c)) FROM tally`, nil, func(r *sql.Rows) error { return r.Scan(&many) })
	if err != nil || many < tallyFold {
		return err
	}
	err = db.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `WITH several AS (SELECT what, a, b, c FROM tally GROUP BY what, a, b, c HAVING count(*) > 1 OR sum(n) = 0 AND sum(m) = 0),
			gone AS (DELETE FROM tally t USING several s WHERE t.what = s.what AND t.a = s.a AND t.b = s.b AND t.c = s.c RETURNING t.what, t.a, t.b, t.c, t.n, t.m)
			INSERT INTO tally (what, a, b, c, n, m) SELECT what, a, b, c, sum(n), sum(m) FROM gone GROUP BY what, a, b, c HAVING sum(n) <> 0 OR sum(m) <> 0`)
		return err
	})
	if err != nil {
		return fmt.Errorf("sum up kept counts: %w", err)
	}
	return nil
}

// tallyDrifts counts anew what is kept, as the migration did at first, and
// gives what differs. One statement sees one moment.
const tallyDrifts = `SELECT what, a, b, c, CAST(sum(n) AS BIGINT), CAST(sum(m) AS BIGINT), CAST(sum(k) AS BIGINT), CAST(sum(l) AS BIGINT) FROM (
	SELECT what, a, b, c, n, m, 0 AS k, 0 AS l FROM tally
	UNION ALL SELECT 'records', source, entity, '', 0, 0, count(*), sum(CASE WHEN deleted <> 0 THEN 1 ELSE 0 END) FROM source_record GROUP BY 1, 2, 3, 4
	UNION ALL SELECT 'golden', entity, '', '', 0, 0, count(*), sum(live) FROM golden WHERE live > 0 GROUP BY 1, 2, 3, 4
	UNION ALL SELECT 'quarantine', source, entity, state, 0, 0, count(*), 0 FROM quarantine GROUP BY 1, 2, 3, 4
	UNION ALL SELECT 'fault', fault, source, entity || $1 || rule || $1 || field, 0, 0, count(*), 0 FROM quarantine_fault GROUP BY 1, 2, 3, 4
	UNION ALL SELECT 'outbox', target, state, CASE WHEN state = 'pending' THEN op || ' ' || held || ' ' || shape ELSE op END, 0, 0, count(*), sum(verified) FROM outbox GROUP BY 1, 2, 3, 4
	UNION ALL SELECT 'owner', entity, owner, '', 0, 0, count(*), 0 FROM golden WHERE live > 0 AND owner <> '' GROUP BY 1, 2, 3, 4
	UNION ALL SELECT 'weight', entity, CAST((weight + 1000000) / 250 - 4000 AS TEXT), '', 0, 0, count(*), 0 FROM match WHERE entity <> '' GROUP BY 1, 2, 3, 4
	UNION ALL SELECT 'queue', entity, kind, low || ' ' || high, 0, 0, count(*), -sum(rank_damage) FROM queue GROUP BY 1, 2, 3, 4
	UNION ALL SELECT 'backlog', w.entity, s.source, CAST(w.stage AS TEXT), 0, 0, count(*), 0 FROM backlog w JOIN source_record s ON s.rec = w.rec GROUP BY 1, 2, 3, 4) AS t
	GROUP BY what, a, b, c HAVING sum(n) <> sum(k) OR sum(m) <> sum(l) ORDER BY what, a, b, c`

// tallyDrift compares the kept counts with what they count and names those that
// differ: none, unless somebody has changed tables behind our back.
func (db *DB) tallyDrift(ctx context.Context) (damage []string, err error) {
	err = db.view(ctx, tallyDrifts, []any{"\n"}, func(r *sql.Rows) error {
		var t tallied
		var k, l int
		err := r.Scan(&t.what, &t.a, &t.b, &t.c, &t.n, &t.m, &k, &l)
		if t.what == tallyOwner {
			t.b = "" // a person's name
		}
		name := strings.Join(strings.Fields(strings.Join([]string{t.what, t.a, t.b, t.c}, " ")), " ")
		damage = append(damage, fmt.Sprintf("kept count of %s: %d and %d are kept, %d and %d are there", name, t.n, t.m, k, l))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("compare kept counts: %w", err)
	}
	return damage, nil
}

// strayed finds columns that repeat what stands elsewhere, to be counted and found
// by an index, and do not say the same: the owner of a golden record and the
// entity type of a pair or a bridge.
func (db *DB) strayed(ctx context.Context) (damage []string, err error) {
	owner := `COALESCE(fields ->> 'owner', '')`
	if db.d.name == "postgres" { // which reads no text with an escaped NUL
		owner = `CASE WHEN position('\u0000' IN fields) > 0 THEN owner ELSE COALESCE(fields::json ->> 'owner', '') END`
	}
	for _, c := range []struct{ what, q string }{
		{"owners of golden records", `SELECT count(*) FROM golden WHERE entity IN ('company', 'person') AND owner <> ` + owner},
		{"entity types of pairs", `SELECT count(*) FROM match m JOIN source_record s ON s.rec = m.a WHERE m.entity <> s.entity`},
		{"entity types of bridges", `SELECT count(*) FROM bridge m JOIN source_record s ON s.rec = m.a WHERE m.entity <> s.entity`},
	} {
		n := 0
		if err := db.view(ctx, c.q, nil, func(r *sql.Rows) error { return r.Scan(&n) }); err != nil {
			return damage, fmt.Errorf("compare %s: %w", c.what, err)
		}
		if n > 0 {
			damage = append(damage, fmt.Sprintf("%s: %d say something else than their records", c.what, n))
		}
	}
	return damage, nil
}
