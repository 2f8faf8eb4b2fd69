package store

import (
	"context"
	"errors"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// KeepOnce is one round of KeepLease.
func (db *DB) KeepOnce(ctx context.Context) error { return db.keep(ctx) }

// CopiedTables are the tables of a backup.
func CopiedTables() []string { return copiedTables() }

// MigrateDown brings the schema of a closed store back to a version.
func MigrateDown(ctx context.Context, dsn string, version int64) (err error) {
	d := sqliteDialect()
	if isPostgres(dsn) {
		d = postgresDialect()
	}
	pool, err := d.open(dsn, true, func() {})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(d.goose, pool, engineFS{FS: dir, engine: d.name, words: d.words})
	if err != nil {
		return err
	}
	_, err = p.DownTo(ctx, version)
	return err
}

// KeptPostings says how many postings are in memory, and whether they are all.
func (db *DB) KeptPostings() (n int, whole bool) {
	k := &db.postings
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range k.parts {
		n += r.n
	}
	return n, k.whole
}
