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
// large, or somebody has chosen another percentage, all stays as it is. Back ends it,
// also for whoever eases at the same time: nothing else is ever left behind.
func ease() (back func()) {
	now := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/gogc:percent"}}
	metrics.Read(now)
	percent := easeMost
	if live := now[0].Value; live.Kind() == metrics.KindUint64 && live.Uint64() > 0 {
		percent = int(min(easeMost, 100*easeRoom/live.Uint64()))
	}
	if is := now[1].Value; percent <= usualGC || is.Kind() != metrics.KindUint64 || is.Uint64() != usualGC {
		return func() {}
	}
	debug.SetGCPercent(percent)
	return func() { debug.SetGCPercent(usualGC) }
}
