package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// rulesChanged compares what decides clusters, golden records and plans with
// what the stored ones were made under; a change puts the entity's records on
// the backlog. Records of a source that is no longer configured are taken
// out of force.
func (a *App) rulesChanged(ctx context.Context) error {
	if a.opts.Shared {
		return nil
	}
	for _, e := range a.entities {
		if e.resolver == nil {
			continue
		}
		hash, err := e.rulesHash()
		if err != nil {
			return err
		}
		changed, err := a.Store.ResolvingChanged(ctx, e.name, hash)
		if err != nil {
			return err
		}
		if changed {
			a.Log.Info("thresholds, survivorship or targets changed: records are resolved again", "entity", e.name)
		}
	}
	configured := map[[2]string]bool{}
	for _, s := range a.order {
		for _, in := range s.intakes {
			configured[[2]string{s.uid, in.Deriver.Entity}] = true
		}
	}
	return a.Store.Unconfigured(ctx, func(source, entity string) bool { return configured[[2]string{source, entity}] })
}

func (e *entity) rulesHash() (string, error) {
	r := e.resolver
	policy, err := json.Marshal(struct{ Strategies, Rank any }{r.Policy.Strategies, r.Policy.Rank})
	if err != nil {
		return "", fmt.Errorf("hash the rules of %s: %w", e.name, err)
	}
	h := sha256.New()
	// Another model, and thresholds that a person puts in force, put the records on
	// the backlog themselves.
	fmt.Fprintln(h, r.Model.Threshold(float64(e.asked.Link)), r.Model.Threshold(float64(e.asked.Review)), string(policy))
	for _, t := range r.Differ.Targets {
		fmt.Fprintln(h, t.Name, t.Rules)
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// notMapped keeps the first golden record that a target's mapping failed on,
// for the summary.
func (a *App) notMapped(target, id string, err error) {
	a.Log.Error("a golden record could not be mapped", "target", target, "golden", id, "err", err)
	a.unmapped.note(target, fmt.Sprintf("target %s: golden record %s is not written: %v", target, id, err))
}

// failures keeps one sentence for each name until it is taken.
type failures struct {
	mu    sync.Mutex
	first map[string]string
}

func (f *failures) note(name, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first == nil {
		f.first = map[string]string{}
	}
	if f.first[name] == "" {
		f.first[name] = text
	}
}

// take gives the sentences, by name, and forgets them.
func (f *failures) take() []string {
	list := f.list()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.first = nil
	return list
}

// list gives the sentences, by name.
func (f *failures) list() (list []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(f.first)) {
		list = append(list, f.first[name])
	}
	return list
}
