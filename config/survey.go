package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// survey goes once over the whole tree, whatever its meaning: the parts that
// connectors decode later are examined too.
type survey struct {
	doc      *document
	problems Problems
	seen     map[*yaml.Node]bool // reported on already
	open     map[*yaml.Node]bool // on the way from the top to here
	count    int
	full     bool
	fatal    bool // the tree must not be walked: it has no end, or none that is near
}

// scope is where the survey stands.
type scope struct {
	path   string
	names  []string // keys on the way down
	depth  int
	expand bool // inside an alias
}

func (s *survey) report(n *yaml.Node, path, format string, args ...any) {
	s.problems = append(s.problems, Problem{File: s.doc.file, Line: n.Line, Column: n.Column, Path: path, Text: fmt.Sprintf(format, args...)})
}

func (s *survey) visit(n *yaml.Node, at scope) {
	if s.full {
		return
	}
	s.count++
	switch {
	case s.count > maxNodes:
		s.full, s.fatal = true, true
		s.report(n, at.path, "aliases and values here come to more than %d; the file may not be that large", maxNodes)
		return
	case at.depth > maxDepth:
		s.fatal = true
		s.report(n, at.path, "is nested deeper than %d levels", maxDepth)
		return
	case s.open[n]:
		s.fatal = true
		s.report(n, at.path, "alias contains itself")
		return
	}
	first := !s.seen[n]
	s.seen[n] = true
	s.open[n] = true
	defer delete(s.open, n)
	if first {
		s.tag(n, at)
	}
	switch n.Kind {
	case yaml.AliasNode:
		at.expand = true
		at.depth++
		s.visit(n.Alias, at)
	case yaml.SequenceNode:
		at.depth++
		for i, c := range n.Content {
			in := at
			in.path = at.path + "[" + strconv.Itoa(i) + "]"
			s.visit(c, in)
		}
	case yaml.MappingNode:
		s.mapping(n, at, first)
	case yaml.ScalarNode:
		if first {
			s.doc.order = append(s.doc.order, n)
			s.doc.guessed[n] = secretName(at.names)
			s.reference(n, at)
		}
	}
}

func (s *survey) mapping(n *yaml.Node, at scope, first bool) {
	given := map[string]int{}
	at.depth++
	for i := 0; i+1 < len(n.Content); i += 2 {
		rawKey, v := n.Content[i], n.Content[i+1]
		k := follow(rawKey)
		in := at
		switch {
		case isMerge(rawKey):
			if first && !mergeable(v) {
				s.report(v, at.path, "<< takes a mapping, or a list of mappings, by alias: <<: *name")
			}
			s.visit(v, in)
			continue
		case k.Kind != yaml.ScalarNode:
			if first {
				s.report(rawKey, at.path, "a key must be a plain text")
			}
			continue
		case k.Value == "":
			if first {
				s.report(rawKey, at.path, "a key is missing before the colon")
			}
			continue
		}
		in.path = joinPath(at.path, k.Value)
		in.names = append(slices.Clip(at.names), k.Value)
		if line, twice := given[k.Value]; twice && first {
			s.report(rawKey, in.path, "is given twice, first in line %d", line)
		}
		given[k.Value] = rawKey.Line
		if first {
			s.doc.order = append(s.doc.order, rawKey)
		}
		s.visit(v, in)
	}
}

func mergeable(v *yaml.Node) bool {
	v = follow(v)
	if v == nil {
		return false
	}
	if v.Kind == yaml.SequenceNode {
		return !slices.ContainsFunc(v.Content, func(c *yaml.Node) bool { c = follow(c); return c == nil || c.Kind != yaml.MappingNode })
	}
	return v.Kind == yaml.MappingNode
}

func (s *survey) tag(n *yaml.Node, at scope) {
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp", "!!merge", "":
	default:
		if n.Kind != yaml.AliasNode {
			s.report(n, at.path, "tag %s has no meaning here; remove it", n.ShortTag())
		}
	}
}

// reference is a scalar that names its value instead of giving it.
type reference struct {
	name  string // ${env:TOKEN}
	value string
	ok    bool // resolved
}

var (
	wholeReference = regexp.MustCompile(`^\$\{(env|file):\s*([^{}]*?)\s*\}$`)
	partReference  = regexp.MustCompile(`\$\{(env|file):`)
	shellReference = regexp.MustCompile(`^\$\{\w+\}$`)
)

// reference resolves a scalar that is ${env:NAME} or ${file:PATH} as a whole.
func (s *survey) reference(n *yaml.Node, at scope) {
	if !strings.Contains(n.Value, "${") {
		return
	}
	m := wholeReference.FindStringSubmatch(n.Value)
	if m == nil {
		switch {
		case shellReference.MatchString(n.Value):
			s.report(n, at.path, "write ${env:%s} for an environment variable", strings.Trim(n.Value, "${}"))
		case partReference.MatchString(n.Value):
			s.report(n, at.path, "${env:NAME} and ${file:PATH} stand for a whole value; they cannot be a part of one")
		}
		return
	}
	ref := reference{name: n.Value}
	if m[2] == "" {
		s.report(n, at.path, "names nothing; write ${env:NAME} or ${file:PATH}")
	} else if !s.doc.opts.NoSecrets {
		value, err := s.doc.opts.look(s.doc.dir, m[1], m[2])
		ref.value, ref.ok = value, err == nil
		if err != nil {
			s.report(n, at.path, "%v", err)
		}
	}
	s.doc.refs[n] = ref
}
