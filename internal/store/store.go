// Package store remembers: facts, what is derived from them, and progress, in
// SQLite or PostgreSQL behind one SQL text. Exported methods own their
// transaction; unexported helpers take it.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/internal/seal"
)

// DB is one store.
type DB struct {
	dsn   string
	env   env.Env
	vault *seal.Vault
	d     *dialect

	reach []keptScope // whose customers are kept

	mu    sync.RWMutex // guards the pools against reopening
	write *sql.DB      // one connection on SQLite
	read  *sql.DB

	answers *sql.DB // gives recorded answers as rows, over no connection

	epoch   atomic.Int64 // of the lease this process holds; 0 for none
	session *sql.Conn    // holds the lease's lock, on PostgreSQL

	commits, committing atomic.Int64 // their number, and nanoseconds
	writing             atomic.Int64 // nanoseconds of transactions, with their commits

	turns       turns // at SQLite's writer
	checkpoints checkpoints
	kept        *keptFeatures
	postings    keptPostings
}

// ErrAmbiguous says that a commit answered with an error and may have been
// kept all the same. Nothing in memory can be trusted: read again from the
// store and go on from there.
var ErrAmbiguous = errors.New("the commit answered with an error and may or may not have been kept")

// Open opens the store, bringing its schema up to date. DSN is the path of a
// SQLite file or a postgres:// address.
func Open(ctx context.Context, dsn string, vault *seal.Vault, e env.Env) (*DB, error) {
	db := &DB{dsn: dsn, env: e, vault: vault, d: sqliteDialect(), kept: newKeptFeatures(DefaultKept), postings: keptPostings{most: DefaultKept / 2}}
	if isPostgres(dsn) {
		db.d = postgresDialect()
	}
	pool, err := db.d.open(dsn, true, func() {})
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := migrate(ctx, db.d, pool); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", hideDSN(dsn), err), pool.Close())
	}
	if db.d.columns, err = readColumns(ctx, db.d, pool); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", hideDSN(dsn), err), pool.Close())
	}
	if err := pool.Close(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := db.connect(); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.answers = sql.OpenDB(recordings{})
	if err := db.claimKey(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: %w", err), db.Close())
	}
	return db, nil
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// hideDSN names the store without its password.
func hideDSN(dsn string) string {
	if isPostgres(dsn) {
		return "on PostgreSQL"
	}
	return dsn
}

func (db *DB) connect() (err error) {
	// Readers have connections of their own: writers who wait for each other leave
	// them alone.
	if db.write, err = db.d.open(db.dsn, true, db.cut); err != nil {
		return err
	}
	db.read, err = db.d.open(db.dsn, false, db.cut)
	return err
}

// claimKey refuses a store that was sealed with another installation key:
// its rows would open to nothing, and new ones would make a mix.
func (db *DB) claimKey(ctx context.Context) error {
	const name = "installation_key_check"
	mine := fmt.Sprintf("%x", db.vault.MAC("store")[:16])
	return db.inTx(ctx, func(tx *Tx) error {
		have, err := tx.setting(ctx, name)
		switch {
		case err != nil:
			return err
		case have == "":
			if err := tx.setSetting(ctx, name, mine); err != nil {
				return err
			}
		case have != mine:
			return errors.New("this store was sealed with another installation key: put the installation.key that belongs to it into the data folder")
		}
		return tx.keyHashes(ctx)
	})
}

// Close gives the lease back and closes the store.
func (db *DB) Close() error {
	err := db.leave()
	db.mu.Lock()
	defer db.mu.Unlock()
	return errors.Join(err, db.disconnect(), db.answers.Close())
}

func (db *DB) disconnect() error {
	return errors.Join(db.write.Close(), db.read.Close())
}

// Engine is "sqlite" or "postgres".
func (db *DB) Engine() string { return db.d.name }

// Tx is one transaction. Now is its one time.
type Tx struct {
	db     *DB
	tx     *sql.Tx
	now    string
	events eventCache // nil: nothing is kept

	featureNumber int64   // of the change of features; 0: none is changed
	holding       []int64 // the records whose features are
	postingNumber int64   // of the change of posting lists; 0: none is changed

	bundling
	numbers
}

// inTx runs fn in one writing transaction and commits it.
func (db *DB) inTx(ctx context.Context, fn func(*Tx) error) error {
	return db.inTxAt(ctx, db.env.Clock.Now(), fn)
}

// InTxAt runs fn in one writing transaction of a given time and commits it. It has
// begun, and nobody else has taken the store over, before fn runs.
func (db *DB) InTxAt(ctx context.Context, now time.Time, fn func(*Tx) error) error {
	return db.inTxAt(ctx, now, func(tx *Tx) error {
		if err := tx.flush(ctx); err != nil {
			return err
		}
		return fn(tx)
	})
}

func (db *DB) inTxAt(ctx context.Context, now time.Time, fn func(*Tx) error) error {
	err := db.tryTx(ctx, now, fn)
	if errors.Is(err, ErrAmbiguous) && db.d.name == "sqlite" {
		db.mu.Lock()
		defer db.mu.Unlock()
		if e := db.disconnect(); e != nil {
			return errors.Join(err, e)
		}
		return errors.Join(err, db.connect())
	}
	return err
}

func (db *DB) tryTx(ctx context.Context, now time.Time, fn func(*Tx) error) error {
	if collecting(ctx) {
		return errAhead
	}
	defer db.forgets(ctx)
	db.mu.RLock()
	defer db.mu.RUnlock()
	if db.d.name == "sqlite" {
		done, err := db.turns.take(ctx)
		if err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		defer done()
	}
	back, err := db.batched(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer back()
	stx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	tx := &Tx{db: db, tx: stx, now: formatTime(now)}
	held := env.Stopwatch()
	defer func() {
		db.kept.release(tx.holding)
		db.writing.Add(int64(held()))
	}()
	err = tx.fence(ctx)
	if err == nil {
		err = fn(tx)
	}
	if err == nil {
		err = tx.settle(ctx)
	}
	if err != nil {
		db.kept.undo(tx.featureNumber)
		return errors.Join(err, ignoreDone(stx.Rollback()))
	}
	took := env.Stopwatch()
	err = stx.Commit()
	db.commits.Add(1)
	db.committing.Add(int64(took()))
	switch {
	case err == nil:
		if db.d.name == "sqlite" {
			db.checkpoint(ctx)
		}
		return nil
	case errors.As(err, new(unkept)):
		db.kept.undo(tx.featureNumber)
		return err
	case errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil:
		db.kept.undo(tx.featureNumber)
		return fmt.Errorf("commit: %w", ctx.Err()) // rolled back before the commit began
	default:
		db.kept.undo(tx.featureNumber)
		db.kept.lose()
		return fmt.Errorf("commit: %w: %w", ErrAmbiguous, err)
	}
}

// Commits says how many transactions were committed through this DB, and how
// long that took: most of it is waiting for the disk.
func (db *DB) Commits() (n int64, took time.Duration) {
	return db.commits.Load(), time.Duration(db.committing.Load())
}

// Writing says how long writing transactions have taken, with their commits: on
// SQLite, where one follows the other, for how long the writer was busy.
func (db *DB) Writing() time.Duration { return time.Duration(db.writing.Load()) }

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// view runs fn with a reader; each query sees the latest committed state. Where the
// connection was cut before the first row, another one is asked.
func (db *DB) view(ctx context.Context, q string, args []any, scan func(*sql.Rows) error) error {
	args = cleanArgs(args)
	if collects(ctx, q, args) {
		return nil
	}
	db.mu.RLock()
	defer db.mu.RUnlock()
	if a, is := db.foreseen(ctx, q, args); is {
		return db.give(ctx, a, scan)
	}
	begun := false
	look := func() error {
		rows, err := db.read.QueryContext(ctx, db.d.text(q), args...)
		if err != nil {
			return err
		}
		return eachRow(rows, func(r *sql.Rows) error {
			begun = true
			return scan(r)
		})
	}
	err := look()
	if Lost(err) && !begun {
		err = look()
	}
	return err
}

func eachRow(rows *sql.Rows, scan func(*sql.Rows) error) (err error) {
	defer func() { err = closed(rows, err) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// closed closes rows, and gives the first error.
func closed(rows *sql.Rows, err error) error {
	if e := rows.Close(); err == nil {
		err = e
	}
	return err
}

// exec and query send their text as it is: both drivers keep prepared
// statements by text on each connection.
func (tx *Tx) exec(ctx context.Context, q string, args ...any) (int64, error) {
	if tx.collecting {
		return 0, errAhead
	}
	if err := tx.flush(ctx); err != nil {
		return 0, err
	}
	tx.changes(q)
	res, err := tx.tx.ExecContext(ctx, tx.db.d.text(q), cleanArgs(args)...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (tx *Tx) query(ctx context.Context, q string, args []any, scan func(*sql.Rows) error) error {
	args = cleanArgs(args)
	if tx.collecting {
		tx.unsent = append(tx.unsent, bundled{q: q, args: args})
		return nil
	}
	if a, is := tx.asked.take(q, args); is {
		return tx.db.give(ctx, a, scan)
	}
	if tx.changes(q); len(tx.unsent) > 0 {
		tx.unsent = append(tx.unsent, bundled{q: q, args: args, scan: scan})
		return tx.flush(ctx)
	}
	rows, err := tx.tx.QueryContext(ctx, tx.db.d.text(q), args...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

// one scans a single row and says whether there was one.
func (tx *Tx) one(ctx context.Context, q string, args []any, dest ...any) (bool, error) {
	found := false
	err := tx.query(ctx, q, args, func(r *sql.Rows) error {
		found = true
		return r.Scan(dest...)
	})
	return found, err
}

func cleanArgs(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case string:
			args[i] = clean(v)
		case bool:
			args[i] = 0
			if v {
				args[i] = 1
			}
		case []byte:
			if v == nil {
				args[i] = []byte{}
			}
		}
	}
	return args
}

func formatTime(t time.Time) string { return record.FormatTime(t) }

// TimeText is how the store writes a time.
func TimeText(t time.Time) string { return record.FormatTime(t) }
