package app

import (
	"context"
	"maps"
	"slices"
	"strings"

	"touchstone/config"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// Resolution settles one stuck row of the outbox.
type Resolution struct {
	Row   string
	How   string // "ours", "theirs", "typed", "drop", or of a delivered row "back": the value that it replaced
	Path  string // the field there: of typed, and of theirs where only one is taken; "" for all
	Value string // typed
	// Ask and Seen are those of a PinRequest.
	Ask  bool
	Seen string
}

// Resolved says what was done, and the id that Undo takes all of it back by.
type Resolved struct {
	Undo      string
	Decisions int    // fields that a person has set by it
	TakenAs   string `json:"taken_as,omitempty" doc:"what the typed value was taken as, where that is another form"`
}

// SettleStuck settles a stuck row. Ours is planned again, from what stands there now.
// Theirs lets the value that stands there win everywhere, as a pin on the fields
// that it comes from, and drops the row. A typed value is a pin too, and is then
// written. Drop leaves both sides as they are.
func (a *App) SettleStuck(ctx context.Context, r Resolution, by By) (out Resolved, err error) {
	if err := a.reachRows(ctx, r.Row); err != nil {
		return out, err
	}
	row, err := a.Store.RowByID(ctx, r.Row)
	if err != nil {
		return out, err
	}
	if r.How == "back" {
		return a.putBack(ctx, row, r, by)
	}
	if !slices.Contains(store.StuckStates(), row.State) {
		return out, unclear("the row is %s by now: load the page again", wordOf("row", row.State))
	}
	t := a.targetNamed(row.Target)
	if t == nil {
		return out, unclear("the target %s is not configured any more", row.Target)
	}
	var undo []string
	switch r.How {
	case "ours", "drop":
	case "theirs":
		if row.Rec == 0 {
			return out, unclear("there is no object there whose values could be taken")
		}
		if err := a.mayTake(ctx, t, row, r.Path); err != nil { // before the first is pinned
			return out, err
		}
		undo, err = a.pinTheirs(ctx, t, row, r.Path, by)
	case "typed":
		undo, out.TakenAs, err = a.pinTyped(ctx, t, row, r, by)
	default:
		return out, unclear("a conflict is settled by ours, theirs, typed or drop")
	}
	if err != nil {
		return Resolved{}, err
	}
	out.Decisions = len(undo)
	act, _, err := a.reviveAs(ctx, []string{row.ID}, r.How == "theirs" || r.How == "drop", by)
	if err != nil {
		return Resolved{}, a.takeBack(ctx, undo, by, err)
	}
	out.Undo = strings.Join(append(undo, act), "+")
	return out, nil
}

// putBack lets the value win that a write of ours has replaced: a pin.
func (a *App) putBack(ctx context.Context, row store.Row, r Resolution, by By) (out Resolved, err error) {
	t := a.targetNamed(row.Target)
	was := plainJSON(row.Base[r.Path])
	if t == nil || was == "" {
		return out, unclear("no value was replaced at %s", r.Path)
	}
	r.Value = was
	undo, _, err := a.pinTyped(ctx, t, row, r, by)
	return Resolved{Undo: strings.Join(undo, "+"), Decisions: len(undo)}, err
}

// reviveAs plans rows again or drops them, as one act that can be taken back.
func (a *App) reviveAs(ctx context.Context, rows []string, drop bool, by By) (undo string, n int, err error) {
	act := a.opts.Env.ID()
	if n, err = a.Store.ReviveAs(ctx, act, rows, drop, by.Who, by.Why); err != nil {
		return "", 0, err
	}
	a.landed.ring()
	return revivePrefix + act, n, nil
}

func (a *App) targetNamed(name string) *target {
	for _, t := range a.targets {
		if t.config.Name == name {
			return t
		}
	}
	return nil
}

// fieldAt is the field of ours that a target's path is filled from, where it is
// filled from one alone, as it is; "" otherwise.
func (t *target) fieldAt(path string) string {
	for _, m := range t.config.Map {
		if m.Name != path {
			continue
		}
		name, ok := strings.CutPrefix(strings.TrimSpace(m.Value.Expr.Text), "golden.")
		if !ok {
			return ""
		}
		name, rest, _ := strings.Cut(name, "[")
		if rest != "" && rest != "0].value" || word(name) != name {
			return ""
		}
		return name
	}
	return ""
}

// writes says whether a field of ours is written, as it is, to some path.
func (t *target) writes(field string) bool {
	return slices.ContainsFunc(t.config.Map, func(m config.Named) bool { return t.fieldAt(m.Name) == field && t.plan.Writes(m.Name) })
}

// pinTheirs pins the fields that a row writes to what its object's record says.
func (a *App) pinTheirs(ctx context.Context, t *target, row store.Row, only string, by By) (undo []string, err error) {
	refs, err := a.Store.Refs(ctx, []int64{row.Rec})
	if err != nil {
		return nil, err
	}
	ref := a.refName(refs[row.Rec])
	for _, path := range slices.Sorted(maps.Keys(row.Fields)) {
		field := t.fieldAt(path)
		if field == "" || only != "" && only != path {
			continue
		}
		d, err := a.Pin(ctx, PinRequest{Golden: ref, Field: field, Pick: ref}, By{Who: by.Who, Why: by.Why, Over: true})
		if err != nil {
			return nil, a.takeBack(ctx, undo, by, err)
		}
		if !d.Existing {
			undo = append(undo, d.Decision)
		}
	}
	return undo, nil
}

// mayTake refuses to set the fields of ours behind the paths that a row writes, one
// or all, where one is kept from who asks.
func (a *App) mayTake(ctx context.Context, t *target, row store.Row, only string) error {
	see := a.unmasked(ctx)
	for path := range row.Fields {
		if field := t.fieldAt(path); field != "" && (only == "" || only == path) {
			if err := see.settable(t.config.Entity, field); err != nil {
				return err
			}
		}
	}
	return nil
}

// pinTyped pins the field behind a path to what was typed, and says what that was
// taken as.
func (a *App) pinTyped(ctx context.Context, t *target, row store.Row, r Resolution, by By) (undo []string, as string, err error) {
	field := t.fieldAt(r.Path)
	if field == "" {
		return nil, "", unclear("%s is not filled from one field alone: pin the golden record's field instead", r.Path)
	}
	d, err := a.Pin(ctx, PinRequest{Golden: row.Key, Field: field, Value: r.Value, Ask: r.Ask, Seen: r.Seen, Plain: r.How == "back"}, By{Who: by.Who, Why: by.Why, Over: true})
	if err != nil || d.Existing {
		return nil, d.TakenAs, err
	}
	return []string{d.Decision}, d.TakenAs, nil
}

// takeBack undoes what was done of a step that failed, and gives why it did.
func (a *App) takeBack(ctx context.Context, undo []string, by By, why error) error {
	for _, id := range slices.Backward(undo) {
		if _, err := a.Undo(ctx, id, by); err != nil {
			return err
		}
	}
	return why
}

// StuckFilter chooses stuck rows.
type StuckFilter struct {
	State, Target, Path string // Path is a field there; "" for all
	After               int64
	Limit               int
}

// mostStuck bounds a bulk act, and what is looked through for a field.
const mostStuck = 10_000

// Stuck lists rows that only a person moves on, oldest first; next is where the
// list goes on, 0 at the end. The list may be short, or empty, and not the end.
func (a *App) Stuck(ctx context.Context, f StuckFilter) (list []store.Row, next int64, err error) {
	see, err := a.sight(ctx)
	if err != nil {
		return nil, 0, err
	}
	var targets []string
	for _, t := range a.targets {
		if f.Target == "" || f.Target == t.config.Name {
			targets = append(targets, t.config.Name)
		}
	}
	for looked := 0; ; {
		n := max(f.Limit, exportPage/5)
		rows, next, err := a.Store.RowsIn(ctx, targets, f.State, see.reach, f.After, n)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range rows {
			if len(list) == f.Limit {
				return list, f.After, nil
			}
			f.After = r.Seq
			if _, has := r.Fields[f.Path]; has || f.Path == "" {
				list = append(list, r)
			}
		}
		looked += len(rows)
		if f.After = next; next == 0 || len(rows) < n || len(list) == f.Limit || looked >= mostStuck {
			return list, next, nil
		}
	}
}

// SettleAll plans all stuck rows of a filter again, or drops them, as one act.
func (a *App) SettleAll(ctx context.Context, f StuckFilter, drop bool, by By) (undo string, n int, err error) {
	if !slices.Contains(store.StuckStates(), f.State) {
		return "", 0, unclear("rows that are %s are not planned again", wordOf("row", f.State))
	}
	var ids []string
	f.After = 0
	for more := true; more && len(ids) < mostStuck; more = f.After != 0 {
		f.Limit = mostStuck - len(ids)
		var rows []store.Row
		if rows, f.After, err = a.Stuck(ctx, f); err != nil {
			return "", 0, err
		}
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return "", 0, nil
	}
	return a.reviveAs(ctx, ids, drop, by)
}

// undoAct takes back an act on rows of the outbox.
func (a *App) undoAct(ctx context.Context, act string, by By) (Decided, error) {
	back, sent, err := a.Store.Unrevive(ctx, act, by.Who, by.Why)
	switch {
	case err != nil:
		return Decided{}, err
	case back == 0:
		return Decided{}, unclear("it has been written there by now (%d): change the value again instead", sent)
	}
	return Decided{Decision: revivePrefix + act, Kind: store.Undone}, nil
}

// Flip is a field that is written to and fro between two values.
type Flip struct {
	Target, Path string
	Row          store.Row // the last write
	Steps        []FlipStep
}

// FlipStep is one write of it.
type FlipStep struct{ At, Old, New string }

// How far back flips are looked for.
const (
	flipWindow  = 5000
	flipObjects = 200
	flipSteps   = 8
)

// Flips lists fields that were written to what they had been before, twice or
// more: two systems take turns.
func (a *App) Flips(ctx context.Context, only string) (out []Flip, err error) {
	see, err := a.sight(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range a.targets {
		if only != "" && only != t.config.Name {
			continue
		}
		recs, err := a.Store.OftenWritten(ctx, t.config.Name, see.reach, flipWindow, flipObjects)
		if err != nil {
			return nil, err
		}
		rows, err := a.Store.DeliveredTo(ctx, t.config.Name, see.reach, recs)
		if err != nil {
			return nil, err
		}
		byRec := map[int64][]store.Row{}
		for _, r := range rows {
			byRec[r.Rec] = append(byRec[r.Rec], r)
		}
		for _, rec := range recs {
			out = append(out, flipsOf(t.config.Name, byRec[rec])...)
		}
	}
	return out, nil
}

// flipsOf finds the fields of one object that flip: a write that puts back what an
// earlier write had replaced, twice.
func flipsOf(target string, rows []store.Row) (out []Flip) {
	steps, back := map[string][]FlipStep{}, map[string]int{}
	last := map[string]store.Row{}
	for _, r := range rows {
		for path, now := range r.Fields {
			step := FlipStep{At: r.At, Old: plainJSON(r.Base[path]), New: plainJSON(now)}
			if slices.ContainsFunc(steps[path], func(s FlipStep) bool { return s.New == step.New }) {
				back[path]++
			}
			steps[path], last[path] = append(steps[path], step), r
		}
	}
	for _, path := range slices.Sorted(maps.Keys(back)) {
		if back[path] < 2 {
			continue
		}
		s := steps[path]
		out = append(out, Flip{Target: target, Path: path, Row: last[path], Steps: s[max(0, len(s)-flipSteps):]})
	}
	return out
}

// conflictFields are the fields of a row: what stood there when it was planned,
// what stands there now, and what we want, with where that comes from.
func (a *App) conflictFields(see sight, t *target, row store.Row, now store.AtSource, g store.Golden) (out []web.ConflictField) {
	obj, err := record.DecodeObject(now.Raw)
	if err != nil {
		obj = nil
	}
	var from map[string]string
	if fields, err := a.provenanceOf(g); err == nil {
		from = fields
	}
	for _, path := range slices.Sorted(maps.Keys(row.Fields)) {
		if !see.written(t, path) {
			out = append(out, web.ConflictField{Path: path, Kept: true})
			continue
		}
		f := web.ConflictField{Path: path, Ours: plainJSON(row.Fields[path]), Base: plainJSON(row.Base[path]), Field: t.fieldAt(path)}
		if obj != nil {
			v, _ := pipeline.At(obj, path)
			f.Theirs, f.Known = plainJSON(record.Canonical(nil, v)), true
		}
		f.From = from[f.Field]
		out = append(out, f)
	}
	return out
}

// writtenFields are the fields of a write, those that may be seen with their values.
func writtenFields(see sight, t *target, row store.Row) (out []web.Change) {
	for _, f := range plannedWrite(row).Fields {
		c := web.Change{Path: f.Path}
		if see.written(t, f.Path) {
			c.Old, c.New = plainJSON(f.Old), plainJSON(f.New)
		}
		out = append(out, c)
	}
	return out
}
