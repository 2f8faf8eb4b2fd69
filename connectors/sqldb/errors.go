package sqldb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"touchstone/connectors"
)

// failure says what an error means for the write it stopped.
type failure int

const (
	broken  failure = iota // the connection ended; what was in flight is unknown
	refused                // the database will not take this write
	later                  // it did not happen; it may go through another time
	denied                 // the account is not let in, or may not do this
)

// plainError is an error without the text of the database's own message, which
// may quote values.
type plainError struct {
	text  string
	kind  failure
	unfit bool // a value does not fit its column's type
}

func (e *plainError) Error() string { return e.text }

// Unwrap lets a caller see that the credentials are at fault.
func (e *plainError) Unwrap() error {
	if e.kind == denied {
		return connectors.ErrAuth
	}
	return nil
}

// sqlStates names the conditions that people meet (PostgreSQL documentation,
// appendix A).
func sqlStates() map[string]string {
	return map[string]string{
		"22001": "a text is too long for its column", "22003": "a number is out of range", "22007": "a date or time cannot be read", "22008": "a date or time is out of range",
		"22P02": "a value does not fit its column's type", "23502": "a column that must be filled is empty", "23503": "it refers to a row that is not there, or is referred to",
		"23505": "a unique column has this value already", "23514": "a check of the table refuses it", "42501": "the account may not do this", "57014": "it took longer than timeout",
		"55P03": "a row is locked by another transaction", "40001": "it collided with another transaction", "40P01": "it collided with another transaction",
	}
}

func (postgres) kind(err error) failure { return kindOf(err) }
func (sqlite) kind(err error) failure   { return kindOf(err) }

func kindOf(err error) failure {
	var p *plainError
	if errors.As(err, &p) {
		return p.kind
	}
	var pg *pgconn.PgError
	var lite sqlite3.Error
	switch {
	case errors.As(err, &pg):
		switch class := pg.Code[:min(2, len(pg.Code))]; {
		case class == "28" || pg.Code == "42501" || pg.Code == "3D000":
			return denied
		case class == "40" || class == "53" || class == "55" || class == "57" || class == "58" || class == "25" || class == "0A": // 0A: the table was altered under a prepared statement
			return later
		case class == "08":
			return broken
		}
		return refused
	case errors.As(err, &lite):
		switch lite.Code {
		case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrInterrupt, sqlite3.ErrFull, sqlite3.ErrIoErr, sqlite3.ErrNomem, sqlite3.ErrCantOpen:
			return later
		case sqlite3.ErrPerm, sqlite3.ErrReadonly, sqlite3.ErrAuth:
			return denied
		}
		return refused
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return later
	}
	return broken
}

func (postgres) plain(err error) error { return plain(err) }
func (sqlite) plain(err error) error   { return plain(err) }

// plain keeps what helps to mend: code, table, column and constraint of
// PostgreSQL, whose message may quote values (of class 42, mistakes in the
// statement, it names only what the configuration says); SQLite's own text,
// which names columns and no values; and where a connection could not be made.
func plain(err error) error {
	var p *plainError
	var pg *pgconn.PgError
	var lite sqlite3.Error
	var connect *pgconn.ConnectError
	var dial *net.OpError
	switch {
	case err == nil, errors.As(err, &p), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &pg):
		text := sqlStates()[pg.Code]
		if strings.HasPrefix(pg.Code, "42") && text == "" {
			text = pg.Message
		}
		for _, x := range []struct{ what, name string }{{"table", pg.TableName}, {"column", pg.ColumnName}, {"constraint", pg.ConstraintName}} {
			if x.name != "" {
				text += fmt.Sprintf(" (%s %s)", x.what, x.name)
			}
		}
		return &plainError{text: strings.TrimSpace(fmt.Sprintf("the database says %s %s", pg.Code, text)), kind: kindOf(err), unfit: unfit(err)}
	case errors.As(err, &lite):
		return &plainError{text: "the database says " + lite.Error(), kind: kindOf(err)}
	case errors.Is(err, context.DeadlineExceeded):
		return &plainError{text: "it took longer than timeout", kind: later}
	case errors.As(err, &connect):
		if errors.As(err, &dial) {
			return &plainError{text: "cannot connect: " + dial.Error(), kind: broken}
		}
		return &plainError{text: "cannot connect to the database", kind: broken}
	case errors.As(err, &dial):
		return &plainError{text: "the connection broke: " + dial.Error(), kind: broken}
	}
	return err
}

// neverID says that a text cannot be an id at all, because its column holds
// numbers or times.
func neverID(err error) bool {
	var p *plainError
	if errors.As(err, &p) {
		return p.unfit
	}
	return unfit(err)
}

func unfit(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "22P02", "22003", "22007", "22008":
		return true
	}
	return false
}
