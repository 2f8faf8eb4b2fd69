package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
)

// bundle are statements that go to a PostgreSQL server in one message, and whose
// answers come back as the result sets of one query. As the only argument of a query
// it takes the place of its text.
type bundle struct {
	list []bundled
	// hold keeps the statements until the commit, and sends them with it.
	hold bool
}

// pgConnector makes connections that take bundles.
type pgConnector struct {
	driver.Connector
	link
}

// Connect opens a connection.
func (c pgConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, c.told(ctx, err)
	}
	plain, is := conn.(*stdlib.Conn)
	if !is {
		return nil, errors.Join(fmt.Errorf("the driver's connection is a %T", conn), conn.Close())
	}
	return &pgConn{Conn: plain, link: c.link}, nil
}

// pgConn is a connection that sends the beginning of a transaction with its first
// statement, and the last ones with its commit: on a busy machine each message and
// its answer is a wait for two processes to have their turn.
type pgConn struct {
	*stdlib.Conn
	link
	begin string // of a transaction that the server does not know of yet
	held  []bundled
}

// BeginTx begins a transaction.
func (c *pgConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, c.told(ctx, driver.ErrBadConn)
	}
	switch {
	case opts.Isolation == 0 && !opts.ReadOnly:
		c.begin = "begin"
	case opts.Isolation == driver.IsolationLevel(sql.LevelRepeatableRead) && opts.ReadOnly:
		c.begin = "begin isolation level repeatable read read only"
	default:
		return nil, errors.New("no such transaction is begun here")
	}
	return &pgTx{conn: c, ctx: ctx}, nil
}

// QueryContext runs one query, or a bundle.
func (c *pgConn) QueryContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 1 {
		if x, is := args[0].Value.(*bundle); is {
			if x.hold {
				c.held = append(c.held, x.list...)
				return &recordedRows{&recorded{}, 0}, nil
			}
			return c.send(ctx, x.list)
		}
	}
	if c.begin != "" {
		return c.send(ctx, []bundled{{q: q, args: valuesOf(args)}})
	}
	rows, err := c.Conn.QueryContext(ctx, q, args)
	if err != nil {
		return nil, c.told(ctx, err)
	}
	return &plainRows{rows, c.link, ctx}, nil
}

// ExecContext runs one statement.
func (c *pgConn) ExecContext(ctx context.Context, q string, args []driver.NamedValue) (driver.Result, error) {
	if c.begin == "" {
		done, err := c.Conn.ExecContext(ctx, q, args)
		return done, c.told(ctx, err)
	}
	begin := c.begin
	c.begin = ""
	batch := &pgx.Batch{}
	batch.Queue(begin)
	batch.Queue(q, valuesOf(args)...)
	results := c.Conn.Conn().SendBatch(ctx, batch)
	if _, err := results.Exec(); err != nil {
		_ = results.Close() // it says the same again
		return nil, c.unsent(ctx, err)
	}
	tag, err := results.Exec()
	if e := results.Close(); err == nil {
		err = e
	}
	return driver.RowsAffected(tag.RowsAffected()), c.told(ctx, err)
}

// PrepareContext prepares a statement.
func (c *pgConn) PrepareContext(ctx context.Context, q string) (driver.Stmt, error) {
	if err := c.begun(ctx); err != nil {
		return nil, err
	}
	return c.Conn.PrepareContext(ctx, q)
}

// ResetSession is called before the connection is used again.
func (c *pgConn) ResetSession(ctx context.Context) error {
	c.begin, c.held = "", nil
	return c.Conn.ResetSession(ctx)
}

// begun has the server know of the transaction.
func (c *pgConn) begun(ctx context.Context) error {
	if c.begin == "" {
		return nil
	}
	begin := c.begin
	c.begin = ""
	_, err := c.Conn.Conn().Exec(ctx, begin)
	return c.unsent(ctx, err)
}

// unsent is told, with the error by which the pool takes another connection where
// nothing has been sent.
func (c *pgConn) unsent(ctx context.Context, err error) error {
	if err != nil && pgconn.SafeToRetry(err) {
		err = driver.ErrBadConn
	}
	return c.told(ctx, err)
}

// send sends the statements and gives their answers.
func (c *pgConn) send(ctx context.Context, list []bundled) (driver.Rows, error) {
	if c.Conn.Conn().IsClosed() {
		return nil, c.told(ctx, driver.ErrBadConn)
	}
	batch := &pgx.Batch{}
	begin := c.begin
	if c.begin = ""; begin != "" {
		batch.Queue(begin)
	}
	for _, s := range list {
		batch.Queue(s.q, s.args...)
	}
	r := &bundleRows{results: c.Conn.Conn().SendBatch(ctx, batch), types: c.Conn.Conn().TypeMap(), left: len(list), link: c.link, ctx: ctx}
	if begin != "" {
		if _, err := r.results.Exec(); err != nil {
			_ = r.results.Close() // it says the same again
			return nil, c.unsent(ctx, err)
		}
	}
	if err := r.next(); err != nil {
		_ = r.Close()
		return nil, c.told(ctx, err)
	}
	return r, nil
}

func valuesOf(args []driver.NamedValue) []any {
	out := make([]any, len(args))
	for i, a := range args {
		out[i] = a.Value
	}
	return out
}

// pgTx is a transaction of a pgConn.
type pgTx struct {
	conn *pgConn
	ctx  context.Context //nolint:containedctx // driver.Tx is handed none
}

// unkept is the error of a statement that was sent with the commit, before it: the
// transaction was not kept.
type unkept struct{ err error }

func (u unkept) Error() string { return u.err.Error() }
func (u unkept) Unwrap() error { return u.err }

// Commit sends what was held back, and the commit.
func (t *pgTx) Commit() error { return t.conn.told(t.ctx, t.commit()) }

func (t *pgTx) commit() error {
	c := t.conn
	held, conn := c.held, c.Conn.Conn()
	c.held = nil
	if c.begin != "" && len(held) == 0 { // nothing was done
		c.begin = ""
		return nil
	}
	if conn.IsClosed() {
		return driver.ErrBadConn
	}
	if len(held) == 0 {
		return committed(conn.Exec(t.ctx, "commit"))
	}
	batch := &pgx.Batch{}
	if c.begin != "" {
		c.begin, held = "", append([]bundled{{q: c.begin}}, held...)
	}
	for _, s := range held {
		batch.Queue(s.q, s.args...)
	}
	batch.Queue("commit")
	results := conn.SendBatch(t.ctx, batch)
	for _, s := range held {
		if _, err := results.Exec(); err != nil {
			_ = results.Close() // it says the same again
			var said *pgconn.PgError
			if err = errors.Join(about(s.q, err), t.Rollback()); errors.As(err, &said) {
				return unkept{err} // the server has answered, and has not come to the commit
			}
			return err
		}
	}
	err := committed(results.Exec())
	return errors.Join(err, results.Close())
}

func committed(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.String() == "ROLLBACK" {
		return unkept{pgx.ErrTxCommitRollback}
	}
	return err
}

// rollbackBound is how long a rollback may take; after it the connection is closed,
// and the server rolls back by itself.
const rollbackBound = 5 * time.Second

// Rollback ends the transaction without keeping anything.
func (t *pgTx) Rollback() error {
	c := t.conn
	c.held = nil
	if c.begin != "" {
		c.begin = ""
		return nil
	}
	conn := c.Conn.Conn()
	if conn.IsClosed() {
		return nil // the server has rolled back
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), rollbackBound)
	defer cancel()
	if _, err := conn.Exec(ctx, "rollback"); err != nil {
		return c.told(ctx, errors.Join(err, conn.Close(ctx)))
	}
	return nil
}

// about says which statement of a bundle failed, by its first words.
func about(q string, err error) error {
	words := strings.Fields(q)
	return fmt.Errorf("%s: %w", strings.ToLower(strings.Join(words[:min(3, len(words))], " ")), err)
}

// bundleRows are the answers of a bundle.
type bundleRows struct {
	results pgx.BatchResults
	types   *pgtype.Map
	rows    pgx.Rows
	columns []string
	first   bool // the next row has been read already
	more    bool
	left    int // answers that have not been begun
	link
	ctx context.Context //nolint:containedctx // driver.Rows are handed none
}

// next goes on to the next answer.
func (r *bundleRows) next() error {
	if r.rows != nil {
		r.rows.Close()
		if err := r.rows.Err(); err != nil {
			return err
		}
	}
	r.left--
	rows, err := r.results.Query()
	if r.rows = rows; err != nil {
		return err
	}
	r.first, r.more = true, rows.Next() // before it the columns are not known
	if !r.more && rows.Err() != nil {
		return rows.Err()
	}
	fields := rows.FieldDescriptions()
	r.columns = make([]string, len(fields))
	for i, f := range fields {
		r.columns[i] = f.Name
	}
	return nil
}

// Columns are those of the present answer.
func (r *bundleRows) Columns() []string { return r.columns }

// HasNextResultSet says whether another answer follows.
func (r *bundleRows) HasNextResultSet() bool { return r.left > 0 }

// NextResultSet goes on to it.
func (r *bundleRows) NextResultSet() error {
	if r.left <= 0 {
		return io.EOF
	}
	return r.told(r.ctx, r.next())
}

// Next reads a row.
func (r *bundleRows) Next(dest []driver.Value) error {
	more := r.more
	if !r.first {
		more = r.rows.Next()
	}
	if r.first = false; !more {
		r.more = false
		if err := r.rows.Err(); err != nil {
			return r.told(r.ctx, err)
		}
		return io.EOF
	}
	fields := r.rows.FieldDescriptions()
	for i, raw := range r.rows.RawValues() {
		var err error
		if dest[i], err = r.value(fields[i], raw); err != nil {
			return fmt.Errorf("column %s: %w", fields[i].Name, err)
		}
	}
	return nil
}

// value is what a column holds, as database/sql knows it.
func (r *bundleRows) value(f pgconn.FieldDescription, raw []byte) (driver.Value, error) {
	switch {
	case raw == nil:
		return nil, nil
	case f.Format == pgtype.BinaryFormatCode && f.DataTypeOID == pgtype.Int8OID && len(raw) == 8:
		return int64(binary.BigEndian.Uint64(raw)), nil //nolint:gosec // its two's complement
	case f.DataTypeOID == pgtype.TextOID:
		return string(raw), nil
	case f.Format == pgtype.BinaryFormatCode && f.DataTypeOID == pgtype.ByteaOID:
		return append(make([]byte, 0, len(raw)), raw...), nil
	}
	if t, known := r.types.TypeForOID(f.DataTypeOID); known {
		return t.Codec.DecodeDatabaseSQLValue(r.types, f.DataTypeOID, f.Format, raw)
	}
	return string(raw), nil
}

// Close reads what is left and ends the bundle.
func (r *bundleRows) Close() error {
	if r.rows != nil {
		r.rows.Close()
	}
	return r.told(r.ctx, r.results.Close())
}

// plainRows are the answer of one query.
type plainRows struct {
	driver.Rows
	link
	ctx context.Context //nolint:containedctx // driver.Rows are handed none
}

// Next reads a row.
func (r *plainRows) Next(dest []driver.Value) error { return r.told(r.ctx, r.Rows.Next(dest)) }
