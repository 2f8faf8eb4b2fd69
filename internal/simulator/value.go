package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

const externalID = "external_id"

// decodeObject reads exactly one JSON object, numbers as they stand.
func decodeObject(b []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if m == nil {
		return nil, errors.New("not a JSON object: null")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a JSON object: something follows it")
	}
	return m, nil
}

// leaf is one value of a write and where it goes.
type leaf struct {
	path  string
	value any
}

// leaves flattens a written object: a group's members become paths, anything
// else is a leaf. Sorted by path.
func leaves(o Object, prefix string, m map[string]any) []leaf {
	var out []leaf
	for k, v := range m {
		path := prefix + k
		_, group, _ := o.fieldKind(path)
		if inner, ok := v.(map[string]any); ok && group {
			out = append(out, leaves(o, path+".", inner)...)
			continue
		}
		out = append(out, leaf{path, v})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].path < out[j].path })
	return out
}

// get finds the value at a path; nil when there is none.
func get(m map[string]any, path string) any {
	for {
		head, rest, nested := strings.Cut(path, ".")
		if !nested {
			return m[head]
		}
		inner, ok := m[head].(map[string]any)
		if !ok {
			return nil
		}
		m, path = inner, rest
	}
}

// set puts a value at a path and makes the objects on the way. What stands in
// the way and is no object is replaced.
func set(m map[string]any, path string, v any) {
	for {
		head, rest, nested := strings.Cut(path, ".")
		if !nested {
			m[head] = v
			return
		}
		inner, ok := m[head].(map[string]any)
		if !ok {
			inner = map[string]any{}
			m[head] = inner
		}
		m, path = inner, rest
	}
}

// same compares two JSON values by their canonical bytes.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// text gives a string value, "" for anything else.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// normalise is what a tidy-minded target makes of a text: ends trimmed, and a
// phone left with digits only, its + written as 00.
func normalise(s string, phone bool) string {
	s = strings.TrimSpace(s)
	if !phone {
		return s
	}
	var b strings.Builder
	for i, c := range s {
		switch {
		case c >= '0' && c <= '9':
			b.WriteRune(c)
		case c == '+' && i == 0:
			b.WriteString("00")
		}
	}
	return b.String()
}
