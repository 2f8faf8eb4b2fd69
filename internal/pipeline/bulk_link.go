package pipeline

import (
	"context"
	"slices"

	"touchstone/internal/store"
	"touchstone/internal/trace"
)

// link writes matches, crosswalk, golden records and plans, batches of whole
// components at a time: fewer while people wait for the writer.
func (b *bulk) link(ctx context.Context) error {
	batches := b.batches()
	of := make([]uint32, len(b.recs)) // record → its batch
	for n, batch := range batches {
		for _, at := range batch {
			of[at] = uint32(n)
		}
	}
	// A pair of two batches is written with the later one.
	slices.SortStableFunc(b.edges, func(x, y bulkEdge) int {
		return int(max(of[x.a], of[x.b])) - int(max(of[y.a], of[y.b]))
	})
	edges := b.edges
	for n := 0; n < len(batches); n++ {
		batch := slices.Clone(batches[n])
		for len(batch) < b.r.batch() && n+1 < len(batches) {
			n++
			batch = append(batch, batches[n]...)
		}
		mine := 0
		for mine < len(edges) && int(max(of[edges[mine].a], of[edges[mine].b])) <= n {
			mine++
		}
		if err := b.linkBatch(ctx, batch, edges[:mine]); err != nil {
			return err
		}
		edges = edges[mine:]
		if b.progress != nil {
			b.progress(b.stats)
		}
	}
	return nil
}

// batches are whole components, in the order of their founders: the least that is
// linked in one transaction.
func (b *bulk) batches() [][]uint32 {
	parent := make([]uint32, len(b.recs))
	for i := range parent {
		parent[i] = uint32(i)
	}
	find := func(x uint32) uint32 {
		for parent[x] != x {
			parent[x] = parent[parent[x]]
			x = parent[x]
		}
		return x
	}
	for _, e := range b.edges {
		if e.weight >= b.r.Link {
			x, y := find(e.a), find(e.b)
			parent[max(x, y)] = min(x, y)
		}
	}
	order := make([]uint64, len(b.recs)) // founder, record
	for i := range order {
		order[i] = uint64(find(uint32(i)))<<32 | uint64(i)
	}
	slices.Sort(order)
	var batches [][]uint32
	var batch []uint32
	for i, o := range order {
		if len(batch) >= min(b.r.Batch, briefBatch) && order[i-1]>>32 != o>>32 {
			batches, batch = append(batches, batch), nil
		}
		batch = append(batch, uint32(o))
	}
	if len(batch) > 0 {
		batches = append(batches, batch)
	}
	return batches
}

func (b *bulk) linkBatch(ctx context.Context, batch []uint32, edges []bulkEdge) error {
	scan := &scanned{seqs: make(map[int64]int64, len(batch)), edges: make([]store.Edge, len(edges))}
	waiting := make(map[int64]int64, len(batch))
	for _, at := range batch {
		rec := b.recs[at]
		scan.recs = append(scan.recs, rec)
		if b.waiting[at] != 0 {
			waiting[rec] = b.waiting[at]
		}
	}
	slices.Sort(scan.recs)
	for i, e := range edges {
		x, z := b.recs[e.a], b.recs[e.b]
		scan.seqs[x], scan.seqs[z] = b.seqs[e.a], b.seqs[e.b]
		scan.edges[i] = store.Edge{A: x, B: z, Weight: e.weight, Pattern: e.pattern, Model: b.r.Model.Version}
	}
	slices.SortFunc(scan.edges, compareEdges)
	stats := Stats{Resolved: len(batch), Edges: len(edges)}
	ctx, span := trace.Detail(ctx, "link")
	err := b.r.Store.Link(store.Batched(ctx), func(tx *store.LinkTx) error {
		ruled, err := tx.AnyRuling(ctx) // a ruling ties records of two batches together
		if err != nil {
			return err
		}
		tx.Untouched = b.untouched && !ruled
		l := &link{r: b.r, tx: tx, scan: scan, waiting: waiting, stats: &stats, bulk: true}
		return l.run(ctx)
	})
	span.EndOf(stats.Resolved, err)
	if err == nil {
		b.stats = b.stats.add(stats)
	}
	return err
}
