package config

import (
	"gopkg.in/yaml.v3"
)

// Tree is a part of the file as it stands there: objects, lists and single
// values with their places. Its owner gives it its meaning. References are
// resolved.
type Tree struct {
	At      Node
	Members []Member // of an object, in the order of the file
	Entries []Tree   // of a list
	// Value is nil, a string, a bool, an int or a float64 where the tree is
	// neither object nor list.
	Value any
	Kind  TreeKind
}

// Member is one member of an object.
type Member struct {
	Name string
	Tree Tree
}

// TreeKind is what a tree is.
type TreeKind int

// The kinds. NoTree is one that is not in the file.
const (
	NoTree TreeKind = iota
	ObjectTree
	ListTree
	ValueTree
)

// IsZero says that there is no tree.
func (t Tree) IsZero() bool { return t.Kind == NoTree }

// tree reads a part of the file. Whether its values are secrets is left to the
// guess by their names: nothing is known of them.
func tree(at Node) Tree {
	t := Tree{At: at, Kind: ValueTree}
	if empty(at.node) {
		return t
	}
	switch at.node.Kind {
	case yaml.MappingNode:
		t.Kind = ObjectTree
		for _, p := range pairsOf(at.node) {
			t.Members = append(t.Members, Member{Name: p.name, Tree: tree(at.child(p))})
		}
	case yaml.SequenceNode:
		t.Kind = ListTree
		for i := range at.node.Content {
			t.Entries = append(t.Entries, tree(at.Index(i)))
		}
	default:
		t.Value = plain(at.doc, at.node)
	}
	return t
}

// Expr is the tree's text as an expression, for problems inside it.
func (t Tree) Expr() Expr {
	text, _ := t.Value.(string)
	return Expr{Text: text, At: t.At}
}
