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
func listVars() map[string]any   { return map[string]any{"cursor": "", "until": "", "last": ""} }
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
	route  string         // the form of path, for traces
	query  []param
	body   *body
	pick   program // records, or record
}

func (r request) given() bool { return r.path != nil }

// listing is a list that is read page by page in every pass.
type listing struct {
	request
	List
	pager       Paginator
	inc         Incremental
	token, stop program
	order       program // of restart
	mark        program
	id, stamp   program
	gone        bool // every record tells of a deleted object
	cursorUsed  bool // the request filters by {{ cursor }}
	untilUsed   bool
	secretParam string // of type query: taken out of links before they are kept
}

type stream struct {
	Stream
	list, gone                                   listing
	read, find                                   request
	create, update, upsert                       write
	id, version, stamp, deleted, merged, success program
}

// write is a compiled Write.
type write struct {
	request
	Write
	batch batch
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

func (c *compiler) say(at config.Node, format string, args ...any) {
	c.problems = append(c.problems, at.Problem(format, args...))
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
	if c.add(p); p == nil {
		r.route = r.path.Form()
	}
	for _, q := range query {
		t, p := compileTemplate(q.Value, at.Key("query").Key(q.Name), vars)
		c.add(p)
		r.query = append(r.query, param{q.Name, t})
	}
	return r
}

func (c *compiler) listing(at config.Node, l List, vars map[string]any) request {
	r := c.request(at, l.Method, l.Path, l.Query, vars)
	if l.Path != "" && l.Records.IsZero() {
		c.say(at, "records is missing: an expression that gives the list of records, like body.items")
	}
	if !l.Body.IsZero() && (l.Method != "POST" || l.Body.Kind != config.ObjectTree) {
		c.say(at.Key("body"), "want an object, with method: POST")
	}
	r.body = c.tree(l.Body, vars)
	r.pick = c.expr(l.Records, answerVars(), anyKind)
	return r
}

// passes compiles a list that is read in every pass.
func (c *compiler) passes(at config.Node, l List, p Paginator, inc Incremental) listing {
	out := listing{request: c.listing(at, l, listVars()), List: l, pager: p, inc: inc}
	out.token = c.expr(p.Token, answerVars(), textKind)
	out.stop = c.expr(p.Stop, answerVars(), boolKind)
	out.order = c.expr(p.Restart.OrderBy, recordVars(), textKind)
	out.mark = c.expr(inc.Cursor, recordVars(), textKind)
	out.cursorUsed, out.untilUsed = out.mentions("cursor"), out.mentions("until")
	return out
}

// mentions says whether a list's request uses a variable.
func (l listing) mentions(name string) bool {
	for _, q := range l.Query {
		if uses(q.Value, name) {
			return true
		}
	}
	return uses(l.Path, name) || l.body.mentions(name)
}

func (c *compiler) write(at config.Node, w Write) write {
	r := c.request(at, w.Method, w.Path, w.Query, writeVars())
	if w.Path != "" && w.Method == "" {
		c.say(at, "method is missing: POST, PUT or PATCH")
	}
	if !w.Body.IsZero() && w.Body.Kind != config.ObjectTree {
		c.say(at.Key("body"), "want an object")
	}
	r.body = c.tree(w.Body, writeVars())
	r.pick = c.expr(w.Record, answerVars(), anyKind)
	return write{request: r, Write: w, batch: c.batch(at, w)}
}

// compileStream reads all expressions of a stream, and says everything that is
// wrong with it.
func compileStream(s Stream) (*stream, []config.Problem) {
	c := &compiler{}
	at := s.At
	out := &stream{Stream: s}
	out.list = c.passes(at.Key("list"), s.List, s.Paginator, s.Incremental)
	out.find = c.listing(at.Key("find_by_key"), s.FindByKey, keyVars())
	out.read = c.request(at.Key("read"), "GET", s.Read.Path, s.Read.Query, idVars())
	out.read.pick = c.expr(s.Read.Record, answerVars(), anyKind)
	out.create = c.write(at.Key("create"), s.Create)
	out.update = c.write(at.Key("update"), s.Update)
	out.upsert = c.write(at.Key("upsert"), s.Upsert)
	out.id = c.expr(s.ID, recordVars(), textKind)
	out.version = c.expr(s.Version, recordVars(), textKind)
	out.stamp = c.expr(s.Stamp, recordVars(), textKind)
	out.deleted = c.expr(s.Deleted, recordVars(), boolKind)
	out.merged = c.expr(s.Merged, recordVars(), anyKind)
	out.success = c.expr(s.Success, answerVars(), boolKind)
	out.list.id, out.list.stamp = out.id, out.stamp
	d := s.DeletedList
	inc := s.Incremental
	inc.Cursor = d.Cursor
	out.gone = c.passes(at.Key("deleted_list"), d.List, d.Paginator, inc)
	out.gone.gone, out.gone.stamp = true, c.expr(d.Stamp, recordVars(), textKind)
	if out.gone.id = c.expr(d.ID, recordVars(), textKind); !out.gone.id.given() {
		out.gone.id = out.id
	}
	c.rules(s)
	c.paging(at.Key("list"), at.Key("paginator"), out.list)
	if d.Path != "" {
		c.paging(at.Key("deleted_list"), at.Key("deleted_list").Key("paginator"), out.gone)
		if !out.gone.id.given() {
			c.say(at.Key("deleted_list"), "id is missing: the id of the object that is deleted")
		}
	}
	return out, c.problems
}

// paging are the limits between the keys of a list that is read page by page.
func (c *compiler) paging(list, at config.Node, l listing) {
	p := l.pager
	counted := p.Type == "page" || p.Type == "offset"
	places := 0
	for _, s := range []string{p.Inject.Query, p.Inject.Header, p.Inject.Body} {
		if s != "" {
			places++
		}
	}
	switch {
	case (p.Type == "cursor" || p.Type == "link") && p.Token.IsZero():
		c.say(at, "type %s needs token: where the answer says what comes next", p.Type)
	case (p.Type == "cursor" || counted) && places != 1:
		c.say(at, "type %s needs inject: {query: NAME}, {header: NAME} or {body: MEMBER}", p.Type)
	case (p.Type == "none" || counted) && !p.Token.IsZero():
		c.say(at, "token has no meaning with type %s", p.Type)
	case p.Inject.Body != "" && l.Method != "POST":
		c.say(at.Key("inject"), "body needs method: POST of the list")
	case p.Size.Query != "" && p.Size.Body != "":
		c.say(at.Key("size"), "want query or body, not both")
	case p.Size.given() && p.Type == "none":
		c.say(at.Key("size"), "has no meaning with type none: what does not fit on the page would never be asked for")
	case p.Size.Body != "" && l.Method != "POST":
		c.say(at.Key("size"), "body needs method: POST of the list")
	case p.Keep && p.Type != "cursor" && p.Type != "link":
		c.say(at.Key("keep_token"), "needs type cursor or link")
	case p.Restart.MaxResults > 0 && (p.Restart.OrderBy.IsZero() || !l.mentions("last")):
		c.say(at.Key("restart"), "needs order_by, and {{ last }} in the request: else the next search gives the same results")
	}
	if !l.mark.given() && l.cursorUsed && l.inc.Cursor.IsZero() {
		c.say(list, "uses {{ cursor }}, but %s does not say what it is", map[bool]string{false: "incremental.cursor", true: "its cursor"}[l.gone])
	}
}

// rules are the limits between keys.
func (c *compiler) rules(s Stream) {
	say := c.say
	if s.List.Complete && !s.Incremental.Cursor.IsZero() {
		say(s.At.Key("list"), "complete and incremental exclude each other: a pass of changes does not give everything")
	}
	if s.Class.Searchable && s.FindByKey.Path == "" {
		say(s.At.Key("class"), "searchable needs find_by_key")
	}
	if s.Class.UniqueKey && s.Create.ExternalKey == "" && s.Upsert.Path+s.Upsert.Batch.Path == "" {
		say(s.At.Key("class"), "unique_key needs create.external_key or upsert: else no object ever has our key")
	}
	if batches := s.Create.Batch.Path + s.Update.Batch.Path + s.Upsert.Batch.Path; batches != "" && s.Idempotency != "" {
		say(s.At.Key("idempotency"), "has no meaning for batches: one request carries many changes")
	}
	writes := false
	for _, w := range []Write{s.Create, s.Update, s.Upsert} {
		writes = writes || w.Path != "" || w.Batch.Path != ""
	}
	if writes && s.ID.IsZero() {
		say(s.At, "id is missing: writes need to know the object's id")
	}
	if s.List.Path == "" && s.Read.Path == "" && !writes {
		say(s.At, "has neither list nor read nor a write")
	}
}

func compileRule(r ErrorRule) (rule, []config.Problem) {
	c := &compiler{}
	return rule{ErrorRule: r, when: c.expr(r.When, answerVars(), boolKind), id: c.expr(r.ID, answerVars(), textKind)}, c.problems
}
