package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// Function is one function of the language, as the reference shows it.
type Function struct {
	Name, Signature, Text string
	Example, Gives        string // an expression, and its result as JSON
	least, most           int    // arguments; most < 0 for any number
	run                   func(args []any) (any, error)
}

func (f Function) arity() string {
	switch {
	case f.most < 0:
		return fmt.Sprintf("at least %d arguments", f.least)
	case f.least == f.most && f.least == 1:
		return "1 argument"
	case f.least == f.most:
		return fmt.Sprintf("%d arguments", f.least)
	}
	return fmt.Sprintf("%d to %d arguments", f.least, f.most)
}

// Functions lists the functions in the order of the reference.
func Functions() []Function {
	return []Function{
		{"after", "after(s, sep)", "the text behind the first sep; missing when sep is not there", `after("ada@example.com", "@")`, `"example.com"`, 2, 2, after},
		{"before", "before(s, sep)", "the text in front of the first sep; the whole text when sep is not there", `before("ada@example.com", "@")`, `"ada"`, 2, 2, before},
		{"coalesce", "coalesce(a, b, …)", "the first value that is neither missing nor a blank text; `a ?? b` looks at missing only", `coalesce(nil, " ", "x")`, `"x"`, 1, -1, coalesce},
		{"date", "date(s)", "the day as YYYY-MM-DD; an error when the text can be read as two different days", `date("2024年2月29日")`, `"2024-02-29"`, 1, 1, date},
		{"digits", "digits(s)", "the decimal digits of the text, full-width ones made plain", `digits("+44 (0)20-7946")`, `"440207946"`, 1, 1, digits},
		{"first", "first(list)", "the first entry; missing when there is none", `first(["a", "b"])`, `"a"`, 1, 1, first},
		{"join", "join(list, sep)", "the entries as one text; missing and blank ones are left out", `join(["a", nil, "b"], ", ")`, `"a, b"`, 1, 2, join},
		{"last", "last(list)", "the last entry; missing when there is none", `last(["a", "b"])`, `"b"`, 1, 1, last},
		{"len", "len(v)", "the characters of a text, the entries of a list, the members of an object", `len("试金石")`, `3`, 1, 1, length},
		{"lower", "lower(s)", "the text in small letters", `lower("ADA")`, `"ada"`, 1, 1, onText(strings.ToLower)},
		{"number", "number(s)", "a number from a text, with its exact digits: 1,234.50 and full-width digits are read, a decimal comma is not", `number("1,234.50")`, `1234.50`, 1, 1, toNumberFn},
		{"replace", "replace(s, old, new)", "the text with every old replaced by new", `replace("a-b-c", "-", "")`, `"abc"`, 3, 3, replace},
		{"split", "split(s, sep)", "the parts of the text between sep", `split("a;b", ";")`, `["a","b"]`, 2, 2, split},
		{"text", "text(v)", "a number, true or false as text", `text(007)`, `"7"`, 1, 1, textFn},
		{"trim", "trim(s)", "the text without white space at its ends, the ideographic space too", `trim("  x　")`, `"x"`, 1, 1, onText(strings.TrimSpace)},
		{"upper", "upper(s)", "the text in capitals", `upper("ada")`, `"ADA"`, 1, 1, onText(strings.ToUpper)},
	}
}

func functionByName(name string) (Function, bool) {
	for _, f := range Functions() {
		if f.Name == name {
			return f, true
		}
	}
	return Function{}, false
}

// hidden are the functions the rewriter calls.
func hidden() map[string]func(a []any) (any, error) {
	compare := func(holds func(int) bool) func(a []any) (any, error) {
		return func(a []any) (any, error) { return order(a[0], a[1], holds) }
	}
	calc := func(op string) func(a []any) (any, error) {
		return func(a []any) (any, error) { return calculate(op, a[0], a[1]) }
	}
	onTexts := func(name string) func(a []any) (any, error) {
		return func(a []any) (any, error) { return textTest(name, a[0], a[1]) }
	}
	return map[string]func(a []any) (any, error){
		"__get":       func(a []any) (any, error) { return get(a[0], a[1]) },
		"__slice":     func(a []any) (any, error) { return slice(a[0], a[1], a[2]) },
		"__eq":        func(a []any) (any, error) { return equal(a[0], a[1], 0), nil },
		"__ne":        func(a []any) (any, error) { return !equal(a[0], a[1], 0), nil },
		"__lt":        compare(func(c int) bool { return c < 0 }),
		"__le":        compare(func(c int) bool { return c <= 0 }),
		"__gt":        compare(func(c int) bool { return c > 0 }),
		"__ge":        compare(func(c int) bool { return c >= 0 }),
		"__add":       calc("+"),
		"__sub":       calc("-"),
		"__mul":       calc("*"),
		"__div":       calc("/"),
		"__mod":       calc("%"),
		"__pow":       calc("**"),
		"__neg":       func(a []any) (any, error) { return calculate("-", 0, a[0]) },
		"__in":        func(a []any) (any, error) { return in(a[0], a[1]) },
		"__contains":  onTexts("contains"),
		"__starts":    onTexts("startsWith"),
		"__ends":      onTexts("endsWith"),
		"__truth":     func(a []any) (any, error) { return truth(a[0]) },
		"__isNil":     func(a []any) (any, error) { return a[0] == nil, nil },
		"__isTrue":    func(a []any) (any, error) { return a[0] == true, nil },
		"__isFalse":   func(a []any) (any, error) { return a[0] == false, nil },
		"__and":       func(a []any) (any, error) { return logic3(a[0], a[1], false) },
		"__or":        func(a []any) (any, error) { return logic3(a[0], a[1], true) },
		"__list":      func(a []any) (any, error) { return listUpTo(a, maxEntries) },
		"__shortlist": func(a []any) (any, error) { return listUpTo(a, maxInner) },
		"__text":      textFn,
		"__lookup":    runLookup,
		"lookup":      runLookup, // rewritten; only its name counts
		"__not": func(a []any) (any, error) {
			if a[0] == nil {
				return nil, nil
			}
			b, err := truth(a[0])
			return b == false, err
		},
	}
}

func addFunctions(table conf.FunctionsTable) {
	add := func(name string, run func(args []any) (any, error)) {
		table[name] = &builtin.Function{Name: name, Func: func(args ...any) (any, error) { return run(args) }}
	}
	for _, f := range Functions() {
		add(f.Name, f.run)
	}
	for name, run := range hidden() {
		add(name, run)
	}
}

// explain puts our sentence where expr-lang's would not help.
func explain(message string) string {
	name, ok := strings.CutPrefix(message, "unknown name ")
	if !ok {
		return message
	}
	switch name {
	case "now", "duration", "timezone":
		return name + "() is not available: the same data must give the same answer at any time"
	case "indexOf", "lastIndexOf":
		return name + "() is not available: it counts bytes; use before(…), after(…) or [from:to]"
	}
	return message
}
