package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Kind is the type of a value. A field that is not in Fields at all is
// missing; Null and an empty text are two other things.
type Kind uint8

// The kinds.
const (
	Null Kind = iota
	Text
	Number // decimal text, exactly as given: never a float
	Bool
	Date // YYYY-MM-DD
	List // points
)

// Value is one field's value.
type Value struct {
	Kind   Kind
	Text   string  // Text, Number, Date; "true" or "false" for Bool
	Points []Point // List
}

// Point is one entry of a multi-valued field: a phone, an address, an id.
// Parts holds the named parts of a compound value (an address's line, city …;
// an id's scheme, issuer); Value is its main text and may be empty when the
// parts say it all.
type Point struct {
	Value string
	Kind  string // work, mobile, billing …
	Parts map[string]string
}

// Fields is a record's fields in our model: field name → value.
type Fields map[string]Value

// TextValue, NumberValue, DateValue, BoolValue and ListValue make values.
func TextValue(s string) Value   { return Value{Kind: Text, Text: s} }
func NumberValue(s string) Value { return Value{Kind: Number, Text: s} }
func DateValue(s string) Value   { return Value{Kind: Date, Text: s} }
func ListValue(p ...Point) Value { return Value{Kind: List, Points: p} }
func BoolValue(b bool) Value {
	if b {
		return Value{Kind: Bool, Text: "true"}
	}
	return Value{Kind: Bool, Text: "false"}
}

// Blank says whether the value holds nothing: null, an empty text, an empty list.
func (v Value) Blank() bool {
	switch v.Kind {
	case Null:
		return true
	case List:
		return len(v.Points) == 0
	default:
		return strings.TrimSpace(v.Text) == ""
	}
}

// Equal says whether two values are the same in kind and content.
func (v Value) Equal(o Value) bool {
	return v.Kind == o.Kind && v.Text == o.Text && slices.EqualFunc(v.Points, o.Points, Point.Equal)
}

// Equal says whether two points are the same.
func (p Point) Equal(o Point) bool {
	if p.Value != o.Value || p.Kind != o.Kind || len(p.Parts) != len(o.Parts) {
		return false
	}
	for k, v := range p.Parts {
		if w, ok := o.Parts[k]; !ok || w != v {
			return false
		}
	}
	return true
}

// MarshalJSON writes a value in canonical form: text as a string, Number as a
// JSON number, Date as {"date": …}, a list as an array of flat objects with
// sorted keys. Equal values give equal bytes.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends the canonical form to b.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.Kind {
	case Null:
		return append(b, "null"...)
	case Number, Bool:
		return append(b, v.Text...)
	case Date:
		b = append(b, `{"date":`...)
		b = appendString(b, v.Text)
		return append(b, '}')
	case List:
		b = append(b, '[')
		for i, p := range v.Points {
			if i > 0 {
				b = append(b, ',')
			}
			b = p.AppendJSON(b)
		}
		return append(b, ']')
	default:
		return appendString(b, v.Text)
	}
}

// MarshalJSON writes a point as one flat object.
func (p Point) MarshalJSON() ([]byte, error) { return p.AppendJSON(nil), nil }

// AppendJSON appends a point as one flat object with sorted keys: its parts
// beside "kind" and "value".
func (p Point) AppendJSON(b []byte) []byte {
	keys := make([]string, 0, len(p.Parts)+2)
	for k := range p.Parts {
		keys = append(keys, k)
	}
	if p.Kind != "" {
		keys = append(keys, "kind")
	}
	if p.Value != "" {
		keys = append(keys, "value")
	}
	sort.Strings(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, k)
		b = append(b, ':')
		switch k {
		case "kind":
			b = appendString(b, p.Kind)
		case "value":
			b = appendString(b, p.Value)
		default:
			b = appendString(b, p.Parts[k])
		}
	}
	return append(b, '}')
}

// AppendJSON appends the fields as one object with sorted keys: the canonical
// form, equal fields give equal bytes.
func (f Fields) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, k := range f.Names() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, k)
		b = append(b, ':')
		b = f[k].AppendJSON(b)
	}
	return append(b, '}')
}

// MarshalJSON writes the canonical form.
func (f Fields) MarshalJSON() ([]byte, error) { return f.AppendJSON(nil), nil }

// Names lists the fields in byte order.
func (f Fields) Names() []string {
	names := make([]string, 0, len(f))
	for k := range f {
		names = append(names, k)
	}
	sort.Strings(names)
	return names
}

// Text gives the field's text, "" when it is missing or blank; of a list, the
// first point's main value.
func (f Fields) Text(name string) string {
	v, ok := f[name]
	if !ok {
		return ""
	}
	if v.Kind == List {
		if len(v.Points) == 0 {
			return ""
		}
		return v.Points[0].Value
	}
	return v.Text
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Value) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return fmt.Errorf("empty value")
	}
	switch b[0] {
	case 'n':
		*v = Value{}
		return nil
	case 't', 'f':
		*v = Value{Kind: Bool, Text: string(b)}
		return nil
	case '"':
		v.Kind = Text
		return json.Unmarshal(b, &v.Text)
	case '[':
		v.Kind = List
		return json.Unmarshal(b, &v.Points)
	case '{':
		var d struct {
			Date *string `json:"date"`
		}
		if err := json.Unmarshal(b, &d); err != nil {
			return err
		}
		if d.Date == nil {
			return fmt.Errorf("value is an object without a date")
		}
		*v = DateValue(*d.Date)
		return nil
	default:
		var n json.Number
		if err := json.Unmarshal(b, &n); err != nil {
			return err
		}
		*v = NumberValue(n.String())
		return nil
	}
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Point) UnmarshalJSON(b []byte) error {
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	p.Value, p.Kind, p.Parts = m["value"], m["kind"], nil
	delete(m, "value")
	delete(m, "kind")
	if len(m) > 0 {
		p.Parts = m
	}
	return nil
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string: only what JSON demands is escaped,
// invalid UTF-8 becomes U+FFFD. NUL is escaped like any control character, so
// that the text can be stored anywhere and a schema still sees it.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\t':
			b = append(b, '\\', 't')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r < 0x20 || r == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hexDigits[byte(r)>>4], hexDigits[byte(r)&15])
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}
