package dedupe

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Options say how to find duplicates. The zero value is usable.
type Options struct {
	Entity    string            // company, person, other; "" or "auto" to find out
	Map       map[string]string // column → meaning
	ID        string            // the column that names a row; "" for the row number
	Link      bool              // every file is clean in itself
	Threshold float64           // least probability of a link; 0 for DefaultThreshold
	Workers   int               // 0 for one
	Memory    int64             // bytes that all of it may take; 0 for no bound
	Pairs     bool              // whether Result.Pairs is wanted
	Progress  Progress
	Labels    []Known         // what somebody knows of pairs of rows
	Ask       bool            // find the pairs that are worth a person's answer
	ctx       context.Context // of the one call that runs with these options
	disk      *disk           // of the table
}

// UsageError is a mistake in what was asked for: an option that does not fit the
// files.
type UsageError struct{ Err error }

func (e UsageError) Error() string { return e.Err.Error() }

func (e UsageError) Unwrap() error { return e.Err }

func usage(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// DefaultThreshold is the probability from which two rows are linked.
const DefaultThreshold = 0.95

// chunk is how many items a worker takes at a time.
const chunk = 256

// parallel calls do for every item with the number of the worker, and ends
// early, with the reason, when the context does. What do writes must be the
// item's own or the worker's own.
func (o *Options) parallel(n int, stage string, do func(worker, item int)) error {
	return o.parallelBy(min(chunk, max(n/(16*max(o.Workers, 1)), 1)), n, stage, do)
}

// parallelBy is parallel with so many items at a time.
func (o *Options) parallelBy(chunk, n int, stage string, do func(worker, item int)) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range max(o.Workers, 1) {
		wg.Go(func() {
			for {
				from := int(next.Add(int64(chunk))) - chunk
				if from >= n || o.ctx.Err() != nil {
					return
				}
				for i := from; i < min(from+chunk, n); i++ {
					do(w, i)
				}
				if w == 0 {
					o.Progress.at(stage, min(from+chunk, n), n)
				}
			}
		})
	}
	wg.Wait()
	return cmp.Or(o.ctx.Err(), o.disk.err())
}

// A stage of a large table leaves most of what it needed behind as garbage.
// Collected between two stages, it is room for the next one; what lives lies in
// a few large pieces without pointers, which the collector does not look into.
const collectFrom = 100_000

func (o *Options) collect(rows int) {
	if rows > collectFrom {
		runtime.GC()
	}
}
