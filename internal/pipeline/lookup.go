package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"touchstone/internal/lookup"
	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
)

const (
	// mostCompared bounds the records that one look-up weighs.
	mostCompared = 200
	// mostMembers bounds the members of one golden record that are looked at.
	mostMembers = 64
	// mostNamed bounds the golden records that are found by a name's words.
	mostNamed = 10
)

// LookUp answers whether a record is already there: the functions of the
// resolver over the same posting lists, for a record that is not stored. It is
// safe for concurrent use.
type LookUp struct {
	Store  *store.DB
	Entity string
	Shape  matching.Shape               // of an entity type of one's own
	shared atomic.Pointer[store.Shared] // as last read
}

// Scale is what a look-up weighs by.
type Scale struct {
	Model        *matching.Model
	Link, Review int32 // thresholds as weights
	Cap          int   // of a posting list
}

// Sighting is what a look-up found, best first.
type Sighting struct {
	Candidates []Candidate
	Compared   int
	Cut        bool     // more share a key than are weighed
	Common     []string // rules of keys that too many records have
	Publishing bool     // the posting lists are being made anew
}

// Candidate is a golden record, or one source record that is not resolved yet.
type Candidate struct {
	Golden  store.Golden // Founder 0: not resolved yet
	Members []store.Near // those looked at
	Best    store.Near   // the member that weighs most
	Weight  int32
	Verdict lookup.Verdict
	Veto    string // hard evidence against it, of any member
	Parts   []matching.Part
	Waiting []byte // the authored values of a record that is not resolved yet
}

// Find looks for a record. Named are golden records that are weighed whatever
// keys they share.
func (l *LookUp) Find(ctx context.Context, s Scale, fields record.Fields, named []int64, limit int) (out Sighting, err error) {
	asked := matching.StandardiseAs(l.Entity, l.Shape, fields)
	err = l.Store.Snapshot(ctx, func(tx *store.LookTx) error {
		have := l.shared.Load()
		keys := keysAsked(s.Model.Keys(asked.Share(have.Has)))
		err := tx.Ahead(ctx, func(ctx context.Context) error {
			_, err := tx.Standing(ctx, l.Entity, have)
			return err
		}, func(ctx context.Context) error {
			_, err := tx.Postings(ctx, keys, s.Cap)
			return err
		})
		if err != nil {
			return err
		}
		standing, err := tx.Standing(ctx, l.Entity, have)
		if err != nil {
			return err
		}
		l.shared.Store(standing.Shared)
		f := &finding{
			tx: tx, scale: s, shared: standing.Shared, asked: asked.Share(standing.Shared.Has), out: &out,
		}
		out.Publishing = standing.Publishing
		wanted := limit
		if len(named) > 0 { // who is weighed already is not weighed again
			wanted = mostCompared
		}
		if err := f.compare(ctx, wanted); err != nil {
			return err
		}
		if err := f.name(ctx, named); err != nil {
			return err
		}
		return f.gather(ctx, limit)
	})
	if err != nil {
		return Sighting{}, fmt.Errorf("look up a %s: %w", l.Entity, err)
	}
	return out, nil
}

// finding is one look-up on its way.
type finding struct {
	tx       *store.LookTx
	scale    Scale
	shared   *store.Shared
	asked    *matching.Features
	out      *Sighting
	features map[int64]*matching.Features // of the records weighed
	weighed  []Candidate                  // the best record of each golden record
}

// compare weighs the records that share a key, and keeps the best golden records:
// as many as are wanted, and those that weigh no less.
func (f *finding) compare(ctx context.Context, wanted int) error {
	made := f.scale.Model.Keys(f.asked)
	lists, err := f.tx.Postings(ctx, keysAsked(made), f.scale.Cap)
	if err != nil {
		return err
	}
	for i, l := range lists {
		if l.Spilled && !slices.Contains(f.out.Common, made[i].Rule) {
			f.out.Common = append(f.out.Common, made[i].Rule)
		}
	}
	slices.Sort(f.out.Common)
	recs, cut := nearest(lists, mostCompared)
	f.out.Cut = cut
	near, err := f.tx.Near(ctx, recs)
	if err != nil {
		return err
	}
	f.features = make(map[int64]*matching.Features, len(near)+len(near)/2)
	found := make([]weighedNear, len(near))
	for i := range near {
		w, err := f.weigh(near[i])
		if err != nil {
			return err
		}
		found[i] = weighedNear{&near[i], w}
	}
	slices.SortFunc(found, func(a, b weighedNear) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.near.Rec, b.near.Rec))
	})
	at := make(map[int64]bool, wanted)
	for to := 0; to < len(found) && len(f.weighed) < wanted; {
		from := to
		for to = min(from+2*wanted, len(found)); to < len(found) && found[to].weight == found[to-1].weight; {
			to++
		}
		recs = recs[:0]
		for _, c := range found[from:to] {
			recs = append(recs, c.near.Rec)
		}
		founders, err := f.tx.Founders(ctx, recs)
		if err != nil {
			return err
		}
		for _, x := range found[from:to] {
			founder := founders[x.near.Rec]
			if founder != 0 && at[founder] {
				continue
			}
			at[founder] = true // the first weighs most
			c := Candidate{Best: *x.near, Weight: x.weight}
			c.Best.Golden, c.Golden.Founder = founder, founder
			f.weighed = append(f.weighed, c)
		}
	}
	return nil
}

// keysAsked are keys as the store knows them.
func keysAsked(made []matching.Key) []store.Key {
	keys := make([]store.Key, len(made))
	for i, k := range made {
		keys[i] = store.Key{Coarse: k.Coarse, Fine: k.Fine}
	}
	return keys
}

// weighedNear is a record with its weight against the one asked for.
type weighedNear struct {
	near   *store.Near
	weight int32
}

// nearest chooses the records to weigh: those with the rarest keys first, each
// key counting by how few records have it.
func nearest(lists []store.Posted, most int) (recs []int64, cut bool) {
	all := 0
	for _, l := range lists {
		all += len(l.Recs)
	}
	score := make(map[int64]int, all)
	for _, l := range lists {
		for _, rec := range l.Recs {
			score[rec] += 1_000_000 / (len(l.Recs) + 1)
		}
	}
	recs = make([]int64, 0, len(score))
	for rec := range score {
		recs = append(recs, rec)
	}
	slices.SortFunc(recs, func(a, b int64) int { return cmp.Or(cmp.Compare(score[b], score[a]), cmp.Compare(a, b)) })
	if len(recs) > most {
		return recs[:most], true
	}
	return recs, false
}

// weigh compares one record with the one asked for.
func (f *finding) weigh(n store.Near) (int32, error) {
	g := f.features[n.Rec]
	if g == nil {
		decoded, err := matching.DecodeFeatures(n.Features)
		if err != nil {
			return 0, fmt.Errorf("features of record %d: %w", n.Rec, err)
		}
		if g = decoded; f.shared.Len() > 0 {
			g = decoded.Share(f.shared.Has)
		}
		f.features[n.Rec] = g
		f.out.Compared++
	}
	return f.scale.Model.Weigh(f.asked, g).Total, nil
}

// name adds golden records that were found otherwise, to be weighed with the
// rest.
func (f *finding) name(ctx context.Context, named []int64) error {
	var fresh []int64
	for _, founder := range named[:min(len(named), mostNamed)] {
		if !slices.ContainsFunc(f.weighed, func(c Candidate) bool { return c.Golden.Founder == founder }) {
			fresh = append(fresh, founder)
		}
	}
	goldens, err := f.tx.Goldens(ctx, fresh)
	if err != nil {
		return err
	}
	members, err := f.tx.Members(ctx, goldens, mostMembers)
	if err != nil {
		return err
	}
	for _, m := range members {
		w, err := f.weigh(m)
		if err != nil {
			return err
		}
		if n := len(f.weighed); n > 0 && f.weighed[n-1].Golden.Founder == m.Golden {
			if last := &f.weighed[n-1]; w > last.Weight {
				last.Best, last.Weight = m, w
			}
			continue
		}
		f.weighed = append(f.weighed, Candidate{Golden: store.Golden{Founder: m.Golden}, Best: m, Weight: w})
	}
	return nil
}

// gather reads the best golden records whole, weighs all their members, and says
// what each is.
func (f *finding) gather(ctx context.Context, limit int) error {
	slices.SortFunc(f.weighed, compareCandidates)
	best := f.weighed[:min(len(f.weighed), limit)]
	var founders []int64
	for _, c := range best {
		if c.Golden.Founder != 0 {
			founders = append(founders, c.Golden.Founder)
		}
	}
	all := make(map[int64]store.Golden, len(founders))
	for _, founder := range founders {
		all[founder] = store.Golden{}
	}
	err := f.tx.Ahead(ctx, func(ctx context.Context) error {
		_, err := f.tx.Goldens(ctx, founders)
		return err
	}, func(ctx context.Context) error {
		_, err := f.tx.Members(ctx, all, mostMembers)
		return err
	})
	if err != nil {
		return err
	}
	goldens, err := f.tx.Goldens(ctx, founders)
	if err != nil {
		return err
	}
	members, err := f.tx.Members(ctx, goldens, mostMembers)
	if err != nil {
		return err
	}
	for i := range best {
		c := &best[i]
		if g, ok := goldens[c.Golden.Founder]; ok {
			c.Golden = g
		}
		from, _ := slices.BinarySearchFunc(members, c.Golden.Founder, func(n store.Near, founder int64) int { return cmp.Compare(n.Golden, founder) })
		for ; from < len(members) && members[from].Golden == c.Golden.Founder; from++ {
			c.Members = append(c.Members, members[from])
		}
		if len(c.Members) == 0 {
			c.Members = []store.Near{c.Best}
		}
		if err := f.judge(c); err != nil {
			return err
		}
	}
	slices.SortFunc(best, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(rank(a.Verdict), rank(b.Verdict)), compareCandidates(a, b))
	})
	f.out.Candidates = best
	return f.unresolved(ctx)
}

// unresolved says what the candidates are that belong to no golden record yet.
func (f *finding) unresolved(ctx context.Context) error {
	var recs []int64
	for _, c := range f.out.Candidates {
		if c.Golden.ID == "" {
			recs = append(recs, c.Best.Rec)
		}
	}
	known, err := f.tx.Waiting(ctx, recs)
	if err != nil {
		return err
	}
	for i := range f.out.Candidates {
		c := &f.out.Candidates[i]
		if w, ok := known[c.Best.Rec]; ok {
			c.Waiting, c.Members[0].Ref = w.Authored, w.Ref
		}
	}
	return nil
}

// compareCandidates puts the heaviest first, then the oldest.
func compareCandidates(a, b Candidate) int {
	return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Golden.Founder, b.Golden.Founder), cmp.Compare(a.Best.Rec, b.Best.Rec))
}

func rank(v lookup.Verdict) int {
	return slices.Index([]lookup.Verdict{lookup.Same, lookup.Maybe, lookup.No}, v)
}

// judge weighs the members of a candidate and gives its verdict. Hard evidence
// against any of them leaves the question to a person, as it does when records
// are resolved.
func (f *finding) judge(c *Candidate) error {
	for _, m := range c.Members {
		w, err := f.weigh(m)
		if err != nil {
			return err
		}
		if w > c.Weight {
			c.Best, c.Weight = m, w
		}
		if why, veto := f.scale.Model.Veto(f.asked, f.features[m.Rec]); veto && c.Veto == "" {
			c.Veto = why
		}
	}
	switch {
	case c.Weight >= f.scale.Link && c.Veto == "":
		c.Verdict = lookup.Same
	case c.Weight >= f.scale.Review:
		c.Verdict = lookup.Maybe
	default:
		c.Verdict = lookup.No
	}
	c.Parts = f.scale.Model.Explain(f.asked, f.features[c.Best.Rec])
	return nil
}
