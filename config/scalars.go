package config

import (
	"encoding"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// isScalar says whether a type is written as one scalar.
func isScalar(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[Secret](), reflect.TypeFor[Duration](), reflect.TypeFor[Percent](), reflect.TypeFor[Size](), reflect.TypeFor[time.Duration]():
		return true
	}
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return !isSpecial(t) && reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func isSpecial(t reflect.Type) bool {
	return t == reflect.TypeFor[Expr]() || t == reflect.TypeFor[MapValue]() || t == reflect.TypeFor[Block]() || t == reflect.TypeFor[Node]() || t == reflect.TypeFor[TableValues]() || t == reflect.TypeFor[Tree]()
}

// scalar decodes one scalar: reference, type, bounds.
func (w *walker) scalar(at Node, into reflect.Value, rules field) {
	secret := into.Type() == reflect.TypeFor[Secret]()
	w.note(at, secret)
	ref, isRef := at.doc.refs[at.node]
	switch {
	case empty(at.node):
		w.report(at, "has no value; give one (%s) or remove the key", want(into.Type(), rules))
		return
	case at.node.Kind != yaml.ScalarNode:
		w.report(at, "is %s, want %s", at.describe(), want(into.Type(), rules))
		return
	case isRef && !ref.ok:
		w.unsure[at.path] = true
		if rules.hasDef {
			_ = setScalar(into, rules.def)
		}
		if secret {
			into.Set(reflect.ValueOf(Secret{ref: true}))
		} else if into.Kind() == reflect.String {
			into.SetString(at.node.Value)
		}
		return
	case secret && !isRef:
		w.literal(at)
	}
	text := at.node.Value
	if isRef {
		text = ref.value
	} else if quoted(at.node) && wantsPlain(into.Type()) {
		w.report(at, "is %s in quotes, want %s; remove the quotes", at.describe(), want(into.Type(), rules))
		return
	}
	if err := setScalar(into, text); err != nil {
		w.report(at, "is %s, %s", at.describe(), wanted(err, want(into.Type(), rules), isRef || secret))
		return
	}
	w.limits(at, into, rules)
}

// literal deals with a secret that is written into the file itself.
func (w *walker) literal(at Node) {
	if at.node.Value == hidden {
		if w.doc.opts.NoSecrets {
			return
		}
		w.report(at, "is the mark that stands for a secret in printed configurations; put ${env:NAME} or ${file:PATH} back")
		return
	}
	w.warnings = append(w.warnings, Problem{
		File: at.file(), Line: at.line, Column: at.column, Path: at.path,
		Text: "a secret stands in the file itself; better ${env:NAME} or ${file:PATH}",
	})
}

// wanted says what would be right: in the words of the value's own parser,
// unless these could repeat a value that is not to be repeated.
func wanted(err error, general string, quiet bool) string {
	switch text := err.Error(); {
	case quiet:
		return "want " + general
	case strings.HasPrefix(text, "want "):
		return text
	default:
		return "want " + general + " (" + text + ")"
	}
}

func quoted(n *yaml.Node) bool {
	return n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
}

// wantsPlain says that quotes around a value of this type are a mistake.
func wantsPlain(t reflect.Type) bool {
	if t == reflect.TypeFor[Duration]() || t == reflect.TypeFor[Percent]() || t == reflect.TypeFor[Size]() || t == reflect.TypeFor[time.Duration]() {
		return false
	}
	k := t.Kind()
	return k == reflect.Bool || k >= reflect.Int && k <= reflect.Float64
}

// setScalar reads text into a scalar type.
func setScalar(into reflect.Value, text string) error {
	switch into.Type() {
	case reflect.TypeFor[Secret]():
		into.Set(reflect.ValueOf(NewSecret(text)))
		return nil
	case reflect.TypeFor[Duration](), reflect.TypeFor[time.Duration]():
		d, err := ParseDuration(text)
		into.SetInt(int64(d))
		return err
	case reflect.TypeFor[Percent]():
		p, err := ParsePercent(text)
		into.SetFloat(float64(p))
		return err
	case reflect.TypeFor[Size]():
		s, err := ParseSize(text)
		into.SetInt(int64(s))
		return err
	}
	if u, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("want true or false")
		}
		into.SetBool(text == "true")
	case reflect.Float32, reflect.Float64:
		v, err := strconv.ParseFloat(text, into.Type().Bits())
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("want a number")
		}
		into.SetFloat(v)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v, err := strconv.ParseUint(text, 10, into.Type().Bits())
		if err != nil {
			return fmt.Errorf("want a whole number")
		}
		into.SetUint(v)
	default:
		v, err := strconv.ParseInt(text, 10, into.Type().Bits())
		if err != nil {
			return fmt.Errorf("want a whole number")
		}
		into.SetInt(v)
	}
	return nil
}

// limits holds a decoded scalar against its tags.
func (w *walker) limits(at Node, into reflect.Value, rules field) {
	if len(rules.oneof) > 0 && into.Kind() == reflect.String {
		for _, o := range rules.oneof {
			if into.String() == o {
				return
			}
		}
		w.report(at, "is %s, want one of %s%s", at.describe(), strings.Join(rules.oneof, ", "), meant(into.String(), rules.oneof))
		return
	}
	if into.Kind() == reflect.String {
		w.text(at, into, rules)
		return
	}
	for _, b := range []struct {
		bound string
		low   bool
	}{{rules.min, true}, {rules.max, false}} {
		if b.bound == "" {
			continue
		}
		limit := reflect.New(into.Type()).Elem()
		if err := setScalar(limit, b.bound); err != nil {
			panic(fmt.Sprintf("config: bound %q of %s: %v", b.bound, at.path, err)) // a mistake in our own tags
		}
		if c := compare(into, limit); b.low && c < 0 || !b.low && c > 0 {
			w.report(at, "is %s, want %s", at.describe(), want(into.Type(), rules))
			return
		}
	}
}

func meant(text string, names []string) string {
	if n := nearest(text, names); n != "" {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// text holds a text against min, max (its length) and format.
func (w *walker) text(at Node, into reflect.Value, rules field) {
	s := into.String()
	n := utf8.RuneCountInString(s)
	lo, _ := strconv.Atoi(rules.min)
	hi, err := strconv.Atoi(rules.max)
	switch {
	case strings.TrimSpace(s) == "" && (rules.required || lo > 0 || rules.format != ""):
		w.report(at, "is empty, want %s", want(into.Type(), rules))
	case n < lo || err == nil && n > hi:
		w.report(at, "has %d characters, want %s", n, want(into.Type(), rules))
	case rules.format == "url":
		if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			w.report(at, "is %s, want an address like https://api.example.com", at.describe())
		}
	case rules.format == "name" && !plainName(s):
		w.report(at, "is %s, want a name of letters, digits, _ and -", at.describe())
	case strings.ContainsRune(s, 0):
		w.report(at, "holds a NUL character; remove it")
	}
}

func compare(a, b reflect.Value) int {
	switch {
	case a.CanInt():
		return cmpOf(a.Int(), b.Int())
	case a.CanUint():
		return cmpOf(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmpOf(a.Float(), b.Float())
	}
	return 0
}

func cmpOf[T int64 | uint64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
