package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Scanner reads canonical JSON, the form that AppendJSON writes, without the
// detours of encoding/json: golden records are built from it by the hundred
// thousand. It also takes white space, and refuses everything else.
type Scanner struct {
	b  []byte
	at int
}

// NewScanner reads b.
func NewScanner(b []byte) *Scanner { return &Scanner{b: b} }

var errShort = errors.New("the JSON text ends too early")

func (s *Scanner) space() {
	for s.at < len(s.b) && (s.b[s.at] == ' ' || s.b[s.at] == '\n' || s.b[s.at] == '\t' || s.b[s.at] == '\r') {
		s.at++
	}
}

// Peek gives the next byte that is not white space; 0 at the end.
func (s *Scanner) Peek() byte {
	s.space()
	if s.at >= len(s.b) {
		return 0
	}
	return s.b[s.at]
}

// Take reads one expected byte.
func (s *Scanner) Take(c byte) error {
	if got := s.Peek(); got != c {
		return fmt.Errorf("offset %d: want %q", s.at, c)
	}
	s.at++
	return nil
}

// End says whether all has been read.
func (s *Scanner) End() error {
	if s.Peek() != 0 || s.at < len(s.b) {
		return fmt.Errorf("offset %d: more text than one value", s.at)
	}
	return nil
}

// Object reads an object and calls member with every key; member reads the
// value.
func (s *Scanner) Object(member func(key string) error) error {
	return s.sequence('{', '}', func() error {
		key, err := s.String()
		if err != nil {
			return err
		}
		if err := s.Take(':'); err != nil {
			return err
		}
		return member(key)
	})
}

// Array reads an array and calls element for every one; element reads it.
func (s *Scanner) Array(element func() error) error { return s.sequence('[', ']', element) }

func (s *Scanner) sequence(open, end byte, one func() error) error {
	if err := s.Take(open); err != nil {
		return err
	}
	if s.Peek() == end {
		s.at++
		return nil
	}
	for {
		if err := one(); err != nil {
			return err
		}
		if s.Peek() == end {
			s.at++
			return nil
		}
		if err := s.Take(','); err != nil {
			return err
		}
	}
}

// String reads a string. Bytes that are no UTF-8 become U+FFFD, as they do where
// a string is written: two names that are one when written are one when read.
func (s *Scanner) String() (string, error) {
	if err := s.Take('"'); err != nil {
		return "", err
	}
	from, ascii := s.at, true
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; {
		case c >= utf8.RuneSelf:
			ascii = false
		case c == '"':
			s.at++
			text := string(s.b[from : s.at-1])
			if !ascii {
				text = strings.ToValidUTF8(text, "\uFFFD")
			}
			return text, nil
		case c == '\\':
			return s.escaped(from)
		case c < 0x20:
			return "", fmt.Errorf("offset %d: a control character in a string", s.at)
		}
	}
	return "", errShort
}

// escaped reads a string that has escapes; from is behind its opening quote.
func (s *Scanner) escaped(from int) (string, error) {
	for ; s.at < len(s.b); s.at++ {
		switch s.b[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			var text string
			err := json.Unmarshal(bytes.ToValidUTF8(s.b[from-1:s.at], []byte("\uFFFD")), &text)
			return text, err
		}
	}
	return "", errShort
}

// word reads a number or one of true, false, null.
func (s *Scanner) word() string {
	s.space()
	from := s.at
	for s.at < len(s.b) && bytes.IndexByte([]byte(",]} \n\t\r"), s.b[s.at]) < 0 {
		s.at++
	}
	return string(s.b[from:s.at])
}

// Int reads a whole number.
func (s *Scanner) Int() (int, error) {
	n := 0
	w := s.word()
	for _, c := range w {
		if c < '0' || c > '9' || n > 1<<40 {
			return 0, fmt.Errorf("offset %d: want a whole number", s.at)
		}
		n = n*10 + int(c-'0')
	}
	if w == "" {
		return 0, errShort
	}
	return n, nil
}

// Value reads a value as AppendJSON writes it.
func (s *Scanner) Value() (Value, error) {
	switch s.Peek() {
	case '"':
		text, err := s.String()
		return TextValue(text), err
	case '[':
		v := Value{Kind: List}
		err := s.Array(func() error {
			p, err := s.Point()
			v.Points = append(v.Points, p)
			return err
		})
		return v, err
	case '{':
		return s.date()
	case 0:
		return Value{}, errShort
	}
	switch w := s.word(); w {
	case "null":
		return Value{}, nil
	case "true", "false":
		return Value{Kind: Bool, Text: w}, nil
	default:
		if !json.Valid([]byte(w)) {
			return Value{}, fmt.Errorf("offset %d: not a JSON value", s.at)
		}
		return NumberValue(w), nil
	}
}

func (s *Scanner) date() (v Value, err error) {
	has := false
	err = s.Object(func(key string) error {
		if key != "date" {
			return fmt.Errorf("offset %d: an object that is not a date", s.at)
		}
		has = true
		text, err := s.String()
		v = DateValue(text)
		return err
	})
	if err == nil && !has {
		err = errors.New("value is an object without a date")
	}
	return v, err
}

// Point reads one entry of a list.
func (s *Scanner) Point() (p Point, err error) {
	err = s.Object(func(key string) error {
		text, err := s.String()
		switch key {
		case "value":
			p.Value = text
		case "kind":
			p.Kind = text
		default:
			if p.Parts == nil {
				p.Parts = map[string]string{}
			}
			p.Parts[key] = text
		}
		return err
	})
	return p, err
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Value) UnmarshalJSON(b []byte) (err error) {
	s := NewScanner(b)
	if *v, err = s.Value(); err != nil {
		return err
	}
	return s.End()
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Point) UnmarshalJSON(b []byte) (err error) {
	s := NewScanner(b)
	if *p, err = s.Point(); err != nil {
		return err
	}
	return s.End()
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (f *Fields) UnmarshalJSON(b []byte) error {
	s := NewScanner(b)
	out := Fields{}
	err := s.Object(func(name string) error {
		v, err := s.Value()
		out[name] = v
		return err
	})
	if err != nil {
		return err
	}
	*f = out
	return s.End()
}
