package app

import (
	"context"
	"encoding/json"
	"fmt"

	"touchstone/internal/store"
)

// leastHeld is how many golden records a change of rules has to change before
// anybody is asked: a small installation that is being set up is not held up.
const leastHeld = 100

// self is who acts where no person does.
const self = "touchstone"

// rulesHeld works out what changed rules (mappings, schemas, survivorship,
// thresholds, targets, sources that are gone) would make of an entity type, and
// says whether it waits for a person: nothing of it is derived or resolved by
// them before, so golden records and targets stay as they are. Within the brake
// they take effect at once.
func (a *App) rulesHeld(ctx context.Context, e *entity, progress Progress) (held bool, err error) {
	if a.rebuilding {
		return false, nil
	}
	id, held, err := a.Store.RulesTrial(ctx, e.name)
	if err != nil || !held {
		return false, err
	}
	golden, err := a.Store.LiveGolden(ctx, e.name)
	if err != nil {
		return false, err
	}
	if e.brake >= 1 || golden < leastHeld {
		return false, a.Store.LetRules(ctx, e.name)
	}
	if id == "" {
		if id, err = a.askRules(ctx, e); err != nil {
			return false, err
		}
	}
	t, err := a.Store.Trial(ctx, id)
	if err != nil {
		return false, err
	}
	if t.State == store.TrialWaiting || t.State == store.TrialRunning {
		progress("foretell", e.name, 0)
		if err := a.WorkTrial(ctx, id); err != nil {
			return false, err
		}
		if t, err = a.Store.Trial(ctx, id); err != nil {
			return false, err
		}
	}
	if t.State != store.TrialReady {
		return true, nil
	}
	f, err := readPlan(t.Plan)
	if err != nil {
		return false, err
	}
	if n := f.Golden.Touched(); n >= leastHeld && e.braked(n, f.Records) {
		return true, nil
	}
	_, err = a.Store.TakeRules(ctx, id, store.Activation{Entity: e.name, Who: self, Why: "within the brake"})
	return false, err
}

// askRules keeps the trial of changed rules.
func (a *App) askRules(ctx context.Context, e *entity) (id string, err error) {
	m := e.thresholds()
	asked, err := json.Marshal(change{Version: e.model.Load().Version, Link: float64(m.Link), Review: float64(m.Review)})
	if err != nil {
		return "", err
	}
	id, err = a.Store.AskTrial(ctx, store.Trial{Entity: e.name, Kind: trialRules, Asked: string(asked), Basis: e.since.Load(), Who: self, Why: "the configuration has changed"})
	if err != nil {
		return "", err
	}
	a.Log.Info("the rules have changed: what that does is worked out first", "entity", e.name, "trial", id)
	return id, a.Store.HoldRules(ctx, e.name, id)
}

// heldRule is an entity type that waits because its rules have changed.
type heldRule struct{ entity, why string }

func (h heldRule) String() string { return h.entity + ": " + h.why }

// rulesWaiting lists the entity types that wait for a person because their rules
// have changed.
func (a *App) rulesWaiting(ctx context.Context) (list []heldRule, err error) {
	for _, e := range a.entities {
		if e.resolver == nil {
			continue
		}
		id, held, err := a.Store.RulesTrial(ctx, e.name)
		if err != nil {
			return nil, err
		}
		if !held || id == "" {
			continue
		}
		t, err := a.Store.Trial(ctx, id)
		if err != nil {
			return nil, err
		}
		f, err := readPlan(t.Plan)
		if err != nil {
			return nil, err
		}
		switch t.State {
		case store.TrialWaiting, store.TrialRunning:
		case store.TrialRefused:
			list = append(list, heldRule{e.name, "the changed configuration was refused: change it back; until then nothing of it is resolved"})
		case store.TrialReady:
			list = append(list, heldRule{e.name, fmt.Sprintf("the changed configuration would change %d of %d golden records: touchstone trial show %s, and approve or refuse it", f.Golden.Touched(), f.Records, id)})
		default:
			list = append(list, heldRule{e.name, fmt.Sprintf("what the changed configuration does could not be worked out: touchstone trial show %s", id)})
		}
	}
	return list, nil
}

// heldRules is rulesWaiting in words.
func (a *App) heldRules(ctx context.Context) (list []string, err error) {
	held, err := a.rulesWaiting(ctx)
	for _, h := range held {
		list = append(list, h.String())
	}
	return list, err
}
