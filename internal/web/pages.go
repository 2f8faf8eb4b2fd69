package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"touchstone/internal/auth"
	"touchstone/internal/short"
)

// shownBytes bounds each text on a page; where it stands there is a way to all of
// it.
const shownBytes = 4000

// shorten cuts the texts of what is shown on a page.
func shorten(r *http.Request, data any) {
	in := wordsOf(r)
	short.Texts(data, shownBytes, func(left int) string { return in.N("cut", left) })
}

// load reads data for a page within the bound, and cuts the texts in it that are
// too long to be shown. It answers itself when that fails.
func load[T any](s *server, w http.ResponseWriter, r *http.Request, read func(context.Context) (T, error)) (data T, ok bool) {
	if data, ok = whole(s, w, r, read); ok {
		shorten(r, &data)
	}
	return data, ok
}

// whole is load of what is taken away rather than shown: nothing is cut.
func whole[T any](s *server, w http.ResponseWriter, r *http.Request, read func(context.Context) (T, error)) (data T, ok bool) {
	ctx, cancel := context.WithTimeout(r.Context(), overviewBound)
	defer cancel()
	data, err := read(ctx)
	if err != nil {
		s.answerError(w, r, err, nil)
	}
	return data, err == nil
}

// look is load for what shows customers: nothing is read where values are not
// shown, and who looked at whom is kept before the page shows them.
func look[T any](s *server, w http.ResponseWriter, r *http.Request, what string, read func(context.Context) (T, error), whose func(T) []string) (data T, ok bool) {
	if !s.seen(w, r, what) {
		return data, false
	}
	if data, ok = load(s, w, r, read); !ok {
		return data, false
	}
	return data, s.seen(w, r, what, whose(data)...)
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
}

func (s *server) target(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	data, ok := load(s, w, r, func(ctx context.Context) (TargetPage, error) {
		return s.data.TargetPage(ctx, r.PathValue("name"), q.Get("state"), q.Get("after"))
	})
	if !ok {
		return
	}
	if s.writesSeen(w, r, data.Rows) {
		s.render(w, r, http.StatusOK, "target.html", targetView{s.page(w, r, "target"), data})
	}
}

// writesSeen keeps that these writes were shown. Who may not see what they write
// is shown its fields alone, and that is not kept.
func (s *server) writesSeen(w http.ResponseWriter, r *http.Request, rows []WriteRow) bool {
	values := s.shows(r) && !auth.From(r.Context()).Scoped() // of who has a mask they come without what is kept back
	var ids []string
	for i := range rows {
		ids = append(ids, rows[i].ID)
		if !values {
			for j, f := range rows[i].Fields {
				rows[i].Fields[j] = Change{Path: f.Path}
			}
		}
	}
	return !values || s.seen(w, r, "read.writes", ids...)
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
