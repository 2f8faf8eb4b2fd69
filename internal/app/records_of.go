package app

import (
	"context"
	"maps"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// GoldenRecords is a golden record with what it is made of.
type GoldenRecords struct {
	ID      string       // as it is now
	Records []record.Ref // Source is the name
}

// RecordsOf says of golden ids, also old ones, which golden record each is now
// and which source records it is made of. Ids that are not known are left out.
func (a *App) RecordsOf(ctx context.Context, ids []string) (map[string]GoldenRecords, error) {
	of, err := a.Store.FoundersOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	founders := slices.Compact(slices.Sorted(maps.Values(of)))
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	in, err := a.Store.Reached(ctx, see.reach, founders)
	if err != nil {
		return nil, err
	}
	founders = slices.DeleteFunc(founders, func(f int64) bool { return !in[f] })
	now, err := a.Store.GoldenIDs(ctx, founders)
	if err != nil {
		return nil, err
	}
	members, err := a.Store.MembersOf(ctx, founders)
	if err != nil {
		return nil, err
	}
	out := make(map[string]GoldenRecords, len(of))
	for id, founder := range of {
		g := GoldenRecords{ID: now[founder]}
		if g.ID == "" {
			continue
		}
		for _, m := range members[founder] {
			m.Ref.Source = a.SourceName(m.Ref.Source)
			g.Records = append(g.Records, m.Ref)
		}
		out[id] = g
	}
	return out, nil
}

// Changes is the change feed as who asks sees it, behind a number: what they reach,
// and upto which number that is all.
func (a *App) Changes(ctx context.Context, entity string, after int64, limit int) (list []store.Fed, upto int64, err error) {
	see, err := a.sight(ctx)
	if err != nil {
		return nil, after, err
	}
	return a.Store.Feed(ctx, entity, see.reach, after, limit)
}

// GoldensOf gives the golden ids of source records, by reference; Source is the
// uid. Those that have not landed, or are out of reach, are absent.
func (a *App) GoldensOf(ctx context.Context, refs []record.Ref) (map[record.Ref]string, error) {
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := a.crosswalkReached(ctx, see, refs)
	if err != nil {
		return nil, err
	}
	out := make(map[record.Ref]string, len(rows))
	for _, r := range rows {
		out[r.Ref] = r.Golden
	}
	return out, nil
}
