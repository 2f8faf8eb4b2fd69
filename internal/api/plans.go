package api

import (
	"context"
	"net/http"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// NamedTarget names a target.
type NamedTarget struct {
	Target string `path:"target" maxLength:"100"`
}

// planPart is a decision on a part of a plan.
type planPart struct {
	NamedTarget
	Body struct {
		Op    string `json:"op,omitempty" maxLength:"20" doc:"only these: create, update …"`
		Field string `json:"field,omitempty" maxLength:"200" doc:"only writes that touch this field of the target"`
		Upto  int64  `json:"upto" minimum:"0" doc:"last_seq of the plan that the person saw; 0 for all there is now"`
		Brake bool   `json:"brake,omitempty" doc:"it is meant to touch more than the brake allows"`
		Why   string `json:"why,omitempty" maxLength:"2000"`
	}
}

func (p planPart) decision() web.PlanDecision {
	return web.PlanDecision{Target: p.Target, Op: p.Body.Op, Field: p.Body.Field, Upto: p.Body.Upto, Brake: p.Body.Brake}
}

// plans are decided on as a whole or part by part.
func (x *api) plans() {
	const tag = "Plans"
	add(x, op{http.MethodGet, "/plans", "listPlans", "Every target with what waits to be written", auth.See, auth.Counts, tag, 0},
		func(ctx context.Context, _ *none) (*Body[List[Plain[web.PlanSummary]]], error) {
			list, err := x.app.Plans(ctx)
			return answer(List[Plain[web.PlanSummary]]{Items: plain(list)}, err)
		})
	type in struct {
		NamedTarget
		Op      string `query:"op" maxLength:"20"`
		Field   string `query:"field" maxLength:"200" doc:"a field of the target"`
		Refused bool   `query:"refused" doc:"what was refused instead"`
		After   string `query:"after" maxLength:"40" pattern:"^[0-9]*$"`
		Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/plans/{target}", "getPlan", "A target's plan: its parts, its fields, and the writes of a part", auth.SeeCustomers, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *in) (*Body[Plain[web.PlanPage]], error) {
			p, err := x.app.PlanPage(ctx, web.PlanQuery{Target: in.Target, Op: in.Op, Field: in.Field, Refused: in.Refused, After: in.After, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			var ids []string
			for _, r := range p.Rows {
				ids = append(ids, r.ID)
			}
			return answer(Plain[web.PlanPage]{p}, x.seen(ctx, "read.writes", ids...))
		})
	add(x, op{http.MethodPost, "/plans/{target}/approve", "approvePart", "Lets a part of a plan be written; the rest is held", auth.Approve, auth.WholeOnly, tag, http.StatusNoContent},
		func(ctx context.Context, in *planPart) (*none, error) {
			return &none{}, x.app.ApprovePlan(ctx, in.decision(), pageBy(ctx, in.Body.Why))
		})
	type refused struct {
		More bool `json:"more" doc:"more of the part is left: ask again"`
	}
	add(x, op{http.MethodPost, "/plans/{target}/refuse", "refusePart", "Drops a part of a plan; the reason is kept with each write", auth.Approve, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *planPart) (*Body[refused], error) {
			more, err := x.app.RefusePlan(ctx, in.decision(), pageBy(ctx, in.Body.Why))
			return answer(refused{more}, err)
		})
	type why struct {
		NamedTarget
		Body struct {
			Why string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	for _, act := range []struct {
		path, id, summary string
		do                func(*app.App, context.Context, string, web.By) error
	}{
		{"stop", "stopTarget", "Stops sending to a target", (*app.App).StopTarget},
		{"go", "goOnTarget", "Lets a stopped target go on", (*app.App).GoOnTarget},
	} {
		add(x, op{http.MethodPost, "/plans/{target}/" + act.path, act.id, act.summary, auth.Approve, auth.WholeOnly, tag, http.StatusNoContent},
			func(ctx context.Context, in *why) (*none, error) {
				return &none{}, act.do(x.app, ctx, in.Target, pageBy(ctx, in.Body.Why))
			})
	}
	add(x, op{http.MethodPost, "/writes/{id}/unrefuse", "unrefuseWrite", "Takes the refusal of a write back", auth.Approve, auth.WholeOnly, tag, http.StatusNoContent},
		func(ctx context.Context, in *only) (*none, error) {
			return &none{}, x.app.Unrefuse(ctx, in.ID, pageBy(ctx, in.Body.Why))
		})
}
