package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-sqlite3"

	"touchstone/internal/record"
)

// sqlite reads each value as the class it is stored as: a column's type is a
// hint there and no rule.
type sqlite struct {
	path    string
	timeout time.Duration
}

type sqliteConnector struct{ dsn string }

func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) {
	return (&sqlite3.SQLiteDriver{}).Open(c.dsn)
}
func (c sqliteConnector) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

// open never makes a file: a wrong path must not look like an empty database.
func (e sqlite) open(write bool) *sql.DB {
	v := url.Values{"mode": {"ro"}, "_query_only": {"1"}, "_busy_timeout": {fmt.Sprint(e.timeout.Milliseconds())}}
	if write {
		v = url.Values{"mode": {"rw"}, "_txlock": {"immediate"}, "_foreign_keys": {"1"}, "_busy_timeout": {fmt.Sprint(e.timeout.Milliseconds())}}
	}
	path := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(e.path))
	pool := sql.OpenDB(sqliteConnector{"file:" + path + "?" + v.Encode()})
	pool.SetMaxOpenConns(1)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// readOnlyTx: the driver knows no such transactions; query_only holds the
// connection to reading.
func (sqlite) readOnlyTx() bool { return false }

func (sqlite) begin(ctx context.Context, tx *sql.Tx) (now string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT strftime('%Y-%m-%d %H:%M:%S', 'now')`).Scan(&now)
	return now, err
}

func (sqlite) countTables(ctx context.Context, tx *sql.Tx, _ string, names []string) (n int, err error) {
	b := statement{mark: "?"}
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = name
	}
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (`+b.list(args)+`)`, b.args...).Scan(&n)
	return n, err
}

func (sqlite) statement() *statement { return &statement{mark: "?"} }

// selectRows puts a plus before each column: an expression has no declared
// type, so the driver does not make a time of a text.
func (sqlite) selectRows(s *stream, columns []column, where, order []string, limit, _ int) string {
	var list []string
	for _, name := range s.ID {
		list = append(list, "+"+columnName(name))
	}
	for _, x := range []string{s.Version, s.Deleted} {
		if x == "" {
			list = append(list, "NULL")
		} else {
			list = append(list, "+"+columnName(x))
		}
	}
	if len(s.Changed) == 0 {
		list = append(list, "NULL")
	} else {
		list = append(list, "+"+changedOf(s))
	}
	for _, c := range columns {
		list = append(list, "+"+columnName(c.name))
	}
	sortBy := ""
	if len(order) > 0 {
		sortBy = " ORDER BY " + strings.Join(order, ", ")
	}
	return fmt.Sprintf("SELECT %s FROM %s AS %s WHERE %s%s LIMIT %d", strings.Join(list, ", "), s.source, alias, strings.Join(where, " AND "), sortBy, limit)
}

func (sqlite) scan(rows *sql.Rows, s *stream, columns []column, most int) (r row, err error) {
	values := make([]any, len(s.ID)+3+len(columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return r, err
	}
	n := len(s.ID)
	for _, v := range values[:n] {
		r.ids = append(r.ids, sqliteValue(v))
	}
	r.version = sqliteValue(values[n]).text
	deleted := sqliteValue(values[n+1])
	r.deleted, r.changed = isDeleted(deleted.text, deleted.null()), sqliteValue(values[n+2])
	r.data, r.problem = sqliteJSON(columns, values[n+3:])
	r.size = len(r.data)
	if r.size > most {
		r.data = nil
	}
	return r, nil
}

func sqliteValue(v any) value {
	switch x := v.(type) {
	case int64:
		return value{'i', strconv.FormatInt(x, 10)}
	case float64:
		return value{'r', strconv.FormatFloat(x, 'g', -1, 64)}
	case string:
		return value{'t', x}
	case []byte:
		return value{'b', hex.EncodeToString(x)}
	}
	return value{class: 'n'}
}

// bind gives the value back as the class it had.
func (v value) bind() any {
	switch v.class {
	case 'i':
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return n
		}
	case 'r':
		if f, err := strconv.ParseFloat(v.text, 64); err == nil {
			return f
		}
	case 'b':
		if b, err := hex.DecodeString(v.text); err == nil {
			return b
		}
	case 't':
		return v.text
	}
	return nil
}

// sqliteJSON writes a row as one object: whole numbers and reals with all their
// digits, what is declared a boolean as one, bytes as \x and hexadecimal.
func sqliteJSON(columns []column, values []any) (data []byte, problem string) {
	data = append(make([]byte, 0, 256), '{')
	for i, c := range columns {
		if i > 0 {
			data = append(data, ',')
		}
		data = append(record.Canonical(data, c.name), ':')
		switch v := values[i].(type) {
		case int64:
			if (c.typ == "BOOLEAN" || c.typ == "BOOL") && (v == 0 || v == 1) {
				data = strconv.AppendBool(data, v == 1)
			} else {
				data = strconv.AppendInt(data, v, 10)
			}
		case float64:
			if math.IsInf(v, 0) {
				data = record.Canonical(data, fmt.Sprint(v))
			} else {
				data = strconv.AppendFloat(data, v, 'g', -1, 64)
			}
		case string:
			if problem == "" && (!utf8.ValidString(v) || strings.ContainsRune(v, 0)) {
				problem = fmt.Sprintf("column %s holds bytes that are no UTF-8 text; mend the value in the database", c.name)
			}
			data = record.Canonical(data, v)
		case []byte:
			data = record.Canonical(data, `\x`+hex.EncodeToString(v))
		default:
			data = append(data, "null"...)
		}
	}
	return append(data, '}'), problem
}

func (sqlite) textOf(name string) string { return "CAST(" + quote(name) + " AS TEXT)" }

// sameID lets the column's own type read the text, as an index needs; a column
// without a type has none to read by.
func (sqlite) sameID(b *statement, s *stream, columns []column, name, text string) string {
	typed := false
	for _, c := range columns {
		typed = typed || c.name == name && c.typ != "" && s.Query == ""
	}
	if typed {
		return columnName(name) + " = " + b.arg(text)
	}
	return "CAST(" + columnName(name) + " AS TEXT) = " + b.arg(text)
}

func (e sqlite) sameValue(b *statement, name string, v any) (string, error) {
	bound, err := e.bind(v)
	if err != nil {
		return "", err
	}
	return columnName(name) + " IS " + b.arg(bound), nil
}

func (sqlite) bind(v any) (any, error) {
	switch x := v.(type) {
	case nil, string, bool:
		return x, nil
	case json.Number:
		if n, err := strconv.ParseInt(x.String(), 10, 64); err == nil {
			return n, nil
		}
		f, err := strconv.ParseFloat(x.String(), 64)
		if err != nil {
			return nil, errors.New("a number is too large for SQLite")
		}
		return f, nil
	default:
		return string(record.Canonical(nil, x)), nil
	}
}
