package app

import (
	"context"
	"slices"
	"strings"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching"
)

// How much one page lists.
const (
	pageBridges = 20
	// pageBetween is how many records between two customers the first page of
	// bridges lists, the most doubtful of readBetween.
	pageBetween = 10
	readBetween = 50
	sharedShown = 100
	sharedUsers = 8
)

// entityOr gives the entity type that is asked for, or the first there is.
func (a *App) entityOr(name string) string {
	names := a.EntityNames()
	if slices.Contains(names, name) || len(names) == 0 {
		return name
	}
	return names[0]
}

// BridgePage lists weak links that were held back, the strongest first.
func (a *App) BridgePage(ctx context.Context, entity, after string) (p web.BridgePage, err error) {
	p.Entities, p.Entity = a.EntityNames(), a.entityOr(entity)
	if len(p.Entities) == 0 {
		return p, nil
	}
	var from store.Bridge
	if after != "" {
		pair, err := parsePair(after)
		if err != nil {
			return p, err
		}
		stored, found, err := a.Store.PairOf(ctx, pair.A, pair.B)
		if err != nil {
			return p, err
		}
		if found {
			from = store.Bridge{A: pair.A, B: pair.B, Weight: stored.Weight}
		}
	}
	list, err := a.Store.Bridges(ctx, p.Entity, from, pageBridges+1)
	if err != nil {
		return p, err
	}
	if len(list) > pageBridges {
		list = list[:pageBridges]
		last := list[pageBridges-1]
		p.Next = pairID(store.OpenPair{A: last.A, B: last.B})
	}
	pairs := make([]store.OpenPair, len(list))
	mean := map[string]float64{}
	for i, b := range list {
		pairs[i] = store.OpenPair{A: b.A, B: b.B, Weight: b.Weight, Bridge: true}
		mean[pairID(pairs[i])] = bits(b.Weight)
	}
	shown, err := a.weighed(ctx, pairs)
	if err != nil {
		return p, err
	}
	members, err := a.sizesOf(ctx, pairs)
	if err != nil {
		return p, err
	}
	for _, x := range shown {
		p.Rows = append(p.Rows, web.BridgeRow{Pair: x, Mean: mean[x.ID], Members: members[x.ID]})
	}
	if after != "" {
		return p, nil
	}
	between, _, err := a.Betweens(ctx, p.Entity, 0, readBetween)
	if err != nil {
		return p, err
	}
	MostDoubtful(between)
	for _, b := range between[:min(len(between), pageBetween)] {
		p.Between = append(p.Between, b.page)
	}
	return p, nil
}

// sizesOf counts the records of the customers of pairs.
func (a *App) sizesOf(ctx context.Context, pairs []store.OpenPair) (map[string][2]int, error) {
	var recs, founders []int64
	for _, p := range pairs {
		recs = append(recs, p.A, p.B)
	}
	members, err := a.Store.MembersByRec(ctx, recs)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		founders = append(founders, m.Golden)
	}
	slices.Sort(founders)
	goldens, err := a.Store.LoadGoldens(ctx, slices.Compact(founders))
	if err != nil {
		return nil, err
	}
	out := make(map[string][2]int, len(pairs))
	for _, p := range pairs {
		out[pairID(p)] = [2]int{goldens[members[p.A].Golden].Members, goldens[members[p.B].Golden].Members}
	}
	return out, nil
}

// DecideBridge answers the pair that a bridge hangs by, as the review does: where
// two accounts are needed the answer waits for the second.
func (a *App) DecideBridge(ctx context.Context, pair, how string, by web.By) (web.Done, error) {
	answer, key := "", ""
	switch how {
	case "join":
		answer, key = web.AnswerSame, web.DoneJoined
	case "apart":
		answer, key = web.AnswerApart, web.DoneApart
	case "unsure":
		answer, key = web.AnswerUnsure, web.DoneUnsure
	default:
		return web.Done{}, unclear("a bridge is decided by join, apart or unsure")
	}
	work, err := a.PairWork(ctx, pair, by.Who)
	if err != nil {
		return web.Done{}, err
	}
	out, err := a.AnswerPair(ctx, web.PairAnswer{ID: pair, Answer: answer, Seen: work.Seen}, by)
	switch {
	case err != nil:
		return web.Done{}, err
	case out.State == web.OutcomeDecided:
		return web.ActDone(key, out.Decision), nil
	case out.State == web.OutcomeProposed:
		return web.Done{Key: web.DoneProposed}, nil
	}
	return web.Done{}, web.Refused("", out.Said)
}

// ProposalPage lists relations that current records propose, without those that a
// person has refused.
func (a *App) ProposalPage(ctx context.Context, f web.ProposalFilter) (p web.ProposalPage, err error) {
	p.Entities, p.Entity, p.Kinds, p.Kind = a.EntityNames(), a.entityOr(f.Entity), matching.RelationKinds(), f.Kind
	if len(p.Entities) == 0 {
		return p, nil
	}
	list, more, err := a.PossibleRelations(ctx, RelationQuery{Entity: p.Entity, Kind: f.Kind, Limit: f.Limit})
	if err != nil {
		return p, err
	}
	p.More = more
	for _, r := range list {
		x := web.Proposal{
			Name: r.Kind + " " + r.A + " " + r.B, Kind: r.Kind, A: r.A, B: r.B, As: statable(p.Entity, r.Kind), NameA: r.NameA, NameB: r.NameB, RecordA: r.RecordA, RecordB: r.RecordB, Apart: r.Apart,
		}
		for _, e := range r.Evidence {
			x.Evidence = append(x.Evidence, web.Evidence{Field: e.Field, Level: e.Level, A: e.A, B: e.B, Bits: float64(e.Weight) / 1000})
		}
		p.Rows = append(p.Rows, x)
	}
	return p, nil
}

// mostProposals bounds one bulk decision on proposals.
const mostProposals = 2000

// RefuseProposals refuses proposed relations, those named or all of a filter, as
// one decision.
func (a *App) RefuseProposals(ctx context.Context, f web.ProposalFilter, named []string, by web.By) (web.Done, error) {
	if len(named) == 0 {
		list, _, err := a.PossibleRelations(ctx, RelationQuery{Entity: f.Entity, Kind: f.Kind, Limit: mostProposals})
		if err != nil {
			return web.Done{}, err
		}
		for _, r := range list {
			named = append(named, r.Kind+" "+r.A+" "+r.B)
		}
	}
	if len(named) == 0 {
		return web.Done{Key: web.DoneNothing}, nil
	}
	d, err := a.RefuseRelations(ctx, named, By{Who: by.Who, Why: by.Why})
	return web.ActDone(web.DoneRefused, d.Decision), err
}

// statable lists what a person can make of a proposal: the relation of A to B, or
// with parent_of the one of B to A.
func statable(entity, kind string) []string {
	switch {
	case entity != record.Company:
		return nil // households are no relation that anybody states
	case kind == matching.BranchOf:
		return []string{BranchOf}
	case kind == matching.SameGroup:
		return []string{Parent, parentOf, Partner}
	}
	return []string{Partner, BranchOf}
}

const parentOf = "parent_of"

// AcceptProposals states relations for proposals, each "kind a b": as says which,
// of those that can be stated for it.
func (a *App) AcceptProposals(ctx context.Context, named []string, as string, by web.By) (web.Done, error) {
	own := By{Who: by.Who, Why: by.Why}
	for _, name := range named[:min(len(named), mostAccepted)] { // all of them before the first is stated
		if _, ids, ok := proposalName(name); ok {
			if err := a.reachNamed(ctx, ids[:]...); err != nil {
				return web.Done{}, err
			}
		}
	}
	var undo []string
	for _, name := range named[:min(len(named), mostAccepted)] {
		kind, ids, ok := proposalName(name)
		if !ok {
			return web.Done{}, record.ErrNotFound
		}
		if !slices.Contains(statable(record.Company, kind), as) {
			return web.Done{}, a.takeBack(ctx, undo, own, unclear("%s cannot be stated as %s", wordOf("relkind", kind), wordOf("relation", as)))
		}
		r := Relate{From: ids[0], Kind: as, To: ids[1]}
		if as == parentOf {
			r = Relate{From: ids[1], Kind: Parent, To: ids[0]}
		}
		d, err := a.Relate(ctx, r, own)
		if err != nil {
			return web.Done{}, a.takeBack(ctx, undo, own, err)
		}
		if !d.Existing {
			undo = append(undo, d.Decision)
		}
	}
	if len(undo) == 0 {
		return web.Done{Key: web.DoneNothing}, nil
	}
	return web.ActDone(web.DoneAccepted, strings.Join(undo, "+")), nil
}

// mostAccepted bounds the proposals that are accepted at once: as many as one page
// lists, so that one address can undo them.
const mostAccepted = 40

func proposalName(name string) (kind string, ids [2]string, ok bool) {
	parts := strings.Fields(name)
	if len(parts) != 3 || !slices.Contains(matching.RelationKinds(), parts[0]) {
		return "", ids, false
	}
	return parts[0], [2]string{parts[1], parts[2]}, true
}

// RefuseRelations says that proposed relations, each "kind a b" with golden ids,
// are none: they are not proposed again. It is one decision.
func (a *App) RefuseRelations(ctx context.Context, named []string, by By) (Decided, error) {
	return a.decide(ctx, store.Unrelated, by, func(tx *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		for _, name := range named {
			kind, ids, ok := proposalName(name)
			if !ok {
				return nil, unclear("%q is no proposal: want kind, golden id, golden id", name)
			}
			s, t, err := a.two(ctx, tx, ids[0], ids[1])
			if err != nil {
				return nil, err
			}
			n.Refuses = append(n.Refuses, store.RefusedRelation{A: s.Rec, B: t.Rec, Kind: kind})
		}
		slices.Sort(named)
		n.Mark = strings.Join(named, "\n")
		return nil, nil
	})
}

// SharedPage is the ledger of values that many names use.
func (a *App) SharedPage(ctx context.Context, entity string) (p web.SharedPage, err error) {
	p.Entities, p.Entity = a.EntityNames(), a.entityOr(entity)
	if len(p.Entities) == 0 {
		return p, nil
	}
	list, err := a.SharedIdentifiers(ctx, p.Entity, sharedShown)
	if err != nil {
		return p, err
	}
	if err := a.SharedUsers(ctx, list, sharedUsers); err != nil {
		return p, err
	}
	for _, s := range list {
		p.Rows = append(p.Rows, web.SharedRow{Kind: s.Kind, Value: s.Value, Names: s.Names, Records: s.Records, Line: s.Line, Users: s.Users})
	}
	return p, nil
}
