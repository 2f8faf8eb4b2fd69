package schema

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxWork is how often one value of a document may be looked at. Above it a
// schema of alternatives within alternatives could keep a processor busy for
// ever, for gojsonschema cannot be interrupted.
const maxWork = 100_000

// node is one schema within the document, with the schemas that it applies.
type node struct {
	pointer string
	ref     string  // pointer it refers to; then nothing else counts
	refers  bool    // ref is set
	same    []*node // to the value itself
	parts   []*node // each to another part of the value
	wild    []*node // any number of them to the same part
	state   uint8   // of the search for cycles
	work    uint64  // at the depth now being counted
	below   uint64  // at the depth before
}

// guard reads a schema document before gojsonschema sees it. It makes a clean
// copy of nothing but keywords and refuses what would make gojsonschema read
// files, fetch, panic or run for ever.
type guard struct {
	name     string
	draft    int
	keywords map[string]keyword
	nodes    map[string]*node
	order    []*node // as found
}

// clean gives the copy, and how deep a document may be for this schema.
func (g *guard) clean(doc map[string]any) (copied map[string]any, depth int, err error) {
	c, err := g.schema(doc, "")
	if err != nil {
		return nil, 0, err
	}
	if err := g.resolve(); err != nil {
		return nil, 0, err
	}
	sorted, err := g.sort()
	if err != nil {
		return nil, 0, err
	}
	depth = g.depthFor(sorted)
	if depth < 1 {
		return nil, 0, g.fault("", fmt.Sprintf("looks at one value more than %d times", maxWork), "use fewer alternatives within alternatives")
	}
	return c.(map[string]any), depth, nil
}

func (g *guard) fault(pointer, what, remedy string) error {
	return fault(g.name, pointer, what, remedy)
}

// schema copies one schema.
func (g *guard) schema(value any, pointer string) (any, error) {
	n := &node{pointer: pointer}
	g.nodes[pointer] = n
	g.order = append(g.order, n)
	if b, ok := value.(bool); ok && pointer != "" {
		if g.draft < 6 {
			return nil, g.fault(pointer, "is true or false, which is a schema only since draft 6", `say "$schema": "http://json-schema.org/draft-07/schema#"`)
		}
		return b, nil
	}
	m, ok := value.(map[string]any)
	if !ok {
		return nil, g.fault(pointer, "is not a schema", "want an object in { }")
	}
	copied := make(map[string]any, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		at := pointer + "/" + escapePointer(key)
		if key == "$ref" {
			if err := g.reference(n, m, at); err != nil {
				return nil, err
			}
			copied[key] = m[key]
			continue
		}
		k, err := g.keyword(key, at, m[key])
		if err != nil {
			return nil, err
		}
		if k.holds == 0 || k.holds == annotation {
			continue
		}
		c, err := g.value(n, k.holds, m[key], at, key)
		if err != nil {
			return nil, err
		}
		copied[key] = c
	}
	return copied, nil
}

// keyword finds what a key means; the zero keyword for one that means nothing.
func (g *guard) keyword(key, at string, value any) (keyword, error) {
	if slices.Contains(newer(), key) {
		return keyword{}, g.fault(at, "belongs to a draft after 7, which is not supported", "write it in the words of draft 7")
	}
	k, ok := g.keywords[key]
	if !ok {
		if near := nearest(key, slices.Sorted(maps.Keys(g.keywords))); near != "" && near != "id" && !strings.HasPrefix(key, "x-") {
			return keyword{}, g.fault(at, "is no keyword of JSON Schema", fmt.Sprintf("did you mean %q?", near))
		}
		return keyword{}, nil
	}
	if k.since > g.draft {
		return keyword{}, g.fault(at, fmt.Sprintf("belongs to draft %d, but $schema says draft %d", k.since, g.draft), `say "$schema": "http://json-schema.org/draft-07/schema#"`)
	}
	if nested := strings.Count(at, "/") > 1; nested && (key == "$id" || key == "id" && g.draft == 4) {
		if _, ok := value.(string); ok {
			return keyword{}, g.fault(at, "gives a part of the schema a name of its own, which is not supported", `put the part under definitions and refer to it by "#/definitions/…"`)
		}
	}
	return k, nil
}

// value copies a keyword's value with the schemas in it.
func (g *guard) value(n *node, h holds, value any, at, key string) (any, error) {
	list, isList := value.([]any)
	m, isMap := value.(map[string]any)
	switch h {
	case one, same:
		c, err := g.schemaOrFlag(value, at, key)
		if child := g.nodes[at]; err == nil && child != nil {
			if h == same {
				n.same = append(n.same, child)
			} else {
				n.wild = append(n.wild, child)
			}
		}
		return c, err
	case items:
		if !isList {
			c, err := g.schema(value, at)
			n.wild = append(n.wild, g.nodes[at])
			return c, err
		}
		return g.list(list, at, &n.parts)
	case sameList:
		if !isList {
			return nil, g.fault(at, "is not a list of schemas", "want [ { … }, { … } ]")
		}
		return g.list(list, at, &n.same)
	case parts, patterns, library, dependent:
		if !isMap {
			return nil, g.fault(at, "is not an object", "want a schema for each name in { }")
		}
		return g.table(n, h, m, at)
	}
	return value, nil
}

// schemaOrFlag lets draft 4 have true and false where it allows them.
func (g *guard) schemaOrFlag(value any, at, key string) (any, error) {
	if b, ok := value.(bool); ok && (key == "additionalProperties" || key == "additionalItems") {
		return b, nil
	}
	return g.schema(value, at)
}

func (g *guard) list(list []any, at string, to *[]*node) (any, error) {
	copied := make([]any, len(list))
	for i, v := range list {
		p := at + "/" + strconv.Itoa(i)
		c, err := g.schema(v, p)
		if err != nil {
			return nil, err
		}
		copied[i] = c
		*to = append(*to, g.nodes[p])
	}
	return copied, nil
}

func (g *guard) table(n *node, h holds, m map[string]any, at string) (any, error) {
	copied := make(map[string]any, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if names, ok := m[key].([]any); ok && h == dependent {
			copied[key] = names
			continue
		}
		p := at + "/" + escapePointer(key)
		c, err := g.schema(m[key], p)
		if err != nil {
			return nil, err
		}
		copied[key] = c
		switch child := g.nodes[p]; h {
		case parts:
			n.parts = append(n.parts, child)
		case patterns:
			n.wild = append(n.wild, child)
		case dependent:
			n.same = append(n.same, child)
		}
	}
	return copied, nil
}

// reference takes a $ref, which must stay within the document.
func (g *guard) reference(n *node, m map[string]any, at string) error {
	text, ok := m["$ref"].(string)
	if !ok {
		return g.fault(at, "is not a text", `want a reference such as "#/definitions/phone"`)
	}
	fragment, local := strings.CutPrefix(text, "#")
	pointer, err := url.PathUnescape(fragment)
	if !local || err != nil || pointer != "" && pointer[0] != '/' {
		return g.fault(at, fmt.Sprintf("refers to %q outside of this file: nothing is fetched or opened", shorten(text)), `copy it under definitions and refer to it by "#/definitions/…"`)
	}
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if k := g.keywords[key]; key != "$ref" && k.holds != annotation && k.holds != library {
			return g.fault(at, fmt.Sprintf("stands beside %q, which draft %d then ignores", key, g.draft), "put both into allOf")
		}
	}
	n.ref, n.refers = pointer, true
	return nil
}

// resolve ties references to what they refer to.
func (g *guard) resolve() error {
	for _, n := range g.order {
		if !n.refers {
			continue
		}
		target := g.nodes[n.ref]
		if target == nil {
			return g.fault(n.pointer+"/$ref", fmt.Sprintf("refers to %q, where no schema stands", "#"+n.ref), "correct the reference")
		}
		n.same, n.parts, n.wild = []*node{target}, nil, nil
	}
	return nil
}

// sort orders the nodes so that each comes behind those it applies to the same
// value, and finds the cycles in which nothing of the document is consumed.
func (g *guard) sort() ([]*node, error) {
	const open, done = 1, 2
	sorted := make([]*node, 0, len(g.order))
	var visit func(n *node) error
	visit = func(n *node) error {
		switch n.state {
		case done:
			return nil
		case open:
			return g.fault(n.pointer, "refers to itself without going into the value: checking it would never end", "refer to it from properties or items only")
		}
		n.state = open
		for _, c := range n.same {
			if err := visit(c); err != nil {
				return err
			}
		}
		n.state = done
		sorted = append(sorted, n)
		return nil
	}
	for _, n := range g.order {
		if err := visit(n); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}

// depthFor is the greatest depth of documents, up to 64, at which no value is
// looked at more than maxWork times: the work of a schema is its own, that of
// the schemas for the same value, and that of those for a part, one level less.
func (g *guard) depthFor(sorted []*node) int {
	for depth := 0; depth <= maxDepth; depth++ {
		for _, n := range sorted {
			sum, most := uint64(1), uint64(0)
			for _, c := range n.same {
				sum += c.work
			}
			for _, c := range n.wild {
				sum += c.below
			}
			for _, c := range n.parts {
				most = max(most, c.below)
			}
			n.work = min(sum+most, 2*maxWork)
		}
		if g.nodes[""].work > maxWork {
			return depth - 1
		}
		for _, n := range sorted {
			n.below = n.work
		}
	}
	return maxDepth
}
