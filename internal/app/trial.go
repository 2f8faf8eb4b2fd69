package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"touchstone/internal/store"
	"touchstone/internal/web"
	"touchstone/matching"
)

// The kinds of a trial.
const (
	trialModel      = "model"
	trialThresholds = "thresholds"
	trialRules      = "rules" // the configuration has changed
)

// mostTrials bounds the trials that wait to be worked out.
const mostTrials = 20

// AskTrial keeps a change of model or thresholds that the daemon is to work out
// beside the store.
func (a *App) AskTrial(ctx context.Context, t web.TrialAsked, by web.By) (id string, err error) {
	if by.Who == "" {
		return "", errors.New("a trial needs somebody who asks for it")
	}
	e, err := a.resolvable(t.Entity)
	if err != nil {
		return "", err
	}
	now, match := e.model.Load(), e.thresholds()
	to := change{Version: now.Version, Link: float64(match.Link), Review: float64(match.Review)}
	if t.Version != "" {
		to.Version = t.Version
	}
	if t.Configured {
		to.Link, to.Review = float64(e.asked.Link), float64(e.asked.Review)
	}
	if t.Link != 0 {
		to.Link = t.Link
	}
	if t.Review != 0 {
		to.Review = t.Review
	}
	if err := orderly(to.Link, to.Review); err != nil {
		return "", err
	}
	kind := trialThresholds
	if t.Train {
		if t.Version != "" {
			return "", unclear("a model is fitted, or one that there is is tried: say train or version, not both")
		}
		kind, to.Train, to.Version = trialModel, true, ""
	} else if to.Version != now.Version {
		kind = trialModel
		m, err := a.Model(ctx, t.Entity+"/"+to.Version)
		if err != nil {
			return "", err
		}
		if _, err := matching.DecodeModel(m.Model); err != nil {
			return "", err
		}
	} else if to.Link == float64(match.Link) && to.Review == float64(match.Review) {
		return "", unclear("that is in force already: choose another model or other thresholds")
	}
	open, err := a.Store.TrialsIn(ctx, store.TrialWaiting, store.TrialRunning)
	if err != nil {
		return "", err
	}
	for _, x := range open {
		if have, err := askedOf(x); err == nil && x.Entity == t.Entity && have == to {
			return x.ID, nil // pressed twice
		}
	}
	if len(open) >= mostTrials {
		return "", unclear("%d trials wait to be worked out: refuse some of them first", len(open))
	}
	asked, err := json.Marshal(to)
	if err != nil {
		return "", err
	}
	return a.Store.AskTrial(ctx, store.Trial{Entity: t.Entity, Kind: kind, Asked: string(asked), Basis: e.since.Load(), Who: by.Who, Why: by.Why})
}

func askedOf(t store.Trial) (c change, err error) {
	if err := json.Unmarshal([]byte(t.Asked), &c); err != nil {
		return c, fmt.Errorf("trial %s: %w", t.ID, err)
	}
	return c, nil
}

// errUnwanted ends the work on a trial that a person refused meanwhile.
var errUnwanted = errors.New("the trial was refused")

// trialNote is how often the work on a trial tells how far it is.
const trialNote = time.Second

// WorkTrial works a trial out and keeps its plan. Cut short it begins anew.
func (a *App) WorkTrial(ctx context.Context, id string) (err error) {
	ctx, span := a.tracer.Start(ctx, "trial")
	defer func() { span.End(err) }()
	t, err := a.Store.Trial(ctx, id)
	if err != nil {
		return err
	}
	if t.State != store.TrialWaiting && t.State != store.TrialRunning {
		return nil
	}
	to, err := askedOf(t)
	if err != nil {
		return err
	}
	whole, err := a.Store.Standing(ctx, t.Entity)
	if err != nil {
		return err
	}
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var noted atomic.Int64
	note := func(stage, entity string, done int) {
		now := a.opts.Env.Clock.Now().UnixNano()
		if last := noted.Load(); stage != "compare" && now-last < int64(trialNote) {
			return
		}
		noted.Store(now)
		if entity != t.Entity {
			done = 0
		}
		wanted, err := a.Store.NoteTrial(ctx, id, stage, done, whole)
		switch {
		case err != nil:
			stop(err)
		case !wanted:
			stop(errUnwanted)
		}
	}
	if to.Train {
		if to, err = a.trainTrial(work, t, to, note); err != nil {
			return a.trialStopped(ctx, work, id, err)
		}
		if to.Train { // it came to nothing
			return nil
		}
	}
	note("resolve", t.Entity, 0)
	f, err := a.foretell(work, t.Entity, to, t.Kind == trialRules, note)
	if err != nil {
		return a.trialStopped(ctx, work, id, err)
	}
	plan, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("trial %s: %w", id, err)
	}
	return a.Store.EndTrial(ctx, id, string(plan), "")
}

// trialStopped ends a trial whose work was cut short: it is kept with what went
// wrong, unless a person refused it or it is to begin anew.
func (a *App) trialStopped(ctx, work context.Context, id string, err error) error {
	if cause := context.Cause(work); cause != nil {
		err = cause
	}
	switch {
	case errors.Is(err, errUnwanted):
		return nil
	case ctx.Err() != nil, errors.Is(err, store.ErrLeaseLost):
		return err
	}
	return errors.Join(fmt.Errorf("trial %s: %w", id, err), a.Store.EndTrial(ctx, id, "", err.Error()))
}

// trainTrial fits the model that a trial is to try, from the records and what
// people have decided, and keeps with the trial which one it is: cut short later,
// it is not fitted again. Where it comes to nothing the trial ends with the reason,
// and what is given back is to be trained still.
func (a *App) trainTrial(ctx context.Context, t store.Trial, to change, note Progress) (change, error) {
	trained, err := a.fit(ctx, t.Entity, t.Who, Labels{Rulings: true}, func(done int) { note("train", t.Entity, done) })
	if err != nil {
		return to, err
	}
	e, err := a.resolvable(t.Entity)
	if err != nil {
		return to, err
	}
	why := trained.Refused
	if why == "" && trained.Version == e.model.Load().Version {
		why = "the records and decisions give the model that is in force"
	}
	if why != "" {
		return to, a.Store.EndTrial(ctx, t.ID, "", why)
	}
	to.Version, to.Train = trained.Version, false
	asked, err := json.Marshal(to)
	if err != nil {
		return to, fmt.Errorf("trial %s: %w", t.ID, err)
	}
	return to, a.Store.FillTrial(ctx, t.ID, string(asked))
}

// trialLook is how often the daemon looks for trials.
const trialLook = 2 * time.Second

// runTrials works on the trials that wait, one after the other, until it is asked
// to end. What waits to be resolved would count as changes, so it comes first.
func (a *App) runTrials(asked context.Context) error {
	for {
		err := a.nextTrial(asked)
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case err != nil && asked.Err() == nil:
			a.Log.Error("a trial failed", "err", err)
		}
		if a.opts.Env.Clock.Sleep(asked, trialLook) != nil {
			return nil
		}
	}
}

func (a *App) nextTrial(ctx context.Context) error {
	open, err := a.Store.TrialsIn(ctx, store.TrialRunning, store.TrialWaiting)
	if err != nil || len(open) == 0 {
		return err
	}
	for _, t := range open {
		waiting, err := a.Store.WaitingOf(ctx, t.Entity)
		if err != nil {
			return err
		}
		if waiting == 0 && t.Kind != trialRules {
			return a.WorkTrial(ctx, t.ID)
		}
		a.landed.ring() // the resolver works out the trials of changed rules itself
	}
	return nil
}

// TakeTrial puts in force what a trial asks for: every record is weighed by it
// with the next resolving, and nothing of the entity type is pushed before that
// is done.
func (a *App) TakeTrial(ctx context.Context, id string, brake bool, by web.By) error {
	if by.Who == "" {
		return errors.New("an approval needs somebody who gives it")
	}
	t, err := a.Store.Trial(ctx, id)
	if err != nil {
		return err
	}
	// Rules whose effect could not be worked out are let through by who says so.
	blind := t.Kind == trialRules && t.State == store.TrialFailed
	if t.State != store.TrialReady && (!blind || !brake) {
		return unclear("the trial is not ready to be approved: it is %s", wordOf("trialstate", t.State))
	}
	to, err := askedOf(t)
	if err != nil {
		return err
	}
	f, err := readPlan(t.Plan)
	if err != nil {
		return err
	}
	e, err := a.resolvable(t.Entity)
	if err != nil {
		return err
	}
	if n := f.Golden.Touched(); e.braked(n, f.Records) && !brake {
		return web.Refuse("brake", "%d of %d golden records would change: confirm that this is meant", n, f.Records)
	}
	act, err := a.activation(t.Entity, to, by)
	if err != nil {
		return err
	}
	take := a.Store.TakeTrial
	if t.Kind == trialRules {
		take = a.Store.TakeRules
	}
	taken, err := take(ctx, id, act)
	if err != nil {
		return err
	}
	if !taken {
		return unclear("something else is in force than this was compared with: try it again")
	}
	a.landed.ring()
	return nil
}

// braked says whether so many golden records are more than may change without a
// person's word.
func (e *entity) braked(touched, of int) bool { return float64(touched) > e.brake*float64(of) }

// activation says what is to be put in force. Thresholds that the configuration
// has are not a person's word.
func (a *App) activation(entity string, to change, by web.By) (store.Activation, error) {
	e, err := a.resolvable(entity)
	if err != nil {
		return store.Activation{}, err
	}
	of := store.Thresholds{Link: float64(e.asked.Link), Review: float64(e.asked.Review)}
	act := store.Activation{Entity: entity, Version: to.Version, Who: by.Who, Why: by.Why}
	if t := (store.Thresholds{Link: to.Link, Review: to.Review}); t != of {
		act.Thresholds, act.Of = t, of
	}
	return act, nil
}

// RefuseTrial drops a trial for good.
func (a *App) RefuseTrial(ctx context.Context, id string, by web.By) error {
	if _, err := a.Store.Trial(ctx, id); err != nil {
		return err
	}
	refused, err := a.Store.RefuseTrial(ctx, id, by.Who, by.Why)
	if err == nil && !refused {
		return unclear("the trial was decided already")
	}
	return err
}

// UndoTrial puts in force again what was before a trial was taken.
func (a *App) UndoTrial(ctx context.Context, id string, by web.By) error {
	t, err := a.Store.Trial(ctx, id)
	if err != nil {
		return err
	}
	if t.Kind == trialRules {
		return unclear("rules are taken back by changing the configuration back")
	}
	f, err := readPlan(t.Plan)
	if err != nil {
		return err
	}
	act, err := a.activation(t.Entity, f.From, by)
	if err != nil {
		return err
	}
	undone, err := a.Store.UndoTrial(ctx, id, act)
	if err != nil {
		return err
	}
	if !undone {
		return unclear("it cannot be taken back any more: it is not in force, or something else came into force after it")
	}
	a.landed.ring()
	return nil
}
