package file

import (
	"bytes"
	"context"
	"fmt"
	"io"
)

// jsonlScanner reads one JSON object a line.
type jsonlScanner struct {
	in   *input
	max  int
	line int // number of the line at in.lo
}

func (s *jsonlScanner) position() (int64, int) { return s.in.offset(), s.line }

// next gives the next line that is not blank: the object as it stands.
func (s *jsonlScanner) next(ctx context.Context, out []byte) (item, error) {
	for {
		n, width, err := s.in.line(ctx, 0, s.max)
		if err != nil {
			return item{}, err
		}
		if n+width == 0 {
			return item{}, io.EOF
		}
		text := s.in.buf[s.in.lo : s.in.lo+n]
		it := item{line: s.line}
		s.line++
		if n > s.max {
			it.problem = fmt.Sprintf("the record is longer than %d bytes; shorten it, or raise max_record", s.max)
			it.data = appendUnreadable(out, text)
			return it, s.in.skipLine(ctx)
		}
		trimmed := bytes.Trim(text, " \t\r\n")
		if len(trimmed) == 0 {
			s.in.lo += n + width
			continue
		}
		if it.problem = s.in.damage(text); it.problem == "" {
			it.problem = checkObject(trimmed)
		}
		if it.problem == "" {
			it.data = append(out, trimmed...)
		} else {
			it.data = appendUnreadable(out, trimmed)
		}
		s.in.lo += n + width
		return it, nil
	}
}
