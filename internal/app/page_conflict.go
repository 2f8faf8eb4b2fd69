package app

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"touchstone/internal/golden"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// overwrittenLooked bounds how many deliveries are looked through for values that
// they replaced.
const overwrittenLooked = 2000

// ConflictPage lists what was not written and waits for a person, what our writes
// have replaced, and fields that flip.
func (a *App) ConflictPage(ctx context.Context, f web.ConflictFilter) (p web.ConflictPage, err error) {
	p.Shown = f.View
	see, err := a.sight(ctx)
	if err != nil {
		return p, err
	}
	counts := map[string]int{}
	for _, t := range a.targets {
		p.Targets = append(p.Targets, t.config.Name)
		n, more, err := a.Store.StuckCounts(ctx, t.config.Name, see.reach)
		if err != nil {
			return p, err
		}
		p.AtLeast = p.AtLeast || more
		for state, k := range n {
			counts[state] += k
		}
	}
	for _, v := range web.ConflictViews {
		p.Views = append(p.Views, web.Count{Name: v, N: counts[v]})
		if p.Shown == "" && counts[v] > 0 {
			p.Shown = v
		}
	}
	after, err := seqAfter(f.After)
	switch {
	case err != nil:
		return p, err
	case !slices.Contains(web.ConflictViews, p.Shown):
		p.Shown = web.ConflictViews[0]
	}
	var rows []store.Row
	next := int64(0)
	switch p.Shown {
	case "flips":
		p.Flips, err = a.flipRows(ctx, f.Target)
		return p, err
	case "overwritten":
		rows, next, err = a.overwritten(ctx, see, f, after)
	default:
		rows, next, err = a.Stuck(ctx, StuckFilter{State: p.Shown, Target: f.Target, Path: f.Path, After: after, Limit: f.Limit})
	}
	if err != nil {
		return p, err
	}
	if next != 0 {
		p.Next, p.Partial = strconv.FormatInt(next, 10), len(rows) < f.Limit
	}
	p.Rows, err = a.conflictRows(ctx, rows)
	return p, err
}

// overwritten lists writes that put another value in the place of one that stood
// there, newest first.
func (a *App) overwritten(ctx context.Context, see sight, f web.ConflictFilter, before int64) (list []store.Row, next int64, err error) {
	for _, t := range a.targets {
		if f.Target != "" && f.Target != t.config.Name {
			continue
		}
		end := before
		for looked, found := 0, 0; looked < overwrittenLooked && found <= f.Limit; looked += exportPage / 5 {
			rows, at, err := a.Store.NewestDelivered(ctx, t.config.Name, see.reach, end, exportPage/5)
			if err != nil {
				return nil, 0, err
			}
			for _, r := range rows {
				if replaced(r, f.Path) {
					list, found = append(list, r), found+1
				}
			}
			if end = at; end == 0 || len(rows) < exportPage/5 {
				break
			}
		}
		next = max(next, end)
	}
	slices.SortFunc(list, func(x, y store.Row) int { return cmp.Compare(y.Seq, x.Seq) })
	list = slices.DeleteFunc(list, func(r store.Row) bool { return r.Seq < next }) // it is whole down to there
	if len(list) > f.Limit {
		list = list[:f.Limit]
		next = list[f.Limit-1].Seq
	}
	return list, next, nil
}

// replaced says whether a write took the place of a value, at a path or anywhere.
func replaced(r store.Row, path string) bool {
	for p := range r.Fields {
		if (path == "" || p == path) && plainJSON(r.Base[p]) != "" {
			return true
		}
	}
	return false
}

func (a *App) conflictRows(ctx context.Context, rows []store.Row) ([]web.ConflictRow, error) {
	shown, err := a.writeRows(ctx, rows)
	if err != nil {
		return nil, err
	}
	var recs, founders []int64
	for _, r := range rows {
		founders = append(founders, r.Founder)
		if r.Rec != 0 {
			recs = append(recs, r.Rec)
		}
	}
	now, err := a.Store.AtSourceNow(ctx, recs)
	if err != nil {
		return nil, err
	}
	goldens, err := a.Store.GoldensWithOrigin(ctx, founders)
	if err != nil {
		return nil, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]web.ConflictRow, len(rows))
	for i, r := range rows {
		x := web.ConflictRow{WriteRow: shown[i], Reason: stuckReason(r)}
		g, known := goldens[r.Founder]
		if known {
			if x.Name, err = see.name(g); err != nil {
				return nil, err
			}
		}
		if s, ok := now[r.Rec]; ok {
			x.Gone = s.Deleted
			if x.Changed = parse(s.Stamp); x.Changed.IsZero() {
				x.Changed = parse(s.SeenAt)
			}
		}
		if t := a.targetNamed(r.Target); t != nil {
			x.Sides = a.conflictFields(see, t, r, now[r.Rec], g)
			x.Fields = writtenFields(see, t, r)
		}
		out[i] = x
	}
	return out, nil
}

// provenanceOf says of each field of a golden record which record it comes from.
func (a *App) provenanceOf(g store.Golden) (map[string]string, error) {
	var prov map[string]golden.Provenance
	if err := json.Unmarshal(g.Provenance, &prov); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(prov))
	for name, p := range prov {
		var from []string
		for _, ref := range p.From {
			for part := range strings.SplitSeq(ref, " ") {
				if mark := a.sourceMark(part); !slices.Contains(from, mark) {
					from = append(from, mark)
				}
			}
		}
		out[name] = strings.Join(from, ", ")
	}
	return out, nil
}

// stuckReason puts what a system answered into one of a few words. Connectors say
// it in their own, and the text stands beside it.
func stuckReason(r store.Row) string {
	text := strings.ToLower(r.Error)
	for _, c := range []struct {
		word  string
		signs []string
	}{
		{"gone", []string{"not there any more", "404", "410", "not found", "gone"}},
		{"exists", []string{"exists", "duplicate", "already", "409"}},
		{"denied", []string{"401", "403", "permission", "forbidden", "scope", "credential"}},
		{"missing", []string{"required", "missing", "must not be empty", "blank"}},
		{"changed", []string{"412", "precondition", "changed there"}},
		{"unknown", []string{"neither to repeat", "unknown", "no answer"}},
		{"refused", []string{"400", "422", "invalid", "refused", "rejected", "too long", "not a valid", "format"}},
	} {
		if slices.ContainsFunc(c.signs, func(s string) bool { return strings.Contains(text, s) }) {
			return c.word
		}
	}
	return "other"
}

func (a *App) flipRows(ctx context.Context, target string) (out []web.FlipRow, err error) {
	flips, err := a.Flips(ctx, target)
	if err != nil {
		return nil, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	founders := make([]int64, len(flips))
	for i, f := range flips {
		founders[i] = f.Row.Founder
	}
	goldens, err := a.Store.LoadGoldens(ctx, founders)
	if err != nil {
		return nil, err
	}
	for _, f := range flips {
		x := web.FlipRow{Target: f.Target, Path: f.Path, Golden: f.Row.Key}
		if t := a.targetNamed(f.Target); t != nil {
			x.Field = t.fieldAt(f.Path)
			if !see.written(t, f.Path) {
				f.Steps = nil
			}
		}
		if g, ok := goldens[f.Row.Founder]; ok {
			x.Golden = g.ID
			if x.Name, err = see.name(g); err != nil {
				return nil, err
			}
		}
		for _, s := range f.Steps {
			x.Steps = append(x.Steps, web.FlipMove{At: parse(s.At), Old: s.Old, New: s.New})
		}
		out = append(out, x)
	}
	return out, nil
}

// SettleRow settles one row from a page.
func (a *App) SettleRow(ctx context.Context, f web.SettleForm, by web.By) (web.Done, error) {
	out, err := a.SettleStuck(ctx, Resolution{Row: f.Row, How: f.How, Path: f.Path, Value: f.Value, Ask: true, Seen: f.Seen}, By{Who: by.Who, Why: by.Why})
	if f.How == "typed" {
		err = ofTyped("value", err)
	}
	if err != nil {
		return web.Done{}, err
	}
	key := map[string]string{"ours": web.DoneOurs, "theirs": web.DoneTheirs, "typed": web.DoneTyped, "drop": web.DoneDropped, "back": web.DoneTyped}[f.How]
	return web.ActDone(key, out.Undo), nil
}

// SettleRows plans all rows of a filter again, or drops them.
func (a *App) SettleRows(ctx context.Context, f web.ConflictFilter, drop bool, by web.By) (web.Done, error) {
	undo, n, err := a.SettleAll(ctx, StuckFilter{State: f.View, Target: f.Target, Path: f.Path}, drop, By{Who: by.Who, Why: by.Why})
	switch {
	case err != nil:
		return web.Done{}, err
	case n == 0:
		return web.Done{Key: web.DoneNothing}, nil
	case drop:
		return web.ActDone(web.DoneDropped, undo), nil
	}
	return web.ActDone(web.DoneOurs, undo), nil
}
