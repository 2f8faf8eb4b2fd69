package app

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

var _ web.Source = (*App)(nil)

// lastGolden is how many changed golden records the first page lists.
const lastGolden = 12

// Overview is what the first page shows.
func (a *App) Overview(ctx context.Context) (web.Overview, error) {
	o, at, err := a.life.overview.get(ctx, a, a.countOverview)
	if err != nil {
		return o, err
	}
	o.At = at
	if o.Alerts, err = a.alertRows(ctx); err != nil {
		return o, err
	}
	o.Last, err = a.lastGolden(ctx)
	return o, err
}

// countOverview counts what the first page shows of the systems.
func (a *App) countOverview(ctx context.Context) (web.Overview, error) {
	var o web.Overview
	n, err := a.numbers(ctx)
	if err != nil {
		return o, err
	}
	o.Members, o.Golden = n.Members, n.Golden
	if o.Sources, err = a.sourceRows(ctx); err != nil {
		return o, err
	}
	if o.Targets, err = a.targetRows(ctx, n); err != nil {
		return o, err
	}
	states := map[string]int{}
	for _, t := range n.ByTarget {
		for state, c := range t.States {
			states[state] += c
		}
	}
	plan := 0
	for _, t := range o.Targets {
		if t.State == web.StateWaiting {
			plan += t.Open
		}
	}
	oldest, err := a.Store.Oldest(ctx)
	if err != nil {
		return o, err
	}
	o.Queues = []web.Queue{
		{Kind: web.QueueReview, Count: n.Review, Href: "/review"},
		{Kind: web.QueueQuarantine, Count: n.Quarantined, Oldest: parse(oldest.Quarantine), Href: "/quarantine"},
		{Kind: web.QueuePlan, Count: plan, Oldest: a.oldestPlan(ctx, o.Targets), Href: "/plans"},
		{Kind: web.QueueUnknown, Count: states[store.Unknown], Oldest: parse(oldest.Unknown), Href: "/plans"},
		{Kind: web.QueueConflict, Count: states[store.Conflicted], Oldest: parse(oldest.Conflict), Href: "/plans"},
		{Kind: web.QueueDead, Count: states[store.Dead] + states[store.Rejected], Oldest: parse(oldest.Dead), Href: "/plans"},
	}
	o.Setup, err = a.setupSteps(ctx, o, n)
	return o, err
}

// oldestPlan is since when the oldest write waits of the targets that wait for a
// person; zero where that is not known.
func (a *App) oldestPlan(ctx context.Context, targets []web.TargetRow) (oldest time.Time) {
	since, err := a.Store.OldestPending(ctx)
	if err != nil {
		return oldest
	}
	for _, t := range targets {
		if at := since[t.Name]; t.State == web.StateWaiting && !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return oldest
}

func parse(s string) time.Time {
	t, err := record.ParseTime(s)
	if err != nil {
		return time.Time{}
	}
	return t
}

func (a *App) sourceRows(ctx context.Context) ([]web.SourceRow, error) {
	runs, err := a.Store.LastRuns(ctx)
	if err != nil {
		return nil, err
	}
	sums, err := a.Store.RunSums(ctx)
	if err != nil {
		return nil, err
	}
	week, err := a.week(ctx)
	if err != nil {
		return nil, err
	}
	held, err := a.heldDeletes(ctx)
	if err != nil {
		return nil, err
	}
	var rows []web.SourceRow
	for _, s := range a.order {
		row := web.SourceRow{Name: s.source.Name, Type: s.source.Type, State: web.StateNew}
		c := sums[s.uid]
		row.Pulled, row.Stored, row.Unchanged = c.Pulled, c.Stored, c.Unchanged
		row.Echo, row.Quarantined, row.Filtered = c.Echo, c.Quarantined, c.Filtered
		row.Week = week[s.uid]
		for _, r := range runs {
			if r.Source != s.source.Name {
				continue
			}
			if at := parse(r.Started); at.After(row.LastRun) {
				row.LastRun = at
			}
			switch {
			case r.State == "running":
				row.State = web.StateRunning
			case r.State == "failed" && row.State != web.StateRunning:
				row.State, row.Problem = web.StateFailing, r.Error
			case row.State == web.StateNew:
				row.State = web.StateOK
			}
		}
		if text := held[s.uid]; text != "" && row.State != web.StateFailing {
			row.State, row.Problem = web.StateWaiting, text
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// week gives what each source stored on each of the last seven days (UTC),
// oldest first. A source of one day has no line to draw yet.
func (a *App) week(ctx context.Context) (map[string][]int, error) {
	const days = 7
	today := a.opts.Env.Clock.Now().Truncate(24 * time.Hour)
	first := today.AddDate(0, 0, 1-days)
	byDay, err := a.Store.StoredByDay(ctx, store.TimeText(first))
	if err != nil {
		return nil, err
	}
	out := map[string][]int{}
	for uid, stored := range byDay {
		if len(stored) < 2 {
			continue
		}
		line := make([]int, days)
		for i := range line {
			line[i] = stored[first.AddDate(0, 0, i).Format(time.DateOnly)]
		}
		out[uid] = line
	}
	return out, nil
}

func (a *App) targetRows(ctx context.Context, n store.Numbers) ([]web.TargetRow, error) {
	var rows []web.TargetRow
	for _, t := range a.targets {
		row := web.TargetRow{Name: t.config.Name, System: t.config.System, Entity: t.config.Entity, State: web.StateNew}
		for _, x := range n.ByTarget {
			if x.Target != t.config.Name {
				continue
			}
			row.State, row.Verified = web.StateOK, x.Verified
			for state, c := range x.States {
				row.Planned += c
				switch state {
				case store.Delivered:
					row.Delivered += c
				case store.Pending, store.Inflight, store.Unknown:
					row.Open += c
				case store.Superseded:
					row.Replaced += c
				default:
					row.Failed += c
				}
			}
		}
		held, err := t.deliverer.Held(ctx)
		if err != nil {
			return nil, err
		}
		if held != "" {
			row.State, row.Problem = web.StateWaiting, held
		}
		last, err := a.Store.LastDelivery(ctx, t.config.Name)
		if err != nil {
			return nil, err
		}
		row.LastRun = parse(last)
		rows = append(rows, row)
	}
	return rows, nil
}

func (a *App) lastGolden(ctx context.Context) ([]web.Golden, error) {
	list, err := a.Store.GoldenList(ctx, store.GoldenFilter{Limit: lastGolden, Newest: true})
	if err != nil {
		return nil, err
	}
	return a.goldenRows(ctx, list)
}

// goldenRows shows golden records as lists do.
func (a *App) goldenRows(ctx context.Context, list []store.Golden) ([]web.Golden, error) {
	founders := make([]int64, len(list))
	for i, g := range list {
		founders[i] = g.Founder
	}
	members, err := a.Store.MembersOf(ctx, founders)
	if err != nil {
		return nil, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	var out []web.Golden
	for _, g := range list {
		w := web.Golden{ID: g.ID, Entity: g.Entity, Members: g.Members, Changed: parse(g.ChangedAt)}
		for _, m := range members[g.Founder] {
			if name := a.SourceName(m.Ref.Source); !slices.Contains(w.Sources, name) {
				w.Sources = append(w.Sources, name)
			}
		}
		if err := a.showFields(see, g, &w); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

// showFields adds the values with where they came from.
func (a *App) showFields(see sight, g store.Golden, w *web.Golden) error {
	var fields record.Fields
	if err := json.Unmarshal(g.Fields, &fields); err != nil {
		return err
	}
	var provenance map[string]golden.Provenance
	if err := json.Unmarshal(g.Provenance, &provenance); err != nil {
		return err
	}
	fields = see.fields(g.Entity, fields)
	w.Name = DisplayName(g.Entity, fields)
	for _, spec := range record.Specs(g.Entity) {
		v, ok := fields[spec.Name]
		if !ok {
			continue
		}
		p := provenance[spec.Name]
		source := ""
		if len(p.From) > 0 {
			source = a.sourceMark(p.From[0])
		}
		w.Fields = append(w.Fields, web.Field{Name: spec.Name, Value: ShowValue(v), Source: source})
	}
	return nil
}

// sourceMark is "crm c1001" for the first reference of a provenance.
func (a *App) sourceMark(text string) string {
	first, _, _ := strings.Cut(text, " ")
	r, err := record.ParseRef(first)
	if err != nil {
		return first
	}
	return a.SourceName(r.Source) + " " + r.ID
}

// DisplayName is what a golden record is called in a list.
func DisplayName(entity string, f record.Fields) string {
	if n := f.Text("name"); n != "" {
		return n
	}
	if n := f.Text("full_name"); n != "" {
		return n
	}
	given, family := f.Text("given_name"), f.Text("family_name")
	if han(given) || han(family) {
		return family + given
	}
	if n := strings.TrimSpace(given + " " + family); n != "" {
		return n
	}
	if n := f.Text("legal_name"); n != "" {
		return n
	}
	if n := f.Text("emails"); n != "" || record.Specs(entity) != nil {
		return n
	}
	return ownName(f)
}

func han(s string) bool {
	for _, r := range s {
		if r >= 0x3400 && r <= 0x9fff {
			return true
		}
	}
	return false
}

// ShowValue is a value in one line for people.
func ShowValue(v record.Value) string {
	if v.Kind != record.List {
		return v.Text
	}
	parts := make([]string, len(v.Points))
	for i, p := range v.Points {
		parts[i] = showPoint(p)
	}
	return strings.Join(parts, "; ")
}

func showPoint(p record.Point) string {
	if p.Value != "" {
		if s := p.Parts["scheme"]; s != "" {
			return s + " " + p.Value
		}
		return p.Value
	}
	var parts []string
	for _, name := range record.AddressParts {
		if s := p.Parts[name]; s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}
