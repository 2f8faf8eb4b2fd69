// Package expr is the one expression language of the product: mappings, rules,
// filters and the request parts of REST sources. It is a thin layer on
// expr-lang/expr with our functions, without clock, randomness or input and
// output, and with three promises of its own: a missing value gives nil and not
// an error, numbers keep their exact text, texts are counted in characters.
package expr

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// Kind is what an expression has to give.
type Kind int

// The kinds. A program may always give nil, which says that a value it needs is
// missing.
const (
	Any  Kind = iota // nil, string, bool, int64, float64, json.Number, a list, an object
	Text             // nil or string; numbers and booleans become their text
	Bool             // nil or bool
)

const (
	maxSource    = 10_000    // characters of one expression
	maxNodes     = 2_000     // nodes of its tree
	memoryBudget = 1_000_000 // list entries one run may make
	maxText      = 1 << 20   // bytes of one text that a function makes
	maxDepth     = 2         // filter, map … within one another
	maxEntries   = 100_000   // entries of a list they go through
	maxInner     = 1_000     // the same for the inner one
)

// Fields is the type of an object that has these members and no others: a
// misspelt member is then a compile error. Give it as the example in vars.
type Fields []string

// CompileError says what is wrong with an expression, and where in it. Line and
// Column start at 1 and count characters.
type CompileError struct {
	Line, Column int
	Text         string
}

func (e *CompileError) Error() string {
	return fmt.Sprintf("expression, line %d, column %d: %s", e.Line, e.Column, e.Text)
}

// RunError says why an expression could not be worked out for these values.
// It holds no value, so it is safe to log.
type RunError struct {
	Line, Column int
	Text         string
}

func (e *RunError) Error() string {
	return fmt.Sprintf("expression, line %d, column %d: %s", e.Line, e.Column, e.Text)
}

// Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	code *vm.Program
	path []any // a plain path such as record.name: the variable, then its steps; nil if it is more
	want Kind

	tables []string // that lookup asks
}

// Compile reads an expression. vars names what it may use: name → an example
// value (any member of a map is allowed), Fields, or nil for anything. Every
// error is a *CompileError.
func Compile(text string, vars map[string]any, want Kind) (p *Program, err error) {
	defer func() {
		if r := recover(); r != nil { // the parser's own tables, not our data
			p, err = nil, &CompileError{Line: 1, Column: 1, Text: "cannot be read"}
		}
	}()
	if n := len([]rune(text)); n > maxSource {
		return nil, &CompileError{Line: 1, Column: 1, Text: fmt.Sprintf("has %d characters, want at most %d", n, maxSource)}
	}
	config := newConfig(vars)
	tree, err := parser.ParseWithConfig(text, config)
	if err != nil {
		return nil, compileError(err)
	}
	path := plainPath(tree.Node, vars)
	if want == Bool {
		config.Expect, config.ExpectAny = reflect.Bool, true
	}
	if _, err := checker.Check(tree, config); err != nil {
		return nil, compileError(err)
	}
	config.Expect, config.ExpectAny = reflect.Invalid, false
	rw := &rewriter{config: config}
	rw.lookups, _ = vars[LookupsVar].(*Lookups)
	tree.Node = rw.rewrite(tree.Node)
	if rw.err != nil {
		return nil, compileError(rw.err.Bind(tree.Source))
	}
	if _, err := checker.Check(tree, config); err != nil {
		return nil, compileError(err)
	}
	code, err := compiler.Compile(tree, config)
	if err != nil {
		return nil, compileError(err)
	}
	return &Program{code: code, path: path, want: want, tables: rw.tables}, nil
}

func newConfig(vars map[string]any) *conf.Config {
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	config.Optimize = false
	env := make(types.Map, len(vars))
	for name, example := range vars {
		env[name] = typeOf(example)
	}
	env[LookupsVar] = types.Any
	config.WithEnv(env)
	for name := range config.Builtins {
		if !closures[name] {
			config.Disabled[name] = true
		}
	}
	for name := range config.Disabled {
		delete(config.Builtins, name)
	}
	addFunctions(config.Functions)
	return config
}

func typeOf(example any) types.Type {
	switch e := example.(type) {
	case nil:
		return types.Any
	case types.Type:
		return e
	case Fields:
		m := make(types.Map, len(e))
		for _, name := range e {
			m[name] = types.Any
		}
		return m
	case json.Number, map[string]any, []any:
		if _, ok := example.(map[string]any); ok {
			return types.TypeOf(map[string]any{})
		}
		return types.Any
	default:
		return types.TypeOf(example)
	}
}

// compileError cuts an expr-lang error to its place and its sentence.
func compileError(err error) error {
	var fe *file.Error
	if !errors.As(err, &fe) {
		return &CompileError{Line: 1, Column: 1, Text: err.Error()}
	}
	return &CompileError{Line: max(fe.Line, 1), Column: fe.Column + 1, Text: explain(fe.Message)}
}

// Run works the expression out. It gives an error and never panics; a missing
// value gives nil.
func (p *Program) Run(vars map[string]any) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			result, err = nil, &RunError{Line: 1, Column: 1, Text: "cannot be worked out"}
		}
	}()
	if p.path != nil {
		return p.runPath(vars)
	}
	machine := vm.VM{MemoryBudget: memoryBudget}
	out, err := machine.Run(p.code, vars)
	if err != nil {
		return nil, runError(err)
	}
	return p.finish(out)
}

// runPath is Run for a plain path: most mappings are one, and it needs no
// machine.
func (p *Program) runPath(vars map[string]any) (any, error) {
	v := vars[p.path[0].(string)]
	for _, step := range p.path[1:] {
		var err error
		if v, err = get(v, step); err != nil {
			return nil, &RunError{Line: 1, Column: 1, Text: err.Error()}
		}
	}
	return p.finish(v)
}

func (p *Program) finish(out any) (any, error) {
	switch v := out.(type) {
	case nil:
		return nil, nil
	case int:
		out = int64(v)
	}
	switch p.want {
	case Text:
		text, err := toText(out)
		if err != nil {
			return nil, &RunError{Line: 1, Column: 1, Text: err.Error()}
		}
		return text, nil
	case Bool:
		if _, ok := out.(bool); !ok {
			return nil, &RunError{Line: 1, Column: 1, Text: "gives " + kindOf(out) + ", want true or false"}
		}
	}
	return out, nil
}

// runError keeps our own sentences and the machine's place. What the machine
// says itself may quote values, so only its known sentences pass.
func runError(err error) error {
	var fe *file.Error
	if !errors.As(err, &fe) {
		return &RunError{Line: 1, Column: 1, Text: "cannot be worked out"}
	}
	text := "cannot be worked out for these values"
	var own *opError
	if errors.As(fe.Prev, &own) {
		text = own.text
	} else if fe.Message == "memory budget exceeded" {
		text = "makes too long a list"
	}
	return &RunError{Line: max(fe.Line, 1), Column: fe.Column + 1, Text: text}
}
