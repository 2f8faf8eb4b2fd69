// Package sqldb reads and writes tables of PostgreSQL and SQLite databases.
package sqldb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"touchstone/connectors"
	"touchstone/internal/record"
)

// pageBytes is the most text a page holds.
const pageBytes = 8 << 20

// Client reads and writes one database. It is safe for concurrent use and
// keeps no state but its connections.
type Client struct {
	name    string
	opts    Options
	engine  engine
	streams map[string]*stream
	read    *sql.DB
	write   *sql.DB

	mu     sync.Mutex
	proven bool // that the database is not a store of ours
}

var (
	_ connectors.Puller    = (*Client)(nil)
	_ connectors.Pusher    = (*Client)(nil)
	_ connectors.Reader    = (*Client)(nil)
	_ connectors.KeyFinder = (*Client)(nil)
	_ connectors.Classed   = (*Client)(nil)
	_ connectors.Checker   = (*Client)(nil)
	_ connectors.Keyed     = (*Client)(nil)
)

// stream is a Stream with its SQL.
type stream struct {
	Stream
	table  string // quoted; "" when the stream cannot be written to
	source string // what stands behind FROM
	seed   string // digest of what decides the order of reading
}

// Open returns a connector for one source. Relative SQLite files start at dir.
// It does not connect.
func Open(name, dir string, opts Options) (*Client, error) {
	kind, address, err := opts.database(dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	c := &Client{name: name, opts: opts, streams: map[string]*stream{}}
	switch kind {
	case "postgres":
		c.engine, err = newPostgres(address, time.Duration(opts.Timeout))
	default:
		c.engine = sqlite{path: address, timeout: time.Duration(opts.Timeout)}
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	for _, s := range opts.Streams {
		c.streams[s.Name] = compile(s)
	}
	c.read, c.write = c.engine.open(false), c.engine.open(true)
	return c, nil
}

func compile(s Stream) *stream {
	out := &stream{Stream: s, table: quoteTable(s.Table), source: quoteTable(s.Table)}
	if s.Query != "" {
		out.source = "(" + strings.TrimSpace(s.Query) + "\n)" // a comment may end the query
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "1 %s %q %q", out.source, s.ID, s.Changed))
	out.seed = hex.EncodeToString(sum[:8])
	return out
}

// database says which engine, and where.
func (o Options) database(dir string) (kind, address string, err error) {
	kind, address = "sqlite", o.Path
	if o.Path == "" {
		dsn := o.DSN.Reveal()
		if dsn == "" {
			return kind, "", nil // left unresolved: the configuration is only being checked
		}
		if kind, address, err = parseDSN(dsn); err != nil {
			return "", "", err
		}
	}
	if kind == "sqlite" && !filepath.IsAbs(address) {
		address = filepath.Join(dir, address)
	}
	return kind, address, nil
}

// parseDSN reads an address. The error does not hold it: there may be a
// password in it.
func parseDSN(dsn string) (kind, address string, err error) {
	switch {
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		return "postgres", dsn, nil
	case strings.HasPrefix(dsn, "sqlite:"):
		path := strings.TrimPrefix(strings.TrimPrefix(dsn, "sqlite:"), "//")
		if path != "" && (filepath.IsAbs(path) || filepath.IsLocal(path)) {
			return "sqlite", path, nil
		}
		return "", "", errors.New("sqlite: wants a file in the configuration's folder, or an absolute path behind it")
	}
	return "", "", errors.New("want postgres://user:password@host/name or sqlite:FILE (the text is not shown, it may hold a password)")
}

// Close closes the connections.
func (c *Client) Close() error { return errors.Join(c.read.Close(), c.write.Close()) }

func (c *Client) stream(name string) (*stream, error) {
	s, ok := c.streams[name]
	if !ok {
		return nil, fmt.Errorf("source %s has no stream %q", c.name, name)
	}
	return s, nil
}

// Class says what the database promises for an entity's writes. A statement
// does not outlive its timeout.
func (c *Client) Class(entity string) connectors.Class {
	s, ok := c.streams[entity]
	if !ok {
		return connectors.Class{}
	}
	return connectors.Class{
		UniqueKey: s.Unique, Conditional: s.Version != "", Searchable: s.Key != "",
		MaxRequestLife: time.Duration(c.opts.Timeout),
	}
}

// Writes says whether a table can be sent an operation: an upsert goes by our
// key, which has to be unique there.
func (c *Client) Writes(entity string, op record.Op) bool {
	s, ok := c.streams[entity]
	return ok && s.Table != "" && (op != record.Upsert || s.Unique && s.Key != "")
}

// KeyField is the column that takes our key.
func (c *Client) KeyField(entity string) string {
	if s, ok := c.streams[entity]; ok {
		return s.Key
	}
	return ""
}

// Check connects and reads no row of every stream.
func (c *Client) Check(ctx context.Context) error {
	for _, o := range c.opts.Streams {
		err := c.view(ctx, func(ctx context.Context, tx *sql.Tx, _ string) error {
			_, err := columnsOf(ctx, tx, c.streams[o.Name])
			return err
		})
		if err != nil {
			return fmt.Errorf("check %s: stream %s: %w", c.name, o.Name, err)
		}
	}
	return nil
}

// view runs fn in a transaction that cannot write. Now is the database's clock.
func (c *Client) view(ctx context.Context, fn func(ctx context.Context, tx *sql.Tx, now string) error) (err error) {
	whole := ctx
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	defer func() {
		if err != nil && whole.Err() != nil { // drivers have words of their own for it
			err = whole.Err()
		}
	}()
	tx, err := c.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: c.engine.readOnlyTx()})
	if err != nil {
		return c.engine.plain(err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	now, err := c.engine.begin(ctx, tx)
	if err != nil {
		return c.engine.plain(err)
	}
	if err := c.prove(ctx, tx); err != nil {
		return err
	}
	return c.engine.plain(fn(ctx, tx, now))
}

// bounded gives a transaction a few statements' time.
func (c *Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 3*time.Duration(c.opts.Timeout))
}

// ownTables are there together only in a store of Touchstone.
func ownTables() []string {
	return []string{"goose_db_version", "source_version", "target_state", "crosswalk", "golden_version"}
}

// prove refuses a database that is a store of Touchstone: reading it would feed
// golden records back, writing to it would destroy it.
func (c *Client) prove(ctx context.Context, tx *sql.Tx) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.proven {
		return nil
	}
	schemas := map[string]bool{"": true}
	for _, s := range c.opts.Streams {
		if schema, _, ok := strings.Cut(s.Table, "."); ok {
			schemas[schema] = true
		}
	}
	for schema := range schemas {
		n, err := c.engine.countTables(ctx, tx, schema, ownTables())
		if err != nil {
			return c.engine.plain(err)
		}
		if n == len(ownTables()) {
			return errors.New("this database is a store of Touchstone itself; name the database that holds the records, or another schema")
		}
	}
	c.proven = true
	return nil
}

// quote makes an identifier of a name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteTable(name string) string {
	if name == "" {
		return ""
	}
	parts := strings.Split(name, ".")
	for i, p := range parts {
		parts[i] = quote(p)
	}
	return strings.Join(parts, ".")
}
