package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/short"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// Body is an answer.
type Body[T any] struct{ Body T }

func answer[T any](v T, err error) (*Body[T], error) {
	if err != nil {
		return nil, err
	}
	if l, is := any(&v).(interface{ shorten() }); is {
		l.shorten()
	}
	return &Body[T]{v}, nil
}

// listedBytes bounds each text of a list: what is longer is cut there, and whole
// where one thing is asked for.
const listedBytes = 4000

// shorten cuts the texts that are too long for a list, and says so at their ends.
func (l *List[T]) shorten() {
	short.Texts(&l.Items, listedBytes, func(left int) string { return fmt.Sprintf("… [%d more characters]", left) })
}

// List is one page of a list.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"ask again with after set to this for the next page"`
}

// ByID names a golden record.
type ByID struct {
	ID string `path:"id" maxLength:"600" doc:"golden id, also an old one, or a source record as source:id"`
}

// ListedCustomer is a golden record in a list.
type ListedCustomer struct {
	ID      string    `json:"id"`
	Entity  string    `json:"entity"`
	Name    string    `json:"name"`
	Members int       `json:"members" doc:"source records behind it"`
	Sources []string  `json:"sources"`
	Changed time.Time `json:"changed_at"`
}

// CustomerList is one page of golden records.
type CustomerList struct {
	List[ListedCustomer]
	Total int `json:"total" doc:"-1: too many to count"`
}

type customersIn struct {
	Q       string `query:"q" maxLength:"200" doc:"words of a name, an id, a phone number: as the page's search"`
	Entity  string `query:"entity" maxLength:"60"`
	Source  string `query:"source" maxLength:"100" doc:"with a record of this source"`
	Several bool   `query:"several" doc:"made of several source records"`
	Since   string `query:"since" maxLength:"40" pattern:"^(\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01]))?$" doc:"changed since this day (2006-01-02)"`
	After   string `query:"after" maxLength:"400"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type customerOut struct {
	ETag string `header:"ETag"`
	Body app.Shown
}

func (x *api) customers() {
	const tag = "Customers"
	add(x, op{http.MethodGet, "/customers", "listCustomers", "Search golden records", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *customersIn) (*Body[CustomerList], error) {
			q := web.CustomerQuery{Text: in.Q, Entity: in.Entity, Source: in.Source, Several: in.Several, Since: in.Since, After: in.After, Limit: in.Limit}
			p, err := x.app.Customers(ctx, q)
			if err != nil {
				return nil, err
			}
			out := CustomerList{List: List[ListedCustomer]{Items: []ListedCustomer{}, Next: p.Next}, Total: p.Total}
			ids := make([]string, 0, len(p.List))
			for _, g := range p.List {
				out.Items = append(out.Items, ListedCustomer{g.ID, g.Entity, g.Name, g.Members, g.Sources, g.Changed})
				ids = append(ids, g.ID)
			}
			return answer(out, x.seen(ctx, "read.customers", ids...))
		})
	type one struct {
		ByID
		Match string `header:"If-None-Match" maxLength:"100" doc:"ETag of an earlier answer: 304 where nothing has changed"`
	}
	add(x, op{http.MethodGet, "/customers/{id}", "getCustomer", "A golden record with its provenance and its source records", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *one) (*customerOut, error) {
			g, err := x.app.Golden(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			tag := etag(g.ID, g.Version)
			if in.Match == tag {
				return nil, huma.ErrorWithHeaders(huma.Status304NotModified(), http.Header{"Etag": {tag}})
			}
			return &customerOut{tag, g}, x.seen(ctx, "read.customer", g.ID)
		})
	type asOf struct {
		ByID
		At string `query:"at" required:"true" maxLength:"40" pattern:"^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])(T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d))?$" doc:"a day (its end, UTC) or a moment in RFC 3339"`
	}
	add(x, op{http.MethodGet, "/customers/{id}/as-of", "getCustomerAsOf", "A golden record as it was published at a time", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *asOf) (*Body[app.AsOf], error) {
			at, err := app.ParseDate(in.At)
			if err != nil {
				return nil, wrong("query.at", "is no day and no moment")
			}
			g, err := x.app.GoldenAt(ctx, in.ID, at)
			if err != nil {
				return nil, err
			}
			return answer(g, x.seen(ctx, "read.customer", g.ID))
		})
	type between struct {
		ByID
		From string `query:"from" required:"true" maxLength:"40" pattern:"^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])(T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d))?$"`
		To   string `query:"to" required:"true" maxLength:"40" pattern:"^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])(T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d))?$"`
	}
	add(x, op{http.MethodGet, "/customers/{id}/difference", "diffCustomer", "What changed in a golden record between two times", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *between) (*Body[app.GoldenDiff], error) {
			from, err1 := app.ParseDate(in.From)
			to, err2 := app.ParseDate(in.To)
			if err := errors.Join(err1, err2); err != nil {
				return nil, wrong("query.from", "and to must be days or moments")
			}
			d, err := x.app.GoldenDiff(ctx, in.ID, from, to)
			if err != nil {
				return nil, err
			}
			return answer(d, x.seen(ctx, "read.customer", d.From.ID, d.To.ID))
		})
	add(x, op{http.MethodGet, "/customers/{id}/history", "getCustomerHistory", "What happened to a golden record: published, joined, left, decided", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *ByID) (*Body[app.GoldenHistory], error) {
			h, err := x.app.GoldenHistory(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return answer(h, x.seen(ctx, "read.customer", h.ID, h.Now))
		})
	type eventsIn struct {
		ByID
		Source string `query:"source" maxLength:"100"`
		Kind   string `query:"kind" maxLength:"60"`
		Type   string `query:"type" maxLength:"60"`
		After  string `query:"after" maxLength:"100"`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	add(x, op{http.MethodGet, "/customers/{id}/events", "listCustomerEvents", "What happened with a customer in all systems, newest first", auth.SeeCustomers, auth.CustomerUnmasked, tag, 0},
		func(ctx context.Context, in *eventsIn) (*Body[List[app.ShownEvent]], error) {
			list, err := x.app.Events(ctx, app.EventQuery{Golden: in.ID, Source: in.Source, Kind: in.Kind, Type: in.Type, Before: in.After, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			out := List[app.ShownEvent]{Items: append([]app.ShownEvent{}, list...)}
			if len(list) == in.Limit {
				out.Next = list[len(list)-1].Place
			}
			return answer(out, x.seenNamed(ctx, "read.events", in.ID))
		})
	add(x, op{http.MethodGet, "/customers/{id}/totals", "getCustomerTotals", "A customer's events summed by type and currency", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *ByID) (*Body[[]store.EventTotal], error) {
			list, err := x.app.EventTotals(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return answer(append([]store.EventTotal{}, list...), x.seenNamed(ctx, "read.events", in.ID))
		})
	add(x, op{http.MethodGet, "/customers/{id}/relations", "getCustomerRelations", "What stands around a golden record", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *ByID) (*Body[app.ShownAround], error) {
			s, err := x.app.Around(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return answer(s, x.seenNamed(ctx, "read.customer", in.ID))
		})
	add(x, op{http.MethodGet, "/customers/{id}/how", "explainCustomer", "How a golden record came together, what was refused, and where it would part", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *ByID) (*Body[app.How], error) {
			h, err := x.app.How(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return answer(h, x.seen(ctx, "read.customer", h.Golden))
		})
}

// etag names one version of a golden record.
func etag(id string, version int) string { return `"` + id + "-" + strconv.Itoa(version) + `"` }
