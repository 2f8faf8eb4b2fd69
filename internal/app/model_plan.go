package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
)

// ModelPlan is what putting a match model in force would change.
type ModelPlan struct {
	Entity  string       `json:"entity"`
	Version string       `json:"version"`
	From    string       `json:"from"`   // the model in force
	Merges  int          `json:"merges"` // golden records that would become part of another
	Splits  int          `json:"splits"` // golden records that would come out of another
	Moves   int          `json:"moves"`  // records that would go from one golden record to another
	Golden  GoldenPlan   `json:"golden"`
	Writes  []WritesPlan `json:"writes"`
	Changes []Regrouping `json:"changes"` // the first ones
}

// GoldenPlan counts golden records.
type GoldenPlan struct {
	New     int `json:"new"`
	Changed int `json:"changed"` // other values, or other members
	Gone    int `json:"gone"`
}

// WritesPlan counts what one system would be sent that it would not be sent now.
type WritesPlan struct {
	Target  string `json:"target"`
	System  string `json:"system"`
	Creates int    `json:"creates"`
	Updates int    `json:"updates"`
}

// Regrouping is one record that would go to another golden record.
type Regrouping struct {
	What   string `json:"what"` // merge | split | move
	Record string `json:"record"`
	From   string `json:"from"` // founder of the golden record it is in
	To     string `json:"to"`   // founder of the one it would be in
}

// mostChanges is how many regroupings a plan shows.
const mostChanges = 50

// PlanModel computes what another match model would make of the records, beside
// the store, and compares. Nothing in the store changes and nothing is sent.
// Records that still wait would count as changes: resolve first.
func (a *App) PlanModel(ctx context.Context, name string, progress Progress) (p ModelPlan, err error) {
	if progress == nil {
		progress = func(string, string, int) {}
	}
	m, err := a.Model(ctx, name)
	if err != nil {
		return p, err
	}
	candidate, err := matching.DecodeModel(m.Model)
	if err != nil {
		return p, err
	}
	e := a.entityNamed(m.Entity)
	if e == nil || e.resolver == nil {
		return p, fmt.Errorf("entity type %q is not configured: %w", m.Entity, record.ErrNotFound)
	}
	p = ModelPlan{Entity: m.Entity, Version: m.Version, From: e.model.Load().Version, Writes: []WritesPlan{}, Changes: []Regrouping{}}
	scratch, done, err := a.scratch(ctx, planPrefix)
	if err != nil {
		return p, fmt.Errorf("plan match model: %w", err)
	}
	defer func() { err = errors.Join(err, done()) }()
	if err := a.Store.CopyForModel(ctx, scratch); err != nil {
		return p, fmt.Errorf("plan match model: %w", err)
	}
	generation, err := scratch.Generation(ctx, m.Entity)
	if err != nil {
		return p, err
	}
	twin := a.twin(scratch)
	for _, other := range a.entities { // the others refer to these golden records
		if other.resolver != nil {
			twin.entityNamed(other.name).resolver.Differ = other.resolver.Differ
		}
	}
	twin.use(twin.entityNamed(m.Entity), candidate, generation)
	if err := twin.Resolve(ctx, progress); err != nil {
		return p, fmt.Errorf("plan match model: %w", err)
	}
	for _, step := range []func(context.Context, *store.DB, *ModelPlan) error{a.planGroups, a.planGolden, a.planWrites} {
		if err := step(ctx, scratch, &p); err != nil {
			return p, fmt.Errorf("plan match model: %w", err)
		}
	}
	return p, nil
}

// sweepPlans removes what plans that were killed have left: copies of facts.
func sweepPlans(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, planPrefix+"*"))
	for _, old := range left {
		err = errors.Join(err, os.RemoveAll(old))
	}
	if err != nil {
		return fmt.Errorf("remove the plan of a match model: %w", err)
	}
	return nil
}

const planPrefix = "model-plan-"

// planGroups compares where the records stand.
func (a *App) planGroups(ctx context.Context, scratch *store.DB, p *ModelPlan) error {
	type way struct{ from, to int64 }
	ways := map[way]int64{} // → the first record that goes it
	stood := map[int64]int64{}
	for after, more := int64(0), true; more; {
		was, err := a.Store.Placements(ctx, p.Entity, after, exportPage)
		if err != nil {
			return err
		}
		recs := make([]int64, len(was))
		for i, x := range was {
			recs[i] = x.Rec
		}
		now, err := scratch.PlacedNow(ctx, recs)
		if err != nil {
			return err
		}
		for _, x := range was {
			after = x.Rec
			to := now[x.Rec]
			if to == 0 || to == x.Golden {
				continue
			}
			stood[x.Rec] = x.Golden
			w := way{x.Golden, to}
			if _, ok := ways[w]; !ok {
				ways[w] = x.Rec
			}
		}
		more = len(was) == exportPage
	}
	list := make([]way, 0, len(ways))
	for w := range ways {
		list = append(list, w)
	}
	slices.SortFunc(list, func(x, y way) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
	var recs []int64
	for _, w := range list[:min(len(list), mostChanges)] {
		recs = append(recs, w.from, w.to, ways[w])
	}
	refs, err := a.Store.Refs(ctx, recs)
	if err != nil {
		return err
	}
	for i, w := range list {
		what := "move"
		switch {
		case ways[w] == w.from: // a founder goes: its golden record becomes part of another
			what = "merge"
			p.Merges++
		case stood[w.to] == w.from: // the founder of the new one stood here too
			what = "split"
			p.Splits++
		default:
			p.Moves++
		}
		if i < mostChanges {
			p.Changes = append(p.Changes, Regrouping{what, a.refName(refs[ways[w]]), a.refName(refs[w.from]), a.refName(refs[w.to])})
		}
	}
	return nil
}

// planGolden compares the golden records, by founder.
func (a *App) planGolden(ctx context.Context, scratch *store.DB, p *ModelPlan) error {
	was, is := goldenCursor{db: a.Store, entity: p.Entity}, goldenCursor{db: scratch, entity: p.Entity}
	if err := errors.Join(was.next(ctx), is.next(ctx)); err != nil {
		return err
	}
	for was.at != nil || is.at != nil {
		var err error
		switch {
		case is.at == nil || was.at != nil && was.at.Founder < is.at.Founder:
			p.Golden.Gone++
			err = was.next(ctx)
		case was.at == nil || is.at.Founder < was.at.Founder:
			p.Golden.New++
			err = is.next(ctx)
		default:
			if string(was.at.Fields) != string(is.at.Fields) || was.at.Members != is.at.Members {
				p.Golden.Changed++
			}
			err = errors.Join(was.next(ctx), is.next(ctx))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// goldenCursor walks the golden records of a store by founder.
type goldenCursor struct {
	db     *store.DB
	entity string
	page   []store.Golden
	after  int64
	ended  bool
	at     *store.Golden // nil behind the last
}

func (c *goldenCursor) next(ctx context.Context) (err error) {
	c.at = nil
	if len(c.page) == 0 && !c.ended {
		if c.page, err = c.db.GoldenList(ctx, store.GoldenFilter{Entity: c.entity, After: c.after, Limit: exportPage, All: true}); err != nil {
			return err
		}
		c.ended = len(c.page) < exportPage
	}
	if len(c.page) > 0 {
		c.at, c.page = &c.page[0], c.page[1:]
		c.after = c.at.Founder
	}
	return nil
}

// planWrites counts the writes that are not waiting already.
func (a *App) planWrites(ctx context.Context, scratch *store.DB, p *ModelPlan) error {
	for _, t := range a.targets {
		w := WritesPlan{Target: t.config.Name, System: t.config.System}
		waiting := map[string]bool{}
		err := eachPending(ctx, a.Store, w.Target, func(r store.Row) { waiting[writeName(r)] = true })
		if err != nil {
			return err
		}
		err = eachPending(ctx, scratch, w.Target, func(r store.Row) {
			switch {
			case waiting[writeName(r)]:
			case r.Op == string(record.Update):
				w.Updates++
			default:
				w.Creates++
			}
		})
		if err != nil {
			return err
		}
		p.Writes = append(p.Writes, w)
	}
	return nil
}

func eachPending(ctx context.Context, db *store.DB, target string, fn func(store.Row)) error {
	for after := int64(0); ; {
		rows, err := db.Rows(ctx, target, store.Pending, after, exportPage)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			after = r.Seq
			fn(r)
		}
	}
}

// writeName tells two writes apart by what they do.
func writeName(r store.Row) string {
	fields, err := json.Marshal(r.Fields) // map keys are sorted
	if err != nil {
		fields = nil
	}
	object := r.Rec
	if r.Op != string(record.Update) {
		object = r.Founder
	}
	return fmt.Sprint(r.Op, " ", object, " ", string(fields))
}
