package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"touchstone/internal/env"
	"touchstone/internal/seal"
	"touchstone/internal/store/pgtest"
)

// failingCommits makes connections whose next commit answers with an error.
// When kept is set the commit takes place all the same, as after a failed
// fsync whose bytes were written.
type failingCommits struct {
	sqliteConnector
	kept bool
}

func (f failingCommits) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.sqliteConnector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn := c.(*sqlite3.SQLiteConn)
	if !f.kept {
		conn.RegisterCommitHook(func() int { return 1 }) // SQLite rolls back and answers with an error
		return conn, nil
	}
	return lyingConn{conn}, nil
}

type lyingConn struct{ *sqlite3.SQLiteConn }

func (c lyingConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.SQLiteConn.BeginTx(ctx, opts)
	return lyingTx{tx}, err
}

type lyingTx struct{ driver.Tx }

var errDisk = errors.New("input/output error")

func (t lyingTx) Commit() error { return errors.Join(t.Tx.Commit(), errDisk) }

func openBare(t *testing.T, dsn string) *DB {
	t.Helper()
	db, err := Open(t.Context(), dsn, seal.New([32]byte{1}), env.Real())
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

// checkSetting reads a value through both pools and writes another.
func checkSetting(t *testing.T, db *DB, want string) {
	t.Helper()
	if got, err := db.Setting(t.Context(), "name"); err != nil || got != want {
		t.Errorf("setting after the failed commit = %q, %v, want %q", got, err, want)
	}
	if _, err := db.Sources(t.Context()); err != nil {
		t.Errorf("reading after the failed commit: %v", err)
	}
	if err := db.SetSetting(t.Context(), "name", "after"); err != nil {
		t.Errorf("writing after the failed commit: %v", err)
	}
}

// TestFailedCommitIsAmbiguous makes COMMIT answer with an error, once with the
// transaction lost and once with it kept: the store cannot know, says so, opens
// its pools anew and goes on with what the file holds.
func TestFailedCommitIsAmbiguous(t *testing.T) {
	for _, tt := range []struct {
		name string
		kept bool
		want string
	}{{"lost", false, "before"}, {"kept", true, "during"}} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store.db")
			db := openBare(t, path)
			if err := db.SetSetting(t.Context(), "name", "before"); err != nil {
				t.Fatal(err)
			}
			if err := db.write.Close(); err != nil {
				t.Fatal(err)
			}
			db.write = sql.OpenDB(failingCommits{sqliteConnector{dsn: sqliteDSN(path, true)}, tt.kept})
			db.write.SetMaxOpenConns(1)
			write, read := db.write, db.read
			err := db.SetSetting(t.Context(), "name", "during")
			if !errors.Is(err, ErrAmbiguous) {
				t.Fatalf("write whose commit failed = %v, want ErrAmbiguous", err)
			}
			if db.write == write || db.read == read {
				t.Error("the pools were not opened anew")
			}
			if err := write.PingContext(t.Context()); err == nil {
				t.Error("the pool whose commit failed is still open")
			}
			checkSetting(t, db, tt.want)
		})
	}
}

// TestFailedCommitOnPostgres ends the connection before its commit.
func TestFailedCommitOnPostgres(t *testing.T) {
	db := openBare(t, pgtest.DSN(t))
	ctx := t.Context()
	if err := db.SetSetting(ctx, "name", "before"); err != nil {
		t.Fatal(err)
	}
	err := db.inTx(ctx, func(tx *Tx) error {
		if err := tx.setSetting(ctx, "name", "during"); err != nil {
			return err
		}
		var pid int
		if _, err := tx.one(ctx, `SELECT pg_backend_pid()`, nil, &pid); err != nil {
			return err
		}
		_, err := db.write.ExecContext(ctx, `SELECT pg_terminate_backend($1, 5000)`, pid)
		return err
	})
	if !errors.Is(err, ErrAmbiguous) {
		t.Fatalf("write whose connection broke = %v, want ErrAmbiguous", err)
	}
	checkSetting(t, db, "before")
}

// TestCancelledWriteKeepsNothing ends the context inside the transaction.
func TestCancelledWriteKeepsNothing(t *testing.T) {
	db := openBare(t, filepath.Join(t.TempDir(), "store.db"))
	if err := db.SetSetting(t.Context(), "name", "before"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := db.inTx(ctx, func(tx *Tx) error {
		err := tx.setSetting(ctx, "name", "during")
		cancel()
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled write = %v, want %v", err, context.Canceled)
	}
	checkSetting(t, db, "before")
}
