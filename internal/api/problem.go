package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/internal/say"
	"touchstone/internal/store"
)

// Problem is an answer to a request that could not be done: RFC 9457.
type Problem struct {
	Type   string  `json:"type,omitempty" doc:"about:blank: the status says what kind of problem it is"`
	Title  string  `json:"title" doc:"the status in words"`
	Status int     `json:"status"`
	Detail string  `json:"detail,omitempty" doc:"what is wrong and how to mend it"`
	ID     string  `json:"instance,omitempty" doc:"number under which the log says more"`
	Errors []Fault `json:"errors,omitempty" doc:"every fault that was found"`
}

// Fault is one thing that is wrong with a request. It never repeats what was
// sent: that may be a customer's.
type Fault struct {
	Location string `json:"location,omitempty" doc:"where: body.value, query.limit"`
	Message  string `json:"message"`
}

func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType says that it is a problem.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

func writeProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(tell(r.Context(), p)) // a client that went away is its own affair
}

// ownProblems makes the library speak in our problems. Its own would print
// ordinary errors and repeat what was sent.
var ownProblems = sync.OnceFunc(func() {
	huma.NewErrorWithContext = func(c huma.Context, status int, text string, errs ...error) huma.StatusError {
		made := huma.NewError(status, text, errs...)
		if p, ok := made.(*Problem); ok && c != nil {
			return tell(c.Context(), p)
		}
		return made
	}
	huma.NewError = func(status int, text string, errs ...error) huma.StatusError {
		if status == http.StatusInternalServerError && text == "cannot read request body" { // the library's words for what is the caller's fault
			status, text = http.StatusBadRequest, "the body did not arrive whole"
		}
		p := &Problem{Status: status, Title: http.StatusText(status), Detail: text}
		if status >= http.StatusInternalServerError {
			p.Detail = ""
		}
		for _, err := range errs {
			var d huma.ErrorDetailer
			if errors.As(err, &d) {
				at := d.ErrorDetail()
				p.Errors = append(p.Errors, Fault{Location: at.Location, Message: at.Message})
			}
		}
		return p
	}
})

// problem makes a problem of an error: the caller's mistakes are told, in the
// language of Accept-Language; ours are told in the log.
func (x *api) problem(ctx context.Context, what string, err error) error {
	var (
		own     *Problem
		ask     *lookup.Problem
		against *store.Contradiction
		told    say.Teller
	)
	switch {
	case errors.As(err, &own):
		if own.Title == "" {
			own.Title = http.StatusText(own.Status)
		}
		_ = tell(ctx, own)
		return err // with the headers that it may carry
	case errors.As(err, &ask):
		return &Problem{Status: http.StatusUnprocessableEntity, Title: "Unprocessable Entity", Detail: ask.Error(), Errors: []Fault{{Location: "body." + ask.Field, Message: ask.En}}}
	case errors.Is(err, record.ErrNotFound):
		return &Problem{Status: http.StatusNotFound, Title: "Not Found", Detail: inWords(ctx, "there is nothing of this name or id")}
	case errors.As(err, &against):
		return &Problem{Status: http.StatusConflict, Title: http.StatusText(http.StatusConflict), Detail: say.To(ctx, against.Told())}
	case errors.As(err, &told):
		return &Problem{Status: http.StatusUnprocessableEntity, Title: "Unprocessable Entity", Detail: say.To(ctx, told.Told())}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return huma.ErrorWithHeaders(&Problem{Status: http.StatusServiceUnavailable, Title: "Service Unavailable", Detail: inWords(ctx, "there is too much to do at once; ask again in a moment")}, http.Header{"Retry-After": {"2"}})
	}
	return tell(ctx, x.broken(ctx, what, err))
}

// broken tells the log what went wrong, and the caller under which number.
func (x *api) broken(ctx context.Context, what string, err error) *Problem {
	id := x.opts.Env.ID()
	x.opts.Log.ErrorContext(ctx, "request failed", "what", what, "request", id, "err", err)
	return &Problem{Status: http.StatusInternalServerError, Title: http.StatusText(http.StatusInternalServerError), Detail: "nothing was lost; the log says more under this number", ID: id}
}

// wrong refuses one part of a request.
func wrong(location, format string, args ...any) *Problem {
	text := fmt.Sprintf(format, args...)
	return &Problem{Status: http.StatusUnprocessableEntity, Title: "Unprocessable Entity", Detail: strings.TrimPrefix(location, "body.") + " " + text, Errors: []Fault{{location, text}}}
}

// strictJSON refuses what two readers could read as two things: keys that stand
// twice, nesting beyond use and, where keys have their types, null for one.
func strictJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	if err := lookup.Shallow(data); err != nil {
		return err
	}
	typed := reflect.TypeOf(v).Elem().Kind() == reflect.Struct
	if err := once(json.NewDecoder(bytes.NewReader(data)), !typed); err != nil {
		return err
	}
	return huma.DefaultJSONFormat.Unmarshal(data, v)
}

// once reads one value and refuses an object in which a key stands twice. Its
// depth is bounded by lookup.Shallow.
func once(d *json.Decoder, null bool) error {
	token, err := d.Token()
	if err != nil {
		return errors.New("not JSON, or not whole")
	}
	open, ok := token.(json.Delim)
	if !ok {
		if token == nil && !null {
			return errors.New("null stands where a value is wanted; leave the key out")
		}
		return nil
	}
	keys := map[string]bool{}
	for d.More() {
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return errors.New("not JSON, or not whole")
			}
			name, _ := key.(string)
			if keys[name] {
				return errors.New("a key stands twice in one object")
			}
			keys[name] = true
		}
		if err := once(d, null); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errors.New("not JSON, or not whole")
	}
	return nil
}
