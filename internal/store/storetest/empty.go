package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"touchstone/internal/store"
	"touchstone/internal/store/pgtest"
)

// file is an empty SQLite store, which is made once for a test binary: bringing a
// schema up from nothing takes longer than most tests.
var file struct {
	once  sync.Once
	bytes []byte
	err   error
}

// SQLite puts an empty store at a path. It belongs to the first that opens it, like
// one that is not there yet.
func SQLite(t testing.TB, path string) {
	t.Helper()
	file.once.Do(func() { file.bytes, file.err = emptyFile() })
	if file.err != nil {
		t.Fatalf("make an empty store: %v", file.err)
	}
	if err := os.WriteFile(path, file.bytes, 0o644); err != nil {
		t.Fatalf("make an empty store: %v", err)
	}
}

func emptyFile() (_ []byte, err error) {
	dir, err := os.MkdirTemp("", "touchstone-store-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "store.db")
	if err := empty("sqlite3", path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// Postgres gives the address of an empty store on PostgreSQL, which is the test's
// until it ends. It belongs to the first that opens it, like an empty schema.
func Postgres(t testing.TB) string {
	t.Helper()
	return pgtest.Filled(t, func(dsn string) error { return empty("pgx", dsn) })
}

// empty makes a store and takes from it what it holds of who made it.
func empty(driver, dsn string) (err error) {
	e, _ := Env(0)
	db, err := store.Open(context.Background(), dsn, Vault(), e)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	pool, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if _, err := pool.ExecContext(context.Background(), `DELETE FROM setting`); err != nil {
		return fmt.Errorf("take the settings out: %w", err)
	}
	return nil
}
