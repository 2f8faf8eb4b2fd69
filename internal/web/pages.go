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
		if text, told := forReader(err); told {
			p := s.page(w, r, "")
			s.render(w, r, http.StatusUnprocessableEntity, "message.html", messagePage{p, p.words.T("refused.title"), text, ""})
		} else {
			s.fail(w, r, err)
		}
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
