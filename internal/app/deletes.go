package app

import (
	"context"
	"fmt"

	"touchstone/internal/record"
	"touchstone/internal/store"
)

// heldDeletes says of every source why records that stayed away from it are not
// deleted yet, in the order of the file.
func (a *App) heldDeletes(ctx context.Context) (map[string]string, error) {
	holds, err := a.Store.HeldDeletes(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, h := range holds {
		if h.Allowed {
			continue
		}
		if out[h.Source] != "" {
			out[h.Source] += "; "
		}
		out[h.Source] += a.heldText(h)
	}
	return out, nil
}

func (a *App) heldText(h store.DeletionHold) string {
	name := a.SourceName(h.Source)
	why := "they are too many at once"
	if h.Why == store.HeldByUnread {
		why = "some records there cannot be read, and they may be among them"
	}
	return fmt.Sprintf("%d of %d %s records no longer come: none is deleted, because %s (touchstone source allow-deletes %s)", h.Due, h.Live, h.Entity, why, name)
}

// deleteProblems are the lines of a summary about deletions that wait.
func (a *App) deleteProblems(ctx context.Context) (lines []string, err error) {
	held, err := a.heldDeletes(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range a.order {
		if text := held[s.uid]; text != "" {
			lines = append(lines, "source "+s.source.Name+": "+text)
		}
	}
	return lines, nil
}

// AllowDeletes lets the deletions of a source that wait happen, once, with its
// next whole pass.
func (a *App) AllowDeletes(ctx context.Context, source, who string) error {
	s := a.systems[source]
	if s == nil {
		return fmt.Errorf("source %s: %w", source, record.ErrNotFound)
	}
	return a.Store.AllowDeletes(ctx, s.uid, who)
}
