package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"

	"golang.org/x/sync/errgroup"

	"touchstone/internal/store"
	"touchstone/internal/trace"
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
	fresh               []store.Posting // not written yet
	lists               []uint32        // the posting lists that make pairs, one behind the other
	ends                []uint32        // where each ends
	edges               []bulkEdge
	untouched           bool
	stats               Stats
	progress            func(Stats)
}

// bulkEdge is a pair at or above the review floor, by places in recs.
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
	// bulkRun bounds the postings held in memory, 24 bytes each, and bulkPairs
	// the pairs, 8 bytes each.
	bulkRun   = 2 << 20
	bulkPairs = 4 << 20
	// bulkGC lets the garbage collector run earlier while more than bulkLarge records
	// are in memory: what is there is large, and lives long.
	bulkGC    = 25
	bulkLarge = 300_000
)

// bulkFrom is how many records must wait before all are resolved at once.
func (r *Resolver) bulkFrom() int {
	if r.Bulk == 0 {
		return defaultBulk
	}
	return r.Bulk
}

// bulkTurn resolves in bulk if that pays, or if an earlier bulk turn has left
// the posting lists half written.
func (r *Resolver) bulkTurn(ctx context.Context, progress func(Stats)) (Stats, error) {
	least := r.bulkFrom()
	state, err := r.Store.BulkState(ctx, r.Entity, least, bulkShare)
	if err != nil || !state.Broken && (state.Waiting < least || float64(state.Waiting) < bulkShare*float64(state.Records)) {
		return Stats{}, err
	}
	if state.Records > bulkLarge {
		defer debug.SetGCPercent(debug.SetGCPercent(bulkGC))
	}
	b := &bulk{r: r, progress: progress}
	if b.untouched, err = r.Store.Untouched(ctx, r.Entity); err != nil {
		return Stats{}, err
	}
	if err := r.Store.SpoilQueue(ctx, r.Entity); err != nil {
		return Stats{}, fmt.Errorf("in bulk: %w", err)
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{{"bulk publish", b.publish}, {"bulk lists", b.readLists}, {"bulk weigh", b.weigh}, {"bulk link", b.link}, {"bulk count", b.r.Store.CountTables}} {
		ctx, span := trace.Start(ctx, step.name)
		err := step.do(ctx)
		if span.End(err); err != nil {
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
		list, fresh, err := db.NextResolvable(ctx, entity, after, bulkPage, b.r.keysOfAll)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		after = list[len(list)-1].Rec
		b.take(list, fresh)
		if len(b.fresh) >= bulkRun {
			if err := b.flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := b.flush(ctx); err != nil {
		return err
	}
	b.fresh = nil
	return nil
}

// flush writes the postings held in memory, in the order of their keys.
func (b *bulk) flush(ctx context.Context) error {
	slices.SortFunc(b.fresh, func(x, y store.Posting) int {
		return cmp.Or(cmp.Compare(int64(x.Key.Coarse), int64(y.Key.Coarse)), cmp.Compare(int64(x.Key.Fine), int64(y.Key.Fine)), cmp.Compare(x.Rec, y.Rec))
	})
	for part := range slices.Chunk(b.fresh, 20_000) {
		if err := b.r.Store.AddPostings(ctx, part); err != nil {
			return err
		}
	}
	b.fresh = b.fresh[:0]
	return nil
}

// take keeps a page's records; their features lie in one piece of memory.
func (b *bulk) take(list []*store.Resolvable, fresh [][]store.Key) {
	size := 0
	for _, x := range list {
		size += len(x.Features)
	}
	arena := make([]byte, 0, size)
	for i, x := range list {
		from := len(arena)
		arena = append(arena, x.Features...)
		b.recs, b.seqs, b.waiting = append(b.recs, x.Rec), append(b.seqs, x.Seq), append(b.waiting, x.Waiting)
		b.features = append(b.features, arena[from:len(arena):len(arena)])
		for _, k := range fresh[i] {
			b.fresh = append(b.fresh, store.Posting{Key: k, Rec: x.Rec})
		}
	}
}

// keysOfAll makes the keys of a page on all cores.
func (r *Resolver) keysOfAll(list []*store.Resolvable) error {
	return parallel(len(list), func(i int) (err error) {
		x := list[i]
		if x.Features == nil {
			return nil
		}
		if x.Keys, err = r.keysOf(x.Features); err != nil {
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

// readLists reads the posting lists and keeps those that make pairs, by the rule
// of store.Publish: the coarse list if it is at most the cap, else those of its
// fine ones that are. On the way it counts the names that use each value.
func (b *bulk) readLists(ctx context.Context) error {
	var run []placed // one coarse list
	var list []uint32
	keep := func(part []placed) {
		list = list[:0]
		for _, p := range part {
			list = append(list, p.at)
		}
		slices.Sort(list)
		if list = slices.Compact(list); len(list) > b.r.Cap {
			b.stats.Spilled++
		} else if len(list) > 1 {
			b.lists = append(b.lists, list...)
			b.ends = append(b.ends, uint32(len(b.lists)))
		}
	}
	coarse := uint64(0)
	var shared []uint64
	end := func() {
		if len(run) < 2 {
			run = run[:0]
			return
		}
		if k := (store.Key{Coarse: coarse}); k.Counted() && b.r.Names > 0 && names(run) > b.r.Names {
			shared = append(shared, coarse)
		}
		if distinct(run) <= b.r.Cap {
			keep(run)
			run = run[:0]
			return
		}
		for i := 0; i < len(run); {
			j := i
			for j < len(run) && run[j].fine == run[i].fine {
				j++
			}
			if run[i].fine == 0 {
				b.stats.Spilled++
			} else {
				keep(run[i:j])
			}
			i = j
		}
		run = run[:0]
	}
	err := b.r.Store.EachPosting(ctx, func(p store.Posting) {
		if p.Key.Coarse != coarse {
			end()
			coarse = p.Key.Coarse
		}
		if at, ok := slices.BinarySearch(b.recs, p.Rec); ok {
			run = append(run, placed{p.Key.Fine, uint32(at)})
		}
	})
	end()
	if err != nil {
		return err
	}
	if err := b.r.Store.EndPublish(ctx, b.r.lists(), shared); err != nil {
		return err
	}
	b.r.Shared, err = b.r.Store.Shared(ctx, b.r.Entity, b.r.Shared)
	return err
}

// placed is a posting of one coarse list: its fine key and its record's place.
type placed struct {
	fine uint64
	at   uint32
}

// names counts the finer keys of one coarse list, which lie together.
func names(run []placed) int {
	n := 0
	for i := range run {
		if i == 0 || run[i].fine != run[i-1].fine {
			n++
		}
	}
	return n
}

func distinct(run []placed) int {
	seen := make(map[uint32]bool, min(len(run), 1024))
	for _, p := range run {
		seen[p.at] = true
	}
	return len(seen)
}

// eachList gives the lists that make pairs; each is sorted.
func (b *bulk) eachList(yield func(list []uint32)) {
	from := uint32(0)
	for _, to := range b.ends {
		yield(b.lists[from:to])
		from = to
	}
}

// weigh makes the pairs, range by range of their first record, and keeps those
// at or above the review floor.
func (b *bulk) weigh(ctx context.Context) error {
	const shift = 10
	counts := make([]int, len(b.recs)>>shift+1)
	b.eachList(func(list []uint32) {
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
		if pairs = pairs[:0]; cap(pairs) < n {
			pairs = make([]uint64, 0, n)
		}
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
	b.lists, b.ends, b.features = nil, nil, nil
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
	c := newFeatureCache(b.features, b.r.Shared)
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
	shared *store.Shared
	at     []uint32
	slots  []*matching.Features
}

const cacheSlots = 1 << 13

func newFeatureCache(packed [][]byte, shared *store.Shared) *featureCache {
	return &featureCache{packed: packed, shared: shared, at: make([]uint32, cacheSlots), slots: make([]*matching.Features, cacheSlots)}
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
	f = f.Share(c.shared.Has)
	c.slots[slot], c.at[slot] = f, at
	return f, nil
}
