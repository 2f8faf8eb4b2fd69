package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"touchstone/connectors"
	"touchstone/internal/record"
)

// Push writes the changes one after the other, each in a transaction of its
// own, and answers for each. When the database is not there, or lets us in no
// more, the rest is not sent and may be tried later.
func (c *Client) Push(ctx context.Context, batch []record.Change) ([]connectors.Result, error) {
	results := make([]connectors.Result, len(batch))
	var stop error
	for i, change := range batch {
		if stop == nil {
			stop = ctx.Err()
		}
		if stop != nil {
			err := stop
			if !errors.Is(err, connectors.ErrNotSent) {
				err = fmt.Errorf("%w: %w", connectors.ErrNotSent, err)
			}
			results[i] = connectors.Result{Outcome: connectors.Retry, Err: err}
		} else {
			results[i] = c.pushOne(ctx, change)
		}
		results[i].Row = change.Row
		if err := results[i].Err; err != nil && (errors.Is(err, connectors.ErrAuth) || errors.Is(err, connectors.ErrNotSent)) {
			stop = err
		}
	}
	return results, nil
}

func rejected(format string, args ...any) connectors.Result {
	return connectors.Result{Outcome: connectors.Rejected, Err: fmt.Errorf("%w: %w", connectors.ErrRejected, fmt.Errorf(format, args...))}
}

func (c *Client) pushOne(ctx context.Context, change record.Change) connectors.Result {
	s, err := c.stream(change.Entity)
	if err != nil {
		return rejected("%w", err)
	}
	if s.table == "" {
		return rejected("stream %s has no table to write to", s.Name)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	tx, err := c.write.BeginTx(ctx, nil)
	if err == nil {
		defer func() { _ = tx.Rollback() }() // after a commit there is nothing to roll back
		_, err = c.engine.begin(ctx, tx)
	}
	if err == nil {
		err = c.prove(ctx, tx)
	}
	if err != nil {
		return connectors.Result{Outcome: connectors.Retry, Err: fmt.Errorf("%w: %w", connectors.ErrNotSent, c.engine.plain(err))}
	}
	w := writing{c: c, s: s, tx: tx, change: change}
	res, err := w.run(ctx)
	if err != nil {
		res = c.failed(change, err)
	}
	if res.Outcome != connectors.Applied {
		return res
	}
	if err := tx.Commit(); err != nil {
		return c.notCommitted(change, err)
	}
	return res
}

// failed reads an error before the commit: surely nothing was applied.
func (c *Client) failed(change record.Change, err error) connectors.Result {
	told := fmt.Errorf("%s %s: %w", change.Op, change.Entity, c.engine.plain(err))
	switch c.engine.kind(err) {
	case refused:
		return rejected("%w", told)
	case broken, denied:
		return connectors.Result{Outcome: connectors.Retry, Err: fmt.Errorf("%w: %w", connectors.ErrNotSent, told)}
	}
	return connectors.Result{Outcome: connectors.Retry, Err: told}
}

// notCommitted reads an error of the commit itself: what the database says is
// certain, a connection that broke is not.
func (c *Client) notCommitted(change record.Change, err error) connectors.Result {
	if k := c.engine.kind(err); k == refused || k == denied {
		return c.failed(change, err)
	}
	return connectors.Result{Outcome: connectors.Unknown, Err: fmt.Errorf("%s %s: commit: %w", change.Op, change.Entity, c.engine.plain(err))}
}

// writing is one change in its transaction.
type writing struct {
	c      *Client
	s      *stream
	tx     *sql.Tx
	change record.Change
}

func (w *writing) run(ctx context.Context) (connectors.Result, error) {
	columns, err := columnsOf(ctx, w.tx, &stream{Stream: Stream{Table: w.s.Table}, source: w.s.table})
	if err != nil {
		return connectors.Result{}, err
	}
	for _, name := range slices.Sorted(maps.Keys(w.change.Fields)) {
		if !slices.ContainsFunc(columns, func(c column) bool { return c.name == name }) {
			return rejected("table %s has no column %s", w.s.Table, name), nil
		}
	}
	switch w.change.Op {
	case record.Update:
		return w.update(ctx, columns)
	case record.Create:
		return w.insert(ctx, columns, false)
	case record.Upsert:
		return w.insert(ctx, columns, true)
	}
	return rejected("unknown operation %q", w.change.Op), nil
}

// update sets the given columns of one row, if the row is still what the change
// was made for: its version column, or else each column that is written.
func (w *writing) update(ctx context.Context, columns []column) (connectors.Result, error) {
	parts, ok := w.s.splitID(w.change.ExternalID)
	if !ok {
		return w.gone(), nil
	}
	if len(w.change.Fields) == 0 {
		return rejected("update %s: no column is given", w.s.Name), nil
	}
	b := w.c.engine.statement()
	var set []string
	for _, name := range slices.Sorted(maps.Keys(w.change.Fields)) {
		v, err := w.c.engine.bind(w.change.Fields[name])
		if err != nil {
			return rejected("column %s: %w", name, err), nil
		}
		set = append(set, quote(name)+" = "+b.arg(v))
	}
	// The columns' types are the table's own here, whatever is read from.
	table := &stream{Stream: Stream{ID: w.s.ID, Table: w.s.Table}, source: w.s.table}
	where := w.c.byID(b, table, columns, parts)
	guard, err := w.guard(b)
	if err != nil {
		return rejected("update %s: %w", w.s.Name, err), nil
	}
	text := "UPDATE " + w.s.table + " AS " + alias + " SET " + strings.Join(set, ", ") + " WHERE " + strings.Join(append(where, guard...), " AND ")
	n, err := w.exec(ctx, text, b.args)
	switch {
	case err != nil && neverID(err) && !w.fits(ctx, columns, parts):
		return w.gone(), nil
	case err != nil:
		return connectors.Result{}, err
	case n > 1:
		return rejected("update %s: the id stands in %d rows; name columns as id that tell rows apart", w.s.Name, n), nil
	case n == 0:
		return w.why(ctx, table, columns, parts)
	}
	version, err := w.version(ctx, table, columns, parts)
	return connectors.Result{Outcome: connectors.Applied, ExternalID: w.change.ExternalID, Version: version}, err
}

func (w *writing) guard(b *statement) (where []string, err error) {
	if w.s.Version != "" && w.change.Precondition != "" {
		return []string{versionText(w.s) + " = " + b.arg(w.change.Precondition)}, nil
	}
	for _, name := range slices.Sorted(maps.Keys(w.change.Base)) {
		same, err := w.c.engine.sameValue(b, name, w.change.Base[name])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		where = append(where, same)
	}
	return where, nil
}

// versionText reads the version column as text, as it was given out.
func versionText(s *stream) string { return "CAST(" + columnName(s.Version) + " AS TEXT)" }

func (w *writing) exec(ctx context.Context, text string, args []any) (int64, error) {
	res, err := w.tx.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (w *writing) gone() connectors.Result {
	return rejected("%w: the row is not there", record.ErrNotFound)
}

// why finds out what kept an update from its row.
func (w *writing) why(ctx context.Context, table *stream, columns []column, parts []string) (connectors.Result, error) {
	b := w.c.engine.statement()
	where := w.c.byID(b, table, columns, parts)
	var n int
	text := "SELECT count(*) FROM " + w.s.table + " AS " + alias + " WHERE " + strings.Join(where, " AND ")
	if err := w.tx.QueryRowContext(ctx, text, b.args...).Scan(&n); err != nil {
		return connectors.Result{}, err
	}
	if n == 0 {
		return w.gone(), nil
	}
	return connectors.Result{Outcome: connectors.Conflict, Err: fmt.Errorf("%w: the row has changed since", connectors.ErrConflict)}, nil
}

// fits says whether the id is one that a row could have; asked outside the
// transaction, which an error has ended.
func (w *writing) fits(ctx context.Context, columns []column, parts []string) bool {
	err := w.c.view(ctx, func(ctx context.Context, tx *sql.Tx, _ string) error {
		b := w.c.engine.statement()
		where := w.c.byID(b, &stream{Stream: Stream{ID: w.s.ID, Table: w.s.Table}}, columns, parts)
		var n int
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM "+w.s.table+" AS "+alias+" WHERE "+strings.Join(where, " AND "), b.args...).Scan(&n)
	})
	return !neverID(err)
}

func (w *writing) version(ctx context.Context, table *stream, columns []column, parts []string) (string, error) {
	if w.s.Version == "" {
		return "", nil
	}
	b := w.c.engine.statement()
	where := w.c.byID(b, table, columns, parts)
	var v sql.NullString
	err := w.tx.QueryRowContext(ctx, "SELECT "+versionText(w.s)+" FROM "+w.s.table+" AS "+alias+" WHERE "+strings.Join(where, " AND "), b.args...).Scan(&v)
	return v.String, err
}

// insert makes a row with our key in it. Where the key is unique a row that has
// it already is told, or changed by an upsert.
func (w *writing) insert(ctx context.Context, columns []column, upsert bool) (connectors.Result, error) {
	if upsert && (!w.s.Unique || w.change.Key == "") {
		return rejected("upsert %s: needs key and unique_key", w.s.Name), nil
	}
	b := w.c.engine.statement()
	fields := maps.Clone(w.change.Fields)
	if w.s.Key != "" && w.change.Key != "" {
		fields[w.s.Key] = w.change.Key
	}
	if len(fields) == 0 {
		return rejected("create %s: no column is given", w.s.Name), nil
	}
	var names, set []string
	var values []any
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		v, err := w.c.engine.bind(fields[name])
		if err != nil {
			return rejected("column %s: %w", name, err), nil
		}
		names, values = append(names, quote(name)), append(values, v)
		if name != w.s.Key {
			set = append(set, quote(name)+" = excluded."+quote(name))
		}
	}
	text := "INSERT INTO " + w.s.table + " (" + strings.Join(names, ", ") + ") VALUES (" + b.list(values) + ")"
	switch {
	case !w.s.Unique || w.change.Key == "":
	case upsert && len(set) > 0:
		text += " ON CONFLICT (" + quote(w.s.Key) + ") DO UPDATE SET " + strings.Join(set, ", ")
	default:
		text += " ON CONFLICT (" + quote(w.s.Key) + ") DO NOTHING"
	}
	id, found, err := w.idOf(ctx, text+" RETURNING "+w.idTexts(), b.args)
	if err != nil || found {
		return connectors.Result{Outcome: connectors.Applied, ExternalID: id}, err
	}
	b = w.c.engine.statement()
	table := &stream{Stream: Stream{ID: w.s.ID, Table: w.s.Table}, source: w.s.table}
	where := w.c.engine.sameID(b, table, columns, w.s.Key, w.change.Key)
	id, found, err = w.idOf(ctx, "SELECT "+w.idTexts()+" FROM "+w.s.table+" AS "+alias+" WHERE "+where, b.args)
	switch {
	case err != nil:
		return connectors.Result{}, err
	case !found:
		return connectors.Result{Outcome: connectors.Conflict, Err: fmt.Errorf("%w: a row with our key is there and cannot be seen", connectors.ErrConflict)}, nil
	case upsert:
		return connectors.Result{Outcome: connectors.Applied, ExternalID: id}, nil
	}
	return connectors.Result{Outcome: connectors.Exists, ExternalID: id, Err: errors.New("a row with our key is there already")}, nil
}

func (w *writing) idTexts() string {
	texts := make([]string, len(w.s.ID))
	for i, name := range w.s.ID {
		texts[i] = w.c.engine.textOf(name)
	}
	return strings.Join(texts, ", ")
}

// idOf runs a text that gives the id columns of one row.
func (w *writing) idOf(ctx context.Context, text string, args []any) (id string, found bool, err error) {
	rows, err := w.tx.QueryContext(ctx, text, args...)
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		parts := make([]sql.NullString, len(w.s.ID))
		into := make([]any, len(parts))
		for i := range parts {
			into[i] = &parts[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", false, err
		}
		r := row{}
		for _, p := range parts {
			r.ids = append(r.ids, textValue(p))
		}
		id, found = r.id(), true
	}
	return id, found, rows.Err()
}
