package app

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// ShownDecision is a decision for people and programs.
type ShownDecision struct {
	ID          string   `json:"id"`
	Kind        string   `json:"kind"`
	State       string   `json:"state"` // in force | stale | pending | undone | withdrawn | expired
	Who         string   `json:"who"`
	Why         string   `json:"why,omitempty"`
	At          string   `json:"at"`
	Until       string   `json:"until,omitempty"`
	Withdrawn   string   `json:"withdrawn,omitempty"`
	WithdrawnBy string   `json:"withdrawn_by,omitempty"`
	Withdraws   []string `json:"withdraws,omitempty"`
	Records     []string `json:"records,omitempty"` // source records it speaks of
	More        int      `json:"more,omitempty"`    // further records
	Field       string   `json:"field,omitempty"`   // of a pin, or of values; there with its entity type: company.industry
	Value       string   `json:"value,omitempty"`
	From        []string `json:"from,omitempty"`     // values that count as Value
	Values      int      `json:"values,omitempty"`   // how many those are
	Relation    string   `json:"relation,omitempty"` // its kind: the first of Records is, to the second
	Rulings     int      `json:"rulings"`
	Pending     int      `json:"pending,omitempty"` // rulings that wait for a record to land
	Problem     string   `json:"problem,omitempty"` // why a waiting one could not be applied
	Seq         int64    `json:"seq"`               // to go on behind
}

// DecisionStates are what a list of decisions can be narrowed to.
var DecisionStates = []string{"in force", "stale", "pending", "withdrawn"}

// mostRecords bounds the records listed for one decision.
const mostRecords = 20

// Decisions lists decisions, oldest first, behind the one with fact number
// after. State is "" or one of DecisionStates.
func (a *App) Decisions(ctx context.Context, state string, after int64, limit int) ([]ShownDecision, error) {
	list, _, err := a.DecisionsPart(ctx, state, after, limit)
	return list, err
}

// DecisionsPart is Decisions with the fact number to go on behind, 0 at the end: of
// who reaches some customers alone a list may be short, or empty, and not the end.
func (a *App) DecisionsPart(ctx context.Context, state string, after int64, limit int) (out []ShownDecision, next int64, err error) {
	_, w, err := a.seesWithin(ctx)
	if err != nil {
		return nil, 0, err
	}
	list, next, err := a.Store.DecisionsWithin(ctx, store.DecisionFilter{State: state, After: after, Limit: limit, Within: w})
	if err != nil {
		return nil, 0, err
	}
	out, err = a.showDecisions(ctx, list)
	return out, next, err
}

func (a *App) showDecisions(ctx context.Context, list []store.Decision) ([]ShownDecision, error) {
	pairs, err := a.pairsShown(ctx, list)
	if err != nil {
		return nil, err
	}
	var by []string
	for _, d := range list {
		if d.WithdrawnBy != "" {
			by = append(by, d.WithdrawnBy)
		}
	}
	kinds, err := a.Store.DecisionKinds(ctx, by)
	if err != nil {
		return nil, err
	}
	maps, err := a.Store.ValueMapsOf(ctx, ids(list))
	if err != nil {
		return nil, err
	}
	relations, err := a.Store.SaidOf(ctx, ids(list))
	if err != nil {
		return nil, err
	}
	problems, err := a.Store.RepairProblems(ctx, ids(list))
	if err != nil {
		return nil, err
	}
	out := []ShownDecision{}
	for _, d := range list {
		s := ShownDecision{
			ID: d.ID, Kind: d.Kind, State: stateOf(d, kinds[d.WithdrawnBy]), Who: d.Who, Why: d.Why, At: d.At, Until: d.Until, Seq: d.Seq,
			Withdrawn: d.Withdrawn, WithdrawnBy: d.WithdrawnBy, Withdraws: d.Withdraws, Rulings: d.Rulings, Pending: d.Pending, Problem: problems[d.ID],
		}
		if m, ok := maps[d.ID]; ok {
			showMap(&s, m)
		}
		if err := a.showPairs(&s, pairs[d.ID]); err != nil {
			return nil, err
		}
		if many(d) {
			s.More = max(d.Rulings-len(s.Records), 0)
		}
		if r, ok := relations[d.ID]; ok {
			s.Relation, s.Value, s.Records = r.Kind, relationWords(r.SaidRelation), []string{a.refName(r.RefA), a.refName(r.RefB)}
		}
		out = append(out, s)
	}
	return out, a.veilDecisions(ctx, out)
}

// many says whether a decision speaks of so many records, of each alone, that no
// more of them are read than are shown.
func many(d store.Decision) bool { return d.Kind == store.HandedOver && d.Pending == 0 }

// pairsShown reads what decisions say, as far as it is shown.
func (a *App) pairsShown(ctx context.Context, list []store.Decision) (map[string][]store.RuledPair, error) {
	pairs, err := a.Store.RuledPairs(ctx, ids(slices.DeleteFunc(slices.Clone(list), many)))
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if !many(d) {
			continue
		}
		if pairs[d.ID], err = a.Store.FirstRuled(ctx, d.ID, mostRecords); err != nil {
			return nil, err
		}
	}
	return pairs, nil
}

func stateOf(d store.Decision, withdrawnBy string) string {
	switch {
	case d.Withdrawn != "" && withdrawnBy == store.Undone:
		return "undone"
	case d.Withdrawn != "" && withdrawnBy == store.Expired:
		return "expired"
	case d.Withdrawn != "":
		return "withdrawn"
	case d.Pending > 0:
		return "pending"
	case d.Stale:
		return "stale"
	}
	return "in force"
}

func (a *App) showPairs(s *ShownDecision, pairs []store.RuledPair) error {
	var refs []string
	for _, p := range pairs {
		refs = append(refs, a.refName(p.RefA))
		if p.RefB.ID != "" {
			refs = append(refs, a.refName(p.RefB))
		}
		if p.Problem != "" {
			s.Problem = p.Problem
		}
		if p.Kind != store.Pinned {
			continue
		}
		s.Field = p.Field
		if p.Erased {
			s.Value = cmp.Or(s.Value, "(erased)")
			continue
		}
		var v record.Value
		if err := json.Unmarshal([]byte(p.Value), &v); err != nil {
			return err
		}
		s.Value = ShowValue(v)
	}
	slices.Sort(refs)
	refs = slices.Compact(refs)
	if len(refs) > mostRecords {
		s.More, refs = len(refs)-mostRecords, refs[:mostRecords]
	}
	s.Records = refs
	return nil
}

// decisionsDue lands what has become due of decisions: pins whose time is
// over, rulings whose records have come.
func (a *App) decisionsDue(ctx context.Context) error {
	if a.rebuilding {
		return nil
	}
	n, err := a.Store.ExpirePins(ctx)
	if err != nil {
		return err
	}
	if n > 0 {
		a.Log.Info("pins have expired", "pins", n)
	}
	if n, err = a.Store.Landed(ctx); n > 0 {
		a.Log.Info("rulings took effect on records that have landed", "rulings", n)
	}
	if err != nil {
		return err
	}
	if err := a.repairsDue(ctx); err != nil {
		return err
	}
	return a.mapsDue(ctx)
}
