package app

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"touchstone/internal/store/pgtest"
	"touchstone/internal/store/storetest"
)

// erp is a database of somebody's, judged by what stands in it.
type erp struct {
	*world
	db *sql.DB
}

func (e *erp) exec(text string, args ...any) {
	e.Helper()
	if _, err := e.db.ExecContext(e.Context(), text, args...); err != nil {
		e.Fatalf("%s: %v", text, err)
	}
}

// row shows one customer: name, phone, note, our key.
func (e *erp) row(id int) string {
	e.Helper()
	var v [4]sql.NullString
	if err := e.db.QueryRowContext(e.Context(), fmt.Sprintf("SELECT name, phone, note, ours FROM customers WHERE id = %d", id)).Scan(&v[0], &v[1], &v[2], &v[3]); err != nil {
		return err.Error()
	}
	var parts []string
	for _, s := range v {
		if !s.Valid {
			s.String = "null"
		}
		parts = append(parts, s.String)
	}
	return strings.Join(parts, "|")
}

func (e *erp) wantRow(id int, want string) {
	e.Helper()
	if got := e.row(id); got != want {
		e.Errorf("row %d is %q, want %q", id, got, want)
	}
}

// onBothDatabases runs a scenario with a database beside a store of the same
// engine: a crm that is only read, and the database, read and written.
func onBothDatabases(t *testing.T, policy string, scenario func(e *erp, crm *simulated)) {
	run := func(t *testing.T, dsn, driver, address, key string) {
		w := newWorld(t, dsn)
		crm := w.start(everything.profile("crm"), acme("c1", "2", `,"phone":"+44 113 496 0001"`))
		db, err := sql.Open(driver, strings.TrimPrefix(address, "sqlite:"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		e := &erp{world: w, db: db}
		e.exec(`CREATE TABLE customers (id ` + key + `, name TEXT NOT NULL, phone TEXT, website TEXT, note TEXT, ours TEXT UNIQUE)`)
		e.exec(`INSERT INTO customers (name, website, note) VALUES ('Acme Tools Ltd', 'acmetools.example', 'theirs')`)
		w.yaml = "sources:" + everything.source("crm", crm.url) + `
  erp:
    type: sqldb
    dsn: "` + address + `"
    deletes: {grace: 1h}
    streams:
      company: {table: customers, id: [id], key: ours, unique_key: true}
    entities:
      company:
        map: {name: record.name, phone: record.phone, website: record.website}
` + survive + `targets:
  erp:
    entity: company
    policy: ` + policy + `
    owns: [phone]
    map: {name: 'golden.name', phone: 'golden.phones[0].value', website: 'golden.website'}
    brake: 100%
    approve: auto
`
		scenario(e, crm)
	}
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		run(t, "", "sqlite3", "sqlite:"+filepath.Join(t.TempDir(), "erp.db"), "INTEGER PRIMARY KEY AUTOINCREMENT")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		run(t, storetest.Postgres(t), "pgx", pgtest.DSN(t), "SERIAL PRIMARY KEY")
	})
}

func TestDatabaseIsReadAndWritten(t *testing.T) {
	onBothDatabases(t, "update_only", func(e *erp, crm *simulated) {
		e.open()
		s := e.clean()
		if s.Pushed != 1 || s.Verified != 1 {
			e.Errorf("pushed %d, verified %d; want 1 and 1", s.Pushed, s.Verified)
		}
		e.wantRow(1, "Acme Tools Ltd|+44 113 496 0001|theirs|null")
		// Somebody edits the row between the plan and the write.
		crm.edit("c1", map[string]any{"phone": "+44 113 496 0002"})
		e.plan()
		e.exec(`UPDATE customers SET phone = '+44 113 496 0777', note = 'edited' WHERE id = 1`)
		e.later(10 * time.Minute)
		e.wantRow(1, "Acme Tools Ltd|+44 113 496 0777|edited|null")
		e.wantValue("crm/company/c1", "phones", "+44 113 496 0777")
		// The row goes, and with it what it said.
		e.exec(`INSERT INTO customers (name, website) VALUES ('Zenith Bakery', 'zenith.example')`)
		e.clean()
		e.exec(`DELETE FROM customers WHERE id = 1`)
		e.clean()
		e.sleep(2 * time.Hour)
		if s := e.clean(); s.Gone != 1 {
			e.Errorf("gone %d, want 1", s.Gone)
		}
		e.wantValue("crm/company/c1", "phones", "+44 113 496 0002")
		e.end()
	})
}

func TestDatabaseRowIsMadeOnce(t *testing.T) {
	onBothDatabases(t, "upsert", func(e *erp, crm *simulated) {
		crm.edit("", map[string]any{"name": "Quartz Optics Ltd", "phone": "+44 113 496 0003", "website": "quartz.example"})
		e.open()
		e.clean()
		key := e.golden("erp/company/2").ID
		e.wantRow(2, "Quartz Optics Ltd|+44 113 496 0003|null|"+key)
		if got := e.members("erp/company/2"); !strings.Contains(got, "crm/company/") {
			e.Errorf("members %q, want the crm's record with it", got)
		}
		crm.edit(strings.TrimPrefix(strings.Fields(e.members("erp/company/2"))[0], "crm/company/"), map[string]any{"phone": "+44 113 496 0004"})
		e.clean()
		e.wantRow(2, "Quartz Optics Ltd|+44 113 496 0004|null|"+key)
		e.wantRow(3, "sql: no rows in result set")
		e.end()
	})
}
