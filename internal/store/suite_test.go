package store_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"touchstone/internal/env"
	"touchstone/internal/store"
	"touchstone/internal/store/pgtest"
	"touchstone/internal/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// engines are where the suite runs; each gives the address of a fresh store,
// whose schema has been brought up already.
func engines() []engine {
	return []engine{
		{"sqlite", func(t testing.TB) string {
			path := filepath.Join(t.TempDir(), "store.db")
			storetest.SQLite(t, path)
			return path
		}},
		{"postgres", storetest.Postgres},
	}
}

type engine struct {
	name string
	dsn  func(t testing.TB) string
}

func open(t testing.TB, dsn string, e env.Env) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), dsn, storetest.Vault(), e)
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

func bench(t *testing.T, dsn string, seed byte) *storetest.Bench {
	t.Helper()
	e, clock := storetest.Env(seed)
	return &storetest.Bench{T: t, DB: open(t, dsn, e), Clock: clock}
}

func TestSuite(t *testing.T) {
	for _, eng := range engines() {
		t.Run(eng.name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T, e env.Env) *store.DB { return open(t, eng.dsn(t), e) })
		})
	}
}
