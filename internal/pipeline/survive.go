package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// survive makes the golden record of every group and writes what changed, then
// plans the writes that follow from it.
func (l *link) survive(ctx context.Context, groups []group) (err error) {
	ctx, span := trace.Start(ctx, "golden")
	defer func() { span.EndOf(len(groups), err) }()
	var founders []int64
	for _, m := range l.members {
		founders = append(founders, m.Golden, m.Rec)
	}
	slices.Sort(founders)
	founders = slices.Compact(founders)
	if err := l.aheadOfGolden(ctx, founders, groups); err != nil {
		return err
	}
	stored, err := l.tx.GoldenRows(ctx, founders)
	if err != nil {
		return err
	}
	var changes []store.GoldenChange
	var made []madeGolden
	var moved []store.GoldenChange // other members, the same content
	kept := map[int64]bool{}
	built, records := make([]store.GoldenChange, len(groups)), make([]golden.Record, len(groups))
	err = parallel(len(groups), func(i int) (err error) {
		built[i], records[i], err = l.build(groups[i])
		return err
	})
	if err != nil {
		return err
	}
	for i, g := range groups {
		c := built[i]
		kept[c.Founder] = true
		old, ok := stored[c.Founder]
		made = append(made, madeGolden{golden: c.Golden, record: records[i], group: g})
		if ok && bytes.Equal(old.Fields, c.Fields) && bytes.Equal(old.Provenance, c.Provenance) && old.Members == c.Members && old.Live == c.Live {
			if l.joined(g, c.Founder) {
				moved = append(moved, c)
			}
			continue
		}
		c.Version = old.Version + 1
		if ok {
			c.Before = contentHash(old.Fields, old.Provenance)
		}
		changes = append(changes, c)
	}
	if err := l.versionBack(ctx, changes, stored); err != nil {
		return err
	}
	if err := l.tx.SaveGolden(ctx, changes); err != nil {
		return err
	}
	if err := l.tx.SaveSearch(ctx, moved); err != nil {
		return err
	}
	var gone []store.Golden
	for _, f := range founders {
		if g, ok := stored[f]; ok && !kept[f] && l.placedHere(f) {
			gone = append(gone, g)
		}
	}
	if err := l.tx.DropGolden(ctx, gone); err != nil {
		return err
	}
	l.effect.golden(stored, made, gone)
	if err := l.dependants(ctx, changes, stored); err != nil {
		return err
	}
	l.stats.Golden += len(changes)
	l.stats.Dropped += len(gone)
	if l.r.Differ == nil {
		return nil
	}
	n, err := l.r.Differ.Plan(ctx, l.tx, l.members, made, gone)
	l.stats.Planned += n
	return err
}

// joined says whether a member of the group belonged elsewhere before.
func (l *link) joined(g group, founder int64) bool {
	return slices.ContainsFunc(g.members, func(i int) bool { return l.members[i].Golden != founder })
}

// placedHere says whether a golden record's founder is among the members, so
// that this transaction speaks for it.
func (l *link) placedHere(founder int64) bool {
	_, ok := l.at[founder]
	return ok
}

// versionBack continues the history of a founder that had left and came back.
func (l *link) versionBack(ctx context.Context, changes []store.GoldenChange, stored map[int64]store.Golden) error {
	var fresh []int64
	for _, c := range changes {
		if _, ok := stored[c.Founder]; !ok {
			fresh = append(fresh, c.Founder)
		}
	}
	last, err := l.tx.LastVersions(ctx, fresh)
	if err != nil {
		return err
	}
	for i := range changes {
		if n, ok := last[changes[i].Founder]; ok && changes[i].Version <= n {
			changes[i].Version = n + 1
		}
	}
	return nil
}

// madeGolden is a golden record with its group.
type madeGolden struct {
	golden store.Golden
	record golden.Record
	group  group
}

func (l *link) build(g group) (store.GoldenChange, golden.Record, error) {
	founder := l.members[g.members[0]]
	members, sources := make([]golden.Member, len(g.members)), make([]string, len(g.members))
	for i, n := range g.members {
		m := l.members[n]
		a, err := golden.ParseAuthored(m.Authored)
		if err != nil {
			return store.GoldenChange{}, golden.Record{}, fmt.Errorf("authored values of record %d: %w", m.Rec, err)
		}
		sources[i] = m.Ref.Source
		members[i] = golden.Member{Ref: m.Ref, Live: m.Live, Authored: a}
	}
	pins, err := l.pins(g)
	if err != nil {
		return store.GoldenChange{}, golden.Record{}, err
	}
	policy := l.r.Policy
	policy.Values = l.values
	rec := golden.Build(members, pins, policy)
	provenance, err := json.Marshal(rec.Provenance)
	if err != nil {
		return store.GoldenChange{}, golden.Record{}, err
	}
	refs, err := l.refs(members, rec)
	if err != nil {
		return store.GoldenChange{}, golden.Record{}, err
	}
	c := store.GoldenChange{
		Golden: store.Golden{
			Founder: founder.Rec, ID: founder.Anchor, Entity: l.r.Entity,
			Fields: rec.Fields.AppendJSON(nil), Provenance: provenance, Members: len(members), Live: rec.Live,
		},
		Refs: refs, Owner: ownerOf(l.r.Entity, rec.Fields), Search: searchText(l.r.Entity, rec.Fields, sources),
	}
	c.After = contentHash(c.Fields, c.Provenance)
	return c, rec, nil
}

// ownerOf is who looks after a customer; things of an entity type of one's own
// have nobody.
func ownerOf(entity string, f record.Fields) string {
	if _, ok := record.Spec(entity, record.Owner); !ok {
		return ""
	}
	return f[record.Owner].Text
}

// refs says where each value came from, without the value: history refers to
// source versions and copies nothing. A keyed hash tells later whether what is
// read there again is what was published.
func (l *link) refs(members []golden.Member, rec golden.Record) (string, error) {
	b, err := json.Marshal(golden.Refs(members, rec, l.values, func(value []byte) []byte { return l.tx.Keyed("value", value) }))
	return string(b), err
}

func (l *link) pins(g group) ([]golden.Pin, error) {
	var pins []golden.Pin
	for _, r := range l.rulings {
		if r.Kind != "pin" {
			continue
		}
		i, ok := l.at[r.A]
		if !ok || !slices.Contains(g.members, i) {
			continue
		}
		pin, err := PinOf(r)
		if err != nil {
			return nil, err
		}
		pins = append(pins, pin)
	}
	return pins, nil
}

// PinOf reads the pin that a ruling of this kind says.
func PinOf(r store.Ruling) (golden.Pin, error) {
	var v record.Value
	if err := json.Unmarshal([]byte(r.Value), &v); err != nil {
		return golden.Pin{}, fmt.Errorf("pin %s: %w", r.ID, err)
	}
	return golden.Pin{ID: cmp.Or(r.Decision, r.ID), Field: r.Field, Value: v, Who: r.Who, At: r.At}, nil
}

func contentHash(fields, provenance []byte) []byte {
	h := sha256.New()
	h.Write(fields)
	h.Write([]byte{0})
	h.Write(provenance)
	return h.Sum(nil)[:16]
}
