package web

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
)

const (
	// suggestPage is how many suggestions one answer has.
	suggestPage = 10
	// suggestMost is how many suggestions can be skipped.
	suggestMost = 500
)

type suggestion struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Notable     []reconcileType `json:"notable,omitempty"`
}

type suggestions struct {
	Result []suggestion `json:"result"`
}

// prefixed reads what a suggest service is asked: what was typed, and how many
// suggestions to skip.
func (s *server) prefixed(w http.ResponseWriter, r *http.Request) (prefix string, skip int, ok bool) {
	q := r.URL.Query()
	if c := q.Get("cursor"); c != "" {
		var err error
		if skip, err = strconv.Atoi(c); err != nil || skip < 0 {
			s.failed(w, r, "reconcile", &lookup.Problem{Field: "cursor", En: "is no whole number, 0 or more", Zh: "不是非负整数"})
			return "", 0, false
		}
	}
	return cutText(strings.TrimSpace(q.Get("prefix")), 200), min(skip, suggestMost), true
}

// suggestEntity lists golden records whose words begin so.
func (s *server) suggestEntity(w http.ResponseWriter, r *http.Request) {
	prefix, skip, ok := s.prefixed(w, r)
	if !ok {
		return
	}
	entity := r.URL.Query().Get("type")
	if !slices.Contains(lookup.Entities(), entity) {
		entity = ""
	}
	list, err := s.opts.LookUp.Suggest(r.Context(), prefix, entity, skip, suggestPage)
	if err != nil {
		s.failed(w, r, "reconcile", err)
		return
	}
	out := suggestions{[]suggestion{}}
	var shown []string
	for _, f := range list {
		name := f.Name
		if name == "" {
			name = f.ID
		}
		shown = append(shown, f.ID)
		out.Result = append(out.Result, suggestion{f.ID, name, s.held(r, f.Systems), s.typeOf(r, f.Entity)})
	}
	if s.reconcileSeen(w, r, shown) {
		s.answer(w, http.StatusOK, out)
	}
}

// suggested gives the suggestions that begin so, in id or name.
func (s *server) suggested(w http.ResponseWriter, r *http.Request, all []suggestion) {
	prefix, skip, ok := s.prefixed(w, r)
	if !ok {
		return
	}
	prefix = strings.ToLower(prefix)
	all = slices.DeleteFunc(all, func(x suggestion) bool {
		return !strings.HasPrefix(strings.ToLower(x.ID), prefix) && !strings.HasPrefix(strings.ToLower(x.Name), prefix)
	})
	s.answer(w, http.StatusOK, suggestions{append([]suggestion{}, all[min(skip, len(all)):]...)})
}

func (s *server) suggestType(w http.ResponseWriter, r *http.Request) {
	s.suggested(w, r, s.typeList(r))
}

func (s *server) typeList(r *http.Request) (all []suggestion) {
	for _, t := range s.types(r) {
		all = append(all, suggestion{ID: t.ID, Name: t.Name})
	}
	return all
}

func (s *server) suggestProperty(w http.ResponseWriter, r *http.Request) {
	s.suggested(w, r, s.properties(r, r.URL.Query().Get("type")))
}

// systemsProperty is the one property that is no field: the systems that hold a
// golden record.
const systemsProperty = "systems"

// idSchemes are those that are proposed; any other may be asked for.
func idSchemes() []string { return []string{"uscc", "lei", "vat", "duns", "reg"} }

// properties lists the properties of a type, or of all for a type that is not
// ours: the fields, and the parts of addresses and identifiers behind a point.
func (s *server) properties(r *http.Request, entity string) (all []suggestion) {
	l := asksIn(r)
	entities := lookup.Entities()
	if slices.Contains(entities, entity) {
		entities = []string{entity}
	}
	add := func(p suggestion) {
		if !slices.ContainsFunc(all, func(x suggestion) bool { return x.ID == p.ID }) {
			all = append(all, p)
		}
	}
	for _, e := range entities {
		for _, spec := range record.Specs(e) {
			name := l.word("field", spec.Name)
			add(suggestion{ID: spec.Name, Name: name})
			parts := spec.Parts
			if spec.Name == "ids" {
				parts = idSchemes()
			}
			for _, part := range parts {
				add(suggestion{ID: spec.Name + "." + part, Name: name + ": " + l.word("part", part)})
			}
		}
	}
	add(suggestion{ID: systemsProperty, Name: l.T("reconcile.systems")})
	return all
}

// property says whether an entity type has a property that can be compared.
func property(entity, path string) bool {
	name, part, _ := strings.Cut(path, ".")
	spec, ok := record.Spec(entity, name)
	return ok && (part == "" || spec.Name == "ids" || slices.Contains(spec.Parts, part))
}

// proposed answers which properties of a type can be fetched.
func (s *server) proposed(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	out := struct {
		Properties []suggestion `json:"properties"`
		Type       string       `json:"type,omitempty"`
		Limit      int          `json:"limit,omitempty"`
	}{Properties: s.properties(r, q.Get("type")), Type: q.Get("type")}
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			s.failed(w, r, "reconcile", &lookup.Problem{Field: "limit", En: "is no whole number, 1 or more", Zh: "不是正整数"})
			return
		}
		out.Limit = n
		out.Properties = out.Properties[:min(n, len(out.Properties))]
	}
	s.answer(w, http.StatusOK, out)
}

type flyout struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// flyoutHTML is what a client shows beside a suggestion. It trusts us with HTML:
// the template escapes everything.
var flyoutHTML = template.Must(template.New("flyout").Parse(`<p><b>{{.Name}}</b><br>{{.Description}}</p>`))

func (s *server) fly(w http.ResponseWriter, r *http.Request, x suggestion) {
	var b strings.Builder
	if err := flyoutHTML.Execute(&b, x); err != nil {
		s.failed(w, r, "reconcile", err)
		return
	}
	s.answer(w, http.StatusOK, flyout{x.ID, b.String()})
}

func (s *server) flyoutEntity(w http.ResponseWriter, r *http.Request) {
	f, ok := s.oneShown(w, r)
	if ok {
		s.fly(w, r, suggestion{ID: r.URL.Query().Get("id"), Name: f.Name, Description: s.held(r, f.Systems)})
	}
}

func (s *server) flyoutProperty(w http.ResponseWriter, r *http.Request) {
	s.flyoutOf(w, r, s.properties(r, ""))
}

func (s *server) flyoutType(w http.ResponseWriter, r *http.Request) {
	s.flyoutOf(w, r, s.typeList(r))
}

func (s *server) flyoutOf(w http.ResponseWriter, r *http.Request, all []suggestion) {
	id := r.URL.Query().Get("id")
	i := slices.IndexFunc(all, func(x suggestion) bool { return x.ID == id })
	if i < 0 {
		s.refuse(w, http.StatusNotFound, apiError{Field: "id", Text: "id is not known", TextZh: "id 不存在"})
		return
	}
	x := all[i]
	x.Description = x.ID
	s.fly(w, r, x)
}

// oneShown reads the golden record named by the parameter id, and keeps that it
// was shown. It answers itself when there is none.
func (s *server) oneShown(w http.ResponseWriter, r *http.Request) (f lookup.Found, ok bool) {
	id := r.URL.Query().Get("id")
	known, err := s.opts.LookUp.Shown(r.Context(), []string{id})
	if err != nil {
		s.failed(w, r, "reconcile", err)
		return f, false
	}
	if f, ok = known[id]; !ok {
		s.refuse(w, http.StatusNotFound, apiError{Field: "id", Text: "id is not known", TextZh: "id 不存在"})
		return f, false
	}
	return f, s.reconcileSeen(w, r, []string{f.ID})
}
