// Package golden decides what is true of a customer: from the authored values
// of the members, field by field, with the losers kept. It does no I/O.
package golden

import (
	"fmt"
	"strconv"

	"touchstone/internal/record"
)

// Field is one authored value: the last one that the source's own people or
// processes set.
type Field struct {
	Value   record.Value
	Since   string // when the value last changed at the source, record.TimeLayout
	Version int    // the source version that brought it
}

// Authored holds a source record's authored values.
type Authored map[string]Field

// AppendJSON appends the canonical form: {"field":{"n":version,"s":since,"v":value}}.
func (a Authored) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, name := range a.names() {
		if i > 0 {
			b = append(b, ',')
		}
		f := a[name]
		b = record.TextValue(name).AppendJSON(b)
		b = append(b, `:{"n":`...)
		b = strconv.AppendInt(b, int64(f.Version), 10)
		b = append(b, `,"s":`...)
		b = record.TextValue(f.Since).AppendJSON(b)
		b = append(b, `,"v":`...)
		b = f.Value.AppendJSON(b)
		b = append(b, '}')
	}
	return append(b, '}')
}

func (a Authored) names() []string {
	f := make(record.Fields, len(a))
	for k := range a {
		f[k] = record.Value{}
	}
	return f.Names()
}

// Fields gives the values alone.
func (a Authored) Fields() record.Fields {
	f := make(record.Fields, len(a))
	for k, v := range a {
		f[k] = v.Value
	}
	return f
}

// ParseAuthored reads what AppendJSON wrote.
func ParseAuthored(b []byte) (Authored, error) {
	s := record.NewScanner(b)
	a := make(Authored, 16)
	err := s.Object(func(name string) error {
		f, err := parseField(s)
		a[name] = f
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, s.End()
}

func parseField(s *record.Scanner) (f Field, err error) {
	err = s.Object(func(key string) (err error) {
		switch key {
		case "n":
			f.Version, err = s.Int()
		case "s":
			f.Since, err = s.String()
		case "v":
			f.Value, err = s.Value()
		default:
			err = fmt.Errorf("unknown key %q", key)
		}
		return err
	})
	return f, err
}
