package app

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"touchstone/internal/auth"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching/standardise"
	"touchstone/rules/repair"
	"touchstone/rules/schema"
)

// RepairRequest mends one reason of a quarantined record.
type RepairRequest struct {
	Row    string // of the quarantine
	Field  string // as the reason names it: "website", "/phones/0/value"
	Remedy string // a name of package repair; "typed" takes Value
	Value  string // as typed; "" leaves the field empty
}

// RepairedRow says what became of a repair.
type RepairedRow struct {
	Decided
	Row     string          `json:"row"`
	Passes  bool            `json:"passes"`
	Reasons []record.Reason `json:"reasons,omitempty"` // why it still waits
}

// quarantined is an open row with what is needed to judge it.
type quarantined struct {
	store.Quarantined
	deriver *pipeline.Deriver
	version store.Version
	judged  pipeline.Judged
}

// judgedRows judges quarantined rows as they stand, with the repairs they have.
// Rows are read with their raw records.
func (a *App) judgedRows(ctx context.Context, rows []store.Quarantined) ([]quarantined, error) {
	recs := make([]int64, len(rows))
	for i, q := range rows {
		recs[i] = q.Rec
	}
	slices.Sort(recs)
	repairs, err := a.Store.RepairsOn(ctx, slices.Compact(recs))
	if err != nil {
		return nil, err
	}
	out := make([]quarantined, len(rows))
	for i, q := range rows {
		x := quarantined{Quarantined: q, version: store.Version{N: q.Version, Raw: q.Raw, Place: q.Place, Repairs: repairs[q.Rec][q.Version]}}
		if e := a.entityNamed(q.Ref.Entity); e != nil {
			x.deriver = e.derivers[q.Ref.Source]
		}
		if x.deriver != nil && !unreadable(q.Reasons) {
			x.judged = x.deriver.Judge(x.version, nil)
		} else {
			x.judged.Unreadable = true
		}
		out[i] = x
	}
	return out, nil
}

// unreadable says that nothing of a record could be read, so that there is no
// field to mend.
func unreadable(reasons []record.Reason) bool {
	return slices.ContainsFunc(reasons, func(r record.Reason) bool { return r.Rule == "unreadable" })
}

func (a *App) quarantinedRow(ctx context.Context, id string) (quarantined, error) {
	q, err := a.Store.QuarantineShow(ctx, id)
	if err != nil {
		return quarantined{}, err
	}
	list, err := a.judgedRows(ctx, []store.Quarantined{q})
	if err != nil {
		return quarantined{}, err
	}
	return list[0], nil
}

func (q quarantined) spec(name string) record.FieldSpec {
	if spec, ok := record.Spec(q.Ref.Entity, name); ok {
		return spec
	}
	return record.FieldSpec{Name: name, Kind: record.Text}
}

func (q quarantined) limits(field string) (l schema.Limits) {
	for _, s := range q.deriver.Schemas {
		x := s.Limits(field)
		if l.Enum == nil {
			l.Enum = x.Enum
		}
		if x.MaxLength > 0 && (l.MaxLength == 0 || x.MaxLength < l.MaxLength) {
			l.MaxLength = x.MaxLength
		}
		if x.MaxItems > 0 && (l.MaxItems == 0 || x.MaxItems < l.MaxItems) {
			l.MaxItems = x.MaxItems
		}
	}
	return l
}

// offers lists what would mend a reason, what keeps most first.
func (q quarantined) offers(r record.Reason) (out []repair.Remedy) {
	if q.judged.Unreadable {
		return nil
	}
	name, _, _ := repair.Place(r.Field)
	v, has := q.judged.Fields[name]
	for _, x := range repair.Remedies(r, v, has, q.spec(name).Kind, q.limits(r.Field)) {
		if slices.ContainsFunc(out, func(o repair.Remedy) bool { return o.Name == x.Name }) {
			continue // emptied is enough where the rules take that
		}
		if after := q.with(x); !stands(after.Reasons, r) && len(after.Reasons) < len(q.judged.Reasons) {
			out = append(out, x)
		}
	}
	return out
}

// with judges the record as if it had been mended so.
func (q quarantined) with(x repair.Remedy) pipeline.Judged {
	return q.deriver.Judge(q.version, map[string]json.RawMessage{x.Field: said(x)})
}

// said is a remedy as it is kept; nil leaves the field out.
func said(x repair.Remedy) json.RawMessage {
	if x.LeaveOut {
		return nil
	}
	return x.Now.AppendJSON(nil)
}

// stands says whether a reason is among others, its value aside.
func stands(list []record.Reason, r record.Reason) bool {
	field, what := r.Fault()
	return slices.ContainsFunc(list, func(o record.Reason) bool {
		f, w := o.Fault()
		return o.Rule == r.Rule && f == field && w == what && o.Field == r.Field
	})
}

// wanted finds the remedy that a request names.
func (q quarantined) wanted(r RepairRequest) (repair.Remedy, error) {
	switch {
	case q.State != "open":
		return repair.Remedy{}, unclear("this record is %s: only what waits in quarantine is mended", wordOf("qstate", q.State))
	case q.deriver == nil:
		return repair.Remedy{}, unclear("its source is not configured any more")
	case q.judged.Unreadable:
		return repair.Remedy{}, unclear("nothing of the record could be read: mend it at the source, it is read again with the next pull")
	}
	for _, reason := range q.judged.Reasons {
		if reason.Field != r.Field || r.Remedy == repair.Typed {
			continue
		}
		for _, x := range q.offers(reason) {
			if x.Name == r.Remedy {
				return x, nil
			}
		}
	}
	if r.Remedy != repair.Typed {
		return repair.Remedy{}, unclear("nothing is wrong with %s any more that %s would mend: load the page again", wordOf("place", r.Field), wordOf("remedy", r.Remedy))
	}
	name, entry, part := repair.Place(r.Field)
	v, has := q.judged.Fields[name]
	if !has && !slices.ContainsFunc(q.judged.Reasons, func(x record.Reason) bool { n, _, _ := repair.Place(x.Field); return n == name }) {
		return repair.Remedy{}, unclear("the record has no field %q", r.Field)
	}
	kind := q.spec(name).Kind
	text := strings.TrimSpace(r.Value)
	if kind == record.Date && text != "" {
		if d, _ := standardise.Date(text); d != "" {
			text = d
		}
	}
	if len(text) > longestValue {
		return repair.Remedy{}, unclear("the value is longer than %d bytes", longestValue)
	}
	return repair.Remedy{Name: repair.Typed, Field: name, Now: repair.Put(v, kind, entry, part, text)}, nil
}

// Repair says what a field of one quarantined version holds: a decision, which
// counts for this version alone, and which Undo takes back. It is refused when
// the rules refuse the value too. The record is judged again at once.
func (a *App) Repair(ctx context.Context, r RepairRequest, by By) (out RepairedRow, err error) {
	if err := a.reachQuarantined(ctx, r.Row); err != nil {
		return out, err
	}
	q, err := a.quarantinedRow(ctx, r.Row)
	if err != nil {
		return out, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return out, err
	}
	if see.placeMasked(q.Ref.Entity, r.Field) {
		return out, keptField()
	}
	x, err := q.wanted(r)
	if err != nil {
		return out, err
	}
	after := q.with(x)
	for _, reason := range after.Reasons {
		if name, _, _ := repair.Place(reason.Field); name == x.Field && (reason.Field == r.Field || len(after.Reasons) >= len(q.judged.Reasons)) {
			return out, unclear("%s %s", wordOf("place", reason.Field), wordOf("reason", reason.Text))
		}
	}
	one := q.repair(x)
	out.Decided, err = a.decide(ctx, store.Repaired, by, func(_ *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		n.Repairs = []store.Repair{one}
		return nil, nil
	})
	if err != nil {
		return RepairedRow{}, err
	}
	out.Row, out.Passes, out.Reasons = r.Row, len(after.Reasons) == 0, see.reasons(q.Ref.Entity, after.Reasons)
	return out, a.deriveNow(ctx, []int64{q.Rec})
}

func (q quarantined) repair(x repair.Remedy) store.Repair {
	r := store.Repair{Rec: q.Rec, Version: q.Version, Field: x.Field, Remedy: x.Name, Now: said(x)}
	if v, has := q.judged.Fields[x.Field]; has {
		r.Was = v.AppendJSON(nil)
	}
	return r
}

// deriveNow derives records again without waiting for their turn; what follows
// from them is resolved with the next round.
func (a *App) deriveNow(ctx context.Context, recs []int64) error {
	for _, e := range a.entities {
		if e.resolver == nil {
			continue
		}
		for part := range slices.Chunk(recs, e.resolver.Batch) {
			own, err := a.Store.OfEntity(ctx, e.name, part)
			if err != nil {
				return err
			}
			if len(own) == 0 {
				continue
			}
			if err := a.Store.Rederive(ctx, own, e.deriveAny(a)); err != nil {
				return fmt.Errorf("derive again: %w", err)
			}
		}
	}
	a.landed.ring()
	return nil
}

// Release lets a quarantined record pass as it is: a decision of a person. It is
// taken in at once, and Undo of "release-ROW" takes it back.
func (a *App) Release(ctx context.Context, id string, by By) (Decided, error) {
	if by.Why == "" {
		return Decided{}, unclear("a release keeps its reason: say why the record may pass as it is")
	}
	if err := a.reachQuarantined(ctx, id); err != nil {
		return Decided{}, err
	}
	q, err := a.Store.QuarantineShow(ctx, id)
	if err != nil {
		return Decided{}, err
	}
	if q.State != "open" || unreadable(q.Reasons) {
		return Decided{}, unclear("only a record that waits and can be read is released; this one is %s", wordOf("qstate", q.State))
	}
	if err := a.Store.Release(ctx, id, by.Who, by.Why); err != nil {
		return Decided{}, err
	}
	return Decided{Decision: releasePrefix + id, Kind: "release"}, a.deriveNow(ctx, []int64{q.Rec})
}

// What is undone and is no decision has an id of these forms.
const (
	releasePrefix = "release-"
	revivePrefix  = "row-"
)

// undoOther takes back what is no decision; done is false for a decision.
func (a *App) undoOther(ctx context.Context, id string, by By) (d Decided, done bool, err error) {
	if row, ok := strings.CutPrefix(id, releasePrefix); ok && !strings.Contains(id, "+") {
		q, err := a.Store.QuarantineShow(ctx, row)
		if err != nil {
			return d, true, err
		}
		if q.State != "released" {
			return d, true, unclear("the record is %s: there is no release to take back", wordOf("qstate", q.State))
		}
		if err := a.Store.Unrelease(ctx, row, by.Who, by.Why); err != nil {
			return d, true, err
		}
		return Decided{Decision: id, Kind: store.Undone}, true, a.deriveNow(ctx, []int64{q.Rec})
	}
	switch act, ok := strings.CutPrefix(id, revivePrefix); {
	case ok && !strings.Contains(id, "+"):
		d, err = a.undoAct(ctx, act, by)
		return d, true, err
	case strings.Contains(id, "+"): // one act of several decisions
		for _, part := range slices.Backward(strings.Split(id, "+")) {
			if d, err = a.Undo(ctx, part, by); err != nil {
				return d, true, err
			}
		}
		return Decided{Decision: id, Kind: store.Undone}, true, nil
	}
	return d, false, nil
}

// How much one part of a bulk repair does.
const (
	repairPart  = 200
	repairBytes = 8 << 20 // of their raw records
	repairBound = 2 * time.Second
)

// BulkRepair mends all open rows with the same fault by one remedy.
type BulkRepair struct {
	Fault    string
	Remedy   string
	Decision string // to go on with; "" begins one
	After    string // row to go on behind
	Most     int    // rows to look at in this part; 0 for as many as two seconds allow
}

// BulkRepaired says how far a bulk repair has come.
type BulkRepaired struct {
	Decision string
	After    string // to go on behind; "" at the end
	Repaired int
	Left     int // rows that the remedy does not help, in this part
}

// RepairAll does a part of a bulk repair: some seconds' worth. It is called again
// until After is "", can be left at any time, and is one decision: one undo takes
// back all of it.
func (a *App) RepairAll(ctx context.Context, b BulkRepair, by By) (out BulkRepaired, err error) {
	out.Decision, out.After = b.Decision, b.After
	w, err := a.mayRepairAll(ctx, b)
	if err != nil {
		return out, err
	}
	began := a.opts.Env.Clock.Now()
	for looked := repairPart; ; looked += repairPart {
		rows, next, err := a.Store.QuarantinesWhole(ctx, store.QuarantineQuery{Faults: []string{b.Fault}, After: out.After, Limit: repairPart, Within: w}, repairBytes)
		if err != nil {
			return out, err
		}
		judged, err := a.judgedRows(ctx, rows)
		if err != nil {
			return out, err
		}
		var list []store.Repair
		for _, q := range judged {
			if x, ok := a.sameRemedy(q, b); ok {
				list = append(list, q.repair(x))
			} else {
				out.Left++
			}
		}
		if len(list) > 0 {
			if out.Decision, err = a.addRepairs(ctx, out.Decision, list, by); err != nil {
				return out, err
			}
			recs := make([]int64, len(list))
			for i, r := range list {
				recs[i] = r.Rec
			}
			if err := a.deriveNow(ctx, recs); err != nil {
				return out, err
			}
			out.Repaired += len(list)
		}
		if out.After = next; next == "" {
			return out, nil
		}
		if a.opts.Env.Clock.Now().Sub(began) > repairBound || b.Most > 0 && looked >= b.Most {
			return out, nil
		}
	}
}

// mayRepairAll refuses a bulk repair of a fault that nothing has which who asks
// reaches, or of a field that is kept back, and gives which rows it may mend.
func (a *App) mayRepairAll(ctx context.Context, b BulkRepair) (w store.Within, err error) {
	if !auth.From(ctx).Narrowed() {
		return w, nil
	}
	see, w, err := a.seesWithin(ctx)
	if err != nil {
		return w, err
	}
	if b.Decision != "" {
		if err := a.reachDecision(ctx, b.Decision); err != nil {
			return w, err
		}
	}
	g, found, err := a.faultSeen(ctx, w, b.Fault)
	switch {
	case err != nil:
		return w, err
	case !found && b.Decision == "":
		return w, fmt.Errorf("fault %s: %w", b.Fault, record.ErrNotFound)
	case see.placeMasked(g.Entity, g.Field):
		return w, keptField()
	}
	return w, nil
}

// sameRemedy finds the remedy of a bulk repair among those of one row.
func (a *App) sameRemedy(q quarantined, b BulkRepair) (repair.Remedy, bool) {
	for _, r := range q.judged.Reasons {
		if a.Store.Fault(q.Ref, r) != b.Fault {
			continue
		}
		for _, x := range q.offers(r) {
			if x.Name == b.Remedy {
				return x, true
			}
		}
	}
	return repair.Remedy{}, false
}

func (a *App) addRepairs(ctx context.Context, decision string, list []store.Repair, by By) (string, error) {
	if decision != "" {
		return decision, a.Store.Decide(ctx, func(tx *store.DecideTx) error { return tx.AddRepairs(ctx, decision, list) })
	}
	d, err := a.decide(ctx, store.Repaired, by, func(_ *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		n.Repairs = list
		return nil, nil
	})
	return d.Decision, err
}
