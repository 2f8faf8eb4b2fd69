package config

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// Checker is a checked struct with limits of its own. The walker calls Check
// when the struct's keys are decoded; unknown keys and wrong types are reported
// already. A problem at a place that has one already is dropped.
type Checker interface {
	Check(at Node) []Problem
}

// walker decodes a part of a document into checked structs and finds every
// problem on its way.
type walker struct {
	doc      *document
	problems Problems
	warnings Problems
	unsure   map[string]bool // paths whose value is not known: reported, or left unresolved
}

func newWalker(d *document) *walker { return &walker{doc: d, unsure: map[string]bool{}} }

func (w *walker) report(at Node, format string, args ...any) {
	w.unsure[at.path] = true
	w.problems = append(w.problems, Problem{File: at.file(), Line: at.line, Column: at.column, Path: at.path, Text: fmt.Sprintf(format, args...)})
}

// decode puts what stands at a place into a value, which is addressable. Rules
// are the tags of the field the value belongs to; lists hand them to their entries.
func (w *walker) decode(at Node, into reflect.Value, rules field) {
	switch into.Type() {
	case reflect.TypeFor[Expr](), reflect.TypeFor[MapValue](), reflect.TypeFor[Block](), reflect.TypeFor[TableValues](), reflect.TypeFor[Tree]():
		w.special(at, into)
		return
	case reflect.TypeFor[Node]():
		into.Set(reflect.ValueOf(at))
		return
	}
	if isScalar(into.Type()) {
		w.scalar(at, into, rules)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		v := reflect.New(into.Type().Elem())
		w.decode(at, v.Elem(), rules)
		into.Set(v)
	case reflect.Struct:
		w.structure(at, into, pairsOf(at.node), nil)
	case reflect.Slice:
		w.list(at, into, rules)
	case reflect.Map:
		w.mapping(at, into, rules)
	case reflect.Interface:
		w.note(at, false)
		if v := plain(at.doc, at.node); v != nil && into.NumMethod() == 0 {
			into.Set(reflect.ValueOf(v))
		}
	default:
		panic("config: a checked struct may not hold a " + into.Type().String())
	}
}

// structure decodes a mapping's entries into a struct. Siblings are keys that
// belong to the struct around a Block: only good for hints.
func (w *walker) structure(at Node, into reflect.Value, entries []pair, siblings []string) {
	s := shapeOf(into.Type())
	for _, i := range s.places {
		into.FieldByIndex(i).Set(reflect.ValueOf(at))
	}
	switch {
	case s.value != nil:
		w.decode(at, into.FieldByIndex(s.value.index), *s.value)
		w.check(at, into)
		return
	case !empty(at.node) && at.node.Kind != yaml.MappingNode:
		w.note(at, s.holdsSecret()) // first: describe repeats no secret
		w.report(at, "is %s, want a mapping of keys", at.describe())
		return
	}
	given, meant := map[string]bool{}, map[string]bool{}
	var left []pair
	for _, p := range entries {
		f, ok := s.field(p.name)
		switch {
		case ok:
			given[p.name] = true
			w.decode(at.child(p), into.FieldByIndex(f.index), f)
		case s.rest != nil:
			left = append(left, p)
		default:
			names := append(s.keys(), siblings...)
			c := at.child(p)
			if n := nearest(p.name, names); n != "" {
				meant[n] = true
				w.unsure[joinPath(at.path, n)] = true
			}
			w.noteUnknown(c, p.name, s.holdsSecret())
			w.report(c.atKey(), "unknown key %q%s", p.name, hint(p.name, names))
		}
	}
	if s.rest != nil {
		into.FieldByIndex(s.rest).Set(reflect.ValueOf(Block{at: at, entries: left, siblings: s.keys(), part: true}))
	}
	for _, f := range s.fields {
		if f.required && !given[f.key] && !given[f.unless] {
			w.misspelt(at, f.key, left, meant)
		}
	}
	w.absent(at, into, s, given, meant)
	w.check(at, into)
}

// misspelt finds a required key among those that would go to the connector.
func (w *walker) misspelt(at Node, key string, left []pair, meant map[string]bool) {
	names := make([]string, len(left))
	for i, p := range left {
		names[i] = p.name
	}
	if n := nearest(key, names); n != "" {
		meant[key] = true
		w.report(at.Key(n).atKey(), "unknown key %q; did you mean %q?", n, key)
	}
}

// absent gives the keys that are not there their defaults, and reports those
// that must be there; not one whose name was only misspelt.
func (w *walker) absent(at Node, into reflect.Value, s shape, given, meant map[string]bool) {
	for _, f := range s.fields {
		if given[f.key] {
			continue
		}
		if f.required && f.unless != "" && given[f.unless] {
			continue
		}
		if f.required && !meant[f.key] {
			c := at.Key(f.key)
			w.unsure[c.path] = true
			w.problems = append(w.problems, Problem{
				File: c.file(), Line: c.line, Column: c.column, Path: c.path,
				Text: "is missing: " + describeField(f),
			})
			continue
		}
		w.defaults(at.Key(f.key), into.FieldByIndex(f.index), f)
	}
}

// defaults fills an absent value, and the structs in it, with defaults.
func (w *walker) defaults(at Node, into reflect.Value, f field) {
	switch {
	case f.hasDef:
		if err := setScalar(into, f.def); err != nil {
			panic(fmt.Sprintf("config: default of %s: %v", at.path, err)) // a mistake in our own tags
		}
	case into.Kind() == reflect.Struct && !isScalar(into.Type()) && !isSpecial(into.Type()):
		s := shapeOf(into.Type())
		for _, i := range s.places {
			into.FieldByIndex(i).Set(reflect.ValueOf(at))
		}
		for _, f := range s.fields {
			w.defaults(at.Key(f.key), into.FieldByIndex(f.index), f)
		}
	}
}

func (w *walker) check(at Node, into reflect.Value) {
	c, ok := into.Addr().Interface().(Checker)
	if !ok {
		return
	}
	for _, p := range c.Check(at) {
		if !w.unsure[p.Path] {
			w.problems = append(w.problems, p)
		}
	}
}

// list decodes a list, or, into structs that have a ",key" field, a mapping
// whose order counts.
func (w *walker) list(at Node, into reflect.Value, rules field) {
	elem := into.Type().Elem()
	var name []int
	if elem.Kind() == reflect.Struct && !isScalar(elem) && !isSpecial(elem) {
		name = shapeOf(elem).name
	}
	if rules.orOne && !empty(at.node) && at.node.Kind == yaml.MappingNode {
		v := reflect.New(elem).Elem()
		w.decode(at, v, field{})
		into.Set(reflect.Append(reflect.MakeSlice(into.Type(), 0, 1), v))
		return
	}
	want := yaml.SequenceNode
	if name != nil {
		want = yaml.MappingNode
	}
	if !empty(at.node) && at.node.Kind != want {
		w.note(at, elem == reflect.TypeFor[Secret]())
		if name != nil {
			w.report(at, "is %s, want a mapping: name, colon, value", at.describe())
		} else {
			w.report(at, "is %s, want a list: [a, b] or lines that start with -", at.describe())
		}
		return
	}
	out := reflect.MakeSlice(into.Type(), 0, 0)
	add := func(c Node, key string) {
		v := reflect.New(elem).Elem()
		if name != nil {
			v.FieldByIndex(name).SetString(key)
		}
		inner := rules
		inner.min, inner.max, inner.required, inner.orOne = "", "", false, false
		w.decode(c, v, inner)
		out = reflect.Append(out, v)
	}
	if name != nil {
		for _, p := range pairsOf(at.node) {
			add(at.child(p), p.name)
		}
	} else if at.node != nil {
		for i := range at.node.Content {
			add(at.Index(i), "")
		}
	}
	if out.Len() > 0 {
		into.Set(out)
	}
	w.length(at, out.Len(), rules)
}

func (w *walker) length(at Node, n int, rules field) {
	lo, _ := strconv.Atoi(rules.min)
	hi, err := strconv.Atoi(rules.max)
	switch {
	case n == 0 && (rules.required || lo > 0):
		w.report(at, "is empty, at least one entry is needed")
	case n < lo:
		w.report(at, "has %d entries, at least %d are needed", n, lo)
	case err == nil && n > hi:
		w.report(at, "has %d entries, at most %d are taken", n, hi)
	}
}

func (w *walker) mapping(at Node, into reflect.Value, rules field) {
	if !empty(at.node) && at.node.Kind != yaml.MappingNode {
		w.note(at, into.Type().Elem() == reflect.TypeFor[Secret]())
		w.report(at, "is %s, want a mapping: name, colon, value", at.describe())
		return
	}
	out := reflect.MakeMap(into.Type())
	inner := rules
	inner.min, inner.max, inner.required = "", "", false
	for _, p := range pairsOf(at.node) {
		v := reflect.New(into.Type().Elem()).Elem()
		w.decode(at.child(p), v, inner)
		out.SetMapIndex(reflect.ValueOf(p.name).Convert(into.Type().Key()), v)
	}
	if out.Len() > 0 {
		into.Set(out)
	}
	w.length(at, out.Len(), rules)
}

func (w *walker) note(at Node, secret bool) { at.doc.note(at.node, secret) }

func (w *walker) noteUnknown(at Node, name string, amongSecrets bool) {
	at.doc.noteUnknown(at.node, name, amongSecrets)
}

// plain gives a part of the file as maps, lists and scalars, references resolved.
func plain(d *document, n *yaml.Node) any {
	n = follow(n)
	if empty(n) {
		return nil
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for _, p := range pairsOf(n) {
			m[p.name] = plain(d, p.value)
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			list[i] = plain(d, c)
		}
		return list
	}
	if ref, ok := d.refs[n]; ok && ref.ok {
		return ref.value
	}
	var v any
	if slices.Contains([]string{"!!int", "!!float", "!!bool"}, n.ShortTag()) && n.Decode(&v) == nil {
		return v
	}
	return n.Value
}
