package config

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Block is a part of the file that is decoded later by the one it belongs to: a
// connector's own keys.
type Block struct {
	at       Node
	entries  []pair
	siblings []string // keys of the struct around it, for hints
	part     bool     // what other fields left over, not a whole value
}

// Decode puts the block into a pointer to a checked struct (see the tags in
// fields.go), with the same walker and the same messages as the rest of the
// file. The error is Problems. An absent key leaves its field as it is, unless
// the field has a default. Decode may be called more than once, and side by side.
func (b Block) Decode(into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("decode block: want a pointer, got %T", into)
	}
	at := b.at
	if at.doc == nil {
		at.doc = &document{known: map[*yaml.Node]bool{}, cut: map[*yaml.Node]bool{}}
	}
	w := newWalker(at.doc)
	switch v.Elem().Kind() {
	case reflect.Struct:
		w.structure(at, v.Elem(), b.entries, b.siblings)
	default:
		w.decode(at, v.Elem(), field{})
	}
	return at.doc.finish(w.problems).err()
}

// IsZero says that the block is not there or has no keys.
func (b Block) IsZero() bool { return len(b.entries) == 0 && (b.part || empty(b.at.node)) }

// At is the place of the block; of a connector's keys, that of the source.
func (b Block) At() Node { return b.at }

// Expr is an expression with its place. It is not compiled here.
type Expr struct {
	Text string
	At   Node
}

// IsZero says that there is no expression.
func (e Expr) IsZero() bool { return e.Text == "" }

// String is the text of the expression.
func (e Expr) String() string { return e.Text }

// Problem says what is wrong inside the expression: line and column count from
// 1 within its text. The place in the file is exact for expressions without
// escapes that are written in one line or as a | block.
func (e Expr) Problem(line, column int, format string, args ...any) Problem {
	at := e.At
	if n := at.node; n != nil && line >= 1 && column >= 1 {
		switch {
		case n.Style&yaml.LiteralStyle != 0:
			at.line += line
			at.column = column + blockIndent(at.doc, n.Line)
		case line == 1 && quoted(n) && n.Style&yaml.FoldedStyle == 0:
			at.column += column
		case line == 1 && !quoted(n):
			at.column += column - 1
		}
	}
	return at.Problem(format, args...)
}

// blockIndent is the indentation of the text below a | in the given line.
func blockIndent(d *document, line int) int {
	for _, l := range d.lines[min(line, len(d.lines)):] {
		if strings.TrimSpace(l) != "" {
			return len(l) - len(strings.TrimLeft(l, " "))
		}
	}
	return 0
}

// MapValue is what a mapping gives a field: an expression, named parts in the
// order of the file (an address's line, city …), or a list of entries. Exactly
// one is set.
type MapValue struct {
	Expr  Expr
	Parts []Named
	Items []MapValue
}

// Named is a value under a name.
type Named struct {
	Name  string   `yaml:",key"`
	At    Node     `yaml:"-"`
	Value MapValue `yaml:",value"`
}

// maxExpr is the longest an expression may be, in characters.
const maxExpr = 10_000

func (w *walker) special(at Node, into reflect.Value) {
	switch v := into.Addr().Interface().(type) {
	case *Block:
		*v = Block{at: at, entries: pairsOf(at.node)}
	case *Expr:
		*v = w.expr(at, "an expression")
	case *MapValue:
		*v = w.mapValue(at, true)
	case *TableValues:
		*v = w.table(at)
	case *Tree:
		*v = tree(at)
	}
}

func (w *walker) expr(at Node, want string) Expr {
	w.note(at, false)
	_, isRef := at.doc.refs[at.node]
	switch {
	case empty(at.node):
		w.report(at, "has no value; give %s or remove the key", want)
	case at.node.Kind != yaml.ScalarNode:
		w.report(at, "is %s, want %s", at.describe(), want)
	case isRef:
		w.report(at, "an expression stands in the file itself; it cannot come from %s", at.node.Value)
	case strings.TrimSpace(at.node.Value) == "":
		w.report(at, "is empty, want %s", want)
	case strings.HasPrefix(strings.TrimSpace(at.node.Value), "{{"):
		w.report(at, "is in braces; write the bare expression without {{ and }}")
	case utf8.RuneCountInString(at.node.Value) > maxExpr:
		w.report(at, "is longer than %d characters", maxExpr)
	default:
		return Expr{Text: at.node.Value, At: at}
	}
	return Expr{At: at}
}

func (w *walker) mapValue(at Node, lists bool) MapValue {
	const want = "an expression, a mapping of parts, or a list of them"
	if !empty(at.node) {
		switch at.node.Kind {
		case yaml.MappingNode:
			var parts []Named
			for _, p := range pairsOf(at.node) {
				c := at.child(p)
				parts = append(parts, Named{Name: p.name, At: c, Value: MapValue{Expr: w.expr(c, "an expression")}})
			}
			if len(parts) == 0 {
				w.report(at, "is empty, want %s", want)
			}
			return MapValue{Parts: parts}
		case yaml.SequenceNode:
			if !lists {
				w.report(at, "is a list within a list, want an expression or a mapping of parts")
				return MapValue{}
			}
			var items []MapValue
			for i := range at.node.Content {
				items = append(items, w.mapValue(at.Index(i), false))
			}
			if len(items) == 0 {
				w.report(at, "is empty, want %s", want)
			}
			return MapValue{Items: items}
		}
	}
	return MapValue{Expr: w.expr(at, want)}
}
