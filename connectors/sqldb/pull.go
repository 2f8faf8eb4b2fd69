package sqldb

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"touchstone/connectors"
	"touchstone/internal/record"
)

// position is what a cursor holds. Between two passes only Mark is set; within
// one, all that the next page needs.
type position struct {
	Seed   string   `json:"seed"`            // another table, id or changed starts anew
	Mark   string   `json:"mark,omitempty"`  // the greatest changed value of the passes that ended
	Inside bool     `json:"in,omitempty"`    // a pass goes on
	Dated  bool     `json:"dated,omitempty"` // it has reached the rows that have a changed value
	After  []string `json:"after,omitempty"` // the last row's changed value, if dated, and ids
	High   string   `json:"high,omitempty"`  // the greatest changed value of this pass; becomes Mark at its end
}

func readPosition(cursor []byte, s *stream) (position, error) {
	var p position
	if len(cursor) == 0 {
		return position{Seed: s.seed}, nil
	}
	d := json.NewDecoder(bytes.NewReader(cursor))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, errors.New("the cursor is not one of this connector")
	}
	if p.Seed != s.seed {
		return position{Seed: s.seed}, nil
	}
	return p, nil
}

func (p position) encode() []byte {
	b, err := json.Marshal(p)
	if err != nil { // a struct of texts and marks always marshals
		panic(err)
	}
	return b
}

// Pull reads one page by keyset: in the order of changed and id, behind the
// last row of the page before. Without a changed column a pass gives every row,
// in the order of ids. With one it gives rows without a value first, then those
// from the mark on, the mark's own again: what was committed late with the
// same value is not lost.
func (c *Client) Pull(ctx context.Context, name string, cursor []byte) (connectors.Page, error) {
	s, err := c.stream(name)
	if err != nil {
		return connectors.Page{}, err
	}
	at, err := readPosition(cursor, s)
	if err != nil {
		return connectors.Page{}, fmt.Errorf("pull %s: %w", name, err)
	}
	if !at.Inside {
		at = position{Seed: s.seed, Mark: at.Mark, Inside: true}
	}
	var page connectors.Page
	err = c.view(ctx, func(ctx context.Context, tx *sql.Tx, now string) error {
		page, err = c.page(ctx, tx, s, at, now)
		return err
	})
	if err != nil {
		return connectors.Page{}, fmt.Errorf("pull %s: %w", name, err)
	}
	return page, nil
}

func (c *Client) page(ctx context.Context, tx *sql.Tx, s *stream, at position, now string) (connectors.Page, error) {
	page := connectors.Page{Snapshot: len(s.Changed) == 0}
	columns, err := columnsOf(ctx, tx, s)
	if err != nil {
		return page, err
	}
	b := c.engine.statement()
	where, order, err := s.behind(b, at)
	if err != nil {
		return page, err
	}
	text := c.engine.selectRows(s, columns, where, order, c.opts.PageSize, int(c.opts.MaxRecord))
	next, size, full := at, 0, false
	err = c.query(ctx, tx, s, columns, text, b.args, func(r row) bool {
		page.Records = append(page.Records, s.raw(r, int(c.opts.MaxRecord)))
		next.After = keys(r, at.Dated)
		if at.Dated && !inFuture(r.changed, now) {
			next.High = r.changed.encode()
		}
		size += len(r.data)
		full = len(page.Records) == c.opts.PageSize || size+int(c.opts.MaxRecord) > pageBytes
		return !full
	})
	if err != nil {
		return page, err
	}
	switch {
	case full:
		page.More = true
	case !page.Snapshot && !at.Dated:
		next.Dated, next.After, page.More = true, nil, true
	default:
		if at.Mark == "" {
			if err := c.withoutID(ctx, tx, s, &page); err != nil {
				return page, err
			}
		}
		mark := at.Mark
		if next.High != "" {
			mark = next.High
		}
		next = position{Seed: s.seed, Mark: mark}
	}
	page.Cursor = next.encode()
	return page, nil
}

func keys(r row, dated bool) []string {
	var list []string
	if dated {
		list = append(list, r.changed.encode())
	}
	for _, v := range r.ids {
		list = append(list, v.encode())
	}
	return list
}

// behind gives the conditions for the rows that come after a position, and
// their order.
func (s *stream) behind(b *statement, at position) (where, order []string, err error) {
	for _, name := range s.ID {
		where = append(where, columnName(name)+" IS NOT NULL")
	}
	switch {
	case len(s.Changed) == 0:
	case !at.Dated:
		where = append(where, changedOf(s)+" IS NULL")
	default:
		order = append(order, changedOf(s))
		where = append(where, changedOf(s)+" IS NOT NULL")
		if at.Mark != "" && len(at.After) == 0 {
			mark, err := decodeValue(at.Mark)
			if err != nil {
				return nil, nil, err
			}
			if mark, err = back(mark, duration(s.Lookback)); err != nil {
				return nil, nil, err
			}
			where = append(where, changedOf(s)+" >= "+b.arg(mark.bind()))
		}
	}
	for _, name := range s.ID {
		order = append(order, columnName(name))
	}
	if len(at.After) == 0 {
		return where, order, nil
	}
	if len(at.After) != len(order) {
		return nil, nil, errors.New("the cursor is not one of this connector")
	}
	last := make([]any, len(order))
	for i, text := range at.After {
		v, err := decodeValue(text)
		if err != nil {
			return nil, nil, err
		}
		last[i] = v.bind()
	}
	return append(where, tuple(order)+" > ("+b.list(last)+")"), order, nil
}

func tuple(parts []string) string {
	text := "("
	for i, p := range parts {
		if i > 0 {
			text += ", "
		}
		text += p
	}
	return text + ")"
}

// withoutID tells of rows that have no id, at the end of a pass over all rows:
// they can be no records, and must not be lost without a word.
func (c *Client) withoutID(ctx context.Context, tx *sql.Tx, s *stream, page *connectors.Page) error {
	const most = 1000
	missing := ""
	for i, name := range s.ID {
		if i > 0 {
			missing += " OR "
		}
		missing += columnName(name) + " IS NULL"
	}
	var n int
	//nolint:gosec // names of the configuration, quoted
	text := fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM %s AS %s WHERE %s LIMIT %d) AS q", s.source, alias, missing, most)
	if err := tx.QueryRowContext(ctx, text).Scan(&n); err != nil || n == 0 {
		return err
	}
	count := fmt.Sprint(n)
	if n == most {
		count += " or more"
	}
	page.Records = append(page.Records, record.Raw{
		Entity: s.Name, Place: s.place(), Data: unreadable(count + " rows without an id"),
		Problem: fmt.Sprintf("%s rows have no id: a column of %v is null; fill it, or name another column as id", count, s.ID),
	})
	return nil
}
