package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"touchstone/config"
	"touchstone/internal/pipeline"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
)

// model gives the active match model of an entity type and its generation; an
// empty store starts with the built-in one, which is kept like any other version.
func (a *App) model(ctx context.Context, entity string) (*matching.Model, int64, error) {
	body, generation, err := a.Store.ActiveModel(ctx, entity)
	if err != nil {
		return nil, 0, err
	}
	if body != "" {
		m, err := matching.DecodeModel([]byte(body))
		if err != nil {
			return m, generation, err
		}
		return a.started(ctx, m, generation)
	}
	m, err := a.startModel(entity)
	if err != nil {
		return nil, 0, err
	}
	if a.opts.Shared {
		return m, 0, nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return nil, 0, fmt.Errorf("write start model: %w", err)
	}
	return m, 0, a.Store.SaveModel(ctx, entity, m.Version, string(b), true)
}

// matchOf gives the thresholds that a generation has for an entity type: those of
// the configuration, unless a person has put others in force since it says so.
func (a *App) matchOf(ctx context.Context, e *entity, generation int64) (config.Match, error) {
	act, err := a.Store.ActivationAt(ctx, e.name, generation)
	t := act.Holding(store.Thresholds{Link: float64(e.asked.Link), Review: float64(e.asked.Review)})
	return config.Match{Link: config.Percent(t.Link), Review: config.Percent(t.Review)}, err
}

// thresholds are the probabilities in force.
func (e *entity) thresholds() config.Match {
	if m := e.match.Load(); m != nil {
		return *m
	}
	return e.asked
}

// cuts are the thresholds in force as weights: whoever is not the resolver reads
// them here.
func (e *entity) cuts() (link, review int32) {
	m, t := e.model.Load(), e.thresholds()
	return m.Threshold(float64(t.Link)), m.Threshold(float64(t.Review))
}

// apart is a resolver of one's own for an entity type, on a store, with what is
// in force: the app's is at work. It plans no writes.
func (a *App) apart(e *entity, on *store.DB) *pipeline.Resolver {
	m, r := e.model.Load(), e.resolver
	own := &pipeline.Resolver{
		Store: on, Log: r.Log, Entity: e.name, Model: m, Generation: e.since.Load(), Policy: r.Policy,
		Cap: cmp.Or(a.opts.Cap, m.KeyCap), Names: cmp.Or(a.opts.Names, m.SharedNames),
		Batch: r.Batch, Bulk: r.Bulk, Referred: r.Referred, Worth: r.Worth,
	}
	own.Link, own.Review = e.cuts()
	return own
}

// quiet plans writes as the resolver does, and tells nobody of golden records
// that could not be mapped.
func (e *entity) quiet() *pipeline.Differ {
	d := &pipeline.Differ{Rank: e.resolver.Differ.Rank}
	for _, t := range e.resolver.Differ.Targets {
		own := *t
		own.Failed = nil
		d.Targets = append(d.Targets, &own)
	}
	return d
}

// use has an entity type resolved by a model and thresholds.
func (a *App) use(e *entity, m *matching.Model, generation int64, match config.Match) {
	r := e.resolver
	r.Model, r.Generation, r.Cap, r.Names = m, generation, m.KeyCap, m.SharedNames
	r.Link, r.Review = m.Threshold(float64(match.Link)), m.Threshold(float64(match.Review))
	if a.opts.Cap > 0 {
		r.Cap = a.opts.Cap
	}
	if a.opts.Names > 0 {
		r.Names = a.opts.Names
	}
	e.model.Store(m)
	e.match.Store(&match)
	e.since.Store(generation)
}

// resolve resolves what waits of an entity type, by the model that is in force.
// Another may be put in force at any time, also by a command beside the daemon.
func (a *App) resolve(ctx context.Context, e *entity, progress Progress) error {
	for {
		generation, err := a.Store.Generation(ctx, e.name)
		if err != nil {
			return err
		}
		if generation != e.resolver.Generation {
			m, generation, err := a.model(ctx, e.name)
			if err != nil {
				return err
			}
			match, err := a.matchOf(ctx, e, generation)
			if err != nil {
				return err
			}
			a.use(e, m, generation, match)
			a.Log.InfoContext(ctx, "another match model or other thresholds are in force", "entity", e.name, "model", m.Version, "link", float64(match.Link), "review", float64(match.Review))
		}
		_, err = e.resolver.Run(ctx, func(s pipeline.Stats) { progress("resolve", e.name, s.Resolved) })
		if errors.Is(err, pipeline.ErrSwitched) {
			continue
		}
		if again, err := a.unbalanced(ctx, err); err != nil {
			return err
		} else if again {
			continue
		}
		ended, err := a.Store.EndActivation(ctx, e.name)
		if ended {
			a.Log.InfoContext(ctx, "every record is weighed by the new match model", "entity", e.name, "model", e.resolver.Model.Version)
		}
		return err
	}
}

// Trained is a candidate model.
type Trained struct {
	Entity  string            `json:"entity"`
	Version string            `json:"version,omitempty"`
	New     bool              `json:"new"` // false: the same data gave the same model before
	Refused string            `json:"refused,omitempty"`
	Figures *matching.Figures `json:"figures,omitempty"`
}

// Train fits a candidate for an entity type's match model from the records in the
// store, with what labels say where there are any, and keeps it with its figures.
// It changes nothing else. With too few records the reason stands in Refused.
func (a *App) Train(ctx context.Context, entity, who string, from Labels) (Trained, error) {
	return a.fit(ctx, entity, who, from, func(int) {})
}

// trainNote is after how many records fitting says how far it is.
const trainNote = 1000

// fit is Train, and says how many records it has read.
func (a *App) fit(ctx context.Context, entity, who string, from Labels, note func(done int)) (Trained, error) {
	t := Trained{Entity: entity}
	e := a.entityNamed(entity)
	if e == nil || e.model.Load() == nil {
		return t, fmt.Errorf("entity type %q: %w", entity, record.ErrNotFound)
	}
	shared, err := a.Store.Shared(ctx, entity, nil)
	if err != nil {
		return t, err
	}
	var sample matching.Sample
	read := 0
	err = a.Store.EachFeatures(ctx, entity, func(_ int64, f []byte) error {
		sample.Add(f)
		if read++; read%trainNote == 0 {
			note(read)
		}
		return ctx.Err()
	})
	if err != nil {
		return t, err
	}
	start, err := a.startModel(entity) // whatever is in force: else fitting the same data twice would give two models
	if err != nil {
		return t, err
	}
	gathered, share, err := matching.Gather(start, sample.Records(), shared.Has, func() error {
		note(read)
		return ctx.Err()
	})
	if err != nil {
		return t, err
	}
	list, err := a.labels(ctx, entity, from)
	if err != nil {
		return t, err
	}
	known, err := a.labelledFeatures(ctx, entity, list)
	if err != nil {
		return t, err
	}
	gathered.Label(known)
	m, figures, err := gathered.Fit(share)
	if errors.Is(err, matching.ErrTooFew) {
		t.Refused = err.Error()
		return t, nil
	}
	if err != nil {
		return t, fmt.Errorf("train %s: %w", entity, err)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return t, fmt.Errorf("train %s: %w", entity, err)
	}
	text, err := json.Marshal(figures)
	if err != nil {
		return t, fmt.Errorf("train %s: %w", entity, err)
	}
	t.Version, t.Figures = m.Version, figures
	t.New, err = a.Store.SaveFitted(ctx, store.Model{Entity: entity, Version: m.Version, Body: string(body), Figures: string(text)}, who)
	return t, err
}

// ListedModel is one version of a match model, for people.
type ListedModel struct {
	Entity  string            `json:"entity"`
	Version string            `json:"version"`
	Active  bool              `json:"active"`
	At      string            `json:"at"`
	Who     string            `json:"who,omitempty"`     // had it fitted
	Figures *matching.Figures `json:"figures,omitempty"` // nil for a built-in one
	Model   json.RawMessage   `json:"model,omitempty"`
}

// Models lists the models of all entity types, oldest first, without their
// weights.
func (a *App) Models(ctx context.Context) ([]ListedModel, error) {
	stored, err := a.Store.Models(ctx, "")
	if err != nil {
		return nil, err
	}
	list := make([]ListedModel, len(stored))
	for i, m := range stored {
		if list[i], err = listed(m); err != nil {
			return nil, err
		}
		list[i].Model = nil
		if list[i].Figures != nil {
			list[i].Figures.Fields = nil
		}
	}
	return list, nil
}

func listed(m store.Model) (ListedModel, error) {
	l := ListedModel{Entity: m.Entity, Version: m.Version, Active: m.Active, At: m.At, Who: m.Who, Model: json.RawMessage(m.Body)}
	if m.Figures != "" {
		if err := json.Unmarshal([]byte(m.Figures), &l.Figures); err != nil {
			return l, fmt.Errorf("figures of match model %s: %w", m.Version, err)
		}
	}
	return l, nil
}

// Model finds a model by its version, or by ENTITY/VERSION where two entity types
// have one of that name.
func (a *App) Model(ctx context.Context, name string) (ListedModel, error) {
	entity, version, ok := strings.Cut(name, "/")
	if !ok {
		entity, version = "", name
	}
	stored, err := a.Store.Models(ctx, entity)
	if err != nil {
		return ListedModel{}, err
	}
	stored = slices.DeleteFunc(stored, func(m store.Model) bool { return m.Version != version })
	switch len(stored) {
	case 0:
		return ListedModel{}, fmt.Errorf("match model %q: %w; model list shows what there is", name, record.ErrNotFound)
	case 1:
		return listed(stored[0])
	}
	names := make([]string, len(stored))
	for i, m := range stored {
		names[i] = m.Entity + "/" + m.Version
	}
	return ListedModel{}, unclear("%q may be %s: say which", name, strings.Join(names, " or "))
}

// ActivateModel puts a model in force: every record is weighed by it with the
// next resolving, and nothing of the entity type is pushed before that is done.
// Activating an older one again takes it back.
func (a *App) ActivateModel(ctx context.Context, name, who, why string) (ListedModel, error) {
	m, err := a.Model(ctx, name)
	if err != nil {
		return m, err
	}
	if a.entityNamed(m.Entity) == nil {
		return m, fmt.Errorf("entity type %q is not configured: %w", m.Entity, record.ErrNotFound)
	}
	if _, err := matching.DecodeModel(m.Model); err != nil {
		return m, err
	}
	if _, err := a.Store.ActivateModel(ctx, m.Entity, m.Version, who, why); err != nil {
		return m, err
	}
	m.Active = true
	return m, nil
}

// SharedIdentifier is one value that more names use than the model allows, and
// that therefore weighs little.
type SharedIdentifier struct {
	Kind    string `json:"kind"` // phone | email | domain | address
	Value   string `json:"value"`
	Names   int    `json:"names"`
	Records int    `json:"records"`
	Line    int    `json:"line"` // more names than this make it shared
	// Users are the records that hold it, oldest first, as many as were asked for.
	Users []string `json:"users,omitempty"`

	hash uint64
}

// SharedIdentifiers lists an entity type's shared values, the most used first.
func (a *App) SharedIdentifiers(ctx context.Context, entity string, most int) ([]SharedIdentifier, error) {
	e := a.entityNamed(entity)
	if e == nil || e.resolver == nil {
		return nil, fmt.Errorf("entity type %q: %w", entity, record.ErrNotFound)
	}
	line := e.model.Load().SharedNames
	if a.opts.Names > 0 {
		line = a.opts.Names
	}
	uses, err := a.Store.SharedUses(ctx, entity, most)
	if err != nil {
		return nil, err
	}
	list := []SharedIdentifier{}
	for _, u := range uses {
		f, err := matching.DecodeFeatures(u.Features)
		if err != nil {
			return nil, fmt.Errorf("shared values: %w", err)
		}
		s := SharedIdentifier{Names: u.Names, Records: u.Records, Line: line, hash: u.Value}
		s.Kind, s.Value = matching.SharedText(f, u.Value)
		list = append(list, s)
	}
	return list, nil
}

// EntityNames lists the configured entity types that can be resolved.
func (a *App) EntityNames() (names []string) {
	for _, e := range a.entities {
		if e.resolver != nil {
			names = append(names, e.name)
		}
	}
	return names
}
