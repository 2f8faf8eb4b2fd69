package app

import (
	"context"
	"maps"
	"slices"

	"touchstone/internal/record"
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
