package file

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"touchstone/connectors"
)

var _ connectors.RowReader = (*Client)(nil)

// Rows reads all files once, in the order of their names, and hands each record
// to each, without pages: what Pull gives from the beginning, in the same
// order. A file that changes while it is read is an error.
func (c *Client) Rows(ctx context.Context, each func(*connectors.Row) error) error {
	p, err := c.start(nil)
	if err != nil {
		return err
	}
	defer p.close()
	return p.rows(ctx, each)
}

func (p *pass) rows(ctx context.Context, each func(*connectors.Row) error) error {
	var row connectors.Row
	for n := 0; ; n++ {
		if p.cur == nil {
			if len(p.files) == 0 {
				return nil
			}
			if err := p.openNext(ctx); err != nil {
				return err
			}
		}
		if n%64 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		err := p.row(ctx, &row)
		if errors.Is(err, io.EOF) {
			if err := p.finishFile(); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", p.cur.name, err)
		}
		p.cur.records++
		if err := each(&row); err != nil {
			return err
		}
	}
}

// row reads the next record: CSV as fields, anything else as an object.
func (p *pass) row(ctx context.Context, row *connectors.Row) error {
	if s, ok := p.cur.scan.(*csvScanner); ok {
		used, lines, problem, err := s.read(ctx)
		if err != nil {
			return err
		}
		row.Names, row.Data, row.Problem = s.names, nil, problem
		if problem == "" {
			row.Fields = s.texts(row.Fields[:0])
		} else {
			row.Fields, row.Place = row.Fields[:0], p.cur.name+" line "+strconv.Itoa(s.line)
		}
		return s.advance(ctx, used, lines)
	}
	it, err := p.cur.scan.next(ctx, p.buf[:0])
	if err != nil {
		return err
	}
	p.buf = it.data
	*row = connectors.Row{Data: it.data, Problem: it.problem}
	if it.problem != "" {
		row.Place = p.cur.name + " " + cmp.Or(it.place, "line "+strconv.Itoa(it.line))
	}
	return nil
}

// texts appends the fields that the header names, as they stand in the window,
// or copied where a doubled quote stands for one.
func (c *csvScanner) texts(out [][]byte) [][]byte {
	text := c.in.buf[c.in.lo:c.in.hi]
	for _, f := range c.fields[:min(len(c.fields), len(c.names))] {
		b := text[f.lo:f.hi]
		if f.doubled {
			b = bytes.ReplaceAll(b, []byte(`""`), []byte(`"`))
		}
		out = append(out, b)
	}
	return out
}
