package live

import (
	"slices"

	"touchstone/internal/record"
	"touchstone/matching"
	"touchstone/matching/block"
	"touchstone/matching/cluster"
)

// Batch parts all records at once, written as plainly as the rule reads and
// apart from Resolver: it is the oracle of the order-independence test. It
// looks at every pair, so it is for thousands of records, not millions.
func Batch(cfg Config, records map[record.Ref]*matching.Features, rulings map[Pair]Ruling) [][]record.Ref {
	b := batch{cfg: cfg, index: map[record.Ref]int{}}
	for ref := range records {
		b.refs = append(b.refs, ref)
	}
	slices.SortFunc(b.refs, record.Ref.Compare)
	for i, ref := range b.refs {
		b.index[ref] = i
		b.features = append(b.features, records[ref])
		b.keys = append(b.keys, cfg.Model.Keys(records[ref]))
	}
	b.share()
	in := cluster.Input{N: len(b.refs), Link: cfg.Link, Weigh: b.weigh, Veto: b.veto, Links: b.links()}
	for pair, kind := range rulings {
		i, ok := b.index[pair.A]
		j, ok2 := b.index[pair.B]
		switch {
		case !ok || !ok2:
		case kind == Must:
			in.Must = append(in.Must, [2]int{i, j})
		case kind == Cannot:
			in.Cannot = append(in.Cannot, [2]int{i, j})
		}
	}
	var out [][]record.Ref
	for _, part := range b.components(in) {
		out = append(out, b.part(in, part)...)
	}
	slices.SortFunc(out, func(x, y []record.Ref) int { return x[0].Compare(y[0]) })
	return out
}

type batch struct {
	cfg      Config
	refs     []record.Ref
	index    map[record.Ref]int
	features []*matching.Features
	keys     [][]matching.Key
}

// share marks the values that more names use than may.
func (b *batch) share() {
	names := map[uint64]map[uint64]bool{}
	for _, keys := range b.keys {
		for _, k := range keys {
			if !block.Counted(k.Coarse) {
				continue
			}
			if names[k.Coarse] == nil {
				names[k.Coarse] = map[uint64]bool{}
			}
			names[k.Coarse][k.Fine] = true
		}
	}
	for i, f := range b.features {
		b.features[i] = f.Share(func(v uint64) bool { return b.cfg.names() > 0 && len(names[v]) > b.cfg.names() })
	}
}

func (b *batch) weigh(i, j int) int32 {
	return b.cfg.Model.Weigh(b.features[i], b.features[j]).Total
}

func (b *batch) veto(i, j int) bool {
	_, veto := b.cfg.Model.Veto(b.features[i], b.features[j])
	return veto
}

// links weighs every candidate pair by the final counts.
func (b *batch) links() []cluster.Link {
	holders := map[uint64]map[int]bool{}
	for i, keys := range b.keys {
		for _, k := range keys {
			for _, h := range [2]uint64{k.Coarse, k.Fine} {
				if holders[h] == nil {
					holders[h] = map[int]bool{}
				}
				holders[h][i] = true
			}
		}
	}
	var out []cluster.Link
	for i := range b.refs {
		for j := i + 1; j < len(b.refs); j++ {
			if !b.candidate(i, j, holders) {
				continue
			}
			if w := b.weigh(i, j); w >= b.cfg.Link {
				out = append(out, cluster.Link{A: i, B: j, Weight: w})
			}
		}
	}
	return out
}

func (b *batch) candidate(i, j int, holders map[uint64]map[int]bool) bool {
	for _, x := range b.keys[i] {
		for _, y := range b.keys[j] {
			if x.Coarse != y.Coarse {
				continue
			}
			if len(holders[x.Coarse]) <= b.cfg.keyCap() {
				return true
			}
			if x.Fine != 0 && x.Fine == y.Fine && len(holders[x.Fine]) <= b.cfg.keyCap() {
				return true
			}
		}
	}
	return false
}

// components follows links and must-links from each record not yet reached.
func (b *batch) components(in cluster.Input) [][]int {
	near := make([][]int, len(b.refs))
	for _, l := range in.Links {
		near[l.A], near[l.B] = append(near[l.A], l.B), append(near[l.B], l.A)
	}
	for _, m := range in.Must {
		near[m[0]], near[m[1]] = append(near[m[0]], m[1]), append(near[m[1]], m[0])
	}
	reached := make([]bool, len(b.refs))
	var out [][]int
	for i := range b.refs {
		if reached[i] {
			continue
		}
		reached[i] = true
		part := []int{i}
		for k := 0; k < len(part); k++ {
			for _, n := range near[part[k]] {
				if !reached[n] {
					reached[n] = true
					part = append(part, n)
				}
			}
		}
		slices.Sort(part)
		out = append(out, part)
	}
	return out
}

// part runs the partition on one component alone.
func (b *batch) part(in cluster.Input, members []int) [][]record.Ref {
	at := map[int]int{}
	for i, m := range members {
		at[m] = i
	}
	own := cluster.Input{N: len(members), Link: in.Link}
	for _, l := range in.Links {
		if i, ok := at[l.A]; ok {
			own.Links = append(own.Links, cluster.Link{A: i, B: at[l.B], Weight: l.Weight})
		}
	}
	for _, m := range in.Must {
		if i, ok := at[m[0]]; ok {
			own.Must = append(own.Must, [2]int{i, at[m[1]]})
		}
	}
	for _, m := range in.Cannot {
		i, ok := at[m[0]]
		j, ok2 := at[m[1]]
		if ok && ok2 {
			own.Cannot = append(own.Cannot, [2]int{i, j})
		}
	}
	own.Weigh = func(x, y int) int32 { return b.weigh(members[x], members[y]) }
	own.Veto = func(x, y int) bool { return b.veto(members[x], members[y]) }
	var out [][]record.Ref
	for i, g := range cluster.Partition(own).Group {
		if g == len(out) {
			out = append(out, nil)
		}
		out[g] = append(out[g], b.refs[members[i]])
	}
	return out
}
