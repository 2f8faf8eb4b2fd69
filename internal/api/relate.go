package api

import (
	"context"
	"net/http"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// onDay asks about a customer as of a day.
type onDay struct {
	ByID
	Day string `query:"day" maxLength:"10" pattern:"^(\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01]))?$" doc:"2006-01-02; without it, today"`
}

// statement is what a person says of two customers.
type statement struct {
	Reason
	From   string `json:"from" minLength:"1" maxLength:"600"`
	Kind   string `json:"kind" minLength:"1" maxLength:"60"`
	To     string `json:"to" minLength:"1" maxLength:"600"`
	Title  string `json:"title,omitempty" maxLength:"800"`
	Role   string `json:"role,omitempty" maxLength:"60"`
	Stance string `json:"stance,omitempty" maxLength:"60"`
	Share  string `json:"share,omitempty" maxLength:"20" doc:"percent"`
	Since  string `json:"since,omitempty" maxLength:"10"`
	Until  string `json:"until,omitempty" maxLength:"10" doc:"its last day"`
}

// relations are what stands between customers.
func (x *api) relations() {
	const tag = "Relations"
	type related struct {
		Items []app.Relation `json:"items"`
		More  bool           `json:"more,omitempty" doc:"there are too many to list"`
	}
	add(x, op{http.MethodGet, "/customers/{id}/related", "listRelations", "Relations of a customer as of a day, of sources and of persons", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *onDay) (*Body[related], error) {
			list, more, err := x.app.RelationsOf(ctx, in.ID, in.Day)
			if err != nil {
				return nil, err
			}
			var ids []string
			for _, r := range list {
				ids = append(ids, r.A.ID, r.B.ID)
			}
			return answer(related{append([]app.Relation{}, list...), more}, x.seenNamed(ctx, "read.customer", in.ID, ids...))
		})
	add(x, op{http.MethodGet, "/customers/{id}/people", "getOrgChart", "The people of a company, each with the place (parent) of the manager in the list", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *onDay) (*Body[Plain[web.OrgChart]], error) {
			c, err := x.app.OrgChartPage(ctx, in.ID, in.Day)
			if err != nil {
				return nil, err
			}
			ids := []string{c.Company.ID}
			for _, p := range c.People {
				ids = append(ids, p.ID)
			}
			return answer(Plain[web.OrgChart]{c}, x.seen(ctx, "read.customer", ids...))
		})
	add(x, op{http.MethodGet, "/customers/{id}/group", "getGroupTree", "The group of a company, each with the place (parent) of the one above in the list", auth.SeeCustomers, auth.ByCustomer, tag, 0},
		func(ctx context.Context, in *onDay) (*Body[Plain[web.GroupTree]], error) {
			g, err := x.app.GroupTreePage(ctx, in.ID, in.Day)
			if err != nil {
				return nil, err
			}
			ids := []string{g.Company.ID}
			for _, n := range g.Nodes {
				ids = append(ids, n.ID)
			}
			return answer(Plain[web.GroupTree]{g}, x.seen(ctx, "read.customer", ids...))
		})
	add(x, op{http.MethodPost, "/relations", "relate", "States a relation between two customers", auth.Decide, auth.ByList, tag, 0},
		func(ctx context.Context, in *struct{ Body statement }) (*Body[app.Decided], error) {
			b := in.Body
			r := app.Relate{From: b.From, Kind: b.Kind, To: b.To, Title: b.Title, Role: b.Role, Stance: b.Stance, Share: b.Share, Since: b.Since, Until: b.Until}
			return answer(x.app.Relate(ctx, r, by(ctx, b.Why, b.Over)))
		})
	type end struct {
		Named
		Body struct {
			Until string `json:"until,omitempty" maxLength:"10" doc:"its last day; without it, today"`
			Why   string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	add(x, op{http.MethodPost, "/relations/{id}/end", "endRelation", "Says since when a person's statement holds no longer; id is its decision", auth.Decide, auth.ByList, tag, 0},
		func(ctx context.Context, in *end) (*Body[app.Decided], error) {
			return answer(x.app.EndRelation(ctx, in.ID, in.Body.Until, by(ctx, in.Body.Why, false)))
		})
	x.proposals()
}

// proposals are relations that current records propose.
func (x *api) proposals() {
	const tag = "Relations"
	type in struct {
		Entity string `query:"entity" maxLength:"60"`
		Kind   string `query:"kind" maxLength:"60"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"40"`
	}
	add(x, op{http.MethodGet, "/proposals", "listProposals", "Proposed relations, with what each can be stated as", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *in) (*Body[Plain[web.ProposalPage]], error) {
			p, err := x.app.ProposalPage(ctx, web.ProposalFilter{Entity: in.Entity, Kind: in.Kind, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			var ids []string
			for _, r := range p.Rows {
				ids = append(ids, r.A, r.B)
			}
			return answer(Plain[web.ProposalPage]{p}, x.seen(ctx, "read.proposals", ids...))
		})
	type accept struct {
		Body struct {
			Names []string `json:"names" nullable:"false" minItems:"1" maxItems:"40" doc:"of proposals"`
			As    string   `json:"as" minLength:"1" maxLength:"60" doc:"one of those that the proposals offer"`
			Why   string   `json:"why,omitempty" maxLength:"2000"`
		}
	}
	type accepted struct {
		Undo string `json:"undo,omitempty" doc:"POST /acts/{id}/undo takes all of it back by this"`
	}
	add(x, op{http.MethodPost, "/proposals/accept", "acceptProposals", "States relations for proposals", auth.Decide, auth.ByList, tag, 0},
		func(ctx context.Context, in *accept) (*Body[accepted], error) {
			d, err := x.app.AcceptProposals(ctx, in.Body.Names, in.Body.As, pageBy(ctx, in.Body.Why))
			return answer(accepted{d.Act()}, err)
		})
	type refuse struct {
		Body struct {
			Names []string `json:"names" nullable:"false" minItems:"1" maxItems:"200" doc:"of proposals"`
			Why   string   `json:"why,omitempty" maxLength:"2000"`
		}
	}
	add(x, op{http.MethodPost, "/proposals/refuse", "refuseProposals", "Says that proposed relations are none: they are not proposed again", auth.Decide, auth.ByList, tag, 0},
		func(ctx context.Context, in *refuse) (*Body[app.Decided], error) {
			return answer(x.app.RefuseRelations(ctx, in.Body.Names, by(ctx, in.Body.Why, false)))
		})
}
