package pipeline

import (
	"runtime/debug"
	"sync"
	"testing"
)

// TestEaseIsTakenBack: whoever eases the collector at the same time, afterwards it
// is as it was; and what somebody has chosen stays.
func TestEaseIsTakenBack(t *testing.T) {
	const chosen = 150
	was := debug.SetGCPercent(usualGC)
	defer debug.SetGCPercent(was)
	percent := func(when string, want int) {
		t.Helper()
		if now := debug.SetGCPercent(want); now != want {
			t.Errorf("%s: %d percent of garbage may pile up, want %d", when, now, want)
		}
	}
	var g sync.WaitGroup
	for range 4 {
		g.Go(func() {
			for range 100000 {
				ease()()
			}
		})
	}
	g.Wait()
	percent("after four have eased it", usualGC)
	back := ease()
	percent("eased", easeMost)
	back()
	percent("taken back", usualGC)
	debug.SetGCPercent(chosen)
	ease()
	percent("somebody has chosen", chosen)
}
