package api

import (
	"context"
	"net/http"

	"touchstone/internal/app"
	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// repairs mend quarantined records.
func (x *api) repairs() {
	const tag = "Quarantine"
	type release struct {
		Named
		Body struct {
			Why string `json:"why" minLength:"1" maxLength:"2000" doc:"a release is a decision and keeps its reason"`
		}
	}
	add(x, op{http.MethodPost, "/quarantine/{id}/release", "release", "Lets a record pass in spite of its reasons", auth.Repair, auth.ByList, tag, 0},
		func(ctx context.Context, in *release) (*Body[app.Decided], error) {
			return answer(x.app.Release(ctx, in.ID, by(ctx, in.Body.Why, false)))
		})
	type mend struct {
		Named
		Body struct {
			Field  string `json:"field" minLength:"1" maxLength:"200"`
			Remedy string `json:"remedy" minLength:"1" maxLength:"200" doc:"one that the record's problems offer, or typed"`
			Value  string `json:"value,omitempty" maxLength:"10000" doc:"typed"`
			Why    string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	add(x, op{http.MethodPost, "/quarantine/{id}/repair", "repair", "Mends one field of a record, which is judged again at once; refused where the rules refuse the value too", auth.Repair, auth.ByList, tag, 0},
		func(ctx context.Context, in *mend) (*Body[Plain[app.RepairedRow]], error) {
			b := in.Body
			out, err := x.app.Repair(ctx, app.RepairRequest{Row: in.ID, Field: b.Field, Remedy: b.Remedy, Value: b.Value}, by(ctx, b.Why, false))
			return answer(Plain[app.RepairedRow]{out}, err)
		})
	add(x, op{http.MethodGet, "/faults", "listFaults", "Faults of the records that wait, the most frequent first", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, _ *none) (*Body[List[Plain[web.FaultGroup]]], error) {
			p, err := x.app.QuarantinePage(ctx, web.QuarantineFilter{State: "open", Limit: 1})
			if err != nil {
				return nil, err
			}
			var ids []string
			for _, f := range p.Faults {
				ids = append(ids, f.Sample)
			}
			return answer(List[Plain[web.FaultGroup]]{Items: plain(p.Faults)}, x.seen(ctx, "read.quarantine", ids...))
		})
	type faultIn struct {
		Fault  string `path:"fault" maxLength:"200"`
		Remedy string `query:"remedy" maxLength:"200" doc:"to be tried; without it the best"`
	}
	add(x, op{http.MethodGet, "/faults/{fault}", "getFault", "One fault, and what a remedy would make of the records that have it", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *faultIn) (*Body[Plain[web.FaultPage]], error) {
			p, err := x.app.FaultPage(ctx, in.Fault, in.Remedy)
			if err != nil {
				return nil, err
			}
			ids := []string{p.Sample}
			for _, row := range p.Rows {
				ids = append(ids, row.ID)
			}
			return answer(Plain[web.FaultPage]{p}, x.seen(ctx, "read.quarantine", ids...))
		})
	type allFaulty struct {
		Fault string `path:"fault" maxLength:"200"`
		Body  struct {
			Remedy   string `json:"remedy" minLength:"1" maxLength:"200"`
			Decision string `json:"decision,omitempty" maxLength:"100" doc:"of the part before, to go on with"`
			After    string `json:"after,omitempty" maxLength:"100" doc:"of the part before"`
			Why      string `json:"why,omitempty" maxLength:"2000"`
		}
	}
	add(x, op{http.MethodPost, "/faults/{fault}/repair", "repairAll", "Mends all records with a fault, some seconds' worth: ask again with decision and after until after is empty. All of it is one decision", auth.Repair, auth.ByList, tag, 0},
		func(ctx context.Context, in *allFaulty) (*Body[Plain[app.BulkRepaired]], error) {
			b := in.Body
			out, err := x.app.RepairAll(ctx, app.BulkRepair{Fault: in.Fault, Remedy: b.Remedy, Decision: b.Decision, After: b.After}, by(ctx, b.Why, false))
			return answer(Plain[app.BulkRepaired]{out}, err)
		})
	add(x, op{http.MethodPost, "/acts/{id}/undo", "undoAct", "Takes back a release, a repair or what was done with stuck writes", auth.Repair, auth.ByList, tag, 0},
		func(ctx context.Context, in *only) (*Body[app.Decided], error) {
			return answer(x.app.Undo(ctx, in.ID, by(ctx, in.Body.Why, false)))
		})
}
