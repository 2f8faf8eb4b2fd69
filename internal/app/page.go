package app

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// How much one page lists.
const (
	pageRuns    = 30
	pageRows    = 30
	pageHistory = 30
	pageLinks   = 10
	pageMembers = 50
)

// SourcePage is one source with its runs.
func (a *App) SourcePage(ctx context.Context, name string) (p web.SourcePage, err error) {
	s := a.systems[name]
	if s == nil {
		return p, fmt.Errorf("source %q: %w", name, record.ErrNotFound)
	}
	rows, err := a.sourceRows(ctx)
	if err != nil {
		return p, err
	}
	for _, r := range rows {
		if r.Name == name {
			p.SourceRow = r
		}
	}
	p.Every = time.Duration(s.source.Every)
	runs, err := a.Store.RunsOf(ctx, s.uid, pageRuns)
	if err != nil {
		return p, err
	}
	for _, r := range runs {
		p.Runs = append(p.Runs, web.RunRow{
			Entity: r.Entity, State: r.State, Problem: r.Error, Started: parse(r.Started), Ended: parse(r.Ended),
			Pulled: r.Pulled, Stored: r.Stored, Unchanged: r.Unchanged, Echo: r.Echo, Quarantined: r.Quarantined, Filtered: r.Filtered,
		})
	}
	ages, err := a.Store.CursorAges(ctx, s.uid)
	if err != nil {
		return p, err
	}
	n, err := a.numbers(ctx)
	if err != nil {
		return p, err
	}
	for _, e := range s.source.Entities {
		row := web.SourceEntity{Entity: e.Entity, Cursor: parse(ages[e.Entity])}
		for _, x := range n.BySource {
			if x.Source == name && x.Entity == e.Entity {
				row.Records, row.Quarantined = x.Records, x.Quarantined
			}
		}
		p.Entities = append(p.Entities, row)
	}
	return p, nil
}

// TargetPage is one target with its rows in a state.
func (a *App) TargetPage(ctx context.Context, name, state, after string) (p web.TargetPage, err error) {
	var t *target
	for _, x := range a.targets {
		if x.config.Name == name {
			t = x
		}
	}
	if t == nil {
		return p, fmt.Errorf("target %q: %w", name, record.ErrNotFound)
	}
	n, err := a.numbers(ctx)
	if err != nil {
		return p, err
	}
	rows, err := a.targetRows(ctx, n)
	if err != nil {
		return p, err
	}
	for _, r := range rows {
		if r.Name == name {
			p.TargetRow = r
		}
	}
	p.Policy, p.Owns, p.Brake = string(t.config.Policy), t.config.Owns, float64(t.config.Brake)
	counts := map[string]int{}
	for _, x := range n.ByTarget {
		if x.Target == name {
			counts = x.States
		}
	}
	known := false
	for _, s := range []string{store.Pending, store.Inflight, store.Unknown, store.Conflicted, store.Rejected, store.Dead, store.Delivered, store.Superseded} {
		p.States = append(p.States, web.Count{Name: s, N: counts[s]})
		known = known || s == state
		if p.Shown == "" && counts[s] > 0 {
			p.Shown = s
		}
	}
	switch {
	case known:
		p.Shown = state
	case p.Shown == "":
		p.Shown = store.Pending
	}
	from, err := seqAfter(after)
	if err != nil {
		return p, err
	}
	list, err := a.Store.Rows(ctx, name, p.Shown, from, pageRows+1)
	if err != nil {
		return p, err
	}
	list, p.Next = pageOf(list, pageRows, rowSeq)
	p.Rows, err = a.writeRows(ctx, list)
	return p, err
}

// seqAfter reads where a list goes on: behind the row of a number; "" is its
// beginning.
func seqAfter(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("row %q: %w", text, record.ErrNotFound)
	}
	return n, nil
}

// pageOf takes a page from a list that was read one longer than that, and says
// behind which number the next one begins; "" at the end.
func pageOf[T any](list []T, limit int, number func(T) int64) (page []T, next string) {
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], strconv.FormatInt(number(list[limit-1]), 10)
}

func rowSeq(r store.Row) int64 { return r.Seq }

// writeRows shows outbox rows.
func (a *App) writeRows(ctx context.Context, rows []store.Row) ([]web.WriteRow, error) {
	founders := make([]int64, len(rows))
	for i, r := range rows {
		founders[i] = r.Founder
	}
	ids, err := a.Store.GoldenIDs(ctx, founders)
	if err != nil {
		return nil, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]web.WriteRow, len(rows))
	for i, r := range rows {
		out[i] = web.WriteRow{
			ID: r.ID, Target: r.Target, Op: r.Op, State: r.State, Golden: ids[r.Founder], ExternalID: r.ExternalID, Problem: r.Error,
			Attempt: r.Attempt, Verified: r.Verified, At: parse(r.At), Settled: parse(r.SettledAt),
		}
		if len(see.masks) > 0 || see.reach != nil && r.Dropped {
			out[i].Problem = "" // a system's answer may quote values, and a reason speak of others
		}
		t := a.targetNamed(r.Target)
		for _, f := range plannedWrite(r).Fields {
			if len(see.masks) > 0 && (t == nil || !see.written(t, f.Path)) {
				out[i].Fields = append(out[i].Fields, web.Change{Path: f.Path})
				continue
			}
			out[i].Fields = append(out[i].Fields, web.Change{Path: f.Path, Old: plainJSON(f.Old), New: plainJSON(f.New)})
		}
	}
	return out, nil
}

// plainJSON shows a JSON value: a text without its quotes, null as nothing.
func plainJSON(raw []byte) string {
	v, err := record.DecodeJSON(raw)
	if err != nil {
		return string(raw)
	}
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	}
	return string(raw)
}

// Seen keeps in the audit trail that somebody was shown personal data.
func (a *App) Seen(ctx context.Context, who, what string, subjects []string) error {
	return a.Store.Seen(ctx, who, what, subjects)
}
