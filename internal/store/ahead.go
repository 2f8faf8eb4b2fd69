package store

import (
	"context"
	"slices"
)

// few is how many records' answers are read ahead: with more it is not the number
// of messages that takes the time.
const few = 64

// AheadOfGolden reads ahead what stands there of golden records, by founder, and
// what is asked for when those of groups are written.
func (tx *LinkTx) AheadOfGolden(ctx context.Context, founders, groups []int64, more func(context.Context) error) error {
	if len(founders) > few {
		return nil
	}
	written := make([]GoldenChange, len(groups))
	for i, f := range groups {
		written[i].Founder = f
	}
	return tx.Ahead(ctx, func(ctx context.Context) error {
		_, err := tx.GoldenRows(ctx, founders)
		return err
	}, func(ctx context.Context) error {
		_, err := tx.LastVersions(ctx, groups)
		return err
	}, func(ctx context.Context) error {
		_, err := tx.searchTexts(ctx, written)
		return err
	}, tx.lastFed, more)
}

// AheadOfMembers reads ahead what is stored of the records of components.
func (tx *LinkTx) AheadOfMembers(ctx context.Context, entity string, recs []int64, maps *ValueMaps) error {
	if len(recs) > few {
		return nil
	}
	if err := tx.lockFacts(ctx); err != nil {
		return err
	}
	return tx.Ahead(ctx, func(ctx context.Context) error {
		_, err := tx.Members(ctx, recs)
		return err
	}, func(ctx context.Context) error {
		_, err := tx.Matches(ctx, recs)
		return err
	}, func(ctx context.Context) error {
		_, err := tx.Rulings(ctx, recs)
		return err
	}, func(ctx context.Context) error {
		_, _, err := tx.DueBalances(ctx, recs)
		return err
	}, func(ctx context.Context) error {
		_, err := tx.ValueMaps(ctx, entity, maps)
		return err
	})
}

// AheadOfQueue is what RefreshQueue of founders asks first, if their records are
// these, to be read ahead.
func (tx *LinkTx) AheadOfQueue(ap *Appraisal, founders, recs []int64) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := tx.RefreshQueue(ctx, ap, founders); err != nil {
			return err
		}
		return tx.crossingsOf(ctx, recs, nil)
	}
}

// aheadOfValues reads ahead what decides what pairs are worth.
func (tx *Tx) aheadOfValues(ctx context.Context, ap *Appraisal, recs []int64, pairs map[founderPair]*QueuedPair) error {
	if len(pairs) > few {
		return nil
	}
	return tx.Ahead(ctx, func(ctx context.Context) error {
		_, err := tx.dropRuled(ctx, recs, nil, pairs)
		return err
	}, func(ctx context.Context) error { return tx.appraise(ctx, ap, pairs) })
}

// aheadOfPublishing reads ahead what Publish asks after the keys of these records
// were written.
func (tx *Tx) aheadOfPublishing(ctx context.Context, p lister, d *keyDelta, recs []int64, lists Lists) error {
	if len(recs) > few {
		return nil
	}
	var touched []int64
	grown := map[uint64][]int64{}
	for _, k := range d.sortedFine() {
		if k.Counted() {
			touched = append(touched, int64(k.Coarse))
		}
	}
	for k, by := range d.coarse {
		if by != 0 {
			grown[k] = nil
		}
	}
	ask := []func(context.Context) error{func(ctx context.Context) error {
		_, err := tx.setting(ctx, sharedMark(lists.Entity))
		return err
	}, func(ctx context.Context) error {
		if touched = slices.Compact(touched); len(touched) == 0 || lists.Names == 0 {
			return nil
		}
		_, err := tx.sharedAmong(ctx, touched)
		return err
	}, func(ctx context.Context) error {
		_, err := tx.backlogSeqs(ctx, recs)
		return err
	}, func(ctx context.Context) error {
		_, err := tx.one(ctx, featureCounter, nil, new(int64))
		return err
	}}
	if _, kept := p.(*keptPostings); kept { // which is asked nothing in vain
		if tx.postingNumber == 0 && len(d.gone)+len(d.added) == 0 {
			ask = append(ask, func(ctx context.Context) error {
				_, err := tx.one(ctx, postingCounter, nil, new(int64))
				return err
			})
		}
		return tx.Ahead(ctx, ask...)
	}
	return tx.Ahead(ctx, append(ask, func(ctx context.Context) error {
		_, err := crossings(ctx, p, d, lists.Cap, map[uint64][]int64{})
		return err
	}, func(ctx context.Context) error {
		if len(touched) == 0 || lists.Names == 0 {
			return nil
		}
		_, err := p.manyNames(ctx, touched, lists.Names)
		return err
	}, func(ctx context.Context) error {
		_, _, err := listsOf(ctx, p, d.keys, lists.Cap, grown)
		return err
	})...)
}
