package pipeline

import (
	"context"

	"golang.org/x/sync/errgroup"

	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// published is what one transaction has published, to be linked in parts.
type published struct {
	store.Published
	last   int64 // of those that waited, by landing number
	full   bool  // as many waited as are published at once
	shared *store.Shared
	taken  int // of Recs
}

// round is one batch on its way: published, scanned, and then linked.
type round struct {
	of       *published
	recs     []int64 // of those published, sorted
	spilled  int
	scan     *scanned
	scanning errgroup.Group
}

// rounds takes batch after batch until nothing waits or the turn is over. While
// one batch is linked, which is one transaction, or more is published, the next is
// scanned, which only reads keys and features: what a scan must see, it sees since
// its publishing, and what it finds is linked in the order of publishing. A record
// that comes to wait again behind its back is scanned again in a later round.
func (r *Resolver) rounds(ctx context.Context, progress func(Stats)) (total Stats, err error) {
	var ahead, next *round // ahead is being scanned, not linked
	back := func() {}
	defer func() {
		for _, x := range []*round{ahead, next} {
			if x != nil {
				_ = x.scanning.Wait() // nobody asks for it any more
			}
		}
		back()
	}()
	var group *published
	after, more := int64(0), true
	for n := 0; ; n++ {
		if group == nil && more && n < maxRounds {
			if group, err = r.publish(ctx, after); err != nil {
				return total, err
			}
			if more = group != nil && group.full; group != nil {
				if after = group.last; len(group.Recs) >= easeFrom {
					back()
					back = ease()
				}
			}
		}
		if next = r.part(group, ahead); next != nil {
			next.scanning.Go(r.scanOf(ctx, next))
			if group.taken == len(group.Recs) {
				group = nil
			}
		}
		if next == nil && ahead == nil {
			if after == 0 || n >= maxRounds {
				return total, nil
			}
			after, more = 0, true // what came to wait meanwhile
			if err := r.aheadOfEnd(ctx); err != nil {
				return total, err
			}
			continue
		}
		if ahead != nil {
			stats, err := r.linkRound(ctx, ahead)
			if total = total.add(stats); err != nil {
				return total, err
			}
			progress(total)
		}
		ahead, next = next, nil
	}
}

const (
	// briefBatch is how many records are linked in one transaction while people wait
	// for the writer.
	briefBatch = 200
	// publishedAhead is how many batches are published at once where so many wait:
	// posting lists lie anywhere, and each of their pages is then written once for
	// more records. It takes no longer than to link one batch.
	publishedAhead = 4
	// startFrom is how many records a batch has of which a quarter goes first where
	// nothing else is to be linked meanwhile.
	startFrom = 1000
	// scannedMore is how many halves of a batch are scanned while it is linked:
	// linking takes longer, and waits for nothing then.
	scannedMore = 3
)

// batchedFrom is how many records a transaction has that pays for being marked as
// one of many small statements.
const batchedFrom = 200

func batched(ctx context.Context, records int) context.Context {
	if records < batchedFrom {
		return ctx
	}
	return store.Batched(ctx)
}

// batch is how many records are linked in one transaction.
func (r *Resolver) batch() int {
	if r.hurried() {
		return briefBatch
	}
	return r.Batch
}

// hurried says whether transactions are to be short.
func (r *Resolver) hurried() bool { return r.Batch > briefBatch && r.Store.Hurried() }

// atOnce is how many records are published in one transaction.
func (r *Resolver) atOnce() int {
	if r.hurried() {
		return briefBatch
	}
	return publishedAhead * r.Batch
}

// publish makes the keys of the next records visible that wait behind a landing
// number; nil where there are none.
func (r *Resolver) publish(ctx context.Context, after int64) (*published, error) {
	most := r.atOnce()
	backlog, err := r.Store.BacklogResolve(ctx, r.Entity, after, most)
	if err != nil || len(backlog) == 0 {
		return nil, err
	}
	recs := make([]int64, len(backlog))
	for i, t := range backlog {
		recs[i] = t.Rec
	}
	ctx, span := trace.Detail(ctx, "publish")
	p, err := r.Store.Publish(batched(ctx, len(recs)), recs, r.keysOf, r.lists())
	span.EndOf(len(recs), err)
	if err != nil {
		return nil, err
	}
	r.Shared, err = r.Store.SharedBy(ctx, p, r.Entity, r.Shared)
	return &published{Published: p, last: recs[len(recs)-1], full: len(recs) == most, shared: r.Shared}, err
}

// part takes the next batch of what was published; nil where there is none. It is
// scanned while the one ahead is linked. The first of all is small, nothing is linked
// meanwhile, and those that follow it grow.
func (r *Resolver) part(p *published, ahead *round) *round {
	if p == nil {
		return nil
	}
	left := p.Recs[p.taken:]
	size := min(r.batch(), len(left))
	if size >= startFrom {
		start := size / 4
		if ahead != nil {
			start = max(start, scannedMore*len(ahead.recs)/2)
		}
		size = min(size, start)
	}
	x := &round{of: p, recs: left[:size:size]}
	if p.taken == 0 {
		x.spilled = p.Spilled
	}
	p.taken += size
	return x
}

func (r *Resolver) scanOf(ctx context.Context, x *round) func() error {
	return func() (err error) {
		ctx, span := trace.Detail(ctx, "scan")
		x.scan, err = r.scan(ctx, x)
		span.EndOf(len(x.recs), err)
		return err
	}
}

// linkRound links one round, when it is scanned. Its figures count when it is
// committed.
func (r *Resolver) linkRound(ctx context.Context, x *round) (Stats, error) {
	if err := x.scanning.Wait(); err != nil {
		return Stats{}, err
	}
	waiting := make(map[int64]int64, len(x.recs))
	for _, rec := range x.recs {
		if seq, is := x.of.Waiting[rec]; is {
			waiting[rec] = seq
		}
	}
	stats := Stats{Resolved: len(x.recs), Pairs: x.scan.pairs, Edges: len(x.scan.edges), Spilled: x.spilled}
	ctx, span := trace.Detail(ctx, "link")
	err := r.Store.Link(batched(ctx, len(x.recs)), func(tx *store.LinkTx) error {
		l := &link{r: r, tx: tx, scan: x.scan, waiting: waiting, stats: &stats}
		return l.run(ctx)
	})
	span.EndOf(stats.Resolved, err)
	if err != nil {
		return Stats{}, err
	}
	return stats, nil
}
