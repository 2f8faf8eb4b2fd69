package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"touchstone/internal/app"
	"touchstone/internal/auth"
)

// Reason is what every decision carries.
type Reason struct {
	Why  string `json:"why,omitempty" maxLength:"2000" doc:"reason, kept with the decision"`
	Over bool   `json:"over,omitempty" doc:"withdraw the earlier decisions that stand against it; else it is refused with their names"`
}

// two names two records.
type two struct {
	Reason
	A string `json:"a" minLength:"1" maxLength:"600" doc:"golden id, or a source record as source:id or source/entity/id"`
	B string `json:"b" minLength:"1" maxLength:"600"`
}

// splitOff names what leaves a golden record.
type splitOff struct {
	Reason
	From    string   `json:"from" minLength:"1" maxLength:"600" doc:"the golden record they leave"`
	Records []string `json:"records" nullable:"false" minItems:"1" maxItems:"1000" doc:"source records"`
}

// pinning is a person's word on a field.
type pinning struct {
	Reason
	Golden string `json:"golden" minLength:"1" maxLength:"600"`
	Field  string `json:"field" minLength:"1" maxLength:"100"`
	Value  string `json:"value,omitempty" maxLength:"10000" doc:"as typed"`
	Pick   string `json:"pick,omitempty" maxLength:"600" doc:"instead of value: the source record whose value is taken"`
	Until  string `json:"until,omitempty" maxLength:"40" pattern:"^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])(T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d+)?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d))?$" doc:"a day or a moment at which it ends; without it, it holds for good"`
}

// unpinning ends the pins on a field.
type unpinning struct {
	Reason
	Golden string `json:"golden" minLength:"1" maxLength:"600"`
	Field  string `json:"field" minLength:"1" maxLength:"100"`
}

type decisionsIn struct {
	State string `query:"state" enum:"in force,stale,pending,withdrawn" doc:"only these"`
	After int64  `query:"after" minimum:"0"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func (x *api) decisions() {
	const tag = "Decisions"
	add(x, op{http.MethodGet, "/decisions", "listDecisions", "Decisions of people, oldest first", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *decisionsIn) (*Body[List[app.ShownDecision]], error) {
			list, next, err := x.app.DecisionsPart(ctx, in.State, in.After, in.Limit)
			if err != nil {
				return nil, err
			}
			out := List[app.ShownDecision]{Items: append([]app.ShownDecision{}, list...)}
			ids := make([]string, 0, len(list))
			for _, d := range list {
				ids = append(ids, d.ID)
			}
			if next != 0 {
				out.Next = strconv.FormatInt(next, 10)
			}
			return answer(out, x.seen(ctx, "read.decisions", ids...))
		})
	type pair struct{ Body two }
	post := func(path, id, summary string) op {
		return op{http.MethodPost, "/decisions/" + path, id, summary, auth.Decide, auth.ByList, tag, 0}
	}
	add(x, post("merge", "merge", "Two golden records are one customer"), func(ctx context.Context, in *pair) (*Body[app.Decided], error) {
		return answer(x.app.Merge(ctx, in.Body.A, in.Body.B, by(ctx, in.Body.Why, in.Body.Over)))
	})
	add(x, post("apart", "keepApart", "Two golden records are two customers"), func(ctx context.Context, in *pair) (*Body[app.Decided], error) {
		return answer(x.app.Apart(ctx, in.Body.A, in.Body.B, by(ctx, in.Body.Why, in.Body.Over)))
	})
	add(x, post("unsure", "unsure", "Takes a pair out of the queue without any effect on customers"), func(ctx context.Context, in *pair) (*Body[app.Decided], error) {
		return answer(x.app.Unsure(ctx, in.Body.A, in.Body.B, by(ctx, in.Body.Why, in.Body.Over)))
	})
	add(x, post("split", "split", "Source records are another customer than the rest"), func(ctx context.Context, in *struct{ Body splitOff }) (*Body[app.Decided], error) {
		return answer(x.app.Split(ctx, in.Body.Records, in.Body.From, by(ctx, in.Body.Why, in.Body.Over)))
	})
	type pinIn struct {
		Match string `header:"If-Match" maxLength:"100" doc:"ETag of the golden record that the person saw"`
		Body  pinning
	}
	add(x, post("pin", "pin", "A value that wins over every source"), func(ctx context.Context, in *pinIn) (*Body[app.Decided], error) {
		b := in.Body
		r := app.PinRequest{Golden: b.Golden, Field: b.Field, Value: b.Value, Pick: b.Pick}
		if b.Until != "" {
			until, err := app.ParseDate(b.Until)
			if err != nil {
				return nil, wrong("body.until", "is no day and no moment")
			}
			r.Until = until
			if !until.After(x.opts.Env.Clock.Now().Add(-time.Minute)) {
				return nil, wrong("body.until", "is past")
			}
		}
		if err := x.unchanged(ctx, b.Golden, in.Match); err != nil {
			return nil, err
		}
		return answer(x.app.Pin(ctx, r, by(ctx, b.Why, b.Over)))
	})
	add(x, post("unpin", "unpin", "Ends every pin on a field"), func(ctx context.Context, in *struct{ Body unpinning }) (*Body[app.Decided], error) {
		return answer(x.app.Unpin(ctx, in.Body.Golden, in.Body.Field, by(ctx, in.Body.Why, in.Body.Over)))
	})
	type undoIn struct {
		ID   string `path:"id" maxLength:"100"`
		Body Reason
	}
	add(x, post("{id}/undo", "undo", "Takes a decision back, also an undo"), func(ctx context.Context, in *undoIn) (*Body[app.Decided], error) {
		return answer(x.app.Undo(ctx, in.ID, by(ctx, in.Body.Why, in.Body.Over)))
	})
}

// unchanged refuses with 412 where a golden record is no longer what the person
// saw.
func (x *api) unchanged(ctx context.Context, id, match string) error {
	if match == "" {
		return nil
	}
	if err := x.app.ReachCustomer(ctx, id); err != nil {
		return err
	}
	g, err := x.app.Golden(ctx, id)
	if err != nil {
		return err
	}
	if etag(g.ID, g.Version) != match {
		return &Problem{Status: http.StatusPreconditionFailed, Detail: "the golden record has changed since it was read; read it again"}
	}
	return nil
}
