package rest

import (
	"errors"
	"maps"
	"strings"

	"touchstone/config"
	"touchstone/internal/expr"
)

const (
	anyKind  = expr.Any
	textKind = expr.Text
	boolKind = expr.Bool
)

// The variables of the language, by the place an expression stands in.
func answerVars() map[string]any {
	return map[string]any{"body": nil, "status": int64(0), "header": map[string]any{}}
}
func recordVars() map[string]any { return map[string]any{"record": map[string]any{}} }
func listVars() map[string]any   { return map[string]any{"cursor": ""} }
func idVars() map[string]any     { return map[string]any{"id": ""} }
func keyVars() map[string]any    { return map[string]any{"key": ""} }

func writeVars() map[string]any {
	v := idVars()
	maps.Copy(v, keyVars())
	return v
}

// program is a compiled expression; nil is one that was not given.
type program struct{ *expr.Program }

func (p program) given() bool { return p.Program != nil }

type param struct {
	name  string
	value *expr.Template
}

type request struct {
	method string
	path   *expr.Template // nil: not declared
	query  []param
	pick   program // records, or record
}

func (r request) given() bool { return r.path != nil }

type stream struct {
	Stream
	list, read, find, create, update, upsert request
	token, mark                              program
	id, version, stamp, deleted, success     program
}

type rule struct {
	ErrorRule
	when, id program
}

func compileExpr(e config.Expr, vars map[string]any, want expr.Kind) (program, *config.Problem) {
	if e.IsZero() {
		return program{}, nil
	}
	p, err := expr.Compile(e.Text, vars, want)
	if err != nil {
		return program{}, exprProblem(e, err)
	}
	return program{p}, nil
}

func exprProblem(e config.Expr, err error) *config.Problem {
	var ce *expr.CompileError
	if errors.As(err, &ce) {
		p := e.Problem(ce.Line, ce.Column, "%s", ce.Text)
		return &p
	}
	p := e.At.Problem("%v", err)
	return &p
}

func compileTemplate(text string, at config.Node, vars map[string]any) (*expr.Template, *config.Problem) {
	t, err := expr.Interpolate(text, vars)
	if err != nil {
		p := exprProblem(config.Expr{Text: text, At: at}, err)
		return nil, p
	}
	return t, nil
}

// compiler collects the problems of one stream.
type compiler struct{ problems []config.Problem }

func (c *compiler) add(p *config.Problem) {
	if p != nil {
		c.problems = append(c.problems, *p)
	}
}

func (c *compiler) expr(e config.Expr, vars map[string]any, want expr.Kind) program {
	p, problem := compileExpr(e, vars, want)
	c.add(problem)
	return p
}

func (c *compiler) request(at config.Node, method, path string, query []Named, vars map[string]any) request {
	r := request{method: method}
	if path == "" {
		if len(query) > 0 {
			c.problems = append(c.problems, at.Problem("has a query but no path"))
		}
		return r
	}
	literal := path
	if i := strings.Index(path, "{{"); i >= 0 {
		literal = path[:i]
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(literal, "?#") {
		c.problems = append(c.problems, at.Key("path").Problem("want a path that starts with / and has no ? or #; parameters belong in query"))
	}
	var p *config.Problem
	r.path, p = compileTemplate(path, at.Key("path"), vars)
	c.add(p)
	for _, q := range query {
		t, p := compileTemplate(q.Value, at.Key("query").Key(q.Name), vars)
		c.add(p)
		r.query = append(r.query, param{q.Name, t})
	}
	return r
}

func (c *compiler) listing(at config.Node, l List, vars map[string]any) request {
	r := c.request(at, "GET", l.Path, l.Query, vars)
	if l.Path != "" && l.Records.IsZero() {
		c.problems = append(c.problems, at.Problem("records is missing: an expression that gives the list of records, like body.items"))
	}
	r.pick = c.expr(l.Records, answerVars(), anyKind)
	return r
}

func (c *compiler) write(at config.Node, w Write) request {
	r := c.request(at, w.Method, w.Path, w.Query, writeVars())
	if w.Path != "" && w.Method == "" {
		c.problems = append(c.problems, at.Problem("method is missing: POST, PUT or PATCH"))
	}
	r.pick = c.expr(w.Record, answerVars(), anyKind)
	return r
}

// compileStream reads all expressions of a stream, and says everything that is
// wrong with it.
func compileStream(s Stream) (*stream, []config.Problem) {
	c := &compiler{}
	at := s.At
	out := &stream{Stream: s}
	out.list = c.listing(at.Key("list"), s.List, listVars())
	out.find = c.listing(at.Key("find_by_key"), s.FindByKey, keyVars())
	out.read = c.request(at.Key("read"), "GET", s.Read.Path, s.Read.Query, idVars())
	out.read.pick = c.expr(s.Read.Record, answerVars(), anyKind)
	out.create = c.write(at.Key("create"), s.Create)
	out.update = c.write(at.Key("update"), s.Update)
	out.upsert = c.write(at.Key("upsert"), s.Upsert)
	out.token = c.expr(s.Paginator.Token, answerVars(), textKind)
	out.mark = c.expr(s.Incremental.Cursor, recordVars(), textKind)
	out.id = c.expr(s.ID, recordVars(), textKind)
	out.version = c.expr(s.Version, recordVars(), textKind)
	out.stamp = c.expr(s.Stamp, recordVars(), textKind)
	out.deleted = c.expr(s.Deleted, recordVars(), boolKind)
	out.success = c.expr(s.Success, answerVars(), boolKind)
	c.rules(s)
	return out, c.problems
}

// rules are the limits between keys.
func (c *compiler) rules(s Stream) {
	say := func(at config.Node, format string, args ...any) {
		c.problems = append(c.problems, at.Problem(format, args...))
	}
	p, at := s.Paginator, s.At.Key("paginator")
	counted := p.Type == "page" || p.Type == "offset"
	switch {
	case (p.Type == "cursor" || p.Type == "link") && p.Token.IsZero():
		say(at, "type %s needs token: where the answer says what comes next", p.Type)
	case (p.Type == "cursor" || counted) && (p.Inject.Query == "") == (p.Inject.Header == ""):
		say(at, "type %s needs inject: {query: NAME} or {header: NAME}", p.Type)
	case (p.Type == "none" || counted) && !p.Token.IsZero():
		say(at, "token has no meaning with type %s", p.Type)
	}
	if s.Incremental.Cursor.IsZero() && usesCursor(s.List) {
		say(s.At.Key("list"), "uses {{ cursor }}, but incremental.cursor does not say what it is")
	}
	if s.List.Complete && !s.Incremental.Cursor.IsZero() {
		say(s.At.Key("list"), "complete and incremental exclude each other: a pass of changes does not give everything")
	}
	if s.Class.Searchable && s.FindByKey.Path == "" {
		say(s.At.Key("class"), "searchable needs find_by_key")
	}
	if s.Class.UniqueKey && s.Create.ExternalKey == "" && s.Upsert.Path == "" {
		say(s.At.Key("class"), "unique_key needs create.external_key or upsert: else no object ever has our key")
	}
	writes := s.Create.Path != "" || s.Update.Path != "" || s.Upsert.Path != ""
	if writes && s.ID.IsZero() {
		say(s.At, "id is missing: writes need to know the object's id")
	}
	if s.List.Path == "" && s.Read.Path == "" && !writes {
		say(s.At, "has neither list nor read nor a write")
	}
}

func usesCursor(l List) bool {
	for _, q := range l.Query {
		if strings.Contains(q.Value, "cursor") && strings.Contains(q.Value, "{{") {
			return true
		}
	}
	return strings.Contains(l.Path, "cursor") && strings.Contains(l.Path, "{{")
}

func compileRule(r ErrorRule) (rule, []config.Problem) {
	c := &compiler{}
	return rule{ErrorRule: r, when: c.expr(r.When, answerVars(), boolKind), id: c.expr(r.ID, answerVars(), textKind)}, c.problems
}
