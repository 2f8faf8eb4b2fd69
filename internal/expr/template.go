package expr

import (
	"errors"
	"fmt"
	"strings"
)

// Template is a text with {{ expression }} parts. It is safe for concurrent use.
type Template struct{ parts []part }

type part struct {
	literal string
	source  string // the expression as written
	program *Program
}

// Form is the text as it was written, with {expression} for each part that is
// filled in.
func (t *Template) Form() string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.literal)
		if p.program != nil {
			b.WriteString("{" + p.source + "}")
		}
	}
	return b.String()
}

// MissingError says that a part of a template has no value.
type MissingError struct{ Source string }

func (e *MissingError) Error() string { return "{{ " + e.Source + " }} has no value" }

// Interpolate reads a text whose {{ expression }} parts may use vars, as in
// Compile. Every error is a *CompileError with its place in the whole text.
func Interpolate(text string, vars map[string]any) (*Template, error) {
	t := &Template{}
	rest, from := text, 0
	for {
		open := strings.Index(rest, "{{")
		if open < 0 {
			if rest != "" {
				t.parts = append(t.parts, part{literal: rest})
			}
			return t, nil
		}
		if open > 0 {
			t.parts = append(t.parts, part{literal: rest[:open]})
		}
		from += open + 2
		end := endOfPart(text[from:])
		if end < 0 {
			line, column := place(text, from-2)
			return nil, &CompileError{Line: line, Column: column, Text: "{{ is never closed by }}"}
		}
		source := text[from : from+end]
		p, err := Compile(source, vars, Text)
		if err != nil {
			return nil, shift(err, text, from)
		}
		t.parts = append(t.parts, part{source: strings.TrimSpace(source), program: p})
		from += end + 2
		rest = text[from:]
	}
}

// endOfPart finds the }} that closes a part: not inside quotes, not closing a
// brace that the expression opened.
func endOfPart(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"', '\'', '`':
			for i++; i < len(s) && s[i] != c; i++ {
				if s[i] == '\\' && c != '`' {
					i++
				}
			}
		case '{':
			depth++
		case '}':
			if depth > 0 {
				depth--
			} else if strings.HasPrefix(s[i:], "}}") {
				return i
			}
		}
	}
	return -1
}

func place(text string, offset int) (line, column int) {
	head := text[:offset]
	line = 1 + strings.Count(head, "\n")
	return line, 1 + len([]rune(head[strings.LastIndexByte(head, '\n')+1:]))
}

// shift moves the place of a part's error to its place in the whole text.
func shift(err error, text string, offset int) error {
	var ce *CompileError
	if !errors.As(err, &ce) {
		return err
	}
	line, column := place(text, offset)
	if ce.Line == 1 {
		column += ce.Column - 1
	} else {
		column = ce.Column
	}
	return &CompileError{Line: line + ce.Line - 1, Column: column, Text: ce.Text}
}

// Render fills the template. A part without a value is a *MissingError; an
// empty text is a value.
func (t *Template) Render(vars map[string]any) (string, error) { return t.RenderWith(vars, nil) }

// RenderWith is Render with every filled-in value passed through escape; the
// text around the parts stays as it is written.
func (t *Template) RenderWith(vars map[string]any, escape func(string) string) (string, error) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.program == nil {
			b.WriteString(p.literal)
			continue
		}
		v, err := p.program.Run(vars)
		if err != nil {
			return "", fmt.Errorf("{{ %s }}: %w", p.source, err)
		}
		s, ok := v.(string)
		if !ok {
			return "", &MissingError{Source: p.source}
		}
		if escape != nil {
			s = escape(s)
		}
		if b.Len()+len(s) > maxText {
			return "", fmt.Errorf("{{ %s }}: makes a text of more than %d bytes", p.source, maxText)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}
