package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Limits of a file. A configuration is written by people: whatever passes
// these is a mistake or an attack on the parser.
const (
	maxBytes = 1 << 20
	maxDepth = 32
	maxNodes = 500_000 // aliases followed
)

// document is one file: its lines, its tree, its references.
type document struct {
	file, dir string
	lines     []string
	root      *yaml.Node
	opts      Options
	refs      map[*yaml.Node]reference
	order     []*yaml.Node // scalars that are values or keys, in the order of the file
	inLines   bool         // the lines of order only grow
	open      bool         // a preset: it holds no secrets
	guessed   map[*yaml.Node]bool

	parts  map[string]*document     // presets laid into this file, by their name
	origin map[*yaml.Node]*document // where their nodes come from

	mu    sync.Mutex // blocks are decoded later, maybe side by side
	known map[*yaml.Node]bool
	cut   map[*yaml.Node]bool // values of unknown keys: nobody can tell whether they are secret

	looked int // how many scalars were looked at to show lines: the work that must not grow with their number
}

// read parses src and examines the tree as such: size, depth, aliases,
// duplicate keys, references. Without a root there is nothing to walk.
func read(file, dir string, src []byte, opts Options) (*document, Problems) {
	d := &document{
		file: file, dir: dir, opts: opts,
		refs:    map[*yaml.Node]reference{},
		guessed: map[*yaml.Node]bool{}, known: map[*yaml.Node]bool{}, cut: map[*yaml.Node]bool{},
	}
	if len(src) > maxBytes {
		return d, Problems{{File: file, Text: fmt.Sprintf("is larger than %s, the most a configuration file may be", Size(maxBytes))}}
	}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	d.lines = splitLines(string(src))
	if p, bad := d.unreadable(src); bad {
		return d, Problems{p}
	}
	root, more, err := parse(src)
	if err != nil {
		return d, Problems{d.syntax(src, err)}
	}
	if more != nil {
		return d, Problems{d.problem(more.Line, more.Column, "", "a second document starts here; a configuration is one document, remove the line ---")}
	}
	if root == nil || empty(root) {
		return d, Problems{d.problem(1, 1, "", "the file is empty; it needs at least sources:")}
	}
	d.root = root
	s := survey{doc: d, seen: map[*yaml.Node]bool{}, open: map[*yaml.Node]bool{}}
	s.visit(root, scope{})
	d.inLines = ordered(d.order)
	if s.fatal {
		d.root = nil
	}
	return d, s.problems
}

// parse gives the first document's content and the start of a second one.
// Errors of the parser come back as errors even if it should panic: it is a
// second line of defence, the first is that it is only given UTF-8 text.
func parse(src []byte) (root, more *yaml.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, more, err = nil, nil, fmt.Errorf("yaml: %v", r)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil, nil
	} else if err != nil {
		return nil, nil, err
	}
	if len(doc.Content) > 0 {
		root = doc.Content[0]
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		return root, &second, nil
	} else if !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	return root, nil, nil
}

// unreadable finds what makes a text no YAML before any grammar: a bad byte or
// a control character. The parser would name neither line nor column.
func (d *document) unreadable(src []byte) (Problem, bool) {
	for i, l := range d.lines {
		col := 0
		for rest := l; rest != ""; {
			r, n := utf8.DecodeRuneInString(rest)
			col++
			if r == utf8.RuneError && n == 1 {
				return Problem{File: d.file, Line: i + 1, Column: col, Text: fmt.Sprintf("byte 0x%02x is not UTF-8; save the file as UTF-8", rest[0])}, true
			}
			if r < ' ' && r != '\t' || r == 0x7f || r == 0xfeff || r == 0xfffe || r == 0xffff {
				return Problem{File: d.file, Line: i + 1, Column: col, Text: fmt.Sprintf("control character U+%04X; remove it", r)}, true
			}
			rest = rest[n:]
		}
	}
	return Problem{}, false
}

// splitLines splits where YAML 1.1 does, so that line numbers agree with the parser's.
func splitLines(s string) []string {
	return strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(s), "\n")
}

// syntax places a syntax error. The parser's own line can be off, or be the
// start of the enclosing block, so the place is taken from the longest part of
// the file that parses: the mistake starts in the line after it.
func (d *document) syntax(src []byte, err error) Problem {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if m := regexp.MustCompile(`^line (\d+): (.*)$`).FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	if l, ok := d.firstBad(src); ok {
		line = l
	}
	line = max(1, min(line, len(d.lines)))
	shown := d.lines[line-1]
	col := utf8.RuneCountInString(shown) - utf8.RuneCountInString(strings.TrimLeft(shown, " \t")) + 1
	return d.problem(line, col, "", "not YAML: "+plainWords(text, shown))
}

// firstBad tries prefixes of the file from long to short. It gives up on files
// for which that would take more than about a second.
func (d *document) firstBad(src []byte) (int, bool) {
	const budget = 8 << 20
	spent := 0
	for n := len(d.lines) - 1; n > 0; n-- {
		prefix := strings.Join(d.lines[:n], "\n")
		if spent += len(prefix); spent > budget {
			return 0, false
		}
		if _, _, err := parse([]byte(prefix)); err == nil {
			return n + 1, true
		}
	}
	return 1, len(src) > 0
}

// plainWords puts the parser's commonest complaints in the words of someone who
// has the file open.
func plainWords(text, line string) string {
	switch {
	case strings.Contains(strings.TrimRight(line, "\t"), "\t") && strings.Contains(text, "cannot start any token"):
		return "a tab where spaces are needed; indent with spaces"
	case strings.Contains(text, "mapping values are not allowed"):
		return "a colon where none is expected; check the indentation, and put a text that contains \": \" in quotes"
	case strings.Contains(text, "unexpected end of stream"), strings.Contains(text, "while scanning a quoted scalar"):
		return "a quote is opened here and never closed"
	case strings.Contains(text, "did not find expected ',' or"):
		return "a bracket or brace that is opened here is not closed as it should be"
	case strings.Contains(text, "did not find expected key"), strings.Contains(text, "did not find expected '-' indicator"):
		return "this line does not fit the ones above; check its indentation and quotes"
	case strings.Contains(text, "could not find expected ':'"):
		return "a key without its colon; write \"key: value\""
	}
	return text
}
