package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// lost marks an error by which the database server is away, or a connection to it.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

// Lost says whether an error tells that the database server was away, or that a
// connection to it was cut: a failure of whoever asked for something it is not.
func Lost(err error) bool { return errors.As(err, new(lost)) }

// broken says whether an error of the driver's is one of the connection. Class 08 and
// 57P01 to 57P03 are those of a server that ends or begins (PostgreSQL, Appendix A).
func broken(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	if said := new(pgconn.PgError); errors.As(err, &said) {
		return strings.HasPrefix(said.Code, "08") || said.Code >= "57P01" && said.Code <= "57P03"
	}
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn) ||
		errors.As(err, new(*net.OpError)) || errors.As(err, new(*pgconn.ConnectError)) || pgconn.SafeToRetry(err)
}

// cut closes the connections that wait, after one was cut: they most likely were with
// it, and each would fail one more that asks.
func (db *DB) cut() {
	for _, pool := range []*sql.DB{db.write, db.read} {
		pool.SetMaxIdleConns(0)
		pool.SetMaxIdleConns(pgConnections)
	}
}

// link is where the driver speaks of a connection to a PostgreSQL server.
type link struct{ cut func() }

// told marks an error of the connection that the driver gave. What a transaction's own
// function says, of a file that it reads say, may look the same and is not marked.
func (l link) told(ctx context.Context, err error) error {
	if !broken(ctx, err) || Lost(err) {
		return err
	}
	l.cut()
	return lost{err}
}
