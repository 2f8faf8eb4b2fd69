package expr

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
)

// closures are the parts of expr-lang that take a predicate; they stay as they
// are, with a missing list read as an empty one.
var closures = map[string]bool{
	"all": true, "none": true, "any": true, "one": true,
	"filter": true, "map": true, "find": true, "findLast": true, "count": true,
}

// operators are the binary operators that we work out ourselves: so that nil
// and exact numbers mean the same everywhere.
var operators = map[string]string{
	"==": "__eq", "!=": "__ne", "<": "__lt", "<=": "__le", ">": "__gt", ">=": "__ge",
	"+": "__add", "-": "__sub", "*": "__mul", "/": "__div", "%": "__mod", "**": "__pow", "^": "__pow",
	"in": "__in", "contains": "__contains", "startsWith": "__starts", "endsWith": "__ends",
}

// rewriter replaces what could panic, count bytes or round a number by calls of
// our own functions. It works on a checked tree.
type rewriter struct {
	config *conf.Config
	err    *file.Error
	names  int
	depth  int // closures around the node

	lookups *Lookups // tables there are
	tables  []string // tables asked
}

func (rw *rewriter) fail(at ast.Node, format string, args ...any) ast.Node {
	if rw.err == nil {
		rw.err = &file.Error{Location: at.Location(), Message: fmt.Sprintf(format, args...)}
	}
	return at
}

func (rw *rewriter) rewrite(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		return rw.identifier(n)
	case *ast.UnaryNode:
		return rw.unary(n)
	case *ast.BinaryNode:
		return rw.binary(n)
	case *ast.ChainNode:
		return rw.rewrite(n.Node) // our member access never fails on nil
	case *ast.MemberNode:
		return call(n, "__get", rw.rewrite(n.Node), rw.rewrite(n.Property))
	case *ast.SliceNode:
		return call(n, "__slice", rw.rewrite(n.Node), rw.rewriteOr(n.From), rw.rewriteOr(n.To))
	case *ast.CallNode:
		return rw.call(n)
	case *ast.BuiltinNode:
		return rw.builtin(n)
	case *ast.PredicateNode:
		n.Node = rw.rewrite(n.Node)
	case *ast.VariableDeclaratorNode:
		if strings.HasPrefix(n.Name, "__") {
			return rw.fail(n, "names that start with __ are reserved")
		}
		n.Value, n.Expr = rw.rewrite(n.Value), rw.rewrite(n.Expr)
	case *ast.SequenceNode:
		rw.all(n.Nodes)
	case *ast.ConditionalNode:
		n.Cond, n.Exp1, n.Exp2 = call(n.Cond, "__truth", rw.rewrite(n.Cond)), rw.rewrite(n.Exp1), rw.rewrite(n.Exp2)
	case *ast.ArrayNode:
		rw.all(n.Nodes)
	case *ast.MapNode:
		rw.all(n.Pairs)
	case *ast.PairNode:
		n.Key, n.Value = rw.rewrite(n.Key), rw.rewrite(n.Value)
	}
	return node
}

func (rw *rewriter) all(nodes []ast.Node) {
	for i := range nodes {
		nodes[i] = rw.rewrite(nodes[i])
	}
}

func (rw *rewriter) rewriteOr(n ast.Node) ast.Node {
	if n == nil {
		return &ast.NilNode{}
	}
	return rw.rewrite(n)
}

func (rw *rewriter) identifier(n *ast.IdentifierNode) ast.Node {
	if strings.HasPrefix(n.Value, "__") || n.Value == "$env" {
		return rw.fail(n, "unknown name %s", n.Value)
	}
	if _, ok := rw.config.Functions[n.Value]; ok {
		if _, isVar := rw.config.Env.Get(&rw.config.NtCache, n.Value); !isVar {
			return rw.fail(n, "%s is a function: call it, as in %s(…)", n.Value, n.Value)
		}
	}
	return n
}

func (rw *rewriter) unary(n *ast.UnaryNode) ast.Node {
	operand := rw.rewrite(n.Node)
	switch n.Operator {
	case "!", "not":
		return call(n, "__not", operand)
	case "-":
		return call(n, "__neg", operand)
	}
	return operand
}

func (rw *rewriter) binary(n *ast.BinaryNode) ast.Node {
	left, right := rw.rewrite(n.Left), rw.rewrite(n.Right)
	switch n.Operator {
	case "&&", "and":
		return rw.logic(n, "__isFalse", "__and", left, right)
	case "||", "or":
		return rw.logic(n, "__isTrue", "__or", left, right)
	case "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			return rw.fail(n.Right, "the pattern of matches must be written out in quotes")
		}
		name, text := rw.temp()
		match := at(n, &ast.BinaryNode{Operator: "matches", Left: text, Right: n.Right})
		return let(n, name, call(n, "__text", left), at(n, &ast.ConditionalNode{
			Cond: call(n, "__isNil", at(n, &ast.IdentifierNode{Value: name})), Exp1: &ast.NilNode{}, Exp2: match,
		}))
	}
	if name, ok := operators[n.Operator]; ok {
		return call(n, name, left, right)
	}
	if n.Operator != "??" {
		return rw.fail(n, "the operator %s is not available", n.Operator)
	}
	n.Left, n.Right = left, right
	return n
}

// logic makes "let t = left; decided(t) ? t : combine(t, right)": three-valued
// logic that still leaves the right side alone when the left one decides.
func (rw *rewriter) logic(n ast.Node, decided, combine string, left, right ast.Node) ast.Node {
	name, t := rw.temp()
	again := func() ast.Node { return at(n, &ast.IdentifierNode{Value: name}) }
	return let(n, name, left, at(n, &ast.ConditionalNode{
		Cond: call(n, decided, t), Exp1: again(), Exp2: call(n, combine, again(), right),
	}))
}

func (rw *rewriter) temp() (string, ast.Node) {
	rw.names++
	name := fmt.Sprintf("__t%d", rw.names)
	return name, &ast.IdentifierNode{Value: name}
}

func (rw *rewriter) call(n *ast.CallNode) ast.Node {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return rw.fail(n, "only the functions of the reference can be called")
	}
	if callee.Value == "lookup" {
		return rw.lookup(n)
	}
	f, ok := functionByName(callee.Value)
	if !ok {
		return rw.fail(n, "unknown name %s", callee.Value)
	}
	if len(n.Arguments) < f.least || f.most >= 0 && len(n.Arguments) > f.most {
		return rw.fail(n, "%s takes %s, has %d", f.Signature, f.arity(), len(n.Arguments))
	}
	rw.all(n.Arguments)
	return n
}

// builtin keeps a closure over a list. Closures nest twice at most, the inner
// one over short lists: the machine has no bound on its steps, so the shape of
// an expression has to give one.
func (rw *rewriter) builtin(n *ast.BuiltinNode) ast.Node {
	if !closures[n.Name] {
		return rw.fail(n, "unknown name %s", n.Name)
	}
	if len(n.Arguments) < 2 {
		return rw.fail(n, "%s needs a predicate; len(list) counts all entries", n.Name)
	}
	list := "__list"
	if rw.depth > 0 {
		list = "__shortlist"
	}
	n.Arguments[0] = call(n.Arguments[0], list, rw.rewrite(n.Arguments[0]))
	rw.depth++
	defer func() { rw.depth-- }()
	if rw.depth > maxDepth {
		return rw.fail(n, "%s stands within %d others, want at most %d", n.Name, maxDepth, maxDepth-1)
	}
	n.Arguments[1] = rw.rewrite(n.Arguments[1])
	if p, ok := n.Arguments[1].(*ast.PredicateNode); ok && n.Name != "map" {
		p.Node = call(p.Node, "__truth", p.Node)
	}
	return n
}

// at puts a made node where the user's node stands, so that run errors point there.
func at(where, made ast.Node) ast.Node {
	made.SetLocation(where.Location())
	return made
}

func call(where ast.Node, name string, args ...ast.Node) ast.Node {
	return at(where, &ast.CallNode{Callee: at(where, &ast.IdentifierNode{Value: name}), Arguments: args})
}

func let(where ast.Node, name string, value, body ast.Node) ast.Node {
	return at(where, &ast.VariableDeclaratorNode{Name: name, Value: value, Expr: body})
}

// plainPath gives the steps of an expression that is a variable followed by
// fixed members and indexes, nil for any other.
func plainPath(node ast.Node, vars map[string]any) []any {
	switch n := node.(type) {
	case *ast.IdentifierNode:
		if _, ok := vars[n.Value]; ok {
			return []any{n.Value}
		}
	case *ast.ChainNode:
		return plainPath(n.Node, vars)
	case *ast.MemberNode:
		head := plainPath(n.Node, vars)
		if head == nil {
			return nil
		}
		switch p := n.Property.(type) {
		case *ast.StringNode:
			return append(head, p.Value)
		case *ast.IntegerNode:
			return append(head, p.Value)
		}
	}
	return nil
}
