// Package api is what programs ask over HTTP: all that the pages do, as JSON,
// described by OpenAPI 3.1 at /openapi.json. Its answers are made of the same
// structs as those of the commands with --json.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/matching"
)

const (
	// Path is what the addresses begin with.
	Path = "/api/v1"
	// maxBody bounds what a request may send, in bytes.
	maxBody = 1 << 20
	// bodyBound is how long a body may take to arrive.
	bodyBound = 10 * time.Second
	// bound is how long one request may take; exports have longer.
	bound = 20 * time.Second
)

// Options say how the API behaves.
type Options struct {
	Env env.Env
	Log *slog.Logger // nil: nothing is logged
}

// Handle registers an address with what one has to be allowed to ask for it, and
// how it is kept to what one reaches.
type Handle func(pattern string, needs auth.Permission, narrow auth.Narrow, h http.HandlerFunc)

// Mount registers every address of the API.
func Mount(a *app.App, opts Options, handle Handle) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	ownProblems()
	x := &api{app: a, opts: opts, mux: &mux{handle: handle, known: http.NewServeMux()}, limits: newLimits()}
	x.mux.wrap = x.idempotent
	x.huma = humago.New(x.mux, x.config())
	x.huma.UseMiddleware(x.limited, x.plainBody, x.once)
	x.systems()
	x.customers()
	x.matching()
	x.decisions()
	x.previews()
	x.queue()
	x.reviews()
	x.bulk()
	x.quarantine()
	x.repairs()
	x.conflicts()
	x.relations()
	x.writes()
	x.plans()
	x.trials()
	x.handovers()
	x.valueMaps()
	x.runs()
	x.quality()
	x.levels()
	x.audit()
	x.accounts()
	x.crosswalk()
	x.feed()
	x.exports()
	spec, err := x.huma.OpenAPI().MarshalJSON()
	if err != nil {
		panic("api: " + err.Error()) // made of our own structs
	}
	handle("GET /openapi.json", auth.Open, auth.NoValues, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		_, _ = w.Write(spec) // a client that went away is its own affair
	})
	handle(Path+"/", auth.Open, auth.NoValues, func(w http.ResponseWriter, r *http.Request) {
		if allowed := x.mux.methods(r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			writeProblem(w, r, &Problem{Status: http.StatusMethodNotAllowed, Detail: "ask with " + strings.Join(allowed, " or ")})
			return
		}
		writeProblem(w, r, &Problem{Status: http.StatusNotFound, Detail: "there is nothing at this address; /openapi.json lists what there is"})
	})
}

type api struct {
	app    *app.App
	opts   Options
	huma   huma.API
	mux    *mux
	limits *limits
}

func (x *api) config() huma.Config {
	info := huma.Info{
		Title: "Touchstone", Version: "1",
		Description: "One true record of each customer, made of many systems, and put back. Every address of the pages has its counterpart here, with the same checks.\n\n" +
			"Errors are problem details (RFC 9457); where something is refused, `detail` says why in the language of `Accept-Language` (en, zh-Hans, zh-Hant). Lists give `next`; ask again with `after` set to it. A POST may carry an `Idempotency-Key`: the same request with the same key is done once, within a day. " +
			"Customers' values are shown to who may see them only, and every look at them is kept in the audit trail.",
	}
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	// These write themselves as JSON: their fields say nothing of that.
	anything := reflect.TypeFor[json.RawMessage]()
	registry.RegisterTypeAlias(reflect.TypeFor[record.Value](), anything)
	registry.RegisterTypeAlias(reflect.TypeFor[record.Fields](), reflect.TypeFor[map[string]json.RawMessage]())
	registry.RegisterTypeAlias(reflect.TypeFor[matching.Part](), reflect.TypeFor[Evidence]())
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: strictJSON}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0", Info: &info,
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}},
			Security:   []map[string][]string{{"token": {}}},
		},
		Formats: map[string]huma.Format{"application/json": format, "json": format}, DefaultFormat: "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// schemaName names a schema by its package too: two packages may use one name.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if p := t.PkgPath(); p != "" && t.Name() != "" && !strings.HasSuffix(p, "/internal/api") && !strings.HasSuffix(p, "/internal/app") {
		name = strings.ToUpper(p[strings.LastIndexByte(p, '/')+1:][:1]) + p[strings.LastIndexByte(p, '/')+2:] + name
	}
	return name
}

// mux registers an operation with the permission and the narrowing of the one
// that is being added.
type mux struct {
	handle Handle
	wrap   func(http.HandlerFunc) http.HandlerFunc
	needs  auth.Permission
	narrow auth.Narrow
	known  *http.ServeMux // the same addresses, to tell which methods they take
}

// HandleFunc takes an address from huma.
func (m *mux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	f := http.HandlerFunc(h)
	if strings.HasPrefix(pattern, http.MethodPost+" ") {
		if m.needs == auth.Accounts { // answers with secrets are kept nowhere, also not for an idempotency key
			f = byToken(f)
		} else {
			f = m.wrap(f)
		}
	}
	m.known.HandleFunc(pattern, http.NotFound)
	m.handle(pattern, m.needs, m.narrow, f)
}

// methods are those that an address takes; none where there is no such address.
func (m *mux) methods(r *http.Request) (list []string) {
	fewest := 0
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		_, pattern := m.known.Handler(other)
		if pattern == "" {
			continue
		}
		// /decisions/pin is itself, and no decision of that name.
		switch names := strings.Count(pattern, "{"); {
		case len(list) == 0 || names < fewest:
			list, fewest = []string{method}, names
		case names == fewest:
			list = append(list, method)
		}
	}
	return list
}

// byToken keeps out who came with a cookie: before accounts are changed the pages
// ask for the own password, and this would be a way around.
func byToken(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			writeProblem(w, r, &Problem{Status: http.StatusForbidden, Detail: "accounts are changed with an API token here: Authorization: Bearer"})
			return
		}
		next(w, r)
	}
}

// ServeHTTP is asked of the daemon's own table, never of this one.
func (m *mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// op is one operation, told in short.
type op struct {
	method, path, id, summary string
	needs                     auth.Permission
	narrow                    auth.Narrow
	tag                       string
	status                    int // of success; 0 for 200
}

// add registers an operation. What the handler returns as an error becomes a
// problem.
func add[I, O any](x *api, o op, h func(context.Context, *I) (*O, error)) {
	x.mux.needs, x.mux.narrow = o.needs, o.narrow
	errors := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if o.method == http.MethodPost {
		errors = append(errors, http.StatusConflict, http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	operation := huma.Operation{
		OperationID: o.id, Method: o.method, Path: Path + o.path, Summary: o.summary, Tags: []string{o.tag}, DefaultStatus: o.status,
		MaxBodyBytes: maxBody, BodyReadTimeout: bodyBound, Errors: errors, Extensions: map[string]any{"x-permission": string(o.needs), "x-narrow": string(o.narrow)},
	}
	if o.method == http.MethodPost && o.needs != auth.Accounts {
		operation.Parameters = []*huma.Param{{Name: keyHeader, In: "header", Description: "Does the request once: 8 to 200 visible characters of your choice.", Schema: &huma.Schema{Type: "string", Pattern: keyPattern}}}
	}
	huma.Register(x.huma, operation, func(ctx context.Context, in *I) (*O, error) {
		ctx, cancel := context.WithTimeout(ctx, bound)
		defer cancel()
		out, err := h(ctx, in)
		if err != nil {
			return nil, x.problem(ctx, o.id, err)
		}
		return out, nil
	})
}

// by says who decides: who asks.
func by(ctx context.Context, why string, over bool) app.By {
	return app.By{Who: auth.From(ctx).ID, Why: strings.TrimSpace(why), Over: over}
}

// seen keeps in the audit trail whom somebody was shown, before they are.
func (x *api) seen(ctx context.Context, what string, ids ...string) error {
	var list []string
	for _, id := range ids {
		if id != "" && !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return x.app.Seen(ctx, auth.From(ctx).ID, what, list)
}

// seenNamed is seen of a golden record as it was named in the request, which may
// be by one of its source records.
func (x *api) seenNamed(ctx context.Context, what, name string, ids ...string) error {
	id, err := x.app.GoldenID(ctx, name)
	if err != nil {
		return err
	}
	return x.seen(ctx, what, append(ids, id)...)
}

// readAll reads a body of bounded length within bounded time; else it gives the
// problem.
func (x *api) readAll(w http.ResponseWriter, r *http.Request) ([]byte, *Problem) {
	if err := http.NewResponseController(w).SetReadDeadline(env.Deadline(bodyBound)); err != nil {
		x.opts.Log.DebugContext(r.Context(), "no deadline for a body", "err", err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var long *http.MaxBytesError
	var slow net.Error
	switch {
	case err == nil:
		return body, nil
	case errors.As(err, &long):
		return nil, &Problem{Status: http.StatusRequestEntityTooLarge, Detail: "the body is larger than 1 MiB"}
	case errors.As(err, &slow) && slow.Timeout():
		return nil, &Problem{Status: http.StatusRequestTimeout, Detail: "the body took longer than 10 seconds to arrive"}
	}
	return nil, &Problem{Status: http.StatusBadRequest, Detail: "the body did not arrive whole"}
}
