package api

import (
	"context"
	"net/http"
	"time"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// OpenList is a page of the queue.
type OpenList struct {
	List[Plain[web.QueueItem]]
	Partial  bool   `json:"partial,omitempty" doc:"many did not match: next goes on looking"`
	Open     int    `json:"open" doc:"pairs that wait, whatever was asked for"`
	Currency string `json:"currency,omitempty" doc:"of values and damage"`
}

type openIn struct {
	Order    string  `query:"order" enum:"damage,score,oldest,name" default:"damage" doc:"damage: what a decision is worth, the most first"`
	Entity   string  `query:"entity" maxLength:"60"`
	Source   string  `query:"source" maxLength:"100" doc:"that either record comes from"`
	Other    string  `query:"other" maxLength:"100" doc:"with source: the other record's source"`
	From     float64 `query:"from" minimum:"0" maximum:"1" doc:"probability"`
	To       float64 `query:"to" minimum:"0" maximum:"1" doc:"0 is 1"`
	Value    float64 `query:"value" minimum:"0" maximum:"1e18" doc:"at risk at least"`
	Kind     string  `query:"kind" enum:"below,veto,bridge,group,stale"`
	Assigned string  `query:"assigned" maxLength:"100" doc:"me, nobody, or an account"`
	Due      string  `query:"due" enum:"overdue,today,week"`
	Text     string  `query:"text" maxLength:"200" doc:"a word of either customer, or an id"`
	Today    bool    `query:"today" doc:"of today's set alone"`
	Proposed bool    `query:"proposed" doc:"those that wait for a second account"`
	Skipped  bool    `query:"skipped" doc:"those that are put aside"`
	After    string  `query:"after" maxLength:"400"`
	Limit    int     `query:"limit" minimum:"1" maximum:"200" default:"20"`
}

func itemIDs(list []web.QueueItem) []string {
	ids := make([]string, len(list))
	for i, q := range list {
		ids[i] = q.ID
	}
	return ids
}

// queue is the pairs that wait, in the order of what a decision is worth.
func (x *api) queue() {
	const tag = "Review"
	add(x, op{http.MethodGet, "/reviews", "listReviews", "Pairs that wait for a person, in the queue's order", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *openIn) (*Body[OpenList], error) {
			p, err := x.app.OpenPairs(ctx, web.ReviewQuery{
				Order: in.Order, Entity: in.Entity, Source: in.Source, Other: in.Other, From: in.From, To: in.To, Value: in.Value, Kind: in.Kind, Assigned: in.Assigned,
				Due: in.Due, Text: in.Text, Today: in.Today, Proposed: in.Proposed, Skipped: in.Skipped, Me: auth.From(ctx).ID, After: in.After, Limit: in.Limit,
			})
			if err != nil {
				return nil, err
			}
			out := OpenList{List: List[Plain[web.QueueItem]]{Items: plain(p.Items), Next: p.Next}, Partial: p.Partial, Open: p.Open, Currency: p.Currency}
			return answer(out, x.seen(ctx, "read.review", itemIDs(p.Items)...))
		})
	type statsIn struct {
		Entity  string `query:"entity" maxLength:"60"`
		Minutes int    `query:"minutes" minimum:"0" maximum:"1440" doc:"0: the configured budget"`
	}
	add(x, op{http.MethodGet, "/reviews/stats", "getReviewStats", "What waits, and what so many minutes remove of the expected damage", auth.SeeCustomers, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *statsIn) (*Body[Plain[web.ReviewStats]], error) {
			s, err := x.app.ReviewStats(ctx, auth.From(ctx).ID, in.Entity, in.Minutes)
			return answer(Plain[web.ReviewStats]{s}, err)
		})
	add(x, op{http.MethodGet, "/reviews/{id}/effect", "previewReview", "What uniting a pair would do, in every system", auth.SeeCustomers, auth.ByPair, tag, 0},
		func(ctx context.Context, in *Named) (*Body[Plain[web.ChangePreview]], error) {
			p, err := x.app.PairEffect(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return answer(Plain[web.ChangePreview]{p}, x.seen(ctx, "read.pair", append(changed(p), in.ID)...))
		})
	type answerIn struct {
		Named
		Body struct {
			Answer string `json:"answer" enum:"same,apart,unsure"`
			Seen   string `json:"seen,omitempty" maxLength:"400" doc:"work.seen of the pair that the person looked at: nothing is decided when it has changed; without it, it is not checked"`
			Why    string `json:"why,omitempty" maxLength:"2000"`
			Over   bool   `json:"over,omitempty" doc:"withdraw earlier decisions that stand against it"`
		}
	}
	add(x, op{http.MethodPost, "/reviews/{id}/answer", "answerReview", "Answers a pair. state tells what became of it: decided, proposed (waits for a second account), or, with nothing written, already, changed, refused", auth.Decide, auth.ByPair, tag, 0},
		func(ctx context.Context, in *answerIn) (*Body[Plain[web.PairOutcome]], error) {
			out, err := x.app.AnswerPair(ctx, web.PairAnswer{ID: in.ID, Answer: in.Body.Answer, Seen: in.Body.Seen, Over: in.Body.Over}, pageBy(ctx, in.Body.Why))
			return answer(Plain[web.PairOutcome]{out}, err)
		})
	x.queueWork()
}

// queueWork is what else people do about a pair.
func (x *api) queueWork() {
	post := func(path, id, summary string) op {
		return op{http.MethodPost, "/reviews/{id}/" + path, id, summary, auth.Decide, auth.ByPair, "Review", http.StatusNoContent}
	}
	type assignIn struct {
		Named
		Body struct {
			To  string `json:"to" maxLength:"200" doc:"an account; empty for nobody"`
			Why string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	add(x, post("assign", "assignReview", "Gives a pair to an account"), func(ctx context.Context, in *assignIn) (*none, error) {
		return &none{}, x.app.AssignPair(ctx, in.ID, in.Body.To, pageBy(ctx, in.Body.Why))
	})
	type noteIn struct {
		Named
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"4000"`
		}
	}
	add(x, post("note", "noteReview", "Keeps a comment on a pair"), func(ctx context.Context, in *noteIn) (*none, error) {
		return &none{}, x.app.NotePair(ctx, in.ID, in.Body.Text, pageBy(ctx, ""))
	})
	type timeIn struct {
		Named
		Body struct {
			Until string `json:"until,omitempty" maxLength:"40" doc:"a moment in RFC 3339 or a day"`
			Why   string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	for _, act := range []struct {
		path, id, summary string
		do                func(*app.App, context.Context, string, time.Time, web.By) error
	}{
		{"skip", "skipReview", "Puts a pair aside until a time; without one it is back", (*app.App).SkipPair},
		{"due", "dueReview", "Sets until when a pair is to be decided; without a time the configured one holds", (*app.App).DuePair},
	} {
		add(x, post(act.path, act.id, act.summary), func(ctx context.Context, in *timeIn) (*none, error) {
			var until time.Time
			if in.Body.Until != "" {
				var err error
				if until, err = app.ParseDate(in.Body.Until); err != nil {
					return nil, wrong("body.until", "is no day and no moment")
				}
			}
			return &none{}, act.do(x.app, ctx, in.ID, until, pageBy(ctx, in.Body.Why))
		})
	}
	add(x, post("escalate", "escalateReview", "Hands a pair on to whom the configuration names"), func(ctx context.Context, in *only) (*none, error) {
		return &none{}, x.app.EscalatePair(ctx, in.ID, pageBy(ctx, in.Body.Why))
	})
	add(x, post("withdraw", "withdrawReview", "Takes back the answer that one proposed"), func(ctx context.Context, in *only) (*none, error) {
		return &none{}, x.app.WithdrawProposal(ctx, in.ID, pageBy(ctx, in.Body.Why))
	})
}
