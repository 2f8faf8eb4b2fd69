package store

import (
	"context"
	"slices"
)

// crossings finds the holders of lists that have crossed the cap. The coarse
// lists that have changed are put into known as they stand.
func crossings(ctx context.Context, p lister, d *keyDelta, limit int, known map[uint64][]int64) ([]int64, error) {
	var redo []int64
	coarse := make([]Key, 0, len(d.coarse))
	most := 0
	for _, k := range sortedKeys(d.coarse) {
		delete(known, k)
		if d.coarse[k] != 0 {
			coarse, most = append(coarse, Key{Coarse: k}), max(most, d.coarse[k])
		}
	}
	most = limit + min(most, limit) // so far lists are read: most say by that which side they were on
	read, err := p.lists(ctx, coarse, most)
	if err != nil {
		return nil, err
	}
	for k, recs := range read {
		known[k.Coarse] = recs
	}
	long := map[uint64]bool{} // lists that are past the cap, or were
	over, err := crossed(ctx, p, coarse, counted{func(k Key) int { return len(known[k.Coarse]) }, func(k Key) int { return d.coarse[k.Coarse] }, most}, limit, func(k Key, past bool) { long[k.Coarse] = past })
	if err != nil {
		return nil, err
	}
	for _, k := range over {
		if redo, err = p.holders(ctx, redo, k); err != nil {
			return nil, err
		}
	}
	fine := slices.DeleteFunc(d.sortedFine(), func(k Key) bool {
		past, counted := long[k.Coarse]
		return k.Fine == 0 || counted && !past // its finer lists are not looked at
	})
	rows, err := p.rows(ctx, fine, most+1) // a record stands on a fine list once
	if err != nil {
		return nil, err
	}
	at := make(map[Key]int, len(fine))
	for i, k := range fine {
		at[k] = rows[i]
	}
	if over, err = crossed(ctx, p, fine, counted{func(k Key) int { return at[k] }, func(k Key) int { return d.fine[k] }, most}, limit, func(Key, bool) {}); err != nil {
		return nil, err
	}
	for _, k := range over {
		if redo, err = p.holders(ctx, redo, k); err != nil {
			return nil, err
		}
	}
	slices.Sort(redo)
	return slices.Compact(redo), nil
}

// counted says how long lists are, exactly up to most, and by how much they have
// grown.
type counted struct {
	length, delta func(Key) int
	most          int
}

// sortedFine gives the fine lists whose length has changed.
func (d *keyDelta) sortedFine() []Key {
	keys := make([]Key, 0, len(d.fine))
	for k, delta := range d.fine {
		if delta != 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, Key.Compare)
	return keys
}

// crossed gives those lists that were on one side of the cap before and are on
// the other now. A list is named by its coarse key, or all are by both. each is
// told of every list whether it is past the cap now, or was.
func crossed(ctx context.Context, p lister, lists []Key, c counted, limit int, each func(k Key, past bool)) (crossed []Key, err error) {
	tell := func(k Key, n int) {
		now, before := n > limit, n-c.delta(k) > limit
		each(k, now || before)
		if now != before {
			crossed = append(crossed, k)
		}
	}
	var near []Key // they have grown by so much that nobody knows how long they were
	most := 0
	for _, k := range lists {
		if n := c.length(k); n > c.most && n-c.delta(k) <= limit {
			near, most = append(near, k), max(most, c.delta(k))
		} else {
			tell(k, n)
		}
	}
	if len(near) == 0 {
		return crossed, nil
	}
	n, err := p.lengths(ctx, near, limit+1+most) // a list that reaches it is past the cap now and before
	if err != nil {
		return nil, err
	}
	for _, k := range near {
		tell(k, n[k])
	}
	slices.SortFunc(crossed, Key.Compare)
	return crossed, nil
}
