package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"touchstone/internal/store"
	"touchstone/matching"
	"touchstone/matching/cluster"
)

// What decided whether two records are one customer.
const (
	ByRuling  = "ruling"  // a person's decision
	ByLink    = "link"    // the pair's own weight
	ByPath    = "path"    // links through other records
	ByWeight  = "weight"  // too little speaks for it
	ByVeto    = "veto"    // hard evidence against it
	ByMean    = "mean"    // one link, and the rest of the two groups does not agree
	ByKeys    = "keys"    // never compared: they share no key
	ByWaiting = "waiting" // not resolved yet, or the component was too large for weak links
)

// Why says why two records are one customer, or are not, and what would make it
// otherwise.
type Why struct {
	Same      bool            `json:"same"`
	Decided   string          `json:"decided_by"` // one of the constants above
	GoldenA   string          `json:"golden_a"`
	GoldenB   string          `json:"golden_b"`
	Pair      Explained       `json:"pair"` // the two records named, or the best pair between their golden records
	Link      float64         `json:"link_bits"`
	Review    float64         `json:"review_bits"`
	Rulings   []ShownDecision `json:"decisions,omitempty"`
	Path      []PathStep      `json:"path,omitempty"`
	Also      []PathStep      `json:"also,omitempty"` // they would stay together through these, without their own link
	Veto      string          `json:"veto,omitempty"`
	VetoA     string          `json:"veto_a,omitempty"` // the two records it stands between
	VetoB     string          `json:"veto_b,omitempty"`
	Mean      float64         `json:"mean_bits,omitempty"` // of all pairs across the two groups
	MeanLeast float64         `json:"mean_least_bits,omitempty"`
	Flips     []FlippedBy     `json:"flips,omitempty"` // single changes of the deciding pair that would turn it
	FlipA     string          `json:"flip_a,omitempty"`
	FlipB     string          `json:"flip_b,omitempty"`
	// Missed are the keys by which the pair could have been found; only where it
	// shares none.
	Missed []matching.MissedKey `json:"missed_keys,omitempty"`
	// Marks are notes on values of the two records of the pair.
	Marks []ShownMark `json:"marks,omitempty"`
}

// PathStep is one link of a chain.
type PathStep struct {
	A        string  `json:"a"`
	B        string  `json:"b"`
	Weight   float64 `json:"weight_bits"`
	Decision string  `json:"decision,omitempty"` // it holds by a person's decision
}

// FlippedBy is a change that would turn the answer.
type FlippedBy struct {
	Field  string  `json:"field"`
	From   string  `json:"from"`
	To     string  `json:"to"`
	Weight float64 `json:"weight_bits"`
}

func bits(w int32) float64 { return float64(w) / 1000 }

// side is a golden record on one side of a question.
type side struct {
	store.Subject
	members  []store.Member
	features map[int64]*matching.Features
}

// Why explains two golden ids or source records.
func (a *App) Why(ctx context.Context, x, y string) (w Why, err error) {
	q := question{a: a}
	if err := a.Store.Look(ctx, func(tx *store.DecideTx) error { return q.load(ctx, tx, x, y) }); err != nil {
		return w, err
	}
	e := a.entityNamed(q.s.Ref.Entity)
	if e == nil || e.model.Load() == nil {
		return w, errors.New("this entity type is not configured")
	}
	q.e, q.model = e, e.model.Load()
	if err := q.features(ctx); err != nil {
		return w, err
	}
	link, review := e.cuts()
	w = Why{GoldenA: q.s.ID, GoldenB: q.t.ID, Same: q.s.Founder == q.t.Founder, Link: bits(link), Review: bits(review)}
	if w.Same {
		err = q.together(ctx, &w)
	} else {
		err = q.parted(ctx, &w)
	}
	if err != nil {
		return w, err
	}
	see, err := a.sight(ctx)
	if err != nil {
		return w, err
	}
	see.why(e.name, &w)
	return w, q.marks(see, &w)
}

// why takes away what an explanation says of masked fields. Keys and what excludes
// a pair may quote any.
func (s sight) why(entity string, w *Why) {
	if len(s.masks) == 0 {
		return
	}
	w.Pair.Parts = slices.DeleteFunc(slices.Clone(w.Pair.Parts), func(p matching.Part) bool { return s.compares(entity, p.Field) })
	w.Flips = slices.DeleteFunc(slices.Clone(w.Flips), func(f FlippedBy) bool { return s.compares(entity, f.Field) })
	w.Pair.Shared, w.Pair.Veto, w.Veto, w.Missed = []string{}, "", "", nil
}

// question is two records and what stands between them.
type question struct {
	a      *App
	e      *entity
	model  *matching.Model
	s, t   side
	must   []store.Decision // in force between the two records, or within the golden record
	cannot []store.Decision
	edges  []store.LinkedPair // stored matches and must-links among the members
}

func (q *question) load(ctx context.Context, tx *store.DecideTx, x, y string) (err error) {
	if q.s.Subject, q.t.Subject, err = q.a.two(ctx, tx, x, y); err != nil {
		return err
	}
	if q.cannot, err = tx.RuledBetween(ctx, []string{"cannot"}, q.s.Recs(), q.t.Recs()); err != nil {
		return err
	}
	if q.s.Founder == q.t.Founder {
		if q.must, err = tx.RuledBetween(ctx, []string{"must"}, []int64{q.s.Rec}, []int64{q.t.Rec}); err != nil {
			return err
		}
		if d, found, err := tx.Together(ctx, q.s.Rec, q.t.Rec); err != nil {
			return err
		} else if found && len(q.must) == 0 {
			q.must = []store.Decision{d}
		}
	}
	q.edges, err = tx.Linked(ctx, slices.Concat(q.s.Recs(), q.t.Recs()))
	return err
}

func (q *question) features(ctx context.Context) error {
	byGolden, err := q.a.Store.MembersOf(ctx, []int64{q.s.Founder, q.t.Founder})
	if err != nil {
		return err
	}
	shared, err := q.a.Store.Shared(ctx, q.e.name, nil)
	if err != nil {
		return err
	}
	for _, s := range []*side{&q.s, &q.t} {
		s.members, s.features = byGolden[s.Founder], map[int64]*matching.Features{}
		for _, m := range s.members {
			f, err := matching.DecodeFeatures(m.Features)
			if err != nil {
				return fmt.Errorf("features of %s: %w", m.Ref, err)
			}
			s.features[m.Rec] = f.Share(shared.Has)
		}
	}
	return nil
}

func (q *question) name(rec int64) string {
	for _, s := range []*side{&q.s, &q.t} {
		for _, m := range s.Members {
			if m.Rec == rec {
				return q.a.refName(m.Ref)
			}
		}
	}
	return ""
}

// explain weighs two records part by part.
func (q *question) explain(x, y int64) Explained {
	f, g := q.s.features[x], q.t.features[y]
	if f == nil || g == nil {
		return Explained{A: q.name(x), B: q.name(y), Shared: []string{}}
	}
	w := q.model.Weigh(f, g)
	out := Explained{
		A: q.name(x), B: q.name(y), Weight: bits(w.Total), Probability: q.model.Probability(w.Total),
		Parts: worded(q.model.Explain(f, g)), Shared: []string{},
	}
	for _, k := range q.model.SharedKeys(f, g) {
		out.Shared = append(out.Shared, k.Rule+" "+k.Text)
	}
	if why, veto := q.model.Veto(f, g); veto {
		out.Veto = why
	}
	return out
}

// link is the threshold in force, as a weight.
func (q *question) link() int32 {
	link, _ := q.e.cuts()
	return link
}

func (q *question) flips(w *Why, x, y int64) {
	f, g := q.s.features[x], q.t.features[y]
	if f == nil || g == nil {
		return
	}
	w.FlipA, w.FlipB = q.name(x), q.name(y)
	for _, flip := range q.model.Flips(f, g, q.link()) {
		w.Flips = append(w.Flips, FlippedBy{flip.Field, flip.From, flip.To, bits(flip.Weight)})
	}
}

// together explains two records of one golden record.
func (q *question) together(ctx context.Context, w *Why) (err error) {
	w.Pair = q.explain(q.s.Rec, q.t.Rec)
	if len(q.must) > 0 {
		w.Decided = ByRuling
		w.Rulings, err = q.a.showDecisions(ctx, q.must)
		return err
	}
	direct := func(e store.LinkedPair) bool {
		return e.A == min(q.s.Rec, q.t.Rec) && e.B == max(q.s.Rec, q.t.Rec) && e.Decision == "" && e.Weight >= q.link()
	}
	if slices.ContainsFunc(q.edges, direct) {
		w.Decided = ByLink
		q.flips(w, q.s.Rec, q.t.Rec)
		w.Also, _ = q.path(func(e store.LinkedPair) bool { return !direct(e) })
		return nil
	}
	w.Decided = ByPath
	var weakest store.LinkedPair
	if w.Path, weakest = q.path(func(store.LinkedPair) bool { return true }); len(w.Path) == 0 {
		w.Decided = ByWaiting
		return nil
	}
	if weakest.Decision == "" {
		q.flips(w, weakest.A, weakest.B)
	}
	return nil
}

// path is the chain of links whose weakest is strongest, with that weakest; a
// person's decision is stronger than any weight.
func (q *question) path(use func(store.LinkedPair) bool) (steps []PathStep, weakest store.LinkedPair) {
	edges := slices.DeleteFunc(slices.Clone(q.edges), func(e store.LinkedPair) bool {
		return !use(e) || e.Decision == "" && e.Weight < q.link()
	})
	strength := func(e store.LinkedPair) int64 {
		if e.Decision != "" {
			return 1 << 40
		}
		return int64(e.Weight)
	}
	slices.SortFunc(edges, func(x, y store.LinkedPair) int {
		return cmp.Or(cmp.Compare(strength(y), strength(x)), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	// Strongest first until the two hang together (Kruskal): the chain in that
	// forest is the one whose weakest link is strongest.
	of := map[int64]int64{}
	find := func(x int64) int64 {
		for of[x] != 0 {
			x = of[x]
		}
		return x
	}
	near := map[int64][]store.LinkedPair{}
	for _, e := range edges {
		if x, y := find(e.A), find(e.B); x != y {
			of[x] = y
			near[e.A], near[e.B] = append(near[e.A], e), append(near[e.B], store.LinkedPair{A: e.B, B: e.A, Weight: e.Weight, Decision: e.Decision})
		}
	}
	came := map[int64]store.LinkedPair{q.s.Rec: {}}
	for queue := []int64{q.s.Rec}; len(queue) > 0; queue = queue[1:] {
		for _, e := range near[queue[0]] {
			if _, done := came[e.B]; !done {
				came[e.B] = e
				queue = append(queue, e.B)
			}
		}
	}
	if _, reached := came[q.t.Rec]; !reached {
		return nil, weakest
	}
	for at := q.t.Rec; at != q.s.Rec; at = came[at].A {
		e := came[at]
		if weakest.A == 0 || strength(e) < strength(weakest) {
			weakest = e
		}
		steps = append(steps, PathStep{A: q.name(e.A), B: q.name(e.B), Weight: bits(e.Weight), Decision: e.Decision})
	}
	slices.Reverse(steps)
	return steps, weakest
}

// parted explains two records of different golden records.
func (q *question) parted(ctx context.Context, w *Why) (err error) {
	best, mean, veto := q.across()
	w.Pair = q.explain(best.a, best.b)
	if f, g := q.s.features[best.a], q.t.features[best.b]; f != nil && g != nil && len(w.Pair.Shared) == 0 {
		w.Missed = q.model.MissedKeys(f, g)
	}
	link := q.link()
	switch {
	case len(q.cannot) > 0:
		w.Decided = ByRuling
		w.Rulings, err = q.a.showDecisions(ctx, q.cannot)
		return err
	case best.weight < link:
		w.Decided = ByWeight
		if veto.text != "" { // which no change of a level overcomes
			w.Veto, w.VetoA, w.VetoB = veto.text, q.name(veto.a), q.name(veto.b)
		} else {
			q.flips(w, best.a, best.b)
		}
	case veto.text != "":
		w.Decided, w.Veto, w.VetoA, w.VetoB = ByVeto, veto.text, q.name(veto.a), q.name(veto.b)
	case !slices.ContainsFunc(q.edges, func(e store.LinkedPair) bool {
		return e.Decision == "" && e.Weight >= link && (q.s.features[e.A] == nil) != (q.s.features[e.B] == nil)
	}):
		w.Decided = ByKeys
	case mean < float64(link-cluster.Slack):
		w.Decided, w.Mean, w.MeanLeast = ByMean, mean/1000, bits(link-cluster.Slack)
	default:
		w.Decided = ByWaiting
	}
	return nil
}

type weighed struct {
	a, b   int64
	weight int32
	text   string
}

// across weighs every pair between the two golden records, of large ones those
// that the clustering samples in number: the named pair stays when none is
// better.
func (q *question) across() (best weighed, mean float64, veto weighed) {
	xs, ys := q.s.members[:min(len(q.s.members), cluster.Sample)], q.t.members[:min(len(q.t.members), cluster.Sample)]
	best = weighed{a: q.s.Rec, b: q.t.Rec}
	if f, g := q.s.features[best.a], q.t.features[best.b]; f != nil && g != nil {
		best.weight = q.model.Weigh(f, g).Total
	}
	sum, n := 0.0, 0
	for _, x := range xs {
		for _, y := range ys {
			f, g := q.s.features[x.Rec], q.t.features[y.Rec]
			weight := q.model.Weigh(f, g).Total
			sum += float64(weight)
			n++
			if weight > best.weight {
				best = weighed{a: x.Rec, b: y.Rec, weight: weight}
			}
			if text, is := q.model.Veto(f, g); is && veto.text == "" {
				veto = weighed{a: x.Rec, b: y.Rec, text: text}
			}
		}
	}
	return best, sum / float64(max(n, 1)), veto
}
