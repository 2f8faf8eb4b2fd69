package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"touchstone/internal/golden"
	"touchstone/internal/store"
	"touchstone/internal/trace"
	"touchstone/matching"
	"touchstone/matching/cluster"
)

// Resolver turns features into golden records: block, weigh, cluster, survive,
// diff. Publish, scan and link are three steps so that many workers could do
// them at once: keys are never locked, components are.
type Resolver struct {
	Store  *store.DB
	Log    *slog.Logger
	Entity string
	Model  *matching.Model
	// Generation is that of the model (store.ActiveModel): what was weighed by
	// another is not linked.
	Generation int64
	Link       int32 // thresholds as weights
	Review     int32
	Policy     golden.Policy
	Cap        int // of a posting list
	Names      int // that may use one value before it is shared; 0: none is ever
	Batch      int // records a round
	Bulk       int // so many must wait before all are resolved at once; 0 for the default
	Differ     *Differ
	// Referred says that some target refers to these golden records: those that
	// do are planned again when one takes in or loses members.
	Referred bool
	// Shared are the values that more names use, as last read; its store's.
	Shared *store.Shared
	// Maps are the decisions on values, as last read; its store's.
	Maps   *store.ValueMaps
	values golden.Values // the same made ready
	// Worth says how the pairs that are left to a person are valued.
	Worth Worth
	// Ended gives what is asked when a turn has ended (store.DB.Ahead); nil for nothing.
	Ended func() []func(context.Context) error
}

// ErrSwitched says that another match model has been put in force: what was
// being resolved waits still, and is to be weighed by that one.
var ErrSwitched = errors.New("another match model is in force now")

// Stats say what resolving did.
type Stats struct {
	Resolved, Pairs, Edges, Spilled int
	Golden, Dropped, Planned        int
}

// maxRounds bounds one turn, so that steady traffic of one entity does not
// starve the others.
const maxRounds = 1000

// Run resolves until nothing waits, or its turn is over; what is left then waits
// for the next.
func (r *Resolver) Run(ctx context.Context, progress func(Stats)) (total Stats, err error) {
	ctx, span := trace.Start(ctx, "entity", trace.Text("touchstone.entity", r.Entity))
	defer func() { total.end(span, err) }()
	if total, err = r.bulkTurn(ctx, progress); err != nil {
		return total, fmt.Errorf("resolve %s: %w", r.Entity, err)
	}
	if err := r.fillQueue(ctx); err != nil {
		return total, fmt.Errorf("resolve %s: %w", r.Entity, err)
	}
	rounds, err := r.rounds(ctx, func(s Stats) {
		if progress != nil {
			progress(total.add(s))
		}
	})
	if err != nil {
		return total.add(rounds), fmt.Errorf("resolve %s: %w", r.Entity, err)
	}
	return total.add(rounds), nil
}

func (s Stats) add(o Stats) Stats {
	return Stats{
		s.Resolved + o.Resolved, s.Pairs + o.Pairs, s.Edges + o.Edges, s.Spilled + o.Spilled,
		s.Golden + o.Golden, s.Dropped + o.Dropped, s.Planned + o.Planned,
	}
}

// end ends the span of a turn; one that found nothing to do is forgotten.
func (s Stats) end(span *trace.Span, err error) {
	span.Set(
		trace.Int("touchstone.pairs", s.Pairs), trace.Int("touchstone.edges", s.Edges), trace.Int("touchstone.spilled", s.Spilled),
		trace.Int("touchstone.golden", s.Golden), trace.Int("touchstone.dropped", s.Dropped), trace.Int("touchstone.planned", s.Planned),
	)
	span.EndOf(s.Resolved, err)
}

func (r *Resolver) lists() store.Lists {
	return store.Lists{Entity: r.Entity, Cap: r.Cap, Names: r.Names}
}

func (r *Resolver) keysOf(features []byte) ([]store.Key, error) {
	f, err := matching.DecodeFeatures(features)
	if err != nil {
		return nil, err
	}
	keys := PostingKeys(r.Model, f)
	slices.SortFunc(keys, store.Key.Compare)
	return slices.Compact(keys), nil
}

// PostingKeys names the posting lists that a record stands on by a model.
func PostingKeys(m *matching.Model, f *matching.Features) []store.Key {
	keys := m.AppendKeys(nil, f)
	out := make([]store.Key, len(keys))
	for i, k := range keys {
		out[i] = store.Key{Coarse: k.Coarse, Fine: k.Fine}
	}
	return out
}

// link is one linking transaction.
type link struct {
	r       *Resolver
	tx      *store.LinkTx
	scan    *scanned
	waiting map[int64]int64 // stamps on the backlog, read with the keys
	stats   *Stats
	members []store.Member
	at      map[int64]int // rec → index in members
	edges   []store.Edge
	rulings []store.Ruling
	placed  []store.Placed
	values  golden.Values
	kept    bool    // the stored matches stand: nothing was scanned
	effect  *Effect // nil where nobody asks
	bulk    bool
}

func (l *link) run(ctx context.Context) error {
	if err := l.ahead(ctx); err != nil {
		return err
	}
	switch generation, err := l.tx.Generation(ctx, l.r.Entity); {
	case err != nil:
		return err
	case generation != l.r.Generation:
		return ErrSwitched
	}
	if err := l.dropMoved(ctx); err != nil {
		return err
	}
	all, err := l.tx.Closure(ctx, l.touched())
	if err != nil {
		return err
	}
	if !l.kept {
		if err := l.tx.ReplaceMatches(ctx, l.r.Entity, l.scan.recs, l.scan.edges); err != nil {
			return err
		}
	}
	if err := l.tx.AheadOfMembers(ctx, l.r.Entity, all, l.r.Maps); err != nil {
		return err
	}
	if l.members, err = l.tx.Members(ctx, all); err != nil {
		return err
	}
	l.effect.note(l.members)
	l.at = make(map[int64]int, len(l.members))
	recs := make([]int64, len(l.members))
	for i, m := range l.members {
		l.at[m.Rec], recs[i] = i, m.Rec
	}
	if l.edges, err = l.tx.Matches(ctx, recs); err != nil {
		return err
	}
	if l.rulings, err = l.tx.Rulings(ctx, recs); err != nil {
		return err
	}
	if err := l.tx.MarkStale(ctx, l.members); err != nil {
		return err
	}
	groups, placed, bridges, err := l.cluster()
	if err != nil {
		return err
	}
	l.placed = placed
	if l.values, err = l.r.valuesOf(ctx, l.tx); err != nil {
		return err
	}
	balance, err := l.weighUp(ctx, all)
	if err != nil {
		return err
	}
	if err := l.tx.Place(ctx, placed); err != nil {
		return err
	}
	l.effect.placed(placed)
	if err := l.tx.ReplaceBridges(ctx, l.r.Entity, recs, bridges); err != nil {
		return err
	}
	if err := l.survive(ctx, groups); err != nil {
		return err
	}
	if err := l.balanced(ctx, balance); err != nil {
		return err
	}
	if err := l.tx.Done(ctx, l.waiting, l.aheadOfQueue(recs)...); err != nil {
		return err
	}
	return l.queue(ctx) // under the landing lock that Done took: an event that lands meanwhile is seen
}

// dropMoved leaves out the pairs of which one record has moved on since the
// scan: the newer version's own scan finds them again.
func (l *link) dropMoved(ctx context.Context) error {
	now, err := l.tx.Seqs(ctx, l.compared())
	if err != nil {
		return err
	}
	moved := func(rec int64) bool { return now[rec] != l.scan.seqs[rec] }
	l.scan.edges = slices.DeleteFunc(l.scan.edges, func(e store.Edge) bool { return moved(e.A) || moved(e.B) })
	return nil
}

// group is one cluster: indexes of members, founder first.
type group struct{ members []int }

// cluster finds the components and partitions each.
func (l *link) cluster() (groups []group, placed []store.Placed, bridges []store.Edge, err error) {
	comps := l.components()
	edges, rulings := l.within(comps)
	ids, outs := make([]int64, len(comps)), make([]cluster.Output, len(comps))
	err = parallel(len(comps), func(i int) (err error) {
		ids[i] = l.members[comps[i][0]].Rec // the lowest landing number
		outs[i], err = l.partition(comps[i], edges[i], rulings[i])
		return err
	})
	if err != nil {
		return nil, nil, nil, err
	}
	for n, comp := range comps {
		compID, out := ids[n], outs[n]
		byGroup := map[int][]int{}
		for i, g := range out.Group {
			byGroup[g] = append(byGroup[g], comp[i])
		}
		for g := range len(byGroup) {
			members := byGroup[g]
			slices.Sort(members) // by landing number: the founder is first
			groups = append(groups, group{members})
			founder := l.members[members[0]].Rec
			for _, i := range members {
				m := l.members[i]
				if m.Comp != compID || m.Golden != founder {
					placed = append(placed, store.Placed{Rec: m.Rec, Comp: compID, Golden: founder, Was: m.Golden})
				}
			}
		}
		for _, b := range out.Bridges {
			a, z := l.members[comp[b.A]].Rec, l.members[comp[b.B]].Rec
			bridges = append(bridges, store.Edge{A: min(a, z), B: max(a, z), Weight: b.Weight})
		}
	}
	return groups, placed, bridges, nil
}

// components are the connected components over links at or above the
// threshold and must-links, whatever vetoes say; members in landing order.
func (l *link) components() [][]int {
	parent := make([]int, len(l.members))
	for i := range parent {
		parent[i] = i
	}
	find := func(x int) int {
		for parent[x] != x {
			parent[x] = parent[parent[x]]
			x = parent[x]
		}
		return x
	}
	unite := func(a, b int64) {
		i, ok := l.at[a]
		j, ok2 := l.at[b]
		if !ok || !ok2 {
			return
		}
		x, y := find(i), find(j)
		parent[max(x, y)] = min(x, y)
	}
	for _, e := range l.edges {
		if e.Weight >= l.r.Link {
			unite(e.A, e.B)
		}
	}
	for _, r := range l.rulings {
		if r.Kind == "must" {
			unite(r.A, r.B)
		}
	}
	comps := make([][]int, 0, len(l.members))
	place := map[int]int{}
	for i := range l.members {
		root := find(i)
		n, ok := place[root]
		if !ok {
			n = len(comps)
			place[root] = n
			comps = append(comps, nil)
		}
		comps[n] = append(comps[n], i)
	}
	return comps
}

// partition clusters one component.
func (l *link) partition(comp []int, edges []store.Edge, rulings []store.Ruling) (cluster.Output, error) {
	if len(comp) == 1 {
		return cluster.Output{Group: []int{0}}, nil
	}
	slices.SortFunc(comp, func(a, b int) int { return l.members[a].Ref.Compare(l.members[b].Ref) })
	members := make([]store.Member, len(comp))
	for i, m := range comp {
		members[i] = l.members[m]
	}
	in, err := l.r.Input(members, edges, rulings)
	if err != nil {
		return cluster.Output{}, err
	}
	return cluster.Partition(in), nil
}
