package web

import (
	"context"
	"net/http"

	"touchstone/internal/auth"
)

// listed is how many pairs one page lists.
const listed = 50

// listView is the queue as a list.
type listView struct {
	page
	OpenPairs
	Query   ReviewQuery
	Stats   ReviewStats
	Orders  []string
	Kinds   []string
	Filters string
	Saved   viewsPart
	Told    told
	Can     bool
}

// reviewList lists the open pairs under filters.
func (s *server) reviewList(w http.ResponseWriter, r *http.Request) {
	s.showList(w, r, http.StatusOK, viewForm{})
}

func (s *server) showList(w http.ResponseWriter, r *http.Request, status int, form viewForm) {
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
	saved, ok := load(s, w, r, func(ctx context.Context) (viewsPart, error) {
		return s.viewsPart(ctx, reviewViews(), r.URL.Query(), form)
	})
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
		Saved: saved, Told: s.takeTold(w, r), Can: me.May(auth.Decide),
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
