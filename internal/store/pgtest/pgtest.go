// Package pgtest gives tests a real PostgreSQL: one cluster for a test binary,
// one fresh schema for a test. TOUCHSTONE_TEST_POSTGRES names a server to use
// instead of starting one.
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
)

// Variable names a PostgreSQL server that tests may make schemas in.
const Variable = "TOUCHSTONE_TEST_POSTGRES"

// the one cluster of this test binary: tests have no other place to share it.
var shared struct {
	once    sync.Once
	cluster *cluster
	dsn     string
	err     error
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
	shared.once.Do(func() {
		if shared.dsn = os.Getenv(Variable); shared.dsn != "" {
			return
		}
		if shared.cluster, shared.err = start(); shared.err == nil {
			shared.dsn = shared.cluster.dsn()
		}
	})
	if shared.err != nil {
		t.Fatalf("PostgreSQL for tests: %v", shared.err)
	}
	var b [6]byte
	_, _ = rand.Read(b[:])
	schema := "t" + hex.EncodeToString(b[:])
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
