package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/auth"
)

func (s *server) reviewRoutes(m *routes) {
	m.handle("GET /review/cluster/{id}", auth.SeeCustomers, auth.ByCustomer, s.cluster)
	m.handle("POST /review/cluster/{id}/split", auth.Decide, auth.ByCustomer, s.clusterSplit)
	m.handle("GET /review", auth.SeeCustomers, auth.ByList, s.review)
	m.handle("GET /review/list", auth.SeeCustomers, auth.ByList, s.reviewList)
	m.handle("GET /review/{id}", auth.SeeCustomers, auth.ByPair, s.pair)
	m.handle("GET /review/effect/{id}", auth.SeeCustomers, auth.ByPair, s.pairEffect)
	m.handle("POST /review/{id}", auth.Decide, auth.ByPair, s.say)
	m.handle("POST /review/undo", auth.Decide, auth.ByList, s.unsay)
	m.handle("POST /review/views", auth.SeeCustomers, auth.ByList, s.saveView(reviewViews(), s.showList))
	m.handle("POST /review/views/{id}/drop", auth.SeeCustomers, auth.NoValues, s.dropView(reviewViews()))
	m.handle("POST /review/{id}/note", auth.Decide, auth.ByPair, s.note)
	m.handle("POST /review/{id}/assign", auth.Decide, auth.ByPair, s.assign)
	m.handle("POST /review/{id}/escalate", auth.Decide, auth.ByPair, s.escalate)
	m.handle("POST /review/{id}/withdraw", auth.Decide, auth.ByPair, s.withdraw)
	m.handle("GET /bulk", auth.SeeCustomers, auth.ByList, s.bulk)
	m.handle("POST /bulk", auth.Decide, auth.ByList, s.startBulk)
	m.handle("GET /bulk/{id}", auth.SeeCustomers, auth.ByList, s.bulkJob)
	m.handle("POST /bulk/{id}", auth.Decide, auth.ByList, s.changeBulk)
}

// mostPassed is how many pairs a request for the next one can pass over: those
// whose answers are on their way.
const mostPassed = 20

// review opens the queue: its first pair under the filters of the address.
func (s *server) review(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.review") {
		return
	}
	q := reviewQuery(r.URL.Query(), auth.From(r.Context()).ID)
	passed := r.URL.Query()["not"]
	passed = passed[:min(len(passed), mostPassed)]
	items, partial, ok := s.head(w, r, q, passed)
	if !ok {
		return
	}
	if len(items) == 0 {
		s.emptyDesk(w, r, q, partial)
		return
	}
	s.showDesk(w, r, http.StatusOK, items[0].ID, firstID(items[1:]), q, deskForm{})
}

func firstID(items []QueueItem) string {
	if len(items) == 0 {
		return ""
	}
	return items[0].ID
}

// head reads the first two pairs of the queue that are not passed over.
func (s *server) head(w http.ResponseWriter, r *http.Request, q ReviewQuery, passed []string) (items []QueueItem, partial, ok bool) {
	q.Limit = len(passed) + 2
	list, ok := load(s, w, r, func(ctx context.Context) (OpenPairs, error) { return s.data.OpenPairs(ctx, q) })
	if !ok {
		return nil, false, false
	}
	for _, p := range list.Items {
		if !slices.Contains(passed, p.ID) && !p.Done {
			items = append(items, p)
		}
	}
	return items, list.Partial, true
}

// pair shows one pair by its address.
func (s *server) pair(w http.ResponseWriter, r *http.Request) {
	s.showPair(w, r, http.StatusOK, reviewQuery(r.URL.Query(), auth.From(r.Context()).ID), deskForm{})
}

// showPair shows the pair of the address, with the queue behind it.
func (s *server) showPair(w http.ResponseWriter, r *http.Request, status int, q ReviewQuery, form deskForm) {
	if !s.seen(w, r, "read.pair") {
		return
	}
	id := r.PathValue("id")
	items, _, ok := s.head(w, r, q, []string{id})
	if ok {
		s.showDesk(w, r, status, id, firstID(items), q, form)
	}
}

// effectView is what uniting a pair would do.
type effectView struct {
	page
	ID string
	ChangePreview
}

// Written says whether any system is sent anything.
func (v effectView) Written() bool {
	return slices.ContainsFunc(v.Targets, func(t TargetEffect) bool { return t.Creates+t.Updates > 0 })
}

// FieldsOf is how many fields of a target change.
func (v effectView) FieldsOf(t TargetEffect) (n int) {
	for _, w := range t.Writes {
		n += len(w.Fields)
	}
	return n
}

// pairEffect is asked for behind the pair: it takes longer than to show it.
func (s *server) pairEffect(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.pair") {
		return
	}
	data, ok := load(s, w, r, func(ctx context.Context) (ChangePreview, error) { return s.data.PairEffect(ctx, r.PathValue("id")) })
	if !ok {
		return
	}
	var ids []string
	for _, c := range data.Customers {
		ids = append(ids, c.ID)
	}
	if s.seen(w, r, "read.pair", ids...) {
		s.render(w, r, http.StatusOK, "effect.html", effectView{s.page(w, r, "review"), r.PathValue("id"), data})
	}
}

// deskForm is what was typed into the form, and why it was not taken.
type deskForm struct {
	Problem Problem
	Why     string
	Picks   []Pick
	Until   string
	Said    string // what was answered
	// Relation is how the two belong together, of an answer that they do.
	Relation string
	Over     bool // earlier decisions that stand against it are withdrawn
	Outcome  *PairOutcome
	Aside    bool // it is of a form beside the pair
}

// Value is what was typed for a field.
func (f deskForm) Value(field string) string {
	for _, p := range f.Picks {
		if p.Field == field && p.Side == "" {
			return p.Value
		}
	}
	return ""
}

// Seen is the form of the typed value that the reader is shown, or was.
func (f deskForm) Seen(field string) string {
	if f.Problem.Take != "" && f.Problem.Field == "value."+field {
		return f.Problem.Take
	}
	for _, p := range f.Picks {
		if p.Field == field {
			return p.Seen
		}
	}
	return ""
}

// Picked is the side that was picked for a field: a, b, typed or "".
func (f deskForm) Picked(field string) string {
	for _, p := range f.Picks {
		if p.Field == field {
			if p.Side == "" {
				return "typed"
			}
			return p.Side
		}
	}
	return ""
}

// deskView is the page of one pair.
type deskView struct {
	page
	Desk
	Work    PairWork
	Stats   ReviewStats
	Query   ReviewQuery
	Filters string // of the address, to be kept
	Next    string // id of the pair behind it
	Fetch   string // address of the next pair, to be fetched ahead; "" for none
	Lines   []deskLine
	Start   fall
	Rest    []fall
	Reasons []string // sentences
	Form    deskForm
	Told    told
	Can     bool // the reader may decide
	Budget  int  // per cent of today's set that is decided
}

// deskLine is one field of the pair as the page shows it.
type deskLine struct {
	DeskRow
	Left, Right []entry
	Falls       []fall
	Equal       bool
	Pickable    bool // both have a value and they differ
}

// showDesk reads one pair and shows it.
func (s *server) showDesk(w http.ResponseWriter, r *http.Request, status int, id, next string, q ReviewQuery, form deskForm) {
	me := auth.From(r.Context())
	d, ok := load(s, w, r, func(ctx context.Context) (Desk, error) { return s.data.Desk(ctx, id) })
	if !ok {
		return
	}
	work, ok := load(s, w, r, func(ctx context.Context) (PairWork, error) { return s.data.PairWork(ctx, id, me.ID) })
	if !ok {
		return
	}
	stats, ok := load(s, w, r, func(ctx context.Context) (ReviewStats, error) { return s.data.ReviewStats(ctx, me.ID, q.Entity, 0) })
	if !ok || !s.seen(w, r, "read.pair", d.ID, d.A.Golden, d.B.Golden) {
		return
	}
	p := s.page(w, r, "review")
	v := deskView{
		page: p, Desk: d, Work: work, Stats: stats, Query: q, Filters: filtersOf(q).Encode(), Next: next, Form: form, Told: s.takeTold(w, r),
		Can: me.May(auth.Decide), Reasons: p.words.sentences(d),
	}
	if stats.Decisions > 0 {
		v.Budget = min(100*stats.Decided/stats.Decisions, 100)
	}
	if next != "" {
		f := filtersOf(q)
		f.Set("not", id)
		v.Fetch = "/review?" + f.Encode()
	}
	v.lines()
	s.render(w, r, status, "desk.html", v)
}

// lines sets the evidence beside the fields: the bars go on from line to line,
// as the page shows them.
func (v *deskView) lines() {
	ordered := v.Pair
	ordered.Evidence = nil
	for _, e := range v.Evidence {
		if e.Field == "prior" {
			ordered.Evidence = append(ordered.Evidence, e)
		}
	}
	first := len(ordered.Evidence)
	for _, row := range v.Rows {
		ordered.Evidence = append(ordered.Evidence, row.Evidence...)
	}
	ordered.Evidence = append(ordered.Evidence, v.Other...)
	falls := waterfall(ordered)
	if first > 0 {
		v.Start = falls[0]
	}
	at := first
	for _, row := range v.Rows {
		l := deskLine{DeskRow: row, Left: entries(row.A, row.B), Right: entries(row.B, row.A), Falls: falls[at : at+len(row.Evidence)]}
		for i, f := range l.Falls {
			if len(l.Falls) > 1 && f.Field != row.Name {
				l.Falls[i].Of = f.Field
			}
		}
		l.Equal = slices.Equal(row.A, row.B)
		l.Pickable = !l.Equal && len(row.A) > 0 && len(row.B) > 0
		at += len(row.Evidence)
		v.Lines = append(v.Lines, l)
	}
	v.Rest = falls[at:]
}

// Meter is the probability in eight steps, as the head draws it.
func (v deskView) Meter() []bool {
	out := make([]bool, 8)
	for i := range out {
		out[i] = v.Probability >= (float64(i)+0.5)/8
	}
	return out
}

// Removes is the share of the expected damage that today's set removes, in per
// cent.
func (v deskView) Removes() int { return int(100*v.Stats.Removes + 0.5) }

// Back is this pair's address with the filters.
func (v deskView) Back() string { return addressOf("/review/"+v.ID, v.Filters) }

// Relations lists how the two can belong together.
func (v deskView) Relations() []string { return PairRelations(v.Entity) }

func addressOf(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// emptyView says that nothing waits, and what next.
type emptyView struct {
	page
	Stats    ReviewStats
	Query    ReviewQuery
	Filtered bool
	Partial  bool
	Told     told
}

func (s *server) emptyDesk(w http.ResponseWriter, r *http.Request, q ReviewQuery, partial bool) {
	me := auth.From(r.Context())
	stats, ok := load(s, w, r, func(ctx context.Context) (ReviewStats, error) { return s.data.ReviewStats(ctx, me.ID, q.Entity, 0) })
	if ok {
		s.render(w, r, http.StatusOK, "desk_empty.html", emptyView{s.page(w, r, "review"), stats, q, len(filtersOf(q)) > 0, partial, s.takeTold(w, r)})
	}
}

// reviewQuery reads a question to the queue out of an address. What makes no
// sense is left out; what is asked for and not there gives an empty list.
func reviewQuery(v url.Values, me string) ReviewQuery {
	q := ReviewQuery{
		Entity: v.Get("entity"), Source: v.Get("source"), Other: v.Get("other"), Assigned: cutText(v.Get("assigned"), 100),
		Text: cutText(strings.TrimSpace(v.Get("text")), 200), Today: v.Get("today") != "", Proposed: v.Get("proposed") != "", Skipped: v.Get("skipped") != "",
		After: v.Get("after"), Me: me,
	}
	if slices.Contains(ReviewOrders, v.Get("order")) && v.Get("order") != OrderDamage {
		q.Order = v.Get("order")
	}
	if slices.Contains(ReviewKinds, v.Get("kind")) {
		q.Kind = v.Get("kind")
	}
	if due := v.Get("due"); due == "overdue" || due == "today" || due == "week" {
		q.Due = due
	}
	q.From, q.To, q.Value = share100(v.Get("from")), share100(v.Get("to")), 0
	if n, err := strconv.ParseFloat(v.Get("value"), 64); err == nil && n > 0 && n < 1e18 {
		q.Value = n
	}
	return q
}

// share100 reads a probability in per cent.
func share100(text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n <= 0 || n > 100 {
		return 0
	}
	return n / 100
}

// filtersOf is the other way round: the address of a question, without its place
// in the list.
func filtersOf(q ReviewQuery) url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	flag := func(name string, on bool) {
		if on {
			v.Set(name, "1")
		}
	}
	number := func(name string, n float64) {
		if n > 0 {
			v.Set(name, strconv.FormatFloat(n, 'f', -1, 64))
		}
	}
	set("order", q.Order)
	set("entity", q.Entity)
	set("source", q.Source)
	set("other", q.Other)
	set("kind", q.Kind)
	set("assigned", q.Assigned)
	set("due", q.Due)
	set("text", q.Text)
	number("from", 100*q.From)
	number("to", 100*q.To)
	number("value", q.Value)
	flag("today", q.Today)
	flag("proposed", q.Proposed)
	flag("skipped", q.Skipped)
	return v
}
