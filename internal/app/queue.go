package app

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"touchstone/internal/pipeline"
	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/rules/worth"
)

// worth is how the configuration values open pairs.
func (a *App) worth() pipeline.Worth {
	r := a.Config.Review
	w := pipeline.Worth{
		Field: r.Field(), Currency: r.Currency, Rates: map[string]int64{}, Due: time.Duration(r.Due),
		Losses: worth.Losses{
			Apart: millionths(float64(r.Loss.Apart)), Wrong: millionths(r.Loss.Wrong), System: int64(math.Round(r.Loss.System * worth.Unit)),
		},
	}
	for currency, rate := range r.Rates {
		w.Rates[currency] = millionths(rate)
	}
	return w
}

func millionths(x float64) int64 { return int64(math.Round(x * worth.Whole)) }

// noPlace refuses to go on with a list from where nothing stands.
func noPlace() error {
	return web.Refuse("after", "the place in the list is none; begin at its beginning")
}

// appraisal values the open pairs of an entity type by the model in force; nil
// for one that has none.
func (a *App) appraisal(name string) *store.Appraisal {
	e := a.entityNamed(name)
	if e == nil || e.resolver == nil {
		return nil
	}
	m := e.model.Load()
	return e.resolver.Worth.Appraisal(name, m, m.Threshold(float64(a.thresholds(name).Link)))
}

// turnQueue takes the queue into the day, and has it made anew where it is
// valued by other rules now.
func (a *App) turnQueue(ctx context.Context) error {
	if a.rebuilding {
		return nil
	}
	for _, e := range a.entities {
		if e.resolver == nil {
			continue
		}
		if err := a.valuedBy(ctx, e); err != nil {
			return err
		}
	}
	return a.Store.TurnQueue(ctx)
}

// valuedBy has the queue of an entity type made anew where it was valued by other
// rules.
func (a *App) valuedBy(ctx context.Context, e *entity) error {
	hash, err := e.resolver.Worth.Hash()
	if err != nil {
		return err
	}
	if err := a.Store.QueueRules(ctx, e.name, hash); err != nil {
		return fmt.Errorf("queue of %s: %w", e.name, err)
	}
	return nil
}

// drainQueue values anew whose events have changed.
func (a *App) drainQueue(ctx context.Context) error {
	n, err := a.Store.DrainQueue(ctx, a.appraisal)
	if n > 0 {
		a.Log.Debug("pairs to review were valued anew", "customers", n)
	}
	return err
}

// openPairs are queued pairs without what they are worth.
func openPairs(list []store.QueuedPair) []store.OpenPair {
	out := make([]store.OpenPair, len(list))
	for i, p := range list {
		out[i] = store.OpenPair{A: p.A, B: p.B, Weight: p.Weight, Bridge: p.Kind == web.KindBridge}
	}
	return out
}

// placeText is a place in the queue as it travels in an address; "" for none.
func placeText(at *store.QueuePlace) (string, error) {
	if at == nil {
		return "", nil
	}
	b, err := json.Marshal(at)
	if err != nil {
		return "", fmt.Errorf("place in the queue: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// placeOf reads what placeText wrote.
func placeOf(text string) (at store.QueuePlace, err error) {
	if text == "" {
		return at, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &at)
	}
	if err != nil || at.A <= 0 || at.B <= 0 {
		return at, noPlace()
	}
	return at, nil
}
