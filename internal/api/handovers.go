package api

import (
	"context"
	"net/http"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// Passing chooses the customers of one owner.
type Passing struct {
	Entity string `json:"entity" minLength:"1" maxLength:"100"`
	From   string `json:"from,omitempty" maxLength:"200" doc:"whose customers; those of nobody without it"`
	To     string `json:"to" minLength:"1" maxLength:"200"`
	Source string `json:"source,omitempty" maxLength:"100" doc:"only customers that this source has a record of"`
}

func (p Passing) query() web.HandoverQuery {
	return web.HandoverQuery{Entity: p.Entity, From: p.From, To: p.To, Source: p.Source}
}

// handovers pass customers from one owner to another, and say who looks after
// whom.
func (x *api) handovers() {
	const tag = "Hand-overs"
	type ownersIn struct {
		Entity string `query:"entity" maxLength:"100" default:"company"`
	}
	add(x, op{http.MethodGet, "/owners", "listOwners", "Who looks after how many customers", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *ownersIn) (*Body[Plain[web.OwnerList]], error) {
			o, err := x.app.Owners(ctx, in.Entity)
			if err != nil {
				return nil, err
			}
			return answer(Plain[web.OwnerList]{o}, x.seen(ctx, "read.owners", o.Entity))
		})
	type listIn struct {
		Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/handovers", "listHandovers", "What was passed on, the newest first", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *listIn) (*Body[List[Plain[web.HandoverRow]]], error) {
			list, err := x.app.Handovers(ctx, in.Limit)
			return answer(List[Plain[web.HandoverRow]]{Items: plain(list)}, err)
		})
	add(x, op{http.MethodPost, "/handovers/preview", "previewHandover", "What passing customers on would do", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *struct{ Body Passing }) (*Body[Plain[web.HandoverPreview]], error) {
			p, err := x.app.PreviewHandover(ctx, in.Body.query())
			if err != nil {
				return nil, err
			}
			return answer(Plain[web.HandoverPreview]{p}, x.seen(ctx, "read.owners", p.Shown()...))
		})
	type passIn struct {
		Body struct {
			Passing
			Token string `json:"token,omitempty" maxLength:"100" doc:"of the preview that the person saw: other customers by now are refused"`
			Why   string `json:"why" minLength:"1" maxLength:"2000"`
		}
	}
	type passed struct {
		Decision string `json:"decision" doc:"POST /decisions/{id}/undo takes all of it back"`
	}
	add(x, op{http.MethodPost, "/handovers", "handOver", "Passes the customers of one owner to another, by one decision", auth.Decide, auth.ByList, tag, 0},
		func(ctx context.Context, in *passIn) (*Body[passed], error) {
			id, err := x.app.HandOver(ctx, in.Body.query(), in.Body.Token, pageBy(ctx, in.Body.Why))
			return answer(passed{id}, err)
		})
	type oneIn struct {
		ID    string `path:"id" maxLength:"100"`
		After string `query:"after" maxLength:"20" pattern:"^[0-9]*$"`
		Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	}
	add(x, op{http.MethodGet, "/handovers/{id}", "getHandover", "The certificate: each customer, before, now, and what became of the writes", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *oneIn) (*Body[Plain[web.HandoverPage]], error) {
			p, err := x.app.HandoverPage(ctx, in.ID, in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			ids := []string{p.ID}
			for _, c := range p.Parts {
				ids = append(ids, c.Golden)
			}
			return answer(Plain[web.HandoverPage]{p}, x.seen(ctx, "read.handover", ids...))
		})
}

// valueMaps are values that count as another one.
func (x *api) valueMaps() {
	const tag = "Values"
	type in struct {
		Entity string `query:"entity" maxLength:"100" default:"company"`
		Field  string `query:"field" maxLength:"100"`
	}
	add(x, op{http.MethodGet, "/values", "listValues", "The values of a field with how many records have them, and which count as another one", auth.SeeCustomers, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *in) (*Body[Plain[web.ValuePage]], error) {
			p, err := x.app.ValueMaps(ctx, web.ValueQuery{Entity: in.Entity, Field: in.Field})
			if err != nil {
				return nil, err
			}
			return answer(Plain[web.ValuePage]{p}, x.seen(ctx, "read.values", p.Entity+"."+p.Field))
		})
	type mapping struct {
		Body struct {
			Entity  string `json:"entity" minLength:"1" maxLength:"100"`
			Field   string `json:"field" minLength:"1" maxLength:"100"`
			From    string `json:"from" minLength:"1" maxLength:"4096"`
			To      string `json:"to" minLength:"1" maxLength:"4096"`
			Preview bool   `json:"preview,omitempty" doc:"only count the records that have it now"`
			Why     string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	type mapped struct {
		Decision string     `json:"decision,omitempty"`
		Records  int        `json:"records" doc:"that have the value: now, or as of the time when they were counted"`
		AsOf     *time.Time `json:"as_of,omitempty" doc:"of a large store: when they were counted; absent before the first count"`
		AtMost   bool       `json:"at_most,omitempty" doc:"it is none of the most frequent values: there may be fewer records"`
		Counting bool       `json:"counting,omitempty" doc:"they are being counted anew"`
	}
	add(x, op{http.MethodPost, "/values", "mapValue", "A value of a field counts as another one", auth.Decide, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *mapping) (*Body[mapped], error) {
			q := web.ValueQuery{Entity: in.Body.Entity, Field: in.Body.Field, From: in.Body.From, To: in.Body.To}
			p, err := x.app.PreviewValue(ctx, q)
			out := mapped{Records: p.Records, AtMost: p.AtMost, Counting: p.Counting}
			if !p.At.IsZero() {
				out.AsOf = &p.At
			}
			if err != nil || in.Body.Preview {
				return answer(out, err)
			}
			out.Decision, err = x.app.MapValue(ctx, q, pageBy(ctx, in.Body.Why))
			return answer(out, err)
		})
	type countIn struct {
		Body struct {
			Entity string `json:"entity" minLength:"1" maxLength:"100"`
			Field  string `json:"field" minLength:"1" maxLength:"100"`
		}
	}
	add(x, op{http.MethodPost, "/values/count", "countValues", "Has the values of a field counted anew, where there are so many records that they are counted in the background", auth.SeeCustomers, auth.WholeOnly, tag, http.StatusNoContent},
		func(ctx context.Context, in *countIn) (*none, error) {
			return &none{}, x.app.CountValues(ctx, web.ValueQuery{Entity: in.Body.Entity, Field: in.Body.Field})
		})
}
