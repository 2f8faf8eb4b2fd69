package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
)

// engine is what differs between the databases.
type engine interface {
	// open makes a pool; it does not connect.
	open(write bool) *sql.DB
	// readOnlyTx says that transactions can be opened read only; where not, the
	// connection itself is.
	readOnlyTx() bool
	// begin sets a transaction's bounds and gives the database's clock in UTC.
	begin(ctx context.Context, tx *sql.Tx) (now string, err error)
	// countTables counts which of the tables a schema has, "" for those in use.
	countTables(ctx context.Context, tx *sql.Tx, schema string, names []string) (int, error)
	// statement begins a text with this engine's parameters.
	statement() *statement
	// selectRows gives the text that reads rows of s. Order is a list of
	// expressions over alias; rows longer than most come without their data.
	selectRows(s *stream, columns []column, where, order []string, limit, most int) string
	// scan reads one row of selectRows.
	scan(rows *sql.Rows, s *stream, columns []column, most int) (row, error)
	// textOf is an expression that gives a column as text.
	textOf(name string) string
	// sameID is a condition that an id column holds the given text.
	sameID(b *statement, s *stream, columns []column, name, text string) string
	// sameValue is a condition that a column still holds a value as it was read.
	sameValue(b *statement, name string, value any) (string, error)
	// bind makes a parameter of a value that is to be written.
	bind(value any) (any, error)
	// plain takes an error's customers' data and secrets out.
	plain(err error) error
	// kind says what an error means for a write.
	kind(err error) failure
}

// alias is what rows are called in our statements; no column is called so.
const alias = "touchstone_row_"

func columnName(name string) string { return alias + "." + quote(name) }

// changedOf is the expression for the time of change.
func changedOf(s *stream) string {
	names := make([]string, len(s.Changed))
	for i, n := range s.Changed {
		names[i] = columnName(n)
	}
	if len(names) == 1 {
		return names[0]
	}
	return "COALESCE(" + strings.Join(names, ", ") + ")"
}

// statement is a text that is being made, with its parameters: no value is ever
// put into the text.
type statement struct {
	args []any
	mark string // $ or ?
}

// arg takes a parameter in and gives the text that stands for it.
func (b *statement) arg(v any) string {
	b.args = append(b.args, v)
	return b.mark + strconv.Itoa(len(b.args))
}

// list takes several in, with commas between.
func (b *statement) list(values []any) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = b.arg(v)
	}
	return strings.Join(texts, ", ")
}

// column is one column of what is read.
type column struct{ name, typ string }

// columnsOf asks for the columns of a stream.
func columnsOf(ctx context.Context, tx *sql.Tx, s *stream) (list []column, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+s.source+" AS "+alias+" LIMIT 0") //nolint:gosec // names of the configuration, quoted
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	for _, t := range types {
		list = append(list, column{t.Name(), strings.ToUpper(t.DatabaseTypeName())})
	}
	return list, rows.Err()
}

// query runs a text that gives rows of s.
func (c *Client) query(ctx context.Context, tx *sql.Tx, s *stream, columns []column, text string, args []any, each func(row) (more bool)) (err error) {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r, err := c.engine.scan(rows, s, columns, int(c.opts.MaxRecord))
		if err != nil {
			return err
		}
		if !each(r) {
			return nil
		}
	}
	return rows.Err()
}
