package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"touchstone/config"
	"touchstone/connectors"
	"touchstone/connectors/connectortest"
	"touchstone/internal/record"
	"touchstone/internal/store/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// base is one database with a person's own connection to it.
type base struct {
	*testing.T
	postgres bool
	dsn      string
	db       *sql.DB
}

// onBoth runs a test on PostgreSQL and on a SQLite file.
func onBoth(t *testing.T, test func(b *base)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.DSN(t)
		b := &base{T: t, postgres: true, dsn: dsn}
		b.connect("pgx", dsn)
		test(b)
	})
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "erp.db")
		b := &base{T: t, dsn: "sqlite:" + path}
		b.connect("sqlite3", "file:"+path+"?_busy_timeout=5000")
		test(b)
	})
}

func (b *base) connect(driver, dsn string) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	b.db = db
}

func (b *base) exec(text string, args ...any) {
	b.Helper()
	if _, err := b.db.ExecContext(b.Context(), text, args...); err != nil {
		b.Fatalf("%s: %v", text, err)
	}
}

// either gives the text for the engine at hand.
func (b *base) either(postgres, sqlite string) string {
	if b.postgres {
		return postgres
	}
	return sqlite
}

// cell reads one value as text.
func (b *base) cell(query string) string {
	b.Helper()
	var s sql.NullString
	if err := b.db.QueryRowContext(b.Context(), query).Scan(&s); err != nil {
		b.Fatalf("%s: %v", query, err)
	}
	if !s.Valid {
		return "null"
	}
	return s.String
}

func (b *base) client(page int, s Stream) *Client {
	b.Helper()
	if s.Name == "" {
		s.Name = "company"
	}
	c, err := Open("erp", b.TempDir(), Options{
		DSN: config.NewSecret(b.dsn), PageSize: page, Timeout: config.Duration(5 * time.Second), MaxRecord: 4096, Streams: []Stream{s},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := c.Close(); err != nil {
			b.Errorf("close: %v", err)
		}
	})
	return c
}

// pass pulls to the end and gives the records with the last cursor.
func (b *base) pass(c *Client, cursor []byte) ([]record.Raw, []byte) {
	b.Helper()
	var all []record.Raw
	for range 1000 {
		page, err := c.Pull(b.Context(), "company", cursor)
		if err != nil {
			b.Fatalf("pull: %v", err)
		}
		all, cursor = append(all, page.Records...), page.Cursor
		if !page.More {
			return all, cursor
		}
	}
	b.Fatal("no end after 1,000 pages")
	return nil, nil
}

func ids(records []record.Raw) string {
	var list []string
	for _, r := range records {
		list = append(list, r.ID)
	}
	return strings.Join(list, " ")
}

const customers = `CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, phone TEXT, updated_at TIMESTAMP, created_at TIMESTAMP, gone BOOLEAN)`

// seven has two rows of one time, one with none at all and one with a time of
// creation only.
func (b *base) seven() {
	b.exec(customers)
	b.exec(`INSERT INTO customers VALUES (5,'E','5','2026-01-02 00:00:00',NULL,false), (1,'A','1','2026-01-01 00:00:00',NULL,false),
		(2,'B','2','2026-01-01 00:00:00',NULL,true), (3,'C','3',NULL,NULL,NULL), (4,'D','4',NULL,'2026-01-05 10:00:00',false),
		(6,'F','6','2026-01-03 12:30:00.25',NULL,false), (7,'G','7','2026-01-04 00:00:00','2020-01-01 00:00:00',false)`)
}

func TestSuiteFullPass(t *testing.T) {
	onBoth(t, func(b *base) {
		b.exec(`CREATE TABLE part (area TEXT, nr INTEGER, name TEXT, PRIMARY KEY (area, nr))`)
		b.exec(`INSERT INTO part VALUES ('b/1',1,'x'), ('a',10,'it''s'), ('a',9,NULL), ('c%',2,'z')`)
		connectortest.Puller(b.T, func(*testing.T) connectors.Puller {
			return b.client(2, Stream{Table: "part", ID: []string{"area", "nr"}})
		}, "company", []string{
			`{"area":"a","nr":9,"name":null}`, `{"area":"a","nr":10,"name":"it's"}`, `{"area":"b/1","nr":1,"name":"x"}`, `{"area":"c%","nr":2,"name":"z"}`,
		})
		c := b.client(3, Stream{Table: "part", ID: []string{"area", "nr"}})
		records, _ := b.pass(c, nil)
		if got, want := ids(records), "a/9 a/10 b%2F1/1 c%25/2"; got != want {
			b.Errorf("ids %q, want %q", got, want)
		}
		for _, r := range records {
			if read, err := c.Read(b.Context(), "company", []string{r.ID}); err != nil || len(read) != 1 || read[0].ID != r.ID {
				b.Errorf("Read(%q) = %s, %v; want the row", r.ID, ids(read), err)
			}
		}
	})
}

func TestSuiteChanged(t *testing.T) {
	onBoth(t, func(b *base) {
		b.seven()
		s := Stream{Query: "SELECT id, name, coalesce(updated_at, created_at) AS at FROM customers -- all", ID: []string{"id"}, Changed: []string{"at"}}
		first, _ := b.pass(b.client(100, s), nil)
		var want []string
		for _, r := range first {
			want = append(want, string(r.Data))
		}
		connectortest.Puller(b.T, func(*testing.T) connectors.Puller { return b.client(2, s) }, "company", want)
	})
}

func TestChangedRowsComeAgainAndNoneIsLost(t *testing.T) {
	onBoth(t, func(b *base) {
		b.seven()
		c := b.client(2, Stream{Table: "customers", ID: []string{"id"}, Changed: []string{"updated_at", "created_at"}, Deleted: "gone"})
		all, cursor := b.pass(c, nil)
		if got, want := ids(all), "3 1 2 5 6 7 4"; got != want {
			b.Fatalf("first pass %q, want %q: without a time first, then by (time, id)", got, want)
		}
		if all[2].ID != "2" || !all[2].Deleted || all[1].Deleted {
			b.Errorf("deleted marks of 1 and 2: %v %v, want false true", all[1].Deleted, all[2].Deleted)
		}
		if got, want := record.FormatTime(all[4].Stamp), "2026-01-03T12:30:00.250000Z"; got != want {
			b.Errorf("stamp %s, want %s", got, want)
		}
		again, cursor := b.pass(c, cursor)
		if got, want := ids(again), "3 4"; got != want {
			b.Errorf("unchanged second pass %q, want %q: what has no time, and the mark's own", got, want)
		}
		// One more with the mark's own time, committed late, and one just before it.
		b.exec(`INSERT INTO customers VALUES (8,'H','8','2026-01-05 10:00:00',NULL,false), (9,'I','9','2026-01-05 09:58:00',NULL,false)`)
		again, _ = b.pass(c, cursor)
		if got, want := ids(again), "3 4 8"; got != want {
			b.Errorf("third pass %q, want %q", got, want)
		}
		wide := b.client(2, Stream{Table: "customers", ID: []string{"id"}, Changed: []string{"updated_at", "created_at"}, Lookback: config.Duration(5 * time.Minute)})
		again, cursor = b.pass(wide, cursor)
		if got, want := ids(again), "3 9 4 8"; got != want {
			b.Errorf("with lookback %q, want %q", got, want)
		}
		// What is dated far in the future is read and does not hide what follows.
		b.exec(`INSERT INTO customers VALUES (10,'J','10','2999-01-01 00:00:00',NULL,false)`)
		_, cursor = b.pass(wide, cursor)
		b.exec(`INSERT INTO customers VALUES (11,'K','11','2026-02-01 00:00:00',NULL,false)`)
		again, _ = b.pass(wide, cursor)
		if got, want := ids(again), "3 9 4 8 11 10"; got != want {
			b.Errorf("behind a row of 2999 %q, want %q", got, want)
		}
		if _, err := c.Pull(b.Context(), "company", []byte(`{"offset":1}`)); err == nil {
			b.Error("a cursor of another connector is taken")
		}
	})
}

func TestGrowingNumberAsChanged(t *testing.T) {
	onBoth(t, func(b *base) {
		b.exec(`CREATE TABLE log (id TEXT PRIMARY KEY, nr BIGINT)`)
		b.exec(`INSERT INTO log VALUES ('b', 9), ('a', 10), ('c', 100)`)
		c := b.client(1, Stream{Table: "log", ID: []string{"id"}, Changed: []string{"nr"}})
		all, cursor := b.pass(c, nil)
		b.exec(`UPDATE log SET nr = 101 WHERE id = 'b'`)
		again, _ := b.pass(c, cursor)
		if got, want := ids(all)+" | "+ids(again), "b a c | c b"; got != want {
			b.Errorf("passes %q, want %q: numbers are compared as numbers", got, want)
		}
	})
}

func TestTypesLoseNothing(t *testing.T) {
	t.Run("postgres", func(t *testing.T) {
		b := &base{T: t, postgres: true, dsn: pgtest.DSN(t)}
		b.connect("pgx", b.dsn)
		b.exec(`CREATE TYPE mood AS ENUM ('ok')`)
		b.exec(`CREATE TABLE types (id BIGINT, big NUMERIC, small NUMERIC(6,2), f DOUBLE PRECISION, yes BOOLEAN, day DATE, at TIMESTAMPTZ, local TIMESTAMP, j JSONB, list TEXT[], raw BYTEA, u UUID, m mood, fixed CHAR(4), text TEXT)`)
		b.exec(`INSERT INTO types VALUES (9007199254740993, 123456789012345678901234567890.123456789, 1.50, 0.1, true, '2026-02-28', '2026-02-28 12:00:00.123456+08', '2026-02-28 12:00:00', '{"a": [1, 2.50]}', '{x,y}', '\xdead', '11111111-2222-3333-4444-555555555555', 'ok', 'ab', 'say "hi"' || chr(10) || '你好')`)
		got, _ := b.pass(b.client(10, Stream{Table: "types", ID: []string{"id"}}), nil)
		want := `{"id":9007199254740993,"big":123456789012345678901234567890.123456789,"small":1.50,"f":0.1,"yes":true,"day":"2026-02-28","at":"2026-02-28T04:00:00.123456+00:00","local":"2026-02-28T12:00:00","j":{"a": [1, 2.50]},"list":["x","y"],"raw":"\\xdead","u":"11111111-2222-3333-4444-555555555555","m":"ok","fixed":"ab  ","text":"say \"hi\"\n你好"}`
		if diff := cmp.Diff(want, string(got[0].Data)); diff != "" {
			t.Errorf("types (-want +got):\n%s", diff)
		}
	})
	t.Run("sqlite", func(t *testing.T) {
		b := &base{T: t, dsn: "sqlite:" + filepath.Join(t.TempDir(), "x.db")}
		b.connect("sqlite3", strings.TrimPrefix(b.dsn, "sqlite:"))
		b.exec(`CREATE TABLE types (id INTEGER, code TEXT, f REAL, yes BOOLEAN, at TIMESTAMP, day DATE, raw BLOB, loose)`)
		b.exec(`INSERT INTO types VALUES (9007199254740993, '00123', 0.1, 1, '2026-02-28 12:00', '2026-02-28', x'dead', 1e300), (2, 'say "hi"' || char(10) || '你好', 1.0, 0, 1767225600, NULL, NULL, 'x')`)
		got, _ := b.pass(b.client(10, Stream{Table: "types", ID: []string{"id"}}), nil)
		want := []string{
			`{"id":2,"code":"say \"hi\"\n你好","f":1,"yes":false,"at":1767225600,"day":null,"raw":null,"loose":"x"}`,
			`{"id":9007199254740993,"code":"00123","f":0.1,"yes":true,"at":"2026-02-28 12:00","day":"2026-02-28","raw":"\\xdead","loose":1e+300}`,
		}
		if diff := cmp.Diff(want, []string{string(got[0].Data), string(got[1].Data)}); diff != "" {
			t.Errorf("types (-want +got):\n%s", diff)
		}
	})
}

func TestBadRowsAreProblemsOfTheirOwn(t *testing.T) {
	onBoth(t, func(b *base) {
		b.exec(`CREATE TABLE odd (id TEXT, note TEXT)`)
		b.exec(`INSERT INTO odd VALUES ('a', 'fine'), ('b', '` + strings.Repeat("long ", 2000) + `'), (NULL, 'lost'), (NULL, 'lost too')`)
		all, _ := b.pass(b.client(2, Stream{Table: "odd", ID: []string{"id"}}), nil)
		if len(all) != 3 || all[0].Problem != "" || !strings.Contains(all[1].Problem, "longer than 4096 bytes") || all[1].ID != "b" || !strings.HasPrefix(all[2].Problem, "2 rows have no id") {
			b.Errorf("records %+v; want one good, one too long, one that tells of 2 rows without id", all)
		}
		if !b.postgres {
			b.exec(`INSERT INTO odd VALUES ('c', CAST(x'ff41' AS TEXT))`)
			all, _ = b.pass(b.client(10, Stream{Table: "odd", ID: []string{"id"}}), nil)
			if !strings.Contains(all[2].Problem, "column note") {
				b.Errorf("bad UTF-8: problem %q, want one of column note", all[2].Problem)
			}
		}
	})
}

func TestPageStopsAtEightMebibytes(t *testing.T) {
	onBoth(t, func(b *base) {
		b.exec(`CREATE TABLE wide (id INTEGER PRIMARY KEY, note TEXT)`)
		b.exec(`INSERT INTO wide SELECT n, ` + b.either("repeat('x', 3900)", "hex(zeroblob(1950))") + ` FROM (WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 2300) SELECT n FROM g) AS s`)
		c := b.client(10000, Stream{Table: "wide", ID: []string{"id"}})
		page, err := c.Pull(b.Context(), "company", nil)
		if err != nil {
			b.Fatal(err)
		}
		if n := len(page.Records); !page.More || n < 2000 || n > 2299 {
			b.Errorf("first page has %d rows, more %v; want one that ends at 8 MiB", n, page.More)
		}
		if all, _ := b.pass(c, nil); len(all) != 2300 {
			b.Errorf("whole pass gives %d rows, want 2300", len(all))
		}
	})
}

func TestUpdateOnlyWhatStillStands(t *testing.T) {
	onBoth(t, func(b *base) {
		b.seven()
		c := b.client(10, Stream{Table: "customers", ID: []string{"id"}})
		change := func(id string, fields, base map[string]any) connectors.Result {
			b.Helper()
			return b.push(c, record.Change{Op: record.Update, ExternalID: id, Fields: fields, Base: base})
		}
		evil := `'); DROP TABLE customers; --`
		if r := change("1", map[string]any{"phone": evil, "gone": true}, map[string]any{"phone": "1", "gone": false}); r.Outcome != connectors.Applied {
			b.Errorf("update: %+v, want applied", r)
		}
		if got := b.cell(`SELECT phone FROM customers WHERE id = 1`); got != evil {
			b.Errorf("phone %q, want %q", got, evil)
		}
		if got := b.cell(`SELECT name FROM customers WHERE id = 1`); got != "A" {
			b.Errorf("name %q, want it left alone", got)
		}
		if r := change("1", map[string]any{"phone": "x"}, map[string]any{"phone": "1"}); r.Outcome != connectors.Conflict || !errors.Is(r.Err, connectors.ErrConflict) {
			b.Errorf("update on a base that is gone: %+v, want conflict", r)
		}
		if r := change("3", map[string]any{"gone": false, "updated_at": "2026-03-01 10:00:00"}, map[string]any{"gone": nil, "updated_at": nil}); r.Outcome != connectors.Applied {
			b.Errorf("update on a base of nulls: %+v, want applied", r)
		}
		if r := change("3", map[string]any{"gone": nil}, map[string]any{"gone": nil}); r.Outcome != connectors.Conflict {
			b.Errorf("null expected, false there: %+v, want conflict", r)
		}
		for _, id := range []string{"99", "x", "9999999999999999999999"} {
			if r := change(id, map[string]any{"phone": "x"}, nil); r.Outcome != connectors.Rejected || !errors.Is(r.Err, record.ErrNotFound) {
				b.Errorf("update of row %q: %+v, want rejected, not found", id, r)
			}
			if got, err := c.Read(b.Context(), "company", []string{id}); err != nil || len(got) != 0 {
				b.Errorf("Read(%q) = %v, %v; want nothing", id, got, err)
			}
		}
		if r := change("1", map[string]any{"phon": "x"}, nil); r.Outcome != connectors.Rejected || !strings.Contains(r.Err.Error(), "no column phon") {
			b.Errorf("update of an unknown column: %+v, want rejected", r)
		}
	})
}

// push writes one change and gives its result.
func (b *base) push(c *Client, change record.Change) connectors.Result {
	b.Helper()
	change.Entity, change.Row = "company", "row"
	results, err := c.Push(b.Context(), []record.Change{change})
	if err != nil || len(results) != 1 || results[0].Row != "row" {
		b.Fatalf("push: %+v, %v; want one result of the row", results, err)
	}
	return results[0]
}

// TestEveryTypeCanBeItsOwnPrecondition: what was read is found again.
func TestEveryTypeCanBeItsOwnPrecondition(t *testing.T) {
	onBoth(t, func(b *base) {
		b.exec(b.either(
			`CREATE TABLE types (id INTEGER PRIMARY KEY, n NUMERIC, f DOUBLE PRECISION, yes BOOLEAN, day DATE, at TIMESTAMPTZ, j JSON, jb JSONB, list TEXT[], t TEXT)`,
			`CREATE TABLE types (id INTEGER PRIMARY KEY, n NUMERIC, f REAL, yes BOOLEAN, day DATE, at TIMESTAMP, j TEXT, jb TEXT, list TEXT, t TEXT)`))
		b.exec(`INSERT INTO types VALUES (1, 1.50, 0.1, true, '2026-02-28', '2026-02-28 12:00:00.5+08', 'null', '{"b": 1, "a": "x"}', ` + b.either(`'{x,y}'`, `'x'`) + `, 'a"b\c' || ` + b.either("chr(10)", "char(10)") + ` || '你')`)
		c := b.client(10, Stream{Table: "types", ID: []string{"id"}})
		all, _ := b.pass(c, nil)
		base, err := record.DecodeObject(all[0].Data)
		if err != nil {
			b.Fatal(err)
		}
		for name, v := range base {
			if name == "id" {
				continue
			}
			r := b.push(c, record.Change{Op: record.Update, ExternalID: "1", Fields: map[string]any{"t": base["t"]}, Base: map[string]any{name: v}})
			if r.Outcome != connectors.Applied {
				b.Errorf("with %s = %v as precondition: %+v, want applied", name, v, r)
			}
		}
		if r := b.push(c, record.Change{Op: record.Update, ExternalID: "1", Fields: map[string]any{"n": json.Number("12345678901234567.25"), "yes": false, "day": "2027-01-01", "jb": map[string]any{"c": json.Number("1.10")}}, Base: base}); r.Outcome != connectors.Applied {
			b.Errorf("update of several types: %+v, want applied", r)
		}
		read, err := c.Read(b.Context(), "company", []string{"1"})
		if err != nil || len(read) != 1 {
			b.Fatal(read, err)
		}
		if want := b.either(`"n":12345678901234567.25,"f":0.1,"yes":false,"day":"2027-01-01"`, `"f":0.1,"yes":false,"day":"2027-01-01"`); !strings.Contains(string(read[0].Data), want) {
			b.Errorf("after the update %s, want it to hold %s", read[0].Data, want)
		}
	})
}

func TestVersionGuards(t *testing.T) {
	onBoth(t, func(b *base) {
		b.seven()
		version := "xmin"
		if !b.postgres {
			b.exec(`ALTER TABLE customers ADD COLUMN v INTEGER DEFAULT 1`)
			b.exec(`CREATE TRIGGER bump AFTER UPDATE ON customers WHEN new.v = old.v BEGIN UPDATE customers SET v = v + 1 WHERE id = new.id; END`)
			version = "v"
		}
		c := b.client(10, Stream{Table: "customers", ID: []string{"id"}, Version: version})
		if !c.Class("company").Conditional {
			b.Error("class is not conditional with a version column")
		}
		read, err := c.Read(b.Context(), "company", []string{"1"})
		if err != nil || len(read) != 1 || read[0].Version == "" {
			b.Fatalf("Read = %+v, %v; want a row with its version", read, err)
		}
		first := b.push(c, record.Change{Op: record.Update, ExternalID: "1", Precondition: read[0].Version, Fields: map[string]any{"phone": "2"}})
		if first.Outcome != connectors.Applied || first.Version == "" || first.Version == read[0].Version {
			b.Fatalf("update: %+v, want applied with a version after %s", first, read[0].Version)
		}
		if r := b.push(c, record.Change{Op: record.Update, ExternalID: "1", Precondition: read[0].Version, Fields: map[string]any{"phone": "3"}}); r.Outcome != connectors.Conflict {
			b.Errorf("update of an old version: %+v, want conflict", r)
		}
		if r := b.push(c, record.Change{Op: record.Update, ExternalID: "1", Precondition: first.Version, Fields: map[string]any{"phone": "4"}}); r.Outcome != connectors.Applied {
			b.Errorf("update of the version that a write gave: %+v, want applied", r)
		}
	})
}

func TestCreateNeverTwice(t *testing.T) {
	onBoth(t, func(b *base) {
		b.exec(b.either(`CREATE TABLE c (id SERIAL PRIMARY KEY, name TEXT NOT NULL, vat TEXT UNIQUE, ours TEXT UNIQUE)`,
			`CREATE TABLE c (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, vat TEXT UNIQUE, ours TEXT UNIQUE)`))
		c := b.client(10, Stream{Table: "c", ID: []string{"id"}, Key: "ours", Unique: true})
		if class := c.Class("company"); !class.UniqueKey || !class.Searchable || c.KeyField("company") != "ours" {
			b.Errorf("class %+v, key field %q; want unique, searchable, ours", class, c.KeyField("company"))
		}
		create := func(op record.Op, key string, fields map[string]any) connectors.Result {
			b.Helper()
			return b.push(c, record.Change{Op: op, Key: key, Fields: fields})
		}
		made := create(record.Create, "k1", map[string]any{"name": "Ada", "vat": "V1"})
		if made.Outcome != connectors.Applied || made.ExternalID != "1" {
			b.Fatalf("create: %+v, want row 1", made)
		}
		if r := create(record.Create, "k1", map[string]any{"name": "Ada"}); r.Outcome != connectors.Exists || r.ExternalID != "1" {
			b.Errorf("create with the same key: %+v, want exists 1", r)
		}
		r := create(record.Create, "k2", map[string]any{"name": "Private Name", "vat": "V1"})
		if r.Outcome != connectors.Rejected || strings.Contains(r.Err.Error(), "V1") || strings.Contains(r.Err.Error(), "Private") {
			b.Errorf("create against another unique column: %+v, want rejected without values", r)
		}
		if r := create(record.Create, "k3", map[string]any{"vat": "V3"}); r.Outcome != connectors.Rejected || !strings.Contains(r.Err.Error(), "name") {
			b.Errorf("create without a name: %+v, want rejected, naming the column", r)
		}
		if r := create(record.Upsert, "k1", map[string]any{"name": "Ada L."}); r.Outcome != connectors.Applied || r.ExternalID != "1" {
			b.Errorf("upsert: %+v, want row 1", r)
		}
		if got := b.cell(`SELECT name || count(*) OVER () FROM c`); got != "Ada L.1" {
			b.Errorf("table holds %q, want Ada L. alone", got)
		}
		for key, want := range map[string]string{"k1": "1", "k2": ""} {
			if found, err := c.FindByKey(b.Context(), "company", key); err != nil || ids(found) != want {
				b.Errorf("FindByKey(%s) = %q, %v; want %q", key, ids(found), err, want)
			}
		}
	})
}

func TestKeyThatIsNotUniqueIsFoundOut(t *testing.T) {
	onBoth(t, func(b *base) {
		b.exec(b.either(`CREATE TABLE c (id SERIAL PRIMARY KEY, name TEXT, ours TEXT)`, `CREATE TABLE c (id INTEGER PRIMARY KEY, name TEXT, ours TEXT)`))
		c := b.client(10, Stream{Table: "c", ID: []string{"id"}, Key: "ours", Unique: true})
		if r := b.push(c, record.Change{Op: record.Create, Key: "k", Fields: map[string]any{"name": "x"}}); r.Outcome != connectors.Rejected {
			b.Errorf("create with unique_key and no unique index: %+v, want rejected", r)
		}
		c = b.client(10, Stream{Table: "c", ID: []string{"id"}, Key: "ours"})
		if r := b.push(c, record.Change{Op: record.Create, Key: "k", Fields: map[string]any{"name": "x"}}); r.Outcome != connectors.Applied {
			b.Errorf("create: %+v, want applied", r)
		}
	})
}

func TestLockedRowIsTriedLater(t *testing.T) {
	onBoth(t, func(b *base) {
		b.seven()
		c := b.client(10, Stream{Table: "customers", ID: []string{"id"}})
		c.opts.Timeout = config.Duration(300 * time.Millisecond)
		if p, ok := c.engine.(postgres); ok {
			p.timeout = 300 * time.Millisecond
			c.engine = p
		} else {
			e := c.engine.(sqlite)
			e.timeout = 100 * time.Millisecond
			c.engine = e
			_ = c.write.Close()
			c.write = e.open(true)
		}
		tx, err := b.db.BeginTx(b.Context(), nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tx.ExecContext(b.Context(), `UPDATE customers SET phone = 'held' WHERE id = 1`); err != nil {
			b.Fatal(err)
		}
		r := b.push(c, record.Change{Op: record.Update, ExternalID: "1", Fields: map[string]any{"phone": "x"}})
		if r.Outcome != connectors.Retry {
			b.Errorf("update of a locked row: %+v, want retry", r)
		}
		if err := tx.Rollback(); err != nil {
			b.Fatal(err)
		}
		if r := b.push(c, record.Change{Op: record.Update, ExternalID: "1", Fields: map[string]any{"phone": "x"}}); r.Outcome != connectors.Applied {
			b.Errorf("update once it is free: %+v, want applied", r)
		}
	})
}

func TestOwnStoreIsRefused(t *testing.T) {
	onBoth(t, func(b *base) {
		for _, name := range ownTables() {
			b.exec(`CREATE TABLE ` + name + ` (id INTEGER PRIMARY KEY, note TEXT)`)
		}
		c := b.client(10, Stream{Table: "crosswalk", ID: []string{"id"}})
		if _, err := c.Pull(b.Context(), "company", nil); err == nil || !strings.Contains(err.Error(), "store of Touchstone") {
			b.Errorf("pull from a store: %v, want it refused", err)
		}
		r := b.push(c, record.Change{Op: record.Create, Fields: map[string]any{"note": "x"}})
		if r.Outcome != connectors.Retry || !errors.Is(r.Err, connectors.ErrNotSent) || b.cell(`SELECT count(*) FROM crosswalk`) != "0" {
			b.Errorf("push to a store: %+v, want it not sent", r)
		}
	})
}

func TestNothingIsThere(t *testing.T) {
	dir := t.TempDir()
	open := func(dsn string) *Client {
		c, err := Open("erp", dir, Options{DSN: config.NewSecret(dsn), PageSize: 10, Timeout: config.Duration(2 * time.Second), MaxRecord: 4096, Streams: []Stream{{Name: "company", Table: "t", ID: []string{"id"}}}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	wrong := strings.Replace(pgtest.DSN(t), "postgres://", "postgres://nobody:secret-word@", 1)
	if i := strings.LastIndex(wrong, "@"); i > len("postgres://nobody:secret-word") {
		wrong = "postgres://nobody:secret-word" + wrong[i:]
	}
	for name, c := range map[string]*Client{
		"no file": open("sqlite:none.db"), "no server": open("postgres://u:secret-word@127.0.0.1:1/x"), "no account": open(wrong),
	} {
		_, err := c.Pull(t.Context(), "company", nil)
		if err == nil || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: pull gives %v, want an error without the password", name, err)
		}
		results, err := c.Push(t.Context(), []record.Change{{Row: "1", Entity: "company", Op: record.Create, Fields: map[string]any{"a": "b"}}, {Row: "2", Entity: "company", Op: record.Create}})
		if err != nil || len(results) != 2 || results[0].Outcome != connectors.Retry || !errors.Is(results[1].Err, connectors.ErrNotSent) {
			t.Errorf("%s: push gives %+v, %v; want two that were not sent", name, results, err)
		}
		if auth := errors.Is(results[0].Err, connectors.ErrAuth); auth && name != "no account" {
			t.Errorf("%s: credentials are blamed: %v", name, results[0].Err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); err == nil {
		t.Error("a SQLite file was made")
	}
}

func TestReadingCannotWrite(t *testing.T) {
	onBoth(t, func(b *base) {
		b.seven()
		c := b.client(10, Stream{Table: "customers", ID: []string{"id"}})
		err := c.view(b.Context(), func(_ context.Context, tx *sql.Tx, _ string) error {
			_, err := tx.ExecContext(b.Context(), `UPDATE customers SET phone = 'x'`)
			return err
		})
		if err == nil || b.cell(`SELECT count(*) FROM customers WHERE phone = 'x'`) != "0" {
			b.Errorf("a write where only reading is meant: error %v, want one", err)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	parse := func(block string) []string {
		yaml := "sources:\n  erp:\n    type: sqldb\n" + block + "    entities: {company: {map: {name: record.name}}}\n"
		_, err := config.Parse("t.yaml", []byte(yaml), config.Options{Connectors: map[string]func(config.Source) error{"sqldb": func(s config.Source) error {
			var o Options
			return s.Options.Decode(&o)
		}}})
		var problems config.Problems
		errors.As(err, &problems)
		var out []string
		for _, p := range problems {
			out = append(out, p.String())
		}
		return out
	}
	for _, tt := range []struct{ block, want string }{
		{"    path: a.db\n    streams: {company: {table: t, id: [id]}}\n", ""},
		{"    streams: {company: {table: t, id: [id]}}\n", "dsn: is missing"},
		{"    path: a.db\n    dsn: sqlite:b.db\n    streams: {company: {table: t, id: [id]}}\n", "both given"},
		{"    path: ../a.db\n    streams: {company: {table: t, id: [id]}}\n", "leaves the folder"},
		{"    dsn: mysql://x:hunter2@y\n    streams: {company: {table: t, id: [id]}}\n", "want postgres://"},
		{"    path: a.db\n    streams: {company: {id: [id]}}\n", "table: is missing"},
		{"    path: a.db\n    streams: {company: {query: 'SELECT 1; SELECT 2', id: [id]}}\n", "semicolon"},
		{"    path: a.db\n    streams: {company: {table: a.b.c, id: [id]}}\n", "SCHEMA.NAME"},
		{"    path: a.db\n    streams: {company: {table: t, id: [id, id]}}\n", "each column once"},
		{"    path: a.db\n    streams: {company: {table: t, id: [id], unique_key: true}}\n", "needs key"},
		{"    path: a.db\n    streams: {company: {table: t, id: [id], lookback: 5m}}\n", "needs changed"},
		{"    path: a.db\n    streams: {company: {query: SELECT 1, id: [id], key: k}}\n", "needs table"},
	} {
		got := strings.Join(parse(tt.block), "\n")
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) || strings.Contains(got, "hunter2") {
			t.Errorf("problems of\n%s\nare %q, want %q", tt.block, got, tt.want)
		}
	}
}

func TestSampleIsInTheReadmeAndOpens(t *testing.T) {
	sample, err := os.ReadFile("sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```yaml\n"+string(sample)+"```\n") {
		t.Error("README.md does not hold sample.yaml as it is")
	}
	opened := 0
	_, err = config.Parse("sample.yaml", sample, config.Options{NoSecrets: true, Connectors: map[string]func(config.Source) error{"sqldb": func(s config.Source) error {
		var o Options
		if err := s.Options.Decode(&o); err != nil {
			return err
		}
		c, err := Open(s.Name, ".", o)
		if err != nil {
			return fmt.Errorf("open: %w", err)
		}
		opened++
		return c.Close()
	}}})
	if err != nil || opened != 1 {
		t.Errorf("sample.yaml: %v, opened %d; want one source that opens", err, opened)
	}
}

func TestBackKeepsTheForm(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"t:2026-01-01 00:00:00", "t:2025-12-31 23:55:00"},
		{"t:2026-01-01T00:00:00.250Z", "t:2025-12-31T23:55:00.250Z"},
		{"t:2026-01-01 00:00:00.123456+00", "t:2025-12-31 23:55:00.123456+00"},
		{"t:2026-01-02", "t:2026-01-01"},
		{"i:1767225600", "i:1767225300"},
		{"i:1767225600000", "i:1767225300000"},
		{"t:soon", ""},
	} {
		v, err := decodeValue(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := back(v, 5*time.Minute)
		if err != nil && tt.want == "" {
			continue
		}
		if err != nil || got.encode() != tt.want {
			t.Errorf("back(%s, 5m) = %s, %v; want %s", tt.in, got.encode(), err, tt.want)
		}
	}
	if !slices.Equal([]string{"a/b", "c%"}, must(compile(Stream{ID: []string{"x", "y"}}).splitID("a%2Fb/c%25"))) {
		t.Error("splitID does not undo id")
	}
}

func must(parts []string, ok bool) []string {
	if !ok {
		return nil
	}
	return parts
}
