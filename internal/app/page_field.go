package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"touchstone/config"
	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/web"
)

// CustomerField reads one field of a customer: its value with where it came
// from, what it won over, and what it was before.
func (a *App) CustomerField(ctx context.Context, id, field string) (p web.FieldPage, err error) {
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return p, err
	}
	spec, ok := record.Spec(g.Entity, field)
	if !ok {
		return p, fmt.Errorf("field %q: %w", field, record.ErrNotFound)
	}
	see, err := a.sight(ctx)
	if err != nil {
		return p, err
	}
	if see.masked(g.Entity, spec.Name) == config.MaskHide {
		return p, fmt.Errorf("field %q: %w", field, record.ErrNotFound)
	}
	p = web.FieldPage{ID: g.ID, Entity: g.Entity, Kind: inputKind(spec.Kind), Field: web.GoldenField{Name: spec.Name}}
	parts, err := partsOf(g)
	if err != nil {
		return p, err
	}
	marks := a.oddities(see, g.Entity, parts.fields)
	parts.fields, parts.provenance = see.fields(g.Entity, parts.fields), see.provenance(g.Entity, parts.provenance)
	p.Name = DisplayName(g.Entity, parts.fields)
	shown, err := a.goldenFields(see, g, parts.fields, marks)
	if err != nil {
		return p, fmt.Errorf("golden record %s: %w", g.ID, err)
	}
	for _, f := range shown {
		if f.Name == spec.Name {
			p.Field, p.Known = f, true
		}
	}
	at := parts.provenance[spec.Name]
	for _, l := range at.Losers {
		p.Losers = append(p.Losers, web.Loser{Value: ShowValue(l.Value), Ref: a.refNames(l.From), Source: a.sourceMark(l.From)})
	}
	if at.Pin != "" {
		if p.Pin, err = a.pinShown(ctx, at.Pin); err != nil {
			return p, err
		}
	}
	p.History, err = a.fieldHistory(ctx, g, spec.Name)
	return p, err
}

// inputKind says what a value of a kind is typed as.
func inputKind(k record.Kind) string {
	switch k {
	case record.Number:
		return "number"
	case record.Date:
		return "date"
	case record.Bool:
		return "bool"
	case record.List:
		return "list"
	}
	return "text"
}

// indented shows JSON in lines; what is none stays as it is.
func indented(raw []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}

func (a *App) pinShown(ctx context.Context, decision string) (p *web.PinShown, err error) {
	err = a.Store.Look(ctx, func(tx *store.DecideTx) error {
		d, err := tx.Decision(ctx, decision)
		p = &web.PinShown{Decision: d.ID, Who: d.Who, Why: d.Why, At: parse(d.At), Until: parse(d.Until)}
		return err
	})
	return p, err
}

// mostFieldVersions bounds the versions that are looked through for one field.
const mostFieldVersions = 500

// fieldHistory reads what a field was each time that it changed, newest first.
func (a *App) fieldHistory(ctx context.Context, g store.Golden, field string) ([]web.FieldVersion, error) {
	versions, err := a.Store.GoldenVersions(ctx, g.Founder, "9999", mostFieldVersions)
	if err != nil {
		return nil, err
	}
	r, err := a.reread(ctx, g.Entity, g.Founder)
	if err != nil {
		return nil, err
	}
	var out []web.FieldVersion
	var before golden.FieldRef
	was := false
	for _, v := range slices.Backward(versions) {
		var refs map[string]golden.FieldRef
		if err := json.Unmarshal([]byte(v.Refs), &refs); err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		ref, is := refs[field]
		if is == was && (!is || ref.Hash == before.Hash && slices.Equal(ref.From, before.From) && ref.Pin == before.Pin) {
			continue
		}
		before, was = ref, is
		row := web.FieldVersion{Version: v.Version, At: parse(v.At), State: "gone"}
		if is {
			f, err := r.field(ctx, field, ref)
			if err != nil {
				return nil, err
			}
			row.Value, row.State, row.Rule, row.Who, row.PinID = f.Text, f.State, f.Rule, f.Who, f.Pin
			for _, from := range f.From {
				row.From = append(row.From, a.markOf(from))
			}
		}
		out = append(out, row)
	}
	slices.Reverse(out)
	return out[:min(len(out), pageHistory)], nil
}

// markOf shows a reference by names as "crm c1001".
func (a *App) markOf(text string) string {
	first, _, _ := strings.Cut(text, " ")
	if r, err := record.ParseRef(first); err == nil {
		return r.Source + " " + r.ID
	}
	return first
}

// CustomerAt reads a customer as of the end of a day, and with from what has
// changed since the end of that one.
func (a *App) CustomerAt(ctx context.Context, id, day, from string) (p web.CustomerAt, err error) {
	p = web.CustomerAt{Day: day, From: from}
	at, err := ParseDate(day)
	if err != nil {
		return p, err
	}
	then, err := a.GoldenAt(ctx, id, at)
	if errors.Is(err, record.ErrNotFound) {
		if _, _, err := a.findGolden(ctx, id); err != nil {
			return p, err
		}
		p.Missing = true
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.ID, p.Moved, p.Version, p.Since, p.Members = then.ID, then.Moved, then.Version, parse(then.Since), then.Members
	if from == "" {
		for _, f := range then.Fields {
			p.Fields = append(p.Fields, a.fieldThen(f))
		}
		return p, nil
	}
	start, err := ParseDate(from)
	if err != nil {
		return p, err
	}
	d, err := a.GoldenDiff(ctx, id, start, at)
	if errors.Is(err, record.ErrNotFound) {
		p.NoBefore = true
		return p, nil
	}
	if err != nil {
		return p, err
	}
	p.Joined, p.Left = d.Joined, d.Left
	for _, c := range d.Fields {
		f := web.FieldThen{Name: c.Field}
		if c.After != nil {
			f = a.fieldThen(*c.After)
		}
		if c.Before != nil {
			f.Before = c.Before.Text
		}
		p.Fields = append(p.Fields, f)
	}
	return p, nil
}

func (a *App) fieldThen(f AsOfField) web.FieldThen {
	out := web.FieldThen{Name: f.Field, Value: f.Text, State: f.State, Rule: f.Rule, Who: f.Who}
	for _, from := range f.From {
		if mark := a.markOf(from); !slices.Contains(out.From, mark) {
			out.From = append(out.From, mark)
		}
	}
	return out
}

// mostVersions bounds the versions of a source record that a page shows.
const mostVersions = 20

// MemberRecord reads one source record of a customer as it came.
func (a *App) MemberRecord(ctx context.Context, id, name string) (p web.MemberRecord, err error) {
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return p, err
	}
	ref, isRef, err := a.sourceRef(name)
	if err != nil {
		return p, err
	}
	own, err := a.Store.GoldenOf(ctx, ref)
	if err != nil {
		return p, err
	}
	if !isRef || own.Founder != g.Founder {
		return p, fmt.Errorf("record of golden record %s: %w", g.ID, record.ErrNotFound)
	}
	p = web.MemberRecord{ID: g.ID, Source: a.SourceName(ref.Source), Entity: ref.Entity, Record: ref.ID}
	if p.Name, err = a.seenName(ctx, g); err != nil {
		return p, err
	}
	h, erased, err := a.Store.HistoryOf(ctx, ref)
	if p.Erased = erased; err != nil || erased {
		return p, err
	}
	for _, v := range slices.Backward(h.Versions) {
		if len(p.Versions) == mostVersions {
			break
		}
		p.Versions = append(p.Versions, web.MemberVersion{N: v.N, Seen: v.SeenAt, Deleted: v.Deleted, Problem: v.Problem, Raw: indented(v.Raw)})
	}
	return p, nil
}
