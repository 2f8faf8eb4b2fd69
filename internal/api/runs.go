package api

import (
	"context"
	"net/http"
	"strconv"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// runs are the pulls of sources.
func (x *api) runs() {
	const tag = "Runs"
	type in struct {
		Source string `query:"source" maxLength:"100"`
		State  string `query:"state" enum:"running,done,failed,interrupted"`
		After  string `query:"after" maxLength:"100"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/runs", "listRuns", "Pulls of sources, newest first; to who has a scope how they went, without counts", auth.See, auth.NoValues, tag, 0},
		func(ctx context.Context, in *in) (*Body[List[Plain[web.RunItem]]], error) {
			p, err := x.app.Runs(ctx, web.RunFilter{Source: in.Source, State: in.State, After: in.After, Limit: in.Limit})
			return answer(List[Plain[web.RunItem]]{Items: plain(p.Rows), Next: p.Next}, err)
		})
	add(x, op{http.MethodGet, "/runs/{id}", "getRun", "One pull with what it said; to who has a scope how it went", auth.See, auth.NoValues, tag, 0},
		func(ctx context.Context, in *Named) (*Body[Plain[web.RunPage]], error) {
			p, err := x.app.RunPage(ctx, in.ID)
			return answer(Plain[web.RunPage]{p}, err)
		})
	type act struct {
		Source string `path:"source" maxLength:"100"`
		Body   struct {
			Why string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	for _, a := range []struct {
		path, id, summary string
		do                func(*app.App, context.Context, string, web.By) error
	}{
		{"run", "runSource", "Pulls a source at once", (*app.App).RunNow},
		{"stop", "stopSource", "Ends a source's pull between two pages", (*app.App).StopRun},
	} {
		add(x, op{http.MethodPost, "/sources/{source}/" + a.path, a.id, a.summary, auth.Operate, auth.WholeOnly, tag, http.StatusNoContent},
			func(ctx context.Context, in *act) (*none, error) {
				return &none{}, a.do(x.app, ctx, in.Source, pageBy(ctx, in.Body.Why))
			})
	}
}

// levels is how well sources and targets keep to what people count on.
func (x *api) levels() {
	add(x, op{http.MethodGet, "/levels", "getLevels", "Service levels of the last 30 days: the daemon, sources, targets, and the error budget left", auth.See, auth.Counts, "Runs", 0},
		func(ctx context.Context, _ *none) (*Body[Plain[web.Levels]], error) {
			l, err := x.app.Levels(ctx)
			return answer(Plain[web.Levels]{l}, err)
		})
}

// quality is how good the data is.
func (x *api) quality() {
	const tag = "Quality"
	add(x, op{http.MethodGet, "/quality", "getQuality", "What was counted last of every source, with the score; of who has a scope what is counted of their customers now", auth.See, auth.ByList, tag, 0},
		func(ctx context.Context, _ *none) (*Body[Plain[web.Quality]], error) {
			q, err := x.app.Quality(ctx)
			return answer(Plain[web.Quality]{q}, err)
		})
	type days struct {
		Days int `query:"days" minimum:"1" maximum:"400" default:"30"`
	}
	add(x, op{http.MethodGet, "/quality/trend", "getQualityTrend", "The score of the data over the last days, and what moved it", auth.See, auth.Counts, tag, 0},
		func(ctx context.Context, in *days) (*Body[Plain[web.Health]], error) {
			h, err := x.app.Health(ctx, in.Days)
			return answer(Plain[web.Health]{h}, err)
		})
	type field struct {
		Source string `path:"source" maxLength:"100"`
		Entity string `path:"entity" maxLength:"60"`
		Field  string `path:"field" maxLength:"100"`
	}
	add(x, op{http.MethodGet, "/quality/{source}/{entity}/{field}", "getFieldQuality", "What was counted of one field, without values", auth.See, auth.Counts, tag, 0},
		func(ctx context.Context, in *field) (*Body[Plain[web.FieldProfile]], error) {
			p, err := x.app.FieldProfile(ctx, in.Source, in.Entity, in.Field)
			return answer(Plain[web.FieldProfile]{p}, err)
		})
}

// audit is the trail.
func (x *api) audit() {
	const tag = "Audit"
	type in struct {
		Who     string `query:"who" maxLength:"200"`
		What    string `query:"what" maxLength:"100" doc:"an action, or the first word of several"`
		Subject string `query:"subject" maxLength:"600"`
		From    string `query:"from" maxLength:"40" doc:"a day or a moment"`
		To      string `query:"to" maxLength:"40"`
		After   int64  `query:"after" minimum:"0"`
		Limit   int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
	}
	add(x, op{http.MethodGet, "/audit", "listAudit", "The audit trail, newest first", auth.SeeAudit, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *in) (*Body[List[app.AuditRow]], error) {
			list, err := x.app.ListAudit(ctx, app.AuditQuery{Who: in.Who, What: in.What, Subject: in.Subject, From: in.From, To: in.To, Before: in.After}, in.Limit)
			out := List[app.AuditRow]{Items: append([]app.AuditRow{}, list...)}
			if len(list) == in.Limit {
				out.Next = strconv.FormatInt(list[len(list)-1].Seq, 10)
			}
			return answer(out, err)
		})
	add(x, op{http.MethodGet, "/audit/state", "getAuditState", "How the sealed chain stands: sealed, open, last checked", auth.SeeAudit, auth.WholeOnly, tag, 0},
		func(ctx context.Context, _ *none) (*Body[app.AuditState], error) {
			return answer(x.app.AuditState(ctx))
		})
}
