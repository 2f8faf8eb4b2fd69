package api

import (
	"context"
	"net/http"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// changed are the customers that a preview speaks of.
func changed(p web.ChangePreview) []string {
	ids := make([]string, 0, len(p.Customers))
	for _, c := range p.Customers {
		ids = append(ids, c.ID)
	}
	return ids
}

// previews say what a decision would do: worked out by the code that does it,
// in a transaction that is rolled back.
func (x *api) previews() {
	const tag = "Decisions"
	type preview = Body[Plain[web.ChangePreview]]
	show := func(ctx context.Context, p web.ChangePreview, err error) (*preview, error) {
		if err != nil {
			return nil, err
		}
		return answer(Plain[web.ChangePreview]{p}, x.seen(ctx, "read.customer", changed(p)...))
	}
	post := func(path, id, summary string) op {
		return op{http.MethodPost, "/decisions/" + path + "/preview", id, summary, auth.Decide, auth.ByList, tag, 0}
	}
	add(x, post("merge", "previewMerge", "What a merge would do, in every system"), func(ctx context.Context, in *struct{ Body two }) (*preview, error) {
		p, err := x.app.PreviewMerge(ctx, in.Body.A, in.Body.B, by(ctx, in.Body.Why, in.Body.Over))
		return show(ctx, p, err)
	})
	add(x, post("split", "previewSplit", "What a split would do, in every system"), func(ctx context.Context, in *struct{ Body splitOff }) (*preview, error) {
		p, err := x.app.PreviewSplit(ctx, in.Body.Records, in.Body.From, by(ctx, in.Body.Why, in.Body.Over))
		return show(ctx, p, err)
	})
	add(x, post("pin", "previewPin", "What a typed value would be pinned as"), func(ctx context.Context, in *struct{ Body pinning }) (*Body[app.TypedPin], error) {
		return answer(x.app.PreviewPin(ctx, app.PinRequest{Golden: in.Body.Golden, Field: in.Body.Field, Value: in.Body.Value}))
	})
	add(x, post("{id}/undo", "previewUndo", "What taking a decision back would do"), func(ctx context.Context, in *only) (*preview, error) {
		p, err := x.app.PreviewUndo(ctx, in.ID, by(ctx, in.Body.Why, false))
		return show(ctx, p, err)
	})
	add(x, op{http.MethodGet, "/decisions/{id}", "getDecision", "One decision with the customers its records stand with now, and its balance certificates", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *Named) (*Body[Plain[web.DecisionPage]], error) {
			p, err := x.app.DecisionPage(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			ids := []string{p.ID}
			for _, g := range p.Customers {
				ids = append(ids, g.ID)
			}
			return answer(Plain[web.DecisionPage]{p}, x.seen(ctx, "read.decision", ids...))
		})
}
