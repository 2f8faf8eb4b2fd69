package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"touchstone/internal/auth"
)

const (
	viewsCookie = "touchstone_views"
	// mostViews bounds the saved views, maxView one of them, in bytes: all stand
	// in a cookie.
	mostViews   = 8
	maxView     = 300
	maxViewName = 40
	viewsLife   = 365 * 24 * 3600
	listed      = 50
)

// savedView is a question to the queue under a name.
type savedView struct{ Name, Query string }

// listView is the queue as a list.
type listView struct {
	page
	OpenPairs
	Query   ReviewQuery
	Stats   ReviewStats
	Orders  []string
	Kinds   []string
	Filters string
	Views   []savedView
	Told    told
	Can     bool
	Problem string
}

// reviewList lists the open pairs under filters.
func (s *server) reviewList(w http.ResponseWriter, r *http.Request) {
	s.showList(w, r, http.StatusOK, "")
}

func (s *server) showList(w http.ResponseWriter, r *http.Request, status int, problem string) {
	if !s.seen(w, r, "read.review") {
		return
	}
	me := auth.From(r.Context())
	q := reviewQuery(r.URL.Query(), me.ID)
	q.Limit = listed
	list, ok := load(s, w, r, func(ctx context.Context) (OpenPairs, error) { return s.data.OpenPairs(ctx, q) })
	if !ok {
		return
	}
	stats, ok := load(s, w, r, func(ctx context.Context) (ReviewStats, error) { return s.data.ReviewStats(ctx, me.ID, q.Entity, 0) })
	if !ok {
		return
	}
	ids := make([]string, len(list.Items))
	for i, p := range list.Items {
		ids[i] = p.ID
	}
	if len(ids) > 0 && !s.seen(w, r, "read.review", ids...) {
		return
	}
	v := listView{
		page: s.page(w, r, "review"), OpenPairs: list, Query: q, Stats: stats, Orders: ReviewOrders, Kinds: ReviewKinds, Filters: filtersOf(q).Encode(),
		Views: viewsOf(r), Told: s.takeTold(w, r), Can: me.May(auth.Decide), Problem: problem,
	}
	s.render(w, r, status, "review.html", v)
}

// Order is the order asked for.
func (v listView) Order() string {
	if v.Query.Order == "" {
		return OrderDamage
	}
	return v.Query.Order
}

// viewsOf reads the saved views.
func viewsOf(r *http.Request) (list []savedView) {
	c, err := r.Cookie(viewsCookie)
	if err != nil {
		return nil
	}
	text, err := url.QueryUnescape(c.Value)
	if err != nil {
		return nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		name, query, ok := strings.Cut(line, "\t")
		if v, err := url.ParseQuery(query); ok && err == nil && len(list) < mostViews {
			list = append(list, savedView{cutText(name, maxViewName), filtersOf(reviewQuery(v, "")).Encode()})
		}
	}
	return list
}

// keepView saves the filters of the list under a name, or takes a saved one
// away.
func (s *server) keepView(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	name := cutText(strings.Join(strings.Fields(r.PostForm.Get("name")), " "), maxViewName)
	query := filtersOf(postedFilters(r)).Encode()
	list := viewsOf(r)
	list = slices.DeleteFunc(list, func(v savedView) bool { return v.Name == name || v.Name == r.PostForm.Get("drop") })
	if r.PostForm.Get("drop") == "" {
		switch {
		case name == "", len(query) > maxView, len(list) >= mostViews:
			http.Redirect(w, r, addressOf("/review/list", query), http.StatusSeeOther)
			return
		}
		list = append(list, savedView{name, query})
	}
	var lines []string
	for _, v := range list {
		lines = append(lines, v.Name+"\t"+v.Query)
	}
	keepCookie(w, r, viewsCookie, url.QueryEscape(strings.Join(lines, "\n")), "/review", viewsLife, http.SameSiteLaxMode)
	http.Redirect(w, r, addressOf("/review/list", query), http.StatusSeeOther)
}
