package app

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/web"
)

// mostRawLines bounds what a page shows of one record, and longestRaw one line or
// value of it.
const (
	mostRawLines = 2000
	longestRaw   = 4000
)

// rawLines writes a record as it came on lines, in its own order, and marks those
// where what is wrong stands: at one of the paths ("properties.website"), or a
// value that a reason quotes.
func rawLines(raw []byte, paths map[string]bool, values map[string]bool) []web.RawLine {
	p := rawPrinter{d: json.NewDecoder(bytes.NewReader(raw)), paths: paths, values: values}
	p.d.UseNumber()
	p.value("", "", "", 0, false)
	if p.failed {
		return []web.RawLine{{Text: cutLine(string(raw))}}
	}
	return p.lines
}

type rawPrinter struct {
	d             *json.Decoder
	paths, values map[string]bool
	lines         []web.RawLine
	failed        bool
}

// value prints the next value behind its name; bad says that what it is in is
// marked.
func (p *rawPrinter) value(name, path, comma string, depth int, bad bool) {
	tok, err := p.d.Token()
	if err != nil {
		p.failed = true
		return
	}
	bad = bad || path != "" && p.paths[path]
	indent := strings.Repeat("  ", depth)
	open, is := tok.(json.Delim)
	if !is {
		text, _ := scalarText(tok)
		p.line(indent+name+string(record.Canonical(nil, tok))+comma, bad || text != "" && p.values[text])
		return
	}
	end := map[json.Delim]string{'{': "}", '[': "]"}[open]
	if !p.d.More() {
		_, err := p.d.Token()
		p.failed = p.failed || err != nil
		p.line(indent+name+open.String()+end+comma, bad)
		return
	}
	p.line(indent+name+open.String(), bad)
	for n := 0; p.d.More() && !p.failed; n++ {
		inner, at := "", join(path, strconv.Itoa(n))
		if open == '{' {
			key, err := p.d.Token()
			k, ok := key.(string)
			if err != nil || !ok {
				p.failed = true
				return
			}
			inner, at = string(record.Canonical(nil, k))+": ", join(path, k)
		}
		from := len(p.lines)
		p.value(inner, at, "", depth+1, bad)
		if p.d.More() && len(p.lines) > from {
			p.lines[len(p.lines)-1].Text += ","
		}
	}
	if _, err := p.d.Token(); err != nil {
		p.failed = true
		return
	}
	p.line(indent+end+comma, false)
}

func (p *rawPrinter) line(text string, bad bool) {
	switch n := len(p.lines); {
	case n < mostRawLines:
		p.lines = append(p.lines, web.RawLine{Text: cutLine(text), Bad: bad})
	case n == mostRawLines:
		p.lines = append(p.lines, web.RawLine{Text: "…"})
	}
}

func cutLine(s string) string {
	if len(s) <= longestRaw {
		return s
	}
	return strings.ToValidUTF8(s[:longestRaw], "") + "…"
}

func join(path, step string) string {
	if path == "" {
		return step
	}
	return path + "." + step
}

func scalarText(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case json.Number:
		return x.String(), true
	}
	return "", false
}

// recordPaths lists the members of the record that an expression names:
// record.a.b, record["a"][0], with points between.
func recordPaths(text string) (paths []string) {
	const name = "record"
	for i := 0; ; {
		at := strings.Index(text[i:], name)
		if at < 0 {
			return paths
		}
		at += i
		i = at + len(name)
		if at > 0 && (wordByte(text[at-1]) || text[at-1] == '.') {
			continue
		}
		var steps []string
		for rest := text[i:]; ; rest = text[i:] {
			var step string
			switch {
			case strings.HasPrefix(rest, "?."):
				step = word(rest[2:])
				i += 2 + len(step)
			case strings.HasPrefix(rest, "."):
				step = word(rest[1:])
				i += 1 + len(step)
			case strings.HasPrefix(rest, `["`), strings.HasPrefix(rest, `['`):
				end := strings.Index(rest[2:], rest[1:2]+"]")
				if end < 0 {
					break
				}
				step = rest[2 : 2+end]
				i += end + 4
			case strings.HasPrefix(rest, "["):
				end := strings.IndexByte(rest, ']')
				if end < 0 {
					break
				}
				step = rest[1:end]
				i += end + 1
			}
			if step == "" {
				break
			}
			steps = append(steps, step)
		}
		if len(steps) > 0 {
			paths = append(paths, strings.Join(steps, "."))
		}
	}
}

func word(s string) string {
	n := strings.IndexFunc(s, func(r rune) bool { return r < 0x80 && !wordByte(byte(r)) })
	if n < 0 {
		n = len(s)
	}
	return s[:n]
}

func wordByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= 0x80
}
