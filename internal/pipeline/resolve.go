package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"

	"touchstone/internal/golden"
	"touchstone/internal/store"
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
	if total, err = r.bulkTurn(ctx, progress); err != nil {
		return total, fmt.Errorf("resolve %s: %w", r.Entity, err)
	}
	if err := r.fillQueue(ctx); err != nil {
		return total, fmt.Errorf("resolve %s: %w", r.Entity, err)
	}
	for range maxRounds {
		s, more, err := r.Round(ctx)
		if err != nil {
			return total, fmt.Errorf("resolve %s: %w", r.Entity, err)
		}
		total = total.add(s)
		if progress != nil {
			progress(total)
		}
		if !more {
			break
		}
	}
	return total, nil
}

func (s Stats) add(o Stats) Stats {
	return Stats{
		s.Resolved + o.Resolved, s.Pairs + o.Pairs, s.Edges + o.Edges, s.Spilled + o.Spilled,
		s.Golden + o.Golden, s.Dropped + o.Dropped, s.Planned + o.Planned,
	}
}

// Round takes one batch through publish, scan and link, and says whether more
// may wait.
func (r *Resolver) Round(ctx context.Context) (Stats, bool, error) {
	backlog, err := r.Store.BacklogResolve(ctx, r.Entity, r.Batch)
	if err != nil || len(backlog) == 0 {
		return Stats{}, false, err
	}
	recs := make([]int64, len(backlog))
	for i, t := range backlog {
		recs[i] = t.Rec
	}
	all, waiting, err := r.Store.Publish(ctx, recs, keysOf, r.lists())
	if err != nil {
		return Stats{}, false, err
	}
	if r.Shared, err = r.Store.Shared(ctx, r.Entity, r.Shared); err != nil {
		return Stats{}, false, err
	}
	scan, err := r.scan(ctx, all)
	if err != nil {
		return Stats{}, false, err
	}
	stats := Stats{Resolved: len(all), Pairs: scan.pairs, Edges: len(scan.edges), Spilled: scan.spilled}
	err = r.Store.Link(ctx, func(tx *store.LinkTx) error {
		l := &link{r: r, tx: tx, scan: scan, waiting: waiting, stats: &stats}
		return l.run(ctx)
	})
	return stats, true, err
}

func (r *Resolver) lists() store.Lists {
	return store.Lists{Entity: r.Entity, Cap: r.Cap, Names: r.Names}
}

func keysOf(features []byte) ([]store.Key, error) {
	f, err := matching.DecodeFeatures(features)
	if err != nil {
		return nil, err
	}
	keys := PostingKeys(f)
	slices.SortFunc(keys, store.Key.Compare)
	return slices.Compact(keys), nil
}

// PostingKeys names the posting lists that a record stands on.
func PostingKeys(f *matching.Features) []store.Key {
	keys := f.AppendKeys(nil)
	out := make([]store.Key, len(keys))
	for i, k := range keys {
		out[i] = store.Key{Coarse: k.Coarse, Fine: k.Fine}
	}
	return out
}

// scanned is what one scan found.
type scanned struct {
	recs     []int64         // those that are linked anew
	seqs     map[int64]int64 // of every record compared
	edges    []store.Edge
	features map[int64]*matching.Features
	pairs    int
	spilled  int
}

// scan finds the candidates of the records and weighs them; it locks nothing.
func (r *Resolver) scan(ctx context.Context, recs []int64) (*scanned, error) {
	s := &scanned{recs: recs, seqs: map[int64]int64{}, features: map[int64]*matching.Features{}}
	if err := r.load(ctx, s, recs); err != nil {
		return nil, err
	}
	byRec := make(map[int64][]store.Key, len(recs))
	var keys []store.Key
	for _, rec := range recs {
		f := s.features[rec]
		if f == nil {
			continue
		}
		byRec[rec] = PostingKeys(f)
		keys = append(keys, byRec[rec]...)
	}
	lists, spilled, err := r.postings(ctx, keys)
	if err != nil {
		return nil, err
	}
	s.spilled = spilled
	pairs := candidates(recs, byRec, lists)
	var others []int64
	for _, p := range pairs {
		for _, rec := range p {
			if s.features[rec] == nil {
				others = append(others, rec)
			}
		}
	}
	slices.Sort(others)
	if err := r.load(ctx, s, slices.Compact(others)); err != nil {
		return nil, err
	}
	s.pairs, s.edges = r.weigh(pairs, s.features)
	return s, nil
}

// halves parts n things among the cores.
func halves(n int) (parts [][2]int) {
	workers := max(1, min(runtime.GOMAXPROCS(0), n/minPart))
	for w := range workers {
		parts = append(parts, [2]int{w * n / workers, (w + 1) * n / workers})
	}
	return parts
}

// minPart is how many things are worth a worker of their own.
const minPart = 64

// postings reads the posting lists of the keys on all cores.
func (r *Resolver) postings(ctx context.Context, keys []store.Key) (map[store.Key][]int64, int, error) {
	slices.SortFunc(keys, store.Key.Compare)
	keys = slices.Compact(keys)
	parts := halves(len(keys))
	lists, spilled := make([]map[store.Key][]int64, len(parts)), make([]int, len(parts))
	err := parallel(len(parts), func(i int) (err error) {
		lists[i], spilled[i], err = r.Store.Postings(ctx, keys[parts[i][0]:parts[i][1]], r.Cap)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	for i := 1; i < len(parts); i++ {
		maps.Copy(lists[0], lists[i])
		spilled[0] += spilled[i]
	}
	return lists[0], spilled[0], nil
}

// weigh keeps the pairs at or above the review floor.
func (r *Resolver) weigh(pairs [][2]int64, features map[int64]*matching.Features) (weighed int, edges []store.Edge) {
	parts := halves(len(pairs))
	found, counts := make([][]store.Edge, len(parts)), make([]int, len(parts))
	_ = parallel(len(parts), func(i int) error { // which cannot fail
		for _, p := range pairs[parts[i][0]:parts[i][1]] {
			a, b := features[p[0]], features[p[1]]
			if a == nil || b == nil {
				continue
			}
			counts[i]++
			if w := r.Model.Weigh(a, b); w.Total >= r.Review {
				found[i] = append(found[i], store.Edge{A: p[0], B: p[1], Weight: w.Total, Pattern: w.Pattern, Model: r.Model.Version})
			}
		}
		return nil
	})
	for i := range parts {
		weighed += counts[i]
		edges = append(edges, found[i]...)
	}
	return weighed, edges
}

func (r *Resolver) load(ctx context.Context, s *scanned, recs []int64) error {
	parts := halves(len(recs))
	lists, decoded := make([][]store.Feature, len(parts)), make([][]*matching.Features, len(parts))
	err := parallel(len(parts), func(i int) (err error) {
		if lists[i], err = r.Store.Features(ctx, recs[parts[i][0]:parts[i][1]]); err != nil {
			return err
		}
		for _, f := range lists[i] {
			features, err := matching.DecodeFeatures(f.Features)
			if err != nil {
				return fmt.Errorf("features of record %d: %w", f.Rec, err)
			}
			decoded[i] = append(decoded[i], features.Share(r.Shared.Has))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, list := range lists {
		for k, f := range list {
			s.features[f.Rec], s.seqs[f.Rec] = decoded[i][k], f.Seq
		}
	}
	return nil
}

// candidates gives every pair that shares a list, once, the smaller first.
func candidates(recs []int64, byRec map[int64][]store.Key, lists map[store.Key][]int64) [][2]int64 {
	var pairs [][2]int64
	for _, rec := range recs {
		from := len(pairs)
		for _, k := range byRec[rec] {
			for _, other := range lists[k] {
				if other != rec {
					pairs = append(pairs, [2]int64{min(rec, other), max(rec, other)})
				}
			}
		}
		slices.SortFunc(pairs[from:], comparePairs)
		pairs = pairs[:from+len(slices.Compact(pairs[from:]))]
	}
	slices.SortFunc(pairs, comparePairs)
	return slices.Compact(pairs)
}

func comparePairs(a, b [2]int64) int {
	if a[0] != b[0] {
		return cmpInt(a[0], b[0])
	}
	return cmpInt(a[1], b[1])
}

func cmpInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
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
	switch generation, err := l.tx.Generation(ctx, l.r.Entity); {
	case err != nil:
		return err
	case generation != l.r.Generation:
		return ErrSwitched
	}
	if err := l.dropMoved(ctx); err != nil {
		return err
	}
	touched := slices.Clone(l.scan.recs)
	for _, e := range l.scan.edges {
		if e.Weight >= l.r.Link {
			touched = append(touched, e.A, e.B)
		}
	}
	slices.Sort(touched)
	all, err := l.tx.Closure(ctx, slices.Compact(touched))
	if err != nil {
		return err
	}
	if !l.kept {
		if err := l.tx.ReplaceMatches(ctx, l.scan.recs, l.scan.edges); err != nil {
			return err
		}
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
	if err := l.tx.ReplaceBridges(ctx, recs, bridges); err != nil {
		return err
	}
	if err := l.survive(ctx, groups); err != nil {
		return err
	}
	if err := l.balanced(ctx, balance); err != nil {
		return err
	}
	if err := l.tx.Done(ctx, l.waiting); err != nil {
		return err
	}
	return l.queue(ctx) // under the landing lock that Done took: an event that lands meanwhile is seen
}

// dropMoved leaves out the pairs of which one record has moved on since the
// scan: the newer version's own scan finds them again.
func (l *link) dropMoved(ctx context.Context) error {
	var recs []int64
	for _, e := range l.scan.edges {
		recs = append(recs, e.A, e.B)
	}
	slices.Sort(recs)
	now, err := l.tx.Seqs(ctx, slices.Compact(recs))
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
