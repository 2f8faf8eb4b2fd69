package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"touchstone/internal/lookup"
	"touchstone/internal/pipeline"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

var _ web.LookUps = (*App)(nil)

// shownMembers bounds the source records that are counted for a list.
const shownMembers = 64

// Space names this installation: the same for each address it is reached by.
func (a *App) Space() string { return "urn:touchstone:" + a.fingerprint() }

// Suggest lists golden records for somebody who types: the one whose id it is,
// then those that a search finds.
func (a *App) Suggest(ctx context.Context, text, entity string, skip, limit int) ([]lookup.Found, error) {
	founders, err := a.suggested(ctx, strings.TrimSpace(text), entity, skip+limit)
	if err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	founders = founders[min(skip, len(founders)):]
	byFounder, err := a.foundOf(ctx, founders[:min(limit, len(founders))])
	if err != nil {
		return nil, fmt.Errorf("suggest: %w", err)
	}
	list := make([]lookup.Found, 0, len(founders))
	for _, f := range founders {
		if g, ok := byFounder[f]; ok {
			list = append(list, g)
		}
	}
	return list, nil
}

func (a *App) suggested(ctx context.Context, text, entity string, n int) (founders []int64, err error) {
	if text == "" {
		return nil, nil
	}
	byID, err := a.Store.FoundersOf(ctx, []string{text})
	if err != nil {
		return nil, err
	}
	if f, ok := byID[text]; ok {
		founders = append(founders, f)
	}
	q := store.SearchQuery{Entity: entity, Limit: n}
	if q.Terms, q.Name = pipeline.Question(text); len(q.Terms) == 0 {
		return founders, nil
	}
	page, err := a.Store.Search(ctx, q)
	for _, g := range page.List {
		if !slices.Contains(founders, g.Founder) {
			founders = append(founders, g.Founder)
		}
	}
	return founders, err
}

// Shown reads golden records by their ids. An id that was shown once stays an
// answer when its golden record has become part of another.
func (a *App) Shown(ctx context.Context, ids []string) (map[string]lookup.Found, error) {
	founders, err := a.Store.FoundersOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var list []int64
	for _, id := range ids {
		if f, ok := founders[id]; ok {
			list = append(list, f)
		}
	}
	byFounder, err := a.foundOf(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make(map[string]lookup.Found, len(founders))
	for id, f := range founders {
		if g, ok := byFounder[f]; ok {
			out[id] = g
		}
	}
	return out, nil
}

func (a *App) foundOf(ctx context.Context, founders []int64) (map[int64]lookup.Found, error) {
	out := make(map[int64]lookup.Found, len(founders))
	err := a.Store.Snapshot(ctx, func(tx *store.LookTx) error {
		goldens, err := tx.Goldens(ctx, founders)
		if err != nil {
			return err
		}
		members, err := tx.Members(ctx, goldens, shownMembers)
		if err != nil {
			return err
		}
		of := map[int64][]store.Near{}
		for _, m := range members {
			of[m.Golden] = append(of[m.Golden], m)
		}
		for founder, g := range goldens {
			f := lookup.Found{ID: g.ID, Entity: g.Entity, Systems: a.systemsOf(of[founder])}
			if err := json.Unmarshal(g.Fields, &f.Fields); err != nil {
				return fmt.Errorf("golden record %s: %w", g.ID, err)
			}
			f.Name = DisplayName(g.Entity, f.Fields)
			out[founder] = f
		}
		return nil
	})
	return out, err
}
