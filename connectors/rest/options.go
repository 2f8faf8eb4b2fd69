package rest

import (
	"net/url"

	"touchstone/config"
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
	Merged       config.Expr `yaml:"merged" doc:"ids of objects that were merged into this one, over record: a list or one text; they count as deleted" example:"split(record.merged_ids, \";\")"`
	DeletedList  DeletedList `yaml:"deleted_list" doc:"where the system tells of deleted objects apart: read after list in every pass"`
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
	Method   string      `yaml:"method" default:"GET" oneof:"GET POST" doc:"POST for a search whose conditions stand in body"`
	Path     string      `yaml:"path" doc:"below base_url; parts in {{ }} are filled in and escaped" example:"/companies"`
	Query    []Named     `yaml:"query" doc:"query parameters; one whose value is empty is left out. {{ cursor }} is the high-water mark, {{ until }} the end of the pass's window, {{ last }} the greatest id so far (see paginator.restart)"`
	Body     config.Tree `yaml:"body" doc:"the JSON body of a POST: texts may hold {{ }} parts; one that is nothing but {{ }} keeps its value's type. A member or entry whose filled-in value is empty is left out, as is what becomes empty by that; an entry of a list that lost a member is left out whole"`
	Records  config.Expr `yaml:"records" doc:"the list of records, over body" example:"body.items"`
	Start    string      `yaml:"start" doc:"the value of cursor in the first pass"`
	Complete bool        `yaml:"complete" doc:"every pass gives every object there is: one that no longer comes is gone"`
}

// Paginator is how the next page is asked for.
type Paginator struct {
	Type    string      `yaml:"type" default:"none" oneof:"none cursor link page offset" doc:"cursor: a token of the answer; link: an address in the answer; page, offset: counted, until a page is empty"`
	Token   config.Expr `yaml:"token" doc:"the token or address of the next page, over body and header; nothing or an empty text on the last one" example:"body.next_cursor"`
	Inject  Inject      `yaml:"inject" doc:"where the token goes"`
	Size    PageSize    `yaml:"size" doc:"where the page size stands in the request: a page that is longer than requester.max_body is asked for again with half of it"`
	First   int         `yaml:"first" default:"1" min:"0" doc:"the number of the first page, for type page"`
	Stop    config.Expr `yaml:"stop_when" doc:"true on the last page, over body, status, header; pages go on until then, also after an empty one" example:"body.end_of_stream"`
	Keep    bool        `yaml:"keep_token" doc:"the token of the last page is where the next pass goes on: a feed of changes. Records are then taken however old they look"`
	Restart Restart     `yaml:"restart" doc:"for searches that give no more than so many results"`
}

// Restart is how a search with a cap on its results is read to the end: sorted
// by id, and asked again for greater ids when the cap is near.
type Restart struct {
	MaxResults int         `yaml:"max_results" min:"0" doc:"the most that one search gives; before it is passed the next search asks for ids after {{ last }}" example:"10000"`
	OrderBy    config.Expr `yaml:"order_by" doc:"what the search is sorted by, growing, and filters with {{ last }}, over record" example:"record.id"`
}

// Inject names where a page token goes.
type Inject struct {
	Query  string `yaml:"query" doc:"a query parameter"`
	Header string `yaml:"header" doc:"a header"`
	Body   string `yaml:"body" doc:"a member of the body, dotted" example:"page.after"`
}

// Incremental is how changed objects are known.
type Incremental struct {
	Cursor    config.Expr     `yaml:"cursor" doc:"what the filter compares, over record: a time or a growing number" example:"record.updated_at"`
	Lookback  config.Duration `yaml:"lookback" default:"0s" min:"0s" max:"90d" doc:"how far behind the high-water mark the next pass asks, for systems that show changes late"`
	Inclusive bool            `yaml:"inclusive" default:"true" doc:"the filter gives records equal to the cursor; if not, the next pass asks one step of granularity, at least a second, earlier"`
	Step      config.Duration `yaml:"granularity" default:"0s" min:"0s" max:"2d" doc:"the finest difference that the filter knows: the cursor is cut down to a whole step of it"`
	Format    string          `yaml:"format" default:"as_is" oneof:"as_is unix unix_ms rfc3339 date" doc:"how requests write {{ cursor }} and {{ until }}: as the records do, in seconds or milliseconds since 1970, as 2006-01-02T15:04:05Z or as 2006-01-02, in UTC"`
	Lag       config.Duration `yaml:"lag" default:"0s" min:"0s" max:"1d" doc:"how far {{ until }} stays behind now, for systems that show changes late"`
}

// DeletedList is a request that tells of deleted objects.
type DeletedList struct {
	List      `yaml:",inline"`
	Paginator Paginator   `yaml:"paginator" doc:"how the next page is asked for, as for list"`
	ID        config.Expr `yaml:"id" doc:"the id of the object that is deleted, over record; id of the stream if absent" example:"record.object_id"`
	Stamp     config.Expr `yaml:"stamp" doc:"when it was deleted, over record" example:"record.deleted_at"`
	Cursor    config.Expr `yaml:"cursor" doc:"what {{ cursor }} compares here, over record; without it every pass reads the whole list" example:"record.deleted_at"`
}

// Single is a request whose answer holds one record.
type Single struct {
	Path   string      `yaml:"path" doc:"below base_url; parts in {{ }} are filled in and escaped" example:"/companies/{{ id }}"`
	Query  []Named     `yaml:"query" doc:"query parameters; one whose value is empty is left out"`
	Record config.Expr `yaml:"record" doc:"the record, over body; the whole body if absent" example:"body.data"`
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
	Class  string      `yaml:"class" required:"true" oneof:"exists conflict rejected retry rate_limited auth unknown gone reset" doc:"what it means; reset: a page token is no longer good, the pass begins again"`
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
	problems = append(problems, o.Auth.check(at.Key("auth"))...)
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
