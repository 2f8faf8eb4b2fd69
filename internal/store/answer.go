package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"reflect"
	"slices"
)

// answers are those to questions that were asked ahead.
type answers []*known

// known is one of them, with its question.
type known struct {
	q    string
	args []any
	recorded
}

// recorded is an answer that was read before.
type recorded struct {
	columns []string
	rows    [][]driver.Value
}

// answersTo has the answers to questions recorded when they are sent.
func answersTo(list []bundled) answers {
	to := make(answers, len(list))
	for i := range list {
		to[i] = &known{q: list[i].q, args: list[i].args}
		list[i].scan = to[i].read
	}
	return to
}

// take gives the answer to a question, once.
func (a *answers) take(q string, args []any) (*recorded, bool) {
	for i, k := range *a {
		if k.q == q && reflect.DeepEqual(k.args, args) {
			*a = slices.Delete(*a, i, i+1)
			return &k.recorded, true
		}
	}
	return nil, false
}

// read records a row.
func (a *recorded) read(r *sql.Rows) error {
	if a.columns == nil {
		var err error
		if a.columns, err = r.Columns(); err != nil {
			return err
		}
	}
	row, into := make([]driver.Value, len(a.columns)), make([]any, len(a.columns))
	for i := range row {
		into[i] = (*any)(&row[i])
	}
	err := r.Scan(into...)
	a.rows = append(a.rows, row)
	return err
}

// give hands a recorded answer to who asked for it. What is here already needs no
// connection, and no server.
func (db *DB) give(ctx context.Context, a *recorded, scan rowScan) error {
	if len(a.rows) == 0 {
		return nil
	}
	rows, err := db.answers.QueryContext(ctx, "", a)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

// recordings is a driver of which a query has one argument: its recorded answer.
type recordings struct{}

var errRecorded = errors.New("a recorded answer is only read")

// Connect, and those below, are what database/sql calls.
func (r recordings) Connect(context.Context) (driver.Conn, error) { return r, nil }

// Driver is asked by nobody.
func (recordings) Driver() driver.Driver { return nil }

// Close has nothing to close.
func (recordings) Close() error { return nil }

// Prepare is of no use here.
func (recordings) Prepare(string) (driver.Stmt, error) { return nil, errRecorded }

// Begin is not either.
func (recordings) Begin() (driver.Tx, error) { return nil, errRecorded }

// CheckNamedValue lets the answer through.
func (recordings) CheckNamedValue(*driver.NamedValue) error { return nil }

// QueryContext gives the answer.
func (recordings) QueryContext(_ context.Context, _ string, args []driver.NamedValue) (driver.Rows, error) {
	if len(args) == 1 {
		if a, is := args[0].Value.(*recorded); is {
			return &recordedRows{a, 0}, nil
		}
	}
	return nil, errRecorded
}

// recordedRows gives a recorded answer.
type recordedRows struct {
	*recorded
	at int
}

// Columns are its columns.
func (r *recordedRows) Columns() []string { return r.columns }

// Next gives a row.
func (r *recordedRows) Next(dest []driver.Value) error {
	if r.at == len(r.rows) {
		return io.EOF
	}
	copy(dest, r.rows[r.at])
	r.at++
	return nil
}

// Close ends it.
func (r *recordedRows) Close() error { return nil }
