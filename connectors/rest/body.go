package rest

import (
	"errors"
	"fmt"
	"strings"

	"touchstone/config"
	"touchstone/internal/expr"
)

// body is a compiled config.Tree: a JSON value with {{ expression }} parts.
type body struct {
	tree    config.Tree
	members []member
	entries []*body
	whole   program        // the text is one {{ }} and keeps its value's type
	text    *expr.Template // {{ }} parts among other text
}

type member struct {
	name  string
	value *body
}

// tree compiles a body; nil for one that is not there.
func (c *compiler) tree(t config.Tree, vars map[string]any) *body {
	if t.IsZero() {
		return nil
	}
	b := &body{tree: t}
	for _, m := range t.Members {
		b.members = append(b.members, member{m.Name, c.tree(m.Tree, vars)})
	}
	for _, e := range t.Entries {
		b.entries = append(b.entries, c.tree(e, vars))
	}
	s, _ := t.Value.(string)
	if !strings.Contains(s, "{{") {
		return b
	}
	if inner, ok := wholePart(s); ok {
		p, err := expr.Compile(inner, vars, expr.Any)
		if err != nil {
			c.add(exprProblem(t.Expr(), err))
		}
		b.whole = program{p}
		return b
	}
	text, problem := compileTemplate(s, t.At, vars)
	c.add(problem)
	b.text = text
	return b
}

// wholePart gives the expression of a text that is nothing but one {{ }}.
func wholePart(s string) (string, bool) {
	s = strings.TrimSpace(s)
	inner, ok := strings.CutPrefix(s, "{{")
	if !ok {
		return "", false
	}
	inner, ok = strings.CutSuffix(inner, "}}")
	return inner, ok && !strings.Contains(inner, "{{") && !strings.Contains(inner, "}}")
}

// mentions says whether a part uses a variable.
func (b *body) mentions(name string) bool {
	if b == nil {
		return false
	}
	s, _ := b.tree.Value.(string)
	if uses(s, name) {
		return true
	}
	for _, m := range b.members {
		if m.value.mentions(name) {
			return true
		}
	}
	for _, e := range b.entries {
		if e.mentions(name) {
			return true
		}
	}
	return false
}

// uses says whether a template mentions a variable.
func uses(text, name string) bool {
	for {
		_, rest, ok := strings.Cut(text, "{{")
		if !ok {
			return false
		}
		part, after, _ := strings.Cut(rest, "}}")
		for _, word := range strings.FieldsFunc(part, func(r rune) bool {
			return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
		}) {
			if word == name {
				return true
			}
		}
		text = after
	}
}

// object fills a body whose top is an object. Without a tree it is empty.
func (b *body) object(vars map[string]any) (nest, error) {
	if b == nil {
		return nest{}, nil
	}
	v, _, _, err := b.fill(vars)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case nil:
		return nest{}, nil
	case nest:
		return v, nil
	}
	return nil, errors.New("the body is no object")
}

// fill works the value out. Gone says that nothing is left of it, lost that a
// member of this very object is not.
func (b *body) fill(vars map[string]any) (v any, gone, lost bool, err error) {
	switch {
	case b.whole.given():
		v, err = b.whole.Run(vars)
		return v, v == nil || v == "", false, err
	case b.text != nil:
		s, err := b.text.Render(vars)
		var missing *expr.MissingError
		if errors.As(err, &missing) {
			return nil, true, false, nil
		}
		return s, s == "", false, err
	case b.tree.Kind == config.ObjectTree:
		out := nest{}
		for _, m := range b.members {
			e, gone, _, err := m.value.fill(vars)
			if err != nil {
				return nil, false, false, fmt.Errorf("%s: %w", m.name, err)
			}
			if gone {
				lost = true
				continue
			}
			out[m.name] = e
		}
		return out, lost && len(out) == 0, lost, nil
	case b.tree.Kind == config.ListTree:
		out := []any{}
		for i, entry := range b.entries {
			e, gone, broken, err := entry.fill(vars)
			if err != nil {
				return nil, false, false, fmt.Errorf("entry %d: %w", i+1, err)
			}
			if gone || broken {
				lost = true
				continue
			}
			out = append(out, e)
		}
		return out, lost && len(out) == 0, false, nil
	}
	return b.tree.Value, false, false, nil
}
