package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// csvScanner reads CSV. encoding/csv cannot do what customers' files need: it
// stops or swallows the rest of the file at a quote that is never closed,
// accepts no lone CR and no multi-byte delimiter by field, cannot bound a
// record's size, and gives no byte offset at which reading can go on later.
type csvScanner struct {
	in     *input
	delim  []byte
	max    int
	names  []string
	keys   [][]byte // {"name":" and ","name":" ready to append
	fields []span   // of the record being read, relative to in.lo
	line   int      // number of the line at in.lo
}

// span is one field's text; doubled says that "" in it stands for a quote.
type span struct {
	lo, hi  int
	doubled bool
}

func (c *csvScanner) position() (int64, int) { return c.in.offset(), c.line }

// next gives the next record. Blank lines are passed over.
func (c *csvScanner) next(ctx context.Context, out []byte) (item, error) {
	used, lines, problem, err := c.read(ctx)
	if err != nil {
		return item{}, err
	}
	it := item{line: c.line, problem: problem}
	if problem == "" {
		it.data = c.appendObject(out)
	} else {
		text := c.in.window()
		if used >= 0 {
			text = text[:used]
		}
		it.data = appendUnreadable(out, trimEnd(text))
	}
	return it, c.advance(ctx, used, lines)
}

// read finds the fields of the next record and stays before it: how many bytes
// and lines it takes, and what is wrong with it.
func (c *csvScanner) read(ctx context.Context) (used, lines int, problem string, err error) {
	if used, lines, problem, err = c.record(ctx); err != nil || problem != "" {
		return used, lines, problem, err
	}
	if problem = c.in.damage(c.in.window()[:used]); problem == "" {
		problem = c.surplus()
	}
	return used, lines, problem, nil
}

// advance goes behind the record. One that is longer than allowed is passed
// over to the end of its line.
func (c *csvScanner) advance(ctx context.Context, used, lines int) error {
	c.line += lines
	if used < 0 {
		return c.in.skipLine(ctx)
	}
	c.in.lo += used
	return nil
}

// record finds the fields of the next record that is not a blank line: how
// many bytes and lines it takes with its end, or what is wrong with it.
// used < 0 says that the line at lo is longer than a record may be.
func (c *csvScanner) record(ctx context.Context) (used, lines int, problem string, err error) {
	for {
		n, width, err := c.in.line(ctx, 0, c.max)
		if err != nil {
			return 0, 0, "", err
		}
		if n > c.max {
			return -1, 1, fmt.Sprintf("line %d: the record is longer than %d bytes; shorten it, or raise max_record", c.line, c.max), nil
		}
		if n+width == 0 {
			return 0, 0, "", io.EOF
		}
		text := trimCR(c.in.buf[c.in.lo : c.in.lo+n])
		if len(text) == 0 {
			c.in.lo += n + width
			c.line++
			continue
		}
		if bytes.IndexByte(text, '"') < 0 {
			c.plain(text)
			return n + width, 1, "", nil
		}
		return c.quoted(ctx, n, width)
	}
}

// plain splits a line without any quote.
func (c *csvScanner) plain(text []byte) {
	c.fields = c.fields[:0]
	pos := 0
	if len(c.delim) == 1 {
		d := c.delim[0]
		for {
			i := bytes.IndexByte(text[pos:], d)
			if i < 0 {
				break
			}
			c.fields = append(c.fields, span{pos, pos + i, false})
			pos += i + 1
		}
	} else {
		for {
			i := bytes.Index(text[pos:], c.delim)
			if i < 0 {
				break
			}
			c.fields = append(c.fields, span{pos, pos + i, false})
			pos += i + len(c.delim)
		}
	}
	c.fields = append(c.fields, span{pos, len(text), false})
}

// quoted reads a record whose first line, n bytes and an end of width, holds a
// quote. A quote opens a quoted field only at the field's first character;
// elsewhere it is text.
func (c *csvScanner) quoted(ctx context.Context, n, width int) (used, lines int, problem string, err error) {
	c.fields = c.fields[:0]
	pos, end, endWidth := 0, n, width
	for lines = 1; ; {
		if pos < end && c.in.buf[c.in.lo+pos] == '"' {
			q, err := c.closing(ctx, pos+1)
			if err != nil {
				return 0, 0, "", err
			}
			if q.at < 0 {
				return n + width, 1, fmt.Sprintf("line %d: quote opened in column %d is never closed", c.line, len(c.fields)+1), nil
			}
			if breaks := bytes.Count(c.in.buf[c.in.lo+pos:c.in.lo+q.at], []byte{c.in.eol}); breaks > 0 {
				lines += breaks
				m, w, err := c.in.line(ctx, q.next, c.max-q.next)
				if err != nil {
					return 0, 0, "", err
				}
				if end, endWidth = q.next+m, w; end > c.max {
					return n + width, 1, fmt.Sprintf("line %d: the record is longer than %d bytes; shorten it, or raise max_record", c.line, c.max), nil
				}
			}
			c.fields = append(c.fields, span{pos + 1, q.at, q.doubled})
			pos = q.next
		} else {
			text := trimCR(c.in.buf[c.in.lo+pos : c.in.lo+end])
			size := len(text)
			if i := bytes.Index(text, c.delim); i >= 0 {
				size = i
			}
			c.fields = append(c.fields, span{pos, pos + size, false})
			pos += size
		}
		if pos >= end || !bytes.HasPrefix(c.in.buf[c.in.lo+pos:c.in.lo+end], c.delim) {
			return end + endWidth, lines, "", nil
		}
		pos += len(c.delim)
	}
}

// quote is where a quoted field ends: at its closing quote, or nowhere (-1).
type quote struct {
	at, next int // next is behind the quote and blanks that follow it
	doubled  bool
}

// closing looks for the end of a quoted field whose text begins at from. The
// closing quote is followed by a delimiter, a line's end or the end of the
// text. A single quote inside the text is accepted as text as long as the
// field has no line break in it; with one it shows that a quote was never
// closed. The search goes no further than the longest record, and does so
// once: the quotes of the lines that follow would end it.
func (c *csvScanner) closing(ctx context.Context, from int) (quote, error) {
	q := quote{at: -1}
	broken, bare := false, false
	for pos, seen := from, from; ; {
		i := bytes.IndexByte(c.in.buf[c.in.lo+seen:c.in.hi], '"')
		if i < 0 {
			seen = c.in.hi - c.in.lo
			if seen > c.max {
				return q, nil
			}
			if err := c.in.more(ctx); errors.Is(err, io.EOF) {
				return q, nil
			} else if err != nil {
				return q, err
			}
			continue
		}
		at := seen + i
		if at > c.max {
			return q, nil
		}
		broken = broken || bytes.IndexByte(c.in.buf[c.in.lo+pos:c.in.lo+at], c.in.eol) >= 0
		if broken && bare {
			return q, nil
		}
		b, ok, err := c.in.at(ctx, at+1)
		if err != nil {
			return q, err
		}
		if ok && b == '"' {
			q.doubled = true
			pos, seen = at+2, at+2
			continue
		}
		next, ends, err := c.fieldEnds(ctx, at+1)
		if err != nil {
			return q, err
		}
		if ends {
			return quote{at, next, q.doubled}, nil
		}
		if broken {
			return q, nil
		}
		bare = true
		pos, seen = at+1, at+1
	}
}

// fieldEnds says whether only blanks stand between pos and the field's end.
func (c *csvScanner) fieldEnds(ctx context.Context, pos int) (next int, ends bool, err error) {
	for ; pos <= c.max; pos++ {
		// Enough of the text for the longest delimiter, or for CR LF.
		if _, _, err := c.in.at(ctx, pos+max(len(c.delim)-1, 1)); err != nil {
			return pos, false, err
		}
		rest := c.in.buf[c.in.lo+pos : c.in.hi]
		switch {
		case len(rest) == 0 || rest[0] == c.in.eol || bytes.HasPrefix(rest, c.delim):
			return pos, true, nil
		case rest[0] == '\r' && (len(rest) == 1 || rest[1] == c.in.eol):
			return pos, true, nil
		case rest[0] != ' ' && rest[0] != '\t':
			return pos, false, nil
		}
	}
	return pos, false, nil
}

// surplus says what is wrong when a row has more fields than the header has
// names. Surplus fields that are empty hold nothing and are dropped.
func (c *csvScanner) surplus() string {
	for i := len(c.names); i < len(c.fields); i++ {
		if c.fields[i].hi > c.fields[i].lo {
			return fmt.Sprintf("line %d: has %d columns, the header has %d; a %s inside a value needs quotes around the value", c.line, len(c.fields), len(c.names), delimiterName(c.delim))
		}
	}
	return ""
}

// appendObject appends the fields as a JSON object in column order. Columns
// that the row does not reach are missing, not empty.
func (c *csvScanner) appendObject(out []byte) []byte {
	text := c.in.buf[c.in.lo:c.in.hi]
	for i, f := range c.fields[:min(len(c.fields), len(c.keys))] {
		out = append(out, c.keys[i]...)
		out = appendText(out, text[f.lo:f.hi], f.doubled)
	}
	return append(out, '"', '}')
}

func (c *csvScanner) setNames(names []string) {
	c.names, c.keys = names, make([][]byte, len(names))
	for i, name := range names {
		k := []byte(`{"`)
		if i > 0 {
			k = []byte(`","`)
		}
		k = appendText(k, []byte(name), false)
		c.keys[i] = append(k, `":"`...)
	}
}

func trimCR(b []byte) []byte { return bytes.TrimSuffix(b, []byte{'\r'}) }

func trimEnd(b []byte) []byte { return bytes.TrimRight(b, "\r\n") }

func delimiterName(d []byte) string {
	if d[0] == '\t' {
		return "tab"
	}
	return strconv.Quote(string(d))
}
