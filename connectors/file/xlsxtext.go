package file

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// sharedInMemory is how many bytes of shared strings are kept in memory; more
// go to a file. Cells mostly ask for them in the order they stand there, so that
// a window on the file serves.
const (
	sharedInMemory = 32 << 20
	sharedWindow   = 256 << 10
	mostShared     = 64 << 20 // strings
)

// sharedTexts are a workbook's shared strings: 8 bytes each and at most
// sharedInMemory of text.
type sharedTexts struct {
	ends   []int64 // where each ends in the text
	memory []byte
	file   *os.File // nil while all fits into memory
	window []byte
	from   int64 // of the window in the file
}

func (w *workbook) sharedTexts(ctx context.Context) (_ *sharedTexts, err error) {
	s := &sharedTexts{}
	d, closer, err := w.open(ctx, w.shared)
	if err != nil || d == nil {
		return s, err
	}
	defer func() { _ = closer.Close() }() // only read from
	defer func() {
		if err != nil {
			err = fmt.Errorf("shared strings: %w", errors.Join(err, s.Close()))
		}
	}()
	var out *bufio.Writer
	end := int64(0)
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, err
		}
		if e, ok := t.(xml.StartElement); !ok || e.Name.Local != "si" {
			continue
		}
		text, err := richText(d, "si")
		if err != nil {
			return s, err
		}
		if end += int64(len(text)); len(s.ends) >= mostShared {
			return s, errors.New("there are too many of them")
		}
		s.ends = append(s.ends, end)
		if s.file == nil && len(s.memory)+len(text) <= w.keep {
			s.memory = append(s.memory, text...)
			continue
		}
		if s.file == nil {
			if s.file, err = os.CreateTemp("", "touchstone-strings-"); err != nil {
				return s, err
			}
			out = bufio.NewWriterSize(s.file, sharedWindow)
			if _, err := out.Write(s.memory); err != nil {
				return s, err
			}
			s.memory = nil
		}
		if _, err := out.WriteString(text); err != nil {
			return s, err
		}
	}
	if out != nil {
		return s, out.Flush()
	}
	return s, nil
}

// Close removes the file, if there is one.
func (s *sharedTexts) Close() error {
	if s == nil || s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Close(), os.Remove(s.file.Name()))
	s.file = nil
	return err
}

func (s *sharedTexts) get(index string) (string, error) {
	i, err := strconv.Atoi(strings.TrimSpace(index))
	if err != nil || i < 0 || i >= len(s.ends) {
		return "", errors.New("names a shared string that the workbook does not have")
	}
	from, to := int64(0), s.ends[i]
	if i > 0 {
		from = s.ends[i-1]
	}
	if s.file == nil {
		return string(s.memory[from:to]), nil
	}
	if from < s.from || to > s.from+int64(len(s.window)) {
		if size := max(to-from, sharedWindow); int64(cap(s.window)) < size {
			s.window = make([]byte, size)
		}
		s.window = s.window[:cap(s.window)]
		n, err := s.file.ReadAt(s.window, from)
		if err != nil && !errors.Is(err, io.EOF) {
			return "", fmt.Errorf("read shared strings: %w", err)
		}
		s.window, s.from = s.window[:n], from
	}
	return string(s.window[from-s.from : to-s.from]), nil
}

// richText reads up to the end tag: the text of all t, of runs too, without the
// readings of phonetic runs.
func richText(d *xml.Decoder, end string) (string, error) {
	var b strings.Builder
	inText, phonetic := false, false
	for {
		t, err := d.RawToken()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "t":
				inText = true
			case "rPh":
				phonetic = true
			}
		case xml.EndElement:
			switch t.Name.Local {
			case end:
				return unescapeX(b.String()), nil
			case "t":
				inText = false
			case "rPh":
				phonetic = false
			}
		case xml.CharData:
			if inText && !phonetic {
				b.Write(t)
			}
		}
	}
}

// unescapeX reads _x000D_ and its like: how the format writes what XML cannot.
func unescapeX(s string) string {
	if !strings.Contains(s, "_x") {
		return s
	}
	var b strings.Builder
	for {
		i := strings.Index(s, "_x")
		if i < 0 || len(s) < i+7 {
			b.WriteString(s)
			return b.String()
		}
		n, err := strconv.ParseUint(s[i+2:i+6], 16, 16)
		if err != nil || s[i+6] != '_' {
			b.WriteString(s[:i+2])
			s = s[i+2:]
			continue
		}
		b.WriteString(s[:i])
		b.WriteRune(rune(n))
		s = s[i+7:]
	}
}
