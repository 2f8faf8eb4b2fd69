package store

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
)

// dialect is what differs between the two engines.
type dialect struct {
	name    string
	goose   goose.Dialect
	words   *strings.Replacer // engine words in migrations
	skip    string            // appended to a claiming SELECT
	lock    string            // appended to a SELECT whose rows are about to change
	bundles bool              // statements wait to be sent together
	keyed   string            // has the rest of a transaction go by the keys; "" where that is so
	brief   string            // has the rest of a transaction wait only briefly for a lock; "" where none is waited for
	query   sync.Map          // text → text with this engine's parameters
	count   bool              // parameters are ?1 instead of $1
	pages   atomic.Int64      // bound of a SQLite file; 0 for none
	columns columnTypes       // of the tables, on PostgreSQL
}

func sqliteDialect() *dialect {
	return &dialect{
		name: "sqlite", goose: goose.DialectSQLite3, count: true,
		words: strings.NewReplacer("{bytes}", "BLOB", "{int}", "INTEGER", "{key}", "TEXT", "{strict}", "STRICT", "{norowid}", "STRICT, WITHOUT ROWID"),
	}
}

func postgresDialect() *dialect {
	return &dialect{
		name: "postgres", goose: goose.DialectPostgres, skip: " FOR UPDATE SKIP LOCKED", lock: " FOR UPDATE", bundles: true, keyed: goByKeys, brief: "SET LOCAL lock_timeout = '300ms'",
		words: strings.NewReplacer("{bytes}", "BYTEA", "{int}", "BIGINT", "{key}", `TEXT COLLATE "C"`, "{strict}", "", "{norowid}", ""),
	}
}

// text gives the query with this engine's parameters: go-sqlite3 binds $2 and
// $1 by first appearance, ?2 and ?1 by number.
func (d *dialect) text(q string) string {
	if !d.count {
		return q
	}
	if t, ok := d.query.Load(q); ok {
		return t.(string)
	}
	t := strings.ReplaceAll(q, "$", "?")
	d.query.Store(q, t)
	return t
}

// clean makes a text that both engines take: PostgreSQL refuses NUL and bad
// UTF-8, SQLite takes them, and the two must hold the same.
func clean(s string) string {
	if strings.IndexByte(s, 0) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\uFFFD")
}

// busy says whether a statement gave up waiting for a lock.
func (d *dialect) busy(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "55P03"
}
