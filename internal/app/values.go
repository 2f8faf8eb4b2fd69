package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"touchstone/internal/golden"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching/values"
)

// ValuesRequest says whose values of which field are clustered.
type ValuesRequest struct {
	Entity string
	Field  string // "industry", or "addresses.city" for a part of a list's entries
	Source string // a source's name; "" for all
	Golden bool   // the golden records' values instead of the source records'
	values.Options
}

// ValueClusters are the values of a field that may mean the same.
type ValueClusters struct {
	Entity   string         `json:"entity"`
	Field    string         `json:"field"`
	Records  int            `json:"records"` // that have a value there
	Distinct int            `json:"distinct"`
	LeftOut  int            `json:"left_out,omitempty"` // distinct values beyond what is looked at, or at least so many
	Compared int            `json:"compared,omitempty"`
	Spilled  int            `json:"spilled,omitempty"` // lists too long to compare each value with each
	Clusters []ValueCluster `json:"clusters"`
}

// ValueCluster is one cluster, its values with who has them.
type ValueCluster struct {
	N        int         `json:"n"`  // its number in this list, from 1
	ID       string      `json:"id"` // depends on its values alone
	Proposed string      `json:"proposed"`
	Count    int         `json:"count"`
	Values   []HeldValue `json:"values"`
}

// HeldValue is a value with how many records have it, by source.
type HeldValue struct {
	Value   string         `json:"value"`
	Count   int            `json:"count"`
	Sources map[string]int `json:"sources,omitempty"`
}

// mostValues bounds the distinct values that are gathered, mostValueBytes their
// texts together.
const (
	mostValues     = 1_000_000
	mostValueBytes = 64 << 20
)

// Values clusters the values of one field as they count now: those that a
// decision replaces are shown as what they count as.
func (a *App) Values(ctx context.Context, r ValuesRequest) (out ValueClusters, err error) {
	if _, err := mapField(r.Entity, r.Field); err != nil {
		return out, err
	}
	g := gathered{values: map[string]*holders{}, most: mostValues}
	if r.Golden {
		err = a.goldenValues(ctx, r, &g)
	} else {
		err = a.sourceValues(ctx, r, &g)
	}
	if err != nil {
		return out, fmt.Errorf("values of %s.%s: %w", r.Entity, r.Field, err)
	}
	list := make([]values.Value, 0, len(g.values))
	for text, h := range g.values {
		list = append(list, values.Value{Text: text, Count: h.count})
	}
	found, err := values.Find(list, r.Options)
	if err != nil {
		return out, unclear("%s", err)
	}
	out = ValueClusters{
		Entity: r.Entity, Field: r.Field, Records: g.records, Distinct: found.Distinct, LeftOut: found.LeftOut + g.left,
		Compared: found.Compared, Spilled: found.Spilled, Clusters: make([]ValueCluster, len(found.Clusters)),
	}
	for i, c := range found.Clusters {
		out.Clusters[i] = ValueCluster{N: i + 1, ID: c.ID, Proposed: c.Proposed, Count: c.Count}
		for _, v := range c.Values {
			out.Clusters[i].Values = append(out.Clusters[i].Values, HeldValue{v.Text, v.Count, g.values[v.Text].sources})
		}
	}
	return out, nil
}

// gathered are distinct values with who has them.
type gathered struct {
	values   map[string]*holders
	bySource bool // whether each source's holders are counted too
	most     int  // distinct values
	bytes    int  // of their texts
	records  int
	left     int
}

type holders struct {
	count   int
	sources map[string]int
}

// add counts the values of one record, each once.
func (g *gathered) add(texts []string, source string) {
	held := false
	for i, text := range texts {
		if strings.TrimSpace(text) == "" || slices.Contains(texts[:i], text) {
			continue
		}
		held = true
		h := g.values[text]
		if h == nil {
			if len(g.values) >= g.most || g.bytes+len(text) > mostValueBytes {
				g.left++
				continue
			}
			g.bytes += len(text)
			h = &holders{}
			g.values[text] = h
		}
		h.count++
		if source != "" {
			if h.sources == nil {
				h.sources = make(map[string]int, 1)
			}
			h.sources[source]++
		}
	}
	if held {
		g.records++
	}
}

func (a *App) sourceValues(ctx context.Context, r ValuesRequest, g *gathered) error {
	stored, err := a.Store.ValueMaps(ctx, r.Entity)
	if err != nil {
		return err
	}
	uid, err := a.uidOf(r.Source)
	if err != nil {
		return err
	}
	g.bySource = true
	return a.gatherField(ctx, r.Entity, uid, r.Field, pipeline.Values(stored), g, nil)
}

// uidOf is the uid of the source of a name; "" for "".
func (a *App) uidOf(source string) (string, error) {
	if source == "" {
		return "", nil
	}
	s := a.systems[source]
	if s == nil {
		return "", unclear("there is no source %q", source)
	}
	return s.uid, nil
}

// eachAuthored gives the authored values of an entity type's live records, of one
// source when it is named.
func (a *App) eachAuthored(ctx context.Context, entity, source string, fn func(store.Holding, golden.Authored) error) error {
	uid, err := a.uidOf(source)
	if err != nil {
		return err
	}
	return a.Store.EachHolding(ctx, entity, uid, func(h store.Holding) error {
		authored, err := golden.ParseAuthored(h.Authored)
		if err != nil {
			return fmt.Errorf("authored values of record %d: %w", h.Rec, err)
		}
		return fn(h, authored)
	})
}

func (a *App) goldenValues(ctx context.Context, r ValuesRequest, g *gathered) error {
	name, part := golden.SplitField(r.Field)
	for after := int64(0); ; {
		list, err := a.Store.GoldenList(ctx, store.GoldenFilter{Entity: r.Entity, After: after, Limit: exportPage})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, row := range list {
			after = row.Founder
			var f record.Fields
			if err := json.Unmarshal(row.Fields, &f); err != nil {
				return fmt.Errorf("golden record %s: %w", row.ID, err)
			}
			g.add(golden.Texts(f[name], part), "")
		}
	}
}

// MapRequest says which values of a field count as another one from now on.
type MapRequest struct {
	Entity string
	Field  string      // "industry", or "addresses.city" for a part of a list's entries
	Pairs  [][2]string // from, to
}

// MappedValues is a decision on values.
type MappedValues struct {
	Decided
	Values  int `json:"values"`  // that count as another one by it
	Records int `json:"records"` // that have one of them now
}

const (
	mostPairsMapped = 100_000
	longestValue    = 4096
)

// MapValues decides that values of a field count as another one, wherever a
// source says them, now or later. It is one decision, whatever the number of
// values: what follows from it is resolved, planned and pushed like any change,
// and Undo takes all of it back. What the sources said stays as it is.
func (a *App) MapValues(ctx context.Context, r MapRequest, by By) (out MappedValues, err error) {
	m, err := newMap(r)
	if err != nil {
		return out, err
	}
	out.Values = len(m.Pairs)
	wanted := map[string]map[string]bool{m.Field: {}}
	for _, p := range m.Pairs {
		wanted[m.Field][p[0]] = true
	}
	if err := a.holding(ctx, m.Entity, wanted, func(int64) { out.Records++ }); err != nil {
		return MappedValues{}, err
	}
	if out.Decided, err = a.decideMap(ctx, m, by); err != nil {
		return MappedValues{}, err
	}
	return out, nil
}

func (a *App) decideMap(ctx context.Context, m *store.ValueMap, by By) (Decided, error) {
	return a.decide(ctx, store.Mapped, by, func(_ *store.DecideTx, n *store.NewDecision) (*store.Decision, error) {
		n.Map = m
		return nil, nil
	})
}

// newMap checks a request and puts it in the form it is kept in.
func newMap(r MapRequest) (*store.ValueMap, error) {
	if _, err := mapField(r.Entity, r.Field); err != nil {
		return nil, err
	}
	pairs := make([][2]string, 0, len(r.Pairs))
	for _, p := range r.Pairs {
		if len(p[0]) > longestValue || len(p[1]) > longestValue {
			return nil, unclear("a value is longer than %d bytes", longestValue)
		}
		pairs = append(pairs, [2]string{p[0], strings.TrimSpace(p[1])})
	}
	pairs, err := store.Sorted(pairs)
	switch {
	case err != nil:
		return nil, unclear("%s", err)
	case len(pairs) == 0:
		return nil, unclear("no value is to count as another one: say from and to, two different ones")
	case len(pairs) > mostPairsMapped:
		return nil, unclear("%d values in one decision; %d at most", len(pairs), mostPairsMapped)
	}
	return &store.ValueMap{Entity: r.Entity, Field: r.Field, Pairs: pairs}, nil
}

// mapField checks that a field holds texts, and gives its name.
func mapField(entity, field string) (record.FieldSpec, error) {
	name, part := golden.SplitField(field)
	specs := record.Specs(entity)
	if specs == nil {
		return record.FieldSpec{}, unclear("there is no entity type %q: want %s or %s", entity, wordOf("entity", record.Company), wordOf("entity", record.Person))
	}
	var can []string
	for _, s := range specs {
		if s.Kind == record.Text || s.Kind == record.List {
			can = append(can, s.Name)
			for _, p := range s.Parts {
				can = append(can, s.Name+"."+p)
			}
		}
		if s.Name == name && (part == "" || slices.Contains(s.Parts, part)) && (s.Kind == record.Text || s.Kind == record.List) {
			return s, nil
		}
	}
	return record.FieldSpec{}, unclear("%s has no field %q of texts; it has %s", wordOf("entity", entity), field, wordsOf("field", can))
}

// holding calls fn with each live record that has one of the wanted values, by
// field.
func (a *App) holding(ctx context.Context, entity string, wanted map[string]map[string]bool, fn func(rec int64)) error {
	fields := slices.Sorted(maps.Keys(wanted))
	return a.eachAuthored(ctx, entity, "", func(h store.Holding, authored golden.Authored) error {
		for _, field := range fields {
			name, part := golden.SplitField(field)
			if slices.ContainsFunc(golden.Texts(authored[name].Value, part), func(s string) bool { return wanted[field][s] }) {
				fn(h.Rec)
				return nil
			}
		}
		return nil
	})
}

// mapsDue puts the records on the backlog that a decision on values concerns,
// made or taken back since anybody looked.
func (a *App) mapsDue(ctx context.Context) error {
	due, err := a.Store.MapsDue(ctx)
	if err != nil || due == nil {
		return err
	}
	var recs []int64
	for _, entity := range slices.Sorted(maps.Keys(due.Values)) {
		if err := a.holding(ctx, entity, due.Values[entity], func(rec int64) { recs = append(recs, rec) }); err != nil {
			return fmt.Errorf("decisions on values: %w", err)
		}
	}
	if err := a.Store.MapsDone(ctx, due, recs); err != nil {
		return fmt.Errorf("decisions on values: %w", err)
	}
	a.Log.Info("decisions on values take effect", "records", len(recs))
	return nil
}

// mostFrom bounds the values listed for one decision.
const mostFrom = 20

// showMap tells what a decision says of values.
func showMap(s *ShownDecision, m store.ValueMap) {
	s.Field, s.Values = m.Entity+"."+m.Field, len(m.Pairs)
	to := map[string]bool{}
	for i, p := range m.Pairs {
		to[p[1]] = true
		if i < mostFrom {
			s.From = append(s.From, p[0])
		}
	}
	s.More = max(len(m.Pairs)-mostFrom, 0)
	if s.Value = m.Pairs[0][1]; len(to) > 1 {
		s.Value = fmt.Sprintf("%d values", len(to))
	}
}

// ClusterPairs gives what makes one cluster of a list the value to: its number in
// the list or its id.
func (c ValueClusters) ClusterPairs(which, to string) ([][2]string, error) {
	for _, x := range c.Clusters {
		if which != fmt.Sprint(x.N) && which != x.ID {
			continue
		}
		if to == "" {
			to = x.Proposed
		}
		var pairs [][2]string
		for _, v := range x.Values {
			pairs = append(pairs, [2]string{v.Value, to})
		}
		return pairs, nil
	}
	return nil, errors.New("no such cluster: the list of touchstone values with the same options has their numbers")
}
