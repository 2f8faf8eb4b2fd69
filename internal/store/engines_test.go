package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/mattn/go-sqlite3"

	"touchstone/internal/store"
	"touchstone/internal/store/storetest"
)

// tables are all tables of the store with the order of their rows.
func tables() [][2]string {
	return [][2]string{
		{"setting", "name"},
		{"counter", "name"},
		{"source", "uid"},
		{"source_record", "rec"},
		{"source_version", "rec, version"},
		{"ruling", "id"},
		{"model", "entity, version"},
		{"quarantine", "id"},
		{"approval", "target, rules, at"},
		{"feature", "rec"},
		{"blocking_key", "key, fine, rec"},
		{"match", "a, b"},
		{"bridge", "a, b"},
		{"crosswalk", "rec"},
		{"golden", "founder"},
		{"golden_version", "founder, version"},
		{"backlog", "rec"},
		{"cursor", "source, entity"},
		{"run", "id"},
		{"outbox", "seq"},
		{"delivery", "seq"},
		{"target_state", "target, rec"},
		{"audit", "seq"},
	}
}

// raw opens a store's database beside the store.
func raw(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	driver := "sqlite3"
	if strings.HasPrefix(dsn, "postgres") {
		driver = "pgx"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

// tableText gives a table's rows in text, column by column.
func tableText(t testing.TB, db *sql.DB, table, order string) []string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), "SELECT * FROM "+table+" ORDER BY "+order)
	if err != nil {
		t.Fatalf("read %s: %v", table, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		parts := make([]string, len(columns))
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = fmt.Sprintf("%x", b)
			}
			parts[i] = fmt.Sprintf("%s=%v", columns[i], v)
		}
		out = append(out, strings.Join(parts, " "))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSameScriptSameTables runs random courses of operations on both engines:
// every table ends with the same rows, byte by byte.
func TestSameScriptSameTables(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			all := engines()
			dsns := []string{all[0].dsn(t), all[1].dsn(t)}
			var benches []*storetest.Bench
			for _, dsn := range dsns {
				b := bench(t, dsn, byte(seed))
				storetest.Script(b, seed, 90)
				benches = append(benches, b)
			}
			total := 0
			for _, table := range tables() {
				left, right := tableText(t, raw(t, dsns[0]), table[0], table[1]), tableText(t, raw(t, dsns[1]), table[0], table[1])
				total += len(left)
				for i := range max(len(left), len(right)) {
					if i >= len(left) || i >= len(right) || left[i] != right[i] {
						t.Errorf("%s: %d rows on %s, %d on %s; first difference at %d:\n%s\n%s", table[0],
							len(left), all[0].name, len(right), all[1].name, i, at(left, i), at(right, i))
						break
					}
				}
			}
			diffs, rows, err := benches[0].DB.CompareDerived(t.Context(), benches[1].DB, 10)
			if err != nil || len(diffs) > 0 || rows == 0 {
				t.Errorf("CompareDerived: %d rows, %v\n%s", rows, err, storetest.DiffText(diffs))
			}
			if total < 200 {
				t.Errorf("the script made only %d rows", total)
			}
		})
	}
}

func at(list []string, i int) string {
	if i >= len(list) {
		return "(none)"
	}
	return list[i]
}

// TestRebuildEqualsWhatIsThere derives everything anew in a store of the same
// and of the other engine.
func TestRebuildEqualsWhatIsThere(t *testing.T) {
	for _, from := range engines() {
		for _, to := range engines() {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				b := bench(t, from.dsn(t), 3)
				storetest.Fill(b)
				diffs, rows := storetest.Rebuild(b, bench(t, to.dsn(t), 4))
				if len(diffs) > 0 || rows < 20 {
					t.Errorf("%d rows compared, differences:\n%s", rows, storetest.DiffText(diffs))
				}
			})
		}
	}
}

// TestNothingDerivedStaysOfAVoidRecord lets nothing be in force of a record any
// more, as a source that is no longer configured does.
func TestNothingDerivedStaysOfAVoidRecord(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			b := bench(t, dsn, 5)
			storetest.Fill(b)
			rec := b.Rec("1")
			if err := b.DB.Rederive(t.Context(), []int64{rec}, func(store.History) (store.Derived, error) { return store.Derived{}, nil }); err != nil {
				t.Fatal(err)
			}
			storetest.Resolve(b)
			for _, q := range []string{
				`feature WHERE rec = $1`, `blocking_key WHERE rec = $1`, `match WHERE a = $1 OR b = $1`, `bridge WHERE a = $1 OR b = $1`,
				`crosswalk WHERE rec = $1 OR golden = $1 OR comp = $1`, `golden WHERE founder = $1`, `backlog WHERE rec = $1`,
			} {
				n := -1
				if err := raw(t, dsn).QueryRowContext(t.Context(), "SELECT count(*) FROM "+q, rec).Scan(&n); err != nil || n != 0 {
					t.Errorf("%d rows of record %d in %s (%v), want none", n, rec, q, err)
				}
			}
			if h := b.History("1"); len(h.Versions) < 2 {
				t.Errorf("its facts are gone: %d versions", len(h.Versions))
			}
		})
	}
}

// TestCompareFindsEveryPlantedDifference changes, removes and adds a row of
// each derived table.
func TestCompareFindsEveryPlantedDifference(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			dsn := eng.dsn(t)
			b := bench(t, dsn, 3)
			storetest.Fill(b)
			other := bench(t, eng.dsn(t), 4)
			storetest.Rebuild(b, other)
			db := raw(t, dsn)
			exec := func(q string) {
				t.Helper()
				if _, err := db.ExecContext(t.Context(), q); err != nil {
					t.Fatalf("%s: %v", q, err)
				}
			}
			for _, tt := range []struct{ table, where, set, want string }{
				{"feature", "rec = (SELECT min(rec) FROM feature)", "live = 1 - live", "differs in live"},
				{"feature", "rec = (SELECT max(rec) FROM feature)", "authored = '{\"x\":1}'", "differs in authored"},
				{"quarantine", "state = 'open'", "reasons = (SELECT hash FROM golden_version ORDER BY founder LIMIT 1)", "differs in reasons"},
				{"blocking_key", "rec = (SELECT min(rec) FROM blocking_key)", "", ""},
				{"match", "a = (SELECT min(a) FROM match)", "weight = weight + 1", "differs in weight"},
				{"bridge", "a = (SELECT min(a) FROM bridge)", "weight = weight + 1", "differs in weight"},
				{"crosswalk", "rec = (SELECT max(rec) FROM crosswalk)", "golden = golden + 1, comp = comp + 1", "differs in comp, golden"},
				{"golden", "founder = (SELECT min(founder) FROM golden)", "fields = '{}'", "differs in fields"},
			} {
				check := func(what, want string) {
					t.Helper()
					diffs, _, err := b.DB.CompareDerived(t.Context(), other.DB, 10)
					if err != nil {
						t.Fatal(err)
					}
					if len(diffs) == 0 || diffs[0].Table != tt.table || diffs[0].What != want {
						t.Errorf("%s a row of %s: differences\n%s\nwant %s", what, tt.table, storetest.DiffText(diffs), want)
					}
					back, _, err := other.DB.CompareDerived(t.Context(), b.DB, 10)
					if err != nil || len(back) != len(diffs) {
						t.Errorf("%s a row of %s: %d differences one way, %d the other (%v)", what, tt.table, len(diffs), len(back), err)
					}
				}
				exec("CREATE TABLE keep AS SELECT * FROM " + tt.table)
				if tt.set != "" {
					exec("UPDATE " + tt.table + " SET " + tt.set + " WHERE " + tt.where)
					check("changed", tt.want)
					exec("DELETE FROM " + tt.table)
					exec("INSERT INTO " + tt.table + " SELECT * FROM keep")
				}
				exec("DELETE FROM " + tt.table + " WHERE " + tt.where)
				check("removed", "is missing")
				exec("DELETE FROM " + tt.table)
				exec("INSERT INTO " + tt.table + " SELECT * FROM keep")
				exec("DROP TABLE keep")
			}
			exec("INSERT INTO crosswalk (rec, comp, golden) VALUES (99999, 99999, 99999)")
			diffs, _, err := b.DB.CompareDerived(t.Context(), other.DB, 10)
			if err != nil || len(diffs) != 1 || diffs[0].Table != "crosswalk" || diffs[0].Key != "99999" || diffs[0].What != "should not be there" {
				t.Errorf("an extra row: %v, differences\n%s", err, storetest.DiffText(diffs))
			}
		})
	}
}
