package api

import (
	"context"
	"net/http"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// pageBy says who acts, for what the pages act by.
func pageBy(ctx context.Context, why string) web.By {
	b := by(ctx, why, false)
	return web.By{Who: b.Who, Why: b.Why}
}

// Named names one thing.
type Named struct {
	ID string `path:"id" maxLength:"100"`
}

// only is a request whose body is a reason.
type only struct {
	Named
	Body struct {
		Why string `json:"why,omitempty" maxLength:"2000"`
	}
}

// Question chooses pairs for a bulk answer.
type Question struct {
	Answer   string  `json:"answer" enum:"same,apart"`
	Entity   string  `json:"entity,omitempty" maxLength:"60"`
	Source   string  `json:"source,omitempty" maxLength:"100"`
	Other    string  `json:"other,omitempty" maxLength:"100" doc:"with source: the other record's source"`
	From     float64 `json:"from,omitempty" minimum:"0" maximum:"1" doc:"probability"`
	To       float64 `json:"to,omitempty" minimum:"0" maximum:"1" doc:"0 is 1"`
	Value    float64 `json:"value,omitempty" minimum:"0" maximum:"1e18" doc:"at risk at least"`
	Kind     string  `json:"kind,omitempty" enum:",below,veto,bridge,group,stale"`
	Assigned string  `json:"assigned,omitempty" maxLength:"100"`
	Due      string  `json:"due,omitempty" enum:",overdue,today,week"`
	Text     string  `json:"text,omitempty" maxLength:"200"`
	Skipped  bool    `json:"skipped,omitempty"`
}

func (q Question) query(ctx context.Context) web.ReviewQuery {
	return web.ReviewQuery{
		Entity: q.Entity, Source: q.Source, Other: q.Other, From: q.From, To: q.To, Value: q.Value, Kind: q.Kind,
		Assigned: q.Assigned, Due: q.Due, Text: q.Text, Skipped: q.Skipped, Me: auth.From(ctx).ID,
	}
}

type startIn struct {
	Question
	Token string `json:"token" minLength:"1" maxLength:"200" doc:"of the preview: refused when other pairs wait by now"`
	Why   string `json:"why" minLength:"1" maxLength:"2000" doc:"kept with every decision"`
}

func (x *api) bulk() {
	const tag = "Review"
	add(x, op{http.MethodPost, "/bulk/preview", "previewBulk", "What one answer to all pairs of a question would do; nothing is changed", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *struct{ Body Question }) (*Body[Plain[web.BulkPreview]], error) {
			p, err := x.app.PreviewBulk(ctx, in.Body.query(ctx), in.Body.Answer)
			if err != nil {
				return nil, err
			}
			return answer(Plain[web.BulkPreview]{p}, x.seen(ctx, "read.review", itemIDs(p.Examples)...))
		})
	add(x, op{http.MethodPost, "/bulk", "startBulk", "Starts a bulk answer as it was previewed; the daemon works on it", auth.Decide, auth.ByList, tag, 0},
		func(ctx context.Context, in *struct{ Body startIn }) (*Body[Plain[web.BulkJob]], error) {
			j, err := x.app.StartBulk(ctx, in.Body.query(ctx), in.Body.Answer, in.Body.Token, pageBy(ctx, in.Body.Why))
			return answer(Plain[web.BulkJob]{j}, err)
		})
	type listIn struct {
		Limit int `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/bulk", "listBulk", "Bulk answers, newest first", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *listIn) (*Body[List[Plain[web.BulkJob]]], error) {
			list, err := x.app.BulkJobs(ctx, in.Limit)
			return answer(List[Plain[web.BulkJob]]{Items: plain(list)}, err)
		})
	add(x, op{http.MethodGet, "/bulk/{id}", "getBulk", "How far a bulk answer is", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *Named) (*Body[Plain[web.BulkJob]], error) {
			j, err := x.app.BulkJob(ctx, in.ID)
			return answer(Plain[web.BulkJob]{j}, err)
		})
	for _, act := range []struct {
		path, id, summary string
		do                func(*app.App, context.Context, string, web.By) (web.BulkJob, error)
	}{
		{"stop", "stopBulk", "Ends a bulk answer before its next pair", (*app.App).StopBulk},
		{"resume", "resumeBulk", "Lets a stopped bulk answer go on", (*app.App).ResumeBulk},
		{"undo", "undoBulk", "Takes back all that a bulk answer decided, as one act", (*app.App).UndoBulk},
	} {
		add(x, op{http.MethodPost, "/bulk/{id}/" + act.path, act.id, act.summary, auth.Decide, auth.ByList, tag, 0},
			func(ctx context.Context, in *only) (*Body[Plain[web.BulkJob]], error) {
				j, err := act.do(x.app, ctx, in.ID, pageBy(ctx, in.Body.Why))
				return answer(Plain[web.BulkJob]{j}, err)
			})
	}
}
