package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"touchstone/internal/golden"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/rules/profile"
)

// Of who reaches some customers alone so many customers, and records of theirs, are
// counted: while somebody waits.
const (
	qualityCustomers = 500
	qualityRecords   = 1000
)

// qualityWithin counts the records of customers that are reached, by source. Fields
// that are kept back are not counted, nor what goals take of them: of one customer
// even that would tell.
func (a *App) qualityWithin(ctx context.Context) (q web.Quality, err error) {
	see, err := a.sight(ctx)
	if err != nil {
		return q, err
	}
	goldens, err := a.Store.GoldenList(ctx, store.GoldenFilter{Reach: see.reach, Limit: qualityCustomers + 1})
	if err != nil {
		return q, err
	}
	q.Within, q.Part = true, len(goldens) > qualityCustomers
	goldens = goldens[:min(len(goldens), qualityCustomers)]
	founders := make([]int64, len(goldens))
	for i, g := range goldens {
		founders[i] = g.Founder
	}
	records, err := a.Store.HoldingsOf(ctx, founders, qualityRecords+1)
	if err != nil {
		return q, err
	}
	q.Part = q.Part || len(records) > qualityRecords
	records = records[:min(len(records), qualityRecords)]
	q.Records = len(records)
	now := a.opts.Env.Clock.Now()
	list, err := a.profilesWithin(see, records, now)
	if err != nil {
		return q, err
	}
	q.At, q.Entities = now, a.qualityOf(list, see).Entities
	return q, nil
}

// profilesWithin counts records, by source and entity type.
func (a *App) profilesWithin(see sight, records []store.ProfiledRecord, now time.Time) (list []profiled, err error) {
	type kind struct{ source, entity string }
	counted, seen := map[kind]*profiler{}, map[kind]map[string]bool{}
	for _, h := range records {
		k := kind{h.Source, h.Entity}
		if !a.configured(h.Source, h.Entity) {
			continue
		}
		if counted[k] == nil {
			counted[k], seen[k] = a.newProfiler(h.Entity, now), map[string]bool{}
		}
		authored, err := golden.ParseAuthored(h.Authored)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", h.Rec, err)
		}
		counted[k].add(authored)
		if counted[k].out.Live++; seen[k][h.Golden] {
			counted[k].out.Doubles++
		}
		seen[k][h.Golden] = true
	}
	for k, p := range counted { // in any order: each is shown at its place
		out := p.done()
		out.source, out.entity, out.at = k.source, k.entity, now
		kept := func(field string) bool { return see.partMasked(k.entity, field) }
		out.Fields = slices.DeleteFunc(out.Fields, func(f profile.Field) bool { return kept(f.Name) })
		out.Goals = slices.DeleteFunc(out.Goals, func(g goalCount) bool {
			return slices.ContainsFunc(g.Fields, func(need string) bool { return slices.ContainsFunc(strings.Split(need, "|"), kept) })
		})
		list = append(list, out)
	}
	return list, nil
}
