package app

import (
	"context"
	"slices"

	"touchstone/internal/store"
)

// RevivedStates are the states of rows that can be planned again.
var RevivedStates = []string{store.Rejected, store.Conflicted, store.Dead}

// Retry plans outbox rows again that were refused, in conflict or given up, and
// gives their number.
func (a *App) Retry(ctx context.Context, rows []string, who, why string) (int, error) {
	return a.Store.Retry(ctx, rows, who, why)
}

// RetryAll does it for all rows of a state, of one target or of all ("").
func (a *App) RetryAll(ctx context.Context, target, state, who, why string) (n int, err error) {
	if !slices.Contains(RevivedStates, state) {
		return 0, unclear("rows that are %s are not planned again; those that are %s can be", wordOf("row", state), wordsOf("row", RevivedStates))
	}
	for {
		rows, err := a.Store.Rows(ctx, target, state, 0, exportPage) // from the beginning: what was done has left the state
		if err != nil || len(rows) == 0 {
			return n, err
		}
		list := make([]string, len(rows))
		for i, r := range rows {
			list[i] = r.ID
		}
		done, err := a.Store.Retry(ctx, list, who, why)
		if n += done; err != nil {
			return n, err
		}
	}
}

// Drop takes outbox rows out of the queue; the same is not planned again until
// something changes.
func (a *App) Drop(ctx context.Context, rows []string, who, why string) (int, error) {
	return a.Store.Drop(ctx, rows, who, why)
}
