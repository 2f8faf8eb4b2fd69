package api

import (
	"context"
	"net/http"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/web"
)

// ReviewSide is one record of a pair.
type ReviewSide struct {
	Record  string `json:"record"`
	Name    string `json:"name"`
	Golden  string `json:"golden"`
	Deleted bool   `json:"deleted,omitempty"`
}

// Evidence is one part of a weight, as matching.Part writes it too.
type Evidence struct {
	Field string  `json:"field"`
	Level string  `json:"level"`
	A     string  `json:"a,omitempty"`
	B     string  `json:"b,omitempty"`
	Bits  float64 `json:"weight_bits"`
}

// ReviewPair is two source records that wait for a person.
type ReviewPair struct {
	ID          string                 `json:"id"`
	Entity      string                 `json:"entity"`
	A           ReviewSide             `json:"a"`
	B           ReviewSide             `json:"b"`
	Bits        float64                `json:"weight_bits"`
	Threshold   float64                `json:"link_bits" doc:"from which pairs are merged"`
	Probability float64                `json:"probability"`
	Why         string                 `json:"why" enum:"veto,merged,below,bridge,group" doc:"why it is not merged"`
	Veto        string                 `json:"veto,omitempty"`
	Shared      []string               `json:"shared_keys"`
	Evidence    []Evidence             `json:"evidence"`
	Fields      []Plain[web.PairField] `json:"fields"`
	Work        Plain[web.PairWork]    `json:"work" doc:"what people have done about it"`
}

func reviewPair(p web.Pair) ReviewPair {
	side := func(s web.Side) ReviewSide { return ReviewSide{s.Source + ":" + s.ID, s.Name, s.Golden, s.Deleted} }
	out := ReviewPair{
		ID: p.ID, Entity: p.Entity, A: side(p.A), B: side(p.B), Bits: p.Bits, Threshold: p.Threshold, Probability: p.Probability,
		Why: p.Why(), Veto: p.Veto, Shared: append([]string{}, p.Shared...), Evidence: []Evidence{}, Fields: plain(p.Fields),
	}
	for _, e := range p.Evidence {
		out.Evidence = append(out.Evidence, Evidence{e.Field, e.Level, e.A, e.B, e.Bits})
	}
	return out
}

func (x *api) reviews() {
	const tag = "Review"
	add(x, op{http.MethodGet, "/reviews/{id}", "getReview", "One pair, weighed", auth.SeeCustomers, auth.ByPair, tag, 0},
		func(ctx context.Context, in *Named) (*Body[ReviewPair], error) {
			// What an answer is about is read before the values: who sends it with the
			// answer has then seen all that it stands for.
			work, err := x.app.PairWork(ctx, in.ID, auth.From(ctx).ID)
			if err != nil {
				return nil, err
			}
			p, err := x.app.PairPage(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			out := reviewPair(p)
			out.Work = Plain[web.PairWork]{work}
			return answer(out, x.seen(ctx, "read.pair", p.ID, p.A.Golden, p.B.Golden))
		})
}

// QuarantineReason is one ground for a quarantine.
type QuarantineReason struct {
	Rule   string `json:"rule"`
	Field  string `json:"field"`
	Value  string `json:"value"`
	Text   string `json:"text"`
	Remedy string `json:"remedy"`
}

// Quarantined is a record that did not pass.
type Quarantined struct {
	ID       string                `json:"id"`
	Source   string                `json:"source"`
	Entity   string                `json:"entity"`
	Record   string                `json:"record"`
	Place    string                `json:"place,omitempty"`
	State    string                `json:"state"`
	Version  int                   `json:"version"`
	At       time.Time             `json:"at"`
	Who      string                `json:"who,omitempty"`
	Why      string                `json:"why,omitempty"`
	Reasons  []QuarantineReason    `json:"reasons"`
	Raw      string                `json:"raw,omitempty" doc:"the record as it came; of who has a mask what masked fields are made of is left out"`
	Problems []Plain[web.Mending]  `json:"problems,omitempty" doc:"of a record that waits: each with the remedies that mend it"`
	Repairs  []Plain[web.RepairOf] `json:"repairs,omitempty" doc:"in force on any version of it"`
}

func quarantined(q web.QuarantineRow) Quarantined {
	out := Quarantined{ID: q.ID, Source: q.Source, Entity: q.Entity, Record: q.Record, Place: q.Place, State: q.State, Version: q.Version, At: q.At, Who: q.Who, Why: q.Why, Reasons: []QuarantineReason{}}
	for _, r := range q.Reasons {
		out.Reasons = append(out.Reasons, QuarantineReason(r))
	}
	return out
}

func (x *api) quarantine() {
	const tag = "Quarantine"
	type in struct {
		State  string `query:"state" enum:"open,released,superseded,mended,gone" default:"open"`
		Source string `query:"source" maxLength:"100"`
		Rule   string `query:"rule" maxLength:"200"`
		Fault  string `query:"fault" maxLength:"200" doc:"only records with this fault"`
		After  string `query:"after" maxLength:"100"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	add(x, op{http.MethodGet, "/quarantine", "listQuarantine", "Records that did not pass, with every reason", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *in) (*Body[List[Quarantined]], error) {
			p, err := x.app.QuarantinePage(ctx, web.QuarantineFilter{State: in.State, Source: in.Source, Rule: in.Rule, Fault: in.Fault, After: in.After, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			out := List[Quarantined]{Items: []Quarantined{}, Next: p.Next}
			ids := make([]string, 0, len(p.Rows))
			for _, q := range p.Rows {
				out.Items = append(out.Items, quarantined(q))
				ids = append(ids, q.ID)
			}
			return answer(out, x.seen(ctx, "read.quarantine", ids...))
		})
	add(x, op{http.MethodGet, "/quarantine/{id}", "getQuarantined", "A quarantined record as it came", auth.SeeCustomers, auth.ByList, tag, 0},
		func(ctx context.Context, in *Named) (*Body[Quarantined], error) {
			q, err := x.app.QuarantineRecord(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			out := quarantined(q.QuarantineRow)
			out.Raw, out.Problems, out.Repairs = q.Raw, plain(q.Problems), plain(q.Repairs)
			return answer(out, x.seen(ctx, "read.quarantine", q.ID))
		})
}
