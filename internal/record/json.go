package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
)

// DecodeObject reads one JSON object with its numbers as they stand.
func DecodeObject(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var obj map[string]any
	var other *json.UnmarshalTypeError
	switch err := d.Decode(&obj); {
	case errors.As(err, &other): // said without the names of our types
		return nil, fmt.Errorf("not a JSON object: what stands there is of the type %s", other.Value)
	case err != nil:
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	if obj == nil {
		return nil, errors.New("null is not a JSON object")
	}
	return obj, nil
}

// DecodeJSON reads one JSON value with its numbers as they stand.
func DecodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// SameJSON says whether two JSON texts hold the same value. What is not JSON
// is compared byte by byte.
func SameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errX := DecodeJSON(a)
	y, errY := DecodeJSON(b)
	return errX == nil && errY == nil && bytes.Equal(Canonical(nil, x), Canonical(nil, y))
}

// Canonical appends v as JSON with sorted keys: equal values, equal bytes.
// Numbers keep their text.
func Canonical(b []byte, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...)
	case json.Number:
		return append(b, x...)
	case map[string]any:
		b = append(b, '{')
		for i, k := range sortedKeys(x) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, k)
			b = append(b, ':')
			b = Canonical(b, x[k])
		}
		return append(b, '}')
	case []any:
		b = append(b, '[')
		for i, e := range x {
			if i > 0 {
				b = append(b, ',')
			}
			b = Canonical(b, e)
		}
		return append(b, ']')
	case string:
		return appendString(b, x)
	default:
		j, err := json.Marshal(x)
		if err != nil {
			return append(b, "null"...)
		}
		return append(b, j...)
	}
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
