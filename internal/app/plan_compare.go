package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"touchstone/internal/record"
	"touchstone/internal/store"
	"touchstone/matching"
	"touchstone/matching/eval"
)

// planGroups compares where the records stand.
func (a *App) planGroups(ctx context.Context, scratch *store.DB, p *forecast) error {
	type step struct{ from, to int64 }
	ways := map[step]int64{} // → the first record that goes it
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
			w := step{x.Golden, to}
			if _, ok := ways[w]; !ok {
				ways[w] = x.Rec
			}
		}
		more = len(was) == exportPage
	}
	list := make([]step, 0, len(ways))
	for w := range ways {
		list = append(list, w)
	}
	slices.SortFunc(list, func(x, y step) int { return cmp.Or(cmp.Compare(x.from, y.from), cmp.Compare(x.to, y.to)) })
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
			p.Ways = append(p.Ways, way{what, ways[w], w.from, w.to})
		}
	}
	return nil
}

// planGolden compares the golden records, by founder.
func (a *App) planGolden(ctx context.Context, scratch *store.DB, p *forecast) error {
	was, is := goldenCursor{db: a.Store, entity: p.Entity}, goldenCursor{db: scratch, entity: p.Entity}
	if err := errors.Join(was.next(ctx), is.next(ctx)); err != nil {
		return err
	}
	fields := map[string]int{}
	for was.at != nil || is.at != nil {
		var err error
		switch {
		case is.at == nil || was.at != nil && was.at.Founder < is.at.Founder:
			p.Golden.Gone++
			p.Records++
			err = was.next(ctx)
		case was.at == nil || is.at.Founder < was.at.Founder:
			p.Golden.New++
			err = is.next(ctx)
		default:
			p.Records++
			if string(was.at.Fields) != string(is.at.Fields) || was.at.Members != is.at.Members {
				p.Golden.Changed++
				err = differing(was.at.Fields, is.at.Fields, fields)
			}
			err = errors.Join(err, was.next(ctx), is.next(ctx))
		}
		if err != nil {
			return err
		}
	}
	p.Fields = mostFirst(fields)
	return nil
}

// differing counts the fields whose values are not the same.
func differing(x, y []byte, into map[string]int) error {
	var a, b map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(x, &a), json.Unmarshal(y, &b)); err != nil {
		return fmt.Errorf("golden record: %w", err)
	}
	for name, v := range a {
		if string(b[name]) != string(v) {
			into[name]++
		}
	}
	for name := range b {
		if _, both := a[name]; !both {
			into[name]++
		}
	}
	return nil
}

// mostFirst lists counts by field, the greatest first.
func mostFirst(counts map[string]int) []FieldPlan {
	list := []FieldPlan{}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, FieldPlan{name, counts[name]})
	}
	slices.SortStableFunc(list, func(x, y FieldPlan) int { return cmp.Compare(y.Changed, x.Changed) })
	return list
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

// planSizes compares how many members the golden records have.
func (a *App) planSizes(ctx context.Context, scratch *store.DB, p *forecast) error {
	was, err := a.Store.Sizes(ctx, p.Entity)
	if err != nil {
		return err
	}
	is, err := scratch.Sizes(ctx, p.Entity)
	if err != nil {
		return err
	}
	for _, s := range []struct {
		name      string
		low, high int
	}{{"1", 1, 1}, {"2", 2, 2}, {"3–5", 3, 5}, {"6–10", 6, 10}, {"11+", 11, 1 << 40}} {
		p.Sizes = append(p.Sizes, SizePlan{s.name, between(was, s.low, s.high), between(is, s.low, s.high)})
	}
	return nil
}

func between(counts map[int]int, low, high int) (sum int) {
	for k, n := range counts {
		if k >= low && k <= high {
			sum += n
		}
	}
	return sum
}

// planWrites counts the writes that are not waiting already.
func (a *App) planWrites(ctx context.Context, scratch *store.DB, p *forecast) error {
	for _, t := range a.targets {
		w := WritesPlan{Target: t.config.Name, System: t.config.System}
		waiting, fields := map[string]bool{}, map[string]int{}
		err := eachPending(ctx, a.Store, w.Target, func(r store.Row) { waiting[writeName(r)] = true })
		if err != nil {
			return err
		}
		err = eachPending(ctx, scratch, w.Target, func(r store.Row) {
			if waiting[writeName(r)] {
				return
			}
			if r.Op == string(record.Update) {
				w.Updates++
			} else {
				w.Creates++
			}
			for path := range r.Fields {
				fields[path]++
			}
		})
		if err != nil {
			return err
		}
		w.Fields = mostFirst(fields)
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

// planPairs finds the pairs next to the threshold, on both sides of it.
func (a *App) planPairs(ctx context.Context, scratch *store.DB, p *forecast, link int32) error {
	list, err := scratch.PairsNear(ctx, p.Entity, link, nearPairs)
	if err != nil {
		return err
	}
	for _, x := range list {
		n := nearPair{A: x.A, B: x.B, Weight: x.Weight, Linked: x.Weight >= link}
		was, kept, err := a.Store.PairWeight(ctx, x.A, x.B)
		if err != nil {
			return err
		}
		if kept {
			n.Was = &was
		}
		p.Pairs = append(p.Pairs, n)
	}
	return nil
}

// planLabels says how what is in force and what would be do on the pairs that
// people decided.
func (a *App) planLabels(ctx context.Context, e *entity, candidate *matching.Model, p *forecast) error {
	list, err := a.labels(ctx, e.name, Labels{Rulings: true})
	if err != nil {
		return err
	}
	known, err := a.labelledFeatures(ctx, e.name, list)
	if err != nil || len(known) == 0 {
		return err
	}
	score := func(m *matching.Model, link float64) *eval.OnLabels {
		judged := make([]eval.Judged, len(known))
		for i, l := range known {
			judged[i] = eval.Judged{Weight: m.Weigh(l.A, l.B).Total, Same: l.Same}
		}
		on := eval.Labelled(judged, m.Threshold(link))
		return &on
	}
	p.LabelsOf, p.Labels = score(e.model.Load(), p.From.Link), score(candidate, p.To.Link)
	return nil
}
