package app

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"touchstone/config"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/rules/repair"
)

// QuarantineRecord is one of them as it came, with the ways to mend it.
func (a *App) QuarantineRecord(ctx context.Context, id string) (out web.QuarantineRecord, err error) {
	see, w, err := a.seesWithin(ctx)
	if err != nil {
		return out, err
	}
	if err := a.reachQuarantined(ctx, id); err != nil {
		return out, err
	}
	q, err := a.quarantinedRow(ctx, id)
	if err != nil {
		return out, err
	}
	out.QuarantineRow = a.quarantineRow(see, q.Quarantined)
	if out.Problems, err = a.mendings(ctx, see, w, q); err != nil {
		return out, err
	}
	if q.State == "open" && !q.judged.Unreadable && len(q.judged.Reasons) > 0 {
		out.Reasons = nil // as of now: a repair may have mended some
		for _, r := range q.judged.Reasons {
			out.Reasons = append(out.Reasons, see.reason(q.Ref.Entity, r))
		}
	}
	paths, values := map[string]bool{}, map[string]bool{}
	for _, r := range out.Reasons {
		name, _, _ := repair.Place(r.Field)
		for _, p := range a.mappedFrom(q.Ref, name) {
			paths[p] = true
		}
		if r.Value != "" {
			values[r.Value] = true
		}
	}
	seen := a.rawSeen(see, q.Ref, q.Raw)
	out.Raw, out.Lines, out.Kept = string(seen), rawLines(seen, paths, values), len(see.masks) > 0
	if err := a.recordAround(ctx, see, w, q, &out); err != nil {
		return out, err
	}
	return out, nil
}

// recordAround adds what else is known: its golden record, its repairs, what is
// to be written back, and which record waits next.
func (a *App) recordAround(ctx context.Context, see sight, w store.Within, q quarantined, out *web.QuarantineRecord) error {
	members, err := a.Store.MembersByRec(ctx, []int64{q.Rec})
	if err != nil {
		return err
	}
	if m, ok := members[q.Rec]; ok && m.Golden != 0 { // it is in reach, as the record is
		ids, err := a.Store.GoldenIDs(ctx, []int64{m.Golden})
		if err != nil {
			return err
		}
		out.Golden = ids[m.Golden]
	}
	err = a.fixes(ctx, store.RepairFilter{After: store.RepairMark{Rec: q.Rec}, Limit: recordRepairs}, func(r store.ShownRepair) error {
		if r.Rec == q.Rec {
			out.Repairs = append(out.Repairs, see.repairSeen(a.repairOf(r)))
		}
		return nil
	}, true)
	if err != nil {
		return err
	}
	rows, err := a.Store.WaitingFor(ctx, q.Rec)
	if err != nil {
		return err
	}
	if rows, err = a.rowsReached(ctx, w, rows); err != nil {
		return err
	}
	if out.Waits, err = a.writeRows(ctx, rows); err != nil {
		return err
	}
	after := q.ID
	for range 2 { // behind it, else from the beginning
		list, err := a.Store.Quarantines(ctx, store.QuarantineQuery{State: "open", After: after, Limit: 2, Within: w})
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.ID != q.ID && out.Next == "" {
				out.Next = x.ID
			}
		}
		if out.Next != "" {
			return nil
		}
		after = ""
	}
	return nil
}

// recordRepairs bounds the repairs listed with a record.
const recordRepairs = 50

// mappedFrom lists the members of a raw record that a field of ours is made of.
func (a *App) mappedFrom(ref record.Ref, field string) (paths []string) {
	e, _ := a.sourceEntity(ref.Source, ref.Entity)
	for _, f := range e.Map {
		spec, ok := record.Spec(ref.Entity, f.Name)
		if f.Name == field || ok && spec.Name == field {
			paths = append(paths, valuePaths(f.Value)...)
		}
	}
	return paths
}

func valuePaths(v config.MapValue) (paths []string) {
	paths = recordPaths(v.Expr.Text)
	for _, p := range v.Parts {
		paths = append(paths, valuePaths(p.Value)...)
	}
	for _, i := range v.Items {
		paths = append(paths, valuePaths(i)...)
	}
	return paths
}

// mendings are the reasons of a record that waits, with what would mend them.
func (a *App) mendings(ctx context.Context, see sight, w store.Within, q quarantined) (out []web.Mending, err error) {
	if q.State != "open" {
		return nil, nil
	}
	reasons := q.judged.Reasons
	if q.judged.Unreadable {
		reasons = q.Reasons
	}
	groups, err := a.sameFaults(ctx, w, q, reasons)
	if err != nil {
		return nil, err
	}
	key := 0
	for _, r := range reasons {
		m := web.Mending{Reason: see.reason(q.Ref.Entity, r), Fault: a.Store.Fault(q.Ref, r)}
		m.Same = groups[m.Fault]
		name, entry, part := repair.Place(r.Field)
		if !q.judged.Unreadable && name != "" && !see.placeMasked(q.Ref.Entity, r.Field) {
			v, has := q.judged.Fields[name]
			var text bool
			if m.Now, text = repair.Pointed(v, entry, part); !text {
				m.Now = ShowValue(v)
			}
			m.Long = len(m.Now) > longestRaw
			m.Now = cutLine(m.Now)
			m.Typed = !has || text || entry < 0 && v.Kind != record.List || v.Blank()
			for _, x := range q.offers(r) {
				o := web.Offer{Remedy: x.Name, Lossy: x.Lossy(), Passes: len(q.with(x).Reasons) == 0, Now: shownAfter(x, entry, part)}
				if key++; key <= 9 {
					o.Key = strconv.Itoa(key)
				}
				m.Offers = append(m.Offers, o)
				if len(m.Back) == 0 && !x.LeaveOut {
					m.Back = a.writesBack(see, q, x)
				}
			}
		}
		out = append(out, m)
	}
	return out, nil
}

// writesBack says what a mended field would set in the record's own system, where
// a target of it owns a path that is mapped from the field. What is written in
// the end is what the golden record says then.
func (a *App) writesBack(see sight, q quarantined, x repair.Remedy) (out []web.WriteBack) {
	obj, err := record.DecodeObject(q.Raw)
	if err != nil {
		return nil
	}
	fields := q.with(x).Fields
	for _, t := range a.targets {
		for _, path := range t.filledFrom(q.Ref, x.Field) {
			if !see.written(t, path) {
				continue
			}
			now, _ := pipeline.At(obj, path)
			v, _, err := t.plan.Preview(path, "", fields)
			if err == nil {
				out = append(out, web.WriteBack{Target: t.config.Name, Path: path, Old: cutLine(plainJSON(record.Canonical(nil, now))), New: cutLine(plainJSON(record.Canonical(nil, v)))})
			}
		}
	}
	return out
}

// filledFrom lists the paths of a target that it owns and fills from a field of
// ours, where the record is one of its objects.
func (t *target) filledFrom(ref record.Ref, field string) (paths []string) {
	if t.system.uid != ref.Source || t.config.Entity != ref.Entity || t.config.Policy == config.CreateOnly {
		return nil
	}
	for _, m := range t.config.Map {
		if t.plan.Owned(m.Name) && mentioned(m.Value.Expr.Text, "golden."+field) {
			paths = append(paths, m.Name)
		}
	}
	return paths
}

// FaultPage shows one fault, and what a remedy would make of the records that
// have it.
func (a *App) FaultPage(ctx context.Context, fault, remedy string) (p web.FaultPage, err error) {
	see, w, err := a.seesWithin(ctx)
	if err != nil {
		return p, err
	}
	group, found, err := a.faultSeen(ctx, w, fault)
	switch {
	case err != nil:
		return p, err
	case !found:
		return p, record.ErrNotFound
	}
	shown, err := a.faultGroups(ctx, []store.FaultGroup{group})
	if err != nil {
		return p, err
	}
	if len(shown) == 0 {
		return p, record.ErrNotFound
	}
	p.FaultGroup = shown[0]
	rows, _, err := a.Store.QuarantinesWhole(ctx, store.QuarantineQuery{Faults: []string{fault}, Limit: trialRows, Within: w}, trialBytes)
	if err != nil {
		return p, err
	}
	judged, err := a.judgedRows(ctx, rows)
	if err != nil {
		return p, err
	}
	if p.Looked = len(judged); see.placeMasked(group.Entity, group.Field) { // which records have it is told, and no more
		for _, q := range judged[:min(len(judged), trialShown)] {
			p.Rows = append(p.Rows, web.TrialRow{ID: q.ID, Record: q.Ref.ID, Place: q.Place})
		}
		return p, nil
	}
	for _, q := range judged {
		a.tryAll(q, &p)
	}
	slices.SortStableFunc(p.Remedies, func(x, y web.Trial) int { return y.Helps - x.Helps })
	if p.Remedy = remedy; remedy == "" && len(p.Remedies) > 0 {
		p.Remedy = p.Remedies[0].Remedy
		if j := slices.IndexFunc(p.Remedies, func(t web.Trial) bool { return t.Remedy == p.Best }); j >= 0 {
			p.Remedy = p.Best
		}
	}
	for _, q := range judged[:min(len(judged), trialShown)] {
		p.Rows = append(p.Rows, a.tryOne(q, p.Fault, p.Remedy))
	}
	return p, nil
}

// How many records a remedy is tried on, how many of them are shown, and how long
// they are together: judging a record takes as long as it is.
const (
	trialRows  = 100
	trialShown = 25
	trialBytes = 1 << 20
)

func (a *App) tryAll(q quarantined, p *web.FaultPage) {
	r, ok := a.reasonWith(q, p.Fault)
	if !ok {
		return
	}
	for _, x := range q.offers(r) { // each remedy is offered once
		i := slices.IndexFunc(p.Remedies, func(t web.Trial) bool { return t.Remedy == x.Name })
		if i < 0 {
			i, p.Remedies = len(p.Remedies), append(p.Remedies, web.Trial{Remedy: x.Name})
		}
		p.Remedies[i].Helps++
	}
}

func (a *App) tryOne(q quarantined, fault, remedy string) web.TrialRow {
	row := web.TrialRow{ID: q.ID, Record: q.Ref.ID, Place: q.Place}
	r, ok := a.reasonWith(q, fault)
	if !ok {
		return row
	}
	name, entry, part := repair.Place(r.Field)
	row.Was = shownAt(q.judged.Fields[name], entry, part)
	if x, ok := a.sameRemedy(q, BulkRepair{Fault: fault, Remedy: remedy}); ok {
		row.Helps, row.Passes, row.Now = true, len(q.with(x).Reasons) == 0, shownAfter(x, entry, part)
	}
	return row
}

// reasonWith finds the first reason with a fault among those that a record has
// now.
func (a *App) reasonWith(q quarantined, fault string) (record.Reason, bool) {
	i := slices.IndexFunc(q.judged.Reasons, func(r record.Reason) bool { return a.Store.Fault(q.Ref, r) == fault })
	if i < 0 {
		return record.Reason{}, false
	}
	return q.judged.Reasons[i], true
}

// shownAt shows what a reason points at, or the whole value where that is no
// text.
func shownAt(v record.Value, entry int, part string) string {
	text, is := repair.Pointed(v, entry, part)
	if !is {
		text = ShowValue(v)
	}
	return cutLine(text)
}

// shownAfter shows what a remedy leaves there.
func shownAfter(x repair.Remedy, entry int, part string) string {
	if x.Name == repair.Drop {
		return cutLine(ShowValue(x.Now))
	}
	return shownAt(x.Now, entry, part)
}

// MendField mends one field from a page.
func (a *App) MendField(ctx context.Context, r web.RepairForm, by web.By) (web.Done, error) {
	out, err := a.Repair(ctx, RepairRequest{Row: r.Row, Field: r.Field, Remedy: r.Remedy, Value: r.Value}, By{Who: by.Who, Why: by.Why})
	if err != nil {
		return web.Done{}, err
	}
	if out.Passes {
		return web.ActDone(web.DoneMended, out.Decision), nil
	}
	return web.ActDone(web.DoneMendedPart, out.Decision), nil
}

// MendAll does a part of a bulk repair from a page.
func (a *App) MendAll(ctx context.Context, b web.BulkForm, by web.By) (web.BulkStep, error) {
	out, err := a.RepairAll(ctx, BulkRepair{Fault: b.Fault, Remedy: b.Remedy, Decision: b.Decision, After: b.After}, By{Who: by.Who, Why: by.Why})
	return web.BulkStep{Decision: out.Decision, After: out.After, Repaired: out.Repaired, Left: out.Left}, err
}

// ReleaseRecord lets a record pass as it is, from a page.
func (a *App) ReleaseRecord(ctx context.Context, id string, by web.By) (web.Done, error) {
	d, err := a.Release(ctx, id, By{Who: by.Who, Why: by.Why})
	return web.ActDone(web.DoneReleased, d.Decision), err
}

// UndoAct takes back what a page offered to undo.
func (a *App) UndoAct(ctx context.Context, id string, by web.By) (web.Done, error) {
	d, err := a.Undo(ctx, id, By{Who: by.Who, Why: by.Why})
	if d.Kind != store.Undone || strings.ContainsAny(d.Decision, "-+") {
		return web.Done{Key: web.DoneUndone}, err
	}
	return web.ActDone(web.DoneUndone, d.Decision), err
}

// Fixes lists the repairs in force of a source.
func (a *App) Fixes(ctx context.Context, source string, overtaken bool, each func(web.RepairOf) error) error {
	see, w, err := a.seesWithin(ctx)
	if err != nil {
		return err
	}
	f := store.RepairFilter{Source: a.SourceUID(source), Overtaken: overtaken, Limit: exportPage, Within: w}
	return a.fixes(ctx, f, func(r store.ShownRepair) error { return each(see.repairSeen(a.repairOf(r))) }, false)
}

// fixes reads repairs page by page; once reads one page.
func (a *App) fixes(ctx context.Context, f store.RepairFilter, each func(store.ShownRepair) error, once bool) error {
	for {
		list, err := a.Store.Repairs(ctx, f)
		if err != nil {
			return err
		}
		for _, r := range list {
			f.After = store.RepairMark{Rec: r.Rec, Version: r.Version, Field: r.Field}
			if err := each(r); err != nil {
				return err
			}
		}
		if once || len(list) < f.Limit {
			return nil
		}
	}
}

func (a *App) repairOf(r store.ShownRepair) web.RepairOf {
	out := web.RepairOf{
		Source: a.SourceName(r.Ref.Source), Entity: r.Ref.Entity, Record: r.Ref.ID, Place: r.Place, Field: r.Field, Was: cutLine(shownJSON(r.Was)), Now: shownJSON(r.Now),
		Remedy: r.Remedy, Who: r.Who, Why: r.Why, Decision: r.Decision, At: parse(r.At), Version: r.Version, Overtaken: r.Overtaken,
	}
	for _, t := range a.targets {
		if len(t.filledFrom(r.Ref, r.Field)) > 0 {
			out.Back = append(out.Back, t.config.Name)
		}
	}
	return out
}

// shownJSON shows a value as it is kept.
func shownJSON(raw json.RawMessage) string {
	var v record.Value
	if raw == nil || v.UnmarshalJSON(raw) != nil {
		return ""
	}
	return ShowValue(v)
}
