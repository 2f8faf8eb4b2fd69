package config

import (
	"bytes"
	"reflect"
	"strconv"

	"gopkg.in/yaml.v3"
)

// Print gives the configuration as it takes effect, with all defaults and
// without secrets, as YAML. Connectors' own keys are as in the file: their
// defaults are the connector's. What it gives parses again with NoSecrets.
func Print(cfg *Config) []byte {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	root := printStruct(reflectOf(cfg))
	if err := enc.Encode(root); err != nil {
		// The tree is made of plain scalars, lists and mappings; the encoder
		// refuses none of them.
		panic("config: print: " + err.Error())
	}
	_ = enc.Close()
	return b.Bytes()
}

func mappingNode() *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
}

func textNode(s string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
}

func addTo(m *yaml.Node, key string, value *yaml.Node) {
	m.Content = append(m.Content, textNode(key), value)
}

func printStruct(v reflect.Value) *yaml.Node {
	s := shapeOf(v.Type())
	if s.value != nil {
		return printValue(v.FieldByIndex(s.value.index))
	}
	out := mappingNode()
	for _, f := range s.fields {
		fv := v.FieldByIndex(f.index)
		if fv.IsZero() && !f.hasDef || ofPreset(v, f.key) {
			continue
		}
		n := printValue(fv)
		if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
			continue
		}
		if source, ok := v.Interface().(Source); ok && f.key == "type" && source.Preset != "" {
			n.LineComment = "of preset " + source.Preset + ", laid open here"
		}
		addTo(out, f.key, n)
	}
	if s.rest != nil {
		block := v.FieldByIndex(s.rest).Interface().(Block) //nolint:errcheck // ",rest" is for Blocks only
		for _, p := range block.entries {
			addTo(out, p.name, printNode(block.at.doc, p.value))
		}
	}
	return out
}

// ofPreset says that a key is left out of what is printed: the preset's name,
// whose keys are all printed. Named as well, it would put in again what the
// user took out.
func ofPreset(v reflect.Value, key string) bool {
	_, source := v.Interface().(Source)
	return source && key == "preset"
}

func printValue(v reflect.Value) *yaml.Node {
	switch x := v.Interface().(type) {
	case Secret:
		return textNode(hidden)
	case Expr:
		return textNode(x.Text)
	case MapValue:
		return printMapValue(x)
	case TableValues:
		return printTable(x)
	case Duration:
		return textNode(x.String())
	case Size:
		return textNode(x.String())
	case Percent:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatFloat(float64(x), 'f', -1, 64)}
	}
	switch v.Kind() {
	case reflect.Struct:
		return printStruct(v)
	case reflect.Slice:
		return printList(v)
	case reflect.String:
		return textNode(v.String())
	}
	var n yaml.Node
	_ = n.Encode(v.Interface()) // a bool or a number; neither can fail
	return &n
}

func printMapValue(m MapValue) *yaml.Node {
	switch {
	case m.Parts != nil:
		return printList(reflect.ValueOf(m.Parts))
	case m.Items != nil:
		return printList(reflect.ValueOf(m.Items))
	}
	return textNode(m.Expr.Text)
}

func printList(v reflect.Value) *yaml.Node {
	var name []int
	if e := v.Type().Elem(); e.Kind() == reflect.Struct && !isSpecial(e) {
		name = shapeOf(e).name
	}
	if name != nil {
		out := mappingNode()
		for i := range v.Len() {
			addTo(out, v.Index(i).FieldByIndex(name).String(), printValue(v.Index(i)))
		}
		return out
	}
	out := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	for i := range v.Len() {
		out.Content = append(out.Content, printValue(v.Index(i)))
	}
	return out
}

// printNode copies a part of the file: aliases and merge keys opened, comments
// left out, secrets hidden.
func printNode(d *document, n *yaml.Node) *yaml.Node {
	n = follow(n)
	if empty(n) {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
	out := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Style: n.Style, Value: n.Value}
	switch n.Kind {
	case yaml.MappingNode:
		for _, p := range pairsOf(n) {
			addTo(out, p.name, printNode(d, p.value))
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			out.Content = append(out.Content, printNode(d, c))
		}
	case yaml.ScalarNode:
		if d.isSecret(n) {
			return textNode(hidden)
		}
		out.Value = withoutCredentials(n.Value)
	}
	return out
}
