package auth

import (
	"container/list"
	"sync"
	"time"
)

// Throttle lets a key try a few times, and then after pauses that double. It
// remembers so many keys and no more.
type Throttle struct {
	Free  int           // tries without a pause
	First time.Duration // the first pause
	Most  time.Duration // the longest pause
	Keys  int           // how many keys are remembered; the one unused for the longest time goes first
	// Forget is how long after its pause is over a key starts anew.
	Forget time.Duration

	mu   sync.Mutex
	keys map[string]*list.Element
	old  list.List // of *tries, the newest in front
}

type tries struct {
	key         string
	n           int
	last, until time.Time
}

// Take begins a try: it counts until Done says that it was a good one. While a
// key has to pause it gives how long, and counts nothing.
func (t *Throttle) Take(key string, now time.Time) (wait time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.keys[key]
	if e == nil {
		e = t.add(key)
	}
	t.old.MoveToFront(e)
	x := e.Value.(*tries)
	if now.Before(x.until) {
		return x.until.Sub(now), false
	}
	if now.Sub(x.last) > t.pause(x.n)+t.Forget {
		x.n = 0
	}
	x.n++
	x.last, x.until = now, now.Add(t.pause(x.n))
	return 0, true
}

// pause is how long to wait after n bad tries.
func (t *Throttle) pause(n int) time.Duration {
	if n < t.Free {
		return 0
	}
	d := t.First
	for range n - t.Free {
		if d >= t.Most {
			break
		}
		d *= 2
	}
	return min(d, t.Most)
}

// Done takes a good try back. With all, the key starts anew.
func (t *Throttle) Done(key string, all bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.keys[key]
	if e == nil {
		return
	}
	x := e.Value.(*tries)
	if x.n--; all || x.n <= 0 {
		t.old.Remove(e)
		delete(t.keys, key)
		return
	}
	x.until = x.last
}

// Known counts the keys that are remembered.
func (t *Throttle) Known() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.keys)
}

func (t *Throttle) add(key string) *list.Element {
	if t.keys == nil {
		t.keys = map[string]*list.Element{}
	}
	if len(t.keys) >= t.Keys {
		last := t.old.Back()
		delete(t.keys, last.Value.(*tries).key)
		t.old.Remove(last)
	}
	e := t.old.PushFront(&tries{key: key})
	t.keys[key] = e
	return e
}
