package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// describe says what stands at a place, for "is …, want …". A value that came
// by a reference, or may be a secret, is not repeated.
func (n Node) describe() string {
	switch {
	case empty(n.node):
		return "empty"
	case n.node.Kind == yaml.MappingNode:
		return "a mapping"
	case n.node.Kind == yaml.SequenceNode:
		return "a list"
	}
	if ref, ok := n.doc.refs[n.node]; ok {
		return "what " + ref.name + " holds"
	}
	if n.doc.isSecret(n.node) {
		return "a single value"
	}
	text := []rune(withoutCredentials(n.node.Value))
	if len(text) > 60 {
		text = append(text[:60:60], '…')
	}
	if n.node.ShortTag() == "!!str" || len(text) == 0 {
		return strconv.Quote(string(text))
	}
	return string(text)
}

// want says what a value of this type and these rules looks like.
func want(t reflect.Type, f field) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if len(f.oneof) > 0 && t.Kind() == reflect.String {
		return "one of " + strings.Join(f.oneof, ", ")
	}
	switch t {
	case reflect.TypeFor[Duration](), reflect.TypeFor[time.Duration]():
		return "a length of time like 30s, 5m, 1h30m or 2d" + bounds(f, "")
	case reflect.TypeFor[Percent]():
		return "a share between 0% and 100%, like 5% or 0.05" + bounds(f, "")
	case reflect.TypeFor[Size]():
		return "a size like 512, 64KiB or 16MiB" + bounds(f, "")
	case reflect.TypeFor[Secret]():
		return "a secret: ${env:NAME} or ${file:PATH}"
	case reflect.TypeFor[Expr]():
		return "an expression"
	case reflect.TypeFor[MapValue]():
		return "an expression, a mapping of parts, or a list of them"
	case reflect.TypeFor[TableValues]():
		return "value: meaning pairs, or the path of a CSV file"
	}
	switch t.Kind() {
	case reflect.String:
		if f.format == "url" {
			return "an address like https://api.example.com"
		}
		return "a text" + bounds(f, " characters")
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number" + bounds(f, "")
	case reflect.Slice:
		if e := t.Elem(); e.Kind() == reflect.Struct && !isSpecial(e) && shapeOf(e).name != nil {
			return "a mapping"
		}
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping"
	case reflect.Interface:
		return "any value"
	}
	if isScalar(t) && (t.Kind() < reflect.Int || t.Kind() > reflect.Uint64) {
		return "a " + strings.ToLower(t.Name())
	}
	return "a whole number" + bounds(f, "")
}

func bounds(f field, what string) string {
	switch {
	case f.min != "" && f.max != "":
		return fmt.Sprintf(", %s to %s%s", f.min, f.max, what)
	case f.min != "":
		return fmt.Sprintf(", at least %s%s", f.min, what)
	case f.max != "":
		return fmt.Sprintf(", at most %s%s", f.max, what)
	}
	return ""
}

// describeField is what a message about an absent key says of it.
func describeField(f field) string {
	if f.doc != "" {
		return f.doc
	}
	return want(f.typ, f)
}
