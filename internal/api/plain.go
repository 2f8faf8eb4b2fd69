package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// Plain is an answer made of what the pages are made of. Its keys are the names
// of the fields as snake_case (durations in seconds, with _seconds), or what
// their JSON tags say; lists are never null, and a time or a part that there is
// none of is left out.
type Plain[T any] struct{ Of T }

// MarshalJSON writes it.
func (p Plain[T]) MarshalJSON() ([]byte, error) {
	var buf bytes.Buffer
	err := writePlain(&buf, reflect.ValueOf(p.Of))
	return buf.Bytes(), err
}

// Schema describes what MarshalJSON writes.
func (p Plain[T]) Schema(r huma.Registry) *huma.Schema {
	return plainSchema(r, reflect.TypeFor[T]())
}

// plain makes answers of a list.
func plain[T any](list []T) []Plain[T] {
	out := make([]Plain[T], len(list))
	for i, v := range list {
		out[i] = Plain[T]{v}
	}
	return out
}

// plainField is one key.
type plainField struct {
	index    []int
	name     string
	kind     reflect.Type
	optional bool   // left out when it is zero
	doc      string // what it is, where a tag says so
}

var (
	timeType      = reflect.TypeFor[time.Time]()
	durationType  = reflect.TypeFor[time.Duration]()
	marshalerType = reflect.TypeFor[json.Marshaler]()
)

// plainFields lists the keys of a struct; those of an embedded one are its own.
func plainFields(t reflect.Type) (list []plainField) {
	for _, f := range reflect.VisibleFields(t) {
		name, rest, tagged := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "-" {
			continue
		}
		if name == "" {
			if name = snake(f.Name); f.Type == durationType {
				name += "_seconds"
			}
		}
		list = append(list, plainField{
			index: f.Index, name: name, kind: f.Type,
			optional: f.Type == timeType || f.Type.Kind() == reflect.Pointer || tagged && strings.Contains(rest, "omitempty"),
			doc:      f.Tag.Get("doc"),
		})
	}
	return list
}

// snake writes a name of ours as a key: ExternalID is external_id.
func snake(name string) string {
	var b strings.Builder
	rs := []rune(name)
	for i, r := range rs {
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// itself says whether a type writes itself as JSON.
func itself(t reflect.Type) bool { return t == timeType || t.Implements(marshalerType) }

func writePlain(buf *bytes.Buffer, v reflect.Value) error {
	t := v.Type()
	switch {
	case t == durationType:
		return writeJSON(buf, time.Duration(v.Int()).Seconds())
	case itself(t):
	case t.Kind() == reflect.Pointer && !v.IsNil():
		return writePlain(buf, v.Elem())
	case t.Kind() == reflect.Struct:
		return writeObject(buf, v)
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8, t.Kind() == reflect.Array:
		buf.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				buf.WriteByte(',')
			}
			if err := writePlain(buf, v.Index(i)); err != nil {
				return err
			}
		}
		buf.WriteByte(']')
		return nil
	case t.Kind() == reflect.Map && v.IsNil():
		buf.WriteString("{}")
		return nil
	}
	return writeJSON(buf, v.Interface())
}

func writeObject(buf *bytes.Buffer, v reflect.Value) error {
	buf.WriteByte('{')
	first := true
	for _, f := range plainFields(v.Type()) {
		x := v.FieldByIndex(f.index)
		if f.optional && (x.IsZero() || x.Kind() == reflect.Slice && x.Len() == 0) {
			continue
		}
		if !first {
			buf.WriteByte(',')
		}
		first = false
		if err := writeJSON(buf, f.name); err != nil {
			return err
		}
		buf.WriteByte(':')
		if err := writePlain(buf, x); err != nil {
			return err
		}
	}
	buf.WriteByte('}')
	return nil
}

func writeJSON(buf *bytes.Buffer, v any) error {
	text, err := json.Marshal(v)
	buf.Write(text)
	return err
}

func plainSchema(r huma.Registry, t reflect.Type) *huma.Schema {
	switch {
	case t == durationType:
		return &huma.Schema{Type: huma.TypeNumber, Description: "seconds"}
	case itself(t):
		return r.Schema(t, true, "")
	case t.Kind() == reflect.Pointer:
		return plainSchema(r, t.Elem())
	case t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8, t.Kind() == reflect.Array:
		return &huma.Schema{Type: huma.TypeArray, Items: plainSchema(r, t.Elem())}
	case t.Kind() == reflect.Struct:
		s := &huma.Schema{Type: huma.TypeObject, Properties: map[string]*huma.Schema{}}
		for _, f := range plainFields(t) {
			p := plainSchema(r, f.kind)
			if f.doc != "" && p.Ref == "" { // beside a reference nothing else counts
				p.Description = f.doc
			}
			s.Properties[f.name] = p
			if !f.optional {
				s.Required = append(s.Required, f.name)
			}
		}
		slices.Sort(s.Required)
		return s
	}
	// Counts of ours can be -1 and more than 32 bits: no bounds are promised.
	return r.Schema(t, true, "")
}
