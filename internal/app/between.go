package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching"
	"touchstone/matching/cluster"
)

// BetweenTwo is a source record that could belong to two golden records and
// stands in one.
type BetweenTwo struct {
	Record string        `json:"record"`
	Golden string        `json:"golden"` // it stands in
	First  BetweenSide   `json:"first"`
	Second BetweenSide   `json:"second"`
	page   web.Ambiguous // the same for the page
}

// BetweenSide is a golden record it may belong to.
type BetweenSide struct {
	Golden string  `json:"golden"`
	Record string  `json:"record"` // the record there that it is most like
	Weight float64 `json:"weight_bits"`
}

// MostDoubtful puts first whose two sides weigh most alike.
func MostDoubtful(list []BetweenTwo) {
	slices.SortStableFunc(list, func(x, y BetweenTwo) int {
		return cmp.Compare(x.First.Weight-x.Second.Weight, y.First.Weight-y.Second.Weight)
	})
}

// betweenRounds bounds one list: most of what is near two golden records is kept
// from one of them by hard evidence.
const betweenRounds = 5

// Betweens lists the records of an entity type that could belong to two golden
// records: both at or above the link threshold, or the second within three bits
// of the first, and no veto keeps the record from either. Next is the record to
// go on behind, 0 at the end.
func (a *App) Betweens(ctx context.Context, entity string, after int64, n int) (out []BetweenTwo, next int64, err error) {
	sc, err := a.scaleOf(ctx, entity)
	if err != nil {
		return nil, 0, err
	}
	next = after
	for range betweenRounds {
		var list []store.Between
		if list, next, err = a.Store.Betweens(ctx, entity, sc.link, cluster.Slack, next, n-len(out)); err != nil {
			return nil, 0, err
		}
		found, err := a.openBetweens(ctx, sc, list)
		if err != nil {
			return nil, 0, err
		}
		if out = append(out, found...); next == 0 || len(out) == n {
			break
		}
	}
	return out, next, nil
}

// openBetweens shows those that no veto decides.
func (a *App) openBetweens(ctx context.Context, sc scale, list []store.Between) (out []BetweenTwo, err error) {
	var recs, founders []int64
	for _, b := range list {
		recs = append(recs, b.Rec, b.First.Other, b.Second.Other)
		founders = append(founders, b.First.Founder, b.Second.Founder)
	}
	members, err := a.Store.MembersByRec(ctx, recs)
	if err != nil {
		return nil, err
	}
	for _, rec := range recs {
		founders = append(founders, members[rec].Golden)
	}
	slices.Sort(founders)
	founders = slices.Compact(founders)
	ids, err := a.Store.GoldenIDs(ctx, founders)
	if err != nil {
		return nil, err
	}
	groups, err := a.Store.MembersOf(ctx, founders)
	if err != nil {
		return nil, err
	}
	for _, b := range list {
		open := true
		for _, c := range [2]store.Candidate{b.First, b.Second} {
			if members[b.Rec].Golden != c.Founder && open {
				if open, err = sc.mayJoin(members[b.Rec], groups[c.Founder]); err != nil {
					return nil, err
				}
			}
		}
		if open {
			x, err := a.betweenTwo(b, members, ids)
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
	}
	return out, nil
}

// mayJoin says whether no veto stands between a record and the members of a
// golden record.
func (s scale) mayJoin(m store.Member, group []store.Member) (bool, error) {
	f, err := matching.DecodeFeatures(m.Features)
	if err != nil {
		return false, fmt.Errorf("features of %s: %w", m.Ref, err)
	}
	for _, o := range group {
		g, err := matching.DecodeFeatures(o.Features)
		if err != nil {
			return false, fmt.Errorf("features of %s: %w", o.Ref, err)
		}
		if _, veto := s.model.Veto(f, g); veto {
			return false, nil
		}
	}
	return true, nil
}

func (a *App) betweenTwo(b store.Between, members map[int64]store.Member, ids map[int64]string) (x BetweenTwo, err error) {
	m := members[b.Rec]
	x = BetweenTwo{Record: a.refName(m.Ref), Golden: ids[m.Golden]}
	if x.page.Record, err = a.sideOf(m, ids); err != nil {
		return x, err
	}
	for i, c := range [2]store.Candidate{b.First, b.Second} {
		o := members[c.Other]
		side := BetweenSide{Golden: ids[o.Golden], Record: a.refName(o.Ref), Weight: bits(c.Weight)}
		x.page.Sides[i].Pair, x.page.Sides[i].Bits = pairID(store.OpenPair{A: min(b.Rec, c.Other), B: max(b.Rec, c.Other)}), side.Weight
		x.page.Sides[i].Here = o.Golden == m.Golden
		if x.page.Sides[i].Side, err = a.sideOf(o, ids); err != nil {
			return x, err
		}
		if i == 0 {
			x.First = side
		} else {
			x.Second = side
		}
	}
	return x, nil
}

// sideOf shows a source record on a page.
func (a *App) sideOf(m store.Member, ids map[int64]string) (web.Side, error) {
	row, err := a.goldenMember(sight{}, m) // its page is for who sees all
	return web.Side{Source: row.Source, ID: row.ID, Name: row.Name, Golden: ids[m.Golden], Deleted: !row.Live}, err
}
