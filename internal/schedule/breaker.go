package schedule

import (
	"hash/fnv"
	"time"
)

// Bounds of the wait after failures in a row.
const (
	awayPause  = 2 * time.Second
	firstPause = 30 * time.Second
	MaxPause   = 15 * time.Minute // no system is left alone for longer
)

// States of a breaker.
const (
	Closed   = "closed"    // it works
	Open     = "open"      // it failed, and is left alone for a while
	HalfOpen = "half_open" // the while is over: one cheap question goes first
)

// Breaker keeps a failing system from being asked again and again. It is not
// safe for concurrent use.
type Breaker struct {
	name     string
	failures int // of the system itself
	away     int // of our store
	until    time.Time
	failed   time.Time // the last time it did
}

// NewBreaker is closed. The name spreads the waits of several systems that fail
// in one moment.
func NewBreaker(name string) *Breaker { return &Breaker{name: name} }

// Failed counts a failure and opens. The wait doubles from 30 seconds (or every,
// when that is shorter) up to MaxPause, plus up to a tenth by the name; it is at
// least what the system asked for, and never above MaxPause. First says that it is
// the first of the system's own in a row.
func (b *Breaker) Failed(now time.Time, every, asked time.Duration) (first bool) {
	b.failures++
	pause := firstPause
	if every > 0 {
		pause = min(pause, max(every, time.Second))
	}
	pause = min(pause<<min(b.failures-1, 12), MaxPause)
	h := fnv.New32a()
	_, _ = h.Write([]byte(b.name))
	pause += pause * time.Duration(h.Sum32()%100) / 1000
	b.failed, b.until = now, now.Add(min(max(pause, asked), MaxPause))
	return b.failures == 1
}

// Away counts a failure that is not the system's own: our store was away. The wait
// does not grow, nor does that of the system's next failure; it is at least what the
// system asked for. First says that it is the first of this kind in a row.
func (b *Breaker) Away(now time.Time, asked time.Duration) (first bool) {
	b.away++
	b.failed, b.until = now, now.Add(min(max(awayPause, asked), MaxPause))
	return b.away == 1
}

// Worked closes and says after how many failures.
func (b *Breaker) Worked() (after int) {
	after = b.Failures()
	b.failures, b.away, b.until = 0, 0, time.Time{}
	return after
}

// Wait is how long to leave the system alone; 0 when it may be asked. A clock
// that was set back ends the wait: it is never longer than it was meant.
func (b *Breaker) Wait(now time.Time) time.Duration {
	if b.Failures() == 0 || now.Before(b.failed.Add(-time.Second)) {
		return 0
	}
	return max(b.until.Sub(now), 0)
}

// Failures is how many came in a row.
func (b *Breaker) Failures() int { return b.failures + b.away }

// Until is when the system is asked again; zero when it is not left alone.
func (b *Breaker) Until() time.Time { return b.until }

// State is Closed, Open or HalfOpen.
func (b *Breaker) State(now time.Time) string {
	switch {
	case b.Failures() == 0:
		return Closed
	case b.Wait(now) > 0:
		return Open
	}
	return HalfOpen
}
