package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"touchstone/internal/env"
)

// patientKey marks the context of work in the background.
type patientKey struct{}

// Patient marks work in the background: what people ask for goes before it where
// they wait for the same writer.
func Patient(ctx context.Context) context.Context {
	return context.WithValue(ctx, patientKey{}, true)
}

func isPatient(ctx context.Context) bool { return ctx.Value(patientKey{}) != nil }

const (
	// ahead is how many go before background work in a row before it has its turn.
	ahead = 64
	// hurriedAfter is from which wait on background work makes shorter transactions,
	// and hurriedFor how long after the last such wait.
	hurriedAfter = 20 * time.Millisecond
	hurriedFor   = 5 * time.Second
)

// turns lets one transaction after the other use SQLite's writer: those of people
// first, and of either kind who came first. The pool of connections would let
// anybody in, and somebody might wait for a dozen of the resolver's.
type turns struct {
	mu       sync.Mutex
	busy     bool
	row      int // of people's, since background work had its turn
	people   []chan struct{}
	patient  []chan struct{}
	waits    atomic.Int64
	waited   atomic.Int64                         // nanoseconds
	hurried  atomic.Pointer[func() time.Duration] // how long ago somebody last waited long
	impeding atomic.Int64                         // people who wait now
}

// take waits for the turn, and gives the way to hand it on.
func (t *turns) take(ctx context.Context) (done func(), err error) {
	t.mu.Lock()
	if !t.busy {
		t.busy = true
		t.mu.Unlock()
		return t.pass, nil
	}
	mine, patient := make(chan struct{}), isPatient(ctx)
	if patient {
		t.patient = append(t.patient, mine)
	} else {
		t.people = append(t.people, mine)
		t.impeding.Add(1)
		defer t.impeding.Add(-1)
	}
	t.mu.Unlock()
	took := env.Stopwatch()
	defer func() {
		d := took()
		t.waits.Add(1)
		t.waited.Add(int64(d))
		if !patient && d > hurriedAfter {
			t.hurry()
		}
	}()
	select {
	case <-mine:
		return t.pass, nil
	case <-ctx.Done():
		t.leave(mine)
		return nil, ctx.Err()
	}
}

// leave takes one that waits no more out; its turn, if it came meanwhile, is the
// next one's.
func (t *turns) leave(mine chan struct{}) {
	t.mu.Lock()
	for _, list := range []*[]chan struct{}{&t.people, &t.patient} {
		for i, c := range *list {
			if c == mine {
				*list = append((*list)[:i:i], (*list)[i+1:]...)
				t.mu.Unlock()
				return
			}
		}
	}
	t.mu.Unlock()
	t.pass()
}

// pass hands the turn on.
func (t *turns) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	from := &t.people
	if len(t.people) == 0 || t.row >= ahead && len(t.patient) > 0 {
		from, t.row = &t.patient, 0
	} else {
		t.row++
	}
	if len(*from) == 0 {
		t.busy = false
		return
	}
	close((*from)[0])
	*from = (*from)[1:]
}

// heldUp takes the landing lock, for which one transaction waits for another on
// PostgreSQL, and notes when people wait for it.
func (tx *Tx) heldUp(ctx context.Context, take func() error) error {
	if tx.db.d.lock == "" || isPatient(ctx) {
		return take()
	}
	t := &tx.db.turns
	t.impeding.Add(1)
	defer t.impeding.Add(-1)
	took := env.Stopwatch()
	err := take()
	if took() > hurriedAfter {
		t.hurry()
	}
	return err
}

// hurry notes that somebody has waited long. The store's own clock is not asked: how
// long a wait was must not move what is written.
func (t *turns) hurry() {
	since := env.Stopwatch()
	t.hurried.Store(&since)
}

// Hurried says whether people wait for the writer, or have waited for it a moment
// ago: work in the background then makes shorter transactions.
func (db *DB) Hurried() bool {
	since := db.turns.hurried.Load()
	return db.turns.impeding.Load() > 0 || since != nil && (*since)() < hurriedFor
}
