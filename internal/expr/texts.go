package expr

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// toText gives a text, a number or a truth value as text.
func toText(v any) (string, error) {
	switch s := v.(type) {
	case string:
		return s, nil
	case bool:
		if s {
			return "true", nil
		}
		return "false", nil
	}
	if s, ok := numberText(v); ok {
		return s, nil
	}
	return "", opErrorf("needs a text, has %s", kindOf(v))
}

// limited makes a text unless it would pass the cap: one expression must not
// fill the memory.
func limited(size int, build func() string) (any, error) {
	if size > maxText {
		return nil, opErrorf("makes a text of more than %d bytes", maxText)
	}
	return build(), nil
}

func onText(f func(string) string) func(args []any) (any, error) {
	return func(args []any) (any, error) {
		if args[0] == nil {
			return nil, nil
		}
		s, err := toText(args[0])
		if err != nil {
			return nil, err
		}
		return f(s), nil
	}
}

// texts reads all arguments as texts; ok is false when one is missing.
func texts(args []any) (list []string, ok bool, err error) {
	for _, a := range args {
		if a == nil {
			return nil, false, nil
		}
		s, err := toText(a)
		if err != nil {
			return nil, false, err
		}
		list = append(list, s)
	}
	return list, true, nil
}

func textFn(args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	return toText(args[0])
}

func before(args []any) (any, error) {
	s, ok, err := texts(args)
	if !ok {
		return nil, err
	}
	head, _, _ := strings.Cut(s[0], s[1])
	return head, nil
}

func after(args []any) (any, error) {
	s, ok, err := texts(args)
	if !ok {
		return nil, err
	}
	_, tail, found := strings.Cut(s[0], s[1])
	if !found {
		return nil, nil
	}
	return tail, nil
}

func coalesce(args []any) (any, error) {
	for _, a := range args {
		if s, ok := a.(string); a != nil && (!ok || strings.TrimSpace(s) != "") {
			return a, nil
		}
	}
	return nil, nil
}

func digits(args []any) (any, error) {
	s, ok, err := texts(args)
	if !ok {
		return nil, err
	}
	return strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' {
			r -= '０' - '0'
		}
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s[0]), nil
}

func asList(args []any) (any, error) {
	if args[0] == nil {
		return []any{}, nil
	}
	list, ok := toList(args[0])
	if !ok {
		return nil, opErrorf("needs a list, has %s", kindOf(args[0]))
	}
	return list, nil
}

func listUpTo(args []any, most int) (any, error) {
	list, err := asList(args)
	if entries, ok := list.([]any); ok && len(entries) > most {
		return nil, opErrorf("the list has %d entries, at most %d can be gone through here", len(entries), most)
	}
	return list, err
}

func first(args []any) (any, error) { return entry(args, 0) }
func last(args []any) (any, error)  { return entry(args, -1) }

func entry(args []any, i int) (any, error) {
	list, err := asList(args)
	if err != nil {
		return nil, err
	}
	return get(list, i)
}

func join(args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	list, err := asList(args[:1])
	if err != nil {
		return nil, err
	}
	sep := ""
	if len(args) > 1 && args[1] != nil {
		if sep, err = toText(args[1]); err != nil {
			return nil, err
		}
	}
	var parts []string
	size := 0
	for _, e := range list.([]any) {
		if e == nil {
			continue
		}
		s, err := toText(e)
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(s) != "" {
			parts = append(parts, s)
			size += len(s) + len(sep)
		}
	}
	return limited(size, func() string { return strings.Join(parts, sep) })
}

func length(args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return nil, nil
	case string:
		return utf8.RuneCountInString(v), nil
	case map[string]any:
		return len(v), nil
	case map[string]string:
		return len(v), nil
	}
	list, ok := toList(args[0])
	if !ok {
		return nil, opErrorf("len needs a text, a list or an object, has %s", kindOf(args[0]))
	}
	return len(list), nil
}

func replace(args []any) (any, error) {
	s, ok, err := texts(args)
	if !ok {
		return nil, err
	}
	if s[1] == "" {
		return s[0], nil
	}
	n := strings.Count(s[0], s[1])
	return limited(len(s[0])+n*(len(s[2])-len(s[1])), func() string { return strings.ReplaceAll(s[0], s[1], s[2]) })
}

func split(args []any) (any, error) {
	s, ok, err := texts(args)
	if !ok {
		return nil, err
	}
	if s[1] == "" {
		return nil, opErrorf("split needs a separator")
	}
	if strings.Count(s[0], s[1]) >= maxEntries {
		return nil, opErrorf("split makes more than %d parts", maxEntries)
	}
	parts := strings.Split(s[0], s[1])
	list := make([]any, len(parts))
	for i, p := range parts {
		list[i] = p
	}
	return list, nil
}

// toNumberFn reads a number and keeps its digits as they are written.
func toNumberFn(args []any) (any, error) {
	if _, ok := toNumber(args[0]); ok || args[0] == nil {
		return args[0], nil
	}
	s, err := toText(args[0])
	if err != nil {
		return nil, err
	}
	s = strings.TrimSpace(width.Narrow.String(s))
	if s == "" {
		return nil, nil
	}
	if n, ok := plainDecimal(s); ok {
		return json.Number(n), nil
	}
	return nil, opErrorf("the text is not a number")
}

// plainDecimal reads [+-]digits[.digits], with commas between groups of three,
// and gives it as JSON writes numbers.
func plainDecimal(s string) (string, bool) {
	sign := ""
	if s[0] == '-' || s[0] == '+' {
		sign, s = strings.TrimPrefix(s[:1], "+"), s[1:]
	}
	whole, fraction, point := strings.Cut(s, ".")
	groups := strings.Split(whole, ",")
	for i, g := range groups {
		if !allDigits(g) || len(groups) > 1 && (i == 0 && len(g) > 3 || i > 0 && len(g) != 3) {
			return "", false
		}
	}
	if point && !allDigits(fraction) || len(s) > maxDigits {
		return "", false
	}
	whole = strings.TrimLeft(strings.Join(groups, ""), "0")
	if whole == "" {
		whole = "0"
	}
	if point {
		return sign + whole + "." + fraction, true
	}
	return sign + whole, true
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
