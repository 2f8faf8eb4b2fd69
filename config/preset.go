package config

import (
	"errors"
	"strings"

	"gopkg.in/yaml.v3"

	"touchstone/connectors/presets"
)

// presetFile is how a preset is named where a place in it is shown.
func presetFile(name string) string { return "preset " + name }

// layPresets lays the preset that a source names under the source's own keys.
// Mappings are laid one in the other, key by key; lists and single values are
// the user's if he gives any, and a key without a value takes the preset's out.
// Every value keeps its place, in the file or in the preset.
func (d *document) layPresets() (problems Problems) {
	top := Node{doc: d, line: 1, column: 1}
	top.place(d.root)
	for _, p := range pairsOf(top.Key("sources").node) {
		at := top.Key("sources").child(p)
		name := at.Key("preset")
		if name.node == nil {
			continue
		}
		if name.node.Kind != yaml.ScalarNode || empty(name.node) {
			problems = append(problems, name.Problem("is %s, want the name of a preset%s", name.describe(), hint("", presets.Names())))
			continue
		}
		under, found := d.preset(name.node.Value)
		if !found {
			problems = append(problems, name.Problem("no preset %q%s", name.node.Value, hint(name.node.Value, presets.Names())))
			continue
		}
		if given := pairsOf(at.node); under.root != nil {
			d.laid(p.value, d.lay(at.node, given, under.root, 0))
		}
	}
	return problems
}

// preset reads a preset once for each source that uses it: what is noted of its
// values belongs to one source.
func (d *document) preset(name string) (*document, bool) {
	text, ok := presets.Source(name)
	if !ok {
		return nil, false
	}
	p, problems := read(presetFile(name), d.dir, text, d.opts)
	if len(problems) > 0 {
		// Ours, embedded and tested; a mistake in it is ours to see at once.
		panic("config: " + errors.Join(problems).Error())
	}
	if d.parts == nil {
		d.parts = map[string]*document{}
		d.origin = map[*yaml.Node]*document{}
	}
	p.open = true
	d.parts[p.file] = p
	d.own(p, p.root)
	return p, true
}

func (d *document) own(p *document, n *yaml.Node) {
	d.origin[n] = p
	for _, c := range n.Content {
		d.own(p, c)
	}
}

// laid puts the merged mapping in the place of the source's own.
func (d *document) laid(old, merged *yaml.Node) {
	for n := range d.everyMapping() {
		for i := 1; i < len(n.Content); i += 2 {
			if follow(n.Content[i]) == old {
				n.Content[i] = merged
			}
		}
	}
}

// everyMapping gives the mappings that hold sources: sources itself, and what
// is merged into it.
func (d *document) everyMapping() map[*yaml.Node]bool {
	out := map[*yaml.Node]bool{}
	var add func(n *yaml.Node)
	add = func(n *yaml.Node) {
		n = follow(n)
		if n == nil || n.Kind != yaml.MappingNode || out[n] {
			return
		}
		out[n] = true
		for i := 0; i+1 < len(n.Content); i += 2 {
			if isMerge(n.Content[i]) {
				for _, m := range mergedFrom(follow(n.Content[i+1])) {
					add(m)
				}
			}
		}
	}
	top := Node{doc: d}
	top.place(d.root)
	add(top.Key("sources").node)
	return out
}

// lay makes a mapping of the user's entries and, for those that are not given,
// the preset's. The preset's order counts, then comes what the user adds.
func (d *document) lay(user *yaml.Node, given []pair, under *yaml.Node, depth int) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: user.Line, Column: user.Column}
	own := make(map[string]pair, len(given))
	for _, p := range given {
		own[p.name] = p
	}
	there := map[string]bool{}
	for _, p := range pairsOf(under) {
		there[p.name] = true
		u, ok := own[p.name]
		switch {
		case !ok:
			out.Content = append(out.Content, p.key, p.value)
		case empty(u.value):
		case follow(u.value).Kind == yaml.MappingNode && p.value.Kind == yaml.MappingNode && depth < maxDepth:
			out.Content = append(out.Content, u.key, d.lay(follow(u.value), pairsOf(u.value), p.value, depth+1))
		default:
			out.Content = append(out.Content, u.key, u.value)
		}
	}
	for _, p := range given {
		if !there[p.name] {
			out.Content = append(out.Content, p.key, p.value)
		}
	}
	return out
}

// part is the document that a problem's place is in.
func (d *document) part(file string) *document {
	if p := d.parts[file]; p != nil && strings.HasPrefix(file, "preset ") {
		return p
	}
	return d
}
