package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/mattn/go-sqlite3"
)

// pgConnections is how many connections a pool has to a PostgreSQL server at most.
const pgConnections = 8

// open makes a pool. The pragmas stand in the DSN: set by Exec they would
// reach only one of the pooled connections. Cut is called when a connection to a
// PostgreSQL server turns out to be.
func (d *dialect) open(dsn string, write bool, cut func()) (*sql.DB, error) {
	if d.name == "postgres" {
		cfg, err := pgx.ParseConfig(dsn)
		if err != nil {
			return nil, fmt.Errorf("the postgres address cannot be read (its text is not shown, it may hold a password)")
		}
		pool := sql.OpenDB(pgConnector{stdlib.GetConnector(*cfg, stdlib.OptionAfterConnect(withoutJIT)), link{cut}})
		pool.SetMaxOpenConns(pgConnections)
		pool.SetMaxIdleConns(pgConnections)
		return pool, nil
	}
	pool := sql.OpenDB(sqliteConnector{dsn: sqliteDSN(dsn, write), pages: &d.pages})
	pool.SetMaxOpenConns(5) // one may be at a checkpoint
	if write {
		pool.SetMaxOpenConns(1)
	}
	pool.SetConnMaxLifetime(0)
	pool.SetMaxIdleConns(5)
	return pool, nil
}

// withoutJIT has statements run as they are: those that ask of each row what is
// reached are thought dear, and compiling one takes longer than running it. It is no
// parameter of the connection, which poolers in between refuse.
func withoutJIT(ctx context.Context, conn *pgx.Conn) error {
	if conn.Config().RuntimeParams["jit"] != "" { // the address says otherwise
		return nil
	}
	if _, err := conn.Exec(ctx, `SET jit = off`); err != nil {
		return fmt.Errorf("postgres session: %w", err)
	}
	return nil
}

type sqliteConnector struct {
	dsn   string
	pages *atomic.Int64 // the most the file may have; nil or 0 for no bound
}

// Connect opens a connection. Checkpoints of its own are for when those beside the
// writer do not keep up.
func (c sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := (&sqlite3.SQLiteDriver{}).Open(c.dsn)
	if err != nil {
		return nil, err
	}
	if e, ok := conn.(driver.ExecerContext); ok {
		if _, err := e.ExecContext(ctx, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d; ", mostLog)+maxPages(c.most()), nil); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

func (c sqliteConnector) most() int64 {
	if c.pages == nil {
		return 0
	}
	return c.pages.Load()
}

// pageSize is SQLite's, which we leave as it is.
const pageSize = 4096

func maxPages(n int64) string {
	if n <= 0 {
		n = 4294967294 // SQLite's own bound
	}
	return fmt.Sprintf("PRAGMA max_page_count = %d", n)
}

// SetMaxSize bounds a SQLite file, in bytes: work that needs more fails, loses
// nothing, and goes on when the bound is raised. 0 is no bound. PostgreSQL has
// bounds of its own.
func (db *DB) SetMaxSize(ctx context.Context, size int64) error {
	if db.d.name != "sqlite" {
		return nil
	}
	db.d.pages.Store(size / pageSize)
	db.mu.RLock()
	defer db.mu.RUnlock()
	if _, err := db.write.ExecContext(ctx, maxPages(size/pageSize)); err != nil {
		return fmt.Errorf("bound the store: %w", err)
	}
	return nil
}

func (c sqliteConnector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func sqliteDSN(path string, write bool) string {
	p := filepath.ToSlash(path)
	v := url.Values{}
	v.Set("_journal_mode", "WAL")
	v.Set("_synchronous", "FULL")   // NORMAL lost acknowledged commits at power loss
	v.Set("_busy_timeout", "30000") // a command beside a busy daemon waits its turn
	v.Set("_foreign_keys", "1")
	v.Set("_cache_size", "-32768")   // 32 MiB for each reader
	v.Set("_stmt_cache_size", "512") // preparing anew costs more than a point look-up
	if write {
		v.Set("_txlock", "immediate")
		v.Set("_cache_size", "-131072") // 128 MiB for the one writer
	} else {
		v.Set("_query_only", "1")
	}
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(p) + "?" + v.Encode()
}
