package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/outbox"
	"touchstone/internal/pipeline"
	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// Summary is what one pass did and what stands now.
// Pulled = Stored + Unchanged + Echo + Quarantined + Filtered; Golden counts
// live golden records; Merged = members − Golden; Planned counts outbox rows
// made, Pushed delivered ones, Verified those whose read-back equals what was
// sent.
type Summary struct {
	Pulled      int           `json:"pulled"`
	Stored      int           `json:"stored"`
	Unchanged   int           `json:"unchanged"`
	Echo        int           `json:"echo"`
	Quarantined int           `json:"quarantined"`
	Filtered    int           `json:"filtered"`
	Missing     int           `json:"missing"` // stay away from their source and do not count as deleted yet
	Gone        int           `json:"gone"`    // stayed away from their source and count as deleted now
	Golden      int           `json:"golden"`
	Merged      int           `json:"merged"`
	Review      int           `json:"review"`
	Planned     int           `json:"planned"`
	Pushed      int           `json:"pushed"`
	Verified    int           `json:"verified"`
	Refused     int           `json:"refused,omitempty"` // writes that a target did not take in this pass
	LeftOut     int           `json:"left_out"`          // golden records that a target's where leaves out, for all targets
	Waiting     int           `json:"waiting"`           // writes left for a later pass: their time has not come, or a person has to let them
	Failed      int           `json:"failed"`            // writes that stand refused, in conflict or given up: a person should look
	Events      *EventSummary `json:"events,omitempty"`
	// Unmapped counts the values that tables of the configuration do not know;
	// UnmappedValues are the most frequent of them.
	Unmapped       int               `json:"unmapped,omitempty"`
	UnmappedValues []store.MissCount `json:"unmapped_values,omitempty"`
	Held           []string          `json:"held,omitempty"`     // targets that wait for a person, and why
	Problems       []string          `json:"problems,omitempty"` // sources and targets that failed
}

// Progress is told while a pass works.
type Progress func(stage, name string, done int)

// Start settles the writes that a stopped process left on their way; call it
// before the first pass.
func (a *App) Start(ctx context.Context) error {
	for _, t := range a.targets {
		if err := t.deliverer.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Pass pulls every source once in the order of the file, resolves, and
// delivers. A source or target that fails stops itself, not the others.
func (a *App) Pass(ctx context.Context, progress Progress) (sum Summary, err error) {
	ctx, span := a.tracer.Start(ctx, "pass")
	defer func() { span.End(err) }()
	if progress == nil {
		progress = func(string, string, int) {}
	}
	started := a.opts.Env.Clock.Now()
	var counts store.Counts
	for _, s := range a.order {
		pull, span := a.tracePull(ctx, s)
		c, err := a.pull(pull, s, progress)
		endPull(span, c, err)
		counts = counts.Add(c)
		if err != nil {
			if ctx.Err() != nil {
				return sum, err
			}
			sum.Problems = append(sum.Problems, err.Error())
			a.Log.ErrorContext(pull, "source failed", "source", s.source.Name, "err", err)
		}
	}
	if err := a.Settle(ctx, progress, &sum); err != nil {
		return sum, err
	}
	sum.Pulled, sum.Stored, sum.Unchanged = counts.Pulled, counts.Stored, counts.Unchanged
	sum.Echo, sum.Quarantined, sum.Filtered, sum.Gone = counts.Echo, counts.Quarantined, counts.Filtered, counts.Gone
	return sum, a.fill(ctx, &sum, store.TimeText(started))
}

// pull takes one source's entities in.
func (a *App) pull(ctx context.Context, s *system, progress Progress) (total store.Counts, err error) {
	for _, in := range s.intakes {
		var seen store.Counts
		c, e := in.Pass(ctx, func(c store.Counts) {
			a.life.metrics.pulled(s.source.Name, c.Less(seen))
			seen = c
			progress("pull", s.source.Name+"/"+in.Stream, c.Pulled)
		})
		total = total.Add(c)
		err = errors.Join(err, e)
	}
	if !a.stoppingOf(s)() {
		err = errors.Join(err, a.pullEvents(ctx, s, progress))
	}
	a.tellNotes(s)
	return total, err
}

// maxRounds bounds how often resolving and delivering may call each other in
// one pass: what is read back is landed, and landed records are resolved.
const maxRounds = 10

// Settle resolves and delivers until nothing is left to do now.
func (a *App) Settle(ctx context.Context, progress Progress, sum *Summary) error {
	for range maxRounds {
		turn, told, end := a.traceResolve(ctx, progress)
		err := a.Resolve(turn, told)
		if end(err); err != nil {
			return err
		}
		sent := 0
		held, err := a.heldRules(ctx)
		if err != nil {
			return err
		}
		sum.Held = held
		for _, t := range a.targets {
			push, span := a.tracePush(ctx, t)
			r, err := a.deliver(push, t)
			endPush(span, r, err)
			sum.Refused += r.Rejected
			sent += r.Delivered + r.Rejected + r.Replanned // what the resolver should look at again
			if r.Held != "" {
				sum.Held = append(sum.Held, t.config.Name+": "+r.Held)
			}
			if err != nil {
				if ctx.Err() != nil {
					return err
				}
				text := err.Error()
				if !slices.Contains(sum.Problems, text) {
					sum.Problems = append(sum.Problems, text)
				}
				a.Log.ErrorContext(push, "target failed", "target", t.config.Name, "err", err)
			}
			progress("push", t.config.Name, sent)
		}
		if sent == 0 {
			return nil
		}
	}
	return nil
}

// Resolve derives and resolves what waits, company before person.
func (a *App) Resolve(ctx context.Context, progress Progress) error {
	ctx, err := a.ahead(ctx)
	if err != nil {
		return err
	}
	if err := pipeline.FillSearch(ctx, a.Store); err != nil {
		return fmt.Errorf("make golden records findable: %w", err)
	}
	if err := a.Store.FillReach(ctx); err != nil {
		return err
	}
	if err := a.decisionsDue(ctx); err != nil {
		return err
	}
	if err := a.deriveEvents(ctx, progress); err != nil {
		return err
	}
	if err := a.turnQueue(ctx); err != nil {
		return err
	}
	for _, e := range a.entities {
		if e.resolver == nil {
			continue
		}
		if err := a.aheadOf(ctx, e); err != nil {
			return err
		}
		if held, err := a.rulesHeld(ctx, e, progress); err != nil {
			return err
		} else if held {
			continue
		}
		if idle, err := a.Store.Idle(ctx, e.name); err != nil {
			return err
		} else if idle {
			continue
		}
		if err := a.derive(ctx, e, progress); err != nil {
			return err
		}
		if err := a.resolve(ctx, e, progress); err != nil {
			return err
		}
	}
	if err := a.drainQueue(ctx); err != nil {
		return err
	}
	return a.escalateOverdue(ctx)
}

// deriveBatch is how many records are derived again in one transaction.
const deriveBatch = 1000

// derive computes anew the records whose facts or rules have changed.
func (a *App) derive(ctx context.Context, e *entity, progress Progress) (err error) {
	done := 0
	ctx, span := trace.Start(ctx, "derive", trace.Text("touchstone.entity", e.name))
	defer func() { span.EndOf(done, err) }()
	for {
		backlog, err := a.Store.BacklogDerive(ctx, e.name, deriveBatch)
		if err != nil || len(backlog) == 0 {
			return err
		}
		recs := make([]int64, len(backlog))
		for i, t := range backlog {
			recs[i] = t.Rec
		}
		if err := a.Store.Rederive(ctx, recs, e.deriveAny(a)); err != nil {
			return fmt.Errorf("derive again: %w", err)
		}
		done += len(recs)
		progress("derive", e.name, done)
	}
}

// deriveAny derives with the rules of the record's own source. The records of
// a source that is no longer configured keep nothing in force.
func (e *entity) deriveAny(a *App) store.Derive {
	return func(h store.History) (store.Derived, error) {
		d := e.derivers[h.Ref.Source]
		if d == nil {
			return store.Derived{}, nil
		}
		return d.Derive(h)
	}
}

func (a *App) deliver(ctx context.Context, t *target) (outbox.Report, error) {
	for _, entity := range append([]string{t.config.Entity}, t.plan.Refers()...) {
		ready, err := a.firstPassDone(ctx, entity)
		if err != nil || !ready {
			return outbox.Report{}, err
		}
		// Half weighed by one model and half by another is no picture to push. A
		// switch that begins while rows are sent is seen by Claim.
		if switching, err := a.Store.Activating(ctx, entity); err != nil || switching {
			return outbox.Report{}, err
		}
	}
	t.system.busy.Lock()
	defer t.system.busy.Unlock()
	return t.deliverer.Run(ctx)
}

// firstPassDone says whether every source of an entity type has been pulled to
// its end once. Before that nothing is pushed: half a picture makes wrong
// golden records.
func (a *App) firstPassDone(ctx context.Context, entity string) (bool, error) {
	for _, s := range a.order {
		for _, in := range s.intakes {
			if in.Deriver.Entity != entity {
				continue
			}
			done, err := a.Store.PassDone(ctx, s.uid, entity)
			if err != nil || !done {
				return false, err
			}
		}
	}
	return true, nil
}

// fill adds what stands now.
func (a *App) fill(ctx context.Context, sum *Summary, since string) error {
	n, err := a.Store.Numbers(ctx)
	if err != nil {
		return err
	}
	sum.Problems = append(sum.Problems, a.unmapped.take()...)
	if err := a.fillEvents(ctx, sum); err != nil {
		return err
	}
	for _, t := range a.targets {
		out, err := a.Store.LeftOut(ctx, t.config.Name)
		if err != nil {
			return err
		}
		sum.LeftOut += out
	}
	held, err := a.deleteProblems(ctx)
	if err != nil {
		return err
	}
	sum.Problems = append(sum.Problems, held...)
	if sum.Missing, err = a.Store.MissingCount(ctx); err != nil {
		return err
	}
	if sum.Unmapped, sum.UnmappedValues, err = a.unmappedValues(ctx); err != nil {
		return err
	}
	for _, t := range n.ByTarget {
		sum.Waiting += t.States[store.Pending] + t.States[store.Inflight] + t.States[store.Unknown]
		sum.Failed += t.States[store.Rejected] + t.States[store.Conflicted] + t.States[store.Dead]
	}
	sum.Golden, sum.Merged, sum.Review = n.Golden, n.Members-n.Golden, n.Review
	sum.Planned, sum.Pushed, sum.Verified, err = a.Store.OutboxCounts(ctx, since)
	return err
}

// PullAll pulls every source once and does nothing else.
func (a *App) PullAll(ctx context.Context) (err error) {
	for _, s := range a.order {
		_, e := a.pull(ctx, s, func(string, string, int) {})
		err = errors.Join(err, e)
	}
	return err
}
