package expr

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// opError is a sentence of ours about an operator or function. It names kinds
// of values, never a value.
type opError struct{ text string }

func (e *opError) Error() string { return e.text }

func opErrorf(format string, args ...any) error { return &opError{fmt.Sprintf(format, args...)} }

// kindOf names the kind of a value for messages.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "a text"
	case bool:
		return "true or false"
	case map[string]any, map[string]string:
		return "an object"
	case []any, []string:
		return "a list"
	}
	if _, ok := toNumber(v); ok {
		return "a number"
	}
	switch reflect.ValueOf(v).Kind() {
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map:
		return "an object"
	}
	return "a value of another kind"
}

// get is member access and indexing: what is not there is nil.
func get(v, key any) (any, error) {
	switch c := v.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		if name, ok := key.(string); ok {
			return c[name], nil
		}
	case map[string]string:
		if name, ok := key.(string); ok {
			if text, ok := c[name]; ok {
				return text, nil
			}
			return nil, nil
		}
	case string:
		if i, ok := index(key); ok {
			r := []rune(c)
			if i < 0 {
				i += len(r)
			}
			if i < 0 || i >= len(r) {
				return nil, nil
			}
			return string(r[i]), nil
		}
		return nil, opErrorf("a text has no members")
	}
	if key == nil {
		return nil, nil
	}
	if list, ok := toList(v); ok {
		i, ok := index(key)
		if !ok {
			return nil, opErrorf("a list has numbered entries only: use [0] or map(…)")
		}
		if i < 0 {
			i += len(list)
		}
		if i < 0 || i >= len(list) {
			return nil, nil
		}
		return list[i], nil
	}
	if strings.HasPrefix(kindOf(v), "an object") {
		return nil, opErrorf("the members of an object have names, not %s", kindOf(key))
	}
	return nil, opErrorf("%s has no members", kindOf(v))
}

func index(key any) (int, bool) {
	n, ok := toNumber(key)
	if !ok || !n.isInt || n.i > math.MaxInt32 || n.i < math.MinInt32 {
		return 0, false
	}
	return int(n.i), true
}

// toList reads a list of any entry type.
func toList(v any) ([]any, bool) {
	switch c := v.(type) {
	case []any:
		return c, true
	case nil, string, bool, json.Number, map[string]any:
		return nil, false
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice && rv.Kind() != reflect.Array {
		return nil, false
	}
	list := make([]any, rv.Len())
	for i := range list {
		list[i] = rv.Index(i).Interface()
	}
	return list, true
}

// equal compares exactly: 1 and 1.0 are the same number, 1 and "1" are not the
// same, lists and objects entry by entry.
func equal(a, b any, depth int) bool {
	if depth > 100 {
		return false
	}
	if x, ok := toNumber(a); ok {
		y, ok := toNumber(b)
		if !ok {
			return false
		}
		c, err := compareNumbers(x, y)
		return err == nil && c == 0
	}
	if x, ok := toList(a); ok {
		y, ok := toList(b)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i], depth+1) {
				return false
			}
		}
		return true
	}
	if x, ok := a.(map[string]any); ok {
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !equal(v, w, depth+1) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

// order compares two numbers or two texts; nil when one is missing.
func order(a, b any, holds func(int) bool) (any, error) {
	if a == nil || b == nil {
		return nil, nil
	}
	if s, ok := a.(string); ok {
		if t, ok := b.(string); ok {
			return holds(strings.Compare(s, t)), nil
		}
	}
	x, ok := toNumber(a)
	y, ok2 := toNumber(b)
	if !ok || !ok2 {
		return nil, opErrorf("cannot compare %s with %s%s", kindOf(a), kindOf(b), numberHint(a, b))
	}
	c, err := compareNumbers(x, y)
	if err != nil {
		return nil, err
	}
	return holds(c), nil
}

func numberHint(a, b any) string {
	_, s := a.(string)
	_, t := b.(string)
	if s != t {
		return ": use number(…)"
	}
	return ""
}

func calculate(op string, a, b any) (any, error) {
	if a == nil || b == nil {
		return nil, nil
	}
	if op == "+" {
		if s, ok := a.(string); ok {
			if t, ok := b.(string); ok {
				return limited(len(s)+len(t), func() string { return s + t })
			}
		}
	}
	x, ok := toNumber(a)
	y, ok2 := toNumber(b)
	if !ok || !ok2 {
		return nil, opErrorf("cannot work out %s %s %s%s", kindOf(a), op, kindOf(b), numberHint(a, b))
	}
	return arithmetic(op, x, y)
}

// contains, startsWith and endsWith: on texts; contains also on lists.
func textTest(name string, a, b any) (any, error) {
	if a == nil || b == nil {
		return nil, nil
	}
	if list, ok := toList(a); ok && name == "contains" {
		return member(b, list), nil
	}
	s, err := toText(a)
	if err != nil {
		return nil, err
	}
	t, err := toText(b)
	if err != nil {
		return nil, err
	}
	switch name {
	case "contains":
		return strings.Contains(s, t), nil
	case "startsWith":
		return strings.HasPrefix(s, t), nil
	}
	return strings.HasSuffix(s, t), nil
}

func member(v any, list []any) bool {
	for _, e := range list {
		if equal(v, e, 0) {
			return true
		}
	}
	return false
}

// in: an entry of a list or a member's name of an object.
func in(a, b any) (any, error) {
	if b == nil {
		return nil, nil
	}
	if list, ok := toList(b); ok {
		return member(a, list), nil
	}
	name, ok := a.(string)
	switch m := b.(type) {
	case map[string]any:
		_, found := m[name]
		return ok && found, nil
	case map[string]string:
		_, found := m[name]
		return ok && found, nil
	}
	return nil, opErrorf("in needs a list or an object, has %s", kindOf(b))
}

// slice cuts a text by characters or a list by entries; bounds beyond the ends
// are the ends.
func slice(v, from, to any) (any, error) {
	if v == nil {
		return nil, nil
	}
	bounds := func(n int) (int, int, error) {
		lo, hi := 0, n
		for _, b := range []struct {
			v  any
			at *int
		}{{from, &lo}, {to, &hi}} {
			if b.v == nil {
				continue
			}
			i, ok := index(b.v)
			if !ok {
				return 0, 0, opErrorf("the bounds of [from:to] must be whole numbers")
			}
			if i < 0 {
				i += n
			}
			*b.at = min(max(i, 0), n)
		}
		return lo, max(lo, hi), nil
	}
	if s, ok := v.(string); ok {
		r := []rune(s)
		lo, hi, err := bounds(len(r))
		if err != nil {
			return nil, err
		}
		return string(r[lo:hi]), nil
	}
	list, ok := toList(v)
	if !ok {
		return nil, opErrorf("[from:to] needs a text or a list, has %s", kindOf(v))
	}
	lo, hi, err := bounds(len(list))
	if err != nil {
		return nil, err
	}
	return list[lo:hi:hi], nil
}

// truth reads a condition: a missing value counts as false.
func truth(v any) (any, error) {
	switch b := v.(type) {
	case nil:
		return false, nil
	case bool:
		return b, nil
	}
	return nil, opErrorf("a condition must be true or false, is %s", kindOf(v))
}

// logic3 is and/or of three-valued logic (Kleene): what is missing stays
// missing unless the other side decides.
func logic3(a, b any, decides bool) (any, error) {
	for _, v := range []any{a, b} {
		if _, ok := v.(bool); !ok && v != nil {
			return nil, opErrorf("and, or need true or false, have %s", kindOf(v))
		}
	}
	if a == decides || b == decides {
		return decides, nil
	}
	if a == nil || b == nil {
		return nil, nil
	}
	return !decides, nil
}
