package rest

import (
	"net/url"
	"strings"
	"time"

	"touchstone/config"
	"touchstone/internal/httpx"
)

// Options is a source of type rest, as the file declares it.
type Options struct {
	At        config.Node
	BaseURL   string      `yaml:"base_url" required:"true" format:"url" doc:"scheme, host and common path of the interface; nothing is ever sent to another host" example:"https://api.example.com/v2"`
	Auth      Auth        `yaml:"auth" doc:"how requests prove who they are"`
	Requester Requester   `yaml:"requester" doc:"bounds of one request and of all together"`
	Headers   []Named     `yaml:"headers" doc:"further headers of every request; not for secrets"`
	Message   config.Expr `yaml:"message" doc:"where an error answer holds the server's sentence, over body; without it only the status is told" example:"body.error.message"`
	Streams   []Stream    `yaml:"streams" required:"true" doc:"what can be read and written, by the name that entities and targets use"`
	Errors    []ErrorRule `yaml:"error_handler" doc:"what answers mean; the first rule that fits counts, then the usual meaning of the status"`
	MaxPages  int         `yaml:"max_pages" default:"100000" min:"1" doc:"a pass of more pages is taken for one that never ends"`
}

// Auth is how requests prove who they are.
type Auth struct {
	Type     string        `yaml:"type" default:"none" oneof:"none bearer basic header" doc:"none, bearer (token), basic (username, password) or header (header, token)"`
	Token    config.Secret `yaml:"token" doc:"the token of bearer and header"`
	Header   string        `yaml:"header" doc:"the header that carries the token, for type header" example:"X-Api-Key"`
	Username string        `yaml:"username" doc:"of basic"`
	Password config.Secret `yaml:"password" doc:"of basic"`
}

// Check reports what an authentication lacks.
func (a Auth) Check(at config.Node) (problems []config.Problem) {
	need := func(ok bool, key, text string) {
		if !ok {
			problems = append(problems, at.Key(key).Problem("auth of type %s needs %s: %s", a.Type, key, text))
		}
	}
	switch a.Type {
	case "bearer":
		need(!a.Token.IsZero(), "token", "${env:NAME} or ${file:PATH}")
	case "header":
		need(!a.Token.IsZero(), "token", "${env:NAME} or ${file:PATH}")
		need(a.Header != "", "header", "the name of the header")
	case "basic":
		need(a.Username != "", "username", "the account's name")
	}
	return problems
}

// Requester bounds requests.
type Requester struct {
	Timeout config.Duration `yaml:"timeout" default:"30s" min:"1s" max:"10m" doc:"of one request, its answer read whole"`
	MaxBody config.Size     `yaml:"max_body" default:"16MiB" min:"1KiB" max:"1GiB" doc:"the largest answer that is read, after it is inflated"`
	Limit   Limit           `yaml:"limit" doc:"how often the system may be asked"`
}

// Limit is how often a system may be asked.
type Limit struct {
	Requests    int             `yaml:"requests" min:"0" doc:"requests in each span of per; 0 is no limit"`
	Per         config.Duration `yaml:"per" default:"1s" min:"1ms" doc:"the span of requests"`
	Concurrency int             `yaml:"concurrency" default:"4" min:"1" max:"100" doc:"requests at the same time"`
}

// Named is a name with a text; in a query it may hold {{ expression }} parts.
type Named struct {
	Name  string `yaml:",key"`
	Value string `yaml:",value"`
}

// Stream is one kind of object of the system.
type Stream struct {
	At           config.Node
	Name         string      `yaml:",key"`
	List         List        `yaml:"list" doc:"how all objects, or the changed ones, are read"`
	Paginator    Paginator   `yaml:"paginator" doc:"how the next page is asked for"`
	Incremental  Incremental `yaml:"incremental" doc:"how changed objects are known; without it every pass reads everything"`
	ID           config.Expr `yaml:"id" doc:"the object's id, over record" example:"record.id"`
	Version      config.Expr `yaml:"version" doc:"its etag or version, over record; else the ETag header of single answers" example:"record.etag"`
	Stamp        config.Expr `yaml:"stamp" doc:"when it was changed last, over record" example:"record.updated_at"`
	Deleted      config.Expr `yaml:"deleted" doc:"whether it is deleted, over record: true or false" example:"record.deleted"`
	Read         Single      `yaml:"read" doc:"how one object is read; {{ id }} is its id"`
	FindByKey    List        `yaml:"find_by_key" doc:"how objects are found by the key we gave them; {{ key }} is the key"`
	Create       Write       `yaml:"create" doc:"how an object is made"`
	Update       Write       `yaml:"update" doc:"how fields of an object are changed; {{ id }} is its id"`
	Upsert       Write       `yaml:"upsert" doc:"how an object with our key is made or changed; {{ key }} is the key"`
	Precondition string      `yaml:"precondition" default:"none" oneof:"none etag" doc:"etag: a change says by If-Match which version it was made for"`
	Idempotency  string      `yaml:"idempotency" doc:"the header of the idempotency key; none if the system keeps none" example:"Idempotency-Key"`
	Class        Class       `yaml:"class" doc:"what the system promises about repeated writes"`
	Success      config.Expr `yaml:"success" doc:"true when an answer of status 2xx is a success, over body, status, header" example:"body.error == nil"`
}

// List is a request whose answer holds many records.
type List struct {
	Path     string      `yaml:"path" doc:"below base_url; parts in {{ }} are filled in and escaped" example:"/companies"`
	Query    []Named     `yaml:"query" doc:"query parameters; one whose value is empty is left out. {{ cursor }} is the high-water mark"`
	Records  config.Expr `yaml:"records" doc:"the list of records, over body" example:"body.items"`
	Start    string      `yaml:"start" doc:"the value of cursor in the first pass"`
	Complete bool        `yaml:"complete" doc:"every pass gives every object there is: one that no longer comes is gone"`
}

// Paginator is how the next page is asked for.
type Paginator struct {
	Type   string      `yaml:"type" default:"none" oneof:"none cursor link page offset" doc:"cursor: a token of the answer; link: an address in the answer; page, offset: counted, until a page is empty"`
	Token  config.Expr `yaml:"token" doc:"the token or address of the next page, over body and header; nothing or an empty text on the last one" example:"body.next_cursor"`
	Inject Inject      `yaml:"inject" doc:"where the token goes"`
	First  int         `yaml:"first" default:"1" min:"0" doc:"the number of the first page, for type page"`
}

// Inject names where a page token goes.
type Inject struct {
	Query  string `yaml:"query" doc:"a query parameter"`
	Header string `yaml:"header" doc:"a header"`
}

// Incremental is how changed objects are known.
type Incremental struct {
	Cursor    config.Expr     `yaml:"cursor" doc:"what the filter compares, over record: a time or a growing number" example:"record.updated_at"`
	Lookback  config.Duration `yaml:"lookback" default:"0s" min:"0s" max:"90d" doc:"how far behind the high-water mark the next pass asks, for systems that show changes late"`
	Inclusive bool            `yaml:"inclusive" default:"true" doc:"the filter gives records equal to the cursor; if not, the next pass asks a second earlier"`
}

// Single is a request whose answer holds one record.
type Single struct {
	Path   string      `yaml:"path" doc:"below base_url; parts in {{ }} are filled in and escaped" example:"/companies/{{ id }}"`
	Query  []Named     `yaml:"query" doc:"query parameters; one whose value is empty is left out"`
	Record config.Expr `yaml:"record" doc:"the record, over body; the whole body if absent" example:"body.data"`
}

// Write is a request that changes one object.
type Write struct {
	Method      string      `yaml:"method" oneof:"POST PUT PATCH" doc:"POST, PUT or PATCH"`
	Path        string      `yaml:"path" doc:"below base_url; {{ id }}, {{ key }} are filled in and escaped" example:"/companies"`
	Query       []Named     `yaml:"query" doc:"query parameters; one whose value is empty is left out"`
	ExternalKey string      `yaml:"external_key" doc:"the field that takes our key for the object" example:"external_id"`
	Record      config.Expr `yaml:"record" doc:"the object in the answer, over body; the whole body if absent" example:"body"`
}

// Class is what the system promises about repeated writes.
type Class struct {
	KeyLife        config.Duration `yaml:"key_life" default:"24h" doc:"how long an idempotency key is remembered"`
	UniqueKey      bool            `yaml:"unique_key" doc:"our key is unique there: a second object with it is refused"`
	Searchable     bool            `yaml:"searchable" doc:"objects can be found by our key"`
	MaxRequestLife config.Duration `yaml:"max_request_life" default:"60s" doc:"the longest a request may linger before it takes effect"`
}

// ErrorRule says what an answer means.
type ErrorRule struct {
	At     config.Node
	Status int         `yaml:"status" min:"100" max:"599" doc:"the status; absent for any"`
	When   config.Expr `yaml:"when" doc:"a test over body, status, header" example:"body.error.code == \"duplicate\""`
	Class  string      `yaml:"class" required:"true" oneof:"exists conflict rejected retry rate_limited auth unknown gone" doc:"what it means"`
	ID     config.Expr `yaml:"id" doc:"with exists: the id of the object that is there, over body and header" example:"body.error.existing_id"`
}

// Check reports what is wrong with the values of one stream's requests.
func (s Stream) Check(config.Node) []config.Problem {
	_, problems := compileStream(s)
	return problems
}

// Check reports what is wrong with the rule.
func (r ErrorRule) Check(at config.Node) []config.Problem {
	_, problems := compileRule(r)
	if r.Status == 0 && r.When.IsZero() {
		problems = append(problems, at.Problem("needs status or when, else it takes every answer"))
	}
	if r.Class == "exists" && r.ID.IsZero() {
		problems = append(problems, at.Problem("class exists needs id: where the answer names the object that is there"))
	}
	return problems
}

// Check reports what is wrong with the block as a whole.
func (o Options) Check(at config.Node) (problems []config.Problem) {
	if u, err := url.Parse(o.BaseURL); o.BaseURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		problems = append(problems, at.Key("base_url").Problem("want http(s)://host/path without user, query and fragment; credentials belong in auth"))
	}
	if _, p := compileExpr(o.Message, answerVars(), textKind); p != nil {
		problems = append(problems, *p)
	}
	return problems
}

// Decode reads a source's own block. The error is config.Problems.
func Decode(block config.Block) (Options, error) {
	var o Options
	err := block.Decode(&o)
	return o, err
}

// HTTP is the configuration of the client that Open wants.
func (o Options) HTTP() httpx.Config {
	origin := ""
	if u, err := url.Parse(o.BaseURL); err == nil {
		origin = strings.ToLower(u.Scheme) + "://" + u.Host
	}
	l := o.Requester.Limit
	return httpx.Config{
		Origin: origin, Timeout: time.Duration(o.Requester.Timeout), MaxBody: int64(o.Requester.MaxBody),
		Limit: httpx.Limit{Requests: l.Requests, Per: time.Duration(l.Per), Concurrency: l.Concurrency},
	}
}
