package config

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"touchstone/connectors/presets"
)

// PresetReference gives the description of the presets in Markdown, from their
// own files: what each reads and writes, its fields, its limits, and what an
// admin has to set up.
func PresetReference() []byte {
	var b strings.Builder
	b.WriteString(presetIntro)
	for _, name := range presets.Names() {
		text, _ := presets.Source(name)
		presetPage(&b, name, text)
	}
	return []byte(b.String())
}

const presetIntro = `# Presets

Generated from the files in connectors/presets: ` + "`go test ./config -update`" + `. A source that says ` + "`preset: NAME`" + ` has
the keys of that file laid under its own: whatever you write wins, key by key, and a key without a value takes the preset's
out. ` + "`touchstone check --print`" + ` shows what comes of it. ` + "`connectors/rest/README.md`" + ` explains the keys.
`

func presetPage(b *strings.Builder, name string, text []byte) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) == 0 {
		return // presets are part of the program, and tested
	}
	top := doc.Content[0]
	fmt.Fprintf(b, "\n## %s\n\n### What to set up\n\n```yaml\n%s```\n\n", name, headOf(text))
	fmt.Fprintf(b, "| | |\n|---|---|\n")
	for _, k := range []string{"base_url", "every", "auth", "headers"} {
		if n := at(top, k); n != nil {
			fmt.Fprintf(b, "| `%s` | `%s` |\n", k, cell(n))
		}
	}
	for _, l := range seq(at(top, "requester", "limits")) {
		fmt.Fprintf(b, "| limit | `%s` |\n", cell(l))
	}
	b.WriteString("\n### What it reads\n\n| stream | from | only what changed | deletions and merges |\n|---|---|---|---|\n")
	eachKey(at(top, "streams"), func(stream string, n *yaml.Node) {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", stream, request(at(n, "list"), "GET"), yes(at(n, "incremental", "cursor")), gone(n))
	})
	b.WriteString("\n### What it writes\n\n")
	writes := 0
	eachKey(at(top, "streams"), func(stream string, n *yaml.Node) {
		for _, op := range []string{"create", "update", "upsert"} {
			w := at(n, op)
			if w == nil {
				continue
			}
			if writes++; writes == 1 {
				b.WriteString("| stream | operation | by | many at once |\n|---|---|---|---|\n")
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", stream, op, request(w, "POST"), request(at(w, "batch"), "POST"))
		}
	})
	if writes == 0 {
		b.WriteString("Nothing: it is only read.\n")
	}
	eachKey(at(top, "entities"), func(entity string, n *yaml.Node) {
		fmt.Fprintf(b, "\n### Fields of %s\n\n| our field | from |\n|---|---|\n", entity)
		eachKey(at(n, "map"), func(field string, v *yaml.Node) { fmt.Fprintf(b, "| %s | `%s` |\n", field, cell(v)) })
		if w := at(n, "where"); w != nil {
			fmt.Fprintf(b, "\nOnly records for which `%s`.\n", cell(w))
		}
	})
	eachKey(at(top, "events"), func(event string, n *yaml.Node) {
		fmt.Fprintf(b, "\n### Events: %s\n\n| our field | from |\n|---|---|\n", event)
		eachKey(at(n, "map"), func(field string, v *yaml.Node) { fmt.Fprintf(b, "| %s | `%s` |\n", field, cell(v)) })
	})
}

// headOf is the comment that a preset's file begins with.
func headOf(text []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		b.WriteString(line)
	}
	return b.String()
}

func at(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		var next *yaml.Node
		eachKey(n, func(k string, v *yaml.Node) {
			if k == key {
				next = v
			}
		})
		if n = next; n == nil {
			return nil
		}
	}
	return n
}

func eachKey(n *yaml.Node, fn func(string, *yaml.Node)) {
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		fn(n.Content[i].Value, n.Content[i+1])
	}
}

func seq(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// request is a method and a path, "" for none.
func request(n *yaml.Node, method string) string {
	path := at(n, "path")
	if path == nil {
		return ""
	}
	if m := at(n, "method"); m != nil {
		method = m.Value
	}
	return "`" + method + " " + path.Value + "`"
}

func yes(n *yaml.Node) string {
	if n == nil {
		return "no: everything each time"
	}
	return "`" + cell(n) + "`"
}

func gone(stream *yaml.Node) string {
	var out []string
	for _, k := range []string{"deleted", "merged"} {
		if n := at(stream, k); n != nil {
			out = append(out, k+" `"+cell(n)+"`")
		}
	}
	if r := request(at(stream, "deleted_list"), "GET"); r != "" {
		out = append(out, "list "+r)
	}
	return strings.Join(out, ", ")
}

// cell writes a value in one line of a table.
func cell(n *yaml.Node) string {
	var out string
	switch n.Kind {
	case yaml.MappingNode:
		var parts []string
		eachKey(n, func(k string, v *yaml.Node) { parts = append(parts, k+": "+cell(v)) })
		out = "{" + strings.Join(parts, ", ") + "}"
	case yaml.SequenceNode:
		var parts []string
		for _, c := range n.Content {
			parts = append(parts, cell(c))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	default:
		out = strings.ReplaceAll(n.Value, "|", "\\|")
	}
	return strings.Join(strings.Fields(out), " ")
}
