package dedupe

import (
	"cmp"
	mathbits "math/bits"
	"slices"
)

// Doubt is a pair that is worth a person's answer.
type Doubt struct {
	A, B   int   // rows
	Weight int32 // 1/1000 bit
	Alike  int64 // how many compared pairs agree in the same way
}

// How far from the threshold pairs are asked, in 1/1000 bit, and how many of one
// way of agreeing at the most.
const (
	askWithin = 12_000
	askOfOne  = 8
)

// doubtful finds pairs near the threshold: of each pattern the nearest ones.
func (e *engine) doubtful(p *pairs) []Doubt {
	type near struct {
		a, b   int32
		weight int32
	}
	least := threshold(e.o.Threshold)
	away := func(w int32) int32 { return max(w-least, least-w) }
	order := func(x, y near) int {
		return cmp.Or(cmp.Compare(away(x.weight), away(y.weight)), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	}
	// The keys that found a pair are no part of how it agrees.
	number := map[[2]uint64]int{}
	var of []int
	var count []int64
	for k, pat := range p.patterns {
		at, known := number[pat.levels]
		if !known {
			at = len(count)
			number[pat.levels] = at
			count = append(count, 0)
		}
		of = append(of, at)
		count[at] += p.of[k]
	}
	levels, base := e.sums(p)
	best := make([][]near, len(count))
	for block := range p.blocks {
		p.each(block, func(i int, others []pair) {
			for _, q := range others {
				n := near{int32(i), int32(q.unit), base[q.pattern] + e.adjust(i, int(q.unit), levels[q.pattern])}
				at := of[q.pattern]
				if l := best[at]; away(n.weight) > askWithin || len(l) == askOfOne && order(n, l[len(l)-1]) >= 0 || e.veto(i, int(q.unit)) {
					continue
				}
				k, _ := slices.BinarySearchFunc(best[at], n, order)
				best[at] = slices.Insert(best[at], k, n)
				best[at] = best[at][:min(len(best[at]), askOfOne)]
			}
		})
	}
	type asked struct {
		near
		round, far int
		alike      int64
	}
	var all []asked
	for at, list := range best {
		for round, n := range list {
			// Two bits farther are as good as four times as many pairs alike.
			far := int(away(n.weight))/1000 - mathbits.Len64(uint64(count[at]))
			all = append(all, asked{n, round, far, count[at]})
		}
	}
	slices.SortFunc(all, func(x, y asked) int {
		return cmp.Or(cmp.Compare(x.round, y.round), cmp.Compare(x.far, y.far), order(x.near, y.near))
	})
	out := make([]Doubt, len(all))
	for i, n := range all {
		out[i] = Doubt{int(e.u.first[n.a]), int(e.u.first[n.b]), n.weight, n.alike}
	}
	return out
}
