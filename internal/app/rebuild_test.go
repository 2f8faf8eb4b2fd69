package app

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// TestVerifyFindsWhatWasPlanted: a check that never fails would show nothing.
func TestVerifyFindsWhatWasPlanted(t *testing.T) {
	onBoth(t, func(t *testing.T, dsn string) {
		w, _, _ := two(t, dsn, []string{acme("c1", "2", `,"phone":"+44 113 496 0001"`)}, []string{acme("o1", "1", "")})
		w.open()
		w.clean()
		w.end()
		for _, tt := range []struct{ table, plant string }{
			{"golden", `UPDATE golden SET fields = '{}'`},
			{"feature", `UPDATE feature SET authored = '{}' WHERE rec = (SELECT min(rec) FROM feature)`},
			{"crosswalk", `DELETE FROM crosswalk WHERE rec = (SELECT max(rec) FROM crosswalk)`},
			{"match", `UPDATE match SET weight = weight + 1`},
			{"search", `DELETE FROM search WHERE gram = (SELECT max(gram) FROM search)`},
			{"search_text", `UPDATE search_text SET name = 'another'`},
			{"blocking_key", `DELETE FROM blocking_key WHERE rec = (SELECT min(rec) FROM blocking_key)`},
		} {
			w.close()
			w.execute(tt.plant)
			w.open()
			v, err := w.app.Verify(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, d := range v.Differences {
				found = found || d.Table == tt.table
			}
			if !found {
				t.Errorf("after %q verify finds %+v, want a difference in %s", tt.plant, v.Differences, tt.table)
			}
		}
	})
}

// past opens the store past the program.
func (w *world) past() *sql.DB {
	w.Helper()
	driver, dsn := "pgx", w.dsn
	if dsn == "" {
		driver, dsn = "sqlite3", "file:"+w.file()
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		w.Fatal(err)
	}
	return db
}

// execute runs a statement past the program.
func (w *world) execute(statement string) {
	w.Helper()
	db := w.past()
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(w.Context(), statement); err != nil {
		w.Fatalf("%s: %v", statement, err)
	}
}
