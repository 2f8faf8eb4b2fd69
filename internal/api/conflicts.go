package api

import (
	"context"
	"net/http"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// conflicts settle what was not written.
func (x *api) conflicts() {
	const tag = "Conflicts"
	type in struct {
		View   string `query:"view" enum:"conflict,rejected,dead,overwritten,flips" default:"conflict"`
		Target string `query:"target" maxLength:"100"`
		Path   string `query:"path" maxLength:"200" doc:"a field there"`
		After  string `query:"after" maxLength:"100"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/conflicts", "listConflicts", "Writes that only a person moves on, with what stood there, what stands there and what we want", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *in) (*Body[Plain[web.ConflictPage]], error) {
			p, err := x.app.ConflictPage(ctx, web.ConflictFilter{View: in.View, Target: in.Target, Path: in.Path, After: in.After, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			var ids []string
			for _, r := range p.Rows {
				ids = append(ids, r.ID, r.Golden)
			}
			for _, f := range p.Flips {
				ids = append(ids, f.Golden)
			}
			return answer(Plain[web.ConflictPage]{p}, x.seen(ctx, "read.conflicts", ids...))
		})
	type settle struct {
		Row  string `path:"row" maxLength:"100"`
		Body struct {
			How   string `json:"how" enum:"ours,theirs,typed,drop,back" doc:"ours is planned again; theirs and typed are pinned; drop leaves both as they are; back writes the value that a delivered write replaced"`
			Path  string `json:"path,omitempty" maxLength:"200" doc:"the field there: of typed, and of theirs where only one is taken"`
			Value string `json:"value,omitempty" maxLength:"10000" doc:"typed"`
			Why   string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	add(x, op{http.MethodPost, "/conflicts/{row}/settle", "settleConflict", "Settles one stuck write", auth.Repair, auth.ByList, tag, 0},
		func(ctx context.Context, in *settle) (*Body[Plain[app.Resolved]], error) {
			b := in.Body
			out, err := x.app.SettleStuck(ctx, app.Resolution{Row: in.Row, How: b.How, Path: b.Path, Value: b.Value}, by(ctx, b.Why, false))
			return answer(Plain[app.Resolved]{out}, err)
		})
	type allStuck struct {
		Body struct {
			State  string `json:"state" enum:"conflict,rejected,dead"`
			Target string `json:"target,omitempty" maxLength:"100"`
			Path   string `json:"path,omitempty" maxLength:"200"`
			Drop   bool   `json:"drop,omitempty" doc:"instead of planning them again"`
			Why    string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	type settled struct {
		Undo string `json:"undo,omitempty" doc:"POST /acts/{id}/undo takes it back by this"`
		Rows int    `json:"rows"`
	}
	add(x, op{http.MethodPost, "/conflicts/settle", "settleConflicts", "Plans all stuck writes of a kind again, or drops them, as one act", auth.Repair, auth.ByList, tag, 0},
		func(ctx context.Context, in *allStuck) (*Body[settled], error) {
			b := in.Body
			undo, n, err := x.app.SettleAll(ctx, app.StuckFilter{State: b.State, Target: b.Target, Path: b.Path}, b.Drop, by(ctx, b.Why, false))
			return answer(settled{undo, n}, err)
		})
}
