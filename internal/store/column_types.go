package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// columnTypes are the types of the columns of each table, on PostgreSQL. With them
// rows are inserted as one array for each column: one text serves any number of rows,
// and is prepared once. Each number of rows having a text of its own, one record
// waited now and then for some of them to be prepared.
type columnTypes map[string]map[string]string

// readColumns reads them; nil on SQLite, where preparing is no message.
func readColumns(ctx context.Context, d *dialect, pool *sql.DB) (columnTypes, error) {
	if d.name != "postgres" {
		return nil, nil
	}
	rows, err := pool.QueryContext(ctx, `SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`)
	if err != nil {
		return nil, fmt.Errorf("types of the columns: %w", err)
	}
	types := columnTypes{}
	err = eachRow(rows, func(r *sql.Rows) error {
		var table, column, is string
		if err := r.Scan(&table, &column, &is); err != nil {
			return err
		}
		if types[table] == nil {
			types[table] = map[string]string{}
		}
		types[table][column] = is
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("types of the columns: %w", err)
	}
	return types, nil
}

// of gives the types of the columns that "INSERT INTO t (a, b)" names; nil where an
// array of one cannot be sent.
func (t columnTypes) of(head string) []string {
	into, named, is := strings.Cut(strings.TrimPrefix(head, "INSERT INTO "), "(")
	if !is {
		return nil
	}
	columns := t[strings.TrimSpace(into)]
	var types []string
	for name := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(named), ")"), ",") {
		switch is := columns[strings.TrimSpace(name)]; is {
		case "text", "bigint", "bytea":
			types = append(types, is)
		default:
			return nil
		}
	}
	return types
}

func wholeNumbers(n int) []string {
	types := make([]string, n)
	for i := range types {
		types[i] = "bigint"
	}
	return types
}

// arrayParams are the parameters $1, $2 … as arrays of these types.
func arrayParams(types []string) string {
	var b strings.Builder
	for i, t := range types {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("$" + strconv.Itoa(i+1) + "::" + t + "[]")
	}
	return b.String()
}

// mostInserted is how many values one INSERT has at most.
const mostInserted = 6000

// arrayInsert is an INSERT of the first n rows with one array for each column; false
// where a value is none that such an array holds.
func (d *dialect) arrayInsert(head, tail string, rows [][]any) (s bundled, n int, is bool) {
	if d.columns == nil {
		return s, 0, false
	}
	into := d.into(head, tail)
	if into.types == nil {
		return s, 0, false
	}
	n = min(len(rows), max(mostInserted/len(into.types), 1))
	args, is := arrays(rows[:n], into.types)
	return bundled{q: into.text, args: args, values: n * len(into.types)}, n, is
}

// arraysInto is the text of an INSERT of arrays, with their types; nil where there is
// none.
type arraysInto struct {
	text  string
	types []string
}

// into makes each text once.
func (d *dialect) into(head, tail string) arraysInto {
	k := valuesKey{head: head, tail: tail}
	if x, ok := d.query.Load(k); ok {
		return x.(arraysInto)
	}
	x := arraysInto{types: d.columns.of(head)}
	if x.types != nil {
		x.text = head + " SELECT * FROM unnest(" + arrayParams(x.types) + ") " + tail
	}
	d.query.Store(k, x)
	return x
}

// arrays turns rows into columns.
func arrays(rows [][]any, types []string) (args []any, is bool) {
	args = make([]any, len(types))
	for c, t := range types {
		switch t {
		case "text":
			args[c], is = column(rows, c, textOf)
		case "bigint":
			args[c], is = column(rows, c, wholeOf)
		default:
			args[c], is = column(rows, c, bytesOf)
		}
		if !is {
			return nil, false
		}
	}
	return args, true
}

func column[T any](rows [][]any, c int, of func(any) (T, bool)) (list []T, is bool) {
	list = make([]T, len(rows))
	for i, r := range rows {
		if list[i], is = of(r[c]); !is {
			return nil, false
		}
	}
	return list, true
}

func textOf(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return clean(x), true
	case []byte:
		return clean(string(x)), true
	}
	return "", false
}

func bytesOf(v any) ([]byte, bool) {
	switch x := v.(type) {
	case []byte:
		if x == nil {
			x = []byte{}
		}
		return x, true
	case string:
		return []byte(x), true
	}
	return nil, false
}

func wholeOf(v any) (int64, bool) {
	switch x := v.(type) {
	case int64:
		return x, true
	case int:
		return int64(x), true
	case int32:
		return int64(x), true
	case bool:
		return boolInt(x), true
	}
	return 0, false
}
