package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// Runs lists runs, newest first.
func (a *App) Runs(ctx context.Context, f web.RunFilter) (p web.RunList, err error) {
	q := store.RunFilter{State: f.State, Limit: f.Limit + 1}
	if f.Source != "" {
		s := a.systems[f.Source]
		if s == nil {
			return p, fmt.Errorf("source %q: %w", f.Source, record.ErrNotFound)
		}
		q.Source = s.uid
	}
	if f.After != "" {
		started, id, ok := strings.Cut(f.After, "~")
		if !ok {
			return p, fmt.Errorf("run %q: %w", f.After, record.ErrNotFound)
		}
		q.Started, q.ID = started, id
	}
	scoped := auth.From(ctx).Scoped()
	rows, err := a.Store.RunList(ctx, q)
	if err != nil {
		return p, err
	}
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		p.Next = rows[f.Limit-1].Started + "~" + rows[f.Limit-1].ID
	}
	for _, r := range rows {
		item, err := a.runItem(ctx, r)
		if err != nil {
			return p, err
		}
		if scoped {
			item.RunRow = item.Uncount()
		}
		p.Rows = append(p.Rows, item)
	}
	parts, _ := a.life.parts(a.Config)
	for _, s := range a.order {
		x := parts[s.source.Name]
		p.Sources = append(p.Sources, web.RunSource{Name: s.source.Name, Running: x.Running, Next: x.Next})
	}
	return p, nil
}

// pastRuns is how many runs tell how long one usually takes.
const pastRuns = 9

func (a *App) runItem(ctx context.Context, r store.Run) (web.RunItem, error) {
	item := web.RunItem{ID: r.ID, Source: a.SourceName(r.Source), RunRow: runRow(r)}
	if r.State != "running" {
		return item, nil
	}
	parts, _ := a.life.parts(a.Config)
	item.Running = parts[item.Source].Running
	took, pulled, err := a.Store.Took(ctx, r.Source, r.Entity, pastRuns)
	if err != nil || len(took) == 0 {
		return item, err
	}
	item.Usual, item.Left = timeLeft(took, pulled, a.opts.Env.Clock.Now().Sub(item.Started), r.Pulled)
	return item, nil
}

// timeLeft tells from past runs how long one usually takes, and from the records
// already pulled, where that says more, how long this one still does. It is the
// median, so that one odd run does not matter.
func timeLeft(took []time.Duration, pulled []int, elapsed time.Duration, done int) (usual, left time.Duration) {
	took, pulled = slices.Sorted(slices.Values(took)), slices.Sorted(slices.Values(pulled))
	usual = took[len(took)/2]
	left = usual - elapsed
	if most := pulled[len(pulled)/2]; done > 0 && most > done && elapsed > 0 {
		left = time.Duration(float64(elapsed) * float64(most-done) / float64(done))
	}
	return usual, max(left, 0)
}

func runRow(r store.Run) web.RunRow {
	return web.RunRow{
		Entity: r.Entity, State: r.State, Problem: r.Error, Started: parse(r.Started), Ended: parse(r.Ended),
		Pulled: r.Pulled, Stored: r.Stored, Unchanged: r.Unchanged, Echo: r.Echo, Quarantined: r.Quarantined, Filtered: r.Filtered,
	}
}

// RunPage is one run with what it said.
func (a *App) RunPage(ctx context.Context, id string) (p web.RunPage, err error) {
	r, err := a.Store.RunShow(ctx, id)
	if err != nil {
		return p, err
	}
	if p.RunItem, err = a.runItem(ctx, r); err != nil {
		return p, err
	}
	if auth.From(ctx).Scoped() { // how it went, and not what it said of which record
		p.RunRow = p.Uncount()
		return p, nil
	}
	lines, err := a.Store.RunLines(ctx, id)
	for _, l := range lines {
		p.Lines = append(p.Lines, web.RunLine{At: parse(l.At), Level: l.Level, Text: l.Text})
	}
	return p, err
}

// RunNow pulls a source at once.
func (a *App) RunNow(ctx context.Context, source string, by web.By) error {
	if err := a.runNow(source); err != nil {
		return err
	}
	return a.Store.Seen(ctx, by.Who, "source.run", []string{source})
}

// StopRun ends a source's pull between two pages.
func (a *App) StopRun(ctx context.Context, source string, by web.By) error {
	if err := a.stopRun(source); err != nil {
		return err
	}
	return a.Store.Seen(ctx, by.Who, "source.stop", []string{source})
}
