// Package pgtest gives tests a real PostgreSQL: one cluster for a test binary,
// one fresh schema for a test, or a database that was filled before.
// TOUCHSTONE_TEST_POSTGRES names a server to use instead of starting one.
//
// A test binary that uses it has
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
// and asks for pgtest.DSN(t). Where PostgreSQL is missing the test fails and
// says what to install.
package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Variable names a PostgreSQL server that tests may make schemas in.
const Variable = "TOUCHSTONE_TEST_POSTGRES"

// the one cluster of this test binary: tests have no other place to share it.
var shared struct {
	once    sync.Once
	cluster *cluster
	dsn     string
	err     error

	mu   sync.Mutex
	free []string // names of databases that are as they were filled
}

// Main runs the tests and stops the cluster if one was started. It gives the
// exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.cluster == nil {
		return code
	}
	if err := shared.cluster.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop PostgreSQL:", err)
		return max(code, 1)
	}
	return code
}

// DSN gives the address of a fresh, empty schema, which is dropped when the
// test ends.
func DSN(t testing.TB) string {
	t.Helper()
	server(t)
	schema := name()
	if err := execute(shared.dsn, "CREATE SCHEMA "+schema); err != nil {
		t.Fatalf("make a schema: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(shared.dsn, "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			t.Errorf("drop the schema: %v", err)
		}
	})
	dsn, err := withSchema(shared.dsn, schema)
	if err != nil {
		t.Fatalf("PostgreSQL for tests: %v", err)
	}
	return dsn
}

// Filled gives the address of a database that is as fill leaves an empty one: fill is
// always the same one, and leaves no connection open. Filling takes longer than most
// tests. So what a test has written is taken out when it ends, and another test
// gets the database; one whose tables the test has changed is dropped. On a
// server that was named, where we may make no databases perhaps, fill fills a fresh schema.
func Filled(t testing.TB, fill func(dsn string) error) string {
	t.Helper()
	server(t)
	if shared.cluster == nil {
		dsn := DSN(t)
		if err := fill(dsn); err != nil {
			t.Fatalf("fill a schema: %v", err)
		}
		return dsn
	}
	own := takeFree()
	if own == "" {
		own = name()
		if err := errors.Join(execute(shared.dsn, "CREATE DATABASE "+own), fill(shared.cluster.database(own)), execute(shared.cluster.database(own), keep)); err != nil {
			t.Fatalf("fill a database: %v", err)
		}
	}
	t.Cleanup(func() {
		err := execute(shared.cluster.database(own), putBack)
		var said *pgconn.PgError
		switch {
		case err == nil:
			shared.mu.Lock()
			defer shared.mu.Unlock()
			shared.free = append(shared.free, own)
			return
		case !errors.As(err, &said) || said.Message != changed:
			t.Errorf("take out what the test has written: %v", err)
		}
		if err := execute(shared.dsn, "DROP DATABASE "+own+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	return shared.cluster.database(own)
}

func takeFree() string {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	n := len(shared.free)
	if n == 0 {
		return ""
	}
	own := shared.free[n-1]
	shared.free = shared.free[:n-1]
	return own
}

// changed is what putBack says of a database whose tables were changed.
const changed = "the test has changed tables"

// keep sets aside the rows of a database that was just filled, and has every later
// change of its tables noted.
const keep = `
CREATE SCHEMA kept;
CREATE TABLE kept.change (tag text);
DO $$ DECLARE r record; filled boolean; BEGIN
	FOR r IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I)', r.relname) INTO filled;
		IF filled THEN EXECUTE format('CREATE TABLE kept.%I AS TABLE public.%I', 'rows_' || r.relname, r.relname); END IF;
	END LOOP;
END $$;
CREATE FUNCTION kept.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
	INSERT INTO kept.change VALUES (tg_tag);
END $$;
CREATE EVENT TRIGGER kept_note ON ddl_command_end EXECUTE FUNCTION kept.note();`

// putBack ends whoever is still connected, and makes the rows those that were set
// aside. A table without a file has never had a row, or was emptied like this.
const putBack = `
DO $$ DECLARE r record; list text; BEGIN
	PERFORM pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
	IF EXISTS (SELECT 1 FROM kept.change) THEN RAISE EXCEPTION '` + changed + `'; END IF;
	SET LOCAL session_replication_role = replica;
	SELECT string_agg(format('public.%I', relname), ', ') INTO list FROM pg_class
		WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0;
	IF list IS NOT NULL THEN EXECUTE 'TRUNCATE ' || list || ' CASCADE'; END IF;
	FOR r IN SELECT relname, substr(relname, 6) AS of FROM pg_class WHERE relnamespace = 'kept'::regnamespace AND relname LIKE 'rows\_%' LOOP
		EXECUTE format('INSERT INTO public.%I SELECT * FROM kept.%I', r.of, r.relname);
	END LOOP;
END $$`

// server starts the cluster if none was named.
func server(t testing.TB) {
	t.Helper()
	shared.once.Do(func() {
		if shared.dsn = os.Getenv(Variable); shared.dsn != "" {
			return
		}
		if shared.cluster, shared.err = start(); shared.err == nil {
			shared.dsn = shared.cluster.database("postgres")
		}
	})
	if shared.err != nil {
		t.Fatalf("PostgreSQL for tests: %v", shared.err)
	}
}

// name is one that no schema and no database has.
func name() string {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return "t" + hex.EncodeToString(b[:])
}

// withSchema adds the search path to an address.
func withSchema(dsn, schema string) (string, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return "", errors.New(Variable + " is no postgres:// address")
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// execute runs one statement on a connection of its own.
func execute(dsn, statement string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	return err
}
