package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"touchstone/internal/record"
)

// Limits of a document. gojsonschema works with big rationals, recurses, and
// compares the entries of a list with each other: without these limits
// 1e10000000 makes it panic and a deep document can end the process.
const (
	maxDepth   = 64
	maxDigits  = 400
	maxEntries = 10_000
	maxValues  = 200_000
)

// decoder reads a JSON text (RFC 8259) into maps, slices, strings, json.Number,
// bool and nil, and refuses what the limits forbid. Reading and guarding in one
// pass costs less than encoding/json alone, which also accepts double keys.
type decoder struct {
	text    []byte
	pos     int
	depth   int // the deepest so far
	values  int
	path    []step
	reasons []record.Reason // of values that were read but must not be used
	fatal   *record.Reason  // why reading stopped
}

// step is one step from a value to a part of it.
type step struct {
	key   string
	index int // when key is not used
	list  bool
}

// decode gives the document's value, or the reasons why it has none.
func decode(text []byte) (value any, depth int, reasons []record.Reason) {
	d := decoder{text: text}
	if !utf8.Valid(text) {
		return nil, 0, []record.Reason{{Rule: ruleUnreadable, Text: "holds bytes that are not UTF-8", Remedy: "set the encoding of the source, or save its data as UTF-8"}}
	}
	value = d.value(0)
	if d.blank(); d.fatal == nil && d.pos < len(d.text) {
		d.stop("is not JSON: text behind the end")
	}
	if d.fatal != nil {
		return nil, 0, append(d.reasons, *d.fatal)
	}
	return value, d.depth, d.reasons
}

// stop ends reading; everything behind looks like the end of the text.
func (d *decoder) stop(what string) {
	if d.fatal == nil {
		d.fatal = &record.Reason{
			Rule: ruleUnreadable, Field: d.field(),
			Text:   fmt.Sprintf("%s, at byte %d", what, min(d.pos, len(d.text))),
			Remedy: "correct the record at the source",
		}
		d.pos = len(d.text)
	}
}

// note refuses the value being read and reads on.
func (d *decoder) note(value, text, remedy string) {
	d.reasons = append(d.reasons, record.Reason{Rule: ruleUnreadable, Field: d.field(), Value: shorten(value), Text: text, Remedy: remedy})
}

// field names the value being read.
func (d *decoder) field() string {
	steps := make([]string, len(d.path))
	for i, s := range d.path {
		if steps[i] = s.key; s.list {
			steps[i] = strconv.Itoa(s.index)
		}
	}
	return fieldName(steps)
}

func (d *decoder) peek() byte {
	if d.pos < len(d.text) {
		return d.text[d.pos]
	}
	return 0
}

func (d *decoder) blank() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

func (d *decoder) value(depth int) any {
	d.blank()
	if d.values++; d.values > maxValues {
		d.stop(fmt.Sprintf("has more than %d values", maxValues))
		return nil
	}
	switch ch := d.peek(); {
	case (ch == '{' || ch == '[') && depth == maxDepth:
		d.path = d.path[:min(len(d.path), 3)] // enough to find it
		d.stop(fmt.Sprintf("is nested deeper than %d", maxDepth))
		return nil
	case ch == '{':
		return d.object(depth + 1)
	case ch == '[':
		return d.list(depth + 1)
	case ch == '"':
		return d.str()
	case ch == '-' || ch >= '0' && ch <= '9':
		return d.number()
	}
	return d.literal()
}

func (d *decoder) object(depth int) any {
	d.depth = max(d.depth, depth)
	object := make(map[string]any, 8)
	d.pos++
	if d.blank(); d.peek() == '}' {
		d.pos++
		return object
	}
	for {
		d.blank()
		if d.peek() != '"' {
			d.stop("is not JSON: want a key in quotes")
			return object
		}
		key := d.str()
		if d.blank(); d.fatal == nil && d.peek() != ':' {
			d.stop("is not JSON: want a colon behind the key")
		}
		if d.fatal != nil {
			return object
		}
		d.pos++
		d.path = append(d.path, step{key: key})
		if _, twice := object[key]; twice {
			d.note("", "stands twice in one object", "give the key once: which value counts is not said")
		}
		object[key] = d.value(depth)
		if d.fatal != nil {
			return object
		}
		d.path = d.path[:len(d.path)-1]
		if len(object) > maxEntries {
			d.stop(fmt.Sprintf("has more than %d keys", maxEntries))
		}
		if !d.another('}') {
			return object
		}
	}
}

func (d *decoder) list(depth int) any {
	d.depth = max(d.depth, depth)
	entries := []any{}
	d.pos++
	if d.blank(); d.peek() == ']' {
		d.pos++
		return entries
	}
	for {
		d.path = append(d.path, step{index: len(entries), list: true})
		entries = append(entries, d.value(depth))
		if d.fatal != nil {
			return entries
		}
		d.path = d.path[:len(d.path)-1]
		if len(entries) > maxEntries {
			d.stop(fmt.Sprintf("has more than %d entries", maxEntries))
		}
		if !d.another(']') {
			return entries
		}
	}
}

// another goes behind a comma, or behind the end of the list.
func (d *decoder) another(end byte) bool {
	if d.fatal != nil {
		return false
	}
	d.blank()
	switch d.peek() {
	case ',':
		d.pos++
		return true
	case end:
		d.pos++
		return false
	}
	d.stop("is not JSON: want a comma or the end of the list")
	return false
}

func (d *decoder) str() string {
	from, escaped := d.pos, false
	for d.pos++; d.pos < len(d.text); d.pos++ {
		switch ch := d.text[d.pos]; {
		case ch == '"':
			d.pos++
			if !escaped {
				return string(d.text[from+1 : d.pos-1])
			}
			var s string
			if err := json.Unmarshal(d.text[from:d.pos], &s); err != nil {
				d.stop("is not JSON: an unknown escape in a text")
			}
			return s
		case ch < 0x20:
			d.stop("is not JSON: a control character in a text")
			return ""
		case ch == '\\':
			escaped = true
			d.pos++
		}
	}
	d.stop("is not JSON: a text that is never closed")
	return ""
}

func (d *decoder) number() any {
	from := d.pos
	if d.peek() == '-' {
		d.pos++
	}
	ok := true
	if d.peek() == '0' {
		d.pos++
	} else {
		ok = d.digits() > 0
	}
	if ok && d.peek() == '.' {
		d.pos++
		ok = d.digits() > 0
	}
	exponent := ""
	if ok && d.peek()|0x20 == 'e' {
		d.pos++
		if d.peek() == '+' || d.peek() == '-' {
			d.pos++
		}
		at := d.pos
		ok = d.digits() > 0
		exponent = string(d.text[at:min(d.pos, at+maxDigits)])
	}
	if !ok {
		d.stop("is not JSON: a number that is not complete")
		return nil
	}
	text := d.text[from:d.pos]
	if len(text) > maxDigits || tooLarge(exponent) {
		d.note(string(text[:min(len(text), 2*maxValue)]), fmt.Sprintf("is a number of more than %d digits", maxDigits), "correct the number at the source, or give it as text")
		return nil
	}
	return json.Number(text)
}

func (d *decoder) digits() int {
	from := d.pos
	for d.peek() >= '0' && d.peek() <= '9' {
		d.pos++
	}
	return d.pos - from
}

func tooLarge(exponent string) bool {
	exponent = strings.TrimLeft(exponent, "0")
	n, err := strconv.Atoi(exponent)
	return exponent != "" && (err != nil || n > maxDigits)
}

func (d *decoder) literal() any {
	for _, l := range []struct {
		word  string
		value any
	}{{"true", true}, {"false", false}, {"null", nil}} {
		if len(d.text)-d.pos >= len(l.word) && string(d.text[d.pos:d.pos+len(l.word)]) == l.word {
			d.pos += len(l.word)
			return l.value
		}
	}
	if d.pos >= len(d.text) {
		d.stop("is not JSON: it ends where a value should stand")
	} else {
		d.stop("is not JSON: want a value")
	}
	return nil
}

// asError gives the first reason as an error about a schema.
func asError(name string, reasons []record.Reason) error {
	r := reasons[0]
	return fault(name, pointerOf(r.Field), r.Text, r.Remedy)
}

// fault says what is wrong in which place of a schema and how to mend it.
func fault(name, pointer, what, remedy string) error {
	if pointer == "" {
		pointer = "(root)"
	}
	text := "schema " + name + ": " + pointer + ": " + what
	if remedy != "" {
		text += "; " + remedy
	}
	return errors.New(text)
}
