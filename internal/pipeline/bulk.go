package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"touchstone/internal/store"
	"touchstone/matching"
)

// bulk resolves every record of an entity type at once: keys sorted instead of
// looked up, each pair weighed once on all cores, posting lists and golden
// records written in the order of their keys. What it writes is what the
// rounds of Resolver write, and it links through the same code.
type bulk struct {
	r                   *Resolver
	recs, seqs, waiting []int64 // by landing number
	features            [][]byte
	keys                []bulkKey
	edges               []bulkEdge
	untouched           bool
	stats               Stats
	progress            func(Stats)
}

// bulkKey is a record, by its place in recs, on a posting list.
type bulkKey struct {
	coarse, fine uint64
	at           uint32
	fresh        bool // not written yet
}

type bulkEdge struct {
	a, b    uint32 // a < b
	weight  int32
	pattern uint64
}

const (
	// defaultBulk is how many records must wait, and bulkShare which part of all,
	// before everything is resolved at once.
	defaultBulk = 5000
	bulkShare   = 0.5
	bulkPage    = 2000
	// bulkPairs bounds the pairs held in memory, 8 bytes each.
	bulkPairs = 8 << 20
)

// bulkTurn resolves in bulk if that pays, or if an earlier bulk turn has left
// the posting lists half written.
func (r *Resolver) bulkTurn(ctx context.Context, progress func(Stats)) (Stats, error) {
	least := r.Bulk
	if least == 0 {
		least = defaultBulk
	}
	state, err := r.Store.BulkState(ctx, r.Entity, least)
	if err != nil || !state.Broken && (state.Waiting < least || float64(state.Waiting) < bulkShare*float64(state.Records)) {
		return Stats{}, err
	}
	b := &bulk{r: r, progress: progress}
	if b.untouched, err = r.Store.Untouched(ctx, r.Entity); err != nil {
		return Stats{}, err
	}
	for _, step := range []func(context.Context) error{b.publish, b.weigh, b.link} {
		if err := step(ctx); err != nil {
			return b.stats, fmt.Errorf("in bulk: %w", err)
		}
	}
	return b.stats, nil
}

// publish reads every record and writes the posting lists.
func (b *bulk) publish(ctx context.Context) error {
	db, entity := b.r.Store, b.r.Entity
	if err := db.BeginBulk(ctx, entity); err != nil {
		return err
	}
	for after := int64(0); ; {
		list, fresh, err := db.NextResolvable(ctx, entity, after, bulkPage, keysOfAll)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		after = list[len(list)-1].Rec
		b.take(list, fresh)
	}
	slices.SortFunc(b.keys, func(x, y bulkKey) int {
		return cmp.Or(cmp.Compare(x.coarse, y.coarse), cmp.Compare(x.fine, y.fine), cmp.Compare(x.at, y.at))
	})
	postings := make([]store.Posting, 0, 20_000)
	flush := func() error {
		err := db.AddPostings(ctx, postings)
		postings = postings[:0]
		return err
	}
	for _, k := range b.keys {
		if !k.fresh {
			continue
		}
		postings = append(postings, store.Posting{Key: store.Key{Coarse: k.coarse, Fine: k.fine}, Rec: b.recs[k.at]})
		if len(postings) == cap(postings) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return db.EndPublish(ctx, entity)
}

// take keeps a page's records; their features lie in one piece of memory.
func (b *bulk) take(list []*store.Resolvable, fresh [][]store.Key) {
	size := 0
	for _, x := range list {
		size += len(x.Features)
	}
	arena := make([]byte, 0, size)
	for i, x := range list {
		at := uint32(len(b.recs))
		from := len(arena)
		arena = append(arena, x.Features...)
		b.recs, b.seqs, b.waiting = append(b.recs, x.Rec), append(b.seqs, x.Seq), append(b.waiting, x.Waiting)
		b.features = append(b.features, arena[from:len(arena):len(arena)])
		for _, k := range x.Keys {
			b.keys = append(b.keys, bulkKey{k.Coarse, k.Fine, at, slices.Contains(fresh[i], k)})
		}
	}
}

// keysOfAll makes the keys of a page on all cores.
func keysOfAll(list []*store.Resolvable) error {
	return parallel(len(list), func(i int) (err error) {
		x := list[i]
		if x.Features == nil {
			return nil
		}
		if x.Keys, err = keysOf(x.Features); err != nil {
			return fmt.Errorf("record %d: %w", x.Rec, err)
		}
		return nil
	})
}

// parallel runs fn for 0 … n−1 on all cores, in contiguous parts.
func parallel(n int, fn func(i int) error) error {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers < 2 {
		for i := range n {
			if err := fn(i); err != nil {
				return err
			}
		}
		return nil
	}
	var g errgroup.Group
	for w := range workers {
		g.Go(func() error {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				if err := fn(i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// eachList gives the lists that make pairs, by the rule of store.Publish: the
// coarse list if it is at most the cap, else those of its fine ones that are.
func (b *bulk) eachList(yield func(list []uint32)) (spilled int) {
	var list []uint32
	gather := func(keys []bulkKey) []uint32 {
		list = list[:0]
		for _, k := range keys {
			list = append(list, k.at)
		}
		slices.Sort(list)
		list = slices.Compact(list)
		return list
	}
	same := func(from int, eq func(x, y bulkKey) bool) int {
		to := from + 1
		for to < len(b.keys) && eq(b.keys[from], b.keys[to]) {
			to++
		}
		return to
	}
	for i := 0; i < len(b.keys); {
		j := same(i, func(x, y bulkKey) bool { return x.coarse == y.coarse })
		if l := gather(b.keys[i:j]); len(l) <= b.r.Cap {
			yield(l)
			i = j
			continue
		}
		for i < j {
			k := same(i, func(x, y bulkKey) bool { return x.coarse == y.coarse && x.fine == y.fine })
			if l := gather(b.keys[i:k]); b.keys[i].fine != 0 && len(l) <= b.r.Cap {
				yield(l)
			} else {
				spilled++
			}
			i = k
		}
	}
	return spilled
}

// weigh makes the pairs, range by range of their first record, and keeps those
// at or above the review floor.
func (b *bulk) weigh(ctx context.Context) error {
	const shift = 10
	counts := make([]int, len(b.recs)>>shift+1)
	b.stats.Spilled = b.eachList(func(list []uint32) {
		for i, at := range list {
			counts[at>>shift] += len(list) - 1 - i
		}
	})
	var pairs []uint64
	for from := 0; from < len(counts); {
		to, n := from, 0
		for to < len(counts) && (to == from || n+counts[to] <= bulkPairs) {
			n += counts[to]
			to++
		}
		pairs = slices.Grow(pairs[:0], n)
		lo, hi := uint32(from)<<shift, uint64(to)<<shift
		b.eachList(func(list []uint32) {
			for i, a := range list {
				if a < lo || uint64(a) >= hi {
					continue
				}
				for _, z := range list[i+1:] {
					pairs = append(pairs, uint64(a)<<32|uint64(z))
				}
			}
		})
		slices.Sort(pairs)
		pairs = slices.Compact(pairs)
		if err := b.weighPairs(ctx, pairs); err != nil {
			return err
		}
		from = to
	}
	b.keys = nil
	return nil
}

func (b *bulk) weighPairs(ctx context.Context, pairs []uint64) error {
	workers := runtime.GOMAXPROCS(0)
	found := make([][]bulkEdge, workers)
	var g errgroup.Group
	for w := range workers {
		part := pairs[w*len(pairs)/workers : (w+1)*len(pairs)/workers]
		g.Go(func() (err error) {
			found[w], err = b.weighPart(ctx, part)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, f := range found {
		b.edges = append(b.edges, f...)
	}
	b.stats.Pairs += len(pairs)
	return nil
}

func (b *bulk) weighPart(ctx context.Context, pairs []uint64) (found []bulkEdge, err error) {
	c := newFeatureCache(b.features)
	for i, p := range pairs {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x, z := uint32(p>>32), uint32(p)
		f, err := c.get(x)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", b.recs[x], err)
		}
		g, err := c.get(z)
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", b.recs[z], err)
		}
		if w := b.r.Model.Weigh(f, g); w.Total >= b.r.Review {
			found = append(found, bulkEdge{x, z, w.Total, w.Pattern})
		}
	}
	return found, nil
}

// featureCache keeps decoded features of the records met last; each place
// belongs to the records whose low bits are its number.
type featureCache struct {
	packed [][]byte
	at     []uint32
	slots  []*matching.Features
}

const cacheSlots = 1 << 13

func newFeatureCache(packed [][]byte) *featureCache {
	return &featureCache{packed: packed, at: make([]uint32, cacheSlots), slots: make([]*matching.Features, cacheSlots)}
}

func (c *featureCache) get(at uint32) (*matching.Features, error) {
	slot := at % cacheSlots
	if c.slots[slot] != nil && c.at[slot] == at {
		return c.slots[slot], nil
	}
	f, err := matching.DecodeFeatures(c.packed[at])
	if err != nil {
		return nil, err
	}
	c.slots[slot], c.at[slot] = f, at
	return f, nil
}
