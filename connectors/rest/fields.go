package rest

import (
	"fmt"
	"sort"
	"strings"

	"touchstone/internal/record"
)

// bodyOf is the body of a change's write. Dotted field paths are nested:
// "address.city" is the member city of the object address. The same change
// gives the same bytes.
func (w write) bodyOf(change record.Change, vars map[string]any) (nest, error) {
	root, err := w.body.object(vars)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	return root, w.putFields(root, w.Wrap, change)
}

// putFields puts a change's fields and our key below a member.
func (w write) putFields(root nest, wrap string, change record.Change) error {
	below, err := under(root, wrap)
	if err != nil {
		return err
	}
	paths := make([]string, 0, len(change.Fields))
	for p := range change.Fields {
		paths = append(paths, p)
	}
	sort.Strings(paths)
	for _, p := range paths {
		v := change.Fields[p]
		if w.AllText {
			v = asText(v)
		}
		if err := put(below, p, v); err != nil {
			return err
		}
	}
	if w.ExternalKey != "" && change.Key != "" {
		return put(below, w.ExternalKey, change.Key)
	}
	return nil
}

// asText is a value for a system that knows only texts.
func asText(v any) any {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		return fmt.Sprint(v)
	case map[string]any, []any, string:
		return v
	}
	return textOf(v)
}

// under gives the object at a dotted path below root, making it.
func under(root nest, path string) (nest, error) {
	if path == "" {
		return root, nil
	}
	for step := range strings.SplitSeq(path, ".") {
		child, there := root[step]
		object, ok := child.(nest)
		if there && !ok {
			return nil, fmt.Errorf("wrap %s: the body holds a value there", path)
		}
		if !there {
			object = nest{}
			root[step] = object
		}
		root = object
	}
	return root, nil
}

// nest is an object that bodyOf made, as against one that is a field's value:
// that one belongs to the caller and is not written to.
type nest map[string]any

func put(root nest, path string, value any) error {
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		child, there := root[step]
		object, ok := child.(nest)
		if there && !ok {
			return fmt.Errorf("field %s and one above it are both given", path)
		}
		if !there {
			object = nest{}
			root[step] = object
		}
		root = object
	}
	last := steps[len(steps)-1]
	if _, there := root[last]; there || last == "" {
		return fmt.Errorf("field %s is given twice or has an empty name", path)
	}
	root[last] = value
	return nil
}
