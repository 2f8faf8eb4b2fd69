package record

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
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

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string: only what JSON demands is escaped,
// invalid UTF-8 becomes U+FFFD. NUL is escaped like any control character, so
// that the text can be stored anywhere and a schema still sees it.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}
