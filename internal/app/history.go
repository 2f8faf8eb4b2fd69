package app

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"touchstone/config"
	"touchstone/internal/golden"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
)

// AsOf is a golden record as it was at a time.
type AsOf struct {
	ID      string      `json:"id"`
	At      string      `json:"at"`
	Moved   bool        `json:"moved,omitempty"` // the id asked for belonged to this record then
	Entity  string      `json:"entity"`
	Version int         `json:"version"`
	Since   string      `json:"since"` // when that version was published
	Fields  []AsOfField `json:"fields"`
	Members []string    `json:"members"` // source records it was made of
}

// AsOfField is one field as it was: the value, and who says so. The history
// refers to source versions: the value is read there again.
type AsOfField struct {
	Field   string          `json:"field"`
	Value   json.RawMessage `json:"value"`
	Text    string          `json:"text"`
	Rule    string          `json:"rule,omitempty"`
	From    []string        `json:"from"`
	Version int             `json:"version,omitempty"`  // of the source record, for a single value
	SeenAt  string          `json:"seen_at,omitempty"`  // when that version came
	Who     string          `json:"who,omitempty"`      // of a pin
	Pin     string          `json:"decision,omitempty"` // of a pin
	// State is "" for the value as it was published; "erased"; "differs": the
	// mapping has changed since, and reads the same source version otherwise;
	// "unknown": it cannot be read any more.
	State string `json:"state,omitempty"`
}

// Place says where a source record lives now.
type Place struct {
	Ref    string `json:"ref"`
	Golden string `json:"golden"`
}

// mostElsewhere bounds the list of members that live elsewhere.
const mostElsewhere = 1000

// GoldenAt gives a golden record, by its id or a source record of it, as it was
// published at a time.
func (a *App) GoldenAt(ctx context.Context, id string, at time.Time) (AsOf, error) {
	rec, entity, err := a.anchorOf(ctx, id)
	if err != nil {
		return AsOf{}, err
	}
	when := record.FormatTime(at)
	founder, err := a.Store.FounderAt(ctx, rec, when)
	if err != nil {
		return AsOf{}, err
	}
	versions, err := a.Store.GoldenVersions(ctx, founder, when, 1)
	if err != nil {
		return AsOf{}, err
	}
	if founder == 0 || len(versions) == 0 {
		return AsOf{}, fmt.Errorf("golden record of %s at %s: %w", id, when, record.ErrNotFound)
	}
	out := AsOf{At: when, Entity: entity, Version: versions[0].Version, Since: versions[0].At}
	anchors, err := a.Store.Anchors(ctx, []int64{founder})
	if err != nil {
		return AsOf{}, err
	}
	out.ID = anchors[founder]
	if _, isRef, _ := a.sourceRef(id); !isRef {
		out.Moved = out.ID != strings.TrimSpace(id)
	}
	recs, err := a.Store.MembersAt(ctx, founder, when)
	if err != nil {
		return AsOf{}, err
	}
	refs, err := a.Store.Refs(ctx, recs)
	if err != nil {
		return AsOf{}, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return AsOf{}, err
	}
	in, err := a.refsReached(ctx, see, slices.Collect(maps.Values(refs)))
	if err != nil {
		return AsOf{}, err
	}
	out.Members = []string{}
	for _, rec := range recs {
		if !in[refs[rec]] {
			continue
		}
		out.Members = append(out.Members, a.refName(refs[rec]))
	}
	slices.Sort(out.Members)
	out.Fields, err = a.readRefs(ctx, entity, founder, versions[0].Refs)
	return out, err
}

// anchorOf finds the record that a golden id or a source reference stands for.
func (a *App) anchorOf(ctx context.Context, id string) (rec int64, entity string, err error) {
	ref, isRef, err := a.sourceRef(id)
	if err != nil {
		return 0, "", err
	}
	if isRef {
		rec, err = a.Store.Rec(ctx, ref)
		return rec, ref.Entity, err
	}
	return a.Store.Anchored(ctx, strings.TrimSpace(id))
}

// readRefs reads published values again where they came from.
func (a *App) readRefs(ctx context.Context, entity string, founder int64, text string) ([]AsOfField, error) {
	var refs map[string]golden.FieldRef
	if err := json.Unmarshal([]byte(text), &refs); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	r, err := a.reread(ctx, entity, founder)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(refs))
	for name := range refs {
		names = append(names, name)
	}
	slices.Sort(names)
	out := []AsOfField{}
	for _, name := range names {
		if r.see.masked(entity, name) == config.MaskHide {
			continue
		}
		f, err := r.field(ctx, name, refs[name])
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// rereading reads old values from source versions, each record's facts once.
type rereading struct {
	a         *App
	see       sight
	entity    string
	founder   int64 // of the golden record
	histories map[string]*oldRecord
}

func (a *App) reread(ctx context.Context, entity string, founder int64) (*rereading, error) {
	see, err := a.sight(ctx)
	return &rereading{a: a, see: see, entity: entity, founder: founder, histories: map[string]*oldRecord{}}, err
}

type oldRecord struct {
	state    string
	history  store.History
	authored map[int]golden.Authored // by version
}

func (r *rereading) field(ctx context.Context, name string, ref golden.FieldRef) (AsOfField, error) {
	f := AsOfField{Field: name, Rule: ref.Rule, Value: json.RawMessage("null")}
	for _, from := range ref.From {
		f.From = append(f.From, r.a.refNames(from))
	}
	v, err := r.value(ctx, name, ref, &f)
	if err != nil {
		return f, err
	}
	if len(ref.Maps) > 0 && f.State == "" {
		if v, err = r.mapped(ctx, name, ref.Maps, v); err != nil {
			return f, err
		}
	}
	if f.State == "" {
		f.Value = v.AppendJSON(nil)
		if ref.Hash != "" && ref.Hash != hex.EncodeToString(r.a.Store.Keyed("value", f.Value)[:8]) {
			f.State = "differs"
		}
		v, ok := r.see.value(r.entity, name, v)
		if f.Value, f.Text = v.AppendJSON(nil), ShowValue(v); !ok {
			f.Value = json.RawMessage("null")
		}
	}
	if f.State == "unknown" && r.see.reach != nil {
		f.From = nil // perhaps of a customer out of reach
	}
	return f, nil
}

// mapped is what a value counted as, by the decisions that were asked then.
func (r *rereading) mapped(ctx context.Context, name string, decisions []string, v record.Value) (record.Value, error) {
	maps, err := r.a.Store.ValueMapsOf(ctx, decisions)
	if err != nil {
		return v, err
	}
	list := make([]store.ValueMap, 0, len(maps))
	for _, id := range decisions {
		if m, ok := maps[id]; ok {
			list = append(list, m)
		}
	}
	v, _ = pipeline.Values(list).Replace(name, v)
	return v, nil
}

func (r *rereading) value(ctx context.Context, name string, ref golden.FieldRef, f *AsOfField) (v record.Value, err error) {
	if ref.Pin != "" {
		pin, err := r.a.Store.PinValue(ctx, ref.Pin, r.founder)
		if err != nil {
			return v, err
		}
		in, err := r.a.refsReached(ctx, r.see, []record.Ref{pin.RefA})
		if err != nil {
			return v, err
		}
		if !in[pin.RefA] { // its record has gone to a customer out of reach
			f.State = "unknown"
			return v, nil
		}
		f.Pin, f.Who, f.SeenAt = ref.Pin, pin.Who, pin.At
		if pin.Erased {
			f.State = "erased"
			return v, nil
		}
		return v, json.Unmarshal([]byte(pin.Value), &v)
	}
	if len(ref.At) != len(ref.From) || ref.Rule != string(golden.Union) { // one record's value
		if len(ref.From) == 0 || ref.Rule == string(golden.Union) || ref.Rule == "pin" {
			f.State = "unknown" // published by an earlier release
			return v, nil
		}
		f.Version = ref.Version
		return r.one(ctx, ref.From[0], ref.Version, name, f)
	}
	v.Kind = record.List
	for i, at := range ref.At {
		first, _, _ := strings.Cut(ref.From[i], " ")
		list, err := r.one(ctx, first, at[0], name, f)
		if err != nil {
			return v, err
		}
		switch {
		case f.State != "":
			return v, nil // one entry that is erased hides the list: it cannot be told as it was
		case at[1] < 0 || at[1] >= len(golden.Entries(list)):
			f.State = "differs"
			return v, nil
		}
		v.Points = append(v.Points, golden.Entries(list)[at[1]])
	}
	return v, nil
}

// one reads one record's authored value as of a version.
func (r *rereading) one(ctx context.Context, ref string, version int, field string, f *AsOfField) (v record.Value, err error) {
	old, err := r.record(ctx, ref)
	if err != nil {
		return v, err
	}
	if old.state != "" {
		f.State = old.state
		return v, nil
	}
	authored, seen, err := old.at(r.a, version)
	if err != nil {
		return v, err
	}
	if f.Version != 0 {
		f.SeenAt = record.FormatTime(seen)
	}
	if authored == nil {
		f.State = "unknown"
	}
	return authored[field].Value, nil
}

func (r *rereading) record(ctx context.Context, text string) (*oldRecord, error) {
	if old := r.histories[text]; old != nil {
		return old, nil
	}
	old := &oldRecord{authored: map[int]golden.Authored{}}
	r.histories[text] = old
	ref, err := record.ParseRef(text)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	if r.see.reach != nil {
		in, err := r.a.refsReached(ctx, r.see, []record.Ref{ref})
		if err != nil {
			return nil, err
		}
		if !in[ref] { // it has gone to a customer out of reach
			old.state = "unknown"
			return old, nil
		}
	}
	h, erased, err := r.a.Store.HistoryOf(ctx, ref)
	switch {
	case errors.Is(err, record.ErrNotFound):
		old.state = "unknown"
	case err != nil:
		return nil, err
	case erased:
		old.state = "erased"
	}
	old.history = h
	return old, nil
}

// at derives the record from its facts up to a version.
func (o *oldRecord) at(a *App, version int) (golden.Authored, time.Time, error) {
	h := o.history
	for i, v := range h.Versions {
		if v.N != version {
			continue
		}
		if known, ok := o.authored[version]; ok {
			return known, v.SeenAt, nil
		}
		h.Versions = h.Versions[:i+1]
		e := a.entityNamed(h.Ref.Entity)
		if e == nil || e.derivers[h.Ref.Source] == nil {
			return nil, v.SeenAt, nil // not configured any more
		}
		d, err := e.derivers[h.Ref.Source].Derive(h)
		if err != nil || d.Version == 0 {
			return nil, v.SeenAt, err
		}
		authored, err := golden.ParseAuthored(d.Authored)
		o.authored[version] = authored
		return authored, v.SeenAt, err
	}
	return nil, time.Time{}, nil
}

// GoldenDiff is what changed in a golden record between two times.
type GoldenDiff struct {
	From    AsOf           `json:"from"`
	To      AsOf           `json:"to"`
	Fields  []ChangedField `json:"fields"`
	Joined  []string       `json:"joined"`
	Left    []string       `json:"left"`
	Renamed bool           `json:"renamed,omitempty"` // it was another golden record then
}

// ChangedField is a field before and after; nil where it was not there.
type ChangedField struct {
	Field  string     `json:"field"`
	Before *AsOfField `json:"before"`
	After  *AsOfField `json:"after"`
}

// GoldenDiff compares a golden record at two times.
func (a *App) GoldenDiff(ctx context.Context, id string, from, to time.Time) (d GoldenDiff, err error) {
	if d.From, err = a.GoldenAt(ctx, id, from); err != nil {
		return d, err
	}
	if d.To, err = a.GoldenAt(ctx, id, to); err != nil {
		return d, err
	}
	d.Renamed = d.From.ID != d.To.ID
	d.Joined, d.Left = missingIn(d.To.Members, d.From.Members), missingIn(d.From.Members, d.To.Members)
	byName := map[string]*ChangedField{}
	d.Fields = []ChangedField{}
	for i := range d.From.Fields {
		f := &d.From.Fields[i]
		byName[f.Field] = &ChangedField{Field: f.Field, Before: f}
	}
	for i := range d.To.Fields {
		f := &d.To.Fields[i]
		if byName[f.Field] == nil {
			byName[f.Field] = &ChangedField{Field: f.Field}
		}
		byName[f.Field].After = f
	}
	for _, c := range byName {
		if c.Before == nil || c.After == nil || string(c.Before.Value) != string(c.After.Value) || c.Before.State != c.After.State {
			d.Fields = append(d.Fields, *c)
		}
	}
	slices.SortFunc(d.Fields, func(x, y ChangedField) int { return cmp.Compare(x.Field, y.Field) })
	return d, nil
}

func missingIn(list, other []string) []string {
	out := []string{}
	for _, x := range list {
		if !slices.Contains(other, x) {
			out = append(out, x)
		}
	}
	return out
}
