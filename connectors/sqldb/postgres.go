package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"touchstone/internal/record"
)

// postgres reads rows as JSON made by the server, which keeps every type
// exactly, and binds every value as text, which the server reads as the type
// of the column it stands beside.
type postgres struct {
	config  *pgx.ConnConfig
	timeout time.Duration
}

func newPostgres(dsn string, timeout time.Duration) (postgres, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return postgres{}, errors.New("the postgres address cannot be read (its text is not shown, it may hold a password)")
	}
	if cfg.ConnectTimeout == 0 || cfg.ConnectTimeout > timeout {
		cfg.ConnectTimeout = timeout
	}
	return postgres{config: cfg, timeout: timeout}, nil
}

func (p postgres) open(bool) *sql.DB {
	pool := sql.OpenDB(stdlib.GetConnector(*p.config))
	pool.SetMaxOpenConns(2)
	pool.SetMaxIdleConns(1)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

func (postgres) readOnlyTx() bool { return true }

// begin bounds the transaction's statements and makes times look the same
// whatever the server's settings are. They go with the transaction, so that a
// pooler between us and the server is no trouble.
func (p postgres) begin(ctx context.Context, tx *sql.Tx) (now string, err error) {
	ms := fmt.Sprint(p.timeout.Milliseconds())
	var ignored [4]string
	err = tx.QueryRowContext(ctx, `SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $1, true),
		set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true),
		to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')`, ms).
		Scan(&ignored[0], &ignored[1], &ignored[2], &ignored[3], &now)
	return now, err
}

func (postgres) countTables(ctx context.Context, tx *sql.Tx, schema string, names []string) (n int, err error) {
	b := statement{mark: "$"}
	where := "n.nspname = ANY (current_schemas(false))"
	if schema != "" {
		where = "n.nspname = " + b.arg(schema)
	}
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = name
	}
	err = tx.QueryRowContext(ctx, `SELECT count(DISTINCT c.relname) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE `+where+` AND c.relname IN (`+b.list(args)+`)`, b.args...).Scan(&n)
	return n, err
}

func (postgres) statement() *statement { return &statement{mark: "$"} }

// selectRows nests three queries: the innermost takes the page, so that JSON is
// made of its rows alone; the next makes it, once (OFFSET 0 keeps the server
// from putting it into both places of the outermost).
func (postgres) selectRows(s *stream, _ []column, where, order []string, limit, most int) string {
	var inner, outer, sorted []string
	inner = append(inner, alias+" AS r")
	for i, name := range s.ID {
		inner = append(inner, columnName(name)+fmt.Sprintf(" AS i%d", i))
		outer = append(outer, fmt.Sprintf("q.i%d::text", i))
		sorted = append(sorted, fmt.Sprintf("q.i%d", i))
	}
	for _, x := range []struct{ name, expression string }{{"ch", changed(s)}, {"ve", column1(s.Version)}, {"de", column1(s.Deleted)}} {
		inner = append(inner, x.expression+" AS "+x.name)
		outer = append(outer, "q."+x.name+"::text")
	}
	if len(order) > len(s.ID) {
		sorted = append([]string{"q.ch"}, sorted...)
	}
	sortBy := ""
	limited := fmt.Sprintf(" LIMIT %d", limit)
	if len(order) > 0 {
		sortBy = " ORDER BY " + strings.Join(sorted, ", ")
		limited = " ORDER BY " + strings.Join(order, ", ") + limited
	}
	return fmt.Sprintf(`SELECT %s, CASE WHEN octet_length(q.j) > %d THEN NULL ELSE q.j END, octet_length(q.j)
		FROM (SELECT p.*, row_to_json(p.r)::text AS j FROM (SELECT %s FROM %s AS %s WHERE %s%s) AS p OFFSET 0) AS q%s`,
		strings.Join(outer, ", "), most, strings.Join(inner, ", "), s.source, alias, strings.Join(where, " AND "), limited, sortBy)
}

func changed(s *stream) string {
	if len(s.Changed) == 0 {
		return "NULL::text"
	}
	return changedOf(s)
}

func column1(name string) string {
	if name == "" {
		return "NULL::text"
	}
	return columnName(name)
}

func (postgres) scan(rows *sql.Rows, s *stream, _ []column, _ int) (r row, err error) {
	ids := make([]sql.NullString, len(s.ID))
	var ch, ve, de, data sql.NullString
	into := make([]any, 0, len(ids)+5)
	for i := range ids {
		into = append(into, &ids[i])
	}
	if err := rows.Scan(append(into, &ch, &ve, &de, &data, &r.size)...); err != nil {
		return r, err
	}
	for _, id := range ids {
		r.ids = append(r.ids, textValue(id))
	}
	r.changed, r.version, r.deleted = textValue(ch), ve.String, isDeleted(de.String, !de.Valid)
	if data.Valid {
		r.data = []byte(data.String)
	}
	return r, nil
}

func textValue(s sql.NullString) value {
	if !s.Valid {
		return value{class: 'n'}
	}
	return value{'t', s.String}
}

func (postgres) textOf(name string) string { return quote(name) + "::text" }

func (postgres) sameID(b *statement, _ *stream, _ []column, name, text string) string {
	return columnName(name) + " = " + b.arg(text)
}

// sameValue compares as jsonb: any type has it, numbers are equal by value, and
// a value was read in that form.
func (postgres) sameValue(b *statement, name string, v any) (string, error) {
	return "COALESCE(to_jsonb(" + columnName(name) + "), 'null'::jsonb) IS NOT DISTINCT FROM " + b.arg(string(record.Canonical(nil, v))) + "::jsonb", nil
}

// bind gives every value as text, JSON where it is an object or a list.
func (postgres) bind(v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case string:
		if strings.ContainsRune(x, 0) {
			return nil, errors.New("a text holds a NUL character, which PostgreSQL does not keep")
		}
		return x, nil
	case bool:
		return fmt.Sprint(x), nil
	case json.Number:
		return x.String(), nil
	default:
		return string(record.Canonical(nil, x)), nil
	}
}
