package pipeline

import (
	"context"
	"slices"

	"touchstone/internal/store"
)

// fewRecords is how many records a round has at most of which what is stored is
// read ahead.
const fewRecords = 64

// few says that the round is a small one: what takes its time on PostgreSQL is the
// number of questions, and those whose answers do not depend on each other are asked
// together.
func (l *link) few() bool { return !l.bulk && len(l.scan.recs) <= fewRecords }

// Questions are what Run asks before it does anything, to be asked ahead.
func (r *Resolver) Questions() []func(context.Context) error {
	return []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := r.Store.BulkState(ctx, r.Entity, r.bulkFrom(), bulkShare)
			return err
		},
		r.fillQueue,
		func(ctx context.Context) error { return r.waits(ctx, 0) },
	}
}

// waits asks what publish asks first.
func (r *Resolver) waits(ctx context.Context, after int64) error {
	_, err := r.Store.BacklogResolve(ctx, r.Entity, after, r.atOnce())
	return err
}

// aheadOfEnd asks whether anything came to wait meanwhile, and with it what is asked
// when nothing has.
func (r *Resolver) aheadOfEnd(ctx context.Context) error {
	ask := []func(context.Context) error{func(ctx context.Context) error { return r.waits(ctx, 0) }}
	if r.Ended != nil {
		ask = append(ask, r.Ended()...)
	}
	return r.Store.Ahead(ctx, ask...)
}

// touched are the records whose components this transaction brings up to date.
func (l *link) touched() []int64 {
	recs := slices.Clone(l.scan.recs)
	for _, e := range l.scan.edges {
		if e.Weight >= l.r.Link {
			recs = append(recs, e.A, e.B)
		}
	}
	slices.Sort(recs)
	return slices.Compact(recs)
}

// compared are the records of the pairs that were found.
func (l *link) compared() []int64 {
	recs := make([]int64, 0, 2*len(l.scan.edges))
	for _, e := range l.scan.edges {
		recs = append(recs, e.A, e.B)
	}
	slices.Sort(recs)
	return slices.Compact(recs)
}

// ahead asks first what linking asks first. The components are locked with it: where
// a record has moved on they may be more than need be.
func (l *link) ahead(ctx context.Context) error {
	if !l.few() {
		return nil
	}
	return l.tx.Ahead(ctx, func(ctx context.Context) error {
		_, err := l.tx.Generation(ctx, l.r.Entity)
		return err
	}, func(ctx context.Context) error {
		_, err := l.tx.Seqs(ctx, l.compared())
		return err
	}, func(ctx context.Context) error {
		_, err := l.tx.Closure(ctx, l.touched())
		return err
	})
}

// aheadOfGolden asks what survivorship and planning ask of the groups.
func (l *link) aheadOfGolden(ctx context.Context, founders []int64, groups []group) error {
	if !l.few() {
		return nil
	}
	own, made := make([]int64, len(groups)), make([]madeGolden, len(groups))
	for i, g := range groups {
		own[i] = l.members[g.members[0]].Rec
		made[i] = madeGolden{golden: store.Golden{Entity: l.r.Entity}, group: g}
	}
	return l.tx.AheadOfGolden(ctx, founders, own, func(ctx context.Context) error {
		if l.r.Differ == nil {
			return nil
		}
		for _, t := range l.r.Differ.Targets {
			p := &planning{t: t, tx: l.tx, members: l.members}
			if _, err := p.stored(ctx, made); err != nil {
				return err
			}
		}
		return nil
	})
}

// aheadOfQueue is what the queue asks of the members' golden records.
func (l *link) aheadOfQueue(recs []int64) []func(context.Context) error {
	if !l.few() || len(recs) > fewRecords {
		return nil
	}
	return []func(context.Context) error{l.tx.AheadOfQueue(l.r.appraisal(), l.queued(), recs)}
}
