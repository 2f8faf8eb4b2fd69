package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// Node is a place in the file: what stands under a path, or, when nothing
// stands there, the nearest place above it. The zero Node is no place at all
// and may be used.
type Node struct {
	doc  *document
	node *yaml.Node // the value with aliases followed; nil when there is none
	key  *yaml.Node // its key, when it stands in a mapping

	line, column int
	path         string
}

// Key is the place under a key of this mapping.
func (n Node) Key(name string) Node {
	for _, p := range pairsOf(n.node) {
		if p.name == name {
			return n.child(p)
		}
	}
	c := n
	c.node, c.key, c.path = nil, nil, joinPath(n.path, name)
	return c
}

// Index is the place of an entry of this list, counted from 0.
func (n Node) Index(i int) Node {
	c := n
	c.node, c.key, c.path = nil, nil, n.path+"["+strconv.Itoa(i)+"]"
	if n.node != nil && n.node.Kind == yaml.SequenceNode && i >= 0 && i < len(n.node.Content) {
		c.place(n.node.Content[i])
	}
	return c
}

// Problem says that what stands here is wrong, and what would be right.
func (n Node) Problem(format string, args ...any) Problem {
	return n.doc.problem(n.line, n.column, n.path, fmt.Sprintf(format, args...))
}

// Path is the way from the top of the file: sources.crm.owns[1].
func (n Node) Path() string { return n.path }

// String gives file:line:column: path.
func (n Node) String() string {
	p := Problem{Line: n.line, Column: n.column, Text: n.path}
	if n.doc != nil {
		p.File = n.doc.file
	}
	return p.String()
}

func (n Node) file() string {
	if n.doc == nil {
		return ""
	}
	return n.doc.file
}

// IsZero says that this is no place.
func (n Node) IsZero() bool { return n.doc == nil }

// atKey is the place of the key instead of the value.
func (n Node) atKey() Node {
	if n.key != nil {
		n.line, n.column = n.key.Line, n.key.Column
	}
	return n
}

func (n Node) child(p pair) Node {
	c := Node{doc: n.doc, key: p.key, line: n.line, column: n.column, path: joinPath(n.path, p.name)}
	c.place(p.value)
	return c
}

// place puts n at a value. An alias is followed: the mistake is where the text is.
func (n *Node) place(v *yaml.Node) {
	v = follow(v)
	n.node = v
	if n.doc != nil {
		if o := n.doc.origin[v]; o != nil {
			n.doc = o // from here on the places are the preset's
		}
	}
	if v != nil && v.Line > 0 {
		n.line, n.column = v.Line, v.Column
	}
	if n.key != nil && empty(v) && v.Value == "" { // yaml puts nothing wherever the scanner stood
		n.line, n.column = n.key.Line, n.key.Column
	}
}

type pair struct {
	name       string
	key, value *yaml.Node
}

// pairsOf gives the entries of a mapping in order, merge keys (<<) opened: a
// mapping's own entry comes before a merged one, an earlier merge before a
// later. The document is known to be free of cycles.
func pairsOf(n *yaml.Node) []pair {
	n = follow(n)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var own, merged []pair
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := follow(n.Content[i]), follow(n.Content[i+1])
		if isMerge(n.Content[i]) {
			for _, m := range mergedFrom(v) {
				merged = append(merged, pairsOf(m)...)
			}
			continue
		}
		if k.Kind != yaml.ScalarNode || k.Value == "" {
			continue // reported by the survey
		}
		if !seen[k.Value] {
			seen[k.Value] = true
			own = append(own, pair{k.Value, n.Content[i], v})
		}
	}
	for _, p := range merged {
		if !seen[p.name] {
			seen[p.name] = true
			own = append(own, p)
		}
	}
	return own
}

func mergedFrom(v *yaml.Node) []*yaml.Node {
	if v != nil && v.Kind == yaml.SequenceNode {
		return v.Content
	}
	return []*yaml.Node{v}
}

func isMerge(k *yaml.Node) bool { return k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" }

func follow(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// empty says that there is no value: no node, or null.
func empty(n *yaml.Node) bool {
	n = follow(n)
	return n == nil || n.Kind == 0 || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"
}

func joinPath(path, name string) string {
	if !plainName(name) {
		return path + "[" + strconv.Quote(name) + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// plainName says that a name needs no quotes in a path or a reference: letters
// and digits of any script, _ and -.
func plainName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-'
	})
}
