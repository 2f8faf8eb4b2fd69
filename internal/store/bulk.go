package store

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

// bulkSizes are the numbers of rows a multi-row INSERT may have: few texts, so
// that each is prepared once.
var bulkSizes = [...]int{200, 50, 20, 8, 4, 2, 1}

// insert writes rows with multi-row statements. Head is "INSERT INTO t (a, b)",
// tail "" or "ON CONFLICT …". Rows all have the same length.
func (tx *Tx) insert(ctx context.Context, head, tail string, rows [][]any) error {
	for len(rows) > 0 {
		s, size, is := tx.db.d.arrayInsert(head, tail, rows)
		if !is {
			s, size = tx.db.d.rowInsert(head, tail, rows)
		}
		if err := tx.later(ctx, s); err != nil {
			return err
		}
		rows = rows[size:]
	}
	return nil
}

// rowInsert is an INSERT of the first n rows with a parameter for each value.
func (d *dialect) rowInsert(head, tail string, rows [][]any) (s bundled, n int) {
	n = 1
	for _, s := range bulkSizes {
		if len(rows) >= s && s*len(rows[0]) <= 30000 {
			n = s
			break
		}
	}
	args := make([]any, 0, n*len(rows[0]))
	for _, r := range rows[:n] {
		args = append(args, r...)
	}
	return bundled{q: d.values(head, tail, n, len(rows[0])), args: args}, n
}

type valuesKey struct {
	head, tail string
	rows, cols int
}

// values is the text of a multi-row INSERT.
func (d *dialect) values(head, tail string, rows, cols int) string {
	k := valuesKey{head, tail, rows, cols}
	if t, ok := d.query.Load(k); ok {
		return t.(string)
	}
	var b strings.Builder
	b.WriteString(head + " VALUES ")
	n := 0
	for r := range rows {
		if r > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c := range cols {
			if c > 0 {
				b.WriteByte(',')
			}
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		}
		b.WriteByte(')')
	}
	b.WriteString(" " + tail)
	d.query.Store(k, b.String())
	return b.String()
}

// listSizes are the lengths of an IN list; a shorter list repeats its last
// value.
var listSizes = [...]int{1, 8, 64, 512}

// listPart is how long a list may be where it is one parameter.
const listPart = 1024

// inList runs a statement over a list, in parts. $LIST stands for the list, wherever
// it is looked for, and $X1, $X2 … for the other arguments. On PostgreSQL the list is
// one array: its planner takes it for short and goes by the keys, whatever it knows of
// the tables.
func inList[T any](d *dialect, q string, values []T, extra []any, run func(q string, args []any) error) error {
	for len(values) > 0 {
		n, size := min(listPart, len(values)), 1
		var args []any
		if d.name == "postgres" {
			args = append(make([]any, 0, 1+len(extra)), arrayOf(values[:n]))
		} else {
			size = listSizes[len(listSizes)-1]
			for _, s := range listSizes {
				if s >= len(values) {
					size = s
					break
				}
			}
			n = min(size, len(values))
			args = make([]any, size, size+len(extra))
			for i := range size {
				args[i] = values[min(i, n-1)]
			}
		}
		if err := run(d.listText(q, arrayType(values), size, len(extra)), append(args, extra...)); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// arrayOf is a list as one parameter, cleaned like any other.
func arrayOf[T any](values []T) any {
	if texts, is := any(values).([]string); is {
		cleaned := make([]string, len(texts))
		for i, s := range texts {
			cleaned[i] = clean(s)
		}
		return cleaned
	}
	return values
}

func arrayType[T any](values []T) string {
	if _, is := any(values).([]string); is {
		return "text[]"
	}
	return "bigint[]"
}

// listText puts a list of n into a text, on PostgreSQL as one array.
func (d *dialect) listText(q, array string, n, extra int) string {
	k := valuesKey{q, array, n, extra}
	if t, ok := d.query.Load(k); ok {
		return t.(string)
	}
	var t string
	if d.name == "postgres" {
		t = strings.ReplaceAll(q, "IN $LIST", "= ANY($1::"+array+")")
	} else {
		var b strings.Builder
		b.WriteByte('(')
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("$" + strconv.Itoa(i+1))
		}
		b.WriteByte(')')
		t = strings.ReplaceAll(q, "$LIST", b.String())
	}
	for i := extra - 1; i >= 0; i-- { // $X10 before $X1
		t = strings.ReplaceAll(t, "$X"+strconv.Itoa(i+1), "$"+strconv.Itoa(n+i+1))
	}
	d.query.Store(k, t)
	return t
}

// eachIn runs a query over the values of its IN list.
func eachIn[T any](ctx context.Context, tx *Tx, q string, values []T, scan rowScan, extra ...any) error {
	return inList(tx.db.d, q, values, extra, func(q string, args []any) error { return tx.query(ctx, q, args, scan) })
}

// viewIn is eachIn outside of a transaction.
func viewIn[T any](ctx context.Context, db *DB, q string, values []T, scan rowScan, extra ...any) error {
	return inList(db.d, q, values, extra, func(q string, args []any) error { return db.view(ctx, q, args, scan) })
}

// execIn is eachIn for a statement without an answer.
func execIn[T any](ctx context.Context, tx *Tx, q string, values []T, extra ...any) error {
	return inList(tx.db.d, q, values, extra, func(q string, args []any) error {
		return tx.later(ctx, bundled{q: q, args: args})
	})
}

// eachRowOf runs a statement with a list of rows of whole numbers, in parts.
// VALUES $ROWS stands for the rows and $X1, $X2 … for the other arguments; the
// columns are column1, column2 … on both engines. On SQLite a shorter list repeats
// its last row.
func (tx *Tx) eachRowOf(ctx context.Context, q string, rows [][]any, scan rowScan, extra ...any) error {
	for len(rows) > 0 {
		cols := len(rows[0])
		n, size, params := min(listPart, len(rows)), 1, cols
		var args []any
		if tx.db.d.name == "postgres" {
			var is bool
			if args, is = arrays(rows[:n], wholeNumbers(cols)); !is {
				return errors.New("rows of a list that are no whole numbers")
			}
		} else {
			size = listSizes[len(listSizes)-1]
			for _, s := range listSizes {
				if s >= len(rows) {
					size = s
					break
				}
			}
			n, params = min(size, len(rows)), size*cols
			args = make([]any, 0, params+len(extra))
			for i := range size {
				args = append(args, rows[min(i, n-1)]...)
			}
		}
		text, args := tx.db.d.rowsText(q, size, cols, params, len(extra)), append(args, extra...)
		var err error
		if scan == nil {
			err = tx.later(ctx, bundled{q: text, args: args})
		} else {
			err = tx.query(ctx, text, args, scan)
		}
		if err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// rowsText puts the rows into a text, on PostgreSQL as one array for each column.
func (d *dialect) rowsText(q string, rows, cols, params, extra int) string {
	k := valuesKey{q, "rows", rows, cols}
	if t, ok := d.query.Load(k); ok {
		return t.(string)
	}
	var b strings.Builder
	if d.name == "postgres" {
		b.WriteString("SELECT * FROM unnest(" + arrayParams(wholeNumbers(cols)) + ") AS u (")
		for i := range cols {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString("column" + strconv.Itoa(i+1))
		}
		b.WriteByte(')')
	} else {
		b.WriteString("VALUES ")
		for i := range params {
			switch {
			case i == 0:
				b.WriteByte('(')
			case i%cols == 0:
				b.WriteString("),(")
			default:
				b.WriteByte(',')
			}
			b.WriteString("CAST($" + strconv.Itoa(i+1) + " AS BIGINT)")
		}
		b.WriteByte(')')
	}
	t := strings.Replace(q, "VALUES $ROWS", b.String(), 1)
	for i := range extra {
		t = strings.ReplaceAll(t, "$X"+strconv.Itoa(i+1), "$"+strconv.Itoa(params+i+1))
	}
	d.query.Store(k, t)
	return t
}
