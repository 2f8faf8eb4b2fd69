package auth

import (
	"fmt"
	"testing"
	"time"
)

func TestPausesDouble(t *testing.T) {
	th := &Throttle{Free: 3, First: 10 * time.Second, Most: time.Minute, Keys: 10, Forget: time.Hour}
	now := time.Unix(0, 0)
	for i, want := range []time.Duration{0, 0, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute} {
		if wait, ok := th.Take("a", now); !ok {
			t.Fatalf("try %d is refused for %s", i+1, wait)
		}
		wait, ok := time.Duration(0), true
		if want > 0 {
			wait, ok = th.Take("a", now)
		}
		if wait != want || ok != (want == 0) {
			t.Errorf("after try %d the pause is %s, want %s", i+1, wait, want)
		}
		if wait, ok := th.Take("b", now); i == 0 && (!ok || wait != 0) {
			t.Error("another key waits too")
		}
		now = now.Add(want)
	}
	th.Done("a", true)
	if wait, ok := th.Take("a", now); !ok {
		t.Errorf("after a good try the key waits %s, want a new start", wait)
	}
}

func TestAGoodTryTakesBackOnlyItself(t *testing.T) {
	th := &Throttle{Free: 3, First: 10 * time.Second, Most: time.Minute, Keys: 10, Forget: time.Hour}
	now := time.Unix(0, 0)
	for i := range 20 { // wrong, right, wrong, right …
		if i%2 == 1 {
			now = now.Add(time.Hour)
		}
		if _, ok := th.Take("a", now); !ok {
			t.Fatalf("try %d is refused", i)
		}
		if i%2 == 1 {
			th.Done("a", false)
		}
		if i == 5 {
			break
		}
	}
	if _, ok := th.Take("a", now); !ok {
		t.Error("three wrong tries between right ones, an hour apart, are forgiven")
	}
	if wait, ok := th.Take("a", now); ok || wait == 0 {
		t.Error("one's own good tries wash the bad ones off")
	}
	if _, ok := th.Take("a", now.Add(3*time.Hour)); !ok {
		t.Error("a key is not forgotten after its time")
	}
}

func TestSoManyKeysAreRememberedAndNoMore(t *testing.T) {
	th := &Throttle{Free: 1, First: time.Minute, Most: time.Hour, Keys: 100, Forget: time.Hour}
	now := time.Unix(0, 0)
	th.Take("victim", now)
	for i := range 10_000 {
		th.Take(fmt.Sprint("flood ", i), now)
		if i%50 == 0 {
			th.Take("victim", now) // used, so it stays
		}
	}
	if n := th.Known(); n != 100 {
		t.Errorf("%d keys are remembered, want 100", n)
	}
	if _, ok := th.Take("victim", now); ok {
		t.Error("a flood of others made a key forgotten that was in use")
	}
}
