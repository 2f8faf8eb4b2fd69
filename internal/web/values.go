package web

import (
	"context"
	"net/http"
	"net/url"

	"touchstone/internal/auth"
)

func (s *server) valueRoutes(m *routes) {
	m.handle("GET /values", auth.SeeCustomers, auth.WholeOnly, s.valueMaps)
	m.handle("POST /values", auth.Decide, auth.WholeOnly, s.mapValue)
	m.handle("POST /values/count", auth.SeeCustomers, auth.WholeOnly, s.countValues)
}

type valuesView struct {
	page
	ValuePage
	Preview *ValuePreview
	Problem Problem
	Why     string
}

// maxValue bounds a value in a form, in characters.
const maxValue = 1000

func valueQuery(v url.Values) ValueQuery {
	return ValueQuery{Entity: cutText(v.Get("entity"), 100), Field: cutText(v.Get("field"), 100), From: cutText(v.Get("from"), maxValue), To: cutText(v.Get("to"), maxValue)}
}

// valueMaps shows which values of a field count as another one, and what one more
// would do.
func (s *server) valueMaps(w http.ResponseWriter, r *http.Request) {
	q := valueQuery(r.URL.Query())
	s.showValues(w, r, http.StatusOK, q, q.From != "" && q.To != "", Problem{})
}

func (s *server) showValues(w http.ResponseWriter, r *http.Request, status int, q ValueQuery, preview bool, problem Problem) {
	data, ok := look(s, w, r, "read.values", func(ctx context.Context) (ValuePage, error) { return s.data.ValueMaps(ctx, q) }, func(p ValuePage) []string { return []string{p.Entity + "." + p.Field} })
	if !ok {
		return
	}
	v := valuesView{page: s.page(w, r, "plans"), ValuePage: data, Problem: problem, Why: r.PostForm.Get("why")}
	if preview {
		ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
		defer cancel()
		p, err := s.data.PreviewValue(ctx, q)
		if told, mendable := s.refusal(r, err); mendable {
			if status, v.Problem = http.StatusUnprocessableEntity, told; problem.Text != "" {
				v.Problem = problem
			}
		} else if err != nil {
			s.answerError(w, r, err, nil)
			return
		} else {
			v.Preview = &p
		}
	}
	s.render(w, r, status, "values.html", v)
}

// countValues has the values of a field counted anew.
func (s *server) countValues(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	q := valueQuery(r.PostForm)
	next := "/values?" + url.Values{"entity": {q.Entity}, "field": {q.Field}}.Encode()
	s.act(w, r, next, func(ctx context.Context, _ By) (Done, error) {
		return Done{Key: "values.asked"}, s.data.CountValues(ctx, q)
	}, func(p Problem) { s.showValues(w, r, http.StatusUnprocessableEntity, ValueQuery{}, false, p) })
}

// mapValue decides that a value counts as another one.
func (s *server) mapValue(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	q := valueQuery(r.PostForm)
	next := "/values?" + url.Values{"entity": {q.Entity}, "field": {q.Field}}.Encode()
	s.act(w, r, next, func(ctx context.Context, by By) (Done, error) {
		d, err := s.data.MapValue(ctx, q, by)
		return Done{Key: "values.done", Undo: d}, err
	}, func(p Problem) { s.showValues(w, r, http.StatusUnprocessableEntity, q, true, p) })
}
