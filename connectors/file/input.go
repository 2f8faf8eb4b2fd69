package file

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// input is a window on the UTF-8 text of a file: buf[lo:hi] is read and not
// yet given. It grows only as far as one record needs.
type input struct {
	r      io.Reader
	buf    []byte
	lo, hi int
	base   int64 // offset of buf[0] in the text
	eof    bool
	eol    byte // '\n', or '\r' in a file that has only those
	enc    encoded
}

func (in *input) window() []byte { return in.buf[in.lo:in.hi] }

func (in *input) offset() int64 { return in.base + int64(in.lo) }

// more reads at least one byte on, or answers io.EOF. What stood at lo before
// may stand elsewhere in buf afterwards, but again at lo.
func (in *input) more(ctx context.Context) error {
	if in.eof {
		return io.EOF
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if in.lo > 0 {
		copy(in.buf, in.buf[in.lo:in.hi])
		in.base += int64(in.lo)
		in.hi -= in.lo
		in.lo = 0
	}
	if in.hi == len(in.buf) {
		in.buf = append(in.buf, make([]byte, len(in.buf))...)
	}
	for range 100 {
		n, err := in.r.Read(in.buf[in.hi:])
		in.hi += n
		if errors.Is(err, io.EOF) {
			in.eof = true
		} else if err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
		if in.eof {
			return io.EOF
		}
	}
	return io.ErrNoProgress
}

// sample fills the window with the beginning of the text and finds how its
// lines end: a lone CR ends a line only where there is no LF at all, else it
// is text.
func (in *input) sample(ctx context.Context) error {
	for in.hi-in.lo < sampleBytes {
		if err := in.more(ctx); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	if w := in.window(); bytes.IndexByte(w, '\n') < 0 && bytes.IndexByte(w, '\r') >= 0 {
		in.eol = '\r'
	}
	return nil
}

// line gives the length of the line that begins from bytes behind lo, without
// its end, and the width of the end, 0 at the end of the text. It does not
// read far beyond max bytes: a length above max says that the line is longer.
func (in *input) line(ctx context.Context, from, limit int) (n, width int, err error) {
	for {
		if i := bytes.IndexByte(in.buf[in.lo+from+n:in.hi], in.eol); i >= 0 {
			return n + i, 1, nil
		}
		n = in.hi - in.lo - from
		if n > limit {
			return n, 0, nil
		}
		if err := in.more(ctx); errors.Is(err, io.EOF) {
			return n, 0, nil
		} else if err != nil {
			return 0, 0, err
		}
	}
}

// at gives the byte i behind lo; false at the end of the text.
func (in *input) at(ctx context.Context, i int) (byte, bool, error) {
	for in.lo+i >= in.hi {
		if err := in.more(ctx); errors.Is(err, io.EOF) {
			return 0, false, nil
		} else if err != nil {
			return 0, false, err
		}
	}
	return in.buf[in.lo+i], true, nil
}

// skipLine drops the rest of a line, however long it is.
func (in *input) skipLine(ctx context.Context) error {
	for {
		if i := bytes.IndexByte(in.window(), in.eol); i >= 0 {
			in.lo += i + 1
			return nil
		}
		in.lo = in.hi
		if err := in.more(ctx); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// discard drops the text before the offset.
func (in *input) discard(ctx context.Context, offset int64) error {
	for in.base+int64(in.hi) < offset {
		in.lo = in.hi
		if err := in.more(ctx); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	in.lo = int(offset - in.base)
	return nil
}
