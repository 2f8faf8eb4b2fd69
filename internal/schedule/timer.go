package schedule

import "time"

// Timer keeps one source's next run. It is not safe for concurrent use.
type Timer struct {
	plan Plan
	next time.Time
	seen time.Time // the latest time the clock has shown
}

// NewTimer goes on after a run that started at last; zero if there was none. Of
// the runs that were missed since then one is made up for, at once. A source
// that was never pulled is pulled at once by a fixed distance, and at its time
// by a cron line: whoever gives an hour means that hour.
func NewTimer(p Plan, last, now time.Time) *Timer {
	t := &Timer{plan: p, seen: now}
	switch {
	case last.IsZero() && p.cron != nil:
		t.next = p.Next(now)
	case last.IsZero():
		t.next = now
	case last.After(now): // the clock was set back while nothing ran
		t.next = p.Next(now)
	default:
		t.next = p.after(last, last)
	}
	return t
}

// after is the run that follows one that started and ended at the given times:
// what fell into the run itself is not made up for, and with a fixed distance
// at least half of it lies between two starts.
func (p Plan) after(started, ended time.Time) time.Time {
	if p.cron == nil {
		if half := started.Add(p.every / 2); half.After(ended) {
			return p.Next(half)
		}
	}
	return p.Next(ended)
}

// Wait is how long until the next run; 0 or less when it is due. A clock that
// was set back moves the run: it is never later than the plan, seen from now.
func (t *Timer) Wait(now time.Time) time.Duration {
	if now.Before(t.seen.Add(-time.Second)) || t.next.Sub(now) > t.plan.gap(now) {
		if due := t.plan.Next(now); due.Before(t.next) {
			t.next = due
		}
	}
	t.seen = now
	return t.next.Sub(now)
}

// Done says that a run has ended, and plans the next.
func (t *Timer) Done(started, ended time.Time) {
	t.seen = ended
	if started.After(ended) { // the clock was set back meanwhile
		started = ended
	}
	t.next = t.plan.after(started, ended)
}

// Next is when the next run is due.
func (t *Timer) Next() time.Time { return t.next }
