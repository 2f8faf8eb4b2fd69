package api

import (
	"context"
	"net/http"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// NamedTrial names a trial.
type NamedTrial struct {
	ID string `path:"id" maxLength:"100"`
}

// trialIn asks for a trial.
type trialIn struct {
	Body struct {
		Entity     string  `json:"entity" minLength:"1" maxLength:"100"`
		Version    string  `json:"version,omitempty" maxLength:"200" doc:"of a model; the one in force without it"`
		Link       float64 `json:"link,omitempty" minimum:"0" maximum:"1" doc:"probability from which records are linked; the one in force without it"`
		Review     float64 `json:"review,omitempty" minimum:"0" maximum:"1" doc:"probability from which pairs are shown to a person; the one in force without it"`
		Configured bool    `json:"configured,omitempty" doc:"the thresholds of the configuration"`
		Train      bool    `json:"train,omitempty" doc:"fit a model first, from the records and what people decided, and try that one; without version"`
		Why        string  `json:"why,omitempty" maxLength:"2000"`
	}
}

// trials are changes of models and thresholds: worked out beside the store,
// approved, and taken back.
func (x *api) trials() {
	const tag = "Models"
	type listIn struct {
		Entity string `query:"entity" maxLength:"100"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/trials", "listTrials", "What was tried, the newest first", auth.See, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *listIn) (*Body[List[Plain[web.TrialItem]]], error) {
			list, err := x.app.Trials(ctx, in.Entity, in.Limit)
			return answer(List[Plain[web.TrialItem]]{Items: plain(list)}, err)
		})
	type asked struct {
		ID string `json:"id"`
	}
	add(x, op{http.MethodPost, "/trials", "askTrial", "Has another model or other thresholds worked out beside the store", auth.Approve, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *trialIn) (*Body[asked], error) {
			b := in.Body
			id, err := x.app.AskTrial(ctx, web.TrialAsked{Entity: b.Entity, Version: b.Version, Link: b.Link, Review: b.Review, Configured: b.Configured, Train: b.Train}, pageBy(ctx, b.Why))
			return answer(asked{id}, err)
		})
	add(x, op{http.MethodGet, "/trials/{id}", "getTrial", "A trial with its plan: merges, splits, fields, writes per system, pairs next to the threshold", auth.SeeCustomers, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *NamedTrial) (*Body[Plain[web.TrialPage]], error) {
			p, err := x.app.TrialPage(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			return answer(Plain[web.TrialPage]{p}, x.seen(ctx, "read.trial", in.ID))
		})
	type taking struct {
		NamedTrial
		Body struct {
			Brake bool   `json:"brake,omitempty" doc:"it is meant to change more golden records than the brake allows"`
			Why   string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	add(x, op{http.MethodPost, "/trials/{id}/take", "takeTrial", "Puts in force what was tried", auth.Approve, auth.WholeOnly, tag, http.StatusNoContent},
		func(ctx context.Context, in *taking) (*none, error) {
			return &none{}, x.app.TakeTrial(ctx, in.ID, in.Body.Brake, pageBy(ctx, in.Body.Why))
		})
	type why struct {
		NamedTrial
		Body struct {
			Why string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	for _, act := range []struct {
		path, id, summary string
		do                func(*app.App, context.Context, string, web.By) error
	}{
		{"refuse", "refuseTrial", "Drops a trial; the work on it ends", (*app.App).RefuseTrial},
		{"undo", "undoTrial", "Puts in force again what was before", (*app.App).UndoTrial},
	} {
		add(x, op{http.MethodPost, "/trials/{id}/" + act.path, act.id, act.summary, auth.Approve, auth.WholeOnly, tag, http.StatusNoContent},
			func(ctx context.Context, in *why) (*none, error) {
				return &none{}, act.do(x.app, ctx, in.ID, pageBy(ctx, in.Body.Why))
			})
	}
	type scoresIn struct {
		Entity string  `path:"entity" maxLength:"100"`
		Link   float64 `query:"link" minimum:"0" maximum:"1"`
		Review float64 `query:"review" minimum:"0" maximum:"1"`
	}
	add(x, op{http.MethodGet, "/thresholds/{entity}", "getThresholds", "The thresholds in force, the pairs by weight, and what other thresholds would make of them", auth.See, auth.WholeOnly, tag, 0},
		func(ctx context.Context, in *scoresIn) (*Body[Plain[web.Scores]], error) {
			s, err := x.app.Scores(ctx, in.Entity, in.Link, in.Review)
			return answer(Plain[web.Scores]{s}, err)
		})
}
