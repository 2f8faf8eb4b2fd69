// Package outbox writes planned changes to outside systems, effectively once:
// a row is inflight before the first byte leaves, an ambiguous answer is
// settled by what the target can promise, and a write counts only as what was
// read back.
package outbox

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"touchstone/connectors"
	"touchstone/internal/env"
	"touchstone/internal/record"
	"touchstone/internal/seal"
	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// Landing takes what was read back from a target in, as a pull would.
type Landing interface {
	LandRead(ctx context.Context, raws []record.Raw) error
	// Project gives the values of an object at target paths, as canonical JSON.
	Project(raw record.Raw, paths []string) (map[string]json.RawMessage, error)
	// Identify gives the record's id at the source.
	Identify(raw record.Raw) (string, error)
}

// Deliverer writes one target's rows.
type Deliverer struct {
	Store   *store.DB
	Env     env.Env
	Vault   *seal.Vault
	Log     *slog.Logger
	Target  string
	System  string // uid
	Entity  string
	Stream  string   // the entity's name in the connector
	Refers  []string // entity types whose objects its writes name
	Rules   string   // hash of what decides the writes
	Auto    bool     // a first plan needs no person
	Brake   float64
	Pusher  connectors.Pusher
	Landing Landing
	// Stopping says, before each batch, that the run is to end here; nil for never.
	Stopping func() bool
}

// Report counts what one delivery run did.
type Report struct {
	Sent, Delivered, Verified, Rejected, Unknown, Retried, Replanned int
	Held                                                             string // why rows wait for a person; "" when none do
}

// Add sums reports.
func (r Report) Add(o Report) Report {
	r.Sent, r.Delivered, r.Verified = r.Sent+o.Sent, r.Delivered+o.Delivered, r.Verified+o.Verified
	r.Rejected, r.Unknown, r.Retried, r.Replanned = r.Rejected+o.Rejected, r.Unknown+o.Unknown, r.Retried+o.Retried, r.Replanned+o.Replanned
	if o.Held != "" {
		r.Held = o.Held
	}
	return r
}

const (
	batchSize   = 50
	maxAttempts = 12
	maxRenewals = 5                  // of credentials in one run; a system that takes none of them would never end it
	maxAge      = 7 * 24 * time.Hour // a row is given up after both
	minBackoff  = 2 * time.Second
	maxBackoff  = 15 * time.Minute
)

// Start settles what a stopped process left behind. Called before the first
// pull, it saves taking what a target made of our values for somebody's own.
func (d *Deliverer) Start(ctx context.Context) error {
	if err := d.interrupted(ctx); err != nil {
		return fmt.Errorf("target %s: %w", d.Target, err)
	}
	if _, err := d.settleUnknown(ctx); err != nil {
		d.Log.WarnContext(ctx, "writes of an earlier process could not be settled yet", "target", d.Target, "err", err)
	}
	return nil
}

// interrupted finds the rows that a stopped process, or a Run that ended with
// an error, left on their way: their end is unknown. One deliverer works on a
// target at a time.
func (d *Deliverer) interrupted(ctx context.Context) error {
	n, err := d.Store.Interrupted(ctx, d.Target)
	if n > 0 {
		d.Log.WarnContext(ctx, "writes were interrupted and are being settled", "target", d.Target, "rows", n)
	}
	return err
}

// Run settles what is unknown and sends what may be sent now. A row that
// cannot be settled holds up nothing but its own object.
func (d *Deliverer) Run(ctx context.Context) (Report, error) {
	if err := d.interrupted(ctx); err != nil {
		return Report{}, fmt.Errorf("target %s: %w", d.Target, err)
	}
	settling, span := trace.Start(ctx, "settle")
	total, unsettled := d.settleUnknown(settling)
	span.EndOf(total.Delivered+total.Unknown+total.Replanned, unsettled)
	if ctx.Err() != nil || errors.Is(unsettled, connectors.ErrAuth) {
		return total, fmt.Errorf("target %s: %w", d.Target, unsettled)
	}
	if err := d.approveFirst(ctx); err != nil {
		return total, fmt.Errorf("target %s: %w", d.Target, err)
	}
	r, err := d.sendAll(ctx)
	if err = errors.Join(unsettled, err); err != nil {
		err = fmt.Errorf("target %s: %w", d.Target, err)
	}
	return total.Add(r), err
}

func (d *Deliverer) sendAll(ctx context.Context) (total Report, err error) {
	for renewed := 0; ; {
		if d.Stopping != nil && d.Stopping() {
			return total, nil
		}
		held, err := d.Held(ctx)
		if err != nil || held != "" {
			total.Held = held
			return total, err
		}
		rows, err := d.Store.Claim(ctx, d.Target, batchSize, d.Refers...)
		if err != nil || len(rows) == 0 {
			return total, err
		}
		r, stop, err := d.send(ctx, rows)
		total = total.Add(r)
		if errors.Is(err, connectors.ErrRenewed) && renewed < maxRenewals {
			renewed++ // a token's end is nothing that went wrong
			continue
		}
		if err != nil || stop {
			return total, err
		}
	}
}

// Held says why the target's rows have to wait for a person: its first plan,
// a plan that touches too much of the system, or that a person stopped it. ""
// when nothing is held.
func (d *Deliverer) Held(ctx context.Context) (string, error) {
	if p, paused, err := d.Store.Paused(ctx, d.Target); err != nil || paused {
		return fmt.Sprintf("stopped by %s since %s (touchstone plan resume %s)", p.Who, p.At, d.Target), err
	}
	a, err := d.Store.Approval(ctx, d.Target, d.Rules)
	if err != nil {
		return "", err
	}
	load, err := d.Store.Load(ctx, d.Target, d.System, d.Entity, a.Upto)
	if err != nil || load.Waiting == 0 {
		return "", err
	}
	switch {
	case !a.Approved && d.Auto:
		return "", nil
	case !a.Approved:
		return fmt.Sprintf("%d writes wait: the first plan of this target has to be approved (touchstone plan approve %s)", load.Waiting, d.Target), nil
	case d.Braked(load):
		return fmt.Sprintf("%d writes wait: they touch more than %g%% of the system's %d records (touchstone plan approve %s)", load.Behind, d.Brake*100, load.Objects, d.Target), nil
	}
	return "", nil
}

// leastObjects is how large a system counts at least for the brake.
const leastObjects = 20

// Braked says whether the writes behind the last approval touch more of the
// system than the brake lets pass without a person.
func (d *Deliverer) Braked(l store.Load) bool {
	return float64(l.Behind) > d.Brake*float64(max(l.Objects, leastObjects))
}

// approveFirst records the approval that the configuration gives by itself,
// once there is a plan to approve.
func (d *Deliverer) approveFirst(ctx context.Context) error {
	a, err := d.Store.Approval(ctx, d.Target, d.Rules)
	if err != nil || a.Approved || !d.Auto {
		return err
	}
	load, err := d.Store.Load(ctx, d.Target, d.System, d.Entity, 0)
	if err != nil || load.Waiting == 0 {
		return err
	}
	return d.Store.Approve(ctx, d.Target, d.Rules, "configuration", "approve: auto")
}

// send pushes claimed rows and settles each. Stop says that the system takes
// nothing now, so that asking for more is of no use.
func (d *Deliverer) send(ctx context.Context, rows []store.Row) (report Report, stop bool, err error) {
	ctx, span := trace.Detail(ctx, "send")
	defer func() { span.EndOf(len(rows), err) }()
	ready, moved, err := d.precheck(ctx, rows)
	report.Replanned += moved
	if err != nil || len(ready) == 0 {
		return report, false, err
	}
	changes := make([]record.Change, len(ready))
	for i, r := range ready {
		changes[i] = d.change(r)
	}
	report.Sent = len(ready)
	results, err := d.Pusher.Push(ctx, changes)
	byRow := map[string]connectors.Result{}
	for _, r := range results {
		byRow[r.Row] = r
	}
	var failed, why error
	for _, r := range ready {
		res, ok := byRow[r.ID]
		if !ok {
			res = connectors.Result{Row: r.ID, Outcome: connectors.Unknown, Err: err}
		}
		one, err := d.handled(context.WithoutCancel(ctx), r, res)
		report = report.Add(one)
		failed = errors.Join(failed, err)
		if res.Outcome == connectors.Retry && notItsFault(res.Err) {
			stop = true
			if why == nil && !limited(res.Err) {
				why = res.Err // the first says it for all
			}
			if errors.Is(res.Err, connectors.ErrNotSent) {
				report.Sent--
			}
		}
	}
	return report, stop, errors.Join(failed, why, authError(err))
}

// authError passes on what stops the whole target.
func authError(err error) error {
	if errors.Is(err, connectors.ErrAuth) {
		return err
	}
	return nil
}

// notItsFault says that the whole system takes nothing now: no row loses one
// of its attempts by that.
func notItsFault(err error) bool {
	return errors.Is(err, connectors.ErrAuth) || errors.Is(err, connectors.ErrNotSent) || limited(err)
}

func limited(err error) bool {
	var l *connectors.RateLimited
	return errors.As(err, &l)
}

// conditional says whether this row's write goes under a precondition: the
// system honours them, and has given us an etag.
func (d *Deliverer) conditional(r store.Row) bool {
	return d.class().Conditional && r.Precondition != "" && record.Op(r.Op) == record.Update
}

// giveUp says that a row has been tried long and often enough.
func (d *Deliverer) giveUp(r store.Row) bool {
	at, err := record.ParseTime(r.At)
	return r.Attempt >= maxAttempts && err == nil && d.Env.Clock.Now().Sub(at) > maxAge
}

func (d *Deliverer) class() connectors.Class {
	if c, ok := d.Pusher.(connectors.Classed); ok {
		return c.Class(d.Stream)
	}
	return connectors.Class{MaxRequestLife: time.Minute}
}

func (d *Deliverer) change(r store.Row) record.Change {
	c := record.Change{
		Row: r.ID, Entity: d.Stream, Op: record.Op(r.Op), ExternalID: r.ExternalID, Key: r.Key, Fields: decodeAll(r.Fields),
		Idempotency: hex.EncodeToString(d.Vault.MAC("idempotency", r.ID)[:16]),
	}
	if d.conditional(r) {
		c.Precondition = r.Precondition
	}
	if c.Op == record.Update {
		c.Base = decodeAll(r.Base)
	}
	return c
}

func decodeAll(raws map[string]json.RawMessage) map[string]any {
	values := make(map[string]any, len(raws))
	for path, raw := range raws {
		v, err := record.DecodeJSON(raw)
		if err != nil {
			continue // we wrote it ourselves; it decodes
		}
		values[path] = v
	}
	return values
}

// precheck reads the objects that are written without a precondition again,
// and takes out the rows whose fields are no longer what they were when the
// row was planned: what was read is landed, and the planner looks again. An
// object that cannot be read goes back alone.
func (d *Deliverer) precheck(ctx context.Context, rows []store.Row) (ready []store.Row, moved int, err error) {
	reader, ok := d.Pusher.(connectors.Reader)
	var failed error
	for _, r := range rows {
		if !ok || r.ExternalID == "" || d.conditional(r) {
			ready = append(ready, r)
			continue
		}
		raws, err := reader.Read(ctx, d.Stream, []string{r.ExternalID})
		if err != nil {
			failed = errors.Join(failed, d.putBack(ctx, r, err), authError(err))
			continue
		}
		if len(raws) > 0 && d.unmoved(raws[0], r) {
			ready = append(ready, r)
			continue
		}
		moved++
		failed = errors.Join(failed, d.moved(ctx, r, raws))
	}
	return ready, moved, failed
}

// putBack lets a row wait that was not sent, because its object could not be
// read first.
func (d *Deliverer) putBack(ctx context.Context, r store.Row, why error) error {
	s := store.Settlement{State: store.Pending, Outcome: string(connectors.Retry), Problem: problem(why), NotBefore: d.later(r.Attempt, 0)}
	switch {
	case notItsFault(why):
		r.Attempt--
	case d.giveUp(r):
		s.State = store.Dead
	}
	return d.settle(context.WithoutCancel(ctx), r, s)
}

// moved settles a row whose object is not what it was.
func (d *Deliverer) moved(ctx context.Context, r store.Row, raws []record.Raw) error {
	s := store.Settlement{State: store.Superseded, Outcome: string(connectors.Conflict), Problem: "changed there since it was planned; planned again", Replan: true, Unapplied: r.Attempt == 1}
	if len(raws) == 0 {
		s.State, s.Problem, s.Replan = store.Conflicted, "the object is not there any more", false
	} else if err := d.Landing.LandRead(ctx, raws[:1]); err != nil {
		return err
	}
	return d.settle(ctx, r, s)
}

func (d *Deliverer) unmoved(raw record.Raw, r store.Row) bool {
	now, err := d.Landing.Project(raw, paths(r))
	if err != nil {
		return false
	}
	for p, base := range r.Base {
		if !record.SameJSON(now[p], base) {
			return false
		}
	}
	return true
}

func paths(r store.Row) []string {
	list := make([]string, 0, len(r.Fields))
	for p := range r.Fields {
		list = append(list, p)
	}
	return list
}

func (d *Deliverer) settle(ctx context.Context, r store.Row, s store.Settlement) error {
	j, err := json.Marshal(r.Fields)
	if err != nil {
		return err
	}
	s.Request = d.Vault.MAC("request", r.Op, r.ExternalID, r.Key, string(j))[:16]
	return d.Store.Settle(ctx, r, s)
}

// later is when the next attempt may start: what the target asked for, else
// doubling from two seconds, at most a quarter of an hour, with jitter.
func (d *Deliverer) later(attempt int, asked time.Duration) time.Time {
	wait := asked
	if wait <= 0 {
		wait = min(minBackoff<<min(attempt, 10), maxBackoff)
		var b [1]byte
		d.Env.Rand(b[:])
		wait += wait * time.Duration(b[0]) / 1024 // up to a quarter more
	}
	return d.Env.Clock.Now().Add(min(wait, maxBackoff))
}

// problem is an error's text for the store: connectors keep customers' data
// and secrets out of it.
func problem(err error) string {
	if err == nil {
		return ""
	}
	s := err.Error()
	if len(s) > 300 {
		s = s[:300]
	}
	return s
}
