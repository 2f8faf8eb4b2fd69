package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"touchstone/connectors"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// handled is handle as a step of its trace.
func (d *Deliverer) handled(ctx context.Context, r store.Row, res connectors.Result) (Report, error) {
	ctx, span := trace.Detail(ctx, "write", trace.Text("touchstone.op", r.Op), trace.Text("touchstone.outcome", string(res.Outcome)), trace.Int("touchstone.fields", len(r.Fields)), trace.Int("touchstone.attempt", r.Attempt))
	report, err := d.handle(ctx, r, res)
	span.Set(trace.Bool("touchstone.verified", report.Verified > 0))
	span.End(err)
	return report, err
}

// handle settles one row by the target's answer.
func (d *Deliverer) handle(ctx context.Context, r store.Row, res connectors.Result) (Report, error) {
	s := store.Settlement{Outcome: string(res.Outcome), Problem: problem(res.Err), ExternalID: res.ExternalID}
	switch res.Outcome {
	case connectors.Applied:
		return d.applied(ctx, r, res, false)
	case connectors.Rejected:
		s.State, s.Refused = store.Rejected, true
		d.Log.WarnContext(ctx, "the target refused a change", "target", d.Target, "row", r.ID)
		return Report{Rejected: 1}, d.settle(ctx, r, s)
	case connectors.Retry:
		if notItsFault(res.Err) {
			r.Attempt--
		}
		if d.giveUp(r) {
			s.State = store.Dead
			d.Log.ErrorContext(ctx, "given up", "target", d.Target, "row", r.ID, "attempts", r.Attempt)
			return Report{}, d.settle(ctx, r, s)
		}
		s.State = store.Pending
		if !errors.Is(res.Err, connectors.ErrRenewed) {
			s.NotBefore = d.later(r.Attempt, res.RetryAfter)
		}
		return Report{Retried: 1}, d.settle(ctx, r, s)
	case connectors.Conflict:
		return d.conflict(ctx, r, s)
	case connectors.Exists:
		return d.exists(ctx, r, s)
	default:
		return d.unknown(ctx, r, s, res.RetryAfter)
	}
}

// unknown leaves a row for settling: at once where a repetition is safe, past
// the zombie horizon where it is not; and never before the target said.
func (d *Deliverer) unknown(ctx context.Context, r store.Row, s store.Settlement, asked time.Duration) (Report, error) {
	c := d.class()
	s.State, s.NotBefore = store.Unknown, d.later(r.Attempt, asked)
	if !c.IdempotencyKey && !d.conditional(r) {
		s.ZombieUntil = d.horizon(r, c)
		if (!c.UniqueKey || record.Op(r.Op) == record.Update) && s.NotBefore.Before(s.ZombieUntil) {
			s.NotBefore = s.ZombieUntil
		}
	}
	d.Log.WarnContext(ctx, "the end of a write is unknown", "target", d.Target, "row", r.ID, "attempt", r.Attempt)
	return Report{Unknown: 1}, d.settle(ctx, r, s)
}

// horizon is when a request sent for the row can no longer land.
func (d *Deliverer) horizon(r store.Row, c connectors.Class) time.Time {
	sent, err := record.ParseTime(r.SentAt)
	if err != nil || sent.IsZero() {
		sent = d.Env.Clock.Now()
	}
	life := c.MaxRequestLife
	if life <= 0 {
		life = time.Minute
	}
	until := sent.Add(life + life/10)
	if resent, err := record.ParseTime(r.ZombieUntil); err == nil && resent.After(until) {
		return resent
	}
	return until
}

// applied reads back what the target made of the write, lands it, and only
// then says delivered; verified when it is what was sent. Late says that the
// write was found to have been applied some time after it was sent: what stands
// there and is not like what was sent may be somebody else's by then.
func (d *Deliverer) applied(ctx context.Context, r store.Row, res connectors.Result, late bool) (Report, error) {
	s := store.Settlement{State: store.Delivered, Outcome: string(connectors.Applied), ExternalID: res.ExternalID}
	id := res.ExternalID
	if id == "" {
		id = r.ExternalID
	}
	raw, found, err := d.readOne(ctx, id)
	if err != nil {
		d.Log.WarnContext(ctx, "a write could not be read back", "target", d.Target, "row", r.ID)
	}
	report := Report{Delivered: 1}
	if found {
		if s.Got, err = d.Landing.Project(raw, paths(r)); err != nil {
			return Report{}, fmt.Errorf("read back row %s: %w", r.ID, err)
		}
		s.Verified = sameValues(r.Fields, s.Got)
		if s.Verified {
			report.Verified = 1
		}
		if late {
			keepAlike(r, s.Got)
		}
	}
	if err := d.settle(ctx, r, s); err != nil {
		return Report{}, err
	}
	if !found {
		return report, nil
	}
	return report, d.Landing.LandRead(ctx, []record.Raw{raw})
}

// keepAlike drops what may be somebody else's by now. What is empty stays: some make
// that of a value they cannot read, and it wins nowhere.
func keepAlike(r store.Row, got map[string]json.RawMessage) {
	maps.DeleteFunc(got, func(path string, v json.RawMessage) bool { return !empty(v) && !record.Alike(r.Fields[path], v) })
}

func empty(v json.RawMessage) bool { return string(v) == `""` || string(v) == "null" }

// arrived says that an update is known to have been applied by a value of ours that
// was not there before, and that the target has made nothing of the others: a row is
// one request, which is applied whole. Any other value may be a person's.
func arrived(r store.Row, now map[string]json.RawMessage) bool {
	came := false
	for path, sent := range r.Fields {
		switch v := now[path]; {
		case record.Alike(sent, v):
			came = came || !empty(v) && !record.Alike(r.Base[path], v)
		case !empty(v):
			return false
		}
	}
	return came
}

func (d *Deliverer) readOne(ctx context.Context, id string) (record.Raw, bool, error) {
	reader, ok := d.Pusher.(connectors.Reader)
	if !ok || id == "" {
		return record.Raw{}, false, nil
	}
	raws, err := reader.Read(ctx, d.Stream, []string{id})
	if err != nil || len(raws) == 0 {
		return record.Raw{}, false, err
	}
	return raws[0], true, nil
}

func sameValues(sent, got map[string]json.RawMessage) bool {
	for p, v := range sent {
		if !record.SameJSON(v, got[p]) {
			return false
		}
	}
	return true
}

func allAlike(sent, got map[string]json.RawMessage) bool {
	for p, v := range sent {
		if !record.Alike(v, got[p]) {
			return false
		}
	}
	return true
}

// conflict reads the object anew, lands it, and lets the planner decide on
// what stands there now.
func (d *Deliverer) conflict(ctx context.Context, r store.Row, s store.Settlement) (Report, error) {
	raw, found, err := d.readOne(ctx, r.ExternalID)
	switch {
	case err != nil:
		s.State, s.NotBefore = store.Pending, d.later(r.Attempt, 0)
		return Report{Retried: 1}, d.settle(ctx, r, s)
	case !found:
		s.State = store.Conflicted
		return Report{}, d.settle(ctx, r, s)
	}
	now, err := d.Landing.Project(raw, paths(r))
	if err != nil {
		return Report{}, err
	}
	if sameValues(r.Base, now) && (r.Precondition == "" || raw.Version == r.Precondition) {
		// Nothing has changed there: the target has another ground to refuse.
		s.State, s.Refused = store.Conflicted, true
		return Report{Rejected: 1}, d.settle(ctx, r, s)
	}
	if err := d.Landing.LandRead(ctx, []record.Raw{raw}); err != nil {
		return Report{}, err
	}
	s.State, s.Replan = store.Superseded, true
	s.Unapplied = r.Attempt == 1 // an earlier attempt may have landed
	s.Problem = "changed there since it was planned; planned again"
	return Report{Replanned: 1}, d.settle(ctx, r, s)
}

// exists links the object that the target named instead of creating another.
func (d *Deliverer) exists(ctx context.Context, r store.Row, s store.Settlement) (Report, error) {
	raw, found, err := d.readOne(ctx, s.ExternalID)
	switch {
	case err != nil:
		s.State, s.ExternalID, s.NotBefore = store.Pending, "", d.later(r.Attempt, 0)
		return Report{Retried: 1}, d.settle(ctx, r, s)
	case !found:
		s.State, s.Problem = store.Conflicted, "the target says the object exists, and does not show it"
		return Report{}, d.settle(ctx, r, s)
	}
	if err := d.Landing.LandRead(ctx, []record.Raw{raw}); err != nil {
		return Report{}, err
	}
	rec, err := d.Store.Rec(ctx, record.Ref{Source: d.System, Entity: d.Entity, ID: s.ExternalID})
	if err != nil {
		return Report{}, err
	}
	if err := d.Store.LinkExisting(ctx, r, rec); err != nil {
		return Report{}, err
	}
	s.Unapplied = r.Attempt == 1
	s.State, s.Problem = store.Superseded, "the object exists already; linked to it"
	return Report{Replanned: 1}, d.settle(ctx, r, s)
}

// settleUnknown settles rows whose end is unknown, by what the target's class
// promises about repetition (reliability protocol, section 4.1).
func (d *Deliverer) settleUnknown(ctx context.Context) (Report, error) {
	var total Report
	rows, err := d.Store.Unsettled(ctx, d.Target, 1000)
	if err != nil {
		return total, err
	}
	var failed error
	for _, r := range rows {
		one, err := d.settleOne(ctx, r)
		total = total.Add(one)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("settle row %s: %w", r.ID, err))
		}
		if ctx.Err() != nil || errors.Is(err, connectors.ErrAuth) || errors.Is(err, connectors.ErrNotSent) {
			break
		}
	}
	return total, failed
}

func (d *Deliverer) settleOne(ctx context.Context, r store.Row) (Report, error) {
	c := d.class()
	r.Attempt++
	if d.giveUp(r) {
		return Report{}, d.settle(ctx, r, store.Settlement{State: store.Dead, Outcome: string(connectors.Unknown), Problem: "given up: the end of the write stayed unknown"})
	}
	create := record.Op(r.Op) != record.Update
	if create && r.Rec != 0 { // a pull has brought the object meanwhile
		return d.applied(ctx, r, connectors.Result{Row: r.ID, Outcome: connectors.Applied, ExternalID: r.ExternalID}, true)
	}
	keyed := c.IdempotencyKey && d.keyLives(r, c)
	switch {
	case create && keyed:
		return d.resend(ctx, r) // same key, same bytes
	case create && c.UniqueKey && !c.Searchable:
		return d.resend(ctx, r) // a second one is refused, or an upsert of the same values
	case create && c.UniqueKey:
		return d.settleCreate(ctx, r)
	case create && c.Searchable && d.pastHorizon(r, c):
		return d.settleCreate(ctx, r)
	case create:
		return d.wait(ctx, r, c)
	case keyed || d.conditional(r) || d.pastHorizon(r, c):
		return d.settleUpdate(ctx, r)
	default:
		return d.wait(ctx, r, c)
	}
}

func (d *Deliverer) keyLives(r store.Row, c connectors.Class) bool {
	sent, err := record.ParseTime(r.SentAt)
	return err == nil && c.KeyLife > 0 && d.Env.Clock.Now().Before(sent.Add(c.KeyLife))
}

func (d *Deliverer) pastHorizon(r store.Row, c connectors.Class) bool {
	return !d.Env.Clock.Now().Before(d.horizon(r, c))
}

// wait keeps the row unknown until its request can no longer land. A create
// that can be neither repeated nor found stays unknown, for a person to see.
func (d *Deliverer) wait(ctx context.Context, r store.Row, c connectors.Class) (Report, error) {
	until := d.horizon(r, c)
	if d.pastHorizon(r, c) {
		return Report{Unknown: 1}, d.settle(ctx, r, store.Settlement{
			State: store.Conflicted, Outcome: string(connectors.Unknown),
			Problem: "the target can be asked neither to repeat this create nor whether it happened: look there, then link or create by hand",
		})
	}
	return Report{Unknown: 1}, d.settle(ctx, r, store.Settlement{State: store.Unknown, Outcome: string(connectors.Unknown), NotBefore: until, ZombieUntil: until, Problem: r.Error})
}

// resend sends the row again, byte for byte, and settles it by the answer.
func (d *Deliverer) resend(ctx context.Context, r store.Row) (Report, error) {
	c := d.class()
	if keyed := c.IdempotencyKey && d.keyLives(r, c); !keyed && !d.conditional(r) {
		again := r
		again.SentAt, again.ZombieUntil = "", "" // counted from now
		until := d.horizon(again, c)
		if err := d.Store.Resending(ctx, r, until); err != nil {
			return Report{}, err
		}
		r.ZombieUntil = record.FormatTime(until)
	}
	res, err := d.pushOne(ctx, r)
	if errors.Is(res.Err, connectors.ErrRenewed) {
		res, err = d.pushOne(ctx, r)
	}
	if errors.Is(err, connectors.ErrAuth) {
		return Report{}, err
	}
	if res.Outcome == connectors.Retry {
		// This one surely did not land; the one before may have.
		if notItsFault(res.Err) {
			r.Attempt--
		}
		s := store.Settlement{State: store.Unknown, Outcome: string(connectors.Retry), Problem: problem(res.Err), NotBefore: d.later(r.Attempt, res.RetryAfter)}
		err := d.settle(context.WithoutCancel(ctx), r, s)
		if errors.Is(res.Err, connectors.ErrAuth) || errors.Is(res.Err, connectors.ErrNotSent) {
			err = errors.Join(err, res.Err)
		}
		return Report{Unknown: 1}, err
	}
	one, err := d.handle(ctx, r, res)
	one.Sent++
	return one, err
}

func (d *Deliverer) pushOne(ctx context.Context, r store.Row) (connectors.Result, error) {
	results, err := d.Pusher.Push(ctx, []record.Change{d.change(r)})
	if err != nil || len(results) != 1 {
		return connectors.Result{Row: r.ID, Outcome: connectors.Unknown, Err: err}, err
	}
	return results[0], nil
}

// settleCreate looks for the object by our key: found once, it is ours; not
// found, the create is sent again; found twice, a person must look.
func (d *Deliverer) settleCreate(ctx context.Context, r store.Row) (Report, error) {
	finder, ok := d.Pusher.(connectors.KeyFinder)
	if !ok {
		return d.resend(ctx, r) // the key is unique there: a second create is refused
	}
	found, err := finder.FindByKey(ctx, d.Stream, r.Key)
	if err != nil {
		return Report{Unknown: 1}, d.settle(ctx, r, store.Settlement{State: store.Unknown, Outcome: string(connectors.Unknown), Problem: problem(err), NotBefore: d.later(r.Attempt, 0)})
	}
	switch len(found) {
	case 0:
		if c := d.class(); c.Queued && !d.pastHorizon(r, c) {
			return d.wait(ctx, r, c) // a job may still make it
		}
		return d.resend(ctx, r)
	case 1:
		id, err := d.Landing.Identify(found[0])
		if err != nil {
			return Report{}, err
		}
		return d.applied(ctx, r, connectors.Result{Row: r.ID, Outcome: connectors.Applied, ExternalID: id}, true)
	default:
		return Report{}, d.settle(ctx, r, store.Settlement{State: store.Conflicted, Outcome: string(connectors.Unknown), Problem: fmt.Sprintf("the target holds %d objects with our key: merge them there", len(found))})
	}
}

// settleUpdate reads the object: ours is there, it was applied; the old values
// are there, it goes back to be sent; some of ours is there and nothing else, it was
// applied too; anything else is planned again.
func (d *Deliverer) settleUpdate(ctx context.Context, r store.Row) (Report, error) {
	raw, found, err := d.readOne(ctx, r.ExternalID)
	if err != nil || !found {
		return Report{Unknown: 1}, d.settle(ctx, r, store.Settlement{State: store.Unknown, Outcome: string(connectors.Unknown), Problem: problem(err), NotBefore: d.later(r.Attempt, 0)})
	}
	now, err := d.Landing.Project(raw, paths(r))
	if err != nil {
		return Report{}, err
	}
	if sameValues(r.Fields, now) {
		return d.applied(ctx, r, connectors.Result{Row: r.ID, Outcome: connectors.Applied, ExternalID: r.ExternalID}, true)
	}
	if sameValues(r.Base, now) {
		return d.resend(ctx, r) // under the same precondition, where there is one
	}
	if allAlike(r.Fields, now) || arrived(r, now) { // what the target makes of our values
		return d.applied(ctx, r, connectors.Result{Row: r.ID, Outcome: connectors.Applied, ExternalID: r.ExternalID}, true)
	}
	if err := d.Landing.LandRead(ctx, []record.Raw{raw}); err != nil {
		return Report{}, err
	}
	s := store.Settlement{State: store.Superseded, Outcome: string(connectors.Conflict), Problem: "changed there since it was planned; planned again", Replan: true}
	if c := d.class(); !c.Conditional && !d.pastHorizon(r, c) {
		s.ZombieUntil = d.horizon(r, c) // it may still land: nothing else is sent there before
	}
	return Report{Replanned: 1}, d.settle(ctx, r, s)
}
