package pipeline

import (
	"context"

	"touchstone/internal/store"
)

// Effect gathers what linking has changed: where each record stood and stands,
// and the golden records before and after. Several links add up in one.
type Effect struct {
	Members map[int64]store.Member // as they stood; Golden 0: in none
	Now     map[int64]int64        // record → founder
	Before  map[int64]store.Golden // by founder; absent: there was none
	After   map[int64]store.Golden // by founder; absent: it was not looked at, or is gone
	Gone    map[int64]bool         // founders whose golden record became part of another
	Dropped []int64                // fact numbers of waiting writes that nobody wants any more
	Sheets  []store.Sheet          // the balance of each link
}

// NewEffect is an effect of nothing.
func NewEffect() *Effect {
	return &Effect{
		Members: map[int64]store.Member{}, Now: map[int64]int64{},
		Before: map[int64]store.Golden{}, After: map[int64]store.Golden{}, Gone: map[int64]bool{},
	}
}

// Again links records by the matches that are stored, as the transaction sees
// them, and adds to e what comes of it. It is what a round does with records of
// which nothing but decisions has changed. The resolver is this caller's alone.
func (r *Resolver) Again(ctx context.Context, tx *store.LinkTx, recs []int64, e *Effect) (err error) {
	if r.Shared, err = tx.SharedNow(ctx, r.Entity); err != nil {
		return err
	}
	waiting, err := tx.Stamps(ctx, recs)
	if err != nil {
		return err
	}
	if r.Differ != nil {
		d := *r.Differ
		d.Dropped = func(seqs []int64) { e.Dropped = append(e.Dropped, seqs...) }
		r.Differ = &d
	}
	l := &link{r: r, tx: tx, scan: &scanned{recs: recs}, kept: true, waiting: waiting, stats: &Stats{}, effect: e}
	return l.run(ctx)
}

// note keeps what stood before anything of the link was written.
func (e *Effect) note(members []store.Member) {
	if e == nil {
		return
	}
	for _, m := range members {
		if _, known := e.Members[m.Rec]; !known {
			e.Members[m.Rec], e.Now[m.Rec] = m, m.Golden
		}
	}
}

func (e *Effect) placed(placed []store.Placed) {
	if e == nil {
		return
	}
	for _, p := range placed {
		e.Now[p.Rec] = p.Golden
	}
}

func (e *Effect) golden(stored map[int64]store.Golden, made []madeGolden, gone []store.Golden) {
	if e == nil {
		return
	}
	for founder, g := range stored {
		_, known := e.Before[founder]
		if _, now := e.After[founder]; !known && !now {
			e.Before[founder] = g
		}
	}
	for _, m := range made {
		e.After[m.golden.Founder] = m.golden
		delete(e.Gone, m.golden.Founder)
	}
	for _, g := range gone {
		delete(e.After, g.Founder)
		e.Gone[g.Founder] = true
	}
}
