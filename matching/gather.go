package matching

import (
	"fmt"
	"slices"

	"touchstone/matching/block"
)

// How much is gathered at the most. Past it, records and pairs are chosen by
// their hash, so that the same data gives the same choice.
const (
	mostTrained = 200_000
	mostPairs   = 400_000
	mostRandom  = 200_000
)

// Gather reads what a successor of a model is fitted from out of the features of
// an entity type's records, in their binary form; of many a Sample does. It
// depends on the records alone and not on their order. Stop is asked now and then.
func Gather(start *Model, packed [][]byte, shared func(value uint64) bool, stop func() error) (*Trainer, float64, error) {
	g := newGathering(start, packed, shared, stop)
	for _, step := range []func() error{g.records, g.candidates, g.blocked, g.random} {
		if err := step(); err != nil {
			return nil, 0, fmt.Errorf("gather what a model is fitted from: %w", err)
		}
	}
	g.t.gathered = g
	return g.t, g.share, nil
}

type gathering struct {
	t      *Trainer
	packed [][]byte
	shared func(uint64) bool
	stop   func() error
	lists  *keyLists
	pairs  []uint64
	share  float64
	cache  []trained // of the records met last; each place belongs to some
}

type trained struct {
	at       uint32
	features *Features
	keys     []KeyHash
}

func newGathering(start *Model, packed [][]byte, shared func(value uint64) bool, stop func() error) *gathering {
	g := &gathering{t: NewTrainer(start), packed: sampled(packed), shared: shared, stop: stop}
	g.cache = make([]trained, min(len(g.packed), 1<<14))
	return g
}

// ask asks stop at every thousandth step.
func (g *gathering) ask(step int) error {
	if step%1000 != 0 {
		return nil
	}
	return g.stop()
}

func (g *gathering) get(at uint32) (*trained, error) {
	x := &g.cache[int(at)%len(g.cache)]
	if x.features != nil && x.at == at {
		return x, nil
	}
	f, err := DecodeFeatures(g.packed[at])
	if err != nil {
		return nil, err
	}
	*x = trained{at, f.Share(g.shared), nil}
	return x, nil
}

// pair gives the features of two records.
func (g *gathering) pair(i, j uint32) (a, b *Features, err error) {
	x, err := g.get(i)
	if err != nil {
		return nil, nil, err
	}
	a = x.features // the cache may give its place away
	y, err := g.get(j)
	if err != nil {
		return nil, nil, err
	}
	return a, y.features, nil
}

func (g *gathering) records() (err error) {
	g.lists, err = g.listsBy(func(f *Features, dst []KeyHash) []KeyHash {
		g.t.Record(f)
		return g.t.start.AppendKeys(dst, f)
	})
	return err
}

// listsBy makes the lists of the keys that all records have.
func (g *gathering) listsBy(appendKeys func(f *Features, dst []KeyHash) []KeyHash) (*keyLists, error) {
	l := &keyLists{limit: g.t.start.KeyCap, over: map[uint64]bool{}}
	var keys []KeyHash
	for i := range g.packed {
		if err := g.ask(i); err != nil {
			return nil, err
		}
		x, err := g.get(uint32(i))
		if err != nil {
			return nil, err
		}
		keys = appendKeys(x.features, keys[:0])
		l.add(keys, uint32(i))
	}
	l.sort()
	return l, nil
}

// candidates makes the candidate pairs.
func (g *gathering) candidates() error {
	total := 0.0
	g.lists.each(func(list []uint32, _ block.Rule) { total += float64(len(list)) * float64(len(list)-1) / 2 })
	g.share = min(1, mostPairs/max(total, 1))
	limit := ^uint64(0)
	if g.share < 1 {
		limit = uint64(g.share * (1 << 63) * 2)
	}
	g.lists.each(func(list []uint32, _ block.Rule) {
		for i, a := range list {
			for _, b := range list[i+1:] {
				if p := uint64(a)<<32 | uint64(b); g.share == 1 || block.Mixed(p) < limit {
					g.pairs = append(g.pairs, p)
				}
			}
		}
	})
	slices.Sort(g.pairs)
	g.pairs = slices.Compact(g.pairs)
	g.lists.keys = nil
	return g.stop()
}

func (g *gathering) blocked() error {
	for i, p := range g.pairs {
		if err := g.ask(i); err != nil {
			return err
		}
		x, err := g.get(uint32(p >> 32))
		if err != nil {
			return err
		}
		a := *x // the cache may give its place away
		if a.keys == nil {
			a.keys = g.t.start.AppendKeys(nil, a.features)
			x.keys = a.keys
		}
		b, err := g.get(uint32(p))
		if err != nil {
			return err
		}
		if b.keys == nil {
			b.keys = g.t.start.AppendKeys(nil, b.features)
		}
		if g.t.Blocked(a.features, b.features, g.lists.rules(a.keys, b.keys)) && len(g.t.sure) < mostSure {
			g.t.sure = append(g.t.sure, [2]uint32{uint32(p >> 32), uint32(p)})
		}
	}
	return nil
}

func (g *gathering) random() error {
	n := uint64(len(g.packed))
	for k := range mostRandom {
		if err := g.ask(k); err != nil {
			return err
		}
		i, j := block.Mixed(2*uint64(k))%max(n, 1), block.Mixed(2*uint64(k)+1)%max(n, 1)
		if i == j {
			continue
		}
		a, b, err := g.pair(uint32(i), uint32(j))
		if err != nil {
			return err
		}
		g.t.Random(a, b)
	}
	return nil
}
