package pipeline

import "strings"

// getPath gives the value at a dotted path, and whether there is one. A key
// that itself holds the dots comes first.
func getPath(obj map[string]any, path string) (any, bool) {
	if v, ok := obj[path]; ok {
		return v, true
	}
	head, tail, more := strings.Cut(path, ".")
	if !more {
		return nil, false
	}
	inner, ok := obj[head].(map[string]any)
	if !ok {
		return nil, false
	}
	return getPath(inner, tail)
}

// withPath gives a copy of obj with the value at path set, or taken away when
// has is false. What is not on the path is shared with obj.
func withPath(obj map[string]any, path string, value any, has bool) map[string]any {
	out := make(map[string]any, len(obj)+1)
	for k, v := range obj {
		out[k] = v
	}
	if _, whole := obj[path]; whole || !strings.Contains(path, ".") {
		if has {
			out[path] = value
		} else {
			delete(out, path)
		}
		return out
	}
	head, tail, _ := strings.Cut(path, ".")
	inner, ok := obj[head].(map[string]any)
	if !ok {
		if !has {
			return out
		}
		inner = nil
	}
	out[head] = withPath(inner, tail, value, has)
	return out
}
