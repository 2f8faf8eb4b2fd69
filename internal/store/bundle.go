package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
)

// bundled is one statement that waits to be sent with others.
type bundled struct {
	q      string
	args   []any
	values int          // in lists among the arguments
	scan   rowScan      // nil: it has no answer that anybody reads
	end    func() error // after its answer; may be nil
}

// Bounds of what waits to be sent: statements, and the values of their parameters in
// number.
const (
	mostBundled     = 64
	mostBundledArgs = 6000
)

// bundling are the statements of one transaction on PostgreSQL that wait to be sent
// with the next one whose answer is needed, and answers that were read ahead. The
// server runs them in the order in which they were said, so nobody sees a difference
// but the clock: a message and its answer are a wait for two processes to have their
// turn.
type bundling struct {
	unsent []bundled
	size   int // of their parameters

	collecting bool
	asked      answers
}

// errAhead is a mistake of ours.
var errAhead = errors.New("what is read ahead writes")

// later runs a statement whose answer is looked at, if at all, when the next one's
// is. On SQLite that is at once.
func (tx *Tx) later(ctx context.Context, s bundled) error {
	if !tx.db.d.bundles {
		if s.scan == nil && s.end == nil {
			_, err := tx.exec(ctx, s.q, s.args...)
			return err
		}
		if err := tx.query(ctx, s.q, s.args, s.scan); err != nil || s.end == nil {
			return err
		}
		return s.end()
	}
	if tx.collecting {
		return errAhead
	}
	tx.changes(s.q)
	s.args = cleanArgs(s.args)
	tx.unsent, tx.size = append(tx.unsent, s), tx.size+max(s.values, len(s.args))
	if len(tx.unsent) >= mostBundled || tx.size >= mostBundledArgs {
		return tx.flush(ctx)
	}
	return nil
}

// flush sends what waits.
func (tx *Tx) flush(ctx context.Context) error {
	list := tx.unsent
	if len(list) == 0 {
		return nil
	}
	tx.unsent, tx.size = nil, 0
	rows, err := tx.tx.QueryContext(ctx, "", &bundle{list: list})
	if err != nil {
		return about(list[0].q, err)
	}
	return closed(rows, eachAnswer(rows, list))
}

// eachAnswer hands the answers of a bundle to those who asked.
func eachAnswer(rows *sql.Rows, list []bundled) error {
	for i, s := range list {
		if i > 0 && !rows.NextResultSet() {
			return about(s.q, rows.Err())
		}
		for rows.Next() {
			if s.scan == nil {
				continue
			}
			if err := s.scan(rows); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return about(s.q, err)
		}
		if s.end != nil {
			if err := s.end(); err != nil {
				return err
			}
		}
	}
	return nil
}

// hold leaves what waits to the commit. What has an answer is asked first.
func (tx *Tx) hold(ctx context.Context) error {
	if slices.ContainsFunc(tx.unsent, func(s bundled) bool { return s.scan != nil || s.end != nil }) {
		return tx.flush(ctx)
	}
	if len(tx.unsent) == 0 {
		return nil
	}
	rows, err := tx.tx.QueryContext(ctx, "", &bundle{list: tx.unsent, hold: true})
	if err != nil {
		return err
	}
	tx.unsent, tx.size = nil, 0
	return eachRow(rows, func(*sql.Rows) error { return nil })
}

// Ahead reads at once, with what waits, what the functions would ask for one by one,
// where that saves waiting: on PostgreSQL. They are run without getting any answers,
// may only read, and what they ask for is given without asking when they are run
// again with the same questions. What the transaction changes meanwhile is asked for
// anew.
func (tx *Tx) Ahead(ctx context.Context, ask ...func(context.Context) error) error {
	if !tx.db.d.bundles {
		return nil
	}
	defer func() { tx.collecting = false }()
	from := len(tx.unsent)
	tx.collecting = true
	for _, fn := range ask {
		if err := fn(ctx); err != nil {
			return err
		}
	}
	tx.collecting = false
	read := answersTo(tx.unsent[from:])
	if err := tx.flush(ctx); err != nil {
		return err
	}
	tx.asked = append(tx.asked, read...)
	return nil
}

// changes forgets the answers that a statement makes old.
func (tx *Tx) changes(q string) {
	if len(tx.asked) == 0 {
		return
	}
	table, is := changed(q)
	if !is {
		return
	}
	tx.asked = slices.DeleteFunc(tx.asked, func(k *known) bool { return table == "" || mentions(k.q, table) })
}

// changed names the table that a statement changes; "" for any.
func changed(q string) (table string, is bool) {
	words := strings.Fields(q[:min(len(q), 200)])
	switch {
	case len(words) < 3:
		return "", true
	case words[0] == "SELECT":
		return "", strings.Contains(q, " FOR UPDATE") // it has waited: others may have changed anything
	case words[0] == "UPDATE":
		return words[1], true
	case words[0] == "INSERT" && words[1] == "INTO", words[0] == "DELETE" && words[1] == "FROM":
		return words[2], true
	case words[0] == "WITH" && words[1] == "RECURSIVE", words[0] == "SET":
		return "", false
	}
	return "", true
}

// mentions says whether a name stands in a text as a word.
func mentions(text, name string) bool {
	part := func(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }
	for at := 0; ; {
		i := strings.Index(text[at:], name)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(name)
		if (from == 0 || !part(text[from-1])) && (to == len(text) || !part(text[to])) {
			return true
		}
		at = to
	}
}

// byKeys has the rest of the transaction use one plan for a statement, by the keys,
// whatever the lists in it hold: left to itself PostgreSQL plans most of them anew
// each time, which takes longer than to run them for one record. Compiling is of
// no use to such plans; it would be tempted by the price of the scans that are ruled
// out, where there is no other way.
func (tx *Tx) byKeys(ctx context.Context) error {
	if tx.db.d.keyed == "" {
		return nil
	}
	return tx.later(ctx, bundled{q: tx.db.d.keyed})
}

// goByKeys is byKeys of PostgreSQL, and goByAll takes it back.
const (
	goByKeys = `SELECT set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
		set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)`
	goByAll = `SELECT set_config('plan_cache_mode', 'auto', true), set_config('enable_seqscan', 'on', true), set_config('enable_hashjoin', 'on', true)`
)

// byAll takes byKeys back, before a statement that reads whole tables.
func (tx *Tx) byAll(ctx context.Context) error {
	if tx.db.d.keyed == "" {
		return nil
	}
	return tx.later(ctx, bundled{q: goByAll})
}
