package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"touchstone/internal/store/pgtest"
)

func eachDB(t *testing.T, fn func(t *testing.T, db *DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { fn(t, openBare(t, filepath.Join(t.TempDir(), "store.db"))) })
	t.Run("postgres", func(t *testing.T) { fn(t, openBare(t, pgtest.DSN(t))) })
}

const (
	putSetting  = `INSERT INTO setting (name, value) VALUES ($1, $2)`
	readSetting = `SELECT value FROM setting WHERE name = $1`
)

// TestWhatWaitsRunsInItsOrder: statements that are sent together do what they would
// one by one, and are all kept.
func TestWhatWaitsRunsInItsOrder(t *testing.T) {
	eachDB(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		var seen []string
		see := func(r *sql.Rows) error {
			var value string
			err := r.Scan(&value)
			seen = append(seen, value)
			return err
		}
		err := db.inTx(ctx, func(tx *Tx) error {
			for _, s := range []bundled{
				{q: readSetting, args: []any{"a"}, scan: see, end: func() error { seen = append(seen, "none yet"); return nil }},
				{q: putSetting, args: []any{"a", "one"}},
				{q: readSetting, args: []any{"a"}, scan: see},
				{q: `UPDATE setting SET value = 'two' WHERE name = $1`, args: []any{"a"}},
			} {
				if err := tx.later(ctx, s); err != nil {
					return err
				}
			}
			if err := tx.query(ctx, readSetting, []any{"a"}, see); err != nil {
				return err
			}
			return tx.later(ctx, bundled{q: putSetting, args: []any{"b", "with the commit"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"none yet", "one", "two"}; !slices.Equal(seen, want) {
			t.Errorf("the statements saw %q, want %q", seen, want)
		}
		if got, err := db.Setting(ctx, "b"); err != nil || got != "with the commit" {
			t.Errorf("what waited for the commit = %q, %v", got, err)
		}
	})
}

// TestAFailureBeforeTheCommitIsPlain: a statement that fails where it is sent with
// the commit leaves no doubt that nothing was kept, and its connection goes on.
func TestAFailureBeforeTheCommitIsPlain(t *testing.T) {
	eachDB(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		put := func(names ...string) error {
			return db.inTx(ctx, func(tx *Tx) error {
				for _, name := range names {
					if err := tx.later(ctx, bundled{q: putSetting, args: []any{name, "x"}}); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := put("a"); err != nil {
			t.Fatal(err)
		}
		for range 12 { // more than there are connections
			if err := put("b", "a", "c"); err == nil || errors.Is(err, ErrAmbiguous) {
				t.Fatalf("a name that is taken: %v, want a plain error", err)
			}
		}
		if got, err := db.Setting(ctx, "b"); err != nil || got != "" {
			t.Errorf("beside what failed stands %q, %v; want nothing", got, err)
		}
		if err := put("b"); err != nil {
			t.Errorf("after it: %v", err)
		}
	})
}

// TestBundlesGiveWhatQueriesGive compares the values of one query and of the same in
// a bundle.
func TestBundlesGiveWhatQueriesGive(t *testing.T) {
	db := openBare(t, pgtest.DSN(t))
	ctx := t.Context()
	for _, q := range []string{
		`SELECT 1::bigint, (-9223372036854775808)::bigint, 7::int, 3::smallint, true, NULL::bigint, NULL::text`,
		`SELECT ''::text, 'a中'::text, 'n'::name, '\x00ff'::bytea, ''::bytea, NULL::bytea`,
		`SELECT 1.5::double precision, 12.25::numeric, sum(x)::numeric FROM (VALUES (1), (2)) AS v(x)`,
		`SELECT 1 WHERE false`,
		`SELECT g FROM generate_series(1, 3000) AS g`,
	} {
		read := func(first string) (all [][]any) {
			err := db.inTx(ctx, func(tx *Tx) error {
				if first != "" {
					if err := tx.later(ctx, bundled{q: first}); err != nil {
						return err
					}
				} else if err := tx.flush(ctx); err != nil {
					return err
				} else if _, err := tx.exec(ctx, `SELECT 1`); err != nil { // the transaction has begun
					return err
				}
				return tx.query(ctx, q, nil, func(r *sql.Rows) error {
					columns, err := r.Columns()
					if err != nil {
						return err
					}
					row, into := make([]any, len(columns)), make([]any, len(columns))
					for i := range row {
						into[i] = &row[i]
					}
					err = r.Scan(into...)
					all = append(all, row)
					return err
				})
			})
			if err != nil {
				t.Errorf("%s: %v", q, err)
			}
			return all
		}
		if diff := cmp.Diff(read(""), read(`SELECT 2`)); diff != "" {
			t.Errorf("%s: alone (-) and in a bundle (+):\n%s", q, diff)
		}
	}
}

// TestWhatIsReadAheadIsGivenOnce: it is not asked again, unless the transaction has
// changed it meanwhile.
func TestWhatIsReadAheadIsGivenOnce(t *testing.T) {
	db := openBare(t, pgtest.DSN(t))
	ctx := t.Context()
	for _, name := range []string{"a", "b"} {
		if err := db.SetSetting(ctx, name, "old"); err != nil {
			t.Fatal(err)
		}
	}
	err := db.inTx(ctx, func(tx *Tx) error {
		ask := func(name string) func(context.Context) error {
			return func(ctx context.Context) error { _, err := tx.setting(ctx, name); return err }
		}
		want := func(when, name, value string, left int) {
			t.Helper()
			got, err := tx.setting(ctx, name)
			if err != nil || got != value || len(tx.asked) != left {
				t.Errorf("%s: %s = %q, %v, and %d answers are left; want %q and %d", when, name, got, err, len(tx.asked), value, left)
			}
		}
		if err := tx.Ahead(ctx, ask("a"), ask("b"), ask("none")); err != nil {
			return err
		}
		if err := db.SetSetting(ctx, "a", "another's"); err != nil { // on another connection
			return err
		}
		want("read ahead", "a", "old", 2)
		want("asked again", "a", "another's", 2)
		want("read ahead", "none", "", 1)
		if _, err := tx.exec(ctx, `UPDATE counter SET value = value WHERE name = 'feed'`); err != nil {
			return err
		}
		if len(tx.asked) != 1 {
			t.Errorf("a change of another table leaves %d answers, want 1", len(tx.asked))
		}
		if err := tx.setSetting(ctx, "b", "own"); err != nil {
			return err
		}
		want("changed", "b", "own", 0)
		writes := func(ctx context.Context) error { return tx.later(ctx, bundled{q: putSetting, args: []any{"c", ""}}) }
		if err := tx.Ahead(ctx, writes); !errors.Is(err, errAhead) {
			t.Errorf("what is read ahead and writes: %v, want an error", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatAStatementChanges(t *testing.T) {
	for _, tt := range []struct {
		q, table string
		is       bool
	}{
		{`SELECT rec FROM match`, "", false},
		{`SELECT rec FROM crosswalk FOR UPDATE`, "", true},
		{`INSERT INTO match (a, b) VALUES ($1, $2)`, "match", true},
		{"DELETE FROM backlog\n\tWHERE rec = 1", "backlog", true},
		{`UPDATE counter SET value = 1`, "counter", true},
		{`WITH RECURSIVE k AS (SELECT 1) SELECT 1 FROM k`, "", false},
		{`WITH gone AS (DELETE FROM tally RETURNING a) SELECT a FROM gone`, "", true},
		{`SET LOCAL lock_timeout = '1s'`, "", false},
		{`ANALYZE`, "", true},
	} {
		if table, is := changed(tt.q); table != tt.table || is != tt.is {
			t.Errorf("%s changes %q, %v; want %q, %v", tt.q, table, is, tt.table, tt.is)
		}
	}
	for _, tt := range []struct {
		text, name string
		want       bool
	}{
		{"SELECT rec FROM feature", "feature", true},
		{"SELECT features FROM feature_old", "feature", false},
		{"SELECT features, f.x FROM (feature) f", "feature", true},
		{"golden_version g, crosswalk", "golden", false},
	} {
		if got := mentions(tt.text, tt.name); got != tt.want {
			t.Errorf("%q mentions %s: %v, want %v", tt.text, tt.name, got, tt.want)
		}
	}
}

// TestNumbersAreCountedInMemory: numbers that a transaction takes after the landing
// lock follow each other, and the next transaction goes on behind them.
func TestNumbersAreCountedInMemory(t *testing.T) {
	eachDB(t, func(t *testing.T, db *DB) {
		for _, who := range []string{"people", "patient"} {
			ctx := t.Context()
			if who == "patient" {
				ctx = Patient(ctx)
			}
			var got []int64
			take := func(locked bool) {
				err := db.inTx(ctx, func(tx *Tx) error {
					if locked {
						if err := tx.lockFacts(ctx); err != nil {
							return err
						}
					}
					for _, n := range []int{1, 3, 1} {
						seq, err := tx.nextSeq(ctx, n)
						if got = append(got, seq); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			take(true)
			take(false)
			from := got[0]
			if want := []int64{from, from + 1, from + 4, from + 5, from + 6, from + 9}; !slices.Equal(got, want) {
				t.Errorf("%s were given %v, want %v", who, got, want)
			}
			err := db.inTx(ctx, func(tx *Tx) error {
				if _, err := tx.nextSeq(ctx, 5); err != nil {
					return err
				}
				return errors.New("taken back")
			})
			if err == nil || !strings.Contains(err.Error(), "taken back") {
				t.Fatal(err)
			}
			take(false)
			if is := got[6]; is != from+10 {
				t.Errorf("%s: after what was taken back comes %d, want %d", who, is, from+10)
			}
		}
	})
}

// TestAForeseenTurnSeesWhatItCommits: what was asked ahead is given once, as it stood
// then; what the turn itself commits meanwhile is asked for anew, and nothing is
// written while questions are gathered.
func TestAForeseenTurnSeesWhatItCommits(t *testing.T) {
	eachDB(t, func(t *testing.T, db *DB) {
		put := func(ctx context.Context, value string) {
			t.Helper()
			if err := db.SetSetting(ctx, "a", value); err != nil {
				t.Fatal(err)
			}
		}
		sees := func(ctx context.Context, when, want string) {
			t.Helper()
			if got, err := db.Setting(ctx, "a"); err != nil || got != want {
				t.Errorf("%s: %q, %v; want %q", when, got, err, want)
			}
		}
		put(t.Context(), "one")
		turn := db.Foresee(t.Context())
		asked := 0
		ahead := func() {
			t.Helper()
			err := db.Ahead(turn, func(ctx context.Context) error {
				asked++
				if got, err := db.Setting(ctx, "a"); err != nil || got != "" {
					t.Errorf("while questions are gathered: %q, %v", got, err)
				}
				return db.SetSetting(ctx, "a", "gathered")
			}, func(ctx context.Context) error { _, err := db.Setting(ctx, "b"); return err })
			if err != nil {
				t.Fatal(err)
			}
		}
		ahead()
		if want := map[bool]int{true: 1}[db.d.bundles]; asked != want || !db.Foreseen(turn) {
			t.Errorf("%s: run ahead %d times, want %d; foreseen %v", db.Engine(), asked, want, db.Foreseen(turn))
		}
		put(t.Context(), "two") // somebody else
		if db.d.bundles {
			sees(turn, "asked ahead", "one")
		}
		sees(turn, "asked again", "two")
		ahead()
		put(turn, "three") // the turn itself
		sees(turn, "after the turn's own commit", "three")
		if db.Foreseen(turn) == db.d.bundles {
			t.Errorf("%s: foreseen %v after the turn's own commit", db.Engine(), db.Foreseen(turn))
		}
		sees(t.Context(), "outside of the turn", "three")
		ahead()
		away, err := sql.Open("sqlite3", "")
		if err != nil || away.Close() != nil {
			t.Fatal(err)
		}
		if db.d.bundles {
			db.read, away = away, db.read
			sees(turn, "answered before the server was away", "three")
			db.read = away
		}
	})
}
