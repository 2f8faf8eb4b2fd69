package pipeline

import (
	"context"

	"golang.org/x/sync/errgroup"

	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// round is one batch on its way: published, scanned, and then linked.
type round struct {
	published store.Published
	last      int64 // of the batch, by landing number
	full      bool  // as many waited as a batch takes
	scan      *scanned
}

// rounds takes batch after batch until nothing waits or the turn is over. While
// one batch is linked, which is one transaction, the next is scanned, which only
// reads keys and features: what a scan must see, it sees since its publishing, and
// what it finds is linked in the order of publishing. A record that comes to wait
// again behind its back is scanned again in a later round.
func (r *Resolver) rounds(ctx context.Context, progress func(Stats)) (total Stats, err error) {
	var ahead *round // scanned, not linked
	after, more := int64(0), true
	back := func() {}
	defer func() { back() }()
	for n := 0; ; n++ {
		var next *round
		if more && n < maxRounds {
			if next, err = r.publish(ctx, after); err != nil {
				return total, err
			}
		}
		if next == nil && ahead == nil {
			if after == 0 || n >= maxRounds {
				return total, nil
			}
			after, more = 0, true // what came to wait meanwhile
			continue
		}
		if more = next != nil && next.full; next != nil {
			if after = next.last; len(next.published.Recs) >= easeFrom {
				back()
				back = ease()
			}
		}
		stats, err := r.turn(ctx, ahead, next)
		total = total.add(stats)
		if err != nil {
			return total, err
		}
		if ahead != nil {
			progress(total)
		}
		ahead = next
	}
}

// briefBatch is how many records are linked in one transaction while people wait
// for the writer.
const briefBatch = 200

// batch is how many records are linked in one transaction.
func (r *Resolver) batch() int {
	if r.Batch > briefBatch && r.Store.Hurried() {
		return briefBatch
	}
	return r.Batch
}

// publish makes the keys of the next batch visible that waits behind a landing
// number; nil where there is none.
func (r *Resolver) publish(ctx context.Context, after int64) (*round, error) {
	most := r.batch()
	backlog, err := r.Store.BacklogResolve(ctx, r.Entity, after, most)
	if err != nil || len(backlog) == 0 {
		return nil, err
	}
	recs := make([]int64, len(backlog))
	for i, t := range backlog {
		recs[i] = t.Rec
	}
	ctx, span := trace.Detail(ctx, "publish")
	published, err := r.Store.Publish(ctx, recs, r.keysOf, r.lists())
	span.EndOf(len(recs), err)
	if err != nil {
		return nil, err
	}
	r.Shared, err = r.Store.Shared(ctx, r.Entity, r.Shared)
	return &round{published: published, last: recs[len(recs)-1], full: len(recs) == most}, err
}

// turn links one round and scans another, either of which may be nil.
func (r *Resolver) turn(ctx context.Context, ahead, next *round) (Stats, error) {
	var stats Stats
	var g errgroup.Group
	if ahead != nil {
		g.Go(func() (err error) {
			stats, err = r.linkRound(ctx, ahead)
			return err
		})
	}
	if next != nil {
		g.Go(func() (err error) {
			ctx, span := trace.Detail(ctx, "scan")
			next.scan, err = r.scan(ctx, next.published)
			span.EndOf(len(next.published.Recs), err)
			return err
		})
	}
	err := g.Wait() // before the figures are read
	return stats, err
}

// linkRound links one round. Its figures count when it is committed.
func (r *Resolver) linkRound(ctx context.Context, x *round) (Stats, error) {
	stats := Stats{Resolved: len(x.published.Recs), Pairs: x.scan.pairs, Edges: len(x.scan.edges), Spilled: x.scan.spilled}
	ctx, span := trace.Detail(ctx, "link")
	err := r.Store.Link(ctx, func(tx *store.LinkTx) error {
		l := &link{r: r, tx: tx, scan: x.scan, waiting: x.published.Waiting, stats: &stats}
		return l.run(ctx)
	})
	span.EndOf(stats.Resolved, err)
	if err != nil {
		return Stats{}, err
	}
	return stats, nil
}
