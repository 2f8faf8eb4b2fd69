package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"touchstone/config"
	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// How much one preview lists.
const (
	mostMoves  = 200
	mostWrites = 100
)

// show tells what the rehearsal has changed. It reads through the transaction
// alone.
func (r *rehearsal) show(ctx context.Context, p *web.ChangePreview) error {
	ids := r.ids()
	for f := range r.effect.Before {
		r.feeds[ids[f]] = append(r.feeds[ids[f]], f)
	}
	for rec, m := range r.effect.Members {
		for _, f := range [2]int64{m.Golden, r.effect.Now[rec]} {
			if id := ids[f]; id != "" && !slices.Contains(r.feeds[id], m.Golden) {
				r.feeds[id] = append(r.feeds[id], m.Golden)
			}
		}
	}
	follows, err := r.link.Follows(ctx, slices.Sorted(maps.Keys(r.effect.Members)))
	if err != nil {
		return err
	}
	if err := r.customers(ctx, p, ids, follows); err != nil {
		return err
	}
	if err := r.moves(p, ids, follows); err != nil {
		return err
	}
	if err := r.targets(ctx, p); err != nil {
		return err
	}
	var lines []store.SheetLine
	for _, s := range r.effect.Sheets {
		lines = append(lines, s.Lines...)
	}
	p.Balance = r.a.balanceLines(lines)
	if p.Waiting, err = r.link.Waiting(ctx, slices.Sorted(maps.Keys(r.effect.Members)), r.from); err != nil {
		return err
	}
	return r.natives(ctx, p)
}

// ids are the golden ids of all founders that the preview speaks of.
func (r *rehearsal) ids() map[int64]string {
	ids := map[int64]string{}
	for _, list := range []map[int64]store.Golden{r.effect.Before, r.effect.After} {
		for f, g := range list {
			ids[f] = g.ID
		}
	}
	for rec, m := range r.effect.Members {
		ids[rec] = m.Anchor
	}
	return ids
}

// regrouped says whether a golden record is another than it was.
func (r *rehearsal) regrouped(founder int64) bool {
	was, had := r.effect.Before[founder]
	is, has := r.effect.After[founder]
	if r.effect.Gone[founder] {
		return had
	}
	return has && (!had || !bytes.Equal(was.Fields, is.Fields) || was.Members != is.Members || was.Live != is.Live)
}

// customers lists the golden records that change, the old ones before those that
// come into being, each by landing order.
func (r *rehearsal) customers(ctx context.Context, p *web.ChangePreview, ids map[int64]string, follows map[int64]store.Follows) error {
	was, is := map[int64][]int64{}, map[int64][]int64{}
	for _, rec := range slices.Sorted(maps.Keys(r.effect.Members)) {
		if f := r.effect.Members[rec].Golden; f != 0 {
			was[f] = append(was[f], rec)
		}
		is[r.effect.Now[rec]] = append(is[r.effect.Now[rec]], rec)
	}
	var old, fresh []int64
	for _, f := range slices.Sorted(maps.Keys(ids)) {
		if _, had := r.effect.Before[f]; !r.regrouped(f) {
			continue
		} else if had {
			old = append(old, f)
		} else {
			fresh = append(fresh, f)
		}
	}
	for _, f := range append(old, fresh...) {
		c, err := r.customer(f, ids)
		if err != nil {
			return err
		}
		if c.State != "new" {
			if c.Before, err = r.holdings(ctx, was[f], follows); err != nil {
				return err
			}
		}
		if c.State != "gone" {
			if c.After, err = r.holdings(ctx, is[f], follows); err != nil {
				return err
			}
		}
		p.Customers = append(p.Customers, c)
	}
	return nil
}

func (r *rehearsal) customer(founder int64, ids map[int64]string) (web.ChangedCustomer, error) {
	was, had := r.effect.Before[founder]
	is, has := r.effect.After[founder]
	c := web.ChangedCustomer{ID: ids[founder], State: "changed", Fields: []web.FieldChange{}}
	var before, after goldenParts
	var err error
	if had {
		c.Entity = was.Entity
		if before, err = partsOf(was); err != nil {
			return c, err
		}
	}
	if has {
		c.Entity = is.Entity
		if after, err = partsOf(is); err != nil {
			return c, err
		}
	}
	before.fields, after.fields = r.see.fields(c.Entity, before.fields), r.see.fields(c.Entity, after.fields)
	c.Name = DisplayName(c.Entity, after.fields)
	switch {
	case !has:
		c.State, c.Name, c.Into = "gone", DisplayName(c.Entity, before.fields), ids[r.effect.Now[founder]]
		return c, nil
	case !had:
		c.State = "new"
	default:
		if name := DisplayName(c.Entity, before.fields); name != c.Name {
			c.OldName = name
		}
	}
	for _, name := range fieldSpecs(c.Entity, before.fields, after.fields) {
		f := web.FieldChange{Name: name, Old: ShowValue(before.fields[name]), New: ShowValue(after.fields[name])}
		if f.Old == f.New {
			continue
		}
		f.OldFrom, f.NewFrom = r.a.marks(before.provenance[name]), r.a.marks(after.provenance[name])
		f.Pinned = after.provenance[name].Rule == store.Pinned
		c.Fields = append(c.Fields, f)
	}
	return c, nil
}

// goldenParts is a stored golden record, read.
type goldenParts struct {
	fields     record.Fields
	provenance map[string]golden.Provenance
}

func partsOf(g store.Golden) (p goldenParts, err error) {
	if err = json.Unmarshal(g.Fields, &p.fields); err == nil {
		err = json.Unmarshal(g.Provenance, &p.provenance)
	}
	if err != nil {
		return p, fmt.Errorf("golden record %s: %w", g.ID, err)
	}
	return p, nil
}

func (r *rehearsal) holdings(ctx context.Context, recs []int64, follows map[int64]store.Follows) (*web.Holdings, error) {
	h := &web.Holdings{Records: []string{}}
	for _, rec := range recs {
		f := follows[rec]
		h.Relations += f.Relations
		h.Pins += f.Pins
		if len(h.Records) < mostMoves {
			h.Records = append(h.Records, r.a.refName(r.effect.Members[rec].Ref))
		} else {
			h.More++
		}
	}
	events, consents, sums, err := r.link.Sums(ctx, recs)
	h.Events, h.Consents = events, consents
	for _, s := range sums {
		h.Money = append(h.Money, web.Money{Currency: s.Currency, Amount: s.Sum, N: s.Events})
	}
	return h, err
}

func (r *rehearsal) moves(p *web.ChangePreview, ids map[int64]string, follows map[int64]store.Follows) error {
	for _, rec := range slices.Sorted(maps.Keys(r.effect.Members)) {
		m, now := r.effect.Members[rec], r.effect.Now[rec]
		if m.Golden == now {
			continue
		}
		if len(p.Moves) == mostMoves {
			p.MoreMoves++
			continue
		}
		row, err := r.a.goldenMember(r.see, m)
		if err != nil {
			return err
		}
		f := follows[rec]
		p.Moves = append(p.Moves, web.RecordMove{
			Record: r.a.refName(m.Ref), Source: row.Source, ID: row.ID, Name: row.Name, From: ids[m.Golden], To: ids[now], Deleted: !m.Live, Made: f.Made,
			Events: f.Events, Consents: f.Consents, Relations: f.Relations, Pins: f.Pins,
		})
	}
	return nil
}

// targets tells of each target what it would be sent.
func (r *rehearsal) targets(ctx context.Context, p *web.ChangePreview) error {
	made, err := r.link.PendingBehind(ctx, r.from)
	if err != nil {
		return err
	}
	dropped, err := r.link.RowsBySeq(ctx, slices.DeleteFunc(slices.Clone(r.effect.Dropped), func(seq int64) bool { return seq > r.from }))
	if err != nil {
		return err
	}
	for _, t := range r.a.targets {
		e := web.TargetEffect{Target: t.config.Name, System: t.config.System, Writes: []web.TargetChange{}}
		written := map[int64]bool{}
		for _, row := range made {
			if row.Target != e.Target {
				continue
			}
			written[row.Rec] = true
			if row.Op == string(record.Update) {
				e.Updates++
			} else {
				e.Creates++
			}
			if len(e.Writes) == mostWrites {
				e.More++
				continue
			}
			e.Writes = append(e.Writes, targetChange(r.see, t, row))
		}
		for _, row := range dropped {
			if row.Target == e.Target {
				e.Withdrawn++
			}
		}
		for rec, m := range r.effect.Members {
			if m.Ref.Source == t.system.uid && m.Ref.Entity == t.config.Entity && m.Live && !written[rec] && (r.regrouped(r.effect.Now[rec]) || m.Golden != r.effect.Now[rec]) {
				e.None++
			}
		}
		if e.Creates > 0 {
			p.Notes = append(p.Notes, web.ChangeNote{Key: "creates", Args: []string{e.Target, fmt.Sprint(e.Creates)}, Bad: true})
		}
		if e.Creates+e.Updates+e.None+e.Withdrawn > 0 {
			p.Targets = append(p.Targets, e)
		}
	}
	return nil
}

func targetChange(see sight, t *target, row store.Row) web.TargetChange {
	c := web.TargetChange{Op: row.Op, Golden: row.Key, Object: row.ExternalID, Undo: "update", Fields: []web.Change{}}
	if row.Op != string(record.Update) {
		c.Undo = "left"
	}
	c.Fields = append(c.Fields, writtenFields(see, t, row)...)
	return c
}

// natives warns of objects that the target itself has merged: no target can take
// that back by our writes. Where a customer would stand without an object of
// its own there, a new one is made, or none is, by the target's policy.
func (r *rehearsal) natives(ctx context.Context, p *web.ChangePreview) error {
	var recs []int64
	for rec, m := range r.effect.Members {
		if !m.Live && r.regrouped(r.effect.Now[rec]) {
			recs = append(recs, rec)
		}
	}
	slices.Sort(recs)
	objects, err := r.link.Objects(ctx, recs)
	if err != nil {
		return err
	}
	for _, t := range r.a.targets {
		for _, rec := range recs {
			m := r.effect.Members[rec]
			if m.Ref.Source != t.system.uid || m.Ref.Entity != t.config.Entity || !mergedThere(objects[rec].Raw) || r.hasObject(t, r.effect.Now[rec]) {
				continue
			}
			key := "native_new"
			if t.config.Policy == config.UpdateOnly {
				key = "native_none"
			}
			p.Notes = append(p.Notes, web.ChangeNote{Key: key, Args: []string{t.config.System, m.Ref.ID}, Bad: true})
		}
	}
	return nil
}

func mergedThere(raw []byte) bool {
	var o struct {
		Into string `json:"merged_into"`
	}
	return json.Unmarshal(raw, &o) == nil && o.Into != ""
}

func (r *rehearsal) hasObject(t *target, founder int64) bool {
	for rec, m := range r.effect.Members {
		if r.effect.Now[rec] == founder && m.Live && m.Ref.Source == t.system.uid && m.Ref.Entity == t.config.Entity {
			return true
		}
	}
	return false
}

// balanceLines shows a balance with the systems by their names.
func (a *App) balanceLines(lines []store.SheetLine) []web.BalanceLine {
	out := make([]web.BalanceLine, len(lines))
	for i, l := range lines {
		out[i] = web.BalanceLine{
			System: a.SourceName(l.System), Kind: l.Kind, Unit: l.Unit, Before: l.Before.Count, After: l.After.Count,
			SumOld: l.Before.Sum, SumNew: l.After.Sum, Balanced: l.Balanced(),
		}
	}
	return out
}

// marks says where a value is from: "crm c1".
func (a *App) marks(p golden.Provenance) (out []string) {
	for _, from := range p.From {
		if mark := a.sourceMark(from); !slices.Contains(out, mark) {
			out = append(out, mark)
		}
	}
	return out
}
