package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"touchstone/internal/golden"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
)

// Shown is a golden record with its members, for people.
type Shown struct {
	ID         string                       `json:"id"`
	Moved      bool                         `json:"moved,omitempty"` // the id asked for now belongs to this record, or members of then live elsewhere
	Elsewhere  []Place                      `json:"elsewhere,omitempty"`
	Entity     string                       `json:"entity"`
	Version    int                          `json:"version"`
	ChangedAt  string                       `json:"changed_at"`
	Fields     record.Fields                `json:"fields"`
	Provenance map[string]golden.Provenance `json:"provenance"`
	Members    []ShownMember                `json:"members"`
}

// ShownMember is one source record behind a golden record.
type ShownMember struct {
	Ref    string        `json:"ref"`
	Live   bool          `json:"live"`
	Fields record.Fields `json:"fields"`
	Notes  []TextNote    `json:"notes,omitempty"` // what does not belong in its texts
}

// Golden finds a golden record by its id, or by the reference of one of its
// source records (source/entity/id).
func (a *App) Golden(ctx context.Context, id string) (Shown, error) {
	g, moved, err := a.findGolden(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	s := Shown{ID: g.ID, Moved: moved, Entity: g.Entity, Version: g.Version, ChangedAt: g.ChangedAt}
	if err := json.Unmarshal(g.Fields, &s.Fields); err != nil {
		return s, err
	}
	if err := json.Unmarshal(g.Provenance, &s.Provenance); err != nil {
		return s, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return s, err
	}
	s.Fields, s.Provenance = see.fields(g.Entity, s.Fields), see.provenance(g.Entity, s.Provenance)
	for name, p := range s.Provenance {
		for i := range p.From {
			p.From[i] = a.refNames(p.From[i])
		}
		for i := range p.Losers {
			p.Losers[i].From = a.refNames(p.Losers[i].From)
		}
		s.Provenance[name] = p
	}
	if see.reach == nil {
		if err := a.movedOn(ctx, id, g.Founder, &s); err != nil {
			return s, err
		}
	}
	members, err := a.Store.MembersOf(ctx, []int64{g.Founder})
	if err != nil {
		return s, err
	}
	for _, m := range members[g.Founder] {
		authored, err := golden.ParseAuthored(m.Authored)
		if err != nil {
			return s, err
		}
		member := ShownMember{Ref: a.refName(m.Ref), Live: m.Live, Fields: see.fields(m.Ref.Entity, authored.Fields())}
		member.Notes = textNotes(member.Ref, member.Fields)
		s.Members = append(s.Members, member)
	}
	return s, nil
}

// GoldenID is the id of the golden record that is named by an id, also an old
// one, or by one of its source records. The audit trail keeps it instead of the
// name: that of a source record may say who it is.
func (a *App) GoldenID(ctx context.Context, name string) (string, error) {
	g, _, err := a.findGolden(ctx, name)
	return g.ID, err
}

func (a *App) findGolden(ctx context.Context, id string) (store.Golden, bool, error) {
	ref, isRef, err := a.sourceRef(id)
	if err != nil {
		return store.Golden{}, false, err
	}
	if isRef {
		g, err := a.Store.GoldenOf(ctx, ref)
		return g, false, err
	}
	return a.Store.GoldenByID(ctx, strings.TrimSpace(id))
}

// Explained is why two members of a golden record are one customer.
type Explained struct {
	A           string          `json:"a"`
	B           string          `json:"b"`
	Weight      float64         `json:"weight_bits"`
	Probability float64         `json:"probability"`
	Shared      []string        `json:"shared_keys"`
	Veto        string          `json:"veto,omitempty"`
	Parts       []matching.Part `json:"parts"`
}

// mostExplained bounds the pairs of one explanation.
const mostExplained = 30

// Explain weighs every pair of a golden record's members.
func (a *App) Explain(ctx context.Context, id string) ([]Explained, error) {
	g, _, err := a.findGolden(ctx, id)
	if err != nil {
		return nil, err
	}
	e := a.entityNamed(g.Entity)
	if e == nil || e.model.Load() == nil {
		return nil, errors.New("this entity type is not configured")
	}
	model := e.model.Load()
	shared, err := a.Store.Shared(ctx, g.Entity, nil)
	if err != nil {
		return nil, err
	}
	byGolden, err := a.Store.MembersOf(ctx, []int64{g.Founder})
	if err != nil {
		return nil, err
	}
	members := byGolden[g.Founder]
	features := make([]*matching.Features, len(members))
	for i, m := range members {
		if features[i], err = matching.DecodeFeatures(m.Features); err != nil {
			return nil, fmt.Errorf("features of %s: %w", m.Ref, err)
		}
		features[i] = features[i].Share(shared.Has)
	}
	var out []Explained
	for i := range members {
		for j := i + 1; j < len(members) && len(out) < mostExplained; j++ {
			w := model.Weigh(features[i], features[j])
			x := Explained{
				A: a.refName(members[i].Ref), B: a.refName(members[j].Ref), Weight: float64(w.Total) / 1000,
				Probability: model.Probability(w.Total), Parts: worded(model.Explain(features[i], features[j])), Shared: []string{},
			}
			for _, k := range model.SharedKeys(features[i], features[j]) {
				x.Shared = append(x.Shared, k.Rule+" "+k.Text)
			}
			if why, veto := model.Veto(features[i], features[j]); veto {
				x.Veto = why
			}
			out = append(out, x)
		}
	}
	return out, nil
}
