package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"touchstone/config"
	"touchstone/internal/record"
)

func duration(d config.Duration) time.Duration { return time.Duration(d) }

// mostFound bounds what a look-up by key gives: two are as wrong as a thousand.
const mostFound = 10

// Read reads single rows by their ids. One that does not exist is absent from
// the answer, and so is an id that no row could have.
func (c *Client) Read(ctx context.Context, entity string, ids []string) ([]record.Raw, error) {
	s, err := c.stream(entity)
	if err != nil {
		return nil, err
	}
	var out []record.Raw
	for _, id := range ids {
		parts, ok := s.splitID(id)
		if !ok {
			continue
		}
		err := c.view(ctx, func(ctx context.Context, tx *sql.Tx, _ string) error {
			columns, err := columnsOf(ctx, tx, s)
			if err != nil {
				return err
			}
			b := c.engine.statement()
			out, err = c.rows(ctx, tx, s, columns, b, c.byID(b, s, columns, parts), 2, out)
			return err
		})
		if err != nil && !neverID(err) {
			return nil, fmt.Errorf("read %s %s: %w", entity, id, err)
		}
	}
	return out, nil
}

func (c *Client) byID(b *statement, s *stream, columns []column, parts []string) (where []string) {
	for i, name := range s.ID {
		where = append(where, c.engine.sameID(b, s, columns, name, parts[i]))
	}
	return where
}

// rows appends the records of the rows that meet the conditions.
func (c *Client) rows(ctx context.Context, tx *sql.Tx, s *stream, columns []column, b *statement, where []string, limit int, out []record.Raw) ([]record.Raw, error) {
	text := c.engine.selectRows(s, columns, where, nil, limit, int(c.opts.MaxRecord))
	err := c.query(ctx, tx, s, columns, text, b.args, func(r row) bool {
		out = append(out, s.raw(r, int(c.opts.MaxRecord)))
		return true
	})
	return out, err
}

// FindByKey finds rows by the key we gave them.
func (c *Client) FindByKey(ctx context.Context, entity, key string) (found []record.Raw, err error) {
	s, err := c.stream(entity)
	if err != nil {
		return nil, err
	}
	if s.Key == "" {
		return nil, fmt.Errorf("find %s: the stream has no key", entity)
	}
	err = c.view(ctx, func(ctx context.Context, tx *sql.Tx, _ string) error {
		columns, err := columnsOf(ctx, tx, s)
		if err != nil {
			return err
		}
		b := c.engine.statement()
		found, err = c.rows(ctx, tx, s, columns, b, []string{c.engine.sameID(b, s, columns, s.Key, key)}, mostFound, nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find %s by key: %w", entity, err)
	}
	return found, nil
}
