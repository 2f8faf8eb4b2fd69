package web

import (
	"net/http"

	"touchstone/internal/auth"
)

// Route is an address with what one has to be allowed to ask for it.
type Route struct {
	Pattern string // as net/http's ServeMux takes it: "GET /customers/{id}"
	Needs   auth.Permission
}

// routes is the table of all addresses. An address cannot be added without a
// permission.
type routes struct {
	s    *server
	mux  *http.ServeMux
	need map[string]auth.Permission
	list []Route
}

func (m *routes) handle(pattern string, needs auth.Permission, h http.HandlerFunc) {
	m.list = append(m.list, Route{pattern, needs})
	m.need[pattern] = needs
	m.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if !auth.From(r.Context()).May(needs) {
			m.s.forbidden(w, r)
			return
		}
		h(w, r)
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
	s.opts.Log.Warn("not allowed", "path", r.URL.Path, "who", auth.From(r.Context()).ID)
	if !tellProgram(w, r, http.StatusForbidden, "this account or token does not have the permission that the address needs; /openapi.json names it (x-permission)") {
		s.message(w, r, http.StatusForbidden, "access.role.title", "access.role.text")
	}
}

// routesOf registers every address.
func (s *server) routesOf() *routes {
	m := &routes{s: s, mux: http.NewServeMux(), need: map[string]auth.Permission{}}
	s.frameRoutes(m)
	s.machineRoutes(m)
	s.overviewRoutes(m)
	s.qualityRoutes(m)
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
		s.opts.Mount(m.handle)
	}
	return m
}

func (s *server) frameRoutes(m *routes) {
	m.handle("GET /assets/{name}", auth.Open, s.asset)
	m.handle("/", auth.Self, s.notFound)
}

func (s *server) overviewRoutes(m *routes) {
	m.handle("GET /{$}", auth.See, s.overview)
	m.handle("GET /sources/{name}", auth.See, s.source)
	m.handle("GET /targets/{name}", auth.See, s.target)
}

// Routes is the table of all addresses that New answers with these options.
func Routes(data Source, opts Options) []Route { return newServer(data, opts).routesOf().list }
