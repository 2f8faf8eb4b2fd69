package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/short"
)

func (s *server) customerRoutes(m *routes) {
	m.handle("GET /customers", auth.SeeCustomers, auth.ByList, s.customers)
	m.handle("GET /customers.csv", auth.Export, auth.ByList, s.customersExport)
	m.handle("POST /customers/views", auth.SeeCustomers, auth.ByList, s.saveView(customerViews(), s.showCustomers))
	m.handle("POST /customers/views/{id}/drop", auth.SeeCustomers, auth.NoValues, s.dropView(customerViews()))
	m.handle("GET /customers/{id}", auth.SeeCustomers, auth.ByCustomer, s.customer)
	m.handle("GET /customers/{id}/timeline", auth.SeeCustomers, auth.ByCustomer, s.timeline)
	m.handle("GET /customers/{id}/timeline.csv", auth.Export, auth.ByCustomer, s.timelineExport)
	m.handle("GET /customers/{id}/fields/{field}", auth.SeeCustomers, auth.ByCustomer, s.field)
	m.handle("GET /customers/{id}/fields/{field}/value", auth.SeeCustomers, auth.WholeOnly, s.fieldValue)
	m.handle("POST /customers/{id}/fields/{field}/pin", auth.Decide, auth.ByCustomer, s.pinField)
	m.handle("POST /customers/{id}/fields/{field}/unpin", auth.Decide, auth.ByCustomer, s.unpinField)
	m.handle("GET /customers/{id}/record", auth.SeeCustomers, auth.CustomerUnmasked, s.memberRecord)
	m.handle("GET /customers/{id}/record/raw", auth.SeeCustomers, auth.WholeOnly, s.memberRaw)
	m.handle("GET /customers/{id}/relations", auth.SeeCustomers, auth.ByCustomer, s.relations)
	m.handle("POST /customers/{id}/relations", auth.Decide, auth.ByCustomer, s.stateRelation)
	m.handle("POST /customers/{id}/relations/{decision}/end", auth.Decide, auth.ByCustomer, s.endRelation)
	m.handle("GET /customers/{id}/people", auth.SeeCustomers, auth.ByCustomer, s.orgChart)
	m.handle("POST /customers/{id}/people", auth.Decide, auth.ByCustomer, s.relatePerson)
	m.handle("GET /customers/{id}/group", auth.SeeCustomers, auth.ByCustomer, s.group)
}

// customersShown is how many golden records one page lists.
const customersShown = 50

type customersView struct {
	page
	CustomerPage
	Q     CustomerQuery
	Saved viewsPart
}

func customerQuery(r *http.Request) CustomerQuery {
	v := r.URL.Query()
	return CustomerQuery{
		Text: cutText(v.Get("q"), 200), Entity: v.Get("entity"), Source: v.Get("source"), Several: v.Get("several") != "",
		Since: v.Get("since"), After: v.Get("after"), Limit: customersShown,
	}
}

func (s *server) customers(w http.ResponseWriter, r *http.Request) {
	s.showCustomers(w, r, http.StatusOK, viewForm{})
}

func (s *server) showCustomers(w http.ResponseWriter, r *http.Request, status int, form viewForm) {
	if !s.seen(w, r, "read.customers") {
		return
	}
	q := customerQuery(r)
	v, ok := load(s, w, r, func(ctx context.Context) (v customersView, err error) {
		if v.CustomerPage, err = s.data.Customers(ctx, q); err == nil {
			v.Saved, err = s.viewsPart(ctx, customerViews(), r.URL.Query(), form)
		}
		return v, err
	})
	if !ok {
		return
	}
	ids := make([]string, 0, len(v.List)+1)
	for _, g := range v.List {
		ids = append(ids, g.ID)
	}
	if v.Direct != "" && !slices.Contains(ids, v.Direct) {
		ids = append(ids, v.Direct)
	}
	if s.seen(w, r, "read.customers", ids...) {
		v.page, v.Q = s.page(w, r, "customers"), q
		s.render(w, r, status, "customers.html", v)
	}
}

// customersExport is the list as a table for a spreadsheet. Who took it is kept
// before the first row leaves.
func (s *server) customersExport(w http.ResponseWriter, r *http.Request) {
	q := customerQuery(r)
	if !s.seen(w, r, "read.customers.export", customerViews().keep(r.URL.Query()).Encode()) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportBound)
	defer cancel()
	names := []string{"name", "legal_name", "full_name", "phones", "emails", "website", "addresses", "country", "ids"}
	write, end := s.sheet(w, "customers.csv", append([]string{"golden_id", "kind", "records", "sources", "changed"}, names...)...)
	defer end()
	cut, err := s.data.EachCustomer(ctx, q, func(g Golden) error {
		row := []string{g.ID, g.Entity, count(g.Members), strings.Join(g.Sources, " "), g.Changed.UTC().Format(time.RFC3339)}
		for _, name := range names {
			value := ""
			for _, f := range g.Fields {
				if f.Name == name {
					value = f.Value
				}
			}
			row = append(row, value)
		}
		return write(row...)
	})
	switch {
	case err != nil:
		s.opts.Log.ErrorContext(ctx, "export ended early", "path", r.URL.Path, "err", err)
		_ = write("the list ends here: it could not be read to its end")
	case cut:
		_ = write("there are more: narrow the list, or take all with touchstone export")
	}
}

type customerView struct {
	page
	Customer
	LinkFalls [][]fall
	Timeline  Timeline
	TQ        TimelineQuery
	Relations RelationsPage
	At        *CustomerAt
	Day, From string
	Today     string
	Wrong     string // with the day
}

// customerTimeline is how many rows of the timeline the page of a customer shows.
const customerTimeline = 25

func (s *server) customer(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.customer") {
		return
	}
	q := r.URL.Query()
	v := customerView{Day: q.Get("day"), From: q.Get("from"), TQ: timelineQuery(r, customerTimeline)}
	v, ok := load(s, w, r, func(ctx context.Context) (customerView, error) {
		var err error
		if v.Customer, err = s.data.Customer(ctx, r.PathValue("id")); err != nil {
			return v, err
		}
		if v.Timeline, err = s.data.Timeline(ctx, v.ID, v.TQ); err != nil {
			return v, err
		}
		if v.Relations, err = s.data.Relations(ctx, v.ID, ""); err != nil || v.Day == "" {
			return v, err
		}
		at, err := s.data.CustomerAt(ctx, v.ID, v.Day, v.From)
		if p, told := s.refusal(r, err); told {
			v.Wrong = p.Text
			return v, nil
		}
		v.At = &at
		return v, err
	})
	if !ok || !s.seen(w, r, "read.customer", v.ID) {
		return
	}
	v.page = s.page(w, r, "customers")
	v.Today = v.Now.UTC().Format(time.DateOnly)
	for _, l := range v.Links {
		v.LinkFalls = append(v.LinkFalls, waterfall(l))
	}
	status := http.StatusOK
	if v.Wrong != "" {
		status = http.StatusUnprocessableEntity
	}
	s.render(w, r, status, "customer.html", v)
}

type fieldView struct {
	page
	FieldPage
	Typed PinForm
	Why   string
	Wrong Problem
}

func (s *server) field(w http.ResponseWriter, r *http.Request) {
	s.showField(w, r, http.StatusOK, Problem{})
}

func (s *server) showField(w http.ResponseWriter, r *http.Request, status int, wrong Problem) {
	data, ok := look(s, w, r, "read.customer", func(ctx context.Context) (FieldPage, error) {
		return s.data.CustomerField(ctx, r.PathValue("id"), r.PathValue("field"))
	}, func(p FieldPage) []string { return []string{p.ID} })
	if ok {
		v := fieldView{page: s.page(w, r, "customers"), FieldPage: data, Wrong: wrong, Why: r.PostForm.Get("why")}
		v.Typed = PinForm{Value: r.PostForm.Get("value"), Pick: r.PostForm.Get("pick"), Until: r.PostForm.Get("until")}
		s.render(w, r, status, "field.html", v)
	}
}

// fieldValue is the whole value of a field, for a file.
func (s *server) fieldValue(w http.ResponseWriter, r *http.Request) {
	if !s.seen(w, r, "read.customer") {
		return
	}
	data, ok := whole(s, w, r, func(ctx context.Context) (FieldPage, error) {
		return s.data.CustomerField(ctx, r.PathValue("id"), r.PathValue("field"))
	})
	if ok && s.seen(w, r, "read.customer", data.ID) {
		s.file(w, "text/plain", "value.txt")
		s.send(w, r, data.Field.Value)
	}
}

// fieldAddress is the page of one field.
func fieldAddress(r *http.Request) string {
	return "/customers/" + url.PathEscape(r.PathValue("id")) + "/fields/" + url.PathEscape(r.PathValue("field"))
}

func (s *server) pinField(w http.ResponseWriter, r *http.Request) {
	if !s.form(w, r) {
		return
	}
	in := wordsOf(r)
	s.act(w, r, fieldAddress(r), func(ctx context.Context, by By) (Done, error) {
		if by.Why == "" {
			return Done{}, &Problem{Field: "why", Text: in.T("field.unreasoned")}
		}
		f := PinForm{ID: r.PathValue("id"), Field: r.PathValue("field"), Until: strings.TrimSpace(r.PostForm.Get("until"))}
		if f.Pick = r.PostForm.Get("pick"); f.Pick == "" {
			f.Value, f.Seen = r.PostForm.Get("value"), r.PostForm.Get("seen")
		}
		return s.data.PinField(ctx, f, by)
	}, func(p Problem) { s.showField(w, r, http.StatusUnprocessableEntity, p) })
}

func (s *server) unpinField(w http.ResponseWriter, r *http.Request) {
	s.act(w, r, fieldAddress(r), func(ctx context.Context, by By) (Done, error) {
		return s.data.UnpinField(ctx, r.PathValue("id"), r.PathValue("field"), by)
	}, nil)
}

type memberView struct {
	page
	MemberRecord
	Ref string
}

// rawShown bounds a source record on a page, in bytes.
const rawShown = 64 << 10

func (s *server) memberRecord(w http.ResponseWriter, r *http.Request) {
	data, ok := s.memberOf(w, r)
	if !ok {
		return
	}
	in := wordsOf(r)
	raw := make([]string, len(data.Versions))
	for i, v := range data.Versions {
		raw[i] = short.Text(v.Raw, rawShown/len(data.Versions)+shownBytes, func(left int) string { return in.N("cut", left) })
	}
	shorten(r, &data)
	for i := range raw {
		data.Versions[i].Raw = raw[i]
	}
	s.render(w, r, http.StatusOK, "member.html", memberView{s.page(w, r, "customers"), data, r.URL.Query().Get("ref")})
}

func (s *server) memberOf(w http.ResponseWriter, r *http.Request) (data MemberRecord, ok bool) {
	if !s.seen(w, r, "read.customer") {
		return data, false
	}
	data, ok = whole(s, w, r, func(ctx context.Context) (MemberRecord, error) {
		return s.data.MemberRecord(ctx, r.PathValue("id"), r.URL.Query().Get("ref"))
	})
	return data, ok && s.seen(w, r, "read.customer", data.ID)
}

// memberRaw is one version of a source record as it came, for a file.
func (s *server) memberRaw(w http.ResponseWriter, r *http.Request) {
	data, ok := s.memberOf(w, r)
	if !ok {
		return
	}
	for _, v := range data.Versions {
		if strconv.Itoa(v.N) == r.URL.Query().Get("version") {
			s.file(w, "application/json", "record.json")
			s.send(w, r, v.Raw)
			return
		}
	}
	s.notFound(w, r)
}
