package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"touchstone/internal/auth"
	"touchstone/internal/record"
	"touchstone/internal/say"
)

// Route is an address with what one has to be allowed to ask for it, and how it
// is kept to what one reaches.
type Route struct {
	Pattern string // as net/http's ServeMux takes it: "GET /customers/{id}"
	Needs   auth.Permission
	Narrow  auth.Narrow
}

// routes is the table of all addresses. An address cannot be added without a
// permission and a way to narrow it.
type routes struct {
	s    *server
	mux  *http.ServeMux
	need map[string]auth.Permission
	list []Route
}

func (m *routes) handle(pattern string, needs auth.Permission, narrow auth.Narrow, h http.HandlerFunc) {
	if !slices.Contains(auth.Narrows(), narrow) {
		panic("web: " + pattern + " is narrowed by nothing") // a mistake of ours
	}
	m.list = append(m.list, Route{pattern, needs, narrow})
	m.need[pattern] = needs
	m.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		switch actor := auth.From(r.Context()); {
		case !actor.May(needs):
			m.s.keepRefusal(r, pattern, "needs "+string(needs))
			m.s.forbidden(w, r)
		case !actor.Narrowed() || m.s.within(w, r, actor, pattern, narrow):
			h(w, r)
		}
	})
}

// needs is what one has to be allowed to for this request.
func (m *routes) needs(r *http.Request) auth.Permission {
	_, pattern := m.mux.Handler(r)
	return m.need[pattern]
}

// open says whether nobody has to be known for this request.
func (m *routes) open(r *http.Request) bool {
	return m.needs(r) == auth.Open
}

// forbidden answers who is known and may not.
func (s *server) forbidden(w http.ResponseWriter, r *http.Request) {
	s.opts.Log.WarnContext(r.Context(), "not allowed", "path", r.URL.Path, "who", auth.From(r.Context()).ID)
	if !tellProgram(w, r, http.StatusForbidden, say.New("this account or token does not have the permission that the address needs; /openapi.json names it (x-permission)")) {
		s.message(w, r, http.StatusForbidden, "access.role.title", "access.role.text")
	}
}

// within says whether an address may answer somebody who is narrowed, and answers
// itself where it may not: what is out of reach is as if it were not there.
func (s *server) within(w http.ResponseWriter, r *http.Request, actor auth.Actor, pattern string, narrow auth.Narrow) bool {
	if !narrow.Admits(actor) {
		s.keepRefusal(r, pattern, "sees a part of what is there")
		s.opts.Log.WarnContext(r.Context(), "not within reach", "path", r.URL.Path, "who", actor.ID)
		if !tellProgram(w, r, http.StatusForbidden, say.New("this address shows all customers with all their fields, and this account or token sees a part of them; /openapi.json says how each address is narrowed (x-narrow)")) {
			s.message(w, r, http.StatusForbidden, "access.narrow.title", "access.narrow.text")
		}
		return false
	}
	ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
	defer cancel()
	var err error
	switch {
	case narrow.AboutCustomer():
		err = s.data.ReachCustomer(ctx, r.PathValue("id"))
	case narrow.AboutPair():
		err = s.data.ReachPair(ctx, r.PathValue("id"))
	}
	if err == nil {
		return true
	}
	if !errors.Is(err, record.ErrNotFound) || !tellProgram(w, r, http.StatusNotFound, say.New("there is nothing of this name or id")) {
		s.answerError(w, r, err, nil)
	}
	return false
}

// routesOf registers every address.
func (s *server) routesOf() *routes {
	m := &routes{s: s, mux: http.NewServeMux(), need: map[string]auth.Permission{}}
	s.frameRoutes(m)
	s.machineRoutes(m)
	s.overviewRoutes(m)
	s.qualityRoutes(m)
	s.levelRoutes(m)
	s.lookUpRoutes(m)
	s.planRoutes(m)
	s.modelRoutes(m)
	s.handoverRoutes(m)
	s.valueRoutes(m)
	s.runRoutes(m)
	s.liveRoutes(m)
	s.quarantineRoutes(m)
	s.conflictRoutes(m)
	s.proposalRoutes(m)
	s.reviewRoutes(m)
	s.customerRoutes(m)
	s.auditRoutes(m)
	s.changeRoutes(m)
	s.accountRoutes(m)
	s.providerRoutes(m)
	s.meRoutes(m)
	s.peopleRoutes(m)
	if s.opts.Mount != nil {
		s.opts.Mount(func(pattern string, needs auth.Permission, narrow auth.Narrow, h http.HandlerFunc) {
			m.handle(pattern, needs, narrow, Speaks(h).ServeHTTP)
		})
	}
	return m
}

func (s *server) frameRoutes(m *routes) {
	m.handle("GET /assets/{name}", auth.Open, auth.NoValues, s.asset)
	m.handle("/", auth.Self, auth.NoValues, func(w http.ResponseWriter, r *http.Request) {
		if allowed := m.methods(r); len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			s.message(w, r, http.StatusMethodNotAllowed, "method.title", "method.text")
			return
		}
		s.notFound(w, r)
	})
}

// methods are those that an address takes; none where there is no such address.
func (m *routes) methods(r *http.Request) (list []string) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := m.mux.Handler(other); strings.HasPrefix(pattern, method+" ") {
			list = append(list, method)
		}
	}
	return list
}

func (s *server) overviewRoutes(m *routes) {
	m.handle("GET /{$}", auth.See, auth.NoValues, s.overview)
	m.handle("GET /sources/{name}", auth.See, auth.Counts, s.source)
	m.handle("GET /targets/{name}", auth.See, auth.Counts, s.target)
}

// Routes is the table of all addresses that New answers with these options.
func Routes(data Source, opts Options) []Route { return newServer(data, opts).routesOf().list }
