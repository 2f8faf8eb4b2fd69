package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"touchstone/internal/env"
	"touchstone/internal/seal"
)

// notCopied says what a copy leaves out: who works on the store is no part of
// what it holds, and kept counts follow what is copied.
var notCopied = []string{"lease", "lease_beat", "tally"}

var (
	createTable = regexp.MustCompile(`(?m)^CREATE TABLE (\w+)`)
	renameTable = regexp.MustCompile(`(?m)^ALTER TABLE (\w+) RENAME TO (\w+)`)
)

// copiedTables are all tables of the schema in the order the migrations make
// them. They are read from the migrations, so that a new table is never
// forgotten in a backup.
func copiedTables() (tables []string) {
	names, _ := fs.Glob(migrations, "migrations/*.sql") // the pattern is right
	slices.Sort(names)
	for _, name := range names {
		text, err := fs.ReadFile(migrations, name)
		if err != nil {
			panic("store: " + err.Error()) // embedded
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, m := range createTable.FindAllStringSubmatch(up, -1) {
			if !slices.Contains(notCopied, m[1]) && !slices.Contains(tables, m[1]) {
				tables = append(tables, m[1])
			}
		}
		for _, m := range renameTable.FindAllStringSubmatch(up, -1) {
			if i := slices.Index(tables, m[1]); i >= 0 {
				tables[i] = m[2]
			}
		}
	}
	return tables
}

// Copied says what a backup or its way back did.
type Copied struct {
	Tables int   `json:"tables"`
	Rows   int   `json:"rows"`
	Bytes  int64 `json:"bytes"`
}

// Backup writes the store as it is at one moment into a new SQLite file, while
// work goes on. The file appears under its name only when it is whole, checked
// and on the disk; a file that is there is never written over. It can be opened
// as a store, with the same installation key.
func (db *DB) Backup(ctx context.Context, path string) (c Copied, err error) {
	if _, err := os.Lstat(path); err == nil {
		return c, fmt.Errorf("backup: %s: %w", path, fs.ErrExist)
	}
	tmp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+db.env.ID()+".part")
	defer func() {
		for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
			if e := os.Remove(tmp + suffix); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}()
	// Made empty by us first: what SQLite makes itself others could read.
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return c, fmt.Errorf("backup: %w", err)
	}
	if err := f.Close(); err != nil {
		return c, fmt.Errorf("backup: %w", err)
	}
	if db.d.name == "sqlite" {
		err = db.vacuumInto(ctx, tmp)
	} else {
		err = db.dump(ctx, tmp)
	}
	if err != nil {
		return c, fmt.Errorf("backup: %w", err)
	}
	if c, err = examine(ctx, tmp); err != nil {
		return c, fmt.Errorf("backup: %w", err)
	}
	if err := syncFile(tmp); err != nil {
		return c, fmt.Errorf("backup: %w", err)
	}
	if err := os.Link(tmp, path); err != nil { // unlike a rename it never replaces
		return c, fmt.Errorf("backup: %w", err)
	}
	return c, syncFile(filepath.Dir(path))
}

// vacuumInto takes one reading transaction's view and writes it compactly.
func (db *DB) vacuumInto(ctx context.Context, path string) error {
	conn, err := sql.Open("sqlite3", strings.Replace(sqliteDSN(db.dsn, false), "_query_only=1", "_query_only=0", 1)) // VACUUM INTO counts as a write
	if err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `VACUUM INTO ?`, path)
	return errors.Join(err, conn.Close())
}

// dump copies every table as it is in one reading transaction of PostgreSQL.
func (db *DB) dump(ctx context.Context, path string) (err error) {
	to, err := Open(ctx, path, db.vault, db.env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	db.mu.RLock()
	defer db.mu.RUnlock()
	tx, err := db.write.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { err = errors.Join(err, ignoreDone(tx.Rollback())) }()
	_, err = fill(ctx, tx, to)
	return err
}

type querier interface {
	QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error)
}

// fill replaces the rows of every table of a store by another's. Both have the
// same schema: it was brought up to date when they were opened.
func fill(ctx context.Context, from querier, to *DB) (c Copied, err error) {
	for _, table := range copiedTables() {
		n, err := fillTable(ctx, from, to, table)
		if err != nil {
			return c, fmt.Errorf("copy %s: %w", table, err)
		}
		c.Tables++
		c.Rows += n
	}
	return c, nil
}

func fillTable(ctx context.Context, from querier, to *DB, table string) (n int, err error) {
	err = to.inTx(ctx, func(tx *Tx) error {
		keep := ""
		if table == "setting" {
			keep = ` WHERE name <> '` + restoring + `'`
		}
		_, err := tx.exec(ctx, `DELETE FROM `+table+keep)
		return err
	})
	if err != nil {
		return 0, err
	}
	rows, err := from.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return 0, err
	}
	var names []string
	var batch [][]any
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		head := "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ")"
		err := to.inTx(ctx, func(tx *Tx) error { return tx.insert(ctx, head, "", batch) })
		n += len(batch)
		batch = batch[:0]
		return err
	}
	err = eachRow(rows, func(r *sql.Rows) error {
		values, columns, err := scanAny(r)
		if err != nil {
			return err
		}
		names = columns
		if batch = append(batch, values); len(batch) < copyBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return n, err
	}
	return n, flush()
}

// examine opens a finished file by itself, lets SQLite check it and counts.
func examine(ctx context.Context, path string) (c Copied, err error) {
	conn, err := sql.Open("sqlite3", "file:"+strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))+"?mode=ro")
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var answer string
	if err := conn.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&answer); err != nil {
		return c, fmt.Errorf("check %s: %w", filepath.Base(path), err)
	}
	if answer != "ok" {
		return c, fmt.Errorf("check %s: it is damaged: %s", filepath.Base(path), answer)
	}
	for _, table := range copiedTables() {
		var n int
		if err := conn.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil { //nolint:gosec // a table of ours
			return c, fmt.Errorf("check %s: %w", filepath.Base(path), err)
		}
		c.Tables++
		c.Rows += n
	}
	info, err := os.Stat(path)
	if err != nil {
		return c, err
	}
	c.Bytes = info.Size()
	return c, nil
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// ErrNotEmpty says that a backup would go into a store that holds something.
var ErrNotEmpty = errors.New("the store is not empty: a backup is only put back into an empty one")

// ErrRestoring says that a restore was cut short: half of a store is there.
var ErrRestoring = errors.New("a backup was being put back into this store, and that did not end: run the restore again")

// restoring is the setting that stands while a backup is put back.
const restoring = "restoring"

// Whole says whether the store is one to work on: ErrRestoring where a restore
// was cut short.
func (db *DB) Whole(ctx context.Context) error {
	half := false
	err := db.view(ctx, `SELECT 1 FROM setting WHERE name = $1`, []any{restoring}, func(*sql.Rows) error { half = true; return nil })
	if err == nil && half {
		err = ErrRestoring
	}
	return err
}

// IsFile says whether a DSN is the path of a SQLite file.
func IsFile(dsn string) bool { return !isPostgres(dsn) }

// Restore puts a backup back into an empty store at dsn, of either engine, which
// it holds meanwhile as me. The backup is checked first and not changed. One that
// is cut short leaves a store that is not Whole, and begins anew.
func Restore(ctx context.Context, backup, dsn string, vault *seal.Vault, e env.Env, me Holder) (c Copied, err error) {
	if _, err := os.Stat(backup); err != nil {
		return c, fmt.Errorf("restore: %w", err)
	}
	if _, err := examine(ctx, backup); err != nil && !strings.Contains(err.Error(), "no such table") { // an older schema has fewer
		return c, fmt.Errorf("restore: %w", err)
	}
	// A copy is opened, which brings its schema up to date: the backup stays as
	// it is, and may lie where nothing can be written.
	dir, err := os.MkdirTemp("", "touchstone-restore-")
	if err != nil {
		return c, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	work := filepath.Join(dir, "backup.db")
	if err := copyFile(backup, work); err != nil {
		return c, fmt.Errorf("restore: %w", err)
	}
	from, err := Open(ctx, work, vault, e)
	if err != nil {
		return c, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := Open(ctx, dsn, vault, e)
	if err != nil {
		return c, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if err := to.TakeLease(ctx, me); err != nil {
		return c, fmt.Errorf("restore: %w", err)
	}
	whole := to.Whole(ctx)
	if whole == nil {
		whole = to.empty(ctx)
	}
	if whole != nil && !errors.Is(whole, ErrRestoring) {
		return c, fmt.Errorf("restore: %w", whole)
	}
	if err := to.SetSetting(ctx, restoring, "1"); err != nil {
		return c, fmt.Errorf("restore: %w", err)
	}
	if c, err = fill(ctx, from.read, to); err != nil {
		return c, fmt.Errorf("restore: %w", err)
	}
	err = to.inTx(ctx, func(tx *Tx) error {
		_, err := tx.exec(ctx, `DELETE FROM setting WHERE name = $1`, restoring)
		return err
	})
	if err != nil {
		return c, fmt.Errorf("restore: %w", err)
	}
	return c, nil
}

func (db *DB) empty(ctx context.Context) error {
	for _, table := range []string{"source_record", "run", "outbox", "source"} {
		found := false
		if err := db.view(ctx, `SELECT 1 FROM `+table+` LIMIT 1`, nil, func(*sql.Rows) error { found = true; return nil }); err != nil {
			return err
		}
		if found {
			return ErrNotEmpty
		}
	}
	return nil
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.ReadFrom(in)
	return errors.Join(err, out.Close())
}
