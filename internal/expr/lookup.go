package expr

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// LookupsVar is the name under which vars hold the *Lookups that the function
// lookup asks, at compile time and at run time. No expression can name it.
const LookupsVar = "__lookups"

// Lookups are the tables that lookup(name, value, default) asks.
type Lookups struct {
	// Tables: name → key (see LookupKey) → meaning.
	Tables map[string]map[string]string
	// Miss is told of each value that a table does not know; nil for nobody.
	Miss func(table, value string)
}

// LookupKey is the form in which a table's values are compared: without white
// space around them, in small letters.
func LookupKey(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

const lookupReference = "| `lookup(table, value, default)` | what a table of the configuration says of the value; the default, or missing, when it does not know it, which is counted. " +
	"Case and white space do not count | `lookup(\"industry\", \"软件\", \"other\")` | `\"software\"` |\n"

// lookup rewrites a call of lookup: the table's name is known when the
// expression is compiled, its rows when it runs.
func (rw *rewriter) lookup(n *ast.CallNode) ast.Node {
	if len(n.Arguments) < 2 || len(n.Arguments) > 3 {
		return rw.fail(n, "lookup(table, value, default) takes 2 to 3 arguments, has %d", len(n.Arguments))
	}
	name, ok := n.Arguments[0].(*ast.StringNode)
	if !ok {
		return rw.fail(n.Arguments[0], "the table of lookup must be written out in quotes")
	}
	if rw.lookups == nil || rw.lookups.Tables[name.Value] == nil {
		return rw.fail(name, "there is no table %q below tables:", name.Value)
	}
	if !slices.Contains(rw.tables, name.Value) {
		rw.tables = append(rw.tables, name.Value)
	}
	rw.all(n.Arguments[1:])
	return call(n, "__lookup", append([]ast.Node{at(n, &ast.IdentifierNode{Value: LookupsVar})}, n.Arguments...)...)
}

// Tables lists the tables that the expression asks.
func (p *Program) Tables() []string { return p.tables }

// runLookup is lookup with the tables before its arguments.
func runLookup(a []any) (any, error) {
	l, ok := a[0].(*Lookups)
	if !ok {
		return nil, opErrorf("has no tables to look up in")
	}
	var def any
	if len(a) > 3 {
		def = a[3]
	}
	if a[2] == nil {
		return def, nil
	}
	text, err := toText(a[2])
	if err != nil {
		return nil, err
	}
	key := LookupKey(text)
	if key == "" {
		return def, nil
	}
	table, _ := a[1].(string)
	if to, ok := l.Tables[table][key]; ok {
		return to, nil
	}
	if l.Miss != nil {
		l.Miss(table, strings.TrimSpace(text))
	}
	return def, nil
}
