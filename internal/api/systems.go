package api

import (
	"context"
	"encoding/json"
	"net/http"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/lookup"
)

// none is a request without anything to say.
type none struct{}

func (x *api) systems() {
	const tag = "Systems"
	add(x, op{http.MethodGet, "/status", "getStatus", "How sources, targets and queues are", auth.See, auth.Counts, tag, 0},
		func(ctx context.Context, _ *none) (*Body[app.Status], error) { return answer(x.app.Status(ctx)) })
	add(x, op{http.MethodGet, "/models", "listModels", "Match models with their figures, oldest first", auth.See, auth.NoValues, tag, 0},
		func(ctx context.Context, _ *none) (*Body[List[app.ListedModel]], error) {
			list, err := x.app.Models(ctx)
			return answer(List[app.ListedModel]{Items: append([]app.ListedModel{}, list...)}, err)
		})
	type modelIn struct {
		Name string `path:"name" maxLength:"200" doc:"version, or ENTITY/VERSION with %2F"`
		Body Reason
	}
	add(x, op{http.MethodPost, "/models/{name}/activate", "activateModel", "Puts a match model in force", auth.Approve, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *modelIn) (*Body[app.ListedModel], error) {
			return answer(x.app.ActivateModel(ctx, in.Name, auth.From(ctx).ID, in.Body.Why))
		})
}

// writes are what goes to the targets, one by one.
func (x *api) writes() {
	const tag = "Writes"
	type plansIn struct {
		Target string `query:"target" maxLength:"100"`
		State  string `query:"state" enum:"pending,inflight,unknown,delivered,rejected,conflict,dead,superseded" default:"pending"`
		Limit  int    `query:"limit" minimum:"0" maximum:"500" default:"100" doc:"writes of each target; the counts are of all"`
	}
	add(x, op{http.MethodGet, "/writes", "listWrites", "Writes in a state by target; pending ones are the plan", auth.SeeCustomers, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *plansIn) (*Body[List[app.PlanTarget]], error) {
			list, err := x.app.Plan(ctx, in.Target, in.State, in.Limit)
			if err != nil {
				return nil, err
			}
			var rows []string
			for _, t := range list {
				for _, w := range t.Writes {
					rows = append(rows, w.Row)
				}
			}
			return answer(List[app.PlanTarget]{Items: append([]app.PlanTarget{}, list...)}, x.seen(ctx, "read.writes", rows...))
		})
	type rows struct {
		Body struct {
			Why  string   `json:"why,omitempty" maxLength:"2000"`
			Rows []string `json:"rows" nullable:"false" minItems:"1" maxItems:"1000" doc:"ids of writes"`
		}
	}
	type done struct {
		Done int `json:"done"`
	}
	add(x, op{http.MethodPost, "/writes/retry", "retryWrites", "Plans writes again that were refused, in conflict or given up", auth.Repair, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *rows) (*Body[done], error) {
			n, err := x.app.Retry(ctx, in.Body.Rows, auth.From(ctx).ID, in.Body.Why)
			return answer(done{n}, err)
		})
	add(x, op{http.MethodPost, "/writes/drop", "dropWrites", "Takes writes out of the queue; the same is not planned again until something changes", auth.Repair, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *rows) (*Body[done], error) {
			n, err := x.app.Drop(ctx, in.Body.Rows, auth.From(ctx).ID, in.Body.Why)
			return answer(done{n}, err)
		})
}

// matching is look-ups: is a customer there already, and why are two one.
func (x *api) matching() {
	const tag = "Matching"
	type question struct {
		Body map[string]any `doc:"entity, and fields as source records have them: name, phones, emails, addresses …; limit"`
	}
	add(x, op{http.MethodPost, "/match", "match", "Is this customer there already? Nothing of the question is stored", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *question) (*Body[lookup.Answer], error) {
			q, err := x.app.OwnFields().Read("", in.Body)
			if err != nil {
				return nil, err
			}
			a, err := x.app.LookUp(ctx, q)
			if err != nil {
				return nil, err
			}
			var ids []string
			for _, c := range a.Candidates {
				ids = append(ids, c.Golden)
			}
			return answer(a, x.seen(ctx, "read.match", ids...))
		})
	type whyIn struct {
		A string `query:"a" required:"true" maxLength:"600"`
		B string `query:"b" required:"true" maxLength:"600"`
	}
	add(x, op{http.MethodGet, "/why", "why", "Why two records are one customer, or are not, and what would turn it", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *whyIn) (*Body[json.RawMessage], error) {
			v, ids, err := x.app.WhyShown(ctx, in.A, in.B)
			if err != nil {
				return nil, err
			}
			text, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			return answer(json.RawMessage(text), x.seen(ctx, "read.pair", ids...))
		})
	type relationsIn struct {
		Golden string `query:"golden" maxLength:"600"`
		Entity string `query:"entity" maxLength:"60"`
		Kind   string `query:"kind" maxLength:"60"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/relations/possible", "listPossibleRelations", "Relations that current records propose", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *relationsIn) (*Body[List[app.PossibleRelation]], error) {
			list, _, err := x.app.PossibleRelations(ctx, app.RelationQuery{Golden: in.Golden, Entity: in.Entity, Kind: in.Kind, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			var ids []string
			for _, r := range list {
				ids = append(ids, r.A, r.B)
			}
			return answer(List[app.PossibleRelation]{Items: append([]app.PossibleRelation{}, list...)}, x.seen(ctx, "read.relations", ids...))
		})
	type sharedIn struct {
		Entity string `query:"entity" required:"true" maxLength:"60"`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	add(x, op{http.MethodGet, "/identifiers/shared", "listSharedIdentifiers", "Values that too many names use to prove anything", auth.SeeCustomers, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *sharedIn) (*Body[List[app.SharedIdentifier]], error) {
			list, err := x.app.SharedIdentifiers(ctx, in.Entity, in.Limit)
			if err != nil {
				return nil, err
			}
			return answer(List[app.SharedIdentifier]{Items: append([]app.SharedIdentifier{}, list...)}, x.seen(ctx, "read.shared", in.Entity))
		})
}
