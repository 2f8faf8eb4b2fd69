package pipeline

import (
	"runtime/debug"
	"runtime/metrics"
)

const (
	// easeFrom is how many records a batch has for which it pays to collect garbage
	// later than usual.
	easeFrom = 500
	// easeRoom is how much garbage may pile up then, in bytes, and easeMost the
	// percentage of what lives.
	easeRoom = 256 << 20
	easeMost = 400
	usualGC  = 100
)

// ease has the collector wait until there is some garbage, while batches are
// resolved: of each little is kept, and what lives beside it is small. Where that is
// large, or somebody has chosen another percentage, all stays as it is. Back ends it.
func ease() (back func()) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := easeMost
	if n := live[0].Value; n.Kind() == metrics.KindUint64 && n.Uint64() > 0 {
		percent = int(min(easeMost, 100*easeRoom/n.Uint64()))
	}
	if percent <= usualGC {
		return func() {}
	}
	was := debug.SetGCPercent(percent)
	if was != usualGC {
		debug.SetGCPercent(was)
		return func() {} // somebody chose it, or another resolver eases it and takes it back
	}
	return func() { debug.SetGCPercent(was) }
}
