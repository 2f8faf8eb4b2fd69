package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"touchstone/internal/record"
)

// load reads data for a page within the bound. It answers itself when that
// fails.
func load[T any](s *server, w http.ResponseWriter, r *http.Request, read func(context.Context) (T, error)) (data T, ok bool) {
	ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
	defer cancel()
	data, err := read(ctx)
	switch {
	case err == nil:
		return data, true
	case errors.Is(err, record.ErrNotFound):
		s.notFound(w, r)
	default:
		s.fail(w, r, err)
	}
	return data, false
}

type sourceView struct {
	page
	SourcePage
}

func (s *server) source(w http.ResponseWriter, r *http.Request) {
	data, ok := load(s, w, r, func(ctx context.Context) (SourcePage, error) { return s.data.SourcePage(ctx, r.PathValue("name")) })
	if ok {
		s.render(w, r, http.StatusOK, "source.html", sourceView{s.page(w, r, "source"), data})
	}
}

type targetView struct {
	page
	TargetPage
	ShowValues bool
}

func (s *server) target(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	data, ok := load(s, w, r, func(ctx context.Context) (TargetPage, error) {
		return s.data.TargetPage(ctx, r.PathValue("name"), q.Get("state"), q.Get("after"))
	})
	if !ok {
		return
	}
	var ids []string
	for i := range data.Rows {
		ids = append(ids, data.Rows[i].ID)
		if !s.opts.ShowValues {
			for j, f := range data.Rows[i].Fields {
				data.Rows[i].Fields[j] = Change{Path: f.Path}
			}
		}
	}
	if s.opts.ShowValues && !s.seen(w, r, "read.writes", ids...) {
		return
	}
	s.render(w, r, http.StatusOK, "target.html", targetView{s.page(w, r, "target"), data, s.opts.ShowValues})
}

type reviewView struct {
	page
	ReviewPage
}

func (s *server) review(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.review") {
		return
	}
	q := r.URL.Query()
	data, ok := load(s, w, r, func(ctx context.Context) (ReviewPage, error) {
		return s.data.ReviewPage(ctx, q.Get("entity"), q.Get("after"))
	})
	if !ok {
		return
	}
	var ids []string
	for _, p := range data.Pairs {
		ids = append(ids, p.ID)
	}
	for _, a := range data.Ambiguous {
		ids = append(ids, a.Sides[0].Pair, a.Sides[1].Pair)
	}
	if s.seen(w, r, "read.review", ids...) {
		s.render(w, r, http.StatusOK, "review.html", reviewView{s.page(w, r, "review"), data})
	}
}

type pairView struct {
	page
	Pair
	Falls []fall
}

func (s *server) pair(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.pair") {
		return
	}
	data, ok := load(s, w, r, func(ctx context.Context) (Pair, error) { return s.data.PairPage(ctx, r.PathValue("id")) })
	if ok && s.seen(w, r, "read.pair", data.ID, data.A.Golden, data.B.Golden) {
		s.render(w, r, http.StatusOK, "pair.html", pairView{s.page(w, r, "review"), data, waterfall(data)})
	}
}

func cutText(s string, runes int) string {
	if list := []rune(s); len(list) > runes {
		return string(list[:runes])
	}
	return s
}

// Link gives this page's address with one value of its question changed; ""
// takes it out. What depends on the place in a list starts anew.
func (p page) Link(name, value string) string {
	q := url.Values{}
	for k, v := range p.query {
		if k != "lang" && k != "theme" && (k != "after" || name == "lang" || name == "theme") {
			q[k] = v
		}
	}
	q.Del(name)
	if value != "" {
		q.Set(name, value)
	}
	return "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// Asked gives a value of this page's question.
func (p page) Asked(name string) string { return p.query.Get(name) }
